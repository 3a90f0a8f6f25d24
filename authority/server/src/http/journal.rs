//! The journal: everything that ever changed, and who changed it.

use super::caller::Caller;
use super::extract::Params;
use super::lines::lines;
use super::shapes::JournalLine;
use super::{Api, Failure};
use crate::history;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::command::Entry;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use serde::Deserialize;
use std::sync::Arc;

/// How many entries unless the request says so.
const LIMIT: usize = 100;
/// Most entries at once.
const LIMIT_MAX: usize = 10_000;

#[derive(Debug, Deserialize)]
pub struct Range {
    from: Option<u64>,
    limit: Option<usize>,
}

/// Entries of the journal: from a number on, or the newest.
#[utoipa::path(get, path = "/v1/journal",
    params(("from" = Option<u64>, Query, description = "First entry; the newest when absent"),
        ("limit" = Option<usize>, Query, description = "How many at most")),
    responses((status = 200, body = JournalLine, content_type = "application/x-ndjson")))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(range): Params<Range>,
) -> Result<Response, Failure> {
    caller.may(&api, Act::ReadJournal, Object::Campus)?;
    let limit = range.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let newest = api.authority.timeline.accepted();
    let first_of_newest = newest.saturating_sub(u64::try_from(limit).unwrap_or(u64::MAX)).saturating_add(1);
    let from = range.from.unwrap_or(first_of_newest).max(1);
    let read = tokio::task::spawn_blocking(move || {
        history::entries(&api.authority.layout, from, limit, |entry| line(&api, entry))
    });
    let read = read.await;
    let entries = read.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    let (lines, response) = lines();
    tokio::spawn(async move {
        for line in entries {
            if !lines.send(&line).await {
                return;
            }
        }
    });
    Ok(response)
}

fn line(api: &Api, entry: &Entry) -> JournalLine {
    JournalLine {
        seq: entry.seq,
        at: api.when(entry.at),
        actor: entry.actor.to_string(),
        command: entry.command.name().to_owned(),
        summary: history::summary(&entry.command),
        detail: history::detail(&entry.command),
    }
}
