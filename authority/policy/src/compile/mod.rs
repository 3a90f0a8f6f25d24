//! Compile: from the directory, for each agent, the facts that its doors need, and what a change makes of them.
//!
//! Deliberately no rule, name or number reaches an agent: rules become classes, card ids their keyed hashes. An update
//! costs what it touches; `whole` is the same code on everything, and `reference` is what both are held against.

mod access;
mod index;
mod ranges;
mod update;
mod whole;

pub use whole::{Part, Plan, Survey};

use crate::directory::Directory;
use crate::model::CardId;
use crate::touched::Touched;
use doorward_protocol::codec::CodecError;
use doorward_protocol::facts::{ClassDoor, Credential, Effect, Fact, FactKey};
use doorward_protocol::id::{AgentId, CredentialKey, DoorId, ReaderKey};
use doorward_protocol::state::{Change, State, StateError};
use index::Index;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;

/// The states of all agents, as one directory has them.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    agents: BTreeMap<AgentId, State>,
    /// Which agents hold a card; cards that no agent holds are absent.
    holders: BTreeMap<CardId, Arc<BTreeSet<AgentId>>>,
    reader_key: Option<ReaderKey>,
    index: Option<Arc<Index>>,
    /// What the index follows from; `None` when it may not be that.
    structure_seq: Option<u64>,
}

/// What an update changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Agents whose state is another one, or new.
    pub changed: BTreeSet<AgentId>,
    /// Agents that have no state any more.
    pub gone: BTreeSet<AgentId>,
}

