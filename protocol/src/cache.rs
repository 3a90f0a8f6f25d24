//! An agent's state in the form in which taps are decided: resolved, immutable, shared.
//!
//! It holds nothing that the state does not say, and is made from a state that was verified. Credentials are the state's
//! own, and a new cache shares with the one before whatever a change did not touch.

use crate::credentials::{Classes, Packed, Shards};
use crate::facts::{Calendar, Class, Credential, Door, Effect, Entry, Fact, Factors};
use crate::id::{ClassId, CredentialKey, DoorId, ReaderKey, ScheduleId};
use crate::moment::{CachedSchedule, Moment, Moments};
use crate::state::{State, Undo};
use crate::time::{Day, UnixMs};
use std::collections::BTreeMap;
use std::sync::Arc;

/// See the module.
#[derive(Debug, Clone)]
pub struct Cache {
    reader: ReaderKey,
    structure: Arc<Structure>,
    /// By their numbers.
    classes: Arc<Vec<Option<Arc<CachedClass>>>>,
    credentials: Shards,
}

/// What changes rarely: everything but credentials and classes.
#[derive(Debug)]
struct Structure {
    moments: Moments,
    doors: Vec<CachedDoor>,
    /// Where each door stands in `doors`: at the hash of its id, or the next free place behind.
    door_places: Vec<Option<u32>>,
    schedules: Vec<CachedSchedule>,
    schedule_places: BTreeMap<ScheduleId, u32>,
}

/// A door with its place in every class's table.
#[derive(Debug, Clone)]
pub struct CachedDoor {
    door: Door,
    place: usize,
    unlock: SchedulePlace,
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

/// When something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SchedulePlace {
    Always,
    Never,
    While(u32),
}

/// A class with its entries by door.
#[derive(Debug)]
pub struct CachedClass {
    id: ClassId,
    /// By the door's place: where its entries begin.
    doors: Vec<Run>,
    /// Doors of equal entries share them.
    entries: Vec<CachedEntry>,
}

/// What a class has at a door.
#[derive(Debug, Clone, Copy)]
enum Run {
    FunctionNotOnCard,
    Empty,
    Begins(u32),
}

/// A rule that matches, open ends of its days written as the first and the last day that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CachedEntry {
    from: Day,
    until: Day,
    schedule: SchedulePlace,
    /// Further factors that must be presented.
    pub factors: Factors,
    /// Permit or deny.
    pub effect: Effect,
    is_last: bool,
}

impl CachedEntry {
    /// Whether it matches on a day.
    #[must_use]
    pub fn is_on(&self, day: Day) -> bool {
        self.from <= day && day <= self.until
    }
}

impl CachedClass {
    /// Whether the class's cards have the door's function.
    #[must_use]
    pub fn has_function_of(&self, door: &CachedDoor) -> bool {
        !matches!(self.doors.get(door.place), None | Some(Run::FunctionNotOnCard))
    }

    /// The rules that match at a door.
    pub fn entries(&self, door: &CachedDoor) -> impl Iterator<Item = &CachedEntry> {
        let begins = match self.doors.get(door.place) {
            Some(Run::Begins(place)) => usize::try_from(*place).unwrap_or(usize::MAX),
            Some(Run::FunctionNotOnCard | Run::Empty) | None => usize::MAX,
        };
        let mut rest = self.entries.get(begins..).unwrap_or_default().iter();
        let mut is_over = false;
        core::iter::from_fn(move || {
            let entry = if is_over { None } else { rest.next() }?;
            is_over = entry.is_last;
            Some(entry)
        })
    }

