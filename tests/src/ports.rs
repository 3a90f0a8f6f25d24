//! Ports for processes that are started, stopped and started again on the same address.
//!
//! Deliberately not the operating system's free ports (`:0`): those are handed out again to any socket while a process is
//! down. These lie below that range, and every test of a process takes its own.

use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// First port that is handed out, and how many there are; Linux hands out those from 32768 on.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// How many ports are looked at before it is clear that none is free.
const TRIES_MAX: u32 = 2_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A port of loopback on which nobody listens, neither TCP nor UDP.
///
/// # Errors
/// When none is found.
pub fn free() -> Result<u16> {
    // Test processes that run at the same time begin at different places.
    let start = std::process::id().wrapping_mul(97);
    (0..TRIES_MAX)
        .filter_map(|_| {
            let number = start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
            u16::try_from(FIRST + number % COUNT).ok()
        })
        .find(|port| {
            let address = loopback(*port);
            TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
        })
        .context("no free port was found on loopback")
}

/// A port on this machine.
#[must_use]
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
