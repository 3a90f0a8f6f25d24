//! Reading the record chain back: from the acknowledged head as far as its records follow each other, first in the store
//! and then in the file of the newest ones beside it.
//!
//! What is missing at its end is named and given up, not guessed; the chain goes on from the last record that is there.

use crate::store::disk::{Disk, DiskError};
use crate::store::layout::{ACKNOWLEDGED_KEY, DURABLE_KEY, read_one, record_key};
use doorward_protocol::codec;
use doorward_protocol::id::AgentId;
use doorward_protocol::record::{Batch, ChainHead, Record};
use doorward_protocol::time::UnixMs;

/// Where the record chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The newest durable record.
    pub durable: ChainHead,
    /// The newest acknowledged record.
    pub acknowledged: ChainHead,
    /// When the oldest record without acknowledgement was made.
    pub oldest_unsent_at: Option<UnixMs>,
}

/// A chain that can go on.
#[derive(Debug)]
pub struct Found {
    /// The chain.
    pub chain: Chain,
    /// Which records are lost, in a sentence.
    pub lost: Option<String>,
    /// The newest records of the chain, which only the file beside the store has.
    pub tail: Vec<Record>,
}

/// The chain of an agent, which by its seal stood at `sealed` and whose newest groups are in `tail`; or why there is none
/// that can go on.
///
/// # Errors
/// See [`DiskError`].
pub fn read_chain(
    disk: &Disk,
    agent: &AgentId,
    sealed: Option<ChainHead>,
    tail: Vec<Batch>,
) -> Result<Result<Found, String>, DiskError> {
    let mut damage = Vec::new();
    let durable: Option<ChainHead> = read_one(disk, DURABLE_KEY, "its newest head", &mut damage)?;
    let acknowledged: Option<ChainHead> = read_one(disk, ACKNOWLEDGED_KEY, "its acknowledged head", &mut damage)?;
    let Some(acknowledged) = acknowledged else {
        return Ok(Err(damage.pop().unwrap_or_else(|| "where it stood is missing".into())));
    };
    if acknowledged.seq == 0 && acknowledged != ChainHead::begin(agent, acknowledged.incarnation) {
        return Ok(Err("it belongs to another agent".into()));
    }
    let ends: Vec<ChainHead> = [sealed, durable]
        .into_iter()
        .flatten()
        .filter(|end| end.incarnation == acknowledged.incarnation && end.seq >= acknowledged.seq)
        .collect();
    let Some(last) = ends.iter().map(|end| end.seq).max() else {
        return Ok(Err(damage.pop().unwrap_or_else(|| "its heads belong to different chains".into())));
    };
    let mut course = Course { head: acknowledged, oldest_unsent_at: None, ends: &ends };
    course.follow(disk, last)?;
    let tail = course.follow_tail(tail);
    let Course { head: durable, oldest_unsent_at, .. } = course;
    let chain = Chain { durable, acknowledged, oldest_unsent_at };
    let lost = if sealed.is_some_and(|sealed| sealed.incarnation != durable.incarnation) {
        let seq = sealed.map_or(0, |sealed| sealed.seq);
        Some(format!("access records up to {seq} of a later chain are lost where they were not acknowledged"))
    } else if durable.seq > last || ends.contains(&durable) && durable.seq == last {
        None
    } else {
        let first = durable.seq.saturating_add(1);
        Some(format!("access records {first} to {} are lost where they were not acknowledged", last.max(first)))
    };
    Ok(Ok(Found { chain, lost, tail }))
}

/// How far the records follow each other.
struct Course<'a> {
    head: ChainHead,
    oldest_unsent_at: Option<UnixMs>,
    /// Where the chain is known to have stood.
    ends: &'a [ChainHead],
}

impl Course<'_> {
    /// Follows the records in the store up to number `last`; stops early only where one is missing, damaged, or does not
    /// follow.
    fn follow(&mut self, disk: &Disk, last: u64) -> Result<(), DiskError> {
        if self.head.seq < last {
            let first = record_key(self.head.incarnation, self.head.seq.saturating_add(1));
            disk.visit(&first, &record_key(self.head.incarnation, last), |(_, bytes)| {
                codec::decode::<Record>(&bytes).is_ok_and(|record| self.take(&record))
            })?;
        }
        Ok(())
    }

    /// Follows whole groups that begin where the store ends: those records.
    fn follow_tail(&mut self, tail: Vec<Batch>) -> Vec<Record> {
        let mut records = Vec::new();
        for group in tail {
            if group.after == self.head {
                records.extend(group.records.into_iter().take_while(|record| self.take(record)));
            }
        }
        records
    }

    /// Takes the next record; false when it does not follow.
    fn take(&mut self, record: &Record) -> bool {
        let Some(next) = self.head.with(record) else { return false };
        // Another record than the one that stood here: what follows it is not known to be this chain.
        if self.ends.iter().any(|end| end.seq == next.seq && *end != next) {
            return false;
        }
        self.oldest_unsent_at = self.oldest_unsent_at.or(Some(record.at));
        self.head = next;
        true
    }
}
