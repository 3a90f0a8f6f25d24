//! Accounts of operators and card holders: passwords and sessions. What an operator may do is in the journal, how one shows who one is, here.
//!
//! One small file, rewritten whole and only by its owner. Sessions are in memory alone: they end with the process.

mod login;
pub mod password;

pub use login::Login;

use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::token::hash_of;
use doorward_policy::model::PersonId;
use doorward_protocol::id::Hash;
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use tokio::sync::Semaphore;

/// How long a set-up secret is good for: until tomorrow's working day.
const SET_UP_MS: i64 = 24 * 3_600_000;
/// How long a session lasts at most, and how long one that is not used.
const SESSION_MS: i64 = 12 * 3_600_000;
const IDLE_MS: i64 = 30 * 60_000;
/// What the token of a session begins with, so that its file is not taken for another one's.
pub const SESSION_PREFIX: &str = "session_";
/// Most sessions of one operator; the oldest makes room.
const SESSIONS_MAX: usize = 16;
/// Failures in a row after which an account is locked, and for how long, doubling with each further one up to the most: long
/// enough that guessing is hopeless, short enough that whoever is kept out by somebody else's guessing is let in soon.
const FAILURES_MAX: u32 = 5;
const LOCK_MS: i64 = 60_000;
const LOCK_MS_MAX: i64 = 15 * 60_000;
/// Passwords that are hashed together: each takes 19 MiB and a few hundredths of a second of a core.
const TOGETHER_MAX: usize = 2;

/// Why somebody was not let in, or an account not changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// Which of them is not said.
    #[error("the operator or the password is wrong")]
    Wrong,
    /// There were too many failures.
    #[error("there were too many wrong passwords; try again in {} s", .0.div_euclid(1000).saturating_add(1))]
    Locked(i64),
    /// The secret is not the one that waits.
    #[error("the set-up secret is wrong, was used, or has expired; ask an administrator for a new one")]
    SetUp,
    /// The password may not be chosen.
    #[error("{0}")]
    Weak(String),
    /// The file of accounts cannot be written.
    #[error("accounts cannot be stored: {0}")]
    Key(#[from] KeyError),
    /// No hash could be made.
    #[error("the password cannot be hashed")]
    Hash,
}

/// Why the accounts cannot be read.
#[derive(Debug, Error)]
pub enum AccountsError {
    /// The file cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file is something else.
    #[error("{0} does not hold the accounts of operators: {1}; delete it, and operators set up their passwords again")]
    Damaged(PathBuf, String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    /// Hash in the PHC string format.
    password: Option<String>,
    set_up: Option<SetUp>,
    failures: u32,
    locked_until: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetUp {
    hash: Hash,
    expires_at: UnixMs,
}

/// A session that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub operator: Login,
    /// When it ends at the latest.
    pub expires_at: UnixMs,
    used_at: UnixMs,
}

/// See the module.
#[derive(Debug)]
pub struct Accounts {
    file: PathBuf,
    state: Mutex<State>,
    hashing: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<Login, Account>,
    /// By the hash of the token.
    sessions: BTreeMap<Hash, Session>,
}

impl Accounts {
    /// The accounts of a data directory.
    ///
    /// # Errors
    /// See [`AccountsError`].
    pub fn open(layout: &Layout) -> Result<Self, AccountsError> {
        let file = layout.accounts();
        let accounts = if file.exists() {
            let text = keys::read_private(&file)?;
            serde_json::from_str(&text).map_err(|error| AccountsError::Damaged(file.clone(), error.to_string()))?
        } else {
            BTreeMap::new()
        };
        let state = Mutex::new(State { accounts, sessions: BTreeMap::new() });
        Ok(Self { file, state, hashing: Semaphore::new(TOGETHER_MAX) })
    }

