//! The queue of photos: one at a time, large, with what is known of the person beside it; the next comes with each decision.
//!
//! Everything works by buttons; `assets/photos.js` adds single keys, and shows the next photo before the decision has arrived.

use super::super::Site;
use super::super::account::refusal;
use super::super::page::time;
use super::super::visit::{Sent, Visitor, percent};
use super::super::words::fill;
use super::{again, page, said, text};
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::people;
use crate::http::photos::{self, Narrow};
use crate::http::shapes::desk::{PersonDetail, PhotoDecision, PhotoList, PhotoView};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::model::PersonId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Size at which a photo is shown where the campus asks for none.
const SHOWN: (u32, u32) = (295, 367);

#[derive(Debug, Default, Deserialize)]
pub struct Queue {
    /// From which place on; the first that waits longest when absent.
    #[serde(default)]
    from: String,
    /// Whose photo was decided just now.
    #[serde(default)]
    of: String,
    /// What was decided.
    #[serde(default)]
    done: String,
}

#[derive(Debug, Deserialize)]
pub struct Decision {
    /// Hash of the image that was seen.
    #[serde(default)]
    image: String,
    /// Where the queue goes on.
    #[serde(default)]
    from: String,
    /// Why, as it was typed or chosen.
    #[serde(default)]
    reason: String,
}

/// The place of a photo in the queue. It stays the same when others are decided, by whomever.
fn place_of(photo: &PhotoView) -> String {
    format!("{}-{}", photo.at.ms, photo.person)
}

/// Where to go on: at a place or the first behind it, and from the beginning when there is none.
fn begin(waiting: &[PhotoView], from: &str) -> usize {
    let from = from.split_once('-').and_then(|(ms, person)| Some((ms.parse::<i64>().ok()?, person)));
    let is_behind = |photo: &PhotoView| from.is_some_and(|from| (photo.at.ms, photo.person.as_str()) >= from);
    waiting.iter().position(is_behind).unwrap_or(0)
}

/// The photo that waits longest, or one behind it.
pub async fn queue(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(queue): Params<Queue>,
) -> Result<Response, Failure> {
    let own = said(&visitor);
    let of = PersonId::new(&queue.of).ok().filter(|id| visitor.may(&site, Act::DecidePhotos, Object::Person(id)));
    let last = of.map(|id| {
        let name = name_of(&site, &id);
        let sentence = if queue.done == "approved" { own.did_approve } else { own.did_reject };
        html! {
            p.good role="status" {
                (fill(sentence, &[("name", &name)])) " "
                a href={ "/photos/of/" (percent(id.as_str())) } { (own.look_again) }
            }
        }
    });
    show(&site, &visitor, caller, &queue.from, &last.unwrap_or_default()).await
}

fn name_of(site: &Site, id: &PersonId) -> String {
    let present = site.api.authority.present();
    present.directory.tables().people.get(id).map_or_else(|| id.to_string(), |person| person.name.clone())
}

async fn show(site: &Site, visitor: &Visitor, caller: Caller, from: &str, last: &Markup) -> Result<Response, Failure> {
    let own = said(visitor);
    let narrow = Params(Narrow { state: Some("waiting".to_owned()), find: None });
    let Json(PhotoList { photos: waiting }) =
        photos::list(State(Arc::clone(&site.api)), caller.clone(), narrow).await?;
    let at = begin(&waiting, from);
    let heading = html! {
        div.heading {
            h1 { (own.photos) }
            @if !waiting.is_empty() {
                p.state-line #waiting data-words=(own.waiting_count) { (fill(own.waiting_count, &[("count", &waiting.len().to_string())])) }
            }
            p.state-line { a href="/photos/list" { (own.all_photos) } }
        }
    };
    let Some(photo) = waiting.get(at) else {
        let body = html! { (heading) (last) p.sentence { (own.none_waiting) } };
        return Ok(page(site, visitor, own.photos, &body));
    };
    let next = waiting.get(at.saturating_add(1)).or_else(|| waiting.first()).filter(|_| waiting.len() > 1);
    let next = next.map(place_of);
    let Json(person) = people::show(State(Arc::clone(&site.api)), caller, Named(photo.person.clone())).await?;
    let body = html! {
        (heading)
        (last)
        section.queue #queue tabindex="-1" autofocus aria-labelledby="whose" data-queue data-waiting=(waiting.len())
            data-whose=(person.name) data-page={ "/photos/of/" (percent(&person.id)) }
            data-next=[next.as_ref().map(|next| format!("/photos?from={}", percent(next)))]
            data-refused=(own.was_not_decided) data-lost=(own.could_not_send)
        {
            (picture(site, visitor, photo))
            div.beside {
                (about(site, visitor, &person, photo))
                (decisions(visitor, photo, next.as_deref()))
            }
        }
        (keys(visitor))
    };
    Ok(page(site, visitor, own.photos, &body))
}

fn picture(site: &Site, visitor: &Visitor, photo: &PhotoView) -> Markup {
    let (width, height) = asked(site).unwrap_or(SHOWN);
    let src = format!("/people/{}/photo?image={}", percent(&photo.person), photo.image);
    let alt = fill(visitor.words().photo_of, &[("name", &photo.name)]);
    html! { img.portrait src=(src) alt=(alt) width=(width) height=(height); }
}

/// The size that the campus asks for.
pub fn asked(site: &Site) -> Option<(u32, u32)> {
    let present = site.api.authority.present();
    present.directory.policy().and_then(|policy| policy.photo).map(|format| (format.width, format.height))
}

