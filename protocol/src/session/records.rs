//! Takes one agent's access records: in order, each once, and notices what is missing or contradicts.
//!
//! Nothing is acknowledged before the shell has stored it.

use crate::frame::{ChainReport, ToAgent, ToAuthority};
use crate::id::{AgentId, Incarnation};
use crate::limits::RECORDS_BATCH_MAX;
use crate::record::{Batch, ChainHead, Record};
use crate::session::{Alarm, AlarmKind};
use std::collections::VecDeque;

/// What happens to the machine.
#[derive(Debug)]
pub enum Input {
    /// A frame came on the records lane.
    Frame(ToAuthority),
    /// The records of the last [`Effect::Store`] are durable.
    Stored,
    /// Answer to [`Effect::Compare`]: how many of its records, from the first on, are stored as they are.
    Compared(usize),
}

/// What the machine wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store these records, each once, and where the chain stands after them, durably, all or none; then
    /// [`Input::Stored`].
    Store {
        /// Consecutive records; those that are stored already are left as they are.
        records: Vec<Record>,
        /// The chain's head after them.
        head: ChainHead,
    },
    /// Compare these consecutive records of a chain with those that are stored under their numbers; then
    /// [`Input::Compared`].
    Compare {
        /// Which life of the chain.
        incarnation: Incarnation,
        /// At least one.
        records: Vec<Record>,
    },
    /// Send on the records lane.
    Send(ToAgent),
    /// What the agent reported.
    Report(ChainReport),
    /// Tell the operator.
    Alarm(Alarm),
    /// End the connection, for this reason.
    Close(String),
}

/// See the module.
#[derive(Debug)]
pub struct Records {
    agent: AgentId,
    /// Where the agent's chains stand in the authority's store, the newest last. A restored disk may go on with an old one.
    known: Vec<ChainHead>,
    pending: Option<Pending>,
    contradicted: bool,
    closed: bool,
    effects: VecDeque<Effect>,
}

/// What the shell was asked for; until it has answered, no further batch is taken.
#[derive(Debug)]
enum Pending {
    /// The chain stands here once its records are durable.
    Storing(ChainHead),
    /// A batch that does not continue what is stored.
    Comparing(Batch),
}

impl Records {
    /// A machine for an agent whose chains stand at `known`, the newest last.
    #[must_use]
    pub fn new(agent: AgentId, known: impl IntoIterator<Item = ChainHead>) -> Self {
        let known = known.into_iter().collect();
        Self { agent, known, pending: None, contradicted: false, closed: false, effects: VecDeque::new() }
    }

    /// The next thing to do, if any.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input) {
        if self.closed {
            return;
        }
        match input {
            Input::Frame(ToAuthority::ChainReport(report)) => self.take_report(report),
            Input::Frame(ToAuthority::Records(batch)) if self.pending.is_none() => self.take_batch(batch),
            Input::Frame(
                ToAuthority::Records(_)
                | ToAuthority::Hello(_)
                | ToAuthority::Receipt(_)
                | ToAuthority::Refusal(_)
                | ToAuthority::Heard(_),
            ) => self.close("a frame came out of order"),
            Input::Stored => {
                if let Some(Pending::Storing(head)) = self.pending.take() {
                    self.known.retain(|known| known.incarnation != head.incarnation);
                    self.known.push(head);
                    self.effects.push_back(Effect::Send(ToAgent::Stored(head)));
                }
            }
            Input::Compared(same) => {
                if let Some(Pending::Comparing(batch)) = self.pending.take() {
                    self.compared(&batch, same);
                }
            }
        }
    }

    /// PROTOCOL 8.5: an idle agent's report shows a log that was cut. Where it parts from what is stored shows with the
    /// next batch.
    fn take_report(&mut self, report: ChainReport) {
        if let Some(known) = self.chain(report.head.incarnation) {
            if report.head.seq < known.seq {
                self.contradict(AlarmKind::LogTruncated, known);
            } else if report.head.seq == known.seq && report.head.hash != known.hash {
                self.contradict(AlarmKind::RecordFork, known);
            }
        }
        self.effects.push_back(Effect::Report(report));
    }

    /// PROTOCOL 8.4.
    fn take_batch(&mut self, batch: Batch) {
        if batch.records.is_empty() || batch.records.len() > RECORDS_BATCH_MAX {
            return self.close("a batch of records is empty or larger than the bound");
        }
        let Some(end) = batch.end() else {
            return self.close("the records of a batch do not follow each other");
        };
        let begin = ChainHead::begin(&self.agent, batch.after.incarnation);
        let same_chain = self.chain(batch.after.incarnation);
        if same_chain.is_none() && !self.known.is_empty() {
            let text = format!("agent {} began a new chain of records; the old one may lack its end", self.agent);
            self.alarm(AlarmKind::NewChain, text);
        }
        let known = same_chain.unwrap_or(begin);
        if batch.after.seq > known.seq {
            let (from, to) = (known.seq.saturating_add(1), batch.after.seq);
            self.alarm(AlarmKind::RecordGap, format!("agent {}: records {from} to {to} are missing", self.agent));
            return self.store(batch.records, end);
        }
        let overlap_end = overlap_end(&batch, known.seq);
        if overlap_end == Some(known) {
            // Where there was a gap, the store may lack what stands before its head.
            return self.store(batch.records, end);
        }
        let kind = if overlap_end.is_none() { AlarmKind::LogTruncated } else { AlarmKind::RecordFork };
        self.contradict(kind, known);
        let (incarnation, records) = (batch.after.incarnation, batch.records.clone());
        self.pending = Some(Pending::Comparing(batch));
        self.effects.push_back(Effect::Compare { incarnation, records });
    }

    /// PROTOCOL 8.6: says up to where the agent's chain and the stored one are the same. The agent sees that it cannot go
    /// on from there and begins a new one; closing would only bring it back with the same.
    fn compared(&mut self, batch: &Batch, same: usize) {
        let agreed = batch.records.iter().take(same).try_fold(batch.after, |head, record| head.with(record));
        self.effects.push_back(Effect::Send(ToAgent::Stored(agreed.unwrap_or(batch.after))));
    }

    /// Where a chain stands in the store.
    fn chain(&self, incarnation: Incarnation) -> Option<ChainHead> {
        self.known.iter().find(|known| known.incarnation == incarnation).copied()
    }

    fn store(&mut self, records: Vec<Record>, head: ChainHead) {
        self.pending = Some(Pending::Storing(head));
        self.effects.push_back(Effect::Store { records, head });
    }

    /// Raises the alarm of a chain that is not the stored one; once in a connection is enough.
    fn contradict(&mut self, kind: AlarmKind, known: ChainHead) {
        if !core::mem::replace(&mut self.contradicted, true) {
            let text = if kind == AlarmKind::LogTruncated {
                format!("agent {}: its log ends before record {}, which is stored; it was cut", self.agent, known.seq)
            } else {
                format!("agent {}: another history of records than the stored one, up to {}", self.agent, known.seq)
            };
            self.alarm(kind, text);
        }
    }

    fn alarm(&mut self, kind: AlarmKind, text: String) {
        self.effects.push_back(Effect::Alarm(Alarm::new(kind, text)));
    }

    fn close(&mut self, why: &str) {
        self.closed = true;
        self.effects.push_back(Effect::Close(why.into()));
    }
}

/// The chain's head at record `seq`, computed from a batch that reaches it.
fn overlap_end(batch: &Batch, seq: u64) -> Option<ChainHead> {
    let mut head = batch.after;
    let mut records = batch.records.iter();
    while head.seq < seq {
        head = head.with(records.next()?)?;
    }
    Some(head)
}
