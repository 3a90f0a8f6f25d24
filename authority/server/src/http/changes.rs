//! How far a change has come, line by line, and the certificate of a revocation.

use super::caller::Caller;
use super::extract::{Named, Params};
use super::lines::{Lines, lines};
use super::shapes::{AgentProgress, Fault, ProgressLine, Summary};
use super::{Api, Failure};
use crate::clock;
use crate::closing::{Closing, ClosingAgent};
use crate::evidence::evidence_file;
use crate::history;
use crate::leases;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_policy::command::Entry;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::id::AgentId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait unless the request says so, in milliseconds.
const WAIT_MS: u64 = 5_000;
/// Longest wait, in milliseconds.
const WAIT_MS_MAX: u64 = 600_000;
/// How long to wait for agents that are not connected: one that is just coming back gets its chance; and for a commit.
const GRACE: Duration = Duration::from_millis(300);

#[derive(Debug, Deserialize)]
pub struct Wait {
    pub(crate) wait_ms: Option<u64>,
}

impl Wait {
    /// How long to wait.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_millis(self.wait_ms.unwrap_or(WAIT_MS).min(WAIT_MS_MAX))
    }
}

/// How far a change has come: each agent once, then each time it comes further, then a summary. Ends when all agents have
/// confirmed, when all others are not connected, or when the time is over.
#[utoipa::path(get, path = "/v1/changes/{seq}/progress",
    params(("seq" = u64, Path, description = "The journal entry"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait, in milliseconds")),
    responses((status = 200, body = ProgressLine, content_type = "application/x-ndjson"), (status = 404, body = Fault)))]
pub async fn progress(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(seq): Named<u64>,
    Params(wait): Params<Wait>,
) -> Result<Response, Failure> {
    if seq == 0 || seq > api.authority.timeline.accepted() {
        return Err(Failure::new(StatusCode::NOT_FOUND, format!("the journal has no entry {seq}")));
    }
    may_follow(&api, &caller, seq).await?;
    let wait = wait.duration();
    let (lines, response) = lines();
    tokio::spawn(async move { follow(&api, seq, wait, &lines).await });
    Ok(response)
}

/// A change may be followed by whoever made it, and by whoever may follow changes and has what it was about in its remit: what
/// a command ended is not there any more to lie in anybody's.
async fn may_follow(api: &Arc<Api>, caller: &Caller, seq: u64) -> Result<(), Failure> {
    let denied = match caller.may(api, Act::FollowChanges, Object::Campus) {
        Ok(()) => return Ok(()),
        Err(denied) => denied,
    };
    let (api, caller) = (Arc::clone(api), caller.clone());
    let read = tokio::task::spawn_blocking(move || {
        let entries = history::entries(&api.authority.layout, seq, 1, Entry::clone)?;
        let present = api.authority.present();
        let may = |entry: &Entry| {
            let is_own = entry.actor == caller.actor;
            let may = || present.directory.may_follow(&caller.asker, &entry.command, clock::wall());
            if is_own { Ok(()) } else { may().map_err(Failure::from) }
        };
        Ok::<_, Failure>(entries.first().map_or(Err(denied), may))
    });
    read.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??
}

