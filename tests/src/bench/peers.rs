//! Servers that tell many the same thing, measured beside ours by the program in `tests/peers`.
//!
//! Deliberately a program of its own workspace: what it is made of is no dependency of anything here.

use crate::binaries::root;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::process::Command;

/// What a peer needed to tell all of its subscribers.
#[derive(Debug, Clone, Deserialize)]
pub struct FannedOut {
    /// Its name.
    pub peer: String,
    /// From publishing until the last subscriber had it, in milliseconds, each run.
    pub last_ms: Vec<f64>,
    /// Processor time of the server for each delivery, in microseconds.
    pub server_cpu_us_per_delivery: f64,
    /// Resident memory of the server for each connection.
    pub server_bytes_per_connection: f64,
    /// Processor time of the server while nothing happens, in microseconds a second.
    pub server_idle_cpu_us_per_s: f64,
}

/// The exit code with which the program says that a peer is not installed.
const NOT_INSTALLED: i32 = 3;

/// Measures one peer.
///
/// # Errors
/// A sentence that says why there is nothing to compare with.
pub fn fan_out(peer: &str, subscribers: u64) -> Result<FannedOut> {
    let manifest = root().join("tests/peers/Cargo.toml");
    if !manifest.exists() {
        bail!("{peer} was not measured: tests/peers is not there");
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--release", "--quiet", "--locked", "--manifest-path"]).arg(manifest);
    command.args(["--", peer, "--subscribers", &subscribers.to_string(), "--json"]);
    let output = command.output().context("cargo cannot be run")?;
    if output.status.code() == Some(NOT_INSTALLED) {
        bail!("{peer} was not measured: it is not installed");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let line = line.with_context(|| {
        format!(
            "{peer} was not measured: {}",
            String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default()
        )
    })?;
    serde_json::from_str(line).with_context(|| format!("{peer} was not measured: it answered {line}"))
}
