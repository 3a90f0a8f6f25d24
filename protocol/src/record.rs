//! Access records and their chain (PROTOCOL 8): numbered without gaps, each hash covering all before it.

use crate::codec::{self, CodecError};
use crate::commit::Position;
use crate::decide::Reason;
use crate::facts::Factors;
use crate::id::{AgentId, CredentialKey, DoorId, Hash, Incarnation, hash};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// One answered tap. No name and no card number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Number in the agent's chain, from 1.
    pub seq: u64,
    /// When the tap was decided, by the agent's clock.
    pub at: UnixMs,
    /// At which door.
    pub door: DoorId,
    /// Keyed hash of what the reader read.
    pub credential: CredentialKey,
    /// Further factors that were presented.
    pub factors: Factors,
    /// The answer and why.
    pub reason: Reason,
    /// The commit by which it was decided.
    pub position: Position,
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Which life of the chain.
    pub incarnation: Incarnation,
    /// Number of the last record, 0 before the first.
    pub seq: u64,
    /// Hash over everything up to it.
    pub hash: Hash,
}

impl ChainHead {
    /// The beginning of a chain.
    #[must_use]
    pub fn begin(agent: &AgentId, incarnation: Incarnation) -> Self {
        let start = hash("doorward 1 record chain", &[agent.as_str().as_bytes(), &[0], &incarnation.0]);
        Self { incarnation, seq: 0, hash: start }
    }

    /// The life in which records go on that the authority has not, when the first of them makes this head. It follows from
    /// where both part: whoever puts the same copy of a disk in place again begins the same chain again, and what came home
    /// in it is known there.
    #[must_use]
    pub fn parting_life(&self) -> Incarnation {
        let Hash(hash) = hash("doorward 1 record chain parted", &[&self.incarnation.0, &self.hash.0]);
        Incarnation(core::array::from_fn(|i| hash.get(i).copied().unwrap_or_default()))
    }

    /// The chain with one more record; `None` when the record is not the next one or does not encode.
    #[must_use]
    pub fn with(&self, record: &Record) -> Option<Self> {
        let seq = self.seq.checked_add(1)?;
        if record.seq != seq {
            return None;
        }
        Some(Self { incarnation: self.incarnation, seq, hash: link(self.hash, record).ok()? })
    }
}

fn link(before: Hash, record: &Record) -> Result<Hash, CodecError> {
    Ok(hash("doorward 1 record link", &[&before.0, &codec::encode(record)?]))
}

/// Records on their way home: consecutive, directly after `after`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Where the chain stood before the first of them.
    pub after: ChainHead,
    /// At most [`crate::limits::RECORDS_BATCH_MAX`].
    pub records: Vec<Record>,
}

impl Batch {
    /// Where the chain stands after the last of them; `None` when they are not consecutive.
    #[must_use]
    pub fn end(&self) -> Option<ChainHead> {
        self.records.iter().try_fold(self.after, |head, record| head.with(record))
    }

    /// Where the chain stands after the records up to a number; `None` when it does not stand there in this batch.
    #[must_use]
    pub fn head_at(&self, seq: u64) -> Option<ChainHead> {
        let before = self.records.iter().take_while(|record| record.seq <= seq);
        before.into_iter().try_fold(self.after, |head, record| head.with(record)).filter(|head| head.seq == seq)
    }
}
