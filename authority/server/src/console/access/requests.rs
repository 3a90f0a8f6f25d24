//! Requests: what waits for whom, what one would change, and the decision about it.

use super::terms::Of;
use super::{given, page, said, terms};
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::page::time;
use crate::console::visit::{Sent, Visitor, percent};
use crate::console::words::{AccessWords, fill};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::requests::{self, Narrow};
use crate::http::shapes::requests::{RequestApproval, RequestView};
use crate::http::shapes::{Change, Reason};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::of_people;
use doorward_policy::office::requests::RequestId;
use maud::{Markup, html};
use serde::Deserialize;
use std::cmp::Reverse;
use std::sync::Arc;

/// Most requests of each kind in the list; those that were decided make room for the next ones.
const TO_DECIDE_MAX: usize = 40;
const OWN_MAX: usize = 20;
const OTHERS_MAX: usize = 20;
const DECIDED_MAX: usize = 20;
/// Most characters of a reason in the list; the request's own page has all of it.
const REASON_MAX: usize = 100;

#[derive(Debug, Default, Deserialize)]
pub struct Became {
    /// The change that an approval has just made.
    change: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Decision {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    until: String,
}

impl AccessWords {
    fn standing<'a>(&self, standing: &'a str) -> &'a str {
        match standing {
            "waiting" => self.standing_waiting,
            "expired" => self.standing_expired,
            "approved" => self.standing_approved,
            "rejected" => self.standing_rejected,
            "withdrawn" => self.standing_withdrawn,
            other => other,
        }
    }
}

/// Where a request stands, as a mark.
fn mark(words: &AccessWords, standing: &str) -> Markup {
    let class = match standing {
        "waiting" => "produced",
        "approved" => "active",
        "rejected" => "suspended",
        _ => "other",
    };
    html! { span.state.(class) { (words.standing(standing)) } }
}

/// What waits for the visitor's decision, what the visitor asked for, what waits for others, and what was decided.
pub async fn list(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let own = caller.actor.to_string();
    let Json(found) = requests::list(State(Arc::clone(&site.api)), caller, Params(Narrow::default())).await?;
    let (waiting, mut decided): (Vec<_>, Vec<_>) =
        found.requests.iter().partition(|request| request.standing == "waiting");
    let (to_decide, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|request| request.yours_to_decide);
    // A program that acts for somebody asks for that one.
    let is_own = |by: &str| by.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let (of_visitor, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|request| is_own(&request.by));
    decided.sort_by_key(|request| {
        Reverse(request.outcome.as_ref().map_or(request.expires_at.ms, |outcome| outcome.at.ms))
    });
    let words = said(&visitor);
    let may_decide = visitor.may_somewhere(&site, Act::Decide);
    let may_ask = visitor.may_somewhere(&site, Act::Ask);
    let pile = |id: &str, title: &str, none: Option<&str>, requests: &[&RequestView], most: usize| {
        let is_shown = none.is_some() || !requests.is_empty();
        html! {
            @if is_shown {
                section aria-labelledby=(id) {
                    h2 id=(id) { (title) @if !requests.is_empty() { " · " (requests.len()) } }
                    @if requests.is_empty() { p { (none.unwrap_or_default()) } }
                    ul.requests { @for request in requests.iter().take(most) { (row(&site, &visitor, request)) } }
                    @if requests.len() > most {
                        p { (fill(words.first_shown, &[("count", &requests.len().to_string())])) }
                    }
                }
            }
        }
    };
    let body = html! {
        h1 { (words.nav) }
        (pile("to-decide", words.to_decide, may_decide.then_some(words.to_decide_none), &to_decide, TO_DECIDE_MAX))
        (pile("own", words.own_open, may_ask.then_some(words.own_none), &of_visitor, OWN_MAX))
        @if may_ask { p { a.button href="/requests/new" { (words.ask_access) } } }
        (pile("others", words.others_open, None, &others, OTHERS_MAX))
        (pile("decided", words.decided, Some(words.decided_none), &decided, DECIDED_MAX))
    };
    Ok(page(&site, &visitor, words.nav, &body))
}

fn shortened(reason: &str) -> String {
    let rest = if reason.chars().nth(REASON_MAX).is_some() { "…" } else { "" };
    reason.chars().take(REASON_MAX).collect::<String>() + rest
}

fn row(site: &Site, visitor: &Visitor, request: &RequestView) -> Markup {
    let words = said(visitor);
    html! {
        li {
            div.heading {
                a.name href={ "/requests/" (percent(&request.id)) } { (terms::title(site, visitor, &request.grant)) }
                (mark(words, &request.standing))
            }
            p { (shortened(&request.reason)) }
            p.fine {
                (terms::hours(visitor, &request.grant)) " · " (terms::days(visitor, &request.grant)) " · "
                (fill(words.asked_by, &[("by", &request.by)])) ", " (time(&request.at))
            }
        }
    }
}

/// One request, and the forms of those who may say something to it.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Params(became): Params<Became>,
) -> Result<Response, Failure> {
    shown(&site, &visitor, caller, &id, &became, &Decision::default(), None).await
}

