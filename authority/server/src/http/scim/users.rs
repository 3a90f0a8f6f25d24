//! Users: people, as an identity provider has them.
//!
//! Whoever is deleted or not active has left: the person stays on record with cards and photo, and doors go by the day of leaving.

use super::attributes::{ENTERPRISE, PERSON, USERS};
use super::filter::{Filter, Operator};
use super::listing::Query;
use super::person::{read, user};
use super::{Api, Document, ScimFailure, answer, check_version, matching, names_version, patch, push, today};
use crate::clock;
use crate::http::caller::Caller;
use crate::http::extract::{Named, Params};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_policy::directory::Directory;
use doorward_policy::feed::{Alias, FeedOrder, Pushed};
use doorward_policy::model::{Person, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::shown;
use doorward_protocol::time::Day;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The people in the caller's remit whom the filter names.
#[utoipa::path(get, path = "/scim/v2/Users",
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
    let which =
        query.filter().map_or_else(|| "everybody".to_owned(), |filter| format!("people with {}", shown(filter)));
    caller.looks(&api, "find", which).await;
    let listed = tokio::task::spawn_blocking(move || {
        let present = api.authority.present();
        let directory = &present.directory;
        let is_seen = |id: &PersonId| {
            let is_theirs = || directory.allow(&caller.asker, Act::PushPeople, Object::Person(id), now).is_ok();
            !directory.alias(id).withdrawn && is_theirs()
        };
        let fits = |id: &PersonId, person: &Person| match &asked.filter {
            Some(filter) => matching::matches(&USERS, &user(directory, id, person, today), filter),
            None => true,
        };
        let people = &directory.tables().people;
        let of_name = asked.filter.as_ref().and_then(|filter| named(directory, filter));
        let is_any = of_name.is_none();
        let some = of_name.into_iter().flatten().filter_map(|id| people.get_key_value(id));
        let all = people.iter().filter(|_| is_any);
        let found: Vec<_> = some.chain(all).filter(|(id, person)| is_seen(id) && fits(id, person)).collect();
        asked.page(&USERS, &found, |(id, person)| user(directory, id, person, today))
    });
    listed.await.map_err(|error| ScimFailure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// Whom a filter can mean that asks for one name, as clients do before each write; `None` when it asks for anything else.
fn named<'a>(directory: &'a Directory, filter: &Filter) -> Option<Vec<&'a PersonId>> {
    let Filter::Compare(path, Operator::Equal, Value::String(text)) = filter else { return None };
    let is_of_core = path.schema.as_deref().is_none_or(|schema| schema.eq_ignore_ascii_case(USERS.core.id));
    if path.below.is_some() || !is_of_core {
        return None;
    }
    match path.name.to_ascii_lowercase().as_str() {
        "username" => Some(directory.person_of_user_name(text).into_iter().collect()),
        "externalid" => Some(directory.people_of_external_id(text)),
        "id" => {
            let id = PersonId::new(text).ok();
            Some(id.and_then(|id| Some(directory.tables().people.get_key_value(&id)?.0)).into_iter().collect())
        }
        _ => None,
    }
}

/// One person.
#[utoipa::path(get, path = "/scim/v2/Users/{id}", params(("id" = String, Path, description = "The person")),
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
pub async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, ScimFailure> {
    let id = may_see(&api, &caller, &id)?;
    caller.looks(&api, "person", format!("person {id}")).await;
    let resource = stored(&api.authority.present().directory, &id, today(&api)?)?;
    if names_version(&headers, header::IF_NONE_MATCH, &resource) == Some(true) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(answer(StatusCode::OK, &query.projection().of(&USERS, resource)))
}

/// Brings a person, or brings back one who was taken back.
#[utoipa::path(post, path = "/scim/v2/Users",
    request_body(content = Value, content_type = "application/scim+json"),
    responses((status = 201, body = Value, content_type = "application/scim+json")))]
pub async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Document(body): Document,
) -> Result<Response, ScimFailure> {
    caller.may_somewhere(&api, Act::PushPeople)?;
    let sent = sent(&body);
    let name = sent.get("userName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let order = |directory: &Directory, today: Day| {
        let same = directory.person_of_user_name(&name).filter(|id| directory.alias(id).withdrawn);
        let (id, _) = read(directory, same, &sent, today)?;
        if directory.tables().people.contains_key(&id) && !directory.alias(&id).withdrawn {
            let detail = format!("person `{id}` is there already; find it by its userName, and change it");
            return Err(ScimFailure::taken(detail));
        }
        let (id, pushed) = read(directory, Some(&id), &with_unsaid(directory, &id, sent.clone(), today), today)?;
        Ok(Some(FeedOrder { people: [(id, pushed)].into() }))
    };
    push(&api, &caller, order).await?;
    let present = api.authority.present();
    let id = present.directory.person_of_user_name(&name).ok_or_else(|| ScimFailure::not_there("person", &name))?;
    Ok(answer(StatusCode::CREATED, &stored(&present.directory, id, today(&api)?)?))
}

