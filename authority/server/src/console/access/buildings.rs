//! Buildings and their doors as they are now: locked down or not, whether the agent answers, and how many people can open each.

use super::{page, said};
use crate::clock;
use crate::console::Site;
use crate::console::page::{time, unit_name, unknown};
use crate::console::visit::{Visitor, percent};
use crate::console::words::fill;
use crate::http::agents;
use crate::http::caller::Caller;
use crate::http::extract::Named;
use crate::http::failure::Failure;
use crate::http::shapes::AgentView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::directory::Directory;
use doorward_policy::explain;
use doorward_policy::model::BuildingId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::decide::Reason;
use doorward_protocol::id::DoorId;
use doorward_protocol::time::UnixMs;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most buildings, and most doors of one, on a page.
const SHOWN_MAX: usize = 150;
/// Most cards that are asked at doors for one page: each door is asked about each card.
const ASKED_MAX: usize = 200_000;

/// A building as a visitor sees it.
struct Seen {
    id: BuildingId,
    name: String,
    agent: String,
    owner: Option<String>,
    doors: Vec<SeenDoor>,
}

struct SeenDoor {
    id: DoorId,
    name: String,
    is_shut: bool,
}

/// Who can open a door now.
#[derive(Debug, Clone, Copy)]
enum Opens {
    /// So many people.
    People(usize),
    /// Nobody, or anyone.
    All(Reason),
    /// It was not counted: there are too many cards.
    Uncounted,
}

/// The buildings with a door that the caller may see.
fn seen(directory: &Directory, caller: &Caller, only: Option<&BuildingId>) -> Vec<Seen> {
    let (tables, now) = (directory.tables(), clock::wall());
    let mut doors: BTreeMap<&BuildingId, Vec<SeenDoor>> = BTreeMap::new();
    let wanted = tables.doors.iter().filter(|(_, door)| only.is_none_or(|only| *only == door.building));
    for (id, door) in wanted {
        if directory.allow(&caller.asker, Act::SeeDoors, Object::Door(id), now).is_ok() {
            let is_shut = directory.is_locked_down(id, door);
            let seen = SeenDoor { id: id.clone(), name: door.name.clone(), is_shut };
            doors.entry(&door.building).or_default().push(seen);
        }
    }
    let seen = doors.into_iter().filter_map(|(id, doors)| {
        let building = tables.buildings.get(id)?;
        let owner = building.owner.as_ref().map(|unit| unit_name(directory, unit.as_str()));
        let (name, agent) = (building.name.clone(), building.agent.to_string());
        Some(Seen { id: id.clone(), name, agent, owner, doors })
    });
    seen.collect()
}

/// The agents that the caller may see, by name.
async fn agents(site: &Site, visitor: &Visitor, caller: Caller) -> Result<BTreeMap<String, AgentView>, Failure> {
    if !visitor.may_somewhere(site, Act::SeeAgents) {
        return Ok(BTreeMap::new());
    }
    let Json(found) = agents::list(State(Arc::clone(&site.api)), caller).await?;
    Ok(found.agents.into_iter().map(|agent| (agent.id.clone(), agent)).collect())
}

/// Buildings in the visitor's remit.
pub async fn list(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, Act::SeeDoors)?;
    let buildings = seen(&site.api.authority.present().directory, &caller, None);
    let agents = agents(&site, &visitor, caller).await?;
    let words = said(&visitor);
    let body = html! {
        h1 { (visitor.words().buildings) }
        p.about { (words.buildings_about) " " a href="/doors" { (visitor.words().doors) } }
        @if buildings.is_empty() { p { (words.building_none) } }
        ul.places {
            @for building in buildings.iter().take(SHOWN_MAX) {
                li {
                    a.name href={ "/buildings/" (percent(building.id.as_str())) } { (building.name) }
                    span.fine {
                        (building.id) " · "
                        (fill(visitor.words().mark_doors, &[("count", &building.doors.len().to_string())]))
                    }
                    div.row {
                        (shut_mark(&visitor, building))
                        @if let Some(agent) = agents.get(&building.agent) { (agent_mark(&visitor, agent)) (agent_fine(&visitor, agent)) }
                    }
                }
            }
        }
        @if buildings.len() > SHOWN_MAX {
            p { (fill(words.first_shown, &[("count", &buildings.len().to_string())])) }
        }
    };
    Ok(page(&site, &visitor, visitor.words().buildings, &body))
}

/// How many of its doors are locked down, where some are.
fn shut_mark(visitor: &Visitor, building: &Seen) -> Markup {
    let count = building.doors.iter().filter(|door| door.is_shut).count();
    html! {
        @if count > 0 {
            span.state.suspended { (fill(said(visitor).shut_doors, &[("count", &count.to_string())])) }
        }
    }
}

fn agent_mark(visitor: &Visitor, agent: &AgentView) -> Markup {
    let words = said(visitor);
    let (class, state) = if agent.connected {
        ("active", words.agent_connected)
    } else if agent.state == "enrolled" {
        ("suspended", words.agent_silent)
    } else {
        ("produced", words.agent_none)
    };
    html! { span.state.(class) { (state) } }
}

