//! The agent's record machine: taps, a disk that fails, an authority that says anything, power cuts.
//!
//! No grant is answered before its record is durable, and no record goes that the authority does not say it has.

use crate::fuzz::chains::{begin, invented, tap};
use crate::fuzz::choices::Choices;
use doorward_protocol::agent::recorder::{Effect, Input, Recorder};
use doorward_protocol::codec;
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{ToAgent, ToAuthority};
use doorward_protocol::limits::RECORDS_BATCH_MAX;
use doorward_protocol::record::{Batch, ChainHead, Record};
use doorward_protocol::time::UnixMs;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Looks at what is left of an input.
pub fn run(mut choices: Choices<'_>) {
    let Some(mut world) = World::new() else { return };
    while !choices.is_over() && world.step(&mut choices).is_some() {}
}

/// Something that the machine waits for.
enum Asked {
    Load { after: u64, count: usize },
    Anew { after: u64 },
}

/// An append that the disk was given.
struct Append {
    records: Vec<Record>,
    head: ChainHead,
    begin: Option<ChainHead>,
}

struct World {
    machine: Recorder,
    now: UnixMs,
    life: u8,
    ticket: u64,
    /// What is durable: records of the present chain, where it begins, and every head in between.
    records: BTreeMap<u64, Record>,
    durable: ChainHead,
    acknowledged: ChainHead,
    appending: Option<Append>,
    asked: VecDeque<Asked>,
    /// Batches of this connection that have no answer yet.
    sent: Option<Batch>,
    /// Heads that the authority said it has stored.
    said: Vec<ChainHead>,
    /// Instants of the records that the authority says it has.
    home: BTreeSet<UnixMs>,
    /// Instants of granted taps that were answered.
    opened: BTreeSet<UnixMs>,
    answered: BTreeSet<u64>,
}

impl World {
    fn new() -> Option<Self> {
        let head = begin(1)?;
        let machine = Recorder::open(head, head, None);
        Some(Self {
            machine,
            now: UnixMs(0),
            life: 1,
            ticket: 0,
            records: BTreeMap::new(),
            durable: head,
            acknowledged: head,
            appending: None,
            asked: VecDeque::new(),
            sent: None,
            said: Vec::new(),
            home: BTreeSet::new(),
            opened: BTreeSet::new(),
            answered: BTreeSet::new(),
        })
    }

    fn step(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        match choices.byte() % 16 {
            0..=3 => {
                self.ticket += 1;
                let tap = tap(self.ticket, choices)?;
                self.handle(Input::Tap(tap));
            }
            4 | 5 => self.append(choices.below(4) != 0),
            6 => {
                self.sent = None;
                self.handle(Input::Connected);
            }
            7 => {
                self.sent = None;
                self.handle(Input::Disconnected);
            }
            8 | 9 => self.acknowledge(choices)?,
            10 | 11 => self.answer(choices)?,
            12 => {
                self.now = self.now.plus_ms(i64::from(choices.byte()) * 1000);
                self.handle(Input::Timeout);
            }
            13 => {
                if let Ok(ToAgent::Stored(head)) = codec::decode::<ToAgent>(choices.some()) {
                    self.stored(head);
                }
            }
            14 => self.restart(choices)?,
            _ => {
                self.append(true);
                self.handle(Input::Timeout);
            }
        }
        Some(())
    }

    /// The disk is done with the append in flight, one way or the other.
    fn append(&mut self, is_done: bool) {
        let Some(append) = self.appending.take() else { return };
        if is_done {
            self.keep(append);
            self.handle(Input::Appended);
        } else {
            self.handle(Input::AppendFailed);
        }
    }

    fn keep(&mut self, append: Append) {
        if let Some(begin) = append.begin {
            let moved: BTreeSet<UnixMs> = append.records.iter().map(|record| record.at).collect();
            let left = self.records.values().map(|record| record.at);
            let lost: Vec<UnixMs> = left.filter(|at| !moved.contains(at) && !self.home.contains(at)).collect();
            assert!(lost.is_empty(), "records of {lost:?} are left behind in the old chain");
            self.records.clear();
            self.acknowledged = begin;
        }
        self.records.extend(append.records.into_iter().map(|record| (record.seq, record)));
        self.durable = append.head;
    }

    /// The authority says what it has: all of the batch, a part, or something else.
    fn acknowledge(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        let of_batch = self.sent.as_ref().and_then(|batch| match choices.below(4) {
            0 => Some(batch.after),
            1 => batch.head_at(batch.after.seq + u64::from(choices.byte())),
            _ => batch.end(),
        });
        let real = of_batch.unwrap_or(*choices.pick(&[self.durable, self.acknowledged])?);
        let head = if choices.below(4) == 0 { invented(real, choices) } else { real };
        self.stored(head);
        Some(())
    }

