//! Asking for access, and giving it at once where one may: the same form, with what it would change before it is sent.

use super::terms::Of;
use super::wish::{Unclear, Wish};
use super::{page, said, terms};
use crate::clock;
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::page::unknown;
use crate::console::visit::{Sent, Visitor, percent};
use crate::console::words::fill;
use crate::http::caller::Caller;
use crate::http::extract::{Body, Params};
use crate::http::failure::Failure;
use crate::http::shapes::requests::{EffectView, RequestAsk};
use crate::http::{grants, requests};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::directory::Directory;
use doorward_policy::model::BuildingId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use std::sync::Arc;

/// Most of anything among which to choose; a page stays small.
const CHOICES_MAX: usize = 400;
/// How many days a request waits unless something else is typed, as the form says it first.
const WAITS: &str = "30";

/// What becomes of what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Whoever decides about the doors decides about it.
    Ask,
    /// It is in force at once.
    Grant,
}

impl Purpose {
    const fn path(self) -> &'static str {
        match self {
            Self::Ask => "/requests/new",
            Self::Grant => "/grants/new",
        }
    }

    const fn act(self) -> Act {
        match self {
            Self::Ask => Act::Ask,
            Self::Grant => Act::Grant,
        }
    }

    const fn title(self, visitor: &Visitor) -> &'static str {
        match self {
            Self::Ask => said(visitor).ask_access,
            Self::Grant => said(visitor).grant_access,
        }
    }
}

/// An id and the name that people know.
type Choice = (String, String);

/// Among what to choose, once a building is.
struct Choices {
    building: String,
    /// Whether all of its doors can be chosen at once.
    whole: bool,
    doors: Vec<Choice>,
    units: Vec<Choice>,
    categories: Vec<String>,
    schedules: Vec<String>,
    /// The people of whom one is meant.
    people: Vec<Choice>,
}

/// What stands above or below the form.
#[derive(Default)]
struct Said {
    problem: Option<Markup>,
    effect: Option<EffectView>,
    people: Vec<Choice>,
}

/// The form that asks for access.
pub async fn show_request(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(wish): Params<Wish>,
) -> Result<Response, Failure> {
    form_page(&site, &visitor, &caller, Purpose::Ask, wish, Said::default())
}

/// The form that gives access.
pub async fn show_grant(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(wish): Params<Wish>,
) -> Result<Response, Failure> {
    form_page(&site, &visitor, &caller, Purpose::Grant, wish, Said::default())
}

/// Asks for access, or says what that would change.
pub async fn request(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(wish): Sent<Wish>,
) -> Result<Response, Failure> {
    sent(&site, &visitor, &caller, Purpose::Ask, wish).await
}

/// Gives access, or says what that would change.
pub async fn grant(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(wish): Sent<Wish>,
) -> Result<Response, Failure> {
    sent(&site, &visitor, &caller, Purpose::Grant, wish).await
}

/// On to where the result is seen; or the same form once more, with what there is to say to it.
async fn sent(
    site: &Site,
    visitor: &Visitor,
    caller: &Caller,
    purpose: Purpose,
    mut wish: Wish,
) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, purpose.act())?;
    let alert = |text: &str| Some(html! { p.bad role="alert" { (text) } });
    let (status, said) = match done(site, visitor, caller, purpose, &mut wish).await {
        Ok(Done::Sent(to)) => return Ok(Redirect::to(&to).into_response()),
        Ok(Done::Previewed(effect)) => (StatusCode::OK, Said { effect: Some(effect), ..Said::default() }),
        Err(Unclear::Said(text)) => (StatusCode::BAD_REQUEST, Said { problem: alert(&text), ..Said::default() }),
        Err(Unclear::Refused(failure)) => {
            (failure.status, Said { problem: Some(refusal(visitor, Some(&failure))), ..Said::default() })
        }
        Err(Unclear::Which(people, more)) => {
            let more = if more { visitor.words().found_more } else { "" };
            let text = fill(super::said(visitor).person_which, &[("text", wish.person.trim())]) + " " + more;
            (StatusCode::OK, Said { problem: alert(&text), people, effect: None })
        }
    };
    let page = form_page(site, visitor, caller, purpose, wish, said)?;
    Ok((status, page).into_response())
}

enum Done {
    /// It is done, and the result is seen there.
    Sent(String),
    /// It was only asked what it would change.
    Previewed(EffectView),
}

