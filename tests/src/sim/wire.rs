//! Connections and frames: who connects when, what a line carries, and what an adversary on it makes of that.
//!
//! The adversary reaches what is signed. Access records and their acknowledgements are protected by the connection
//! itself, so on that lane it can only cut and truncate.

use crate::sim::chance::Chance;
use crate::sim::link::Way;
use crate::sim::mutation::Mutation;
use crate::sim::world::{Event, World, frame_of};
use doorward_protocol::agent::{recorder, sync};
use doorward_protocol::commit::{Position, Pulse};
use doorward_protocol::frame::{Base, Refusal, ToAgent, ToAuthority, Update, to_wire};
use doorward_protocol::id::Hash;
use doorward_protocol::removal::Removal;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::Statement;

/// Frames that an adversary remembers.
const OVERHEARD_MAX: usize = 400;

/// Once in how many frames a line is cut.
const CUT_ONE_IN: u64 = 4_000;

impl World {
    /// Sends a frame to an agent.
    pub fn send_down(&mut self, index: usize, way: Way, frame: &ToAgent) {
        let Ok(bytes) = to_wire(frame) else { return };
        let Some(generation) = self.agents.get(index).and_then(|agent| Some(agent.served.as_ref()?.generation)) else {
            return;
        };
        self.carry(index, generation, way, bytes);
    }

    /// Sends a frame to the authority.
    pub fn send_up(&mut self, index: usize, way: Way, frame: &ToAuthority) {
        let Ok(bytes) = to_wire(frame) else { return };
        if let ToAuthority::Refusal(refusal) = frame {
            self.counts.one("refusal", name_of(refusal));
        }
        let core = self.agents.get(index).and_then(|agent| agent.core.as_ref());
        let Some(generation) = core.and_then(|core| core.connected) else { return };
        self.carry(index, generation, way, bytes);
    }

    fn carry(&mut self, index: usize, generation: u64, way: Way, bytes: Vec<u8>) {
        let Some(agent) = self.agents.get_mut(index) else { return };
        if !agent.link.carries || agent.link.generation != generation {
            return;
        }
        if !self.is_healing && self.chances.network.one_in(CUT_ONE_IN) {
            return self.cut(index);
        }
        let chance = &mut self.chances.network;
        let mut arrives_at = agent.link.arrival(way, bytes.len(), self.now, chance);
        let behind = self.options.mutation == Some(Mutation::AdditionsFirst);
        if behind && way == Way::RemovalDown {
            arrives_at = arrives_at.plus_ms(20_000);
        }
        let is_watched = agent.link.is_watched;
        if way.is_down() && way != Way::RecordsDown && self.overheard.len() < OVERHEARD_MAX {
            self.overheard.push((index, way, bytes.clone()));
        }
        if is_watched && self.chances.adversary.one_in(4) {
            return self.tamper(index, generation, way, bytes, arrives_at);
        }
        self.at(arrives_at, event(index, generation, way, bytes));
    }

    /// What an adversary makes of a frame.
    fn tamper(&mut self, index: usize, generation: u64, way: Way, mut bytes: Vec<u8>, arrives_at: UnixMs) {
        let wait_ms = self.chances.adversary.between(1, 10_000);
        let kind = self.chances.adversary.below(8);
        if matches!(way, Way::RecordsDown | Way::RecordsUp) && kind > 1 {
            return self.at(arrives_at, event(index, generation, way, bytes));
        }
        self.counts.one("world", "tampered frames");
        self.on_the_way.retain(|(at, _), _| *at != index);
        if let Some(agent) = self.agents.get_mut(index) {
            agent.link.is_tampered = true;
        }
        let chance = &mut self.chances.adversary;
        match kind {
            0 => {
                bytes.truncate(chance.index(bytes.len()));
                self.after(1, event(index, generation, way, bytes));
            }
            1 => self.cut(index),
            // The frame is dropped.
            2 => {}
            3 => {
                flip(&mut bytes, chance);
                self.after(1, event(index, generation, way, bytes));
            }
            // It comes late, behind those that were sent after it.
            4 => self.after(wait_ms, event(index, generation, way, bytes)),
            5 => {
                self.after(1, event(index, generation, way, bytes.clone()));
                self.after(wait_ms, event(index, generation, way, bytes));
            }
            _ => {
                self.after(1, event(index, generation, way, bytes));
                self.inject(index, generation);
            }
        }
    }

