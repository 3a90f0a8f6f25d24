//! How far an order of a card holder has come: at how many doors, and in which buildings, it is in force.
//!
//! Deliberately less than offices see: no agent, no lease, and of what is not reached no more than how many doors it is.

use super::caller::Caller;
use super::changes::Wait;
use super::extract::{Named, Params};
use super::lines::{Lines, lines};
use super::shapes::Fault;
use super::shapes::me::OwnProgress;
use super::{Api, Failure, me};
use crate::closing::Closing;
use crate::history;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::command::{Command, Entry};
use doorward_policy::model::BuildingId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How far one of the caller's own orders has come: once as it is, then each time it comes further. Ends when it is in force everywhere,
/// or when the time is over.
#[utoipa::path(get, path = "/v1/me/changes/{seq}/progress",
    params(("seq" = u64, Path, description = "The journal entry"),
        ("wait_ms" = Option<u64>, Query, description = "How long to wait, in milliseconds")),
    responses((status = 200, body = OwnProgress, content_type = "application/x-ndjson"), (status = 403, body = Fault),
        (status = 404, body = Fault)))]
pub async fn progress(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Named(seq): Named<u64>,
    Params(wait): Params<Wait>,
) -> Result<Response, Failure> {
    me::holder(&caller)?;
    let order = own_order(&api, caller, seq).await?;
    let (lines, response) = lines();
    tokio::spawn(async move { follow(&api, &order, wait.duration(), &lines).await });
    Ok(response)
}

/// An order that the caller gave; of those of others it is not even said whether there are any.
async fn own_order(api: &Arc<Api>, caller: Caller, seq: u64) -> Result<Entry, Failure> {
    let unknown = || Failure::new(StatusCode::NOT_FOUND, format!("you gave no order with the number {seq}"));
    if seq == 0 || seq > api.authority.timeline.accepted() {
        return Err(unknown());
    }
    let asked = Arc::clone(api);
    let read = move || history::entries(&asked.authority.layout, seq, 1, Entry::clone);
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    read.into_iter().find(|entry| entry.actor == caller.actor).ok_or_else(unknown)
}

async fn follow(api: &Api, order: &Entry, wait: Duration, lines: &Lines) {
    let began = Instant::now();
    let mut moves = api.authority.closings.moves();
    let mut shown = None;
    let _taken = tokio::time::timeout(wait, api.authority.taken_at(order.seq)).await;
    loop {
        moves.mark_unchanged();
        let Ok(closing) = api.authority.closings.closing(order.seq) else { return };
        let is_known = api.authority.taken() >= order.seq;
        let progress = view(api, order, closing.as_ref(), is_known);
        if shown.as_ref() != Some(&progress) && !lines.send(&progress).await {
            return;
        }
        let left = wait.saturating_sub(began.elapsed());
        if progress.complete || left.is_zero() {
            return;
        }
        shown = Some(progress);
        tokio::select! {
            _moved = tokio::time::timeout(left, moves.changed()) => {}
            () = lines.closed() => return,
        }
    }
}

/// What is told of it. Without a closing it concerns no door, once its commit is there.
fn view(api: &Api, order: &Entry, closing: Option<&Closing>, is_known: bool) -> OwnProgress {
    let card = if let Command::CardSuspend { card, .. } | Command::CardResume { card, .. } = &order.command {
        Some(card.to_string())
    } else {
        None
    };
    let present = api.authority.present();
    let tables = present.directory.tables();
    let mut doors: BTreeMap<&BuildingId, (usize, usize)> = BTreeMap::new();
    let (mut doors_done, mut doors_total) = (0, 0);
    for agent in closing.iter().flat_map(|closing| closing.agents.values()) {
        let done = usize::from(agent.durable_at.is_some());
        for (id, _) in &agent.doors {
            (doors_done, doors_total) = (doors_done + done, doors_total + 1);
            if let Some(door) = tables.doors.get(id) {
                let (in_force, all) = doors.entry(&door.building).or_default();
                (*in_force, *all) = (*in_force + done, *all + 1);
            }
        }
    }
    let whole = doors.into_iter().filter(|(_, (in_force, all))| in_force == all);
    let name = |id: &BuildingId| tables.buildings.get(id).map_or_else(|| id.to_string(), |known| known.name.clone());
    OwnProgress {
        seq: order.seq,
        at: api.when(order.at),
        command: order.command.name().to_owned(),
        card,
        doors_total,
        doors_done,
        buildings: whole.map(|(id, _)| name(id)).collect(),
        complete: is_known && doors_done == doors_total,
    }
}
