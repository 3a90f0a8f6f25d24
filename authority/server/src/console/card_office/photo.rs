//! One person's photo, with what becomes of it; and the lists of photos by where they stand.

use super::super::Site;
use super::super::account::refusal;
use super::super::page::time;
use super::super::upload::Uploaded;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::{CardOfficeWords, fill};
use super::photos::asked;
use super::{again, page, part, said, text};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::people;
use crate::http::photos::{self, Narrow};
use crate::http::shapes::Reason;
use crate::http::shapes::desk::{PersonDetail, PhotoList, PhotoView};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::model::PersonId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::photo::PhotoState;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    page: usize,
}

#[derive(Debug, Deserialize)]
pub struct Reopening {
    #[serde(default)]
    reason: String,
}

impl CardOfficeWords {
    /// Where a photo stands.
    pub fn photo_state<'a>(&self, state: &'a str) -> &'a str {
        match state {
            "waiting" => self.photo_waiting,
            "approved" => self.photo_approved,
            "rejected" => self.photo_rejected,
            "missing" => self.photo_missing,
            other => other,
        }
    }
}

/// Where a photo stands, as a mark.
pub fn photo_mark(visitor: &Visitor, state: &str) -> Markup {
    html! { span.state.(state) { (said(visitor).photo_state(state)) } }
}

/// The photos by where they stand.
pub async fn list(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(Which { state, find, page: number }): Params<Which>,
) -> Result<Response, Failure> {
    let (words, own) = (visitor.words(), said(&visitor));
    let narrow = Narrow { state: text(&state), find: text(&find) };
    let Json(PhotoList { photos }) = photos::list(State(Arc::clone(&site.api)), caller, Params(narrow)).await?;
    let address = format!("/photos/list?state={}&find={}&page=", percent(&state), percent(&find));
    let (shown, ways) = part(&visitor, &photos, number, &address);
    let body = html! {
        div.heading {
            h1 { (own.all_photos) }
            p.state-line { a href="/photos" { (own.to_queue) } }
        }
        form.filter method="get" action="/photos/list" role="search" {
            label for="find" { (own.find_photo) }
            input #find name="find" type="search" value=(find) autocomplete="off" spellcheck="false";
            label for="state" { (own.standing) }
            select #state name="state" {
                option value="" { (own.any) }
                @for known in PhotoState::ALL.map(PhotoState::name) {
                    option value=(known) selected[known == state] { (own.photo_state(known)) }
                }
            }
            button { (words.filter) }
        }
        p role="status" { (fill(own.photos_found, &[("count", &photos.len().to_string())])) }
        ul.cards.wide.rows { @for photo in shown { (row(&visitor, photo)) } }
        (ways)
    };
    Ok(page(&site, &visitor, own.all_photos, &body))
}

fn row(visitor: &Visitor, photo: &PhotoView) -> Markup {
    html! {
        li {
            a.name href={ "/photos/of/" (percent(&photo.person)) } { (photo.name) }
            span.fine { (photo.person) }
            (photo_mark(visitor, &photo.state))
            @if let Some(reason) = &photo.reason { span { (reason) } }
            span.fine { (time(&photo.at)) " · " (photo.by) }
        }
    }
}

/// The photo of a person.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    id: Named<String>,
) -> Result<Response, Failure> {
    let Json(person) = people::show(State(Arc::clone(&site.api)), caller, id).await?;
    Ok(one(&site, &visitor, &person, None))
}

