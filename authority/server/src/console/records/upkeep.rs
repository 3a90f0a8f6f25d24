//! What keeps the records in order: what is kept how long, and whether other systems are told of events.

use super::framed;
use crate::console::Site;
use crate::console::page::time;
use crate::console::visit::Visitor;
use crate::console::words::{RecordsWords, fill};
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::retention::{self as api_retention, Narrow};
use crate::http::shapes::When;
use crate::http::shapes::retention::{Kept, RetentionView};
use crate::http::status;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_policy::office::acts::Act;
use maud::{Markup, html};
use std::sync::Arc;

/// Most beginnings that are shown.
const BEGINNINGS_MAX: usize = 50;

/// What is kept how long, and what the next run would remove.
pub async fn retention(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let narrow = Params(Narrow { count: true });
    let Json(view) = api_retention::show(State(Arc::clone(&site.api)), caller, narrow).await?;
    let words = RecordsWords::of(visitor.language);
    let run = |name: &str, at: Option<&When>| {
        html! { dt { (name) } dd { @match at { Some(at) => (time(at)), None => (words.not_yet) } } }
    };
    let body = html! {
        h1 { (words.retention_title) }
        dl.facts { (run(words.last_run, view.last_at.as_ref())) (run(words.next_run, view.next_at.as_ref())) }
        table.records {
            thead {
                tr {
                    th scope="col" { (words.what) }
                    th scope="col" { (words.kept_for) }
                    th scope="col" { (words.removed_last) }
                    th scope="col" { (words.due) }
                }
            }
            tbody { @for kind in &view.kinds { (kept(words, kind)) } }
        }
        (beginnings(words, &view))
    };
    Ok(framed(&site, &visitor, words.retention_title, &body))
}

fn kept(words: &RecordsWords, kind: &Kept) -> Markup {
    let count = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), |count| count.to_string());
    html! {
        tr {
            th scope="row" {
                @match words.kept(&kind.kind) { Some(kept) => (kept), None => span lang="en" { (kind.words) } }
            }
            td data-name=(words.kept_for) {
                @match (&kind.kept_for, kind.kind.as_str()) {
                    (Some(span), _) => span lang="en" { (span) },
                    // Its words say for how long.
                    (None, "unnamed_photos") => "–",
                    (None, _) => (words.without_end),
                }
            }
            td data-name=(words.removed_last) {
                (count(kind.removed))
                @if let Some(failed) = &kind.failed { " " strong lang="en" { (failed) } }
            }
            td data-name=(words.due) { (count(kind.due)) }
        }
    }
}

fn beginnings(words: &RecordsWords, view: &RetentionView) -> Markup {
    html! {
        @if !view.beginnings.is_empty() {
            section aria-labelledby="beginnings" {
                h2 #beginnings { (words.beginnings) }
                ul {
                    @for gone in view.beginnings.iter().take(BEGINNINGS_MAX) {
                        @let (count, seq) = (gone.count.to_string(), gone.up_to.to_string());
                        li { (fill(words.beginning, &[("agent", &gone.agent), ("count", &count), ("seq", &seq)])) }
                    }
                }
            }
        }
    }
}

/// Whether other systems are told.
pub async fn receivers(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    // The status is for everybody who works here; its page is for those who look after it.
    caller.may_somewhere(&site.api, Act::SeeAgents)?;
    let Json(status) = status::status(State(Arc::clone(&site.api))).await?;
    let words = RecordsWords::of(visitor.language);
    let body = html! {
        h1 { (words.receivers_title) }
        @if status.receivers.is_empty() { p { (words.receivers_none) } }
        @else {
            table.records {
                thead {
                    tr {
                        th scope="col" { (words.name) }
                        th scope="col" { (visitor.words().state) }
                        th scope="col" { (words.events_waiting) }
                    }
                }
                tbody {
                    @for receiver in &status.receivers {
                        tr {
                            th scope="row" { (receiver.name) }
                            td {
                                @match &receiver.failing_since {
                                    None => span.state.active { (words.works) },
                                    Some(since) => { span.state.suspended { (words.fails_since) } " " (time(since)) }
                                }
                                @if let Some(error) = &receiver.error { " " span lang="en" { (error) } }
                            }
                            td data-name=(words.events_waiting) { (receiver.waiting) }
                        }
                    }
                }
            }
        }
    };
    Ok(framed(&site, &visitor, words.receivers_title, &body))
}
