//! The thread that writes: everything that waits becomes one commit, and nobody is answered before it is durable.
//!
//! Deliberately a thread with blocking calls, one commit at a time: many asynchronous flushes of sled hang. The group
//! commit serves all taps that came during the one before it, and changes of the state with them.

use crate::alarms::Alarms;
use crate::store::disk::{Disk, DiskError};
use crate::store::layout::{Draft, EditError, UNTOLD_KEY};
use crate::store::open::{Opened, read_records};
use crate::store::seal::{SealFile, Sealer};
use doorward_protocol::agent::stored::Write;
use doorward_protocol::record::{ChainHead, Record};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// Most jobs that wait. The two machines together never have that many outstanding, so nobody waits to hand one in.
const JOBS_MAX: usize = 1024;

/// How long after a failed commit the disk is left alone, at first and at most: a full disk is not freed by asking.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

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
    /// Let go of acknowledged records.
    Free(ChainHead),
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
            sealer: opened.sealer,
            is_told: opened.stored.damage.is_none(),
            path: opened.path,
            disk: Some(opened.disk),
            durable: opened.chain.durable,
            alarms,
            persisted: persisted_sender,
            backlog: Vec::new(),
            appends: Vec::new(),
            loads: Vec::new(),
            freed: None,
            failing: None,
        };
        let runtime = Handle::current();
        let thread =
            std::thread::Builder::new().name("storage".into()).spawn(move || writer.run(receiver, &runtime))?;
        Ok(Self { jobs, persisted, thread })
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
    /// Nothing is damaged of which the authority has yet to hear.
    is_told: bool,
    durable: ChainHead,
    alarms: Alarms,
    persisted: mpsc::UnboundedSender<u64>,
    backlog: Vec<(u64, Vec<Write>)>,
    appends: Vec<Append>,
    loads: Vec<Load>,
    freed: Option<ChainHead>,
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
        tracing::debug!("the store is closed");
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Persist { ticket, writes } => self.backlog.push((ticket, writes)),
            Job::Append { records, head, begin, done } => self.appends.push(Append { records, head, begin, done }),
            Job::Free(head) => self.freed = Some(head),
            Job::Load { after, count, done } => self.loads.push(Load { after, count, done }),
        }
    }

    fn work(&mut self) {
        let waits = self.failing.is_some_and(|failing| Instant::now() < failing.retry_at);
        if waits {
            self.refuse_appends();
        } else if self.failing.is_some() || self.has_edits() {
            match self.commit() {
                Ok(()) => self.succeeded(),
                Err(error) => self.failed(&error),
            }
        }
        self.answer_loads();
    }

    const fn has_edits(&self) -> bool {
        !self.backlog.is_empty() || !self.appends.is_empty() || self.freed.is_some()
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
            draft.put_durable(&self.durable)?;
        }
        for (_, writes) in &self.backlog {
            for write in writes {
                draft.write(write)?;
            }
        }
        if let Some(head) = &self.freed {
            draft.free(head)?;
        }
        for append in &self.appends {
            if let Some(begin) = &append.begin {
                draft.free(begin)?;
            }
            draft.append(&append.records, &append.head)?;
        }
        let mut edits = draft.into_edits();
        // Once the authority has spoken it was greeted, and told with the greeting.
        let has_spoken =
            self.backlog.iter().flat_map(|(_, writes)| writes).any(|write| matches!(write, Write::Floor(_)));
        if has_spoken && !self.is_told {
            edits.insert(UNTOLD_KEY.to_vec(), None);
        }
        let chain = self.appends.last().map_or(self.durable, |append| append.head);
        let mut sealer = self.sealer.clone();
        let seal = sealer.seal(&mut edits, chain)?;
        disk.commit(edits)?;
        self.seal_file.write(&seal)?;
        self.sealer = sealer;
        self.is_told |= has_spoken;
        Ok(())
    }

    fn succeeded(&mut self) {
        for append in self.appends.drain(..) {
            self.durable = append.head;
            // A tap that nobody waits for any more is recorded all the same.
            let _gone = append.done.send(true);
        }
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
            let read = self.disk.as_ref().map(|disk| read(disk, &load, self.durable));
            let records = match read {
                Some(Ok(records)) => records,
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

fn read(disk: &Disk, load: &Load, durable: ChainHead) -> Result<Vec<Record>, DiskError> {
    let mut records = read_records(disk, durable.incarnation, load.after, load.count)?;
    // What stands behind the durable head is left over from an append that failed.
    records.retain(|record| record.seq <= durable.seq);
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::{Beginning, create, open};
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
