//! What a grant would change before it is given, and what would end with it: how many people gain or lose which doors.
//!
//! Computed as the doors will decide, by compiling the people whom the grant names without and with it; deliberately not
//! estimated from the rules.

use crate::compile::Compiled;
use crate::directory::{Directory, Refusal};
use crate::model::{BuildingId, CardId, Grant, GrantId, PersonId, Tables, Target};
use crate::plan::{PlanError, Rights, day_at};
use doorward_protocol::facts::{Entry, Factors};
use doorward_protocol::id::DoorId;
use doorward_protocol::time::{Day, DayRange, UnixMs};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// How many people the grant names who have a card, or whoever there will be of them.
    pub people: usize,
    /// How many of them gain a door.
    pub gaining: usize,
    /// The doors that it opens.
    pub doors: BTreeMap<DoorId, AtDoor>,
}

/// What a grant would change at one door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtDoor {
    /// Its name.
    pub name: String,
    /// Its building.
    pub building: BuildingId,
    /// People who can open it at no time today or later, and could then.
    pub gain: usize,
    /// People whom the grant names who can open it at some time already.
    pub have: usize,
    /// Those of them who could open it at other times as well, or without a factor that they have to present now.
    pub more: usize,
    /// People whom the grant names who could not open it with it either, such as without a card that has the function.
    pub without: usize,
}

/// What the effect of a grant is worked out from: a copy of those whom it names, without and with it.
#[derive(Debug)]
pub struct Trial {
    without: Directory,
    with: Directory,
    day: Day,
    doors: BTreeMap<DoorId, AtDoor>,
}

impl Trial {
    /// The trial of a grant that would be given at an instant.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn of(directory: &Directory, grant: &Grant, at: UnixMs) -> Result<Self, PlanError> {
        let (without, with) = directory.among(grant)?;
        let doors = doors_of(directory.tables(), &grant.target);
        Ok(Self { without, with, day: day_at(directory, at)?, doors })
    }

    /// The trial of a grant that was given, at an instant: its effect is what would end with it.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn of_given(directory: &Directory, id: &GrantId, at: UnixMs) -> Result<Self, PlanError> {
        let (without, with) = directory.among_those_of(id)?;
        let grants = &directory.tables().grants;
        let grant = grants.get(id).ok_or_else(|| Refusal::unknown("grant", id.as_str(), grants.keys()))?;
        let doors = doors_of(directory.tables(), &grant.target);
        Ok(Self { without, with, day: day_at(directory, at)?, doors })
    }

    /// What the grant would change.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn effect(self) -> Result<Effect, PlanError> {
        let Self { without, with, day, doors } = self;
        let (compiled_without, compiled_with) = (Compiled::whole(&without)?, Compiled::whole(&with)?);
        let mut old = Rights::new(&without, &compiled_without, day);
        let mut new = Rights::new(&with, &compiled_with, day);
        let mut effect = Effect { doors, ..Effect::default() };
        for person in with.tables().people.keys().filter(|person| has_card(&with, person)) {
            effect.people = effect.people.saturating_add(1);
            let (had, has) = (doors_in(&old.of(person)), doors_in(&new.of(person)));
            let mut gains = false;
            for (id, door) in &mut effect.doors {
                let count = match (had.contains(id), has.contains(id)) {
                    (true, _) => {
                        let (before, after) = (old.permits(person, id), new.permits(person, id));
                        let is_new = |entry: &&&Entry| !before.iter().any(|known| covers(known, entry, day));
                        door.more = door.more.saturating_add(usize::from(after.iter().any(|entry| is_new(&entry))));
                        &mut door.have
                    }
                    (false, true) => {
                        gains = true;
                        &mut door.gain
                    }
                    (false, false) => &mut door.without,
                };
                *count = count.saturating_add(1);
            }
            effect.gaining = effect.gaining.saturating_add(usize::from(gains));
        }
        Ok(effect)
    }
}

/// Whether whatever an entry permits from a day on another one permits, too.
fn covers(known: &Entry, entry: &Entry, day: Day) -> bool {
    let to_come = DayRange { from: Some(day), until: None };
    let days = entry.days.intersection(&to_come);
    let is_within = days.is_none_or(|days| known.days.intersection(&days) == Some(days));
    let is_as_long = known.schedule.is_none() || known.schedule == entry.schedule;
    is_within && is_as_long && (known.factors == Factors::NONE || known.factors == entry.factors)
}

fn has_card(directory: &Directory, person: &PersonId) -> bool {
    directory.cards_of(person).next().is_some()
}

fn doors_of(tables: &Tables, target: &Target) -> BTreeMap<DoorId, AtDoor> {
    let named = tables.doors.iter().filter(|(id, door)| match target {
        Target::Door(named) => named == *id,
        Target::Building(building) => *building == door.building,
    });
    let none = |(id, door): (&DoorId, &crate::model::Door)| {
        let (name, building) = (door.name.clone(), door.building.clone());
        (id.clone(), AtDoor { name, building, gain: 0, have: 0, more: 0, without: 0 })
    };
    named.map(none).collect()
}

