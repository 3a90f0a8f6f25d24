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
