//! The plan of an import: what a difference would do to people, cards and rights. A dry run prints it, execution heeds it.
//!
//! A *right* is a card at a door that it may open today or on a later day, as far as is known: the card is neither
//! suspended nor closed, neither its last day nor its holder's leaving nor the last day of every rule has passed, and no
//! rule denies it for good.

use crate::command::{Actor, Command, Entry};
use crate::compile::{CompileError, Compiled, permitted_doors};
use crate::difference::{Difference, Rows};
use crate::directory::{Directory, Refusal};
use crate::model::{BuildingId, CardId, GrantId, PersonId};
use crate::touched::Resolved;
use doorward_protocol::facts::{self, ClassDoor, Credential, CredentialState, Effect};
use doorward_protocol::id::{AgentId, ClassId, DoorId};
use doorward_protocol::state::State;
use doorward_protocol::time::{Day, DayRange, UnixMs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Whether functions, types of card, categories, schedules, rules or holidays change.
    pub policy_changes: bool,
    /// Rows of each table of the folder, by its name.
    pub tables: BTreeMap<String, Counts>,
    /// Rights of all buildings together.
    pub rights: Counts,
    /// What changes at each building; buildings at which nothing changes are absent.
    pub buildings: BTreeMap<BuildingId, AtBuilding>,
    /// People whom the folder names no more: they count as left from the day of the import on.
    #[serde(default)]
    pub people_leaving: Vec<PersonId>,
    /// Cards that stay suspended or closed, because that was ordered here and the folder does not yet know.
    pub cards_held_back: Vec<CardId>,
    /// Grants added by command that end because what they name leaves the folder.
    pub grants_orphaned: Vec<GrantId>,
}

/// How many there are and what changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Before the import.
    pub before: usize,
    /// New ones.
    pub gained: usize,
    /// Ones that go.
    pub lost: usize,
    /// Ones that stay and change.
    pub changed: usize,
}

/// What changes at one building.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtBuilding {
    /// Its name.
    pub name: String,
    /// People who had no right at any of its doors and have one, and the other way round.
    pub people: Balance,
    /// Cards, likewise.
    pub cards: Balance,
    /// Rights at its doors.
    pub rights: Balance,
}

/// What is gained and lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Gained.
    pub gained: usize,
    /// Lost.
    pub lost: usize,
}

/// Why there is no plan. The import would fail for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The directory does not take the difference.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The directory after it cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The instant has no local day.
    #[error("{} has no local day here; set the clock right", .0.to_utc_text())]
    NoDay(UnixMs),
}

