//! What fits on pages of the journal and of the log, as a file: a table, or JSON lines as the API gives them.

use super::{journal, log};
use crate::console::Site;
use crate::console::live::lines_of;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::shapes::{JournalLine, LogLine, RecordView};
use crate::http::{journal as api_journal, log as api_log};
use crate::sheet;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// Most lines of a file.
pub const LIMIT: usize = 10_000;

#[derive(Debug, Default, Deserialize)]
pub struct Form {
    #[serde(default, rename = "as")]
    form: String,
}

/// Entries of the journal.
pub async fn journal(
    State(site): State<Site>,
    caller: Caller,
    Params(which): Params<journal::Which>,
    Params(Form { form }): Params<Form>,
) -> Result<Response, Failure> {
    let range = which.range(&site, LIMIT)?;
    let answer = api_journal::list(State(Arc::clone(&site.api)), caller, Params(range)).await?;
    if form != "csv" {
        return Ok(named(answer, "journal.jsonl"));
    }
    let entries: Vec<JournalLine> = lines_of(answer).await?;
    let row = |line: JournalLine| vec![line.seq.to_string(), line.at.text, line.actor, line.command, line.summary];
    table("journal.csv", &["entry", "at", "who", "command", "what"], &entries.into_iter().map(row).collect::<Vec<_>>())
}

/// Records of the access log.
pub async fn log(
    State(site): State<Site>,
    caller: Caller,
    Params(which): Params<log::Which>,
    Params(Form { form }): Params<Form>,
) -> Result<Response, Failure> {
    let narrow = which.narrow(&site, u32::try_from(LIMIT).unwrap_or(u32::MAX));
    let answer = api_log::list(State(Arc::clone(&site.api)), caller, Params(narrow)).await?;
    if form != "csv" {
        return Ok(named(answer, "log.jsonl"));
    }
    let lines: Vec<LogLine> = lines_of(answer).await?;
    let rows = lines.into_iter().filter_map(|line| match line {
        LogLine::Record(record) => Some(row(record)),
        LogLine::Alarm(_) => None,
    });
    let header = ["at", "door_id", "card_id", "person_id", "factors", "decision", "reason", "agent_id", "received_at"];
    table("log.csv", &header, &rows.collect::<Vec<_>>())
}

fn row(record: RecordView) -> Vec<String> {
    let RecordView { at, door, card, person, factors, decision, reason, agent, received_at, .. } = record;
    let (card, person) = (card.unwrap_or_default(), person.unwrap_or_default());
    vec![at.text, door, card, person, factors, decision, reason, agent, received_at.text]
}

fn table(name: &str, header: &[&str], rows: &[Vec<String>]) -> Result<Response, Failure> {
    let table = sheet::table(header, rows);
    let table = table.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(named(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], table).into_response(), name))
}

/// An answer that a browser keeps as a file.
fn named(mut response: Response, name: &str) -> Response {
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
