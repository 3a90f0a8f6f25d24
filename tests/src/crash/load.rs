//! What goes on while things are killed: readers that tap, a clerk who gives commands, and a watcher who notes what was
//! confirmed. Each writes down what it saw and when, and judges nothing; `judge` does.

use crate::agent::Reader;
use crate::authority::Authority;
use crate::command::Answer;
use crate::crash::stage::{LOSABLE, PRODUCED, YEAR, produced};
use crate::json::{at, list, text};
use crate::random::Random;
use doorward_protocol::commit::Position;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a reader waits between two taps at most, in milliseconds.
const TAP_PAUSE_MS_MAX: u64 = 40;

/// How often the watcher looks.
const WATCH_EVERY: Duration = Duration::from_millis(40);

/// One tap, as the one who tapped saw it.
#[derive(Debug, Clone)]
pub struct Tap {
    /// At which door.
    pub door: String,
    /// Which card.
    pub card: String,
    /// When it was handed in.
    pub asked: Instant,
    /// When the answer came.
    pub answered: Instant,
    /// The answer; `None` when the agent died before it answered.
    pub answer: Option<Value>,
}

impl Tap {
    /// Taps once.
    pub fn at(reader: &mut Reader, door: &str, card: &str, factors: &[&str]) -> Self {
        let asked = Instant::now();
        let answer = reader.ask(door, card, factors).ok();
        Self { door: door.to_owned(), card: card.to_owned(), asked, answered: Instant::now(), answer }
    }

    /// Decision and reason, such as `grant granted`.
    #[must_use]
    pub fn outcome(&self) -> Option<String> {
        let answer = self.answer.as_ref()?;
        Some(format!("{} {}", text(answer, "decision"), text(answer, "reason")))
    }
}

/// What a command was about, as far as taps tell whether it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A card stops working.
    Shut(String),
    /// A card works again.
    Reopen(String),
    /// A grant begins.
    Grant(String),
    /// A grant ends.
    End(String),
    /// Anything else.
    Other,
}

/// One command.
#[derive(Debug, Clone)]
pub struct Order {
    /// By which name the journal knows it.
    pub actor: String,
    /// What it was about.
    pub about: About,
    /// When it was given.
    pub began: Instant,
    /// When it was answered.
    pub ended: Instant,
    /// The journal entry that was confirmed; `None` when nothing was.
    pub seq: Option<u64>,
    /// Whether it was confirmed to be in force and durable wherever it matters.
    pub is_everywhere: bool,
    /// What was said.
    pub said: String,
}

impl Order {
    /// Whether the authority answered that there is nothing to change.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        ["; only a card that", "is there already", "is not known"].iter().any(|no| self.said.contains(no))
    }
}

/// What the threads share.
#[derive(Debug, Default)]
pub struct Scene {
    over: AtomicBool,
    importing: AtomicBool,
    confirmed: Mutex<BTreeMap<String, Position>>,
}

impl Scene {
    /// Ends the load.
    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Whether an import is under way.
    pub fn is_importing(&self) -> bool {
        self.importing.load(Ordering::SeqCst)
    }

    /// The newest position that is known to have been confirmed by an agent, or to have been committed by
    /// [`AUTHORITY`].
    pub fn confirmed(&self, whose: &str) -> Position {
        self.lock().get(whose).copied().unwrap_or_default()
    }

    /// Forgets an agent's life, because it joins anew.
    pub fn forget(&self, whose: &str) {
        self.lock().remove(whose);
    }

