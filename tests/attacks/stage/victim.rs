//! The agent that is attacked: its production machine, its disk, and what it said.

use crate::stage::campus::{Campus, credential};
use doorward_protocol::agent::sync::{Effect, Identity, Input, Sync};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, View, decide_now};
use doorward_protocol::facts::Factors;
use doorward_protocol::fork::Fork;
use doorward_protocol::frame::{Refusal, StateClaim, ToAgent, ToAuthority, body_length, from_wire, to_wire};
use doorward_protocol::id::{AgentId, Incarnation};
use doorward_protocol::record::ChainHead;
use doorward_protocol::sign::PublicKey;
use doorward_protocol::time::UnixMs;
use tests::sim::disk::{Disk, Image, Job};

/// See the module.
pub struct Victim {
    pub agent: AgentId,
    pub disk: Disk,
    /// How many changes were written so far.
    pub writes: usize,
    /// What it wants people to know.
    pub alarms: Vec<String>,
    /// Proofs of two histories.
    pub forks: Vec<Fork>,
    /// The newest position that its authority has a receipt for.
    pub confirmed: Position,
    /// Its wall clock.
    pub now: UnixMs,
    sync: Sync,
    key: PublicKey,
    sent: Vec<ToAuthority>,
    view: Option<View>,
}

impl Victim {
    /// An agent that has just joined.
    pub fn new(campus: &Campus, agent: &AgentId) -> Self {
        let begin = ChainHead::begin(agent, Incarnation([1; 16]));
        let disk = Disk::new(Image::new(&campus.statements, begin));
        let sync = open(campus, agent, &disk);
        let key = campus.agent_key(agent).public();
        let mut victim = Self {
            agent: agent.clone(),
            disk,
            writes: 0,
            alarms: Vec::new(),
            forks: Vec::new(),
            confirmed: Position::default(),
            now: campus.now,
            sync,
            key,
            sent: Vec::new(),
            view: None,
        };
        victim.settle();
        victim
    }

    /// Its process ends and starts again on the same disk.
    pub fn restart(&mut self, campus: &Campus) {
        self.sync = open(campus, &self.agent, &self.disk);
        self.sent.clear();
        self.settle();
    }

    /// A connection stands, in the place of the one before.
    pub fn connect(&mut self) {
        self.sync.handle(Input::Disconnected, self.now);
        self.sync.handle(Input::Connected, self.now);
        self.settle();
    }

    /// A frame comes to it, by its bytes.
    pub fn hear(&mut self, frame: &ToAgent) {
        let bytes = to_wire(frame).unwrap();
        let (prefix, body) = bytes.split_first_chunk().unwrap();
        assert_eq!(body_length(*prefix), Ok(body.len()));
        self.sync.handle(Input::Frame(from_wire(body).unwrap()), self.now);
        self.settle();
    }

    /// What it has sent since it was last asked.
    pub fn take_sent(&mut self) -> Vec<ToAuthority> {
        std::mem::take(&mut self.sent)
    }

    /// Which of that are refusals.
    pub fn take_refusals(&mut self) -> Vec<Refusal> {
        let refusals = self.take_sent().into_iter().filter_map(|frame| match frame {
            ToAuthority::Refusal(refusal) => Some(refusal),
            ToAuthority::Hello(_)
            | ToAuthority::Receipt(_)
            | ToAuthority::Heard(_)
            | ToAuthority::ChainReport(_)
            | ToAuthority::Records(_) => None,
        });
        refusals.collect()
    }

    /// What it decides by.
    pub fn claim(&self) -> Option<StateClaim> {
        self.sync.position().map(|position| StateClaim { position, digest: self.sync.digest() })
    }

    /// What a door answers.
    pub fn tap(&self, door: &str, card: &str) -> Reason {
        decide_now(self.view.as_ref().unwrap(), &door.parse().unwrap(), credential(card), Factors::NONE, self.now).0
    }

    /// Its key.
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    fn settle(&mut self) {
        while let Some(effect) = self.sync.poll_effect() {
            match effect {
                Effect::Send(frame) => self.sent.push(*frame),
                Effect::Persist { ticket, writes } => {
                    self.writes += writes.len();
                    self.disk.push(Job::Persist { ticket, writes });
                    self.disk.begin();
                    self.disk.finish();
                    self.sync.handle(Input::Persisted(ticket), self.now);
                }
                Effect::View(view) => self.view = Some(view),
                Effect::Fork(proof) => self.forks.push(*proof),
                Effect::Alarm(text) => self.alarms.push(text),
            }
        }
    }
}

fn open(campus: &Campus, agent: &AgentId, disk: &Disk) -> Sync {
    let identity = Identity {
        agent: agent.clone(),
        key: campus.agent_key(agent),
        pinned_root: campus.pinned(),
        software: "attacked".into(),
    };
    Sync::open(identity, disk.image.stored()).unwrap()
}
