//! The web console: pages for the offices, served beside the API by the same process.
//!
//! Deliberately without powers of its own: a page asks the handlers of the API as the operator who is signed in, and shows
//! what they answer, so what the API refuses the console cannot do. All but live updates works without scripts.

mod access;
mod account;
mod alarms;
mod assets;
mod card;
mod card_office;
mod change;
mod door;
mod find;
mod live;
mod lockdown;
mod map;
mod menu;
mod own;
mod pace;
mod page;
mod provider;
mod records;
mod taps;
mod upload;
mod visit;
pub mod words;

use crate::http::failure::{Cause, Failure};
use crate::http::{self, Api};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use std::sync::Arc;

/// What the pages share.
#[derive(Debug, Clone)]
struct Site {
    api: Arc<Api>,
    /// Whether browsers reach it by TLS: cookies are then bound to it.
    tls: bool,
    /// How fast each session asks.
    pace: Arc<pace::Pace>,
}

/// API and console together: the API below `/v1`, the console everywhere else.
pub fn site(api: Arc<Api>, tls: bool) -> Router {
    let routes = http::router(Arc::clone(&api));
    routes.merge(console(Site { api, tls, pace: Arc::default() }))
}

fn console(site: Site) -> Router {
    signed_in()
        .merge(access::routes())
        .merge(card_office::routes())
        .merge(map::routes())
        .merge(own::routes())
        .merge(records::routes())
        .route_layer(middleware::from_fn(visit::sign_in_first))
        .merge(open())
        .method_not_allowed_fallback(not_there)
        .fallback(not_there)
        .layer(middleware::from_fn_with_state(site.clone(), visit::receive))
        .route("/assets/{name}", get(assets::asset))
        .with_state(site)
}

/// What is shown to whoever has signed in.
fn signed_in() -> Router<Site> {
    Router::new()
        .route("/", get(find::find))
        .route("/people/{id}", get(find::person))
        .route("/people/{id}/photo", get(find::photo))
        .route("/cards/{id}", get(card::show))
        .route("/cards/{id}/suspend", get(card::ask_to_suspend).post(card::suspend))
        .route("/cards/{id}/resume", get(card::ask_to_resume).post(card::resume))
        .route("/changes/{seq}", get(change::show))
        .route("/changes/{seq}/live", get(change::live))
        .route("/changes/{seq}/evidence", get(change::evidence))
        .route("/doors", get(door::find))
        .route("/doors/{id}", get(door::show))
        .route("/why", get(door::why))
        .route("/taps", get(taps::show))
        .route("/taps/live", get(taps::live))
        .route("/alarms", get(alarms::show))
        .route("/alarms/live", get(alarms::live))
        .route("/alarms/{id}/acknowledge", post(alarms::acknowledge))
        .route("/lockdown", get(lockdown::show).post(lockdown::lock_down))
        .route("/lockdown/confirm", get(lockdown::confirm))
        .route("/release", get(lockdown::ask_to_release).post(lockdown::release))
        .route("/sign-out", post(account::sign_out))
}

/// What is shown to everybody.
fn open() -> Router<Site> {
    Router::new()
        .route("/sign-in", get(account::show_sign_in).post(account::sign_in))
        .route("/sign-in/provider", get(provider::go))
        .route(provider::BACK, get(provider::back))
        .route("/setup", get(account::show_set_up).post(account::set_up))
        .route("/language", post(account::choose_language))
}

async fn not_there() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "there is no such page").because(Cause::NoPage)
}
