//! Processes that are killed and stores that lose bytes: what happens to them, and what must be true afterwards.
//!
//! For tests with a few turns and for reported runs with thousands (`src/bin/crash.rs`); both check the same.

pub mod report;
