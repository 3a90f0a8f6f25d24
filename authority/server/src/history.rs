//! The past, read from the journal: entries for people, and the directory as it was.

use crate::concern;
use crate::journal::{self, JournalError};
use crate::paths::Layout;
use doorward_policy::application::ApplicationOrder;
use doorward_policy::command::{Command, Entry};
use doorward_policy::desk::DeskOrder;
use doorward_policy::difference::{Difference, Rows};
use doorward_policy::directory::Directory;
use doorward_policy::feed::FeedOrder;
use doorward_policy::office::OfficeOrder;
use doorward_policy::office::requests::RequestOrder;
use doorward_policy::photo::PhotoOrder;
use doorward_policy::production::ProductionOrder;
use doorward_protocol::time::UnixMs;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// The directory as it was at an instant.
///
/// # Errors
/// See [`JournalError`].
pub fn directory_at(layout: &Layout, at: UnixMs) -> Result<Directory, JournalError> {
    directory_while(layout, |entry| entry.at <= at)
}

/// The directory as an entry left it.
///
/// # Errors
/// See [`JournalError`].
pub fn directory_after(layout: &Layout, seq: u64) -> Result<Directory, JournalError> {
    directory_while(layout, |entry| entry.seq <= seq)
}

fn directory_while(layout: &Layout, is_in: impl Fn(&Entry) -> bool) -> Result<Directory, JournalError> {
    let journal = journal::open(&layout.journal())?;
    let mut directory = Directory::default();
    let mut contradiction = None;
    journal.read_from(1, &mut |entry| {
        if !is_in(&entry) {
            return ControlFlow::Break(());
        }
        if let Err(refusal) = directory.take(&entry) {
            contradiction = Some(JournalError::Damaged { seq: entry.seq, why: refusal.to_string() });
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    contradiction.map_or(Ok(directory), Err)
}

/// What `show` makes of the entries from number `from` on, at most `limit` of them. One entry is in memory at a time:
/// an import holds a whole campus.
///
/// # Errors
/// See [`JournalError`].
pub fn entries<T>(
    layout: &Layout,
    from: u64,
    limit: usize,
    show: impl Fn(&Entry) -> T,
) -> Result<Vec<T>, JournalError> {
    let journal = journal::open(&layout.journal())?;
    let mut entries = Vec::new();
    if limit == 0 {
        return Ok(entries);
    }
    journal.read_from(from, &mut |entry| {
        entries.push(show(&entry));
        if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(entries)
}

/// What an entry did, in a sentence.
#[must_use]
pub fn summary(command: &Command) -> String {
    let (subject, why) = concern::in_words(command);
    let because = if why.is_empty() { String::new() } else { format!(": {why}") };
    match command {
        Command::Found { software, tzdb, .. } => format!("founded by {software}, time zones {tzdb}"),
        Command::Import { difference } => format!("imported a campus folder: {}", import_summary(difference)),
        Command::Tick { tzdb } => format!("compiled everything again, time zones {tzdb}"),
        Command::AgentAdd { agent, expires_at, .. } => {
            format!("let agent {agent} join until {}", expires_at.to_utc_text())
        }
        Command::AgentEnrol { .. } => format!("{subject} joined"),
        Command::AgentRemove { .. } => format!("struck off {subject}"),
        Command::CardSuspend { .. } => format!("suspended {subject}{because}"),
        Command::CardResume { .. } => format!("resumed {subject}{because}"),
        Command::CardActivate { .. } => format!("activated {subject}"),
        Command::CardFound { .. } => format!("took in {subject} as found{because}"),
        Command::CardClose { document: Some(document), .. } => {
            format!("closed {subject}{because}; shown was: {document}")
        }
        Command::CardClose { document: None, .. } => format!("closed {subject}{because}"),
        Command::Application(order) => match order {
            ApplicationOrder::Apply { application, .. } => format!(
                "brought {subject} of person {} for a card of type {} ({}){because}",
                application.person,
                application.card_type,
                application.channel.name()
            ),
            ApplicationOrder::Approve { .. } => format!("approved {subject}{because}"),
            ApplicationOrder::Reject { .. } => format!("rejected {subject}{because}"),
        },
        Command::Desk(DeskOrder::Issue(issue)) => {
            let replaced = issue.replaces.as_ref().map(|old| format!(" in place of {old}")).unwrap_or_default();
            format!("issued {subject} to person {}{replaced}: {}", issue.person, issue.cause.name())
        }
        Command::Desk(DeskOrder::Extend { until, document, .. }) => {
            format!("extended {subject} until {until}: {document}")
        }
        Command::Photo(order) => photo_summary(order, &subject, &because),
        Command::Production(order) => of_production(order, &subject, &because),
        Command::LockDown { .. } => format!("locked down {subject}{because}"),
        Command::Release { .. } => format!("released {subject}{because}"),
        Command::GrantAdd { id, .. } => format!("added grant {id}"),
        Command::GrantEnd { id, on: Some(day) } => format!("ended grant {id} on {day}"),
        Command::GrantEnd { id, on: None } => format!("ended grant {id}"),
        Command::GrantConfirm { .. } => format!("confirmed {subject}{because}"),
        Command::Request(order) => match order {
            RequestOrder::Ask { .. } => format!("made {subject}{because}"),
            RequestOrder::Approve { grant, .. } => format!("approved {subject} as grant {grant}{because}"),
            RequestOrder::Reject { .. } => format!("rejected {subject}{because}"),
            RequestOrder::Withdraw { .. } => format!("withdrew {subject}{because}"),
        },
        Command::Feed(order) => feed_summary(order, &subject),
        Command::PersonErase { .. } => format!("erased {subject}{because}"),
        Command::Office(order) => of_office(order, &subject),
    }
}

fn of_office(order: &OfficeOrder, subject: &str) -> String {
    match order {
        OfficeOrder::OperatorPut { operator, .. } => {
            format!("made {subject} {} for {}", operator.power.role, operator.power.remit)
        }
        OfficeOrder::HolderInvite { .. } | OfficeOrder::OperatorInvite { .. } => {
            format!("invited {subject} to choose a password")
        }
        OfficeOrder::OperatorRemove { .. } | OfficeOrder::TokenRemove { .. } => format!("removed {subject}"),
        OfficeOrder::TokenAdd { token, .. } => format!(
            "gave operator {} {subject}: {} for {}, until {}",
            token.operator,
            token.power.role,
            token.power.remit,
            token.expires_at.to_utc_text()
        ),
    }
}

fn of_production(order: &ProductionOrder, subject: &str, because: &str) -> String {
    let count = |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    match order {
        ProductionOrder::Enter { people, .. } => {
            format!("put {} on {subject}", count(people.len(), "person", "people"))
        }
        ProductionOrder::Strike { people, .. } => {
            format!("took {} off {subject}", count(people.len(), "person", "people"))
        }
        ProductionOrder::Confirm { .. } => format!("confirmed {subject}"),
        ProductionOrder::Accept { .. } => format!("accepted {subject}"),
        ProductionOrder::Return { .. } => format!("gave {subject} back{because}"),
        ProductionOrder::Order { campaign, .. } => format!("ordered {subject} of campaign {campaign}"),
        ProductionOrder::Deliver { cards, .. } => {
            format!("took in {} of {subject}", count(cards.len(), "card", "cards"))
        }
    }
}

fn photo_summary(order: &PhotoOrder, subject: &str, because: &str) -> String {
    match order {
        PhotoOrder::Submit { .. } => format!("submitted {subject}"),
        PhotoOrder::Approve { .. } => format!("approved {subject}"),
        PhotoOrder::Reject { .. } => format!("rejected {subject}{because}"),
        PhotoOrder::Reopen { .. } => format!("reopened {subject}{because}"),
        PhotoOrder::Remove { .. } => format!("removed {subject}{because}"),
    }
}

fn feed_summary(order: &FeedOrder, subject: &str) -> String {
    let is_taken_back = order.people.values().all(|pushed| pushed.alias.withdrawn);
    if is_taken_back { format!("took back {subject}") } else { format!("pushed {subject}") }
}

fn import_summary(difference: &Difference) -> String {
    let tables = tables(difference).into_iter().filter(|(_, put, removed)| put + removed > 0);
    let mut parts: Vec<String> = tables.map(|(name, put, removed)| format!("{name} +{put} -{removed}")).collect();
    if !difference.left.is_empty() {
        parts.push(format!("{} left", difference.left.len()));
    }
    if difference.policy.is_some() {
        parts.insert(0, "policy".into());
    }
    if parts.is_empty() { "nothing new".into() } else { parts.join(", ") }
}

fn tables(difference: &Difference) -> [(&'static str, usize, usize); 6] {
    fn count<K, V>(rows: &Rows<K, V>) -> (usize, usize) {
        (rows.put.len(), rows.removed.len())
    }
    let named = |name, (put, removed)| (name, put, removed);
    [
        named("units", count(&difference.units)),
        named("buildings", count(&difference.buildings)),
        named("doors", count(&difference.doors)),
        named("people", count(&difference.people)),
        named("cards", count(&difference.cards)),
        named("grants", count(&difference.grants)),
    ]
}

/// A command for people: no secrets, and of an import how many rows it brought.
#[must_use]
pub fn detail(command: &Command) -> Value {
    match command {
        Command::Found { software, tzdb, .. } => json!({ "software": software, "tzdb": tzdb }),
        Command::Import { difference } => {
            let rows = tables(difference).map(|(name, put, removed)| (name, json!({ "put": put, "removed": removed })));
            let rows: serde_json::Map<String, Value> =
                rows.map(|(name, row)| (name.to_owned(), row)).into_iter().collect();
            json!({ "policy": difference.policy.is_some(), "rows": rows, "left": difference.left })
        }
        Command::AgentAdd { agent, expires_at, .. } => {
            json!({ "agent": agent, "expires_at": expires_at.to_utc_text() })
        }
        Command::AgentEnrol { agent, key, .. } => json!({ "agent": agent, "key": key.to_string() }),
        Command::Tick { .. }
        | Command::AgentRemove { .. }
        | Command::CardSuspend { .. }
        | Command::CardFound { .. }
        | Command::CardResume { .. }
        | Command::CardActivate { .. }
        | Command::CardClose { .. }
        | Command::LockDown { .. }
        | Command::Release { .. }
        | Command::GrantAdd { .. }
        | Command::GrantEnd { .. }
        | Command::GrantConfirm { .. }
        | Command::PersonErase { .. } => inner(serde_json::to_value(command).unwrap_or_default()),
        // The hash of a token is no secret, and of no use to a reader.
        Command::Office(OfficeOrder::TokenAdd { id, token }) => json!({
            "id": id, "operator": token.operator, "power": token.power, "expires_at": token.expires_at.to_utc_text(),
        }),
        Command::Photo(order) => inner(serde_json::to_value(order).unwrap_or_default()),
        Command::Application(order) => inner(serde_json::to_value(order).unwrap_or_default()),
        Command::Production(order) => inner(serde_json::to_value(order).unwrap_or_default()),
        Command::Desk(order) => inner(serde_json::to_value(order).unwrap_or_default()),
        Command::Request(order) => inner(serde_json::to_value(order).unwrap_or_default()),
        Command::Feed(order) => serde_json::to_value(order).unwrap_or_default(),
        Command::Office(order) => inner(serde_json::to_value(order).unwrap_or_default()),
    }
}

/// What stands under the name of the command.
fn inner(value: Value) -> Value {
    let named = value.as_object().and_then(|map| map.values().next());
    named.cloned().unwrap_or_default()
}
