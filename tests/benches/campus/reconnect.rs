//! Ten thousand agents: what they cost an authority while nothing happens, and how they come back after its restart.

use crate::fanout::recipe;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::bench::measure::{count, ms};
use tests::bench::peers::{FannedOut, fan_out};
use tests::bench::report::{Report, Row, Target};
use tests::bench::swarm::crowd::Crowd;
use tests::bench::swarm::play::Order;
use tests::bench::swarm::tally::{Step, now_us};
use tests::bench::swarm::world::{SLOWLY, SwarmWorld};
use tests::bench::system::{loopback_bytes, usage};

/// How many agents.
const AGENTS: u64 = 10_000;

/// The smaller campus on which it is seen what those are sent that missed something.
const FEWER_AGENTS: u64 = 1_000;

/// How many of them miss something, and how many changes.
const BEHIND: usize = 100;
const CHANGES: u64 = 100;

/// How often the authority is started again.
const STORMS: usize = 2;

/// How long it is watched while nothing happens: two pulses.
const IDLE: Duration = Duration::from_secs(30);

/// Runs the benchmark.
pub fn run() -> Result<Report> {
    let program = Path::new(env!("CARGO_BIN_EXE_swarm"));
    let bare = fan_out("quic", AGENTS);
    let mut rows = catching_up(&mut SwarmWorld::start(program, recipe(FEWER_AGENTS))?)?;
    let mut world = SwarmWorld::start(program, recipe(AGENTS))?;
    rows.extend(beside_bare(at_rest(&mut world)?, bare));
    fall_behind(&mut world)?;
    rows.extend(storms(&mut world)?);
    Report::new("reconnect", &Crowd(recipe(AGENTS)).describe(), rows)
}

/// What agents send and are sent that come back, those that missed nothing and those that missed much.
fn catching_up(world: &mut SwarmWorld) -> Result<Vec<Row>> {
    let all = world.order()?;
    let (nobody, few) = (Order { present: (0, 0), ..all }, Order { present: (0, BEHIND), ..all });
    let come = |world: &mut SwarmWorld, order| -> Result<f64> {
        let before = loopback_bytes()?;
        let wave = world.swarm.tell(order)?;
        world.swarm.wait_for(Step::Current, wave, SLOWLY)?;
        world.settle()?;
        let spent = count(loopback_bytes()?.saturating_sub(before)) / tests::bench::measure::length(BEHIND);
        world.swarm.tell(nobody)?;
        world.settle()?;
        Ok(spent)
    };
    come(world, few)?;
    let nothing_missed = come(world, few)?;
    change(world)?;
    let much_missed = come(world, few)?;
    let a_change = (much_missed - nothing_missed) / count(CHANGES);
    Ok(vec![
        Row::new("an agent that comes back after 100 changes: bytes both ways", "bytes", &[much_missed])
            .beside("after none", &[nothing_missed])
            .note(format!("{a_change:.0} bytes a missed change, {BEHIND} agents")),
    ])
}

/// Changes of everybody's state; each is in a commit when it is answered.
fn change(world: &mut SwarmWorld) -> Result<()> {
    (0..CHANGES).try_for_each(|_| world.suspend_next().map(|_| ()))
}

/// Lets some agents miss changes that all others have got.
fn fall_behind(world: &mut SwarmWorld) -> Result<()> {
    let all = world.order()?;
    // While nobody is there, a change costs no more than its commit.
    world.swarm.tell(Order { present: (0, 0), ..all })?;
    world.settle()?;
    change(world)?;
    let wave = world.swarm.tell(Order { present: (BEHIND, all.present.1), ..all })?;
    world.swarm.wait_for(Step::Current, wave, SLOWLY)?;
    Ok(())
}