impl Plan {
    /// What a difference would do if it were imported at an instant.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn of(before: &Directory, compiled: &Compiled, difference: &Difference, at: UnixMs) -> Result<Self, PlanError> {
        let mut after = before.clone();
        let command = Command::Import { difference: Box::new(difference.clone()) };
        let seq = before.head().saturating_add(1);
        let touched = after.apply(&Entry { seq, at, actor: Actor::system(), command })?;
        let mut compiled_after = compiled.clone();
        compiled_after.update(&after, &touched)?;
        let day = day_at(&after, at)?;
        let mut plan = Self { policy_changes: difference.policy.is_some(), ..Self::default() };
        plan.count_tables(before, difference);
        plan.people_leaving = difference.left.iter().cloned().collect();
        plan.cards_held_back = held_back(&after, difference);
        plan.grants_orphaned = orphaned(before, difference);
        let mut old = Rights::new(before, compiled, day);
        let mut new = Rights::new(&after, &compiled_after, day);
        plan.weigh(&mut old, &mut new, &People::touched(&touched.resolve(&after), before, &after));
        Ok(plan)
    }

    /// Whether more than a tenth of the people or of the rights would go: more likely a bad export than a bad day.
    #[must_use]
    pub fn removes_too_much(&self) -> bool {
        let people = self.tables.get("people").copied().unwrap_or_default();
        people.loses_more_than_a_tenth() || self.rights.loses_more_than_a_tenth()
    }

    fn count_tables(&mut self, before: &Directory, difference: &Difference) {
        let tables = before.tables();
        let people = Counts {
            before: tables.people.keys().filter(|id| !before.is_gone(id)).count(),
            lost: difference.left.len(),
            ..count(&tables.people, &difference.people)
        };
        let counts = [
            ("units", count(&tables.units, &difference.units)),
            ("buildings", count(&tables.buildings, &difference.buildings)),
            ("doors", count(&tables.doors, &difference.doors)),
            ("people", people),
            ("cards", count(&tables.cards, &difference.cards)),
            ("grants", count(&tables.grants, &difference.grants)),
        ];
        self.tables = counts.into_iter().map(|(name, counts)| (name.to_owned(), counts)).collect();
    }

    /// Person by person, so that somebody with two cards loses a building only when both do.
    fn weigh<'a>(&mut self, old: &mut Rights<'a>, new: &mut Rights<'a>, touched: &People<'a>) {
        let people = |directory: &'a Directory| directory.tables().people.keys();
        let people: BTreeSet<&PersonId> = people(old.directory).chain(people(new.directory)).collect();
        for person in people {
            self.rights.before = self.rights.before.saturating_add(old.count(person));
            if !touched.contain(person) {
                continue;
            }
            let (before, after) = (old.of(person), new.of(person));
            let nothing = BTreeSet::new();
            let buildings: BTreeSet<&BuildingId> = before.keys().chain(after.keys()).copied().collect();
            for id in buildings {
                let (had, has) = (before.get(id).unwrap_or(&nothing), after.get(id).unwrap_or(&nothing));
                if had == has {
                    continue;
                }
                let building = self.buildings.entry(id.clone()).or_default();
                building.people.add(usize::from(had.is_empty()), usize::from(has.is_empty()));
                let rights = Balance { gained: has.difference(had).count(), lost: had.difference(has).count() };
                building.rights.add(rights.gained, rights.lost);
                self.rights.gained = self.rights.gained.saturating_add(rights.gained);
                self.rights.lost = self.rights.lost.saturating_add(rights.lost);
                let cards =
                    |rights: &BTreeSet<(&CardId, &DoorId)>| rights.iter().map(|right| right.0.clone()).collect();
                let (had, has): (BTreeSet<CardId>, BTreeSet<CardId>) = (cards(had), cards(has));
                building.cards.add(has.difference(&had).count(), had.difference(&has).count());
            }
        }
        for (id, building) in &mut self.buildings {
            let known = new.directory.tables().buildings.get(id).or_else(|| old.directory.tables().buildings.get(id));
            building.name = known.map(|known| known.name.clone()).unwrap_or_default();
        }
    }
}

impl Counts {
    const fn loses_more_than_a_tenth(&self) -> bool {
        self.lost.saturating_mul(10) > self.before
    }
}

impl Balance {
    const fn add(&mut self, gained: usize, lost: usize) {
        self.gained = self.gained.saturating_add(gained);
        self.lost = self.lost.saturating_add(lost);
    }
}

/// The local day of an instant.
pub(crate) fn day_at(directory: &Directory, at: UnixMs) -> Result<Day, PlanError> {
    let zone = directory.policy().and_then(|policy| crate::zone::zone(&policy.time_zone));
    Ok(zone.and_then(|zone| zone.local(at)).ok_or(PlanError::NoDay(at))?.day)
}

fn count<K: Ord, V>(table: &BTreeMap<K, V>, rows: &Rows<K, V>) -> Counts {
    let changed = rows.put.keys().filter(|key| table.contains_key(key)).count();
    let lost = rows.removed.iter().filter(|key| table.contains_key(key)).count();
    Counts { before: table.len(), gained: rows.put.len().saturating_sub(changed), lost, changed }
}

/// Cards of the difference to which the import does not give the state that the folder says.
fn held_back(after: &Directory, difference: &Difference) -> Vec<CardId> {
    let state_of = |id| after.tables().cards.get(id).map(|card| card.state);
    let other = difference.cards.put.iter().filter(|(id, card)| state_of(id) != Some(card.state));
    other.map(|(id, _)| id.clone()).collect()
}

fn orphaned(before: &Directory, difference: &Difference) -> Vec<GrantId> {
    let of_command = |id: &&GrantId| !before.folder_grants().contains_key(*id);
    difference.grants.removed.iter().filter(of_command).cloned().collect()
}

/// People whose rights can change.
enum People<'a> {
    Everyone,
    These(BTreeSet<&'a PersonId>),
}

