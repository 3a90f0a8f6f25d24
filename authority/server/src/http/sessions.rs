//! Signing in and out: passwords, and the sessions that they begin.
//!
//! Who has no token yet is served by the routes of [`open`](super::open); all else stands behind one.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::failure::Cause;
use super::shapes::Fault;
use super::shapes::office::{Done, NewPassword, SessionGiven, SetUpGiven, SetUpOrder, SignIn};
use super::{Api, Failure};
use crate::accounts::{AccountError, Login};
use crate::clock;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use doorward_policy::command::Command;
use doorward_policy::model::PersonId;
use doorward_policy::office::authorize::Asker;
use doorward_policy::office::{OfficeOrder, OperatorId};
use std::sync::Arc;

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let status = match error {
            AccountError::Wrong | AccountError::SetUp => StatusCode::UNAUTHORIZED,
            AccountError::Locked(_) => StatusCode::TOO_MANY_REQUESTS,
            AccountError::Weak(_) => StatusCode::BAD_REQUEST,
            AccountError::Key(_) | AccountError::Hash => StatusCode::SERVICE_UNAVAILABLE,
        };
        let failure = Self::new(status, error.to_string());
        match error {
            AccountError::Wrong => failure.because(Cause::WrongPassword),
            AccountError::Locked(ms) => failure.because(Cause::LockedOut(ms)),
            AccountError::SetUp => failure.because(Cause::WrongSecret),
            AccountError::Weak(_) => failure.because(Cause::WeakPassword),
            AccountError::Key(_) | AccountError::Hash => failure,
        }
    }
}

/// Invites an operator to choose a password; ends the one before, and its sessions.
#[utoipa::path(post, path = "/v1/operators/{id}/invite", params(("id" = String, Path, description = "The operator")),
    responses((status = 200, body = SetUpGiven), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn invite(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<SetUpGiven>, Failure> {
    let operator = OperatorId::new(&id).map_err(Failure::of_id("operator", &id))?;
    // It stands in the journal first: whoever holds an invitation can become this operator.
    let change = api.change(&caller, Command::Office(OfficeOrder::OperatorInvite { id: operator.clone() })).await?;
    let (secret, expires_at) = api.accounts.invite(&Login::Operator(operator), clock::wall())?;
    Ok(Json(SetUpGiven { seq: change.seq, operator: id, secret, expires_at: api.when(expires_at) }))
}

/// Invites a card holder to choose a password for the own page; ends the one before, and its sessions.
#[utoipa::path(post, path = "/v1/people/{id}/invite", params(("id" = String, Path, description = "The person")),
    responses((status = 200, body = SetUpGiven), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn invite_holder(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<SetUpGiven>, Failure> {
    let person = PersonId::new(&id).map_err(Failure::of_id("person", &id))?;
    let change = api.change(&caller, Command::Office(OfficeOrder::HolderInvite { person: person.clone() })).await?;
    let login = Login::Holder(person);
    let (secret, expires_at) = api.accounts.invite(&login, clock::wall())?;
    Ok(Json(SetUpGiven { seq: change.seq, operator: login.to_string(), secret, expires_at: api.when(expires_at) }))
}

/// Chooses a password with an invitation.
#[utoipa::path(post, path = "/v1/setup", request_body = SetUpOrder, security(()),
    responses((status = 200, body = Done), (status = 400, body = Fault), (status = 401, body = Fault)))]
pub async fn set_up(State(api): State<Arc<Api>>, Body(order): Body<SetUpOrder>) -> Result<Json<Done>, Failure> {
    let login: Option<Login> = order.operator.parse().ok();
    let operator = login.and_then(|login| known(&api, &login)).ok_or(AccountError::SetUp)?;
    api.accounts.set_up(&operator, &order.secret, order.password, clock::wall()).await?;
    tracing::info!(%operator, "an operator chose a password");
    Ok(Json(Done {}))
}

/// Signs in: answers a token that stands for the operator until the session ends.
#[utoipa::path(post, path = "/v1/session", request_body = SignIn, security(()),
    responses((status = 200, body = SessionGiven), (status = 401, body = Fault), (status = 429, body = Fault)))]
pub async fn sign_in(
    State(api): State<Arc<Api>>,
    Body(SignIn { operator, password }): Body<SignIn>,
) -> Result<Json<SessionGiven>, Failure> {
    // A name that is none is tried like others, and cannot be told from them.
    let id: Login = operator.parse().map_err(|_| AccountError::Wrong)?;
    let (token, session) = api.accounts.sign_in(&id, password, clock::wall()).await?;
    if known(&api, &id).is_none() {
        api.accounts.forget(&id)?;
        return Err(AccountError::Wrong.into());
    }
    tracing::info!(operator = %id, "an operator signed in");
    Ok(Json(SessionGiven { operator, token, expires_at: api.when(session.expires_at) }))
}

/// Ends the session whose token is shown.
#[utoipa::path(delete, path = "/v1/session", responses((status = 200, body = Done)))]
pub async fn sign_out(State(api): State<Arc<Api>>, _caller: Caller, headers: HeaderMap) -> Json<Done> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.iter().for_each(|token| api.accounts.sign_out(token));
    Json(Done {})
}

/// Chooses another password; ends all sessions of the operator.
#[utoipa::path(post, path = "/v1/password", request_body = NewPassword,
    responses((status = 200, body = Done), (status = 400, body = Fault), (status = 401, body = Fault)))]
pub async fn change_password(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Result<Json<Done>, Failure> {
    let login = match &caller.asker {
        Asker::Operator(operator) => Login::Operator(operator.clone()),
        Asker::Holder(person) => Login::Holder(person.clone()),
        Asker::Owner | Asker::Token(_) => {
            return Err(Failure::bad("only an operator or a card holder who signed in has a password to change"));
        }
    };
    api.accounts.change_password(&login, old, new, clock::wall()).await?;
    Ok(Json(Done {}))
}

/// An account, if it is one's who works here or has a card.
pub fn known(api: &Api, login: &Login) -> Option<Login> {
    let is_one = match login {
        Login::Operator(operator) => api.authority.office().operators.contains_key(operator),
        Login::Holder(person) => api.authority.present().directory.tables().people.contains_key(person),
    };
    is_one.then(|| login.clone())
}
