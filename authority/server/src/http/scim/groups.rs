//! Groups: the units of the campus, and who is affiliated to them.
//!
//! Deliberately neither made nor deleted here: units come with the campus folder, since doors, owners and rules name them. A client
//! finds a unit by its name, and says who its members are.

use super::attributes::{GROUP, GROUPS};
use super::listing::Query;
use super::person::{end, join, lasts};
use super::{
    Api, BASE, Document, ScimFailure, answer, check_version, matching, names_version, patch, push, today, with_meta,
};
use crate::clock;
use crate::http::caller::Caller;
use crate::http::extract::{Named, Params};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_policy::directory::Directory;
use doorward_policy::feed::{FeedOrder, PEOPLE_MAX, Pushed};
use doorward_policy::model::{Person, PersonId, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::time::Day;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The units in the caller's remit that the filter names.
#[utoipa::path(get, path = "/scim/v2/Groups",
    params(("filter" = Option<String>, Query, description = "RFC 7644, section 3.4.2.2"),
        ("startIndex" = Option<i64>, Query, description = "The first, counted from 1"),
        ("count" = Option<i64>, Query, description = "How many at most"),
        ("attributes" = Option<String>, Query, description = "Only these attributes"),
        ("excludedAttributes" = Option<String>, Query, description = "Without these attributes")),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    let (asked, today, now) = (query.read()?, today(&api)?, clock::wall());
    caller.looks(&api, "find", "members of units".to_owned()).await;
    let listed = tokio::task::spawn_blocking(move || {
        let present = api.authority.present();
        let directory = &present.directory;
        let is_seen = |id: &&UnitId| directory.allow(&caller.asker, Act::PushPeople, Object::Unit(id), now).is_ok();
        let fits = |id: &&UnitId| match (&asked.filter, stored(directory, id, today)) {
            (Some(filter), Ok(group)) => matching::matches(&GROUPS, &group, filter),
            (None, Ok(_)) => true,
            (_, Err(_)) => false,
        };
        let found: Vec<&UnitId> = directory.tables().units.keys().filter(is_seen).filter(fits).collect();
        asked.page(&GROUPS, &found, |id| stored(directory, id, today).unwrap_or_default())
    });
    listed.await.map_err(|error| ScimFailure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// One unit.
#[utoipa::path(get, path = "/scim/v2/Groups/{id}", params(("id" = String, Path, description = "The unit")),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, ScimFailure> {
    let id = may_see(&api, &caller, &id)?;
    caller.looks(&api, "find", format!("members of unit {id}")).await;
    let resource = stored(&api.authority.present().directory, &id, today(&api)?)?;
    if names_version(&headers, header::IF_NONE_MATCH, &resource) == Some(true) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(answer(StatusCode::OK, &query.projection().of(&GROUPS, resource)))
}

/// Says who the members of a unit are.
#[utoipa::path(put, path = "/scim/v2/Groups/{id}", params(("id" = String, Path, description = "The unit")),
    request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn replace(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    headers: HeaderMap,
    Document(body): Document,
) -> Result<Response, ScimFailure> {
    let id = may_see(&api, &caller, &id)?;
    change(&api, &caller, &id, &headers, |_| Ok(patch::readable(&GROUPS, &body))).await
}

/// Adds members to a unit, or takes some out of it.
#[utoipa::path(patch, path = "/scim/v2/Groups/{id}", params(("id" = String, Path, description = "The unit")),
    request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn modify(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    headers: HeaderMap,
    Document(body): Document,
) -> Result<Response, ScimFailure> {
    let id = may_see(&api, &caller, &id)?;
    change(&api, &caller, &id, &headers, |before| patch::apply(&GROUPS, before, &body)).await
}

fn may_see(api: &Api, caller: &Caller, id: &str) -> Result<UnitId, ScimFailure> {
    caller.may_somewhere(api, Act::PushPeople)?;
    let id = UnitId::new(id).map_err(|_| ScimFailure::not_there("unit", id))?;
    if !api.authority.present().directory.tables().units.contains_key(&id) {
        return Err(ScimFailure::not_there("unit", id.as_str()));
    }
    caller.may(api, Act::PushPeople, Object::Unit(&id))?;
    Ok(id)
}

/// Who is affiliated to a unit itself, today or later.
fn members<'a>(
    directory: &'a Directory,
    unit: &'a UnitId,
    today: Day,
) -> impl Iterator<Item = (&'a PersonId, &'a Person)> {
    let people = &directory.tables().people;
    let of_unit = directory.members_of(unit).filter_map(|id| people.get_key_value(id));
    let here = of_unit.filter(|(id, _)| !directory.alias(id).withdrawn);
    here.filter(move |(_, person)| person.affiliations.iter().any(|of| of.unit == *unit && lasts(of.days, today)))
}

