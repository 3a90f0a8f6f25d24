//! What this service can do, and which resources and attributes it has: the same for everybody who may push people.

use super::attributes::{Attribute, COMMON, Choice, GROUPS, Kind, Mutability, ResourceKind, Schema, USERS};
use super::described::OF_DISCOVERY;
use super::listing::{COUNT_MAX, whole};
use super::{Api, BASE, ScimFailure, answer, today, with_meta};
use crate::http::caller::Caller;
use crate::http::extract::Named;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::directory::Directory;
use doorward_policy::office::acts::Act;
use doorward_protocol::time::Day;
use serde_json::{Value, json};
use std::sync::Arc;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0";

/// What the service can do.
#[utoipa::path(get, path = "/scim/v2/ServiceProviderConfig",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn config(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    let scheme = json!({
        "type": "oauthbearertoken", "name": "API token", "primary": true,
        "description": "A token that `doorward operator token` gave for an operator with the role registrar-feed",
    });
    let body = json!({
        "schemas": [format!("{CORE}:ServiceProviderConfig")],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": COUNT_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "authenticationSchemes": [scheme],
    });
    let body = with_meta("ServiceProviderConfig", format!("{BASE}/ServiceProviderConfig"), body);
    Ok(answer(StatusCode::OK, &body))
}

/// The kinds of resources.
#[utoipa::path(get, path = "/scim/v2/ResourceTypes",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn resource_types(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    Ok(whole(&[resource_type(&USERS), resource_type(&GROUPS)]))
}

/// One kind of resources.
#[utoipa::path(get, path = "/scim/v2/ResourceTypes/{id}", params(("id" = String, Path, description = "User or Group")),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn show_resource_type(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    let kind = [&USERS, &GROUPS].into_iter().find(|kind| kind.name == id);
    let kind = kind.ok_or_else(|| ScimFailure::not_there("resource type", &id))?;
    Ok(answer(StatusCode::OK, &resource_type(kind)))
}

/// The schemas.
#[utoipa::path(get, path = "/scim/v2/Schemas",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn schemas(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    let (present, today) = (api.authority.present(), today(&api)?);
    let all: Vec<Value> = all_schemas().map(|known| schema(&present.directory, known, today)).collect();
    Ok(whole(&all))
}

/// One schema.
#[utoipa::path(get, path = "/scim/v2/Schemas/{id}", params(("id" = String, Path, description = "Its URN")),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn show_schema(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    let known = all_schemas().find(|known| known.id.eq_ignore_ascii_case(&id));
    let known = known.ok_or_else(|| ScimFailure::not_there("schema", &id))?;
    Ok(answer(StatusCode::OK, &schema(&api.authority.present().directory, known, today(&api)?)))
}

/// Searches over all kinds of resources at once, which the standard leaves open.
#[utoipa::path(post, path = "/scim/v2/.search", responses((status = 501, description = "There is none")))]
pub async fn search(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    Err(ScimFailure::new(
        StatusCode::NOT_IMPLEMENTED,
        "there is no search by POST; ask /Users or /Groups with a filter",
    ))
}

fn all_schemas() -> impl Iterator<Item = &'static Schema> {
    let of_resources = [&USERS, &GROUPS]
        .into_iter()
        .flat_map(|kind| std::iter::once(kind.core).chain(kind.extensions.iter().copied()));
    of_resources.chain(OF_DISCOVERY.iter().copied())
}

fn resource_type(kind: &ResourceKind) -> Value {
    let extensions = kind.extensions.iter().map(|extension| json!({ "schema": extension.id, "required": false }));
    let body = json!({
        "schemas": [format!("{CORE}:ResourceType")],
        "id": kind.name, "name": kind.name, "endpoint": kind.endpoint, "description": kind.description,
        "schema": kind.core.id, "schemaExtensions": extensions.collect::<Vec<_>>(),
    });
    with_meta("ResourceType", format!("{BASE}/ResourceTypes/{}", kind.name), body)
}

fn schema(directory: &Directory, schema: &Schema, today: Day) -> Value {
    // Those that every resource has stand in no schema but for the client's own id.
    let common = COMMON.iter().filter(|common| common.name == "externalId" && schema.id == USERS.core.id);
    let attributes = common.chain(schema.attributes).map(|known| attribute(directory, known, today));
    let body = json!({
        "schemas": [format!("{CORE}:Schema")],
        "id": schema.id, "name": schema.name, "description": schema.description,
        "attributes": attributes.collect::<Vec<_>>(),
    });
    with_meta("Schema", format!("{BASE}/Schemas/{}", schema.id), body)
}

fn attribute(directory: &Directory, known: &Attribute, today: Day) -> Value {
    let mutability = match known.mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
    };
    let kind = match known.kind {
        Kind::Text => "string",
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Reference(_) => "reference",
        Kind::Complex(_) => "complex",
    };
    let mut body = json!({
        "name": known.name, "type": kind, "multiValued": known.is_multiple, "description": known.description,
        "required": known.is_required, "caseExact": known.is_exact, "mutability": mutability,
        "returned": if known.is_always_returned { "always" } else { "default" },
        "uniqueness": if known.is_unique { "server" } else { "none" },
    });
    let Some(fields) = body.as_object_mut() else { return body };
    if let Kind::Reference(kinds) = known.kind {
        fields.insert("referenceTypes".into(), kinds.into());
    }
    if !known.below().is_empty() {
        let below = known.below().iter().map(|known| attribute(directory, known, today));
        fields.insert("subAttributes".into(), below.collect());
    }
    let values: Vec<Value> = match known.choice {
        Choice::Any => Vec::new(),
        Choice::These(values) => values.iter().map(|value| (*value).into()).collect(),
        Choice::DayFromToday => vec![today.to_string().into()],
        Choice::DayInAYear => vec![today.plus(365).to_string().into()],
        Choice::Units => directory.tables().units.keys().map(|unit| unit.as_str().into()).collect(),
        Choice::Categories => {
            let categories = directory.policy().into_iter().flat_map(|policy| policy.categories.keys());
            categories.map(|category| category.as_str().into()).collect()
        }
    };
    if !values.is_empty() {
        fields.insert("canonicalValues".into(), values.into());
    }
    body
}
