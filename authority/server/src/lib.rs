//! The authority as a process: journal, signer, network, enrolment, access records and HTTP API around the pure rooms.

pub mod access;
pub mod certificates;
pub mod journal;
pub mod keys;
pub mod paths;
