//! The authority's side of one agent's connection: [`sync`] brings it to the newest commit, [`records`] takes its log.
//!
//! Pure, like the agent's machines. What they need of the authority's state comes through [`sync::Source`].

pub mod records;
pub mod sync;

use serde::{Deserialize, Serialize};

/// Something that a person must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What kind.
    pub kind: AlarmKind,
    /// What happened, in a sentence without names and card numbers.
    pub text: String,
}

impl Alarm {
    /// An alarm.
    #[must_use]
    pub fn new(kind: AlarmKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// Kinds of alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// An agent stands below what it acknowledged as durable: its disk was replaced or rolled back.
    AgentRolledBack,
    /// An agent is ahead of the authority: the authority's journal was restored from an older copy.
    AuthorityRolledBack,
    /// Two histories were signed, or an agent saw another commit than ours.
    Fork,
    /// An agent's state was not what its position says.
    WrongState,
    /// An agent refused something.
    Refused,
    /// Clocks stand too far apart.
    Clock,
    /// An agent's store was damaged.
    StoreDamaged,
    /// Access records are missing.
    RecordGap,
    /// Access records contradict those that are stored.
    RecordFork,
    /// An agent's log ends before what it had reported.
    LogTruncated,
    /// An agent began a new chain of records.
    NewChain,
    /// A card that is not in use was tapped.
    CardTapped,
    /// An agent does not answer.
    Silent,
}

impl AlarmKind {
    /// The kind as it is written in tables and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentRolledBack => "agent-rolled-back",
            Self::AuthorityRolledBack => "authority-rolled-back",
            Self::Fork => "fork",
            Self::WrongState => "wrong-state",
            Self::Refused => "refused",
            Self::Clock => "clock",
            Self::StoreDamaged => "store-damaged",
            Self::RecordGap => "record-gap",
            Self::RecordFork => "record-fork",
            Self::LogTruncated => "log-truncated",
            Self::NewChain => "new-chain",
            Self::CardTapped => "card-tapped",
            Self::Silent => "silent",
        }
    }
}
