//! The pages of facilities and departments: requests and their effect, buildings and doors with their state, periodic review.

mod asking;
mod buildings;
mod grants;
mod opens;
mod requests;
mod terms;
mod wish;

use super::Site;
use super::menu::{self, Entry};
use super::visit::Visitor;
use super::words::AccessWords;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use doorward_policy::office::acts::Act;
use maud::{Markup, html};

/// The menu within these pages.
pub const PAGES: &[Entry] = &[
    Entry { path: "/requests", act: Act::SeeGrants, name: |language| AccessWords::of(language).nav },
    Entry { path: "/requests/new", act: Act::Ask, name: |language| AccessWords::of(language).ask_access },
    Entry { path: "/grants", act: Act::SeeGrants, name: |language| AccessWords::of(language).nav_grants },
    Entry { path: "/grants/review", act: Act::SeeGrants, name: |language| AccessWords::of(language).nav_review },
    Entry { path: "/buildings", act: Act::SeeDoors, name: |language| language.words().buildings },
];

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/requests", get(requests::list))
        .route("/requests/new", get(asking::show_request).post(asking::request))
        .route("/requests/{id}", get(requests::show))
        .route("/requests/{id}/approve", post(requests::approve))
        .route("/requests/{id}/reject", post(requests::reject))
        .route("/requests/{id}/withdraw", post(requests::withdraw))
        .route("/grants", get(grants::list))
        .route("/grants/new", get(asking::show_grant).post(asking::grant))
        .route("/grants/review", get(grants::review))
        .route("/grants/{id}/keep", post(grants::keep))
        .route("/grants/{id}/end", get(grants::ask_to_end).post(grants::end))
        .route("/buildings", get(buildings::list))
        .route("/buildings/{id}", get(buildings::show))
        .route("/people/{id}/opens", get(opens::opens))
        .route("/people/{id}/refused", get(opens::refused))
}

/// What is said on these pages to a visitor.
const fn said(visitor: &Visitor) -> &'static AccessWords {
    AccessWords::of(visitor.language)
}

/// A page with the menu of these pages.
fn page(site: &Site, visitor: &Visitor, title: &str, body: &Markup) -> Response {
    let whole = html! { (menu::section(site, visitor, said(visitor).nav, PAGES)) (body) };
    visitor.page(site, title, &whole)
}

/// What was typed, where something was.
fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
