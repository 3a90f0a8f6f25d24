//! What an agent keeps: its state and its unsent access records, and what is believed of them when they are read.
//!
//! Nothing here decides; [`disk`] keeps bytes, [`layout`] knows their keys, [`tail`] keeps the newest records until they
//! are there, too, [`open`] reads everything back, [`seal`] tells whether it is all there, [`storage`] is the thread on which
//! all of it happens while the agent runs.

pub mod chain;
pub mod disk;
pub mod layout;
pub mod open;
pub mod seal;
pub mod storage;
pub mod tail;