fn about(site: &Site, visitor: &Visitor, person: &PersonDetail, photo: &PhotoView) -> Markup {
    let (words, own) = (visitor.words(), said(visitor));
    html! {
        h2.name #whose { (person.name) }
        dl.facts {
            dt { (own.person_number) }
            dd { (person.id) }
            dt { (words.category) }
            dd { (person.category) }
            @if !person.affiliations.is_empty() {
                dt { (words.units) }
                dd { ul.plain { @for of in &person.affiliations { li { (site.unit_name(&of.unit)) } } } }
            }
            dt { (own.brought) }
            dd { (time(&photo.at)) " " span.fine { (photo.by) } }
        }
        p.about {
            @if let Some((width, height)) = asked(site) {
                (fill(own.size_asked, &[("width", &width.to_string()), ("height", &height.to_string())])) " "
            }
            (own.look_for)
        }
    }
}

/// Approve, reject, or leave it for later.
fn decisions(visitor: &Visitor, photo: &PhotoView, next: Option<&str>) -> Markup {
    let own = said(visitor);
    let to = format!("/photos/of/{}", percent(&photo.person));
    let common = html! {
        (visitor.key_field())
        input type="hidden" name="image" value=(photo.image);
        input type="hidden" name="from" value=(next.unwrap_or_default());
    };
    html! {
        div.decisions {
            form method="post" action={ (to) "/approve" } data-done="approved" {
                (common)
                button.main accesskey="a" data-key="a" { (own.approve) kbd { "A" } }
            }
            @if let Some(next) = next {
                a.button accesskey="s" data-key="s" data-skip href={ "/photos?from=" (percent(next)) } { (own.skip) kbd { "S" } }
            }
            details.reject {
                summary accesskey="r" { (own.reject) kbd { "R" } }
                form method="post" action={ (to) "/reject" } data-done="rejected" {
                    (common)
                    p.about { (own.usual_reasons) }
                    ol.usual {
                        @for (number, reason) in own.usual().into_iter().enumerate() {
                            @let number = number.saturating_add(1);
                            li { button name="reason" value=(reason) data-key=(number) { (reason) kbd { (number) } } }
                        }
                    }
                }
                form.fields method="post" action={ (to) "/reject" } data-done="rejected" {
                    (common)
                    label for="reason" { (own.other_reason) }
                    input #reason name="reason" maxlength="200" autocomplete="off" required aria-describedby="about-reason";
                    p.about #about-reason { (own.reason_is_read) }
                    button.main.shut { (own.reject) }
                }
            }
        }
    }
}

/// Which keys there are, and the switch that turns them off; shown once the script is there that hears them.
fn keys(visitor: &Visitor) -> Markup {
    let own = said(visitor);
    html! {
        div.keys data-keys hidden {
            button.quiet type="button" data-keys-switch aria-pressed="true" data-on=(own.keys_on) data-off=(own.keys_off) { (own.keys_on) }
            details #keys {
                summary { (own.keys) " " kbd { "?" } }
                dl.facts {
                    dt { kbd { "A" } } dd { (own.approve) }
                    dt { kbd { "R" } } dd { (own.key_reject) }
                    dt { kbd { "1" } "–" kbd { (own.usual().len()) } } dd { (own.key_digits) }
                    dt { kbd { "S" } " " kbd { "→" } } dd { (own.skip) }
                    dt { kbd { "Esc" } } dd { (own.key_escape) }
                }
            }
        }
    }
}

/// Approves a photo, and goes on to the next.
pub async fn approve(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Decision { image, from, .. }): Sent<Decision>,
) -> Result<Response, Failure> {
    let order = Body(PhotoDecision { image, reason: None });
    let done = photos::approve(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await;
    after(&site, &visitor, caller, done.err(), &from, ("approved", &id)).await
}

/// Rejects a photo, and goes on to the next.
pub async fn reject(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Named(id): Named<String>,
    Sent(Decision { image, from, reason }): Sent<Decision>,
) -> Result<Response, Failure> {
    let order = Body(PhotoDecision { image, reason: text(&reason) });
    let done = photos::reject(State(Arc::clone(&site.api)), caller.clone(), Named(id.clone()), order).await;
    after(&site, &visitor, caller, done.err(), &from, ("rejected", &id)).await
}

/// On to the next; what was refused is said above it, and that photo waits on.
async fn after(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    failure: Option<Failure>,
    from: &str,
    (done, id): (&str, &str),
) -> Result<Response, Failure> {
    let Some(failure) = failure else {
        let to = format!("/photos?from={}&done={done}&of={}", percent(from), percent(id));
        return Ok(Redirect::to(&to).into_response());
    };
    let page = show(site, visitor, caller, from, &refusal(visitor, Some(&failure))).await;
    let Ok(page) = page else { return Err(failure) };
    again(failure, |_| page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::shapes::When;

    fn photo(ms: i64, person: &str) -> PhotoView {
        PhotoView {
            person: person.to_owned(),
            name: String::new(),
            image: String::new(),
            state: "waiting".to_owned(),
            by: String::new(),
            at: When { text: String::new(), ms },
            reason: None,
        }
    }

    #[test]
    fn the_queue_goes_on_behind_what_was_decided_by_whomever_and_begins_anew_at_its_end() {
        let waiting = [photo(1, "a"), photo(1, "b-1"), photo(2, "a")];
        for (at, photo) in waiting.iter().enumerate() {
            assert_eq!(begin(&waiting, &place_of(photo)), at);
        }
        assert_eq!(begin(&waiting[1..], &place_of(&waiting[0])), 0, "another has decided it meanwhile");
        for elsewhere in ["", "9-z", "x-a", "2"] {
            assert_eq!(begin(&waiting, elsewhere), 0, "{elsewhere}");
        }
    }
}
