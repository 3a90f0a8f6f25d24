//! casbin: attributes of card, door and time come with the request; every rule is policy lines, one a span of time.
//!
//! The first line that matches decides: unlocked doors, then what is denied, then what is permitted. The model has the
//! columns that the campus's rules use, because each line costs a look at every column. Roles (`g`) know no days, so that
//! the holder's units of the day, with those above, are an attribute like the others.

use crate::decide::Engine;
use crate::decide::question::{CardFacts, Question, factor_names};
use crate::decide::spans::spans;
use anyhow::{Context, Result, ensure};
use casbin::function_map::{OperatorFunction, dynamic_to_str};
use casbin::rhai::Dynamic;
use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use doorward_policy::model::{Campus, Grant, Policy, Rule, ScheduleName, UnlockSchedule};
use doorward_protocol::facts::Effect;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a column says when it asks for nothing.
const ANY: &str = "*";

/// The columns that a model may have, each with what must hold for a line to match, in the order of the questions.
/// Lists are texts such as `|a|b|`, in which [`listed`] looks for `|a|`.
const COLUMNS: [(&str, &str); 17] = [
    ("unlock", "p.unlock == r.obj.unlock"),
    ("functions", "listed(p.functions, r.obj.function)"),
    ("buildings", "listed(p.buildings, r.obj.building)"),
    ("doors", "listed(p.doors, r.obj.door)"),
    ("from", "p.from <= r.env.date"),
    ("until", "r.env.date <= p.until"),
    ("start", "p.start <= r.env.time"),
    ("end", "r.env.time < p.end"),
    ("days", "(listed(p.days, r.env.weekday) || listed(p.days, r.env.today) || listed(p.days, r.env.yesterday))"),
    ("categories", "listed(p.categories, r.sub.category)"),
    ("card_types", "listed(p.card_types, r.sub.card_type)"),
    ("people", "listed(p.people, r.sub.person)"),
    ("unit", "listed(r.sub.units, p.unit)"),
    ("owner", "listed(r.sub.units, r.obj.owner)"),
    ("pin", "r.env.pin"),
    ("fingerprint", "r.env.fingerprint"),
    ("face", "r.env.face"),
];

/// What must hold of every credential, except at an unlocked door.
const IN_ORDER: &str = "(p.unlock != \"*\" || r.sub.state == \"active\" \
    && r.sub.first_day <= r.env.date && r.env.date <= r.sub.last_day && listed(r.sub.functions, r.obj.function) \
    && (r.obj.identity && r.env.date < r.sub.left_on || !r.obj.identity && r.env.date <= r.sub.grace_until))";

/// The enforcer with model and lines.
pub struct Casbin(Enforcer);

/// Whose card it is; as good as empty when nobody knows it.
#[derive(Default, Hash, Serialize)]
pub struct Subject {
    state: &'static str,
    category: String,
    card_type: String,
    person: String,
    units: String,
    functions: String,
    first_day: String,
    last_day: String,
    left_on: String,
    grace_until: String,
}

/// Which door it is.
#[derive(Hash, Serialize)]
pub struct Object {
    door: String,
    building: String,
    function: String,
    identity: bool,
    owner: String,
    unlock: String,
}

/// When it is, and what else is presented.
#[derive(Hash, Serialize)]
pub struct Environment {
    date: String,
    time: String,
    weekday: String,
    today: String,
    yesterday: String,
    pin: bool,
    fingerprint: bool,
    face: bool,
}

impl Engine for Casbin {
    const NAME: &'static str = "casbin";
    const CRATE: &'static str = "casbin";
    type Request = (Subject, Object, Environment);

    fn load(campus: &Campus) -> Result<Self> {
        let lines = lines(campus);
        ensure!(!lines.is_empty(), "there is no rule");
        let is_used = |name: &str| name == "unlock" || lines.iter().any(|line| line.contains_key(name));
        let columns: Vec<_> = COLUMNS.into_iter().filter(|(name, _)| is_used(name)).collect();
        let matches = columns.iter().map(|(name, holds)| format!("(p.{name} == \"{ANY}\" || {holds})"));
        let matches: Vec<String> = matches.chain([IN_ORDER.to_owned()]).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let model = format!(
            "[request_definition]\nr = sub, obj, env\n[policy_definition]\np = {}, eft\n[policy_effect]\n\
             e = priority(p.eft) || deny\n[matchers]\nm = {}\n",
            names.join(", "),
            matches.join(" && ")
        );
        let row = |line: &Line| {
            let cell = |name: &&str| line.get(*name).cloned().unwrap_or_else(|| ANY.to_owned());
            names.iter().chain([&"eft"]).map(cell).collect::<Vec<String>>()
        };
        // The same line may come twice, of two rules; once is enough.
        let mut seen = BTreeSet::new();
        let rows = lines.iter().map(row).filter(|row| seen.insert(row.clone())).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let model = DefaultModel::from_str(&model).await?;
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
            enforcer.add_function("listed", OperatorFunction::Arg2(listed));
            ensure!(enforcer.add_policies(rows).await?, "a line is not taken");
            Ok(Self(enforcer))
        })
    }

    fn request(&self, question: &Question<'_>) -> Result<Self::Request> {
        Ok((subject(question)?, object(question)?, environment(question)))
    }

    fn is_granted(&mut self, (subject, object, environment): &Self::Request) -> Result<bool> {
        Ok(self.0.enforce((subject, object, environment))?)
    }
}

