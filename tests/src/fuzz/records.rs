//! The authority's record machine: batches and reports that an agent might invent, and a store that answers late or never.
//!
//! Nothing is acknowledged that is not stored, and nothing that is stored changes.

use crate::fuzz::chains::{begin, invented, record};
use crate::fuzz::choices::Choices;
use crate::fuzz::history::agent;
use doorward_protocol::codec;
use doorward_protocol::frame::{ChainReport, ToAgent, ToAuthority};
use doorward_protocol::id::Incarnation;
use doorward_protocol::limits::RECORDS_BATCH_MAX;
use doorward_protocol::record::{Batch, ChainHead, Record};
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::records::{Effect, Input, Records};
use std::collections::BTreeMap;

/// Looks at what is left of an input.
pub fn run(mut choices: Choices<'_>) {
    let Some(mut world) = World::new() else { return };
    while !choices.is_over() && world.step(&mut choices).is_some() {}
}

/// What the store was asked for.
enum Asked {
    Store { records: Vec<Record>, head: ChainHead },
    Compare { incarnation: Incarnation, records: Vec<Record> },
}

struct World {
    machine: Records,
    /// What the authority has stored.
    stored: BTreeMap<(Incarnation, u64), Record>,
    heads: Vec<ChainHead>,
    asked: Option<Asked>,
    /// The batch that is looked at.
    batch: Option<Batch>,
    /// Heads that an agent could name: those of its batches so far.
    named: Vec<ChainHead>,
    is_closed: bool,
}

impl World {
    fn new() -> Option<Self> {
        let named = vec![begin(1)?, begin(2)?, begin(3)?];
        let machine = Records::new(agent()?, []);
        let (stored, heads) = (BTreeMap::new(), Vec::new());
        Some(Self { machine, stored, heads, asked: None, batch: None, named, is_closed: false })
    }

    fn step(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        match choices.byte() % 10 {
            0..=3 => {
                let batch = self.invent(choices)?;
                self.named.extend(batch.end());
                self.frame(ToAuthority::Records(batch));
            }
            4 => {
                let head = *choices.pick(&self.named)?;
                let head = if choices.below(2) == 0 { invented(head, choices) } else { head };
                let acknowledged = u64::from(choices.byte());
                self.frame(ToAuthority::ChainReport(ChainReport { head, acknowledged, oldest_unsent_at: None }));
            }
            5 => {
                if let Ok(frame) = codec::decode::<ToAuthority>(choices.some()) {
                    self.frame(frame);
                }
            }
            6..=8 => self.answer(),
            _ => {
                // The connection is gone; what the store was asked for may be done all the same.
                if choices.below(2) == 0 {
                    self.keep();
                }
                self.asked = None;
                self.batch = None;
                self.is_closed = false;
                self.machine = Records::new(agent()?, self.heads.clone());
            }
        }
        Some(())
    }

    /// A batch after some head, with some records, each of which may be another one than was there before.
    fn invent(&self, choices: &mut Choices<'_>) -> Option<Batch> {
        let real = *choices.pick(&self.named)?;
        let after = if choices.below(4) == 0 { invented(real, choices) } else { real };
        let count = match choices.byte() {
            0 => u64::try_from(RECORDS_BATCH_MAX).ok()? + 1,
            many => u64::from(many % 6),
        };
        let kind = i64::from(choices.byte() / 200);
        let first = if choices.below(16) == 0 { after.seq } else { after.seq.wrapping_add(1) };
        let records = (0..count).map(|n| record(first.wrapping_add(n), kind)).collect::<Option<_>>()?;
        Some(Batch { after, records })
    }

    fn frame(&mut self, frame: ToAuthority) {
        let was_asked = self.asked.is_some();
        if let ToAuthority::Records(batch) = &frame {
            self.batch = Some(batch.clone());
        }
        let is_batch = matches!(frame, ToAuthority::Records(_));
        self.handle(Input::Frame(frame));
        assert!(!was_asked || !is_batch || self.is_closed, "a second batch before the first was stored ends it");
    }

