//! What other systems are told: events from the journal and the alarms, to each receiver in their order, until it has them.
//!
//! Deliberately beside everything else: events follow from what is stored, so nobody who gives a command or opens a door waits for a
//! receiver. Each is delivered at least once and carries a number by which a receiver knows it again.

mod collect;
mod receivers;
mod syslog;
mod webhook;

pub use receivers::{Receiver, ReceiversError, Target, read};

use crate::access::{Event, StoreError};
use crate::authority::Authority;
use crate::clock;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::time::UnixMs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often sources are looked at, and receivers that wait for something new.
const PERIOD: Duration = Duration::from_millis(200);
/// How many events are read at once.
const BATCH: u32 = 100;
/// The first wait after a failure; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_secs(1);
/// The longest wait between two attempts.
const BACK_OFF_MAX: Duration = Duration::from_secs(300);

/// How a receiver is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Number of the newest event that it has.
    pub position: u64,
    /// Since when nothing reaches it.
    pub failing_since: Option<UnixMs>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// All receivers.
#[derive(Debug, Default)]
pub struct Outbound {
    receivers: Vec<(Receiver, Mutex<Condition>)>,
}

impl Outbound {
    /// Of these receivers.
    #[must_use]
    pub fn new(receivers: Vec<Receiver>) -> Self {
        Self { receivers: receivers.into_iter().map(|receiver| (receiver, Mutex::default())).collect() }
    }

    /// How each is, by name.
    pub fn conditions(&self) -> impl Iterator<Item = (&Receiver, Condition)> {
        self.receivers.iter().map(|(receiver, condition)| (receiver, lock(condition).clone()))
    }
}

/// What a panic left behind is still what was known.
fn lock(condition: &Mutex<Condition>) -> std::sync::MutexGuard<'_, Condition> {
    condition.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives everything that is new its place: it is told of what happens from now on, and of nothing before.
///
/// # Errors
/// When the place cannot be kept.
pub async fn begin(authority: &Authority, outbound: &Outbound) -> Result<(), ReceiversError> {
    if outbound.receivers.is_empty() {
        return Ok(());
    }
    let wrong = |error: StoreError| ReceiversError::of(authority.layout.events(), error);
    collect::begin(authority).await.map_err(wrong)?;
    let (_, newest) = authority.store.event_range().map_err(wrong)?;
    for (receiver, condition) in &outbound.receivers {
        let known = authority.store.cursor(&receiver.cursor()).map_err(wrong)?;
        lock(condition).position = known.unwrap_or(newest);
        if known.is_none() {
            authority.store.move_cursor(receiver.cursor(), newest).await.map_err(wrong)?;
        }
    }
    Ok(())
}

/// Collects and delivers until the server stops. Without receivers there is nothing to do, and nothing is kept.
pub async fn run(authority: Arc<Authority>, outbound: Arc<Outbound>, mut stopped: watch::Receiver<bool>) {
    if outbound.receivers.is_empty() {
        return;
    }
    let mut tasks = JoinSet::new();
    tasks.spawn(collect::run(Arc::clone(&authority)));
    for index in 0..outbound.receivers.len() {
        tasks.spawn(deliver(Arc::clone(&authority), Arc::clone(&outbound), index));
    }
    // Whatever is under way is sent again after the next start.
    drop(stopped.wait_for(|is_stopped| *is_stopped).await);
    // Each holds the store until it has ended.
    tasks.shutdown().await;
}

async fn deliver(authority: Arc<Authority>, outbound: Arc<Outbound>, index: usize) {
    let Some((receiver, condition)) = outbound.receivers.get(index) else { return };
    let mut sender = receivers::Sender::default();
    let mut back_off = BACK_OFF;
    loop {
        match next(&authority, receiver, condition, &mut sender).await {
            Ok(true) => back_off = BACK_OFF,
            Ok(false) => tokio::time::sleep(PERIOD).await,
            Err(error) => {
                failed(receiver, condition, error);
                tokio::time::sleep(back_off).await;
                back_off = back_off.saturating_mul(2).min(BACK_OFF_MAX);
            }
        }
    }
}

/// Delivers what comes next; false when there is nothing.
async fn next(
    authority: &Authority,
    receiver: &Receiver,
    condition: &Mutex<Condition>,
    sender: &mut receivers::Sender,
) -> Result<bool, String> {
    let text = |error: StoreError| error.to_string();
    let (oldest, _) = authority.store.event_range().map_err(text)?;
    let position = lock(condition).position;
    if oldest > position.saturating_add(1) {
        let lost = oldest.saturating_sub(position).saturating_sub(1);
        let text = format!("receiver {} was away for too long: {lost} events are gone for it", receiver.name);
        authority.raise(AlarmKind::StoreDamaged, None, &text);
    }
    let events = authority.store.events_after(position, BATCH).map_err(text)?;
    let Some(last) = events.last().map(|event| event.id) else { return Ok(false) };
    for event in events.iter().filter(|event| receiver.wants(&event.kind)) {
        sender.send(receiver, event).await?;
        reached(receiver, condition, event);
        authority.store.move_cursor(receiver.cursor(), event.id).await.map_err(text)?;
    }
    authority.store.move_cursor(receiver.cursor(), last).await.map_err(text)?;
    lock(condition).position = last;
    Ok(true)
}

fn reached(receiver: &Receiver, condition: &Mutex<Condition>, event: &Event) {
    let mut condition = lock(condition);
    if condition.failing_since.is_some() {
        tracing::info!(receiver = receiver.name, "the receiver takes events again");
    }
    *condition = Condition { position: event.id, failing_since: None, error: None };
}

fn failed(receiver: &Receiver, condition: &Mutex<Condition>, error: String) {
    let mut condition = lock(condition);
    if condition.failing_since.is_none() {
        tracing::warn!(receiver = receiver.name, error, "the receiver does not take events; they wait for it");
        condition.failing_since = Some(clock::wall());
    }
    condition.error = Some(error);
}
