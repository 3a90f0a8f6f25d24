//! The map of the campus, as the API takes and answers it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MapView {
    /// The plan; absent where nobody brought one.
    pub plan: Option<PlanView>,
    /// Where buildings stand, by their ids.
    pub places: BTreeMap<String, PlaceView>,
    /// What of it cannot be read, and why.
    pub problems: Vec<String>,
}

/// A plan of the campus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// Where a building stands, in thousandths of the plan's width and height, from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceView {
    /// From the left, 0 to 1000.
    pub x: u16,
    /// From the top, 0 to 1000.
    pub y: u16,
}
