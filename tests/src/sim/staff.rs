//! Offices at work: cards are lost and found, people come and go, rights are granted and end, doors are locked down.
//!
//! Each act is a production command; what a directory refuses is nothing to worry about, since people try things, too.

use crate::sim::checks::{exact, provable};
use crate::sim::link::Way;
use crate::sim::mutation::Mutation;
use crate::sim::promise::Promise;
use crate::sim::world::{Event, World};
use doorward_policy::command::{Command, Scope};
use doorward_policy::difference::Difference;
use doorward_policy::model::{
    Affiliation, Campus, Card, CardId, CardState, Grant, GrantId, Person, PersonId, Subject, Target,
};
use doorward_protocol::frame::ToAgent;
use doorward_protocol::session::sync::Input;
use doorward_protocol::time::{Day, DayRange, UnixMs};

/// By when a removal must have arrived on a line that nobody disturbs, in milliseconds.
pub const REMOVAL_MS_MAX: i64 = 6_000;

/// By when a commit must be in force likewise: an update before it may have to be answered first.
const COMMIT_MS_MAX: i64 = 75_000;

impl World {
    /// Somebody does something.
    pub fn staff(&mut self) {
        if self.is_healing {
            return;
        }
        let next_ms = self.chances.staff.between(60_000, 1_800_000);
        self.after(next_ms, Event::Staff);
        if let Some(command) = self.next_command() {
            self.order(command);
        }
    }

    /// Gives a command; what it takes away goes out at once.
    pub fn order(&mut self, command: Command) {
        let is_import = matches!(command, Command::Import { .. });
        let lost = if let Command::CardSuspend { card, .. } | Command::CardClose { card, .. } = &command {
            Some(card.to_string())
        } else {
            None
        };
        let name = name_of(&command);
        let Ok(Some(removals)) = self.authority.execute(command, self.now) else { return };
        self.counts.one("command", name);
        let slow = is_import || self.chances.staff.one_in(10);
        let takes_ms = self.chances.staff.between(5, if slow { 30_000 } else { 400 });
        self.after(takes_ms, Event::Compile);
        if !self.is_healing && self.chances.faults.one_in(40) {
            // The journal has it, and nobody was told.
            return self.crash_authority();
        }
        for (signed, concerned) in removals {
            let Ok(removal) = signed.unverified() else { continue };
            for id in concerned {
                let Some(index) = self.index_of(&id) else { continue };
                self.send_down(index, Way::RemovalDown, &ToAgent::Removal(signed.clone()));
                let Some(agent) = self.agents.get(index).filter(|agent| agent.is_connected()) else { continue };
                let (generation, life) = (agent.link.generation, agent.life);
                let (position, part) = (removal.position, removal.part);
                self.on_the_way.insert((index, position), self.now);
                self.after(REMOVAL_MS_MAX, Event::RemovalDue { index, generation, life, position, part });
            }
        }
        for _ in 0..3 {
            let wait_ms = self.chances.holders.between(1, 90_000);
            if let Some(shown) = lost.as_ref().and_then(|card| self.shown(card, None)) {
                self.after(wait_ms, Event::Tap(shown));
            }
        }
    }

    /// The oldest entry without a commit gets one.
    pub fn compile(&mut self) {
        let closing = self.begin_closing();
        closing.iter().for_each(|closing| provable::on_closing(self, closing));
        let affected = match self.authority.compile(&mut self.truth) {
            Ok(Some(affected)) => affected,
            Ok(None) => return,
            Err(error) => return self.broken(Promise::Exact, format!("an entry cannot be compiled: {error:#}")),
        };
        exact::on_commit(self);
        closing.into_iter().for_each(|closing| self.finish_closing(closing));
        let Some(position) = self.authority.core.as_ref().map(|core| core.present.published.position) else { return };
        let is_mute = self.options.mutation == Some(Mutation::MuteHeads);
        for index in 0..self.agents.len() {
            let Some(agent) = self.agents.get(index) else { continue };
            let affected = affected.contains(&agent.id);
            if affected && agent.is_connected() {
                let (generation, life) = (agent.link.generation, agent.life);
                self.after(COMMIT_MS_MAX, Event::CommitDue { index, generation, life, position });
            }
            if !is_mute {
                self.tell_session(index, Input::HeadMoved { affected });
            }
        }
    }

