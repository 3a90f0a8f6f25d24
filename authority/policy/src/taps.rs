//! Questions to a campus folder: each tap answered by what would be compiled from it and the decision of the edge.
//!
//! Deliberately the production path, not the reference: only that the asked cards are held by every agent, so that the
//! reason for a denial is the exact one of the table.

use crate::compile::{CompileError, Compiled, Holding};
use crate::directory::{Directory, Refusal};
use crate::model::{Campus, CardId, CardState};
use doorward_protocol::cache::Cache;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, View, decide};
use doorward_protocol::id::{AgentId, CampusId};
use doorward_protocol::overlay::Overlay;
use doorward_protocol::problem::{Problem, did_you_mean, shown};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::taps::TapQuestion;
use doorward_protocol::time::UnixMs;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;

/// Why taps have no answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TapsError {
    /// They name doors that the campus does not have.
    #[error("{} taps name doors that the campus does not have", .0.len())]
    UnknownDoors(Vec<Problem>),
    /// The folder is none that can be imported.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The folder cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Answers taps in the order asked, each as its door would at the instant asked if it had just heard from the authority.
///
/// # Errors
/// See [`TapsError`]; `file_name` is that of the taps, for the places of problems.
pub fn decide_taps(campus: &Campus, file_name: &str, taps: &[TapQuestion]) -> Result<Vec<Reason>, TapsError> {
    let unknown = taps.iter().filter(|tap| !campus.tables.doors.contains_key(&tap.door));
    let problems: Vec<_> = unknown.map(|tap| unknown_door(campus, file_name, tap)).collect();
    if !problems.is_empty() {
        return Err(TapsError::UnknownDoors(problems));
    }
    let directory = Directory::of_campus(campus)?;
    let cards: BTreeSet<CardId> = taps.iter().filter_map(|tap| CardId::new(&tap.card).ok()).collect();
    let compiled = Compiled::whole_with(&directory, Holding::All(&cards))?;
    let overlay = Arc::new(closing(&directory, &campus.policy.campus, &cards));
    let view =
        |state| Some(View { overlay: Arc::clone(&overlay), ..View::of_any_instant(Arc::new(Cache::new(state)?)) });
    let views: BTreeMap<&AgentId, View> =
        compiled.agents().filter_map(|(agent, state)| Some((agent, view(state)?))).collect();
    let answers = taps.iter().map(|tap| {
        let view = directory.agent_of(&tap.door).and_then(|agent| views.get(agent));
        let key = directory.reader_key().map(|reader_key| reader_key.credential_key(&tap.card));
        let known = view.zip(key);
        known.map_or(Reason::NoState, |(view, key)| decide(view, &tap.door, key, tap.factors, tap.at))
    });
    Ok(answers.collect())
}

fn unknown_door(campus: &Campus, file_name: &str, tap: &TapQuestion) -> Problem {
    let near = did_you_mean(tap.door.as_str(), campus.tables.doors.keys().map(AsRef::as_ref));
    let door = shown(tap.door.as_str());
    Problem::new(file_name, tap.door_place, format!("door_id {door} is not a door of the campus{near}"))
}

/// A state has no closed credentials, so those among the asked cards are closed as a removal would do it.
fn closing(directory: &Directory, campus: &CampusId, cards: &BTreeSet<CardId>) -> Overlay {
    let known = &directory.tables().cards;
    let is_closed = |id: &&CardId| known.get(*id).is_some_and(|card| card.state == CardState::Closed);
    let closed = cards.iter().filter(is_closed);
    let items = closed.filter_map(|id| Some(Item::Close(directory.reader_key()?.credential_key(id.as_str()))));
    let (position, at) = (Position { epoch: 0, seq: directory.head() }, UnixMs(0));
    Overlay::default().with(Removal { campus: campus.clone(), position, part: 0, at, items: items.collect() })
}
