//! Grants: which are in force and until when, the end of one, and their periodic review: each that is due is kept or ended.

use super::terms::Of;
use super::{given, page, said, terms};
use crate::clock;
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::page::{time, unknown};
use crate::console::visit::{Sent, Visitor, percent};
use crate::console::words::fill;
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::grants::{self, Narrow};
use crate::http::shapes::requests::GrantView;
use crate::http::shapes::{GrantEnding, Reason};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::of_target;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Most grants on a page.
const SHOWN_MAX: usize = 80;
/// Most that are due at once: what was kept or ended makes room for the next ones.
const DUE_MAX: usize = 50;
/// For how many days nobody may have looked at a grant before it is due, unless something else is chosen.
const DUE_DAYS: u32 = 365;
/// What can be chosen instead; 0 is any time.
const DUE_CHOICES: [u32; 5] = [0, 30, 90, 180, DUE_DAYS];

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    find: String,
    /// Those, too, whose days are over.
    #[serde(default)]
    over: bool,
}

#[derive(Debug, Default, Deserialize)]
pub struct Review {
    days: Option<u32>,
    /// The one that was just kept.
    #[serde(default)]
    kept: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct Kept {
    #[serde(default)]
    reason: String,
    days: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Ending {
    #[serde(default)]
    on: String,
}

/// What was typed to keep a grant, and why it was refused.
struct Refused<'a> {
    id: &'a str,
    reason: &'a str,
    failure: &'a Failure,
}

/// Today on this campus, as the days of grants are written.
fn today(site: &Site) -> String {
    site.api.when(clock::wall()).text.chars().take("YYYY-MM-DD".len()).collect()
}

/// Whether its days are over.
fn is_over(grant: &GrantView, today: &str) -> bool {
    grant.terms.until.as_deref().is_some_and(|until| until < today)
}

/// Grants to doors in the visitor's remit.
pub async fn list(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { find, over }): Params<Which>,
) -> Result<Response, Failure> {
    let Json(found) = grants::list(State(Arc::clone(&site.api)), caller, Params(Narrow::default())).await?;
    let (today, wanted) = (today(&site), find.trim().to_lowercase());
    let fits = |grant: &GrantView| {
        let says = |text: &str| text.to_lowercase().contains(&wanted);
        wanted.is_empty() || says(&grant.id) || says(&terms::title(&site, &visitor, &grant.terms))
    };
    let wanted = found.grants.into_iter().filter(|grant| (over || !is_over(grant, &today)) && fits(grant));
    let mut shown: Vec<GrantView> = wanted.collect();
    // Those without end come last.
    shown.sort_by(|one, other| {
        let key = |grant: &GrantView| (grant.terms.until.is_none(), grant.terms.until.clone());
        key(one).cmp(&key(other))
    });
    let words = said(&visitor);
    let body = html! {
        h1 { (words.nav_grants) }
        p.about { (words.grants_about) }
        form.filter method="get" action="/grants" role="search" {
            label for="find" { (words.grants_find) }
            input #find name="find" type="search" value=(find.trim()) autocomplete="off" spellcheck="false";
            span.choice {
                input #over name="over" type="checkbox" value="true" checked[over];
                label for="over" { (words.grants_over) }
            }
            button { (visitor.words().filter) }
        }
        @if shown.is_empty() { p role="status" { (words.grants_none) } }
        ul.requests { @for grant in shown.iter().take(SHOWN_MAX) { (row(&site, &visitor, grant, &today)) } }
        @if shown.len() > SHOWN_MAX { p { (fill(words.first_shown, &[("count", &shown.len().to_string())])) } }
        @if visitor.may_somewhere(&site, Act::Grant) {
            p { a.button href="/grants/new" { (words.grant_access) } }
        }
    };
    Ok(page(&site, &visitor, words.nav_grants, &body))
}

