//! Lockdown of a door, a building or the campus, and its release: each asked for on a page of its own, where the name of what is
//! to be shut must be typed.

use super::Site;
use super::account::refusal;
use super::page::{door_name, scope_name, unknown};
use super::visit::{Sent, Visitor, percent};
use super::words::fill;
use crate::http::caller::Caller;
use crate::http::doors;
use crate::http::extract::{Body, Params};
use crate::http::failure::Failure;
use crate::http::shapes::LockdownOrder;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::command::Scope;
use doorward_policy::directory::Directory;
use doorward_policy::model::BuildingId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::id::DoorId;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Most doors that are offered.
const DOORS_MAX: usize = 50;

/// Which doors, as it stands in an address: what kind, and which one.
#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    id: String,
}

#[derive(Debug, Deserialize)]
pub struct Order {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    typed: String,
    #[serde(default)]
    reason: String,
}

/// The doors of a kind and an id that are there.
fn scope_of(directory: &Directory, kind: &str, id: &str) -> Result<Scope, Failure> {
    let tables = directory.tables();
    match kind {
        "campus" => Ok(Scope::Campus),
        "building" => {
            let known = BuildingId::new(id).ok().filter(|id| tables.buildings.contains_key(id));
            known
                .map(Scope::Building)
                .ok_or_else(|| unknown("building", id, tables.buildings.keys().map(BuildingId::as_str)))
        }
        "door" => {
            let known = DoorId::new(id).ok().filter(|id| tables.doors.contains_key(id));
            known.map(Scope::Door).ok_or_else(|| unknown("door", id, tables.doors.keys().map(DoorId::as_str)))
        }
        _ => Err(Failure::bad("say what to lock down: the campus, a building or a door")),
    }
}

const fn object_of(scope: &Scope) -> Object<'_> {
    match scope {
        Scope::Campus => Object::Campus,
        Scope::Building(building) => Object::Building(building),
        Scope::Door(door) => Object::Door(door),
    }
}

/// Kind and id of doors, as they stand in an address.
fn address(scope: &Scope) -> (&'static str, String) {
    match scope {
        Scope::Campus => ("campus", String::new()),
        Scope::Building(building) => ("building", building.to_string()),
        Scope::Door(door) => ("door", door.to_string()),
    }
}

/// What must be typed: a name that can be read off the page; of a door its id, since many are called the same.
fn name_to_type(directory: &Directory, scope: &Scope) -> String {
    match scope {
        Scope::Campus => directory.policy().map_or_else(|| "campus".to_owned(), |policy| policy.name.clone()),
        Scope::Building(id) => {
            directory.tables().buildings.get(id).map_or_else(|| id.to_string(), |known| known.name.clone())
        }
        Scope::Door(id) => id.to_string(),
    }
}

/// What is locked down, and what could be.
pub async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, Act::LockDown)?;
    let words = visitor.words();
    let in_force: Vec<(Scope, String)> = {
        let present = site.api.authority.present();
        let scopes = present.directory.lockdowns().iter();
        scopes.map(|scope| (scope.clone(), scope_name(&present.directory, scope, words))).collect()
    };
    let buildings: Vec<(String, String)> = {
        let present = site.api.authority.present();
        let known = present.directory.tables().buildings.iter();
        known.map(|(id, building)| (id.to_string(), building.name.clone())).collect()
    };
    let body = html! {
        h1 { (words.lockdown) }
        p.about { (words.lockdown_about) }
        section aria-labelledby="in-force" {
            h2 #in-force { (words.in_force) }
            @if in_force.is_empty() { p { (words.none_in_force) } }
            ul.cards.wide {
                @for (scope, name) in &in_force {
                    @let (kind, id) = address(scope);
                    li {
                        strong { (name) } span.fine { (id) }
                        @if caller.may(&site.api, Act::LockDown, object_of(scope)).is_ok() {
                            a.button href={ "/release?kind=" (kind) "&id=" (percent(&id)) } aria-label={ (words.release) " " (name) } { (words.release) }
                        }
                    }
                }
            }
        }
        section aria-labelledby="new" {
            h2 #new { (words.new_lockdown) }
            (choices(&visitor, &buildings))
        }
    };
    Ok(visitor.page(&site, words.lockdown, &body))
}

fn choices(visitor: &Visitor, buildings: &[(String, String)]) -> Markup {
    let words = visitor.words();
    html! {
        form.filter method="get" action="/lockdown/confirm" {
            input type="hidden" name="kind" value="door";
            label for="door" { (words.one_door) }
            input #door name="id" autocomplete="off" spellcheck="false" required;
            button { (words.go_to_confirm) }
        }
        form.filter method="get" action="/lockdown/confirm" {
            input type="hidden" name="kind" value="building";
            label for="building" { (words.one_building) }
            select #building name="id" {
                @for (id, name) in buildings { option value=(id) { (name) } }
            }
            button { (words.go_to_confirm) }
        }
        form.filter method="get" action="/lockdown/confirm" {
            input type="hidden" name="kind" value="campus";
            span { (words.whole_campus) }
            button { (words.go_to_confirm) }
        }
    }
}

/// Asks for the name of what is to be shut; of a door that is not named by its id, which one is meant.
pub async fn confirm(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { kind, id }): Params<Which>,
) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, Act::LockDown)?;
    let text = id.trim();
    let scope = scope_of(&site.api.authority.present().directory, &kind, text);
    let scope = match scope {
        Err(failure) if kind == "door" => return which_door(&site, &visitor, text).ok_or(failure),
        scope => scope?,
    };
    caller.may(&site.api, Act::LockDown, object_of(&scope))?;
    Ok(ask(&site, &visitor, &scope, "", None))
}

