//! The machines of both sides against each other, with disks that only keep what was persisted.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    reason = "these are tests"
)]

mod evidence;
mod extremes;
mod fork;
mod hostile;
mod records;
mod sync;
