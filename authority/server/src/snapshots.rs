//! Snapshots of the directory: a start reads the newest and folds what came after it, instead of the whole journal.
//!
//! The journal stays the only truth. A snapshot counts only where the journal has the very commit that it is of; whatever is
//! wrong with one, an older one or the fold from the first entry takes its place. They are written from the journal
//! alone, on a thread of their own, so that no command, removal or commit ever waits for one.

use crate::journal::{self, Journal, JournalError};
use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::present::TOUCHED_MAX;
use doorward_policy::command::{Command, Entry};
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::touched::Touched;
use doorward_protocol::codec::{self, CodecError};
use doorward_protocol::commit::Position;
use doorward_protocol::id::{Hash, hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// What a file begins with; the number is that of the format.
const MAGIC: &[u8; 32] = b"doorward directory snapshot 0004";

/// Whose fold made a snapshot: other software may read the same journal differently.
const SOFTWARE: &str = env!("CARGO_PKG_VERSION");

/// How many are kept: one more than is needed, in case the newest cannot be read.
const KEPT: usize = 2;

/// Fewest rows that entries bring before a snapshot is made of them: they are folded in a fraction of a second.
const ROWS_MIN: usize = 20_000;

/// How the name of a file ends that is being written.
const DRAFT: &str = "draft";

/// Largest header.
const HEADER_BYTES_MAX: u64 = 4096;

/// Why a snapshot could not be made, or does not count.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file cannot be written or read.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The folder cannot be made.
    #[error(transparent)]
    Folder(#[from] KeyError),
    /// A value cannot be encoded or decoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// An entry contradicts those before it.
    #[error("entry {0} contradicts those before it: {1}")]
    Contradiction(u64, Refusal),
    /// The file is of another format or of other software.
    #[error("other software wrote it")]
    OtherSoftware,
    /// The journal does not have the commit that it is of.
    #[error("it is of commit {0}, which this journal does not have")]
    OtherJournal(Position),
    /// Its bytes are not those that were written.
    #[error("it is damaged")]
    Damaged,
}

/// A journal's fold up to an entry.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Fold {
    /// The directory after that entry.
    pub directory: Directory,
    /// What the newest entries have touched, up to that one.
    pub touched: BTreeMap<u64, Touched>,
    /// How many rows the entries brought that were folded since it was read, one for each entry included.
    #[serde(skip)]
    pub rows: usize,
}

impl Fold {
    /// Takes one more entry in.
    ///
    /// # Errors
    /// When it contradicts those before it.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let touched = self.directory.apply(entry)?;
        self.touched.insert(entry.seq, touched);
        while self.touched.len() > TOUCHED_MAX {
            self.touched.pop_first();
        }
        self.rows = self.rows.saturating_add(rows_of(&entry.command));
        Ok(())
    }
}

/// What it takes to fold a command, in rows of tables.
fn rows_of(command: &Command) -> usize {
    if let Command::Import { difference } = command { difference.rows().saturating_add(1) } else { 1 }
}

/// What a snapshot is of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    software: String,
    /// The commit of the last entry that is in it, which proves all that came before.
    position: Position,
    commit: Hash,
    /// Hash of the bytes that follow.
    content: Hash,
}

/// The newest snapshot that is of this journal, up to an entry; the empty fold when there is none.
///
/// # Errors
/// See [`JournalError`]; a snapshot that cannot be used is none.
pub fn newest(layout: &Layout, journal: &dyn Journal, up_to: u64) -> Result<Fold, JournalError> {
    // A journal that lost entries may still hold commits of them.
    let up_to = up_to.min(journal.head()?);
    for (seq, file) in files(layout).into_iter().rev() {
        match read(&file, journal).map(|fold| (fold.directory.head(), fold)) {
            Ok((head, fold)) if head == seq && head <= up_to => return Ok(fold),
            Ok(_) => tracing::warn!(file = %file.display(), "a snapshot is not used: it is of a later entry"),
            Err(error) => tracing::warn!(file = %file.display(), %error, "a snapshot is not used"),
        }
    }
    Ok(Fold::default())
}

/// Held while a snapshot is made, or the journal is rewritten of which it would be.
static ALONE: Mutex<()> = Mutex::new(());

