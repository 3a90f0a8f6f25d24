//! Who looked at whom, narrowed and page by page.

use super::{framed, given, number, pages};
use crate::console::Site;
use crate::console::page::time;
use crate::console::visit::Visitor;
use crate::console::words::RecordsWords;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::looks::{self, Narrow};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use maud::html;
use serde::Deserialize;
use std::sync::Arc;

/// How many looks stand on a page.
const LIMIT: u32 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    by: String,
    about: String,
    before: String,
}

/// Looks that fit, the newest first.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let narrow = Narrow {
        about: given(&which.about),
        by: given(&which.by),
        before: number("before", &which.before)?,
        limit: Some(LIMIT),
    };
    let Json(found) = looks::list(State(Arc::clone(&site.api)), caller, Params(narrow)).await?;
    let is_full = u32::try_from(found.looks.len()).is_ok_and(|count| count >= LIMIT);
    let next = found.looks.first().map(|look| look.id).filter(|id| is_full && *id > 1);
    let fields = [("by", which.by.as_str()), ("about", &which.about)];
    let body = html! {
        h1 { (words.looks_title) }
        p.about { (words.looks_about) }
        form.filter.many method="get" action="/looks" {
            div {
                label for="by" { (words.who) }
                input #by name="by" value=(which.by) autocomplete="off" spellcheck="false";
            }
            div {
                label for="about" { (words.about) }
                input #about name="about" value=(which.about) placeholder="person 230001" autocomplete="off" spellcheck="false";
            }
            button.main { (frame.filter) }
        }
        @if found.looks.is_empty() { p role="status" { (words.nothing_fits) } }
        @else {
            table.records {
                thead {
                    tr {
                        th scope="col" { (words.who) }
                        th scope="col" { (words.question) }
                        th scope="col" { (words.about) }
                        th scope="col" { (frame.when) }
                    }
                }
                tbody {
                    @for look in found.looks.iter().rev() {
                        tr {
                            td.name { (look.actor) }
                            td lang="en" { (look.question) }
                            td lang="en" { (look.about) }
                            td { (time(&look.at)) }
                        }
                    }
                }
            }
        }
        (pages(words, "/looks", &fields, next, which.before.is_empty()))
    };
    Ok(framed(&site, &visitor, words.looks_title, &body))
}
