//! Runs crashes by the hundred: processes that are killed, stores that are damaged. Prints its seed before it begins.
//!
//! Deliberately only the command line: what happens, and what must hold afterwards, is the library's.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;
use tests::crash::report::Report;
use tests::random::Random;

/// Crashes real processes and stores, and checks that nothing wrong was done and nothing lost.
#[derive(Debug, Parser)]
#[command(name = "crash")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// SIGKILL of agents and authority at random instants, under load
    Kills(Run),
}

/// How long a run is and what repeats it.
#[derive(Debug, clap::Args)]
struct Run {
    /// How often something is crashed
    #[arg(long, default_value_t = 100)]
    count: u64,
    /// The seed from which all choices follow; without it a fresh one
    #[arg(long)]
    seed: Option<u64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let (run, crash): (Run, fn(u64, u64) -> Result<Report>) = match Arguments::parse().command {
        Command::Kills(run) => (run, |seed, _count| Ok(Report::new(seed))),
    };
    match tell(&run, crash) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // When not even standard error takes it, the exit code has to do.
            let _unheard = writeln!(std::io::stderr(), "crash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn tell(run: &Run, crash: fn(u64, u64) -> Result<Report>) -> Result<bool> {
    let seed = run.seed.unwrap_or_else(Random::new_seed);
    writeln!(std::io::stderr(), "seed {seed}")?;
    let report = crash(seed, run.count)?;
    let text = if run.json { format!("{}\n", serde_json::to_string(&report)?) } else { report.to_string() };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(report.violations.is_empty())
}
