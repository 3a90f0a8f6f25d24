//! The pages of the card office: photos, rosters, campaigns, batches, applications, and the desk.

mod applications;
mod batches;
mod campaigns;
mod desk;
mod issue;
mod photo;
mod photos;
mod reissues;
mod roster;
mod steps;

pub use steps::{on_card, on_person};

use super::Site;
use super::menu::{self, Entry};
use super::visit::Visitor;
use super::words::{CardOfficeWords, fill};
use crate::http::failure::Failure;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use doorward_policy::office::acts::Act;
use maud::{Markup, html};

/// The menu of these pages; the first of them stands for all in the menu at the top.
pub const PAGES: &[Entry] = &[
    Entry { path: "/desk", act: Act::ApplyForCards, name: |language| CardOfficeWords::of(language).desk },
    Entry { path: "/photos", act: Act::DecidePhotos, name: |language| CardOfficeWords::of(language).photos },
    Entry { path: "/campaigns", act: Act::PrepareRosters, name: |language| CardOfficeWords::of(language).campaigns },
    Entry { path: "/batches", act: Act::ProduceCards, name: |language| CardOfficeWords::of(language).batches },
    Entry {
        path: "/applications",
        act: Act::ApplyForCards,
        name: |language| CardOfficeWords::of(language).applications,
    },
    Entry { path: "/reissues", act: Act::IssueCards, name: |language| CardOfficeWords::of(language).reissues },
];

/// Most rows of a list that stand on one page.
const ROWS: usize = 150;

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/desk", get(desk::show))
        .route("/cards/{id}/activate", post(steps::activate))
        .route("/cards/{id}/extend", get(steps::ask).post(steps::extend))
        .route("/cards/{id}/close", get(steps::ask).post(steps::close))
        .route("/cards/{id}/found", get(steps::ask).post(steps::found))
        .route("/cards/{id}/issued", get(issue::issued))
        .route("/people/{id}/issue", get(issue::ask).post(issue::issue))
        .route("/photos", get(photos::queue))
        .route("/photos/list", get(photo::list))
        .route("/photos/of/{id}", get(photo::show).post(photo::submit))
        .route("/photos/of/{id}/approve", post(photos::approve))
        .route("/photos/of/{id}/reject", post(photos::reject))
        .route("/photos/of/{id}/reopen", post(photo::reopen))
        .route("/campaigns", get(campaigns::show))
        .route("/campaigns/{id}/roster", get(roster::show))
        .route("/campaigns/{id}/enter", post(roster::enter))
        .route("/campaigns/{id}/strike", post(roster::strike))
        .route("/campaigns/{id}/confirm", post(roster::confirm))
        .route("/campaigns/{id}/accept", post(roster::accept))
        .route("/campaigns/{id}/return", get(roster::ask_to_return).post(roster::give_back))
        .route("/batches", get(batches::list).post(batches::order))
        .route("/batches/{id}", get(batches::show))
        .route("/batches/{id}/archive", get(batches::archive))
        .route("/batches/{id}/deliver", post(batches::deliver))
        .route("/applications", get(applications::list))
        .route("/applications/new", get(applications::ask).post(applications::apply))
        .route("/applications/{id}", get(applications::show))
        .route("/applications/{id}/decide", post(applications::decide))
        .route("/reissues", get(reissues::show))
}

/// What is said to a visitor on these pages.
const fn said(visitor: &Visitor) -> &'static CardOfficeWords {
    CardOfficeWords::of(visitor.language)
}

/// A page below the menu of the office.
fn page(site: &Site, visitor: &Visitor, title: &str, body: &Markup) -> Response {
    let menu = menu::section(site, visitor, said(visitor).nav, PAGES);
    visitor.page(site, title, &html! { (menu) (body) })
}

/// The page once more, with the status of what was refused; whoever may not do it at all is told no more than that.
fn again(failure: Failure, page: impl FnOnce(&Failure) -> Response) -> Result<Response, Failure> {
    if failure.status == StatusCode::FORBIDDEN {
        return Err(failure);
    }
    let page = page(&failure);
    Ok((failure.status, page).into_response())
}

/// The first of two texts that says something.
fn text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Which rows of a list stand on a page, and the ways to those before and behind. `address` ends where the number of the page goes.
fn part<'a, T>(visitor: &Visitor, rows: &'a [T], page: usize, address: &str) -> (&'a [T], Markup) {
    let pages = rows.len().div_ceil(ROWS).max(1);
    let page = page.clamp(1, pages);
    let shown: &[T] = rows.chunks(ROWS).nth(page.saturating_sub(1)).unwrap_or_default();
    let own = said(visitor);
    let of = fill(own.page_of, &[("page", &page.to_string()), ("pages", &pages.to_string())]);
    let ways = html! {
        @if pages > 1 {
            nav.pages aria-label=(own.pages) {
                @if page > 1 { a.button rel="prev" href={ (address) (page.saturating_sub(1)) } { (own.before) } }
                span.fine { (of) }
                @if page < pages { a.button rel="next" href={ (address) (page.saturating_add(1)) } { (own.behind) } }
            }
        }
    };
    (shown, ways)
}
