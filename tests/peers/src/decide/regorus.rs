//! regorus: the tables are a data document, the campus's rules are Rego, compiled for its virtual machine.
//!
//! Grants are data, looked up by whom they name and where; affiliations are data, too, and Rego compares their days.

use crate::decide::Engine;
use crate::decide::question::{CardFacts, FIRST_DAY, LAST_DAY, Question, factor_names};
use crate::decide::spans::spans;
use anyhow::{Context, Result, anyhow};
use doorward_policy::model::{Campus, Rule, Subject, Target, UnlockSchedule};
use doorward_protocol::facts::{Effect, Schedule};
use doorward_protocol::time::DayRange;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{PolicyModule, Rc, Value, compile_policy_with_entrypoint};
use serde_json::{Map, json};
use std::fmt::Write;

const ENTRY_POINT: &str = "data.door.allow";

/// What is the same for every campus.
const POLICY: &str = include_str!("door.rego");

/// The virtual machine with program and data.
pub struct Regorus {
    machine: RegoVM,
}

impl Engine for Regorus {
    const NAME: &'static str = "regorus";
    const CRATE: &'static str = "regorus";
    type Request = Value;

    fn load(campus: &Campus) -> Result<Self> {
        let data = Value::from(data(campus)?);
        let module = PolicyModule { id: Rc::from("door.rego"), content: Rc::from(policy(campus)?) };
        let compiled = compile_policy_with_entrypoint(data.clone(), &[module], Rc::from(ENTRY_POINT))?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY_POINT]).map_err(|error| anyhow!("{error}"))?;
        let mut machine = RegoVM::new_with_policy(compiled);
        machine.load_program(program);
        machine.set_data(data).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { machine })
    }

    fn request(&self, question: &Question<'_>) -> Result<Value> {
        let factors: Map<_, _> = question.factors().into_iter().map(|name| (name.to_owned(), json!(true))).collect();
        Ok(Value::from(json!({
            "card": question.tap.card,
            "door": question.tap.door.as_str(),
            "factors": factors,
            "day": question.day.0,
            "minute": question.minute,
            "weekday": question.weekday,
            "today": question.today,
            "yesterday": question.yesterday,
        })))
    }

    fn is_granted(&mut self, request: &Value) -> Result<bool> {
        self.machine.set_input(request.clone());
        let answer = self.machine.execute_entry_point_by_index(0).map_err(|error| anyhow!("{error}"))?;
        Ok(*answer.as_bool()?)
    }
}

/// The Rego of the campus: its rules, each about one reason to let somebody in or keep somebody out.
fn policy(campus: &Campus) -> Result<String> {
    let mut text = POLICY.to_owned();
    for (id, rule) in &campus.policy.rules {
        let head = match rule.effect {
            Effect::Permit => "permitted",
            Effect::Deny => "denied",
        };
        write!(text, "\n# {id}\n{head} if {{\n    {}\n}}\n", conditions(rule).join("\n    "))?;
    }
    Ok(text)
}

fn conditions(rule: &Rule) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(rule.doors.functions.as_ref().map(|ids| one_of("door.function", ids)));
    all.extend(rule.doors.buildings.as_ref().map(|ids| one_of("door.building", ids)));
    all.extend(rule.doors.doors.as_ref().map(|ids| one_of("input.door", ids)));
    all.extend(rule.days.from.map(|day| format!("{} <= input.day", day.0)));
    all.extend(rule.days.until.map(|day| format!("input.day <= {}", day.0)));
    all.extend(rule.who.categories.as_ref().map(|ids| one_of("person.category", ids)));
    all.extend(rule.who.people.as_ref().map(|ids| one_of("card.person", ids)));
    all.extend(rule.who.card_types.as_ref().map(|ids| one_of("card.card_type", ids)));
    all.extend(rule.who.units.as_ref().map(|ids| format!("some unit in {}\n    member(unit)", set(ids))));
    all.extend(rule.who.affiliated_to_owner.then(|| "member(door.owner)".to_owned()));
    all.extend(factor_names(rule.factors).into_iter().map(|factor| format!("input.factors.{factor}")));
    all.extend(rule.when.as_ref().map(|name| format!("holds({:?})", name.as_str())));
    all
}

fn one_of<T: AsRef<str>>(what: &str, ids: impl IntoIterator<Item = T>) -> String {
    let alternatives = set(ids);
    format!("{what} in {alternatives}")
}

fn set<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| format!("{:?}", id.as_ref())).collect();
    format!("{{{}}}", ids.join(", "))
}

