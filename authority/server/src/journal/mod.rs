//! The journal: the ordered, gapless list of commands that is the only truth, with what was signed about it.
//!
//! Deliberately small: any database that appends in a transaction can keep one. What commands mean is `doorward_policy`'s.

mod sqlite;

use doorward_policy::command::{Actor, Command, Entry};
use doorward_protocol::commit::{Commit, Position};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::Statement;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the journal did not do what it was asked to; nothing was changed.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Someone else appended first.
    #[error("the journal stands at entry {found}, not at {expected}; read what came between and decide again")]
    Conflict {
        /// The head that was expected.
        expected: u64,
        /// The head that is there.
        found: u64,
    },
    /// There is no journal.
    #[error("{0} is not there; make one with `doorward init`")]
    Missing(PathBuf),
    /// There is one already.
    #[error("{0} is there already and is not overwritten; choose another data directory, or move this one away")]
    Exists(PathBuf),
    /// The file is a database of something else.
    #[error("{0} is not a journal of Doorward")]
    NotAJournal(PathBuf),
    /// A newer version of the software made it.
    #[error("the journal has format {found}, this software knows formats up to {known}; run the newer software")]
    Newer {
        /// Format of the file.
        found: i64,
        /// Newest format that is known here.
        known: i64,
    },
    /// No space is left.
    #[error("the disk is full: nothing can be stored until there is space")]
    Full,
    /// The file or the disk is read-only.
    #[error("the disk or the file is read-only: nothing can be stored until that ends")]
    ReadOnly,
    /// An entry cannot be read.
    #[error("entry {seq} of the journal cannot be read ({why}); restore the journal from a backup")]
    Damaged {
        /// Which entry.
        seq: u64,
        /// Why.
        why: String,
    },
    /// Anything else that the database said.
    #[error("the database of the journal failed: {0}")]
    Storage(String),
}

/// An entry as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// Its number.
    pub seq: u64,
    /// When it was accepted.
    pub at: UnixMs,
    /// Who did it.
    pub actor: &'a str,
    /// What was done, as JSON.
    pub command: &'a str,
}

impl Stored<'_> {
    /// The entry itself.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when it cannot be read.
    pub fn entry(&self) -> Result<Entry, JournalError> {
        let damaged = |why: String| JournalError::Damaged { seq: self.seq, why };
        let command: Command = serde_json::from_str(self.command).map_err(|error| damaged(error.to_string()))?;
        let actor = Actor::new(self.actor).map_err(|error| damaged(format!("its actor {error}")))?;
        Ok(Entry { seq: self.seq, at: self.at, actor, command })
    }
}

/// What the core asks of a journal. Whatever returns without an error is durable.
pub trait Journal: Debug + Send {
    /// Number of the last entry; 0 before the first.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn head(&self) -> Result<u64, JournalError>;

    /// Appends the entry after `expected_head`. `command_text` is the entry's command as JSON, which the caller
    /// spelled out beforehand: a suspension does not wait while an import of 100,000 people is written down.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when the head is another one.
    fn append(&mut self, expected_head: u64, entry: &Entry, command_text: &str) -> Result<(), JournalError>;

    /// Shows the entries from number `seq` on, in their order, until there are no more or `visit` breaks.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] for an entry that cannot be read.
    fn read_from(&self, seq: u64, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<(), JournalError>;

    /// Shows the entries up to number `up_to` whose command, as it is stored, contains one of these words, in their order.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] for an entry that cannot be read.
    fn read_with(
        &self,
        words: &[String],
        up_to: u64,
        visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), JournalError>;

    /// Shows the entries before number `seq`, the newest first, as they are stored, until there are no more or `visit` breaks: what
    /// is looked for among many is found without reading each of them.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn read_back(&self, seq: u64, visit: &mut dyn FnMut(&Stored<'_>) -> ControlFlow<()>) -> Result<(), JournalError>;

    /// Puts other actors and commands (with their text) in the place of those of entries, all or none, and leaves no trace of what stood there. For nothing
    /// but erasing people; the entries must fold as they did.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn rewrite(&mut self, entries: &[(Entry, String)]) -> Result<(), JournalError>;

    /// Stores a commit under its position; the same one again changes nothing.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn store_commit(&mut self, position: Position, commit: &Signed<Commit>) -> Result<(), JournalError>;

    /// The commit of a position.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn commit(&self, position: Position) -> Result<Option<Signed<Commit>>, JournalError>;

    /// The commit with the highest position.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn newest_commit(&self) -> Result<Option<(Position, Signed<Commit>)>, JournalError>;

    /// Appends the trust statement with this number; the statements before it must be there.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when it is not the next one.
    fn append_statement(&mut self, version: u32, statement: &Signed<Statement>) -> Result<(), JournalError>;

    /// All trust statements from 1.
    ///
    /// # Errors
    /// See [`JournalError`].
    fn statements(&self) -> Result<Vec<Signed<Statement>>, JournalError>;
}

/// Makes an empty journal.
///
/// # Errors
/// [`JournalError::Exists`] when one is there.
pub fn create(file: &Path) -> Result<Box<dyn Journal>, JournalError> {
    Ok(Box::new(sqlite::SqliteJournal::create(file)?))
}

/// Opens a journal.
///
/// # Errors
/// See [`JournalError`].
pub fn open(file: &Path) -> Result<Box<dyn Journal>, JournalError> {
    Ok(Box::new(sqlite::SqliteJournal::open(file)?))
}

/// Looks through a whole journal for damage of its storage.
///
/// # Errors
/// [`JournalError::Storage`] with what the database found.
pub fn check_storage(file: &Path) -> Result<(), JournalError> {
    sqlite::SqliteJournal::open(file)?.check_storage()
}
