//! The campus map: each building by its state, on a plan that somebody brought or on an empty sheet; live, and beneath in words.
//!
//! Deliberately no more than its visitor sees elsewhere: agents and alarms are those that the API answers, lockdowns those of the top line.

mod arrange;
mod marks;

use super::Site;
use super::assets::ASSETS;
use super::live::{self, Shown};
use super::visit::{Visitor, percent};
use super::words::{MapWords, Words};
use crate::http::alarms::{self, Narrow};
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::lines::lines;
use crate::http::shapes::map::{MapView, PlaceView};
use crate::http::shapes::{AgentView, AlarmView};
use crate::http::{agents, map};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use marks::{Building, Condition};
use maud::{Markup, html};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked at whether something has changed.
const LOOK: Duration = Duration::from_secs(1);
/// Most alarms that are counted.
const ALARMS_MAX: u32 = 1_000;
/// The size of the empty sheet.
const SHEET: (u32, u32) = (1_000, 600);

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/map", get(show))
        .route("/map/live", get(follow))
        .route("/map/plan", get(plan).post(arrange::bring_plan))
        .route("/map/plan/remove", post(arrange::remove_plan))
        .route("/map/arrange", get(arrange::show).post(arrange::place))
}

impl Visitor {
    const fn map_words(&self) -> &'static MapWords {
        MapWords::of(self.language)
    }
}

/// The plan, or the empty sheet: where the image is, its size, and whether somebody brought it.
fn background(map: &MapView) -> (&str, (u32, u32), bool) {
    match &map.plan {
        Some(plan) => ("/map/plan", (plan.width, plan.height), true),
        None => (&ASSETS.plan.path, SHEET, false),
    }
}

/// The map.
async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let Json(known) = map::show(State(Arc::clone(&site.api)), caller.clone()).await?;
    let (words, own) = (visitor.words(), visitor.map_words());
    let may_arrange = visitor.may(&site, Act::ManageAgents, Object::Campus);
    let tells_agents = visitor.may_somewhere(&site, Act::SeeAgents);
    let (image, (width, height), is_brought) = background(&known);
    let problems = known.problems.clone();
    let shown = Drawing::of(&site, &visitor, caller, known.clone());
    let buildings = shown.buildings().await?;
    let body = html! {
        div.heading {
            h1 { (own.map) }
            p.state-line role="status" data-state-of="map" {}
        }
        p.about { (own.map_about) @if !tells_agents { " " (own.not_told_about) } }
        (unreadable(own, &problems))
        @if buildings.is_empty() { p { (own.no_buildings) } }
        div #map data-live="/map/live" data-on=(words.live_on) data-lost=(words.live_lost) {
            div.map-frame {
                img.map-plan.brought[is_brought] src=(image) alt="" width=(width) height=(height);
                (shown.drawn(&buildings))
            }
            ul.map-list { @for building in &buildings { (shown.told(building)) } }
        }
        noscript { p { (words.live_none) } }
        @if may_arrange { p { a.button href="/map/arrange" { (own.arrange) } } }
    };
    Ok(visitor.page(&site, own.map, &body))
}

/// What of the map cannot be read.
fn unreadable(own: &MapWords, problems: &[String]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div.bad role="alert" { (own.cannot_read) ul lang="en" { @for problem in problems { li { (problem) } } } }
        }
    }
}

/// The plan that somebody brought, as an image.
async fn plan(State(site): State<Site>, caller: Caller) -> Result<Response, Failure> {
    map::plan(State(Arc::clone(&site.api)), caller).await
}

/// The map from now on. Nothing says by itself that an agent is gone or a lease has ended, so it is looked at again and again.
async fn follow(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let Json(known) = map::show(State(Arc::clone(&site.api)), caller.clone()).await?;
    let shown = Drawing::of(&site, &visitor, caller, known);
    let (looks, response) = lines();
    tokio::spawn(async move {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => if !looks.send(&()).await { return },
                () = looks.closed() => return,
            }
        }
    });
    Ok(live::follow(&site, &visitor, response, shown))
}

