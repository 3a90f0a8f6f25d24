//! Compiling everything, in pieces that need nothing of each other: one for each agent.
//!
//! Deliberately without threads: whoever has some works the pieces off on them, in any order, and gets the same bytes.

use super::access::{Accesses, id_at};
use super::index::Index;
use super::update::{CardFacts, door_fact, put_derived};
use super::{CompileError, Compiled};
use crate::directory::Directory;
use crate::model::{CardId, CardState};
use doorward_protocol::facts::{Class, Fact};
use doorward_protocol::id::{AgentId, ClassId, CredentialKey, ReaderKey, ScheduleId};
use doorward_protocol::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// What compiling everything begins with; who holds which cards is then worked out part by part.
pub struct Survey<'a> {
    directory: &'a Directory,
    reader_key: &'a ReaderKey,
    index: Index,
}

/// A part of the cards, and who holds them.
pub struct Part {
    /// The cards that some agent holds.
    cards: Vec<(CredentialKey, CardFacts)>,
    /// Per agent, in the order of the index, the cards that it holds with their classes, by their places.
    held: Vec<Vec<(u32, u32)>>,
    ids: Vec<ClassId>,
    classes: BTreeMap<ClassId, Class>,
    holders: Vec<(CardId, Arc<BTreeSet<AgentId>>)>,
}

/// What is to be compiled: who holds which credentials is worked out, the states are still to be made.
pub struct Plan<'a> {
    survey: Survey<'a>,
    /// All cards, in parts.
    parts: Vec<Part>,
    classes: BTreeMap<ClassId, Class>,
}

impl<'a> Survey<'a> {
    /// Looks at a directory; before the first import there are no agents and no cards.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn new(directory: &'a Directory) -> Result<Self, CompileError> {
        let reader_key = directory.reader_key().ok_or(CompileError::NotFounded)?;
        let index = directory.policy().map(|policy| Index::new(directory, policy)).transpose()?;
        Ok(Self { directory, reader_key, index: index.unwrap_or_else(Index::empty) })
    }

    /// The cards in so many parts of about one size, in their order: the first card of each part.
    #[must_use]
    pub fn divide(&self, parts: usize) -> Vec<&'a CardId> {
        let cards = &self.directory.tables().cards;
        cards.keys().step_by(cards.len().div_ceil(parts.max(1)).max(1)).collect()
    }

    /// Works a part out: the cards from one on, up to another that is not in it.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn part(&self, first: &CardId, end: Option<&CardId>) -> Result<Part, CompileError> {
        let (cards, ids, classes, holders) = (Vec::new(), Vec::new(), BTreeMap::new(), Vec::new());
        let mut part = Part { cards, held: Vec::new(), ids, classes, holders };
        part.held.resize_with(self.index.agents.len(), Vec::new);
        let Some(policy) = self.directory.policy() else { return Ok(part) };
        let tables = self.directory.tables();
        let mut accesses = Accesses::new(&self.index, policy, tables, false);
        let range = (Bound::Included(first), end.map_or(Bound::Unbounded, Bound::Excluded));
        let cards = tables.cards.range::<CardId, _>(range);
        for (id, card) in cards.filter(|(_, card)| card.state != CardState::Closed) {
            let person = tables.people.get(&card.person);
            let person = person.ok_or_else(|| CompileError::Missing("person", card.person.to_string()))?;
            let facts = CardFacts::new(policy, self.directory, card, person)?;
            let access = accesses.of(person, card)?;
            if access.classes.is_empty() {
                continue;
            }
            // More cards than this reach the bound of facts long before.
            let place = u32::try_from(part.cards.len()).unwrap_or(u32::MAX);
            for (agent, class) in &access.classes {
                part.held.get_mut(*agent).into_iter().for_each(|held| held.push((place, *class)));
            }
            part.holders.push((id.clone(), Arc::clone(&access.holders)));
            part.cards.push((self.reader_key.credential_key(id.as_str()), facts));
        }
        (part.ids, part.classes) = (accesses.ids, accesses.classes);
        Ok(part)
    }

    /// The plan of all parts, which are in the order of their cards.
    #[must_use]
    pub fn plan(self, mut parts: Vec<Part>) -> Plan<'a> {
        let classes = parts.iter_mut().flat_map(|part| core::mem::take(&mut part.classes)).collect();
        Plan { survey: self, parts, classes }
    }
}

impl<'a> Plan<'a> {
    /// Plans all agents of a directory; before the first import there are none.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn new(directory: &'a Directory) -> Result<Self, CompileError> {
        let survey = Survey::new(directory)?;
        let parts = survey.divide(1).into_iter().map(|first| survey.part(first, None)).collect::<Result<_, _>>()?;
        Ok(survey.plan(parts))
    }

    /// How many agents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.survey.index.agents.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.survey.index.agents.is_empty()
    }

    /// The places of all agents, those with the most credentials first: whoever works on several at once begins with them.
    #[must_use]
    pub fn largest_first(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.len()).collect();
        places.sort_by_key(|place| core::cmp::Reverse(self.held(*place).map(<[_]>::len).sum::<usize>()));
        places
    }

    /// What the agent at a place holds, part by part.
    fn held(&self, place: usize) -> impl Iterator<Item = &[(u32, u32)]> {
        self.parts.iter().map(move |part| part.held.get(place).map(Vec::as_slice).unwrap_or_default())
    }

    /// The state of the agent at a place.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn state(&self, place: usize) -> Result<State, CompileError> {
        let Survey { directory, reader_key, index } = &self.survey;
        let held: usize = self.held(place).map(<[_]>::len).sum();
        let mut facts = Vec::with_capacity(held.saturating_add(64));
        facts.push(Fact::Reader((*reader_key).clone()));
        facts.push(Fact::Calendar(index.calendar.clone()));
        let mut schedules: BTreeSet<ScheduleId> = BTreeSet::new();
        let doors = index.doors_of.get(place).into_iter().flatten();
        for door in doors.filter_map(|door| index.doors.get(*door)) {
            schedules.extend(door.unlock);
            facts.push(door_fact(door, directory));
        }
        let mut classes = BTreeSet::new();
        for (part, held) in self.parts.iter().zip(self.held(place)) {
            for (card, class) in held {
                let card = usize::try_from(*card).ok().and_then(|card| part.cards.get(card));
                let Some(((key, card), class)) = card.zip(id_at(&part.ids, *class)) else { continue };
                facts.push(Fact::Credential(card.credential(*key, class)));
                classes.insert(class);
            }
        }
        put_derived(&mut facts, &classes, schedules, index, &self.classes);
        State::from_facts(facts).map_err(|error| {
            let agent = index.agents.get(place).cloned();
            agent.map_or(CompileError::NotFounded, |agent| CompileError::Agent { agent, error })
        })
    }

    /// All states, in the order of the places.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn states_one_by_one(&self) -> Result<Vec<State>, CompileError> {
        (0..self.len()).map(|place| self.state(place)).collect()
    }

    /// Puts the states together, which are in the order of the places.
    #[must_use]
    pub fn finish(self, states: Vec<State>) -> Compiled {
        let Survey { directory, reader_key, index } = self.survey;
        Compiled {
            agents: index.agents.iter().cloned().zip(states).collect(),
            // From lists in order, a map is made in one go.
            holders: self.parts.into_iter().flat_map(|part| part.holders).collect(),
            reader_key: Some(reader_key.clone()),
            structure_seq: directory.policy().is_some().then(|| directory.structure_seq()),
            index: Some(Arc::new(index)),
        }
    }
}
