//! The pages of a card holder: the own cards, one of them reported lost and found again, the own photo and the own taps.
//!
//! Deliberately the only pages that card holders reach, and they are told apart by where they are: see [`is_for_holders`].

mod order;
mod photo;

use super::Site;
use super::page::{door_name, time};
use super::visit::{Visitor, percent};
use super::words::{OwnWords, fill};
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::me;
use crate::http::shapes::RecordView;
use crate::http::shapes::desk::CardSummary;
use crate::http::shapes::me::{HolderPage, OwnPhoto};
use crate::http::shapes::requests::RequestView;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use doorward_policy::model::Target;
use maud::{Markup, html};
use std::sync::Arc;

/// The first of them.
pub const HOME: &str = "/me";
/// What else a card holder needs who has signed in.
const BESIDE: [&str; 2] = ["/sign-out", "/language"];
/// How many taps stand on the first page.
const TAPS_AT_FIRST: usize = 5;

/// Where they are.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/me", get(show))
        .route("/me/taps", get(taps))
        .route("/me/photo", get(photo::show).post(photo::bring))
        .route("/me/photo/image", get(photo::image))
        .route("/me/cards/{id}/lost", get(order::ask_to_lose).post(order::lose))
        .route("/me/cards/{id}/found", get(order::ask_to_find).post(order::find))
        .route("/me/changes/{seq}", get(order::show))
        .route("/me/changes/{seq}/live", get(order::live))
}

/// Whether a path is one that card holders may ask at all.
pub fn is_for_holders(path: &str) -> bool {
    let below = path.strip_prefix(HOME);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/')) || BESIDE.contains(&path)
}

impl Visitor {
    const fn own_words(&self) -> &'static OwnWords {
        OwnWords::of(self.language)
    }
}

async fn page_of(site: &Site, caller: Caller) -> Result<HolderPage, Failure> {
    me::page(State(Arc::clone(&site.api)), caller).await.map(|Json(page)| page)
}

/// Everything that is one's own, in short.
async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let page = page_of(&site, caller).await?;
    let own = visitor.own_words();
    let (in_use, over): (Vec<&CardSummary>, Vec<_>) = page.person.cards.iter().partition(|card| card.state != "closed");
    let body = html! {
        div.own {
            h1 { (page.person.name) }
            p.about { (page.person.id) " · " (page.person.category) }
            section aria-labelledby="cards" {
                h2 #cards { (own.your_cards) }
                @if in_use.is_empty() { p { (visitor.words().no_cards) } }
                ul.own-cards { @for card in &in_use { (card_item(&site, &visitor, &page, card)) } }
                @if !over.is_empty() {
                    details {
                        summary { (fill(own.older_cards, &[("count", &over.len().to_string())])) }
                        ul.own-cards { @for card in &over { (card_item(&site, &visitor, &page, card)) } }
                    }
                }
                p.about { (own.ask_office) }
            }
            (photo_section(&visitor, page.photo.as_ref()))
            @if let Some(taps) = &page.taps {
                section aria-labelledby="taps" {
                    h2 #taps { (own.taps) }
                    (tap_list(&site, &visitor, taps, TAPS_AT_FIRST))
                    @if taps.len() > TAPS_AT_FIRST { p { a href="/me/taps" { (own.taps_all) } } }
                }
            }
            @if !page.requests.is_empty() {
                section aria-labelledby="requests" {
                    h2 #requests { (own.requests) }
                    ul.own-list { @for request in page.requests.iter().rev() { (request_item(&site, &visitor, request)) } }
                }
            }
        }
    };
    Ok(visitor.page(&site, own.nav, &body))
}

