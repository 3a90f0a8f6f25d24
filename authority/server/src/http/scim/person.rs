//! People as Users, and Users as people.
//!
//! A category is the `userType`, an affiliation without a last day the `department`, all affiliations stand in Doorward's own
//! extension; who is not `active` has left.

use super::attributes::{ENTERPRISE, PERSON, USER};
use super::{BASE, ScimFailure, with_meta};
use doorward_policy::directory::Directory;
use doorward_policy::feed::{Alias, Pushed};
use doorward_policy::model::{Affiliation, CategoryId, Person, PersonId, UnitId};
use doorward_protocol::id::hash;
use doorward_protocol::time::{Day, DayRange};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Whether days go on today or later.
#[must_use]
pub fn lasts(days: DayRange, today: Day) -> bool {
    days.until.is_none_or(|until| today <= until)
}

/// A person as a User.
#[must_use]
pub fn user(directory: &Directory, id: &PersonId, person: &Person, today: Day) -> Value {
    let alias = directory.alias(id);
    let mut schemas = vec![USER.id];
    let mut fields = Map::new();
    fields.insert("id".into(), id.as_str().into());
    if let Some(external) = &alias.external_id {
        fields.insert("externalId".into(), external.as_str().into());
    }
    fields.insert("userName".into(), alias.user_name.as_str().into());
    fields.insert("displayName".into(), person.name.as_str().into());
    fields.insert("userType".into(), person.category.as_str().into());
    fields.insert("active".into(), person.left_on.is_none_or(|left_on| today < left_on).into());
    let units: BTreeSet<&UnitId> =
        person.affiliations.iter().filter(|of| lasts(of.days, today)).map(|of| &of.unit).collect();
    if !units.is_empty() {
        let groups = units.into_iter().map(|unit| {
            let name = directory.tables().units.get(unit).map(|unit| unit.name.as_str());
            json!({ "value": unit, "$ref": format!("{BASE}/Groups/{unit}"), "display": name, "type": "direct" })
        });
        fields.insert("groups".into(), groups.collect());
    }
    if let Some(department) = department(person) {
        schemas.push(ENTERPRISE.id);
        fields.insert(ENTERPRISE.id.into(), json!({ "department": department }));
    }
    let more = extension(person);
    if !more.is_empty() {
        schemas.push(PERSON.id);
        fields.insert(PERSON.id.into(), Value::Object(more));
    }
    fields.insert("schemas".into(), schemas.into());
    with_meta("User", format!("{BASE}/Users/{id}"), Value::Object(fields))
}

fn extension(person: &Person) -> Map<String, Value> {
    let mut fields = Map::new();
    let say = |fields: &mut Map<String, Value>, name: &str, day: Option<Day>| {
        if let Some(day) = day {
            fields.insert(name.into(), day.to_string().into());
        }
    };
    say(&mut fields, "endsOn", person.ends_on);
    say(&mut fields, "leftOn", person.left_on);
    if !person.affiliations.is_empty() {
        let affiliations = person.affiliations.iter().map(|affiliation| {
            let mut fields = Map::new();
            fields.insert("unit".into(), affiliation.unit.as_str().into());
            say(&mut fields, "from", affiliation.days.from);
            say(&mut fields, "until", affiliation.days.until);
            Value::Object(fields)
        });
        fields.insert("affiliations".into(), affiliations.collect());
    }
    fields
}

/// The unit of the only affiliation without a last day.
fn department(person: &Person) -> Option<&UnitId> {
    let mut open = person.affiliations.iter().filter(|affiliation| affiliation.days.until.is_none());
    let one = open.next()?;
    open.next().is_none().then_some(&one.unit)
}

/// The id of a new person: the user name where it is spelt like one, then the client's own id, then one that follows from the name.
#[must_use]
pub fn new_id(user_name: &str, external_id: Option<&str>) -> Option<PersonId> {
    let spelt = PersonId::new(user_name).or_else(|_| PersonId::new(external_id.unwrap_or_default()));
    spelt.ok().or_else(|| {
        let hash = hash("doorward 1 scim person", &[user_name.to_lowercase().as_bytes()]);
        let digits: String = hex::encode(hash.0).chars().take(24).collect();
        PersonId::new(&format!("scim-{digits}")).ok()
    })
}