    /// Old, foreign and invented frames for an agent.
    pub fn inject(&mut self, index: usize, generation: u64) {
        if let Some(agent) = self.agents.get_mut(index) {
            agent.link.is_tampered = true;
        }
        if self.chances.adversary.one_in(3) {
            let invented = self.invented();
            if let Some(bytes) = invented.and_then(|frame| to_wire(&frame).ok()) {
                self.after(2, event(index, generation, Way::ControlDown, bytes));
            }
            return;
        }
        // A run of frames as they once came, mostly this agent's own, so that whole updates are replayed, too.
        let from = self.chances.adversary.index(self.overheard.len());
        let mixes = self.chances.adversary.one_in(4);
        let is_meant =
            |(meant, way, _): &&(usize, Way, Vec<u8>)| (*meant == index || mixes) && *way != Way::RecordsDown;
        let old: Vec<_> = self.overheard.iter().skip(from).filter(is_meant).take(6).cloned().collect();
        for (number, (_, way, bytes)) in (2_i64..).zip(old) {
            self.after(number, event(index, generation, way, bytes));
        }
    }

    /// A frame that a stranger signed.
    fn invented(&mut self) -> Option<ToAgent> {
        let keys = &self.authority.keys;
        let position = Position { epoch: keys.epoch(), seq: self.chances.adversary.below(10_000) };
        let (campus, at) = (keys.campus().clone(), self.now);
        match self.chances.adversary.below(4) {
            0 => {
                let pulse = Pulse { campus, position, commit: Hash([7; 32]), at };
                keys.stranger.sign_value(&pulse).ok().map(ToAgent::Pulse)
            }
            1 => {
                let newest = keys.said.last()?;
                let statement = Statement {
                    version: newest.version + 1,
                    signing_keys: [keys.stranger.public()].into(),
                    at,
                    ..newest.clone()
                };
                keys.stranger.sign_value(&statement).ok().map(|signed| ToAgent::Statements(vec![signed]))
            }
            2 => {
                let removal = Removal { campus, position, part: 0, at, items: Vec::new() };
                keys.stranger.sign_value(&removal).ok().map(ToAgent::Removal)
            }
            _ => {
                let (_, _, bytes) = self.chances.adversary.pick(&self.overheard)?;
                let Ok(ToAgent::Update(update)) = frame_of::<ToAgent>(bytes) else { return None };
                let mut commit = update.head.commit.unverified().ok()?;
                commit.position = position;
                let head = doorward_protocol::commit::Head {
                    commit: keys.stranger.sign_value(&commit).ok()?,
                    ..update.head.clone()
                };
                Some(ToAgent::Update(Box::new(Update { head, base: Base::Nothing, parts: 0 })))
            }
        }
    }

    /// A frame arrived at an agent.
    pub fn arrive_down(&mut self, index: usize, generation: u64, way: Way, bytes: &[u8]) {
        let Some(agent) = self.agents.get(index) else { return };
        let heard = agent.core.as_ref().and_then(|core| core.connected);
        if !agent.link.carries || heard != Some(generation) {
            return;
        }
        match (way, frame_of::<ToAgent>(bytes)) {
            (Way::RecordsDown, Ok(ToAgent::Stored(head))) => self.tell_recorder(index, recorder::Input::Stored(head)),
            (Way::ControlDown | Way::RemovalDown, Ok(frame)) if !matches!(frame, ToAgent::Stored(_)) => {
                self.deliver(index, frame);
            }
            (_, Ok(_) | Err(_)) => {
                // What is on the wrong lane, or is no frame at all, ends the connection.
                self.cut(index);
            }
        }
    }

