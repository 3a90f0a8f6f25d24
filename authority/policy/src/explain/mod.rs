//! Answers for people: who can open a door, where a card opens, and why, at an instant, from one directory.
//!
//! Deliberately the naive reference decides here, not what was compiled: an explanation that shares the code of what it
//! explains would repeat its faults. The past is asked by folding the journal up to it.

mod chain;
mod phrases;
mod words;

pub use phrases::{Phrases, fill};

use crate::directory::{Directory, Refusal};
use crate::model::{CardId, PersonId, Policy};
use crate::reference::Moment;
use crate::zone::{format_local, zone};
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::DoorId;
use doorward_protocol::time::{UnixMs, ZONE_END, ZONE_START};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Who can open one door at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// `lockdown` when nobody can, `unlocked` when anyone can; the list is then empty.
    pub door: Option<Reason>,
    /// The cards that are granted, by person.
    pub openings: Vec<Opening>,
}

/// A card at a door that grants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The holder.
    pub person: PersonId,
    /// The holder's name.
    pub name: String,
    /// The card.
    pub card: CardId,
    /// The door.
    pub door: DoorId,
    /// `granted`, or `unlocked` for a door that opens for anyone.
    pub reason: Reason,
    /// Further factors that must be presented, such as `pin` or `pin+face`: one of these. Empty when none is needed.
    pub factors: Vec<String>,
}

/// Why a door answers a card as it does when no further factor is presented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The card.
    pub card: CardId,
    /// The door.
    pub door: DoorId,
    /// The instant in local time.
    pub at: String,
    /// `grant` or `deny`.
    pub decision: String,
    /// The reason.
    pub reason: Reason,
    /// The chain from door and card to the decision, one sentence each.
    pub sentences: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExplainError {
    /// Something that is named is not there, or nothing is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The instant has no local time.
    #[error("{} has no local time here; ask about an instant from 1970 to 2099", .0.to_utc_text())]
    NoLocalTime(UnixMs),
}

/// Who can open a door at an instant.
///
/// # Errors
/// See [`ExplainError`].
pub fn who(directory: &Directory, door: &DoorId, at: UnixMs) -> Result<Who, ExplainError> {
    let moment = moment(directory, door, at)?;
    if let Some(reason) = moment.decide_anyone() {
        return Ok(Who { door: Some(reason), openings: Vec::new() });
    }
    let people = directory.tables().people.keys();
    let cards = people.flat_map(|person| directory.cards_of(person));
    let openings = cards.filter_map(|card| opening(directory, &moment, door, card));
    Ok(Who { door: None, openings: openings.collect() })
}

/// Where a card opens at an instant, doors that open for anyone included.
///
/// # Errors
/// See [`ExplainError`].
pub fn where_card(directory: &Directory, card: &CardId, at: UnixMs) -> Result<Vec<Opening>, ExplainError> {
    Refusal::unless_known("card", card, &directory.tables().cards)?;
    let mut openings = Vec::new();
    for door in directory.tables().doors.keys() {
        openings.extend(opening(directory, &moment(directory, door, at)?, door, card));
    }
    Ok(openings)
}

/// Where any card of a person opens at an instant.
///
/// # Errors
/// See [`ExplainError`].
pub fn where_person(directory: &Directory, person: &PersonId, at: UnixMs) -> Result<Vec<Opening>, ExplainError> {
    Refusal::unless_known("person", person, &directory.tables().people)?;
    let mut openings = Vec::new();
    for card in directory.cards_of(person) {
        openings.extend(where_card(directory, card, at)?);
    }
    Ok(openings)
}

/// Why a door answers a card as it does at an instant, in the language of the phrases.
///
/// # Errors
/// See [`ExplainError`]; a card that nobody knows has an explanation.
pub fn why(
    directory: &Directory,
    card: &CardId,
    door: &DoorId,
    at: UnixMs,
    phrases: &Phrases,
) -> Result<Explanation, ExplainError> {
    let moment = moment(directory, door, at)?;
    let reason = moment.decide(card, Factors::NONE).ok_or(ExplainError::NoLocalTime(at))?;
    let policy = directory.policy().ok_or(Refusal::NothingImported)?;
    let zone = zone(&policy.time_zone).ok_or_else(|| Refusal::UnknownTimeZone(policy.time_zone.clone()))?;
    let local = zone.local(at).ok_or(ExplainError::NoLocalTime(at))?;
    let chain = chain::Chain { directory, policy, moment: &moment, door, card, local, phrases };
    Ok(Explanation {
        card: card.clone(),
        door: door.clone(),
        at: format_local(at, &zone),
        decision: reason.decision().to_owned(),
        reason,
        sentences: chain.sentences(reason),
    })
}

fn moment<'a>(directory: &'a Directory, door: &'a DoorId, at: UnixMs) -> Result<Moment<'a>, ExplainError> {
    let policy: &Policy = directory.policy().ok_or(Refusal::NothingImported)?;
    let doors = &directory.tables().doors;
    let known = doors.get(door).ok_or_else(|| Refusal::unknown("door", door.as_str(), doors.keys()))?;
    let is_locked_down = directory.is_locked_down(door, known);
    // Agents have no local time outside of this range, so there is nothing that they would do then.
    if !(ZONE_START..ZONE_END).contains(&at) {
        return Err(ExplainError::NoLocalTime(at));
    }
    let moment = Moment::new(policy, directory.tables(), is_locked_down, at, door);
    moment.ok_or(ExplainError::NoLocalTime(at))
}

fn opening(directory: &Directory, moment: &Moment<'_>, door: &DoorId, card: &CardId) -> Option<Opening> {
    let reason = moment.decide(card, Factors::NONE)?;
    let (reason, factors) = if reason == Reason::FactorRequired {
        (Reason::Granted, factors_needed(moment, card))
    } else {
        (reason, Vec::new())
    };
    if !reason.is_grant() {
        return None;
    }
    let person = &directory.tables().cards.get(card)?.person;
    let name = directory.tables().people.get(person)?.name.clone();
    Some(Opening { person: person.clone(), name, card: card.clone(), door: door.clone(), reason, factors })
}

/// The smallest sets of further factors with which a card is granted.
fn factors_needed(moment: &Moment<'_>, card: &CardId) -> Vec<String> {
    const BY_SIZE: [&str; 7] =
        ["pin", "fingerprint", "face", "pin+fingerprint", "pin+face", "fingerprint+face", "pin+fingerprint+face"];
    let mut needed: Vec<Factors> = Vec::new();
    for factors in BY_SIZE.into_iter().filter_map(Factors::parse) {
        let is_larger = needed.iter().any(|smaller| factors.contains(*smaller));
        if !is_larger && moment.decide(card, factors) == Some(Reason::Granted) {
            needed.push(factors);
        }
    }
    needed.iter().map(ToString::to_string).collect()
}

impl core::fmt::Display for Explanation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { card, door, at, decision, reason, sentences } = self;
        writeln!(f, "{decision} ({reason}): card {card} at door {door}, {at}")?;
        sentences.iter().try_for_each(|sentence| writeln!(f, "- {sentence}"))
    }
}

#[cfg(test)]
mod tests;
