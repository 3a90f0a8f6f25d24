//! What a card holder orders: a card that was lost opens nothing any more, one that was found works again; and how far that has come.
//!
//! Each is asked for on a page of its own, which says what happens at once; nothing has to be typed.

use super::{HOME, page_of};
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::live::{self, Shown};
use crate::console::page::{time, unknown};
use crate::console::visit::{Sent, Visitor, percent};
use crate::console::words::{OwnWords, fill};
use crate::http::caller::Caller;
use crate::http::changes::Wait;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::shapes::Reason;
use crate::http::shapes::desk::CardSummary;
use crate::http::shapes::me::OwnProgress;
use crate::http::{me, reports};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::authorize::Asker;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// How long a live page follows an order before it asks again, in milliseconds.
const FOLLOW_MS: u64 = 600_000;

#[derive(Debug, Deserialize)]
pub struct ReasonForm {
    #[serde(default)]
    reason: String,
}

/// Asks whether a card is lost.
pub async fn ask_to_lose(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    ask(&site, &visitor, caller, &id, true, None).await
}

/// Reports a card lost.
pub async fn lose(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(ReasonForm { reason }): Sent<ReasonForm>,
) -> Result<Response, Failure> {
    let reason = Body(Reason { reason: reason.trim().to_owned() });
    let done = me::lost(State(Arc::clone(&site.api)), Named(id.clone()), caller.clone(), reason).await;
    after(&site, &visitor, caller, &id, done.map(|done| done.0.seq), true).await
}

/// Asks whether a card was found.
pub async fn ask_to_find(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    ask(&site, &visitor, caller, &id, false, None).await
}

/// Lets a card work again that was found.
pub async fn find(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(ReasonForm { reason }): Sent<ReasonForm>,
) -> Result<Response, Failure> {
    let reason = Body(Reason { reason: reason.trim().to_owned() });
    let done = me::found(State(Arc::clone(&site.api)), Named(id.clone()), caller.clone(), reason).await;
    after(&site, &visitor, caller, &id, done.map(|done| done.0.seq), false).await
}

/// On to how far it has come; or, where it was refused, the same question once more.
async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    done: Result<u64, Failure>,
    loses: bool,
) -> Result<Response, Failure> {
    match done {
        Ok(seq) => Ok(Redirect::to(&format!("/me/changes/{seq}")).into_response()),
        Err(failure) => match ask(site, visitor, caller, id, loses, Some(&failure)).await {
            Ok(page) => Ok((failure.status, page).into_response()),
            // Of a card that is not the own one nothing is said but that.
            Err(_) => Err(failure),
        },
    }
}

async fn ask(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    loses: bool,
    failure: Option<&Failure>,
) -> Result<Response, Failure> {
    let page = page_of(site, caller).await?;
    let card = page.person.cards.iter().find(|card| card.id == id);
    let card =
        card.ok_or_else(|| unknown("card of yours", id, page.person.cards.iter().map(|card| card.id.as_str())))?;
    Ok(question(site, visitor, card, loses, failure))
}