    fn resolve(id: ClassId, class: &Class, structure: &Structure) -> Self {
        let mut entries = Vec::new();
        let mut begins: BTreeMap<&[Entry], u32> = BTreeMap::new();
        let mut of_doors = class.doors.iter().peekable();
        let mut doors = Vec::with_capacity(structure.doors.len());
        for door in &structure.doors {
            // Both lists ascend by door.
            while of_doors.next_if(|class_door| class_door.door < *door.id()).is_some() {}
            let has_function = class.functions.binary_search(&door.door.function).is_ok();
            let here = of_doors.peek().filter(|class_door| class_door.door == *door.id());
            doors.push(match (has_function, here) {
                (false, _) => Run::FunctionNotOnCard,
                (true, None) => Run::Empty,
                (true, Some(here)) if here.entries.is_empty() => Run::Empty,
                (true, Some(here)) => Run::Begins(*begins.entry(&here.entries).or_insert_with(|| {
                    let place = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                    let last = here.entries.len().saturating_sub(1);
                    entries.extend(here.entries.iter().enumerate().map(|(at, entry)| CachedEntry {
                        from: entry.days.from.unwrap_or(Day(i32::MIN)),
                        until: entry.days.until.unwrap_or(Day(i32::MAX)),
                        schedule: entry.schedule.map_or(SchedulePlace::Always, |id| structure.place_of_schedule(id)),
                        factors: entry.factors,
                        effect: entry.effect,
                        is_last: at == last,
                    }));
                    place
                })),
            });
        }
        entries.shrink_to_fit();
        Self { id, doors, entries }
    }
}

impl Structure {
    fn new(state: &State, calendar: &Calendar) -> Self {
        let mut schedules = Vec::new();
        let mut schedule_places = BTreeMap::new();
        for fact in state.facts_but_credentials() {
            if let Fact::Schedule(id, schedule) = fact {
                schedule_places.insert(*id, u32::try_from(schedules.len()).unwrap_or(u32::MAX));
                schedules.push(CachedSchedule::new(schedule));
            }
        }
        let moments = Moments::new(calendar);
        let mut structure = Self { moments, doors: Vec::new(), door_places: Vec::new(), schedules, schedule_places };
        for door in state.doors() {
            let unlock = door.unlock.map_or(SchedulePlace::Never, |id| structure.place_of_schedule(id));
            structure.doors.push(CachedDoor { door: door.clone(), place: structure.doors.len(), unlock });
        }
        structure.place_doors();
        structure
    }

    /// Twice as many places as doors at least, so that few doors stand far from where their hash points.
    fn place_doors(&mut self) {
        let places = self.doors.len().saturating_mul(2).next_power_of_two();
        self.door_places = vec![None; places];
        for (number, door) in self.doors.iter().enumerate() {
            let mut place = hash_of(door.id()) & (places - 1);
            while self.door_places.get(place).is_some_and(Option::is_some) {
                place = (place + 1) & (places - 1);
            }
            if let Some(free) = self.door_places.get_mut(place) {
                *free = u32::try_from(number).ok();
            }
        }
    }

    fn door(&self, id: &DoorId) -> Option<&CachedDoor> {
        let mask = self.door_places.len().checked_sub(1)?;
        let mut place = hash_of(id) & mask;
        // There are more places than doors, so a free one ends the search.
        while let Some(number) = self.door_places.get(place).copied().flatten() {
            let door = self.doors.get(usize::try_from(number).ok()?)?;
            if door.id() == id {
                return Some(door);
            }
            place = (place + 1) & mask;
        }
        None
    }

    /// A schedule that is not there never holds.
    fn place_of_schedule(&self, id: ScheduleId) -> SchedulePlace {
        self.schedule_places.get(&id).map_or(SchedulePlace::Never, |place| SchedulePlace::While(*place))
    }

    fn holds(&self, schedule: SchedulePlace, moment: Moment) -> bool {
        match schedule {
            SchedulePlace::Always => true,
            SchedulePlace::Never => false,
            SchedulePlace::While(place) => {
                let schedule = usize::try_from(place).ok().and_then(|place| self.schedules.get(place));
                schedule.is_some_and(|schedule| schedule.holds(moment))
            }
        }
    }
}

impl Cache {
    /// A cache of a whole state; `None` when the state lacks calendar or reader key, as no finished one does.
    #[must_use]
    pub fn new(state: &State) -> Option<Self> {
        let (mut calendar, mut reader) = (None, None);
        for fact in state.facts_but_credentials() {
            match fact {
                Fact::Calendar(known) => calendar = Some(known),
                Fact::Reader(known) => reader = Some(known),
                Fact::Door(_) | Fact::Credential(_) | Fact::Schedule(..) | Fact::Class(..) => break,
            }
        }
        let structure = Arc::new(Structure::new(state, calendar?));
        let classes = Arc::new(classes_of(state, &structure, &[]));
        Some(Self { reader: reader?.clone(), structure, classes, credentials: state.credentials().shards().clone() })
    }

