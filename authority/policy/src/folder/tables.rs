//! The CSV tables of a campus folder, each row with its references.
//!
//! Tables are read in the order in which they refer to each other; an id counts as declared even where the rest of its
//! row is wrong, so that one mistake is reported once.

use crate::folder::CampusFiles;
use crate::folder::cards;
use crate::folder::declared::Declared;
use crate::folder::policy::PolicyFile;
use crate::folder::units;
use crate::folder::values;
use crate::model::{
    Affiliation, Building, BuildingId, Door, Grant, GrantId, Person, PersonId, RuleId, Subject, Tables, Target, UnitId,
    UnlockSchedule,
};
use doorward_protocol::id::{AgentId, DoorId, IdError};
use doorward_protocol::limits::DOORS_MAX;
use doorward_protocol::problem::{Place, Problem, shown};
use doorward_protocol::table::{Column, Row, Table, decode};
use doorward_protocol::time::DayRange;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Reads all tables; what is wrong in them, and in what the policy names of them, becomes problems.
pub fn read(files: &CampusFiles, policy: &PolicyFile, problems: &mut Vec<Problem>) -> Tables {
    let (unit_ids, units) = units::read(files, problems);
    let (building_ids, buildings) = buildings(files, &unit_ids, problems);
    let (door_ids, doors) = doors(files, policy, &unit_ids, &building_ids, problems);
    report_crowded_agents(&buildings, &doors, &door_ids, problems);
    let (person_ids, mut people) = people(files, policy, problems);
    affiliations(files, &unit_ids, &person_ids, &mut people, problems);
    let cards = cards::read(files, policy, &person_ids, problems);
    let known = Known { policy, units: &unit_ids, people: &person_ids, buildings: &building_ids, doors: &door_ids };
    let grants = known.grants(files, problems);
    known.check_mentions(problems);
    Tables { units, buildings, doors, people, cards, grants }
}

/// Reads one table whose rows have ids in the column `key`; `read` makes a row's value or reports why not.
pub fn table<I, V>(
    files: &CampusFiles,
    file: &'static str,
    columns: &'static [Column],
    key: &str,
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&Row<'_, '_>, Option<&I>, &mut Vec<Problem>) -> Option<V>,
) -> (Declared<I>, BTreeMap<I, V>)
where
    I: Ord + Clone + AsRef<str> + FromStr<Err = IdError>,
{
    let mut declared = Declared::new(file);
    let mut values = BTreeMap::new();
    let is_whole = rows(files, file, columns, problems, |row, problems| {
        let id = row.required(key, problems, I::from_str);
        let value = read(row, id.as_ref(), problems);
        let Some(id) = id else { return };
        match declared.declare(id.clone(), row.line()) {
            Ok(()) => values.extend(value.map(|value| (id, value))),
            Err(error) => problems.push(row.problem(key, format!("{} {error}", shown(id.as_ref())))),
        }
    });
    if !is_whole {
        declared.note_gap();
    }
    (declared, values)
}

/// Reads the rows of one table; whether every row could be told.
fn rows(
    files: &CampusFiles,
    file: &'static str,
    columns: &'static [Column],
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&Row<'_, '_>, &mut Vec<Problem>),
) -> bool {
    let Some(bytes) = files.0.get(file) else {
        let is_optional = file == GRANTS_FILE;
        if !is_optional {
            let names: Vec<_> = columns.iter().map(Column::name).collect();
            let message = format!("is missing; it is a table with the columns {}", names.join(","));
            problems.push(Problem::new(file, Place::START, message));
        }
        return is_optional;
    };
    let Some(text) = decode(file, bytes, problems) else { return false };
    let Some(mut table) = Table::open(file, &text, columns, problems) else { return false };
    while let Some(row) = table.next_row(problems) {
        read(&row, problems);
    }
    !table.rows_skipped()
}

/// The days of a row with the columns `from` and `until`.
fn days(row: &Row<'_, '_>, problems: &mut Vec<Problem>) -> Option<DayRange> {
    let from = row.optional("from", problems, values::day)?;
    let until = row.optional("until", problems, |text| {
        let until = values::day(text)?;
        values::order("from", from, until).map(|()| until)
    })?;
    Some(DayRange { from, until })
}

