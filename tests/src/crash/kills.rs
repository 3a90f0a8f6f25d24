//! A run of kills: agents and authority die at random instants under load and come back, alone and together, while they
//! run, start, join and import; then everything must be there, once, and right.

use crate::crash::joins::Joiner;
use crate::crash::judge::{Seen, judge};
use crate::crash::load::{Clerk, Order, Scene, Tap, tap_on, watch};
use crate::crash::report::Report;
use crate::crash::stage::{self, NORTH, NORTH_DOORS, SOUTH, SOUTH_DOORS};
use crate::crash::victims::{ALL, Turn, Victim};
use crate::random::Random;
use crate::wait::{SOON, until};
use crate::world::World;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::thread::{ScopedJoinHandle, scope};
use std::time::Duration;

/// Kills in one world; a longer run has several, each from its own beginning.
const WORLD_KILLS_MAX: u64 = 250;

/// Readers at each agent.
const READERS: usize = 2;

/// How long those that run are left alone before somebody is killed, at most, in milliseconds.
const CALM_MS_MAX: u64 = 250;

/// How long the dead stay dead at most, in milliseconds.
const DEAD_MS_MAX: u64 = 150;

/// Kills so often, and says what came of it; `say` hears how far it is.
///
/// # Errors
/// When something did not come back at all.
pub fn run(seed: u64, kills: u64, say: &dyn Fn(&str)) -> Result<Report> {
    let mut report = Report::new(seed);
    let mut seeds = Random::new(seed);
    let mut done = 0;
    while done < kills {
        let target = kills.min(done.saturating_add(WORLD_KILLS_MAX));
        run_world(Random::new(seeds.next()), target, &mut report, say)?;
        done = report.counts.get("kills").copied().unwrap_or_default();
        say(&format!("{done} of {kills} kills, {} violations", report.violations.len()));
    }
    Ok(report)
}

fn run_world(mut random: Random, target: u64, report: &mut Report, say: &dyn Fn(&str)) -> Result<()> {
    let mut world = stage::world()?;
    let even = stage::campus(world.path(), false)?;
    let odd = stage::campus(world.path(), true)?;
    let scene = Scene::default();
    let (clerk_hand, watch_hand) = (stage::remote(&world)?, stage::remote(&world)?);
    let places = places(&world)?;
    let (mut taps, mut joiner) = (Vec::new(), Joiner::default());
    let mut failed = Ok(());
    let (seen, orders) = scope(|threads| {
        let clerk = Clerk::new(&scene, &clerk_hand, [even, odd], Random::new(random.next()));
        let clerk = threads.spawn(move || clerk.work());
        threads.spawn(|| watch(&scene, &watch_hand));
        let readers: Vec<ScopedJoinHandle<'_, Vec<Tap>>> = places
            .iter()
            .flat_map(|place| std::iter::repeat_n(place, READERS))
            .map(|(socket, doors)| {
                let (scene, random) = (&scene, Random::new(random.next()));
                threads.spawn(move || tap_on(scene, socket, doors, random))
            })
            .collect();
        let mut turn = Turn { world: &mut world, scene: &scene, random: &mut random, report, taps: &mut taps };
        failed = turns(&mut turn, &mut joiner, target, say);
        scene.end();
        let seen: Vec<Tap> = readers.into_iter().flat_map(|reader| reader.join().unwrap_or_default()).collect();
        (seen, clerk.join().unwrap_or_default())
    });
    failed.with_context(|| report.to_string())?;
    taps.extend(seen);
    taps.extend(joiner.taps);
    settle(world, &taps, &orders, report)
}

/// Who is tapped where.
fn places(world: &World) -> Result<Vec<(PathBuf, &'static [&'static str])>> {
    let socket = |id| world.agent(id).map(|agent| agent.socket.clone());
    Ok(vec![(socket(NORTH)?, NORTH_DOORS), (socket(SOUTH)?, SOUTH_DOORS)])
}