    /// The cache after a change, sharing what the change did not touch.
    #[must_use]
    pub fn changed(&self, state: &State, undo: &Undo) -> Option<Self> {
        if !undo.concerns_holders_only() {
            return Self::new(state);
        }
        // A class is named by its content, so where a number still means the same name, it means the same class.
        let has_changed = !is_of(&self.classes, state.credentials().classes());
        Some(Self {
            reader: self.reader.clone(),
            structure: Arc::clone(&self.structure),
            classes: if has_changed {
                Arc::new(classes_of(state, &self.structure, &self.classes))
            } else {
                Arc::clone(&self.classes)
            },
            credentials: state.credentials().shards().clone(),
        })
    }

    /// What this agent knows a card by.
    #[must_use]
    pub fn credential_key(&self, card_id: &str) -> CredentialKey {
        self.reader.credential_key(card_id)
    }

    /// The doors, by id.
    #[must_use]
    pub fn doors(&self) -> &[CachedDoor] {
        &self.structure.doors
    }

    /// A door by its id.
    #[must_use]
    pub fn door(&self, id: &DoorId) -> Option<&CachedDoor> {
        self.structure.door(id)
    }

    /// A credential by its key.
    #[must_use]
    pub fn credential(&self, key: CredentialKey) -> Option<Credential> {
        let packed = self.packed(key)?;
        Some(packed.unpacked(self.class(packed)?.id))
    }

    /// A credential by its key, as it is kept.
    #[must_use]
    pub fn packed(&self, key: CredentialKey) -> Option<&Packed> {
        self.credentials.find(key)
    }

    /// The class of a credential.
    #[must_use]
    pub fn class(&self, credential: &Packed) -> Option<&CachedClass> {
        self.classes.get(credential.class().place())?.as_deref()
    }

    /// An instant as schedules see it, `None` outside of what the calendar covers.
    #[must_use]
    pub fn moment(&self, at: UnixMs) -> Option<Moment> {
        self.structure.moments.at(at)
    }

    /// Whether an entry's schedule holds.
    #[must_use]
    pub fn is_in_schedule(&self, entry: &CachedEntry, moment: Moment) -> bool {
        self.structure.holds(entry.schedule, moment)
    }

    /// Whether the door opens for anyone.
    #[must_use]
    pub fn is_unlocked(&self, door: &CachedDoor, moment: Moment) -> bool {
        self.structure.holds(door.unlock, moment)
    }
}

/// The classes by number, those taken over from before that have kept their number.
fn classes_of(
    state: &State,
    structure: &Structure,
    before: &[Option<Arc<CachedClass>>],
) -> Vec<Option<Arc<CachedClass>>> {
    let numbered = state.credentials().classes().by_number().enumerate();
    let classes = numbered.map(|(number, id)| {
        let id = id?;
        let known = before.get(number).and_then(Option::as_ref).filter(|known| known.id == id);
        let made = || Some(Arc::new(CachedClass::resolve(id, state.class(id)?, structure)));
        known.cloned().or_else(made)
    });
    classes.collect()
}

fn is_of(cached: &[Option<Arc<CachedClass>>], classes: &Classes) -> bool {
    let cached = cached.iter().map(|class| class.as_ref().map(|class| class.id));
    cached.eq(classes.by_number())
}

/// A hash that spreads ids as they are given; it need not stand against those who make doors, as a search ends in any case.
fn hash_of(id: &DoorId) -> usize {
    let (words, rest) = id.as_str().as_bytes().as_chunks::<8>();
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
    let hash = words.fold(0_u64, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    });
    usize::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tap_looks_at_is_small() {
        assert_eq!((size_of::<CachedEntry>(), size_of::<Run>()), (20, 8));
    }
}
