//! People on record: what folders say of them, and what becomes of those of whom folders say nothing any more.
//!
//! Nobody is deleted by that: whoever vanishes from a folder has left, and stays here with cards and photo, so that what happened can
//! be explained, until that person is erased. Once a folder names somebody again, its word holds again.

use super::{Directory, Refusal};
use crate::difference::Difference;
use crate::model::{CardId, Grant, GrantId, Person, PersonId, Policy, Subject, UnitId};
use crate::touched::Touched;
use doorward_protocol::time::{Day, UnixMs};
use std::collections::BTreeSet;

impl Directory {
    /// What the last folder said of a person; `None`: it did not name that person.
    pub(crate) fn folder_person(&self, id: &PersonId) -> Option<&Person> {
        match self.folder_people.get(id) {
            Some(said) => said.as_ref(),
            None => self.tables.people.get(id),
        }
    }

    /// Whether a person is on record only: no folder names that person, and no feed says that it is here.
    #[must_use]
    pub fn is_gone(&self, id: &PersonId) -> bool {
        let has_left = || self.tables.people.get(id).is_some_and(|person| person.left_on.is_some());
        self.folder_people.get(id).is_some_and(Option::is_none) && has_left()
    }

    /// Those of whom a difference says nothing stay, so what they have must stay, too.
    pub(super) fn check_left(&self, difference: &Difference, policy: &Policy, at: UnixMs) -> Result<(), Refusal> {
        difference.left.iter().try_for_each(|id| Refusal::unless_known("person", id, &self.tables.people))?;
        if !difference.left.is_empty() && local_day(policy, at).is_none() {
            return Err(Refusal::NoDay(at));
        }
        if difference.policy.is_none() {
            return Ok(());
        }
        let silent = self.folder_people.keys().chain(&difference.left);
        for id in silent.filter(|id| !difference.people.put.contains_key(*id)) {
            let Some(known) = self.tables.people.get(id) else { continue };
            if !policy.categories.contains_key(&known.category) {
                return Err(Refusal::CategoryInUse { category: known.category.clone(), person: id.clone() });
            }
        }
        Ok(())
    }

    pub(super) fn mark_left(&mut self, left: &BTreeSet<PersonId>, at: UnixMs) {
        let Some(day) = self.policy.as_ref().and_then(|policy| local_day(policy, at)) else { return };
        for id in left {
            if let Some(person) = self.tables.people.get_mut(id) {
                // Whoever had left before has not stayed until now.
                person.left_on = Some(person.left_on.map_or(day, |left_on| left_on.min(day)));
                self.folder_people.insert(id.clone(), None);
            }
        }
    }

    pub(super) fn touched_by_erasure(&self, person: &PersonId) -> Touched {
        let grants = || self.tables.grants.iter().filter(|(_, grant)| is_theirs(grant, person));
        let mut touched = self.touched_by_grants(grants().map(|(_, grant)| grant));
        touched.cards.extend(self.cards_of(person).cloned());
        touched.grants.extend(grants().map(|(id, _)| id.clone()));
        touched
    }

    /// Takes somebody off the record who is there only. That there were cards stays, for those that ended must not open again.
    pub(super) fn erase_person(&mut self, person: &PersonId, alias: &PersonId) {
        let cards: Vec<CardId> = self.cards_of(person).cloned().collect();
        cards.iter().for_each(|card| self.forget_card(card));
        let grants = self.tables.grants.iter().filter(|(_, grant)| is_theirs(grant, person));
        let grants: Vec<GrantId> = grants.map(|(id, _)| id.clone()).collect();
        grants.iter().for_each(|grant| self.forget_grant(grant));
        self.leave_units(person);
        self.tables.people.remove(person);
        self.folder_people.remove(person);
        self.forget_names(person);
        self.photos.remove(person);
        self.forget_on_rosters(person);
        self.erase_from_batches(person, alias);
        self.applications.retain(|_, applied| applied.application.person != *person);
        self.requests.retain(|_, request| !is_theirs(&request.wish.grant, person));
    }

    /// Whoever is still in a unit that is gone is somebody of whom the folder says nothing.
    pub(super) fn leave_gone_units(&mut self, gone: &BTreeSet<UnitId>) {
        for unit in gone {
            for id in self.members.remove(unit).unwrap_or_default() {
                if let Some(person) = self.tables.people.get_mut(&id) {
                    person.affiliations.retain(|affiliation| affiliation.unit != *unit);
                }
            }
        }
    }
}

/// The local day of an instant.
fn local_day(policy: &Policy, at: UnixMs) -> Option<Day> {
    Some(crate::zone::zone(&policy.time_zone)?.local(at)?.day)
}

fn is_theirs(grant: &Grant, person: &PersonId) -> bool {
    matches!(&grant.subject, Subject::Person(subject) if subject == person)
}