/// Deletes all snapshots, lets the journal be rewritten, and makes one of what it is then where there was one.
///
/// # Errors
/// What the rewriting says, or that a snapshot could not be deleted.
pub fn anew(layout: &Layout, rewrite: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files(layout);
    // A start that read one of them could not take the entries that follow.
    for (_, file) in &files {
        fs::remove_file(file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    rewrite()?;
    if !files.is_empty()
        && let Err(error) = make_alone(layout)
    {
        tracing::warn!(%error, "no snapshot of the directory could be made; the next start takes longer");
    }
    Ok(())
}

/// Makes a snapshot of the newest commit, from the newest snapshot and the journal; says of which entry. Others that are
/// not needed any more are deleted.
///
/// # Errors
/// See [`SnapshotError`]; those that were there before still are.
pub fn make(layout: &Layout) -> Result<u64, SnapshotError> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    make_alone(layout)
}

fn make_alone(layout: &Layout) -> Result<u64, SnapshotError> {
    let journal = journal::open(&layout.journal())?;
    let Some((position, commit)) = journal.newest_commit()? else { return Ok(0) };
    let mut fold = newest(layout, &*journal, position.seq)?;
    let mut refused = None;
    if fold.directory.head() < position.seq {
        journal.read_from(fold.directory.head().saturating_add(1), &mut |entry| {
            refused = fold.take(&entry).err().map(|refusal| (entry.seq, refusal));
            if refused.is_some() || entry.seq == position.seq {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
    }
    if let Some((seq, refusal)) = refused {
        return Err(SnapshotError::Contradiction(seq, refusal));
    }
    let content = codec::encode_kept(&fold)?;
    drop(fold);
    let software = SOFTWARE.to_owned();
    let header = Header { software, position, commit: commit.hash(), content: content_hash(&content) };
    write(layout, &header, &content)?;
    prune(layout, position.seq)?;
    Ok(position.seq)
}

fn content_hash(content: &[u8]) -> Hash {
    hash("doorward 1 directory snapshot", &[content])
}

fn write(layout: &Layout, header: &Header, content: &[u8]) -> Result<(), SnapshotError> {
    let folder = layout.snapshots();
    keys::private_directory(&folder)?;
    let draft = folder.join(format!("{}.{DRAFT}", std::process::id()));
    let head = codec::encode(header)?;
    let length = u32::try_from(head.len()).map_err(|_| CodecError::Unencodable)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    for part in [MAGIC, length.to_le_bytes().as_slice(), &head, content] {
        file.write_all(part)?;
    }
    file.sync_all()?;
    Ok(keys::put_in_place(&draft, &file_of(layout, header.position.seq))?)
}

fn read(file: &Path, journal: &dyn Journal) -> Result<Fold, SnapshotError> {
    let mut file = File::open(file)?;
    let (mut magic, mut length) = ([0; 32], [0; 4]);
    file.read_exact(&mut magic).and_then(|()| file.read_exact(&mut length)).map_err(|_| SnapshotError::Damaged)?;
    if magic != *MAGIC {
        return Err(SnapshotError::OtherSoftware);
    }
    let mut head = Vec::new();
    (&mut file).take(u64::from(u32::from_le_bytes(length)).min(HEADER_BYTES_MAX)).read_to_end(&mut head)?;
    let header: Header = codec::decode(&head).map_err(|_| SnapshotError::Damaged)?;
    if header.software != SOFTWARE {
        return Err(SnapshotError::OtherSoftware);
    }
    if journal.commit(header.position)?.is_none_or(|commit| commit.hash() != header.commit) {
        return Err(SnapshotError::OtherJournal(header.position));
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    if content_hash(&content) != header.content {
        return Err(SnapshotError::Damaged);
    }
    let fold: Fold = codec::decode_kept(&content)?;
    if fold.directory.head() == header.position.seq { Ok(fold) } else { Err(SnapshotError::Damaged) }
}

fn file_of(layout: &Layout, seq: u64) -> PathBuf {
    layout.snapshots().join(format!("{seq}.snapshot"))
}

/// The snapshots that are there, ascending by the entry that their names tell.
fn files(layout: &Layout) -> Vec<(u64, PathBuf)> {
    let found = fs::read_dir(layout.snapshots()).into_iter().flatten().flatten();
    let mut files: Vec<(u64, PathBuf)> = found
        .filter_map(|entry| {
            let path = entry.path();
            let is_snapshot = path.extension().is_some_and(|extension| extension == "snapshot");
            let seq = path.file_stem().filter(|_| is_snapshot)?.to_str()?.parse().ok()?;
            Some((seq, path))
        })
        .collect();
    files.sort();
    files
}

/// Deletes those before the newest ones up to an entry, those after it, which are of a journal that is gone, and what a
/// process left that ended while it wrote one.
fn prune(layout: &Layout, newest: u64) -> io::Result<()> {
    let (known, later): (Vec<_>, Vec<_>) = files(layout).into_iter().partition(|(seq, _)| *seq <= newest);
    let old = known.len().saturating_sub(KEPT);
    later.iter().chain(known.iter().take(old)).try_for_each(|(_, file)| fs::remove_file(file))?;
    let drafts = fs::read_dir(layout.snapshots())?.flatten().map(|entry| entry.path());
    let mut drafts = drafts.filter(|file| file.extension().is_some_and(|extension| extension == DRAFT));
    drafts.try_for_each(fs::remove_file)
}

/// Counts what entries bring, and calls for a snapshot when reading it will be cheaper than folding them again: when they
/// brought as many rows as the directory has, so that writing costs no more than a constant for each.
#[derive(Debug)]
pub struct Due {
    rows: usize,
    call: SyncSender<()>,
}

impl Due {
    /// Counts on from the rows of entries that no snapshot has; `directory` is the one after them.
    #[must_use]
    pub fn new(rows: usize, directory: &Directory, call: SyncSender<()>) -> Self {
        let mut due = Self { rows, call };
        due.call_if_due(directory);
        due
    }

    /// Takes note of a command; `directory` is the one after it.
    pub fn note(&mut self, command: &Command, directory: &Directory) {
        self.rows = self.rows.saturating_add(rows_of(command));
        self.call_if_due(directory);
    }

    fn call_if_due(&mut self, directory: &Directory) {
        if self.rows >= ROWS_MIN.max(directory.rows()) {
            self.rows = 0;
            // Where one is being made already, the next call makes the next one.
            let _called = self.call.try_send(());
        }
    }
}

/// Makes snapshots whenever they are called for, until nobody can call any more.
pub fn run(layout: &Layout, calls: &Receiver<()>) {
    while calls.recv().is_ok() {
        match make(layout) {
            Ok(seq) => tracing::debug!(seq, "a snapshot of the directory was made"),
            Err(error) => {
                tracing::warn!(%error, "no snapshot of the directory could be made; the next start takes longer")
            }
        }
    }
}
