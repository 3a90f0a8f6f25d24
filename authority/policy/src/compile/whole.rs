//! Compiling everything, in pieces that need nothing of each other: one for each agent.
//!
//! Deliberately without threads: whoever has some works the pieces off on them, in any order, and gets the same bytes.

use super::access::Accesses;
use super::index::Index;
use super::update::{CardFacts, door_fact, put_derived};
use super::{CompileError, Compiled};
use crate::directory::Directory;
use crate::model::{CardId, CardState};
use doorward_protocol::facts::{Class, Fact};
use doorward_protocol::id::{AgentId, ClassId, CredentialKey, ReaderKey, ScheduleId};
use doorward_protocol::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is to be compiled: who holds which credentials is worked out, the states are still to be made.
pub struct Plan<'a> {
    directory: &'a Directory,
    reader_key: &'a ReaderKey,
    index: Arc<Index>,
    /// The cards that some agent holds.
    cards: Vec<(CredentialKey, CardFacts)>,
    /// Per agent, in the order of the index, the cards that it holds, by place, with their classes.
    held: Vec<Vec<(u32, ClassId)>>,
    classes: BTreeMap<ClassId, Class>,
    holders: BTreeMap<CardId, Arc<BTreeSet<AgentId>>>,
}

impl<'a> Plan<'a> {
    /// Plans all agents of a directory; before the first import there are none.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn new(directory: &'a Directory) -> Result<Self, CompileError> {
        let reader_key = directory.reader_key().ok_or(CompileError::NotFounded)?;
        let (index, cards, held) = (Arc::new(Index::empty()), Vec::new(), Vec::new());
        let (classes, holders) = (BTreeMap::new(), BTreeMap::new());
        let mut plan = Self { directory, reader_key, index, cards, held, classes, holders };
        let Some(policy) = directory.policy() else { return Ok(plan) };
        let index = Index::new(directory, policy)?;
        plan.held.resize_with(index.agents.len(), Vec::new);
        let tables = directory.tables();
        let mut accesses = Accesses::new(&index, policy, tables, false);
        let mut holders = Vec::new();
        for (id, card) in tables.cards.iter().filter(|(_, card)| card.state != CardState::Closed) {
            let person = tables.people.get(&card.person);
            let person = person.ok_or_else(|| CompileError::Missing("person", card.person.to_string()))?;
            let facts = CardFacts::new(policy, directory, card, person)?;
            let access = accesses.of(person, card)?;
            if access.classes.is_empty() {
                continue;
            }
            // More cards than this reach the bound of facts long before.
            let place = u32::try_from(plan.cards.len()).unwrap_or(u32::MAX);
            for (agent, class) in &access.classes {
                plan.held.get_mut(*agent).into_iter().for_each(|held| held.push((place, *class)));
            }
            plan.cards.push((reader_key.credential_key(id.as_str()), facts));
            holders.push((id.clone(), Arc::clone(&access.holders)));
        }
        plan.classes = accesses.classes;
        // From a list in order, a map is made in one go.
        plan.holders = holders.into_iter().collect();
        plan.index = Arc::new(index);
        Ok(plan)
    }

    /// How many agents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.agents.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.agents.is_empty()
    }

    /// The places of all agents, those with the most credentials first: whoever works on several at once begins with them.
    #[must_use]
    pub fn largest_first(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.len()).collect();
        places.sort_by_key(|place| core::cmp::Reverse(self.held.get(*place).map_or(0, Vec::len)));
        places
    }

    /// The state of the agent at a place.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn state(&self, place: usize) -> Result<State, CompileError> {
        let held = self.held.get(place).map(Vec::as_slice).unwrap_or_default();
        let mut facts = Vec::with_capacity(held.len().saturating_add(64));
        facts.push(Fact::Reader(self.reader_key.clone()));
        facts.push(Fact::Calendar(self.index.calendar.clone()));
        let mut schedules: BTreeSet<ScheduleId> = BTreeSet::new();
        let doors = self.index.doors_of.get(place).into_iter().flatten();
        for door in doors.filter_map(|door| self.index.doors.get(*door)) {
            schedules.extend(door.unlock);
            facts.push(door_fact(door, self.directory));
        }
        let mut classes = BTreeSet::new();
        for (card, class) in held {
            let Some((key, card)) = usize::try_from(*card).ok().and_then(|card| self.cards.get(card)) else { continue };
            facts.push(Fact::Credential(card.credential(*key, *class)));
            classes.insert(*class);
        }
        put_derived(&mut facts, &classes, schedules, &self.index, &self.classes);
        State::from_facts(facts).map_err(|error| {
            let agent = self.index.agents.get(place).cloned();
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
        Compiled {
            agents: self.index.agents.iter().cloned().zip(states).collect(),
            holders: self.holders,
            reader_key: Some(self.reader_key.clone()),
            structure_seq: self.directory.policy().is_some().then(|| self.directory.structure_seq()),
            index: Some(self.index),
        }
    }
}
