//! What agents report: access records with their chains, alarms, contacts, and how far each closing has come.
//!
//! A database of its own with a writer thread of its own, so that a flood of records never delays the journal. What
//! reaches the writer while it waits for the disk becomes durable together.

mod alarms;
mod closings;
mod contacts;
mod records;

pub use alarms::{AlarmRow, NewAlarm};
pub use closings::{ClosingAgentRow, ClosingRow};
pub use contacts::Contact;
pub use records::{Filter, NewRecord, RecordRow};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

/// Format of the file; in `user_version`.
const FORMAT: i64 = 1;

/// Most jobs that become durable together: bounds how long the first of them waits for the last.
const GROUP_MAX: usize = 512;

/// Only readers and a checkpoint can hold the lock.
const BUSY: Duration = Duration::from_secs(10);

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
    jobs: mpsc::Sender<Box<dyn Job>>,
    reader: Arc<Mutex<Connection>>,
    changed: watch::Receiver<u64>,
    raised: Arc<Mutex<alarms::Raised>>,
}

impl core::fmt::Debug for AccessStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AccessStore")
    }
}

impl AccessStore {
    /// Opens the store, makes it when it is not there, and starts its writer, which ends with the last clone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(file: &Path) -> Result<(Self, JoinHandle<()>), StoreError> {
        create_private(file).map_err(|error| StoreError::Storage(format!("{}: {error}", file.display())))?;
        let mut writer = connect(file)?;
        prepare(&mut writer, file)?;
        let reader = Arc::new(Mutex::new(connect(file)?));
        let (jobs, queue) = mpsc::channel();
        let (notify, changed) = watch::channel(0);
        let thread = std::thread::Builder::new()
            .name("access-writer".into())
            .spawn(move || write_all(&mut writer, &queue, &notify))
            .map_err(|error| StoreError::Storage(error.to_string()))?;
        Ok((Self { jobs, reader, changed, raised: Arc::default() }, thread))
    }

    /// Changes after everything that was stored: for streams that follow the log.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Does something in the next transaction; the answer comes when it is durable.
    async fn write<T: Send + 'static>(
        &self,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(action)?.await.map_err(|_| StoreError::Closed)?
    }

    /// The same from a thread that may wait.
    fn write_blocking<T: Send + 'static>(
        &self,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(action)?.blocking_recv().map_err(|_| StoreError::Closed)?
    }

    fn submit<T: Send + 'static>(
        &self,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Box::new(Work { action, value: None, reply })).map_err(|_| StoreError::Closed)?;
        Ok(answer)
    }

    /// Reads; for threads that may wait.
    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        // A reader that panicked left the connection as it was: reading changes nothing.
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(query(&connection)?)
    }
}

/// Something to do in a transaction, and whom to tell when it is durable.
trait Job: Send {
    fn perform(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Work<T, F> {
    action: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send> Job for Work<T, F> {
    fn perform(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.value = Some((self.action)(transaction)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { value, reply, .. } = *self;
        let answer = outcome.and_then(|()| value.ok_or(StoreError::Closed));
        // Who asked may have gone away meanwhile; what was stored stays stored.
        let _receiver_gone = reply.send(answer);
    }
}

fn write_all(connection: &mut Connection, queue: &mpsc::Receiver<Box<dyn Job>>, changed: &watch::Sender<u64>) {
    while let Ok(first) = queue.recv() {
        let mut group = VecDeque::from([first]);
        while group.len() < GROUP_MAX
            && let Ok(job) = queue.try_recv()
        {
            group.push_back(job);
        }
        let outcome = write_group(connection, &mut group);
        if let Err(error) = &outcome {
            tracing::warn!(%error, "access records and reports cannot be stored");
        }
        changed.send_modify(|count| *count = count.wrapping_add(1));
        for job in group {
            job.finish(outcome.clone());
        }
    }
}

fn write_group(connection: &mut Connection, group: &mut VecDeque<Box<dyn Job>>) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group.iter_mut() {
        job.perform(&transaction)?;
    }
    Ok(transaction.commit()?)
}

/// Who was where and when is nobody else's business.
fn create_private(file: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file).map(|_| ())
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    match mode {
        Ok(mode) if mode == "wal" => {}
        Ok(mode) => return Err(StoreError::Storage(format!("write-ahead logging is not possible here (mode {mode})"))),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(StoreError::NotAnAccessLog(file.to_owned()));
        }
        Err(error) => return Err(error.into()),
    }
    // An acknowledged record is freed at the edge, so it must survive a power cut here.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        FORMAT => return Ok(()),
        0 => {}
        newer if newer > FORMAT => return Err(StoreError::Newer { found: newer, known: FORMAT }),
        _ => return Err(StoreError::NotAnAccessLog(file.to_owned())),
    }
    let transaction = connection.transaction()?;
    for schema in [records::SCHEMA, alarms::SCHEMA, contacts::SCHEMA, closings::SCHEMA] {
        transaction.execute_batch(schema)?;
    }
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
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
        let file = directory.path().join("access.db");
        drop(AccessStore::open(&file).unwrap());
        connect(&file).unwrap().pragma_update(None, "user_version", FORMAT + 1).unwrap();
        assert_eq!(AccessStore::open(&file).unwrap_err(), StoreError::Newer { found: 2, known: 1 });
    }

    #[test]
    fn a_group_is_kept_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("access.db");
        create_private(&file).unwrap();
        let mut connection = connect(&file).unwrap();
        connection.execute_batch("CREATE TABLE t (x BIGINT PRIMARY KEY)").unwrap();
        let insert = |x: i64| {
            let (reply, answer) = oneshot::channel();
            let action = move |transaction: &Transaction<'_>| transaction.execute("INSERT INTO t VALUES (?1)", [x]);
            let work: Box<dyn Job> = Box::new(Work { action, value: None, reply });
            (work, answer)
        };
        let (jobs, answers): (VecDeque<_>, Vec<_>) = [insert(1), insert(2), insert(1)].into_iter().unzip();
        let mut jobs = jobs;
        let outcome = write_group(&mut connection, &mut jobs);
        assert!(outcome.is_err());
        jobs.into_iter().for_each(|job| job.finish(outcome.clone()));
        assert!(answers.into_iter().all(|mut answer| answer.try_recv().unwrap().is_err()));
        let count: i64 = connection.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0);
    }
}