fn row(site: &Site, visitor: &Visitor, grant: &GrantView, today: &str) -> Markup {
    let words = said(visitor);
    let (class, state) = if is_over(grant, today) {
        ("other", words.grant_over)
    } else if grant.terms.from.as_deref().is_some_and(|from| from > today) {
        ("produced", words.grant_to_come)
    } else {
        ("active", words.grant_in_force)
    };
    html! {
        li {
            div.heading {
                span.name { (terms::title(site, visitor, &grant.terms)) }
                span.state.(class) { (state) }
                @if visitor.may(site, Act::Grant, of_target(&grant.terms.target)) { (end_link(visitor, grant)) }
            }
            (fine(visitor, grant))
        }
    }
}

fn end_link(visitor: &Visitor, grant: &GrantView) -> Markup {
    let words = said(visitor);
    html! {
        a.button.shut href={ "/grants/" (percent(&grant.id)) "/end" } aria-label={ (words.end) " " (grant.id) } { (words.end) }
    }
}

/// Hours, days, and since when nobody has looked at it.
fn fine(visitor: &Visitor, grant: &GrantView) -> Markup {
    let words = said(visitor);
    html! {
        p.fine {
            (terms::hours(visitor, &grant.terms)) " · " (terms::days(visitor, &grant.terms)) " · "
            @match &grant.reviewed_at {
                Some(at) => { (words.reviewed) " " (time(at)) }
                None => { (words.reviewed_never) }
            }
            " · " (grant.id)
            @if grant.of_folder { ", " (words.of_folder) }
        }
    }
}

/// Grants at which nobody has looked for long, each to be kept or ended.
pub async fn review(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Review { days, kept }): Params<Review>,
) -> Result<Response, Failure> {
    review_page(&site, &visitor, caller, days, given(&kept).as_deref(), None).await
}

async fn review_page(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    days: Option<u32>,
    kept: Option<&str>,
    refused: Option<&Refused<'_>>,
) -> Result<Response, Failure> {
    let days = days.unwrap_or(DUE_DAYS);
    let narrow = Params(Narrow { older_than_days: Some(days) });
    let Json(found) = grants::list(State(Arc::clone(&site.api)), caller, narrow).await?;
    let today = today(site);
    let mut due: Vec<GrantView> = found.grants.into_iter().filter(|grant| !is_over(grant, &today)).collect();
    due.sort_by_key(|grant| grant.reviewed_at.as_ref().map(|at| at.ms));
    let words = said(visitor);
    let body = html! {
        h1 { (words.nav_review) }
        p.about { (words.review_about) }
        form.filter method="get" action="/grants/review" {
            label for="days" { (words.review_older) }
            select #days name="days" {
                @for choice in DUE_CHOICES {
                    option value=(choice) selected[choice == days] {
                        @if choice == 0 { (words.review_any) }
                        @else { (fill(words.review_days, &[("days", &choice.to_string())])) }
                    }
                }
            }
            button { (visitor.words().filter) }
        }
        @if let Some(id) = kept { p.good role="status" { (fill(words.kept, &[("id", id)])) } }
        @if due.is_empty() { p role="status" { (words.review_none) } }
        @else { p { (fill(words.review_due, &[("count", &due.len().to_string())])) } }
        ul.requests {
            @for grant in due.iter().take(DUE_MAX) {
                (due_row(site, visitor, grant, days, refused.filter(|refused| refused.id == grant.id)))
            }
        }
        @if due.len() > DUE_MAX { p { (fill(words.first_shown, &[("count", &due.len().to_string())])) } }
    };
    Ok(page(site, visitor, words.nav_review, &body))
}