/// Reads what a User says of a person, who may be new.
///
/// # Errors
/// What is wrong with a value.
pub fn read(
    directory: &Directory,
    id: Option<&PersonId>,
    user: &Value,
    today: Day,
) -> Result<(PersonId, Pushed), ScimFailure> {
    let text = |name: &str| match user.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ScimFailure::value(format!("{name} is no text"))),
    };
    let required = |name: &str| text(name)?.ok_or_else(|| ScimFailure::value(format!("{name} is missing")));
    let (user_name, external_id) = (required("userName")?, text("externalId")?);
    let id = match id {
        Some(id) => id.clone(),
        None => new_id(&user_name, external_id.as_deref())
            .ok_or_else(|| ScimFailure::value("no person id can be made of the user name"))?,
    };
    let known = directory.tables().people.get(&id);
    let category = required("userType")?;
    let category = CategoryId::new(&category).map_err(|error| ScimFailure::value(format!("userType {error}")))?;
    let left_before = known.and_then(|known| known.left_on);
    let left_on = if is_active(user)? {
        left_before.filter(|left_on| today < *left_on)
    } else {
        Some(left_before.map_or(today, |left_on| left_on.min(today)))
    };
    let more = user.get(PERSON.id);
    let mut person = Person {
        name: required("displayName")?,
        category,
        ends_on: day(more, "endsOn")?,
        left_on,
        affiliations: affiliations(more)?,
    };
    move_department(directory, known, &mut person, user.get(ENTERPRISE.id), today)?;
    let alias = Alias { user_name, external_id, withdrawn: false };
    Ok((id.clone(), Pushed { person, alias, before: directory.person_version(&id) }))
}

/// Some clients write yes and no as text.
fn is_active(user: &Value) -> Result<bool, ScimFailure> {
    match user.get("active") {
        None => Ok(true),
        Some(Value::Bool(is_active)) => Ok(*is_active),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(ScimFailure::value("active is true or false")),
    }
}

fn day(fields: Option<&Value>, name: &str) -> Result<Option<Day>, ScimFailure> {
    let wrong = || ScimFailure::value(format!("{name} is a day, YYYY-MM-DD"));
    match fields.and_then(|fields| fields.get(name)) {
        None => Ok(None),
        Some(value) => value.as_str().and_then(Day::parse).map(Some).ok_or_else(wrong),
    }
}

fn affiliations(fields: Option<&Value>) -> Result<BTreeSet<Affiliation>, ScimFailure> {
    let values = fields.and_then(|fields| fields.get("affiliations")).and_then(Value::as_array);
    let read = values.into_iter().flatten().map(|value| {
        let unit = value.get("unit").and_then(Value::as_str).unwrap_or_default();
        let unit =
            UnitId::new(unit).map_err(|error| ScimFailure::value(format!("the unit of an affiliation {error}")))?;
        let days = DayRange { from: day(Some(value), "from")?, until: day(Some(value), "until")? };
        Ok(Affiliation { unit, days })
    });
    read.collect()
}

/// Another department takes the place of the one before, from today on.
fn move_department(
    directory: &Directory,
    known: Option<&Person>,
    person: &mut Person,
    fields: Option<&Value>,
    today: Day,
) -> Result<(), ScimFailure> {
    let named = match fields.and_then(|fields| fields.get("department")) {
        None => None,
        Some(value) => {
            let text = value.as_str().ok_or_else(|| ScimFailure::value("department is no text"))?;
            Some(unit_named(directory, text)?)
        }
    };
    let before = known.and_then(department);
    if before == named.as_ref() {
        return Ok(());
    }
    if let Some(before) = before {
        end(person, before, today);
    }
    if let Some(unit) = named {
        join(person, &unit, today);
    }
    Ok(())
}

fn unit_named(directory: &Directory, text: &str) -> Result<UnitId, ScimFailure> {
    let units = &directory.tables().units;
    if let Some((id, _)) = UnitId::new(text).ok().and_then(|id| units.get_key_value(&id)) {
        return Ok(id.clone());
    }
    let mut named = units.iter().filter(|(_, unit)| unit.name == text).map(|(id, _)| id);
    match (named.next(), named.next()) {
        (Some(id), None) => Ok(id.clone()),
        (Some(_), Some(_)) => Err(ScimFailure::value("several units have that name; say the unit's id as department")),
        (None, _) => {
            let near = doorward_protocol::problem::did_you_mean(text, units.keys().map(UnitId::as_str));
            Err(ScimFailure::value(format!("department is the id or the name of a unit{near}")))
        }
    }
}

/// Affiliates a person to a unit from today on, unless it is already.
pub fn join(person: &mut Person, unit: &UnitId, today: Day) {
    let mut open = person.affiliations.iter().filter(|known| known.unit == *unit && known.days.until.is_none());
    if open.next().is_none() {
        let days = DayRange { from: Some(today), until: None };
        person.affiliations.insert(Affiliation { unit: unit.clone(), days });
    }
}

/// Ends a person's affiliations to a unit: yesterday was the last day of those that have begun, and the others never come.
pub fn end(person: &mut Person, unit: &UnitId, today: Day) {
    let affiliations = std::mem::take(&mut person.affiliations);
    person.affiliations = affiliations
        .into_iter()
        .filter_map(|known| {
            if known.unit != *unit || !lasts(known.days, today) {
                return Some(known);
            }
            let has_begun = known.days.from.is_none_or(|from| from < today);
            let days = DayRange { until: Some(today.plus(-1)), ..known.days };
            has_begun.then_some(Affiliation { days, ..known })
        })
        .collect();
}
