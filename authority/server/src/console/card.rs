//! A card: its state, where it opens, and the two orders of the security office about it, each asked for on a page of its own.

use super::account::refusal;
use super::find::photo_of;
use super::visit::{Sent, Visitor, percent};
use super::words::{Words, fill};
use super::{Site, card_office};
use crate::http::caller::Caller;
use crate::http::cards;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::questions::{self, Question};
use crate::http::shapes::{CardView, Reason};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::explain::Opening;
use doorward_policy::model::CardId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most doors that are named; beyond, each building says how many.
const DOORS_MAX: usize = 300;

#[derive(Debug, Deserialize)]
pub struct ReasonForm {
    #[serde(default)]
    reason: String,
}

/// A state as a mark beside a card: by its words, and by its shape.
pub fn state_mark(words: &Words, state: &str) -> Markup {
    html! { span.state.(state) { (words.card_state(state)) } }
}

/// What can be ordered about a card in this state by this visitor.
pub fn action(site: &Site, visitor: &Visitor, id: &str, state: &str) -> Markup {
    let words = visitor.words();
    let Ok(card) = CardId::new(id) else { return html! {} };
    let may = |act| visitor.may(site, act, Object::Card(&card));
    html! {
        @if state == "active" && may(Act::SuspendCard) {
            a.button.shut href={ "/cards/" (percent(id)) "/suspend" } aria-label={ (words.suspend) " " (id) } { (words.suspend) }
        }
        @if state == "suspended" && may(Act::ResumeCard) {
            a.button href={ "/cards/" (percent(id)) "/resume" } aria-label={ (words.resume) " " (id) } { (words.resume) }
        }
    }
}

/// One card.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    let Json(card) = cards::show(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone())).await?;
    let question = Question { door: None, card: Some(id), at: None };
    let Json(answer) = questions::where_card(State(Arc::clone(&site.api)), caller, Params(question)).await?;
    let words = visitor.words();
    let body = html! {
        div.holder {
            (photo_of(&site, words, &card.person.id, &card.person.name))
            div {
                h1 { (words.card) " " (card.id) " " (state_mark(words, &card.state)) }
                (facts(&site, words, &card))
            }
        }
        p { (action(&site, &visitor, &card.id, &card.state)) }
        (card_office::on_card(&site, &visitor, &card))
        section aria-labelledby="opens" {
            h2 #opens { (words.opens_now) }
            (openings(&site, words, &answer.answer))
        }
        p { a href={ "/why?card=" (percent(&card.id)) } { (words.why) } }
    };
    Ok(visitor.page(&site, &format!("{} {}", words.card, card.id), &body))
}

fn facts(site: &Site, words: &Words, card: &CardView) -> Markup {
    html! {
        dl.facts {
            dt { (words.holder) }
            dd { a href={ "/people/" (percent(&card.person.id)) } { (card.person.name) } " " span.fine { (card.person.id) " · " (card.person.category) } }
            dt { (words.card_type) }
            dd { (site.type_name(&card.card_type)) }
            @if let Some(number) = &card.number { dt { (words.number) } dd { (number) } }
            dt { (words.issued_on) }
            dd { (card.issued_on) }
            dt { (words.valid_until) }
            dd { @match &card.valid_until { Some(day) => { (day) } None => { (words.no_end) } } }
        }
    }
}

/// The doors that open, by building.
fn openings(site: &Site, words: &Words, openings: &[Opening]) -> Markup {
    let present = site.api.authority.present();
    let tables = present.directory.tables();
    let mut by_building: BTreeMap<&str, Vec<(&str, &Opening)>> = BTreeMap::new();
    for opening in openings {
        let Some(door) = tables.doors.get(&opening.door) else { continue };
        let building = tables.buildings.get(&door.building).map_or(door.building.as_str(), |known| &known.name);
        by_building.entry(building).or_default().push((&door.name, opening));
    }
    if by_building.is_empty() {
        return html! { p { (words.opens_nothing) } };
    }
    let (doors, buildings) = (openings.len().to_string(), by_building.len().to_string());
    html! {
        p { (fill(words.opens_doors, &[("doors", &doors), ("buildings", &buildings)])) }
        ul.buildings {
            @for (building, doors) in &by_building {
                li {
                    strong { (building) } " "
                    @if openings.len() > DOORS_MAX {
                        span.fine { (fill(words.mark_doors, &[("count", &doors.len().to_string())])) }
                    } @else {
                        ul.plain.inline { @for (name, opening) in doors { li { (name) (with_factors(words, opening)) } } }
                    }
                }
            }
        }
    }
}

