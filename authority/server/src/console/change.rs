//! How far a change has come: a mark for each building, the time that it took, who is not reached and until when its doors go
//! on, and the evidence.
//!
//! Deliberately no judgement of its own: a door counts as closed when the API's progress says that its agent confirmed it.

use super::Site;
use super::live::{self, Shown};
use super::page::time;
use super::visit::Visitor;
use super::words::{Words, fill};
use crate::clock;
use crate::closing::Closing;
use crate::http::caller::Caller;
use crate::http::changes::{self, APPLIED, DURABLE, Wait};
use crate::http::extract::{Named, Params};
use crate::http::failure::Failure;
use crate::http::shapes::{AgentProgress, ProgressLine, Summary};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use doorward_protocol::id::DoorId;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a page waits until it is known whom an order concerns that was just given.
const TAKEN_WITHIN: Duration = Duration::from_millis(500);
/// Longer than this, a day says more than milliseconds.
const CLOCK_MS_MAX: i64 = 600_000;
/// How long a live page follows a change before it asks again, in milliseconds.
const FOLLOW_MS: u64 = 600_000;

/// Shows how far a change has come.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(seq): Named<u64>,
) -> Result<Response, Failure> {
    let authority = &site.api.authority;
    if seq <= authority.timeline.accepted() {
        let _in_time = tokio::time::timeout(TAKEN_WITHIN, authority.taken_at(seq)).await;
    }
    let wait = Params(Wait { wait_ms: Some(0) });
    let answer = changes::progress(State(Arc::clone(&site.api)), caller, Named(seq), wait).await?;
    let lines: Vec<ProgressLine> = live::lines_of(answer).await?;
    let shown = Progress::of(&site, &visitor, seq);
    let words = visitor.words();
    let is_known = authority.taken() >= seq;
    let mut summary = None;
    let mut marks = Vec::new();
    for line in lines {
        match line {
            ProgressLine::Agent(agent) => marks.push(shown.marks(&agent)),
            ProgressLine::Summary(last) => summary = Some(last),
        }
    }
    let summary = summary.filter(|_| is_known);
    let title = fill(words.change, &[("seq", &seq.to_string())]);
    let is_complete = summary.as_ref().is_some_and(|summary| summary.complete);
    let is_followed = !is_complete;
    let follow = is_followed.then(|| format!("/changes/{seq}/live"));
    let body = html! {
        div #progress data-live=[follow] data-on=(words.live_on) data-lost=(words.live_lost) {
            (shown.summary(summary.as_ref()))
            @if is_followed || !marks.is_empty() {
                section aria-labelledby="buildings" {
                    h2 #buildings { (words.buildings) }
                    ul.marks data-into="" { @for mark in &marks { (mark) } }
                }
            }
        }
        @if is_followed {
            p.state-line role="status" data-state-of="progress" {}
            noscript { p { (words.live_none) } }
        }
    };
    Ok(visitor.page(&site, &title, &body))
}

/// Follows a change.
pub async fn live(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(seq): Named<u64>,
) -> Result<Response, Failure> {
    let wait = Params(Wait { wait_ms: Some(FOLLOW_MS) });
    let answer = changes::progress(State(Arc::clone(&site.api)), caller, Named(seq), wait).await?;
    let shown = Progress::of(&site, &visitor, seq);
    Ok(live::follow(&site, &visitor, answer, shown))
}

