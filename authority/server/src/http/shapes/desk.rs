//! The card desk and people, as the API takes and answers them.

use super::{Change, When};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A card to be issued.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardOrder {
    /// What readers will read.
    pub card: String,
    /// For whom.
    pub person: String,
    /// Of which type.
    pub card_type: String,
    /// `first`, `lost`, `stolen`, `damaged`, `destroyed`, `department-change`, `role-change`, `not-working` or `temporary`.
    pub cause: String,
    /// The card in whose place it comes.
    #[serde(default)]
    pub replaces: Option<String>,
    /// Whether that one came back.
    #[serde(default)]
    pub returned: bool,
    /// What is printed on it; made by the type's format when absent.
    #[serde(default)]
    pub number: Option<String>,
    /// First day, `YYYY-MM-DD`; today when absent.
    #[serde(default)]
    pub issued_on: Option<String>,
    /// Last day; by its holder's category when absent.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// What was shown for it.
    #[serde(default)]
    pub document: Option<String>,
}

/// A card that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardIssued {
    /// The change that it is.
    #[serde(flatten)]
    pub change: Change,
    /// The card.
    pub card: String,
    /// What is printed on it.
    pub number: Option<String>,
    /// What it costs its holder; absent where the campus says nothing of it.
    pub fee: Option<String>,
}

/// Makes a card valid for longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Its last day, `YYYY-MM-DD`.
    pub until: String,
    /// What was shown for it.
    pub document: String,
}

/// How a card was issued here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedView {
    /// Why.
    pub cause: String,
    /// The card in whose place it came.
    pub replaces: Option<String>,
    /// Whether that one came back.
    pub returned: bool,
    /// What it costs its holder.
    pub fee: Option<String>,
    /// What was shown for it.
    pub document: Option<String>,
    /// Who issued it.
    pub by: String,
    /// When.
    pub at: When,
}

/// A person with what is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonDetail {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The category.
    pub category: String,
    /// Expected end.
    pub ends_on: Option<String>,
    /// First day on which the person has left.
    pub left_on: Option<String>,
    /// Units, each with its days.
    pub affiliations: Vec<AffiliationView>,
    /// Cards, closed ones included.
    pub cards: Vec<CardSummary>,
}

/// A membership in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AffiliationView {
    /// Which unit.
    pub unit: String,
    /// First day.
    pub from: Option<String>,
    /// Last day.
    pub until: Option<String>,
}

/// A card in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardSummary {
    /// The card.
    pub id: String,
    /// Its type.
    pub card_type: String,
    /// Its state.
    pub state: String,
    /// First day.
    pub issued_on: String,
    /// Last day; absent for one that never ends.
    pub valid_until: Option<String>,
    /// What is printed on it.
    pub number: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct People {
    /// The people that fit, by id.
    pub people: Vec<PersonDetail>,
    /// Whether there are more than are shown.
    pub more: bool,
}

/// A person's photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhotoView {
    /// Of whom.
    pub person: String,
    /// That one's name.
    pub name: String,
    /// Hash of the image, by which a decision names it.
    pub image: String,
    /// `waiting`, `approved` or `rejected`.
    pub state: String,
    /// Who submitted it, or decided last.
    pub by: String,
    /// When.
    pub at: When,
    /// Why it was rejected or reopened.
    pub reason: Option<String>,
}

/// Photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhotoList {
    /// Those that wait longest first.
    pub photos: Vec<PhotoView>,
}

/// A decision about a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhotoDecision {
    /// Hash of the image that was seen.
    pub image: String,
    /// Why, of a rejection.
    #[serde(default)]
    pub reason: Option<String>,
}