impl<'a> People<'a> {
    /// The holders of touched cards, before and after.
    fn touched(touched: &Resolved, before: &'a Directory, after: &'a Directory) -> Self {
        if touched.everything || !touched.agents.is_empty() {
            return Self::Everyone;
        }
        let cards = || touched.cards.iter().chain(touched.cards_at.values().flatten());
        let holders = |directory: &'a Directory| {
            cards().filter_map(|card| directory.tables().cards.get(card)).map(|card| &card.person)
        };
        Self::These(holders(before).chain(holders(after)).collect())
    }

    fn contain(&self, person: &PersonId) -> bool {
        match self {
            Self::Everyone => true,
            Self::These(people) => people.contains(person),
        }
    }
}

/// Looks up rights in one directory and what was compiled from it.
pub(crate) struct Rights<'a> {
    directory: &'a Directory,
    compiled: &'a Compiled,
    day: Day,
    /// What each class permits at its agent, remembered, since many cards share a class.
    at_doors: BTreeMap<(&'a AgentId, ClassId), Vec<Permitted<'a>>>,
}

/// A door that a class permits today or later.
#[derive(Clone, Copy)]
struct Permitted<'a> {
    building: &'a BuildingId,
    door: &'a DoorId,
    identity: bool,
    /// Rules and grants that match there.
    entries: &'a [facts::Entry],
}

impl<'a> Rights<'a> {
    /// Rights from a day on.
    pub(crate) const fn new(directory: &'a Directory, compiled: &'a Compiled, day: Day) -> Self {
        Self { directory, compiled, day, at_doors: BTreeMap::new() }
    }

    /// The rights of a person, by building.
    pub(crate) fn of(&mut self, person: &PersonId) -> BTreeMap<&'a BuildingId, BTreeSet<(&'a CardId, &'a DoorId)>> {
        let mut rights: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        self.visit(person, |card, permitted| {
            rights.entry(permitted.building).or_default().insert((card, permitted.door));
        });
        rights
    }

    /// What permits a door to a person today or later.
    pub(crate) fn permits(&mut self, person: &PersonId, door: &DoorId) -> BTreeSet<&'a facts::Entry> {
        let (day, mut permits) = (self.day, BTreeSet::new());
        self.visit(person, |_, permitted| {
            if permitted.door == door {
                let entries = permitted.entries.iter().filter(|entry| entry.effect == Effect::Permit);
                permits.extend(entries.filter(|entry| is_to_come(entry.days.until, day)));
            }
        });
        permits
    }

    fn count(&mut self, person: &PersonId) -> usize {
        let mut count = 0_usize;
        self.visit(person, |_, _| count = count.saturating_add(1));
        count
    }

    fn visit(&mut self, person: &PersonId, mut see: impl FnMut(&'a CardId, Permitted<'a>)) {
        let (directory, compiled, day) = (self.directory, self.compiled, self.day);
        for card in directory.cards_of(person) {
            for (agent, state, credential) in compiled.credentials(card) {
                if credential.state == CredentialState::Suspended || !is_to_come(credential.valid.until, day) {
                    continue;
                }
                let doors = self.at_doors.entry((agent, credential.class));
                let doors = doors.or_insert_with(|| permitted(directory, state, &credential, day));
                doors
                    .iter()
                    .filter(|door| !has_ended(&credential, door.identity, day))
                    .for_each(|door| see(card, *door));
            }
        }
    }
}

fn permitted<'a>(directory: &'a Directory, state: &'a State, credential: &Credential, day: Day) -> Vec<Permitted<'a>> {
    let doors = permitted_doors(state, credential).filter(|door| {
        let mut permits = door.entries.iter().filter(|entry| entry.effect == Effect::Permit);
        permits.any(|entry| is_to_come(entry.days.until, day)) && !is_shut(door, day)
    });
    let permitted = doors.filter_map(|door| {
        let known = directory.tables().doors.get(&door.door)?;
        let function = directory.policy()?.functions.get(&known.function)?;
        let (door, entries) = (&door.door, door.entries.as_slice());
        Some(Permitted { building: &known.building, door, identity: function.identity, entries })
    });
    permitted.collect()
}

/// Whether a rule denies the door from a day on, at all times and for good.
fn is_shut(door: &ClassDoor, day: Day) -> bool {
    let mut denials = door.entries.iter().filter(|entry| entry.effect == Effect::Deny);
    denials.any(|entry| {
        let DayRange { from, until } = entry.days;
        entry.schedule.is_none() && until.is_none() && from.is_none_or(|from| from <= day)
    })
}

