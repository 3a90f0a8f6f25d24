//! What the benchmarks share: a made campus, measuring, what the operating system counts, and the report.
//!
//! Deliberately no benchmark itself: those are in `tests/benches`, and run production code.

pub mod campus;
pub mod measure;
pub mod peers;
pub mod report;
pub mod swarm;
pub mod system;
