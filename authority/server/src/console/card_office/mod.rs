//! The pages of the card office: photos, rosters, campaigns, batches, applications, and the desk.

use super::Site;
use axum::Router;

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
}
