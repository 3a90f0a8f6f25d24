//! Requests for access: asked by departments, decided by whose door it is, and seen by both.

use super::caller::Caller;
use super::extract::{Body, Named, Params};
use super::grants::{day, effect_view, grant_of, random_name, terms};
use super::shapes::requests::{RequestApproval, RequestAsk, RequestOutcome, RequestView, Requests};
use super::shapes::{Change, Fault, Reason};
use super::{Api, Failure};
use crate::clock;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_policy::command::Command;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::effect::Trial;
use doorward_policy::model::GrantId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::{Object, of_people, of_target};
use doorward_policy::office::requests::{End, Request, RequestId, RequestOrder, Standing, Wish};
use doorward_protocol::problem::{did_you_mean, shown};
use doorward_protocol::time::UnixMs;
use serde::Deserialize;
use std::sync::Arc;

/// How many days a request waits unless it says so.
const WAITS_DAYS: u32 = 30;
/// Longest that a request may wait, in days.
const WAITS_DAYS_MAX: u32 = 366;
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Default, Deserialize)]
pub struct Narrow {
    pub(crate) standing: Option<String>,
    #[serde(default)]
    pub(crate) to_decide: bool,
}

/// Asks for access.
#[utoipa::path(post, path = "/v1/requests", request_body = RequestAsk,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn ask(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<RequestAsk>,
) -> Result<Json<Change>, Failure> {
    let days = order.waits_days.unwrap_or(WAITS_DAYS);
    if !(1..=WAITS_DAYS_MAX).contains(&days) {
        return Err(Failure::bad(format!("a request waits 1 to {WAITS_DAYS_MAX} days, not {days}")));
    }
    let expires_at = api.authority.timeline.now().plus_ms(i64::from(days).saturating_mul(DAY_MS));
    let wish = Wish { grant: grant_of(order.grant)?, reason: order.reason, expires_at };
    let name = order.id.map_or_else(|| random_name("r"), Ok)?;
    let order = RequestOrder::Ask { id: request_id(&name)?, wish };
    let mut change = api.change(&caller, Command::Request(order)).await?;
    change.request = Some(name);
    Ok(Json(change))
}

/// The requests that concern people or doors in the caller's remit, oldest first.
#[utoipa::path(get, path = "/v1/requests",
    params(("standing" = Option<String>, Query, description = "waiting, expired, approved, rejected or withdrawn"),
        ("to_decide" = Option<bool>, Query, description = "Only those that wait for the caller's decision")),
    responses((status = 200, body = Requests), (status = 403, body = Fault)))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Json<Requests>, Failure> {
    let standing = narrow.standing.as_deref().map(standing_of).transpose()?;
    let (now, present) = (clock::wall(), api.authority.present());
    let directory = &present.directory;
    let seen = |request: &Request| sees(directory, &caller, request, now);
    caller.may_somewhere(&api, Act::SeeGrants)?;
    let fits = |request: &(&RequestId, &Request)| {
        let stands = request.1.standing(now);
        standing.is_none_or(|standing| stands == standing)
            && (!narrow.to_decide || (stands == Standing::Waiting && decides(directory, &caller, request.1, now)))
    };
    let requests = directory.requests().iter().filter(|(_, request)| seen(request));
    let mut requests: Vec<_> = requests.filter(fits).collect();
    requests.sort_by_key(|(_, request)| request.at);
    let views = requests.into_iter().map(|(id, request)| view(&api, directory, &caller, id, request, now));
    Ok(Json(Requests { requests: views.collect() }))
}

/// One request; while it waits, with what approving it would change.
#[utoipa::path(get, path = "/v1/requests/{id}", params(("id" = String, Path, description = "The request")),
    responses((status = 200, body = RequestView), (status = 403, body = Fault), (status = 404, body = Fault)))]
pub async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<RequestView>, Failure> {
    caller.may_somewhere(&api, Act::SeeGrants)?;
    let id = request_id(&id)?;
    let asked = tokio::task::spawn_blocking(move || {
        let (now, present) = (clock::wall(), api.authority.present());
        let directory = &present.directory;
        let request = directory.requests().get(&id).filter(|request| sees(directory, &caller, request, now));
        let Some(request) = request else {
            // Of a request of others not even its name is said.
            let seen = directory.requests().iter().filter(|(_, request)| sees(directory, &caller, request, now));
            let near = did_you_mean(id.as_str(), seen.map(|(id, _)| id.as_str()));
            return Err(Refusal::Unknown { kind: "request", id: id.to_string(), near }.into());
        };
        let mut view = view(&api, directory, &caller, &id, request, now);
        if request.standing(now) == Standing::Waiting {
            // What it names may have left the campus: then approving it would be refused.
            let trial = Trial::of(directory, &request.wish.grant, now).ok();
            drop(present);
            view.effect = trial.and_then(|trial| trial.effect().ok()).map(effect_view);
        }
        Ok(Json(view))
    });
    asked.await.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
}

