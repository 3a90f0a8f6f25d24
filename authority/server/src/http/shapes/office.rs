//! Operators and their tokens, as the API takes and answers them.

use super::{At, When};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What somebody may do, and on which part of the campus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerView {
    /// The role, such as `department`.
    pub role: String,
    /// Whether the remit is the whole campus; otherwise units or buildings are named.
    #[serde(default)]
    pub campus: bool,
    /// Units whose people and doors, and those of units below, are in the remit.
    #[serde(default)]
    pub units: BTreeSet<String>,
    /// Buildings whose doors are in the remit.
    #[serde(default)]
    pub buildings: BTreeSet<String>,
}

/// An operator, as it is to be from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorOrder {
    /// The name that people know.
    pub name: String,
    /// What the operator may do.
    pub power: PowerView,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorView {
    /// The id.
    pub id: String,
    /// The name that people know.
    pub name: String,
    /// What the operator may do.
    pub power: PowerView,
    /// The tokens that were given for it.
    pub tokens: Vec<ApiTokenView>,
}

/// Operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Operators {
    /// By id.
    pub operators: Vec<OperatorView>,
}

/// An API token to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTokenOrder {
    /// For whom it acts.
    pub operator: String,
    /// Its name; made up when absent.
    pub id: Option<String>,
    /// What may be done with it; what its operator may do when absent. Never more than that.
    pub power: Option<PowerView>,
    /// How many days it is good for.
    pub days: Option<u32>,
}

/// An API token that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenGiven {
    /// Number of the journal entry.
    pub seq: u64,
    /// Its name.
    pub id: String,
    /// The token itself. It is said this once.
    pub token: String,
    /// The first instant at which it is worth nothing.
    pub expires_at: When,
}

/// An API token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenView {
    /// Its name.
    pub id: String,
    /// What may be done with it.
    pub power: PowerView,
    /// The first instant at which it is worth nothing.
    pub expires_at: When,
    /// Whether that is over.
    pub expired: bool,
}

/// Who asks, and what that one may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The name in the journal.
    pub actor: String,
    /// The powers, each of which must extend to what is done; none is no bound.
    pub powers: Vec<PowerView>,
    /// What may be done within the remit.
    pub acts: Vec<String>,
    /// The newest commit.
    pub position: At,
}

/// An invitation to choose a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetUpGiven {
    /// Number of the journal entry.
    pub seq: u64,
    /// For whom.
    pub operator: String,
    /// The secret. It is said this once.
    pub secret: String,
    /// When it can no longer be used.
    pub expires_at: When,
}

/// Chooses a password with an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpOrder {
    /// Who.
    pub operator: String,
    /// The secret of the invitation.
    pub secret: String,
    /// The password, of at least twelve characters.
    pub password: String,
}

/// Signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Who.
    pub operator: String,
    /// The password.
    pub password: String,
}

/// A session that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionGiven {
    /// Whose.
    pub operator: String,
    /// What requests show. It is said this once.
    pub token: String,
    /// When it ends at the latest; it ends sooner when it is not used.
    pub expires_at: When,
}

/// Chooses another password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password until now.
    pub old: String,
    /// The one from now on.
    pub new: String,
}

/// It is done, and there is nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {}

/// Somebody asked about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookView {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: When,
    /// Who asked.
    pub actor: String,
    /// What was asked: `card`, `person`, `find`, `where`, `why`, `who` or `log`.
    pub question: String,
    /// About whom or what.
    pub about: String,
}

/// Looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Looks {
    /// Oldest first.
    pub looks: Vec<LookView>,
}
