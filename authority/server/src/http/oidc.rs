//! Signing in by the identity provider: begins, and makes an operator's or a card holder's session of what comes back.
//!
//! What the groups of somebody may do is written into the journal before the session begins, so that the one table decides
//! about it as about everybody else.

use super::caller::Caller;
use super::extract::{Body, Params};
use super::shapes::Fault;
use super::shapes::office::SessionGiven;
use super::shapes::oidc::{BeginQuery, OidcBegun, OidcReturn};
use super::{Api, Failure};
use crate::accounts::Login;
use crate::clock;
use crate::oidc::{Identity, Oidc, Return, SignInError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::command::{Actor, Command};
use doorward_policy::model::PersonId;
use doorward_policy::office::authorize::Asker;
use doorward_policy::office::{OfficeOrder, Operator, OperatorId};
use std::sync::Arc;

/// How the journal names the mapping of groups.
const ACTOR: &str = "oidc";

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        let status = match error {
            SignInError::Redirect => StatusCode::BAD_REQUEST,
            SignInError::Unknown | SignInError::Code | SignInError::Token(_) => StatusCode::UNAUTHORIZED,
            SignInError::Provider(_) => StatusCode::BAD_GATEWAY,
            SignInError::Busy | SignInError::Key(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

/// Begins to sign in by the identity provider: answers where the browser has to go.
#[utoipa::path(get, path = "/v1/session/oidc", params(BeginQuery), security(()),
    responses((status = 200, body = OidcBegun), (status = 400, body = Fault), (status = 404, body = Fault),
        (status = 502, body = Fault), (status = 503, body = Fault)))]
pub async fn begin(
    State(api): State<Arc<Api>>,
    Params(BeginQuery { redirect_uri }): Params<BeginQuery>,
) -> Result<Json<OidcBegun>, Failure> {
    let begun = oidc(&api)?.begin(&redirect_uri, clock::wall()).await?;
    let expires_at = api.when(begun.expires_at);
    Ok(Json(OidcBegun { url: begun.url, state: begun.state, handle: begun.handle, expires_at }))
}

/// Signs in with what the browser brought back: answers a token that stands for the operator or card holder until the session ends.
#[utoipa::path(post, path = "/v1/session/oidc", request_body = OidcReturn, security(()),
    responses((status = 200, body = SessionGiven), (status = 401, body = Fault), (status = 403, body = Fault),
        (status = 404, body = Fault), (status = 502, body = Fault), (status = 503, body = Fault)))]
pub async fn finish(
    State(api): State<Arc<Api>>,
    Body(OidcReturn { handle, state, code, iss }): Body<OidcReturn>,
) -> Result<Json<SessionGiven>, Failure> {
    let back = Return { handle, state, code, issuer: iss };
    let identity = oidc(&api)?.finish(back, clock::wall()).await.inspect_err(|error| match error {
        // Whoever makes something up fills no log.
        SignInError::Unknown | SignInError::Redirect | SignInError::Busy => api.refusals.count(),
        SignInError::Provider(_) | SignInError::Code | SignInError::Token(_) | SignInError::Key(_) => {
            tracing::warn!(%error, "nobody was signed in by the identity provider");
        }
    })?;
    let login = admit(&api, identity).await?;
    let (token, session) = api.accounts.begin_session(&login, clock::wall())?;
    if super::sessions::known(&api, &login).is_none() {
        // Whoever was removed meanwhile does not come in any more.
        api.accounts.forget(&login)?;
        return Err(SignInError::Unknown.into());
    }
    tracing::info!(operator = %login, "an operator signed in by the identity provider");
    Ok(Json(SessionGiven { operator: login.to_string(), token, expires_at: api.when(session.expires_at) }))
}

fn oidc(api: &Api) -> Result<&Oidc, Failure> {
    api.oidc.as_ref().ok_or_else(|| {
        let failure = Failure::new(StatusCode::NOT_FOUND, "this authority knows no identity provider");
        failure.with_hint("sign in with a password, or name the provider in oidc.toml of the data directory")
    })
}

/// Makes of somebody what the groups of that one say: an operator, or none any more.
async fn admit(api: &Api, identity: Identity) -> Result<Login, Failure> {
    let Identity { operator: id, name, power, holder } = identity;
    let Some(power) = power else {
        dismiss(api, &id).await?;
        return holder_of(api, holder);
    };
    let operator = Operator { name, power };
    let known = api.authority.office().operators.get(&id).cloned();
    if known.as_ref() != Some(&operator) {
        if known.is_none() {
            api.accounts.forget(&Login::Operator(id.clone()))?;
        }
        let put = Command::Office(OfficeOrder::OperatorPut { id: id.clone(), operator });
        if let Err(failure) = api.change(&provider()?, put).await {
            // What the groups say now cannot be; what they said before does not hold any more.
            dismiss(api, &id).await?;
            return Err(failure);
        }
    }
    Ok(Login::Operator(id))
}

async fn dismiss(api: &Api, id: &OperatorId) -> Result<(), Failure> {
    if api.authority.office().operators.contains_key(id) {
        api.change(&provider()?, Command::Office(OfficeOrder::OperatorRemove { id: id.clone() })).await?;
    }
    Ok(api.accounts.forget(&Login::Operator(id.clone()))?)
}

fn holder_of(api: &Api, holder: Option<String>) -> Result<Login, Failure> {
    let holder = holder.and_then(|holder| PersonId::new(&holder).ok()).map(Login::Holder);
    holder.filter(|holder| super::sessions::known(api, holder).is_some()).ok_or_else(|| {
        let error = "none of your groups at the identity provider may do anything here";
        Failure::new(StatusCode::FORBIDDEN, error)
            .with_hint("ask an administrator to name one of them in oidc.toml, or the provider's to put you into one")
    })
}

fn provider() -> Result<Caller, Failure> {
    let actor =
        Actor::new(ACTOR).map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Caller { asker: Asker::Owner, actor })
}
