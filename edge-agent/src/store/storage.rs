//! The thread that writes: everything that waits becomes one commit, and nobody is answered before it is durable.
//!
//! Access records are durable in the [`Tail`] first, and the store takes them over with its next commit: when the state
//! changes, when the tail is full, or when it is told to settle. Those that are acknowledged by then it never sees.
//! Deliberately a thread with blocking calls, one commit at a time: many asynchronous flushes of sled hang. The group
//! commit serves all taps that came during the one before it.

use crate::alarms::Alarms;
use crate::store::disk::{Disk, DiskError, Edits};
use crate::store::layout::{Draft, EditError, UNTOLD_KEY};
use crate::store::open::{Opened, read_records};
use crate::store::seal::{SealFile, Sealer};
use crate::store::tail::Tail;
use doorward_protocol::agent::stored::Write;
use doorward_protocol::record::{Batch, ChainHead, Record};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// Most jobs that wait. The two machines together never have that many outstanding, so nobody waits to hand one in.
const JOBS_MAX: usize = 1024;

/// How long after a failed commit the disk is left alone, at first and at most: a full disk is not freed by asking.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// How long what the store may take over later waits for that at most: many taps then cost it one commit.
const SETTLE_PERIOD: Duration = Duration::from_secs(2);

/// How many records the store takes over at once while taps go on: what it takes them by surprise stays short.
const TAKEN_AT_ONCE: usize = 256;

/// Something to be done to the store.
#[derive(Debug)]
pub enum Job {
    /// Make changes of the state durable, in the order in which they come; retried until it is done.
    Persist {
        /// What is sent back when they are.
        ticket: u64,
        /// The changes.
        writes: Vec<Write>,
    },
    /// Append access records; answered with whether they are durable.
    Append {
        /// The records.
        records: Vec<Record>,
        /// Where the chain stands after them.
        head: ChainHead,
        /// Of a chain that begins with them: where it begins, which is then the acknowledged head, too.
        begin: Option<ChainHead>,
        /// Where the answer goes.
        done: oneshot::Sender<bool>,
    },
    /// Let go of acknowledged records, some time.
    Free(ChainHead),
    /// Take over what may wait.
    Settle,
    /// Read records back; none when they cannot be read.
    Load {
        /// Number of the record before the first.
        after: u64,
        /// How many at most.
        count: usize,
        /// Where they go.
        done: oneshot::Sender<Vec<Record>>,
    },
}

/// The running thread and its two ends.
#[derive(Debug)]
pub struct Storage {
    /// Where jobs go; the thread ends when every sender is gone.
    pub jobs: mpsc::Sender<Job>,
    /// Tickets of changes that are durable. Unbounded, because each stands for a job and those are bounded.
    pub persisted: mpsc::UnboundedReceiver<u64>,
    /// The thread.
    pub thread: std::thread::JoinHandle<()>,
}

impl Storage {
    /// Starts the thread on a store that was read. Must be called inside the runtime.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(opened: Opened, alarms: Alarms) -> std::io::Result<Self> {
        let (jobs, receiver) = mpsc::channel(JOBS_MAX);
        let (persisted_sender, persisted) = mpsc::unbounded_channel();
        let writer = Writer {
            seal_file: SealFile::open(&opened.path)?,
            // The first records go to the store: it shows whether it takes what it is given, and keeps what it was found
            // to be. Then the tail is begun anew.
            tail: None,
            is_tail_doubtful: false,
            stored: opened.tail.first().map_or(opened.chain.durable.seq, |first| first.seq.saturating_sub(1)),
            pending: opened.tail.into(),
            taken: 0,
            sealer: opened.sealer,
            is_told: opened.stored.damage.is_none(),
            path: opened.path,
            disk: Some(opened.disk),
            durable: opened.chain.durable,
            alarms,
            persisted: persisted_sender,
            backlog: Vec::new(),
            appends: VecDeque::new(),
            loads: Vec::new(),
            freed: None,
            settles: false,
            failing: None,
        };
        tokio::spawn(settle_now_and_then(jobs.downgrade()));
        let runtime = Handle::current();
        let thread =
            std::thread::Builder::new().name("storage".into()).spawn(move || writer.run(receiver, &runtime))?;
        Ok(Self { jobs, persisted, thread })
    }
}

