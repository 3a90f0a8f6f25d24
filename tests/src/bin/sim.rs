//! Runs the simulator: one seed, a range of seeds, or every planted fault. Prints each seed before it is run.
//!
//! Deliberately only the command line: what a world is, and what must hold in it, is the library's.

use anyhow::{Context, Result, bail};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;
use tests::random::Random;
use tests::sim::mutation::Mutation;
use tests::sim::options::Options;
use tests::sim::run::{Outcome, run};

/// Seeds that a planted fault has to be caught within.
const MUTATION_SEEDS: u64 = 24;

/// Simulates an authority and its agents in a world that fails, and checks every promise after every event.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Arguments {
    /// The seed from which everything follows; without it a fresh one
    #[arg(long)]
    seed: Option<u64>,
    /// Several seeds, from the first to the one before the last
    #[arg(long, value_name = "FROM..TO", conflicts_with = "seed")]
    seeds: Option<String>,
    /// How many agents there are, at most 5000
    #[arg(long, default_value_t = 8)]
    agents: usize,
    /// How long things break, in simulated hours; then everything heals
    #[arg(long, default_value_t = 24)]
    hours: i64,
    /// Plants a fault, to see that a checker catches it
    #[arg(long, value_name = "NAME")]
    mutation: Option<String>,
    /// Plants every fault, one after another, and says which checker caught it
    #[arg(long, conflicts_with_all = ["mutation", "seeds"])]
    mutations: bool,
}

fn main() -> ExitCode {
    match simulate(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // When not even standard error takes it, the exit code has to do.
            let _unheard = writeln!(std::io::stderr(), "sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(arguments: &Arguments) -> Result<bool> {
    if !(1..=5000).contains(&arguments.agents) {
        bail!("--agents is 1 to 5000");
    }
    let mutation = match &arguments.mutation {
        Some(name) => Some(Mutation::named(name).with_context(|| format!("--mutation is one of {}", names()))?),
        None => None,
    };
    let options = |seed| Options { seed, agents: arguments.agents, hours: arguments.hours, mutation };
    if arguments.mutations {
        return plant_all(arguments);
    }
    if let Some(range) = &arguments.seeds {
        return run_range(range, options);
    }
    let seed = arguments.seed.unwrap_or_else(Random::new_seed);
    say(&format!("seed {seed}"))?;
    let outcome = run(options(seed))?;
    tell(&outcome)?;
    Ok(outcome.violations.is_empty())
}

fn run_range(range: &str, options: impl Fn(u64) -> Options) -> Result<bool> {
    let (from, to) = range.split_once("..").context("--seeds is FROM..TO, such as 0..1000")?;
    let (from, to): (u64, u64) = (from.parse()?, to.parse()?);
    let (mut events, mut taps, mut bad, mut latencies) = (0, 0, Vec::new(), Vec::new());
    for seed in from..to {
        let outcome = run(options(seed))?;
        events += outcome.events;
        taps += outcome.counts.get("taps").copied().unwrap_or_default();
        latencies.extend(outcome.revocation_ms.iter().copied());
        let digest = outcome.digest.to_string();
        say(&format!("seed {seed}: {} events, trace {}", outcome.events, digest.get(..16).unwrap_or_default()))?;
        if let Some(violation) = outcome.violations.first() {
            say(&format!("seed {seed} BROKEN {violation}"))?;
            bad.push(seed);
        }
    }
    latencies.sort_unstable();
    say(&format!("{} seeds, {events} events, {taps} taps", to.saturating_sub(from)))?;
    let at = |percent: usize| latencies.get(latencies.len().saturating_sub(1) * percent / 100).copied();
    say(&format!("revocation in simulated ms: p50 {:?}, p99 {:?}, max {:?}", at(50), at(99), at(100)))?;
    say(&if bad.is_empty() { "every promise held".to_owned() } else { format!("broken in seeds {bad:?}") })?;
    Ok(bad.is_empty())
}

fn plant_all(arguments: &Arguments) -> Result<bool> {
    let first = arguments.seed.unwrap_or_default();
    let mut all_caught = true;
    for mutation in Mutation::ALL {
        let mut caught = None;
        for seed in first..first + MUTATION_SEEDS {
            let (agents, hours) = (arguments.agents, arguments.hours);
            let outcome = run(Options { seed, agents, hours, mutation: Some(mutation) })?;
            let by = outcome.violations.into_iter().find(|violation| violation.promise == mutation.breaks());
            if let Some(violation) = by {
                caught = Some((seed, violation));
                break;
            }
        }
        all_caught &= caught.is_some();
        let (name, expected) = (mutation.name(), mutation.breaks().name());
        say(&match caught {
            Some((seed, violation)) => format!("{name}: caught with seed {seed} by {violation}"),
            None => format!("{name}: NOT CAUGHT by {expected} within {MUTATION_SEEDS} seeds"),
        })?;
    }
    Ok(all_caught)
}

fn tell(outcome: &Outcome) -> Result<()> {
    say(&format!("{} events", outcome.events))?;
    for (name, count) in &outcome.counts {
        say(&format!("{count} {name}"))?;
    }
    let at = |percent| outcome.revocation_ms_at(percent).map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    let count = outcome.revocation_ms.len();
    say(&format!("{count} revocations at connected agents: p50 {}, p99 {}, max {}", at(50), at(99), at(100)))?;
    for violation in &outcome.violations {
        say(&format!("BROKEN {violation}"))?;
    }
    say(&format!("trace {}", outcome.digest))
}

fn names() -> String {
    Mutation::ALL.map(Mutation::name).join(", ")
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
