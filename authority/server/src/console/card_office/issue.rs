//! A new card for somebody, as the first, in place of another, or to stand in: first what it is, then what comes of it and what it
//! costs, and only then the card itself, held to a reader or typed.

use super::super::Site;
use super::super::account::refusal;
use super::super::card::state_mark;
use super::super::find::photo_of;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::{CardOfficeWords, fill};
use super::{again, page, said, text};
use crate::http::caller::Caller;
use crate::http::cards::{self, Weighed};
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::grants::random_name;
use crate::http::people;
use crate::http::shapes::desk::{CardOrder, PersonDetail};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::desk::Cause;
use doorward_policy::model::PersonId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// What is known of a card that is to be issued; the same in the address and in the form.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    cause: String,
    #[serde(default)]
    card_type: String,
    #[serde(default)]
    replaces: String,
    #[serde(default)]
    returned: bool,
    #[serde(default)]
    document: String,
    #[serde(default)]
    valid_until: String,
    #[serde(default)]
    number: String,
    /// What a reader reads.
    #[serde(default)]
    card: String,
    /// Whether all but the card is said.
    #[serde(default)]
    weigh: bool,
}

#[derive(Debug, Default, Deserialize)]
pub struct Done {
    #[serde(default)]
    change: u64,
}

impl CardOfficeWords {
    /// Why there is a new card.
    pub fn cause_of<'a>(&self, name: &'a str) -> &'a str {
        Cause::of_name(name).map_or(name, |cause| match cause {
            Cause::First => self.cause_first,
            Cause::Lost => self.cause_lost,
            Cause::Stolen => self.cause_stolen,
            Cause::Damaged => self.cause_damaged,
            Cause::Destroyed => self.cause_destroyed,
            Cause::DepartmentChange => self.cause_department,
            Cause::RoleChange => self.cause_role,
            Cause::NotWorking => self.cause_not_working,
            Cause::Temporary => self.cause_temporary,
        })
    }
}

impl Asked {
    fn order(&self, person: &str, card: String) -> CardOrder {
        let replaces = Cause::of_name(&self.cause).is_none_or(Cause::replaces);
        CardOrder {
            card,
            person: person.to_owned(),
            card_type: self.card_type.clone(),
            cause: self.cause.clone(),
            // A choice that does not belong to the cause is none.
            replaces: text(&self.replaces).filter(|_| replaces),
            returned: self.returned && replaces,
            number: text(&self.number),
            issued_on: None,
            valid_until: text(&self.valid_until),
            document: text(&self.document),
        }
    }
}

/// Asks what card it is to be; or, once that is said, says what comes of it and asks for the card.
pub async fn ask(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Params(asked): Params<Asked>,
) -> Result<Response, Failure> {
    let person_id = PersonId::new(&id).map_err(Failure::of_id("person", &id))?;
    caller.may(&site.api, Act::IssueCards, Object::Person(&person_id))?;
    let Json(person) = people::show(State(Arc::clone(&site.api)), caller.clone(), Named(id)).await?;
    if !asked.weigh {
        return Ok(form(&site, &visitor, &person, &asked, None));
    }
    // A name that no card has stands for the one that nobody has read yet.
    let order = asked.order(&person.id, random_name("new")?);
    match cards::weigh(&site.api, &caller, &order) {
        Ok(weighed) => Ok(confirm(&site, &visitor, &person, &asked, Some(&weighed), None)),
        Err(failure) => again(failure, |failure| form(&site, &visitor, &person, &asked, Some(failure))),
    }
}

/// Issues a card.
pub async fn issue(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(asked): Sent<Asked>,
) -> Result<Response, Failure> {
    let order = asked.order(&id, asked.card.trim().to_owned());
    let card = order.card.clone();
    let done = cards::issue(State(Arc::clone(&site.api)), caller.clone(), Body(order)).await;
    let failure = match done {
        Ok(done) => {
            let to = format!("/cards/{}/issued?change={}", percent(&card), done.0.change.seq);
            return Ok(Redirect::to(&to).into_response());
        }
        Err(failure) => failure,
    };
    let person = people::show(State(Arc::clone(&site.api)), caller.clone(), Named(id)).await;
    let Ok(Json(person)) = person else { return Err(failure) };
    let weighed = cards::weigh(&site.api, &caller, &asked.order(&person.id, random_name("new")?)).ok();
    again(failure, |failure| confirm(&site, &visitor, &person, &asked, weighed.as_ref(), Some(failure)))
}

