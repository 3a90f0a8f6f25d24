//! What auditors and operators ask, as the API answers it: counts of taps, times of removals, and the directory at two instants.

use super::When;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Taps by how they were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TapCount {
    /// How many opened the door.
    pub granted: u64,
    /// How many did not.
    pub denied: u64,
}

/// Taps of one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HourCount {
    /// When the hour begins, on the campus's clock.
    pub at: When,
    /// The taps.
    pub taps: TapCount,
}

/// Taps at one door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoorCount {
    /// The door.
    pub door: String,
    /// The taps.
    pub taps: TapCount,
}

/// Refusals for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonCount {
    /// The reason.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// How many taps there were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogCounts {
    /// From when on.
    pub since: When,
    /// Until when.
    pub until: When,
    /// How many were counted.
    pub counted: u64,
    /// Whether there are older ones in that time that were not counted, because there are so many.
    pub more: bool,
    /// Each hour, those without a tap included.
    pub hours: Vec<HourCount>,
    /// The doors with the most taps, those first that have more.
    pub doors: Vec<DoorCount>,
    /// How many doors had any.
    pub doors_count: u64,
    /// Refusals by their reason, the most frequent first.
    pub reasons: Vec<ReasonCount>,
}

/// How long one removal took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovalTime {
    /// Number of the journal entry.
    pub seq: u64,
    /// When it was ordered.
    pub at: When,
    /// Name of the command.
    pub command: String,
    /// Agents that have it on their disks, and after how many milliseconds their word of it came.
    pub durable_ms: BTreeMap<String, i64>,
    /// Agents that it concerns and whose word has not come.
    pub waiting: Vec<String>,
}

/// How long removals took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovalTimes {
    /// The newest first.
    pub removals: Vec<RemovalTime>,
}

/// A place in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// The newest entry there.
    pub seq: u64,
    /// The instant.
    pub at: When,
}

/// What differs between two instants of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The earlier.
    pub from: Place,
    /// The later.
    pub to: Place,
    /// Whether functions, types of card, categories, schedules, rules or holidays differ.
    pub policy_differs: bool,
    /// By table; those in which nothing differs are absent.
    pub tables: Vec<TableDifference>,
    /// Doors that somebody may open who could not before, or the other way round.
    pub doors: Vec<DoorDifference>,
    /// How many more such doors there are.
    pub doors_more: usize,
}

/// What differs in one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableDifference {
    /// Its name, such as `cards`.
    pub table: String,
    /// How many rows are new.
    pub added: usize,
    /// How many are gone.
    pub removed: usize,
    /// How many are different.
    pub changed: usize,
    /// The first of each kind, those that are new before those that are gone and different ones.
    pub rows: Vec<RowDifference>,
}

/// What differs in one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowDifference {
    /// Its id.
    pub id: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// `added`, `removed` or `changed`.
    pub kind: String,
    /// What is different in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDifference>,
}

/// What differs in one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldDifference {
    /// Its name.
    pub field: String,
    /// What stood there.
    pub before: String,
    /// What stands there.
    pub after: String,
}

/// Who gained and lost one door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoorDifference {
    /// The door.
    pub door: String,
    /// Who may open it and could not.
    pub gained: SomePeople,
    /// Who could open it and may not any more.
    pub lost: SomePeople,
}

/// Some people, of whom only the first are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SomePeople {
    /// How many they are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<NamedPerson>,
}

/// A person by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedPerson {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}
