//! The card desk: one box, where a number is typed or a reader types it, that leads to the card; and found cards that wait.

use super::super::Site;
use super::super::card::state_mark;
use super::super::page::time;
use super::super::visit::{Visitor, percent};
use super::super::words::fill;
use super::{page, said};
use crate::http::applications;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::people::{self, Search};
use crate::http::shapes::applications::FoundView;
use crate::http::shapes::desk::{People, PersonDetail};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::model::CardId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Most people that are shown at once.
const LIMIT: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    card: String,
}

/// Leads to a card, or to whomever the text fits.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { card }): Params<Which>,
) -> Result<Response, Failure> {
    let (words, own) = (visitor.words(), said(&visitor));
    let text = card.trim();
    caller.may_somewhere(&site.api, Act::SeeCards)?;
    let found = if text.is_empty() {
        None
    } else {
        let known =
            CardId::new(text).ok().filter(|id| site.api.authority.present().directory.tables().cards.contains_key(id));
        if let Some(id) = known {
            // Whether this visitor may see it, that page asks.
            return Ok(to_card(id.as_str()));
        }
        let search = Search { find: text.to_owned(), limit: Some(LIMIT) };
        let Json(found) = people::find(State(Arc::clone(&site.api)), caller.clone(), Params(search)).await?;
        if let Some(only) = only_place(&found.people, text) {
            return Ok(only);
        }
        Some(found)
    };
    let waiting = if visitor.may_somewhere(&site, Act::SuspendCard) {
        applications::found_cards(State(Arc::clone(&site.api)), caller).await?.0.cards
    } else {
        Vec::new()
    };
    let body = html! {
        h1 { label for="card" { (own.which_card) } }
        form.search method="get" action="/desk" role="search" {
            input #card name="card" type="search" value=(text) aria-describedby="about-card" autocomplete="off" autocapitalize="none" spellcheck="false" autofocus;
            button.main { (words.search) }
        }
        p.about #about-card { (own.desk_about) }
        @if let Some(found) = &found { (results(&visitor, text, found)) }
        @if visitor.may_somewhere(&site, Act::SuspendCard) { (found_cards(&site, &visitor, &waiting)) }
    };
    Ok(page(&site, &visitor, own.desk, &body))
}

fn to_card(id: &str) -> Response {
    Redirect::to(&format!("/cards/{}", percent(id))).into_response()
}

/// The card that has exactly this id or number, or the only person that fits.
fn only_place(people: &[PersonDetail], text: &str) -> Option<Response> {
    let is_it = |of: &str| of.eq_ignore_ascii_case(text);
    let cards = people.iter().flat_map(|person| &person.cards);
    let mut exact = cards.filter(|card| is_it(&card.id) || card.number.as_deref().is_some_and(is_it));
    if let (Some(card), None) = (exact.next(), exact.next()) {
        return Some(to_card(&card.id));
    }
    match people {
        [only] => Some(Redirect::to(&format!("/people/{}", percent(&only.id))).into_response()),
        _ => None,
    }
}

fn results(visitor: &Visitor, text: &str, found: &People) -> Markup {
    let words = visitor.words();
    if found.people.is_empty() {
        return html! { p.bad role="status" { (fill(words.found_none, &[("text", text)])) } };
    }
    html! {
        p role="status" {
            (fill(words.found, &[("count", &found.people.len().to_string())]))
            @if found.more { ". " (words.found_more) }
        }
        ul.people {
            @for person in &found.people {
                li {
                    a.name href={ "/people/" (percent(&person.id)) } { (person.name) }
                    span.fine { (person.id) " · " (person.category) }
                    ul.cards {
                        @for card in &person.cards {
                            li { a href={ "/cards/" (percent(&card.id)) } { (card.id) } (state_mark(words, &card.state)) }
                        }
                    }
                }
            }
        }
    }
}

/// Found cards that wait for their holders, each with the way back to them.
fn found_cards(site: &Site, visitor: &Visitor, waiting: &[FoundView]) -> Markup {
    let own = said(visitor);
    let may_give_back =
        |card: &str| CardId::new(card).is_ok_and(|card| visitor.may(site, Act::ResumeCard, Object::Card(&card)));
    html! {
        section aria-labelledby="found" {
            h2 #found { (own.found_cards) }
            @if waiting.is_empty() { p { (own.none_found) } }
            ul.cards.wide.rows {
                @for found in waiting {
                    li {
                        a href={ "/cards/" (percent(&found.card)) } { (found.card) }
                        a.name href={ "/people/" (percent(&found.person)) } { (found.name) }
                        span { (found.place) }
                        span.fine { (time(&found.at)) " · " (found.by) }
                        @if may_give_back(&found.card) {
                            a.button href={ "/cards/" (percent(&found.card)) "/resume" } aria-label={ (own.give_back) " " (found.card) } { (own.give_back) }
                        }
                    }
                }
            }
        }
    }
}