    fn note(&self, whose: &str, position: &Value) {
        let number = |name| at(position, name).as_u64();
        if let (Some(epoch), Some(seq)) = (number("epoch").and_then(|epoch| epoch.try_into().ok()), number("seq")) {
            let mut confirmed = self.lock();
            let newest = confirmed.entry(whose.to_owned()).or_default();
            *newest = (*newest).max(Position { epoch, seq });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Position>> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under which name the authority's own position is noted.
pub const AUTHORITY: &str = "authority";

/// Taps cards at doors until it is over, and connects again whenever the agent was killed.
pub fn tap_on(scene: &Scene, socket: &Path, doors: &[&str], mut random: Random) -> Vec<Tap> {
    let mut taps = Vec::new();
    while !scene.is_over() {
        if let Ok(mut reader) = Reader::connect(socket) {
            tap_while_it_lives(scene, &mut reader, doors, &mut random, &mut taps);
        }
        sleep(Duration::from_millis(2));
    }
    taps
}

fn tap_while_it_lives(scene: &Scene, reader: &mut Reader, doors: &[&str], random: &mut Random, taps: &mut Vec<Tap>) {
    while !scene.is_over() {
        let card = match random.below(4) {
            0 => random.choose(LOSABLE).copied().unwrap_or_default().to_owned(),
            1 => produced(random.below(8)),
            2 => format!("T{:03}", random.below(3 * YEAR)),
            _ => random.choose(&["ADA", "BOB", "CEM", "CEM", "NOBODY"]).copied().unwrap_or_default().to_owned(),
        };
        let factors: &[&str] = if random.below(2) == 0 { &["pin"] } else { &[] };
        let tap = Tap::at(reader, random.choose(doors).copied().unwrap_or_default(), &card, factors);
        let is_alive = tap.answer.is_some();
        taps.push(tap);
        if !is_alive {
            return;
        }
        sleep(Duration::from_millis(random.below(TAP_PAUSE_MS_MAX)));
    }
}

/// Notes, again and again, what agents have confirmed and how far the authority has come.
pub fn watch(scene: &Scene, authority: &Authority) {
    while !scene.is_over() {
        if let Ok(agents) = authority.api_json("/v1/agents") {
            list(&agents, "agents").iter().for_each(|agent| scene.note(text(agent, "id"), at(agent, "position")));
        }
        if let Ok(status) = authority.api_json("/v1/status") {
            scene.note(AUTHORITY, at(&status, "position"));
        }
        sleep(WATCH_EVERY);
    }
}

/// Gives commands, one after another.
#[derive(Debug)]
pub struct Clerk<'a> {
    scene: &'a Scene,
    authority: &'a Authority,
    /// Campus folders that are imported in turn.
    folders: [PathBuf; 2],
    random: Random,
    orders: Vec<Order>,
    shut: BTreeSet<&'static str>,
    grants: VecDeque<String>,
    activated: u64,
}

impl<'a> Clerk<'a> {
    /// A clerk who has not begun.
    pub fn new(scene: &'a Scene, authority: &'a Authority, folders: [PathBuf; 2], random: Random) -> Self {
        let (orders, shut, grants) = (Vec::new(), BTreeSet::new(), VecDeque::new());
        Self { scene, authority, folders, random, orders, shut, grants, activated: 0 }
    }

    /// Gives commands until it is over, and hands out what became of them.
    pub fn work(mut self) -> Vec<Order> {
        while !self.scene.is_over() {
            match self.random.below(20) {
                0..8 => self.lose_or_find(),
                8..15 => self.grant_or_end(),
                15..18 => self.activate(),
                _ => self.import(),
            }
            sleep(Duration::from_millis(self.random.below(50)));
        }
        self.orders
    }

    fn lose_or_find(&mut self) {
        let card = self.random.choose(LOSABLE).copied().unwrap_or_default();
        let is_shut = self.shut.contains(card);
        let (line, about) = if is_shut {
            (format!("card resume {card} --wait 1s"), About::Reopen(card.to_owned()))
        } else {
            (format!("card suspend {card} --reason lost --wait 1s"), About::Shut(card.to_owned()))
        };
        // A refusal means that an earlier command, of which nobody knew, was stored after all.
        if self.order(&line, about) {
            if is_shut {
                self.shut.remove(card);
            } else {
                self.shut.insert(card);
            }
        }
    }

    fn grant_or_end(&mut self) {
        if self.grants.len() < 6 || self.random.below(2) == 0 {
            let id = format!("g-{}", self.orders.len());
            self.order(
                &format!("grant add --id {id} --person cem --door south-side --wait 1s"),
                About::Grant(id.clone()),
            );
            self.grants.push_back(id);
        } else if let Some(id) = self.grants.pop_front() {
            self.order(&format!("grant end {id} --wait 1s"), About::End(id));
        }
    }

    fn activate(&mut self) {
        let card = produced(self.activated);
        self.order(&format!("card activate {card} --wait 0s"), About::Other);
        if self.random.below(3) == 0 {
            self.order(&format!("card close {card} --reason gone --wait 0s"), About::Other);
        }
        self.activated = self.activated.saturating_add(1) % PRODUCED;
    }

    fn import(&mut self) {
        let folder = self.random.choose(&self.folders).map(|folder| folder.display().to_string()).unwrap_or_default();
        self.scene.importing.store(true, Ordering::SeqCst);
        self.order(&format!("import {folder} --allow-removals"), About::Other);
        self.scene.importing.store(false, Ordering::SeqCst);
    }

    /// Gives a command; the answer is whether it is known what became of it.
    fn order(&mut self, line: &str, about: About) -> bool {
        let actor = format!("clerk-{}", self.orders.len());
        let began = Instant::now();
        let answer = self.authority.say(&format!("{line} --as {actor} --json"));
        let ended = Instant::now();
        let (seq, is_everywhere, said) = match &answer {
            Ok(answer) => (confirmed(answer), answer.code == Some(0), answer.text()),
            Err(error) => (None, false, format!("{error:#}")),
        };
        let order = Order { actor, about, began, ended, seq, is_everywhere, said };
        let is_known = order.seq.is_some() || order.is_refused();
        self.orders.push(order);
        if !is_known {
            sleep(WATCH_EVERY);
        }
        is_known
    }
}

/// The journal entry that an answer confirms.
fn confirmed(answer: &Answer) -> Option<u64> {
    if matches!(answer.code, Some(0 | 3)) {
        let lines = answer.json_lines().unwrap_or_default();
        return lines
            .iter()
            .rev()
            .find_map(|line| at(line, "seq").as_u64().or_else(|| at(line, "result/seq").as_u64()));
    }
    let said = answer.text();
    let (_, rest) = said.split_once("entry ")?;
    let (number, _) = rest.split_once(" is stored")?;
    number.parse().ok()
}
