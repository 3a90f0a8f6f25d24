//! The machine that records taps and ships the records home: numbered, chained, durable, acknowledged, then freed.
//!
//! One group commit is in flight at a time; taps that arrive meanwhile form the next. One batch is on the wire at a time.

use crate::commit::Position;
use crate::decide::Reason;
use crate::facts::Factors;
use crate::frame::{ChainReport, ToAuthority};
use crate::id::{CredentialKey, DoorId, Incarnation};
use crate::limits::{RECORDS_BATCH_MAX, RECORDS_KEPT_MAX};
use crate::record::{Batch, ChainHead, Record};
use crate::time::UnixMs;
use std::collections::VecDeque;

/// How often an idle agent reports where its chain stands, in milliseconds.
const REPORT_PERIOD_MS: i64 = 10_000;

/// Records kept in memory so that a batch rarely needs the store.
const RECENT_MAX: usize = 2 * RECORDS_BATCH_MAX;

/// A decided tap that waits for its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// Names the tap in [`Effect::Answer`].
    pub ticket: u64,
    /// When it was decided.
    pub at: UnixMs,
    /// At which door.
    pub door: DoorId,
    /// What was read.
    pub credential: CredentialKey,
    /// Further factors.
    pub factors: Factors,
    /// The decision.
    pub reason: Reason,
    /// The commit by which it was decided.
    pub position: Position,
}

/// What happens to the machine.
#[derive(Debug)]
pub enum Input {
    /// A tap was decided.
    Tap(Tap),
    /// The append in flight is durable.
    Appended,
    /// The append in flight failed: nothing of it is stored.
    AppendFailed,
    /// A connection stands.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// The authority has stored the batch on the wire up to here.
    Stored(ChainHead),
    /// Answer to [`Effect::Load`]: consecutive records, none when they could not be read.
    Loaded(Vec<Record>),
    /// Answer to [`Effect::BeginAnew`].
    Anew {
        /// The beginning of the chain in the incarnation that was asked for.
        begin: ChainHead,
        /// The records that were asked for; none when they could not be read.
        records: Vec<Record>,
    },
    /// The time that [`Recorder::poll_timeout`] named has come.
    Timeout,
}

/// What the machine wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Append these records durably, all or none; then answer [`Input::Appended`] or [`Input::AppendFailed`].
    Append {
        /// The records.
        records: Vec<Record>,
        /// Where the chain stands after them.
        head: ChainHead,
        /// Of a chain that begins with them: where it begins, to be kept as the acknowledged head in the same step.
        begin: Option<ChainHead>,
    },
    /// The chain cannot be continued: read all records after `after`, and answer [`Input::Anew`].
    BeginAnew {
        /// Number of the record before the first.
        after: u64,
        /// The life in which they go on.
        incarnation: Incarnation,
    },
    /// Answer a tap; only now may a strike move.
    Answer {
        /// The tap.
        ticket: u64,
        /// The final reason.
        reason: Reason,
    },
    /// Send on the records lane.
    Send(ToAuthority),
    /// Read up to `count` records after `after`.
    Load {
        /// Number of the record before the first.
        after: u64,
        /// How many at most.
        count: usize,
    },
    /// The records up to here are acknowledged and may go; keep this head as the place where the rest begins.
    Free(ChainHead),
    /// Tell the operator.
    Alarm(String),
}

/// See the module.
#[derive(Debug)]
pub struct Recorder {
    durable: ChainHead,
    acknowledged: ChainHead,
    oldest_unsent_at: Option<UnixMs>,
    waiting: Vec<Tap>,
    appending: Option<Appending>,
    anew: Anew,
    /// A new chain could not be stored: nothing is sent until the next report, so that a full disk makes no storm.
    stalled: bool,
    recent: VecDeque<Record>,
    connected: bool,
    sent: Option<Batch>,
    loading: bool,
    report_at: UnixMs,
    full: bool,
    effects: VecDeque<Effect>,
}

/// Records that are being stored.
#[derive(Debug)]
struct Appending {
    taps: Vec<Tap>,
    records: Vec<Record>,
    head: ChainHead,
    begin: Option<ChainHead>,
}

/// Whether the chain has to begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anew {
    No,
    /// In this life, as soon as no append is in flight.
    Wanted(Incarnation),
    /// The shell was asked.
    Asked,
}

impl Recorder {
    /// Opens the machine where the stored chain stands.
    #[must_use]
    pub fn open(durable: ChainHead, acknowledged: ChainHead, oldest_unsent_at: Option<UnixMs>) -> Self {
        Self {
            durable,
            acknowledged,
            oldest_unsent_at,
            waiting: Vec::new(),
            appending: None,
            anew: Anew::No,
            stalled: false,
            recent: VecDeque::new(),
            connected: false,
            sent: None,
            loading: false,
            report_at: UnixMs(i64::MIN),
            full: false,
            effects: VecDeque::new(),
        }
    }

