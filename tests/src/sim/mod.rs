//! The simulator: the production cores of one authority and its agents in one thread, from one seed, in a world that fails.
//!
//! Only the shells are replaced, by `world`: lines, disks, clocks, people and an adversary. What the machines do is looked
//! at from outside by one checker for each promise; `mutation` shows that each of them can fail.

mod agent;
mod authority;
mod campus;
mod chance;
mod checks;
mod clock;
mod closings;
pub mod counts;
pub mod disk;
mod driving;
mod faults;
mod holders;
mod keys;
mod link;
pub mod mutation;
pub mod options;
pub mod promise;
pub mod run;
mod serving;
mod staff;
mod store;
mod trace;
mod truth;
mod watch;
mod wire;
mod world;
