//! People: found by anything that is known of them or their cards, and shown with what is theirs.

use super::caller::Caller;
use super::cards::summary;
use super::extract::{Named, Params};
use super::shapes::Fault;
use super::shapes::desk::{AffiliationView, People, PersonDetail};
use super::{Api, Failure};
use crate::clock;
use axum::Json;
use axum::extract::State;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::model::{Person, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::did_you_mean;
use doorward_protocol::time::Day;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many are shown unless the request says so.
const LIMIT: usize = 50;
/// Most at once.
const LIMIT_MAX: usize = 1_000;
/// The bit that a small letter has and its capital has not.
const SMALL: u8 = 0x20;

#[derive(Debug, Deserialize)]
pub struct Search {
    pub(crate) find: String,
    pub(crate) limit: Option<usize>,
}

/// The people in the caller's remit of whom a name, an id, a card or a printed number contains the text.
#[utoipa::path(get, path = "/v1/people",
    params(("find" = String, Query, description = "Part of a name, id, card or printed number"),
        ("limit" = Option<usize>, Query, description = "How many at most")),
    responses((status = 200, body = People), (status = 403, body = Fault)))]
pub async fn find(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(search): Params<Search>,
) -> Result<Json<People>, Failure> {
    caller.may_somewhere(&api, Act::SeeCards)?;
    let text = search.find.trim().to_lowercase();
    if text.is_empty() {
        return Err(Failure::bad("say what to look for: ?find=TEXT"));
    }
    caller.looks(&api, "find", format!("people with {text:?}")).await;
    let limit = search.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let (present, now) = (api.authority.present(), clock::wall());
    let directory = &present.directory;
    let is_seen = |id: &PersonId| directory.allow(&caller.asker, Act::SeeCards, Object::Person(id), now).is_ok();
    let mut seen = fitting(directory, &text).filter(|(id, _)| is_seen(id));
    let people = seen.by_ref().take(limit).map(|(id, person)| detail(directory, id, person)).collect();
    Ok(Json(People { people, more: seen.next().is_some() }))
}

/// One person with affiliations and cards.
#[utoipa::path(get, path = "/v1/people/{id}", params(("id" = String, Path, description = "The person")),
    responses((status = 200, body = PersonDetail), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<PersonDetail>, Failure> {
    let id = PersonId::new(&id).map_err(Failure::of_id("person", &id))?;
    caller.may(&api, Act::SeeCards, Object::Person(&id))?;
    caller.looks(&api, "person", format!("person {id}")).await;
    let present = api.authority.present();
    let people = &present.directory.tables().people;
    let Some(person) = people.get(&id) else {
        let near = did_you_mean(id.as_str(), people.keys().map(PersonId::as_str));
        return Err(Refusal::Unknown { kind: "person", id: id.to_string(), near }.into());
    };
    Ok(Json(detail(&present.directory, &id, person)))
}

/// Those whose name or id contains the text, then those of whom only a card does. Each table is walked once, in its order, and
/// no further than somebody reads: to look up the cards of each person would take several times as long.
fn fitting<'a>(directory: &'a Directory, text: &'a str) -> impl Iterator<Item = (&'a PersonId, &'a Person)> {
    let tables = directory.tables();
    let fits = move |(id, person): &(&PersonId, &Person)| contains(id.as_str(), text) || contains(&person.name, text);
    let cards = tables.cards.iter().filter(move |(id, card)| {
        contains(id.as_str(), text) || card.number.as_deref().is_some_and(|number| contains(number, text))
    });
    let mut named = BTreeSet::new();
    let holders = cards.filter_map(|(_, card)| tables.people.get_key_value(&card.person));
    let holders = holders.filter(move |holder| !fits(holder) && named.insert(holder.0));
    tables.people.iter().filter(fits).chain(holders)
}

/// Whether a field contains a text, which is in small letters; without a copy in small letters for each of a hundred thousand.
fn contains(field: &str, text: &str) -> bool {
    if !text.is_ascii() {
        return !field.is_ascii() && field.to_lowercase().contains(text);
    }
    let (field, text) = (field.as_bytes(), text.as_bytes());
    let (Some(first), Some(last)) = (text.first(), field.len().checked_sub(text.len())) else {
        return text.is_empty();
    };
    // This bit is all in which a capital differs; what differs in it and is no letter is told apart by the whole.
    let wanted = first | SMALL;
    let begins = field.get(..=last).unwrap_or_default().iter().enumerate().filter(|(_, byte)| *byte | SMALL == wanted);
    let mut parts = begins.filter_map(|(at, _)| field.get(at..)?.get(..text.len()));
    parts.any(|part| part.eq_ignore_ascii_case(text))
}

pub fn detail(directory: &Directory, id: &PersonId, person: &Person) -> PersonDetail {
    let text = |day: Option<Day>| day.map(|day| day.to_string());
    let affiliations = person.affiliations.iter().map(|affiliation| AffiliationView {
        unit: affiliation.unit.to_string(),
        from: text(affiliation.days.from),
        until: text(affiliation.days.until),
    });
    PersonDetail {
        id: id.to_string(),
        name: person.name.clone(),
        category: person.category.to_string(),
        ends_on: text(person.ends_on),
        left_on: text(person.left_on),
        affiliations: affiliations.collect(),
        cards: directory.cards_of(id).filter_map(|card| summary(directory, card)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_count_as_little_as_where_in_the_field_it_stands() {
        for (field, text) in [
            ("Ana Horvat", "horv"),
            ("ČRNKO Šime", "črn"),
            ("학생 12", "생 1"),
            ("CARD17", "d17"),
            ("x", ""),
            ("X[@1", "[@"),
        ] {
            assert!(contains(field, text), "{field}: {text}");
        }
        for (field, text) in [("Ana", "anab"), ("Ana", "č"), ("학생", "x"), ("{", "["), ("ab", "abc")] {
            assert!(!contains(field, text), "{field}: {text}");
        }
    }
}