/// The types of card that somebody can have, by id and name: those of the category, those that stand in, and that of the old card.
fn types_for(site: &Site, person: &PersonDetail, old: Option<&str>) -> Vec<(String, String)> {
    let present = site.api.authority.present();
    let Some(policy) = present.directory.policy() else { return Vec::new() };
    let is_entitled = |id: &str| {
        let mut rows = policy.entitlements.iter().filter(|row| row.category.as_str() == person.category);
        policy.entitlements.is_empty() || rows.any(|row| row.card_type.as_str() == id)
    };
    let types = policy.card_types.iter();
    let types = types.filter(|(id, known)| known.temporary || is_entitled(id.as_str()) || Some(id.as_str()) == old);
    types.map(|(id, known)| (id.to_string(), known.name.clone())).collect()
}

fn whose(site: &Site, visitor: &Visitor, person: &PersonDetail) -> Markup {
    html! {
        div.holder {
            (photo_of(site, visitor.words(), &person.id, &person.name))
            p { a href={ "/people/" (percent(&person.id)) } { strong { (person.name) } } br; span.fine { (person.id) " · " (person.category) } }
        }
    }
}

fn form(site: &Site, visitor: &Visitor, person: &PersonDetail, asked: &Asked, failure: Option<&Failure>) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let open: Vec<_> = person.cards.iter().filter(|card| card.state != "closed").collect();
    let old = open.iter().find(|card| card.id == asked.replaces);
    let wanted = text(&asked.card_type).or_else(|| old.map(|card| card.card_type.clone())).unwrap_or_default();
    let title = fill(own.issue_for, &[("name", &person.name)]);
    let is_chosen = |cause: Cause| match text(&asked.cause) {
        Some(name) => name == cause.name(),
        None => cause == if old.is_some() { Cause::Lost } else { Cause::First },
    };
    let body = html! {
        h1 { (title) }
        (whose(site, visitor, person))
        (refusal(visitor, failure))
        form.fields method="get" {
            input type="hidden" name="weigh" value="true";
            label for="cause" { (own.cause) }
            select #cause name="cause" autofocus {
                @for cause in Cause::ALL {
                    option value=(cause.name()) selected[is_chosen(cause)] { (own.cause_of(cause.name())) }
                }
            }
            label for="type" { (words.card_type) }
            select #type name="card_type" {
                @for (id, name) in types_for(site, person, old.map(|card| card.card_type.as_str())) {
                    option value=(id) selected[id == wanted] { (name) }
                }
            }
            @if !open.is_empty() {
                label for="replaces" { (own.old_card) }
                select #replaces name="replaces" aria-describedby="about-replaces" {
                    @for card in &open {
                        option value=(card.id) selected[card.id == asked.replaces] { (card.id) " – " (words.card_state(&card.state)) }
                    }
                }
                p.about #about-replaces { (own.old_card_about) }
                label.check { input type="checkbox" name="returned" value="true" checked[asked.returned]; " " (own.came_back) }
            }
            label for="document" { (own.document) }
            input #document name="document" value=(asked.document) maxlength="200" autocomplete="off";
            label for="until" { (words.valid_until) }
            input #until name="valid_until" type="date" value=(asked.valid_until) aria-describedby="about-until";
            p.about #about-until { (own.until_about) }
            label for="number" { (words.number) }
            input #number name="number" value=(asked.number) autocomplete="off" spellcheck="false" aria-describedby="about-number";
            p.about #about-number { (own.number_about) }
            div.row {
                button.main { (own.go_on_to_fee) }
                a.button href={ "/people/" (percent(&person.id)) } { (words.cancel) }
            }
        }
    };
    page(site, visitor, &title, &body)
}

