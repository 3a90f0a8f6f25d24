//! cedar-policy: cards are principals below their holders, doors are resources below their buildings, rules are policies.
//!
//! Entities are those that a request is about; Cedar's groups know no days, so that a holder stands below the units of
//! the day. The credential's own conditions are one `forbid`, because nothing but an unlocked door gets past them.

use crate::decide::Engine;
use crate::decide::question::{CardFacts, Question, factor_names};
use crate::decide::spans::spans;
use anyhow::{Result, anyhow};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use doorward_policy::model::{Campus, Policy, Rule, ScheduleName, UnlockSchedule};
use doorward_protocol::facts::Effect;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::str::FromStr;

/// The engine with the campus's policies.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    /// Card types and functions, which stand beside every request.
    common: Vec<Entity>,
}

impl Engine for Cedar {
    const NAME: &'static str = "cedar";
    const CRATE: &'static str = "cedar-policy";
    type Request = (Request, Entities);

    fn load(campus: &Campus) -> Result<Self> {
        let policies = PolicySet::from_str(&policies(campus)?)?;
        Ok(Self { authorizer: Authorizer::new(), policies, common: common(&campus.policy)? })
    }

    fn request(&self, question: &Question<'_>) -> Result<Self::Request> {
        let texts = question.factors().into_iter().map(text);
        let context = Context::from_pairs([
            ("day".to_owned(), number(question.day.0)),
            ("minute".to_owned(), number(question.minute)),
            ("weekday".to_owned(), text(question.weekday)),
            ("today".to_owned(), text(question.today)),
            ("yesterday".to_owned(), text(question.yesterday)),
            ("factors".to_owned(), RestrictedExpression::new_set(texts)),
        ])?;
        let card = uid("Card", &question.tap.card)?;
        let door = uid("Door", question.tap.door.as_str())?;
        let mut entities = self.common.clone();
        entities.extend(door_entities(question, &door)?);
        entities.extend(holder_entities(question, &card)?);
        let request = Request::new(card, uid("Action", "open")?, door, context, None)?;
        Ok((request, Entities::from_entities(entities, None)?))
    }

    fn is_granted(&mut self, (request, entities): &Self::Request) -> Result<bool> {
        let response = self.authorizer.is_authorized(request, &self.policies, entities);
        Ok(response.decision() == Decision::Allow)
    }
}

fn common(policy: &Policy) -> Result<Vec<Entity>> {
    let mut entities = Vec::new();
    for (id, function) in &policy.functions {
        let identity = ("identity", RestrictedExpression::new_bool(function.identity));
        entities.push(entity(uid("Function", id.as_str())?, [identity], [])?);
    }
    for (id, card_type) in &policy.card_types {
        let functions = card_type.functions.iter().map(|id| reference("Function", id.as_str()));
        let functions = ("functions", RestrictedExpression::new_set(functions.collect::<Result<Vec<_>>>()?));
        entities.push(entity(uid("CardType", id.as_str())?, [functions], [])?);
    }
    Ok(entities)
}

fn door_entities(question: &Question<'_>, uid_of_door: &EntityUid) -> Result<Vec<Entity>> {
    let (door, tables) = (question.door, &question.campus.tables);
    let function = door.function.as_str();
    let mut attributes = vec![("function", reference("Function", function)?)];
    if let Some(owner) = tables.owner_of(door) {
        attributes.push(("owner", reference("Unit", owner.as_str())?));
    }
    if let Some(unlock) = &door.unlock {
        attributes.push(("unlock", text(unlock_name(unlock))));
    }
    let building = uid("Building", door.building.as_str())?;
    let parents = [building.clone(), uid("Function", function)?];
    Ok(vec![entity(building, [], [])?, entity(uid_of_door.clone(), attributes, parents)?])
}

fn holder_entities(question: &Question<'_>, uid_of_card: &EntityUid) -> Result<Vec<Entity>> {
    let (Some(card), Some(person)) = (question.card, question.person) else { return Ok(vec![]) };
    let facts = CardFacts::new(question.campus, card, person);
    let mut entities = Vec::new();
    let mut groups = vec![uid("Category", person.category.as_str())?];
    for unit in question.units_today() {
        groups.push(uid("Unit", unit.as_str())?);
    }
    for unit in question.units_today_and_above() {
        let above = question.campus.tables.units.get(unit).and_then(|unit| unit.parent.as_ref());
        let above = above.map(|id| uid("Unit", id.as_str())).transpose()?;
        entities.push(entity(uid("Unit", unit.as_str())?, [], above)?);
    }
    let leaving = [("left_on", number(facts.left_on.0)), ("grace_until", number(facts.grace_until.0))];
    let leaving = leaving.into_iter().filter(|_| person.left_on.is_some());
    let holder = uid("Person", card.person.as_str())?;
    entities.push(entity(holder.clone(), leaving, groups)?);
    let attributes = [
        ("holder", reference("Person", card.person.as_str())?),
        ("card_type", reference("CardType", card.card_type.as_str())?),
        ("state", text(facts.state)),
        ("first_day", number(facts.first_day.0)),
        ("last_day", number(facts.last_day.0)),
    ];
    let groups = [holder, uid("CardType", card.card_type.as_str())?];
    entities.push(entity(uid_of_card.clone(), attributes, groups)?);
    Ok(entities)
}

