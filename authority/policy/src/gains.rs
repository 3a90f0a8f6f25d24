//! Who gained and who lost which door between two instants of the directory.
//!
//! Rights are those of a plan: doors that somebody may open on that day or later. Deliberately without lockdowns, which take a
//! right from nobody.

use crate::compile::Compiled;
use crate::directory::Directory;
use crate::model::PersonId;
use crate::plan::{PlanError, Rights, day_at};
use doorward_protocol::id::DoorId;
use doorward_protocol::time::UnixMs;
use std::collections::{BTreeMap, BTreeSet};

/// Some people, of whom only the first are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many they are.
    pub count: usize,
    /// The first of them, by their ids.
    pub first: Vec<PersonId>,
}

/// What changed at one door.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtDoor {
    /// Who may open it and could not.
    pub gained: Named,
    /// Who could open it and may not any more.
    pub lost: Named,
}

/// The doors at which somebody gained or lost, with at most so many names for each.
///
/// # Errors
/// See [`PlanError`].
pub fn between(
    before: (&Directory, UnixMs),
    after: (&Directory, UnixMs),
    named_max: usize,
) -> Result<BTreeMap<DoorId, AtDoor>, PlanError> {
    let (old, new) = (of(before)?, of(after)?);
    let (mut old, mut new) = (old.rights(before.0), new.rights(after.0));
    let people = |directory: &Directory| directory.tables().people.keys().cloned().collect::<BTreeSet<_>>();
    let everybody: BTreeSet<PersonId> = people(before.0).into_iter().chain(people(after.0)).collect();
    let mut doors: BTreeMap<DoorId, AtDoor> = BTreeMap::new();
    for person in everybody {
        let (had, has) = (doors_of(&mut old, &person), doors_of(&mut new, &person));
        for door in has.difference(&had) {
            doors.entry((*door).clone()).or_default().gained.add(&person, named_max);
        }
        for door in had.difference(&has) {
            doors.entry((*door).clone()).or_default().lost.add(&person, named_max);
        }
    }
    Ok(doors)
}

/// What rights are looked up in; a directory without a policy gives none.
struct Base {
    compiled: Option<(Compiled, doorward_protocol::time::Day)>,
}

fn of((directory, at): (&Directory, UnixMs)) -> Result<Base, PlanError> {
    if directory.policy().is_none() {
        return Ok(Base { compiled: None });
    }
    Ok(Base { compiled: Some((Compiled::whole(directory)?, day_at(directory, at)?)) })
}

impl Base {
    fn rights<'a>(&'a self, directory: &'a Directory) -> Option<Rights<'a>> {
        self.compiled.as_ref().map(|(compiled, day)| Rights::new(directory, compiled, *day))
    }
}

fn doors_of<'a>(rights: &mut Option<Rights<'a>>, person: &PersonId) -> BTreeSet<&'a DoorId> {
    let rights = rights.as_mut().map(|rights| rights.of(person)).unwrap_or_default();
    rights.values().flatten().map(|(_, door)| *door).collect()
}

impl Named {
    fn add(&mut self, person: &PersonId, named_max: usize) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < named_max {
            self.first.push(person.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::testing::{at, directory, id, take};

    const MORNING: &str = "2026-04-06T09:00:00+09:00";

    #[test]
    fn a_suspended_card_costs_its_holder_the_doors_that_no_other_card_opens() {
        let (before, mut after) = (directory(), directory());
        take(&mut after, Command::CardSuspend { card: id("A"), reason: "lost".into() }).unwrap();
        let at = at(MORNING);
        let doors = between((&before, at), (&after, at), 9).unwrap();
        assert_eq!(doors.keys().map(DoorId::as_str).collect::<Vec<_>>(), ["main"], "her telephone goes shopping");
        let main = &doors[&id::<DoorId>("main")];
        assert_eq!((main.lost.count, &main.lost.first, main.gained.count), (1, &vec![id("ann")], 0));
        let back = between((&after, at), (&before, at), 9).unwrap();
        assert_eq!(back[&id::<DoorId>("main")].gained.first, vec![id::<PersonId>("ann")]);
        assert!(between((&before, at), (&before, at), 9).unwrap().is_empty());
    }

    #[test]
    fn time_alone_takes_doors_away_and_an_empty_directory_gives_none() {
        let directory = directory();
        let (spring, summer) = (at(MORNING), at("2026-06-01T09:00:00+09:00"));
        let doors = between((&directory, spring), (&directory, summer), 9).unwrap();
        let main = &doors[&id::<DoorId>("main")];
        assert_eq!(main.lost.first, vec![id::<PersonId>("bob")], "his grant ends in May");
        let founded = between((&Directory::default(), spring), (&directory, spring), 1).unwrap();
        let main = &founded[&id::<DoorId>("main")];
        assert_eq!((main.gained.count, main.gained.first.len()), (3, 1), "only the first are named");
    }
}
