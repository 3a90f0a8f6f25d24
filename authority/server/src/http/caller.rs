//! Who calls: the bearer token says who it is; what that one may do is asked of the directory.
//!
//! Three kinds of token: the one of the data directory, whose holder owns everything there is; those that operators were given
//! for their programs; and those of sessions, which end soon.

use super::me;
use super::{Api, Failure};
use crate::accounts::Login;
use crate::clock;
use crate::token::hash_of;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use doorward_policy::command::Actor;
use doorward_policy::office::Office;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::{Asker, Denial, Object};
use std::sync::Arc;

/// The header by which the owner's token names a person in the journal.
pub const ACTING_AS: &str = "x-doorward-as";

/// See the module.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose powers count.
    pub asker: Asker,
    /// The name in the journal.
    pub actor: Actor,
}

impl Caller {
    /// The owner of the data directory, or a person whom the owner names.
    fn owner(headers: &HeaderMap) -> Result<Self, Failure> {
        let name = match headers.get(ACTING_AS) {
            None => "owner".to_owned(),
            Some(name) => {
                let name = std::str::from_utf8(name.as_bytes());
                let name = name.map_err(|_| Failure::bad(format!("the header {ACTING_AS} is not UTF-8")))?;
                format!("owner/{name}")
            }
        };
        let actor = Actor::new(&name).map_err(|error| Failure::bad(format!("the name in {ACTING_AS} {error}")))?;
        Ok(Self { asker: Asker::Owner, actor })
    }

    /// Whoever holds an API token; whom that one claims to be changes nothing.
    fn of_token(office: &Office, secret: &[u8]) -> Option<Self> {
        let id = office.token_of(&hash_of(secret), clock::wall())?;
        let operator = &office.tokens.get(id)?.operator;
        let actor = Actor::new(&format!("{operator}/token:{id}")).ok()?;
        Some(Self { asker: Asker::Token(id.clone()), actor })
    }

    /// An operator or a card holder who signed in, and is one still.
    pub(crate) fn of_session(api: &Api, office: &Office, token: &[u8]) -> Option<Self> {
        let login = api.accounts.session(token, clock::wall())?.operator;
        let is_one = match &login {
            Login::Operator(operator) => office.operators.contains_key(operator),
            Login::Holder(person) => api.authority.present().directory.tables().people.contains_key(person),
        };
        let actor = Actor::new(&login.to_string()).ok().filter(|_| is_one)?;
        Some(Self { asker: login.asker(), actor })
    }

    fn of(api: &Api, headers: &HeaderMap) -> Result<Self, Failure> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        if let Some(given) = given {
            if api.token.is(given) {
                return Self::owner(headers);
            }
            let office = api.authority.office();
            if let Some(caller) = Self::of_token(&office, given).or_else(|| Self::of_session(api, &office, given)) {
                return Ok(caller);
            }
        }
        api.refusals.count();
        Err(Failure::new(StatusCode::UNAUTHORIZED, "the bearer token is missing, wrong or has expired").with_hint(
            "send `Authorization: Bearer TOKEN` with the token of a session (`doorward sign-in`), with one that an \
             administrator gave you, or with the content of the file api-token in the data directory",
        ))
    }

    /// Whether the caller may do something.
    ///
    /// # Errors
    /// 403, and who may.
    pub fn may(&self, api: &Api, act: Act, object: Object<'_>) -> Result<(), Failure> {
        if self.asker == Asker::Owner {
            return Ok(());
        }
        Ok(api.authority.present().directory.allow(&self.asker, act, object, clock::wall())?)
    }

    /// Whether the caller may do something on some part of the campus; which part is asked of each thing.
    ///
    /// # Errors
    /// 403, and who may.
    pub fn may_somewhere(&self, api: &Api, act: Act) -> Result<(), Failure> {
        let office = api.authority.office();
        let powers = office.powers(&self.asker, clock::wall())?;
        let other = powers.into_iter().find(|power| !act.is_of(power.role));
        other.map_or(Ok(()), |power| Err(Denial::Role { role: power.role, act }.into()))
    }
}

/// Lets in who shows a token, and hands on who it is.
pub async fn recognise(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    match Caller::of(&api, request.headers()) {
        // Whatever a route forgets to ask: a card holder reaches the own page and nothing else.
        Ok(caller) if matches!(caller.asker, Asker::Holder(_)) && !me::is_for_holders(request.uri().path()) => {
            Failure::from(Denial::Holder).into_response()
        }
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        // Every route stands behind `recognise`.
        let caller = parts.extensions.get().cloned();
        caller.ok_or_else(|| Failure::new(StatusCode::UNAUTHORIZED, "nobody knows who calls"))
    }
}