/// Ends with the last of those who hand in jobs.
async fn settle_now_and_then(jobs: mpsc::WeakSender<Job>) {
    loop {
        tokio::time::sleep(SETTLE_PERIOD).await;
        let Some(jobs) = jobs.upgrade().filter(|jobs| !jobs.is_closed()) else { return };
        // Where there is no room, the storage has enough to do.
        let _busy = jobs.try_send(Job::Settle);
    }
}

#[derive(Debug)]
struct Append {
    records: Vec<Record>,
    head: ChainHead,
    begin: Option<ChainHead>,
    done: oneshot::Sender<bool>,
}

#[derive(Debug)]
struct Load {
    after: u64,
    count: usize,
    done: oneshot::Sender<Vec<Record>>,
}

/// A disk that does not take what it is given.
#[derive(Debug, Clone, Copy)]
struct Failing {
    retry_at: Instant,
    wait: Duration,
}

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    /// `None` after a failure: sled refuses everything from then on, so it is opened anew.
    disk: Option<Disk>,
    sealer: Sealer,
    seal_file: SealFile,
    /// `None` at first, and while it cannot be written; then the store takes everything at once.
    tail: Option<Tail>,
    /// More may stand in it than what counts.
    is_tail_doubtful: bool,
    /// What stands in the tail and is not durable in the store, oldest first.
    pending: VecDeque<Record>,
    /// How many of them the store has taken already.
    taken: usize,
    /// Number of the newest record that the store has taken.
    stored: u64,
    /// Nothing is damaged of which the authority has yet to hear.
    is_told: bool,
    durable: ChainHead,
    alarms: Alarms,
    persisted: mpsc::UnboundedSender<u64>,
    backlog: Vec<(u64, Vec<Write>)>,
    appends: VecDeque<Append>,
    loads: Vec<Load>,
    freed: Option<ChainHead>,
    /// It was said that what may wait has waited long enough.
    settles: bool,
    failing: Option<Failing>,
}

