//! Runs the simulator: one seed, a range of seeds, or every planted fault. Prints each seed before it is run.
//!
//! Deliberately only the command line: what a world is, and what must hold in it, is the library's.

use anyhow::{Context, Result, bail};
use clap::Parser;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use tests::random::Random;
use tests::sim::counts::Name;
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
    let (mut events, mut bad, mut latencies, mut counts) = (0, Vec::new(), Vec::new(), BTreeMap::new());
    for seed in from..to {
        // What stops a run must not take its seed along.
        write!(std::io::stdout(), "seed {seed}")?;
        std::io::stdout().flush()?;
        let outcome = run(options(seed))?;
        events += outcome.events;
        outcome.counts.iter().for_each(|(name, count)| *counts.entry(*name).or_insert(0) += count);
        latencies.extend(outcome.revocation_ms.iter().copied());
        let digest = outcome.digest.to_string();
        say(&format!(": {} events, trace {}", outcome.events, digest.get(..16).unwrap_or_default()))?;
        if let Some(violation) = outcome.violations.first() {
            say(&format!("seed {seed} BROKEN {violation}"))?;
            bad.push(seed);
        }
    }
    latencies.sort_unstable();
    say(&format!("{} seeds, {events} events", to.saturating_sub(from)))?;
    tell_counts(&counts, &latencies)?;
    say(&if bad.is_empty() { "every promise held".to_owned() } else { format!("broken in seeds {bad:?}") })?;
    Ok(bad.is_empty())
}

/// What was counted, and the distribution of the revocation latency in simulated time.
fn tell_counts(counts: &BTreeMap<Name, u64>, latencies_ms: &[i64]) -> Result<()> {
    for ((kind, name), count) in counts {
        say(&format!("{count:>10} {kind}: {name}"))?;
    }
    let at = |percent: usize| latencies_ms.get(latencies_ms.len().saturating_sub(1) * percent / 100).copied();
    let shown = |percent| at(percent).map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    let percents = [50, 90, 99, 100].map(|percent| format!("p{percent} {}", shown(percent)));
    say(&format!("{} revocations at connected agents: {}", latencies_ms.len(), percents.join(", ")))
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
    tell_counts(&outcome.counts, &outcome.revocation_ms)?;
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
