//! Agents: how each is, when it was last heard, and, for those who may, inviting one and striking one off.

use super::framed;
use super::plot::{self, Dot, Said};
use crate::clock;
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::page::{time, unknown};
use crate::console::visit::{Sent, Visitor, percent};
use crate::console::words::{RecordsWords, fill};
use crate::http::agents as api_agents;
use crate::http::alarms::{self, Narrow};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::shapes::{AgentView, Invitation, Invite};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::frame::PROTOCOL_VERSION;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many of the newest open alarms are counted.
const ALARMS_MAX: u32 = 1_000;
/// How long an invitation is good for unless the form says so, in minutes.
const MINUTES: &str = "60";
/// A clock that is off by less is right.
const CLOCK_OFF_MS: i64 = 1_000;

#[derive(Debug, Default, Deserialize)]
pub struct InviteForm {
    agent: String,
    minutes: String,
}

/// All agents that a visitor sees.
pub async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let Json(known) = api_agents::list(State(Arc::clone(&site.api)), caller.clone()).await?;
    let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
    if visitor.may(&site, Act::SeeAgents, Object::Campus) {
        let narrow = Params(Narrow { limit: Some(ALARMS_MAX), open: true });
        let Json(open) = alarms::list(State(Arc::clone(&site.api)), caller, narrow).await?;
        for agent in open.alarms.into_iter().filter_map(|alarm| alarm.agent) {
            *waiting.entry(agent).or_default() += 1;
        }
    }
    let words = RecordsWords::of(visitor.language);
    let may_manage = visitor.may(&site, Act::ManageAgents, Object::Campus);
    let software = format!("doorward {}", env!("CARGO_PKG_VERSION"));
    let values = [("software", software.as_str()), ("version", &PROTOCOL_VERSION.to_string())];
    let body = html! {
        div.heading {
            h1 { (words.agents_title) }
            @if may_manage { a.button href="/agents/invite" { (words.invite) } }
        }
        p.about { (fill(words.agents_about, &values)) }
        @if known.agents.is_empty() { p { (words.agents_none) } }
        @else {
            (freshness(words, &known.agents))
            ul.agents {
                @for agent in &known.agents {
                    (one(&visitor, agent, waiting.get(&agent.id).copied().unwrap_or(0), may_manage))
                }
            }
        }
    };
    Ok(framed(&site, &visitor, words.agents_title, &body))
}

fn silence(agent: &AgentView) -> Option<i64> {
    agent.heard_at.as_ref().map(|heard| clock::wall().0.saturating_sub(heard.ms).max(0))
}

fn freshness(words: &RecordsWords, agents: &[AgentView]) -> Markup {
    let heard: Vec<(&AgentView, i64)> = agents.iter().filter_map(|agent| Some((agent, silence(agent)?))).collect();
    let Some(longest) = heard.iter().map(|(_, ms)| *ms).max() else { return html! {} };
    let dots: Vec<Dot> = heard.iter().map(|(agent, ms)| Dot { ms: *ms, is_good: agent.connected }).collect();
    let connected = heard.iter().filter(|(agent, _)| agent.connected).count().to_string();
    let (count, longest) = (heard.len().to_string(), plot::length(longest));
    let values = [("heard", count.as_str()), ("connected", &connected), ("longest", &longest)];
    let about = fill(words.freshness_about, &values);
    let rows: Vec<Vec<String>> = heard.iter().map(|(agent, ms)| vec![agent.id.clone(), plot::length(*ms)]).collect();
    html! {
        section aria-labelledby="freshness" {
            h2 #freshness { (words.freshness) }
            p.legend { span.key.round { (words.connected) } span.key.away { (words.silent) } }
            (plot::dots(Said { id: "heard", title: words.freshness, about: &about }, &dots))
            (plot::numbers(words.numbers, &[words.agent, words.heard], &rows))
        }
    }
}

fn one(visitor: &Visitor, agent: &AgentView, alarms: usize, may_manage: bool) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let (class, state) = match (agent.state.as_str(), agent.connected) {
        ("removed", _) => ("", words.struck_off),
        ("enrolled", true) => ("active", words.connected),
        ("enrolled", false) => ("suspended", words.silent),
        ("invited", _) => ("produced", words.invited),
        _ => ("produced", words.joined_not),
    };
    html! {
        li.agent id={ "agent-" (agent.id) } {
            div.heading {
                strong { (agent.id) }
                span.state.(class) { (state) }
                span.fine { (fill(frame.mark_doors, &[("count", &agent.doors.to_string())])) " · " (agent.buildings.join(", ")) }
                @if may_manage && matches!(agent.state.as_str(), "enrolled" | "invited") {
                    a.button.shut href={ "/agents/" (percent(&agent.id)) "/remove" } aria-label={ (words.strike_off) " " (agent.id) } { (words.strike_off) }
                }
            }
            @if agent.position.is_some() || agent.heard_at.is_some() { (facts(words, agent, alarms)) }
        }
    }
}

