//! What the authority and the edge agents of Doorward agree on; `PROTOCOL.md` beside this crate is its prose.
//!
//! A pure core: no runtime, socket, file, environment or clock. Time and randomness are arguments.

pub mod agent;
pub mod armor;
pub mod cache;
pub mod codec;
pub mod commit;
pub mod credentials;
pub mod decide;
pub mod digest;
pub mod enrol;
pub mod evidence;
pub mod facts;
pub mod fork;
pub mod frame;
pub mod id;
pub mod limits;
pub mod merkle;
pub mod moment;
pub mod overlay;
pub mod problem;
pub mod receipt;
pub mod record;
pub mod removal;
pub mod schedule;
pub mod session;
pub mod sign;
pub mod state;
pub mod table;
pub mod taps;
#[cfg(test)]
mod testing;
pub mod time;
pub mod trust;