impl Writer {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>, runtime: &Handle) {
        loop {
            let job = match self.failing {
                None => runtime.block_on(jobs.recv()),
                Some(Failing { retry_at, .. }) => {
                    let wait = retry_at.saturating_duration_since(Instant::now());
                    match runtime.block_on(async { tokio::time::timeout(wait, jobs.recv()).await }) {
                        Ok(job) => job,
                        Err(_) => {
                            self.work();
                            continue;
                        }
                    }
                }
            };
            let Some(job) = job else { break };
            self.take(job);
            while let Ok(job) = jobs.try_recv() {
                self.take(job);
            }
            self.work();
        }
        self.settles = true;
        self.work();
        tracing::debug!("the store is closed");
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Persist { ticket, writes } => self.backlog.push((ticket, writes)),
            Job::Append { records, head, begin, done } => self.appends.push_back(Append { records, head, begin, done }),
            Job::Free(head) => {
                // Nobody asks for them again.
                if head.incarnation == self.durable.incarnation {
                    let gone = self.pending.partition_point(|record| record.seq <= head.seq);
                    self.pending.drain(..gone);
                    self.taken = self.taken.saturating_sub(gone);
                }
                self.freed = Some(head);
            }
            Job::Settle => self.settles = true,
            Job::Load { after, count, done } => self.loads.push(Load { after, count, done }),
        }
    }

    fn work(&mut self) {
        let waits = self.failing.is_some_and(|failing| Instant::now() < failing.retry_at);
        if waits {
            self.refuse_appends();
        } else if self.failing.is_some() || self.is_due() || !self.keep_in_tail() {
            match self.commit() {
                Ok(()) => self.succeeded(),
                Err(error) => self.failed(&error),
            }
        }
        self.settles = false;
        self.answer_loads();
        self.take_over();
    }

    /// Lets the store have what has gathered in the tail. It is not waited for.
    fn take_over(&mut self) {
        let Some(disk) = self.disk.as_mut().filter(|_| self.pending.len() >= self.taken + TAKEN_AT_ONCE) else {
            return;
        };
        let mut draft = Draft::new(disk);
        let records: Vec<Record> = self.pending.range(self.taken..).cloned().collect();
        let edits = draft.append(&records, &self.durable).and_then(|()| draft.into_edits());
        match edits.and_then(|edits| Ok(disk.apply(edits)?)) {
            Ok(()) => {
                self.taken = self.pending.len();
                self.stored = self.durable.seq;
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Whether the store has something to do that no longer waits.
    fn is_due(&self) -> bool {
        let has_late = !self.pending.is_empty() || self.freed.is_some();
        !self.backlog.is_empty() || self.settles && has_late
    }

    /// Makes the appends durable in the tail; false when they have to go to the store.
    fn keep_in_tail(&mut self) -> bool {
        while let Some(append) = self.appends.pop_front() {
            let group = Batch { after: self.durable, records: append.records };
            let kept = match &mut self.tail {
                Some(tail) if append.begin.is_none() => tail.append(&group),
                Some(_) | None => Ok(false),
            };
            let records = group.records;
            if !matches!(kept, Ok(true)) {
                if kept.is_err() {
                    // What it has of this group is not known. The store takes it, and then the tail is begun anew.
                    self.tail = None;
                    self.is_tail_doubtful = true;
                }
                self.appends.push_front(Append { records, ..append });
                return false;
            }
            self.durable = append.head;
            // A tap that nobody waits for any more is recorded all the same.
            let _gone = append.done.send(true);
            self.pending.extend(records);
            if let Err(error) = self.seal_tail() {
                tracing::warn!("the seal beside {} is not kept: {error}", self.path.display());
            }
        }
        true
    }

    /// Writes beside the store how far the chain has come. It is not waited for, and says less and nothing wrong when it is
    /// older.
    fn seal_tail(&mut self) -> Result<(), EditError> {
        let seal = self.sealer.seal(&mut Edits::new(), self.durable)?;
        Ok(self.seal_file.write(&seal)?)
    }

    fn commit(&mut self) -> Result<(), EditError> {
        let reopened = match self.disk {
            Some(_) => None,
            None => Some(Disk::open(&self.path)?),
        };
        let is_new = reopened.is_some();
        let disk = match reopened {
            Some(disk) => self.disk.insert(disk),
            None => match &mut self.disk {
                Some(disk) => disk,
                None => return Ok(()),
            },
        };
        let mut draft = Draft::new(disk);
        if is_new {
            // Records of the append that failed may be stored; their taps were answered with `not_recorded`.
            draft.drop_after(&self.durable)?;
        }
        for (_, writes) in &self.backlog {
            for write in writes {
                draft.write(write)?;
            }
        }
        let taken = if is_new { 0 } else { self.taken };
        let rest: Vec<Record> = self.pending.range(taken..).cloned().collect();
        draft.append(&rest, &self.durable)?;
        if let Some(head) = &self.freed {
            draft.free(head)?;
        }
        for append in &self.appends {
            if let Some(begin) = &append.begin {
                draft.free(begin)?;
            }
            draft.append(&append.records, &append.head)?;
        }
        let mut edits = draft.into_edits()?;
        // Once the authority has spoken it was greeted, and told with the greeting.
        let has_spoken =
            self.backlog.iter().flat_map(|(_, writes)| writes).any(|write| matches!(write, Write::Floor(_)));
        if has_spoken && !self.is_told {
            edits.insert(UNTOLD_KEY.to_vec(), None);
        }
        let chain = self.appends.back().map_or(self.durable, |append| append.head);
        let mut sealer = self.sealer.clone();
        let seal = sealer.seal(&mut edits, chain)?;
        disk.commit(edits)?;
        self.seal_file.write(&seal)?;
        self.renew_tail()?;
        self.sealer = sealer;
        self.is_told |= has_spoken;
        Ok(())
    }

    /// Begins the tail anew, once the store has all that counts in it.
    fn renew_tail(&mut self) -> Result<(), EditError> {
        if let Some(tail) = &mut self.tail {
            tail.reset();
            return Ok(());
        }
        let renewed = Tail::open(&self.path).and_then(|mut tail| tail.clear().map(|()| tail));
        match renewed {
            Ok(tail) => {
                self.tail = Some(tail);
                self.is_tail_doubtful = false;
            }
            Err(error) if self.is_tail_doubtful => return Err(DiskError::from(error).into()),
            // The store takes everything at once, then.
            Err(error) => tracing::debug!("no tail beside {}: {error}", self.path.display()),
        }
        Ok(())
    }

    fn succeeded(&mut self) {
        self.pending.clear();
        self.taken = 0;
        for append in self.appends.drain(..) {
            self.durable = append.head;
            // A tap that nobody waits for any more is recorded all the same.
            let _gone = append.done.send(true);
        }
        self.stored = self.durable.seq;
        for (ticket, _) in self.backlog.drain(..) {
            let _gone = self.persisted.send(ticket);
        }
        self.freed = None;
        if self.failing.take().is_some() {
            tracing::info!("the disk takes writes again");
        }
    }

    fn failed(&mut self, error: &EditError) {
        self.disk = None;
        // What the store had taken and not made durable is gone with it.
        self.taken = 0;
        let (first, longest) = RETRY_AFTER;
        let wait = match self.failing {
            None => {
                self.alarms.raise(format!("{} cannot be written: {error}", self.path.display()));
                first
            }
            Some(Failing { wait, .. }) => wait.saturating_mul(2).min(longest),
        };
        self.failing = Some(Failing { retry_at: Instant::now() + wait, wait });
        self.refuse_appends();
    }

    fn refuse_appends(&mut self) {
        for append in self.appends.drain(..) {
            let _gone = append.done.send(false);
        }
    }

    fn answer_loads(&mut self) {
        for load in self.loads.drain(..) {
            let head = ChainHead { seq: self.stored, ..self.durable };
            let read = self.disk.as_ref().map(|disk| read(disk, &load, head));
            let records = match read {
                Some(Ok(mut records)) => {
                    let after = records.last().map_or(load.after, |record| record.seq);
                    let newest = self.pending.iter().filter(|record| record.seq > after);
                    records.extend(newest.take(load.count.saturating_sub(records.len())).cloned());
                    records
                }
                Some(Err(error)) => {
                    self.alarms.raise(format!("{} cannot be read: {error}", self.path.display()));
                    Vec::new()
                }
                None => Vec::new(),
            };
            let _gone = load.done.send(records);
        }
    }
}

fn read(disk: &Disk, load: &Load, stored: ChainHead) -> Result<Vec<Record>, DiskError> {
    let mut records = read_records(disk, stored.incarnation, load.after, load.count)?;
    // What stands behind it is left over from an append that failed.
    records.retain(|record| record.seq <= stored.seq);
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::{Beginning, create, open, open_to_run, read_records};
    use crate::testing::Campus;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::facts::Factors;
    use doorward_protocol::id::{CredentialKey, Incarnation};
    use doorward_protocol::time::UnixMs;
    use std::path::Path;

    fn opened(data: &Path, campus: &Campus) -> Opened {
        let identity = &campus.identity;
        let incarnation = Incarnation([1; 16]);
        let beginning = Beginning { agent: &identity.agent, statements: &identity.statements, incarnation };
        if !data.join("store").exists() {
            create(data, &beginning).unwrap();
        }
        open(data, &beginning).unwrap()
    }

    fn next(head: &mut ChainHead) -> Record {
        let record = Record {
            seq: head.seq + 1,
            at: UnixMs(1),
            door: Campus::door(),
            credential: CredentialKey([1; 16]),
            factors: Factors::NONE,
            reason: Reason::Granted,
            position: Campus::position(),
        };
        *head = head.with(&record).unwrap();
        record
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_answered_is_there_after_opening_again() {
        let (data, campus) = (tempfile::tempdir().unwrap(), Campus::new(vec![]));
        let opened_store = opened(data.path(), &campus);
        let mut head = opened_store.chain.durable;
        let mut storage = Storage::start(opened_store, Alarms::default()).unwrap();
        let (done, is_done) = oneshot::channel();
        let records = vec![next(&mut head), next(&mut head)];
        storage.jobs.send(Job::Append { records: records.clone(), head, begin: None, done }).await.unwrap();
        storage.jobs.send(Job::Persist { ticket: 4, writes: campus.writes(UnixMs(5)) }).await.unwrap();
        assert_eq!(is_done.await, Ok(true));
        assert_eq!(storage.persisted.recv().await, Some(4));
        let (done, loaded) = oneshot::channel();
        storage.jobs.send(Job::Load { after: 0, count: 9, done }).await.unwrap();
        assert_eq!(loaded.await.unwrap(), records);
        drop(storage.jobs);
        storage.thread.join().unwrap();
        let again = opened(data.path(), &campus);
        assert_eq!(again.chain.durable, head);
        assert_eq!(again.stored.facts.len(), Campus::facts().len());
    }

    /// The thread as it runs, and a copy of what a kill would leave of its files after each word of it.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_answered_is_there_whenever_the_agent_is_killed() {
        let (data, campus) = (tempfile::tempdir().unwrap(), Campus::new(vec![]));
        let opened_store = opened(data.path(), &campus);
        let mut head = opened_store.chain.durable;
        let mut storage = Storage::start(opened_store, Alarms::default()).unwrap();
        let left = |head: ChainHead, freed: u64| {
            let copy = tempfile::tempdir().unwrap();
            copy_all(data.path(), copy.path());
            let identity = &campus.identity;
            let incarnation = Incarnation([3; 16]);
            let beginning = Beginning { agent: &identity.agent, statements: &identity.statements, incarnation };
            for turn in ["before anything is written", "after it was taken over"] {
                let again = open_to_run(copy.path(), &beginning).unwrap();
                assert!(again.alarms.is_empty() && again.untold.is_none(), "{turn}: {:?}", again.untold);
                assert_eq!(again.chain.durable, head, "{turn}");
                assert!(again.chain.acknowledged.seq <= freed, "{turn}");
                let after = again.chain.acknowledged.seq;
                let records = read_records(&again.disk, head.incarnation, after, usize::MAX).unwrap();
                assert_eq!(records.last().map_or(after, |record| record.seq), head.seq, "{turn}");
            }
        };
        let mut freed = 0;
        for turn in 1..=12_u64 {
            let records: Vec<_> = (0..turn).map(|_| next(&mut head)).collect();
            let (done, is_done) = oneshot::channel();
            storage.jobs.send(Job::Append { records, head, begin: None, done }).await.unwrap();
            assert_eq!(is_done.await, Ok(true));
            left(head, freed);
            if turn % 3 == 0 {
                freed = head.seq;
                storage.jobs.send(Job::Free(head)).await.unwrap();
            }
            if turn % 5 == 0 {
                storage.jobs.send(Job::Persist { ticket: turn, writes: campus.writes(UnixMs(5)) }).await.unwrap();
                assert_eq!(storage.persisted.recv().await, Some(turn));
                left(head, freed);
            }
            if turn % 4 == 0 {
                storage.jobs.send(Job::Settle).await.unwrap();
            }
            let (done, loaded) = oneshot::channel();
            storage.jobs.send(Job::Load { after: freed, count: usize::MAX, done }).await.unwrap();
            let seqs: Vec<u64> = loaded.await.unwrap().iter().map(|record| record.seq).collect();
            assert_eq!(seqs, (freed + 1..=head.seq).collect::<Vec<_>>());
            left(head, freed);
        }
        drop(storage.jobs);
        storage.thread.join().unwrap();
        assert!(opened(data.path(), &campus).tail.is_empty());
        left(head, freed);
    }

    fn copy_all(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            if path.is_dir() {
                std::fs::create_dir(to.join(&name)).unwrap();
                copy_all(&path, &to.join(&name));
            } else {
                std::fs::copy(path, to.join(name)).unwrap();
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_chain_that_begins_anew_is_the_only_one_after_opening_again() {
        let (data, campus) = (tempfile::tempdir().unwrap(), Campus::new(vec![]));
        let opened_store = opened(data.path(), &campus);
        let mut head = opened_store.chain.durable;
        let storage = Storage::start(opened_store, Alarms::default()).unwrap();
        let append = async |records, head, begin| {
            let (done, is_done) = oneshot::channel();
            storage.jobs.send(Job::Append { records, head, begin, done }).await.unwrap();
            assert_eq!(is_done.await, Ok(true));
        };
        append(vec![next(&mut head), next(&mut head)], head, None).await;
        let begin = ChainHead::begin(&campus.identity.agent, Incarnation([2; 16]));
        let mut anew = begin;
        append(vec![next(&mut anew)], anew, Some(begin)).await;
        drop(storage.jobs);
        storage.thread.join().unwrap();
        let again = opened(data.path(), &campus);
        assert!(again.alarms.is_empty(), "{:?}", again.alarms);
        assert_eq!((again.chain.acknowledged, again.chain.durable), (begin, anew));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disk_that_refuses_denies_appends_and_keeps_changes_until_it_takes_them() {
        let (data, campus) = (tempfile::tempdir().unwrap(), Campus::new(vec![]));
        let opened_store = opened(data.path(), &campus);
        let mut head = opened_store.chain.durable;
        let alarms = Alarms::default();
        let (store, away) = (data.path().join("store"), data.path().join("away"));
        std::os::unix::fs::symlink("/dev/full", Tail::path(&store)).unwrap();
        let mut storage = Storage::start(Opened { path: store.clone(), ..opened_store }, alarms.clone()).unwrap();
        // A directory that can no longer be listed is what a failing disk looks like from here.
        std::fs::rename(&store, &away).unwrap();
        std::fs::write(&store, "no directory").unwrap();
        let (done, is_done) = oneshot::channel();
        let refused = head;
        let records = vec![next(&mut head)];
        storage.jobs.send(Job::Append { records, head, begin: None, done }).await.unwrap();
        storage.jobs.send(Job::Persist { ticket: 1, writes: campus.writes(UnixMs(5)) }).await.unwrap();
        assert_eq!(is_done.await, Ok(false));
        assert!(storage.persisted.try_recv().is_err());
        assert!(alarms.last()[0].text.contains("cannot be written"), "{:?}", alarms.last());
        std::fs::remove_file(&store).unwrap();
        std::fs::rename(&away, &store).unwrap();
        assert_eq!(storage.persisted.recv().await, Some(1));
        drop(storage.jobs);
        storage.thread.join().unwrap();
        let again = opened(data.path(), &campus);
        assert_eq!(again.chain.durable, refused, "the refused record is not in the chain");
        assert_eq!(again.stored.facts.len(), Campus::facts().len());
    }
}
