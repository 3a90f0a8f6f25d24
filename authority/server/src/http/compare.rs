//! The directory at two instants: which rows differ, and who gained or lost which door.

use super::caller::Caller;
use super::extract::Params;
use super::questions::parse_instant;
use super::shapes::Fault;
use super::shapes::records::{
    Comparison, DoorDifference, FieldDifference, NamedPerson, Place, RowDifference, SomePeople, TableDifference,
};
use super::{Api, Failure, blocking};
use crate::clock;
use crate::history;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::directory::Directory;
use doorward_policy::gains::{self, AtDoor, Named};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::shown;
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most rows of a table, doors, and people of a door in an answer, unless the request says so.
const LIMIT: usize = 50;
/// Most that a request can say.
const LIMIT_MAX: usize = 1_000;
/// Most characters of a value.
const VALUE_CHARS_MAX: usize = 120;

#[derive(Debug, Default, Deserialize)]
pub struct Between {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) limit: Option<usize>,
}

/// A place in the history of the directory, as a question names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(UnixMs),
    After(u64),
}

/// What differs between two instants of the directory, or two entries of the journal.
#[utoipa::path(get, path = "/v1/compare",
    params(("from" = String, Query, description = "The earlier: an instant, RFC 3339, or the number of an entry"),
        ("to" = Option<String>, Query, description = "The later, likewise; now when absent"),
        ("limit" = Option<usize>, Query, description = "How many rows, doors and people each list names at most")),
    responses((status = 200, body = Comparison), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn compare(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(asked): Params<Between>,
) -> Result<Json<Comparison>, Failure> {
    for act in [Act::ReadJournal, Act::SeeCards, Act::SeeDoors] {
        caller.may(&api, act, Object::Campus)?;
    }
    let from = asked.from.as_deref().ok_or_else(|| Failure::bad("name an instant or an entry: ?from="))?;
    let (from, to) = (named(from)?, asked.to.as_deref().map_or(Ok(Moment::At(clock::wall())), named)?);
    let limit = asked.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    caller.looks(&api, "compare", Object::Campus.to_string()).await;
    // Each holds the campus twice in memory.
    let _only_one = api.comparisons.acquire().await;
    let asked = Arc::clone(&api);
    Ok(Json(blocking(move || between(&asked, from, to, limit)).await??))
}

fn named(text: &str) -> Result<Moment, Failure> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seq = text.parse().map_err(|_| Failure::bad(format!("{} is no entry of the journal", shown(text))))?;
        return Ok(Moment::After(seq));
    }
    parse_instant(text).map(Moment::At)
}

fn directory_of(api: &Api, place: Moment) -> Result<(Directory, UnixMs), Failure> {
    let layout = &api.authority.layout;
    let missing = |error: String| Failure::new(StatusCode::NOT_FOUND, error);
    let (directory, at) = match place {
        Moment::At(at) => (history::directory_at(layout, at)?, at),
        Moment::After(seq) if seq == 0 || seq > api.authority.timeline.accepted() => {
            return Err(missing(format!("the journal has no entry {seq}")));
        }
        Moment::After(seq) => {
            let directory = history::directory_after(layout, seq)?;
            let at = directory.at();
            (directory, at)
        }
    };
    if directory.head() == 0 {
        return Err(missing("the journal had no entry yet at that instant".to_owned()));
    }
    Ok((directory, at))
}

fn between(api: &Api, from: Moment, to: Moment, limit: usize) -> Result<Comparison, Failure> {
    let (before, from) = directory_of(api, from)?;
    let (after, to) = directory_of(api, to)?;
    if (before.head(), from) > (after.head(), to) {
        return Err(Failure::bad("the first instant lies after the second; exchange them"));
    }
    let gains = gains::between((&before, from), (&after, to), limit);
    let gains = gains.map_err(|error| Failure::new(StatusCode::CONFLICT, error.to_string()))?;
    let doors_more = gains.len().saturating_sub(limit);
    let doors = gains.into_iter().take(limit).map(|(door, AtDoor { gained, lost })| DoorDifference {
        door: door.to_string(),
        gained: people(&before, &after, gained),
        lost: people(&before, &after, lost),
    });
    Ok(Comparison {
        from: Place { seq: before.head(), at: api.when(from) },
        to: Place { seq: after.head(), at: api.when(to) },
        policy_differs: before.policy() != after.policy(),
        doors: doors.collect(),
        doors_more,
        tables: tables(&before, &after, limit),
    })
}

