//! What commands can have touched: named roughly as they happen, and resolved to facts when it is asked.
//!
//! Deliberately too much rather than too little: a fact that is touched and did not change costs a few bytes, one that
//! changed untouched would leave an agent with a state that nobody signed.

use crate::directory::Directory;
use crate::model::{CardId, CategoryId, GrantId, PersonId, Subject, UnitId};
use doorward_protocol::id::{AgentId, DoorId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// See the module. Cards that left the directory, or changed hands, are named themselves: nothing else leads to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// The cards of people, and at which agents. A unit means everyone who ever is in it or below it.
    pub subjects: BTreeMap<Subject, Reach>,
    /// Cards, at every agent.
    pub cards: BTreeSet<CardId>,
    /// Cards of which no more than the state is touched: they open what they opened, or nothing.
    pub card_states: BTreeSet<CardId>,
    /// Doors.
    pub doors: BTreeSet<DoorId>,
    /// Agents at which everything is touched.
    pub agents: BTreeSet<AgentId>,
    /// Grants that commands added or ended: what is kept about them is out of date. Whom they let in where is in `subjects`.
    pub grants: BTreeSet<GrantId>,
    /// Offsets and holidays of every agent.
    pub calendar: bool,
    /// Everything at every agent; the rest is then left empty.
    pub everything: bool,
}

/// At which agents the cards of somebody are touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// At every agent.
    Everywhere,
    /// At these, because no door of another one is named.
    At(BTreeSet<AgentId>),
}

/// What is touched, as it stands in one directory. Cards and doors may not be there any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Cards, at every agent.
    pub cards: BTreeSet<CardId>,
    /// Those among them of which no more than the state is touched.
    pub states_alone: BTreeSet<CardId>,
    /// Cards at one agent.
    pub cards_at: BTreeMap<AgentId, BTreeSet<CardId>>,
    /// Doors.
    pub doors: BTreeSet<DoorId>,
    /// Agents at which everything is touched.
    pub agents: BTreeSet<AgentId>,
    /// Offsets and holidays of every agent.
    pub calendar: bool,
    /// Everything at every agent; the rest is then left empty.
    pub everything: bool,
}

impl Reach {
    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::At(agents), Self::At(more)) => agents.extend(more),
            (Self::Everywhere, _) | (_, Self::Everywhere) => *self = Self::Everywhere,
        }
    }
}

impl Touched {
    /// Everything is touched.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// The state of one card is touched.
    #[must_use]
    pub fn card_state(card: &CardId) -> Self {
        Self { card_states: [card.clone()].into(), ..Self::default() }
    }

    /// Adds the cards of somebody.
    pub fn add_subject(&mut self, subject: &Subject, reach: Reach) {
        match self.subjects.get_mut(subject) {
            Some(known) => known.add(reach),
            None => {
                self.subjects.insert(subject.clone(), reach);
            }
        }
    }

    /// Adds what another touched.
    pub fn union(&mut self, other: Self) {
        if self.everything || other.everything {
            *self = Self::everything();
            return;
        }
        for (subject, reach) in other.subjects {
            self.add_subject(&subject, reach);
        }
        self.cards.extend(other.cards);
        self.card_states.extend(other.card_states);
        self.doors.extend(other.doors);
        self.agents.extend(other.agents);
        self.grants.extend(other.grants);
        self.calendar |= other.calendar;
    }

    /// How many people, groups, cards and doors are named.
    #[must_use]
    pub fn names(&self) -> usize {
        self.subjects.len() + self.cards.len() + self.card_states.len() + self.doors.len()
    }

    /// Whether nothing is touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what some card opens may be touched, and not the state of cards alone.
    #[must_use]
    pub fn is_access(&self) -> bool {
        self.everything || !self.cards.is_empty() || !self.agents.is_empty() || !self.subjects.is_empty()
    }

    /// Whether what a card opens may be touched at an agent: never no where it is, sometimes yes where it is not, and quick.
    #[must_use]
    pub fn may_touch_access(&self, directory: &Directory, agent: &AgentId, card: &CardId) -> bool {
        if self.everything || self.cards.contains(card) || self.agents.contains(agent) {
            return true;
        }
        let holder = directory.tables().cards.get(card).map(|card| &card.person);
        self.subjects.iter().any(|(subject, reach)| {
            let reaches = match reach {
                Reach::Everywhere => true,
                Reach::At(agents) => agents.contains(agent),
            };
            let may_be_holder = match subject {
                Subject::Person(person) => holder == Some(person),
                Subject::Unit(_) | Subject::Category(_) => true,
            };
            reaches && may_be_holder
        })
    }

    /// What is touched, as it stands in a directory.
    #[must_use]
    pub fn resolve(&self, directory: &Directory) -> Resolved {
        let mut resolved = Resolved {
            cards: self.cards.clone(),
            states_alone: BTreeSet::new(),
            cards_at: BTreeMap::new(),
            doors: self.doors.clone(),
            agents: self.agents.clone(),
            calendar: self.calendar,
            everything: self.everything,
        };
        let mut groups = Groups::default();
        for (subject, reach) in &self.subjects {
            match subject {
                Subject::Person(person) => resolved.add_cards_of(directory, person, reach),
                Subject::Unit(unit) => groups.units.push((unit, reach)),
                Subject::Category(category) => groups.categories.push((category, reach)),
            }
        }
        groups.resolve(directory, &mut resolved);
        let is_alone = |card: &&CardId| {
            !resolved.cards.contains(*card) && !resolved.cards_at.values().any(|cards| cards.contains(*card))
        };
        resolved.states_alone = self.card_states.iter().filter(is_alone).cloned().collect();
        resolved.cards.extend(self.card_states.iter().cloned());
        resolved
    }
}

impl Resolved {
    fn add_cards_of(&mut self, directory: &Directory, person: &PersonId, reach: &Reach) {
        match reach {
            Reach::Everywhere => self.cards.extend(directory.cards_of(person).cloned()),
            Reach::At(agents) => {
                for agent in agents {
                    let cards = self.cards_at.entry(agent.clone()).or_default();
                    cards.extend(directory.cards_of(person).cloned());
                }
            }
        }
    }
}

/// Subjects that are many people. Those of a unit are looked up; those of a category, of which there are few and large
/// ones, are found in one walk over all people.
#[derive(Default)]
struct Groups<'a> {
    units: Vec<(&'a UnitId, &'a Reach)>,
    categories: Vec<(&'a CategoryId, &'a Reach)>,
}

impl Groups<'_> {
    fn resolve(&self, directory: &Directory, resolved: &mut Resolved) {
        let tables = directory.tables();
        if !self.units.is_empty() {
            for unit in tables.units.keys() {
                let touches = |touched: &UnitId| tables.unit_and_above(unit).any(|above| above == touched);
                for (_, reach) in self.units.iter().filter(|(touched, _)| touches(touched)) {
                    for person in directory.members_of(unit) {
                        resolved.add_cards_of(directory, person, reach);
                    }
                }
            }
        }
        if !self.categories.is_empty() {
            for (id, person) in &tables.people {
                let by_category = self.categories.iter().filter(|(category, _)| **category == person.category);
                for (_, reach) in by_category {
                    resolved.add_cards_of(directory, id, reach);
                }
            }
        }
    }
}
