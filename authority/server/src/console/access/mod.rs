//! The pages of facilities and departments: requests and their effect, buildings and doors with their state, periodic review.

use super::Site;
use axum::Router;

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
}
