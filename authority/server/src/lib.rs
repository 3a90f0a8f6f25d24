//! The authority as a process: journal, signer, network, enrolment, access records and HTTP API around the pure rooms.

pub mod access;
pub mod authority;
pub mod certificates;
pub mod clock;
pub mod closing;
mod compiler;
mod concern;
pub mod enrolment;
pub mod epoch;
pub mod evidence;
mod history;
pub mod http;
pub mod hub;
pub mod init;
pub mod journal;
pub mod keys;
mod leases;
pub mod paths;
pub mod present;
pub mod quic;
mod reading;
pub mod serve;
pub mod signer;
mod silence;
pub mod start;
pub mod token;
mod writer;
