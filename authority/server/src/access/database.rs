//! One SQLite database of what agents report, with a writer thread of its own: what reaches the writer while it waits for
//! the disk becomes durable together.

use super::StoreError;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Format of the file; in `user_version`.
pub const FORMAT: i64 = 1;

/// Most rows that become durable together: bounds how long the first of them waits for the last, and how long a removal shares
/// the disk with them; and costs each of them little of the disk's wait.
pub const GROUP_ROWS_MAX: usize = 4_096;

/// What a writer may keep of its database in memory, in KiB: as many pages as one group of records touches. Without it, each
/// would go to the log several times.
const WRITER_CACHE_KIB: i64 = 65_536;

/// Only readers and a checkpoint can hold the lock.
const BUSY: Duration = Duration::from_secs(10);

/// See the module. Clones are the same database.
#[derive(Clone)]
pub struct Database {
    jobs: mpsc::Sender<Box<dyn Job>>,
    reader: Arc<Mutex<Connection>>,
    changed: watch::Receiver<u64>,
}

impl Database {
    /// Opens the database, makes it with this schema when it is not there, with what was added to it since wherever that is not
    /// there yet, and starts its writer, which ends with the last clone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(
        file: &Path,
        schema: &[&str],
        added: &str,
        writer_name: &str,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        create_private(file).map_err(|error| StoreError::Storage(format!("{}: {error}", file.display())))?;
        let mut writer = connect(file)?;
        writer.pragma_update(None, "cache_size", WRITER_CACHE_KIB.saturating_neg())?;
        prepare(&mut writer, file, schema, added)?;
        let reader = Arc::new(Mutex::new(connect(file)?));
        let (jobs, queue) = mpsc::channel();
        let (notify, changed) = watch::channel(0);
        let thread = std::thread::Builder::new()
            .name(writer_name.into())
            .spawn(move || write_all(&mut writer, &queue, &notify))
            .map_err(|error| StoreError::Storage(error.to_string()))?;
        Ok((Self { jobs, reader, changed }, thread))
    }

    /// Changes after everything that was stored.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Does something in the next transaction; the answer comes when it is durable.
    pub async fn write<T: Send + 'static>(
        &self,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(1, action)?.await.map_err(|_| StoreError::Closed)?
    }

    /// The same for something that writes so many rows.
    pub async fn write_rows<T: Send + 'static>(
        &self,
        rows: usize,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(rows, action)?.await.map_err(|_| StoreError::Closed)?
    }

    /// The same from a thread that may wait.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_soon(action)?.wait()
    }

    /// The same from a thread that has something else to do before it waits.
    pub fn write_soon<T: Send + 'static>(
        &self,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Writing<T>, StoreError> {
        Ok(Writing(self.submit(1, action)?))
    }

    /// The same without waiting at all.
    pub fn write_later(&self, action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static) {
        // Whoever cannot bear that it is lost waits for the answer.
        let _stored = self.submit(1, action);
    }

    fn submit<T: Send + 'static>(
        &self,
        rows: usize,
        action: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Box::new(Work { rows, action, value: None, reply })).map_err(|_| StoreError::Closed)?;
        Ok(answer)
    }

    /// Moves all that was written into the database itself; for threads that may wait.
    pub fn empty_log(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            let is_busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if is_busy != 0 {
                tracing::warn!("what was erased stands in the log of a database until it is written over");
            }
            Ok(())
        })
    }

    /// Reads; for threads that may wait.
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        // A reader that panicked left the connection as it was: reading changes nothing.
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(query(&connection)?)
    }
}

/// What is on its way to the disk.
#[derive(Debug)]
#[must_use = "it may fail"]
pub struct Writing<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Writing<T> {
    /// Waits until it is durable, on a thread that may.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn wait(self) -> Result<T, StoreError> {
        self.0.blocking_recv().map_err(|_| StoreError::Closed)?
    }
}

/// Something to do in a transaction, and whom to tell when it is durable.
trait Job: Send {
    fn rows(&self) -> usize;
    fn perform(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Work<T, F> {
    rows: usize,
    action: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send> Job for Work<T, F> {
    fn rows(&self) -> usize {
        self.rows
    }

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
        let mut rows = first.rows();
        let mut group = VecDeque::from([first]);
        while rows < GROUP_ROWS_MAX
            && let Ok(job) = queue.try_recv()
        {
            rows = rows.saturating_add(job.rows());
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

/// A connection with which what is committed survives a power cut.
pub fn connect(file: &Path) -> Result<Connection, StoreError> {
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
    // What is removed is not to be read from the file any more.
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, file: &Path, schema: &[&str], added: &str) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        FORMAT => return Ok(connection.execute_batch(added)?),
        0 => {}
        newer if newer > FORMAT => return Err(StoreError::Newer { found: newer, known: FORMAT }),
        _ => return Err(StoreError::NotAnAccessLog(file.to_owned())),
    }
    let transaction = connection.transaction()?;
    for part in schema {
        transaction.execute_batch(part)?;
    }
    transaction.execute_batch(added)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let work: Box<dyn Job> = Box::new(Work { rows: 1, action, value: None, reply });
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
