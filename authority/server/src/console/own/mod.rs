//! The pages of a card holder: the own cards, taps and photo.

use super::Site;
use axum::Router;

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
}
