//! Applications for cards: those that wait, one with the decision about it, and a new one with the papers that were shown.

use super::super::Site;
use super::super::account::refusal;
use super::super::find::photo_of;
use super::super::page::time;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::{CardOfficeWords, fill};
use super::{again, page, part, said, text};
use crate::http::applications::{self, Narrow};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::grants::random_name;
use crate::http::people;
use crate::http::shapes::Reason;
use crate::http::shapes::applications::{ApplicationAsk, ApplicationView, Applications};
use crate::http::shapes::desk::PersonDetail;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::application::{ApplicationState, Channel};
use doorward_policy::model::PersonId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The states by which the list is narrowed, in their order.
const STATES: [ApplicationState; 4] =
    [ApplicationState::Waiting, ApplicationState::Approved, ApplicationState::Rejected, ApplicationState::Used];

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    state: Option<String>,
    #[serde(default)]
    page: usize,
}

#[derive(Debug, Default, Deserialize)]
pub struct Whose {
    #[serde(default)]
    person: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Decision {
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
}

impl CardOfficeWords {
    fn application_state<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "waiting" => self.application_waiting,
            "approved" => self.application_approved,
            "rejected" => self.application_rejected,
            "used" => self.application_used,
            other => other,
        }
    }

    fn channel<'a>(&self, name: &'a str) -> &'a str {
        Channel::of_name(name).map_or(name, |channel| match channel {
            Channel::Desk => self.channel_desk,
            Channel::Paper => self.channel_paper,
            Channel::Phone => self.channel_phone,
            Channel::Web => self.channel_web,
        })
    }
}

/// Those that wait, oldest first; or others.
pub async fn list(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { state, page: number }): Params<Which>,
) -> Result<Response, Failure> {
    let (words, own) = (visitor.words(), said(&visitor));
    let state = state.unwrap_or_else(|| ApplicationState::Waiting.name().to_owned());
    let narrow = Params(Narrow { state: text(&state) });
    let Json(Applications { applications }) = applications::list(State(Arc::clone(&site.api)), caller, narrow).await?;
    let (rows, ways) = part(&visitor, &applications, number, &format!("/applications?state={}&page=", percent(&state)));
    let body = html! {
        div.heading {
            h1 { (own.applications) }
            p.state-line { a href="/applications/new" { (own.new_application) } }
        }
        form.filter method="get" action="/applications" {
            label for="state" { (own.standing) }
            select #state name="state" {
                option value="" { (own.any) }
                @for known in STATES.map(ApplicationState::name) {
                    option value=(known) selected[known == state] { (own.application_state(known)) }
                }
            }
            button { (words.filter) }
        }
        @if applications.is_empty() { p.sentence { (own.no_applications) } }
        ul.cards.wide.rows {
            @for application in rows {
                li {
                    a.name href={ "/applications/" (percent(&application.id)) } { (application.name) }
                    span.fine { (application.person) }
                    (mark(&visitor, &application.state))
                    span { (site.type_name(&application.card_type)) }
                    span.fine { (own.channel(&application.channel)) " · " (time(&application.at)) " · " (application.by) }
                }
            }
        }
        (ways)
    };
    Ok(page(&site, &visitor, own.applications, &body))
}

fn mark(visitor: &Visitor, state: &str) -> Markup {
    html! { span.state.(state) { (said(visitor).application_state(state)) } }
}

/// One application, among those that the API shows.
async fn find(site: &Site, caller: Caller, id: &str) -> Result<ApplicationView, Failure> {
    let Json(all) = applications::list(State(Arc::clone(&site.api)), caller, Params(Narrow { state: None })).await?;
    let missing = || Failure::new(StatusCode::NOT_FOUND, format!("there is no application {id} here"));
    all.applications.into_iter().find(|application| application.id == id).ok_or_else(missing)
}

/// One application, with the decision about it.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    let application = find(&site, caller, &id).await?;
    Ok(one(&site, &visitor, &application, "", None))
}

