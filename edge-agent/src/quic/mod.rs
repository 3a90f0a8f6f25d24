//! The way to the authority: QUIC with mutual TLS 1.3, lanes, enrolment, and the care of staying connected.
//!
//! Deliberately without judgement: frames go to the machines and come from them.

pub mod endpoint;
pub mod enrol;
pub mod keep;
pub mod lanes;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
