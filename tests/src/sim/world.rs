//! The world of a run: one authority, its agents, everything between them, and one queue of events in true time.
//!
//! One thread and one seed: what happens next follows from the queue alone. What an event does is in the other files.

use crate::sim::agent::Agent;
use crate::sim::authority::Authority;
use crate::sim::chance::Chance;
use crate::sim::closings::Closings;
use crate::sim::counts::Counts;
use crate::sim::holders::Shown;
use crate::sim::link::Way;
use crate::sim::options::Options;
use crate::sim::promise::{Promise, Verdicts};
use crate::sim::trace::Trace;
use crate::sim::truth::Truth;
use doorward_policy::model::Campus;
use doorward_protocol::commit::Position;
use doorward_protocol::frame::{body_length, from_wire};
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::record::ChainHead;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::sync as session;
use doorward_protocol::time::UnixMs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// How often the authority gives a fresh word, in milliseconds: rarer than in production, so that a run has time for more.
pub const PULSE_MS: i64 = 120_000;

/// Something that happens.
pub enum Event {
    /// A frame arrives at an agent.
    Down { index: usize, generation: u64, way: Way, bytes: Vec<u8> },
    /// A frame arrives at the authority.
    Up { index: usize, generation: u64, way: Way, bytes: Vec<u8> },
    /// A group commit of an agent's disk is durable.
    Synced { index: usize, life: u64 },
    /// An agent's disk answers a question for records.
    Loaded { index: usize, life: u64, after: u64, count: usize },
    /// An agent's disk answers with the records of a chain that must begin anew.
    Anew { index: usize, life: u64, after: u64, begin: ChainHead },
    /// The access store has made records durable.
    Stored { index: usize, generation: u64 },
    /// An agent's timer.
    AgentRings { index: usize, life: u64 },
    /// A session's timer.
    SessionRings { index: usize, generation: u64 },
    /// An agent tries to connect.
    Connect { index: usize, life: u64 },
    /// An agent notices that its connection is gone.
    AgentLost { index: usize, generation: u64 },
    /// The authority notices that a connection is gone.
    AuthorityLost { index: usize, generation: u64 },
    /// An agent notices that its clock was stepped.
    ClockNoticed { index: usize, life: u64 },
    /// A card is shown at a door.
    Tap(Shown),
    /// An agent stops at once.
    CrashAgent { index: usize },
    /// The copy of an agent's disk is put in its place.
    RestoreDisk { index: usize },
    /// An agent starts.
    StartAgent { index: usize },
    /// The authority starts.
    StartAuthority,
    /// Somebody in an office does something.
    Staff,
    /// The oldest entry without a commit gets one.
    Compile,
    /// A fresh word.
    Pulse,
    /// Something breaks.
    Fault,
    /// Something is repaired.
    Repair(Repair),
    /// By now a removal is in force at an agent that stayed connected.
    RemovalDue { index: usize, generation: u64, life: u64, position: Position, part: u32 },
    /// By now a commit is in force at an agent that stayed connected.
    CommitDue { index: usize, generation: u64, life: u64, position: Position },
    /// Everything heals.
    Heal,
}

/// What is repaired.
pub enum Repair {
    /// The line of an agent.
    Line(usize),
    /// Its disk takes writes again.
    Disk(usize),
    /// Nobody stands on its line any more.
    Adversary(usize),
    /// Its clock is set right.
    Clock(usize),
    /// The operator begins a new epoch.
    Epoch,
}

/// The choices of a run, by purpose.
pub struct Chances {
    pub network: Chance,
    pub disk: Chance,
    pub staff: Chance,
    pub holders: Chance,
    pub faults: Chance,
    pub adversary: Chance,
    pub mutation: Chance,
    pub checks: Chance,
}

/// See the module.
pub struct World {
    pub options: Options,
    pub now: UnixMs,
    pub begun_at: UnixMs,
    pub authority: Authority,
    pub agents: Vec<Agent>,
    pub places: BTreeMap<AgentId, usize>,
    /// The folder that the offices keep.
    pub folder: Campus,
    /// All doors in it; no import of a run builds or tears down.
    pub doors: Vec<DoorId>,
    pub chances: Chances,
    pub truth: Truth,
    pub closings: Closings,
    pub verdicts: Verdicts,
    pub trace: Trace,
    pub counts: Counts,
    /// Kinds of alarm that the authority raised of an agent.
    pub alarms: BTreeMap<usize, BTreeSet<AlarmKind>>,
    /// Revocations on their way to agents that were connected when they were ordered.
    pub on_the_way: BTreeMap<(usize, Position), UnixMs>,
    /// Frames that an adversary has seen go down, for later.
    pub overheard: Vec<(usize, Way, Vec<u8>)>,
    pub is_healing: bool,
    pub queue: BTreeMap<(UnixMs, u64), Event>,
    pub next_event: u64,
}

impl World {
    /// Puts an event into the queue.
    pub fn at(&mut self, at: UnixMs, event: Event) {
        self.queue.insert((at.max(self.now), self.next_event), event);
        self.next_event += 1;
    }

    /// Puts an event into the queue, so many milliseconds from now.
    pub fn after(&mut self, ms: i64, event: Event) {
        self.at(self.now.plus_ms(ms), event);
    }

    /// Notes a broken promise.
    pub fn broken(&mut self, promise: Promise, text: String) {
        self.verdicts.broken(promise, self.now, text);
    }

