//! The rules of `campus.toml`: who, where, when.

use crate::folder::document::{Document, Item, Section};
use crate::folder::policy::Names;
use crate::folder::values;
use crate::model::{BuildingId, PersonId, Rule, RuleId, UnitId, Where, Who};
use doorward_protocol::facts::{Effect, Factors};
use doorward_protocol::id::DoorId;
use doorward_protocol::problem::Place;
use doorward_protocol::time::DayRange;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// What rules name that the tables declare, each with its place in `campus.toml`.
#[derive(Debug, Default)]
pub struct Mentions {
    /// Units in `who.units`.
    pub units: Vec<(UnitId, Place)>,
    /// People in `who.people`.
    pub people: Vec<(PersonId, Place)>,
    /// Buildings in `where.buildings`.
    pub buildings: Vec<(BuildingId, Place)>,
    /// Doors in `where.doors`.
    pub doors: Vec<(DoorId, Place)>,
}

/// Reads every `[[rule]]`.
pub fn rules<'t>(
    document: &mut Document<'t>,
    root: &Section<'t>,
    names: &mut Names,
    mentions: &mut Mentions,
) -> BTreeMap<RuleId, Rule> {
    let mut rules = BTreeMap::new();
    for item in root.tables(document, "rule") {
        let optional = ["effect", "when", "from", "until", "factors"];
        let Some(section) = document.section("[[rule]]", item, &["id", "who", "where"], &optional) else { continue };
        let id = section.required("id", |item| Some((item, document.parsed(item, RuleId::new)?)));
        if let Some((item, id)) = &id
            && let Err(error) = names.rules.declare(id.clone(), document.place(item.at()).line)
        {
            document.refuse(*item, error);
        }
        let rule = rule(document, &section, names, mentions);
        rules.extend(id.zip(rule).map(|((_, id), rule)| (id, rule)));
    }
    rules
}

fn rule<'t>(
    document: &mut Document<'t>,
    section: &Section<'t>,
    names: &Names,
    mentions: &mut Mentions,
) -> Option<Rule> {
    let effect = section.optional("effect", |item| {
        document.parsed(item, |text| match text {
            "permit" => Ok(Effect::Permit),
            "deny" => Ok(Effect::Deny),
            _ => Err("is not known; expected permit | deny"),
        })
    });
    let who = section.required("who", |item| who(document, item, names, mentions));
    let doors = section.required("where", |item| doors(document, item, names, mentions));
    let when = section.optional("when", |item| document.parsed(item, |text| names.schedule(text)));
    let days = days(document, section);
    let factors = section.optional("factors", |item| factors(document, item));
    Some(Rule {
        effect: effect?.unwrap_or(Effect::Permit),
        who: who?,
        doors: doors?,
        when: when?.flatten(),
        days: days?,
        factors: factors?.unwrap_or(Factors::NONE),
    })
}

fn days<'t>(document: &mut Document<'t>, section: &Section<'t>) -> Option<DayRange> {
    let from = section.optional("from", |item| document.day(item));
    let until = section.optional("until", |item| Some((item, document.day(item)?)));
    let (from, until) = (from?, until?);
    if let (Some(from), Some((item, until))) = (from, until)
        && let Err(error) = values::order("from", Some(from), until)
    {
        document.report(item.at(), format!("until `{until}` {error}"));
        return None;
    }
    Some(DayRange { from, until: until.map(|(_, day)| day) })
}

fn factors<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Factors> {
    let named = |text: &str| Factors::named(text).ok_or("is not known; expected pin | fingerprint | face");
    let factors = document.set(item, named)?;
    factors.into_iter().try_fold(Factors::NONE, |all, factor| Some(all.union(factor?.0)))
}

fn who<'t>(document: &mut Document<'t>, item: Item<'t>, names: &Names, mentions: &mut Mentions) -> Option<Who> {
    let keys = ["categories", "units", "people", "card_types", "affiliated_to_owner", "everyone"];
    let section = document.section("who", item, &[], &keys)?;
    if section.len() == 0 {
        document.report(item.at(), "who is empty; name someone, or write everyone = true");
        return None;
    }
    let categories = ids(document, &section, "categories", |text| names.categories.resolve(text), None);
    let units = ids(document, &section, "units", UnitId::from_str, Some(&mut mentions.units));
    let people = ids(document, &section, "people", PersonId::from_str, Some(&mut mentions.people));
    let card_types = ids(document, &section, "card_types", |text| names.card_types.resolve(text), None);
    let affiliated_to_owner = section.optional("affiliated_to_owner", |item| document.only_true(item));
    let everyone = section.optional("everyone", |item| Some((item, document.only_true(item)?)));
    if let Some((item, _)) = everyone?
        && section.len() > 1
    {
        document.refuse(item, "is allowed only alone; leave it out or leave the other keys of who out");
        return None;
    }
    Some(Who {
        categories: categories?,
        units: units?,
        people: people?,
        card_types: card_types?,
        affiliated_to_owner: affiliated_to_owner?.unwrap_or(false),
    })
}

fn doors<'t>(document: &mut Document<'t>, item: Item<'t>, names: &Names, mentions: &mut Mentions) -> Option<Where> {
    let section = document.section("where", item, &[], &["functions", "buildings", "doors"])?;
    if section.len() == 0 {
        document.report(item.at(), "where is empty; name functions, buildings or doors");
        return None;
    }
    let functions = ids(document, &section, "functions", |text| names.functions.resolve(text), None);
    let buildings = ids(document, &section, "buildings", BuildingId::from_str, Some(&mut mentions.buildings));
    let doors = ids(document, &section, "doors", DoorId::from_str, Some(&mut mentions.doors));
    Some(Where { functions: functions?, buildings: buildings?, doors: doors? })
}

/// A list of ids under a key that may be missing; those that a table declares are noted as mentions.
fn ids<'t, T: Ord + Clone, E: std::fmt::Display>(
    document: &mut Document<'t>,
    section: &Section<'t>,
    key: &str,
    read: impl Fn(&str) -> Result<T, E>,
    mentions: Option<&mut Vec<(T, Place)>>,
) -> Option<Option<BTreeSet<T>>> {
    let Some(item) = section.item(key) else { return Some(None) };
    let found = document.set(item, read)?;
    if found.is_empty() {
        document.refuse(item, "is an empty list; name at least one or leave the key out");
        return None;
    }
    if let Some(mentions) = mentions {
        mentions.extend(found.iter().flatten().map(|(id, at)| (id.clone(), document.place(*at))));
    }
    found.into_iter().map(|id| Some(id?.0)).collect::<Option<_>>().map(Some)
}
