//! Grants: rights that staff give, look through, confirm and end, and what one would change.

use super::caller::Caller;
use super::extract::{Body, Named, Params};
use super::shapes::requests::{DoorEffect, EffectView, GrantTerms, GrantView, Grants};
use super::shapes::{Change, Fault, GrantEnding, GrantOrder, Reason};
use super::{Api, Failure};
use crate::clock;
use crate::keys;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::command::Command;
use doorward_policy::effect::{Effect, Trial};
use doorward_policy::model::{Grant, GrantId, ScheduleName, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::{Object, of_people, of_target};
use doorward_policy::plan::PlanError;
use doorward_protocol::problem::shown;
use doorward_protocol::time::{Day, DayRange};
use serde::Deserialize;
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Default, Deserialize)]
pub struct Narrow {
    pub(crate) older_than_days: Option<u32>,
}

/// Grants a right.
#[utoipa::path(post, path = "/v1/grants", request_body = GrantOrder,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn add(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(mut order): Body<GrantOrder>,
) -> Result<Json<Change>, Failure> {
    let name = order.id.take().map_or_else(|| random_name("g"), Ok)?;
    let command = Command::GrantAdd { id: grant_id(&name)?, grant: grant_of(order)? };
    let mut change = api.change(&caller, command).await?;
    change.grant = Some(name);
    Ok(Json(change))
}

/// The grants to doors in the caller's remit; those that nobody has looked at for long, if so asked.
#[utoipa::path(get, path = "/v1/grants",
    params(("older_than_days" = Option<u32>, Query, description = "Only those that stand unchanged and unconfirmed so long")),
    responses((status = 200, body = Grants), (status = 403, body = Fault)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<Grants>, Failure> {
    caller.may_somewhere(&api, Act::SeeGrants)?;
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let before = narrow.older_than_days.map(|days| now.plus_ms(i64::from(days).saturating_mul(-DAY_MS)));
    let may_see = |grant: &Grant| directory.allow(&caller.asker, Act::SeeGrants, of_target(&grant.target), now).is_ok();
    // Of a grant that was there before anybody kept note, nobody has looked at it.
    let is_old = |id: &GrantId| before.is_none_or(|before| directory.reviewed_at(id).is_none_or(|at| at <= before));
    let seen = directory.tables().grants.iter().filter(|(id, grant)| is_old(id) && may_see(grant));
    let views = seen.map(|(id, grant)| GrantView {
        id: id.to_string(),
        terms: terms(grant),
        of_folder: directory.folder_grants().contains_key(id),
        reviewed_at: directory.reviewed_at(id).map(|at| api.when(at)),
    });
    Ok(Json(Grants { grants: views.collect() }))
}

/// Says what a grant would change, and changes nothing.
#[utoipa::path(post, path = "/v1/grants/effect", request_body = GrantOrder,
    responses((status = 200, body = EffectView), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn effect(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<GrantOrder>,
) -> Result<Json<EffectView>, Failure> {
    let grant = grant_of(order)?;
    let by_people = caller.may(&api, Act::SeeGrants, of_people(&grant));
    by_people.or_else(|denied| caller.may(&api, Act::SeeGrants, of_target(&grant.target)).map_err(|_| denied))?;
    let asked = tokio::task::spawn_blocking(move || {
        // What the grant is about is copied, so that no commit waits until it is worked out.
        let trial = Trial::of(&api.authority.present().directory, &grant, clock::wall());
        trial?.effect()
    });
    let effect = asked.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(effect_view(effect.map_err(no_effect)?)))
}

/// Says what would end with a grant, and changes nothing: who gains is who would lose.
#[utoipa::path(get, path = "/v1/grants/{id}/effect", params(("id" = String, Path, description = "The grant")),
    responses((status = 200, body = EffectView), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn effect_of(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<EffectView>, Failure> {
    let id = grant_id(&id)?;
    let target = api.authority.present().directory.tables().grants.get(&id).map(|grant| grant.target.clone());
    caller.may(&api, Act::SeeGrants, target.as_ref().map_or(Object::Campus, of_target))?;
    let asked = tokio::task::spawn_blocking(move || {
        let trial = Trial::of_given(&api.authority.present().directory, &id, clock::wall());
        trial?.effect()
    });
    let effect = asked.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(effect_view(effect.map_err(no_effect)?)))
}

fn no_effect(error: PlanError) -> Failure {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::Compile(_) | PlanError::NoDay(_) => Failure::new(StatusCode::CONFLICT, error.to_string()),
    }
}

/// Confirms that a grant is still needed.
#[utoipa::path(post, path = "/v1/grants/{id}/confirm", params(("id" = String, Path, description = "The grant")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn confirm(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let mut change = api.change(&caller, Command::GrantConfirm { id: grant_id(&id)?, reason }).await?;
    change.grant = Some(id);
    Ok(Json(change))
}

/// Ends a grant.
#[utoipa::path(post, path = "/v1/grants/{id}/end", params(("id" = String, Path, description = "The grant")),
    request_body = GrantEnding,
    responses((status = 200, body = Change), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn end(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(GrantEnding { on }): Body<GrantEnding>,
) -> Result<Json<Change>, Failure> {
    let command = Command::GrantEnd { id: grant_id(&id)?, on: day(on.as_deref())? };
    let mut change = api.change(&caller, command).await?;
    change.grant = Some(id);
    Ok(Json(change))
}

/// The grant that an order describes.
pub fn grant_of(order: GrantOrder) -> Result<Grant, Failure> {
    let schedule = order.schedule.as_deref().filter(|name| *name != "always");
    let schedule =
        schedule.map(|name| ScheduleName::new(name).map_err(Failure::of_id("schedule", name))).transpose()?;
    let within = order.within.as_deref();
    let within = within.map(|unit| UnitId::new(unit).map_err(Failure::of_id("unit", unit))).transpose()?;
    let days = DayRange { from: day(order.from.as_deref())?, until: day(order.until.as_deref())? };
    Ok(Grant { subject: order.subject, target: order.target, schedule, days, within })
}

/// A grant as it is shown.
pub fn terms(grant: &Grant) -> GrantTerms {
    GrantTerms {
        subject: grant.subject.clone(),
        target: grant.target.clone(),
        schedule: grant.schedule.as_ref().map(ToString::to_string),
        from: grant.days.from.map(|day| day.to_string()),
        until: grant.days.until.map(|day| day.to_string()),
        within: grant.within.as_ref().map(ToString::to_string),
    }
}

pub fn effect_view(effect: Effect) -> EffectView {
    let doors = effect.doors.into_iter().map(|(id, door)| DoorEffect {
        door: id.to_string(),
        name: door.name,
        building: door.building.to_string(),
        gain: door.gain,
        have: door.have,
        more: door.more,
        without: door.without,
    });
    EffectView { people: effect.people, gaining: effect.gaining, doors: doors.collect() }
}

pub fn day(text: Option<&str>) -> Result<Option<Day>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let day = Day::parse(text);
    day.map(Some).ok_or_else(|| Failure::bad(format!("{} is not a day; write YYYY-MM-DD", shown(text))))
}

/// A name that nobody has chosen.
pub fn random_name(kind: &str) -> Result<String, Failure> {
    let random: [u8; 6] =
        keys::random().map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(format!("{kind}-{}", hex::encode(random)))
}

fn grant_id(name: &str) -> Result<GrantId, Failure> {
    GrantId::new(name).map_err(Failure::of_id("grant", name))
}
