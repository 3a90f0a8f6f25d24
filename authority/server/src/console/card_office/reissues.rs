//! Cards whose holders should have another one, since they went to another department or category; each leads to its replacement.

use super::super::Site;
use super::super::visit::{Visitor, percent};
use super::super::words::fill;
use super::{page, part, said};
use crate::http::applications;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use axum::extract::State;
use axum::response::Response;
use maud::html;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    page: usize,
}

/// All of them.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { page: number }): Params<Which>,
) -> Result<Response, Failure> {
    let own = said(&visitor);
    let proposed = applications::reissues(State(Arc::clone(&site.api)), caller).await?.0.reissues;
    let (rows, ways) = part(&visitor, &proposed, number, "/reissues?page=");
    let body = html! {
        h1 { (own.reissues) }
        p.about { (own.reissues_about) }
        @if proposed.is_empty() { p.sentence { (own.no_reissues) } }
        @else { p role="status" { (fill(own.reissues_found, &[("count", &proposed.len().to_string())])) } }
        ul.cards.wide.rows {
            @for card in rows {
                li {
                    a.name href={ "/people/" (percent(&card.person)) } { (card.name) }
                    span.fine { (card.person) }
                    a href={ "/cards/" (percent(&card.card)) } { (card.card) }
                    span.fine { (site.type_name(&card.card_type)) }
                    span { (own.cause_of(&card.cause)) }
                    a.button href={ "/people/" (percent(&card.person)) "/issue?cause=" (percent(&card.cause)) "&replaces=" (percent(&card.card)) } aria-label={ (own.replace) " " (card.card) } { (own.replace) }
                }
            }
        }
        (ways)
    };
    Ok(page(&site, &visitor, own.reissues, &body))
}
