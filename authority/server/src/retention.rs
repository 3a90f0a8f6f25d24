//! Ends what is kept no longer: once at a start and then daily, by what `[retention]` of the campus says of each kind.
//!
//! What stands in databases goes some at a time with pauses in between, so that records and commands that come meanwhile do not
//! wait; what stands in the directory goes by commands, as everything there does.

use crate::access::{Old, Removed};
use crate::accounts::{AccountError, Accounts};
use crate::authority::Authority;
use crate::erasure;
use crate::photos::Photos;
use doorward_policy::command::{Actor, Command};
use doorward_policy::model::{CalendarSpan, PersonId};
use doorward_policy::photo::PhotoOrder;
use doorward_policy::retention::Kind;
use doorward_protocol::id::Hash;
use doorward_protocol::time::UnixMs;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often.
const PERIOD: Duration = Duration::from_secs(86_400);
/// Between two batches, and between two commands.
const PAUSE: Duration = Duration::from_millis(20);
/// Most commands of one run: each is a commit, and tomorrow is another day.
const COMMANDS_MAX: usize = 1_000;
const DAY_MS: i64 = 86_400_000;

/// What came of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which kind; `None`: files of photos that nobody names.
    pub kind: Option<Kind>,
    /// How many were removed.
    pub removed: u64,
    /// Why no more were.
    pub failed: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it ended.
    pub at: UnixMs,
    /// What came of each kind that is not kept without end.
    pub outcomes: Vec<Outcome>,
}

/// A kind, how long it is kept, and what stands against that now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which kind; `None`: files of photos that nobody names.
    pub kind: Option<Kind>,
    /// How long; `None`: without end.
    pub span: Option<CalendarSpan>,
    /// How many are there that are kept no longer.
    pub due: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Retention {
    authority: Arc<Authority>,
    photos: Photos,
    accounts: Arc<Accounts>,
    last: Mutex<Option<Run>>,
}

impl Retention {
    /// Of an authority and its photos.
    #[must_use]
    pub const fn new(authority: Arc<Authority>, photos: Photos, accounts: Arc<Accounts>) -> Self {
        Self { authority, photos, accounts, last: Mutex::new(None) }
    }

    /// The photos.
    #[must_use]
    pub const fn photos(&self) -> &Photos {
        &self.photos
    }

    /// The last run, since the server started.
    #[must_use]
    pub fn last(&self) -> Option<Run> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the next run begins; `None` before the first.
    #[must_use]
    pub fn next_at(&self) -> Option<UnixMs> {
        let period_ms = i64::try_from(PERIOD.as_millis()).unwrap_or(i64::MAX);
        self.last().map(|last| last.at.plus_ms(period_ms))
    }

    /// How long each kind is kept, and, where that is asked, how many are there that are not any longer. For threads that may wait.
    ///
    /// # Errors
    /// When it cannot be looked up.
    pub fn rules(&self, count: bool) -> Result<Vec<Rule>, String> {
        let now = self.authority.timeline.now();
        let mut rules = Vec::new();
        for kind in Kind::ALL {
            let span = self.authority.present().directory.policy().and_then(|policy| policy.retention.of(kind));
            let due = if count { Some(self.count(kind, now)?) } else { None };
            rules.push(Rule { kind: Some(kind), span, due });
        }
        let named = self.named();
        let unnamed = || self.photos.unnamed(&named, SystemTime::now()).map_err(|error| error.to_string());
        let due = if count { Some(unnamed()?.len()) } else { None };
        rules.push(Rule { kind: None, span: None, due: due.and_then(|due| u64::try_from(due).ok()) });
        Ok(rules)
    }

    /// The chains whose beginning is kept no longer.
    ///
    /// # Errors
    /// When it cannot be looked up.
    pub fn removed_beginnings(&self) -> Result<Vec<Removed>, String> {
        self.authority.store.removed_beginnings().map_err(|error| error.to_string())
    }

    fn count(&self, kind: Kind, now: UnixMs) -> Result<u64, String> {
        let Some(old) = old(kind) else {
            let count = self.people(kind, now).len();
            return Ok(u64::try_from(count).unwrap_or(u64::MAX));
        };
        let before = self.kept_since(kind, now);
        before.map_or(Ok(0), |before| self.authority.store.count_old(old, before).map_err(|error| error.to_string()))
    }