    /// Lets events happen until an instant.
    pub fn run_until(&mut self, end: UnixMs) {
        while let Some(((at, number), event)) = self.queue.pop_first() {
            if at > end || self.is_decided() {
                self.queue.insert((at, number), event);
                return;
            }
            self.now = at;
            self.traced(&event);
            self.happen(event);
        }
    }

    /// Whether the run has shown what it can: a promise is broken, of a planted fault the one that it breaks.
    pub fn is_decided(&self) -> bool {
        match self.options.mutation {
            None => !self.verdicts.violations.is_empty(),
            Some(mutation) => self.verdicts.is_broken(mutation.breaks()),
        }
    }

    fn traced(&mut self, event: &Event) {
        let (kind, index, number, bytes) = parts_of(event);
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        let at = self.now.0.to_le_bytes();
        self.trace.add(&[&at, &[kind], &index.to_le_bytes(), &number.to_le_bytes(), bytes]);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Down { index, generation, way, bytes } => self.arrive_down(index, generation, way, &bytes),
            Event::Up { index, generation, way, bytes } => {
                let served = self.agents.get(index).and_then(|agent| agent.served.as_ref());
                let is_open = self.agents.get(index).is_some_and(|agent| agent.link.carries);
                if is_open && served.is_some_and(|served| served.generation == generation) {
                    self.take_up(index, way, frame_of(&bytes));
                }
            }
            Event::Synced { index, life } => self.synced(index, life),
            Event::Loaded { index, life, after, count } => self.loaded(index, life, after, count),
            Event::Anew { index, life, after, begin } => self.begun_anew(index, life, after, begin),
            Event::Stored { index, generation } => self.stored(index, generation),
            Event::AgentRings { index, life } => self.agent_rings(index, life),
            Event::SessionRings { index, generation } => {
                let served = self.agents.get(index).and_then(|agent| agent.served.as_ref());
                if served.is_some_and(|served| served.generation == generation) {
                    self.tell_session(index, session::Input::Timeout);
                }
            }
            Event::Connect { index, life } => self.connect(index, life),
            Event::AgentLost { index, generation } => self.agent_lost(index, generation),
            Event::AuthorityLost { index, generation } => self.authority_lost(index, generation),
            Event::ClockNoticed { index, life } => self.clock_noticed(index, life),
            Event::Tap(shown) => self.tap(shown),
            Event::CrashAgent { index } => {
                if !self.is_healing {
                    self.crash_for(index, 120_000);
                }
            }
            Event::RestoreDisk { index } => self.restore_disk(index),
            Event::StartAgent { index } => self.start_agent(index),
            Event::StartAuthority => self.start_authority(),
            Event::Staff => self.staff(),
            Event::Compile => self.compile(),
            Event::Pulse => self.pulse(),
            Event::Fault => self.fault(),
            Event::Repair(repair) => self.repair(&repair),
            Event::RemovalDue { index, generation, life, position, part } => {
                self.check_removal_due(index, (generation, life), position, part);
            }
            Event::CommitDue { index, generation, life, position } => {
                self.check_commit_due(index, (generation, life), position);
            }
            Event::Heal => self.heal(),
        }
    }
}

/// The frame in these bytes, as the reader of a stream would take it.
pub fn frame_of<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let Some((prefix, body)) = bytes.split_first_chunk::<4>() else { return Err("the stream ends in a length".into()) };
    match body_length(*prefix) {
        Ok(length) if length == body.len() => from_wire(body).map_err(|error| error.to_string()),
        Ok(_) => Err("the stream ends in a frame".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// An event in numbers and bytes.
fn parts_of(event: &Event) -> (u8, usize, u64, &[u8]) {
    match event {
        Event::Down { index, generation, way, bytes } => (way.number(), *index, *generation, bytes),
        Event::Up { index, generation, way, bytes } => (8 + way.number(), *index, *generation, bytes),
        Event::Synced { index, life } => (16, *index, *life, &[]),
        Event::Loaded { index, life, .. } => (17, *index, *life, &[]),
        Event::Anew { index, life, begin, .. } => (18, *index, *life, &begin.hash.0),
        Event::Stored { index, generation } => (19, *index, *generation, &[]),
        Event::AgentRings { index, life } => (20, *index, *life, &[]),
        Event::SessionRings { index, generation } => (21, *index, *generation, &[]),
        Event::Connect { index, life } => (22, *index, *life, &[]),
        Event::AgentLost { index, generation } => (23, *index, *generation, &[]),
        Event::AuthorityLost { index, generation } => (24, *index, *generation, &[]),
        Event::ClockNoticed { index, life } => (25, *index, *life, &[]),
        Event::Tap(shown) => (26, shown.index, 0, shown.card.as_bytes()),
        Event::StartAgent { index } => (27, *index, 0, &[]),
        Event::StartAuthority => (28, 0, 0, &[]),
        Event::Staff => (29, 0, 0, &[]),
        Event::Compile => (30, 0, 0, &[]),
        Event::Pulse => (31, 0, 0, &[]),
        Event::Fault => (32, 0, 0, &[]),
        Event::Repair(_) => (33, 0, 0, &[]),
        Event::RemovalDue { index, position, .. } => (34, *index, position.seq, &[]),
        Event::CommitDue { index, position, .. } => (35, *index, position.seq, &[]),
        Event::Heal => (36, 0, 0, &[]),
        Event::CrashAgent { index } => (37, *index, 0, &[]),
        Event::RestoreDisk { index } => (38, *index, 0, &[]),
    }
}
