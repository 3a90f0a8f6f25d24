//! Operators and their API tokens: who works here, and what each may do.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::grants::random_name;
use super::shapes::office::{
    ApiTokenGiven, ApiTokenOrder, ApiTokenView, Me, OperatorOrder, OperatorView, Operators, PowerView,
};
use super::shapes::{Change, Fault};
use super::{Api, Failure, at};
use crate::accounts::Login;
use crate::clock;
use crate::keys;
use crate::token::hash_of;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::command::Command;
use doorward_policy::directory::Refusal;
use doorward_policy::model::{BuildingId, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::{Denial, Object};
use doorward_policy::office::{ApiToken, ApiTokenId, OfficeOrder, Operator, OperatorId, Power, Remit, Role};
use doorward_protocol::id::IdError;
use doorward_protocol::problem::{did_you_mean, shown};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

/// How many days a token is good for unless the request says so.
const VALID_DAYS: u32 = 90;
/// Longest that a token may be good for, in days.
const VALID_DAYS_MAX: u32 = 731;
const DAY_MS: i64 = 86_400_000;

/// Who asks, and what that one may do.
#[utoipa::path(get, path = "/v1/me", responses((status = 200, body = Me)))]
pub async fn me(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Me>, Failure> {
    let office = api.authority.office();
    // Card holders have a page instead.
    let powers = office.powers(&caller.asker, clock::wall())?;
    let acts = Act::ALL.into_iter().filter(|act| powers.iter().all(|power| act.is_of(power.role)));
    Ok(Json(Me {
        actor: caller.actor.to_string(),
        powers: powers.iter().map(|power| view(power)).collect(),
        acts: acts.map(|act| act.words().to_owned()).collect(),
        position: at(api.authority.published().position),
    }))
}

/// All operators and their tokens, for those who may read the journal, where it stands, too.
#[utoipa::path(get, path = "/v1/operators", responses((status = 200, body = Operators), (status = 403, body = Fault)))]
pub async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Operators>, Failure> {
    caller.may(&api, Act::ReadJournal, Object::Campus)?;
    let (office, now) = (api.authority.office(), clock::wall());
    let tokens_of = |operator: &OperatorId| {
        let tokens = office.tokens.iter().filter(|(_, token)| token.operator == *operator);
        let views = tokens.map(|(id, token)| ApiTokenView {
            id: id.to_string(),
            power: view(&token.power),
            expires_at: api.when(token.expires_at),
            expired: token.expires_at <= now,
        });
        views.collect()
    };
    let operators = office.operators.iter().map(|(id, operator)| OperatorView {
        id: id.to_string(),
        name: operator.name.clone(),
        power: view(&operator.power),
        tokens: tokens_of(id),
    });
    Ok(Json(Operators { operators: operators.collect() }))
}

/// Makes somebody an operator, or another one than before.
#[utoipa::path(put, path = "/v1/operators/{id}", params(("id" = String, Path, description = "The operator")),
    request_body = OperatorOrder,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn put(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(OperatorOrder { name, power }): Body<OperatorOrder>,
) -> Result<Json<Change>, Failure> {
    let operator = Operator { name, power: power_of(power)? };
    let id = OperatorId::new(&id).map_err(Failure::of_id("operator", &id))?;
    caller.may(&api, Act::ManageOperators, Object::Campus)?;
    if id.is_of_provider() {
        // Not even the owner, who could otherwise take such a name by mistake.
        return Err(Denial::Provider(id).into());
    }
    let is_new = !api.authority.office().operators.contains_key(&id);
    let change = api.change(&caller, Command::Office(OfficeOrder::OperatorPut { id: id.clone(), operator })).await?;
    if is_new {
        // Whoever had that name before, and a password, is somebody else.
        api.accounts.forget(&Login::Operator(id.clone()))?;
    }
    Ok(Json(change))
}

/// Ends what an operator and its tokens may do.
#[utoipa::path(delete, path = "/v1/operators/{id}", params(("id" = String, Path, description = "The operator")),
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<Change>, Failure> {
    let id = OperatorId::new(&id).map_err(Failure::of_id("operator", &id))?;
    let change = api.change(&caller, Command::Office(OfficeOrder::OperatorRemove { id: id.clone() })).await?;
    api.accounts.forget(&Login::Operator(id.clone()))?;
    Ok(Json(change))
}

/// Gives an operator an API token.
#[utoipa::path(post, path = "/v1/tokens", request_body = ApiTokenOrder,
    responses((status = 200, body = ApiTokenGiven), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn add_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<ApiTokenOrder>,
) -> Result<Json<ApiTokenGiven>, Failure> {
    let operator = OperatorId::new(&order.operator).map_err(Failure::of_id("operator", &order.operator))?;
    let days = order.days.unwrap_or(VALID_DAYS);
    if !(1..=VALID_DAYS_MAX).contains(&days) {
        return Err(Failure::bad(format!("a token is good for 1 to {VALID_DAYS_MAX} days, not for {days}")));
    }
    let no_chance = |error: keys::KeyError| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    let secret: [u8; 32] = keys::random().map_err(no_chance)?;
    let name = order.id.map_or_else(|| random_name("t"), Ok)?;
    let id = ApiTokenId::new(&name).map_err(Failure::of_id("token", &name))?;
    let power = match order.power {
        Some(power) => power_of(power)?,
        None => {
            let office = api.authority.office();
            let known = office.operators.get(&operator);
            let near = || did_you_mean(operator.as_str(), office.operators.keys().map(OperatorId::as_str));
            let known =
                known.ok_or_else(|| Refusal::Unknown { kind: "operator", id: operator.to_string(), near: near() });
            known?.power.clone()
        }
    };
    let expires_at = api.authority.timeline.now().plus_ms(i64::from(days).saturating_mul(DAY_MS));
    let text = hex::encode(secret);
    let token = ApiToken { operator, power, expires_at, hash: hash_of(text.as_bytes()) };
    let change = api.change(&caller, Command::Office(OfficeOrder::TokenAdd { id, token })).await?;
    Ok(Json(ApiTokenGiven { seq: change.seq, id: name, token: text, expires_at: api.when(expires_at) }))
}

/// Ends an API token.
#[utoipa::path(delete, path = "/v1/tokens/{id}", params(("id" = String, Path, description = "The token's name")),
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn remove_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<Change>, Failure> {
    let id = ApiTokenId::new(&id).map_err(Failure::of_id("token", &id))?;
    api.change(&caller, Command::Office(OfficeOrder::TokenRemove { id })).await.map(Json)
}

fn view(power: &Power) -> PowerView {
    fn names<T: ToString>(ids: &BTreeSet<T>) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }
    let mut view = PowerView { role: power.role.to_string(), ..PowerView::default() };
    match &power.remit {
        Remit::Campus => view.campus = true,
        Remit::Part { units, buildings } => (view.units, view.buildings) = (names(units), names(buildings)),
    }
    view
}

fn power_of(power: PowerView) -> Result<Power, Failure> {
    let PowerView { role, campus, units, buildings } = power;
    let known = Role::of_name(&role).ok_or_else(|| {
        let near = did_you_mean(&role, Role::ALL.map(Role::name));
        let roles = Role::ALL.map(Role::name).join(", ");
        Failure::bad(format!("{} is no role{near}", shown(&role))).with_hint(format!("roles are {roles}"))
    })?;
    let (units, buildings) = (ids::<UnitId>("unit", &units)?, ids::<BuildingId>("building", &buildings)?);
    let is_part = !units.is_empty() || !buildings.is_empty();
    let remit = match (campus, is_part) {
        (true, false) => Remit::Campus,
        (false, true) => Remit::Part { units, buildings },
        // What was forgotten must not mean everything.
        (true, true) | (false, false) => {
            return Err(Failure::bad("a remit is either the whole campus or some units and buildings; say which"));
        }
    };
    Ok(Power { role: known, remit })
}

fn ids<T: Ord + FromStr<Err = IdError>>(what: &str, names: &BTreeSet<String>) -> Result<BTreeSet<T>, Failure> {
    names.iter().map(|name| name.parse().map_err(Failure::of_id(what, name))).collect()
}
