//! Applications for cards, found cards and proposed new ones, as the API takes and answers them.

use super::When;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An application to be brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationAsk {
    /// Its name, which none has yet; made up when absent.
    #[serde(default)]
    pub id: Option<String>,
    /// For whom.
    pub person: String,
    /// Which card.
    pub card_type: String,
    /// `desk`, `paper`, `phone` or `web`.
    pub channel: String,
    /// Why it came so, or what there is to say to it.
    pub reason: String,
    /// What was shown, as `campus.toml` names it.
    #[serde(default)]
    pub documents: Vec<String>,
}

/// Applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Applications {
    /// Those of people in the caller's remit, oldest first.
    pub applications: Vec<ApplicationView>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApplicationView {
    /// Its name.
    pub id: String,
    /// For whom.
    pub person: String,
    /// That one's name.
    pub name: String,
    /// Which card.
    pub card_type: String,
    /// How it came.
    pub channel: String,
    /// Why it came so.
    pub reason: String,
    /// What was shown.
    pub documents: Vec<String>,
    /// `waiting`, `approved`, `rejected` or `used`.
    pub state: String,
    /// Who brought it, or decided.
    pub by: String,
    /// When.
    pub at: When,
    /// What was said to the decision.
    pub decision: Option<String>,
}

/// A card that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundReport {
    /// Where it was found, and where it is kept.
    pub place: String,
}

/// A card that is ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseOrder {
    /// Why: one line of plain text.
    #[serde(default)]
    pub reason: String,
    /// What its holder showed, where it ends at their wish.
    #[serde(default)]
    pub document: Option<String>,
}

/// Cards that wait for their holders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundCards {
    /// Those in the caller's remit, oldest first.
    pub cards: Vec<FoundView>,
}

/// A card that waits for its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundView {
    /// The card.
    pub card: String,
    /// Whose it is.
    pub person: String,
    /// That one's name.
    pub name: String,
    /// Where it was found, and where it is kept.
    pub place: String,
    /// Who took it in.
    pub by: String,
    /// When.
    pub at: When,
}

/// Cards whose holders should have another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reissues {
    /// Those in the caller's remit, by card.
    pub reissues: Vec<ReissueView>,
}

/// A card whose holder should have another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReissueView {
    /// The card.
    pub card: String,
    /// Its type.
    pub card_type: String,
    /// Whose it is.
    pub person: String,
    /// That one's name.
    pub name: String,
    /// `department-change` or `role-change`: with which cause the card desk would issue another one.
    pub cause: String,
}
