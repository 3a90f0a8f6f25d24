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
}

/// What the machine wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store these records and where the chain stands after them, durably, all or none; then [`Input::Stored`].
    Store {
        /// New records, maybe none.
        records: Vec<Record>,
        /// The chain's head after them.
        head: ChainHead,
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
    storing: Option<ChainHead>,
    contradicted: bool,
    closed: bool,
    effects: VecDeque<Effect>,
}

impl Records {
    /// A machine for an agent whose chains stand at `known`, the newest last.
    #[must_use]
    pub fn new(agent: AgentId, known: impl IntoIterator<Item = ChainHead>) -> Self {
        let known = known.into_iter().collect();
        Self { agent, known, storing: None, contradicted: false, closed: false, effects: VecDeque::new() }
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
            Input::Frame(ToAuthority::Records(batch)) if self.storing.is_none() => self.take_batch(&batch),
            Input::Frame(
                ToAuthority::Records(_)
                | ToAuthority::Hello(_)
                | ToAuthority::Receipt(_)
                | ToAuthority::Refusal(_)
                | ToAuthority::Heard(_),
            ) => self.close("a frame came out of order"),
            Input::Stored => {
                if let Some(head) = self.storing.take() {
                    self.known.retain(|known| known.incarnation != head.incarnation);
                    self.known.push(head);
                    self.effects.push_back(Effect::Send(ToAgent::Stored(head)));
                }
            }
        }
    }

    /// PROTOCOL 8.5: an idle agent's report shows a log that was cut.
    fn take_report(&mut self, report: ChainReport) {
        if let Some(known) = self.chain(report.head.incarnation) {
            if report.head.seq < known.seq {
                let text = format!(
                    "agent {} reports {} records, but {} are stored; its log was cut",
                    self.agent, report.head.seq, known.seq
                );
                self.contradict(AlarmKind::LogTruncated, text, known);
            } else if report.head.seq == known.seq && report.head.hash != known.hash {
                self.fork(known);
            }
        }
        self.effects.push_back(Effect::Report(report));
    }

    /// PROTOCOL 8.4.
    fn take_batch(&mut self, batch: &Batch) {
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
            return self.store(batch.records.clone(), end);
        }
        match overlap_end(batch, known.seq) {
            Some(head) if head == known => {
                let fresh = batch.records.iter().filter(|record| record.seq > known.seq).cloned().collect();
                self.store(fresh, if end.seq > known.seq { end } else { known });
            }
            Some(_) => self.fork(known),
            None => {
                let text =
                    format!("agent {} sends records that end before what is stored; its log was cut", self.agent);
                self.contradict(AlarmKind::LogTruncated, text, known);
            }
        }
    }

    /// Where a chain stands in the store.
    fn chain(&self, incarnation: Incarnation) -> Option<ChainHead> {
        self.known.iter().find(|known| known.incarnation == incarnation).copied()
    }

    fn store(&mut self, records: Vec<Record>, head: ChainHead) {
        self.storing = Some(head);
        self.effects.push_back(Effect::Store { records, head });
    }

    fn fork(&mut self, known: ChainHead) {
        let text =
            format!("agent {}: another history of records than the stored one, at record {}", self.agent, known.seq);
        self.contradict(AlarmKind::RecordFork, text, known);
    }

    /// PROTOCOL 8.6: says where the chain stands here. The agent sees that it cannot go on with its own and begins a new
    /// one; closing would only bring it back with the same. Once in a connection is enough for the alarm.
    fn contradict(&mut self, kind: AlarmKind, text: String, known: ChainHead) {
        if !core::mem::replace(&mut self.contradicted, true) {
            self.alarm(kind, text);
        }
        self.effects.push_back(Effect::Send(ToAgent::Stored(known)));
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