fn has_ended(credential: &Credential, identity: bool, day: Day) -> bool {
    credential.leaving.is_some_and(|leaving| if identity { leaving.left_on <= day } else { leaving.grace_until < day })
}

fn is_to_come(last_day: Option<Day>, day: Day) -> bool {
    last_day.is_none_or(|last_day| last_day >= day)
}

impl core::fmt::Display for Plan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.policy_changes {
            writeln!(f, "The policy changes.")?;
        }
        let rights = ("rights", &self.rights);
        let rows = self.tables.iter().map(|(name, counts)| (name.as_str(), counts)).chain([rights]);
        writeln!(f, "{:<12}{:>10}{:>10}{:>10}{:>10}", "", "now", "gained", "lost", "changed")?;
        for (name, Counts { before, gained, lost, changed }) in rows {
            writeln!(f, "{name:<12}{before:>10}{gained:>10}{lost:>10}{changed:>10}")?;
        }
        let width = self.buildings.keys().map(|id| id.as_str().len()).max().unwrap_or_default().max("building".len());
        if !self.buildings.is_empty() {
            writeln!(f, "\n{:<width$}{:>18}{:>18}{:>18}", "building", "people", "cards", "rights")?;
        }
        for (id, AtBuilding { name, people, cards, rights }) in &self.buildings {
            writeln!(f, "{:<width$}{people:>18}{cards:>18}{rights:>18}  {name}", id.as_str())?;
        }
        if !self.people_leaving.is_empty() {
            let (count, are) = (self.people_leaving.len(), if self.people_leaving.len() == 1 { "is" } else { "are" });
            writeln!(
                f,
                "\nLeave, because the folder does not name them any more: {}\nOf {count} who {are} marked as left, identity functions end today and the others with the days of grace.",
                listed(&self.people_leaving)
            )?;
        }
        if !self.cards_held_back.is_empty() {
            writeln!(
                f,
                "\nStay as they were ordered here, whatever the folder says: {}",
                listed(&self.cards_held_back)
            )?;
        }
        if !self.grants_orphaned.is_empty() {
            writeln!(f, "\nEnd because what they name leaves the folder: {}", listed(&self.grants_orphaned))?;
        }
        Ok(())
    }
}

impl core::fmt::Display for Balance {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(&format!("+{} -{}", self.gained, self.lost))
    }
}

/// How many names a line lists before it only counts the rest.
const LISTED_MAX: usize = 10;

