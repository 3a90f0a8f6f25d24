//! Runs crashes by the hundred: processes that are killed, stores that are damaged. Prints its seed before it begins.
//!
//! Deliberately only the command line: what happens, and what must hold afterwards, is the library's.

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tests::crash::damage;
use tests::crash::kills;
use tests::crash::power::mounts::{self, Mounts};
use tests::crash::power::{self, Options, Who, Without};
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
    /// Stores of agents that lose or change bytes
    Damage(Run),
    /// Power cuts at random instants, under load; needs root and loop devices, and answers 77 without them
    Power(Power),
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

/// Power cuts.
#[derive(Debug, Clone, clap::Args)]
struct Power {
    /// Whose power is cut
    #[arg(value_enum)]
    whose: Whose,
    /// How often
    #[arg(long, default_value_t = 200)]
    cuts: u64,
    /// The seed from which all choices follow; without it a fresh one
    #[arg(long)]
    seed: Option<u64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Take it out of the programs whose power is cut, to see that losses are found
    #[arg(long, value_enum)]
    without: Option<TakenOut>,
    /// End with the first cut after which something was wrong, and keep here what it and those before left on the disk
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TakenOut {
    /// What follows each flush of an agent's store
    Fdatasync,
    /// Every fsync and fdatasync
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Whose {
    /// Both agents
    Agent,
    /// The authority
    Authority,
}

/// What is crashed: by seed and count, telling how far it is.
type Crash = dyn Fn(u64, u64, &dyn Fn(&str)) -> Result<Report>;

fn main() -> ExitCode {
    let told = match Arguments::parse().command {
        Command::Kills(run) => tell(&run, &kills::run),
        Command::Damage(run) => tell(&run, &damage::run),
        Command::Power(power) => match with_own_mounts() {
            Ok(Some(code)) => return code,
            Ok(None) => cut_power(&power),
            Err(error) => Err(error),
        },
    };
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // When not even standard error takes it, the exit code has to do.
            let _unheard = writeln!(std::io::stderr(), "crash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn cut_power(power: &Power) -> Result<bool> {
    let Power { whose, cuts, seed, json, without, keep } = power.clone();
    let who = match whose {
        Whose::Agent => Who::Agents,
        Whose::Authority => Who::Authority,
    };
    let without = without.map(|without| match without {
        TakenOut::Fdatasync => Without::Fdatasync,
        TakenOut::Both => Without::Both,
    });
    let crash = move |seed, cuts, say: &dyn Fn(&str)| {
        power::run(&Options { who, cuts, seed, without, keep: keep.clone() }, say)
    };
    tell(&Run { count: cuts, seed, json }, &crash)
}

/// How this program ends when it is not the one with mounts of its own, or when it cannot run here.
fn with_own_mounts() -> Result<Option<ExitCode>> {
    let why = match mounts::run_with_own()? {
        Mounts::Ended(code) => return Ok(Some(code)),
        Mounts::Refused => Some("it needs to be root".to_owned()),
        Mounts::Own => power::why_not(),
    };
    let Some(why) = why else { return Ok(None) };
    writeln!(std::io::stderr(), "crash: power cannot be cut here: {why}")?;
    Ok(Some(ExitCode::from(mounts::SKIPPED)))
}

fn tell(run: &Run, crash: &Crash) -> Result<bool> {
    let seed = run.seed.unwrap_or_else(Random::new_seed);
    writeln!(std::io::stderr(), "seed {seed}")?;
    let say = |line: &str| {
        // Who does not listen to the progress still gets the report.
        let _unheard = writeln!(std::io::stderr(), "{line}");
    };
    let report = crash(seed, run.count, &say)?;
    let text = if run.json { format!("{}\n", serde_json::to_string(&report)?) } else { report.to_string() };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(report.violations.is_empty())
}
