//! An agent's state in the form in which taps are decided: resolved, immutable, shared.
//!
//! Credentials stand in shards by their first byte; a new cache shares every shard that a change did not touch. It holds
//! nothing that the state does not say, and is made from a state that was verified.

use crate::facts::{Calendar, Class, Credential, Door, Entry, Fact, FactKey, Schedule};
use crate::id::{ClassId, CredentialKey, DoorId, ReaderKey, ScheduleId};
use crate::state::{State, Undo};
use crate::time::{Local, UnixMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SHARDS: usize = 256;

/// See the module.
#[derive(Debug, Clone)]
pub struct Cache {
    calendar: Calendar,
    reader: ReaderKey,
    doors: Vec<CachedDoor>,
    schedules: BTreeMap<ScheduleId, Schedule>,
    classes: BTreeMap<ClassId, Arc<CachedClass>>,
    shards: Vec<Arc<Vec<Credential>>>,
}

/// A door with its place in every class's table.
#[derive(Debug, Clone)]
pub struct CachedDoor {
    door: Door,
    index: usize,
}

impl CachedDoor {
    /// Which door.
    #[must_use]
    pub const fn id(&self) -> &DoorId {
        &self.door.door
    }

    /// Whether its function ends at once when the holder leaves.
    #[must_use]
    pub const fn identity(&self) -> bool {
        self.door.identity
    }

    /// Whether the verified state has it locked down.
    #[must_use]
    pub const fn lockdown(&self) -> bool {
        self.door.lockdown
    }

    /// The first instant at which the door's lease has ended, `None` when it never does.
    #[must_use]
    pub fn lease_ends(&self, fresh_at: UnixMs) -> Option<UnixMs> {
        self.door.lease_ms.map(|ms| fresh_at.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX)))
    }
}

/// A class with its entries by door.
#[derive(Debug, Clone)]
pub struct CachedClass {
    /// By door index: `None` when the function is not on the card.
    doors: Vec<Option<Vec<Entry>>>,
}

impl CachedClass {
    /// Whether the class's cards have the door's function.
    #[must_use]
    pub fn has_function_of(&self, door: &CachedDoor) -> bool {
        self.doors.get(door.index).is_some_and(Option::is_some)
    }

    /// The rules that match at a door.
    #[must_use]
    pub fn entries(&self, door: &CachedDoor) -> &[Entry] {
        self.doors.get(door.index).and_then(Option::as_ref).map_or(&[], Vec::as_slice)
    }
}

impl Cache {
    /// A cache of a whole state; `None` when the state lacks calendar or reader key, as no finished one does.
    #[must_use]
    pub fn new(state: &State) -> Option<Self> {
        let mut shards: Vec<Vec<Credential>> = vec![Vec::new(); SHARDS];
        for fact in state.facts() {
            if let Fact::Credential(credential) = fact
                && let Some(shard) = shards.get_mut(shard_of(credential.key))
            {
                shard.push(*credential);
            }
        }
        Self::with_shards(state, shards.into_iter().map(Arc::new).collect())
    }

    /// The cache after a change, sharing what the change did not touch.
    #[must_use]
    pub fn changed(&self, state: &State, undo: &Undo) -> Option<Self> {
        let touched: BTreeSet<CredentialKey> =
            undo.keys().filter_map(|key| if let FactKey::Credential(key) = key { Some(*key) } else { None }).collect();
        let mut shards = self.shards.clone();
        for key in touched {
            if let Some(shard) = shards.get_mut(shard_of(key)) {
                let shard = Arc::make_mut(shard);
                let place = shard.binary_search_by_key(&key, |credential| credential.key);
                let present = match state.fact(&FactKey::Credential(key)) {
                    Some(Fact::Credential(credential)) => Some(*credential),
                    Some(_) | None => None,
                };
                replace_at(shard, place, present);
            }
        }
        Self::with_shards(state, shards)
    }