/// Of an agent that does not answer: since when, and until when its doors decide by themselves.
fn agent_fine(visitor: &Visitor, agent: &AgentView) -> Markup {
    let words = said(visitor);
    let is_silent = !agent.connected && agent.state == "enrolled";
    html! {
        @if let Some(at) = agent.heard_at.as_ref().filter(|_| is_silent) {
            span.fine { (words.agent_heard) " " (time(at)) }
        }
        @if let Some(at) = agent.lease_ends_at.as_ref().filter(|_| is_silent) {
            span.fine {
                (if at.ms > clock::wall().0 { words.decides_until } else { words.decides_no_more }) " " (time(at))
            }
        }
    }
}

/// One building and its doors.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, Act::SeeDoors)?;
    let building = known(&site.api.authority.present().directory, &caller, &id)?;
    let agents = agents(&site, &visitor, caller).await?;
    let opens = opens_of(&site, &building).await?;
    let (words, frame) = (said(&visitor), visitor.words());
    let title = &building.name;
    let may = |act| visitor.may(&site, act, Object::Building(&building.id));
    let body = html! {
        h1 { (title) " " (shut_mark(&visitor, &building)) }
        dl.facts {
            dt { (frame.building) } dd { (building.id) }
            @if let Some(owner) = &building.owner { dt { (words.owner) } dd { (owner) } }
            @if let Some(agent) = agents.get(&building.agent) {
                dt { (words.agent) }
                dd { (agent.id) " " (agent_mark(&visitor, agent)) " " (agent_fine(&visitor, agent)) }
            }
        }
        section aria-labelledby="doors" {
            h2 #doors { (fill(frame.mark_doors, &[("count", &building.doors.len().to_string())])) }
            ul.places {
                @for door in building.doors.iter().take(SHOWN_MAX) {
                    li {
                        a.name href={ "/doors/" (percent(door.id.as_str())) } { (door.name) }
                        span.fine { (door.id) }
                        (opens_mark(&visitor, opens.get(&door.id).copied().unwrap_or(Opens::Uncounted)))
                    }
                }
            }
            @if building.doors.len() > SHOWN_MAX {
                p { (fill(words.first_shown, &[("count", &building.doors.len().to_string())])) }
            }
        }
        ul.links {
            @if visitor.may_somewhere(&site, Act::Ask) {
                li { a href={ "/requests/new?building=" (percent(building.id.as_str())) } { (words.ask_access) } }
            }
            @if visitor.may_somewhere(&site, Act::SeeGrants) {
                li { a href={ "/grants?find=" (percent(title)) } { (words.grants_here) } }
            }
            @if visitor.may(&site, Act::ReadLog, Object::Campus) {
                li { a href={ "/taps?building=" (percent(building.id.as_str())) } { (words.taps_here) } }
            }
            @if may(Act::LockDown) {
                li { a href={ "/lockdown/confirm?kind=building&id=" (percent(building.id.as_str())) } { (frame.new_lockdown) } }
            }
        }
    };
    Ok(page(&site, &visitor, title, &body))
}

/// A building of which the caller may see a door; of others not even the name is said.
fn known(directory: &Directory, caller: &Caller, id: &str) -> Result<Seen, Failure> {
    let buildings = &directory.tables().buildings;
    let missing = || unknown("building", id, buildings.keys().map(BuildingId::as_str));
    let known = BuildingId::new(id).ok().filter(|id| buildings.contains_key(id));
    let Some(known) = known else {
        // Whoever may see all of them is told which name is near.
        directory.allow(&caller.asker, Act::SeeDoors, Object::Campus, clock::wall())?;
        return Err(missing());
    };
    if let Some(seen) = seen(directory, caller, Some(&known)).into_iter().next() {
        return Ok(seen);
    }
    directory.allow(&caller.asker, Act::SeeDoors, Object::Building(&known), clock::wall())?;
    Err(Failure::new(StatusCode::NOT_FOUND, format!("building {known} has no door")))
}

/// Who can open each door now; the directory is let go between doors, so that no change waits for a page.
async fn opens_of(site: &Site, building: &Seen) -> Result<BTreeMap<DoorId, Opens>, Failure> {
    let (api, now) = (Arc::clone(&site.api), clock::wall());
    let doors: Vec<DoorId> = building.doors.iter().take(SHOWN_MAX).map(|door| door.id.clone()).collect();
    let counted = tokio::task::spawn_blocking(move || {
        let mut asked = 0_usize;
        let opens = doors.into_iter().map(|door| {
            let present = api.authority.present();
            asked = asked.saturating_add(present.directory.tables().cards.len());
            let opens = if asked > ASKED_MAX { Opens::Uncounted } else { opens(&present.directory, &door, now) };
            (door, opens)
        });
        opens.collect()
    });
    counted.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn opens(directory: &Directory, door: &DoorId, at: UnixMs) -> Opens {
    let Ok(who) = explain::who(directory, door, at) else { return Opens::Uncounted };
    let people: BTreeSet<_> = who.openings.iter().map(|opening| &opening.person).collect();
    who.door.map_or(Opens::People(people.len()), Opens::All)
}

fn opens_mark(visitor: &Visitor, opens: Opens) -> Markup {
    let words = said(visitor);
    html! {
        @match opens {
            Opens::People(count) => { span { (fill(words.open_now, &[("count", &count.to_string())])) } }
            Opens::All(reason) => {
                span.state.suspended[!reason.is_grant()].produced[reason.is_grant()] { (visitor.words().reason(reason.as_str())) }
            }
            Opens::Uncounted => { span.fine { (words.not_counted) } }
        }
    }
}
