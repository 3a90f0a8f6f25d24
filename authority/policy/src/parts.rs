//! A large difference in parts, each an import of its own: a suspension then waits for one of them, and not for all.
//!
//! Deliberately nothing that is neither before nor after the import is true in between: whatever can change what somebody has who
//! is here already comes together, in the first part. Those who are new follow, each with the own cards, and have nothing
//! before that; grants to them come last. Where the import changes people and cards alone, those who are here follow
//! the same way, since what one person has does not depend on another's rows.

use crate::difference::Difference;
use crate::directory::Directory;
use crate::model::{Card, CardId, Grant, GrantId, Person, PersonId, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one part, unless it cannot be divided: so many are in the journal and in the directory within about ten milliseconds.
/// Smaller parts let nothing through sooner and made the whole last longer, since each brings agents the classes of its people.
pub const ROWS_MAX: usize = 4_096;

/// Rows of one person, who may be here already and only have another card.
type OwnRows = (Option<Person>, BTreeMap<CardId, Card>);

impl Difference {
    /// The same difference in parts of so many rows. Each builds on the one before it: whoever gives them as commands sets
    /// the `base` of all but the first to the number of the entry before.
    #[must_use]
    pub fn into_parts(mut self, directory: &Directory, rows_max: usize) -> Vec<Self> {
        if self.rows() <= rows_max {
            return vec![self];
        }
        let base = self.base;
        let apart = self.take_apart(directory);
        let last = self.take_grants_to(directory, |person| apart.contains_key(person));
        let mut parts = vec![self];
        let mut part = Self::default();
        for (person, (row, cards)) in apart {
            part.people.put.extend(row.map(|row| (person, row)));
            part.cards.put.extend(cards);
            if part.rows() >= rows_max {
                parts.push(std::mem::take(&mut part));
            }
        }
        part.grants.put = last;
        parts.push(part);
        parts.retain(|part| part.rows() > 0 || part.policy.is_some());
        parts.into_iter().map(|part| Self { base, ..part }).collect()
    }

    /// Takes out the rows of people who can come one after the other.
    fn take_apart(&mut self, directory: &Directory) -> BTreeMap<PersonId, OwnRows> {
        let tables = directory.tables();
        let is_new = |person: &PersonId| !tables.people.contains_key(person);
        let is_of_people_alone = self.changes_people_alone(directory);
        // Whoever takes a card over changes what another person has.
        let taken_over = self.cards.put.iter().filter(|(card, _)| tables.cards.contains_key(*card));
        let taking_over: BTreeSet<PersonId> = taken_over.map(|(_, card)| card.person.clone()).collect();
        let is_apart = |person: &PersonId| is_of_people_alone || is_new(person) && !taking_over.contains(person);
        let mut apart: BTreeMap<PersonId, OwnRows> = BTreeMap::new();
        let people = std::mem::take(&mut self.people.put);
        let (others, stay): (BTreeMap<_, _>, _) = people.into_iter().partition(|(person, _)| is_apart(person));
        self.people.put = stay;
        apart.extend(others.into_iter().map(|(person, row)| (person, (Some(row), BTreeMap::new()))));
        let cards = std::mem::take(&mut self.cards.put);
        let (others, stay): (BTreeMap<_, _>, _) = cards.into_iter().partition(|(_, card)| is_apart(&card.person));
        self.cards.put = stay;
        for (id, card) in others {
            let (_, cards) = apart.entry(card.person.clone()).or_default();
            cards.insert(id, card);
        }
        apart
    }

    /// Takes out the grants to people who are not there yet. What such a grant was before ends with the others.
    fn take_grants_to(
        &mut self,
        directory: &Directory,
        is_awaited: impl Fn(&PersonId) -> bool,
    ) -> BTreeMap<GrantId, Grant> {
        let grants = std::mem::take(&mut self.grants.put);
        let (last, stay): (BTreeMap<_, _>, _) = grants.into_iter().partition(|(_, grant)| match &grant.subject {
            Subject::Person(person) => is_awaited(person),
            Subject::Unit(_) | Subject::Category(_) => false,
        });
        self.grants.put = stay;
        let known = last.keys().filter(|id| directory.tables().grants.contains_key(*id));
        self.grants.removed.extend(known.cloned());
        last
    }

    /// Whether only people and cards change; a unit that is new has nobody yet.
    fn changes_people_alone(&self, directory: &Directory) -> bool {
        let Self { base: _, policy, units, buildings, doors, people: _, left: _, cards: _, grants } = self;
        let has_moved = units.put.keys().any(|unit| directory.tables().units.contains_key(unit));
        let has_structure = policy.is_some() || !buildings.is_empty() || !doors.is_empty() || !grants.is_empty();
        !has_structure && !has_moved && units.removed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::model::{Campus, CardState, Target};
    use crate::reference;
    use crate::testing::{at, campus, directory, id, take};
    use doorward_protocol::facts::Factors;
    use doorward_protocol::time::DayRange;

    /// Who opens what at some instants of day, night and holiday.
    fn opened(directory: &Directory) -> BTreeSet<String> {
        let (policy, tables) = (directory.policy().unwrap(), directory.tables());
        let mut opened = BTreeSet::new();
        for instant in ["2026-05-06T12:00:00+09:00", "2026-05-06T23:00:00+09:00", "2026-05-09T12:00:00+09:00"] {
            for (door, card) in tables.doors.keys().flat_map(|door| tables.cards.keys().map(move |card| (door, card))) {
                for factors in [Factors::NONE, Factors::PIN] {
                    let reason = reference::decide(policy, tables, |_| false, at(instant), door, card, factors);
                    if reason.unwrap().is_grant() {
                        opened.insert(format!("{card} at {door}, {instant}, {factors}"));
                    }
                }
            }
        }
        opened
    }

    /// A grant of the whole hall, by day and by night.
    fn hall(subject: Subject) -> Grant {
        let days = DayRange { from: None, until: None };
        Grant { subject, target: Target::Building(id("hall")), schedule: None, days, within: None }
    }

    /// Twenty new people with two cards each, and one who has another card.
    fn with_newcomers() -> Campus {
        let mut folder = campus();
        let (person, card) = (folder.tables.people[&id("ann")].clone(), folder.tables.cards[&id("A")].clone());
        for number in 0..20 {
            let newcomer: PersonId = id(&format!("new-{number}"));
            folder.tables.people.insert(newcomer.clone(), person.clone());
            for kind in ["a", "b"] {
                let card = Card { person: newcomer.clone(), ..card.clone() };
                folder.tables.cards.insert(id(&format!("N{number}{kind}")), card);
            }
        }
        folder.tables.cards.insert(id("S2"), Card { person: id("sue"), ..card });
        folder
    }

    /// From the arts to where Ann is.
    fn move_bob(folder: &mut Campus) {
        let affiliations = folder.tables.people[&id("ann")].affiliations.clone();
        folder.tables.people.get_mut(&id("bob")).unwrap().affiliations = affiliations;
    }

    /// Gives the parts one after the other; nothing may open in between that does not open before or after all of them.
    fn import_in_parts(folder: &Campus, rows_max: usize) -> Vec<Difference> {
        let (mut whole, mut divided) = (directory(), directory());
        let difference = Difference::between(&whole, folder);
        let parts = difference.clone().into_parts(&whole, rows_max);
        let before = opened(&whole);
        take(&mut whole, Command::Import { difference: Box::new(difference) }).unwrap();
        let after = opened(&whole);
        for (number, part) in parts.iter().enumerate() {
            let base = if number == 0 { part.base } else { divided.head() };
            let difference = Box::new(Difference { base, ..part.clone() });
            take(&mut divided, Command::Import { difference }).unwrap();
            let between = opened(&divided);
            let neither: Vec<&String> =
                between.iter().filter(|it| !before.contains(*it) && !after.contains(*it)).collect();
            assert!(neither.is_empty(), "{neither:?}");
            assert!(before.intersection(&after).all(|it| between.contains(it)));
        }
        assert_eq!(divided.tables(), whole.tables());
        assert!(Difference::between(&divided, folder).is_empty());
        parts
    }

    #[test]
    fn an_import_of_people_comes_in_parts_of_so_many_rows() {
        let mut folder = with_newcomers();
        move_bob(&mut folder);
        folder.tables.people.remove(&id("old"));
        folder.tables.cards.remove(&id("O"));
        folder.tables.cards.get_mut(&id("A")).unwrap().state = CardState::Suspended;
        let parts = import_in_parts(&folder, 6);
        assert_eq!(parts[0].left, [id("old")].into(), "who leaves goes first");
        assert!(parts[0].people.put.is_empty() && parts.len() >= 10);
        assert!(parts.iter().all(|part| part.rows() <= 8), "a person comes with the own cards");
        assert_eq!(import_in_parts(&folder, 100_000).len(), 1);
    }

    #[test]
    fn what_people_have_who_are_here_changes_together_with_what_it_follows_from() {
        let mut folder = with_newcomers();
        // Bob leaves the arts as they get the hall, and a newcomer takes a card of his over.
        move_bob(&mut folder);
        folder.tables.grants.insert(id("arts"), hall(Subject::Unit(id("arts"))));
        folder.tables.cards.get_mut(&id("B")).unwrap().person = id("new-7");
        // A grant that was to all of the arts is to one who comes.
        folder.tables.grants.insert(id("guest"), hall(Subject::Person(id("new-3"))));
        let parts = import_in_parts(&folder, 6);
        let first = &parts[0];
        assert_eq!(first.people.put.keys().collect::<Vec<_>>(), [&id("bob"), &id("new-7")]);
        assert!(first.grants.removed.contains(&id("guest")) && first.grants.put.contains_key(&id("arts")));
        assert_eq!(parts.last().unwrap().grants.put.keys().collect::<Vec<_>>(), [&id("guest")]);
        assert!(parts.len() >= 10);
    }
}
