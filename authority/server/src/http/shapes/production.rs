//! Campaigns, rosters and batches, as the API takes and answers them.

use super::When;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Campaigns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Campaigns {
    /// By id.
    pub campaigns: Vec<CampaignView>,
}

/// A campaign with the rosters of units in the caller's remit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignView {
    /// The id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Which cards are made.
    pub card_type: String,
    /// Its stages, in their order.
    pub stages: Vec<StageView>,
    /// Rosters, by unit.
    pub rosters: Vec<RosterView>,
}

/// A stage of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// `photos`, `roster` or `hand_over`.
    pub stage: String,
    /// First day; absent for one that is always open.
    pub from: Option<String>,
    /// Last day.
    pub until: Option<String>,
    /// Whether it is open today.
    pub open: bool,
}

/// A roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterView {
    /// Whose.
    pub unit: String,
    /// The name of that unit.
    pub unit_name: String,
    /// `open`, `confirmed` or `accepted`.
    pub state: String,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// Why it was given back.
    pub returned: Option<String>,
    /// Who is on it.
    pub people: Vec<RosterPerson>,
}

/// Somebody on a roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterPerson {
    /// Who.
    pub person: String,
    /// The name.
    pub name: String,
    /// `waiting`, `approved`, `rejected` or `missing`.
    pub photo: String,
    /// The batch in which the card was ordered.
    pub batch: Option<String>,
    /// The card, once it has come.
    pub card: Option<String>,
}

/// People to be put on a roster, or taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterPeople {
    /// Whose roster.
    pub unit: String,
    /// Who.
    pub people: Vec<String>,
}

/// A roster that is confirmed, accepted or given back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterStep {
    /// Whose roster.
    pub unit: String,
    /// Why, when it is given back.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Cards to be ordered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchOrder {
    /// Name of the batch, which none has yet.
    pub batch: String,
    /// Of which campaign.
    pub campaign: String,
    /// Of which unit and below; of all when absent.
    #[serde(default)]
    pub unit: Option<String>,
}

/// Cards that have come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchDelivery {
    /// Their first day, `YYYY-MM-DD`; today when absent.
    #[serde(default)]
    pub issued_on: Option<String>,
    /// What readers read on the card of each person.
    pub cards: BTreeMap<String, String>,
}

/// Batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Batches {
    /// Those in the caller's remit, newest first.
    pub batches: Vec<BatchView>,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchView {
    /// Its name.
    pub batch: String,
    /// Of which campaign.
    pub campaign: String,
    /// Of which unit and below.
    pub unit: Option<String>,
    /// Of which type.
    pub card_type: String,
    /// Who ordered it.
    pub by: String,
    /// When.
    pub at: When,
    /// Its cards, by person.
    pub cards: Vec<BatchCard>,
}

/// A card of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchCard {
    /// For whom.
    pub person: String,
    /// The name.
    pub name: String,
    /// The category.
    pub category: String,
    /// The units, one after the other.
    pub units: String,
    /// What is to be printed on it.
    pub number: Option<String>,
    /// The file of the photo in the archive.
    pub photo: Option<String>,
    /// What readers read on it, once it has come.
    pub card: Option<String>,
}
