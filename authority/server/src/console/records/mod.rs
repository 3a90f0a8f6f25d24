//! The pages of the auditor and the operator: journal, access log, plots, agents, the directory at two instants, who looked at whom,
//! who may what, what is kept how long, and who is told.

mod agents;
mod compare;
mod export;
mod journal;
mod latency;
mod log;
mod looks;
mod operators;
mod plot;
mod plots;
mod upkeep;

use super::Site;
use super::menu::{self, Entry};
use super::visit::{Visitor, percent};
use super::words::RecordsWords;
use crate::http::failure::Failure;
use crate::http::shapes::When;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use doorward_policy::office::acts::Act;
use maud::{Markup, html};

/// The menu of these pages.
pub const PAGES: &[Entry] = &[
    Entry { path: "/journal", act: Act::ReadJournal, name: |language| RecordsWords::of(language).journal },
    Entry { path: "/log", act: Act::ReadLog, name: |language| RecordsWords::of(language).log },
    Entry { path: "/plots", act: Act::ReadLog, name: |language| RecordsWords::of(language).plots },
    Entry { path: "/latency", act: Act::FollowChanges, name: |language| RecordsWords::of(language).latency },
    Entry { path: "/agents", act: Act::SeeAgents, name: |language| RecordsWords::of(language).agents },
    Entry { path: "/compare", act: Act::ReadJournal, name: |language| RecordsWords::of(language).compare },
    Entry { path: "/looks", act: Act::ReadJournal, name: |language| RecordsWords::of(language).looks },
    Entry { path: "/operators", act: Act::ReadJournal, name: |language| RecordsWords::of(language).operators },
    Entry { path: "/retention", act: Act::ReadJournal, name: |language| RecordsWords::of(language).retention },
    Entry { path: "/receivers", act: Act::SeeAgents, name: |language| RecordsWords::of(language).receivers },
];

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/journal", get(journal::show))
        .route("/journal/export", get(export::journal))
        .route("/log", get(log::show))
        .route("/log/export", get(export::log))
        .route("/plots", get(plots::show))
        .route("/latency", get(latency::show))
        .route("/agents", get(agents::show))
        .route("/agents/invite", get(agents::ask_to_invite).post(agents::invite))
        .route("/agents/{id}/remove", get(agents::ask_to_remove).post(agents::remove))
        .route("/compare", get(compare::show))
        .route("/looks", get(looks::show))
        .route("/operators", get(operators::show))
        .route("/retention", get(upkeep::retention))
        .route("/receivers", get(upkeep::receivers))
}

/// A page of these, below their menu.
fn framed(site: &Site, visitor: &Visitor, title: &str, body: &Markup) -> Response {
    let name = RecordsWords::of(visitor.language).nav;
    let body = html! { (menu::section(site, visitor, name, PAGES)) (body) };
    visitor.page(site, title, &body)
}

/// What a form sends of a field that was left empty is nothing.
fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A number in a query; an empty field is none.
fn number(what: &str, text: &str) -> Result<Option<u64>, Failure> {
    let number = given(text).map(|text| text.parse());
    number.transpose().map_err(|_| Failure::bad(format!("{what} is a number")))
}

/// A query of those fields that say something.
fn query(fields: &[(&str, &str)]) -> String {
    let said = fields.iter().filter(|(_, value)| !value.trim().is_empty());
    said.map(|(name, value)| format!("{name}={}", percent(value.trim()))).collect::<Vec<_>>().join("&")
}

/// A time as forms take it, to the minute.
fn minute(when: &When) -> &str {
    when.text.get(..16).unwrap_or_default()
}

/// Where older ones are, and the newest.
fn pages(words: &RecordsWords, path: &str, fields: &[(&str, &str)], next: Option<u64>, is_first: bool) -> Markup {
    let here = query(fields);
    html! {
        p.row {
            @if !is_first { a.button href={ (path) "?" (here) } { (words.newest) } }
            @if let Some(next) = next { a.button rel="next" href={ (path) "?" (here) "&before=" (next) } { (words.older) } }
        }
    }
}

/// Where what fits is to be had as a file.
fn exports(words: &RecordsWords, path: &str, fields: &[(&str, &str)]) -> Markup {
    let here = query(fields);
    let count = export::LIMIT.to_string();
    html! {
        p.export {
            a href={ (path) "/export?as=csv&" (here) } download="" { (words.as_table) } " · "
            a href={ (path) "/export?as=lines&" (here) } download="" { (words.as_lines) } " "
            span.fine { (super::words::fill(words.export_about, &[("count", &count)])) }
        }
    }
}