fn doors_in<'a>(rights: &BTreeMap<&'a BuildingId, BTreeSet<(&'a CardId, &'a DoorId)>>) -> BTreeSet<&'a DoorId> {
    rights.values().flatten().map(|(_, door)| *door).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Subject, Target};
    use crate::testing::{at, directory, id};

    fn effect_of(directory: &Directory, grant: &Grant, at: UnixMs) -> Result<Effect, PlanError> {
        Trial::of(directory, grant, at)?.effect()
    }

    const MORNING: &str = "2026-04-06T09:00:00+09:00";

    fn grant(subject: Subject, target: Target) -> Grant {
        Grant { subject, target, schedule: None, days: DayRange::ALWAYS, within: None }
    }

    fn at_door(effect: &Effect, door: &str) -> (usize, usize, usize) {
        let door = &effect.doors[&id(door)];
        (door.gain, door.have, door.without)
    }

    #[test]
    fn people_who_gain_are_told_from_those_who_have_it_already() {
        let directory = directory();
        let effect =
            effect_of(&directory, &grant(Subject::Category(id("student")), Target::Building(id("hall"))), at(MORNING));
        let effect = effect.unwrap();
        // Ann opens it as a physicist, Bob from May on by another grant, and Old has left.
        assert_eq!(effect.people, 3);
        assert_eq!(at_door(&effect, "main"), (0, 2, 1));
        assert_eq!(effect.gaining, 0);
        assert_eq!(effect.doors[&id("main")].more, 2, "both could come by night, and Bob before May and after it");
        let by_day = Grant { schedule: Some(id("day")), ..grant(Subject::Person(id("ann")), Target::Door(id("main"))) };
        let effect = effect_of(&directory, &by_day, at(MORNING)).unwrap();
        assert_eq!(
            (at_door(&effect, "main"), effect.doors[&id("main")].more),
            ((0, 1, 0), 0),
            "she comes by day already"
        );
        let later = at("2026-06-01T09:00:00+09:00");
        let effect = effect_of(&directory, &grant(Subject::Person(id("bob")), Target::Door(id("main"))), later);
        assert_eq!(at_door(&effect.unwrap(), "main"), (1, 0, 0), "the other grant has ended");
    }

    #[test]
    fn whoever_opens_a_door_by_another_right_loses_nothing_with_a_grant() {
        let directory = directory();
        let given = |instant: &str| Trial::of_given(&directory, &id("guest"), at(instant)).unwrap().effect().unwrap();
        let before = given(MORNING);
        assert_eq!((at_door(&before, "main").0, before.gaining), (1, 1), "bob would come in May");
        assert_eq!(given("2026-06-01T09:00:00+09:00").gaining, 0, "its days are over");
        let mut other = directory.clone();
        let twice = directory.tables().grants[&id("guest")].clone();
        other.put_grant(id("twice"), twice, at(MORNING));
        let effect = Trial::of_given(&other, &id("guest"), at(MORNING)).unwrap().effect().unwrap();
        assert_eq!((effect.gaining, effect.doors[&id("main")].more), (0, 0), "the other grant says the same");
        assert!(matches!(Trial::of_given(&directory, &id("none"), at(MORNING)), Err(PlanError::Refused(_))));
    }

    #[test]
    fn a_rule_that_denies_leaves_nothing_to_gain_and_days_that_are_over_neither() {
        let directory = directory();
        let staff = grant(Subject::Category(id("staff")), Target::Door(id("main")));
        let effect = effect_of(&directory, &staff, at(MORNING)).unwrap();
        assert_eq!((effect.people, at_door(&effect, "main")), (2, (0, 1, 1)), "sue has it, eve is expelled");
        let over = Grant {
            days: DayRange { from: None, until: Day::parse("2026-05-31") },
            ..grant(Subject::Person(id("bob")), Target::Door(id("main")))
        };
        let effect = effect_of(&directory, &over, at("2026-06-01T09:00:00+09:00")).unwrap();
        assert_eq!(at_door(&effect, "main"), (0, 0, 1));
    }

    #[test]
    fn a_grant_within_a_unit_names_only_its_people() {
        let directory = directory();
        let within =
            Grant { within: Some(id("arts")), ..grant(Subject::Category(id("student")), Target::Building(id("mall"))) };
        let effect = effect_of(&directory, &within, at(MORNING)).unwrap();
        assert_eq!(effect.gaining, 0, "everybody can go to the mall");
        let unknown = grant(Subject::Person(id("nobody")), Target::Door(id("main")));
        assert!(matches!(effect_of(&directory, &unknown, at(MORNING)), Err(PlanError::Refused(_))));
    }
}
