//! The pages of the auditor and the operator: journal, plots, agents, the directory at two instants, and the map.

use super::Site;
use axum::Router;

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
}
