//! Thousands of agents in one process of their own: real connections and the real machine of an agent, each with its own
//! key and certificate.
//!
//! What is not of a building here: the disk is memory that answers after a millisecond, some agents share a socket, and
//! nobody taps.

pub mod control;
pub mod crowd;
pub mod member;
pub mod play;
pub mod tally;
pub mod world;