/// The data document: everything of the folder that a decision may ask for.
fn data(campus: &Campus) -> Result<serde_json::Value> {
    let Campus { policy, tables } = campus;
    let mut cards = Map::new();
    for (id, card) in &tables.cards {
        let person = tables.people.get(&card.person).context("a card has no holder")?;
        let facts = CardFacts::new(campus, card, person);
        let card = json!({
            "person": card.person.as_str(), "card_type": card.card_type.as_str(), "state": facts.state,
            "first_day": facts.first_day.0, "last_day": facts.last_day.0,
            "left_on": facts.left_on.0, "grace_until": facts.grace_until.0,
        });
        cards.insert(id.as_str().to_owned(), card);
    }
    let people = tables.people.iter().map(|(id, person)| {
        let affiliations = person.affiliations.iter().map(|found| {
            let (from, until) = bounds(found.days);
            json!({ "unit": found.unit.as_str(), "from": from, "until": until })
        });
        let affiliations: Vec<_> = affiliations.collect();
        (id.as_str().to_owned(), json!({ "category": person.category.as_str(), "affiliations": affiliations }))
    });
    let doors = tables.doors.iter().map(|(id, door)| {
        let unlock = door.unlock.as_ref().map(|unlock| match unlock {
            UnlockSchedule::Always => "always",
            UnlockSchedule::Named(name) => name.as_str(),
        });
        let owner = tables.owner_of(door).map(|unit| unit.as_str());
        let (function, building) = (door.function.as_str(), door.building.as_str());
        let door = json!({ "function": function, "building": building, "owner": owner, "unlock": unlock });
        (id.as_str().to_owned(), door)
    });
    let functions = policy.functions.iter();
    let functions = functions.map(|(id, function)| (id.as_str().to_owned(), json!({ "identity": function.identity })));
    let card_types = policy.card_types.iter();
    let units = tables.units.keys();
    Ok(json!({
        "cards": cards,
        "people": people.collect::<Map<_, _>>(),
        "doors": doors.collect::<Map<_, _>>(),
        "functions": functions.collect::<Map<_, _>>(),
        "card_types": card_types.map(|(id, kind)| (id.as_str().to_owned(), keys(&kind.functions))).collect::<Map<_, _>>(),
        "units": units.map(|id| (id.as_str().to_owned(), keys(tables.unit_and_above(id)))).collect::<Map<_, _>>(),
        "schedules": schedules(campus),
        "door_grants": grants(campus, |target| match target {
            Target::Door(id) => Some(id.as_str()),
            Target::Building(_) => None,
        }),
        "building_grants": grants(campus, |target| match target {
            Target::Building(id) => Some(id.as_str()),
            Target::Door(_) => None,
        }),
    }))
}

/// A set as OPA's guide to performance has it: an object that is asked for a key.
fn keys<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> serde_json::Value {
    ids.into_iter().map(|id| (id.as_ref().to_owned(), json!(true))).collect::<Map<_, _>>().into()
}

fn schedules(campus: &Campus) -> serde_json::Value {
    let of = |schedule: &Schedule| {
        let spans = spans(schedule).into_iter().map(|span| {
            json!({ "clock": span.clock, "days": keys(span.days), "start": span.start_min, "end": span.end_min })
        });
        spans.collect::<Vec<_>>()
    };
    let named = campus.policy.schedules.iter().map(|(name, schedule)| (name.as_str().to_owned(), json!(of(schedule))));
    named.chain([("always".to_owned(), json!(of(&Schedule::always())))]).collect::<Map<_, _>>().into()
}

/// The grants whose target has the kind that is asked for: those to people and categories by subject and target, those to
/// units by target.
fn grants(campus: &Campus, id_of: impl Fn(&Target) -> Option<&str>) -> serde_json::Value {
    let (mut people, mut categories, mut units) = (Map::new(), Map::new(), Map::new());
    for grant in campus.tables.grants.values() {
        let Some(target) = id_of(&grant.target) else { continue };
        let (from, until) = bounds(grant.days);
        let schedule = grant.schedule.as_ref().map_or("always", |name| name.as_str());
        let unit = match &grant.subject {
            Subject::Unit(id) => Some(id.as_str()),
            Subject::Person(_) | Subject::Category(_) => None,
        };
        let data = json!({ "from": from, "until": until, "schedule": schedule, "unit": unit });
        let by_target = match &grant.subject {
            Subject::Person(id) => below(&mut people, id.as_str()),
            Subject::Category(id) => below(&mut categories, id.as_str()),
            Subject::Unit(_) => Some(&mut units),
        };
        let list = by_target.and_then(|map| map.entry(target).or_insert_with(|| json!([])).as_array_mut());
        list.into_iter().for_each(|list| list.push(data.clone()));
    }
    json!({ "person": people, "category": categories, "unit": units })
}

/// The map in a map.
fn below<'a>(map: &'a mut Map<String, serde_json::Value>, key: &str) -> Option<&'a mut Map<String, serde_json::Value>> {
    map.entry(key).or_insert_with(|| json!({})).as_object_mut()
}

fn bounds(days: DayRange) -> (i32, i32) {
    (days.from.unwrap_or(FIRST_DAY).0, days.until.unwrap_or(LAST_DAY).0)
}