    /// Lets an operator choose a password once; ends the password and the sessions before.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub fn invite(&self, operator: &Login, now: UnixMs) -> Result<(String, UnixMs), AccountError> {
        let secret = hex::encode(keys::random::<32>()?);
        let expires_at = now.plus_ms(SET_UP_MS);
        let set_up = Some(SetUp { hash: hash_of(secret.as_bytes()), expires_at });
        self.change(operator, |account| *account = Account { set_up, ..Account::default() })?;
        self.end_sessions(operator);
        Ok((secret, expires_at))
    }

    /// Chooses the password with the secret of an invitation.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub async fn set_up(
        &self,
        operator: &Login,
        secret: &str,
        password: String,
        now: UnixMs,
    ) -> Result<(), AccountError> {
        let given = hash_of(secret.as_bytes());
        let is_waiting = |account: &Account| {
            account
                .set_up
                .is_some_and(|set_up| keys::equal_in_constant_time(&set_up.hash.0, &given.0) && now < set_up.expires_at)
        };
        if !self.lock().accounts.get(operator).is_some_and(is_waiting) {
            return Err(AccountError::SetUp);
        }
        password::check(&password, operator.id()).map_err(AccountError::Weak)?;
        let hash = self.hash(password).await?;
        let mut was_waiting = false;
        self.change(operator, |account| {
            // Another request may have used the secret meanwhile.
            was_waiting = is_waiting(account);
            if was_waiting {
                *account = Account { password: Some(hash), ..Account::default() };
            }
        })?;
        if was_waiting { Ok(()) } else { Err(AccountError::SetUp) }
    }

    /// Begins a session; its token is said this once.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub async fn sign_in(
        &self,
        operator: &Login,
        password: String,
        now: UnixMs,
    ) -> Result<(String, Session), AccountError> {
        self.check(operator, password, now).await?;
        self.begin_session(operator, now)
    }

    /// Begins a session of somebody who has shown in another way who it is.
    ///
    /// # Errors
    /// [`AccountError::Key`], where the operating system gives no randomness.
    pub fn begin_session(&self, operator: &Login, now: UnixMs) -> Result<(String, Session), AccountError> {
        let token = format!("{SESSION_PREFIX}{}", hex::encode(keys::random::<32>()?));
        let session = Session { operator: operator.clone(), expires_at: now.plus_ms(SESSION_MS), used_at: now };
        let mut state = self.lock();
        state.sessions.retain(|_, session| session.is_on(now));
        let of_operator = state.sessions.iter().filter(|(_, session)| session.operator == *operator);
        let oldest = of_operator.clone().min_by_key(|(_, session)| session.expires_at).map(|(hash, _)| *hash);
        if of_operator.count() >= SESSIONS_MAX {
            oldest.iter().for_each(|oldest| drop(state.sessions.remove(oldest)));
        }
        state.sessions.insert(hash_of(token.as_bytes()), session.clone());
        Ok((token, session))
    }

    /// Chooses another password, and ends all sessions.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub async fn change_password(
        &self,
        operator: &Login,
        old: String,
        new: String,
        now: UnixMs,
    ) -> Result<(), AccountError> {
        self.check(operator, old, now).await?;
        password::check(&new, operator.id()).map_err(AccountError::Weak)?;
        let hash = self.hash(new).await?;
        self.change(operator, |account| account.password = Some(hash))?;
        self.end_sessions(operator);
        Ok(())
    }

    /// Whose session a token is of; its use keeps it from going idle.
    #[must_use]
    pub fn session(&self, token: &[u8], now: UnixMs) -> Option<Session> {
        let mut state = self.lock();
        let hash = hash_of(token);
        let session = state.sessions.get_mut(&hash)?;
        if session.is_on(now) {
            session.used_at = session.used_at.max(now);
            return Some(session.clone());
        }
        state.sessions.remove(&hash);
        None
    }

    /// Ends one session.
    pub fn sign_out(&self, token: &[u8]) {
        self.lock().sessions.remove(&hash_of(token));
    }

    /// Ends what an operator could show: password, invitation and sessions.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub fn forget(&self, operator: &Login) -> Result<(), AccountError> {
        self.end_sessions(operator);
        if self.lock().accounts.contains_key(operator) {
            self.change_all(|accounts| drop(accounts.remove(operator)))?;
        }
        Ok(())
    }

    /// Ends the accounts of card holders who are none any more.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub fn forget_holders(&self, is_one: impl Fn(&PersonId) -> bool) -> Result<(), AccountError> {
        let is_gone = |login: &Login| matches!(login, Login::Holder(person) if !is_one(person));
        let gone: Vec<Login> = self.lock().accounts.keys().filter(|login| is_gone(login)).cloned().collect();
        gone.iter().try_for_each(|login| self.forget(login))
    }

    fn end_sessions(&self, operator: &Login) {
        self.lock().sessions.retain(|_, session| session.operator != *operator);
    }

    /// Whether a password is the operator's; failures are counted before anything is said.
    async fn check(&self, operator: &Login, password: String, now: UnixMs) -> Result<(), AccountError> {
        // Whoever waits here is held against what those before it have failed at: many at once guess no more often than one.
        let _place = self.hashing.acquire().await;
        let account = self.lock().accounts.get(operator).cloned();
        if let Some(until) = account.as_ref().and_then(|account| account.locked_until).filter(|until| now < *until) {
            return Err(AccountError::Locked(until.since_ms(now)));
        }
        let hash = account.as_ref().and_then(|account| account.password.clone());
        // Without an account it takes as long as with one.
        let known = hash.is_some();
        let is_right = verify(password, hash.unwrap_or_else(|| NO_PASSWORD.to_owned())).await?;
        if known && is_right {
            if account.is_some_and(|account| account.failures > 0) {
                self.change(operator, |account| (account.failures, account.locked_until) = (0, None))?;
            }
            return Ok(());
        }
        if known {
            self.change(operator, |account| {
                account.failures = account.failures.saturating_add(1);
                account.locked_until = lock_ms(account.failures).map(|ms| now.plus_ms(ms));
            })?;
        }
        Err(AccountError::Wrong)
    }

    async fn hash(&self, password: String) -> Result<String, AccountError> {
        let _place = self.hashing.acquire().await;
        let hashed = tokio::task::spawn_blocking(move || password::hash(&password)).await;
        hashed.ok().flatten().ok_or(AccountError::Hash)
    }

    fn change(&self, operator: &Login, change: impl FnOnce(&mut Account)) -> Result<(), AccountError> {
        self.change_all(|accounts| change(accounts.entry(operator.clone()).or_default()))
    }

    /// A change is there once it is on the disk.
    fn change_all(&self, change: impl FnOnce(&mut BTreeMap<Login, Account>)) -> Result<(), AccountError> {
        let mut state = self.lock();
        let mut accounts = state.accounts.clone();
        change(&mut accounts);
        let text = serde_json::to_string(&accounts).map_err(|_| AccountError::Hash)?;
        keys::replace_private(&self.file, &text)?;
        state.accounts = accounts;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change of the maps is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn verify(password: String, hash: String) -> Result<bool, AccountError> {
    if password.len() > password::BYTES_MAX {
        return Ok(false);
    }
    let verified = tokio::task::spawn_blocking(move || password::is(&password, &hash)).await;
    verified.map_err(|_| AccountError::Hash)
}

impl Session {
    fn is_on(&self, now: UnixMs) -> bool {
        now < self.expires_at && now < self.used_at.plus_ms(IDLE_MS)
    }
}

/// For how long an account is locked after so many failures in a row.
fn lock_ms(failures: u32) -> Option<i64> {
    let beyond = failures.checked_sub(FAILURES_MAX)?;
    Some(LOCK_MS.saturating_mul(1_i64.checked_shl(beyond.min(10)).unwrap_or(1)).min(LOCK_MS_MAX))
}

/// A hash that is of no password that anybody was told, at the usual cost.
const NO_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests;
