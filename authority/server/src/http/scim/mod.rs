//! SCIM 2.0 (RFC 7643, RFC 7644) under `/scim/v2`: an identity provider pushes people, and which units they belong to.
//!
//! Deliberately a translation and no second store: Users are people, Groups are units with their people, and each write is one
//! command, held against the role and the remit of whoever gives it. Units themselves come with the campus folder.

pub mod attributes;
pub mod described;
pub mod discovery;
pub mod filter;
pub mod groups;
mod listing;
mod matching;
mod patch;
mod person;
pub mod users;

use super::caller::Caller;
use super::{Api, Failure};
use crate::authority::OrderError;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_policy::command::Command;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::feed::FeedOrder;
use doorward_policy::office::Role;
use doorward_protocol::id::hash;
use doorward_protocol::time::Day;
use serde_json::{Value, json};

/// Where everything begins.
pub const BASE: &str = "/scim/v2";

/// Largest body in bytes: a thousand members with names.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// How often a write is worked out anew when somebody else was faster.
const ATTEMPTS: u32 = 5;

/// How many people leave in one day without a question, however small the campus is.
const LEAVING_FREELY: usize = 10;

const CONTENT_TYPE: &str = "application/scim+json";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An error as the standard answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimFailure {
    status: StatusCode,
    scim_type: Option<&'static str>,
    detail: String,
}

impl ScimFailure {
    /// An error of no kind that the standard names.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// What was sent is wrong, in one of the ways that the standard names.
    pub fn bad(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, scim_type: Some(scim_type), detail: detail.into() }
    }

    fn value(detail: impl Into<String>) -> Self {
        Self::bad("invalidValue", detail)
    }

    /// Somebody else is called that.
    fn taken(detail: String) -> Self {
        Self { status: StatusCode::CONFLICT, scim_type: Some("uniqueness"), detail }
    }

    fn not_there(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} {} is not there", doorward_protocol::problem::shown(id)))
    }

    fn outdated() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "it has changed meanwhile; read it again and repeat the change")
    }
}

impl IntoResponse for ScimFailure {
    fn into_response(self) -> Response {
        let mut body = json!({ "schemas": [ERROR], "status": self.status.as_u16().to_string(), "detail": self.detail });
        if let (Some(scim_type), Some(fields)) = (self.scim_type, body.as_object_mut()) {
            fields.insert("scimType".to_owned(), scim_type.into());
        }
        (self.status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
    }
}

impl From<Failure> for ScimFailure {
    fn from(failure: Failure) -> Self {
        let hint = failure.fault.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        Self::new(failure.status(), format!("{}{hint}", failure.fault.error))
    }
}

impl From<Refusal> for ScimFailure {
    fn from(refusal: Refusal) -> Self {
        if matches!(refusal, Refusal::PersonChanged(_)) {
            return Self::outdated();
        }
        if matches!(refusal, Refusal::UserNameTaken(_)) {
            return Self::taken(refusal.to_string());
        }
        let is_of_value = matches!(
            refusal,
            Refusal::Unknown { .. }
                | Refusal::NoDays { .. }
                | Refusal::Text { .. }
                | Refusal::TooManyAffiliations(_)
                | Refusal::FeedSize(_)
        );
        if is_of_value { Self::value(refusal.to_string()) } else { Failure::from(refusal).into() }
    }
}

impl From<OrderError> for ScimFailure {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Refused(refusal) => refusal.into(),
            OrderError::Denied(_) | OrderError::Journal(_) | OrderError::Spelling(_) | OrderError::Stopping => {
                Failure::from(error).into()
            }
        }
    }
}

/// A body of JSON.
pub struct Document(pub Value);

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = ScimFailure;

    async fn from_request(request: Request, state: &S) -> Result<Self, ScimFailure> {
        let read = Bytes::from_request(request, state).await;
        let bytes = read.map_err(|error| ScimFailure::new(error.status(), error.body_text()))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| ScimFailure::bad("invalidSyntax", error.to_string()))?;
        if value.is_object() {
            Ok(Self(value))
        } else {
            Err(ScimFailure::bad("invalidSyntax", "the body is no object"))
        }
    }
}