/// Approves a request: it becomes a grant.
#[utoipa::path(post, path = "/v1/requests/{id}/approve", params(("id" = String, Path, description = "The request")),
    request_body = RequestApproval,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn approve(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(approval): Body<RequestApproval>,
) -> Result<Json<Change>, Failure> {
    let name = approval.grant.unwrap_or_else(|| id.clone());
    let grant = GrantId::new(&name).map_err(Failure::of_id("grant", &name))?;
    let (until, reason) = (day(approval.until.as_deref())?, approval.reason);
    let order = RequestOrder::Approve { id: request_id(&id)?, grant, until, reason };
    let mut change = api.change(&caller, Command::Request(order)).await?;
    (change.grant, change.request) = (Some(name), Some(id));
    Ok(Json(change))
}

/// Rejects a request.
#[utoipa::path(post, path = "/v1/requests/{id}/reject", params(("id" = String, Path, description = "The request")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn reject(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let order = RequestOrder::Reject { id: request_id(&id)?, reason };
    let mut change = api.change(&caller, Command::Request(order)).await?;
    change.request = Some(id);
    Ok(Json(change))
}

/// Takes a request back.
#[utoipa::path(post, path = "/v1/requests/{id}/withdraw", params(("id" = String, Path, description = "The request")),
    request_body = Reason,
    responses((status = 200, body = Change), (status = 403, body = Fault), (status = 409, body = Fault)))]
pub async fn withdraw(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(id): Named<String>,
    Body(Reason { reason }): Body<Reason>,
) -> Result<Json<Change>, Failure> {
    let order = RequestOrder::Withdraw { id: request_id(&id)?, reason };
    let mut change = api.change(&caller, Command::Request(order)).await?;
    change.request = Some(id);
    Ok(Json(change))
}

/// A request is seen by those for whose people it asks, and by those whose doors it asks for.
fn sees(directory: &Directory, caller: &Caller, request: &Request, now: UnixMs) -> bool {
    let may = |object| directory.allow(&caller.asker, Act::SeeGrants, object, now).is_ok();
    may(of_people(&request.wish.grant)) || may(of_target(&request.wish.grant.target))
}

fn decides(directory: &Directory, caller: &Caller, request: &Request, now: UnixMs) -> bool {
    let object: Object<'_> = of_target(&request.wish.grant.target);
    directory.allow(&caller.asker, Act::Decide, object, now).is_ok()
}

pub fn view(
    api: &Api,
    directory: &Directory,
    caller: &Caller,
    id: &RequestId,
    request: &Request,
    now: UnixMs,
) -> RequestView {
    let standing = request.standing(now);
    let outcome = request.outcome.as_ref().map(|outcome| RequestOutcome {
        by: outcome.by.to_string(),
        at: api.when(outcome.at),
        reason: outcome.reason.clone(),
        grant: match &outcome.end {
            End::Approved(grant) => Some(grant.to_string()),
            End::Rejected | End::Withdrawn => None,
        },
    });
    RequestView {
        id: id.to_string(),
        by: request.by.to_string(),
        at: api.when(request.at),
        grant: terms(&request.wish.grant),
        reason: request.wish.reason.clone(),
        expires_at: api.when(request.wish.expires_at),
        standing: standing.name().to_owned(),
        outcome,
        yours_to_decide: standing == Standing::Waiting && decides(directory, caller, request, now),
        effect: None,
    }
}

fn request_id(name: &str) -> Result<RequestId, Failure> {
    RequestId::new(name).map_err(Failure::of_id("request", name))
}

fn standing_of(name: &str) -> Result<Standing, Failure> {
    let names = Standing::ALL.map(Standing::name);
    let known = Standing::ALL.into_iter().find(|standing| standing.name() == name);
    known.ok_or_else(|| {
        let near = did_you_mean(name, names);
        Failure::bad(format!("{} is none of {}{near}", shown(name), names.join(", ")))
    })
}
