//! The state of one agent: its facts, their digest, and which derived facts are still referred to.
//!
//! The same code keeps it at the agent and, for every agent, at the authority. A change is tried, its digest compared,
//! and undone when it is not the signed one, so that nothing unproven stays.

use crate::codec::{self, CodecError};
use crate::credentials::{Collecting, Credentials, TooManyClasses};
use crate::digest::SetSum;
use crate::facts::{Class, Credential, Door, Fact, FactKey};
use crate::id::{ClassId, CredentialKey, Hash, ScheduleId};
use crate::limits::{DOORS_MAX, FACT_BYTES_MAX, FACTS_MAX};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Facts of one agent.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Everything but the credentials, which are many and small.
    others: BTreeMap<FactKey, Fact>,
    credentials: Credentials,
    /// How many facts refer to each schedule; what refers to classes is counted with the credentials.
    references: BTreeMap<ScheduleId, usize>,
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
pub struct Undo {
    others: BTreeMap<FactKey, Option<Fact>>,
    credentials: BTreeMap<CredentialKey, Option<Credential>>,
}

impl Undo {
    /// Keys of the facts that are different now, ascending.
    pub fn keys(&self) -> impl Iterator<Item = FactKey> {
        let (primary, derived): (Vec<_>, Vec<_>) = self.others.keys().cloned().partition(|key| !key.is_derived());
        let credentials = self.credentials.keys().copied().map(FactKey::Credential);
        primary.into_iter().chain(credentials).chain(derived)
    }

    /// Whether credentials and classes are all that is different now.
    #[must_use]
    pub fn concerns_holders_only(&self) -> bool {
        self.others.keys().all(|key| matches!(key, FactKey::Class(_)))
    }
}

/// A state whose facts are still coming: no larger than what it will be.
#[derive(Debug, Default)]
pub struct Gathering {
    state: State,
    new: Undo,
    credentials: Collecting,
}

impl Gathering {
    /// Takes one more fact.
    ///
    /// # Errors
    /// See [`StateError`]; nothing comes of it any more then.
    pub fn put(&mut self, fact: Fact) -> Result<(), StateError> {
        match fact {
            Fact::Credential(credential) => Ok(self.credentials.push(&credential)?),
            Fact::Calendar(_) | Fact::Reader(_) | Fact::Door(_) | Fact::Schedule(..) | Fact::Class(..) => {
                self.state.put(fact, &mut self.new)
            }
        }
    }

    /// The state, once all facts are there.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn finish(self) -> Result<State, StateError> {
        let Self { mut state, mut new, credentials } = self;
        state.credentials = credentials.finish();
        for credential in state.credentials.iter() {
            state.sum.add(&codec::encode(&Fact::Credential(credential))?);
        }
        state.drop_unreferenced(&mut new)?;
        state.check_references(&new)?;
        let is_there = |id: &ClassId| state.others.contains_key(&FactKey::Class(*id));
        if let Some(id) = state.credentials.classes().ids().find(|id| !is_there(id)) {
            return Err(StateError::Dangling(FactKey::Class(id)));
        }
        state.check_bounds()?;
        Ok(state)
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

impl From<TooManyClasses> for StateError {
    fn from(_: TooManyClasses) -> Self {
        Self::TooMany
    }
}

/// By the digest, which no two states have in common.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for State {}

impl State {
    /// The digest of all facts.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.sum.digest()
    }

