//! The journal: everything that ever changed, and who changed it.

use super::caller::Caller;
use super::extract::Params;
use super::lines::lines;
use super::questions::parse_instant;
use super::shapes::JournalLine;
use super::{Api, Failure, blocking};
use crate::history;
use crate::search::{Found, Wanted, find};
use axum::extract::State;
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

/// Entries that are looked at for one page of the console.
const LOOK_MAX: usize = 50_000;

#[derive(Debug, Default, Deserialize)]
pub struct Range {
    pub(crate) from: Option<u64>,
    pub(crate) limit: Option<usize>,
    pub(crate) before: Option<u64>,
    pub(crate) by: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) about: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl Range {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT).min(LIMIT_MAX)
    }

    fn wanted(self) -> Result<Wanted, Failure> {
        let instant = |text: Option<String>| text.as_deref().map(parse_instant).transpose();
        let Self { before, by, command, about, since, until, .. } = self;
        Ok(Wanted { before, by, command, about, since: instant(since)?, until: instant(until)? })
    }
}

/// Entries of the journal: from a number on, or the newest that fit, oldest of them first.
#[utoipa::path(get, path = "/v1/journal",
    params(("from" = Option<u64>, Query, description = "First entry; the newest that fit when absent, and only then they are narrowed"),
        ("limit" = Option<usize>, Query, description = "How many at most"),
        ("before" = Option<u64>, Query, description = "Before this entry"),
        ("by" = Option<String>, Query, description = "By this one, also through a token"),
        ("command" = Option<String>, Query, description = "Commands of this name, such as `card-suspend`"),
        ("about" = Option<String>, Query, description = "In which this id stands"),
        ("since" = Option<String>, Query, description = "From this instant on, RFC 3339"),
        ("until" = Option<String>, Query, description = "Before this instant, RFC 3339")),
    responses((status = 200, body = JournalLine, content_type = "application/x-ndjson")))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(range): Params<Range>,
) -> Result<Response, Failure> {
    caller.may(&api, Act::ReadJournal, Object::Campus)?;
    let limit = range.limit();
    let entries = match range.from {
        Some(from) => {
            let read = move || history::entries(&api.authority.layout, from.max(1), limit, |entry| line(&api, entry));
            blocking(read).await??
        }
        None => {
            let mut found = search(api, range.wanted()?, limit, usize::MAX).await?;
            found.entries.reverse();
            found.entries
        }
    };
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

/// The newest entries that fit, newest first, and before which to look on: a page of the console.
pub async fn page(api: &Arc<Api>, caller: &Caller, range: Range) -> Result<Found<JournalLine>, Failure> {
    caller.may(api, Act::ReadJournal, Object::Campus)?;
    let limit = range.limit();
    search(Arc::clone(api), range.wanted()?, limit, LOOK_MAX).await
}

async fn search(api: Arc<Api>, wanted: Wanted, limit: usize, look_max: usize) -> Result<Found<JournalLine>, Failure> {
    Ok(blocking(move || find(&api.authority.layout, &wanted, limit, look_max, |entry| line(&api, entry))).await??)
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