    /// An agent tries to connect.
    pub fn connect(&mut self, index: usize, life: u64) {
        let wait_ms = self.chances.network.between(500, 45_000);
        let Some(agent) = self.agents.get_mut(index) else { return };
        let Some(core) = agent.core.as_mut().filter(|core| core.connected.is_none()) else { return };
        if agent.life != life {
            return;
        }
        let is_enrolled = self
            .authority
            .core
            .as_ref()
            .is_some_and(|authority| authority.present.published.leaves.leaf(&agent.id).is_some());
        if agent.link.is_blocked || !is_enrolled {
            return self.after(wait_ms, Event::Connect { index, life });
        }
        let generation = agent.link.open();
        core.connected = Some(generation);
        self.serve(index, generation);
        self.tell_recorder(index, recorder::Input::Connected);
        self.tell_sync(index, sync::Input::Connected);
        let is_watched = self.agents.get(index).is_some_and(|agent| agent.link.is_watched);
        if is_watched {
            self.inject(index, generation);
        }
    }

    /// Cuts a line: both sides notice, each in its own time.
    pub fn cut(&mut self, index: usize) {
        let Some(agent) = self.agents.get_mut(index) else { return };
        if !agent.link.carries {
            return;
        }
        self.counts.one("world", "cut lines");
        agent.link.carries = false;
        self.on_the_way.retain(|(at, _), _| *at != index);
        let generation = agent.link.generation;
        let (here_ms, there_ms) = (self.chances.network.between(1, 20_000), self.chances.network.between(1, 20_000));
        self.after(here_ms, Event::AgentLost { index, generation });
        self.after(there_ms, Event::AuthorityLost { index, generation });
    }

    /// An agent notices that its connection is gone.
    pub fn agent_lost(&mut self, index: usize, generation: u64) {
        let wait_ms = self.chances.network.between(200, 15_000);
        let Some(agent) = self.agents.get_mut(index) else { return };
        let life = agent.life;
        let Some(core) = agent.core.as_mut().filter(|core| core.connected == Some(generation)) else { return };
        core.connected = None;
        core.parts_left = 0;
        self.tell_sync(index, sync::Input::Disconnected);
        self.tell_recorder(index, recorder::Input::Disconnected);
        if self.options.mutation != Some(Mutation::NeverReconnect) {
            self.after(wait_ms, Event::Connect { index, life });
        }
    }

    /// The authority notices that a connection is gone.
    pub fn authority_lost(&mut self, index: usize, generation: u64) {
        let served = self.agents.get(index).and_then(|agent| agent.served.as_ref());
        if served.is_some_and(|served| served.generation == generation) {
            self.stop_serving(index);
        }
    }
}

const fn name_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Unproven(_) => "unproven",
        Refusal::Backward { .. } => "backward",
        Refusal::NeedSnapshot(_) => "need-snapshot",
        Refusal::Fork { .. } => "fork",
        Refusal::OutOfBounds(_) => "out-of-bounds",
        Refusal::ClockDisagrees { .. } => "clock-disagrees",
        Refusal::StoreDamaged(_) => "store-damaged",
    }
}

const fn event(index: usize, generation: u64, way: Way, bytes: Vec<u8>) -> Event {
    if way.is_down() {
        Event::Down { index, generation, way, bytes }
    } else {
        Event::Up { index, generation, way, bytes }
    }
}

/// Flips one bit behind the length, so that a whole frame arrives.
fn flip(bytes: &mut [u8], chance: &mut Chance) {
    let place = 4 + chance.index(bytes.len().saturating_sub(4));
    let bit = 1_u8 << chance.below(8);
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= bit;
    }
}
