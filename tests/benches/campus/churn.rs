//! Revocations while a hundred thousand people are imported and pushed to the same agents.

use anyhow::{Context, Result};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tests::bench::campus::Recipe;
use tests::bench::measure::{count, percentile};
use tests::bench::report::{Report, Row, Target};
use tests::bench::swarm::crowd::Crowd;
use tests::bench::swarm::tally::Step;
use tests::bench::swarm::world::{Revoked, SLOWLY, SwarmWorld};
use tests::bench::system::usage;
use tests::binaries::binaries;
use tests::command::run as run_program;
use tests::wait::until;

/// The campus before, and after.
const BEFORE: Recipe = Recipe { seed: 4, people: 2_000, doors: 1_000, agents: 100, cards_percent: 130 };
const AFTER: Recipe = Recipe { people: 102_000, ..BEFORE };

/// How many revocations while nothing else happens.
const IDLE: usize = 30;

/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(400);

/// Runs the benchmark.
pub fn run() -> Result<Report> {
    let mut world = SwarmWorld::start(Path::new(env!("CARGO_BIN_EXE_swarm")), BEFORE)?;
    world.connect()?;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        pause()?;
        idle.push(world.revoke()?);
    }
    let folder = world.file("campus");
    std::fs::create_dir_all(&folder)?;
    let files = Crowd(AFTER).files();
    files.0.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))?;
    let begun = Instant::now();
    let imported = import(&world, &folder);
    let (mut busy, mut entry) = (Vec::new(), None);
    let (mut slowest_ms, mut slowest_after) = (0.0, Duration::ZERO);
    while entry.is_none() {
        pause()?;
        let after = begun.elapsed();
        let revoked = world.revoke()?;
        if revoked.last_ms() > slowest_ms {
            (slowest_ms, slowest_after) = (revoked.last_ms(), after);
        }
        busy.push(revoked);
        entry = imported.try_recv().ok();
    }
    let seq = entry.context("no import")??;
    let accepted = begun.elapsed();
    // The commit of the import, or a later one, is in force everywhere.
    let last = busy.last().map_or(seq, |revoked| revoked.seq.max(seq));
    world.swarm.wait_for(Step::Committed, last, SLOWLY)?;
    let took = begun.elapsed();
    let server = usage(world.authority.process()?.id())?;
    let peak_mib = count(server.resident_bytes_max) / 1024.0 / 1024.0;
    rows(
        &idle,
        &busy,
        &format!(
            "{} revocations during the import, the slowest of them {:.1} s after its beginning; it took {:.1} s until it was answered and \
             {:.1} s until it was in force at all {} agents; the authority held {peak_mib:.0} MiB at most",
            busy.len(),
            slowest_after.as_secs_f64(),
            accepted.as_secs_f64(),
            took.as_secs_f64(),
            BEFORE.agents
        ),
    )
}

fn rows(idle: &[Revoked], busy: &[Revoked], note: &str) -> Result<Report> {
    let ms = |revoked: &[Revoked]| revoked.iter().map(Revoked::last_ms).collect::<Vec<f64>>();
    let (idle, busy) = (ms(idle), ms(busy));
    let at = |values: &[f64], percent| percentile(values, percent);
    let ratio = at(&busy, 99.0) / at(&idle, 99.0);
    let rows = vec![
        Row::new("revocation to 100 agents during an import of 100,000 people: p99 of the idle p99", "x", &[ratio])
            .target(Target::AtMost(3.0))
            .note(note),
        Row::new("the same, p99", "ms", &[at(&busy, 99.0)]).beside("idle", &[at(&idle, 99.0)]),
        Row::new("the same, p50", "ms", &[at(&busy, 50.0)]).beside("idle", &[at(&idle, 50.0)]),
    ];
    Report::new("churn", &Crowd(AFTER).describe(), rows)
}

/// Imports a folder as an office does, beside everything else; the number of the entry comes when it is answered.
fn import(world: &SwarmWorld, folder: &Path) -> Receiver<Result<u64>> {
    let (tell, told) = channel();
    let (folder, data) = (folder.display().to_string(), world.authority.data.display().to_string());
    std::thread::spawn(move || {
        // Who asked may be gone.
        let _gone = tell.send(import_now(&folder, &data));
    });
    told
}

fn import_now(folder: &str, data: &str) -> Result<u64> {
    let answer = run_program(
        &binaries()?.authority,
        &["import", folder, "--allow-removals", "--json", "--data", data],
        &[],
        None,
    )?
    .ok()?;
    let lines = answer.json_lines()?;
    let seq = lines.iter().find_map(|line| line.pointer("/seq").or_else(|| line.pointer("/result/seq"))?.as_u64());
    seq.with_context(|| format!("no entry in {lines:?}"))
}

fn pause() -> Result<()> {
    let begun = Instant::now();
    until("a pause", SLOWLY, || (begun.elapsed() >= PAUSE).then_some(()))
}