async fn shown(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    became: &Became,
    typed: &Decision,
    failure: Option<&Failure>,
) -> Result<Response, Failure> {
    let Json(request) = requests::show(State(Arc::clone(&site.api)), caller, Named(id.to_owned())).await?;
    let words = said(visitor);
    let title = terms::title(site, visitor, &request.grant);
    let is_waiting = request.standing == "waiting";
    let body = html! {
        h1 { (title) " " (mark(words, &request.standing)) }
        @if let Some(seq) = became.change.filter(|_| request.standing == "approved") {
            p.good role="status" { (words.in_force_soon) " " a href={ "/changes/" (seq) } { (words.to_change) } }
        }
        (refusal(visitor, failure))
        (facts(site, visitor, &request))
        @if is_waiting {
            section aria-labelledby="effect" {
                h2 #effect { (words.effect) }
                @match &request.effect {
                    Some(effect) => { (terms::effect(site, visitor, Of::Giving, effect)) }
                    None => { p.bad { (words.effect_gone) } }
                }
            }
            @if request.yours_to_decide { (decision(visitor, &request, typed)) }
            @else { p { (words.not_yours) } }
            @if may_withdraw(site, visitor, &request.id) { (withdrawal(visitor, &request, typed)) }
        }
    };
    let heading = fill(words.request, &[("id", &request.id)]);
    Ok(page(site, visitor, &heading, &body))
}

fn facts(site: &Site, visitor: &Visitor, request: &RequestView) -> Markup {
    let words = said(visitor);
    html! {
        dl.facts {
            (terms::facts(site, visitor, &request.grant))
            dt { (visitor.words().reason) }
            dd { (request.reason) }
            dt { (words.asked) }
            dd { (request.by) ", " (time(&request.at)) " " span.fine { (request.id) } }
            @match &request.outcome {
                Some(outcome) => {
                    dt { (words.outcome) }
                    dd {
                        (words.standing(&request.standing)) ", " (fill(words.by_whom, &[("by", &outcome.by)])) ", "
                        (time(&outcome.at)) ": " strong { (outcome.reason) }
                    }
                    @if let Some(grant) = &outcome.grant {
                        dt { (words.its_grant) }
                        dd { a href={ "/grants?over=true&find=" (percent(grant)) } { (grant) } }
                    }
                }
                None => { dt { (words.decide_until) } dd { (time(&request.expires_at)) } }
            }
        }
    }
}

fn decision(visitor: &Visitor, request: &RequestView, typed: &Decision) -> Markup {
    let words = said(visitor);
    let here = format!("/requests/{}", percent(&request.id));
    html! {
        section aria-labelledby="decide" {
            h2 #decide { (words.decide) }
            form.fields method="post" action={ (here) "/approve" } {
                (visitor.key_field())
                label for="reason" { (words.decide_reason) }
                input #reason name="reason" value=(typed.reason) maxlength="200" autocomplete="off" aria-describedby="about-reason";
                p.about #about-reason { (words.decide_reason_about) }
                label for="until" { (words.earlier_until) }
                input #until name="until" type="date" value=(typed.until) max=[request.grant.until.as_deref()];
                div.row {
                    button.main { (words.approve) }
                    button.shut formaction={ (here) "/reject" } { (words.reject) }
                }
            }
        }
    }
}

/// Whoever speaks for the people of a request may take it back.
fn may_withdraw(site: &Site, visitor: &Visitor, id: &str) -> bool {
    let grant = {
        let present = site.api.authority.present();
        let request = RequestId::new(id).ok().and_then(|id| present.directory.requests().get(&id));
        request.map(|request| request.wish.grant.clone())
    };
    grant.is_some_and(|grant| visitor.may(site, Act::Ask, of_people(&grant)))
}

fn withdrawal(visitor: &Visitor, request: &RequestView, typed: &Decision) -> Markup {
    let words = said(visitor);
    html! {
        section aria-labelledby="withdraw" {
            h2 #withdraw { (words.withdraw) }
            p.about #about-why { (words.withdraw_about) }
            form.filter method="post" action={ "/requests/" (percent(&request.id)) "/withdraw" } {
                (visitor.key_field())
                label for="why" { (visitor.words().reason) }
                input #why name="reason" value=(typed.reason) maxlength="200" autocomplete="off" required aria-describedby="about-why";
                button { (words.withdraw) }
            }
        }
    }
}

/// Approves: the request becomes a grant.
pub async fn approve(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Decision>,
) -> Result<Response, Failure> {
    let reason = given(&typed.reason).unwrap_or_else(|| said(&visitor).approved_reason.to_owned());
    let approval = RequestApproval { reason, until: given(&typed.until), grant: None };
    let approval = Body(approval);
    let done = requests::approve(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), approval).await;
    after(&site, &visitor, caller, &id, &typed, done).await
}

/// Rejects.
pub async fn reject(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Decision>,
) -> Result<Response, Failure> {
    let reason = Body(Reason { reason: typed.reason.trim().to_owned() });
    let done = requests::reject(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), reason).await;
    after(&site, &visitor, caller, &id, &typed, done).await
}

/// Takes a request back.
pub async fn withdraw(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(typed): Sent<Decision>,
) -> Result<Response, Failure> {
    let reason = Body(Reason { reason: typed.reason.trim().to_owned() });
    let done = requests::withdraw(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), reason).await;
    after(&site, &visitor, caller, &id, &typed, done).await
}

/// Back to the request, which says what became of it; or, where it was refused, why, with what was typed.
async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    typed: &Decision,
    done: Result<Json<Change>, Failure>,
) -> Result<Response, Failure> {
    let here = format!("/requests/{}", percent(id));
    match done {
        Ok(Json(change)) if change.agents.is_empty() => Ok(Redirect::to(&here).into_response()),
        Ok(Json(change)) => Ok(Redirect::to(&format!("{here}?change={}", change.seq)).into_response()),
        Err(failure) if failure.status == StatusCode::FORBIDDEN => Err(failure),
        Err(failure) => match shown(site, visitor, caller, id, &Became::default(), typed, Some(&failure)).await {
            Ok(page) => Ok((failure.status, page).into_response()),
            Err(_) => Err(failure),
        },
    }
}
