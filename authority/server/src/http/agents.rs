//! Agents: which there are and how they are, tokens for new ones, and striking one off.

use super::caller::Caller;
use super::extract::{Body, Named};
use super::shapes::{AgentView, Agents, Change, Fault, Invitation, Invite};
use super::{Api, Failure, at};
use crate::access::Contact;
use crate::clock;
use crate::hub::Live;
use crate::leases;
use crate::present::Present;
use axum::Json;
use axum::extract::State;
use doorward_policy::command::Command;
use doorward_policy::directory::Directory;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::{Denial, Object};
use doorward_protocol::id::AgentId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long a join token is good for unless the request says so, in minutes.
const VALID_MINUTES: u32 = 60;
/// Longest that a join token may be good for, in minutes: a month.
const VALID_MINUTES_MAX: u32 = 31 * 24 * 60;

/// All agents.
#[utoipa::path(get, path = "/v1/agents", responses((status = 200, body = Agents)))]
pub async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Json<Agents>, Failure> {
    let present = api.authority.present();
    let ids = seen_by(&caller, &present.directory)?;
    let contacts: BTreeMap<&AgentId, Contact> =
        ids.iter().map(|id| Ok((*id, api.authority.store.contact(id)?))).collect::<Result<_, Failure>>()?;
    let agents = contacts.into_iter().map(|(id, contact)| view(&api, &present, id, contact));
    Ok(Json(Agents { agents: agents.collect() }))
}

/// The agents that a caller sees: those with a building in its remit.
fn seen_by<'a>(caller: &Caller, directory: &'a Directory) -> Result<BTreeSet<&'a AgentId>, Failure> {
    let may_see = |object| directory.allow(&caller.asker, Act::SeeAgents, object, clock::wall());
    match may_see(Object::Campus) {
        Ok(()) => Ok(directory.agent_ids()),
        Err(Denial::Remit { .. }) => {
            let buildings = directory.tables().buildings.iter();
            let seen = buildings.filter(|(id, _)| may_see(Object::Building(id)).is_ok());
            Ok(seen.map(|(_, building)| &building.agent).collect())
        }
        Err(
            denial @ (Denial::Gone(_)
            | Denial::Role { .. }
            | Denial::Stage { .. }
            | Denial::Approver { .. }
            | Denial::Holder
            | Denial::HeldByOthers(_)
            | Denial::Provider(_)
            | Denial::Authority(_)),
        ) => Err(denial.into()),
    }
}

fn view(api: &Api, present: &Present, id: &AgentId, contact: Contact) -> AgentView {
    let hub = &api.authority.hub;
    let connection = hub.connection(id);
    let live: Option<Live> = connection.as_ref().map(|connection| connection.live()).or_else(|| hub.last_heard(id));
    let known = present.directory.agents().get(id);
    let state = match known {
        Some(agent) if agent.removed => "removed",
        Some(agent) if agent.key.is_some() => "enrolled",
        Some(agent) if agent.token.is_some() => "invited",
        Some(_) | None => "expected",
    };
    let buildings = present.directory.tables().buildings.iter().filter(|(_, building)| building.agent == *id);
    let confirmed = Some(contact.confirmed).filter(|confirmed| confirmed.seq > 0);
    let position = live.as_ref().and_then(|live| live.position).max(confirmed);
    let head = present.published.position;
    let fresh_at = leases::fresh_at(&api.authority, id, contact);
    let lease_ends_at = fresh_at.and_then(|fresh_at| leases::first_end(present.leases(id), fresh_at));
    AgentView {
        id: id.to_string(),
        buildings: buildings.map(|(id, _)| id.to_string()).collect(),
        doors: present.leases(id).count(),
        state: state.to_owned(),
        token_expires_at: known.and_then(|agent| agent.token).map(|token| api.when(token.expires_at)),
        connected: connection.is_some(),
        since: connection.map(|connection| api.when(connection.live().since)),
        address: live.as_ref().map(|live| live.address.to_string()),
        software: live.as_ref().and_then(|live| live.software.clone()),
        position: position.map(at),
        behind: position.map(|position| head.seq.saturating_sub(position.seq)),
        heard_at: live.as_ref().map(|live| api.when(live.heard_at)),
        lease_ends_at: lease_ends_at.map(|at| api.when(at)),
        unsent: live.as_ref().map(|live| live.unsent),
        oldest_unsent_at: live.as_ref().and_then(|live| live.oldest_unsent_at).map(|at| api.when(at)),
        clock_off_ms: live.as_ref().and_then(|live| live.clock_off_ms),
    }
}

/// Makes a one-time token with which an agent can join.
#[utoipa::path(post, path = "/v1/agents", request_body = Invite,
    responses((status = 200, body = Invitation), (status = 404, body = Fault), (status = 409, body = Fault)))]
pub async fn invite(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Body(order): Body<Invite>,
) -> Result<Json<Invitation>, Failure> {
    let agent = AgentId::new(&order.id).map_err(Failure::of_id("agent", &order.id))?;
    let minutes = order.valid_minutes.unwrap_or(VALID_MINUTES);
    if !(1..=VALID_MINUTES_MAX).contains(&minutes) {
        return Err(Failure::bad(format!("a token is good for 1 to {VALID_MINUTES_MAX} minutes, not for {minutes}")));
    }
    let valid = Duration::from_secs(u64::from(minutes).saturating_mul(60));
    let (accepted, token, expires_at) = api.enrolment.invite(caller.asker, caller.actor, agent, valid).await?;
    let (at, expires_at) = (api.when(accepted.at), api.when(expires_at));
    Ok(Json(Invitation { seq: accepted.seq, at, id: order.id, token, expires_at }))
}

/// Strikes an agent off at once, its live connection included.
#[utoipa::path(delete, path = "/v1/agents/{id}", params(("id" = String, Path, description = "The agent")),
    responses((status = 200, body = Change), (status = 409, body = Fault)))]
pub async fn remove(
    State(api): State<Arc<Api>>,
    Named(id): Named<String>,
    caller: Caller,
) -> Result<Json<Change>, Failure> {
    let agent = AgentId::new(&id).map_err(Failure::of_id("agent", &id))?;
    api.change(&caller, Command::AgentRemove { agent }).await.map(Json)
}
