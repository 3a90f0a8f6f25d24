//! Photos for cards: brought, seen, approved, rejected and reopened.

use super::caller::Caller;
use super::extract::{Body, Named, Params};
use super::shapes::desk::{PhotoDecision, PhotoList, PhotoView};
use super::shapes::{Change, Fault, Reason};
use super::{Api, Failure};
use crate::clock;
use crate::photos::{PhotoError, taken};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_policy::command::Command;
use doorward_policy::directory::Directory;
use doorward_policy::model::PersonId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::photo::{Photo, PhotoOrder, PhotoState};
use doorward_protocol::id::Hash;
use doorward_protocol::problem::{did_you_mean, shown};
use serde::Deserialize;
use std::sync::Arc;

/// Largest body: a photo of any campus, and some more, so that what is too large is told in our words.
pub const UPLOAD_BYTES_MAX: usize = 2 << 20;

impl From<PhotoError> for Failure {
    fn from(error: PhotoError) -> Self {
        let status = match error {
            PhotoError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            PhotoError::NotJpeg(_) | PhotoError::Size { .. } => StatusCode::BAD_REQUEST,
            PhotoError::Key(_) => StatusCode::SERVICE_UNAVAILABLE,
            PhotoError::Missing(_) => StatusCode::NOT_FOUND,
        };
        Self::new(status, error.to_string())
    }
}

#[derive(Debug, Deserialize)]
pub struct Narrow {
    pub(crate) state: Option<String>,
    pub(crate) find: Option<String>,
}

/// Brings a photo of a person; it waits to be looked at.
#[utoipa::path(put, path = "/v1/people/{id}/photo", params(("id" = String, Path, description = "The person")),
    request_body(content = Vec<u8>, content_type = "image/jpeg"),
    responses((status = 200, body = Change), (status = 400, body = Fault), (status = 403, body = Fault),
        (status = 409, body = Fault), (status = 413, body = Fault)))]
pub async fn submit(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    bytes: Bytes,
) -> Result<Json<Change>, Failure> {
    let person = person_id(&id)?;
    caller.may(&api, Act::SubmitPhotos, Object::Person(&person))?;
    bring(&api, &caller, person, bytes).await.map(Json)
}

/// Checks and keeps a photo and orders that it is the person's; whether the caller may do that is asked before, and by the writer.
pub async fn bring(api: &Arc<Api>, caller: &Caller, person: PersonId, bytes: Bytes) -> Result<Change, Failure> {
    {
        // Whether any photo of this person would be taken, said before this one is looked at.
        let any = Command::Photo(PhotoOrder::Submit { person: person.clone(), image: Hash([0; 32]) });
        let present = api.authority.present();
        present.directory.check(&any, api.authority.timeline.now().max(present.directory.at()))?;
    }
    let asked = Arc::clone(api);
    let kept = tokio::task::spawn_blocking(move || {
        let format = asked.authority.present().directory.policy().and_then(|policy| policy.photo);
        asked.photos().keep(&taken(&bytes, format.as_ref())?)
    });
    let image = kept.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    api.change(caller, Command::Photo(PhotoOrder::Submit { person, image })).await
}

/// A person's photo, without what the file said beside it.
#[utoipa::path(get, path = "/v1/people/{id}/photo", params(("id" = String, Path, description = "The person")),
    responses((status = 200, content_type = "image/jpeg"), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn image(State(api): State<Arc<Api>>, caller: Caller, Named(id): Named<String>) -> Result<Response, Failure> {
    let person = person_id(&id)?;
    caller.may(&api, Act::SeeCards, Object::Person(&person))?;
    caller.looks(&api, "photo", format!("person {person}")).await;
    picture(api, &person).await
}

/// A person's photo as it is answered to whoever may see it.
pub async fn picture(api: Arc<Api>, person: &PersonId) -> Result<Response, Failure> {
    let image = api.authority.present().directory.photos().get(person).map(|photo| photo.image);
    let image = image.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, format!("there is no photo of {person}")))?;
    let bytes = tokio::task::spawn_blocking(move || api.photos().read(image)).await;
    let bytes = bytes.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response())
}