const BUILDINGS: &[Column] = &[
    Column::required("building_id"),
    Column::required("name"),
    Column::required("agent_id"),
    Column::optional("owner_unit_id"),
];

fn buildings(
    files: &CampusFiles,
    units: &Declared<UnitId>,
    problems: &mut Vec<Problem>,
) -> (Declared<BuildingId>, BTreeMap<BuildingId, Building>) {
    table(files, "buildings.csv", BUILDINGS, "building_id", problems, |row, _, problems| {
        let name = row.required("name", problems, values::text);
        let agent = row.required("agent_id", problems, AgentId::new);
        let owner = row.optional("owner_unit_id", problems, |text| units.resolve(text));
        Some(Building { name: name?, agent: agent?, owner: owner? })
    })
}

const DOORS_FILE: &str = "doors.csv";
const DOORS: &[Column] = &[
    Column::required("door_id"),
    Column::required("building_id"),
    Column::required("name"),
    Column::required("function"),
    Column::optional("owner_unit_id"),
    Column::optional("unlock_schedule"),
];

fn doors(
    files: &CampusFiles,
    policy: &PolicyFile,
    units: &Declared<UnitId>,
    buildings: &Declared<BuildingId>,
    problems: &mut Vec<Problem>,
) -> (Declared<DoorId>, BTreeMap<DoorId, Door>) {
    table(files, DOORS_FILE, DOORS, "door_id", problems, |row, _, problems| {
        let building = row.required("building_id", problems, |text| buildings.resolve(text));
        let name = row.required("name", problems, values::text);
        let function = row.required("function", problems, |text| policy.names.functions.resolve(text));
        let owner = row.optional("owner_unit_id", problems, |text| units.resolve(text));
        let unlock = row.optional("unlock_schedule", problems, |text| policy.names.schedule(text));
        let unlock = unlock?.map(|schedule| schedule.map_or(UnlockSchedule::Always, UnlockSchedule::Named));
        Some(Door { building: building?, name: name?, function: function?, owner: owner?, unlock })
    })
}

/// An agent refuses a state with too many doors, so a campus with one is refused before anything is sent.
fn report_crowded_agents(
    buildings: &BTreeMap<BuildingId, Building>,
    doors: &BTreeMap<DoorId, Door>,
    ids: &Declared<DoorId>,
    problems: &mut Vec<Problem>,
) {
    let mut counts = BTreeMap::<&AgentId, usize>::new();
    for (id, door) in doors {
        let Some(building) = buildings.get(&door.building) else { continue };
        let count = counts.entry(&building.agent).or_default();
        *count += 1;
        if *count == DOORS_MAX + 1 {
            let agent = shown(building.agent.as_str());
            let message = format!(
                "door_id {} is one door too many of agent {agent}; an agent has at most {DOORS_MAX}",
                shown(id.as_str())
            );
            let place = Place { line: ids.line_of(id).unwrap_or(1), column: 1 };
            problems.push(Problem::new(DOORS_FILE, place, message));
        }
    }
}

const PEOPLE: &[Column] = &[
    Column::required("person_id"),
    Column::required("name"),
    Column::required("category"),
    Column::optional("ends_on"),
    Column::optional("left_on"),
];

fn people(
    files: &CampusFiles,
    policy: &PolicyFile,
    problems: &mut Vec<Problem>,
) -> (Declared<PersonId>, BTreeMap<PersonId, Person>) {
    table(files, "people.csv", PEOPLE, "person_id", problems, |row, _, problems| {
        let name = row.required("name", problems, values::text);
        let category = row.required("category", problems, |text| policy.names.categories.resolve(text));
        let ends_on = row.optional("ends_on", problems, values::day);
        let left_on = row.optional("left_on", problems, values::day);
        let affiliations = BTreeSet::new();
        Some(Person { name: name?, category: category?, ends_on: ends_on?, left_on: left_on?, affiliations })
    })
}

