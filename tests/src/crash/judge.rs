//! What must be true when everything is over: of the taps, the records, the commands, the alarms, and the journal.
//!
//! Deliberately from the outside: answers as readers got them, records and alarms as the authority tells them; only the
//! rules come from inside, and those are the naive reference.

use crate::crash::load::{About, Order, Tap};
use crate::crash::report::Report;
use crate::crash::rules::rules;
use crate::crash::stage::EAST;
use crate::json::{at, list, text};
use doorward_policy::command::Entry;
use doorward_protocol::time::UnixMs;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// How many sentences about the same fault are enough.
const SAID_MAX: usize = 5;

/// All that was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Taps, answered or not.
    pub taps: &'a [Tap],
    /// Commands.
    pub orders: &'a [Order],
    /// Every line of the access log.
    pub lines: &'a [Value],
    /// The authority's alarms.
    pub alarms: &'a Value,
    /// The journal.
    pub journal: &'a [Entry],
}

/// Holds everything that was seen to every promise.
pub fn judge(seen: &Seen<'_>, report: &mut Report) {
    let records: Vec<&Value> = seen.lines.iter().map(|line| at(line, "record")).collect();
    report.count("records home", u64::try_from(records.len()).unwrap_or_default());
    let checks: [(&str, Vec<String>); 6] = [
        ("chains", chains(&records)),
        ("answers", answers(seen.taps, &records, report)),
        ("commands", commands(seen.orders, seen.journal, report)),
        ("what was in force", in_force(seen.taps, seen.orders, report)),
        ("rules", rules(&records, seen.journal, report)),
        ("alarms", alarms(seen.alarms)),
    ];
    for (what, wrong) in checks {
        let more = wrong.len().saturating_sub(SAID_MAX);
        wrong.into_iter().take(SAID_MAX).for_each(|text| report.violation(format!("{what}: {text}")));
        report.expect(more == 0, || format!("{what}: {more} more of that kind"));
    }
}

/// Each agent has one chain, each number in it is there, and once.
fn chains(records: &[&Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut chains: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
    for record in records {
        let seq = at(record, "seq").as_u64().unwrap_or_default();
        if !chains.entry((text(record, "agent"), text(record, "incarnation"))).or_default().insert(seq) {
            wrong.push(format!("a record is there twice: {record}"));
        }
    }
    let mut lives: BTreeMap<&str, usize> = BTreeMap::new();
    for ((agent, incarnation), numbers) in &chains {
        *lives.entry(agent).or_default() += 1;
        let last = numbers.last().copied().unwrap_or_default();
        if last != u64::try_from(numbers.len()).unwrap_or_default() || numbers.first() != Some(&1) {
            wrong.push(format!("of chain {incarnation} of {agent}, {} records of {last} are there", numbers.len()));
        }
    }
    let several = lives.iter().filter(|(agent, count)| **agent != EAST && **count > 1);
    wrong.extend(
        several.map(|(agent, count)| format!("{agent} began {count} chains, although nothing broke the first")),
    );
    wrong
}

/// Every answer has its record, and every further record a tap whose answer was lost.
fn answers(taps: &[Tap], records: &[&Value], report: &mut Report) -> Vec<String> {
    let mut left: BTreeMap<(i64, String), Vec<&Value>> = BTreeMap::new();
    for record in records {
        let key = (at(record, "at/ms").as_i64().unwrap_or_default(), outcome(record));
        left.entry(key).or_default().push(record);
    }
    let mut wrong = Vec::new();
    let mut unanswered: BTreeMap<&str, u64> = BTreeMap::new();
    for tap in taps {
        let Some(answer) = &tap.answer else {
            *unanswered.entry(&tap.door).or_default() += 1;
            report.count("taps unanswered", 1);
            continue;
        };
        report.count("taps answered", 1);
        let instant = UnixMs::parse(text(answer, "at")).map_or(i64::MIN, |at| at.0);
        if left.get_mut(&(instant, outcome(answer))).and_then(Vec::pop).is_none() {
            wrong.push(format!("no record of {} at {}: {answer}", tap.card, tap.door));
        }
    }
    for record in left.into_values().flatten() {
        match unanswered.get_mut(text(record, "door")).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => wrong.push(format!("nobody tapped for this record: {record}")),
        }
    }
    wrong
}

/// What an answer and its record have in common, apart from the instant.
fn outcome(value: &Value) -> String {
    format!("{} {} {}", text(value, "door"), text(value, "decision"), text(value, "reason"))
}

/// What was confirmed is in the journal, where it was said to be, and no command is there twice.
fn commands(orders: &[Order], journal: &[Entry], report: &mut Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut entries: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (number, entry) in (1..).zip(journal) {
        if entry.seq != number {
            wrong.push(format!("entry {} stands in the place of entry {number}", entry.seq));
        }
        entries.entry(entry.actor.as_str().to_owned()).or_default().push(entry.seq);
    }
    report.count("journal entries", u64::try_from(journal.len()).unwrap_or_default());
    for order in orders {
        let stored = entries.get(&format!("owner/{}", order.actor)).map(Vec::as_slice).unwrap_or_default();
        match (order.seq, stored) {
            (Some(seq), [only]) if *only == seq => report.count("commands confirmed", 1),
            (None, []) if order.is_refused() => report.count("commands refused", 1),
            (None, []) => report.count("commands lost on the way", 1),
            (None, [_]) => report.count("commands stored without an answer", 1),
            (seq, stored) => {
                wrong.push(format!("{:?} was confirmed as {seq:?} and is stored as {stored:?}", order.about));
            }
        }
    }
    wrong
}

/// What was confirmed to be in force everywhere was in force until the next word about it, whoever died.
fn in_force(taps: &[Tap], orders: &[Order], report: &mut Report) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, order) in orders.iter().enumerate().filter(|(_, order)| order.is_everywhere) {
        let later = orders.iter().skip(number + 1);
        let (door, card, is_right): (_, &str, fn(&str) -> bool) = match &order.about {
            About::Shut(card) => (None, card, |outcome| !outcome.starts_with("grant")),
            About::Grant(_) => (Some("south-side"), "CEM", |outcome| outcome == "grant granted"),
            About::Reopen(_) | About::End(_) | About::Other => continue,
        };
        let ends = |later: &&Order| match (&order.about, &later.about) {
            (About::Shut(card), About::Reopen(other)) => card == other,
            (About::Grant(id), About::End(other)) => id == other,
            _other => false,
        };
        let until: Option<Instant> = later.clone().find(ends).map(|order| order.began);
        let within = taps.iter().filter(|tap| {
            tap.card == card
                && door.is_none_or(|door| tap.door == door)
                && tap.asked >= order.ended
                && until.is_none_or(|until| tap.answered <= until)
        });
        for tap in within {
            let Some(outcome) = tap.outcome() else { continue };
            report.count("taps held to a command in force everywhere", 1);
            if !is_right(&outcome) {
                wrong.push(format!("{:?} was in force everywhere, and yet {card} got {outcome}: {tap:?}", order.about));
            }
        }
    }
    wrong
}

/// Nothing alarmed but what should: cards out of use that were tapped, agents that were away, and a machine that took the
/// place of another.
fn alarms(alarms: &Value) -> Vec<String> {
    let is_expected = |alarm: &&Value| match text(alarm, "kind") {
        "card-tapped" | "silent" => true,
        "new-chain" => text(alarm, "agent") == EAST,
        _other => false,
    };
    list(alarms, "alarms").iter().filter(|alarm| !is_expected(alarm)).map(ToString::to_string).collect()
}
