//! Everything that is known of one person: collected for that one, and erased.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::grants::terms;
use super::shapes::personal::{EntryAboutPerson, Erasure, PersonExport};
use super::shapes::{Fault, Reason};
use super::{Api, Failure, log, looks, people, photos, requests};
use crate::access::Filter;
use crate::erasure;
use crate::history;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_policy::command::{Command, Entry};
use doorward_policy::erasure::Trail;
use doorward_policy::model::{PersonId, Subject};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records that are read together.
const PAGE: u32 = 1_000;

/// Everything that is known of a person.
#[utoipa::path(get, path = "/v1/people/{id}/export", params(("id" = String, Path, description = "The person")),
    responses((status = 200, body = PersonExport), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn export(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<PersonExport>, Failure> {
    let person = PersonId::new(&id).map_err(Failure::of_id("person", &id))?;
    caller.may(&api, Act::PersonalData, Object::Person(&person))?;
    let (asked, by, about) = (Arc::clone(&api), caller.clone(), person.clone());
    let collected = tokio::task::spawn_blocking(move || collect(&asked, &by, &about)).await.map_err(internal)??;
    // Of whom nothing is known, nothing is kept, either.
    caller.looks(&api, "export", format!("person {person}")).await;
    Ok(Json(collected))
}

/// Erases all that is known of somebody whom folders name no more.
#[utoipa::path(post, path = "/v1/people/{id}/erase", params(("id" = String, Path, description = "The person")),
    request_body = Reason,
    responses((status = 200, body = Erasure), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn erase(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Erasure>, Failure> {
    let person = PersonId::new(&id).map_err(Failure::of_id("person", &id))?;
    let change = api.change(&caller, erasure::order(person, reason).map_err(internal)?).await?;
    let changed = erasure::finish(&api.authority).await.map_err(|error| {
        internal(format!("entry {} says so, and not all is erased yet; a server tries again: {error}", change.seq))
    })?;
    api.retention.forget_holders()?;
    let (entries, records) = (changed.entries, changed.records);
    Ok(Json(Erasure { seq: change.seq, at: change.at, command: change.command, entries, records }))
}

fn collect(api: &Arc<Api>, caller: &Caller, person: &PersonId) -> Result<PersonExport, Failure> {
    let (trail, entries) = erasure::follow(&api.authority, u64::MAX, person.clone()).map_err(internal)?;
    if entries.is_empty() {
        return Err(Failure::new(StatusCode::NOT_FOUND, format!("nothing is known of a person `{person}`")));
    }
    let mut export = of_directory(api, caller, person);
    if let Some(image) = api.authority.present().directory.photos().get(person).map(|photo| photo.image) {
        export.photo_jpeg = Some(STANDARD.encode(api.photos().read(image)?));
    }
    let mut records = BTreeMap::new();
    let filters = trail.cards().iter().map(|card| Filter { card: Some(card.to_string()), ..Filter::default() });
    for mut filter in filters.chain([Filter { person: Some(person.to_string()), ..Filter::default() }]) {
        filter.after_id = Some(0);
        loop {
            let page = api.authority.store.records(&filter, PAGE)?;
            filter.after_id = page.last().map(|row| row.id);
            let is_theirs = |of: &Option<String>| of.as_ref().is_none_or(|of| of == person.as_str());
            records.extend(page.into_iter().filter(|row| is_theirs(&row.person)).map(|row| (row.id, row)));
            if filter.after_id.is_none() {
                break;
            }
        }
    }
    export.access_records = records.into_values().map(|row| log::view(api, row)).collect();
    let about = trail.cards().iter().map(|card| format!("card {card}")).chain([format!("person {person}")]);
    for about in about {
        let rows = api.authority.store.looks(Some(&about), None, None, u32::MAX)?;
        export.looks.extend(rows.into_iter().map(|row| looks::view(api, row)));
    }
    export.journal = entries.iter().map(|entry| entry_about(api, &trail, entry)).collect();
    Ok(export)
}

fn of_directory(api: &Api, caller: &Caller, person: &PersonId) -> PersonExport {
    let (now, present) = (api.authority.timeline.now(), api.authority.present());
    let directory = &present.directory;
    let is_theirs = |subject: &Subject| *subject == Subject::Person(person.clone());
    let grants = directory.tables().grants.iter().filter(|(_, grant)| is_theirs(&grant.subject));
    let asked = directory.requests().iter().filter(|(_, request)| is_theirs(&request.wish.grant.subject));
    PersonExport {
        person: person.to_string(),
        at: api.when(now),
        directory: directory.tables().people.get(person).map(|known| people::detail(directory, person, known)),
        photo: directory.photos().get(person).map(|photo| photos::view(api, directory, person, photo)),
        photo_jpeg: None,
        grants: grants.map(|(id, grant)| (id.to_string(), terms(grant))).collect(),
        requests: asked.map(|(id, request)| requests::view(api, directory, caller, id, request, now)).collect(),
        access_records: Vec::new(),
        looks: Vec::new(),
        journal: Vec::new(),
    }
}

fn entry_about(api: &Api, trail: &Trail, entry: &Entry) -> EntryAboutPerson {
    let says = if let Command::Import { difference } = &entry.command {
        serde_json::to_value(trail.part_of(difference)).unwrap_or_default()
    } else if let Command::Production(order) = &entry.command {
        history::detail(&Command::Production(trail.part_of_order(order)))
    } else if let Command::Feed(order) = &entry.command {
        history::detail(&Command::Feed(trail.part_of_feed(order)))
    } else {
        history::detail(&entry.command)
    };
    EntryAboutPerson {
        seq: entry.seq,
        at: api.when(entry.at),
        actor: entry.actor.to_string(),
        command: entry.command.name().to_owned(),
        says,
    }
}

fn internal(error: impl ToString) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