/// The photos of people in the caller's remit, those that wait longest first.
#[utoipa::path(get, path = "/v1/photos",
    params(("state" = Option<String>, Query, description = "waiting, approved or rejected"),
        ("find" = Option<String>, Query, description = "Part of the person's id or name")),
    responses((status = 200, body = PhotoList), (status = 403, body = Fault)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<PhotoList>, Failure> {
    caller.may_somewhere(&api, Act::DecidePhotos)?;
    let state = narrow.state.as_deref().map(state_of).transpose()?;
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let is_seen =
        |person: &PersonId| directory.allow(&caller.asker, Act::DecidePhotos, Object::Person(person), now).is_ok();
    let sought = narrow.find.map(|text| text.to_lowercase());
    let fits = |person: &PersonId| {
        let name = directory.tables().people.get(person).map(|known| known.name.to_lowercase()).unwrap_or_default();
        let is_it = |text: &String| person.as_str().to_lowercase().contains(text) || name.contains(text);
        sought.as_ref().is_none_or(is_it)
    };
    let photos = directory.photos().iter().filter(|(_, photo)| state.is_none_or(|state| photo.state == state));
    let mut seen: Vec<_> = photos.filter(|(person, _)| fits(person) && is_seen(person)).collect();
    seen.sort_by_key(|(_, photo)| photo.at);
    Ok(Json(PhotoList {
        photos: seen.into_iter().map(|(person, photo)| view(&api, directory, person, photo)).collect(),
    }))
}

/// Approves a photo; it is locked from then on.
#[utoipa::path(post, path = "/v1/people/{id}/photo/approve", params(("id" = String, Path, description = "The person")),
    request_body = PhotoDecision,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn approve(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(decision): Body<PhotoDecision>,
) -> Result<Json<Change>, Failure> {
    let order = PhotoOrder::Approve { person: person_id(&id)?, image: image_of(&decision.image)? };
    api.change(&caller, Command::Photo(order)).await.map(Json)
}

/// Rejects a photo, with a reason; another one can be brought.
#[utoipa::path(post, path = "/v1/people/{id}/photo/reject", params(("id" = String, Path, description = "The person")),
    request_body = PhotoDecision,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn reject(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(decision): Body<PhotoDecision>,
) -> Result<Json<Change>, Failure> {
    let reason =
        decision.reason.ok_or_else(|| Failure::bad("say why the photo is rejected: its owner brings another"))?;
    let order = PhotoOrder::Reject { person: person_id(&id)?, image: image_of(&decision.image)?, reason };
    api.change(&caller, Command::Photo(order)).await.map(Json)
}

/// Takes the approval of a photo back, so that another can be brought.
#[utoipa::path(post, path = "/v1/people/{id}/photo/reopen", params(("id" = String, Path, description = "The person")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn reopen(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let order = PhotoOrder::Reopen { person: person_id(&id)?, reason };
    api.change(&caller, Command::Photo(order)).await.map(Json)
}

/// Removes a photo; another can be brought.
#[utoipa::path(post, path = "/v1/people/{id}/photo/remove", params(("id" = String, Path, description = "The person")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let order = PhotoOrder::Remove { person: person_id(&id)?, reason };
    api.change(&caller, Command::Photo(order)).await.map(Json)
}

pub fn view(api: &Api, directory: &Directory, person: &PersonId, photo: &Photo) -> PhotoView {
    PhotoView {
        person: person.to_string(),
        name: directory.tables().people.get(person).map(|person| person.name.clone()).unwrap_or_default(),
        image: photo.image.to_string(),
        state: photo.state.name().to_owned(),
        by: photo.by.to_string(),
        at: api.when(photo.at),
        reason: photo.reason.clone(),
    }
}

fn person_id(id: &str) -> Result<PersonId, Failure> {
    PersonId::new(id).map_err(Failure::of_id("person", id))
}

fn image_of(text: &str) -> Result<Hash, Failure> {
    let mut image = [0; 32];
    let decoded = hex::decode_to_slice(text, &mut image);
    decoded.map_err(|_| Failure::bad(format!("{} is no hash of an image: 64 hexadecimal digits", shown(text))))?;
    Ok(Hash(image))
}

fn state_of(name: &str) -> Result<PhotoState, Failure> {
    let names = PhotoState::ALL.map(PhotoState::name);
    let known = PhotoState::ALL.into_iter().find(|state| state.name() == name);
    known.ok_or_else(|| {
        let near = did_you_mean(name, names);
        Failure::bad(format!("{} is none of {}{near}", shown(name), names.join(", ")))
    })
}