fn subject(question: &Question<'_>) -> Result<Subject> {
    let (Some(card), Some(person)) = (question.card, question.person) else { return Ok(Subject::default()) };
    let facts = CardFacts::new(question.campus, card, person);
    let card_type = question.campus.policy.card_types.get(&card.card_type).context("a card has no type")?;
    Ok(Subject {
        state: facts.state,
        category: list([&person.category]),
        card_type: list([&card.card_type]),
        person: list([&card.person]),
        units: list(question.units_today_and_above()),
        functions: list(&card_type.functions),
        first_day: facts.first_day.to_string(),
        last_day: facts.last_day.to_string(),
        left_on: facts.left_on.to_string(),
        grace_until: facts.grace_until.to_string(),
    })
}

fn object(question: &Question<'_>) -> Result<Object> {
    let door = question.door;
    let function = question.campus.policy.functions.get(&door.function).context("a door has no function")?;
    Ok(Object {
        door: list([&question.tap.door]),
        building: list([&door.building]),
        function: list([&door.function]),
        identity: function.identity,
        // No list contains this.
        owner: question.campus.tables.owner_of(door).map_or_else(|| "||".to_owned(), |owner| list([owner])),
        unlock: door.unlock.as_ref().map(unlock_name).unwrap_or_default().to_owned(),
    })
}

fn environment(question: &Question<'_>) -> Environment {
    let factors = question.factors();
    Environment {
        date: question.day.to_string(),
        time: time(question.minute),
        weekday: list([format!("weekday:{}", question.weekday)]),
        today: list([format!("today:{}", question.today)]),
        yesterday: list([format!("yesterday:{}", question.yesterday)]),
        pin: factors.contains(&"pin"),
        fingerprint: factors.contains(&"fingerprint"),
        face: factors.contains(&"face"),
    }
}

/// What a policy line says in the columns in which it says anything.
type Line = BTreeMap<&'static str, String>;

/// All lines of the campus, those that come first in its table of decisions first.
fn lines(campus: &Campus) -> Vec<Line> {
    let Campus { policy, tables } = campus;
    let unlocks: BTreeSet<_> = tables.doors.values().filter_map(|door| door.unlock.as_ref().map(unlock_name)).collect();
    let unlocks = unlocks.into_iter().flat_map(|name| {
        let head = Line::from([("unlock", name.to_owned()), ("eft", "allow".to_owned())]);
        at_times(policy, ScheduleName::new(name).ok().as_ref(), &head)
    });
    let rules: Vec<Rule> = policy.rules.values().cloned().chain(tables.grants.values().map(Grant::as_rule)).collect();
    let of = |effect: Effect| {
        rules.iter().filter(move |rule| rule.effect == effect).flat_map(|rule| rule_lines(policy, rule))
    };
    unlocks.chain(of(Effect::Deny)).chain(of(Effect::Permit)).collect()
}

fn rule_lines(policy: &Policy, rule: &Rule) -> Vec<Line> {
    let effect = match rule.effect {
        Effect::Permit => "allow",
        Effect::Deny => "deny",
    };
    let mut line = Line::from([("eft", effect.to_owned())]);
    line.extend(rule.doors.functions.as_ref().map(|ids| ("functions", list(ids))));
    line.extend(rule.doors.buildings.as_ref().map(|ids| ("buildings", list(ids))));
    line.extend(rule.doors.doors.as_ref().map(|ids| ("doors", list(ids))));
    line.extend(rule.days.from.map(|day| ("from", day.to_string())));
    line.extend(rule.days.until.map(|day| ("until", day.to_string())));
    line.extend(rule.who.categories.as_ref().map(|ids| ("categories", list(ids))));
    line.extend(rule.who.card_types.as_ref().map(|ids| ("card_types", list(ids))));
    line.extend(rule.who.people.as_ref().map(|ids| ("people", list(ids))));
    line.extend(rule.who.affiliated_to_owner.then(|| ("owner", "yes".to_owned())));
    line.extend(factor_names(rule.factors).into_iter().map(|factor| (factor, "yes".to_owned())));
    let lines = match &rule.who.units {
        None => vec![line],
        Some(ids) => ids.iter().map(|id| with(&line, [("unit", list([id]))])).collect(),
    };
    lines.iter().flat_map(|line| at_times(policy, rule.when.as_ref(), line)).collect()
}

/// The line once for each span of the schedule.
fn at_times(policy: &Policy, schedule: Option<&ScheduleName>, line: &Line) -> Vec<Line> {
    let Some(schedule) = schedule.and_then(|name| policy.schedules.get(name)) else { return vec![line.clone()] };
    let spans = spans(schedule).into_iter().map(|span| {
        let days = span.days.iter().map(|day| format!("{}:{day}", span.clock));
        with(line, [("days", list(days)), ("start", time(span.start_min)), ("end", time(span.end_min))])
    });
    spans.collect()
}

fn with<const N: usize>(line: &Line, cells: [(&'static str, String); N]) -> Line {
    line.clone().into_iter().chain(cells).collect()
}

fn list<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> String {
    ids.into_iter().fold("|".to_owned(), |list, id| list + id.as_ref() + "|")
}

/// Whether a list contains an item.
fn listed(list: Dynamic, item: Dynamic) -> Dynamic {
    dynamic_to_str(&list).contains(dynamic_to_str(&item).as_ref()).into()
}

/// A time of the day as a text that sorts as the time does.
fn time(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The name of the schedule; no schedule is called `always`.
fn unlock_name(unlock: &UnlockSchedule) -> &str {
    match unlock {
        UnlockSchedule::Always => "always",
        UnlockSchedule::Named(name) => name.as_str(),
    }
}