    /// Removes what is kept no longer.
    pub async fn sweep(&self) {
        if let Err(error) = erasure::finish(&self.authority).await {
            tracing::error!(%error, "somebody was not erased everywhere; it is tried again in a day");
        }
        if let Err(error) = self.forget_holders() {
            tracing::error!(%error, "accounts of people who are gone are not deleted; it is tried again in a day");
        }
        let mut outcomes = Vec::new();
        for kind in Kind::ALL {
            let now = self.authority.timeline.now();
            let Some(before) = self.kept_since(kind, now) else { continue };
            let mut removed = 0;
            let failed = match old(kind) {
                Some(old) => self.remove_old(old, before, &mut removed).await,
                None => self.remove_people(kind, now, &mut removed).await,
            };
            outcomes.push(Outcome { kind: Some(kind), removed, failed: failed.err() });
        }
        // What the commands before have made nameless was brought long ago.
        let removed = self.photos.remove_unnamed(&self.named(), SystemTime::now());
        let failed = removed.as_ref().err().map(ToString::to_string);
        outcomes.push(Outcome { kind: None, removed: removed.unwrap_or_default(), failed });
        for Outcome { kind, removed, failed } in &outcomes {
            let kind = kind.map_or("photos that nobody names", Kind::name);
            if let Some(error) = failed {
                tracing::error!(kind, %error, "what is kept no longer could not be removed; it is tried again in a day");
            } else if *removed > 0 {
                tracing::info!(kind, removed, "removed what is kept no longer");
            }
        }
        let run = Run { at: self.authority.timeline.now(), outcomes };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
    }

    /// Deletes the accounts of card holders whom folders name no more.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub fn forget_holders(&self) -> Result<(), AccountError> {
        let present = self.authority.present();
        self.accounts.forget_holders(|person| present.directory.tables().people.contains_key(person))
    }

    async fn remove_old(&self, old: Old, before: UnixMs, removed: &mut u64) -> Result<(), String> {
        loop {
            let (count, is_more) =
                self.authority.store.remove_old(old, before).await.map_err(|error| error.to_string())?;
            *removed = removed.saturating_add(count);
            if !is_more {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }

    /// Of whom something of a kind is kept no longer.
    fn people(&self, kind: Kind, now: UnixMs) -> Vec<PersonId> {
        let present = self.authority.present();
        match kind {
            Kind::Photos => present.directory.with_old_photos(now).cloned().collect(),
            Kind::ClosedAccounts => present.directory.with_closed_accounts(now).cloned().collect(),
            Kind::AccessRecords | Kind::Alarms | Kind::Looks => Vec::new(),
        }
    }

    async fn remove_people(&self, kind: Kind, now: UnixMs, removed: &mut u64) -> Result<(), String> {
        for person in self.people(kind, now).into_iter().take(COMMANDS_MAX) {
            if kind == Kind::ClosedAccounts {
                let reason = "nothing is kept so long of people whom neither folder nor feed names any more".to_owned();
                erasure::erase(&self.authority, Actor::system(), person, reason).await?;
                *removed = removed.saturating_add(1);
                continue;
            }
            let reason = "its person left longer ago than photos are kept".to_owned();
            let command = Command::Photo(PhotoOrder::Remove { person, reason });
            let accepted = self.authority.execute(Actor::system(), command).await.map_err(|error| error.to_string())?;
            self.authority.published_at(accepted.seq).await;
            *removed = removed.saturating_add(1);
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The instant from which on something of this kind is kept.
    fn kept_since(&self, kind: Kind, now: UnixMs) -> Option<UnixMs> {
        let present = self.authority.present();
        let since = present.directory.kept_since(kind, now)?;
        let days = present.directory.day_at(now)?.0.saturating_sub(since.0);
        Some(now.plus_ms(i64::from(days).saturating_mul(-DAY_MS)))
    }

    fn named(&self) -> BTreeSet<Hash> {
        self.authority.present().directory.photos().values().map(|photo| photo.image).collect()
    }
}

/// The rows of which a kind is made; `None`: it stands in the directory.
const fn old(kind: Kind) -> Option<Old> {
    match kind {
        Kind::AccessRecords => Some(Old::Records),
        Kind::Alarms => Some(Old::Alarms),
        Kind::Looks => Some(Old::Looks),
        Kind::Photos | Kind::ClosedAccounts => None,
    }
}

/// Removes what is kept no longer, again and again.
pub async fn run(retention: Arc<Retention>) {
    let mut days = interval(PERIOD);
    days.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        days.tick().await;
        retention.sweep().await;
    }
}