fn due_row(site: &Site, visitor: &Visitor, grant: &GrantView, days: u32, refused: Option<&Refused<'_>>) -> Markup {
    let words = said(visitor);
    let field = format!("reason-{}", grant.id);
    html! {
        li id={ "due-" (grant.id) } {
            span.name { (terms::title(site, visitor, &grant.terms)) }
            (fine(visitor, grant))
            (refusal(visitor, refused.map(|refused| refused.failure)))
            @if visitor.may(site, Act::Grant, of_target(&grant.terms.target)) {
                form.keep method="post" action={ "/grants/" (percent(&grant.id)) "/keep" } {
                    (visitor.key_field())
                    input type="hidden" name="days" value=(days);
                    label.fine for=(field) { (words.keep_reason) }
                    input id=(field) name="reason" value=[refused.map(|refused| refused.reason)] maxlength="200" autocomplete="off" required;
                    button aria-label=(fill(words.keep_grant, &[("id", &grant.id)])) { (words.keep) }
                    (end_link(visitor, grant))
                }
            }
        }
    }
}

/// Confirms that a grant is still needed.
pub async fn keep(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Kept { reason, days }): Sent<Kept>,
) -> Result<Response, Failure> {
    let order = Body(Reason { reason: reason.trim().to_owned() });
    let done = grants::confirm(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await;
    match done {
        Ok(_) => {
            let days = days.unwrap_or(DUE_DAYS);
            Ok(Redirect::to(&format!("/grants/review?days={days}&kept={}", percent(&id))).into_response())
        }
        Err(failure) if matches!(failure.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => Err(failure),
        Err(failure) => {
            let refused = Refused { id: &id, reason: &reason, failure: &failure };
            let page = review_page(&site, &visitor, caller, days, None, Some(&refused)).await?;
            Ok((failure.status, page).into_response())
        }
    }
}

/// Asks whether a grant is to end, and when.
pub async fn ask_to_end(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    end_page(&site, &visitor, caller, &id, "", None).await
}

async fn end_page(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    on: &str,
    failure: Option<&Failure>,
) -> Result<Response, Failure> {
    let api = State(Arc::clone(&site.api));
    let Json(found) = grants::list(api, caller.clone(), Params(Narrow::default())).await?;
    let grant = found.grants.iter().find(|grant| grant.id == id);
    let grant = grant.ok_or_else(|| unknown("grant", id, found.grants.iter().map(|grant| grant.id.as_str())))?;
    caller.may(&site.api, Act::Grant, of_target(&grant.terms.target))?;
    // What it names may have left the campus: then nobody opens anything by it.
    let effect = grants::effect_of(State(Arc::clone(&site.api)), caller, Named(id.to_owned())).await;
    let words = said(visitor);
    let title = fill(words.end_grant, &[("id", id)]);
    let body = html! {
        h1 { (title) }
        dl.facts { (terms::facts(site, visitor, &grant.terms)) }
        @if let Ok(Json(effect)) = &effect {
            section aria-labelledby="effect" {
                h2 #effect { (words.ending) }
                (terms::effect(site, visitor, Of::Ending, effect))
            }
        }
        p { (words.end_about) }
        @if grant.of_folder { p.bad { (words.end_folder) } }
        (refusal(visitor, failure))
        form.fields method="post" action={ "/grants/" (percent(id)) "/end" } {
            (visitor.key_field())
            label for="on" { (words.end_on) }
            input #on name="on" type="date" value=(on) aria-describedby="about-on";
            p.about #about-on { (words.end_on_about) }
            div.row {
                button.main.shut { (words.end) }
                a.button href="/grants" { (visitor.words().cancel) }
            }
        }
    };
    Ok(page(site, visitor, &title, &body))
}

/// Ends a grant, now or with a day.
pub async fn end(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Ending { on }): Sent<Ending>,
) -> Result<Response, Failure> {
    let order = Body(GrantEnding { on: given(&on) });
    match grants::end(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await {
        Ok(Json(change)) => Ok(Redirect::to(&format!("/changes/{}", change.seq)).into_response()),
        Err(failure) if matches!(failure.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => Err(failure),
        Err(failure) => {
            let page = end_page(&site, &visitor, caller, &id, &on, Some(&failure)).await?;
            Ok((failure.status, page).into_response())
        }
    }
}
