//! Card holders: a morning rush, errands over the day, and whoever tries a card directly after it was reported lost.

use crate::sim::checks::{exact, fail_closed, provable, removal_first, taps_wait_for_nobody};
use crate::sim::mutation::Mutation;
use crate::sim::world::{Event, World};
use doorward_policy::model::CardId;
use doorward_protocol::agent::recorder::{Input, Tap};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, decide_now};
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{CredentialKey, DoorId};
use doorward_protocol::time::UnixMs;

/// A card that is shown at a door.
#[derive(Debug, Clone)]
pub struct Shown {
    pub index: usize,
    pub door: DoorId,
    pub card: String,
    pub factors: Factors,
}

/// A tap and how it was decided.
pub struct Decided<'a> {
    pub shown: &'a Shown,
    /// When the card was shown, and when it was decided on.
    pub shown_at: UnixMs,
    pub decided_at: UnixMs,
    pub wall: UnixMs,
    /// The instant that counted.
    pub at: UnixMs,
    pub key: CredentialKey,
    pub reason: Reason,
    /// Whether the agent was taking an update or waiting for its disk.
    pub is_during_update: bool,
}

impl World {
    /// Puts the taps of all card holders into the queue.
    pub fn plan_taps(&mut self) {
        let cards: Vec<CardId> = self.folder.tables.cards.keys().cloned().collect();
        let hours = self.options.hours;
        for card in cards {
            let mut rush_hour = 2;
            while rush_hour < hours {
                let late_ms =
                    self.chances.holders.between(0, 3_600_000).min(self.chances.holders.between(0, 3_600_000));
                let at = self.begun_at.plus_ms(rush_hour * 3_600_000 + late_ms);
                self.plan_tap(at, card.as_str());
                for _ in 0..self.chances.holders.below(4) {
                    let at = at.plus_ms(self.chances.holders.between(0, 12 * 3_600_000));
                    self.plan_tap(at, card.as_str());
                }
                rush_hour += 24;
            }
            let at = self.begun_at.plus_ms(self.chances.holders.between(0, hours.max(1) * 3_600_000));
            self.plan_tap(at, card.as_str());
        }
    }

    fn plan_tap(&mut self, at: UnixMs, card: &str) {
        if let Some(shown) = self.shown(card, None) {
            self.at(at, Event::Tap(shown));
        }
    }

    /// Somebody tries a card at a random door, of one agent where that is asked for.
    pub fn shown(&mut self, card: &str, index: Option<usize>) -> Option<Shown> {
        // A holder mostly goes where holders of such cards go: to the building of the same number.
        let number: usize = card.split('-').nth(1).and_then(|n| n.parse().ok()).unwrap_or_default();
        let home = index.unwrap_or(number % self.agents.len().max(1));
        let prefix = format!("d-{home}-");
        let first: DoorId = prefix.parse().ok()?;
        let from_home = self.folder.tables.doors.range(first..).map(|(door, _)| door);
        let at_home: Vec<&DoorId> = from_home.take_while(|door| door.as_str().starts_with(&prefix)).collect();
        let anywhere = self.chances.holders.pick(&self.doors);
        let chance = &mut self.chances.holders;
        let strays = index.is_none() && chance.one_in(3);
        let door = chance.pick(&at_home).copied().filter(|_| !strays).or(anywhere)?.clone();
        let factors = if chance.one_in(4) { Factors::PIN } else { Factors::NONE };
        let card = if chance.one_in(60) { "stranger".to_owned() } else { card.to_owned() };
        let building = self.folder.tables.doors.get(&door).map(|door| &door.building)?;
        let agent = self.folder.tables.buildings.get(building).map(|building| &building.agent)?;
        Some(Shown { index: self.index_of(agent)?, door, card, factors })
    }

    /// Somebody comes while an update does.
    pub fn tap_soon(&mut self, index: usize) {
        let number = index + self.agents.len() * self.chances.holders.index(5);
        let card = format!("c-{number}-{}", self.chances.holders.below(2));
        let wait_ms = self.chances.holders.between(0, 40);
        if let Some(shown) = self.shown(&card, Some(index)) {
            self.after(wait_ms, Event::Tap(shown));
        }
    }

    /// A card is shown.
    pub fn tap(&mut self, shown: Shown) {
        let Some(agent) = self.agents.get_mut(shown.index) else { return };
        let Some(core) = &mut agent.core else { return };
        if self.options.mutation == Some(Mutation::TapWaitsForDisk) && agent.disk.is_busy() {
            core.held.push((shown, self.now));
            return;
        }
        self.decide(&shown, self.now);
    }

    /// Taps that a planted fault held back are decided on.
    pub fn release_held(&mut self, index: usize) {
        let core = self.agents.get_mut(index).and_then(|agent| agent.core.as_mut());
        let held = core.map(|core| std::mem::take(&mut core.held)).unwrap_or_default();
        for (shown, shown_at) in held {
            self.decide(&shown, shown_at);
        }
    }

    fn decide(&mut self, shown: &Shown, shown_at: UnixMs) {
        let Some(agent) = self.agents.get(shown.index) else { return };
        let wall = agent.wall(self.now);
        let Some(core) = &agent.core else { return };
        let known = core.view.cache.as_ref().map(|cache| cache.credential_key(&shown.card));
        let key = known.unwrap_or(CredentialKey([0; 16]));
        let assumes = self.options.mutation == Some(Mutation::AssumeFactors);
        let factors = if assumes { Factors::PIN.union(Factors::FINGERPRINT) } else { shown.factors };
        let mut view = core.view.clone();
        if self.options.mutation == Some(Mutation::HalfUpdate) && core.parts_left > 0 {
            view.cache = None;
        }
        let (reason, at) = decide_now(&view, &shown.door, key, factors, wall);
        let is_during_update = core.parts_left > 0 || agent.disk.is_busy();
        let decided = Decided { shown, shown_at, decided_at: self.now, wall, at, key, reason, is_during_update };
        self.counts.one("world", "taps");
        self.counts.one("answer", reason.as_str());
        self.counts.add("world", "grants", u64::from(reason.is_grant()));
        self.trace.note(reason.as_str());
        exact::on_tap(self, &decided);
        fail_closed::on_tap(self, &decided);
        provable::on_tap(self, &decided);
        removal_first::on_tap(self, &decided);
        taps_wait_for_nobody::on_tap(self, &decided);
        self.record(shown, key, reason, at);
    }

    fn record(&mut self, shown: &Shown, credential: CredentialKey, reason: Reason, at: UnixMs) {
        let core = self.agents.get_mut(shown.index).and_then(|agent| agent.core.as_mut());
        let Some(core) = core else { return };
        let ticket = core.next_ticket;
        core.next_ticket += 1;
        core.queued.push_back(ticket);
        let position = core.position.unwrap_or(Position::default());
        let (door, factors) = (shown.door.clone(), shown.factors);
        self.tell_recorder(shown.index, Input::Tap(Tap { ticket, at, door, credential, factors, reason, position }));
    }
}