    fn answer(&mut self) {
        match self.asked.as_ref() {
            None => {}
            Some(Asked::Store { .. }) => {
                self.keep();
                self.asked = None;
                self.handle(Input::Stored);
            }
            Some(Asked::Compare { incarnation, records }) => {
                let is_same = |record: &&Record| self.stored.get(&(*incarnation, record.seq)) == Some(record);
                let same = records.iter().take_while(is_same).count();
                self.asked = None;
                self.handle(Input::Compared(same));
            }
        }
    }

    /// The store is durable: what is there stays as it is.
    fn keep(&mut self) {
        let Some(Asked::Store { records, head }) = &self.asked else { return };
        for record in records {
            self.stored.entry((head.incarnation, record.seq)).or_insert_with(|| record.clone());
        }
        self.heads.retain(|known| known.incarnation != head.incarnation);
        self.heads.push(*head);
    }

    fn handle(&mut self, input: Input) {
        let was_closed = self.is_closed;
        self.machine.handle(input);
        let mut alarms = Vec::new();
        let mut asked = Vec::new();
        while let Some(effect) = self.machine.poll_effect() {
            assert!(!was_closed, "nothing is done after the end: {effect:?}");
            match effect {
                Effect::Store { records, head } => asked.push(Asked::Store { records, head }),
                Effect::Compare { incarnation, records } => {
                    assert!(!records.is_empty() && records.len() <= RECORDS_BATCH_MAX);
                    asked.push(Asked::Compare { incarnation, records });
                }
                Effect::Send(ToAgent::Stored(head)) => self.check_acknowledgement(head),
                Effect::Send(other) => assert!(codec::encode(&other).is_err(), "a frame of the other machine"),
                Effect::Report(_) => {}
                Effect::Alarm(alarm) => alarms.push(alarm.kind),
                Effect::Close(_) => self.is_closed = true,
            }
        }
        for asked in asked {
            assert!(self.asked.is_none(), "the store is asked for one thing at a time");
            self.check_asked(&asked, &alarms);
            self.asked = Some(asked);
        }
    }

    fn check_asked(&self, asked: &Asked, alarms: &[AlarmKind]) {
        let Asked::Store { records, head } = asked else { return };
        let known = self.heads.iter().find(|known| known.incarnation == head.incarnation);
        let known_seq = known.map_or(0, |known| known.seq);
        assert!(head.seq >= known_seq, "what is stored never ends earlier");
        for record in records {
            let present = self.stored.get(&(head.incarnation, record.seq));
            assert!(present.is_none_or(|present| present == record), "a stored record is another one");
        }
        let next_seq = known_seq.saturating_add(1);
        let first = records.first().map_or(next_seq, |record| record.seq);
        let is_gap = first > next_seq;
        assert!(!is_gap || alarms.contains(&AlarmKind::RecordGap), "a gap is an alarm");
        if !is_gap {
            let from = known.copied().or_else(|| begin_of(head.incarnation));
            let fresh = records.iter().filter(|record| record.seq > known_seq);
            let end = from.and_then(|from| fresh.into_iter().try_fold(from, |head, record| head.with(record)));
            assert_eq!(end, Some(*head), "what is stored continues the chain");
        }
    }

    /// Whatever the agent may free because of this is stored.
    fn check_acknowledgement(&self, head: ChainHead) {
        let Some(batch) = &self.batch else {
            return assert!(self.heads.contains(&head), "an acknowledgement of nothing");
        };
        if head.incarnation != batch.after.incarnation || batch.head_at(head.seq) != Some(head) {
            return;
        }
        for record in batch.records.iter().filter(|record| record.seq <= head.seq) {
            let stored = self.stored.get(&(head.incarnation, record.seq));
            assert_eq!(stored, Some(record), "record {} is acknowledged and not stored", record.seq);
        }
    }
}

fn begin_of(incarnation: Incarnation) -> Option<ChainHead> {
    Some(ChainHead::begin(&agent()?, incarnation))
}
