//! Receipts: an agent's signed word that something is in force at its doors (PROTOCOL 7).

use crate::commit::Position;
use crate::id::{AgentId, CampusId, Hash};
use crate::sign::{Context, Signable};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// What an agent signs with its own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which campus.
    pub campus: CampusId,
    /// Which agent.
    pub agent: AgentId,
    /// About what.
    pub about: About,
    /// The position of that removal or commit. A commit contains every removal up to its position.
    pub position: Position,
    /// [`crate::sign::Signed::hash`] of the removal or commit.
    pub hash: Hash,
    /// How far it has come.
    pub stage: Stage,
    /// The agent's clock at that moment.
    pub at: UnixMs,
}

/// What a receipt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum About {
    /// A removal.
    Removal,
    /// A commit.
    Commit,
}

/// How far something has come at an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Every later tap is decided by it.
    Applied,
    /// It survives a power cut.
    Durable,
}

impl Signable for Receipt {
    const CONTEXT: Context = Context::Receipt;
}
