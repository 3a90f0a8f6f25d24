//! Alarms: what somebody must look at.

use super::caller::Caller;
use super::extract::{Named, Params};
use super::shapes::{Acknowledged, AlarmView, Alarms, Fault};
use super::{Api, Failure};
use crate::access::AlarmRow;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use serde::Deserialize;
use std::sync::Arc;

/// How many unless the request says so.
const LIMIT: u32 = 100;
/// Most at once.
const LIMIT_MAX: u32 = 10_000;

#[derive(Debug, Deserialize)]
pub struct Narrow {
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) open: bool,
}

/// The newest alarms, oldest of them first.
#[utoipa::path(get, path = "/v1/alarms",
    params(("limit" = Option<u32>, Query, description = "How many at most"),
        ("open" = Option<bool>, Query, description = "Only those that nobody has looked at")),
    responses((status = 200, body = Alarms)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<Alarms>, Failure> {
    caller.may(&api, Act::SeeAgents, Object::Campus)?;
    let rows = api.authority.store.alarms(narrow.limit.unwrap_or(LIMIT).min(LIMIT_MAX), narrow.open)?;
    Ok(Json(Alarms { alarms: rows.into_iter().map(|row| view(&api, row)).collect() }))
}

/// Says that somebody has looked at an alarm.
#[utoipa::path(post, path = "/v1/alarms/{id}/acknowledge", params(("id" = u64, Path, description = "The alarm")),
    responses((status = 200, body = Acknowledged), (status = 404, body = Fault)))]
pub async fn acknowledge(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<u64>,
) -> Result<Json<Acknowledged>, Failure> {
    caller.may(&api, Act::AcknowledgeAlarms, Object::Campus)?;
    if api.authority.store.acknowledge(id).await? {
        Ok(Json(Acknowledged { id }))
    } else {
        Err(Failure::new(StatusCode::NOT_FOUND, format!("there is no alarm {id}")))
    }
}

pub fn view(api: &Api, row: AlarmRow) -> AlarmView {
    let AlarmRow { id, at, kind, agent, text, acknowledged } = row;
    AlarmView { id, at: api.when(at), kind, agent, text, acknowledged }
}