/// A card: its state in a sentence, and what its holder can do about it.
fn card_item(site: &Site, visitor: &Visitor, page: &HolderPage, card: &CardSummary) -> Markup {
    let (words, own) = (visitor.words(), visitor.own_words());
    let is_lost = page.reported_lost.contains(&card.id);
    let at = format!("/me/cards/{}", percent(&card.id));
    let (mark, said) = match card.state.as_str() {
        "active" => (words.card_state(&card.state), own.card_works),
        _ if is_lost => (own.mark_lost, own.card_lost),
        "suspended" => (words.card_state(&card.state), own.card_held),
        "produced" => (words.card_state(&card.state), own.card_waits),
        other => (words.card_state(other), own.card_over),
    };
    html! {
        li.own-card.(card.state) {
            h3 { (site.type_name(&card.card_type)) " " span.fine { (card.number.as_deref().unwrap_or(&card.id)) } }
            p { span.state.(card.state) { (mark) } " " (said) }
            @if card.state != "closed" {
                p.about {
                    (words.valid_until) ": "
                    @match &card.valid_until { Some(day) => { (day) } None => { (words.no_end) } }
                }
            }
            @if card.state == "active" {
                a.button.shut href={ (at) "/lost" } aria-label={ (own.lose) ": " (card.id) } { (own.lose) }
            }
            @if is_lost {
                a.button href={ (at) "/found" } aria-label={ (own.find_again) ": " (card.id) } { (own.find_again) }
            }
        }
    }
}

fn photo_section(visitor: &Visitor, photo: Option<&OwnPhoto>) -> Markup {
    let own = visitor.own_words();
    html! {
        section aria-labelledby="photo" {
            h2 #photo { (own.photo) }
            div.holder {
                (photo::picture(visitor, photo))
                div {
                    (photo::standing(visitor, photo))
                    p { a.button href="/me/photo" { (if photo::may_bring(photo) { own.photo_bring } else { own.your_photo }) } }
                }
            }
        }
    }
}

/// All of the own taps that the campus shows.
async fn taps(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let page = page_of(&site, caller).await?;
    let own = visitor.own_words();
    let taps = page
        .taps
        .ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "this campus does not show people their own taps"))?;
    let body = html! {
        h1 { (own.taps) }
        p.about { (own.taps_about) }
        (tap_list(&site, &visitor, &taps, usize::MAX))
        p { a.button href=(HOME) { (own.to_own) } }
    };
    Ok(visitor.page(&site, own.taps, &body))
}

/// Taps, the newest first; they come with the oldest first.
fn tap_list(site: &Site, visitor: &Visitor, taps: &[RecordView], most: usize) -> Markup {
    let words = visitor.words();
    let present = site.api.authority.present();
    html! {
        @if taps.is_empty() { p { (words.taps_none) } }
        ol.own-list {
            @for tap in taps.iter().rev().take(most) {
                @let is_granted = tap.decision == "grant";
                li.own-tap.denied[!is_granted] {
                    strong { (if is_granted { words.granted } else { words.denied }) }
                    span { (door_name(&present.directory, &tap.door)) }
                    @if !is_granted { span.fine { (words.reason(&tap.reason)) } }
                    (time(&tap.at))
                }
            }
        }
    }
}

fn request_item(site: &Site, visitor: &Visitor, request: &RequestView) -> Markup {
    let own = visitor.own_words();
    let standing = match request.standing.as_str() {
        "waiting" => own.request_waiting,
        "expired" => own.request_expired,
        "approved" => own.request_approved,
        "rejected" => own.request_rejected,
        "withdrawn" => own.request_withdrawn,
        other => other,
    };
    let place = {
        let present = site.api.authority.present();
        match &request.grant.target {
            Target::Door(id) => door_name(&present.directory, id.as_str()),
            Target::Building(id) => {
                let known = present.directory.tables().buildings.get(id);
                known.map_or_else(|| id.to_string(), |known| known.name.clone())
            }
        }
    };
    html! {
        li {
            strong { (place) } ": " (standing) " "
            @if let Some(outcome) = &request.outcome { span.fine { (outcome.reason) } " " }
            (time(&request.at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_pages_are_for_holders() {
        for path in ["/me", "/me/", "/me/cards/A/lost", "/sign-out", "/language"] {
            assert!(is_for_holders(path), "{path}");
        }
        for path in ["/", "/mean", "/me%2F", "//me", "/people/me", "/cards/A", "/sign-in", "/setup", "/Me", "me"] {
            assert!(!is_for_holders(path), "{path}");
        }
    }
}