    /// All facts, by key.
    pub fn facts(&self) -> impl Iterator<Item = Cow<'_, Fact>> {
        let primary = self.others.iter().take_while(|(key, _)| !key.is_derived());
        let derived = self.others.iter().skip_while(|(key, _)| !key.is_derived());
        let credentials = self.credentials.iter().map(|credential| Cow::Owned(Fact::Credential(credential)));
        let borrowed = |(_, fact)| Cow::Borrowed(fact);
        primary.map(borrowed).chain(credentials).chain(derived.map(borrowed))
    }

    /// The fact with this key.
    #[must_use]
    pub fn fact(&self, key: &FactKey) -> Option<Cow<'_, Fact>> {
        match key {
            FactKey::Credential(key) => self.credential(*key).map(|held| Cow::Owned(Fact::Credential(held))),
            FactKey::Calendar | FactKey::Reader | FactKey::Door(_) | FactKey::Schedule(_) | FactKey::Class(_) => {
                self.others.get(key).map(Cow::Borrowed)
            }
        }
    }

    /// The credential with this key.
    #[must_use]
    pub fn credential(&self, key: CredentialKey) -> Option<Credential> {
        self.credentials.credential(key)
    }

    /// The class with this id.
    #[must_use]
    pub fn class(&self, id: ClassId) -> Option<&Class> {
        match self.others.get(&FactKey::Class(id)) {
            Some(Fact::Class(_, class)) => Some(class),
            Some(_) | None => None,
        }
    }

    /// The doors, by id.
    pub fn doors(&self) -> impl Iterator<Item = &Door> {
        self.others.values().filter_map(|fact| if let Fact::Door(door) = fact { Some(door) } else { None })
    }

    /// All facts but the credentials, by key.
    pub fn facts_but_credentials(&self) -> impl Iterator<Item = &Fact> {
        self.others.values()
    }

    /// The credentials, packed.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How many facts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.others.len().saturating_add(self.credentials.len())
    }

    /// Whether there is no fact.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty() && self.credentials.is_empty()
    }

    /// A state from all of its facts; of several with the same key the last one counts. What it comes to is what a
    /// change of an empty state comes to, at a fraction of the cost.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn from_facts(facts: impl IntoIterator<Item = Fact>) -> Result<Self, StateError> {
        let mut gathering = Gathering::default();
        facts.into_iter().try_for_each(|fact| gathering.put(fact))?;
        gathering.finish()
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
        // What was there was encodable and had room when it came in, so none of this can fail.
        for (key, before) in undo.others {
            let _possible = match before {
                Some(fact) => self.set(fact, &mut Undo::default()),
                None => self.unset(&key, &mut Undo::default()),
            };
        }
        for (key, before) in undo.credentials {
            let _possible = match before {
                Some(credential) => self.set_credential(&credential, &mut Undo::default()),
                None => self.unset_credential(key, &mut Undo::default()),
            };
        }
    }

    fn try_apply(&mut self, change: &Change, undo: &mut Undo) -> Result<(), StateError> {
        for key in &change.removed {
            if key.is_derived() {
                return Err(StateError::RemovesDerived(key.clone()));
            }
            match key {
                FactKey::Credential(key) => self.unset_credential(*key, undo)?,
                FactKey::Calendar | FactKey::Reader | FactKey::Door(_) | FactKey::Schedule(_) | FactKey::Class(_) => {
                    self.unset(key, undo)?;
                }
            }
        }
        for fact in &change.put {
            match fact {
                Fact::Credential(credential) => self.set_credential(credential, undo)?,
                Fact::Calendar(_) | Fact::Reader(_) | Fact::Door(_) | Fact::Schedule(..) | Fact::Class(..) => {
                    self.put(fact.clone(), undo)?;
                }
            }
        }
        self.drop_unreferenced(undo)?;
        self.check_references(undo)?;
        self.check_bounds()
    }

    fn check_bounds(&self) -> Result<(), StateError> {
        let is_within = self.len() <= FACTS_MAX && self.doors <= DOORS_MAX;
        if is_within { Ok(()) } else { Err(StateError::TooMany) }
    }

    fn put(&mut self, fact: Fact, undo: &mut Undo) -> Result<(), StateError> {
        if !fact.is_well_formed()? {
            return Err(StateError::Malformed(fact.key()));
        }
        self.set(fact, undo)
    }

    fn set(&mut self, fact: Fact, undo: &mut Undo) -> Result<(), StateError> {
        let key = fact.key();
        if self.others.get(&key) == Some(&fact) {
            return Ok(());
        }
        let bytes = codec::encode(&fact)?;
        if bytes.len() > FACT_BYTES_MAX {
            return Err(StateError::FactTooLarge);
        }
        self.unset(&key, undo)?;
        self.sum.add(&bytes);
        for schedule in schedules_of(&fact) {
            let count = self.references.entry(schedule).or_default();
            *count = count.saturating_add(1);
        }
        self.doors = self.doors.saturating_add(usize::from(matches!(fact, Fact::Door(_))));
        undo.others.entry(key.clone()).or_insert(None);
        self.others.insert(key, fact);
        Ok(())
    }

    fn unset(&mut self, key: &FactKey, undo: &mut Undo) -> Result<(), StateError> {
        let Some(fact) = self.others.get(key) else { return Ok(()) };
        self.sum.remove(&codec::encode(fact)?);
        let Some(fact) = self.others.remove(key) else { return Ok(()) };
        for schedule in schedules_of(&fact) {
            if let Some(count) = self.references.get_mut(&schedule) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.references.remove(&schedule);
                }
            }
        }
        self.doors = self.doors.saturating_sub(usize::from(matches!(fact, Fact::Door(_))));
        undo.others.entry(key.clone()).or_insert(Some(fact));
        Ok(())
    }

    fn set_credential(&mut self, credential: &Credential, undo: &mut Undo) -> Result<(), StateError> {
        let before = self.credential(credential.key);
        if before.as_ref() == Some(credential) {
            return Ok(());
        }
        let bytes = codec::encode(&Fact::Credential(*credential))?;
        self.credentials.put(credential)?;
        if let Some(before) = before {
            self.sum.remove(&codec::encode(&Fact::Credential(before))?);
        }
        self.sum.add(&bytes);
        undo.credentials.entry(credential.key).or_insert(before);
        Ok(())
    }

    fn unset_credential(&mut self, key: CredentialKey, undo: &mut Undo) -> Result<(), StateError> {
        let Some(before) = self.credential(key) else { return Ok(()) };
        self.sum.remove(&codec::encode(&Fact::Credential(before))?);
        self.credentials.remove(key);
        undo.credentials.entry(key).or_insert(Some(before));
        Ok(())
    }

    fn is_referred_to(&self, key: &FactKey) -> bool {
        match key {
            FactKey::Class(id) => self.credentials.classes().is_referred_to(*id),
            FactKey::Schedule(id) => self.references.contains_key(id),
            FactKey::Calendar | FactKey::Reader | FactKey::Door(_) | FactKey::Credential(_) => false,
        }
    }

    /// Only what the change touched, or what a touched fact referred to, can have lost its last reference.
    fn drop_unreferenced(&mut self, undo: &mut Undo) -> Result<(), StateError> {
        let mut candidates: BTreeSet<FactKey> = undo.others.keys().cloned().collect();
        candidates.extend(undo.others.values().flatten().flat_map(Fact::references));
        let before = undo.credentials.values().flatten();
        candidates.extend(before.map(|credential| FactKey::Class(credential.class)));
        while let Some(key) = candidates.pop_last() {
            if key.is_derived() && !self.is_referred_to(&key) {
                candidates.extend(self.others.get(&key).map(Fact::references).unwrap_or_default());
                self.unset(&key, undo)?;
            }
        }
        Ok(())
    }

    fn check_references(&self, undo: &Undo) -> Result<(), StateError> {
        let present = undo.others.keys().filter_map(|key| self.others.get(key));
        let of_others = present.flat_map(Fact::references);
        let credentials = undo.credentials.keys().filter_map(|key| self.credential(*key));
        let of_credentials = credentials.map(|credential| FactKey::Class(credential.class));
        // A derived fact that went away while something still refers to it would dangle, too.
        let gone = undo.others.keys().filter(|key| self.is_referred_to(key)).cloned();
        let mut wanted = of_others.chain(of_credentials).chain(gone);
        match wanted.find(|key| !self.others.contains_key(key)) {
            Some(key) => Err(StateError::Dangling(key)),
            None => Ok(()),
        }
    }
}

/// The schedules that a fact refers to; only credentials refer to classes.
fn schedules_of(fact: &Fact) -> impl Iterator<Item = ScheduleId> {
    let references = fact.references().into_iter();
    references.filter_map(|key| if let FactKey::Schedule(id) = key { Some(id) } else { None })
}
