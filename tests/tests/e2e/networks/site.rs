//! Two buildings at the ends of cables: the northern one's network is sound, the southern one's is as bad as a test wants.

use super::taps::{Tapping, Taps};
use crate::tools::{NORTH, SOUTH, tiny_copy};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tests::binaries::binaries;
use tests::campus;
use tests::command::run;
use tests::http;
use tests::network::{Machine, TOLD};
use tests::random::Random;
use tests::wire::Wire;
use tests::wire::faults::Faults;
use tests::world::World;

/// How long anything may take in a bad network before it counts as never.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// See the module. What runs ends before the machines that it runs on.
pub struct Site {
    pub world: World,
    _north: Machine,
    pub south: Machine,
    /// The folder that is imported while the network is bad, besides the one that the authority began with.
    newer: PathBuf,
    /// How often this itself tapped at each agent.
    tapped: Mutex<BTreeMap<String, usize>>,
    name: &'static str,
    began: Instant,
}

/// How people of an import are named: staff, who open every entrance.
fn with_staff(folder: &Path, numbers: std::ops::Range<u32>) {
    let rows = |row: &dyn Fn(u32) -> String| numbers.clone().map(row).collect::<String>();
    campus::edit(folder, "people.csv", |text| text + &rows(&|n| format!("p{n},Person {n},staff,,\n"))).unwrap();
    let cards = |text: String| text + &rows(&|n| format!("P{n},p{n},card,active,2020-01-01,,\n"));
    campus::edit(folder, "cards.csv", cards).unwrap();
}