async fn done(
    site: &Site,
    visitor: &Visitor,
    caller: &Caller,
    purpose: Purpose,
    wish: &mut Wish,
) -> Result<Done, Unclear> {
    wish.place(site);
    let order = wish.order(site, visitor, caller).await?;
    let waits_days = wish.waits_days(visitor)?;
    let api = State(Arc::clone(&site.api));
    if wish.step == "preview" {
        let Json(effect) = grants::effect(api, caller.clone(), Body(order)).await?;
        return Ok(Done::Previewed(effect));
    }
    Ok(Done::Sent(match purpose {
        Purpose::Ask => {
            let ask = RequestAsk { id: None, grant: order, reason: wish.reason.trim().to_owned(), waits_days };
            let Json(change) = requests::ask(api, caller.clone(), Body(ask)).await?;
            format!("/requests/{}", percent(&change.request.unwrap_or_default()))
        }
        Purpose::Grant => {
            let Json(change) = grants::add(api, caller.clone(), Body(order)).await?;
            format!("/changes/{}", change.seq)
        }
    }))
}

/// First the building, then all the rest.
fn form_page(
    site: &Site,
    visitor: &Visitor,
    caller: &Caller,
    purpose: Purpose,
    mut wish: Wish,
    said: Said,
) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, purpose.act())?;
    wish.place(site);
    let title = purpose.title(visitor);
    if wish.building.trim().is_empty() {
        let buildings = buildings(&site.api.authority.present().directory, caller, purpose);
        return Ok(page(site, visitor, title, &which_building(visitor, purpose, &wish, &buildings, &said)));
    }
    let choices = choices(&site.api.authority.present().directory, caller, purpose, wish.building.trim())?;
    let choices = Choices { people: said.people, ..choices };
    let body = html! {
        h1 { (title) }
        @if let Some(problem) = &said.problem { (problem) }
        @if let Some(effect) = &said.effect {
            section aria-labelledby="effect" {
                h2 #effect { (super::said(visitor).effect) }
                (terms::effect(site, visitor, Of::Giving, effect))
            }
        }
        p.sentence { strong { (choices.building) } " · " a href=(purpose.path()) { (super::said(visitor).other_building) } }
        (form(visitor, purpose, &wish, &choices))
    };
    Ok(page(site, visitor, title, &body))
}

/// Buildings to which access can be asked for; of those who give it, where they may.
fn buildings(directory: &Directory, caller: &Caller, purpose: Purpose) -> Vec<Choice> {
    let (tables, now) = (directory.tables(), clock::wall());
    let may = |object: Object<'_>| directory.allow(&caller.asker, Act::Grant, object, now).is_ok();
    let is_offered = |id: &BuildingId| {
        let mut doors = tables.doors.iter().filter(|(_, door)| door.building == *id);
        purpose == Purpose::Ask || may(Object::Building(id)) || doors.any(|(door, _)| may(Object::Door(door)))
    };
    let offered = tables.buildings.iter().filter(|(id, _)| is_offered(id));
    offered.map(|(id, building)| (id.to_string(), building.name.clone())).take(CHOICES_MAX).collect()
}

fn choices(directory: &Directory, caller: &Caller, purpose: Purpose, building: &str) -> Result<Choices, Failure> {
    let (tables, now) = (directory.tables(), clock::wall());
    let may = |act, object: Object<'_>| directory.allow(&caller.asker, act, object, now).is_ok();
    let known = BuildingId::new(building).ok().and_then(|id| Some((id.clone(), tables.buildings.get(&id)?)));
    let known = known.ok_or_else(|| unknown("building", building, tables.buildings.keys().map(BuildingId::as_str)));
    let (id, building) = known?;
    let asks = purpose == Purpose::Ask;
    let doors = tables.doors.iter().filter(|(_, door)| door.building == id);
    let doors = doors.filter(|(door, _)| asks || may(Act::Grant, Object::Door(door)));
    let units = tables.units.iter().filter(|(unit, _)| !asks || may(Act::Ask, Object::Unit(unit)));
    let policy = directory.policy();
    Ok(Choices {
        building: building.name.clone(),
        whole: asks || may(Act::Grant, Object::Building(&id)),
        doors: doors.map(|(id, door)| (id.to_string(), door.name.clone())).take(CHOICES_MAX).collect(),
        units: units.map(|(id, unit)| (id.to_string(), unit.name.clone())).take(CHOICES_MAX).collect(),
        categories: policy.iter().flat_map(|policy| policy.categories.keys()).map(ToString::to_string).collect(),
        schedules: policy.iter().flat_map(|policy| policy.schedules.keys()).map(ToString::to_string).collect(),
        people: Vec::new(),
    })
}