    fn stored(&mut self, head: ChainHead) {
        // Of another chain it is no answer to a batch of this one.
        if head.incarnation == self.durable.incarnation
            && let Some(batch) = self.sent.take()
            && batch.head_at(head.seq) == Some(head)
        {
            // Only now is it with the authority: what it says without a batch is no answer to one.
            self.home.extend(batch.records.iter().filter(|record| record.seq <= head.seq).map(|record| record.at));
        }
        self.said.push(head);
        self.handle(Input::Stored(head));
    }

    /// The shell answers what it was asked; where it cannot read, with nothing.
    fn answer(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        let Some(asked) = self.asked.pop_front() else { return Some(()) };
        let can_read = choices.below(4) != 0;
        match asked {
            Asked::Load { after, count } => {
                let count = if can_read { count } else { 0 };
                let records = self.records.range(after.checked_add(1)?..).take(count).map(|(_, record)| record.clone());
                let records = records.collect();
                self.handle(Input::Loaded(records));
            }
            Asked::Anew { after } => {
                self.life = self.life.checked_add(1)?;
                let records = self.records.range(after.checked_add(1)?..).map(|(_, record)| record.clone());
                let records = records.filter(|_| can_read).collect();
                self.handle(Input::Anew { begin: begin(self.life)?, records });
            }
        }
        Some(())
    }

    /// A power cut: the append in flight is durable or not, and nobody was told.
    fn restart(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        if let Some(append) = self.appending.take()
            && choices.below(2) == 0
        {
            self.keep(append);
        }
        self.asked.clear();
        self.sent = None;
        let oldest = self.records.range(self.acknowledged.seq.checked_add(1)?..).next().map(|(_, record)| record.at);
        self.machine = Recorder::open(self.durable, self.acknowledged, oldest);
        self.settle();
        Some(())
    }

    fn handle(&mut self, input: Input) {
        self.machine.handle(input, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Append { records, head, begin } => {
                    assert!(self.appending.is_none(), "one append at a time");
                    let first = begin.unwrap_or(self.durable);
                    let end = records.iter().try_fold(first, |head, record| head.with(record));
                    assert_eq!(end, Some(head), "a chain goes on where it stands");
                    self.appending = Some(Append { records, head, begin });
                }
                Effect::BeginAnew { after, .. } => self.asked.push_back(Asked::Anew { after }),
                Effect::Load { after, count } => {
                    assert!(count <= RECORDS_BATCH_MAX);
                    self.asked.push_back(Asked::Load { after, count });
                }
                Effect::Answer { ticket, reason } => self.take_answer(ticket, reason),
                Effect::Send(ToAuthority::Records(batch)) => {
                    assert!(self.sent.is_none(), "one batch at a time");
                    assert!((1..=RECORDS_BATCH_MAX).contains(&batch.records.len()));
                    assert!(
                        batch.end().is_some() && batch.after == self.acknowledged,
                        "it goes on from what is stored"
                    );
                    let durable = batch.records.iter().all(|record| self.records.get(&record.seq) == Some(record));
                    assert!(durable, "what is sent is durable");
                    self.sent = Some(batch);
                }
                Effect::Send(ToAuthority::ChainReport(report)) => {
                    assert_eq!((report.head, report.acknowledged), (self.durable, self.acknowledged.seq));
                }
                Effect::Send(other) => assert!(codec::encode(&other).is_err(), "a frame of the other machine"),
                Effect::Free(head) => {
                    assert!(self.said.contains(&head), "nobody said that records up to {} are stored", head.seq);
                    let freed: Vec<u64> = self.records.range(..=head.seq).map(|(seq, _)| *seq).collect();
                    for record in freed.iter().filter_map(|seq| self.records.remove(seq)) {
                        assert!(self.home.contains(&record.at), "record {} goes and is nowhere", record.seq);
                    }
                    self.acknowledged = head;
                }
                Effect::Alarm(text) => assert!(!text.is_empty()),
            }
        }
        assert_eq!(self.machine.head(), self.durable, "the machine and the disk agree");
        assert_eq!(self.machine.unsent(), self.durable.seq - self.acknowledged.seq);
        for at in &self.opened {
            let here = self.records.values().any(|record| record.at == *at);
            assert!(here || self.home.contains(at), "the record of an opened door is lost");
        }
    }

    fn take_answer(&mut self, ticket: u64, reason: Reason) {
        assert!(self.answered.insert(ticket), "tap {ticket} is answered twice");
        let at = UnixMs(i64::try_from(ticket).unwrap_or_default());
        if reason.is_grant() {
            let is_durable = self.records.values().any(|record| record.at == at);
            assert!(is_durable, "a door opens before its record is durable");
            self.opened.insert(at);
        }
    }
}
