//! How long what is known of people is kept, as the API answers it.

use super::When;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long one kind is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// The name in `campus.toml`, or `unnamed_photos`: files of photos that nobody names.
    pub kind: String,
    /// What it is.
    pub words: String,
    /// How long, such as `12 months`; absent: without end.
    pub kept_for: Option<String>,
    /// How many the last run removed; absent: there was none yet, or it had nothing to do with them.
    pub removed: Option<u64>,
    /// Why the last run removed no more.
    pub failed: Option<String>,
    /// How many the next run would remove now; only where that was asked.
    pub due: Option<u64>,
}

/// The beginning of an agent's log that is kept no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovedBeginning {
    /// The agent.
    pub agent: String,
    /// Which of its chains, in hexadecimal.
    pub incarnation: String,
    /// Up to which record of it.
    pub up_to: u64,
    /// How many records had come home up to there.
    pub count: u64,
}

/// What is kept how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionView {
    /// Each kind.
    pub kinds: Vec<Kept>,
    /// When the last run ended; absent before the first.
    pub last_at: Option<When>,
    /// When the next one begins.
    pub next_at: Option<When>,
    /// Logs whose beginning is kept no longer, which is no gap in them.
    pub beginnings: Vec<RemovedBeginning>,
}
