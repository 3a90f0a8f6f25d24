//! The first page: one box that finds people and cards by anything; and the page of a person.

use super::card::state_mark;
use super::visit::{Visitor, percent};
use super::words::{AccessWords, fill};
use super::{Site, card_office};
use crate::http::caller::Caller;
use crate::http::extract::{Named, Params};
use crate::http::failure::Failure;
use crate::http::people::{self, Search};
use crate::http::photos;
use crate::http::shapes::desk::{CardSummary, People, PersonDetail};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::model::{CardId, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Most people that are shown at once.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
pub struct Find {
    #[serde(default)]
    find: String,
}

/// Finds people and cards; a single one is shown at once.
pub async fn find(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Find { find }): Params<Find>,
) -> Result<Response, Failure> {
    let text = find.trim();
    let words = visitor.words();
    let found = if text.is_empty() {
        caller.may_somewhere(&site.api, Act::SeeCards)?;
        None
    } else {
        let search = Search { find: text.to_owned(), limit: Some(LIMIT) };
        let Json(found) = people::find(State(Arc::clone(&site.api)), caller, Params(search)).await?;
        if let [only] = found.people.as_slice() {
            return Ok(Redirect::to(&format!("/people/{}", percent(&only.id))).into_response());
        }
        Some(found)
    };
    let body = html! {
        h1 { label for="find" { (words.find) } }
        form.search method="get" action="/" role="search" {
            input #find name="find" type="search" value=(text) aria-describedby="about-find" autocomplete="off" spellcheck="false" autofocus;
            button.main { (words.search) }
        }
        p.about #about-find { (words.find_about) }
        @if let Some(found) = &found { (results(&site, &visitor, text, found)) }
    };
    Ok(visitor.page(&site, words.find, &body))
}

fn results(site: &Site, visitor: &Visitor, text: &str, found: &People) -> Markup {
    let words = visitor.words();
    if found.people.is_empty() {
        return html! { p role="status" { (fill(words.found_none, &[("text", text)])) } };
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
                    (card_list(site, visitor, &person.cards))
                }
            }
        }
    }
}

fn card_list(site: &Site, visitor: &Visitor, cards: &[CardSummary]) -> Markup {
    let words = visitor.words();
    let may_suspend = |id: &str| CardId::new(id).is_ok_and(|id| visitor.may(site, Act::SuspendCard, Object::Card(&id)));
    html! {
        ul.cards {
            @for card in cards {
                li {
                    a href={ "/cards/" (percent(&card.id)) } { (card.id) }
                    (state_mark(words, &card.state))
                    @if card.state == "active" && may_suspend(&card.id) {
                        a.button.shut href={ "/cards/" (percent(&card.id)) "/suspend" } aria-label={ (words.suspend) " " (card.id) } { (words.suspend) }
                    }
                }
            }
        }
    }
}

/// One person.
pub async fn person(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    id: Named<String>,
) -> Result<Response, Failure> {
    let Json(person) = people::show(State(Arc::clone(&site.api)), caller, id).await?;
    let words = visitor.words();
    let body = html! {
        div.holder {
            (photo_of(&site, visitor.words(), &person.id, &person.name))
            div {
                h1 { (person.name) }
                (facts(&site, &visitor, &person))
            }
        }
        section aria-labelledby="cards" {
            h2 #cards { (words.cards) }
            @if person.cards.is_empty() { p { (words.no_cards) } }
            @else { (card_table(&site, &visitor, &person.cards)) }
            (card_office::on_person(&site, &visitor, &person))
        }
        (questions(&site, &visitor, &person.id))
    };
    Ok(visitor.page(&site, &person.name, &body))
}

/// What can be asked about a person, and asked for.
fn questions(site: &Site, visitor: &Visitor, id: &str) -> Markup {
    let words = AccessWords::of(visitor.language);
    let person = PersonId::new(id);
    let may = |act| person.as_ref().is_ok_and(|person| visitor.may(site, act, Object::Person(person)));
    let here = format!("/people/{}", percent(id));
    html! {
        ul.links {
            li { a href={ (here) "/opens" } { (words.person_opens) } }
            @if may(Act::ReadLog) { li { a href={ (here) "/refused" } { (words.person_refused) } } }
            @if may(Act::Ask) { li { a href={ "/requests/new?person=" (percent(id)) } { (words.ask_access) } } }
        }
    }
}

fn facts(site: &Site, visitor: &Visitor, person: &PersonDetail) -> Markup {
    let words = visitor.words();
    let until = |day: &str| fill(words.until, &[("day", day)]);
    html! {
        dl.facts {
            dt { (words.person) }
            dd { (person.id) }
            dt { (words.category) }
            dd {
                (person.category)
                @if let Some(day) = &person.ends_on { ", " (until(day)) }
                @if let Some(day) = &person.left_on { ", " strong { (fill(words.left_on, &[("day", day)])) } }
            }
            @if !person.affiliations.is_empty() {
                dt { (words.units) }
                dd {
                    ul.plain {
                        @for of in &person.affiliations {
                            li { (site.unit_name(&of.unit)) @if let Some(day) = &of.until { span.fine { " " (until(day)) } } }
                        }
                    }
                }
            }
        }
    }
}

fn card_table(site: &Site, visitor: &Visitor, cards: &[CardSummary]) -> Markup {
    let words = visitor.words();
    html! {
        ul.cards.wide {
            @for card in cards {
                li {
                    a href={ "/cards/" (percent(&card.id)) } { (card.id) }
                    (state_mark(words, &card.state))
                    span.fine {
                        (site.type_name(&card.card_type))
                        @if let Some(number) = &card.number { " · " (number) }
                        " · "
                        @match &card.valid_until {
                            Some(day) => { (fill(words.until, &[("day", day)])) }
                            None => { (words.no_end) }
                        }
                    }
                    (super::card::action(site, visitor, &card.id, &card.state))
                }
            }
        }
    }
}

/// The photo of a person where there is one; a browser that asks for it is noted as one that looked.
pub fn photo_of(site: &Site, words: &super::words::Words, id: &str, name: &str) -> Markup {
    let has_photo = PersonId::new(id).is_ok_and(|id| site.api.authority.present().directory.photos().contains_key(&id));
    html! {
        @if has_photo {
            img.photo src={ "/people/" (percent(id)) "/photo" } alt=(fill(words.photo_of, &[("name", name)])) width="74" height="92";
        } @else {
            span.photo.none role="img" aria-label=(words.no_photo) {}
        }
    }
}

/// The photo of a person.
pub async fn photo(State(site): State<Site>, caller: Caller, id: Named<String>) -> Result<Response, Failure> {
    photos::image(State(Arc::clone(&site.api)), caller, id).await
}
