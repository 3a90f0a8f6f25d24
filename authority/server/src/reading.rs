//! Reads access records as the authority can: whose card it was, and whether the tap is cause for alarm.

use crate::access::NewAlarm;
use crate::access::NewRecord;
use crate::present::Present;
use doorward_policy::model::{CardId, CardState};
use doorward_protocol::decide::Reason;
use doorward_protocol::id::AgentId;
use doorward_protocol::record::Record;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::time::UnixMs;

/// Records with what is known about them now.
#[must_use]
pub fn read_records(present: &Present, agent: &AgentId, records: Vec<Record>) -> Vec<NewRecord> {
    records.into_iter().map(|record| read_record(present, agent, record)).collect()
}

fn read_record(present: &Present, agent: &AgentId, record: Record) -> NewRecord {
    let card = present.card(record.credential);
    let known = card.and_then(|id| present.directory.tables().cards.get(id));
    let shut_since = card.and_then(|id| present.directory.shut_since(id));
    let alarm = card.filter(|_| is_alarming(&record, known.map(|known| known.state), shut_since)).map(|id| {
        let text = alarm_text(id, &record, known.map(|known| known.state));
        NewAlarm::new(AlarmKind::CardTapped, Some(agent.clone()), text)
    });
    NewRecord {
        card: card.map(ToString::to_string),
        person: known.map(|known| known.person.to_string()),
        record,
        alarm,
    }
}

/// A suspended or closed card in somebody's hand. An agent does not hold closed ones and calls them unknown; one that was
/// cut off may even have let it in after it was shut, and that comes to light when its records come home.
fn is_alarming(record: &Record, state: Option<CardState>, shut_since: Option<UnixMs>) -> bool {
    match record.reason {
        Reason::Granted => shut_since.is_some_and(|since| record.at >= since),
        Reason::Suspended | Reason::Closed => true,
        Reason::UnknownCredential => matches!(state, Some(CardState::Suspended | CardState::Closed)),
        Reason::NoState
        | Reason::LeaseEnded
        | Reason::ClockUntrusted
        | Reason::NotRecorded
        | Reason::Lockdown
        | Reason::Unlocked
        | Reason::NotActivated
        | Reason::NotYetValid
        | Reason::Expired
        | Reason::FunctionNotOnCard
        | Reason::Ended
        | Reason::Excluded
        | Reason::NoPermission
        | Reason::OutsideSchedule
        | Reason::FactorRequired => false,
    }
}

fn alarm_text(card: &CardId, record: &Record, state: Option<CardState>) -> String {
    let what = match (record.reason, state) {
        (Reason::Closed, _) | (_, Some(CardState::Closed)) => "closed",
        _ => "suspended",
    };
    let door = &record.door;
    if record.reason.is_grant() {
        format!("the {what} card {card} OPENED door {door}, whose agent did not know yet")
    } else {
        format!("the {what} card {card} was tapped at door {door}; it stayed shut")
    }
}
