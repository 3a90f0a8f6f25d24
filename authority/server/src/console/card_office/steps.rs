//! What the desk does with a card that is there: activate, extend, close, take in when it was found. And the ways to it from the
//! pages of a card and of a person.
//!
//! Deliberately without suspending and resuming, which the security office's pages ask for.

use super::super::Site;
use super::super::account::refusal;
use super::super::card::state_mark;
use super::super::find::photo_of;
use super::super::page::time;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::{CardOfficeWords, fill};
use super::{again, page, said, text};
use crate::http::caller::Caller;
use crate::http::cards;
use crate::http::extract::{Body, Named};
use crate::http::failure::Failure;
use crate::http::shapes::applications::{CloseOrder, FoundReport};
use crate::http::shapes::desk::{Extension, PersonDetail};
use crate::http::shapes::{CardView, Change};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::model::{CardId, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// What is asked for before a card is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Extend,
    Close,
    Found,
}

/// What was typed into the form of any of these steps.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    until: String,
    #[serde(default)]
    document: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    place: String,
}

impl Step {
    const ALL: [Self; 3] = [Self::Extend, Self::Found, Self::Close];

    const fn path(self) -> &'static str {
        match self {
            Self::Extend => "extend",
            Self::Close => "close",
            Self::Found => "found",
        }
    }

    const fn act(self) -> Act {
        match self {
            Self::Extend => Act::IssueCards,
            Self::Close => Act::CloseCard,
            Self::Found => Act::SuspendCard,
        }
    }

    /// Its name, the question, and what comes of it.
    const fn words(self, own: &CardOfficeWords) -> [&'static str; 3] {
        match self {
            Self::Extend => [own.extend, own.extend_card, own.extend_about],
            Self::Close => [own.close, own.close_card, own.close_about],
            Self::Found => [own.found_card, own.found_question, own.found_about],
        }
    }
}

/// How a card was issued, and what the desk can do with it: a part of the card's page.
pub fn on_card(site: &Site, visitor: &Visitor, card: &CardView) -> Markup {
    let Ok(id) = CardId::new(&card.id) else { return html! {} };
    let own = said(visitor);
    let may = |act| visitor.may(site, act, Object::Card(&id));
    let address = format!("/cards/{}", percent(&card.id));
    let is_open = card.state != "closed";
    let (found, ends): (Option<String>, Vec<String>) = {
        let present = site.api.authority.present();
        let directory = &present.directory;
        let ends = directory.superseded_by(&id).map(ToString::to_string);
        (directory.desk().found.get(&id).map(|found| found.place.clone()), ends.collect())
    };
    let steps: Vec<Step> = Step::ALL
        .into_iter()
        .filter(|step| is_open && may(step.act()) && (*step != Step::Found || found.is_none()))
        .collect();
    let activates = card.state == "produced" && may(Act::ActivateCard);
    let issues = is_open && may(Act::IssueCards);
    html! {
        @if let Some(place) = &found {
            p.wait {
                (fill(own.waits_found, &[("place", place)])) " "
                @if card.state == "suspended" && may(Act::ResumeCard) { a href={ (address) "/resume" } { (own.give_back) } }
            }
        }
        @if let Some(issued) = &card.issued {
            dl.facts {
                dt { (own.cause) }
                dd { (own.cause_of(&issued.cause)) @if let Some(old) = &issued.replaces { ", " (fill(own.in_place_of, &[("card", old)])) } }
                dt { (own.fee) }
                dd { (issued.fee.as_deref().unwrap_or(own.no_fee)) }
                @if let Some(document) = &issued.document { dt { (own.document) } dd { (document) } }
                dt { (own.issued_by) }
                dd { (issued.by) " " span.fine { (time(&issued.at)) } }
            }
        }
        @if activates || issues || !steps.is_empty() {
            section.steps aria-labelledby="at-desk" {
                h2 #at-desk { (own.at_desk) }
                @if activates {
                    form.row method="post" action={ (address) "/activate" } {
                        (visitor.key_field())
                        button.main autofocus { (own.activate) }
                        span.about {
                            (own.activate_about)
                            @if !ends.is_empty() { " " (fill(own.ends_with_it, &[("cards", &ends.join(", "))])) }
                        }
                    }
                }
                p.row {
                    @if issues {
                        a.button href={ "/people/" (percent(&card.person.id)) "/issue?replaces=" (percent(&card.id)) } { (own.replace) }
                    }
                    @for step in &steps {
                        @let [name, _, _] = step.words(own);
                        a.button.shut[*step == Step::Close] href={ (address) "/" (step.path()) } { (name) }
                    }
                }
            }
        }
    }
}

/// What the desk can do for a person: a part of that one's page.
pub fn on_person(site: &Site, visitor: &Visitor, person: &PersonDetail) -> Markup {
    let Ok(id) = PersonId::new(&person.id) else { return html! {} };
    let own = said(visitor);
    let may = |act| visitor.may(site, act, Object::Person(&id));
    let is_gone = person.left_on.is_some();
    html! {
        p.row {
            @if may(Act::IssueCards) && !is_gone { a.button href={ "/people/" (percent(&person.id)) "/issue" } { (own.new_card) } }
            @if may(Act::ApplyForCards) && !is_gone { a.button href={ "/applications/new?person=" (percent(&person.id)) } { (own.new_application) } }
            @if may(Act::SubmitPhotos) { a.button href={ "/photos/of/" (percent(&person.id)) } { (own.photo) } }
        }
    }
}

