//! The demonstration: a campus at work, with real processes on loopback, told to someone who has never heard of it.
//!
//! Deliberately also a test: it ends with 0 only if everything that it shows is as it should be.

mod campus;
mod cast;
mod interrupt;
mod story;
mod telling;

use crate::story::Story;
use crate::telling::Telling;
use anyhow::{Result, bail};
use clap::Parser;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Where `--stay` keeps its files, below the folder in which it is started.
const STAY_FOLDER: &str = ".doorward-demo";

/// Shows a campus at work: an authority and an edge agent for each building, a morning of taps, and a lost card.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Leave everything running afterwards, to be played with; Ctrl-C stops it
    #[arg(long)]
    stay: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When not even standard error takes it, the exit code has to do.
            let _unheard = writeln!(std::io::stderr(), "\nThe demonstration failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let begun = Instant::now();
    let passing = if arguments.stay { None } else { Some(tempfile::Builder::new().prefix("doorward-").tempdir()?) };
    let folder = match &passing {
        Some(passing) => passing.path().to_owned(),
        None => fresh_stay_folder()?,
    };
    let interrupt = interrupt::watch(passing.as_ref().map(|passing| passing.path().to_owned()))?;
    let mut story = Story::begin(&folder, Telling::default())?;
    story.tell()?;
    if arguments.stay {
        story.explain_how_to_play()?;
        interrupt.wait();
    }
    story.end(begun.elapsed())
}

/// Longest path of the folder in bytes: the sockets in it must stay below the 107 that the operating system takes.
const STAY_FOLDER_BYTES_MAX: usize = 70;

/// An empty folder; what an earlier demonstration left in it goes, unless that one still runs.
fn fresh_stay_folder() -> Result<PathBuf> {
    let folder = std::env::current_dir()?.join(STAY_FOLDER);
    if folder.as_os_str().len() > STAY_FOLDER_BYTES_MAX {
        bail!("{} is too long a path for sockets; start this in a folder with a shorter one", folder.display());
    }
    if folder.exists() {
        if runs_in(&folder) {
            bail!("another demonstration runs in {}; stop it with Ctrl-C first", folder.display());
        }
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

fn runs_in(folder: &Path) -> bool {
    let authority = folder.join("authority").display().to_string();
    let programs = tests::binaries::binaries();
    let asked = programs
        .and_then(|programs| tests::command::run(&programs.authority, &["status", "--data", &authority], &[], None));
    asked.is_ok_and(|answer| answer.code == Some(0))
}
