//! sled behind a narrow door: read, scan, and commit a batch of edits so that it survives a power cut.
//!
//! Deliberately without any idea of what keys mean; `layout` knows that. What measuring has shown about sled 0.34 shapes
//! this file: its `flush` leaves file size and block map in memory, so its files are fsynced after each flush; it does
//! not fsync the files of its large values; `flush_async` hangs, so all of this runs on one thread; and it panics where
//! bytes make no sense, so those panics are caught and become errors.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// What sled may cache, in bytes. Everything that decides is in our own memory; sled is read at start only.
const CACHE_BYTES: u64 = 2 << 20;

/// The file in which sled keeps its log.
const LOG_FILE: &str = "db";

/// Where sled keeps values that are too large for its log.
const LARGE_VALUES: &str = "blobs";

/// How the name of a snapshot ends that sled has not finished writing.
const UNFINISHED: &str = "generating";

/// How often, and with which pauses, an instance that was dropped is waited for: two seconds in all.
const RELEASE_TRIES_MAX: u32 = 200;
const RELEASE_PAUSE: Duration = Duration::from_millis(10);

/// Edits by key, in force together or not at all: a new value, or `None` to remove.
pub type Edits = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Why something was not read or written.
#[derive(Debug, Error)]
pub enum DiskError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What is on disk is not what sled wrote.
    #[error("the stored bytes are damaged: {0}")]
    Damaged(String),
}

impl From<sled::Error> for DiskError {
    fn from(error: sled::Error) -> Self {
        match error {
            // sled passes on the debug spelling of an error; the kind alone reads better where it says something.
            sled::Error::Io(error) if error.kind() == io::ErrorKind::Other => Self::Io(error),
            sled::Error::Io(error) => Self::Io(error.kind().into()),
            other @ (sled::Error::Corruption { .. }
            | sled::Error::ReportableBug(_)
            | sled::Error::Unsupported(_)
            | sled::Error::CollectionNotFound(_)) => Self::Damaged(other.to_string()),
        }
    }
}

/// An open store of keys and values.
#[derive(Debug)]
pub struct Disk {
    directory: PathBuf,
    database: sled::Db,
    log: File,
    synced: [BTreeSet<OsString>; 2],
}

