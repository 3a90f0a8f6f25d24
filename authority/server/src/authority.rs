//! The core of the authority, as everything around it sees it: give it a command, ask for the present, wait for commits.
//!
//! Two threads do the work: the `writer` makes a command true, the `compiler` makes a commit of it. So a suspension that
//! comes while an import is being compiled is in the journal and on its way to the doors at once.

use crate::access::{AccessStore, NewAlarm};
use crate::clock::{self, Timeline};
use crate::closing::Closings;
use crate::hub::Hub;
use crate::journal::{Journal, JournalError};
use crate::paths::Layout;
use crate::present::{Present, Published};
use crate::signer::Signer;
use doorward_policy::command::{Actor, Command};
use doorward_policy::directory::Refusal;
use doorward_policy::office::Office;
use doorward_policy::office::authorize::{Asker, Denial};
use doorward_protocol::commit::{Position, Pulse};
use doorward_protocol::frame::StateClaim;
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::sync::{Outgoing, Source};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use doorward_protocol::time::Zone;
use doorward_protocol::trust::Statement;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use thiserror::Error;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{oneshot, watch};

/// A command that became an entry of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: UnixMs,
}

/// Why a command was not taken; nothing changed.
#[derive(Debug, Error)]
pub enum OrderError {
    /// Who gave it may not.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The directory does not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It cannot be spelled out.
    #[error("the command cannot be written as JSON: {0}")]
    Spelling(String),
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
}

/// Conditions that the status shows until they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The journal cannot be written.
    JournalNotWritten,
    /// The newest entries cannot be compiled.
    NotCompiled,
    /// An agent is ahead of the journal.
    RolledBack,
    /// The wall clock was stepped.
    ClockStepped,
    /// The access store cannot be written.
    AccessNotWritten,
    /// Who asks about people is not kept.
    LooksNotKept,
}

/// A command on its way to the writer.
pub(crate) enum Message {
    /// Do this.
    Order(Box<Order>),
    /// Finish what was begun and end.
    Stop,
}

/// See [`Message`].
pub(crate) struct Order {
    pub asker: Asker,
    pub actor: Actor,
    pub command: Command,
    /// The command as JSON.
    pub text: String,
    pub reply: oneshot::Sender<Result<Accepted, OrderError>>,
}

/// See the module.
#[derive(Debug)]
pub struct Authority {
    /// Where its files are.
    pub layout: Layout,
    /// What it signs with.
    pub signer: Signer,
    /// Who is connected.
    pub hub: Hub,
    /// What agents report.
    pub store: AccessStore,
    /// How far changes have come.
    pub closings: Closings,
    /// The order of things in time.
    pub timeline: Timeline,
    present: RwLock<Present>,
    published: RwLock<Arc<Published>>,
    moved: watch::Sender<u64>,
    taken: watch::Sender<u64>,
    pulse: RwLock<Option<Signed<Pulse>>>,
    office: RwLock<Arc<Office>>,
    zone: RwLock<Arc<Zone>>,
    warnings: Mutex<BTreeMap<Warning, String>>,
    orders: mpsc::Sender<Message>,
    /// The journal once more, to look up commits in.
    journal: Mutex<Box<dyn Journal>>,
    /// Locked as long as this is here.
    _lock: File,
}

/// What [`Authority::new`] is made from.
pub(crate) struct Parts {
    pub layout: Layout,
    pub signer: Signer,
    pub store: AccessStore,
    pub closings: Closings,
    pub timeline: Timeline,
    pub present: Present,
    pub office: Office,
    pub orders: mpsc::Sender<Message>,
    pub journal: Box<dyn Journal>,
    pub lock: File,
}

impl Authority {
    pub(crate) fn new(parts: Parts) -> Self {
        let published = Arc::clone(&parts.present.published);
        let zone = Arc::new(parts.present.zone());
        let office = Arc::new(parts.office);
        parts.closings.forget_after(parts.timeline.accepted());
        Self {
            layout: parts.layout,
            signer: parts.signer,
            hub: Hub::default(),
            store: parts.store,
            closings: parts.closings,
            timeline: parts.timeline,
            moved: watch::channel(published.position.seq).0,
            taken: watch::channel(published.position.seq).0,
            published: RwLock::new(published),
            present: RwLock::new(parts.present),
            pulse: RwLock::new(None),
            office: RwLock::new(office),
            zone: RwLock::new(zone),
            warnings: Mutex::default(),
            orders: parts.orders,
            journal: Mutex::new(parts.journal),
            _lock: parts.lock,
        }
    }

    /// Gives a command of the authority itself; see [`Authority::execute_for`].
    ///
    /// # Errors
    /// See [`OrderError`].
    pub async fn execute(&self, actor: Actor, command: Command) -> Result<Accepted, OrderError> {
        self.execute_for(Asker::Owner, actor, command).await
    }

    /// Gives a command of somebody who may give it. When this answers, the command is in the journal and its removals are on their way; its commit
    /// follows, see [`Authority::published_at`].
    ///
    /// # Errors
    /// See [`OrderError`].
    pub async fn execute_for(&self, asker: Asker, actor: Actor, command: Command) -> Result<Accepted, OrderError> {
        let text = serde_json::to_string(&command).map_err(|error| OrderError::Spelling(error.to_string()))?;
        let (reply, answer) = oneshot::channel();
        let order = Message::Order(Box::new(Order { asker, actor, command, text, reply }));
        self.orders.send(order).map_err(|_| OrderError::Stopping)?;
        answer.await.map_err(|_| OrderError::Stopping)?
    }

    /// Lets the writer finish what was begun and end.
    pub fn stop(&self) {
        // The writer may be gone already.
        let _gone = self.orders.send(Message::Stop);
    }