const AFFILIATIONS: &[Column] =
    &[Column::required("person_id"), Column::required("unit_id"), Column::optional("from"), Column::optional("until")];

fn affiliations(
    files: &CampusFiles,
    units: &Declared<UnitId>,
    person_ids: &Declared<PersonId>,
    people: &mut BTreeMap<PersonId, Person>,
    problems: &mut Vec<Problem>,
) {
    rows(files, "affiliations.csv", AFFILIATIONS, problems, |row, problems| {
        let person = row.required("person_id", problems, |text| person_ids.resolve(text));
        let unit = row.required("unit_id", problems, |text| units.resolve(text));
        let days = days(row, problems);
        if let (Some(person), Some(unit), Some(days)) = (person.and_then(|id| people.get_mut(&id)), unit, days) {
            person.affiliations.insert(Affiliation { unit, days });
        }
    });
}

const GRANTS_FILE: &str = "grants.csv";
const GRANTS: &[Column] = &[
    Column::required("grant_id"),
    Column::required("subject"),
    Column::required("target"),
    Column::optional("schedule"),
    Column::optional("from"),
    Column::optional("until"),
];

/// Everything that grants and rules can name.
struct Known<'a> {
    policy: &'a PolicyFile,
    units: &'a Declared<UnitId>,
    people: &'a Declared<PersonId>,
    buildings: &'a Declared<BuildingId>,
    doors: &'a Declared<DoorId>,
}

impl Known<'_> {
    fn grants(&self, files: &CampusFiles, problems: &mut Vec<Problem>) -> BTreeMap<GrantId, Grant> {
        let (_, grants) = table(files, GRANTS_FILE, GRANTS, "grant_id", problems, |row, id, problems| {
            let rule = id.and_then(|id: &GrantId| RuleId::new(id.as_str()).ok());
            if let Some(line) = rule.and_then(|id| self.policy.names.rules.line_of(&id)) {
                let id = shown(row.text("grant_id"));
                let message = format!("{id} is the id of a rule already, on line {line} of campus.toml");
                problems.push(row.problem("grant_id", message));
            }
            let subject = row.required("subject", problems, |text| self.subject(text));
            let target = row.required("target", problems, |text| self.target(text));
            let schedule = row.optional("schedule", problems, |text| self.policy.names.schedule(text));
            let days = days(row, problems);
            Some(Grant { subject: subject?, target: target?, schedule: schedule?.flatten(), days: days?, within: None })
        });
        grants
    }

    fn subject(&self, text: &str) -> Result<Subject, String> {
        match text.split_once(':') {
            Some(("person", id)) => self.people.resolve(id).map(Subject::Person),
            Some(("unit", id)) => self.units.resolve(id).map(Subject::Unit),
            Some(("category", id)) => self.policy.names.categories.resolve(id).map(Subject::Category),
            _ => Err("is not known; expected person:ID | unit:ID | category:ID".into()),
        }
    }

    fn target(&self, text: &str) -> Result<Target, String> {
        match text.split_once(':') {
            Some(("door", id)) => self.doors.resolve(id).map(Target::Door),
            Some(("building", id)) => self.buildings.resolve(id).map(Target::Building),
            _ => Err("is not known; expected door:ID | building:ID".into()),
        }
    }

    fn check_mentions(&self, problems: &mut Vec<Problem>) {
        let mentions = &self.policy.mentions;
        check("units", &mentions.units, self.units, problems);
        check("people", &mentions.people, self.people, problems);
        check("buildings", &mentions.buildings, self.buildings, problems);
        check("doors", &mentions.doors, self.doors, problems);
    }
}

/// Holds what rules name against the table that declares it.
fn check<I>(key: &str, mentions: &[(I, Place)], declared: &Declared<I>, problems: &mut Vec<Problem>)
where
    I: Ord + AsRef<str> + FromStr<Err = IdError>,
{
    for (id, place) in mentions {
        if let Err(error) = declared.check(id) {
            problems.push(Problem::new("campus.toml", *place, format!("{key} {} {error}", shown(id.as_ref()))));
        }
    }
}
