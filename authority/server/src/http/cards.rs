//! Cards: what is known of one, and what can be ordered about it.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::grants::day;
use super::shapes::applications::CloseOrder;
use super::shapes::desk::{CardIssued, CardOrder, CardSummary, Extension, IssuedView};
use super::shapes::{CardView, Change, Fault, PersonView, Reason};
use super::{Api, Failure};
use axum::Json;
use axum::extract::State;
use doorward_policy::command::Command;
use doorward_policy::desk::{Cause, DeskOrder, Issue, fee};
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::model::{CardId, CardState, CardTypeId, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::problem::{did_you_mean, shown};
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
    caller.looks(&api, "card", format!("card {id}")).await;
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
        state: state_name(known.state).to_owned(),
        issued_on: known.issued_on.to_string(),
        valid_until: tables.last_day_of(known, policy).map(|day| day.to_string()),
        number: known.number.clone(),
        agents: agents.collect(),
        issued: present.directory.desk().issued.get(&id).map(|issued| IssuedView {
            cause: issued.cause.name().to_owned(),
            replaces: issued.replaces.as_ref().map(ToString::to_string),
            returned: issued.returned,
            fee: issued.fee.clone(),
            document: issued.document.clone(),
            by: issued.by.to_string(),
            at: api.when(issued.at),
        }),
    }))
}

/// Issues a card. It comes into use when it is activated.
#[utoipa::path(post, path = "/v1/cards", request_body = CardOrder,
    responses((status = 200, body = CardIssued), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn issue(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<CardOrder>,
) -> Result<Json<CardIssued>, Failure> {
    let (issue, name) = (issue_of(&api, &order)?, order.card);
    let id = issue.card.clone();
    let change = api.change(&caller, Command::Desk(DeskOrder::Issue(Box::new(issue)))).await?;
    let present = api.authority.present();
    let number = present.directory.tables().cards.get(&id).and_then(|card| card.number.clone());
    let fee = present.directory.desk().issued.get(&id).and_then(|issued| issued.fee.clone());
    Ok(Json(CardIssued { change, card: name, number, fee }))
}

/// The card that an order describes.
fn issue_of(api: &Api, order: &CardOrder) -> Result<Issue, Failure> {
    let cause = Cause::of_name(&order.cause).ok_or_else(|| {
        let names = Cause::ALL.map(Cause::name);
        let near = did_you_mean(&order.cause, names);
        Failure::bad(format!("{} is no cause{near}", shown(&order.cause)))
            .with_hint(format!("causes are {}", names.join(", ")))
    })?;
    let issued_on = day(order.issued_on.as_deref())?.or(api.today());
    Ok(Issue {
        card: card(&order.card)?,
        person: PersonId::new(&order.person).map_err(Failure::of_id("person", &order.person))?,
        card_type: CardTypeId::new(&order.card_type).map_err(Failure::of_id("card type", &order.card_type))?,
        cause,
        replaces: order.replaces.as_deref().map(card).transpose()?,
        returned: order.returned,
        number: order.number.clone(),
        issued_on: issued_on.ok_or_else(|| Failure::bad("today has no date here; say issued_on"))?,
        valid_until: day(order.valid_until.as_deref())?,
        document: order.document.clone(),
    })
}

/// What comes of issuing a card.
pub struct Weighed {
    /// What it costs its holder; `None` where the campus says nothing of it.
    pub fee: Option<String>,
    /// Whether the old card ends with the order, and not only when the new one comes into use.
    pub ends_at_once: bool,
}

/// Says what comes of an order to issue a card, and refuses what the order would be refused for; nothing is changed.
///
/// # Errors
/// When the caller may not issue it, or the order would be refused.
pub fn weigh(api: &Api, caller: &Caller, order: &CardOrder) -> Result<Weighed, Failure> {
    let issue = issue_of(api, order)?;
    caller.may(api, Act::IssueCards, Object::Person(&issue.person))?;
    let present = api.authority.present();
    let directory = &present.directory;
    let old = issue.replaces.as_ref().and_then(|old| directory.tables().cards.get(old));
    let fee = directory.policy().and_then(|policy| fee(policy, &issue, old));
    let ends_at_once = issue.cause.ends_at_once(issue.returned);
    let command = Command::Desk(DeskOrder::Issue(Box::new(issue)));
    directory.check(&command, api.authority.timeline.now().max(directory.at()))?;
    Ok(Weighed { fee, ends_at_once })
}

/// Makes a card valid for longer; one that expired works again.
#[utoipa::path(post, path = "/v1/cards/{id}/extend", params(("id" = String, Path, description = "The card")),
    request_body = Extension,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault),
        (status = 409, body = Fault)))]
pub async fn extend(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Extension { until, document }): Body<Extension>,
) -> Result<Json<Change>, Failure> {
    let last = day(Some(&until))?.ok_or_else(|| Failure::bad("say until when"))?;
    let order = DeskOrder::Extend { card: card(&id)?, until: last, document };
    api.change(&caller, Command::Desk(order)).await.map(Json)
}

/// A card in a few words.
pub fn summary(directory: &Directory, id: &CardId) -> Option<CardSummary> {
    let (tables, policy) = (directory.tables(), directory.policy()?);
    let card = tables.cards.get(id)?;
    Some(CardSummary {
        id: id.to_string(),
        card_type: card.card_type.to_string(),
        state: state_name(card.state).to_owned(),
        issued_on: card.issued_on.to_string(),
        valid_until: tables.last_day_of(card, policy).map(|day| day.to_string()),
        number: card.number.clone(),
    })
}

/// The name of a state.
pub const fn state_name(state: CardState) -> &'static str {
    match state {
        CardState::Produced => "produced",
        CardState::Active => "active",
        CardState::Suspended => "suspended",
        CardState::Closed => "closed",
    }
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
    request_body = CloseOrder,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn close(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
    Body(CloseOrder { reason, document }): Body<CloseOrder>,
) -> Result<Json<Change>, Failure> {
    api.change(&caller, Command::CardClose { card: card(&id)?, reason, document }).await.map(Json)
}

pub fn card(id: &str) -> Result<CardId, Failure> {
    CardId::new(id).map_err(Failure::of_id("card", id))
}
