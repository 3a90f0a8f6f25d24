//! Grants: rights that staff give and end.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::shapes::{Change, Fault, GrantEnding, GrantOrder};
use super::{Api, Failure};
use crate::keys;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::command::Command;
use doorward_policy::model::{Grant, GrantId, ScheduleName};
use doorward_protocol::problem::shown;
use doorward_protocol::time::{Day, DayRange};
use std::sync::Arc;

/// Grants a right.
#[utoipa::path(post, path = "/v1/grants", request_body = GrantOrder,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn add(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<GrantOrder>,
) -> Result<Json<Change>, Failure> {
    let name = match order.id {
        Some(name) => name,
        None => {
            let random: [u8; 6] =
                keys::random().map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
            format!("g-{}", hex::encode(random))
        }
    };
    let id = GrantId::new(&name).map_err(Failure::of_id("grant", &name))?;
    let schedule = order.schedule.as_deref().filter(|name| *name != "always");
    let schedule =
        schedule.map(|name| ScheduleName::new(name).map_err(Failure::of_id("schedule", name))).transpose()?;
    let days = DayRange { from: day(order.from.as_deref())?, until: day(order.until.as_deref())? };
    let grant = Grant { subject: order.subject, target: order.target, schedule, days };
    let mut change = api.change(&caller, Command::GrantAdd { id, grant }).await?;
    change.grant = Some(name);
    Ok(Json(change))
}

/// Ends a grant.
#[utoipa::path(post, path = "/v1/grants/{id}/end", params(("id" = String, Path, description = "The grant")),
    request_body = GrantEnding,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn end(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(GrantEnding { on }): Body<GrantEnding>,
) -> Result<Json<Change>, Failure> {
    let grant = GrantId::new(&id).map_err(Failure::of_id("grant", &id))?;
    let mut change = api.change(&caller, Command::GrantEnd { id: grant, on: day(on.as_deref())? }).await?;
    change.grant = Some(id);
    Ok(Json(change))
}

fn day(text: Option<&str>) -> Result<Option<Day>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let day = Day::parse(text);
    day.map(Some).ok_or_else(|| Failure::bad(format!("{} is not a day; write YYYY-MM-DD", shown(text))))
}