fn one(site: &Site, visitor: &Visitor, person: &PersonDetail, failure: Option<&Failure>) -> Response {
    let (words, own) = (visitor.words(), said(visitor));
    let photo = PersonId::new(&person.id).ok().and_then(|id| {
        let present = site.api.authority.present();
        present.directory.photos().get(&id).map(|photo| photos::view(&site.api, &present.directory, &id, photo))
    });
    let may = |act| PersonId::new(&person.id).is_ok_and(|id| visitor.may(site, act, Object::Person(&id)));
    let state = photo.as_ref().map_or("missing", |photo| &photo.state);
    let to = format!("/photos/of/{}", percent(&person.id));
    let title = fill(words.photo_of, &[("name", &person.name)]);
    let body = html! {
        h1 { (title) " " (photo_mark(visitor, state)) }
        (refusal(visitor, failure))
        div.queue {
            @match &photo {
                Some(photo) => { img.portrait src={ "/people/" (percent(&person.id)) "/photo?image=" (photo.image) } alt=(title); }
                None => { span.portrait.photo.none role="img" aria-label=(words.no_photo) {} }
            }
            div.beside {
                dl.facts {
                    dt { (words.person) }
                    dd { a href={ "/people/" (percent(&person.id)) } { (person.name) } " " span.fine { (person.id) " · " (person.category) } }
                    @if let Some(photo) = &photo {
                        dt { (own.last_word) }
                        dd { (time(&photo.at)) " " span.fine { (photo.by) } }
                        @if let Some(reason) = &photo.reason { dt { (words.reason) } dd { (reason) } }
                    }
                }
                @if let Some(photo) = photo.as_ref().filter(|photo| photo.state == "waiting" && may(Act::DecidePhotos)) {
                    p { a.button href={ "/photos?from=" (percent(&format!("{}-{}", photo.at.ms, photo.person))) } { (own.decide) } }
                }
                @if state == "approved" && may(Act::DecidePhotos) { (reopen_form(visitor, &to)) }
                @if state != "approved" && may(Act::SubmitPhotos) { (upload_form(site, visitor, &to)) }
            }
        }
    };
    page(site, visitor, &title, &body)
}

fn reopen_form(visitor: &Visitor, to: &str) -> Markup {
    let (words, own) = (visitor.words(), said(visitor));
    html! {
        form.fields method="post" action={ (to) "/reopen" } {
            (visitor.key_field())
            h2 { (own.reopen) }
            p.about { (own.reopen_about) }
            label for="reason" { (words.reason) }
            input #reason name="reason" maxlength="200" autocomplete="off" required;
            button.main { (own.reopen) }
        }
    }
}

fn upload_form(site: &Site, visitor: &Visitor, to: &str) -> Markup {
    let own = said(visitor);
    html! {
        form.fields method="post" action=(to) enctype="multipart/form-data" {
            (visitor.key_field())
            h2 { (own.bring) }
            label for="file" { (own.photo_file) }
            input #file name="file" type="file" accept="image/jpeg" required aria-describedby="about-file";
            p.about #about-file {
                @if let Some((width, height)) = asked(site) {
                    (fill(own.size_asked, &[("width", &width.to_string()), ("height", &height.to_string())])) " "
                }
                (own.look_for)
            }
            button.main { (own.bring) }
        }
    }
}

/// Brings a photo of a person.
pub async fn submit(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    uploaded: Uploaded,
) -> Result<Response, Failure> {
    let bytes = uploaded.files.get("file").map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    let done = photos::submit(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), bytes).await;
    after(&site, &visitor, caller, &id, done.err()).await
}

/// Takes the approval of a photo back.
pub async fn reopen(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Reopening { reason }): Sent<Reopening>,
) -> Result<Response, Failure> {
    let order = Body(Reason { reason: reason.trim().to_owned() });
    let done = photos::reopen(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await;
    after(&site, &visitor, caller, &id, done.err()).await
}

async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    id: &str,
    failure: Option<Failure>,
) -> Result<Response, Failure> {
    let Some(failure) = failure else {
        return Ok(Redirect::to(&format!("/photos/of/{}", percent(id))).into_response());
    };
    let person = people::show(State(Arc::clone(&site.api)), caller, Named(id.to_owned())).await;
    let Ok(Json(person)) = person else { return Err(failure) };
    again(failure, |failure| one(site, visitor, &person, Some(failure)))
}
