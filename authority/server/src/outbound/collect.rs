//! Makes events of journal entries and alarms, each once, from where the last ones were stored.

use super::PERIOD;
use crate::access::{AlarmRow, Event, StoreError};
use crate::authority::Authority;
use crate::clock;
use crate::history;
use doorward_policy::command::{Command, Entry};
use doorward_policy::desk::DeskOrder;
use doorward_policy::directory::Directory;
use doorward_protocol::id::AgentId;
use doorward_protocol::session::AlarmKind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

const JOURNAL: &str = "source journal";
const ALARMS: &str = "source alarms";

const SILENT: &str = "agent.silent";
const BACK: &str = "agent.back";

/// How many entries or alarms are read at once.
const BATCH: u32 = 500;

/// Begins with what happens from now on, unless there is a place to go on from.
///
/// # Errors
/// When the place cannot be read or kept.
pub async fn begin(authority: &Authority) -> Result<(), StoreError> {
    if authority.store.cursor(JOURNAL)?.is_some() {
        return Ok(());
    }
    let begin = vec![(JOURNAL, authority.published().position.seq), (ALARMS, authority.store.newest_alarm()?)];
    authority.store.note_events(Vec::new(), begin).await
}

/// Runs until it is ended.
pub async fn run(authority: Arc<Authority>) {
    let mut silent = None;
    let mut is_told = false;
    loop {
        match step(&authority, &mut silent).await {
            Ok(()) => is_told = false,
            Err(error) => {
                if !is_told {
                    tracing::warn!(error, "events for other systems are not collected; it is tried again");
                }
                is_told = true;
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// `silent` are the agents of which it was last told that they are; as it was before a start until that is looked up.
async fn step(authority: &Arc<Authority>, silent: &mut Option<BTreeSet<AgentId>>) -> Result<(), String> {
    let silent = match silent {
        Some(silent) => silent,
        None => {
            let told = authority.store.subjects_in(SILENT, BACK).map_err(|error| error.to_string())?;
            silent
                .insert(told.iter().filter_map(|subject| AgentId::new(subject.strip_prefix("agent ")?).ok()).collect())
        }
    };
    let head = authority.published().position.seq;
    let cursor = |name| authority.store.cursor(name).map_err(|error| error.to_string());
    let (journal, alarms) = (cursor(JOURNAL)?, cursor(ALARMS)?);
    let (Some(journal), Some(alarms)) = (journal, alarms) else {
        return Err("it is not known from where on".to_owned());
    };
    let mut events = Vec::new();
    let (mut read_to, mut alarmed_to) = (journal, alarms);
    if head > journal {
        let asked = Arc::clone(authority);
        let limit = usize::try_from(head.saturating_sub(journal).min(u64::from(BATCH))).unwrap_or_default();
        let read = tokio::task::spawn_blocking(move || {
            let from = journal.saturating_add(1);
            history::entries(&asked.layout, from, limit, |entry| {
                (entry.seq, of_entry(&asked.present().directory, entry))
            })
        });
        for (seq, event) in read.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())? {
            read_to = seq;
            events.extend(event);
        }
    }
    for alarm in authority.store.alarms_after(alarms, BATCH).map_err(|error| error.to_string())? {
        alarmed_to = alarm.id;
        silent.extend(silent_agent(&alarm));
        events.push(of_alarm(&alarm));
    }
    let (back, still): (BTreeSet<_>, BTreeSet<_>) =
        silent.iter().cloned().partition(|agent| authority.hub.is_connected(agent));
    events.extend(back.iter().map(of_return));
    if (read_to, alarmed_to) == (journal, alarms) && events.is_empty() {
        return Ok(());
    }
    let sources = vec![(JOURNAL, read_to), (ALARMS, alarmed_to)];
    authority.store.note_events(events, sources).await.map_err(|error| error.to_string())?;
    *silent = still;
    Ok(())
}

fn of_entry(directory: &Directory, entry: &Entry) -> Option<Event> {
    let replaced = |card| directory.desk().issued.get(card).and_then(|issued| issued.replaces.clone());
    let (kind, card, data) = match &entry.command {
        Command::CardSuspend { card, reason } => ("card.suspended", card, json!({ "card": card, "reason": reason })),
        // A found card opens nothing until its holder has it back.
        Command::CardFound { card, .. } => ("card.suspended", card, json!({ "card": card, "reason": "found" })),
        Command::CardResume { card, reason } => ("card.resumed", card, json!({ "card": card, "reason": reason })),
        Command::CardClose { card, reason, .. } => ("card.closed", card, json!({ "card": card, "reason": reason })),
        Command::CardActivate { card } => {
            ("card.activated", card, json!({ "card": card, "in_place_of": replaced(card) }))
        }
        Command::Desk(DeskOrder::Issue(issue)) => {
            let kind = if issue.replaces.is_some() { "card.replaced" } else { "card.issued" };
            let data = json!({
                "card": issue.card, "person": issue.person, "cause": issue.cause.name(), "in_place_of": issue.replaces,
                "returned": issue.returned,
            });
            (kind, issue.replaces.as_ref().unwrap_or(&issue.card), data)
        }
        Command::Desk(DeskOrder::Extend { .. })
        | Command::Found { .. }
        | Command::Import { .. }
        | Command::Tick { .. }
        | Command::AgentAdd { .. }
        | Command::AgentEnrol { .. }
        | Command::AgentRemove { .. }
        | Command::Photo(_)
        | Command::LockDown { .. }
        | Command::Release { .. }
        | Command::GrantAdd { .. }
        | Command::GrantEnd { .. }
        | Command::GrantConfirm { .. }
        | Command::Request(_)
        | Command::Office(_)
        | Command::Production(_)
        | Command::Application(_)
        | Command::PersonErase { .. }
        | Command::Feed(_) => return None,
    };
    let mut data = data;
    if let Some(fields) = data.as_object_mut() {
        fields.insert("entry".to_owned(), entry.seq.into());
        fields.insert("by".to_owned(), entry.actor.as_str().into());
    }
    let data = data.to_string();
    Some(Event { id: 0, at: entry.at, kind: kind.to_owned(), subject: format!("card {card}"), data })
}

fn of_alarm(alarm: &AlarmRow) -> Event {
    let kind = if alarm.kind == AlarmKind::CardTapped.as_str() {
        "card.tapped-while-shut"
    } else if alarm.kind == AlarmKind::Silent.as_str() {
        SILENT
    } else {
        "alarm.raised"
    };
    let subject = alarm.agent.as_ref().map_or_else(|| "authority".to_owned(), |agent| format!("agent {agent}"));
    let data = json!({ "alarm": alarm.id, "kind": alarm.kind, "agent": alarm.agent, "text": alarm.text });
    Event { id: 0, at: alarm.at, kind: kind.to_owned(), subject, data: data.to_string() }
}

fn silent_agent(alarm: &AlarmRow) -> Option<AgentId> {
    let agent = alarm.agent.as_deref().filter(|_| alarm.kind == AlarmKind::Silent.as_str())?;
    AgentId::new(agent).ok()
}

fn of_return(agent: &AgentId) -> Event {
    let data: Value = json!({ "agent": agent });
    Event { id: 0, at: clock::wall(), kind: BACK.to_owned(), subject: format!("agent {agent}"), data: data.to_string() }
}
