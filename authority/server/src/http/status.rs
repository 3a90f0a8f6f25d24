//! How the authority is.

use super::shapes::{AgentCounts, CampusName, Counts, ReceiverView, Status};
use super::{Api, Failure, at};
use crate::clock;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// How the authority is.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = Status)))]
pub async fn status(State(api): State<Arc<Api>>) -> Result<Json<Status>, Failure> {
    let authority = &api.authority;
    let connected = authority.hub.connected();
    let records = authority.store.newest_record()?;
    let (alarms_open, last_pulse) = (authority.store.open_alarms()?, authority.store.last_pulse()?);
    let present = authority.present();
    let directory = &present.directory;
    let tables = directory.tables();
    let published = &present.published;
    let campus = directory.policy().map(|policy| CampusName {
        id: policy.campus.to_string(),
        name: policy.name.clone(),
        time_zone: policy.time_zone.clone(),
    });
    let is_behind = |id: &&_| {
        let confirmed = authority.hub.connection(id).and_then(|connection| connection.live().position);
        confirmed.is_none_or(|confirmed| confirmed < published.position)
    };
    Ok(Json(Status {
        campus: campus.ok_or_else(|| Failure::bad("no campus folder was imported yet"))?,
        software: format!("doorward {}", env!("CARGO_PKG_VERSION")),
        now: api.when(clock::wall()),
        position: at(published.position),
        commit: published.hash.to_string(),
        committed_at: api.when(published.at),
        journal_head: authority.timeline.accepted(),
        root: authority.signer.root().hash().to_string(),
        counts: Counts {
            people: tables.people.len(),
            cards: tables.cards.len(),
            buildings: tables.buildings.len(),
            doors: tables.doors.len(),
            grants: tables.grants.len(),
            records,
        },
        agents: AgentCounts {
            known: directory.agent_ids().len(),
            enrolled: published.leaves.len(),
            connected: connected.len(),
            behind: connected.iter().filter(is_behind).count(),
        },
        lockdowns: directory.lockdowns().iter().cloned().collect(),
        alarms_open,
        warnings: authority.warnings(),
        receivers: receivers(&api)?,
        last_pulse_at: last_pulse.map(|at| api.when(at)),
        quic: api.quic.to_string(),
    }))
}

fn receivers(api: &Api) -> Result<Vec<ReceiverView>, Failure> {
    let (_, newest) = api.authority.store.event_range()?;
    let views = api.outbound.conditions().map(|(receiver, condition)| ReceiverView {
        name: receiver.name.clone(),
        waiting: newest.saturating_sub(condition.position),
        failing_since: condition.failing_since.map(|since| api.when(since)),
        error: condition.error,
    });
    Ok(views.collect())
}
