//! What a grant is, on the command line and in words: shared by those who give one and those who ask for one.

use crate::args::day;
use crate::output::Output;
use clap::Args;
use doorward_policy::model::{BuildingId, CategoryId, PersonId, ScheduleName, Subject, Target, UnitId};
use doorward_protocol::id::DoorId;
use doorward_protocol::time::Day;
use doorward_server::http::shapes::GrantOrder;
use doorward_server::http::shapes::requests::{EffectView, GrantTerms};

/// Who, where and when.
#[derive(Debug, Args)]
pub struct Terms {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    place: Place,
    /// When on those days: a schedule of campus.toml; always unless given
    #[arg(long, value_name = "NAME")]
    schedule: Option<ScheduleName>,
    /// First day, such as 2026-11-22; from now on unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// Last day; without end unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Day>,
    /// Only while they are affiliated to this unit or to one below it; ends by itself with the affiliation
    #[arg(long, value_name = "UNIT", conflicts_with = "unit")]
    within: Option<UnitId>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// Everyone with an active affiliation to this unit or to one below it
    #[arg(long, value_name = "UNIT")]
    unit: Option<UnitId>,
    /// One person
    #[arg(long, value_name = "PERSON")]
    person: Option<PersonId>,
    /// Everyone of this category
    #[arg(long, value_name = "CATEGORY")]
    category: Option<CategoryId>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// All doors of this building
    #[arg(long, value_name = "BUILDING")]
    building: Option<BuildingId>,
    /// One door
    #[arg(long, value_name = "DOOR")]
    door: Option<DoorId>,
}

impl Terms {
    /// The order for a grant; `None` never, since clap has seen to it that one subject and one target are given.
    pub fn order(self, id: Option<String>) -> Option<GrantOrder> {
        let Who { unit, person, category } = self.who;
        let subject = unit.map(Subject::Unit).or(person.map(Subject::Person)).or(category.map(Subject::Category));
        let target = self.place.building.map(Target::Building).or(self.place.door.map(Target::Door));
        Some(GrantOrder {
            id,
            subject: subject?,
            target: target?,
            schedule: self.schedule.map(|schedule| schedule.to_string()),
            from: self.from.map(|day| day.to_string()),
            until: self.until.map(|day| day.to_string()),
            within: self.within.map(|unit| unit.to_string()),
        })
    }
}

/// Whom a grant lets in.
pub fn who_text(terms: &GrantTerms) -> String {
    let who = match &terms.subject {
        Subject::Person(person) => format!("person {person}"),
        Subject::Unit(unit) => format!("unit {unit}"),
        Subject::Category(category) => format!("category {category}"),
    };
    terms.within.as_ref().map_or(who.clone(), |unit| format!("{who} while in unit {unit}"))
}

/// Where a grant lets in.
pub fn where_text(terms: &GrantTerms) -> String {
    match &terms.target {
        Target::Door(door) => format!("door {door}"),
        Target::Building(building) => format!("building {building}"),
    }
}

/// When a grant lets in.
pub fn when_text(terms: &GrantTerms) -> String {
    let hours = terms.schedule.as_deref().unwrap_or("always");
    let from = terms.from.as_ref().map(|day| format!(" from {day}")).unwrap_or_default();
    let until = terms.until.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
    format!("{hours}{from}{until}")
}

/// Prints what a grant would change.
pub fn print_effect(effect: &EffectView, out: &mut Output) -> anyhow::Result<()> {
    print_counts(effect, "gain", ["DOOR", "GAIN IT", "HAVE IT", "GAIN HOURS", "CANNOT", "NAME"], out)
}

/// Prints what would end with a grant.
pub fn print_ending(effect: &EffectView, out: &mut Output) -> anyhow::Result<()> {
    print_counts(effect, "lose", ["DOOR", "LOSE IT", "KEEP IT", "LOSE HOURS", "CANNOT", "NAME"], out)
}

fn print_counts(effect: &EffectView, verb: &str, columns: [&str; 6], out: &mut Output) -> anyhow::Result<()> {
    let EffectView { people, gaining, doors } = effect;
    out.line(&format!("people with a card whom it names: {people}; of them {verb} a door: {gaining}"))?;
    let rows: Vec<_> = doors
        .iter()
        .map(|door| {
            let counts = [door.gain, door.have, door.more, door.without].map(|count| count.to_string());
            [vec![door.door.clone()], counts.to_vec(), vec![door.name.clone()]].concat()
        })
        .collect();
    out.table(&columns, &rows)?;
    Ok(())
}