impl Site {
    /// Both agents enrolled, with `staff` people at each; nothing of them runs yet.
    pub fn prepare(name: &'static str, staff: u32) -> Self {
        let seed = std::env::var("DOORWARD_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(Random::new_seed);
        println!("DOORWARD_SEED={seed} repeats the choices of this network");
        let began = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let first = tiny_copy(folder.path(), "first");
        with_staff(&first, 0..staff);
        let mut world = World::start(&first, &[]).unwrap();
        world.patience = PATIENCE;
        let newer = tiny_copy(world.path(), "newer");
        with_staff(&newer, 0..staff * 2);
        let machines = [(1, NORTH), (2, SOUTH)].map(|(number, id)| {
            let machine = Machine::start(number).unwrap();
            let wire = Wire::start_at(machine.here().into(), world.authority.quic, seed).unwrap();
            let agent = world.enrol(id).unwrap();
            agent.authorities = vec![wire.address().to_string()];
            agent.network = wire;
            agent.way = machine.way();
            machine
        });
        let [north, south] = machines;
        Self { world, _north: north, south, newer, tapped: Mutex::default(), name, began }
    }

    /// Starts both agents, the southern one in a bad network, and waits until they have their first state.
    pub fn start(&mut self, faults: Faults) {
        self.wire().suffer(faults);
        self.world.agents.iter_mut().for_each(|agent| agent.start().unwrap());
        let began = Instant::now();
        self.world.wait_until_exact().unwrap();
        self.tell(&format!("first state after {} ms", began.elapsed().as_millis()));
    }

    /// The southern agent's wire.
    pub fn wire(&self) -> &Wire {
        &self.world.agent(SOUTH).unwrap().network
    }

    /// Says what was measured.
    pub fn tell(&self, what: &str) {
        println!("{TOLD}{:<40} {:>6} ms: {what}", self.name, self.began.elapsed().as_millis());
    }

    /// Suspends a card that opens every entrance, holds its evidence to every door, and says how long it took.
    pub fn close(&self, card: &str) {
        let file = self.world.file(&format!("{card}.evidence"));
        let line = format!("card suspend {card} --reason lost --wait 60s --evidence {}", file.display());
        let change = self.world.authority.json(&line).unwrap();
        assert_eq!(change["summary"]["complete"], true, "{change}");
        self.assert_proven(&file);
        for (agent, door) in [(NORTH, "north-main"), (SOUTH, "south-main")] {
            self.tap_once(agent, door, card, "deny suspended");
        }
        self.tell(&format!("{card} closed and proven: {}", self.closed_after(&change["seq"])));
    }

    /// Taps a card once, which must be answered like this; the whole answer.
    pub fn tap_once(&self, agent: &str, door: &str, card: &str, answer: &str) -> Value {
        let said = self.world.agent(agent).unwrap().reader().unwrap().ask(door, card, &[]).unwrap();
        *self.tapped.lock().unwrap().entry(agent.to_owned()).or_default() += 1;
        let words = ["decision", "reason"].map(|word| said[word].as_str().unwrap_or_default());
        assert_eq!(words.join(" "), answer, "{card} at {door}");
        said
    }

    /// How long each agent took to confirm a change.
    fn closed_after(&self, seq: &Value) -> String {
        let (authority, path) = (&self.world.authority, format!("/v1/changes/{seq}/progress"));
        let reply = http::ask(authority.api, "GET", &path, &[authority.bearer().unwrap()], "").unwrap();
        let lines = reply.body.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let agents = lines.filter_map(|line| line.get("agent").cloned()).map(|agent| {
            let name = agent["agent"].as_str().unwrap_or_default().to_owned();
            format!("{name} {} ms", agent["durable_ms"])
        });
        agents.collect::<Vec<_>>().join(", ")
    }

    /// Whether evidence proves for every door that it is closed.
    pub fn is_proven(&self, file: &Path) -> bool {
        let [file, root] = [file, &self.world.authority.data.join("root.pub")].map(|path| path.display().to_string());
        let line = ["verify", &file, "--root", &root, "--json"];
        let said = run(&binaries().unwrap().authority, &line, &[], None).unwrap().ok().unwrap().json().unwrap();
        let doors = said["doors"].as_array().unwrap();
        !doors.is_empty() && doors.iter().all(|door| door["state"] == "closed")
    }

    fn assert_proven(&self, file: &Path) {
        assert!(self.is_proven(file), "{} does not prove that every door is closed", file.display());
    }

    /// Brings as many people again as there are, and a grant: what a bad network has most to carry.
    pub fn enlarge(&self) {
        let authority = &self.world.authority;
        authority.say(&format!("import {}", self.newer.display())).unwrap().ok().unwrap();
        let granted = authority.say("grant add --person cem --door south-side --wait 0s").unwrap();
        assert!(matches!(granted.code, Some(0 | 3)), "{granted:?}");
    }

    /// Waits until everybody is exact and every record is home, after what was bad is over; says how long it took.
    pub fn heal(&self) {
        self.wire().suffer(Faults::default());
        let began = Instant::now();
        self.world.wait_until_exact().unwrap();
        self.tell(&format!("exact {} ms after healing", began.elapsed().as_millis()));
        self.world.wait_until_recorded().unwrap();
        self.tell(&format!("all records home {} ms after healing", began.elapsed().as_millis()));
    }

    /// Holds everything to its end: the promises, and how processes end.
    pub fn end(self, taps: &[Taps]) {
        // Only the grant lets that card in there.
        self.tap_once(SOUTH, "south-side", "CEM", "grant granted");
        self.world.wait_until_recorded().unwrap();
        for taps in taps {
            let (middle, slowest) = taps.durations();
            self.tell(&format!(
                "{} taps at {}: {} us in the middle, {} ms at most",
                taps.answers.len(),
                taps.agent,
                middle.as_micros(),
                slowest.as_millis()
            ));
            let further = self.tapped.lock().unwrap().get(&taps.agent).copied().unwrap_or_default();
            taps.assert_recorded_once(&self.world, further);
        }
        let alarms = self.world.authority.api_json("/v1/alarms").unwrap().to_string();
        for suspicious in ["gap", "fork", "truncated", "rolled-back"] {
            assert!(!alarms.contains(suspicious), "{alarms}");
        }
        self.world.stop().unwrap();
    }

    /// Begins to tap at an entrance of each building.
    pub fn tap(&self) -> [Tapping; 2] {
        [(NORTH, "north-main"), (SOUTH, "south-main")].map(|(agent, door)| Tapping::begin(&self.world, agent, door))
    }
}