/// The evidence of a revocation, as a file.
pub async fn evidence(State(site): State<Site>, caller: Caller, Named(seq): Named<u64>) -> Result<Response, Failure> {
    let mut response = changes::evidence(State(Arc::clone(&site.api)), caller, Named(seq)).await?;
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"change-{seq}.evidence\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// What is shown of a change.
struct Progress {
    site: Site,
    words: &'static Words,
    seq: u64,
    closing: Option<Closing>,
    is_over: bool,
}

impl Progress {
    fn of(site: &Site, visitor: &Visitor, seq: u64) -> Self {
        let closing = site.api.authority.closings.closing(seq).ok().flatten();
        Self { site: site.clone(), words: visitor.words(), seq, closing, is_over: false }
    }

    /// The marks of an agent's buildings.
    fn marks(&self, agent: &AgentProgress) -> Markup {
        let words = self.words;
        let (stage, said) = match (agent.stage.as_str(), agent.connected) {
            (DURABLE, _) => ("durable", words.mark_durable),
            (APPLIED, _) => ("applied", words.mark_applied),
            (_, true) => ("waiting", words.mark_waiting),
            (_, false) => ("missing", words.mark_unreachable),
        };
        let ms = agent.durable_ms.or(agent.applied_ms);
        let present = self.site.api.authority.present();
        let tables = present.directory.tables();
        let mut doors: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
        for door in &agent.doors {
            let known = DoorId::new(door).ok().and_then(|door| tables.doors.get(&door));
            let building = known.map(|door| &door.building);
            let id = building.map_or(agent.agent.as_str(), |building| building.as_str());
            let name = building.and_then(|id| tables.buildings.get(id)).map_or(id, |building| &building.name);
            doors.entry(id).or_insert((name, 0)).1 += 1;
        }
        html! {
            @for (id, (name, count)) in &doors {
                li.mark.(stage) id={ "at-" (agent.agent) "-" (id) } {
                    strong { (name) }
                    span { (said) @if let Some(ms) = ms { " · " (ms) " ms" } }
                    span.fine { (fill(words.mark_doors, &[("count", &count.to_string())])) " · " (agent.agent) }
                }
            }
        }
    }

    /// How far it has come in all.
    fn summary(&self, summary: Option<&Summary>) -> Markup {
        let words = self.words;
        let subject = self.closing.as_ref().map(|closing| closing.subject.clone());
        let subject = subject.unwrap_or_else(|| fill(words.change, &[("seq", &self.seq.to_string())]));
        let is_revocation = self.closing.as_ref().is_some_and(|closing| !closing.removals.is_empty());
        let title = match summary {
            _ if self.closing.is_none() => "{subject}",
            Some(summary) if summary.complete && is_revocation => words.doors_closed,
            Some(summary) if summary.complete => words.doors_changed,
            Some(_) => words.doors_some_missing,
            None if is_revocation => words.doors_closing,
            None => words.doors_changing,
        };
        let is_complete = summary.is_some_and(|summary| summary.complete);
        html! {
            div #summary.summary.done[is_complete && self.closing.is_some()] {
                h1 { (fill(title, &[("subject", &subject)])) }
                @if let Some(closing) = &self.closing {
                    @if !closing.why.is_empty() { p.about { (words.reason) ": " (closing.why) } }
                    p.about { (time(&self.site.api.when(closing.at))) }
                }
                p role="status" { (self.count(summary)) }
                @if self.closing.is_some() { (self.clock(summary)) }
                (self.missing(summary))
                @if is_revocation { (self.evidence()) }
            }
        }
    }

    fn count(&self, summary: Option<&Summary>) -> String {
        match summary {
            None if self.closing.is_none() => self.words.change_soon.to_owned(),
            Some(summary) if summary.doors_total == 0 => self.words.change_no_doors.to_owned(),
            Some(summary) => {
                let (done, total) = (summary.doors_closed.to_string(), summary.doors_total.to_string());
                fill(self.words.doors_done, &[("done", &done), ("total", &total)])
            }
            None => String::new(),
        }
    }

    /// The time since the order: as long as something is awaited the browser lets it run on.
    fn clock(&self, summary: Option<&Summary>) -> Markup {
        let ended = summary.filter(|summary| summary.complete).and_then(|summary| summary.ms);
        let since = self.closing.as_ref().map_or(0, |closing| clock::wall().since_ms(closing.at).max(0));
        let runs = ended.is_none().then_some(since);
        if runs.is_some_and(|ms| ms > CLOCK_MS_MAX) {
            return html! {};
        }
        html! {
            p.clock { span.fine { (self.words.clock) } " " span #clock data-runs-ms=[runs] { (ended.unwrap_or(since)) " ms" } }
        }
    }

    fn missing(&self, summary: Option<&Summary>) -> Markup {
        let unreachable = summary.map(|summary| summary.unreachable.as_slice()).unwrap_or_default();
        let mut missing = unreachable.iter().filter(|agent| !agent.connected).peekable();
        if missing.peek().is_none() {
            return html! {};
        }
        let say = |sentence: &str, agent: &str| fill(sentence, &[("agent", agent)]);
        html! {
            div.bad {
                strong { (self.words.unreachable) }
                ul {
                    @for agent in missing {
                        @match &agent.lease_ends_at {
                            Some(at) => { li { (say(self.words.unreachable_until, &agent.agent)) " " (time(at)) } }
                            None => { li { (say(self.words.unreachable_open, &agent.agent)) } }
                        }
                    }
                }
            }
        }
    }

    fn evidence(&self) -> Markup {
        html! {
            p {
                a.button href={ "/changes/" (self.seq) "/evidence" } download="" { (self.words.evidence) } " "
                span.fine { (self.words.evidence_about) }
            }
        }
    }
}

impl Shown for Progress {
    type Line = ProgressLine;

    async fn show(&mut self, line: ProgressLine) -> Option<Markup> {
        if self.closing.is_none() {
            self.closing = self.site.api.authority.closings.closing(self.seq).ok().flatten();
        }
        Some(match line {
            ProgressLine::Agent(agent) => self.marks(&agent),
            ProgressLine::Summary(summary) => {
                self.is_over = summary.complete;
                self.summary(Some(&summary))
            }
        })
    }

    /// Whoever may follow a change when it begins may until it ends, as with the API: what it is about may not be there any more.
    fn may(&self, _caller: &Caller) -> bool {
        true
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}