fn facts(words: &RecordsWords, agent: &AgentView, alarms: usize) -> Markup {
    html! {
        dl.cells {
            div {
                dt { (words.commit) }
                dd.behind[!agent.connected && agent.behind.is_some_and(|behind| behind > 0)] {
                    @match (agent.position, agent.behind) {
                        (Some(position), Some(0)) => { (position.seq) ", " (words.current) }
                        (Some(position), behind) => {
                            (position.seq) ", " (fill(words.behind, &[("count", &behind.unwrap_or(0).to_string())]))
                        }
                        (None, _) => { "–" }
                    }
                }
            }
            div { dt { (words.heard) } dd { @match silence(agent) { Some(ms) => (fill(words.ago, &[("time", &plot::length(ms))])), None => "–" } } }
            div {
                dt { (words.lease) }
                dd { @match &agent.lease_ends_at { Some(at) => (time(at)), None => (words.without_end) } }
            }
            div {
                dt { (words.backlog) }
                dd {
                    @match agent.unsent { Some(unsent) => (unsent), None => "–" }
                    @if let Some(at) = &agent.oldest_unsent_at { span.fine { " " (words.from) " " (time(at)) } }
                }
            }
            div { dt { (words.version) } dd { (agent.software.as_deref().unwrap_or("–")) } }
            div {
                dt { (words.clock_off) }
                dd.behind[agent.clock_off_ms.is_some_and(|ms| ms.saturating_abs() >= CLOCK_OFF_MS)] {
                    @match agent.clock_off_ms { Some(ms) => { (sign(ms)) (plot::length(ms.saturating_abs())) }, None => "–" }
                }
            }
            @if alarms > 0 { div { dt { (words.open_alarms) } dd.behind { a href="/alarms" { (alarms) } } } }
        }
    }
}

const fn sign(ms: i64) -> &'static str {
    if ms < 0 { "−" } else { "+" }
}

/// Asks which agent is to join.
pub async fn ask_to_invite(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    caller.may(&site.api, Act::ManageAgents, Object::Campus)?;
    let empty = InviteForm { minutes: MINUTES.to_owned(), ..InviteForm::default() };
    Ok(invite_page(&site, &visitor, &empty, None))
}

fn invite_page(site: &Site, visitor: &Visitor, form: &InviteForm, failure: Option<&Failure>) -> Response {
    let words = RecordsWords::of(visitor.language);
    let expected: Vec<String> = {
        let present = site.api.authority.present();
        let agents = present.directory.agents();
        let is_joined = |id: &&_| agents.get(*id).is_some_and(|agent| agent.key.is_some() && !agent.removed);
        present.directory.agent_ids().into_iter().filter(|id| !is_joined(id)).map(ToString::to_string).collect()
    };
    let body = html! {
        h1 { (words.invite) }
        p.about { (words.invite_about) }
        (refusal(visitor, failure))
        form.fields method="post" action="/agents/invite" autocomplete="off" {
            (visitor.key_field())
            label for="agent" { (words.agent) }
            input #agent name="agent" value=(form.agent) list="expected" spellcheck="false" autocapitalize="none" required autofocus;
            datalist #expected { @for id in &expected { option value=(id) {} } }
            label for="minutes" { (words.minutes) }
            input #minutes name="minutes" type="number" min="1" value=(form.minutes) required;
            div.row {
                button.main { (words.invite) }
                a.button href="/agents" { (visitor.words().cancel) }
            }
        }
    };
    framed(site, visitor, words.invite, &body)
}

/// Makes an invitation; its secret is in this answer and nowhere else, so that it is not a page to go back to.
pub async fn invite(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(form): Sent<InviteForm>,
) -> Result<Response, Failure> {
    caller.may(&site.api, Act::ManageAgents, Object::Campus)?;
    let minutes = form.minutes.trim().parse();
    let minutes = minutes.map_err(|_| Failure::bad("say for how many minutes it is good, as a number"));
    let made = match minutes {
        Ok(minutes) => {
            let order = Invite { id: form.agent.trim().to_owned(), valid_minutes: Some(minutes) };
            api_agents::invite(State(Arc::clone(&site.api)), caller, Body(order)).await
        }
        Err(failure) => Err(failure),
    };
    match made {
        Ok(Json(Invitation { id, token, expires_at, .. })) => {
            let words = RecordsWords::of(visitor.language);
            let title = fill(words.invited_title, &[("agent", &id)]);
            let body = html! {
                h1 { (title) }
                p.good role="status" { (words.invited_about) " " (time(&expires_at)) }
                p { code.secret #secret { (token) } }
                p.about { (words.invited_how) " " code { "doorward-agent join TOKEN --data DIR" } }
                p { a.button href="/agents" { (words.agents) } }
            };
            Ok(framed(&site, &visitor, &title, &body))
        }
        Err(failure) => Ok((failure.status, invite_page(&site, &visitor, &form, Some(&failure))).into_response()),
    }
}

/// Asks whether an agent is to be struck off.
pub async fn ask_to_remove(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    caller.may(&site.api, Act::ManageAgents, Object::Campus)?;
    let known: Vec<String> =
        site.api.authority.present().directory.agent_ids().into_iter().map(ToString::to_string).collect();
    if !known.contains(&id) {
        return Err(unknown("agent", &id, known.iter().map(String::as_str)));
    }
    Ok(remove_page(&site, &visitor, &id, None))
}

fn remove_page(site: &Site, visitor: &Visitor, id: &str, failure: Option<&Failure>) -> Response {
    let words = RecordsWords::of(visitor.language);
    let title = fill(words.strike_title, &[("agent", id)]);
    let body = html! {
        h1 { (title) }
        p.bad { (words.strike_about) }
        (refusal(visitor, failure))
        form.fields method="post" action={ "/agents/" (percent(id)) "/remove" } {
            (visitor.key_field())
            div.row {
                button.main.shut { (words.strike_off) }
                a.button href="/agents" autofocus { (visitor.words().cancel) }
            }
        }
    };
    framed(site, visitor, &title, &body)
}

/// Strikes an agent off.
pub async fn remove(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, Failure> {
    caller.may(&site.api, Act::ManageAgents, Object::Campus)?;
    match api_agents::remove(State(Arc::clone(&site.api)), Named(id.clone()), caller).await {
        Ok(_done) => Ok(Redirect::to("/agents").into_response()),
        Err(failure) => Ok((failure.status, remove_page(&site, &visitor, &id, Some(&failure))).into_response()),
    }
}