/// What is shown of the map.
struct Drawing {
    site: Site,
    words: &'static Words,
    own: &'static MapWords,
    caller: Caller,
    map: MapView,
    /// What was shown last: nothing is sent again that is the same.
    last: String,
}

impl Drawing {
    fn of(site: &Site, visitor: &Visitor, caller: Caller, map: MapView) -> Self {
        let (site, words, own) = (site.clone(), visitor.words(), visitor.map_words());
        Self { site, words, own, caller, map, last: String::new() }
    }

    /// The buildings in the visitor's remit, each with what the API says of its agent.
    async fn buildings(&self) -> Result<Vec<Building>, Failure> {
        let api = || State(Arc::clone(&self.site.api));
        // Who may not see agents or alarms sees the map without them.
        let agents = agents::list(api(), self.caller.clone()).await;
        let agents: Option<Vec<AgentView>> = agents.ok().map(|Json(found)| found.agents);
        let open = Params(Narrow { limit: Some(ALARMS_MAX), open: true });
        let alarms = alarms::list(api(), self.caller.clone(), open).await;
        let alarms: Vec<AlarmView> = alarms.map(|Json(found)| found.alarms).unwrap_or_default();
        let present = self.site.api.authority.present();
        Ok(marks::buildings(&present.directory, &self.caller, agents.as_deref(), &alarms))
    }

    /// Where a building is drawn: where somebody put it, or, on an empty sheet, in rows by id.
    fn place(&self, building: &Building, index: usize, count: usize) -> Option<PlaceView> {
        let known = self.map.places.get(&building.id).copied();
        known.or_else(|| self.map.plan.is_none().then(|| marks::in_rows(index, count)))
    }

    /// All marks, as the layer above the plan. Whoever does not see it has the list.
    fn drawn(&self, buildings: &[Building]) -> Markup {
        html! {
            svg.map-marks #map-marks xmlns="http://www.w3.org/2000/svg" aria-hidden="true" {
                @for (index, building) in buildings.iter().enumerate() {
                    @if let Some(place) = self.place(building, index, buildings.len()) {
                        a href={ "/buildings/" (percent(&building.id)) } tabindex="-1" {
                            (marks::mark_at(place, building.condition(), &building.name, false))
                        }
                    }
                }
            }
        }
    }

    /// A building in words.
    fn told(&self, building: &Building) -> Markup {
        let is_placed = self.map.plan.is_none() || self.map.places.contains_key(&building.id);
        html! {
            li id={ "place-" (building.id) } {
                (marks::mark(building.condition()))
                span.name { a href={ "/buildings/" (percent(&building.id)) } { (building.name) } }
                span {
                    @for (index, condition) in building.conditions.iter().enumerate() {
                        @if index > 0 { " · " }
                        @if matches!(condition, Condition::Alarm(_)) { a href="/alarms" { (condition.words(self.own)) } }
                        @else { (condition.words(self.own)) }
                    }
                    @if !is_placed { " " span.fine { (self.own.not_placed) } }
                }
                @if let Some(agent) = &building.agent { span.fine { (agent) } }
                @else { span.fine { (super::words::fill(self.words.mark_doors, &[("count", &building.doors.to_string())])) } }
            }
        }
    }
}

impl Shown for Drawing {
    type Line = ();

    async fn show(&mut self, (): ()) -> Option<Markup> {
        let buildings = self.buildings().await.ok()?;
        let all = html! {
            (self.drawn(&buildings))
            @for building in &buildings { (self.told(building)) }
        };
        if self.last == all.0 {
            return None;
        }
        self.last.clone_from(&all.0);
        Some(all)
    }

    fn may(&self, caller: &Caller) -> bool {
        caller.may_somewhere(&self.site.api, Act::SeeDoors).is_ok()
    }
}
