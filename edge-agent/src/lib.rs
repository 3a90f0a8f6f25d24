//! The edge agent of a building as a library: what `doorward-agent` is made of. It decides on every tap without the network.
//!
//! A library for the sake of proof alone: tests and benchmarks hold the very parts that run in a building to their word.

pub mod alarms;
pub mod board;
pub mod clock;
pub mod commands;
pub mod decider;
pub mod desk;
mod files;
mod forks;
pub mod identity;
pub mod machines;
pub mod quic;
pub mod socket;
mod stop;
pub mod store;
pub mod strike;
#[cfg(test)]
mod testing;
pub mod validity;
