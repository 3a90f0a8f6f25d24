//! What the authority and the edge agents of Doorward agree on; `PROTOCOL.md` beside this crate is its prose.
//!
//! A pure core: no runtime, socket, file, environment or clock. Time and randomness are arguments.

pub mod facts;
pub mod id;
pub mod time;
