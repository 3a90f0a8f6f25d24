//! The access log: what doors answered, narrowed and page by page.
//!
//! Deliberately other than the page of taps: nothing moves here, and no face stands beside a tap.

use super::{exports, framed, given, number, pages};
use crate::console::Site;
use crate::console::page::{door_name, time};
use crate::console::visit::{Visitor, percent};
use crate::console::words::RecordsWords;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::log::{self, Narrow};
use crate::http::shapes::RecordView;
use axum::extract::State;
use axum::response::Response;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::decide::Reason;
use maud::{Markup, html};
use serde::Deserialize;

/// How many records stand on a page.
const LIMIT: u32 = 50;
/// A record that came home so many milliseconds after it was made was kept at its agent meanwhile.
const LATE_MS: i64 = 60_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    building: String,
    door: String,
    card: String,
    person: String,
    decision: String,
    reason: String,
    from: String,
    to: String,
    before: String,
}

impl Which {
    /// What the API is asked for.
    pub fn narrow(&self, site: &Site, limit: u32) -> Narrow {
        Narrow {
            door: given(&self.door),
            card: given(&self.card),
            person: given(&self.person),
            building: given(&self.building),
            decision: given(&self.decision),
            reason: given(&self.reason),
            since: site.instant(&self.from),
            until: site.instant(&self.to),
            limit: Some(limit),
            follow: false,
        }
    }

    fn fields(&self) -> [(&str, &str); 8] {
        let Self { building, door, card, person, decision, reason, from, to, .. } = self;
        [
            ("building", building),
            ("door", door),
            ("card", card),
            ("person", person),
            ("decision", decision),
            ("reason", reason),
            ("from", from),
            ("to", to),
        ]
    }

    fn names_nothing(&self) -> bool {
        let Self { building, door, card, person, .. } = self;
        [building, door, card, person].iter().all(|field| field.trim().is_empty())
    }
}

/// Records that fit, the newest first.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let words = RecordsWords::of(visitor.language);
    let before = number("before", &which.before)?;
    // Whose remit is a part of the campus names first what it wants to see.
    let asks_first = which.names_nothing() && !visitor.may(&site, Act::ReadLog, Object::Campus);
    let (records, next) = if asks_first {
        caller.may_somewhere(&site.api, Act::ReadLog)?;
        (Vec::new(), None)
    } else {
        log::page(&site.api, &caller, which.narrow(&site, LIMIT), before).await?
    };
    let fields = which.fields();
    let body = html! {
        h1 { (words.log) }
        p.about { (words.log_about) }
        (filter(&site, &visitor, &which))
        @if records.is_empty() { @if !asks_first { p role="status" { (words.nothing_fits) } } }
        @else { (table(&site, &visitor, &records)) }
        (pages(words, "/log", &fields, next, which.before.is_empty()))
        @if !asks_first { (exports(words, "/log", &fields)) }
    };
    Ok(framed(&site, &visitor, words.log, &body))
}

fn filter(site: &Site, visitor: &Visitor, which: &Which) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let reasons = Reason::ALL.map(Reason::as_str);
    let text = |id: &str, label: &str, value: &str| {
        html! {
            div {
                label for=(id) { (label) }
                input id=(id) name=(id) value=(value) autocomplete="off" spellcheck="false";
            }
        }
    };
    html! {
        form.filter.many method="get" action="/log" {
            (buildings(site, visitor, &which.building))
            (text("door", frame.door_id, &which.door))
            (text("card", frame.card, &which.card))
            (text("person", frame.person, &which.person))
            div {
                label for="decision" { (words.answer) }
                select #decision name="decision" {
                    option value="" { (words.all) }
                    option value="grant" selected[which.decision == "grant"] { (frame.granted) }
                    option value="deny" selected[which.decision == "deny"] { (frame.denied) }
                }
            }
            div {
                label for="reason" { (frame.reason) }
                select #reason name="reason" {
                    option value="" { (words.all) }
                    @for reason in reasons { option value=(reason) selected[which.reason == reason] { (frame.reason(reason)) } }
                }
            }
            div {
                label for="from" { (words.from) }
                input #from name="from" type="datetime-local" value=(which.from);
            }
            div {
                label for="to" { (words.to) }
                input #to name="to" type="datetime-local" value=(which.to);
            }
            button.main { (frame.filter) }
        }
    }
}

/// The buildings whose log a visitor may read, to choose one.
pub fn buildings(site: &Site, visitor: &Visitor, chosen: &str) -> Markup {
    let frame = visitor.words();
    let named: Vec<(String, String)> = {
        let present = site.api.authority.present();
        let known = present.directory.tables().buildings.iter();
        known.map(|(id, building)| (id.to_string(), building.name.clone())).collect()
    };
    let may = |id: &str| id.parse().is_ok_and(|id| visitor.may(site, Act::ReadLog, Object::Building(&id)));
    html! {
        div {
            label for="building" { (frame.building) }
            select #building name="building" {
                option value="" { (frame.all_buildings) }
                @for (id, name) in named.iter().filter(|(id, _)| may(id)) {
                    option value=(id) selected[id == chosen] { (name) }
                }
            }
        }
    }
}

fn table(site: &Site, visitor: &Visitor, records: &[RecordView]) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    html! {
        table.records {
            thead {
                tr {
                    th scope="col" { (words.answer) }
                    th scope="col" { (frame.door) }
                    th scope="col" { (frame.card) }
                    th scope="col" { (frame.when) }
                }
            }
            tbody { @for record in records { (row(site, visitor, record)) } }
        }
    }
}

fn row(site: &Site, visitor: &Visitor, record: &RecordView) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let is_granted = record.decision == "grant";
    let door = door_name(&site.api.authority.present().directory, &record.door);
    let is_late = record.received_at.ms.saturating_sub(record.at.ms) > LATE_MS;
    html! {
        tr.granted[is_granted].denied[!is_granted] {
            td {
                strong { (if is_granted { frame.granted } else { frame.denied }) }
                @if record.reason != "granted" { " " span.fine { (frame.reason(&record.reason)) } }
            }
            td { (door) " " span.fine { (record.door) } }
            td {
                @match &record.card {
                    Some(card) => { a href={ "/cards/" (percent(card)) } { (card) } }
                    None => { (frame.unknown_card) }
                }
                @if let Some(person) = &record.person { " " a.fine href={ "/people/" (percent(person)) } { (person) } }
            }
            td {
                (time(&record.at))
                @if is_late { span.fine { (words.came_later) " " (time(&record.received_at)) } }
            }
        }
    }
}
