//! The disk of one simulated agent: what is durable, what waits for it, and how it fails.
//!
//! A group commit is kept whole or not at all, as the agent's store promises of its own: a crash loses what was not
//! synced, or keeps the whole group in flight although nobody was told.

use doorward_protocol::agent::stored::{Floor, Stored, StoredHead, Write};
use doorward_protocol::commit::Position;
use doorward_protocol::facts::{Fact, FactKey};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;
use std::collections::BTreeMap;

/// What is durable.
#[derive(Debug, Clone)]
pub struct Image {
    /// Trust statements by their version.
    pub statements: BTreeMap<u32, Signed<Statement>>,
    /// The head.
    pub head: Option<StoredHead>,
    /// The facts.
    pub facts: BTreeMap<FactKey, Fact>,
    /// Removals by position and part.
    pub removals: BTreeMap<(Position, u32), Signed<Removal>>,
    /// The floor.
    pub floor: Floor,
    /// Access records by their number.
    pub records: BTreeMap<u64, Record>,
    /// Where the chain of records stands.
    pub durable: ChainHead,
    /// Up to where it is acknowledged.
    pub acknowledged: ChainHead,
}

/// Something to be made durable.
#[derive(Debug)]
pub enum Job {
    /// Changes of the state.
    Persist {
        /// Names the writes.
        ticket: u64,
        /// The changes.
        writes: Vec<Write>,
    },
    /// Access records, and where a chain that begins with them begins.
    Append {
        /// The records.
        records: Vec<Record>,
        /// Where the chain stands after them.
        head: ChainHead,
        /// Where a new chain begins.
        begin: Option<ChainHead>,
    },
    /// Records that may go.
    Free(ChainHead),
}

/// See the module.
#[derive(Debug)]
pub struct Disk {
    /// What is durable.
    pub image: Image,
    /// An older copy, taken at some time.
    pub copy: Option<Box<Image>>,
    /// Whether it takes no writes.
    pub is_full: bool,
    /// Whether somebody altered what is on it; from then on it may lack what it had.
    pub is_altered: bool,
    /// What its agent found when it last tried to open it, in a sentence.
    pub damage: Option<String>,
    /// What was on it before the newest group, where a planted fault confirms what is not durable.
    pub before: Option<Box<Image>>,
    waiting: Vec<Job>,
    flying: Vec<Job>,
}

impl Image {
    /// The disk of an agent that has just joined.
    pub fn new(statements: &[Signed<Statement>], begin: ChainHead) -> Self {
        Self {
            statements: (1..).zip(statements.iter().cloned()).collect(),
            head: None,
            facts: BTreeMap::new(),
            removals: BTreeMap::new(),
            floor: Floor::default(),
            records: BTreeMap::new(),
            durable: begin,
            acknowledged: begin,
        }
    }

    /// Position of the stored head; zero without one.
    pub fn position(&self) -> Position {
        let commit = self.head.as_ref().and_then(|stored| stored.head.commit.unverified().ok());
        commit.map_or_else(Position::default, |commit| commit.position)
    }

    /// What is read at a start; the floor is at least the head, as the agent's store has it.
    pub fn stored(&self) -> Stored {
        let mut floor = self.floor;
        floor.position = floor.position.max(self.position());
        Stored {
            statements: self.statements.values().cloned().collect(),
            head: self.head.clone(),
            facts: self.facts.values().cloned().collect(),
            removals: self.removals.values().cloned().collect(),
            floor,
            damage: None,
        }
    }

    /// Records after a number, as long as none is missing.
    pub fn records_after(&self, after: u64, count: usize) -> Vec<Record> {
        let following = self.records.range(after.saturating_add(1)..);
        let numbered = (after.saturating_add(1)..).zip(following);
        numbered.take_while(|(seq, (key, _))| seq == *key).take(count).map(|(_, (_, record))| record.clone()).collect()
    }

