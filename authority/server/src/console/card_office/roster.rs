//! One unit's roster in a campaign: who is on it and how far each has come, who could be, and the next step of whoever looks.

use super::super::Site;
use super::super::account::refusal;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::fill;
use super::campaigns::{roster_mark, stages};
use super::photo::photo_mark;
use super::{again, page, part, said};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::production;
use crate::http::shapes::Change;
use crate::http::shapes::production::{CampaignView, RosterPeople, RosterPerson, RosterStep, RosterView};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::command::Command;
use doorward_policy::directory::Directory;
use doorward_policy::model::{PersonId, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::production::{CampaignId, ProductionOrder};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Most people of a unit that are offered for its roster at once.
const OFFERED_MAX: usize = 100;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    unit: String,
    #[serde(default)]
    page: usize,
}

#[derive(Debug, Default, Deserialize)]
pub struct Returning {
    #[serde(default)]
    unit: String,
    #[serde(default)]
    reason: String,
}

/// What was sent: a roster's unit, people that were chosen, and numbers that were typed.
#[derive(Debug, Default)]
struct Sending {
    unit: String,
    chosen: Vec<String>,
    typed: String,
}

impl Sending {
    fn of(fields: Vec<(String, String)>) -> Self {
        let mut sending = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "unit" => sending.unit = value,
                "people" => sending.chosen.push(value),
                "more" => sending.typed = value,
                _ => {}
            }
        }
        sending
    }

    fn people(&self) -> Vec<String> {
        let typed = self.typed.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
        self.chosen.iter().map(String::as_str).chain(typed).filter(|id| !id.is_empty()).map(str::to_owned).collect()
    }
}

/// The roster of a unit; one that nobody is on yet can be begun here.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    shown(&site, &visitor, caller, &id, &which, None, &Sending::default()).await
}

async fn shown(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    campaign: &str,
    which: &Which,
    failure: Option<&Failure>,
    sent: &Sending,
) -> Result<Response, Failure> {
    let own = said(visitor);
    let unit = UnitId::new(&which.unit).map_err(Failure::of_id("unit", &which.unit))?;
    caller.may(&site.api, Act::PrepareRosters, Object::Unit(&unit))?;
    let found = production::campaigns(State(Arc::clone(&site.api)), caller).await?.0;
    let missing = || Failure::new(StatusCode::NOT_FOUND, format!("there is no campaign {campaign}"));
    let known = found.campaigns.into_iter().find(|known| known.id == campaign).ok_or_else(missing)?;
    let roster = known.rosters.iter().find(|roster| roster.unit == which.unit);
    let people: &[RosterPerson] = roster.map_or(&[], |roster| &roster.people);
    let state = roster.map_or("open", |roster| &roster.state);
    let address = format!("/campaigns/{}", percent(campaign));
    let unit_query = percent(&which.unit);
    let (rows, ways) = part(visitor, people, which.page, &format!("{address}/roster?unit={unit_query}&page="));
    let offered = if state == "open" { offered(site, campaign, &unit) } else { Vec::new() };
    let title = fill(own.roster_of, &[("unit", &site.unit_name(&which.unit))]);
    let hidden = html! { (visitor.key_field()) input type="hidden" name="unit" value=(which.unit); };
    let body = html! {
        h1 { (title) " " (roster_mark(visitor, state)) }
        p.about { a href="/campaigns" { (known.name) } }
        (stages(visitor, &known.stages))
        (refusal(visitor, failure))
        @if let Some(reason) = roster.and_then(|roster| roster.returned.as_ref()) {
            p.bad { (fill(own.was_returned, &[("reason", reason)])) }
        }
        (next_step(site, visitor, &known, roster, &unit, &hidden))
        section aria-labelledby="people" {
            h2 #people { (fill(own.on_roster, &[("count", &people.len().to_string())])) }
            @if people.is_empty() { p { (own.nobody_on_roster) } }
            @else { (listed(visitor, &address, rows, state, &hidden, sent)) (ways) }
        }
        @if state == "open" { (enter_form(visitor, &address, &offered, &hidden, sent)) }
    };
    Ok(page(site, visitor, &title, &body))
}

