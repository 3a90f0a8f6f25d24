//! What agents report: access records with their chains, alarms, contacts, and how far each closing has come; and who asked
//! about whom; and what other systems are told.
//!
//! Four databases, each with a writer thread of its own and all apart from the journal: a flood of records delays neither a
//! command nor the word that a door is closed.

mod alarms;
mod closings;
mod contacts;
mod counts;
mod database;
mod erase;
mod events;
mod looks;
mod old;
mod records;
mod times;

pub use alarms::{AlarmRow, NewAlarm};
pub use closings::{ClosingAgentRow, ClosingRow};
pub use contacts::Contact;
pub use counts::{Count, Counts, QUARTER_MS};
pub use database::Writing;
pub use erase::Erased;
pub use events::Event;
pub use looks::{Look, LookRow};
pub use old::{Old, Removed};
pub use records::{Filter, NewRecord, RecordRow};
pub use times::RemovalTimes;

use crate::paths::Layout;
use database::Database;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use thiserror::Error;
use tokio::sync::{Semaphore, watch};

/// Why the access store did not do what it was asked to; nothing of the request was kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// A newer version of the software made it.
    #[error("the access log has format {found}, this software knows formats up to {known}; run the newer software")]
    Newer {
        /// Format of the file.
        found: i64,
        /// Newest format that is known here.
        known: i64,
    },
    /// The file is something else.
    #[error("{0} is not an access log of Doorward")]
    NotAnAccessLog(PathBuf),
    /// The database failed; a full or read-only disk is named in its words.
    #[error("the database of access records failed: {0}")]
    Storage(String),
    /// The writer is gone: the process is stopping.
    #[error("the access store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

/// See the module. Clones are the same store.
#[derive(Clone)]
pub struct AccessStore {
    /// Access records and alarms.
    log: Database,
    /// Contacts and closings.
    progress: Database,
    /// Who asked about whom.
    looks: Database,
    /// What other systems are told.
    events: Database,
    raised: Arc<Mutex<alarms::Raised>>,
    /// For so many rows at once records are taken in.
    turns: Arc<Semaphore>,
}

impl core::fmt::Debug for AccessStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AccessStore")
    }
}

impl AccessStore {
    /// Opens the store, makes it when it is not there, and starts its writers, which end with the last clone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(layout: &Layout) -> Result<(Self, [JoinHandle<()>; 4]), StoreError> {
        let schema = [records::SCHEMA, alarms::SCHEMA];
        let added = [old::ADDED, records::ADDED].concat();
        let (log, log_writer) = Database::open(&layout.access(), &schema, &added, "access-writer")?;
        let schema = [contacts::SCHEMA, closings::SCHEMA];
        let (progress, progress_writer) = Database::open(&layout.progress(), &schema, "", "progress-writer")?;
        let (looks, looks_writer) = Database::open(&layout.looks(), &[looks::SCHEMA], "", "looks-writer")?;
        let (events, events_writer) = Database::open(&layout.events(), &[events::SCHEMA], "", "events-writer")?;
        let writers = [log_writer, progress_writer, looks_writer, events_writer];
        // One group is being written, and one waits for it.
        let turns = Arc::new(Semaphore::new(database::GROUP_ROWS_MAX.saturating_mul(2)));
        Ok((Self { log, progress, looks, events, raised: Arc::default(), turns }, writers))
    }

    /// Changes after everything that was stored: for streams that follow the log.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

/// A number that SQL keeps as a signed one; above its range, which no count reaches, it stays at the end of it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The way back; a negative number, which is never stored, becomes 0.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_a_newer_version_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        drop(AccessStore::open(&layout).unwrap());
        for file in [layout.access(), layout.progress(), layout.looks(), layout.events()] {
            let connection = database::connect(&file).unwrap();
            connection.pragma_update(None, "user_version", database::FORMAT + 1).unwrap();
            assert_eq!(AccessStore::open(&layout).unwrap_err(), StoreError::Newer { found: 2, known: 1 });
            connection.pragma_update(None, "user_version", database::FORMAT).unwrap();
        }
    }
}
