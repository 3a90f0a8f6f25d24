//! One checker for each promise. Each looks at what the machines did from outside, and none trusts another.

pub mod converges;
pub mod deterministic;
pub mod exact;
pub mod fail_closed;
pub mod never_backward;
pub mod no_record_lost;
pub mod only_verified;
pub mod provable;
pub mod removal_first;
pub mod taps_wait_for_nobody;