/// Why a directory cannot be compiled. Folders that were parsed and commands that were checked never are malformed;
/// bounds can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompileError {
    /// The journal has no first entry.
    #[error("the campus is not founded; there is no secret to hash card ids with")]
    NotFounded,
    /// The bundled database lacks the time zone.
    #[error("time zone `{0}` is not in the bundled database; an IANA name such as Asia/Seoul is")]
    UnknownTimeZone(String),
    /// Something refers to what is not there.
    #[error("{0} `{1}` is referred to and not there")]
    Missing(&'static str, String),
    /// A schedule or class is larger than any message.
    #[error("a schedule or class is too large: {0}; divide the doors among more agents, or use fewer rules")]
    TooLarge(#[from] CodecError),
    /// The facts of an agent reach a bound.
    #[error("agent `{agent}`: {error}; divide its doors among more agents")]
    Agent {
        /// Which agent.
        agent: AgentId,
        /// What is wrong.
        error: StateError,
    },
}

/// Which cards an agent holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holding<'a> {
    /// Those that can ever open one of its doors.
    WhatCanOpen,
    /// These and no others, whatever they open, so that the reason for each denial is the exact one.
    All(&'a BTreeSet<CardId>),
}

impl Compiled {
    /// Compiles a whole directory.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn whole(directory: &Directory) -> Result<Self, CompileError> {
        Self::whole_with(directory, Holding::WhatCanOpen)
    }

    pub(crate) fn whole_with(directory: &Directory, holding: Holding<'_>) -> Result<Self, CompileError> {
        match holding {
            Holding::WhatCanOpen => {
                let plan = Plan::new(directory)?;
                let states = plan.states_one_by_one()?;
                Ok(plan.finish(states))
            }
            Holding::All(_) => {
                let mut compiled = Self::default();
                compiled.recompile(directory, &Touched::everything(), holding)?;
                Ok(compiled)
            }
        }
    }

    /// Takes over what entries have touched; `directory` is the one after them.
    ///
    /// # Errors
    /// See [`CompileError`]; everything is then as it was.
    pub fn update(&mut self, directory: &Directory, touched: &Touched) -> Result<Changes, CompileError> {
        self.update_with(directory, touched, |plan| plan.states_one_by_one())
    }

    /// The same, where `work_off` makes the states of a plan when everything is touched.
    ///
    /// # Errors
    /// See [`CompileError`]; everything is then as it was.
    pub fn update_with(
        &mut self,
        directory: &Directory,
        touched: &Touched,
        work_off: impl FnOnce(&Plan<'_>) -> Result<Vec<State>, CompileError>,
    ) -> Result<Changes, CompileError> {
        if !touched.everything {
            return self.recompile(directory, touched, Holding::WhatCanOpen);
        }
        let plan = Plan::new(directory)?;
        let states = work_off(&plan)?;
        let new = plan.finish(states);
        let is_same = |agent: &AgentId, state: &State| {
            self.agents.get(agent).is_some_and(|known| known.digest() == state.digest())
        };
        let changed = new.agents.iter().filter(|(agent, state)| !is_same(agent, state));
        let changed = changed.map(|(agent, _)| agent.clone()).collect();
        let gone = self.agents.keys().filter(|agent| !new.agents.contains_key(*agent)).cloned().collect();
        *self = new;
        Ok(Changes { changed, gone })
    }

    /// The state of an agent.
    #[must_use]
    pub fn state(&self, agent: &AgentId) -> Option<&State> {
        self.agents.get(agent)
    }

    /// All agents with their states.
    pub fn agents(&self) -> impl Iterator<Item = (&AgentId, &State)> {
        self.agents.iter()
    }

    /// The agents that hold a card.
    pub fn holders(&self, card: &CardId) -> impl Iterator<Item = &AgentId> {
        self.holders.get(card).into_iter().flat_map(|agents| agents.iter())
    }

    /// A card's credential at each agent that holds it, with that agent and its state.
    pub(crate) fn credentials(&self, card: &CardId) -> impl Iterator<Item = (&AgentId, &State, Credential)> {
        let key = self.key_of(card);
        let states = self.holders(card).filter_map(|agent| self.agents.get_key_value(agent));
        states.filter_map(move |(agent, state)| Some((agent, state, state.credential(key?)?)))
    }

    /// The doors of an agent, each with the length of its lease in milliseconds; `None` is without end.
    pub fn doors(&self, agent: &AgentId) -> impl Iterator<Item = (&DoorId, Option<u64>)> {
        let doors = self.index.as_ref().into_iter().flat_map(move |index| index.doors_of(agent));
        doors.map(|door| (&door.id, door.lease_ms))
    }

    /// The doors of an agent that a card opens at some time, its state and validity left aside.
    #[must_use]
    pub fn doors_known(&self, agent: &AgentId, card: &CardId) -> Vec<DoorId> {
        let Some(state) = self.agents.get(agent) else { return Vec::new() };
        let Some(key) = self.key_of(card) else { return Vec::new() };
        let Some(credential) = state.credential(key) else { return Vec::new() };
        permitted_doors(state, &credential).map(|door| door.door.clone()).collect()
    }

    /// What brings an agent to the present from a state since which no more than `touched` has changed.
    ///
    /// It is the present value of every fact that is touched. `None` when everything can have changed, or more than there
    /// is at the agent: then it needs all of its facts.
    #[must_use]
    pub fn delta(&self, directory: &Directory, agent: &AgentId, touched: &Touched) -> Option<Change> {
        let resolved = touched.resolve(directory);
        if resolved.everything || resolved.agents.contains(agent) {
            return None;
        }
        let state = self.agents.get(agent)?;
        if resolved.cards.len() > state.len() {
            // Most of them were never here, and all facts are fewer.
            return None;
        }
        let (mut primary, mut present) = (BTreeSet::new(), BTreeSet::new());
        let cards_here = resolved.cards_at.get(agent).into_iter().flatten();
        for card in resolved.cards.iter().chain(cards_here) {
            let key = FactKey::Credential(self.key_of(card)?);
            if resolved.states_alone.contains(card) && state.fact(&key).is_some() {
                // Its class is there already: it is the one that it had.
                present.insert(key);
            } else {
                primary.insert(key);
            }
        }
        // A door that left this agent came with an import, which touched all of the agent.
        let doors = resolved.doors.into_iter().map(FactKey::Door);
        primary.extend(doors.filter(|key| state.fact(key).is_some()));
        primary.extend(resolved.calendar.then_some(FactKey::Calendar));
        let mut change = Change::default();
        for key in primary {
            match state.fact(&key) {
                Some(fact) => add_with_references(state, &fact, &mut present),
                None => change.removed.push(key),
            }
        }
        change.put = present.iter().filter_map(|key| state.fact(key)).map(Cow::into_owned).collect();
        Some(change)
    }

    fn key_of(&self, card: &CardId) -> Option<CredentialKey> {
        self.reader_key.as_ref().map(|reader_key| reader_key.credential_key(card.as_str()))
    }
}

fn add_with_references(state: &State, fact: &Fact, present: &mut BTreeSet<FactKey>) {
    if present.insert(fact.key()) {
        for reference in fact.references() {
            if let Some(fact) = state.fact(&reference) {
                add_with_references(state, &fact, present);
            }
        }
    }
}

/// The doors at which a credential's class has a permit entry.
pub(crate) fn permitted_doors<'a>(state: &'a State, credential: &Credential) -> impl Iterator<Item = &'a ClassDoor> {
    let permits = |door: &&ClassDoor| door.entries.iter().any(|entry| entry.effect == Effect::Permit);
    state.class(credential.class).into_iter().flat_map(|class| &class.doors).filter(permits)
}