fn listed<T: core::fmt::Display>(names: &[T]) -> String {
    let shown: Vec<_> = names.iter().take(LISTED_MAX).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(shown.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campus, CardState};
    use crate::testing::{at, campus, directory, id, take};

    fn plan_of(directory: &Directory, folder: &Campus, instant: &str) -> Plan {
        let compiled = Compiled::whole(directory).unwrap();
        Plan::of(directory, &compiled, &Difference::between(directory, folder), at(instant)).unwrap()
    }

    const MORNING: &str = "2026-04-06T09:00:00+09:00";

    fn balance(gained: usize, lost: usize) -> Balance {
        Balance { gained, lost }
    }

    #[test]
    fn a_first_import_gains_everything() {
        let mut directory = Directory::default();
        let reader_key = doorward_protocol::id::ReaderKey([1; 32]);
        take(&mut directory, Command::Found { reader_key, software: "x".into(), tzdb: "y".into() }).unwrap();
        let plan = plan_of(&directory, &campus(), MORNING);
        assert_eq!(plan.tables["people"], Counts { before: 0, gained: 5, lost: 0, changed: 0 });
        // Three cards at the main door, bob's by his grant; four at the kiosk and five at the mall, which eve is not kept from.
        assert_eq!(plan.rights, Counts { before: 0, gained: 12, lost: 0, changed: 0 });
        assert_eq!(plan.buildings[&id("hall")].people, balance(3, 0));
        assert!(!plan.removes_too_much());
    }

    #[test]
    fn rights_go_with_the_last_day_the_state_and_the_leaving_of_a_card() {
        let directory = directory();
        let lost = |edit: &dyn Fn(&mut Campus), instant: &str| {
            let mut folder = campus();
            edit(&mut folder);
            let plan = plan_of(&directory, &folder, instant);
            (plan.rights.lost, plan.buildings.get(&id("hall")).map(|hall| hall.people.lost))
        };
        let suspended: &dyn Fn(&mut Campus) =
            &|folder| folder.tables.cards.get_mut(&id("A")).unwrap().state = CardState::Suspended;
        // The second card still opens the kiosk, so the person loses no building.
        assert_eq!(lost(suspended, MORNING), (3, Some(0)));
        let left: &dyn Fn(&mut Campus) = &|folder| {
            folder.tables.people.get_mut(&id("sue")).unwrap().left_on =
                doorward_protocol::time::Day::parse("2026-04-01")
        };
        assert_eq!(lost(left, MORNING), (3, Some(1)));
        let renamed: &dyn Fn(&mut Campus) = &|folder| folder.policy.name = "Other".into();
        assert_eq!(lost(renamed, MORNING), (0, None));
        let ended: &dyn Fn(&mut Campus) = &|folder| folder.tables.grants.clear();
        assert_eq!(lost(ended, MORNING), (1, Some(0)));
        assert_eq!(lost(ended, "2026-06-01T09:00:00+09:00"), (0, None));
    }

    #[test]
    fn losing_more_than_a_tenth_is_too_much() {
        let directory = directory();
        let mut folder = campus();
        folder.policy.rules.remove(&id("shop"));
        let plan = plan_of(&directory, &folder, MORNING);
        assert!(plan.policy_changes && plan.removes_too_much(), "{plan}");
        let mut folder = campus();
        folder.tables.people.get_mut(&id("ann")).unwrap().name = "Anna".into();
        assert!(!plan_of(&directory, &folder, MORNING).removes_too_much());
    }

    #[test]
    fn a_plan_names_the_cards_that_the_folder_does_not_open_and_the_grants_that_end() {
        let mut directory = directory();
        take(&mut directory, Command::CardClose { card: id("A"), reason: "lost".into(), document: None }).unwrap();
        let grant = directory.tables().grants[&id("guest")].clone();
        let grant = crate::model::Grant { target: crate::model::Target::Door(id("open")), ..grant };
        take(&mut directory, Command::GrantAdd { id: id("mine"), grant }).unwrap();
        let mut folder = campus();
        folder.tables.cards.get_mut(&id("A")).unwrap().state = CardState::Produced;
        folder.tables.people.remove(&id("eve"));
        folder.tables.cards.remove(&id("E"));
        folder.tables.doors.remove(&id("open"));
        folder.policy.rules.remove(&id("expelled"));
        let plan = plan_of(&directory, &folder, MORNING);
        assert_eq!((plan.cards_held_back.clone(), plan.grants_orphaned.clone()), (vec![id("A")], vec![id("mine")]));
        let text = plan.to_string();
        assert_eq!((plan.people_leaving.clone(), plan.tables["people"].lost), (vec![id("eve")], 1));
        let leaving =
            "does not name them any more: eve\nOf 1 who is marked as left, identity functions end today and the";
        assert!(text.contains(leaving), "{text}");
        assert!(text.contains("whatever the folder says: A\n") && text.contains("leaves the folder: mine\n"), "{text}");
    }

    #[test]
    fn who_left_before_is_no_part_of_what_too_much_is_measured_by() {
        let mut directory = directory();
        let mut folder = campus();
        folder.tables.people.remove(&id("old"));
        folder.tables.cards.remove(&id("O"));
        let plan = plan_of(&directory, &folder, MORNING);
        assert_eq!(plan.tables["people"], Counts { before: 5, gained: 0, lost: 1, changed: 0 });
        assert!(plan.removes_too_much(), "one of five");
        let difference = Box::new(Difference::between(&directory, &folder));
        take(&mut directory, Command::Import { difference }).unwrap();
        let plan = plan_of(&directory, &folder, MORNING);
        assert_eq!(plan.tables["people"], Counts { before: 4, gained: 0, lost: 0, changed: 0 });
    }

    #[test]
    fn a_plan_is_printed_as_tables() {
        let mut folder = campus();
        folder.tables.cards.remove(&id("B"));
        let text = plan_of(&directory(), &folder, MORNING).to_string();
        let expected = "
                   now    gained      lost   changed
buildings            2         0         0         0
cards                7         0         1         0
doors                3         0         0         0
grants               1         0         0         0
people               5         0         0         0
units                3         0         0         0
rights              12         0         3         0

building            people             cards            rights
hall                 +0 -1             +0 -1             +0 -2  Hall
mall                 +0 -1             +0 -1             +0 -1  Mall
";
        assert_eq!(format!("\n{text}"), expected);
    }
}
