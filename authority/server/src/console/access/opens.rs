//! What a person can open, with any card, now or at an hour; and why doors refused that person lately.

use super::said;
use crate::console::Site;
use crate::console::card::state_mark;
use crate::console::door::minute;
use crate::console::live;
use crate::console::page::{door_name, time};
use crate::console::visit::{Visitor, percent};
use crate::console::words::fill;
use crate::http::caller::Caller;
use crate::http::extract::{Named, Params};
use crate::http::failure::Failure;
use crate::http::log::{self, Narrow};
use crate::http::people;
use crate::http::questions::{self, Question};
use crate::http::shapes::desk::PersonDetail;
use crate::http::shapes::{LogLine, RecordView};
use axum::extract::State;
use axum::response::Response;
use doorward_policy::explain::Opening;
use doorward_protocol::id::DoorId;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most doors that are named; beyond, each building says how many.
const DOORS_MAX: usize = 300;
/// How many of a person's newest taps are looked through, and how many refusals are shown.
const LOOK_BACK: u32 = 500;
const REFUSED_MAX: usize = 20;

#[derive(Debug, Default, Deserialize)]
pub struct Hour {
    #[serde(default)]
    at: String,
}

/// A door and the cards that open it: each card's id with the factors that it needs.
#[derive(Default)]
struct Opened {
    cards: BTreeSet<String>,
    factors: BTreeSet<String>,
}

/// By building, then by door; both by the names that people use.
type ByBuilding = BTreeMap<String, BTreeMap<(String, DoorId), Opened>>;

async fn person_of(site: &Site, caller: &Caller, id: &str) -> Result<PersonDetail, Failure> {
    Ok(people::show(State(Arc::clone(&site.api)), caller.clone(), Named(id.to_owned())).await?.0)
}

/// What a person can open.
pub async fn opens(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Params(Hour { at }): Params<Hour>,
) -> Result<Response, Failure> {
    let person = person_of(&site, &caller, &id).await?;
    // Each card is asked about the same instant.
    let now = site.api.when(crate::clock::wall());
    let at = site.instant(&at).unwrap_or(now.text.clone());
    let (mut openings, mut when) = (Vec::new(), now);
    for card in person.cards.iter().filter(|card| card.state != "closed") {
        let question = Question { door: None, card: Some(card.id.clone()), at: Some(at.clone()) };
        let asked = questions::where_card(State(Arc::clone(&site.api)), caller.clone(), Params(question)).await?;
        when = asked.0.at;
        openings.extend(asked.0.answer);
    }
    let words = said(&visitor);
    let title = fill(words.opens_title, &[("name", &person.name)]);
    let here = format!("/people/{}", percent(&person.id));
    let body = html! {
        h1 { (title) }
        p.about { a href=(here) { (person.id) } " · " (time(&when)) }
        form.filter method="get" action={ (here) "/opens" } {
            label for="at" { (visitor.words().when) }
            input #at name="at" type="datetime-local" value=(minute(&when.text));
            button { (visitor.words().ask) }
        }
        (cards(&visitor, &person))
        (answer(&site, &visitor, &person, &openings))
        p { a href={ (here) "/refused" } { (words.person_refused) } }
    };
    Ok(visitor.page(&site, &title, &body))
}

/// The cards of which it is said, each with its state: a suspended one opens nothing.
fn cards(visitor: &Visitor, person: &PersonDetail) -> Markup {
    let open = person.cards.iter().filter(|card| card.state != "closed");
    html! {
        ul.cards {
            @for card in open {
                li {
                    a href={ "/cards/" (percent(&card.id)) } { (visitor.words().card) " " (card.id) }
                    (state_mark(visitor.words(), &card.state))
                }
            }
        }
    }
}