fn stored(directory: &Directory, id: &UnitId, today: Day) -> Result<Value, ScimFailure> {
    let unit = directory.tables().units.get(id).ok_or_else(|| ScimFailure::not_there("unit", id.as_str()))?;
    let members = members(directory, id, today).map(|(id, person)| {
        json!({ "value": id, "$ref": format!("{BASE}/Users/{id}"), "display": person.name, "type": "User" })
    });
    let members: Vec<Value> = members.collect();
    let group = json!({ "schemas": [GROUP.id], "id": id, "displayName": unit.name, "members": members });
    Ok(with_meta("Group", format!("{BASE}/Groups/{id}"), group))
}

async fn change(
    api: &Api,
    caller: &Caller,
    id: &UnitId,
    headers: &HeaderMap,
    make: impl Fn(&Value) -> Result<Value, ScimFailure>,
) -> Result<Response, ScimFailure> {
    let order = |directory: &Directory, today: Day| {
        let before = stored(directory, id, today)?;
        check_version(headers, &before)?;
        let wanted = wanted(directory, &make(&before)?)?;
        let present: BTreeSet<PersonId> = members(directory, id, today).map(|(id, _)| id.clone()).collect();
        if wanted.symmetric_difference(&present).count() > PEOPLE_MAX {
            let detail = format!("more than {PEOPLE_MAX} members would come or go; say it in several requests");
            return Err(ScimFailure::bad("tooMany", detail));
        }
        let pushed = |person_id: &PersonId, change: &dyn Fn(&mut Person)| {
            let mut person = directory.tables().people.get(person_id)?.clone();
            change(&mut person);
            let (alias, before) = (directory.alias(person_id).into_owned(), directory.person_version(person_id));
            Some((person_id.clone(), Pushed { person, alias, before }))
        };
        let come = wanted.difference(&present).filter_map(|member| pushed(member, &|person| join(person, id, today)));
        let gone = present.difference(&wanted).filter_map(|member| pushed(member, &|person| end(person, id, today)));
        let order = FeedOrder { people: come.chain(gone).collect() };
        Ok((!order.people.is_empty()).then_some(order))
    };
    push(api, caller, order).await?;
    Ok(answer(StatusCode::OK, &stored(&api.authority.present().directory, id, today(api)?)?))
}

/// The members that a group names.
fn wanted(directory: &Directory, group: &Value) -> Result<BTreeSet<PersonId>, ScimFailure> {
    let members = group.get("members").and_then(Value::as_array).into_iter().flatten();
    let named = members.map(|member| {
        let name = member.get("value").and_then(Value::as_str).unwrap_or_default();
        let id = PersonId::new(name)
            .ok()
            .filter(|id| directory.tables().people.contains_key(id) && !directory.alias(id).withdrawn);
        id.ok_or_else(|| {
            let shown = doorward_protocol::problem::shown(name);
            ScimFailure::value(format!("member {shown} is not there; push the person first"))
        })
    });
    named.collect()
}
