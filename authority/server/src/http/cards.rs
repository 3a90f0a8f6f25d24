//! Cards: what is known of one, and what can be ordered about it.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::shapes::{CardView, Change, Fault, PersonView, Reason};
use super::{Api, Failure};
use axum::Json;
use axum::extract::State;
use doorward_policy::command::Command;
use doorward_policy::directory::Refusal;
use doorward_policy::model::{CardId, CardState};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::did_you_mean;
use std::sync::Arc;

/// What is known of a card.
#[utoipa::path(get, path = "/v1/cards/{id}", params(("id" = String, Path, description = "The card")),
    responses((status = 200, body = CardView), (status = 404, body = Fault)))]
pub async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<CardView>, Failure> {
    let id = card(&id)?;
    caller.may(&api, Act::SeeCards, Object::Card(&id))?;
    let present = api.authority.present();
    let (tables, policy) = (present.directory.tables(), present.directory.policy());
    let Some((known, policy)) = tables.cards.get(&id).zip(policy) else {
        let near = did_you_mean(id.as_str(), tables.cards.keys().map(CardId::as_str));
        return Err(Refusal::Unknown { kind: "card", id: id.to_string(), near }.into());
    };
    let person = tables.people.get(&known.person);
    let agents = present.compiled.holders(&id).map(|agent| {
        let doors = present.compiled.doors_known(agent, &id);
        api.affected(agent, doors.iter().map(ToString::to_string).collect())
    });
    Ok(Json(CardView {
        id: id.to_string(),
        person: PersonView {
            id: known.person.to_string(),
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            category: person.map(|person| person.category.to_string()).unwrap_or_default(),
        },
        card_type: known.card_type.to_string(),
        state: match known.state {
            CardState::Produced => "produced",
            CardState::Active => "active",
            CardState::Suspended => "suspended",
            CardState::Closed => "closed",
        }
        .to_owned(),
        issued_on: known.issued_on.to_string(),
        valid_until: tables.last_day_of(known, policy).map(|day| day.to_string()),
        number: known.number.clone(),
        agents: agents.collect(),
    }))
}

/// Holds a card back: no door opens for it any more.
#[utoipa::path(post, path = "/v1/cards/{id}/suspend", params(("id" = String, Path, description = "The card")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn suspend(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::CardSuspend { card: card(&id)?, reason }).await.map(Json)
}

/// Lets a suspended card work again.
#[utoipa::path(post, path = "/v1/cards/{id}/resume", params(("id" = String, Path, description = "The card")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn resume(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::CardResume { card: card(&id)?, reason }).await.map(Json)
}

/// Brings a produced card into use.
#[utoipa::path(post, path = "/v1/cards/{id}/activate", params(("id" = String, Path, description = "The card")),
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn activate(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::CardActivate { card: card(&id)? }).await.map(Json)
}

/// Ends a card for good.
#[utoipa::path(post, path = "/v1/cards/{id}/close", params(("id" = String, Path, description = "The card")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn close(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::CardClose { card: card(&id)?, reason }).await.map(Json)
}

fn card(id: &str) -> Result<CardId, Failure> {
    CardId::new(id).map_err(Failure::of_id("card", id))
}