fn one(
    site: &Site,
    visitor: &Visitor,
    application: &ApplicationView,
    typed: &str,
    failure: Option<&Failure>,
) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let person = PersonId::new(&application.person);
    let may = |act| person.as_ref().is_ok_and(|id| visitor.may(site, act, Object::Person(id)));
    let title = fill(own.application_of, &[("name", &application.name)]);
    let body = html! {
        h1 { (title) " " (mark(visitor, &application.state)) }
        (refusal(visitor, failure))
        div.holder {
            (photo_of(site, words, &application.person, &application.name))
            dl.facts {
                dt { (words.person) } dd { a href={ "/people/" (percent(&application.person)) } { (application.name) } " " span.fine { (application.person) } }
                dt { (words.card_type) } dd { (site.type_name(&application.card_type)) }
                dt { (own.channel_name) } dd { (own.channel(&application.channel)) ": " (application.reason) }
                dt { (own.papers) }
                dd { @if application.documents.is_empty() { (own.no_papers) } @else { (application.documents.join(", ")) } }
                dt { (own.last_word) } dd { (time(&application.at)) " " span.fine { (application.by) } }
                @if let Some(decision) = &application.decision { dt { (words.reason) } dd { (decision) } }
            }
        }
        @if application.state == "waiting" && may(Act::DecideApplications) {
            form.fields method="post" action={ "/applications/" (percent(&application.id)) "/decide" } {
                (visitor.key_field())
                label for="reason" { (words.reason) }
                input #reason name="reason" value=(typed) maxlength="200" autocomplete="off" required aria-describedby="about-reason";
                p.about #about-reason { (words.reason_about) }
                div.row {
                    button.main name="decision" value="approve" { (own.approve) }
                    button.main.shut name="decision" value="reject" { (own.reject) }
                }
            }
        }
        @if application.state == "approved" && may(Act::IssueCards) {
            p { a.button href={ "/people/" (percent(&application.person)) "/issue?cause=first&card_type=" (percent(&application.card_type)) } { (own.new_card) } }
        }
    };
    page(site, visitor, &title, &body)
}

/// Approves or rejects an application.
pub async fn decide(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Decision { decision, reason }): Sent<Decision>,
) -> Result<Response, Failure> {
    let (api, named) = (State(Arc::clone(&site.api)), Named(id.clone()));
    let order = Body(Reason { reason: reason.trim().to_owned() });
    let done = match decision.as_str() {
        "approve" => applications::approve(api, caller.clone(), named, order).await,
        "reject" => applications::reject(api, caller.clone(), named, order).await,
        _ => Err(Failure::bad("say whether it is approved or rejected")),
    };
    let failure = match done {
        Ok(_) => return Ok(Redirect::to(&format!("/applications/{}", percent(&id))).into_response()),
        Err(failure) => failure,
    };
    let Ok(application) = find(&site, caller, &id).await else { return Err(failure) };
    again(failure, |failure| one(&site, &visitor, &application, &reason, Some(failure)))
}

/// Asks for whom and for what; whom first.
pub async fn ask(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Whose { person }): Params<Whose>,
) -> Result<Response, Failure> {
    caller.may_somewhere(&site.api, Act::ApplyForCards)?;
    let Some(id) = text(&person) else { return Ok(whose(&site, &visitor)) };
    let Json(person) = people::show(State(Arc::clone(&site.api)), caller, Named(id)).await?;
    Ok(form(&site, &visitor, &person, &ApplicationAsk::default(), None))
}

fn whose(site: &Site, visitor: &Visitor) -> Response {
    let own = said(visitor);
    let body = html! {
        h1 { (own.new_application) }
        form.fields method="get" action="/applications/new" {
            label for="person" { (own.person_number) }
            input #person name="person" autocomplete="off" spellcheck="false" required autofocus;
            button.main { (own.go_on) }
        }
    };
    page(site, visitor, own.new_application, &body)
}

/// The types of card that somebody can apply for by id and name, and which of them each paper is asked for.
struct Choices {
    types: Vec<(String, String)>,
    papers: BTreeMap<String, BTreeSet<String>>,
}

