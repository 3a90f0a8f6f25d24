//! The map of the campus: seen by whoever may ask about doors, and arranged by administrators.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::shapes::Fault;
use super::shapes::map::{MapView, PlaceView, PlanView};
use super::shapes::office::Done;
use super::{Api, Failure};
use crate::clock;
use crate::map::{MapError, Place};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_policy::directory::Refusal;
use doorward_policy::model::BuildingId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::did_you_mean;
use std::collections::BTreeSet;
use std::sync::Arc;

impl From<MapError> for Failure {
    fn from(error: MapError) -> Self {
        let status = match error {
            MapError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            MapError::Other | MapError::Damaged(_) | MapError::Size(..) | MapError::Beside => StatusCode::BAD_REQUEST,
            MapError::NoPlan => StatusCode::NOT_FOUND,
            MapError::File(..) => StatusCode::CONFLICT,
            MapError::Key(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

/// What is on the disk, read where it may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MapError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??)
}

/// The map, with the places of buildings in the caller's remit.
#[utoipa::path(get, path = "/v1/map", responses((status = 200, body = MapView), (status = 403, body = Fault)))]
pub async fn show(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<MapView>, Failure> {
    caller.may_somewhere(&api, Act::SeeDoors)?;
    let asked = Arc::clone(&api);
    let (plan, places) = blocking(move || Ok((asked.map.plan(), asked.map.places()))).await?;
    let mut problems = Vec::new();
    let mut told = |error: MapError| problems.push(error.to_string());
    let plan = plan.unwrap_or_else(|error| {
        told(error);
        None
    });
    let places = places.unwrap_or_else(|error| {
        told(error);
        Default::default()
    });
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let is_seen = |id: &BuildingId| {
        let is_one = directory.tables().buildings.contains_key(id);
        is_one && directory.allow(&caller.asker, Act::SeeDoors, Object::Building(id), now).is_ok()
    };
    let places = places.into_iter().filter(|(id, _)| is_seen(id));
    Ok(Json(MapView {
        plan: plan.map(|plan| PlanView {
            media_type: plan.kind.media_type().to_owned(),
            width: plan.width,
            height: plan.height,
        }),
        places: places.map(|(id, place)| (id.to_string(), PlaceView { x: place.x, y: place.y })).collect(),
        problems,
    }))
}

/// The plan as an image.
#[utoipa::path(get, path = "/v1/map/plan",
    responses((status = 200, content_type = "image/png"), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn plan(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Failure> {
    caller.may_somewhere(&api, Act::SeeDoors)?;
    let plan = blocking(move || api.map.plan()?.ok_or(MapError::NoPlan)).await?;
    let headers = [
        (header::CONTENT_TYPE, plan.kind.media_type()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, plan.bytes).into_response())
}

/// Brings a plan, a PNG or a JPEG, in the place of the one before.
#[utoipa::path(put, path = "/v1/map/plan", request_body(content = Vec<u8>, content_type = "image/png"),
    responses((status = 200, body = Done), (status = 400, body = Fault), (status = 403, body = Fault),
        (status = 413, body = Fault)))]
pub async fn bring_plan(State(api): State<Arc<Api>>, caller: Caller, bytes: Bytes) -> Result<Json<Done>, Failure> {
    caller.may(&api, Act::ManageAgents, Object::Campus)?;
    blocking(move || api.map.keep_plan(&bytes)).await?;
    tracing::info!(by = %caller.actor, "another plan of the campus was brought");
    Ok(Json(Done {}))
}

/// Removes the plan; the places of buildings stay.
#[utoipa::path(delete, path = "/v1/map/plan",
    responses((status = 200, body = Done), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn remove_plan(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Done>, Failure> {
    caller.may(&api, Act::ManageAgents, Object::Campus)?;
    blocking(move || api.map.remove_plan()).await?;
    tracing::info!(by = %caller.actor, "the plan of the campus was removed");
    Ok(Json(Done {}))
}

/// Says where a building stands on the plan.
#[utoipa::path(put, path = "/v1/map/places/{id}", params(("id" = String, Path, description = "The building")),
    request_body = PlaceView,
    responses((status = 200, body = Done), (status = 400, body = Fault), (status = 403, body = Fault),
        (status = 404, body = Fault)))]
pub async fn place(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(PlaceView { x, y }): Body<PlaceView>,
) -> Result<Json<Done>, Failure> {
    put(api, &caller, &id, Some(Place { x, y })).await
}

/// Takes a building off the plan.
#[utoipa::path(delete, path = "/v1/map/places/{id}", params(("id" = String, Path, description = "The building")),
    responses((status = 200, body = Done), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn unplace(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<Done>, Failure> {
    put(api, &caller, &id, None).await
}

async fn put(api: Arc<Api>, caller: &Caller, id: &str, place: Option<Place>) -> Result<Json<Done>, Failure> {
    caller.may_somewhere(&api, Act::ManageAgents)?;
    let id = BuildingId::new(id).map_err(Failure::of_id("building", id))?;
    caller.may(&api, Act::ManageAgents, Object::Building(&id))?;
    // Copied, since nothing may wait for a disk that would read the directory.
    let buildings: BTreeSet<BuildingId> =
        api.authority.present().directory.tables().buildings.keys().cloned().collect();
    if !buildings.contains(&id) {
        let near = did_you_mean(id.as_str(), buildings.iter().map(BuildingId::as_str));
        return Err(Refusal::Unknown { kind: "building", id: id.to_string(), near }.into());
    }
    blocking(move || api.map.put(&id, place, |id| buildings.contains(id))).await?;
    Ok(Json(Done {}))
}