async fn follow(api: &Api, seq: u64, wait: Duration, lines: &Lines) {
    let began = Instant::now();
    let mut moves = api.authority.closings.moves();
    let mut shown: BTreeMap<AgentId, AgentProgress> = BTreeMap::new();
    let _taken = tokio::time::timeout(wait, api.authority.taken_at(seq)).await;
    loop {
        moves.mark_unchanged();
        // A change that concerns nobody has no progress and is complete.
        let Ok(closing) = api.authority.closings.closing(seq) else { return };
        let agents = closing.as_ref().map(|closing| of_agents(api, closing)).unwrap_or_default();
        for (id, progress) in &agents {
            let is_new = shown
                .get(id)
                .is_none_or(|before| (&before.stage, before.connected) != (&progress.stage, progress.connected));
            if is_new && !lines.send(&ProgressLine::Agent(progress.clone())).await {
                return;
            }
        }
        let waiting = |progress: &AgentProgress| progress.stage != DURABLE;
        let is_complete = !agents.values().any(waiting);
        let has_hope = agents.values().any(|progress| waiting(progress) && progress.connected);
        let left = if has_hope { wait } else { wait.min(GRACE) }.saturating_sub(began.elapsed());
        if is_complete || left.is_zero() {
            let summary = summary(seq, closing.as_ref(), &agents);
            lines.send(&ProgressLine::Summary(summary)).await;
            return;
        }
        shown = agents;
        // An agent that leaves moves nothing, so connections are looked at now and then as well.
        let _moved = tokio::time::timeout(left.min(GRACE), moves.changed()).await;
    }
}

pub(crate) const WAITING: &str = "waiting";
pub(crate) const APPLIED: &str = "applied";
pub(crate) const DURABLE: &str = "durable";

fn of_agents(api: &Api, closing: &Closing) -> BTreeMap<AgentId, AgentProgress> {
    closing.agents.iter().map(|(id, agent)| (id.clone(), of_agent(api, closing, id, agent))).collect()
}

fn of_agent(api: &Api, closing: &Closing, id: &AgentId, agent: &ClosingAgent) -> AgentProgress {
    let since = |at: doorward_protocol::time::UnixMs| at.since_ms(closing.at).max(0);
    let stage = match (agent.applied_at, agent.durable_at) {
        (_, Some(_)) => DURABLE,
        (Some(_), None) => APPLIED,
        (None, None) => WAITING,
    };
    // A fresh word after the command comes with the command, so the last one before it counts.
    let contact = api.authority.store.contact(id).ok();
    let fresh_at = contact.and_then(|contact| leases::fresh_at(&api.authority, id, contact));
    let fresh_at = fresh_at.map_or(closing.at, |fresh_at| fresh_at.min(closing.at));
    AgentProgress {
        agent: id.to_string(),
        doors: agent.doors.iter().map(|(door, _)| door.to_string()).collect(),
        connected: api.authority.hub.is_connected(id),
        stage: stage.to_owned(),
        applied_ms: agent.applied_at.map(since),
        durable_ms: agent.durable_at.map(since),
        lease_ends_at: leases::last_end(&agent.doors, fresh_at).map(|at| api.when(at)),
    }
}

fn summary(seq: u64, closing: Option<&Closing>, agents: &BTreeMap<AgentId, AgentProgress>) -> Summary {
    let closed = || agents.values().filter(|progress| progress.stage == DURABLE);
    let unreachable: Vec<_> = agents.values().filter(|progress| progress.stage != DURABLE).cloned().collect();
    Summary {
        seq,
        command: closing.map(|closing| closing.command.clone()).unwrap_or_default(),
        doors_total: agents.values().map(|progress| progress.doors.len()).sum(),
        doors_closed: closed().map(|progress| progress.doors.len()).sum(),
        agents_total: agents.len(),
        agents_closed: closed().count(),
        ms: closed().filter_map(|progress| progress.durable_ms).max(),
        complete: unreachable.is_empty(),
        unreachable,
    }
}

/// The certificate of a revocation, which anyone can check offline with the campus root.
#[utoipa::path(get, path = "/v1/changes/{seq}/evidence", params(("seq" = u64, Path, description = "The journal entry")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn evidence(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(seq): Named<u64>,
) -> Result<Response, Failure> {
    may_follow(&api, &caller, seq).await?;
    if seq <= api.authority.timeline.accepted() {
        // Its commit may be just on its way to the disk.
        let _published = tokio::time::timeout(GRACE, api.authority.published_at(seq)).await;
    }
    let file = tokio::task::spawn_blocking(move || evidence_file(&api.authority, seq)).await;
    let file = file.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], file).into_response())
}
