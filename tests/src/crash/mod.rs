//! Processes that are killed and stores that lose bytes: what happens to them, and what must be true afterwards.
//!
//! For tests with a few turns and for reported runs with thousands (`src/bin/crash.rs`); both check the same.

pub mod damage;
pub mod joins;
pub mod judge;
pub mod kills;
pub mod load;
pub mod power;
pub mod report;
pub mod rules;
pub mod stage;
pub mod victims;
