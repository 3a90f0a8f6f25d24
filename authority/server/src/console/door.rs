//! Doors: found by any part of a name, who can open one now or tonight, and why one answers a card as it does.

use super::Site;
use super::page::{door_name, time};
use super::visit::{Visitor, percent};
use super::words::{AccessWords, Words, fill};
use crate::clock;
use crate::http::caller::Caller;
use crate::http::extract::{Named, Params};
use crate::http::failure::Failure;
use crate::http::questions::{self, Question};
use crate::http::shapes::{WhoAnswer, WhyAnswer};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_policy::directory::Directory;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::id::DoorId;
use doorward_protocol::time::UnixMs;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Most doors in a list.
const DOORS_MAX: usize = 100;
/// Most people in an answer; a page stays small.
const PEOPLE_MAX: usize = 300;
/// A time as forms send it, `2026-11-30T21:00`, which has no offset.
const LOCAL_LENGTH: usize = 16;

#[derive(Debug, Deserialize)]
pub struct Find {
    #[serde(default)]
    find: String,
}

#[derive(Debug, Deserialize)]
pub struct When {
    #[serde(default)]
    at: String,
}

#[derive(Debug, Deserialize)]
pub struct Why {
    #[serde(default)]
    card: String,
    #[serde(default)]
    door: String,
    #[serde(default)]
    at: String,
}

impl Site {
    /// An instant as the API takes it: what a form sent is local time of the campus, and gets the offset of that hour.
    pub fn instant(&self, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.len() != LOCAL_LENGTH {
            return Some(text.to_owned());
        }
        // As if it were UTC, it lies within a day of it: near enough to know the offset, and once more to know it well.
        let guess = UnixMs::parse(&format!("{text}:00Z")).ok();
        let offset = |at: UnixMs| offset_of(&self.api.when(at).text).to_owned();
        let near = guess.and_then(|guess| UnixMs::parse(&format!("{text}:00{}", offset(guess))).ok());
        // What is no time at all is the API's to refuse.
        Some(near.map_or_else(|| text.to_owned(), |near| format!("{text}:00{}", offset(near))))
    }
}

/// The offset at the end of a time in RFC 3339.
fn offset_of(text: &str) -> &str {
    text.char_indices()
        .rev()
        .find(|(_, c)| matches!(c, '+' | '-' | 'Z'))
        .and_then(|(at, _)| text.get(at..))
        .unwrap_or("Z")
}

/// Finds doors in the visitor's remit.
pub async fn find(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Find { find }): Params<Find>,
) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, Act::SeeDoors)?;
    let (words, text) = (visitor.words(), find.trim());
    let doors = found(&site.api.authority.present().directory, &caller, text);
    let body = html! {
        h1 { label for="find" { (words.doors) } }
        form.search method="get" action="/doors" role="search" {
            input #find name="find" type="search" value=(text) aria-describedby="about-find" autocomplete="off" spellcheck="false" autofocus;
            button.main { (words.search) }
        }
        p.about #about-find { (words.doors_about) }
        p { a href="/buildings" { (AccessWords::of(visitor.language).to_buildings) } }
        @if doors.is_empty() { p role="status" { (fill(words.found_none, &[("text", text)])) } }
        ul.cards.wide {
            @for (id, name, is_shut) in doors.iter().take(DOORS_MAX) {
                li {
                    a href={ "/doors/" (percent(id)) } { (name) }
                    span.fine { (id) }
                    @if *is_shut { span.state.suspended { (words.reason_lockdown) } }
                }
            }
        }
        @if doors.len() > DOORS_MAX { p { (words.doors_more) } }
    };
    Ok(visitor.page(&site, words.doors, &body))
}

/// Doors whose id, name or building contains a text: id, name, and whether it is locked down. One more than are shown.
fn found(directory: &Directory, caller: &Caller, text: &str) -> Vec<(String, String, bool)> {
    let (wanted, now) = (text.to_lowercase(), clock::wall());
    let doors = directory.tables().doors.iter();
    let seen = doors.filter(|(id, _)| directory.allow(&caller.asker, Act::SeeDoors, Object::Door(id), now).is_ok());
    let named =
        seen.map(|(id, door)| (id.to_string(), door_name(directory, id.as_str()), directory.is_locked_down(id, door)));
    let fits = |(id, name, _): &(String, String, bool)| {
        id.to_lowercase().contains(&wanted) || name.to_lowercase().contains(&wanted)
    };
    named.filter(fits).take(DOORS_MAX + 1).collect()
}

