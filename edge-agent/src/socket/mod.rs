//! The Unix socket on which reader drivers hand in taps, one JSON line each, and `status` asks.

pub mod client;
pub mod line;
pub mod serve;
