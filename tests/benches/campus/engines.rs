//! Policy engines that answer the same taps, in a program of their own with its own lock file (`tests/peers`).
//!
//! Deliberately no word of how they are used: that is said where it is done.

use crate::decide::Tap;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::process::Command;
use tests::bench::campus::Recipe;
use tests::binaries::root;

/// What an engine did.
#[derive(Debug, Deserialize)]
pub struct Engine {
    /// Its name.
    pub engine: String,
    /// How many taps it answered.
    pub taps: u64,
    /// How many of them as expected.
    pub agree: u64,
    /// Its median.
    pub p50_ns: f64,
    /// Its 99th percentile.
    pub p99_ns: f64,
}

/// Lets all engines answer taps; says in a sentence why they could not.
pub fn run(recipe: Recipe, taps: &[Tap]) -> Result<Vec<Engine>, String> {
    let manifest = root().join("tests/peers/Cargo.toml");
    if !manifest.is_file() {
        return Err("tests/peers is not there, so no policy engine was asked".into());
    }
    ask(recipe, taps).map_err(|error| format!("the policy engines did not answer: {error:#}"))
}

fn ask(recipe: Recipe, taps: &[Tap]) -> Result<Vec<Engine>> {
    let folder = tempfile::tempdir()?;
    recipe.write(folder.path())?;
    std::fs::write(folder.path().join("taps.csv"), table(taps))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--manifest-path", "tests/peers/Cargo.toml", "--", "decide"]);
    let output = command.arg(folder.path()).arg("--json").current_dir(root()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.lines().last().unwrap_or("no word"));
    let answers = String::from_utf8(output.stdout)?;
    let engines = answers.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned()));
    engines.collect()
}

fn table(taps: &[Tap]) -> String {
    let mut text = "at,door_id,card_id,factors,expect,reason\n".to_owned();
    for tap in taps {
        let (at, exact) = (tap.at.to_utc_text(), tap.exact);
        let (decision, reason) = (exact.decision(), exact.as_str());
        text.push_str(&format!("{at},{},{},{},{decision},{reason}\n", tap.door, tap.card, tap.factors));
    }
    text
}