    /// A fresh word for everyone.
    pub fn pulse(&mut self) {
        self.after(crate::sim::world::PULSE_MS, Event::Pulse);
        let Some(pulse) = self.authority.make_pulse(self.now) else { return };
        if self.options.mutation == Some(Mutation::MutePulses) {
            return;
        }
        for index in 0..self.agents.len() {
            self.tell_session(index, Input::Pulse(pulse.clone()));
        }
    }

    fn next_command(&mut self) -> Option<Command> {
        let directory = self.authority.core.as_ref()?.writer.clone();
        let chance = &mut self.chances.staff;
        let reason = "because".to_owned();
        let mut card_in = |states: &[CardState]| {
            let cards = directory.tables().cards.iter().filter(|(_, card)| states.contains(&card.state));
            let cards: Vec<&CardId> = cards.map(|(id, _)| id).collect();
            chance.pick(&cards).map(|card| CardId::clone(card))
        };
        Some(match self.chances.holders.below(16) {
            0..=3 => Command::CardSuspend { card: card_in(&[CardState::Active])?, reason },
            4 | 5 => Command::CardResume { card: card_in(&[CardState::Suspended])?, reason },
            6 => Command::CardActivate { card: card_in(&[CardState::Produced])? },
            7 => Command::CardClose {
                card: card_in(&[CardState::Active, CardState::Suspended])?,
                reason,
                document: None,
            },
            8 => {
                let scope = match chance.below(6) {
                    0 => Scope::Campus,
                    1 | 2 => {
                        let buildings: Vec<_> = directory.tables().buildings.keys().cloned().collect();
                        Scope::Building(chance.pick(&buildings)?.clone())
                    }
                    _ => {
                        let doors: Vec<_> = directory.tables().doors.keys().cloned().collect();
                        Scope::Door(chance.pick(&doors)?.clone())
                    }
                };
                Command::LockDown { scope, reason }
            }
            9 | 10 => Command::Release { scope: directory.lockdowns().first()?.clone(), reason },
            11 => Command::GrantAdd {
                id: GrantId::new(&format!("added-{}", directory.head())).ok()?,
                grant: self.grant()?,
            },
            12 => {
                let grants: Vec<_> = directory.tables().grants.keys().cloned().collect();
                let on = chance.one_in(2).then(|| day_of(self.now, chance.between(-1, 3)));
                Command::GrantEnd { id: chance.pick(&grants)?.clone(), on }
            }
            _ => {
                for _ in 0..1 + chance.below(3) {
                    edit(&mut self.folder, chance, self.now);
                }
                Command::Import { difference: Box::new(Difference::between(&directory, &self.folder)) }
            }
        })
    }

    fn grant(&mut self) -> Option<Grant> {
        let tables = &self.folder.tables;
        let chance = &mut self.chances.staff;
        let people: Vec<_> = tables.people.keys().collect();
        let units: Vec<_> = tables.units.keys().collect();
        let doors: Vec<_> = tables.doors.keys().collect();
        let buildings: Vec<_> = tables.buildings.keys().collect();
        let subject = match chance.below(3) {
            0 => Subject::Person(PersonId::clone(chance.pick(&people)?)),
            1 => Subject::Unit((*chance.pick(&units)?).clone()),
            _ => Subject::Category("visitor".parse().ok()?),
        };
        let target = match chance.one_in(2) {
            true => Target::Door((*chance.pick(&doors)?).clone()),
            false => Target::Building((*chance.pick(&buildings)?).clone()),
        };
        let schedule = if chance.one_in(2) { None } else { Some("day".parse().ok()?) };
        let until = chance.one_in(2).then(|| day_of(self.now, chance.between(0, 3)));
        Some(Grant { subject, target, schedule, days: DayRange { from: None, until }, within: None })
    }
}

