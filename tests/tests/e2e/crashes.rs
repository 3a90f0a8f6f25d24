//! `kill -9` at random instants, of agents and of the authority, while cards are being tapped and rights change.
//!
//! Whatever a door has answered must be in the log once, and whatever a command has confirmed must be in the journal.

use crate::tools::{NORTH, SOUTH, log, show, tiny_world};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;
use tests::agent::Reader;
use tests::random::Random;
use tests::world::World;

/// How often somebody is killed.
const KILLS: usize = 24;

/// How many taps each agent must have answered before it is over: the kills must fall among taps.
const TAPS_MIN: usize = 150;

/// What one reader has seen.
#[derive(Default)]
struct Seen {
    answers: Vec<Value>,
    /// Taps that were handed in, and whose agent died before it answered.
    unanswered: usize,
}

/// Taps cards at an agent's doors for as long as it is wanted, and connects again whenever the agent was killed.
fn tap_on(socket: PathBuf, doors: &'static [&'static str], seed: u64, over: Arc<AtomicBool>) -> JoinHandle<Seen> {
    std::thread::spawn(move || {
        let mut random = Random::new(seed);
        let mut seen = Seen::default();
        while !over.load(Ordering::SeqCst) || seen.answers.len() < TAPS_MIN {
            tap_while_it_lives(&socket, doors, &mut random, &mut seen, &over);
            sleep(Duration::from_millis(5));
        }
        seen
    })
}

fn tap_while_it_lives(socket: &Path, doors: &[&str], random: &mut Random, seen: &mut Seen, over: &AtomicBool) {
    let Ok(mut reader) = Reader::connect(socket) else { return };
    while !over.load(Ordering::SeqCst) || seen.answers.len() < TAPS_MIN {
        let (door, card) = (random.choose(doors).unwrap(), random.choose(&["ADA", "BOB", "CEM", "NOBODY"]).unwrap());
        match reader.ask(door, card, &[]) {
            Ok(answer) => seen.answers.push(answer),
            Err(_) => {
                seen.unanswered += 1;
                return;
            }
        }
        sleep(Duration::from_millis(random.below(10)));
    }
}

/// Kills one of the three at a random instant, leaves it dead for a random while, and starts it again.
fn kill_one(world: &mut World, random: &mut Random) {
    sleep(Duration::from_millis(random.below(400)));
    let pause = Duration::from_millis(random.below(300));
    match random.below(3) {
        0 => {
            world.authority.kill();
            sleep(pause);
            world.authority.start().unwrap();
        }
        victim => {
            let agent = world.agent_mut(if victim == 1 { NORTH } else { SOUTH }).unwrap();
            agent.kill();
            sleep(pause);
            agent.start().unwrap();
        }
    }
}

/// What an answer and its record have in common, apart from the instant.
fn answered(value: &Value) -> String {
    format!("{} {} {}", value["door"], value["decision"], value["reason"])
}

#[test]
fn no_answered_tap_is_lost_and_none_is_doubled_whoever_is_killed_and_when() {
    let seed = std::env::var("DOORWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(Random::new_seed);
    println!("DOORWARD_SEED={seed} repeats the choices of this run");
    let mut random = Random::new(seed);
    let mut world = tiny_world();
    let over = Arc::new(AtomicBool::new(false));
    let socket = |world: &World, id: &str| world.agent(id).unwrap().socket.clone();
    let north: &[&str] = &["north-main", "north-lab"];
    let south: &[&str] = &["south-main", "south-side", "south-canteen"];
    let readers = [
        tap_on(socket(&world, NORTH), north, random.next(), Arc::clone(&over)),
        tap_on(socket(&world, SOUTH), south, random.next(), Arc::clone(&over)),
    ];
    let mut confirmed = BTreeSet::new();
    for number in 0..KILLS {
        let grant = format!("crash-{number}");
        let added =
            world.authority.say(&format!("grant add --id {grant} --person cem --door south-side --wait 0s")).unwrap();
        assert!(matches!(added.code, Some(0 | 3)), "{added:?}");
        confirmed.insert(grant);
        kill_one(&mut world, &mut random);
    }
    over.store(true, Ordering::SeqCst);
    let seen = readers.map(|reader| reader.join().unwrap());

    world.wait_until_exact().unwrap();
    world.wait_until_recorded().unwrap();
    let records = log(&world, "");
    assert_each_recorded_once(&seen, &records);
    let journal = world.authority.json_lines("journal --limit 1000").unwrap();
    let text = show(&journal);
    assert!(confirmed.iter().all(|grant| text.contains(&format!("{grant}\""))), "{confirmed:?} in\n{text}");
    let alarms = world.authority.api_json("/v1/alarms").unwrap();
    for suspicious in ["gap", "fork"] {
        assert!(!alarms.to_string().contains(suspicious), "{alarms}");
    }
    world.stop().unwrap();
}

fn assert_each_recorded_once(seen: &[Seen], records: &[Value]) {
    let number = |record: &Value| format!("{} {} {}", record["agent"], record["incarnation"], record["seq"]);
    let numbers: BTreeSet<String> = records.iter().map(number).collect();
    assert_eq!(numbers.len(), records.len(), "a record is there twice");

    let mut left: BTreeMap<(i64, String), usize> = BTreeMap::new();
    for record in records {
        *left.entry((record["at"]["ms"].as_i64().unwrap(), answered(record))).or_default() += 1;
    }
    let answers: Vec<&Value> = seen.iter().flat_map(|seen| &seen.answers).collect();
    for answer in &answers {
        let at = doorward_protocol::time::UnixMs::parse(answer["at"].as_str().unwrap()).unwrap();
        let count = left.get_mut(&(at.0, answered(answer)));
        let count = count.filter(|count| **count > 0).unwrap_or_else(|| panic!("no record of {answer}"));
        *count -= 1;
    }
    let unanswered: usize = seen.iter().map(|seen| seen.unanswered).sum();
    let further: usize = left.values().sum();
    println!("{} answered, {unanswered} unanswered, {} records", answers.len(), records.len());
    assert!(further <= unanswered, "{further} records too many, only {unanswered} taps went unanswered");
}