fn by_building(site: &Site, openings: &[Opening]) -> ByBuilding {
    let present = site.api.authority.present();
    let tables = present.directory.tables();
    let mut found = ByBuilding::new();
    for opening in openings {
        let Some(door) = tables.doors.get(&opening.door) else { continue };
        let building = tables.buildings.get(&door.building).map_or(door.building.as_str(), |known| &known.name);
        let doors = found.entry(building.to_owned()).or_default();
        let opened = doors.entry((door.name.clone(), opening.door.clone())).or_default();
        opened.cards.insert(opening.card.to_string());
        opened.factors.extend(opening.factors.iter().cloned());
    }
    found
}

fn answer(site: &Site, visitor: &Visitor, person: &PersonDetail, openings: &[Opening]) -> Markup {
    let found = by_building(site, openings);
    if found.is_empty() {
        return html! { p.bad { (said(visitor).opens_none) } };
    }
    let words = visitor.words();
    let doors: usize = found.values().map(BTreeMap::len).sum();
    let counts = [("doors", doors.to_string()), ("buildings", found.len().to_string())];
    let counts = counts.each_ref().map(|(name, count)| (*name, count.as_str()));
    let in_use = person.cards.iter().filter(|card| card.state == "active").count();
    html! {
        p { (fill(words.opens_doors, &counts)) }
        ul.buildings {
            @for (building, opened) in &found {
                li {
                    strong { (building) } " "
                    @if doors > DOORS_MAX {
                        span.fine { (fill(words.mark_doors, &[("count", &opened.len().to_string())])) }
                    } @else {
                        ul.plain.inline {
                            @for ((name, _), opened) in opened { li { (name) (opened.fine(visitor, in_use)) } }
                        }
                    }
                }
            }
        }
    }
}

impl Opened {
    /// With which cards, where not all of them open it; and with which factors.
    fn fine(&self, visitor: &Visitor, in_use: usize) -> Markup {
        let list = |texts: &BTreeSet<String>| texts.iter().map(String::as_str).collect::<Vec<_>>().join(" / ");
        html! {
            @if self.cards.len() < in_use { " " span.fine { "(" (list(&self.cards)) ")" } }
            @if !self.factors.is_empty() {
                " " span.fine { (fill(visitor.words().with_factors, &[("factors", &list(&self.factors))])) }
            }
        }
    }
}

/// The newest taps that doors refused, each with the question why.
pub async fn refused(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    let person = person_of(&site, &caller, &id).await?;
    let narrow = Narrow { person: Some(person.id.clone()), limit: Some(LOOK_BACK), ..Narrow::default() };
    let answer = log::list(State(Arc::clone(&site.api)), caller, Params(narrow)).await?;
    let lines: Vec<LogLine> = live::lines_of(answer).await?;
    let records = lines.into_iter().rev().filter_map(|line| match line {
        LogLine::Record(record) => Some(record),
        LogLine::Alarm(_) => None,
    });
    let taps: Vec<RecordView> = records.filter(|tap| tap.decision != "grant").take(REFUSED_MAX).collect();
    let words = said(&visitor);
    let title = fill(words.refused_title, &[("name", &person.name)]);
    let here = format!("/people/{}", percent(&person.id));
    let body = html! {
        h1 { (title) }
        p.about { a href=(here) { (person.id) } " · " (words.refused_about) }
        @if taps.is_empty() { p { (words.refused_none) } }
        ol.requests { @for tap in &taps { (refusal(&site, &visitor, tap)) } }
        p { a href={ (here) "/opens" } { (words.person_opens) } }
    };
    Ok(visitor.page(&site, &title, &body))
}

fn refusal(site: &Site, visitor: &Visitor, tap: &RecordView) -> Markup {
    let words = visitor.words();
    let door = door_name(&site.api.authority.present().directory, &tap.door);
    html! {
        li {
            div.heading {
                span.name { (door) }
                span.state.suspended { (words.reason(&tap.reason)) }
                @if let Some(card) = &tap.card {
                    a href={ "/why?card=" (percent(card)) "&door=" (percent(&tap.door)) "&at=" (percent(&tap.at.text)) } { (words.why_so) }
                }
            }
            p.fine { @if let Some(card) = &tap.card { (words.card) " " (card) " · " } (time(&tap.at)) }
        }
    }
}
