//! A card holder's own page, as the API answers it.

use super::desk::PersonDetail;
use super::requests::RequestView;
use super::{RecordView, When};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a card holder sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolderPage {
    /// The person, with affiliations and cards.
    pub person: PersonDetail,
    /// Cards that the person reported lost, and may find again.
    pub reported_lost: Vec<String>,
    /// Where the photo stands; absent: there is none.
    pub photo: Option<OwnPhoto>,
    /// Requests for the person alone.
    pub requests: Vec<RequestView>,
    /// The newest taps, oldest of them first; absent where the campus does not show them.
    pub taps: Option<Vec<RecordView>>,
}

/// Where a photo stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnPhoto {
    /// `waiting`, `approved` or `rejected`.
    pub state: String,
    /// Since when.
    pub at: When,
    /// Why it was rejected or reopened.
    pub reason: Option<String>,
}

/// How far an order of a card holder has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnProgress {
    /// The order's number in the journal.
    pub seq: u64,
    /// When it was accepted.
    pub at: When,
    /// What it was, such as `card-suspend`.
    pub command: String,
    /// The card that it was about.
    pub card: Option<String>,
    /// Doors that it concerns.
    pub doors_total: usize,
    /// Doors at which it is in force.
    pub doors_done: usize,
    /// The names of the buildings in which it is in force at each of them.
    pub buildings: Vec<String>,
    /// Whether it is in force everywhere.
    pub complete: bool,
}