fn question(site: &Site, visitor: &Visitor, card: &CardSummary, loses: bool, failure: Option<&Failure>) -> Response {
    let (words, own) = (visitor.words(), visitor.own_words());
    let (title, about, order, reason, path) = if loses {
        (own.lose_card, own.lose_about, own.lose_now, words.reason_lost, "lost")
    } else {
        (own.find_card, own.find_about, own.find_now, own.reason_found, "found")
    };
    let title = fill(title, &[("card", &card.id)]);
    let body = html! {
        div.own {
            h1 { (title) }
            p.about {
                (site.type_name(&card.card_type))
                @if let Some(number) = &card.number { " · " (number) }
            }
            p { (about) }
            (refusal(visitor, failure))
            form.fields method="post" action={ "/me/cards/" (percent(&card.id)) "/" (path) } {
                (visitor.key_field())
                label for="reason" { (own.what_happened) }
                input #reason name="reason" value=(reason) aria-describedby=[loses.then_some("about-reason")] maxlength="200" autocomplete="off" required;
                @if loses { p.about #about-reason { (own.what_about) } }
                div.row {
                    button.main.shut[loses] { (order) }
                    a.button href=(HOME) { (words.cancel) }
                }
            }
        }
    };
    visitor.page(site, &title, &body)
}

/// How far an order has come.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(seq): Named<u64>,
) -> Result<Response, Failure> {
    let shown = Progress::of(&visitor, &caller);
    let now = Params(Wait { wait_ms: Some(0) });
    let answer = reports::progress(State(Arc::clone(&site.api)), caller, Named(seq), now).await?;
    let lines: Vec<OwnProgress> = live::lines_of(answer).await?;
    let progress = lines.last().ok_or_else(|| Failure::bad("nothing is known of this order"))?;
    let (words, own) = (visitor.words(), visitor.own_words());
    let follow = (!progress.complete).then(|| format!("/me/changes/{seq}/live"));
    let body = html! {
        div.own {
            div #progress data-live=[follow.as_deref()] data-on=(words.live_on) data-lost=(words.live_lost) { (shown.summary(progress)) }
            @if follow.is_some() {
                p.state-line role="status" data-state-of="progress" {}
                noscript { p { (words.live_none) } }
            }
            p { a.button href=(HOME) { (own.to_own) } }
        }
    };
    Ok(visitor.page(&site, &shown.title(progress), &body))
}

/// Follows an order.
pub async fn live(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(seq): Named<u64>,
) -> Result<Response, Failure> {
    let shown = Progress::of(&visitor, &caller);
    let wait = Params(Wait { wait_ms: Some(FOLLOW_MS) });
    let answer = reports::progress(State(Arc::clone(&site.api)), caller, Named(seq), wait).await?;
    Ok(live::follow(&site, &visitor, answer, shown))
}

/// What is shown of an order.
struct Progress {
    own: &'static OwnWords,
    asker: Asker,
    is_over: bool,
}

impl Progress {
    fn of(visitor: &Visitor, caller: &Caller) -> Self {
        Self { own: visitor.own_words(), asker: caller.asker.clone(), is_over: false }
    }

    fn title(&self, progress: &OwnProgress) -> String {
        let title = match progress.command.as_str() {
            "card-suspend" => self.own.is_lost,
            "card-resume" => self.own.is_found,
            _ => self.own.is_ordered,
        };
        fill(title, &[("card", progress.card.as_deref().unwrap_or_default())])
    }

    fn summary(&self, progress: &OwnProgress) -> Markup {
        let own = self.own;
        let (done, total) = (progress.doors_done.to_string(), progress.doors_total.to_string());
        let said = match (progress.complete, progress.doors_total) {
            (true, 0) => own.no_doors,
            (true, _) => own.in_force_all,
            (false, _) => own.in_force_some,
        };
        let rest = if progress.command == "card-suspend" { own.rest_lost } else { own.rest_found };
        html! {
            div #summary.summary.done[progress.complete] {
                h1 { (self.title(progress)) }
                p role="status" { strong { (fill(said, &[("done", &done), ("total", &total)])) } }
                @if !progress.complete { p { (rest) } }
                p.about { (own.reported_at) " " (time(&progress.at)) }
                @if !progress.buildings.is_empty() {
                    p.about { (own.in_force_in) ":" }
                    ul.own-buildings { @for building in &progress.buildings { li { (building) } } }
                }
            }
        }
    }
}

impl Shown for Progress {
    type Line = OwnProgress;

    async fn show(&mut self, line: OwnProgress) -> Option<Markup> {
        self.is_over = line.complete;
        Some(self.summary(&line))
    }

    fn may(&self, caller: &Caller) -> bool {
        caller.asker == self.asker
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}
