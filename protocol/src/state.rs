//! The state of one agent: its facts, their digest, and which derived facts are still referred to.
//!
//! The same code keeps it at the agent and, for every agent, at the authority. A change is tried, its digest compared,
//! and undone when it is not the signed one, so that nothing unproven stays.

use crate::codec::{self, CodecError};
use crate::digest::SetSum;
use crate::facts::{Fact, FactKey};
use crate::id::Hash;
use crate::limits::{DOORS_MAX, FACT_BYTES_MAX, FACTS_MAX};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Facts of one agent.
#[derive(Debug, Clone, Default)]
pub struct State {
    facts: BTreeMap<FactKey, Fact>,
    references: BTreeMap<FactKey, usize>,
    sum: SetSum,
    doors: usize,
}

/// What to take away and what to put; putting replaces. Taking away what is not there changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Keys of primary facts.
    pub removed: Vec<FactKey>,
    /// Facts, derived ones included where a put fact refers to them.
    pub put: Vec<Fact>,
}

impl Change {
    /// Whether it names nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.put.is_empty()
    }
}

/// What a change did: for every fact that is different now, what was there before. Enough to undo it.
#[derive(Debug, Clone, Default)]
pub struct Undo(BTreeMap<FactKey, Option<Fact>>);

impl Undo {
    /// Keys of the facts that are different now.
    pub fn keys(&self) -> impl Iterator<Item = &FactKey> {
        self.0.keys()
    }

    /// What was there before the change under a key that changed.
    #[must_use]
    pub fn before(&self, key: &FactKey) -> Option<&Fact> {
        self.0.get(key).and_then(Option::as_ref)
    }
}

/// Why a change was not made; the state is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// A fact cannot be encoded or is larger than its bound.
    #[error("a fact is larger than {FACT_BYTES_MAX} bytes")]
    FactTooLarge,
    /// More facts or doors than the bounds.
    #[error("the change leads to more facts or doors than the bounds allow")]
    TooMany,
    /// A fact contradicts itself: unsorted, out of range, or named by an id that is not its content's.
    #[error("a fact is malformed: {0:?}")]
    Malformed(FactKey),
    /// A fact refers to a derived fact that is not there.
    #[error("a fact refers to {0:?}, which is not there")]
    Dangling(FactKey),
    /// A message asked to remove a derived fact.
    #[error("derived facts are not removed by name: {0:?}")]
    RemovesDerived(FactKey),
}

impl From<CodecError> for StateError {
    fn from(_: CodecError) -> Self {
        Self::FactTooLarge
    }
}

