//! Many credentials, packed and in the order of their keys, shared between one state and the next.
//!
//! Keys are keyed hashes and so evenly spread: their first bits name a shard, the next ones where in it to look. A copy
//! shares all shards with its original, and a change copies only those that it touches. Keys that are not spread are found
//! as surely, only not as fast. What a class means is not known here: a class has a number, and [`Classes`] its name.

use crate::facts::{Credential, CredentialState, Leaving};
use crate::id::{ClassId, CredentialKey};
use crate::time::{Day, DayRange};
use core::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shards are divided when they hold more than this many on average: few enough to copy for one change.
const SHARD_MEAN_MAX: usize = 64;

/// No more shards than two to this power, since each costs a little in every copy.
const SHARD_BITS_MAX: u32 = 13;

/// Class numbers stand in as many bits, more than there can be facts.
const CLASS_BITS: u32 = 24;

const STATE_MASK: u32 = 0b11;
const HAS_FROM: u32 = 1 << 2;
const HAS_UNTIL: u32 = 1 << 3;
const HAS_LEAVING: u32 = 1 << 4;
/// Flags stand below the class number.
const FLAG_BITS: u32 = 32 - CLASS_BITS;

/// A credential in 36 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    key: CredentialKey,
    class_and_flags: u32,
    from: Day,
    until: Day,
    left_on: Day,
    grace_until: Day,
}

impl Packed {
    fn new(credential: &Credential, class: ClassNumber) -> Self {
        let flag = |is_set: bool, flag: u32| if is_set { flag } else { 0 };
        let state = match credential.state {
            CredentialState::Produced => 0,
            CredentialState::Active => 1,
            CredentialState::Suspended => 2,
        };
        let Credential { key, valid, leaving, .. } = *credential;
        let flags = state
            | flag(valid.from.is_some(), HAS_FROM)
            | flag(valid.until.is_some(), HAS_UNTIL)
            | flag(leaving.is_some(), HAS_LEAVING);
        Self {
            key,
            class_and_flags: class.0 << FLAG_BITS | flags,
            from: valid.from.unwrap_or(Day(0)),
            until: valid.until.unwrap_or(Day(0)),
            left_on: leaving.map_or(Day(0), |leaving| leaving.left_on),
            grace_until: leaving.map_or(Day(0), |leaving| leaving.grace_until),
        }
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> CredentialKey {
        self.key
    }

    /// The number of its class.
    #[must_use]
    pub const fn class(&self) -> ClassNumber {
        ClassNumber(self.class_and_flags >> FLAG_BITS)
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> CredentialState {
        match self.class_and_flags & STATE_MASK {
            0 => CredentialState::Produced,
            1 => CredentialState::Active,
            _ => CredentialState::Suspended,
        }
    }

    /// Its validity.
    #[must_use]
    pub const fn valid(&self) -> DayRange {
        let from = if self.has(HAS_FROM) { Some(self.from) } else { None };
        let until = if self.has(HAS_UNTIL) { Some(self.until) } else { None };
        DayRange { from, until }
    }

    /// When its functions end.
    #[must_use]
    pub const fn leaving(&self) -> Option<Leaving> {
        let Self { left_on, grace_until, .. } = *self;
        if self.has(HAS_LEAVING) { Some(Leaving { left_on, grace_until }) } else { None }
    }

    /// As a fact says it; `class` is the class of its number.
    #[must_use]
    pub const fn unpacked(&self, class: ClassId) -> Credential {
        Credential { key: self.key, class, state: self.state(), valid: self.valid(), leaving: self.leaving() }
    }

    const fn has(&self, flag: u32) -> bool {
        self.class_and_flags & flag != 0
    }
}

/// The number of a class within one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassNumber(u32);

impl ClassNumber {
    /// As a place in a list.
    #[must_use]
    pub fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// The classes that credentials refer to: each with its number for as long as at least one does.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    numbers: BTreeMap<ClassId, ClassNumber>,
    /// By number: the class, and how many credentials refer to it. With none, the number is free.
    places: Vec<(ClassId, usize)>,
    free: Vec<ClassNumber>,
}

impl Classes {
    /// The class of each number, `None` where the number is free.
    pub fn by_number(&self) -> impl ExactSizeIterator<Item = Option<ClassId>> {
        self.places.iter().map(|(id, count)| (*count > 0).then_some(*id))
    }

    /// Every class that is referred to.
    pub fn ids(&self) -> impl Iterator<Item = ClassId> {
        self.numbers.keys().copied()
    }

    /// Whether any credential refers to a class.
    #[must_use]
    pub fn is_referred_to(&self, id: ClassId) -> bool {
        self.numbers.contains_key(&id)
    }

    fn id(&self, number: ClassNumber) -> Option<ClassId> {
        self.places.get(number.place()).map(|(id, _)| *id)
    }

    fn refer_to(&mut self, id: ClassId) -> Result<ClassNumber, TooManyClasses> {
        let number = match self.numbers.get(&id) {
            Some(number) => *number,
            None => self.number(id)?,
        };
        if let Some((_, count)) = self.places.get_mut(number.place()) {
            *count = count.saturating_add(1);
        }
        Ok(number)
    }

    fn number(&mut self, id: ClassId) -> Result<ClassNumber, TooManyClasses> {
        let next = u32::try_from(self.places.len()).ok().filter(|next| next >> CLASS_BITS == 0);
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                let number = ClassNumber(next.ok_or(TooManyClasses)?);
                self.places.push((id, 0));
                number
            }
        };
        if let Some(place) = self.places.get_mut(number.place()) {
            *place = (id, 0);
        }
        self.numbers.insert(id, number);
        Ok(number)
    }