fn choices(site: &Site, person: &PersonDetail) -> Choices {
    let present = site.api.authority.present();
    let mut found = Choices { types: Vec::new(), papers: BTreeMap::new() };
    let Some(policy) = present.directory.policy() else { return found };
    let name = |id: &doorward_policy::model::CardTypeId| {
        policy.card_types.get(id).map_or_else(|| id.to_string(), |known| known.name.clone())
    };
    if policy.entitlements.is_empty() {
        found.types = policy.card_types.keys().map(|id| (id.to_string(), name(id))).collect();
    }
    for row in policy.entitlements.iter().filter(|row| row.category.as_str() == person.category) {
        found.types.push((row.card_type.to_string(), name(&row.card_type)));
        for paper in &row.documents {
            found.papers.entry(paper.clone()).or_default().insert(name(&row.card_type));
        }
    }
    found
}

fn form(
    site: &Site,
    visitor: &Visitor,
    person: &PersonDetail,
    typed: &ApplicationAsk,
    failure: Option<&Failure>,
) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let Choices { types, papers } = choices(site, person);
    let others: Vec<&str> =
        typed.documents.iter().filter(|paper| !papers.contains_key(*paper)).map(String::as_str).collect();
    let title = fill(own.application_of, &[("name", &person.name)]);
    let body = html! {
        h1 { (title) }
        div.holder {
            (photo_of(site, words, &person.id, &person.name))
            p { strong { (person.name) } br; span.fine { (person.id) " · " (person.category) } }
        }
        (refusal(visitor, failure))
        @if types.is_empty() { p.bad { (own.gets_no_card) } }
        form.fields method="post" action="/applications/new" {
            (visitor.key_field())
            input type="hidden" name="person" value=(person.id);
            label for="type" { (words.card_type) }
            select #type name="card_type" {
                @for (id, name) in &types { option value=(id) selected[*id == typed.card_type] { (name) } }
            }
            label for="channel" { (own.channel_name) }
            select #channel name="channel" {
                @for channel in Channel::ALL.map(Channel::name) {
                    option value=(channel) selected[channel == typed.channel] { (own.channel(channel)) }
                }
            }
            @if !papers.is_empty() {
                fieldset {
                    legend { (own.papers_shown) }
                    @for (paper, of) in &papers {
                        label.check {
                            input type="checkbox" name="documents" value=(paper) checked[typed.documents.contains(paper)];
                            " " (paper) " " span.fine { (of.iter().map(String::as_str).collect::<Vec<_>>().join(", ")) }
                        }
                    }
                }
            }
            label for="other" { (own.other_papers) }
            input #other name="documents" value=(others.join(", ")) maxlength="200" autocomplete="off";
            label for="reason" { (own.why_so) }
            input #reason name="reason" value=(typed.reason) maxlength="200" autocomplete="off" required;
            div.row {
                button.main { (own.bring_application) }
                a.button href={ "/people/" (percent(&person.id)) } { (words.cancel) }
            }
        }
    };
    page(site, visitor, &title, &body)
}

/// Brings an application.
pub async fn apply(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(fields): Sent<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let mut ask = ApplicationAsk::default();
    for (name, value) in fields {
        match name.as_str() {
            "person" => ask.person = value,
            "card_type" => ask.card_type = value,
            "channel" => ask.channel = value,
            "reason" => ask.reason = value.trim().to_owned(),
            "documents" => ask.documents.extend(text(&value)),
            _ => {}
        }
    }
    let id = random_name("a")?;
    ask.id = Some(id.clone());
    let done = applications::apply(State(Arc::clone(&site.api)), caller.clone(), Body(ask.clone())).await;
    let failure = match done {
        Ok(_) => return Ok(Redirect::to(&format!("/applications/{}", percent(&id))).into_response()),
        Err(failure) => failure,
    };
    let person = people::show(State(Arc::clone(&site.api)), caller, Named(ask.person.clone())).await;
    let Ok(Json(person)) = person else { return Err(failure) };
    again(failure, |failure| form(&site, &visitor, &person, &ask, Some(failure)))
}