fn people(before: &Directory, after: &Directory, named: Named) -> SomePeople {
    let known = |directory: &Directory, id| directory.tables().people.get(id).map(|person| person.name.clone());
    let first = named.first.iter().map(|id| NamedPerson {
        id: id.to_string(),
        name: known(after, id).or_else(|| known(before, id)).unwrap_or_default(),
    });
    SomePeople { count: named.count, first: first.collect() }
}

fn tables(before: &Directory, after: &Directory, limit: usize) -> Vec<TableDifference> {
    let (old, new) = (before.tables(), after.tables());
    let agents = |directory: &Directory| {
        let agents = directory.agents().iter();
        // Neither keys nor tokens: they are of no use to a reader.
        let state = |removed, joined| {
            BTreeMap::from([(
                "state",
                if removed {
                    "removed"
                } else if joined {
                    "enrolled"
                } else {
                    "invited"
                },
            )])
        };
        agents.map(|(id, agent)| (id.clone(), state(agent.removed, agent.key.is_some()))).collect::<BTreeMap<_, _>>()
    };
    let lockdowns = |directory: &Directory| {
        directory.lockdowns().iter().map(|scope| (scope.to_string(), ())).collect::<BTreeMap<_, _>>()
    };
    let differences = [
        table("cards", &old.cards, &new.cards, limit),
        table("people", &old.people, &new.people, limit),
        table("grants", &old.grants, &new.grants, limit),
        table("lockdowns", &lockdowns(before), &lockdowns(after), limit),
        table("operators", &before.office().operators, &after.office().operators, limit),
        table("agents", &agents(before), &agents(after), limit),
        table("doors", &old.doors, &new.doors, limit),
        table("buildings", &old.buildings, &new.buildings, limit),
        table("units", &old.units, &new.units, limit),
    ];
    let differ = |table: &TableDifference| table.added + table.removed + table.changed > 0;
    differences.into_iter().filter(differ).collect()
}

fn table<K: Ord + ToString, V: PartialEq + Serialize>(
    name: &str,
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    limit: usize,
) -> TableDifference {
    let mut difference = TableDifference { table: name.to_owned(), ..TableDifference::default() };
    let added = new.iter().filter(|(id, _)| !old.contains_key(*id)).map(|(id, row)| (id, "added", None, Some(row)));
    let removed = old.iter().filter(|(id, _)| !new.contains_key(*id)).map(|(id, row)| (id, "removed", Some(row), None));
    let both = old.iter().filter_map(|(id, row)| Some((id, "changed", Some(row), Some(new.get(id)?))));
    let changed = both.filter(|(_, _, before, after)| before != after);
    for (id, kind, before, after) in added.chain(removed).chain(changed) {
        let count = match kind {
            "added" => &mut difference.added,
            "removed" => &mut difference.removed,
            _ => &mut difference.changed,
        };
        *count = count.saturating_add(1);
        // Each kind has its part of the list.
        if *count <= limit {
            let (before, after) = (json(before), json(after));
            let name = [&after, &before].into_iter().find_map(|row| row.get("name")?.as_str());
            let fields = if kind == "changed" { fields(&before, &after) } else { Vec::new() };
            difference.rows.push(RowDifference {
                id: id.to_string(),
                name: name.map(str::to_owned),
                kind: kind.to_owned(),
                fields,
            });
        }
    }
    difference
}

fn json<V: Serialize>(row: Option<&V>) -> Value {
    row.and_then(|row| serde_json::to_value(row).ok()).unwrap_or_default()
}

/// The fields of a row that differ.
fn fields(before: &Value, after: &Value) -> Vec<FieldDifference> {
    let keys =
        |row: &Value| row.as_object().map(|row| row.keys().cloned().collect::<BTreeSet<_>>()).unwrap_or_default();
    let all: BTreeSet<String> = keys(before).into_iter().chain(keys(after)).collect();
    let differing = all.into_iter().filter(|field| before.get(field) != after.get(field));
    let text = |row: &Value, field: &str| row.get(field).map(plain).unwrap_or_default();
    differing.map(|field| FieldDifference { before: text(before, &field), after: text(after, &field), field }).collect()
}

/// A value as people read it, cut where it is long.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