impl Disk {
    /// Opens the store in a directory, which is made when it is not there.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn open(directory: &Path) -> Result<Self, DiskError> {
        guarded(|| {
            // What is stored has the campus's reader key in it.
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            remove_unfinished(directory)?;
            // Without its own flushing thread: a flush happens when somebody waits for it. High throughput, because
            // the low-space mode rewrites the log at every turn for a few megabytes that nobody misses.
            let config = sled::Config::new()
                .path(directory)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(None)
                .mode(sled::Mode::HighThroughput);
            let database = open_once_free(&config)?;
            let log = File::open(directory.join(LOG_FILE))?;
            let mut disk = Self { directory: directory.to_owned(), database, log, synced: Default::default() };
            disk.make_durable()?;
            Ok(disk)
        })
    }

    /// The value under a key.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
        guarded(|| Ok(self.database.get(key)?.map(|value| value.to_vec())))
    }

    /// Hands every entry from `first` to `last`, both inside, to `visit`, in the order of keys, until it says stop.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn visit(&self, first: &[u8], last: &[u8], mut visit: impl FnMut(Entry) -> bool) -> Result<(), DiskError> {
        guarded(|| {
            for entry in self.database.range(first..=last) {
                let (key, value) = entry?;
                if !visit((key.to_vec(), value.to_vec())) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Puts all edits in force together; when this returns, they survive a power cut.
    ///
    /// # Errors
    /// See [`DiskError`]. Whether the edits are stored is then unknown, and sled refuses everything else: open anew.
    pub fn commit(&mut self, edits: Edits) -> Result<(), DiskError> {
        self.apply(edits)?;
        guarded(|| {
            self.database.flush()?;
            self.make_durable()
        })
    }

    /// Puts all edits in force together; they survive a power cut together, or not at all, once something is committed
    /// after them.
    ///
    /// # Errors
    /// As [`Disk::commit`].
    pub fn apply(&mut self, edits: Edits) -> Result<(), DiskError> {
        guarded(|| {
            let mut batch = sled::Batch::default();
            for (key, value) in edits {
                match value {
                    Some(value) => batch.insert(key, value),
                    None => batch.remove(key),
                }
            }
            Ok(self.database.apply_batch(batch)?)
        })
    }

    /// What `flush` leaves undone: the log's size and block map, and whole files of large values, with their names.
    fn make_durable(&mut self) -> Result<(), DiskError> {
        self.log.sync_data()?;
        let [large_values, others] = &mut self.synced;
        sync_new_files(&self.directory.join(LARGE_VALUES), large_values)?;
        sync_new_files(&self.directory, others)?;
        Ok(())
    }
}

/// Opens sled, once an instance that this process has just dropped has let go of its files: its own threads hold them
/// for a moment longer. Other processes are kept away by the lock of the data directory.
fn open_once_free(config: &sled::Config) -> sled::Result<sled::Db> {
    let mut tries_left = RELEASE_TRIES_MAX;
    loop {
        match config.open() {
            // sled says this in words only.
            Err(sled::Error::Io(error)) if tries_left > 0 && error.to_string().contains("could not acquire lock") => {
                tries_left -= 1;
                std::thread::sleep(RELEASE_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Removes what a power cut left of a snapshot while sled was opened: the next open would take it for the newest one and
/// call the store corrupt. The one before it, or the log alone, says the same.
fn remove_unfinished(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Fsyncs the files of a directory that were not there before, after closing them to other users, then the directory
/// itself when there was one; remembers which are there now.
fn sync_new_files(directory: &Path, synced: &mut BTreeSet<OsString>) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let present = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<BTreeSet<OsString>>>()?;
    for name in present.difference(synced) {
        match File::open(directory.join(name)).and_then(|file| make_private(&file).and_then(|()| file.sync_all())) {
            // sled has let go of it between our two looks.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    if !present.is_subset(synced) {
        File::open(directory)?.sync_all()?;
    }
    *synced = present;
    Ok(())
}

/// sled leaves the permissions of its files to the umask.
fn make_private(file: &File) -> io::Result<()> {
    let mode = if file.metadata()?.is_dir() { 0o700 } else { 0o600 };
    file.set_permissions(Permissions::from_mode(mode))
}

fn guarded<T>(work: impl FnOnce() -> Result<T, DiskError>) -> Result<T, DiskError> {
    // A handle that panicked is thrown away by everyone who gets the error, so nothing half-done is looked at again.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(DiskError::Damaged("sled gave up".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(pairs: &[(&str, Option<Vec<u8>>)]) -> Edits {
        pairs.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.clone())).collect()
    }

    #[test]
    fn what_is_committed_is_there_after_opening_again() {
        let directory = tempfile::tempdir().unwrap();
        let large = vec![7; 400_000];
        {
            let mut disk = Disk::open(directory.path()).unwrap();
            disk.commit(edits(&[("a", Some(vec![1])), ("b", Some(large.clone())), ("c", Some(vec![3]))])).unwrap();
            disk.commit(edits(&[("a", None), ("d", Some(vec![4]))])).unwrap();
        }
        let disk = Disk::open(directory.path()).unwrap();
        assert_eq!(disk.value(b"a").unwrap(), None);
        assert_eq!(disk.value(b"b").unwrap(), Some(large));
        let mut keys = Vec::new();
        disk.visit(b"b", b"c", |(key, _)| {
            keys.push(key);
            true
        })
        .unwrap();
        assert_eq!(keys, [b"b".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn a_snapshot_that_a_power_cut_left_unfinished_costs_nothing() {
        let directory = tempfile::tempdir().unwrap();
        {
            let mut disk = Disk::open(directory.path()).unwrap();
            disk.commit(edits(&[("a", Some(vec![1]))])).unwrap();
        }
        for unfinished in [Vec::new(), vec![0; 500]] {
            fs::write(directory.path().join("snap.00000000000FFFFF.generating"), unfinished).unwrap();
            let disk = Disk::open(directory.path()).unwrap();
            assert_eq!(disk.value(b"a").unwrap(), Some(vec![1]));
        }
    }

    #[test]
    fn a_file_that_is_no_store_is_damage_and_no_panic() {
        let directory = tempfile::tempdir().unwrap();
        drop(Disk::open(directory.path()).unwrap());
        fs::write(directory.path().join("conf"), [9; 64]).unwrap();
        assert!(Disk::open(directory.path()).is_err());
    }
}
