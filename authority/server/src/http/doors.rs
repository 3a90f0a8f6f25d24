//! Lockdowns and their end.

use super::caller::Caller;
use super::extract::Body;
use super::shapes::{Change, Fault, LockdownOrder};
use super::{Api, Failure};
use axum::Json;
use axum::extract::State;
use doorward_policy::command::Command;
use std::sync::Arc;

/// Shuts doors to everyone.
#[utoipa::path(post, path = "/v1/lockdown", request_body = LockdownOrder,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn lock_down(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(LockdownOrder { scope, reason }): Body<LockdownOrder>,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::LockDown { scope, reason }).await.map(Json)
}

/// Ends a lockdown.
#[utoipa::path(post, path = "/v1/release", request_body = LockdownOrder,
    responses((status = 200, body = Change), (status = 409, body = Fault)))]
pub async fn release(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(LockdownOrder { scope, reason }): Body<LockdownOrder>,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::Release { scope, reason }).await.map(Json)
}
