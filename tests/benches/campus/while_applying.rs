//! Decide while a snapshot is applied: taps in one thread, and in another a real agent that takes one snapshot after another.
//!
//! The other thread is the authority's session machine, too, so it asks for more of the processor than an agent's would.

use crate::decide::clock_ns;
use crate::edge::Edge;
use crate::office::{NOW, Office};
use anyhow::{Context, Result, anyhow, ensure};
use doorward_agent::decider::Decider;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::to_wire;
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::time::UnixMs;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tests::bench::campus::{MadeTap, Recipe};
use tests::bench::measure::{count, length, median, ms, ns, percentile};
use tests::bench::report::{Report, Row, Target};

const RUNS: usize = 5;

/// Snapshots of one run.
const SNAPSHOTS: u64 = 5;

/// How long taps are measured without snapshots in each run.
const IDLE: Duration = Duration::from_millis(500);

/// Less than the shortest lease of the campus, a week.
const LEASE_MS: i64 = 6 * 86_400_000;

/// A tap, as the reader's line has it.
type Tap = (UnixMs, DoorId, String, Factors);

/// What one run found.
struct Run {
    idle: Vec<f64>,
    applying: Vec<f64>,
    /// How long each snapshot took, in milliseconds.
    snapshots: Vec<f64>,
    /// How often the operating system took the processor away from the thread of the taps.
    preempted: u64,
}

/// The benchmark.
///
/// # Errors
/// When a snapshot is refused, or a tap is not answered from a state.
pub fn bench() -> Result<Report> {
    let recipe = Recipe { seed: 4, people: 100_000, doors: 64, agents: 1, cards_percent: 103 };
    let mut office = Office::new(&recipe.campus()?)?;
    office.forgets = true;
    let agent = office.largest()?;
    let mut edge = Edge::of(&office, &agent)?;
    apply(&mut office, &mut edge, &agent, &AtomicBool::default())?;
    let taps = recipe.taps(200_000).into_iter();
    // Within the shortest lease after the commit, so that every tap is decided by all rows of the table.
    let at = |tap: &MadeTap| NOW.plus_ms(tap.at.0.rem_euclid(LEASE_MS));
    let taps = taps.map(|tap| Ok((at(&tap), DoorId::new(&tap.door)?, tap.card, tap.factors)));
    let taps: Vec<Tap> = taps.collect::<Result<_>>()?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(run(&mut office, &mut edge, &agent, &taps)?);
    }
    Report::new("decide-while-applying", &recipe.describe(), rows(&runs))
}

/// One snapshot, from the greeting to the moment from which taps are decided by it; `is_applying` is said from the first
/// frame that comes to the agent.
fn apply(office: &mut Office, edge: &mut Edge, agent: &AgentId, is_applying: &AtomicBool) -> Result<()> {
    office.commit_again()?;
    let frames = office.greeted(agent, edge.greet()?)?;
    let frames = frames.iter().map(to_wire).collect::<Result<Vec<_>, _>>()?;
    is_applying.store(true, Ordering::Relaxed);
    for frame in frames {
        edge.take(frame.get(4..).unwrap_or_default())?;
    }
    is_applying.store(false, Ordering::Relaxed);
    let shown = edge.decider.shown().position;
    ensure!(shown == Some(office.present.published.position), "the snapshot is not in force");
    Ok(())
}

fn run(office: &mut Office, edge: &mut Edge, agent: &AgentId, taps: &[Tap]) -> Result<Run> {
    let decider = Arc::clone(&edge.decider);
    let overhead = clock_ns();
    let (is_applying, is_over) = (AtomicBool::default(), AtomicBool::default());
    let mut next = taps.iter().cycle();
    let mut idle = Vec::with_capacity(4_000_000);
    let until = Instant::now() + IDLE;
    while Instant::now() < until {
        let tap = next.next().context("there are no taps")?;
        idle.push(measured(&decider, tap, overhead)?);
    }
    let mut applying = Vec::with_capacity(8_000_000);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let snapshots = (0..SNAPSHOTS).map(|_| {
                let begun = Instant::now();
                apply(office, edge, agent, &is_applying)?;
                Ok(ms(begun.elapsed()))
            });
            let snapshots = snapshots.collect::<Result<Vec<f64>>>();
            is_over.store(true, Ordering::Relaxed);
            snapshots
        });
        let before = preempted()?;
        while !is_over.load(Ordering::Relaxed) {
            let tap = next.next().context("there are no taps")?;
            let is_during = is_applying.load(Ordering::Relaxed);
            let took = measured(&decider, tap, overhead)?;
            if is_during {
                applying.push(took);
            }
        }
        let preempted = preempted()? - before;
        let snapshots = worker.join().map_err(|_| anyhow!("the thread of the agent ended"))??;
        Ok(Run { idle, applying, snapshots, preempted })
    })
}

fn measured(decider: &Decider, (at, door, card, factors): &Tap, overhead: f64) -> Result<f64> {
    black_box(card.bytes().chain(door.as_str().bytes()).fold(0, u8::wrapping_add));
    let begun = Instant::now();
    let decision = decider.decide(door, card, *factors, *at);
    let took = ns(begun.elapsed());
    ensure!(decision.reason > Reason::NotRecorded, "{} before the table was asked", decision.reason);
    Ok((took - overhead).max(0.0))
}

/// How often this thread lost the processor to another one (proc(5)).
fn preempted() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    Ok(line.context("the switches are not told")?.trim().parse()?)
}

fn rows(runs: &[Run]) -> Vec<Row> {
    let of = |what: fn(&Run) -> f64| runs.iter().map(what).collect::<Vec<f64>>();
    let p99_idle = of(|run| percentile(&run.idle, 99.0));
    let p99 = of(|run| percentile(&run.applying, 99.0));
    let ratios: Vec<f64> = p99.iter().zip(&p99_idle).map(|(during, idle)| during / idle).collect();
    let slowest = |took: &[f64]| took.iter().copied().fold(0.0, f64::max) / 1e3;
    let slow: usize = runs.iter().map(|run| run.applying.iter().filter(|took| **took > 1e6).count()).sum();
    let slow_idle: usize = runs.iter().map(|run| run.idle.iter().filter(|took| **took > 1e6).count()).sum();
    let taps = runs.iter().map(|run| length(run.applying.len())).sum::<f64>();
    let preempted: u64 = runs.iter().map(|run| run.preempted).sum();
    let snapshots = median(&of(|run| median(&run.snapshots)));
    let note = format!(
        "{taps} taps during {} snapshots of {snapshots:.0} ms each; {slow} above 1 ms, without snapshots {slow_idle}. The \
         operating system took the processor from the taps {preempted} times: taps take no lock, so what is above 1 ms waited \
         for the processor.",
        count(SNAPSHOTS) * length(runs.len())
    );
    vec![
        Row::new("decide while a snapshot is applied, 99th percentile", "ns", &p99)
            .beside("without snapshots", &p99_idle),
        Row::new("the same, times of that without snapshots", "x", &ratios).target(Target::AtMost(2.0)),
        Row::new("the slowest tap of a run", "us", &of(|run| run.applying.iter().copied().fold(0.0, f64::max) / 1e3))
            .target(Target::AtMost(1000.0))
            .beside("without snapshots", &runs.iter().map(|run| slowest(&run.idle)).collect::<Vec<_>>())
            .note(note),
    ]
}
