//! The link between libFuzzer and the fuzz targets of `tests::fuzz`.
//!
//! A crate of its own in a workspace of its own, because only a nightly compiler builds it.

pub mod look;