    /// The next thing to do, if any.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Input::Timeout`] is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixMs> {
        self.connected.then_some(self.report_at)
    }

    /// Where the durable chain stands.
    #[must_use]
    pub const fn head(&self) -> ChainHead {
        self.durable
    }

    /// How many records wait for an acknowledgement.
    #[must_use]
    pub const fn unsent(&self) -> u64 {
        self.durable.seq.saturating_sub(self.acknowledged.seq)
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: UnixMs) {
        match input {
            Input::Tap(tap) => self.take_tap(tap),
            Input::Appended => self.appended(),
            Input::AppendFailed => self.append_failed(),
            Input::Connected => {
                self.connected = true;
                self.sent = None;
                self.report(now);
            }
            Input::Disconnected => {
                self.connected = false;
                self.sent = None;
            }
            Input::Stored(head) => self.stored(head),
            Input::Loaded(records) => self.loaded(records),
            Input::Anew { begin, records } => self.begin_anew(begin, records),
            Input::Timeout => {
                if now >= self.report_at {
                    self.report(now);
                }
            }
        }
        self.append_next();
        self.send_next();
    }

    fn take_tap(&mut self, tap: Tap) {
        let queued = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        if self.unsent().saturating_add(queued) >= RECORDS_KEPT_MAX {
            if !core::mem::replace(&mut self.full, true) {
                self.alarm(format!("{RECORDS_KEPT_MAX} records wait for the authority; nothing opens until they go"));
            }
            self.effects.push_back(Effect::Answer { ticket: tap.ticket, reason: Reason::NotRecorded });
            return;
        }
        self.waiting.push(tap);
    }

    /// PROTOCOL 8.1: number and chain the waiting taps, and append them as one group.
    fn append_next(&mut self) {
        if self.appending.is_some() || self.anew == Anew::Asked {
            return;
        }
        if let Anew::Wanted(incarnation) = self.anew {
            self.anew = Anew::Asked;
            return self.effects.push_back(Effect::BeginAnew { after: self.acknowledged.seq, incarnation });
        }
        if self.waiting.is_empty() {
            return;
        }
        let rest = self.waiting.split_off(self.waiting.len().min(RECORDS_BATCH_MAX));
        let mut taps = core::mem::replace(&mut self.waiting, rest);
        let mut head = self.durable;
        let mut records = Vec::with_capacity(taps.len());
        for tap in &taps {
            let record = Record {
                seq: head.seq.saturating_add(1),
                at: tap.at,
                door: tap.door.clone(),
                credential: tap.credential,
                factors: tap.factors,
                reason: tap.reason,
                position: tap.position,
            };
            // Numbers run out after 2^64 taps; a head that cannot go on then denies instead of lying.
            let Some(next) = head.with(&record) else { break };
            head = next;
            records.push(record);
        }
        let unnumbered = taps.split_off(records.len());
        if !unnumbered.is_empty() {
            self.refuse(unnumbered);
        }
        if !records.is_empty() {
            self.append(Appending { taps, records, head, begin: None });
        }
    }

    /// Answers taps that have no record: none of them opens.
    fn refuse(&mut self, taps: Vec<Tap>) {
        self.alarm("access records cannot be stored; nothing opens until they can".into());
        let answers = taps.into_iter().map(|tap| match tap.reason.is_grant() {
            true => Effect::Answer { ticket: tap.ticket, reason: Reason::NotRecorded },
            false => Effect::Answer { ticket: tap.ticket, reason: tap.reason },
        });
        self.effects.extend(answers);
    }

    fn append(&mut self, appending: Appending) {
        let Appending { records, head, begin, .. } = &appending;
        self.effects.push_back(Effect::Append { records: records.clone(), head: *head, begin: *begin });
        self.appending = Some(appending);
    }

    /// PROTOCOL 8.6: what is not with the authority moves to the new chain, under new numbers.
    fn begin_anew(&mut self, begin: ChainHead, records: Vec<Record>) {
        if core::mem::replace(&mut self.anew, Anew::No) != Anew::Asked {
            return;
        }
        if u64::try_from(records.len()).is_ok_and(|count| count < self.unsent()) {
            // What is left behind would never come home. The next report tries again.
            self.stalled = true;
            return self.alarm("stored access records cannot be read back; they wait for that".into());
        }
        let mut head = begin;
        let mut moved = Vec::with_capacity(records.len());
        for record in records {
            let record = Record { seq: head.seq.saturating_add(1), ..record };
            let Some(next) = head.with(&record) else { break };
            head = next;
            moved.push(record);
        }
        self.append(Appending { taps: Vec::new(), records: moved, head, begin: Some(begin) });
    }

    fn appended(&mut self) {
        let Some(Appending { taps, records, head, begin }) = self.appending.take() else { return };
        if let Some(begin) = begin {
            self.acknowledged = begin;
            self.durable = begin;
            self.recent.clear();
            self.full = false;
        }
        let answers = taps.into_iter().map(|tap| Effect::Answer { ticket: tap.ticket, reason: tap.reason });
        self.effects.extend(answers);
        if self.unsent() == 0 {
            self.oldest_unsent_at = records.first().map(|record| record.at);
        }
        self.recent.extend(records);
        while self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        self.durable = head;
    }

    fn append_failed(&mut self) {
        // A new chain that could not be stored is none; the authority will say again that the old one is not its own.
        let Some(Appending { taps, begin, .. }) = self.appending.take() else { return };
        self.stalled |= begin.is_some();
        self.refuse(taps);
    }

    /// PROTOCOL 8.3: one batch at a time, directly after what is acknowledged.
    fn send_next(&mut self) {
        let waits = self.sent.is_some() || self.loading || self.stalled || self.is_beginning();
        if !self.connected || waits || self.unsent() == 0 {
            return;
        }
        let first = self.acknowledged.seq.saturating_add(1);
        match self.recent.front().map(|record| record.seq) {
            Some(oldest) if oldest <= first => {
                let skip = usize::try_from(first.saturating_sub(oldest)).unwrap_or(usize::MAX);
                let records = self.recent.iter().skip(skip).take(RECORDS_BATCH_MAX).cloned().collect();
                self.send_batch(records);
            }
            Some(_) | None => {
                self.loading = true;
                self.effects.push_back(Effect::Load { after: self.acknowledged.seq, count: RECORDS_BATCH_MAX });
            }
        }
    }

    fn loaded(&mut self, records: Vec<Record>) {
        self.loading = false;
        if !self.connected || self.sent.is_some() || self.is_beginning() {
            return;
        }
        let follows = records.first().is_some_and(|record| Some(record.seq) == self.acknowledged.seq.checked_add(1));
        if follows {
            self.oldest_unsent_at = records.first().map(|record| record.at);
            self.send_batch(records);
        } else {
            self.alarm("stored access records cannot be read back; the chain has a gap".into());
            self.connected = false;
        }
    }

    fn send_batch(&mut self, records: Vec<Record>) {
        let batch = Batch { after: self.acknowledged, records };
        self.effects.push_back(Effect::Send(ToAuthority::Records(batch.clone())));
        self.sent = Some(batch);
    }

    /// PROTOCOL 8.4: an acknowledgement counts only when its hash is that of our own chain. One that stops before the end
    /// of the batch says that the authority holds other records from there on (8.6).
    fn stored(&mut self, head: ChainHead) {
        if head.incarnation != self.durable.incarnation || self.is_beginning() {
            return;
        }
        let Some(batch) = self.sent.take() else { return };
        let agreed = batch.head_at(head.seq).filter(|own| *own == head);
        if let Some(agreed) = agreed.filter(|agreed| agreed.seq > self.acknowledged.seq) {
            self.acknowledge(agreed);
        }
        if agreed.is_none() || agreed != batch.end() {
            self.alarm("the authority holds other records of this chain than this disk; it begins anew".into());
            let first = batch.head_at(self.acknowledged.seq.saturating_add(1));
            self.anew = Anew::Wanted(first.unwrap_or(self.acknowledged).parting_life());
        }
    }

    fn acknowledge(&mut self, head: ChainHead) {
        self.acknowledged = head;
        self.full = false;
        while self.recent.front().is_some_and(|record| record.seq <= head.seq) {
            self.recent.pop_front();
        }
        if let Some(oldest) = self.recent.front() {
            self.oldest_unsent_at = Some(oldest.at);
        }
        self.effects.push_back(Effect::Free(head));
    }

    /// Whether a new chain is on its way; until it stands, nothing of the old one is sent.
    fn is_beginning(&self) -> bool {
        self.anew != Anew::No || self.appending.as_ref().is_some_and(|appending| appending.begin.is_some())
    }

    fn report(&mut self, now: UnixMs) {
        self.report_at = now.plus_ms(REPORT_PERIOD_MS);
        self.stalled = false;
        let report = ChainReport {
            head: self.durable,
            acknowledged: self.acknowledged.seq,
            oldest_unsent_at: self.oldest_unsent_at.filter(|_| self.unsent() > 0),
        };
        self.effects.push_back(Effect::Send(ToAuthority::ChainReport(report)));
    }

    fn alarm(&mut self, text: String) {
        self.effects.push_back(Effect::Alarm(text));
    }
}