    /// Whether the records lead from the acknowledged head to the durable one.
    pub fn chain_holds(&self) -> bool {
        let mut head = self.acknowledged;
        for record in self.records_after(head.seq, usize::MAX) {
            if head.seq == self.durable.seq {
                break;
            }
            let Some(next) = head.with(&record) else { return false };
            head = next;
        }
        head == self.durable
    }

    fn write(&mut self, write: &Write) {
        match write {
            Write::Statement(version, statement) => drop(self.statements.insert(*version, statement.clone())),
            Write::Head(head) => self.head = Some(head.clone()),
            Write::PutFact(fact) => drop(self.facts.insert(fact.key(), fact.clone())),
            Write::RemoveFact(key) => drop(self.facts.remove(key)),
            Write::ReplaceFacts(state) => {
                self.facts = state.facts().map(|fact| (fact.key(), fact.into_owned())).collect();
            }
            Write::PutRemoval(position, part, removal) => {
                self.removals.insert((*position, *part), removal.clone());
            }
            Write::DropRemovals(position) => self.removals.retain(|(at, _), _| *at > *position),
            Write::Floor(floor) => self.floor = *floor,
        }
    }

    fn apply(&mut self, job: &Job) {
        match job {
            Job::Persist { writes, .. } => writes.iter().for_each(|write| self.write(write)),
            Job::Append { records, head, begin } => {
                if let Some(begin) = begin {
                    self.records.clear();
                    self.acknowledged = *begin;
                }
                self.records.extend(records.iter().map(|record| (record.seq, record.clone())));
                self.durable = *head;
            }
            Job::Free(head) => {
                if head.incarnation == self.durable.incarnation {
                    self.records = self.records.split_off(&head.seq.saturating_add(1));
                    self.acknowledged = *head;
                }
            }
        }
    }
}

impl Disk {
    /// A disk with this on it.
    pub const fn new(image: Image) -> Self {
        Self {
            image,
            copy: None,
            is_full: false,
            is_altered: false,
            damage: None,
            before: None,
            waiting: Vec::new(),
            flying: Vec::new(),
        }
    }

    /// Hands a job in.
    pub fn push(&mut self, job: Job) {
        self.waiting.push(job);
    }

    /// Whether something is not durable yet.
    pub const fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.flying.is_empty()
    }

    /// Begins a group commit of all that waits; false when one is under way or nothing waits.
    pub fn begin(&mut self) -> bool {
        if !self.flying.is_empty() || self.waiting.is_empty() {
            return false;
        }
        self.flying = std::mem::take(&mut self.waiting);
        true
    }

    /// The group is durable.
    pub fn finish(&mut self) -> Vec<Job> {
        let jobs = std::mem::take(&mut self.flying);
        jobs.iter().for_each(|job| self.image.apply(job));
        jobs
    }

    /// The group could not be written: records are given back, everything else is tried again.
    pub fn refuse(&mut self) -> Vec<Job> {
        let later = std::mem::take(&mut self.waiting);
        let (appends, again): (Vec<Job>, Vec<Job>) =
            std::mem::take(&mut self.flying).into_iter().partition(|job| matches!(job, Job::Append { .. }));
        self.waiting = again;
        self.waiting.extend(later);
        appends
    }

    /// The machine stops: what waits is lost, and the group in flight is there or is not.
    pub fn crash(&mut self, flying_survives: bool) {
        self.waiting.clear();
        let jobs = std::mem::take(&mut self.flying);
        if flying_survives {
            jobs.iter().for_each(|job| self.image.apply(job));
        }
        if let Some(before) = self.before.take() {
            self.image = *before;
        }
    }

    /// Whether changes of the state are in flight.
    pub fn is_persisting(&self) -> bool {
        self.flying.iter().any(|job| matches!(job, Job::Persist { .. }))
    }

    /// A planted fault: of the group in flight the first half of each job is there.
    pub fn tear(&mut self) {
        for job in std::mem::take(&mut self.flying) {
            if let Job::Persist { writes, .. } = &job {
                writes.iter().take(writes.len() / 2).for_each(|write| self.image.write(write));
            }
        }
    }
}
