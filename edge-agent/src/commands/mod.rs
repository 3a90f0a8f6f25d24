//! One file for each command: what it takes, what it does, what it prints.

pub mod join;
pub mod replay;
pub mod run;
pub mod status;
pub mod tap;

use anyhow::{Context, Result};
use std::io::Write;

/// Writes to standard output.
///
/// # Errors
/// When nobody takes it.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output cannot be written")
}