/// Replaces what is said of a person. Affiliations, of which it says nothing, stay: groups and department carry them, too.
#[utoipa::path(put, path = "/scim/v2/Users/{id}", params(("id" = String, Path, description = "The person")),
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
    let sent = sent(&body);
    change(&api, &caller, &id, |directory, today| {
        check_version(&headers, &stored(directory, &id, today)?)?;
        Ok(read(directory, Some(&id), &with_unsaid(directory, &id, sent.clone(), today), today)?.1)
    })
    .await
}

/// Changes some of what is said of a person.
#[utoipa::path(patch, path = "/scim/v2/Users/{id}", params(("id" = String, Path, description = "The person")),
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
    change(&api, &caller, &id, |directory, today| {
        let before = stored(directory, &id, today)?;
        check_version(&headers, &before)?;
        let after = patch::apply(&USERS, &before, &body)?;
        Ok(read(directory, Some(&id), &after, today)?.1)
    })
    .await
}

/// Takes a person back: whoever it is has left, stays on record, and is not there for the feed any more.
#[utoipa::path(delete, path = "/scim/v2/Users/{id}", params(("id" = String, Path, description = "The person")),
    responses((status = 204, description = "The person has left")))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    headers: HeaderMap,
) -> Result<Response, ScimFailure> {
    let id = may_see(&api, &caller, &id)?;
    let order = |directory: &Directory, today: Day| {
        check_version(&headers, &stored(directory, &id, today)?)?;
        let person = directory.tables().people.get(&id).ok_or_else(|| ScimFailure::not_there("person", id.as_str()))?;
        let left_on = Some(person.left_on.map_or(today, |left_on| left_on.min(today)));
        let alias = Alias { withdrawn: true, ..directory.alias(&id).into_owned() };
        let pushed =
            Pushed { person: Person { left_on, ..person.clone() }, alias, before: directory.person_version(&id) };
        Ok(Some(FeedOrder { people: [(id.clone(), pushed)].into() }))
    };
    push(&api, &caller, order).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The person of an id, if the caller may see it.
fn may_see(api: &Api, caller: &Caller, id: &str) -> Result<PersonId, ScimFailure> {
    caller.may_somewhere(api, Act::PushPeople)?;
    let id = PersonId::new(id).map_err(|_| ScimFailure::not_there("person", id))?;
    if !api.authority.present().directory.tables().people.contains_key(&id) {
        return Err(ScimFailure::not_there("person", id.as_str()));
    }
    caller.may(api, Act::PushPeople, Object::Person(&id))?;
    Ok(id)
}

/// The person as it is answered, unless it was taken back.
fn stored(directory: &Directory, id: &PersonId, today: Day) -> Result<Value, ScimFailure> {
    let person = directory.tables().people.get(id).filter(|_| !directory.alias(id).withdrawn);
    let person = person.ok_or_else(|| ScimFailure::not_there("person", id.as_str()))?;
    Ok(user(directory, id, person, today))
}

async fn change(
    api: &Api,
    caller: &Caller,
    id: &PersonId,
    work_out: impl Fn(&Directory, Day) -> Result<Pushed, ScimFailure>,
) -> Result<Response, ScimFailure> {
    let order = |directory: &Directory, today: Day| {
        let pushed = work_out(directory, today)?;
        let known = directory.tables().people.get(id);
        let is_same = known == Some(&pushed.person) && *directory.alias(id) == pushed.alias;
        Ok((!is_same).then(|| FeedOrder { people: [(id.clone(), pushed)].into() }))
    };
    push(api, caller, order).await?;
    Ok(answer(StatusCode::OK, &stored(&api.authority.present().directory, id, today(api)?)?))
}

/// What was sent of a person; clients that send a name in parts and none to show mean the parts.
fn sent(body: &Value) -> Value {
    let mut sent = patch::readable(&USERS, body);
    let name = matching::field(body, "name");
    let part = |part: &str| name.and_then(|name| matching::field(name, part)).and_then(Value::as_str);
    let parts = || {
        let parts: Vec<_> = [part("givenName"), part("familyName")].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    if let Some(fields) = sent.as_object_mut()
        && !fields.contains_key("displayName")
        && let Some(name) = part("formatted").map(str::to_owned).or_else(parts)
    {
        fields.insert("displayName".into(), name.into());
    }
    sent
}

/// What was sent, and what there is of that of which nothing was sent and which comes by other ways, too.
fn with_unsaid(directory: &Directory, id: &PersonId, mut sent: Value, today: Day) -> Value {
    let Some(person) = directory.tables().people.get(id) else { return sent };
    let before = user(directory, id, person, today);
    let Some(fields) = sent.as_object_mut() else { return sent };
    if let (false, Some(known)) = (fields.contains_key(ENTERPRISE.id), before.get(ENTERPRISE.id)) {
        fields.insert(ENTERPRISE.id.into(), known.clone());
    }
    match (fields.get_mut(PERSON.id).and_then(Value::as_object_mut), before.get(PERSON.id)) {
        (None, Some(known)) => {
            fields.insert(PERSON.id.into(), known.clone());
        }
        (Some(said), Some(known)) => keep_affiliations(said, known),
        (_, None) => {}
    }
    sent
}

fn keep_affiliations(said: &mut Map<String, Value>, known: &Value) {
    if let (false, Some(known)) = (said.contains_key("affiliations"), known.get("affiliations")) {
        said.insert("affiliations".into(), known.clone());
    }
}
