//! Taps as they happen, each with the face of the holder beside it, so that a guard sees whether it is the one at the door.
//!
//! Deliberately no more than the visitor may see: a name and a face stand there where its holder lies in the remit, and that
//! somebody looked is kept for each of them.

use super::Site;
use super::find::photo_of;
use super::live::{self, Shown};
use super::page::{door_name, time};
use super::visit::{Visitor, percent};
use super::words::Words;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::log::{self, Narrow};
use crate::http::shapes::{LogLine, RecordView};
use axum::extract::State;
use axum::response::Response;
use doorward_policy::directory::Directory;
use doorward_policy::model::{BuildingId, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::id::DoorId;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many taps stand on a page at first, and at most.
const LIMIT: u32 = 40;
const LIMIT_MAX: u32 = 120;
/// How far back it is looked for those of one building.
const LOOK_BACK: u32 = 1_000;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    door: String,
    #[serde(default)]
    building: String,
}

impl Which {
    fn narrow(&self, follow: bool) -> Narrow {
        let door = Some(self.door.trim().to_owned()).filter(|door| !door.is_empty());
        let limit = if self.building.is_empty() { LIMIT } else { LOOK_BACK };
        Narrow { door, limit: Some(limit), follow, ..Narrow::default() }
    }

    fn query(&self) -> String {
        format!("door={}&building={}", percent(self.door.trim()), percent(&self.building))
    }
}

/// The newest taps.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let is_live = caller.may(&site.api, Act::SeeAgents, Object::Campus).is_ok();
    let answer = log::list(State(Arc::clone(&site.api)), caller.clone(), Params(which.narrow(false))).await?;
    let lines: Vec<LogLine> = live::lines_of(answer).await?;
    let mut taps = Taps::of(&site, &visitor, caller, &which);
    let mut shown = Vec::new();
    for line in lines.into_iter().rev() {
        if let Some(tap) = taps.show(line).await {
            shown.push(tap);
        }
        if shown.len() >= usize::try_from(LIMIT).unwrap_or(usize::MAX) {
            break;
        }
    }
    let words = visitor.words();
    let follow = is_live.then(|| format!("/taps/live?{}", which.query()));
    let body = html! {
        div.heading {
            h1 { (words.taps) }
            @if is_live {
                p.state-line role="status" data-state-of="taps" {}
                button.quiet hidden data-pause="taps" data-go-on=(words.go_on) { (words.pause) }
            }
        }
        (filter(&site, words, &which))
        @if shown.is_empty() { p { (words.taps_none) } }
        ol.taps #taps data-live=[follow] data-into="" data-newest-first="" data-most=(LIMIT_MAX)
            data-on=(words.live_on) data-paused=(words.live_paused) data-lost=(words.live_lost)
        { @for tap in &shown { (tap) } }
        noscript { p { (words.live_none) } }
    };
    Ok(visitor.page(&site, words.taps, &body))
}

fn filter(site: &Site, words: &Words, which: &Which) -> Markup {
    let present = site.api.authority.present();
    let buildings = &present.directory.tables().buildings;
    html! {
        form.filter method="get" action="/taps" {
            label for="building" { (words.building) }
            select #building name="building" {
                option value="" { (words.all_buildings) }
                @for (id, building) in buildings {
                    option value=(id) selected[id.as_str() == which.building] { (building.name) }
                }
            }
            label for="door" { (words.door_id) }
            input #door name="door" value=(which.door) autocomplete="off" spellcheck="false";
            button { (words.filter) }
        }
    }
}

/// Taps from now on.
pub async fn live(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let answer = log::list(State(Arc::clone(&site.api)), caller.clone(), Params(which.narrow(true))).await?;
    let shown = Taps::of(&site, &visitor, caller, &which);
    Ok(live::follow(&site, &visitor, answer, shown))
}

/// What is shown of the log.
struct Taps {
    site: Site,
    words: &'static Words,
    caller: Caller,
    building: Option<String>,
    door: Option<DoorId>,
    /// Of whom it was kept that somebody looked.
    looked: BTreeSet<PersonId>,
}

impl Taps {
    fn of(site: &Site, visitor: &Visitor, caller: Caller, which: &Which) -> Self {
        let building = Some(which.building.clone()).filter(|building| !building.is_empty());
        let door = DoorId::new(which.door.trim()).ok();
        Self { site: site.clone(), words: visitor.words(), caller, building, door, looked: BTreeSet::new() }
    }

    fn is_wanted(&self, tap: &RecordView) -> bool {
        let Some(building) = self.building.as_deref() else { return true };
        let (Ok(door), Ok(building)) = (DoorId::new(&tap.door), BuildingId::new(building)) else { return false };
        let present = self.site.api.authority.present();
        present.directory.tables().doors.get(&door).is_some_and(|door| door.building == building)
    }

    /// The holder, where this visitor may see whose card it is.
    async fn holder(&mut self, tap: &RecordView) -> Option<(PersonId, String)> {
        let person = PersonId::new(tap.person.as_deref()?).ok()?;
        self.caller.may(&self.site.api, Act::SeeCards, Object::Person(&person)).ok()?;
        let name = name_of(&self.site.api.authority.present().directory, &person)?;
        if self.looked.insert(person.clone()) {
            self.caller.looks(&self.site.api, "tap", format!("person {person}")).await;
        }
        Some((person, name))
    }
}

fn name_of(directory: &Directory, person: &PersonId) -> Option<String> {
    directory.tables().people.get(person).map(|person| person.name.clone())
}

impl Shown for Taps {
    type Line = LogLine;

    async fn show(&mut self, line: LogLine) -> Option<Markup> {
        let LogLine::Record(tap) = line else { return None };
        if !self.is_wanted(&tap) {
            return None;
        }
        let holder = self.holder(&tap).await;
        let door = door_name(&self.site.api.authority.present().directory, &tap.door);
        let words = self.words;
        let is_granted = tap.decision == "grant";
        Some(html! {
            li.tap.granted[is_granted].denied[!is_granted] id={ "tap-" (tap.agent) "-" (tap.incarnation) "-" (tap.seq) } {
                @match &holder {
                    Some((id, name)) => { (photo_of(&self.site, words, id.as_str(), name)) }
                    None => { span.photo.none role="img" aria-label=(words.no_photo) {} }
                }
                div {
                    @match &holder {
                        Some((id, name)) => { a.name href={ "/people/" (percent(id.as_str())) } { (name) } }
                        None => { span.name { (tap.person.as_deref().unwrap_or(words.unknown_card)) } }
                    }
                    " "
                    @if let Some(card) = &tap.card { a.fine href={ "/cards/" (percent(card)) } { (words.card) " " (card) } }
                }
                div.where { (door) }
                div.answer {
                    strong { (if is_granted { words.granted } else { words.denied }) }
                    @if tap.reason != "granted" { span { (words.reason(&tap.reason)) } }
                    @if let Some(card) = tap.card.as_ref().filter(|_| !is_granted) {
                        " " a.fine href={ "/why?card=" (percent(card)) "&door=" (percent(&tap.door)) "&at=" (percent(&tap.at.text)) } { (words.why_so) }
                    }
                }
                (time(&tap.at))
            }
        })
    }

    fn may(&self, caller: &Caller) -> bool {
        let object = self.door.as_ref().map_or(Object::Campus, Object::Door);
        let follows = caller.may(&self.site.api, Act::SeeAgents, Object::Campus).is_ok();
        follows && caller.may(&self.site.api, Act::ReadLog, object).is_ok()
    }
}
