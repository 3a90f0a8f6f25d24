//! Requests, grants and what they would change, as the API takes and answers them.

use super::{GrantOrder, When};
use doorward_policy::model::{Subject, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Asks for access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestAsk {
    /// Its name; one is made when it is absent.
    #[serde(default)]
    pub id: Option<String>,
    /// The grant that it is to become.
    pub grant: GrantOrder,
    /// Why it is needed.
    pub reason: String,
    /// How many days it waits for a decision; 30 when absent.
    #[serde(default)]
    pub waits_days: Option<u32>,
}

/// Approves a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestApproval {
    /// What there is to say to it.
    pub reason: String,
    /// An earlier last day than was asked for, `YYYY-MM-DD`.
    #[serde(default)]
    pub until: Option<String>,
    /// Name of the grant; the request's name when absent.
    #[serde(default)]
    pub grant: Option<String>,
}

/// What a grant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantTerms {
    /// Who.
    #[schema(value_type = Object)]
    pub subject: Subject,
    /// Where.
    #[schema(value_type = Object)]
    pub target: Target,
    /// When; always when absent.
    pub schedule: Option<String>,
    /// First day.
    pub from: Option<String>,
    /// Last day.
    pub until: Option<String>,
    /// The unit to which its people must be affiliated meanwhile.
    pub within: Option<String>,
}

/// A grant in force, or one whose days are to come or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// Its name.
    pub id: String,
    /// What it is.
    #[serde(flatten)]
    pub terms: GrantTerms,
    /// Whether the campus folder says it, and not only a command.
    pub of_folder: bool,
    /// Since when it stands as it is, or when somebody last confirmed that it is needed.
    pub reviewed_at: Option<When>,
}

/// Grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grants {
    /// By name.
    pub grants: Vec<GrantView>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// Its name.
    pub id: String,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: When,
    /// The grant that it is to become.
    pub grant: GrantTerms,
    /// Why it is needed.
    pub reason: String,
    /// When it can no longer be decided.
    pub expires_at: When,
    /// `waiting`, `expired`, `approved`, `rejected` or `withdrawn`.
    pub standing: String,
    /// How it ended, once it has.
    pub outcome: Option<RequestOutcome>,
    /// Whether whoever asks may decide it.
    pub yours_to_decide: bool,
    /// What approving it would change; of one request that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectView>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestOutcome {
    /// Who said so.
    pub by: String,
    /// When.
    pub at: When,
    /// Why.
    pub reason: String,
    /// The grant that it became.
    pub grant: Option<String>,
}

/// Requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requests {
    /// Oldest first.
    pub requests: Vec<RequestView>,
}

/// What a grant would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectView {
    /// People with a card whom it names.
    pub people: usize,
    /// How many of them gain a door.
    pub gaining: usize,
    /// The doors.
    pub doors: Vec<DoorEffect>,
}

/// What a grant would change at a door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoorEffect {
    /// Which door.
    pub door: String,
    /// Its name.
    pub name: String,
    /// Its building.
    pub building: String,
    /// People who can open it at no time now or later, and could then.
    pub gain: usize,
    /// People who can open it at some time already.
    pub have: usize,
    /// Those of them who could open it at other times as well.
    pub more: usize,
    /// People who could not open it then either.
    pub without: usize,
}
