//! The directory at two instants: which rows are new, gone or changed, and who gained or lost which door.

use super::{framed, given, minute, number};
use crate::clock;
use crate::console::Site;
use crate::console::page::{door_name, time};
use crate::console::visit::{Visitor, percent};
use crate::console::words::{RecordsWords, fill};
use crate::http::caller::Caller;
use crate::http::compare::{self, Between};
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::shapes::records::{Comparison, Place, RowDifference, SomePeople, TableDifference};
use axum::extract::State;
use axum::response::Response;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// How many each list names at most.
const LIMIT: usize = 30;
/// The earlier instant unless one is named: a day ago.
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    from: String,
    to: String,
    from_entry: String,
    to_entry: String,
}

/// What differs; without an earlier instant the form alone.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let words = RecordsWords::of(visitor.language);
    let place = |what: &str, entry: &str, at: &str| -> Result<Option<String>, Failure> {
        Ok(number(what, entry)?.map(|seq| seq.to_string()).or_else(|| site.instant(at)))
    };
    let from = place("from_entry", &which.from_entry, &which.from)?;
    let to = place("to_entry", &which.to_entry, &which.to)?;
    let found = match from {
        Some(from) => {
            let between = Params(Between { from: Some(from), to, limit: Some(LIMIT) });
            Some(compare::compare(State(Arc::clone(&site.api)), caller, between).await?.0)
        }
        None => {
            caller.may(&site.api, Act::ReadJournal, Object::Campus)?;
            None
        }
    };
    let body = html! {
        h1 { (words.compare_title) }
        p.about { (words.compare_about) }
        (form(&site, words, &which))
        @if let Some(found) = &found { (result(&site, &visitor, found)) }
    };
    Ok(framed(&site, &visitor, words.compare_title, &body))
}

fn form(site: &Site, words: &RecordsWords, which: &Which) -> Markup {
    let yesterday = site.api.when(clock::wall().plus_ms(-DAY_MS));
    let is_named = given(&which.from).or_else(|| given(&which.from_entry)).is_some();
    let from = if is_named { which.from.as_str() } else { minute(&yesterday) };
    html! {
        form.filter.many method="get" action="/compare" {
            fieldset {
                legend { (words.earlier) }
                input name="from" type="datetime-local" value=(from) aria-label=(words.earlier);
                label for="from-entry" { (words.or_entry) }
                input.short #from-entry name="from_entry" type="number" min="1" value=(which.from_entry);
            }
            fieldset {
                legend { (words.later) }
                input name="to" type="datetime-local" value=(which.to) aria-label=(words.later);
                label for="to-entry" { (words.or_entry) }
                input.short #to-entry name="to_entry" type="number" min="1" value=(which.to_entry);
            }
            button.main { (words.compare) }
        }
    }
}

fn place(words: &RecordsWords, place: &Place) -> Markup {
    html! { (time(&place.at)) " " span.fine { "(" (fill(words.entry, &[("seq", &place.seq.to_string())])) ")" } }
}

fn result(site: &Site, visitor: &Visitor, found: &Comparison) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let is_same = !found.policy_differs && found.tables.is_empty() && found.doors.is_empty();
    html! {
        p #between { (place(words, &found.from)) " → " (place(words, &found.to)) }
        @if is_same { p role="status" { (words.same) } }
        @if found.policy_differs { p.bad { (words.policy_differs) } }
        @for table in &found.tables { (rows(visitor, table)) }
        @if !is_same { (rights(site, visitor, found)) }
    }
}

fn rows(visitor: &Visitor, table: &TableDifference) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let counts = [(words.added, table.added), (words.removed, table.removed), (words.changed, table.changed)];
    let counts = counts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word}: {count}"));
    let more = (table.added + table.removed + table.changed).saturating_sub(table.rows.len());
    let id = format!("table-{}", table.table);
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (words.table(&table.table, visitor.language)) " – " (counts.collect::<Vec<_>>().join(", ")) }
            ul.differences { @for row in &table.rows { (one(visitor, &table.table, row)) } }
            (rest(words, more))
        }
    }
}

fn rest(words: &RecordsWords, more: usize) -> Markup {
    html! { @if more > 0 { p { (fill(words.and_more, &[("count", &more.to_string())])) } } }
}

fn one(visitor: &Visitor, table: &str, row: &RowDifference) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let page = match table {
        "cards" => Some("/cards/"),
        "people" => Some("/people/"),
        "doors" => Some("/doors/"),
        _ => None,
    };
    let page = page.filter(|_| row.kind != "removed");
    let value = |field: &str, value: &str| match (table, field) {
        ("cards", "state") => visitor.words().card_state(value).to_owned(),
        _ if value.is_empty() => "–".to_owned(),
        _ => value.to_owned(),
    };
    html! {
        li.difference.(row.kind) {
            span.fine { (words.difference(&row.kind)) }
            " "
            @match page { Some(page) => { a href={ (page) (percent(&row.id)) } { (row.id) } }, None => strong { (row.id) } }
            @if let Some(name) = &row.name { " " (name) }
            @for field in &row.fields {
                span.field {
                    @if (table, field.field.as_str()) == ("cards", "state") { (visitor.words().state) } @else { span lang="en" { (field.field) } }
                    ": " (value(&field.field, &field.before)) " → " strong { (value(&field.field, &field.after)) }
                }
            }
        }
    }
}

fn rights(site: &Site, visitor: &Visitor, found: &Comparison) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let present = site.api.authority.present();
    html! {
        section #rights aria-labelledby="rights-title" {
            h2 #rights-title { (words.rights) }
            @if found.doors.is_empty() { p { (words.rights_none) } }
            ul.differences {
                @for door in &found.doors {
                    li.difference id={ "door-" (door.door) } {
                        a href={ "/doors/" (percent(&door.door)) } { (door_name(&present.directory, &door.door)) }
                        (people(words, words.gained, &door.gained))
                        (people(words, words.lost, &door.lost))
                    }
                }
            }
            (rest(words, found.doors_more))
        }
    }
}

fn people(words: &RecordsWords, what: &str, some: &SomePeople) -> Markup {
    let more = some.count.saturating_sub(some.first.len());
    html! {
        @if some.count > 0 {
            span.field {
                (what) " (" (some.count) "): "
                @for (place, person) in some.first.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href={ "/people/" (percent(&person.id)) } { (person.name) }
                }
                @if more > 0 { " " (fill(words.and_more, &[("count", &more.to_string())])) }
            }
        }
    }
}
