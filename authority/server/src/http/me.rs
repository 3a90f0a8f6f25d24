//! A card holder's own page: person, cards, photo and requests; a card reported lost and found again, a photo brought.
//!
//! Deliberately nothing about anybody else: whose page it is follows from the session alone. Nobody else is answered here.

use super::caller::Caller;
use super::cards::card;
use super::extract::{Body, Named};
use super::shapes::me::{HolderPage, OwnPhoto};
use super::shapes::{Change, Fault, Reason, RecordView};
use super::{Api, Failure, log, people, photos, requests};
use crate::access::Filter;
use crate::authority::Authority;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::command::Command;
use doorward_policy::model::{PersonId, Subject};
use doorward_policy::office::authorize::Asker;
use doorward_protocol::time::UnixMs;
use std::sync::Arc;

/// Most taps that are shown.
const TAPS_MAX: u32 = 200;
const DAY_MS: i64 = 86_400_000;

/// What a session of a card holder reaches beside these: its own end, and its password.
const OF_SESSIONS: [&str; 2] = ["/v1/session", "/v1/password"];

/// Whether a path is one that card holders may ask at all.
pub fn is_for_holders(path: &str) -> bool {
    path.starts_with("/v1/me/") || OF_SESSIONS.contains(&path)
}

/// The caller's own page.
#[utoipa::path(get, path = "/v1/me/page", responses((status = 200, body = HolderPage), (status = 403, body = Fault)))]
pub async fn page(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<HolderPage>, Failure> {
    let person = holder(&caller)?.clone();
    let read = tokio::task::spawn_blocking(move || page_of(&api, &caller, &person));
    read.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?.map(Json)
}

/// Reports one of the caller's cards lost: no door opens for it any more.
#[utoipa::path(post, path = "/v1/me/cards/{id}/lost", params(("id" = String, Path, description = "The card")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn lost(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    holder(&caller)?;
    api.change(&caller, Command::CardSuspend { card: card(&id)?, reason }).await.map(Json)
}

/// Lets a card work again that the caller reported lost.
#[utoipa::path(post, path = "/v1/me/cards/{id}/found", params(("id" = String, Path, description = "The card")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn found(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    holder(&caller)?;
    api.change(&caller, Command::CardResume { card: card(&id)?, reason }).await.map(Json)
}

/// The caller's own photo.
#[utoipa::path(get, path = "/v1/me/photo",
    responses((status = 200, content_type = "image/jpeg"), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn image(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Failure> {
    let person = holder(&caller)?.clone();
    photos::picture(api, &person).await
}

/// Brings a photo of the caller; it waits to be looked at.
#[utoipa::path(put, path = "/v1/me/photo", request_body(content = Vec<u8>, content_type = "image/jpeg"),
    responses((status = 200, body = Change), (status = 400, body = Fault), (status = 403, body = Fault),
        (status = 409, body = Fault), (status = 413, body = Fault)))]
pub async fn photo(State(api): State<Arc<Api>>, caller: Caller, bytes: Bytes) -> Result<Json<Change>, Failure> {
    let person = holder(&caller)?.clone();
    photos::bring(&api, &caller, person, bytes).await.map(Json)
}

/// Whose page the caller sees.
pub(super) fn holder(caller: &Caller) -> Result<&PersonId, Failure> {
    if let Asker::Holder(person) = &caller.asker {
        return Ok(person);
    }
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        "only a card holder who signed in has a page; an administrator may not see it, either",
    )
    .with_hint("offices see people with `doorward person show`"))
}

fn page_of(api: &Api, caller: &Caller, person: &PersonId) -> Result<HolderPage, Failure> {
    let (now, present) = (api.authority.timeline.now(), api.authority.present());
    let directory = &present.directory;
    let known = directory.tables().people.get(person);
    let known = known.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "the campus folder names you no more"))?;
    let is_own = |subject: &Subject| *subject == Subject::Person(person.clone());
    let asked = directory.requests().iter().filter(|(_, request)| is_own(&request.wish.grant.subject));
    let photo = directory.photos().get(person).map(|photo| OwnPhoto {
        state: photo.state.name().to_owned(),
        at: api.when(photo.at),
        reason: photo.reason.clone(),
    });
    let mut page = HolderPage {
        person: people::detail(directory, person, known),
        reported_lost: directory
            .cards_of(person)
            .filter(|card| directory.is_reported(card))
            .map(ToString::to_string)
            .collect(),
        photo,
        requests: asked.map(|(id, request)| requests::view(api, directory, caller, id, request, now)).collect(),
        taps: None,
    };
    drop(present);
    if let Some(since) = taps_since(&api.authority, now) {
        let filter = Filter { person: Some(person.to_string()), since: Some(since), ..Filter::default() };
        let rows = api.authority.store.records(&filter, TAPS_MAX)?;
        page.taps = Some(rows.into_iter().map(|row| log::view(api, row)).collect::<Vec<RecordView>>());
    }
    Ok(page)
}

/// From when on the campus shows people their own taps.
fn taps_since(authority: &Authority, now: UnixMs) -> Option<UnixMs> {
    let present = authority.present();
    let today = present.directory.day_at(now)?;
    let since = present.directory.policy()?.own_taps?.before(today);
    Some(now.plus_ms(i64::from(today.0.saturating_sub(since.0)).saturating_mul(-DAY_MS)))
}