/// Memory and processor time while nothing happens.
fn at_rest(world: &mut SwarmWorld) -> Result<[Row; 2]> {
    let server = world.authority.process()?.id();
    let before = usage(server)?.resident_bytes;
    let (shaken, current) = world.connect()?;
    world.settle()?;
    let after = usage(server)?.resident_bytes;
    let kib = count(after.saturating_sub(before)) / 1024.0 / count(AGENTS);
    let (agents_before, server_before) = world.cpu()?;
    let begun = Instant::now();
    tests::wait::until("time to pass", SLOWLY, || (begun.elapsed() >= IDLE).then_some(()))?;
    let took = ms(begun.elapsed());
    let (agents_after, server_after) = world.cpu()?;
    let share = |before: Duration, after: Duration| 100.0 * ms(after.saturating_sub(before)) / took;
    let first = ms(Duration::from_micros(current.last_us.saturating_sub(shaken.first_us)));
    Ok([
        Row::new("authority: memory a connected agent (resident)", "KiB", &[kib])
            .target(Target::AtMost(40.0))
            .note(format!("{AGENTS} agents; their first connection and snapshot took {:.1} s", first / 1e3)),
        Row::new(
            "authority: CPU while 10,000 agents are connected and nothing happens",
            "% of a core",
            &[share(server_before, server_after)],
        )
        .target(Target::AtMost(5.0))
        .beside("the agents'", &[share(agents_before, agents_after)])
        .note(format!("over {} s, with the usual pulse", IDLE.as_secs())),
    ])
}

/// Puts memory and processor time beside those of a server that only speaks QUIC, with the agents' keep-alive.
fn beside_bare(rows: [Row; 2], bare: Result<FannedOut>) -> [Row; 2] {
    let [memory, rest] = rows;
    match bare {
        Ok(bare) => [
            memory.beside("bare QUIC with TLS", &[bare.server_bytes_per_connection / 1024.0]),
            rest.beside("bare QUIC with TLS and the same keep-alive", &[bare.server_idle_cpu_us_per_s / 1e4]),
        ],
        Err(why) => [memory.note(format!("{why:#}")), rest],
    }
}

/// Restarts of the authority, each beside bare handshakes with the same server.
fn storms(world: &mut SwarmWorld) -> Result<Vec<Row>> {
    let (mut storm_s, mut bare_s, mut ratio, mut storm_kib, mut bare_kib) = (vec![], vec![], vec![], vec![], vec![]);
    let agents = count(AGENTS);
    for _ in 0..STORMS {
        world.authority.stop()?;
        // Told before it is there: who comes back first must not be missed.
        let order = Order { in_order: false, present: (0, usize::try_from(AGENTS)?), ..world.swarm.order() };
        let wave = world.swarm.tell(order)?;
        let bytes = loopback_bytes()?;
        world.authority.start()?;
        let from_us = now_us();
        let current = world.swarm.wait_for(Step::Current, wave, SLOWLY)?;
        let took = seconds(from_us, current.last_us);
        storm_kib.push(count(loopback_bytes()?.saturating_sub(bytes)) / 1024.0 / agents);
        let nobody = Order { present: (0, 0), ..world.swarm.order() };
        world.swarm.tell(nobody)?;
        world.settle()?;
        let (bare, kib) = shake_hands(world)?;
        storm_s.push(took);
        bare_s.push(bare);
        bare_kib.push(kib);
        ratio.push(took / bare);
        if ratio.len() < STORMS {
            let order = world.order()?;
            let wave = world.swarm.tell(order)?;
            world.swarm.wait_for(Step::Current, wave, SLOWLY)?;
        }
    }
    Ok(vec![
        Row::new("reconnect storm: 10,000 agents after a restart, until all are current", "s", &storm_s)
            .beside("bare handshakes with the same server", &bare_s)
            .note(format!("in the first of {STORMS} runs {BEHIND} agents had missed {CHANGES} changes")),
        Row::new("the same, of the bare handshakes", "x", &ratio).target(Target::AtMost(1.5)),
        Row::new("the same, bytes an agent", "KiB", &storm_kib).beside("a bare handshake", &bare_kib),
    ])
}

/// Ten thousand handshakes of agents that are then turned away: how long they take, and how much is sent for each.
fn shake_hands(world: &mut SwarmWorld) -> Result<(f64, f64)> {
    let mut strangers = world.strangers()?;
    let order = Order { shake_only: true, ..world.order()? };
    // Their keys are read before the clock runs.
    strangers.wait_until_ready().context("the strangers")?;
    let (from_us, bytes) = (now_us(), loopback_bytes()?);
    let wave = strangers.tell(order)?;
    let shaken = strangers.wait_for(Step::Shaken, wave, SLOWLY)?;
    let kib = count(loopback_bytes()?.saturating_sub(bytes)) / 1024.0 / count(AGENTS);
    Ok((seconds(from_us, shaken.last_us), kib))
}

fn seconds(from_us: u64, to_us: u64) -> f64 {
    Duration::from_micros(to_us.saturating_sub(from_us)).as_secs_f64()
}
