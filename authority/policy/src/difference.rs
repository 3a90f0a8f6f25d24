//! The difference between what a directory knows and a newer campus folder: what an import stores in the journal.
//!
//! Deliberately compares the folder with what folders said before, not with what commands have changed since: a stale
//! export then contains nothing about a card that was suspended or a grant that was ended in the meantime.

use crate::directory::{Directory, grant_fits_beside};
use crate::model::{
    Building, BuildingId, Campus, Card, CardId, Door, Grant, GrantId, Person, PersonId, Policy, Unit, UnitId,
};
use doorward_protocol::id::DoorId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a newer folder changes, row by row. A person's row contains the affiliations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Number of the journal entry of the import on which this one builds; 0 for the first.
    pub base: u64,
    /// The new policy, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Units.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub units: Rows<UnitId, Unit>,
    /// Buildings.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub buildings: Rows<BuildingId, Building>,
    /// Doors.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub doors: Rows<DoorId, Door>,
    /// People. None is removed any more, since who is gone has left; older journals did.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub people: Rows<PersonId, Person>,
    /// People whom the folder before had and this one has not: they have left on the day of the import.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left: BTreeSet<PersonId>,
    /// Cards, each with the state that the folder gives.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub cards: Rows<CardId, Card>,
    /// Grants; removed ones may be of commands, when what they name is gone.
    #[serde(default, skip_serializing_if = "Rows::is_empty")]
    pub grants: Rows<GrantId, Grant>,
}

/// Rows of one table that are new or different, and rows that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"))]
pub struct Rows<K, V> {
    /// New or different rows.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub put: BTreeMap<K, V>,
    /// Rows that are gone.
    #[serde(default = "BTreeSet::new", skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<K>,
}

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self { put: BTreeMap::new(), removed: BTreeSet::new() }
    }
}

impl<K, V> Rows<K, V> {
    /// Whether no row differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.removed.is_empty()
    }
}

impl<K: Ord + Clone, V: Clone> Rows<K, V> {
    /// Rows of `new` for which `is_same` does not hold, and keys that `new` has no more.
    fn between<'a>(old: impl Iterator<Item = &'a K>, new: &BTreeMap<K, V>, is_same: impl Fn(&K, &V) -> bool) -> Self
    where
        K: 'a,
    {
        let put = new.iter().filter(|(key, row)| !is_same(key, row));
        Self {
            put: put.map(|(key, row)| (key.clone(), row.clone())).collect(),
            removed: old.filter(|key| !new.contains_key(key)).cloned().collect(),
        }
    }

    /// Makes the difference in a table.
    pub(crate) fn apply_to(&self, table: &mut BTreeMap<K, V>) {
        for key in &self.removed {
            table.remove(key);
        }
        table.extend(self.put.iter().map(|(key, row)| (key.clone(), row.clone())));
    }

    /// Whether a table has a row of this key once the difference is made in it.
    pub(crate) fn leaves(&self, table: &BTreeMap<K, V>, key: &K) -> bool {
        self.put.contains_key(key) || (table.contains_key(key) && !self.removed.contains(key))
    }
}

impl Difference {
    /// What a newer folder changes in a directory. A folder into an empty directory is the same thing.
    #[must_use]
    pub fn between(directory: &Directory, campus: &Campus) -> Self {
        let (old, new) = (directory.tables(), &campus.tables);
        let mut grants = Rows::between(directory.folder_grants().keys(), &new.grants, |id, grant| {
            directory.folder_grants().get(id) == Some(grant)
        });
        let of_commands = old.grants.iter().filter(|(id, _)| !directory.folder_grants().contains_key(*id));
        let fits = |grant| grant_fits_beside(&campus.policy, new, &old.people, grant).is_ok();
        let misfits = of_commands.filter(|(_, grant)| !fits(grant));
        grants.removed.extend(misfits.map(|(id, _)| id.clone()).filter(|id| !grants.put.contains_key(id)));
        // What was issued here stays although the folder does not know it yet, and so do the cards of those who have left.
        let is_kept = |id: &CardId, card: &Card| {
            campus.policy.card_types.contains_key(&card.card_type)
                && (directory.is_issued_here_alone(id) || !new.people.contains_key(&card.person))
        };
        let in_folders = |id: &&CardId| !old.cards.get(*id).is_some_and(|card| is_kept(id, card));
        let vanished = |id: &&PersonId| !new.people.contains_key(*id) && directory.folder_person(id).is_some();
        Self {
            base: directory.import_seq(),
            policy: (directory.policy() != Some(&campus.policy)).then(|| campus.policy.clone()),
            units: Rows::between(old.units.keys(), &new.units, |id, unit| old.units.get(id) == Some(unit)),
            buildings: Rows::between(old.buildings.keys(), &new.buildings, |id, row| {
                old.buildings.get(id) == Some(row)
            }),
            doors: Rows::between(old.doors.keys(), &new.doors, |id, door| old.doors.get(id) == Some(door)),
            people: Rows::between(std::iter::empty(), &new.people, |id, person| {
                directory.folder_person(id) == Some(person)
            }),
            left: old.people.keys().filter(vanished).cloned().collect(),
            cards: Rows::between(old.cards.keys().filter(in_folders), &new.cards, |id, card| {
                directory.folder_said(id, card)
            }),
            grants,
        }
    }

    /// How many rows it puts and removes.
    #[must_use]
    pub fn rows(&self) -> usize {
        fn count<K, V>(rows: &Rows<K, V>) -> usize {
            rows.put.len().saturating_add(rows.removed.len())
        }
        let Self { base: _, policy: _, units, buildings, doors, people, left, cards, grants } = self;
        let tables = [count(units), count(buildings), count(doors), count(people), count(cards), count(grants)];
        tables.iter().sum::<usize>().saturating_add(left.len())
    }

    /// Whether the folder brings nothing new.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self { base: self.base, ..Self::default() }
    }
}
