//! The own photo: where it stands, what a new one must be, and bringing it.

use super::HOME;
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::page::time;
use crate::console::upload::Uploaded;
use crate::console::visit::Visitor;
use crate::console::words::fill;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::me;
use crate::http::shapes::me::OwnPhoto;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::photo::{BYTES_MAX, PIXELS_MAX, PhotoState};
use maud::{Markup, html};
use std::sync::Arc;

/// Bytes of what people read as a kilobyte.
const KILOBYTE: u32 = 1_000;

/// Whether another photo would be looked at: one that is approved is locked.
pub fn may_bring(photo: Option<&OwnPhoto>) -> bool {
    photo.is_none_or(|photo| photo.state != PhotoState::Approved.name())
}

/// The photo, or the place of one.
pub fn picture(visitor: &Visitor, photo: Option<&OwnPhoto>) -> Markup {
    html! {
        @if photo.is_some() {
            img.photo src="/me/photo/image" alt=(visitor.own_words().your_photo) width="74" height="92";
        } @else {
            span.photo.none role="img" aria-label=(visitor.words().no_photo) {}
        }
    }
}

/// Where it stands, since when, and why.
pub fn standing(visitor: &Visitor, photo: Option<&OwnPhoto>) -> Markup {
    let own = visitor.own_words();
    let Some(photo) = photo else { return html! { p { (own.photo_none) } } };
    let known = PhotoState::ALL.into_iter().find(|state| state.name() == photo.state);
    let said = match known {
        Some(PhotoState::Waiting) if photo.reason.is_some() => own.photo_reopened,
        Some(PhotoState::Waiting) => own.photo_waiting,
        Some(PhotoState::Approved) => own.photo_approved,
        Some(PhotoState::Rejected) => own.photo_rejected,
        None => photo.state.as_str(),
    };
    html! {
        p.bad[known == Some(PhotoState::Rejected)] {
            (said)
            @if let Some(reason) = &photo.reason { br; strong { (reason) } }
        }
        p.about { (time(&photo.at)) }
    }
}

/// The photo, and a form for another one where it would be taken.
pub async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    page(&site, &visitor, caller, None).await
}

/// Brings a photo.
pub async fn bring(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    mut uploaded: Uploaded,
) -> Result<Response, Failure> {
    let (status, said) = match uploaded.files.remove("photo") {
        None => (StatusCode::BAD_REQUEST, html! { p.bad role="alert" { (visitor.own_words().photo_no_file) } }),
        Some((_, bytes)) => match me::photo(State(Arc::clone(&site.api)), caller.clone(), bytes).await {
            Ok(_) => return Ok(Redirect::to("/me/photo").into_response()),
            Err(failure) => (failure.status, refusal(&visitor, Some(&failure))),
        },
    };
    Ok((status, page(&site, &visitor, caller, Some(&said)).await?).into_response())
}

async fn page(site: &Site, visitor: &Visitor, caller: Caller, said: Option<&Markup>) -> Result<Response, Failure> {
    let photo = super::page_of(site, caller).await?.photo;
    let own = visitor.own_words();
    let body = html! {
        div.own {
            h1 { (own.your_photo) }
            div.holder {
                (picture(visitor, photo.as_ref()))
                div { (standing(visitor, photo.as_ref())) }
            }
            @if may_bring(photo.as_ref()) {
                section aria-labelledby="bring" {
                    h2 #bring { (own.photo_bring) }
                    @if let Some(said) = said { (said) }
                    form.fields method="post" action="/me/photo" enctype="multipart/form-data" {
                        (visitor.key_field())
                        label for="file" { (own.photo_file) }
                        input #file name="photo" type="file" accept="image/jpeg" aria-describedby="about-photo" required;
                        p.about #about-photo { (asked(site, visitor)) " " (own.photo_upright) }
                        button.main { (own.photo_send) }
                    }
                }
            } @else {
                p { (own.photo_locked) }
            }
            p { a.button href=(HOME) { (own.to_own) } }
        }
    };
    Ok(visitor.page(site, own.your_photo, &body))
}

/// What the campus asks of a photo.
fn asked(site: &Site, visitor: &Visitor) -> String {
    let own = visitor.own_words();
    let format = site.api.authority.present().directory.policy().and_then(|policy| policy.photo);
    let kilobytes = |bytes: u32| bytes.div_euclid(KILOBYTE).to_string();
    format.map_or_else(
        || fill(own.photo_any, &[("pixels", &PIXELS_MAX.to_string()), ("size", &kilobytes(BYTES_MAX))]),
        |format| {
            let (width, height) = (format.width.to_string(), format.height.to_string());
            let size = kilobytes(format.bytes_max);
            fill(own.photo_size, &[("width", &width), ("height", &height), ("size", &size)])
        },
    )
}

/// The own photo as an image.
pub async fn image(State(site): State<Site>, caller: Caller) -> Result<Response, Failure> {
    me::image(State(Arc::clone(&site.api)), caller).await
}