/// The doors whose names contain a text.
fn which_door(site: &Site, visitor: &Visitor, text: &str) -> Option<Response> {
    let words = visitor.words();
    let wanted = text.to_lowercase();
    let doors: Vec<(String, String)> = {
        let present = site.api.authority.present();
        let ids = present.directory.tables().doors.keys();
        let named = ids.map(|id| (id.to_string(), door_name(&present.directory, id.as_str())));
        let fits = |(id, name): &(String, String)| {
            id.to_lowercase().contains(&wanted) || name.to_lowercase().contains(&wanted)
        };
        named.filter(fits).take(DOORS_MAX).collect()
    };
    if doors.is_empty() || wanted.is_empty() {
        return None;
    }
    let body = html! {
        h1 { (words.which_door) }
        ul.cards.wide {
            @for (id, name) in &doors {
                li { a href={ "/lockdown/confirm?kind=door&id=" (percent(id)) } { (name) } span.fine { (id) } }
            }
        }
        p { a.button href="/lockdown" { (words.back) } }
    };
    Some(visitor.page(site, words.which_door, &body))
}

fn ask(site: &Site, visitor: &Visitor, scope: &Scope, reason: &str, problem: Option<&Markup>) -> Response {
    let words = visitor.words();
    let (what, name, count) = {
        let present = site.api.authority.present();
        let directory = &present.directory;
        let count = directory.doors_in(scope).count().to_string();
        (scope_name(directory, scope, words), name_to_type(directory, scope), count)
    };
    let (kind, id) = address(scope);
    let title = fill(words.lockdown_of, &[("what", &what)]);
    let body = html! {
        h1 { (title) }
        p.bad { (fill(words.lockdown_doors, &[("count", &count)])) }
        @if let Some(problem) = problem { (problem) }
        form.fields method="post" action="/lockdown" autocomplete="off" {
            (visitor.key_field())
            input type="hidden" name="kind" value=(kind);
            input type="hidden" name="id" value=(id);
            label for="reason" { (words.reason) }
            input #reason name="reason" value=(reason) maxlength="200" required autofocus;
            label for="typed" { (fill(words.type_name, &[("name", &name)])) }
            input #typed name="typed" spellcheck="false" autocapitalize="none" required;
            div.row {
                button.main.shut { (words.lock_down_now) }
                a.button href="/lockdown" { (words.cancel) }
            }
        }
    };
    visitor.page(site, &title, &body)
}

/// Locks down, when the name was typed.
pub async fn lock_down(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(order): Sent<Order>,
) -> Result<Response, Failure> {
    let Order { kind, id, typed, reason } = order;
    let (scope, name) = {
        let present = site.api.authority.present();
        let scope = scope_of(&present.directory, &kind, &id)?;
        let name = name_to_type(&present.directory, &scope);
        (scope, name)
    };
    // Whoever may not lock it down is told that, and not how it is spelled.
    caller.may(&site.api, Act::LockDown, object_of(&scope))?;
    if typed.trim().to_lowercase() != name.to_lowercase() {
        let said = fill(visitor.words().typed_wrong, &[("name", &name)]);
        let problem = html! { p.bad role="alert" { (said) } };
        return Ok((StatusCode::BAD_REQUEST, ask(&site, &visitor, &scope, &reason, Some(&problem))).into_response());
    }
    let order = LockdownOrder { scope: scope.clone(), reason: reason.trim().to_owned() };
    match doors::lock_down(State(Arc::clone(&site.api)), caller, Body(order)).await {
        Ok(done) => Ok(Redirect::to(&format!("/changes/{}", done.0.seq)).into_response()),
        Err(failure) => {
            let page = ask(&site, &visitor, &scope, &reason, Some(&refusal(&visitor, Some(&failure))));
            Ok((failure.status, page).into_response())
        }
    }
}

/// Asks why a lockdown is to end.
pub async fn ask_to_release(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { kind, id }): Params<Which>,
) -> Result<Response, Failure> {
    let scope = scope_of(&site.api.authority.present().directory, &kind, &id)?;
    caller.may(&site.api, Act::LockDown, object_of(&scope))?;
    Ok(release_page(&site, &visitor, &scope, None))
}

fn release_page(site: &Site, visitor: &Visitor, scope: &Scope, failure: Option<&Failure>) -> Response {
    let words = visitor.words();
    let what = scope_name(&site.api.authority.present().directory, scope, words);
    let title = fill(words.release_of, &[("what", &what)]);
    let (kind, id) = address(scope);
    let body = html! {
        h1 { (title) }
        p { (words.release_about) }
        (refusal(visitor, failure))
        form.fields method="post" action="/release" autocomplete="off" {
            (visitor.key_field())
            input type="hidden" name="kind" value=(kind);
            input type="hidden" name="id" value=(id);
            label for="reason" { (words.reason) }
            input #reason name="reason" maxlength="200" required autofocus;
            div.row {
                button.main { (words.release) }
                a.button href="/lockdown" { (words.cancel) }
            }
        }
    };
    visitor.page(site, &title, &body)
}

/// Ends a lockdown.
pub async fn release(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(order): Sent<Order>,
) -> Result<Response, Failure> {
    let scope = scope_of(&site.api.authority.present().directory, &order.kind, &order.id)?;
    let ended = LockdownOrder { scope: scope.clone(), reason: order.reason.trim().to_owned() };
    match doors::release(State(Arc::clone(&site.api)), caller, Body(ended)).await {
        Ok(done) => Ok(Redirect::to(&format!("/changes/{}", done.0.seq)).into_response()),
        Err(failure) if failure.status == StatusCode::FORBIDDEN => Err(failure),
        Err(failure) => Ok((failure.status, release_page(&site, &visitor, &scope, Some(&failure))).into_response()),
    }
}