    fn let_go(&mut self, number: ClassNumber) {
        let Some((id, count)) = self.places.get_mut(number.place()) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.numbers.remove(id);
            self.free.push(number);
        }
    }
}

/// There are more classes than numbers for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyClasses;

/// Credentials that are still coming, in any order, of which the last one of each key counts.
#[derive(Debug, Default)]
pub struct Collecting {
    classes: Classes,
    packed: Vec<Packed>,
}

impl Collecting {
    /// Takes one more.
    ///
    /// # Errors
    /// [`TooManyClasses`].
    pub fn push(&mut self, credential: &Credential) -> Result<(), TooManyClasses> {
        self.packed.push(Packed::new(credential, self.classes.refer_to(credential.class)?));
        Ok(())
    }

    /// All of them.
    #[must_use]
    pub fn finish(self) -> Credentials {
        let Self { mut classes, mut packed } = self;
        // Stable: of two with the same key the later one stays the later one.
        packed.sort_by_key(Packed::key);
        packed.dedup_by(|later, earlier| {
            let is_same = later.key == earlier.key;
            if is_same {
                classes.let_go(earlier.class());
                *earlier = *later;
            }
            is_same
        });
        Credentials { shards: Shards::of_sorted(&packed), classes }
    }
}

/// The credentials of one state, and the classes that they refer to.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    shards: Shards,
    classes: Classes,
}

impl Credentials {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.shards.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.shards.len == 0
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = Credential> {
        self.shards.iter().filter_map(|packed| Some(packed.unpacked(self.classes.id(packed.class())?)))
    }

    /// The one with a key.
    #[must_use]
    pub fn credential(&self, key: CredentialKey) -> Option<Credential> {
        let packed = self.shards.find(key)?;
        Some(packed.unpacked(self.classes.id(packed.class())?))
    }

    /// Puts one in the place of the one with its key.
    ///
    /// # Errors
    /// [`TooManyClasses`]; nothing is changed then.
    pub fn put(&mut self, credential: &Credential) -> Result<(), TooManyClasses> {
        let class = self.classes.refer_to(credential.class)?;
        if let Some(before) = self.shards.put(Packed::new(credential, class)) {
            self.classes.let_go(before.class());
        }
        Ok(())
    }

    /// Takes the one with a key away.
    pub fn remove(&mut self, key: CredentialKey) {
        if let Some(before) = self.shards.remove(key) {
            self.classes.let_go(before.class());
        }
    }

    /// In the form in which they are shared.
    #[must_use]
    pub const fn shards(&self) -> &Shards {
        &self.shards
    }

    /// The classes that they refer to.
    #[must_use]
    pub const fn classes(&self) -> &Classes {
        &self.classes
    }
}