/// All policies of the campus in Cedar's language.
fn policies(campus: &Campus) -> Result<String> {
    let Campus { policy, tables } = campus;
    let unlocks: BTreeSet<&str> =
        tables.doors.values().filter_map(|door| door.unlock.as_ref()).map(unlock_name).collect();
    let holds =
        |name: &&str| ScheduleName::new(name).map_or_else(|_| "true".to_owned(), |name| schedule(policy, Some(&name)));
    let unlocked = unlocks.iter().map(|name| format!("(resource.unlock == {name:?} && {})", holds(name)));
    let unlocked = format!("resource has unlock && ({})", any(unlocked));
    let mut text = format!("permit (principal, action == Action::\"open\", resource) when {{ {unlocked} }};\n");
    writeln!(
        text,
        "forbid (principal, action == Action::\"open\", resource) unless {{ {unlocked} || principal has state \
         && principal.state == \"active\" && principal.first_day <= context.day && context.day <= principal.last_day \
         && principal.card_type.functions.contains(resource.function) && (!(principal.holder has left_on) \
         || (if resource.function.identity then context.day < principal.holder.left_on \
         else context.day <= principal.holder.grace_until)) }};",
    )?;
    let grants = tables.grants.values().map(doorward_policy::model::Grant::as_rule);
    for rule in policy.rules.values().cloned().chain(grants) {
        let conditions = conditions(policy, &rule);
        match rule.effect {
            Effect::Permit => {
                writeln!(text, "permit (principal, action == Action::\"open\", resource) when {{ {conditions} }};")?;
            }
            Effect::Deny => writeln!(
                text,
                "forbid (principal, action == Action::\"open\", resource) when {{ {conditions} }} unless {{ {unlocked} }};"
            )?,
        }
    }
    Ok(text)
}

fn conditions(policy: &Policy, rule: &Rule) -> String {
    let mut all = Vec::new();
    all.extend(rule.doors.functions.as_ref().map(|ids| below("resource", "Function", ids)));
    all.extend(rule.doors.buildings.as_ref().map(|ids| below("resource", "Building", ids)));
    all.extend(rule.doors.doors.as_ref().map(|ids| below("resource", "Door", ids)));
    all.extend(rule.who.categories.as_ref().map(|ids| below("principal", "Category", ids)));
    all.extend(rule.who.units.as_ref().map(|ids| below("principal", "Unit", ids)));
    all.extend(rule.who.people.as_ref().map(|ids| below("principal", "Person", ids)));
    all.extend(rule.who.card_types.as_ref().map(|ids| below("principal", "CardType", ids)));
    if rule.who.affiliated_to_owner {
        all.push("resource has owner && principal in resource.owner".to_owned());
    }
    all.extend(rule.days.from.map(|day| format!("{} <= context.day", day.0)));
    all.extend(rule.days.until.map(|day| format!("context.day <= {}", day.0)));
    all.extend(factor_names(rule.factors).into_iter().map(|factor| format!("context.factors.contains({factor:?})")));
    all.push(schedule(policy, rule.when.as_ref()));
    all.join(" && ")
}

fn below<T: AsRef<str>>(what: &str, kind: &str, ids: impl IntoIterator<Item = T>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| format!("{kind}::{:?}", id.as_ref())).collect();
    // A set costs more than one entity.
    if let [id] = ids.as_slice() { format!("{what} in {id}") } else { format!("{what} in [{}]", ids.join(", ")) }
}

fn schedule(policy: &Policy, name: Option<&ScheduleName>) -> String {
    let Some(schedule) = name.and_then(|name| policy.schedules.get(name)) else { return "true".to_owned() };
    let spans = spans(schedule).into_iter().map(|span| {
        let (clock, start, end) = (span.clock, span.start_min, span.end_min);
        let days = any(span.days.iter().map(|day| format!("context.{clock} == {day:?}")));
        format!("({start} <= context.minute && context.minute < {end} && ({days}))")
    });
    format!("({})", any(spans))
}

fn any(alternatives: impl Iterator<Item = String>) -> String {
    let alternatives: Vec<_> = alternatives.collect();
    if alternatives.is_empty() { "false".to_owned() } else { alternatives.join(" || ") }
}

/// The name of the schedule; no schedule is called `always`.
fn unlock_name(unlock: &UnlockSchedule) -> &str {
    match unlock {
        UnlockSchedule::Always => "always",
        UnlockSchedule::Named(name) => name.as_str(),
    }
}

fn entity(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = (&'static str, RestrictedExpression)>,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Result<Entity> {
    let attributes: HashMap<_, _> = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid, attributes, parents.into_iter().collect()).map_err(|error| anyhow!("{error}"))
}

fn uid(kind: &str, id: &str) -> Result<EntityUid> {
    Ok(EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind)?, EntityId::new(id)))
}

fn reference(kind: &str, id: &str) -> Result<RestrictedExpression> {
    Ok(RestrictedExpression::new_entity_uid(uid(kind, id)?))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn number(value: impl Into<i64>) -> RestrictedExpression {
    RestrictedExpression::new_long(value.into())
}