/// What whoever looks can do next with the whole roster.
fn next_step(
    site: &Site,
    visitor: &Visitor,
    campaign: &CampaignView,
    roster: Option<&RosterView>,
    unit: &UnitId,
    hidden: &Markup,
) -> Markup {
    let own = said(visitor);
    let address = format!("/campaigns/{}", percent(&campaign.id));
    let Some(roster) = roster.filter(|roster| !roster.people.is_empty()) else { return html! {} };
    let produces = visitor.may(site, Act::ProduceCards, Object::Unit(unit));
    let without = roster.people.iter().filter(|person| person.photo != "approved").count();
    let by = roster.accepted_by.as_ref().or(roster.confirmed_by.as_ref());
    let is_ordered = roster.people.iter().any(|person| person.batch.is_some());
    html! {
        @if let Some(by) = by { p.about { (fill(own.step_by, &[("by", by)])) } }
        @if roster.state == "open" && without > 0 { p.wait { (fill(own.without_photo, &[("count", &without.to_string())])) } }
        div.row {
            @if roster.state == "open" && without == 0 {
                form method="post" action={ (address) "/confirm" } {
                    (hidden)
                    button.main { (own.confirm_roster) }
                }
            }
            @if roster.state == "confirmed" && produces {
                form method="post" action={ (address) "/accept" } {
                    (hidden)
                    button.main { (own.accept_roster) }
                }
            }
            @if roster.state != "open" && produces && !is_ordered {
                a.button href={ (address) "/return?unit=" (percent(&roster.unit)) } { (own.return_roster) }
            }
            @if roster.state == "accepted" && produces && !is_ordered { a.button href="/batches" { (own.to_batches) } }
        }
    }
}

/// Those on the roster; while it is open, each can be taken off.
fn listed(
    visitor: &Visitor,
    address: &str,
    rows: &[RosterPerson],
    state: &str,
    hidden: &Markup,
    sent: &Sending,
) -> Markup {
    let own = said(visitor);
    let is_open = state == "open";
    let row = |person: &RosterPerson| {
        html! {
            li {
                @if is_open {
                    input type="checkbox" name="people" value=(person.person) aria-label={ (own.strike) " " (person.name) } checked[sent.chosen.contains(&person.person)];
                }
                a.name href={ "/people/" (percent(&person.person)) } { (person.name) }
                span.fine { (person.person) }
                a.plain href={ "/photos/of/" (percent(&person.person)) } { (photo_mark(visitor, &person.photo)) }
                @if let Some(batch) = &person.batch { span.fine { (own.batch) " " (batch) } }
                @if let Some(card) = &person.card { a href={ "/cards/" (percent(card)) } { (card) } }
            }
        }
    };
    let list = html! { ul.cards.wide.rows { @for person in rows { (row(person)) } } };
    html! {
        @if is_open {
            form method="post" action={ (address) "/strike" } {
                (hidden)
                (list)
                p.row { button { (own.strike_chosen) } }
            }
        } @else { (list) }
    }
}

fn enter_form(
    visitor: &Visitor,
    address: &str,
    offered: &[(String, String)],
    hidden: &Markup,
    sent: &Sending,
) -> Markup {
    let own = said(visitor);
    html! {
        section aria-labelledby="enter" {
            h2 #enter { (own.enter) }
            form method="post" action={ (address) "/enter" } {
                (hidden)
                @if !offered.is_empty() {
                    fieldset.offered {
                        legend { (own.without_card) }
                        @for (id, name) in offered {
                            label.check {
                                input type="checkbox" name="people" value=(id) checked[sent.chosen.contains(id)];
                                " " (name) " " span.fine { (id) }
                            }
                        }
                    }
                }
                div.fields {
                    label for="more" { (own.by_number) }
                    textarea #more name="more" rows="3" spellcheck="false" aria-describedby="about-more" { (sent.typed) }
                    p.about #about-more { (own.by_number_about) }
                    button.main { (own.enter_chosen) }
                }
            }
        }
    }
}

/// People of a unit and below it who could be put on its roster, by name.
fn offered(site: &Site, campaign: &str, unit: &UnitId) -> Vec<(String, String)> {
    let Ok(campaign) = CampaignId::new(campaign) else { return Vec::new() };
    let (present, today) = (site.api.authority.present(), site.api.today());
    let directory: &Directory = &present.directory;
    let tables = directory.tables();
    let now = site.api.authority.timeline.now().max(directory.at());
    let below = tables.units.keys().filter(|of| tables.unit_and_above(of).any(|above| above == unit));
    let mut members: Vec<&PersonId> = below.flat_map(|of| directory.members_of(of)).collect();
    members.sort();
    members.dedup();
    let is_here = |id: &PersonId| {
        let person = tables.people.get(id).filter(|person| person.left_on.is_none());
        let lasts = |until| today.is_none_or(|today| until >= today);
        person.is_some_and(|person| person.affiliations.iter().any(|of| of.days.until.is_none_or(lasts)))
    };
    let fits = |id: &PersonId| {
        let people = [id.clone()].into();
        let order = ProductionOrder::Enter { campaign: campaign.clone(), unit: unit.clone(), people };
        let rosters = directory.production().rosters.get(&campaign);
        let is_on = rosters.and_then(|rosters| rosters.get(unit)).is_some_and(|roster| roster.people.contains(id));
        !is_on && directory.check(&Command::Production(order), now).is_ok()
    };
    let named = members.into_iter().filter(|id| is_here(id) && fits(id)).take(OFFERED_MAX);
    let named = named.filter_map(|id| Some((id.to_string(), tables.people.get(id)?.name.clone())));
    named.collect()
}

