//! Compile: from a directory to the states of all agents, as a start of the authority does it.
//!
//! Beside the one part that cannot be left out, the digest: each fact is added once to a sum of its agent.

use anyhow::{Context, Result, bail};
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_protocol::codec::encode;
use doorward_protocol::digest::SetSum;
use doorward_server::cores;
use std::hint::black_box;
use tests::bench::campus::Recipe;
use tests::bench::measure::{count, length, median, time};
use tests::bench::report::{Report, Row, Target};
use tests::bench::system::{forget_resident_max, own_usage};

/// Cores that a compile may use.
const CORES: f64 = 2.0;

/// Facts whose sum is measured for the floor.
const SAMPLE: usize = 100_000;

const SMALL: Recipe = Recipe { seed: 4, people: 100_000, doors: 2_000, agents: 200, cards_percent: 100 };
const LARGE: Recipe = Recipe { people: 1_000_000, doors: 10_000, agents: 1_000, ..SMALL };

pub fn bench() -> Result<Report> {
    let mut rows = Vec::new();
    for (recipe, seconds) in [(SMALL, 1.5), (LARGE, 20.0)] {
        rows.extend(size(recipe, seconds)?);
    }
    Report::new("compile", &[SMALL, LARGE].map(|recipe| recipe.describe()).join("\n\n"), rows)
}

fn size(recipe: Recipe, seconds: f64) -> Result<[Row; 3]> {
    // The campus as it was read is gone before anything is measured.
    let directory = Directory::of_campus(&recipe.campus()?)?;
    let title = format!("{} people, {} doors, {} agents", recipe.people, recipe.doors, recipe.agents);
    let (mut runs, mut resident, mut cpu, mut floor) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut facts = 0;
    for _ in 0..5 {
        forget_resident_max()?;
        let before = own_usage()?;
        let (took, compiled) = time(|| cores::compile(&directory));
        let compiled = compiled?;
        let after = own_usage()?;
        runs.push(took.as_secs_f64());
        resident.push(count(after.resident_bytes_max) / f64::from(1 << 30));
        cpu.push((after.cpu - before.cpu).as_secs_f64());
        facts = compiled.agents().map(|(_, state)| state.len()).sum();
        floor.push(sum_seconds(&compiled)? * length(facts) / CORES);
    }
    let note = format!("{facts} facts in all, {:.2} us of CPU each", median(&cpu) * 1e6 / length(facts));
    Ok([
        Row::new(format!("compile of {title}"), "s", &runs)
            .target(Target::AtMost(seconds))
            .beside("adding each fact to its digest on two cores", &floor)
            .note(note),
        Row::new(format!("CPU of that compile, all threads, {title}"), "s", &cpu),
        Row::new(format!("most resident memory, directory included, {title}"), "GiB", &resident)
            .target(Target::AtMost(4.0)),
    ])
}

/// What it takes to add one fact to a digest.
fn sum_seconds(compiled: &Compiled) -> Result<f64> {
    let facts = compiled.agents().flat_map(|(_, state)| state.facts());
    let facts: Vec<Vec<u8>> = facts.take(SAMPLE).map(|fact| encode(&*fact)).collect::<Result<_, _>>()?;
    if facts.is_empty() {
        bail!("nothing was compiled");
    }
    let mut sum = SetSum::default();
    let (took, ()) = time(|| facts.iter().for_each(|fact| sum.add(fact)));
    black_box(sum.digest());
    Some(took.as_secs_f64() / length(facts.len())).context("no time passed")
}