/// Who can open a door.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Params(When { at }): Params<When>,
) -> Result<Response, Failure> {
    let question = Question { door: Some(id.clone()), card: None, at: site.instant(&at) };
    let Json(answer) = questions::who(State(Arc::clone(&site.api)), caller, Params(question)).await?;
    let words = visitor.words();
    let (name, building) = {
        let present = site.api.authority.present();
        (door_name(&present.directory, &id), building_of(&present.directory, &id))
    };
    let title = fill(words.who_opens, &[("door", &name)]);
    let reads = DoorId::new(&id).is_ok_and(|door| visitor.may(&site, Act::ReadLog, Object::Door(&door)));
    let body = html! {
        h1 { (title) }
        p.about { @if let Some((id, name)) = &building { a href={ "/buildings/" (percent(id)) } { (name) } " · " } (id) " · " (time(&answer.at)) }
        form.filter method="get" action={ "/doors/" (percent(&id)) } {
            label for="at" { (words.when) }
            input #at name="at" type="datetime-local" value=(minute(&answer.at.text));
            button { (words.ask) }
        }
        (people(words, &answer))
        @if reads { p { a href={ "/taps?door=" (percent(&id)) } { (words.taps_here) } } }
    };
    Ok(visitor.page(&site, &title, &body))
}

/// The building of a door: id and name.
fn building_of(directory: &Directory, door: &str) -> Option<(String, String)> {
    let door = directory.tables().doors.get(&DoorId::new(door).ok()?)?;
    let building = directory.tables().buildings.get(&door.building)?;
    Some((door.building.to_string(), building.name.clone()))
}

/// A time to the minute, as forms take it.
pub(super) fn minute(text: &str) -> &str {
    text.get(..LOCAL_LENGTH).unwrap_or_default()
}

fn people(words: &Words, answer: &WhoAnswer) -> Markup {
    let openings = &answer.answer.openings;
    if let Some(reason) = answer.answer.door {
        return html! { p.bad { (words.reason(reason.as_str())) } };
    }
    if openings.is_empty() {
        return html! { p { (words.who_none) } };
    }
    let count = openings.len().to_string();
    html! {
        p { (fill(words.who_count, &[("count", &count)])) }
        ul.cards.wide {
            @for opening in openings.iter().take(PEOPLE_MAX) {
                li {
                    a.name href={ "/people/" (percent(opening.person.as_str())) } { (opening.name) }
                    span.fine { (opening.person) }
                    a href={ "/cards/" (percent(opening.card.as_str())) } { (opening.card) }
                    @if !opening.factors.is_empty() {
                        span.fine { (fill(words.with_factors, &[("factors", &opening.factors.join(" / "))])) }
                    }
                }
            }
        }
        @if openings.len() > PEOPLE_MAX { p { (fill(words.who_more, &[("count", &count)])) } }
    }
}

/// Why a door answers a card as it does.
pub async fn why(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(asked): Params<Why>,
) -> Result<Response, Failure> {
    let words = visitor.words();
    let (card, door) = (asked.card.trim(), asked.door.trim());
    let answer = if card.is_empty() || door.is_empty() {
        caller.may_somewhere(&site.api, Act::SeeCards)?;
        None
    } else {
        let question =
            Question { door: Some(door.to_owned()), card: Some(card.to_owned()), at: site.instant(&asked.at) };
        Some(questions::explained(Arc::clone(&site.api), caller, question, visitor.language.phrases()).await?.0)
    };
    let at = answer.as_ref().map(|answer| minute(&answer.at.text)).unwrap_or_default();
    let body = html! {
        h1 { (words.why) }
        p.about { (words.why_about) }
        form.filter method="get" action="/why" {
            label for="card" { (words.card) }
            input #card name="card" value=(card) autocomplete="off" spellcheck="false" required;
            label for="door" { (words.door_id) }
            input #door name="door" value=(door) autocomplete="off" spellcheck="false" required;
            label for="at" { (words.when) }
            input #at name="at" type="datetime-local" value=(at);
            button.main { (words.ask) }
        }
        @if let Some(answer) = &answer { (explanation(&site, words, answer)) }
    };
    Ok(visitor.page(&site, words.why, &body))
}

fn explanation(site: &Site, words: &Words, answer: &WhyAnswer) -> Markup {
    let told = &answer.answer;
    let is_granted = told.decision == "grant";
    let door = door_name(&site.api.authority.present().directory, told.door.as_str());
    html! {
        section aria-labelledby="answer" {
            h2 #answer { (fill(words.why_answer, &[("card", told.card.as_str()), ("door", &door)])) " · " (time(&answer.at)) }
            p.good[is_granted].bad[!is_granted] {
                strong { (if is_granted { words.granted } else { words.denied }) }
                ": " (words.reason(told.reason.as_str()))
            }
            ol.reasons { @for sentence in &told.sentences { li { (sentence) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_of_a_time_is_what_stands_behind_it() {
        assert_eq!(offset_of("2026-11-30T05:54:34.123+09:00"), "+09:00");
        assert_eq!(offset_of("2026-11-30T05:54:34.123-03:30"), "-03:30");
        assert_eq!(offset_of("2026-11-30T05:54:34Z"), "Z");
    }
}