impl State {
    /// The digest of all facts.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.sum.digest()
    }

    /// All facts, by key.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.values()
    }

    /// The fact with this key.
    #[must_use]
    pub fn fact(&self, key: &FactKey) -> Option<&Fact> {
        self.facts.get(key)
    }

    /// How many facts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is no fact.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// A state from all of its facts.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn from_facts(facts: Vec<Fact>) -> Result<Self, StateError> {
        let mut state = Self::default();
        state.apply(&Change { removed: Vec::new(), put: facts })?;
        Ok(state)
    }

    /// Makes a change, then drops derived facts that nothing refers to (PROTOCOL 4.3).
    ///
    /// # Errors
    /// See [`StateError`]; the state is then as it was.
    pub fn apply(&mut self, change: &Change) -> Result<Undo, StateError> {
        let mut undo = Undo::default();
        match self.try_apply(change, &mut undo) {
            Ok(()) => Ok(undo),
            Err(error) => {
                self.undo(undo);
                Err(error)
            }
        }
    }

    /// Puts everything back as it was before the change; only right directly after it.
    pub fn undo(&mut self, undo: Undo) {
        for (key, before) in undo.0 {
            // What was there was encodable when it came in, so neither branch can fail.
            let _encodable = match before {
                Some(fact) => self.set(fact, &mut Undo::default()),
                None => self.unset(&key, &mut Undo::default()),
            };
        }
    }

    fn try_apply(&mut self, change: &Change, undo: &mut Undo) -> Result<(), StateError> {
        for key in &change.removed {
            if key.is_derived() {
                return Err(StateError::RemovesDerived(key.clone()));
            }
            self.unset(key, undo)?;
        }
        for fact in &change.put {
            if !fact.is_well_formed()? {
                return Err(StateError::Malformed(fact.key()));
            }
            self.set(fact.clone(), undo)?;
        }
        self.drop_unreferenced(undo)?;
        self.check_references(undo)?;
        if self.facts.len() > FACTS_MAX || self.doors > DOORS_MAX {
            return Err(StateError::TooMany);
        }
        Ok(())
    }

    fn set(&mut self, fact: Fact, undo: &mut Undo) -> Result<(), StateError> {
        let key = fact.key();
        if self.facts.get(&key) == Some(&fact) {
            return Ok(());
        }
        let bytes = codec::encode(&fact)?;
        if bytes.len() > FACT_BYTES_MAX {
            return Err(StateError::FactTooLarge);
        }
        self.unset(&key, undo)?;
        self.sum.add(&bytes);
        for reference in fact.references() {
            let count = self.references.entry(reference).or_default();
            *count = count.saturating_add(1);
        }
        self.doors = self.doors.saturating_add(usize::from(matches!(fact, Fact::Door(_))));
        undo.0.entry(key.clone()).or_insert(None);
        self.facts.insert(key, fact);
        Ok(())
    }

    fn unset(&mut self, key: &FactKey, undo: &mut Undo) -> Result<(), StateError> {
        let Some(fact) = self.facts.get(key) else { return Ok(()) };
        self.sum.remove(&codec::encode(fact)?);
        let Some(fact) = self.facts.remove(key) else { return Ok(()) };
        for reference in fact.references() {
            if let Some(count) = self.references.get_mut(&reference) {
                *count = count.saturating_sub(1);
            }
        }
        self.doors = self.doors.saturating_sub(usize::from(matches!(fact, Fact::Door(_))));
        undo.0.entry(key.clone()).or_insert(Some(fact));
        Ok(())
    }

    /// Only what the change touched, or what a touched fact referred to, can have lost its last reference.
    fn drop_unreferenced(&mut self, undo: &mut Undo) -> Result<(), StateError> {
        let mut candidates: BTreeSet<FactKey> = undo.0.keys().cloned().collect();
        candidates.extend(undo.0.values().flatten().flat_map(Fact::references));
        while let Some(key) = candidates.pop_last() {
            if self.references.get(&key) == Some(&0) {
                self.references.remove(&key);
            }
            if key.is_derived() && !self.references.contains_key(&key) {
                candidates.extend(self.facts.get(&key).map(Fact::references).unwrap_or_default());
                self.unset(&key, undo)?;
            }
        }
        Ok(())
    }

    fn check_references(&self, undo: &Undo) -> Result<(), StateError> {
        let present = undo.0.keys().filter_map(|key| self.facts.get(key));
        for reference in present.flat_map(Fact::references) {
            if !self.facts.contains_key(&reference) {
                return Err(StateError::Dangling(reference));
            }
        }
        // A derived fact that went away while something still refers to it would dangle, too.
        let gone = undo.0.keys().filter(|key| !self.facts.contains_key(key));
        match gone.into_iter().find(|key| self.references.contains_key(key)) {
            Some(key) => Err(StateError::Dangling(key.clone())),
            None => Ok(()),
        }
    }
}

impl Fact {
    /// Whether the fact keeps its own rules: order, ranges, and ids that are those of the content.
    ///
    /// # Errors
    /// [`CodecError::Unencodable`] when a derived fact is larger than a frame.
    pub fn is_well_formed(&self) -> Result<bool, CodecError> {
        Ok(match self {
            Self::Calendar(calendar) => calendar.zone.is_well_formed() && calendar.holidays.is_sorted_by(|a, b| a < b),
            Self::Reader(_) | Self::Door(_) | Self::Credential(_) => true,
            Self::Schedule(id, schedule) => schedule.is_well_formed() && schedule.id()? == *id,
            Self::Class(id, class) => {
                class.functions.is_sorted_by(|a, b| a < b)
                    && class.doors.is_sorted_by(|a, b| a.door < b.door)
                    && class.doors.iter().all(|door| {
                        !door.entries.is_empty()
                            && door.entries.is_sorted_by(|a, b| a < b)
                            && door.entries.iter().all(|entry| entry.factors.is_well_formed())
                    })
                    && class.id()? == *id
            }
        })
    }
}