    /// Waits until the commit of an entry is there; false when the server stops before.
    pub async fn published_at(&self, seq: u64) -> bool {
        self.moved.subscribe().wait_for(|published| *published >= seq).await.is_ok()
    }

    /// Waits until the directory has an entry and it is known whom it concerns, which is before its commit is on the disk; false when
    /// the server stops before.
    pub async fn taken_at(&self, seq: u64) -> bool {
        self.taken.subscribe().wait_for(|taken| *taken >= seq).await.is_ok()
    }

    /// The newest entry of which it is known whom it concerns.
    #[must_use]
    pub fn taken(&self) -> u64 {
        *self.taken.borrow()
    }

    /// See [`Authority::taken_at`].
    pub(crate) fn show_taken(&self, seq: u64) {
        self.taken.send_replace(seq);
    }

    /// Changes with every commit.
    #[must_use]
    pub fn moves(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// The newest commit. Never waits.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The directory and all states. Waits while a command is being compiled, and lets other tasks run meanwhile.
    pub fn present(&self) -> RwLockReadGuard<'_, Present> {
        match self.present.try_read() {
            Ok(present) => present,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let wait = || self.present.read().unwrap_or_else(PoisonError::into_inner);
                let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
                if matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
                    tokio::task::block_in_place(wait)
                } else {
                    wait()
                }
            }
        }
    }

    /// The directory and all states, if nothing is being compiled.
    pub(crate) fn try_present(&self) -> Option<RwLockReadGuard<'_, Present>> {
        self.present.try_read().ok()
    }

    pub(crate) fn present_mut(&self) -> RwLockWriteGuard<'_, Present> {
        self.present.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a commit to everyone.
    pub(crate) fn publish(&self, published: Arc<Published>) {
        let seq = published.position.seq;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = published;
        self.timeline.publish(seq);
        self.moved.send_replace(seq);
    }

    /// Who works here, as of the newest entry of the journal. Never waits.
    #[must_use]
    pub fn office(&self) -> Arc<Office> {
        Arc::clone(&self.office.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_office(&self, office: Office) {
        *self.office.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(office);
    }

    /// Local time of the campus.
    #[must_use]
    pub fn zone(&self) -> Arc<Zone> {
        Arc::clone(&self.zone.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_zone(&self, zone: Zone) {
        *self.zone.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(zone);
    }

    /// The newest pulse.
    #[must_use]
    pub fn last_pulse(&self) -> Option<Signed<Pulse>> {
        self.pulse.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Signs a fresh word and hands it to all agents, unless a command is under way or the clock is not to be believed.
    ///
    /// It is written down before it is sent, so that what is said about leases stays true after a crash.
    pub async fn send_pulse(&self) {
        let stepped_ms = self.timeline.stepped_ms();
        if self.timeline.is_stepped() {
            let text =
                format!("the clock was stepped by {stepped_ms} ms; no pulses are sent until it is back, or a restart");
            self.warn(Warning::ClockStepped, AlarmKind::Clock, &text);
            return;
        }
        self.clear(Warning::ClockStepped);
        let Some((seq, at)) = self.timeline.pulse() else { return };
        let published = self.published();
        if published.position.seq != seq {
            return;
        }
        if let Err(error) = self.store.note_pulse(at).await {
            self.warn(Warning::AccessNotWritten, AlarmKind::StoreDamaged, &format!("no pulse is sent: {error}"));
            return;
        }
        self.clear(Warning::AccessNotWritten);
        let (campus, position) = (self.signer.campus().clone(), published.position);
        let Ok(pulse) = self.signer.sign(&Pulse { campus, position, commit: published.hash, at }) else { return };
        *self.pulse.write().unwrap_or_else(PoisonError::into_inner) = Some(pulse.clone());
        self.hub.pulse(&pulse);
    }

    /// Shows a condition in the status, and raises an alarm when it begins.
    pub fn warn(&self, warning: Warning, kind: AlarmKind, text: &str) {
        let before = self.lock_warnings().insert(warning, text.to_owned());
        if before.is_none() {
            self.raise(kind, None, text);
        }
    }

    /// Ends a condition.
    pub fn clear(&self, warning: Warning) {
        self.lock_warnings().remove(&warning);
    }

    /// Conditions that last, in sentences.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.lock_warnings().values().cloned().collect()
    }

    /// Raises an alarm.
    pub fn raise(&self, kind: AlarmKind, agent: Option<AgentId>, text: &str) {
        self.store.raise(NewAlarm::new(kind, agent, text), clock::wall());
    }

    fn lock_warnings(&self) -> std::sync::MutexGuard<'_, BTreeMap<Warning, String>> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Authority {
    fn head(&self) -> (Position, Hash) {
        let published = self.published();
        (published.position, published.hash)
    }

    fn has_signed(&self, position: Position, commit: Hash) -> bool {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        match journal.commit(position) {
            Ok(signed) => signed.is_some_and(|signed| signed.hash() == commit),
            Err(error) => {
                // What cannot be looked up is not known to be ours, and nothing is taken back by sending nothing.
                tracing::error!(%error, %position, "a commit cannot be looked up");
                false
            }
        }
    }

    fn pulse(&self) -> Option<Signed<Pulse>> {
        self.last_pulse()
    }

    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>> {
        let held = usize::try_from(version).unwrap_or(usize::MAX);
        self.signer.statements().get(held..).unwrap_or_default().to_vec()
    }

    fn digest(&self, agent: &AgentId) -> Option<Hash> {
        self.published().leaves.leaf(agent).map(|leaf| leaf.digest)
    }

    fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        self.present().update_for(agent, have)
    }
}