fn turns(turn: &mut Turn<'_>, joiner: &mut Joiner, target: u64, say: &dyn Fn(&str)) -> Result<()> {
    let mut told = turn.kills();
    while turn.kills() < target {
        turn.pause(CALM_MS_MAX);
        match turn.random.below(12) {
            0 => joiner.join(turn)?,
            1 | 2 => kill_importing(turn)?,
            3 | 4 => cut_off(turn)?,
            _ => kill_some(turn)?,
        }
        if turn.kills() >= told.saturating_add(50) {
            told = turn.kills();
            let newest =
                turn.report.violations.last().map_or_else(String::new, |newest| format!(", the newest: {newest}"));
            say(&format!("{told} kills, {} violations{newest}", turn.report.violations.len()));
        }
    }
    Ok(())
}

/// One, two or all three die at once; some of them again while they start.
fn kill_some(turn: &mut Turn<'_>) -> Result<()> {
    let first = turn.random.below(3);
    let count = [1, 1, 1, 2, 2, 3].get(usize::try_from(turn.random.below(6))?).copied().unwrap_or(1);
    let mut dead: Vec<Victim> = (first..first + count)
        .filter_map(|number| ALL.get(usize::try_from(number % 3).unwrap_or_default()).copied())
        .collect();
    dead.iter().try_for_each(|victim| turn.kill(*victim))?;
    if dead.len() > 1 {
        turn.report.count(&format!("times that {} died at once", dead.len()), 1);
    }
    turn.pause(DEAD_MS_MAX);
    for victim in &dead {
        while turn.random.below(3) == 0 {
            turn.kill_while_starting(*victim)?;
        }
    }
    if turn.random.below(2) == 0 {
        dead.reverse();
    }
    dead.into_iter().try_for_each(|victim| turn.reopen(victim))
}

/// The authority dies while an import is under way.
fn kill_importing(turn: &mut Turn<'_>) -> Result<()> {
    let scene = turn.scene;
    // When none comes the authority dies all the same.
    let began = until("an import", Duration::from_secs(3), || scene.is_importing().then_some(()));
    turn.pause(120);
    turn.kill(Victim::Authority)?;
    if began.is_ok() {
        turn.report.count("of them during an import or just after it", 1);
    }
    turn.reopen(Victim::Authority)
}

/// An agent dies while the authority is gone, comes back and decides, and the authority comes back last.
fn cut_off(turn: &mut Turn<'_>) -> Result<()> {
    turn.kill(Victim::Authority)?;
    let agent = Victim::Agent(if turn.random.below(2) == 0 { NORTH } else { SOUTH });
    for _ in 0..=turn.random.below(2) {
        turn.pause(CALM_MS_MAX);
        turn.kill(agent)?;
        turn.reopen(agent)?;
        turn.report.count("reopened and deciding while the authority was gone", 1);
    }
    turn.reopen(Victim::Authority)
}

/// Lets everything come to rest, and holds it to what was seen.
fn settle(world: World, taps: &[Tap], orders: &[Order], report: &mut Report) -> Result<()> {
    if let Err(error) = world.wait_until_exact() {
        report.violation(format!("not everything became exact in the end: {error:#}"));
    }
    if let Err(error) = world.wait_until_recorded() {
        report.violation(format!("not every record came home: {error:#}"));
    }
    let lines = world.authority.json_lines("log --limit 100000")?;
    let alarms = until("alarms", SOON, || world.authority.api_json("/v1/alarms?limit=10000").ok())?;
    let authority = world.authority.data.clone();
    // The journal is read once nobody writes it any more, and the folder goes with the world.
    let journal = campus_journal(world, &authority, report)?;
    judge(&Seen { taps, orders, lines: &lines, alarms: &alarms, journal: &journal }, report);
    Ok(())
}

/// Stops everything and reads the journal as it then is.
fn campus_journal(
    world: World,
    authority: &std::path::Path,
    report: &mut Report,
) -> Result<Vec<doorward_policy::command::Entry>> {
    let copy = tempfile::tempdir()?;
    let file = copy.path().join("journal.db");
    let mut world = world;
    world.authority.stop()?;
    for ending in ["", "-wal", "-shm"] {
        let from = authority.join(format!("journal.db{ending}"));
        if from.exists() {
            std::fs::copy(from, copy.path().join(format!("journal.db{ending}")))?;
        }
    }
    if let Err(error) = world.stop() {
        report.violation(format!("{error:#}"));
    }
    let mut entries = Vec::new();
    doorward_server::journal::open(&file)?.read_from(1, &mut |entry| {
        entries.push(entry);
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(entries)
}
