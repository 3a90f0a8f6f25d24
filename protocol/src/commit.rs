//! Commits and pulses: what the authority signs once for all agents (PROTOCOL 4 and 5).
//!
//! A commit's root is a Merkle tree over one [`Leaf`] per enrolled agent, ascending by agent.

use crate::codec::{self, CodecError};
use crate::id::{AgentId, CampusId, Hash};
use crate::merkle::{self, Path};
use crate::sign::{Context, PublicKey, Signable, Signed};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// Where a campus's history stands: compared by epoch first. An agent's position never falls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Raised by a trust statement when the journal was restored from an older copy.
    pub epoch: u32,
    /// Number of the journal entry.
    pub seq: u64,
}

impl core::fmt::Display for Position {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.epoch == 0 { write!(f, "{}", self.seq) } else { write!(f, "{}.{}", self.epoch, self.seq) }
    }
}

/// The state of all agents after one journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Which campus.
    pub campus: CampusId,
    /// Which journal entry.
    pub position: Position,
    /// When that entry was accepted.
    pub at: UnixMs,
    /// [`Signed::hash`] of the commit before; all zero for the first.
    pub previous: Hash,
    /// Root of the tree of leaves.
    pub root: Hash,
}

impl Signable for Commit {
    const CONTEXT: Context = Context::Commit;
}

/// What a commit says of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Which agent.
    pub agent: AgentId,
    /// The key that signs its receipts.
    pub key: PublicKey,
    /// The digest of its state.
    pub digest: Hash,
}

impl Leaf {
    /// The leaf's hash in the tree.
    ///
    /// # Errors
    /// Never for a leaf that was decoded; encoding is bounded.
    pub fn hash(&self) -> Result<Hash, CodecError> {
        Ok(merkle::leaf_hash(&codec::encode(self)?))
    }
}

/// A commit with the proof of what it says of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The signed commit.
    pub commit: Signed<Commit>,
    /// The agent's leaf.
    pub leaf: Leaf,
    /// Its path to the root.
    pub path: Path,
}

/// A fresh word: at `at`, the commit with this hash was the authority's newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// Which campus.
    pub campus: CampusId,
    /// The newest commit.
    pub position: Position,
    /// Its [`Signed::hash`].
    pub commit: Hash,
    /// When.
    pub at: UnixMs,
}

impl Signable for Pulse {
    const CONTEXT: Context = Context::Pulse;
}