/// Packed credentials by the first bits of their keys, each shard in the order of keys.
#[derive(Debug, Clone, Default)]
pub struct Shards {
    /// As many as a power of two, or none while there are no credentials.
    shards: Vec<Arc<[Packed]>>,
    bits: u32,
    len: usize,
}

impl Shards {
    fn of_sorted(packed: &[Packed]) -> Self {
        let mut bits = 0;
        while bits < SHARD_BITS_MAX && packed.len() > SHARD_MEAN_MAX << bits {
            bits += 1;
        }
        let mut rest = packed;
        let shards = (0..1_usize << bits).map(|shard| {
            let (these, others) = rest.split_at(rest.partition_point(|packed| shard_of(packed.key, bits) <= shard));
            rest = others;
            Arc::from(these)
        });
        Self { shards: shards.collect(), bits, len: packed.len() }
    }

    /// The one with a key.
    #[must_use]
    pub fn find(&self, key: CredentialKey) -> Option<&Packed> {
        let shard = self.shards.get(shard_of(key, self.bits))?;
        shard.get(place_in(shard, key, self.bits).ok()?)
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Packed> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// Puts one in the place of the one with its key, which is handed back.
    fn put(&mut self, packed: Packed) -> Option<Packed> {
        let is_full = self.bits < SHARD_BITS_MAX && self.len > SHARD_MEAN_MAX << self.bits;
        if self.shards.is_empty() || is_full {
            *self = Self::of_sorted(&self.iter().copied().collect::<Vec<Packed>>());
        }
        let bits = self.bits;
        let shard = self.shards.get_mut(shard_of(packed.key, bits))?;
        match place_in(shard, packed.key, bits) {
            Ok(place) => Arc::make_mut(shard).get_mut(place).map(|slot| core::mem::replace(slot, packed)),
            Err(place) => {
                let (before, after) = shard.split_at(place.min(shard.len()));
                *shard = [before, &[packed], after].concat().into();
                self.len = self.len.saturating_add(1);
                None
            }
        }
    }

    fn remove(&mut self, key: CredentialKey) -> Option<Packed> {
        let shard = self.shards.get_mut(shard_of(key, self.bits))?;
        let place = place_in(shard, key, self.bits).ok()?;
        let before = shard.get(place).copied()?;
        let (front, back) = shard.split_at(place);
        *shard = [front, back.split_first().map_or(&[], |(_, back)| back)].concat().into();
        self.len = self.len.saturating_sub(1);
        Some(before)
    }
}

/// The shard of a key when there are two to the power of `bits`.
fn shard_of(key: CredentialKey, bits: u32) -> usize {
    let first = first_half(key).checked_shr(u64::BITS - bits).unwrap_or_default();
    usize::try_from(first).unwrap_or(usize::MAX)
}

/// Where in a shard a key is, or where it would have to be.
///
/// Its place follows from the key as far as keys are spread evenly; from there the search goes on in doubled steps.
fn place_in(shard: &[Packed], key: CredentialKey, bits: u32) -> Result<usize, usize> {
    let share = u128::from(first_half(key) << bits) * u128::try_from(shard.len()).unwrap_or_default();
    let guess = usize::try_from(share >> u64::BITS).unwrap_or_default();
    let wanted = whole(key);
    let compare = |place: usize| shard.get(place).map_or(Ordering::Greater, |packed| whole(packed.key).cmp(&wanted));
    // All before `low` are smaller, and all from `high` on are greater.
    let (mut low, mut high) = (0, shard.len());
    let mut step = 1;
    match compare(guess) {
        Ordering::Equal => return Ok(guess),
        Ordering::Less => {
            low = guess.saturating_add(1);
            while low < high {
                let place = low.saturating_add(step - 1).min(high - 1);
                match compare(place) {
                    Ordering::Equal => return Ok(place),
                    Ordering::Less => low = place.saturating_add(1),
                    Ordering::Greater => {
                        high = place;
                        break;
                    }
                }
                step *= 2;
            }
        }
        Ordering::Greater => {
            high = guess.min(high);
            while low < high {
                let place = high.saturating_sub(step).max(low);
                match compare(place) {
                    Ordering::Equal => return Ok(place),
                    Ordering::Greater => high = place,
                    Ordering::Less => {
                        low = place.saturating_add(1);
                        break;
                    }
                }
                step *= 2;
            }
        }
    }
    let within = shard.get(low..high).unwrap_or_default();
    let place = within.binary_search_by(|packed| whole(packed.key).cmp(&wanted));
    place.map(|place| low.saturating_add(place)).map_err(|place| low.saturating_add(place))
}

const fn first_half(key: CredentialKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = key.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

const fn whole(key: CredentialKey) -> u128 {
    u128::from_be_bytes(key.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of which many fall together in one shard when `spread` is small.
    fn credential(number: u64, spread: u32) -> Credential {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(mixed >> (64 - spread)).to_be_bytes());
        key[8..].copy_from_slice(&number.to_be_bytes());
        let day = i32::try_from(number % 1000).unwrap();
        let leaving = Leaving { left_on: Day(i32::MIN), grace_until: Day(day) };
        Credential {
            key: CredentialKey(key),
            class: ClassId([u8::try_from(number % 7).unwrap(); 8]),
            state: [CredentialState::Produced, CredentialState::Active, CredentialState::Suspended]
                [usize::try_from(number % 3).unwrap()],
            valid: DayRange {
                from: number.is_multiple_of(2).then_some(Day(-day)),
                until: number.is_multiple_of(5).then_some(Day(i32::MAX)),
            },
            leaving: number.is_multiple_of(11).then_some(leaving),
        }
    }

    fn collected(credentials: impl Iterator<Item = Credential>) -> Credentials {
        let mut collecting = Collecting::default();
        credentials.for_each(|credential| collecting.push(&credential).unwrap());
        collecting.finish()
    }

    fn check(held: &Credentials, model: &BTreeMap<CredentialKey, Credential>) {
        assert_eq!(held.len(), model.len());
        assert!(held.iter().eq(model.values().copied()));
        let classes: std::collections::BTreeSet<ClassId> = model.values().map(|credential| credential.class).collect();
        assert!(held.classes().ids().eq(classes.iter().copied()));
        let numbered: std::collections::BTreeSet<ClassId> = held.classes().by_number().flatten().collect();
        assert_eq!(numbered, classes);
    }

    #[test]
    fn credentials_are_those_that_were_put_and_not_removed_whatever_their_keys() {
        for spread in [1, 8, 64] {
            let mut held = Credentials::default();
            let mut model = BTreeMap::new();
            let mut kept = Vec::new();
            for number in 0..3000_u64 {
                let credential = credential(number * number % 2003, spread);
                if number % 4 == 3 {
                    held.remove(credential.key);
                    model.remove(&credential.key);
                } else {
                    let state = CredentialState::Suspended;
                    let credential =
                        if number.is_multiple_of(5) { Credential { state, ..credential } } else { credential };
                    held.put(&credential).unwrap();
                    model.insert(credential.key, credential);
                }
                if number.is_multiple_of(500) {
                    check(&held, &model);
                    kept.push((held.clone(), model.clone()));
                }
            }
            check(&held, &model);
            for number in 0..2003 {
                let key = credential(number, spread).key;
                assert_eq!(held.credential(key), model.get(&key).copied());
            }
            // What was copied before is as it was then.
            kept.iter().for_each(|(held, model)| check(held, model));
            let anew = collected(model.values().rev().copied());
            check(&anew, &model);
        }
    }

    #[test]
    fn of_the_same_key_the_last_one_counts() {
        let first = credential(1, 64);
        let last = Credential { class: ClassId([9; 8]), ..first };
        let other = credential(2, 64);
        let held = collected([first, other, last].into_iter());
        assert_eq!((held.credential(first.key), held.len()), (Some(last), 2));
        assert!(!held.classes().is_referred_to(first.class));
    }

    #[test]
    fn a_change_copies_only_the_shard_that_it_touches() {
        let mut held = collected((0..10_000).map(|number| credential(number, 64)));
        let before = held.clone();
        held.put(&credential(77, 64)).unwrap();
        held.remove(credential(78, 64).key);
        let pairs = held.shards.shards.iter().zip(&before.shards.shards);
        assert_eq!(pairs.filter(|(one, other)| !Arc::ptr_eq(one, other)).count(), 2);
    }

    #[test]
    fn a_packed_credential_is_small() {
        assert_eq!(size_of::<Packed>(), 36);
    }
}
