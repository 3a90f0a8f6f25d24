//! Power cuts: agents, or the authority, on a disk that keeps what it had at one random instant under load, and nothing
//! more. What was answered before must be there, and whoever was cut off must come back deciding.
//!
//! For a test with a few cuts and for reported runs with hundreds (`crash power agent`, `crash power authority`). With
//! fsync taken out of the programs, the same check must find losses: that shows what it is worth.

mod agents;
mod authority;
pub mod disk;
pub mod mounts;
pub mod office;
mod trial;

use crate::crash::report::Report;
use crate::random::Random;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use trial::Trial;

/// Cuts on one disk, after each of which everything goes on from what was left; then a new world begins.
const WORLD_CUTS_MAX: u64 = 20;

/// Whose power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The agents of both buildings, which share a disk.
    Agents,
    /// The authority.
    Authority,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose power is cut.
    pub who: Who,
    /// How often.
    pub cuts: u64,
    /// The seed of all choices.
    pub seed: u64,
    /// What does nothing in the programs; then losses must be found.
    pub without: Option<Without>,
    /// Where to keep what was on the disk after each cut of the last turn; then the first wrong one ends the run.
    pub keep: Option<PathBuf>,
}

/// What a program believes to have done, and has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// The fdatasync after each flush of an agent's store.
    Fdatasync,
    /// Every fsync and fdatasync.
    Both,
}

/// Why power cannot be cut on this machine, if it cannot.
#[must_use]
pub fn why_not() -> Option<String> {
    let error =
        disk::PowerDisk::create().and_then(|disk| disk.cut(disk::Cache::Lost, &[]).and_then(|()| disk.restore()));
    let error = error.err()?;
    Some(format!("it needs to be root, loop devices, mkfs.ext4, e2fsck and perl: {error:#}"))
}

/// Cuts the power so often, and says what came of it; `say` hears how far it is.
///
/// # Errors
/// When the disk fails otherwise than it should, or a world does not begin.
pub fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Report> {
    let mut report = Report::new(options.seed);
    let mut seeds = Random::new(options.seed);
    let folder = tempfile::tempdir()?;
    let preload = options.without.map(|without| taken_out(without, folder.path())).transpose()?;
    let mut cuts = 0;
    while cuts < options.cuts {
        let random = Random::new(seeds.next());
        let mut trial = Trial::begin(options, preload.as_deref(), random, &mut report)?;
        for _ in 0..WORLD_CUTS_MAX.min(options.cuts - cuts) {
            cuts += 1;
            let wrong = trial.cut(&mut report)?;
            report.count("cuts", 1);
            let is_over = !wrong.is_empty();
            if is_over {
                report.count("cuts after which something was wrong", 1);
            }
            for text in wrong.into_iter().map(|text| format!("after cut {cuts}: {text}")) {
                say(&text);
                report.violation(text);
            }
            say(&format!("{cuts} of {} cuts, {} violations", options.cuts, report.violations.len()));
            if is_over {
                // What is lost stays lost; the next cut has a new world.
                break;
            }
        }
        trial.end(&mut report);
        if options.keep.is_some() && !report.violations.is_empty() {
            break;
        }
    }
    Ok(report)
}

/// Makes the library that takes it out of a program.
fn taken_out(without: Without, folder: &Path) -> Result<PathBuf> {
    let (source, library) = (folder.join("no_fsync.c"), folder.join("no_fsync.so"));
    std::fs::write(&source, include_str!("no_fsync.c"))?;
    let mut command = Command::new("cc");
    match without {
        Without::Fdatasync => {}
        Without::Both => {
            command.arg("-DBOTH");
        }
    }
    let output = command.args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output();
    let output = output.context("cc cannot be run")?;
    ensure!(output.status.success(), "cc failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(library)
}