fn which_building(visitor: &Visitor, purpose: Purpose, wish: &Wish, buildings: &[Choice], said: &Said) -> Markup {
    let words = super::said(visitor);
    html! {
        h1 { (purpose.title(visitor)) }
        @if let Some(problem) = &said.problem { (problem) }
        @if buildings.is_empty() { p { (words.no_building) } }
        @else {
            form.filter method="get" action=(purpose.path()) {
                input type="hidden" name="person" value=(wish.person);
                input type="hidden" name="unit" value=(wish.unit);
                label for="building" { (words.which_building) }
                select #building name="building" autofocus { (options(buildings, "")) }
                button.main { (words.go_on) }
            }
        }
    }
}

fn options(choices: &[Choice], chosen: &str) -> Markup {
    html! {
        @for (id, name) in choices {
            option value=(id) selected[id == chosen] { (name) @if id != name { " (" (id) ")" } }
        }
    }
}

fn form(visitor: &Visitor, purpose: Purpose, wish: &Wish, choices: &Choices) -> Markup {
    let words = super::said(visitor);
    // Whoever speaks for one unit means that one.
    let only = if let [only] = choices.units.as_slice() { only.0.as_str() } else { "" };
    let is_new = wish.step.is_empty();
    let unit = if is_new && wish.unit.is_empty() && wish.person.is_empty() { only } else { wish.unit.trim() };
    html! {
        form.fields method="post" action=(purpose.path()) {
            (visitor.key_field())
            input type="hidden" name="building" value=(wish.building.trim());
            label for="door" { (words.doors) }
            select #door name="door" {
                @if choices.whole { option value="" { (words.all_doors) } }
                (options(&choices.doors, wish.door.trim()))
            }
            (whom(visitor, wish, choices, unit))
            label for="schedule" { (words.hours) }
            select #schedule name="schedule" {
                option value="" { (words.any_hour) }
                @for name in &choices.schedules { option value=(name) selected[name == wish.schedule.trim()] { (name) } }
            }
            label for="from" { (words.first_day) }
            input #from name="from" type="date" value=(wish.from) aria-describedby="about-from";
            p.about #about-from { (words.first_day_about) }
            label for="until" { (words.last_day) }
            input #until name="until" type="date" value=(wish.until) aria-describedby="about-until";
            p.about #about-until { (words.last_day_about) }
            @if purpose == Purpose::Ask { (for_decision(visitor, wish)) }
            div.row {
                button.main name="step" value="send" { (purpose.title(visitor)) }
                button name="step" value="preview" formnovalidate { (words.preview) }
            }
        }
    }
}

fn whom(visitor: &Visitor, wish: &Wish, choices: &Choices, unit: &str) -> Markup {
    let words = super::said(visitor);
    html! {
        @if !choices.units.is_empty() {
            label for="unit" { (words.for_unit) }
            select #unit name="unit" {
                option value="" { (words.no_unit) }
                (options(&choices.units, unit))
            }
        }
        label for="category" { (words.for_category) }
        select #category name="category" {
            option value="" { (words.any_category) }
            @for name in &choices.categories { option value=(name) selected[name == wish.category.trim()] { (name) } }
        }
        label for="person" { (words.for_person) }
        input #person name="person" value=(wish.person) autocomplete="off" spellcheck="false" aria-describedby="about-person";
        @if !choices.people.is_empty() {
            label for="which" { (words.which_person) }
            select #which name="which" aria-describedby="about-person" autofocus {
                option value="" { (words.nobody_of_these) }
                (options(&choices.people, ""))
            }
        }
        p.about #about-person { (words.for_person_about) }
    }
}

fn for_decision(visitor: &Visitor, wish: &Wish) -> Markup {
    let words = super::said(visitor);
    let waits = if wish.step.is_empty() { WAITS } else { wish.waits.as_str() };
    html! {
        label for="reason" { (visitor.words().reason) }
        input #reason name="reason" value=(wish.reason) maxlength="200" autocomplete="off" required aria-describedby="about-reason";
        p.about #about-reason { (words.ask_reason_about) }
        label for="waits" { (words.waits) }
        input #waits name="waits" type="number" min="1" max="366" value=(waits);
    }
}
