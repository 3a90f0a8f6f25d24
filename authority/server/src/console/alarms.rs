//! Alarms: those that nobody has looked at yet, as they come, and the word that somebody has.

use super::Site;
use super::live::{self, Shown};
use super::page::time;
use super::visit::Visitor;
use super::words::{Words, fill};
use crate::http::alarms::{self, Narrow};
use crate::http::caller::Caller;
use crate::http::extract::{Named, Params};
use crate::http::failure::Failure;
use crate::http::log;
use crate::http::shapes::{AlarmView, LogLine};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// How many stand on a page.
const LIMIT: u32 = 80;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    /// Those, too, that somebody looked at.
    #[serde(default)]
    all: bool,
}

/// The newest alarms, the newest first.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { all }): Params<Which>,
) -> Result<Response, Failure> {
    let narrow = Params(Narrow { limit: Some(LIMIT), open: !all });
    let is_live = visitor.may(&site, Act::ReadLog, Object::Campus);
    let Json(found) = alarms::list(State(Arc::clone(&site.api)), caller, narrow).await?;
    let words = visitor.words();
    let shown = Alarms::of(&site, &visitor);
    let follow = is_live.then_some("/alarms/live");
    let body = html! {
        div.heading {
            h1 { (words.alarms) }
            @if is_live { p.state-line role="status" data-state-of="alarms" {} }
        }
        p.about { (words.alarms_about) }
        @if found.alarms.is_empty() { p { (words.alarms_none) } }
        ol.alarms #alarms data-live=[follow] data-into="" data-newest-first="" data-most=(LIMIT)
            data-on=(words.live_on) data-paused=(words.live_paused) data-lost=(words.live_lost)
        { @for alarm in found.alarms.iter().rev() { (shown.alarm(alarm)) } }
        noscript { p { (words.live_none) } }
        p {
            @if all { a href="/alarms" { (words.alarms_waiting) } }
            @else { a href="/alarms?all=true" { (words.alarms_all) } }
        }
    };
    Ok(visitor.page(&site, words.alarms, &body))
}

/// Alarms from now on.
pub async fn live(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let narrow = log::Narrow { limit: Some(0), follow: true, ..log::Narrow::default() };
    let answer = log::list(State(Arc::clone(&site.api)), caller, Params(narrow)).await?;
    Ok(live::follow(&site, &visitor, answer, Alarms::of(&site, &visitor)))
}

/// Says that somebody has looked at an alarm.
pub async fn acknowledge(State(site): State<Site>, caller: Caller, id: Named<u64>) -> Result<Response, Failure> {
    let Json(_known) = alarms::acknowledge(State(Arc::clone(&site.api)), caller, id).await?;
    Ok(Redirect::to("/alarms").into_response())
}

/// What is shown of alarms.
struct Alarms {
    site: Site,
    visitor: Visitor,
    words: &'static Words,
    may_acknowledge: bool,
}

impl Alarms {
    fn of(site: &Site, visitor: &Visitor) -> Self {
        let may_acknowledge = visitor.may(site, Act::AcknowledgeAlarms, Object::Campus);
        Self { site: site.clone(), visitor: visitor.clone(), words: visitor.words(), may_acknowledge }
    }

    fn alarm(&self, alarm: &AlarmView) -> Markup {
        let words = self.words;
        let id = alarm.id.to_string();
        html! {
            li.alarm.open[!alarm.acknowledged] id={ "alarm-" (id) } {
                strong { (words.alarm(&alarm.kind)) }
                (time(&alarm.at))
                p lang="en" {
                    @if let Some(agent) = &alarm.agent { span.fine { (agent) } " " }
                    (alarm.text)
                }
                @if alarm.acknowledged { span.fine { (words.acknowledge) } }
                @else if self.may_acknowledge {
                    form method="post" action={ "/alarms/" (id) "/acknowledge" } {
                        (self.visitor.key_field())
                        button aria-label=(fill(words.acknowledge_alarm, &[("id", &id)])) { (words.acknowledge) }
                    }
                }
            }
        }
    }
}

impl Shown for Alarms {
    type Line = LogLine;

    async fn show(&mut self, line: LogLine) -> Option<Markup> {
        match line {
            LogLine::Alarm(alarm) => Some(self.alarm(&alarm)),
            LogLine::Record(_) => None,
        }
    }

    fn may(&self, caller: &Caller) -> bool {
        let may = |act| caller.may(&self.site.api, act, Object::Campus).is_ok();
        may(Act::SeeAgents) && may(Act::ReadLog)
    }
}