const fn name_of(command: &Command) -> &'static str {
    match command {
        Command::CardSuspend { .. } => "card lost: suspend",
        Command::CardFound { .. } => "card found: keep",
        Command::Application(_) => "application",
        Command::CardResume { .. } => "card found: resume",
        Command::CardActivate { .. } => "card activate",
        Command::CardClose { .. } => "card close",
        Command::Desk(_) => "card issue",
        Command::Photo(_) => "photo",
        Command::Production(_) => "roster or batch",
        Command::LockDown { .. } => "lock down",
        Command::Release { .. } => "release",
        Command::GrantAdd { .. } | Command::Request(_) => "grant",
        Command::GrantConfirm { .. } => "review",
        Command::GrantEnd { .. } => "grant end",
        Command::Import { .. } | Command::Feed(_) => "import: hire, leave, move, edit",
        Command::Found { .. }
        | Command::Tick { .. }
        | Command::AgentAdd { .. }
        | Command::AgentEnrol { .. }
        | Command::AgentRemove { .. }
        | Command::Office(_)
        | Command::PersonErase { .. } => "founding",
    }
}

fn day_of(now: UnixMs, offset: i64) -> Day {
    Day(i32::try_from(now.0 / 86_400_000 + offset).unwrap_or_default())
}

/// What an office changes in its folder between two exports.
fn edit(campus: &mut Campus, chance: &mut crate::sim::chance::Chance, now: UnixMs) {
    let Campus { policy, tables } = campus;
    let people: Vec<PersonId> = tables.people.keys().cloned().collect();
    let cards: Vec<CardId> = tables.cards.keys().cloned().collect();
    let units: Vec<_> = tables.units.keys().cloned().collect();
    let day = day_of(now, chance.between(-1, 3));
    let (Some(person), Some(card), Some(unit)) = (chance.pick(&people), chance.pick(&cards), chance.pick(&units))
    else {
        return;
    };
    match chance.below(10) {
        0 | 1 => {
            // Hired: a person, an affiliation and a card.
            let number = people.len() + usize::from(chance.bytes::<1>() == [0]);
            let (Ok(id), Ok(card)) = (PersonId::new(&format!("p-{number}")), CardId::new(&format!("c-{number}-0")))
            else {
                return;
            };
            let (Ok(category), Ok(card_type)) = ("staff".parse(), "card".parse()) else { return };
            let affiliations =
                [Affiliation { unit: unit.clone(), days: DayRange { from: Some(day), until: None } }].into();
            let hired = Person { name: "New".into(), category, ends_on: None, left_on: None, affiliations };
            tables.people.insert(id.clone(), hired);
            let issued_on = day_of(now, 0);
            let state = CardState::Active;
            tables
                .cards
                .insert(card, Card { person: id, card_type, state, issued_on, valid_until: None, number: None });
        }
        2 | 3 => {
            if let Some(person) = tables.people.get_mut(person) {
                person.left_on = Some(day);
            }
        }
        4 => {
            if let Some(person) = tables.people.get_mut(person) {
                let days = DayRange { from: Some(day), until: None };
                person.affiliations.insert(Affiliation { unit: unit.clone(), days });
            }
        }
        5 => {
            if let Some(person) = tables.people.get_mut(person) {
                person.affiliations.pop_first();
            }
        }
        6 => {
            let states = [CardState::Produced, CardState::Active, CardState::Suspended, CardState::Closed];
            if let (Some(card), Some(state)) = (tables.cards.get_mut(card), chance.pick(&states)) {
                card.state = *state;
            }
        }
        7 => {
            if let Some(card) = tables.cards.get_mut(card) {
                card.person = person.clone();
            }
        }
        8 if cards.len() > 8 => drop(tables.cards.remove(card)),
        8 => {}
        _ => {
            policy.holidays.insert(day, "A day off".into());
        }
    }
}