/// Brings a card into use: it lies on the desk, and its holder is there.
pub async fn activate(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    let done = cards::activate(State(Arc::clone(&site.api)), Named(id.clone()), caller.clone()).await;
    match done {
        Ok(done) => Ok(to_change(&done.0)),
        Err(failure) => {
            let Ok(Json(card)) = cards::show(State(Arc::clone(&site.api)), caller, Named(id)).await else {
                return Err(failure);
            };
            again(failure, |failure| {
                let (words, own) = (visitor.words(), said(&visitor));
                let body = html! {
                    h1 { (words.card) " " (card.id) " " (state_mark(words, &card.state)) }
                    (refusal(&visitor, Some(failure)))
                    p { a.button href={ "/cards/" (percent(&card.id)) } { (words.back) } }
                };
                page(&site, &visitor, own.activate, &body)
            })
        }
    }
}

fn to_change(change: &Change) -> Response {
    Redirect::to(&format!("/changes/{}", change.seq)).into_response()
}

/// Asks for what a step needs.
pub async fn ask(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    let asked = visitor.path.split('?').next().unwrap_or_default();
    let step = Step::ALL.into_iter().find(|step| asked.ends_with(&format!("/{}", step.path()))).unwrap_or(Step::Found);
    let card = cards::card(&id)?;
    caller.may(&site.api, step.act(), Object::Card(&card))?;
    let Json(card) = cards::show(State(Arc::clone(&site.api)), caller, Named(id)).await?;
    Ok(form(&site, &visitor, &card, step, &Typed::default(), None))
}

/// Makes a card valid for longer.
pub async fn extend(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let order = Extension { until: typed.until.trim().to_owned(), document: typed.document.trim().to_owned() };
    let done = cards::extend(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), Body(order)).await;
    after(&site, &visitor, caller, &id, done, Step::Extend, &typed).await
}

/// Ends a card for good.
pub async fn close(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let order = CloseOrder { reason: typed.reason.trim().to_owned(), document: text(&typed.document) };
    let done = cards::close(State(Arc::clone(&site.api)), Named(id.clone()), caller.clone(), Body(order)).await;
    after(&site, &visitor, caller, &id, done, Step::Close, &typed).await
}

/// Takes a found card in.
pub async fn found(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let order = FoundReport { place: typed.place.trim().to_owned() };
    let api = State(Arc::clone(&site.api));
    let done = crate::http::applications::found(api, caller.clone(), Named(id.clone()), Body(order)).await;
    after(&site, &visitor, caller, &id, done, Step::Found, &typed).await
}

async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    done: Result<Json<Change>, Failure>,
    step: Step,
    typed: &Typed,
) -> Result<Response, Failure> {
    let failure = match done {
        Ok(done) => return Ok(to_change(&done.0)),
        Err(failure) => failure,
    };
    let Ok(Json(card)) = cards::show(State(Arc::clone(&site.api)), caller, Named(id.to_owned())).await else {
        return Err(failure);
    };
    again(failure, |failure| form(site, visitor, &card, step, typed, Some(failure)))
}

fn form(
    site: &Site,
    visitor: &Visitor,
    card: &CardView,
    step: Step,
    typed: &Typed,
    failure: Option<&Failure>,
) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let [name, question, about] = step.words(own);
    let title = fill(question, &[("card", &card.id)]);
    let back = format!("/cards/{}", percent(&card.id));
    let body = html! {
        h1 { (title) }
        div.holder {
            (photo_of(site, words, &card.person.id, &card.person.name))
            p {
                strong { (card.person.name) } br;
                span.fine { (card.person.id) " · " (site.type_name(&card.card_type)) " · " @match &card.valid_until { Some(day) => { (fill(words.until, &[("day", day)])) } None => { (words.no_end) } } }
                " " (state_mark(words, &card.state))
            }
        }
        p { (about) }
        (refusal(visitor, failure))
        form.fields method="post" action={ (back) "/" (step.path()) } {
            (visitor.key_field())
            (fields(visitor, step, typed))
            div.row {
                button.main.shut[step == Step::Close] { (name) }
                a.button href=(back) { (words.cancel) }
            }
        }
    };
    page(site, visitor, &title, &body)
}

fn fields(visitor: &Visitor, step: Step, typed: &Typed) -> Markup {
    let (words, own) = (visitor.words(), said(visitor));
    let is_optional = step == Step::Close;
    html! {
        @match step {
            Step::Extend => {
                label for="until" { (own.new_last_day) }
                input #until name="until" type="date" value=(typed.until) required autofocus;
            }
            Step::Close => {
                label for="reason" { (words.reason) }
                input #reason name="reason" value=(typed.reason) maxlength="200" autocomplete="off" required autofocus;
            }
            Step::Found => {
                label for="place" { (own.place) }
                input #place name="place" value=(typed.place) maxlength="200" autocomplete="off" required autofocus aria-describedby="about-place";
                p.about #about-place { (own.place_about) }
            }
        }
        @if step != Step::Found {
            label for="document" { (own.document) }
            input #document name="document" value=(typed.document) maxlength="200" autocomplete="off" required[!is_optional] aria-describedby="about-document";
            p.about #about-document { (if is_optional { own.own_document } else { own.proof }) }
        }
    }
}
