//! Everything that is known of one person, as the API answers it.

use super::desk::{PersonDetail, PhotoView};
use super::office::LookView;
use super::requests::{GrantTerms, RequestView};
use super::{RecordView, When};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Everything that is known of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonExport {
    /// The person.
    pub person: String,
    /// When this was collected.
    pub at: When,
    /// What the directory has: name, category, affiliations and cards; absent for whom folders name no more.
    pub directory: Option<PersonDetail>,
    /// The photo, and where it stands.
    pub photo: Option<PhotoView>,
    /// Its file, a JPEG in Base64.
    pub photo_jpeg: Option<String>,
    /// Grants to the person alone, by name.
    pub grants: BTreeMap<String, GrantTerms>,
    /// Requests for the person alone.
    pub requests: Vec<RequestView>,
    /// Taps with the person's cards, in the order in which they came home.
    pub access_records: Vec<RecordView>,
    /// Who asked about the person or one of the cards.
    pub looks: Vec<LookView>,
    /// What the journal says of the person.
    pub journal: Vec<EntryAboutPerson>,
}

/// What an entry of the journal says of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryAboutPerson {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: When,
    /// Who did it.
    pub actor: String,
    /// Name of the command.
    pub command: String,
    /// The command; of an import the rows of this person.
    #[schema(value_type = Object)]
    pub says: Value,
}

/// That somebody was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erasure {
    /// Number of the journal entry that says so.
    pub seq: u64,
    /// When.
    pub at: When,
    /// Name of the command.
    pub command: String,
    /// How many entries of the journal say nothing of the person any more.
    pub entries: u64,
    /// How many access records are nobody's any more.
    pub records: u64,
}
