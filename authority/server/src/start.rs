//! From a data directory to a running core: locked, checked, folded, and standing at a signed commit of its own.
//!
//! Whatever is doubtful ends the start with a sentence; doors go on deciding without the authority meanwhile.

use crate::access::{AccessStore, StoreError};
use crate::authority::{Authority, OrderError, Parts};
use crate::clock::{self, ClockRefused, Timeline};
use crate::closing::Closings;
use crate::compiler::{self, Compiler, Written};
use crate::concern::Confirmed;
use crate::cores;
use crate::journal::{self, Journal, JournalError};
use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::present::{Leaves, Present, Published};
use crate::signer::{Signer, SignerError};
use crate::snapshots::{self, Due, Fold};
use crate::writer::Writer;
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::{CompileError, Compiled};
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::office::authorize::Asker;
use doorward_policy::touched::Touched;
use doorward_policy::zone::tzdb_version;
use doorward_protocol::codec::CodecError;
use doorward_protocol::commit::{Commit, Position};
use doorward_protocol::id::Hash;
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use thiserror::Error;

/// Why a server does not start; nothing was changed.
#[derive(Debug, Error)]
pub enum StartError {
    /// The directory cannot be used.
    #[error("{0}: {1}")]
    Directory(PathBuf, std::io::Error),
    /// It cannot be kept from others.
    #[error(transparent)]
    Private(#[from] KeyError),
    /// Another server runs on it.
    #[error("another `doorward serve` runs on {0}; stop it first, or choose another data directory")]
    Locked(PathBuf),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The access store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be signed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The clock is wrong.
    #[error(transparent)]
    Clock(#[from] ClockRefused),
    /// An entry of the journal contradicts those before it.
    #[error("entry {seq} of the journal contradicts those before it ({why}); restore the journal from a backup")]
    Contradiction {
        /// Which entry.
        seq: u64,
        /// Why.
        why: Refusal,
    },
    /// The directory cannot be compiled.
    #[error("the campus cannot be compiled: {0}")]
    Compile(#[from] CompileError),
    /// A commit cannot be encoded.
    #[error("a commit cannot be encoded: {0}")]
    Codec(#[from] CodecError),
    /// The journal has commits of a later trust statement or of entries that it does not have.
    #[error("the journal ends at entry {head}, but holds the commit {commit}; restore it from a complete backup")]
    CommitAhead {
        /// Number of the last entry.
        head: u64,
        /// The commit.
        commit: Position,
    },
    /// The command that follows from newer software could not be given.
    #[error("the journal has to note that software or time zones changed, and cannot: {0}")]
    Tick(OrderError),
    /// A thread cannot be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// A running core and its threads, which end after [`Authority::stop`].
#[derive(Debug)]
pub struct Running {
    /// The core.
    pub authority: Arc<Authority>,
    /// Its threads.
    pub threads: Vec<JoinHandle<()>>,
}

/// Starts the core on a data directory.
///
/// # Errors
/// See [`StartError`].
pub fn start(layout: Layout, accept_clock: bool) -> Result<Running, StartError> {
    let lock = lock(&layout)?;
    journal::check_storage(&layout.journal())?;
    let mut journal = journal::open(&layout.journal())?;
    let signer = Signer::open(&layout, journal.statements()?)?;
    let (store, writers) = AccessStore::open(&layout)?;
    let newest = journal.newest_commit()?;
    let mut folded = fold(&layout, &*journal, newest.as_ref().map_or(0, |(position, _)| position.seq))?;
    let last_at = folded.directory.at().max(store.last_pulse()?.unwrap_or(UnixMs(i64::MIN)));
    clock::check_at_start(clock::wall(), last_at, accept_clock)?;
    store.recover_contacts(last_at)?;
    let (present, is_stale) = base(&mut folded, newest, &signer, &mut *journal)?;
    let closings = Closings::open(store.clone())?;
    let (orders, order_queue) = mpsc::channel();
    let (entries, entry_queue) = mpsc::channel();
    let (calls, call_queue) = mpsc::sync_channel(1);
    let timeline = Timeline::new(folded.directory.head(), last_at);
    let lookups = journal::open(&layout.journal())?;
    let office = folded.directory.office().clone();
    let parts = Parts { layout, signer, store, closings, timeline, present, office, orders, journal: lookups, lock };
    let authority = Arc::new(Authority::new(parts));
    let mut compiler = Compiler {
        authority: Arc::clone(&authority),
        journal,
        left_over: Touched::default(),
        confirmed: Confirmed::default(),
        due: Due::new(folded.rows, &folded.directory, calls),
    };
    for entry in folded.backlog {
        compiler.take(Written { entry, removals: None });
    }
    let writer_journal = journal::open(&authority.layout.journal())?;
    let mut writer = Writer {
        authority: Arc::clone(&authority),
        journal: writer_journal,
        directory: folded.directory,
        compiler: entries,
    };
    if is_stale || writer.directory.tzdb() != Some(tzdb_version()) {
        tick(&mut writer, &mut compiler, &entry_queue)?;
    }
    let layout = authority.layout.clone();
    let mut threads = Vec::from(writers);
    threads.push(spawn("journal-writer", move || writer.run(&order_queue))?);
    threads.push(spawn("compiler", move || compiler.run(&entry_queue))?);
    threads.push(spawn("snapshots", move || snapshots::run(&layout, &call_queue))?);
    Ok(Running { authority, threads })
}

/// Locks a data directory, so that there is one server on it.
///
/// # Errors
/// [`StartError::Locked`] when there is one already.
pub fn lock(layout: &Layout) -> Result<File, StartError> {
    let path = layout.lock_file();
    let failed = |error| StartError::Directory(path.clone(), error);
    if !layout.journal().exists() {
        return Err(JournalError::Missing(layout.journal()).into());
    }
    // A copy that was put back may have come without its permissions.
    keys::private_directory(layout.directory())?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Locked(layout.directory().to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The journal, folded.
struct Folded {
    /// The directory at the newest stored commit.
    base: Directory,
    /// What entries have touched, up to that commit.
    touched: BTreeMap<u64, Touched>,
    /// Rows of the entries that no snapshot has, up to that commit.
    rows: usize,
    /// Entries after it.
    backlog: Vec<Entry>,
    /// The directory at the end.
    directory: Directory,
}

/// Folds the journal from the newest snapshot on, or from the first entry where there is none.
fn fold(layout: &Layout, journal: &dyn Journal, commit_seq: u64) -> Result<Folded, StartError> {
    let mut fold = snapshots::newest(layout, journal, commit_seq)?;
    let mut base = (fold.directory.head() == commit_seq).then(|| fold.directory.clone());
    let mut backlog = Vec::new();
    let mut contradiction = None;
    journal.read_from(fold.directory.head().saturating_add(1), &mut |entry| {
        let taken = if entry.seq <= commit_seq { fold.take(&entry) } else { fold.directory.take(&entry) };
        if let Err(why) = taken {
            contradiction = Some(StartError::Contradiction { seq: entry.seq, why });
            return ControlFlow::Break(());
        }
        if entry.seq == commit_seq {
            base = Some(fold.directory.clone());
        } else if entry.seq > commit_seq {
            backlog.push(entry);
        }
        ControlFlow::Continue(())
    })?;
    let Fold { directory, touched, rows } = fold;
    match contradiction {
        Some(error) => Err(error),
        None => Ok(Folded { base: base.unwrap_or_default(), touched, rows, backlog, directory }),
    }
}

/// The present at the newest stored commit, and whether that commit is not what would be computed today: then the
/// software or its time zones have changed, and a tick has to say so.
fn base(
    folded: &mut Folded,
    newest: Option<(Position, Signed<Commit>)>,
    signer: &Signer,
    journal: &mut dyn Journal,
) -> Result<(Present, bool), StartError> {
    let directory = std::mem::take(&mut folded.base);
    let Some((position, commit)) = newest else {
        let compiled = Compiled::default();
        let leaves = Leaves::of(&directory, &compiled)?;
        let mut nothing = compiler::publish(signer, 0, UnixMs(0), Hash([0; 32]), leaves)?;
        // Before the first commit there is none that it could follow.
        nothing.hash = Hash([0; 32]);
        return Ok((Present::new(directory, compiled, Arc::new(nothing), BTreeMap::new()), false));
    };
    if position.epoch > signer.epoch() || position.seq > folded.directory.head() {
        return Err(StartError::CommitAhead { head: folded.directory.head(), commit: position });
    }
    let compiled = cores::compile(&directory)?;
    let leaves = Leaves::of(&directory, &compiled)?;
    let content = commit.unverified()?;
    let is_stale = content.root != leaves.root();
    let hash = commit.hash();
    let mut published = Published { position, at: content.at, commit, hash, leaves: leaves.clone() };
    if position.epoch < signer.epoch() {
        // A new epoch begins with the same entry: agents of the old one are below it, however far they had come.
        published = compiler::publish(signer, position.seq, content.at, hash, leaves)?;
        journal.store_commit(published.position, &published.commit)?;
    }
    let touched = std::mem::take(&mut folded.touched);
    Ok((Present::new(directory, compiled, Arc::new(published), touched), is_stale))
}

fn tick(writer: &mut Writer, compiler: &mut Compiler, entries: &mpsc::Receiver<Written>) -> Result<(), StartError> {
    let command = Command::Tick { tzdb: tzdb_version().to_owned() };
    let text = serde_json::to_string(&command);
    let text = text.map_err(|error| StartError::Tick(OrderError::Spelling(error.to_string())))?;
    writer.execute(&Asker::Owner, Actor::system(), command, &text).map_err(StartError::Tick)?;
    while let Ok(written) = entries.try_recv() {
        compiler.take(written);
    }
    Ok(())
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    std::thread::Builder::new().name(name.into()).spawn(run).map_err(StartError::Thread)
}
