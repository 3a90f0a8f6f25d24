//! A harness for tests and for the demonstration: Doorward's programs as real processes on loopback, and nothing mocked.

pub mod agent;
pub mod authority;
pub mod bench;
pub mod binaries;
pub mod browser;
pub mod campus;
pub mod command;
pub mod crash;
pub mod faketime;
pub mod fuzz;
pub mod http;
pub mod json;
pub mod network;
pub mod ports;
pub mod process;
pub mod random;
pub mod sim;
pub mod skipped;
pub mod wait;
pub mod wire;
pub mod world;
