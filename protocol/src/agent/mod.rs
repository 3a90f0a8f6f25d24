//! The agent's two state machines: [`sync`] keeps the state, [`recorder`] keeps and ships access records.
//!
//! Both are driven by `handle(input, now)` and drained by `poll_effect()`; a shell carries frames and keeps bytes.

pub mod recorder;
pub mod stored;
pub mod sync;
