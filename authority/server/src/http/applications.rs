//! Applications for cards: brought, seen, approved and rejected. And cards that should be replaced, or wait for their holders.

use super::caller::Caller;
use super::extract::{Body, Named, Params};
use super::grants::random_name;
use super::shapes::applications::{
    ApplicationAsk, ApplicationView, Applications, FoundCards, FoundReport, FoundView, ReissueView, Reissues,
};
use super::shapes::{Change, Fault, Reason};
use super::{Api, Failure};
use crate::clock;
use axum::Json;
use axum::extract::State;
use doorward_policy::application::{Application, ApplicationId, ApplicationOrder, Applied, Channel};
use doorward_policy::command::Command;
use doorward_policy::directory::Directory;
use doorward_policy::model::{CardId, CardTypeId, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::{did_you_mean, shown};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub struct Narrow {
    pub(crate) state: Option<String>,
}

/// Brings an application for a card.
#[utoipa::path(post, path = "/v1/applications", request_body = ApplicationAsk,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn apply(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(ask): Body<ApplicationAsk>,
) -> Result<Json<Change>, Failure> {
    let channel = Channel::of_name(&ask.channel).ok_or_else(|| {
        let names = Channel::ALL.map(Channel::name);
        let near = did_you_mean(&ask.channel, names);
        Failure::bad(format!("{} is no channel{near}", shown(&ask.channel)))
            .with_hint(format!("channels are {}", names.join(", ")))
    })?;
    let application = Application {
        person: PersonId::new(&ask.person).map_err(Failure::of_id("person", &ask.person))?,
        card_type: CardTypeId::new(&ask.card_type).map_err(Failure::of_id("card type", &ask.card_type))?,
        channel,
        reason: ask.reason,
        documents: ask.documents.into_iter().collect(),
    };
    let name = ask.id.map_or_else(|| random_name("a"), Ok)?;
    let order = ApplicationOrder::Apply { id: application_id(&name)?, application };
    api.change(&caller, Command::Application(order)).await.map(Json)
}

/// The applications of people in the caller's remit, oldest first.
#[utoipa::path(get, path = "/v1/applications",
    params(("state" = Option<String>, Query, description = "waiting, approved, rejected or used")),
    responses((status = 200, body = Applications), (status = 403, body = Fault)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<Applications>, Failure> {
    caller.may_somewhere(&api, Act::ApplyForCards)?;
    caller.looks(&api, "applications", "applications for cards".to_owned()).await;
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let is_seen =
        |person: &PersonId| directory.allow(&caller.asker, Act::ApplyForCards, Object::Person(person), now).is_ok();
    let fits = |applied: &Applied| {
        narrow.state.as_deref().is_none_or(|state| applied.state.name() == state)
            && is_seen(&applied.application.person)
    };
    let mut seen: Vec<_> = directory.applications().iter().filter(|(_, applied)| fits(applied)).collect();
    seen.sort_by_key(|(_, applied)| applied.at);
    let views = seen.into_iter().map(|(id, applied)| view(&api, directory, id, applied));
    Ok(Json(Applications { applications: views.collect() }))
}

fn view(api: &Api, directory: &Directory, id: &ApplicationId, applied: &Applied) -> ApplicationView {
    let Application { person, card_type, channel, reason, documents } = &applied.application;
    ApplicationView {
        id: id.to_string(),
        person: person.to_string(),
        name: name_of(directory, person),
        card_type: card_type.to_string(),
        channel: channel.name().to_owned(),
        reason: reason.clone(),
        documents: documents.iter().cloned().collect(),
        state: applied.state.name().to_owned(),
        by: applied.by.to_string(),
        at: api.when(applied.at),
        decision: applied.decision.clone(),
    }
}

/// Approves an application: the card can be issued.
#[utoipa::path(post, path = "/v1/applications/{id}/approve", params(("id" = String, Path, description = "The application")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn approve(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let order = ApplicationOrder::Approve { id: application_id(&id)?, reason };
    api.change(&caller, Command::Application(order)).await.map(Json)
}

/// Rejects an application.
#[utoipa::path(post, path = "/v1/applications/{id}/reject", params(("id" = String, Path, description = "The application")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn reject(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let order = ApplicationOrder::Reject { id: application_id(&id)?, reason };
    api.change(&caller, Command::Application(order)).await.map(Json)
}

/// Takes a found card in: it opens nothing until its holder has it back.
#[utoipa::path(post, path = "/v1/cards/{id}/found", params(("id" = String, Path, description = "The card")),
    request_body = FoundReport,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn found(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(FoundReport { place }): Body<FoundReport>,
) -> Result<Json<Change>, Failure> {
    let card = CardId::new(&id).map_err(Failure::of_id("card", &id))?;
    api.change(&caller, Command::CardFound { card, place }).await.map(Json)
}

/// Found cards that wait for their holders.
#[utoipa::path(get, path = "/v1/found-cards", responses((status = 200, body = FoundCards), (status = 403, body = Fault)))]
pub async fn found_cards(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<FoundCards>, Failure> {
    caller.may_somewhere(&api, Act::SuspendCard)?;
    caller.looks(&api, "found cards", "found cards".to_owned()).await;
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let is_seen = |card: &CardId| directory.allow(&caller.asker, Act::SuspendCard, Object::Card(card), now).is_ok();
    let mut found: Vec<_> = directory.desk().found.iter().filter(|(card, _)| is_seen(card)).collect();
    found.sort_by_key(|(_, found)| found.at);
    let views = found.into_iter().filter_map(|(card, found)| {
        let person = &directory.tables().cards.get(card)?.person;
        Some(FoundView {
            card: card.to_string(),
            person: person.to_string(),
            name: name_of(directory, person),
            place: found.place.clone(),
            by: found.by.to_string(),
            at: api.when(found.at),
        })
    });
    Ok(Json(FoundCards { cards: views.collect() }))
}

/// Cards whose holders went to another department, or to a category that gets other ones, since they were issued.
#[utoipa::path(get, path = "/v1/reissues", responses((status = 200, body = Reissues), (status = 403, body = Fault)))]
pub async fn reissues(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Reissues>, Failure> {
    caller.may_somewhere(&api, Act::IssueCards)?;
    caller.looks(&api, "reissues", "cards that should be replaced".to_owned()).await;
    let answer = tokio::task::spawn_blocking(move || {
        let (now, present) = (clock::wall(), api.authority.present());
        let directory = &present.directory;
        let is_seen = |card: &CardId| directory.allow(&caller.asker, Act::IssueCards, Object::Card(card), now).is_ok();
        let today = api.today();
        let proposed = today.into_iter().flat_map(|today| directory.reissues(today)).filter(|(card, _)| is_seen(card));
        let views = proposed.filter_map(|(id, cause)| {
            let card = directory.tables().cards.get(id)?;
            Some(ReissueView {
                card: id.to_string(),
                card_type: card.card_type.to_string(),
                person: card.person.to_string(),
                name: name_of(directory, &card.person),
                cause: cause.name().to_owned(),
            })
        });
        Json(Reissues { reissues: views.collect() })
    });
    answer.await.map_err(|error| Failure::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn name_of(directory: &Directory, person: &PersonId) -> String {
    directory.tables().people.get(person).map(|person| person.name.clone()).unwrap_or_default()
}

fn application_id(id: &str) -> Result<ApplicationId, Failure> {
    ApplicationId::new(id).map_err(Failure::of_id("application", id))
}