/// Puts people on a roster.
pub async fn enter(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(fields): Sent<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let sent = Sending::of(fields);
    let order = Body(RosterPeople { unit: sent.unit.clone(), people: sent.people() });
    let done = production::enter(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await;
    after(&site, &visitor, caller, &id, done, &sent).await
}

/// Takes people off a roster.
pub async fn strike(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(fields): Sent<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let sent = Sending::of(fields);
    let order = Body(RosterPeople { unit: sent.unit.clone(), people: sent.people() });
    let done = production::strike(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await;
    after(&site, &visitor, caller, &id, done, &sent).await
}

/// Says that a roster is complete.
pub async fn confirm(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Which { unit, .. }): Sent<Which>,
) -> Result<Response, Failure> {
    let step = Body(RosterStep { unit: unit.clone(), reason: None });
    let done = production::confirm(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), step).await;
    after(&site, &visitor, caller, &id, done, &Sending { unit, ..Sending::default() }).await
}

/// Takes a confirmed roster.
pub async fn accept(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Which { unit, .. }): Sent<Which>,
) -> Result<Response, Failure> {
    let step = Body(RosterStep { unit: unit.clone(), reason: None });
    let done = production::accept(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), step).await;
    after(&site, &visitor, caller, &id, done, &Sending { unit, ..Sending::default() }).await
}

/// Asks why a roster is given back.
pub async fn ask_to_return(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Params(Which { unit, .. }): Params<Which>,
) -> Result<Response, Failure> {
    let known = UnitId::new(&unit).map_err(Failure::of_id("unit", &unit))?;
    caller.may(&site.api, Act::ProduceCards, Object::Unit(&known))?;
    Ok(return_page(&site, &visitor, &id, &Returning { unit, reason: String::new() }, None))
}

fn return_page(site: &Site, visitor: &Visitor, id: &str, typed: &Returning, failure: Option<&Failure>) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let title = fill(own.return_question, &[("unit", &site.unit_name(&typed.unit))]);
    let address = format!("/campaigns/{}", percent(id));
    let body = html! {
        h1 { (title) }
        p { (own.return_about) }
        (refusal(visitor, failure))
        form.fields method="post" action={ (address) "/return" } {
            (visitor.key_field())
            input type="hidden" name="unit" value=(typed.unit);
            label for="reason" { (words.reason) }
            input #reason name="reason" value=(typed.reason) maxlength="200" autocomplete="off" required autofocus;
            div.row {
                button.main { (own.return_roster) }
                a.button href={ (address) "/roster?unit=" (percent(&typed.unit)) } { (words.cancel) }
            }
        }
    };
    page(site, visitor, &title, &body)
}

/// Gives a roster back to its unit.
pub async fn give_back(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Returning>,
) -> Result<Response, Failure> {
    let step = RosterStep { unit: typed.unit.clone(), reason: Some(typed.reason.trim().to_owned()) };
    match production::give_back(State(Arc::clone(&site.api)), caller, Named(id.clone()), Body(step)).await {
        Ok(_) => Ok(to_roster(&id, &typed.unit)),
        Err(failure) => again(failure, |failure| return_page(&site, &visitor, &id, &typed, Some(failure))),
    }
}

fn to_roster(id: &str, unit: &str) -> Response {
    Redirect::to(&format!("/campaigns/{}/roster?unit={}", percent(id), percent(unit))).into_response()
}

async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    done: Result<Json<Change>, Failure>,
    sent: &Sending,
) -> Result<Response, Failure> {
    let failure = match done {
        Ok(_) => return Ok(to_roster(id, &sent.unit)),
        Err(failure) => failure,
    };
    let which = Which { unit: sent.unit.clone(), page: 1 };
    let Ok(page) = shown(site, visitor, caller, id, &which, Some(&failure), sent).await else { return Err(failure) };
    again(failure, |_| page)
}