    fn with_shards(state: &State, shards: Vec<Arc<Vec<Credential>>>) -> Option<Self> {
        let Some(Fact::Calendar(calendar)) = state.fact(&FactKey::Calendar) else { return None };
        let Some(Fact::Reader(reader)) = state.fact(&FactKey::Reader) else { return None };
        let mut doors = Vec::new();
        let mut schedules = BTreeMap::new();
        for fact in state.facts() {
            match fact {
                Fact::Door(door) => doors.push(CachedDoor { door: door.clone(), index: doors.len() }),
                Fact::Schedule(id, schedule) => {
                    schedules.insert(*id, Schedule::clone(schedule));
                }
                Fact::Calendar(_) | Fact::Reader(_) | Fact::Credential(_) | Fact::Class(..) => {}
            }
        }
        let classes = state.facts().filter_map(|fact| match fact {
            Fact::Class(id, class) => Some((*id, Arc::new(resolve(class, &doors)))),
            Fact::Calendar(_) | Fact::Reader(_) | Fact::Door(_) | Fact::Credential(_) | Fact::Schedule(..) => None,
        });
        let classes = classes.collect();
        Some(Self { calendar: calendar.clone(), reader: reader.clone(), doors, schedules, classes, shards })
    }

    /// What this agent knows a card by.
    #[must_use]
    pub fn credential_key(&self, card_id: &str) -> CredentialKey {
        self.reader.credential_key(card_id)
    }

    /// The doors, by id.
    #[must_use]
    pub fn doors(&self) -> &[CachedDoor] {
        &self.doors
    }

    /// A door by its id.
    #[must_use]
    pub fn door(&self, id: &DoorId) -> Option<&CachedDoor> {
        let place = self.doors.binary_search_by(|door| door.id().cmp(id)).ok()?;
        self.doors.get(place)
    }

    /// A credential by its key.
    #[must_use]
    pub fn credential(&self, key: CredentialKey) -> Option<&Credential> {
        let shard = self.shards.get(shard_of(key))?;
        let place = shard.binary_search_by_key(&key, |credential| credential.key).ok()?;
        shard.get(place)
    }

    /// A class by its id.
    #[must_use]
    pub fn class(&self, id: ClassId) -> Option<&CachedClass> {
        self.classes.get(&id).map(Arc::as_ref)
    }

    /// Local time at an instant, `None` outside of what the calendar covers.
    #[must_use]
    pub fn local(&self, at: UnixMs) -> Option<Local> {
        self.calendar.zone.local(at)
    }

    /// Whether a schedule holds; one that is not there never does.
    #[must_use]
    pub fn schedule_holds(&self, id: ScheduleId, local: Local) -> bool {
        self.schedules.get(&id).is_some_and(|schedule| schedule.contains(local, &self.calendar.holidays))
    }

    /// Whether the door opens for anyone.
    #[must_use]
    pub fn is_unlocked(&self, door: &CachedDoor, local: Local) -> bool {
        door.door.unlock.is_some_and(|id| self.schedule_holds(id, local))
    }
}

fn shard_of(key: CredentialKey) -> usize {
    let [first, ..] = key.0;
    usize::from(first)
}

fn replace_at(shard: &mut Vec<Credential>, place: Result<usize, usize>, present: Option<Credential>) {
    match (place, present) {
        (Ok(index), Some(credential)) => {
            if let Some(slot) = shard.get_mut(index) {
                *slot = credential;
            }
        }
        (Ok(index), None) => {
            shard.remove(index);
        }
        (Err(index), Some(credential)) => shard.insert(index, credential),
        (Err(_), None) => {}
    }
}

fn resolve(class: &Class, doors: &[CachedDoor]) -> CachedClass {
    let entries_at = |door: &CachedDoor| {
        class.functions.binary_search(&door.door.function).ok()?;
        let place = class.doors.binary_search_by(|class_door| class_door.door.cmp(door.id())).ok();
        let class_door = place.and_then(|place| class.doors.get(place));
        Some(class_door.map(|class_door| class_door.entries.clone()).unwrap_or_default())
    };
    CachedClass { doors: doors.iter().map(entries_at).collect() }
}