fn with_factors(words: &Words, opening: &Opening) -> Markup {
    html! {
        @if !opening.factors.is_empty() {
            " " span.fine { (fill(words.with_factors, &[("factors", &opening.factors.join(" / "))])) }
        }
    }
}

/// Asks whether and why a card is to be suspended.
pub async fn ask_to_suspend(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    id: Named<String>,
) -> Result<Response, Failure> {
    let Json(card) = cards::show(State(Arc::clone(&site.api)), caller, id).await?;
    Ok(ask(&site, &visitor, &card, true, None))
}

/// Suspends a card.
pub async fn suspend(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(ReasonForm { reason }): Sent<ReasonForm>,
) -> Result<Response, Failure> {
    let reason = Body(Reason { reason: reason.trim().to_owned() });
    let done = cards::suspend(State(Arc::clone(&site.api)), Named(id.clone()), caller.clone(), reason).await;
    after(&site, &visitor, caller, &id, done.map(|done| done.0.seq), true).await
}

/// Asks whether and why a suspended card is to work again.
pub async fn ask_to_resume(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    id: Named<String>,
) -> Result<Response, Failure> {
    let Json(card) = cards::show(State(Arc::clone(&site.api)), caller, id).await?;
    Ok(ask(&site, &visitor, &card, false, None))
}

/// Lets a suspended card work again.
pub async fn resume(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(ReasonForm { reason }): Sent<ReasonForm>,
) -> Result<Response, Failure> {
    let reason = Body(Reason { reason: reason.trim().to_owned() });
    let done = cards::resume(State(Arc::clone(&site.api)), Named(id.clone()), caller.clone(), reason).await;
    after(&site, &visitor, caller, &id, done.map(|done| done.0.seq), false).await
}

/// On to how far the change has come; or, where a reason was refused, the same question once more.
async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    done: Result<u64, Failure>,
    suspends: bool,
) -> Result<Response, Failure> {
    let failure = match done {
        Ok(seq) => return Ok(Redirect::to(&format!("/changes/{seq}")).into_response()),
        Err(failure) => failure,
    };
    // Whoever may not see the card is told no more than why.
    let Ok(Json(card)) = cards::show(State(Arc::clone(&site.api)), caller, Named(id.to_owned())).await else {
        return Err(failure);
    };
    Ok((failure.status, ask(site, visitor, &card, suspends, Some(&failure))).into_response())
}

fn ask(site: &Site, visitor: &Visitor, card: &CardView, suspends: bool, failure: Option<&Failure>) -> Response {
    let words = visitor.words();
    let (question, about, order, path) = if suspends {
        (words.suspend_card, Some(words.suspend_about), words.suspend, "suspend")
    } else {
        (words.resume_card, None, words.resume, "resume")
    };
    let title = fill(question, &[("card", &card.id)]);
    let back = format!("/cards/{}", percent(&card.id));
    let body = html! {
        h1 { (title) }
        div.holder {
            (photo_of(site, words, &card.person.id, &card.person.name))
            p { strong { (card.person.name) } br; span.fine { (card.person.id) " · " (site.type_name(&card.card_type)) } " " (state_mark(words, &card.state)) }
        }
        @if let Some(about) = about { p { (about) } }
        (refusal(visitor, failure))
        form.fields method="post" action={ (back) "/" (path) } {
            (visitor.key_field())
            label for="reason" { (words.reason) }
            input #reason name="reason" list="reasons" aria-describedby="about-reason" maxlength="200" autocomplete="off" required autofocus;
            p.about #about-reason { (words.reason_about) }
            @if suspends {
                datalist #reasons {
                    option value=(words.reason_lost) {}
                    option value=(words.reason_stolen) {}
                    option value=(words.reason_misused) {}
                }
            }
            div.row {
                button.main.shut[suspends] { (order) }
                a.button href=(back) { (words.cancel) }
            }
        }
    };
    visitor.page(site, &title, &body)
}