/// What comes of it and what it costs, and the box into which a reader types the card.
fn confirm(
    site: &Site,
    visitor: &Visitor,
    person: &PersonDetail,
    asked: &Asked,
    weighed: Option<&Weighed>,
    failure: Option<&Failure>,
) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let title = fill(own.issue_for, &[("name", &person.name)]);
    let order = asked.order(&person.id, String::new());
    let to = format!("/people/{}/issue", percent(&person.id));
    let body = html! {
        h1 { (title) }
        (whose(site, visitor, person))
        dl.facts {
            dt { (own.cause) } dd { (own.cause_of(&asked.cause)) }
            dt { (words.card_type) } dd { (site.type_name(&asked.card_type)) }
            @if let Some(old) = &order.replaces {
                dt { (own.old_card) }
                dd { (old) ", " (if order.returned { own.is_back } else { own.is_not_back }) }
            }
            @if let Some(document) = &order.document { dt { (own.document) } dd { (document) } }
            @if let Some(day) = &order.valid_until { dt { (words.valid_until) } dd { (day) } }
            @if let Some(weighed) = weighed {
                dt { (own.fee) }
                dd { strong.fee { (weighed.fee.as_deref().unwrap_or(own.no_fee)) } }
            }
        }
        @if let (Some(old), Some(weighed)) = (&order.replaces, weighed) {
            @let sentence = if weighed.ends_at_once { own.ends_at_once } else { own.ends_later };
            p.wait { (fill(sentence, &[("card", old)])) }
        }
        (refusal(visitor, failure))
        form.fields method="post" action=(to) {
            (visitor.key_field())
            @for (name, value) in [
                ("cause", asked.cause.as_str()), ("card_type", &asked.card_type), ("replaces", &asked.replaces),
                ("returned", if asked.returned { "true" } else { "false" }), ("document", &asked.document),
                ("valid_until", &asked.valid_until), ("number", &asked.number),
            ] { input type="hidden" name=(name) value=(value); }
            label for="card" { (own.new_card_read) }
            input #card name="card" value=(asked.card) autocomplete="off" autocapitalize="none" spellcheck="false" required autofocus aria-describedby="about-card";
            p.about #about-card { (own.new_card_about) }
            div.row {
                button.main { (own.issue) }
                a.button href={ "/people/" (percent(&person.id)) } { (words.cancel) }
            }
        }
    };
    page(site, visitor, &title, &body)
}

/// What was issued, what it costs, and what comes next.
pub async fn issued(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    id: Named<String>,
    Params(Done { change }): Params<Done>,
) -> Result<Response, Failure> {
    let (words, own) = (visitor.words(), said(&visitor));
    let Json(card) = cards::show(State(Arc::clone(&site.api)), caller, id).await?;
    let fee = card.issued.as_ref().and_then(|issued| issued.fee.as_deref());
    let title = fill(own.is_issued, &[("card", &card.id)]);
    let address = format!("/cards/{}", percent(&card.id));
    let body = html! {
        h1 { (title) " " (state_mark(words, &card.state)) }
        dl.facts {
            dt { (words.holder) } dd { (card.person.name) " " span.fine { (card.person.id) } }
            @if let Some(number) = &card.number { dt { (words.number) } dd { strong { (number) } } }
            dt { (own.fee) } dd { strong.fee { (fee.unwrap_or(own.no_fee)) } }
        }
        @if let Some(old) = card.issued.as_ref().and_then(|issued| issued.replaces.as_ref()) {
            p { (own.old_card) ": " a href={ "/cards/" (percent(old)) } { (old) } }
        }
        p { (own.comes_into_use) }
        div.row {
            @if card.state == "produced" {
                form method="post" action={ (address) "/activate" } {
                    (visitor.key_field())
                    button.main { (own.activate) }
                }
            }
            a.button href=(address) { (words.to_card) }
            @if change > 0 { a.button href={ "/changes/" (change) } { (own.doors_of_it) } }
        }
    };
    Ok(page(&site, &visitor, &title, &body))
}
