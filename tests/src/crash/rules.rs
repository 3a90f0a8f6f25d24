//! What the rules say to a record: the journal is folded up to the commit by which the tap was decided, and the naive
//! reference is asked.
//!
//! A removal is obeyed before the commit that contains it, so a record may deny what only a later entry takes away.

use crate::crash::report::Report;
use crate::crash::stage::{EAST, all_cards};
use crate::json::{at, text};
use doorward_policy::command::Entry;
use doorward_policy::directory::Directory;
use doorward_policy::model::CardId;
use doorward_policy::reference;
use doorward_policy::removal::removal_items;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::DoorId;
use doorward_protocol::removal::Item;
use doorward_protocol::time::UnixMs;
use serde_json::Value;
use std::collections::BTreeMap;

/// What removals say ahead of their commits: number of the entry, by credential and reason.
type Removals = BTreeMap<(String, &'static str), u64>;

/// Every record says what the rules say at the commit by which it was decided.
pub fn rules(records: &[&Value], journal: &[Entry], report: &mut Report) -> Vec<String> {
    let (names, removals) = match read(journal) {
        Ok(read) => read,
        Err(why) => return vec![why],
    };
    let mut by_commit: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for record in records {
        by_commit.entry(at(record, "position/seq").as_u64().unwrap_or_default()).or_default().push(record);
    }
    let mut wrong = Vec::new();
    let mut directory = Directory::default();
    for entry in journal {
        // It could be applied a moment ago.
        let _again = directory.apply(entry);
        for record in by_commit.remove(&entry.seq).unwrap_or_default() {
            report.count("records held to the rules", 1);
            let card = names.get(text(record, "credential")).map_or("NOBODY", String::as_str);
            let is_removed = removals.iter().any(|((credential, why), seq)| {
                *seq > entry.seq && credential == text(record, "credential") && *why == text(record, "reason")
            });
            match expected(record, card, &directory) {
                Some(expected) if is_removed || agrees(text(record, "reason"), expected) => {}
                expected => wrong.push(format!("the rules say {expected:?} to {card}: {record}")),
            }
        }
    }
    for record in by_commit.into_values().flatten() {
        // Only an agent that has just joined may know nothing yet.
        if (text(record, "agent"), text(record, "reason")) != (EAST, Reason::NoState.as_str()) {
            wrong.push(format!("decided by no commit of the journal: {record}"));
        }
    }
    wrong
}

/// By which key agents know each card, and what was removed by which entry, the last of them.
fn read(journal: &[Entry]) -> Result<(BTreeMap<String, String>, Removals), String> {
    let (mut directory, mut removals) = (Directory::default(), Removals::new());
    for entry in journal {
        for item in removal_items(&directory, &entry.command).into_iter().flatten() {
            match item {
                Item::Suspend(key) => removals.insert((key.to_string(), Reason::Suspended.as_str()), entry.seq),
                Item::Close(key) => removals.insert((key.to_string(), Reason::Closed.as_str()), entry.seq),
                Item::LockDown(_) => None,
            };
        }
        let applied = directory.apply(entry);
        applied.map_err(|error| format!("entry {} of the journal cannot be applied: {error}", entry.seq))?;
    }
    let reader_key = directory.reader_key().ok_or("the journal names no reader key")?;
    let names = all_cards().into_iter().map(|card| (reader_key.credential_key(&card).to_string(), card)).collect();
    Ok((names, removals))
}

/// Whether an agent may answer so: of a card that can open none of its doors, it knows nothing.
fn agrees(found: &str, expected: Reason) -> bool {
    let may_be_unknown = !expected.is_grant()
        && !matches!(expected, Reason::Lockdown | Reason::OutsideSchedule | Reason::FactorRequired);
    expected.as_str() == found || (found == Reason::UnknownCredential.as_str() && may_be_unknown)
}

fn expected(record: &Value, card: &str, directory: &Directory) -> Option<Reason> {
    let instant = UnixMs(at(record, "at/ms").as_i64()?);
    let (door, card) = (DoorId::new(text(record, "door")).ok()?, CardId::new(card).ok()?);
    let factors = text(record, "factors").split('+').filter(|name| !name.is_empty());
    let factors = factors.filter_map(Factors::named).fold(Factors::NONE, Factors::union);
    let (policy, tables) = (directory.policy()?, directory.tables());
    let is_locked_down = |id: &DoorId| tables.doors.get(id).is_some_and(|door| directory.is_locked_down(id, door));
    reference::decide(policy, tables, is_locked_down, instant, &door, &card, factors)
}
