//! The journal: who changed what and when, narrowed and page by page.

use super::{exports, framed, given, number, pages};
use crate::console::Site;
use crate::console::page::time;
use crate::console::visit::Visitor;
use crate::console::words::record_terms::KINDS;
use crate::console::words::{RecordsWords, fill};
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::journal::{self, Range};
use crate::http::shapes::JournalLine;
use crate::search::Found;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeSet;

/// How many entries stand on a page.
const LIMIT: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    by: String,
    kind: String,
    about: String,
    from: String,
    to: String,
    before: String,
}

impl Which {
    /// What the API is asked for.
    pub fn range(&self, site: &Site, limit: usize) -> Result<Range, Failure> {
        Ok(Range {
            limit: Some(limit),
            before: number("before", &self.before)?,
            by: given(&self.by),
            command: given(&self.kind),
            about: given(&self.about),
            since: site.instant(&self.from),
            until: site.instant(&self.to),
            ..Range::default()
        })
    }

    fn fields(&self) -> [(&str, &str); 5] {
        let Self { by, kind, about, from, to, .. } = self;
        [("by", by), ("kind", kind), ("about", about), ("from", from), ("to", to)]
    }
}

/// Entries that fit, the newest first.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let found = journal::page(&site.api, &caller, which.range(&site, LIMIT)?).await?;
    let words = RecordsWords::of(visitor.language);
    let fields = which.fields();
    let body = html! {
        h1 { (words.journal) }
        p.about { (words.journal_about) }
        (filter(&site, &visitor, &which))
        (entries(&site, &visitor, &found)?)
        (pages(words, "/journal", &fields, found.next, which.before.is_empty()))
        (exports(words, "/journal", &fields))
    };
    Ok(framed(&site, &visitor, words.journal, &body))
}

fn filter(site: &Site, visitor: &Visitor, which: &Which) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let office = site.api.authority.office();
    html! {
        form.filter.many method="get" action="/journal" {
            div {
                label for="by" { (words.who) }
                input #by name="by" value=(which.by) list="operators" autocomplete="off" spellcheck="false";
                datalist #operators { @for id in office.operators.keys() { option value=(id) {} } }
            }
            div {
                label for="kind" { (words.kind) }
                select #kind name="kind" {
                    option value="" { (words.all) }
                    @for (name, word) in &KINDS {
                        option value=(name) selected[*name == which.kind] { (word(words)) }
                    }
                }
            }
            div {
                label for="about" { (words.about_id) }
                input #about name="about" value=(which.about) autocomplete="off" spellcheck="false";
            }
            div {
                label for="from" { (words.from) }
                input #from name="from" type="datetime-local" value=(which.from);
            }
            div {
                label for="to" { (words.to) }
                input #to name="to" type="datetime-local" value=(which.to);
            }
            button.main { (frame.filter) }
        }
    }
}

fn entries(site: &Site, visitor: &Visitor, found: &Found<JournalLine>) -> Result<Markup, Failure> {
    let words = RecordsWords::of(visitor.language);
    let seqs = || found.entries.iter().map(|line| line.seq);
    let told = match (seqs().min(), seqs().max()) {
        (Some(first), Some(last)) => site.api.authority.store.told(first, last)?,
        _ => BTreeSet::new(),
    };
    let is_short = found.entries.len() < LIMIT;
    Ok(html! {
        @if found.entries.is_empty() { p role="status" { (words.nothing_fits) } }
        @else {
            table.records {
                thead {
                    tr {
                        th scope="col" { (words.what) }
                        th scope="col" { (words.who) }
                        th scope="col" { (visitor.words().when) }
                    }
                }
                tbody { @for line in &found.entries { (entry(words, line, told.contains(&line.seq))) } }
            }
        }
        @if let Some(next) = found.next.filter(|_| is_short) {
            p role="status" { (fill(words.looked_back, &[("seq", &next.to_string())])) }
        }
    })
}

fn entry(words: &RecordsWords, line: &JournalLine, is_told: bool) -> Markup {
    html! {
        tr id={ "entry-" (line.seq) } {
            td {
                strong { (words.kind_of(&line.command)) }
                span.sentence lang="en" { (line.summary) }
            }
            td.name { (line.actor) }
            td {
                (time(&line.at))
                span.fine {
                    (fill(words.entry, &[("seq", &line.seq.to_string())]))
                    @if is_told { " · " a href={ "/changes/" (line.seq) } { (words.to_change) } }
                }
            }
        }
    }
}