/// An answer with a resource, its address and its version.
fn answer(status: StatusCode, resource: &Value) -> Response {
    let mut headers = HeaderMap::new();
    let mut say = |name, value: Option<&Value>| {
        if let Some(Ok(value)) = value.and_then(Value::as_str).map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    };
    let meta = resource.get("meta");
    say(header::ETAG, meta.and_then(|meta| meta.get("version")));
    say(header::LOCATION, meta.and_then(|meta| meta.get("location")));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    (status, headers, resource.to_string()).into_response()
}

/// Gives a resource its address and its version, which follows from all else that it says.
fn with_meta(kind: &str, location: String, mut resource: Value) -> Value {
    let hash = hash("doorward 1 scim version", &[location.as_bytes(), resource.to_string().as_bytes()]);
    let version: String = hex::encode(hash.0).chars().take(32).collect();
    if let Some(fields) = resource.as_object_mut() {
        let version = format!("W/\"{version}\"");
        fields.insert("meta".to_owned(), json!({ "resourceType": kind, "location": location, "version": version }));
    }
    resource
}

/// Whether a header of conditions names the version of a resource.
fn names_version(headers: &HeaderMap, name: header::HeaderName, resource: &Value) -> Option<bool> {
    let wanted = headers.get(name)?.to_str().unwrap_or_default();
    let version = resource.pointer("/meta/version").and_then(Value::as_str).unwrap_or_default();
    // Weak and strong spellings of one version are the same here.
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    Some(wanted.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(version)))
}

/// Refuses a change of what is not any more as the client saw it.
fn check_version(headers: &HeaderMap, resource: &Value) -> Result<(), ScimFailure> {
    if names_version(headers, header::IF_MATCH, resource) == Some(false) {
        Err(ScimFailure::outdated())
    } else {
        Ok(())
    }
}

/// Today at the campus.
fn today(api: &Api) -> Result<Day, ScimFailure> {
    let local = api.authority.zone().local(crate::clock::wall());
    local
        .map(|local| local.day)
        .ok_or_else(|| ScimFailure::new(StatusCode::CONFLICT, "today has no local day here; set the clock right"))
}

/// Refuses when more than a tenth of the people would have left today by feeds: more likely a wrong setting of the provider than a
/// bad day. Whoever may do everything says by doing it that it is right.
fn check_leaving(api: &Api, caller: &Caller, order: &FeedOrder) -> Result<(), ScimFailure> {
    let office = api.authority.office();
    let powers = office.powers(&caller.asker, crate::clock::wall()).map_err(Failure::from)?;
    let leaves = |day: Day| order.people.values().any(|pushed| pushed.person.left_on == Some(day));
    let today = today(api)?;
    if !leaves(today) || powers.iter().all(|power| power.role == Role::Administrator) {
        return Ok(());
    }
    let (leaving, here) = api.authority.present().directory.leaving_with(order, today);
    if leaving <= LEAVING_FREELY || leaving.saturating_mul(10) <= here {
        return Ok(());
    }
    let detail = format!(
        "{leaving} of {here} people would have left today, more than a tenth; nothing was changed. If that is right, push it with the \
         token of an administrator"
    );
    Err(ScimFailure::new(StatusCode::FORBIDDEN, detail))
}

/// Works an order out from the directory and gives it; once more, when somebody else was faster. Done once it is published, and with
/// that on its way to every door.
async fn push(
    api: &Api,
    caller: &Caller,
    work_out: impl Fn(&Directory, Day) -> Result<Option<FeedOrder>, ScimFailure>,
) -> Result<(), ScimFailure> {
    for _ in 0..ATTEMPTS {
        let order = work_out(&api.authority.present().directory, today(api)?)?;
        let Some(order) = order else { return Ok(()) };
        check_leaving(api, caller, &order)?;
        let given = api.authority.execute_for(caller.asker.clone(), caller.actor.clone(), Command::Feed(order)).await;
        match given {
            Ok(accepted) => {
                api.authority.published_at(accepted.seq).await;
                return Ok(());
            }
            Err(OrderError::Refused(Refusal::PersonChanged(_))) => {
                api.authority.published_at(api.authority.timeline.accepted()).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(ScimFailure::outdated())
}
