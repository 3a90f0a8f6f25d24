//! How long what is known of people is kept: what the campus says, what the last run removed, what the next would.

use super::caller::Caller;
use super::extract::Params;
use super::shapes::Fault;
use super::shapes::retention::{Kept, RemovedBeginning, RetentionView};
use super::{Api, Failure};
use crate::retention::{Rule, Run};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::retention::Kind;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub struct Narrow {
    #[serde(default)]
    pub(crate) count: bool,
}

/// How long each kind of what is known of people is kept.
#[utoipa::path(get, path = "/v1/retention",
    params(("count" = Option<bool>, Query, description = "Count what the next run would remove now")),
    responses((status = 200, body = RetentionView), (status = 403, body = Fault)))]
pub async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<RetentionView>, Failure> {
    caller.may(&api, Act::ReadJournal, Object::Campus)?;
    let (retention, count) = (Arc::clone(&api.retention), narrow.count);
    let asked = tokio::task::spawn_blocking(move || Ok((retention.rules(count)?, retention.removed_beginnings()?)));
    let failed = |error: String| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error);
    let (rules, beginnings) = asked.await.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
    let last = api.retention.last();
    let beginnings = beginnings.into_iter().map(|removed| RemovedBeginning {
        agent: removed.agent,
        incarnation: removed.incarnation,
        up_to: removed.seq,
        count: removed.count,
    });
    Ok(Json(RetentionView {
        kinds: rules.into_iter().map(|rule| kept(rule, last.as_ref())).collect(),
        last_at: last.as_ref().map(|run| api.when(run.at)),
        next_at: api.retention.next_at().map(|at| api.when(at)),
        beginnings: beginnings.collect(),
    }))
}

fn kept(rule: Rule, last: Option<&Run>) -> Kept {
    let outcome = last.and_then(|run| run.outcomes.iter().find(|outcome| outcome.kind == rule.kind));
    Kept {
        kind: rule.kind.map_or("unnamed_photos", Kind::name).to_owned(),
        words: rule.kind.map_or("files of photos that nobody names, for an hour", Kind::words).to_owned(),
        kept_for: rule.span.map(|span| span.to_string()),
        removed: outcome.map(|outcome| outcome.removed),
        failed: outcome.and_then(|outcome| outcome.failed.clone()),
        due: rule.due,
    }
}
