//! Who asked about whom: kept before an answer is given, where there is room for it, and shown to those who may read the journal.

use super::caller::Caller;
use super::extract::Params;
use super::shapes::Fault;
use super::shapes::office::{LookView, Looks};
use super::{Api, Failure};
use crate::access::{Look, LookRow};
use crate::authority::Warning;
use crate::clock;
use axum::Json;
use axum::extract::State;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::session::AlarmKind;
use serde::Deserialize;
use std::sync::Arc;

/// How many unless the request says so.
const LIMIT: u32 = 100;
/// Most at once.
const LIMIT_MAX: u32 = 10_000;

#[derive(Debug, Deserialize)]
pub struct Narrow {
    pub(crate) about: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) before: Option<u64>,
    pub(crate) limit: Option<u32>,
}

impl Caller {
    /// Keeps that the caller asks about somebody, before there is an answer. On a full disk questions are answered all the same,
    /// since somebody may be locked in; that looks are not kept is then an alarm, and stands in the status.
    pub async fn looks(&self, api: &Api, question: &'static str, about: String) {
        let look = Look { at: clock::wall(), actor: self.actor.to_string(), question, about };
        match api.authority.store.note_look(look).await {
            Ok(()) => api.authority.clear(Warning::LooksNotKept),
            Err(error) => {
                let text = format!("who asks about people is not kept: {error}");
                api.authority.warn(Warning::LooksNotKept, AlarmKind::StoreDamaged, &text);
            }
        }
    }
}

/// The newest looks, oldest of them first.
#[utoipa::path(get, path = "/v1/looks",
    params(("about" = Option<String>, Query, description = "About this, such as `card CARD1` or `person 230001`"),
        ("by" = Option<String>, Query, description = "By this one"),
        ("before" = Option<u64>, Query, description = "Before this one"),
        ("limit" = Option<u32>, Query, description = "How many at most")),
    responses((status = 200, body = Looks), (status = 403, body = Fault)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<Looks>, Failure> {
    caller.may(&api, Act::ReadJournal, Object::Campus)?;
    let limit = narrow.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let rows = api.authority.store.looks(narrow.about.as_deref(), narrow.by.as_deref(), narrow.before, limit)?;
    Ok(Json(Looks { looks: rows.into_iter().map(|row| view(&api, row)).collect() }))
}

pub fn view(api: &Api, row: LookRow) -> LookView {
    LookView { id: row.id, at: api.when(row.at), actor: row.actor, question: row.question, about: row.about }
}
