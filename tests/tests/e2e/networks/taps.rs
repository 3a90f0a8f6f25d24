//! Taps that go on at a door while its network is bad, and whether each of them came home once.

use crate::tools::log;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};
use tests::agent::Reader;
use tests::world::World;

/// Between two taps: a busy door.
const PAUSE: Duration = Duration::from_millis(20);

/// What is tapped, one after another: cards that open, one that does not, and one that nobody knows.
const CARDS: [&str; 4] = ["ADA", "CEM", "P9", "NOBODY"];

/// A reader that taps for as long as this exists.
pub struct Tapping {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Taps>,
}

/// The taps at one door: what each was answered, and how long that took.
#[derive(Default)]
pub struct Taps {
    pub agent: String,
    pub answers: Vec<Value>,
    pub took: Vec<Duration>,
}

impl Tapping {
    /// Begins to tap at an agent's door.
    pub fn begin(world: &World, agent: &str, door: &'static str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (socket, agent) = (world.agent(agent).unwrap().socket.clone(), agent.to_owned());
        let is_over = Arc::clone(&over);
        let thread = std::thread::spawn(move || tap(&socket, agent, door, &is_over));
        Self { over, thread }
    }

    /// Stops tapping.
    pub fn end(self) -> Taps {
        self.over.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

fn tap(socket: &Path, agent: String, door: &str, over: &AtomicBool) -> Taps {
    let mut reader = Reader::connect(socket).unwrap();
    let mut taps = Taps { agent, ..Taps::default() };
    for card in CARDS.iter().cycle() {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let asked = Instant::now();
        taps.answers.push(reader.ask(door, card, &[]).unwrap());
        taps.took.push(asked.elapsed());
        sleep(PAUSE);
    }
    taps
}

impl Taps {
    /// How long a tap took: the middle one of all, and the slowest.
    pub fn durations(&self) -> (Duration, Duration) {
        let mut took = self.took.clone();
        took.sort_unstable();
        (took.get(took.len() / 2).copied().unwrap_or_default(), took.last().copied().unwrap_or_default())
    }

    /// Holds the authority's log to what was answered here and by `further` taps that are not looked at: each once.
    pub fn assert_recorded_once(&self, world: &World, further: usize) {
        let mut left: BTreeMap<(i64, String), usize> = BTreeMap::new();
        let records = log(world, "");
        let own: Vec<&Value> = records.iter().filter(|record| record["agent"] == self.agent.as_str()).collect();
        for record in &own {
            *left.entry((record["at"]["ms"].as_i64().unwrap(), said(record))).or_default() += 1;
        }
        for answer in &self.answers {
            let at = doorward_protocol::time::UnixMs::parse(answer["at"].as_str().unwrap()).unwrap();
            let count = left.get_mut(&(at.0, said(answer))).filter(|count| **count > 0);
            *count.unwrap_or_else(|| panic!("no record of {answer}")) -= 1;
        }
        assert_eq!(own.len(), self.answers.len() + further, "records of {} and its taps", self.agent);
        let mut numbers: Vec<u64> = own.iter().filter_map(|record| record["seq"].as_u64()).collect();
        numbers.sort_unstable();
        let gapless: Vec<u64> = (1..).take(own.len()).collect();
        assert_eq!(numbers, gapless, "records are numbered without gaps");
    }
}

/// What an answer and its record have in common, apart from the instant.
fn said(value: &Value) -> String {
    format!("{} {} {}", value["door"], value["decision"], value["reason"])
}
