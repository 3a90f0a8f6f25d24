//! Mounts that nobody else sees and that end with the program, however it ends: it starts itself again with its own.
//!
//! Loop devices let go of their image with the mount that uses it, so nothing is left to clean up.

use crate::process::tied;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, ExitCode};

/// Set in the program that has mounts of its own.
const INSIDE: &str = "DOORWARD_OWN_MOUNTS";

/// What a program answers that cannot run on this machine, as other test suites have it.
pub const SKIPPED: u8 = 77;

/// Where a program is after it asked for mounts of its own.
#[derive(Debug, Clone, Copy)]
pub enum Mounts {
    /// They are its own: this is the run that counts.
    Own,
    /// It has run with its own, and ended like this.
    Ended(ExitCode),
    /// This machine gives it none.
    Refused,
}

/// Runs this program again with mounts of its own, unless this is that run.
///
/// # Errors
/// When it cannot be started.
pub fn run_with_own() -> Result<Mounts> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(Mounts::Own);
    }
    let own = ["--mount", "--propagation", "private", "--"];
    let is_permitted = Command::new("unshare").args(own).arg("true").output().is_ok_and(|tried| tried.status.success());
    if !is_permitted {
        return Ok(Mounts::Refused);
    }
    let mut command = tied(Path::new("unshare"));
    command.args(own).arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    let status = command.status().context("unshare cannot be started")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Mounts::Ended(code.map_or(ExitCode::FAILURE, ExitCode::from)))
}
