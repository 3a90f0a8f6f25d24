//! Arranging the map: a plan is brought, and buildings are put on it by a click on the plan, or by two numbers.
//!
//! A click is a form's own (`input type="image"` sends where it was), so that it needs no script; the plan is shown in a size that the
//! server knows.

use super::marks::{Condition, mark_at};
use super::{background, unreadable};
use crate::console::Site;
use crate::console::account::refusal;
use crate::console::upload::Uploaded;
use crate::console::visit::{Sent, Visitor, percent};
use crate::console::words::fill;
use crate::http::caller::Caller;
use crate::http::extract::{Body, Named, Params};
use crate::http::failure::Failure;
use crate::http::map;
use crate::http::shapes::map::{MapView, PlaceView};
use crate::map::{PARTS, PLAN_BYTES_MAX, SIDE_MAX};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// How wide the plan is at most where one clicks on it, in the pixels of a page.
const WIDTH_MAX: u32 = 960;

#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    building: String,
}

/// Where a building is to stand: by a click, or by two numbers.
#[derive(Debug, Deserialize)]
pub struct PlaceForm {
    building: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
    #[serde(rename = "at.x")]
    at_x: Option<u32>,
    #[serde(rename = "at.y")]
    at_y: Option<u32>,
    #[serde(default)]
    order: String,
}

/// What went wrong, and with which form.
enum Problem<'a> {
    Plan(&'a Markup),
    Place(&'a Markup, &'a PlaceForm),
}

/// Asks for a plan, and where buildings stand on it.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    page(&site, &visitor, caller, &which.building, None).await
}

/// Brings a plan.
pub async fn bring_plan(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    mut uploaded: Uploaded,
) -> Result<Response, Failure> {
    let (status, said) = match uploaded.files.remove("plan") {
        None => (StatusCode::BAD_REQUEST, wrong(visitor.map_words().plan_no_file)),
        Some((_, bytes)) => match map::bring_plan(State(Arc::clone(&site.api)), caller.clone(), bytes).await {
            Ok(_) => return Ok(Redirect::to("/map/arrange").into_response()),
            Err(failure) => (failure.status, refusal(&visitor, Some(&failure))),
        },
    };
    let page = page(&site, &visitor, caller, "", Some(Problem::Plan(&said))).await?;
    Ok((status, page).into_response())
}

/// Removes the plan.
pub async fn remove_plan(State(site): State<Site>, caller: Caller) -> Result<Response, Failure> {
    let Json(_done) = map::remove_plan(State(Arc::clone(&site.api)), caller).await?;
    Ok(Redirect::to("/map/arrange").into_response())
}

/// Puts a building on the plan, or takes it off.
pub async fn place(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Sent(form): Sent<PlaceForm>,
) -> Result<Response, Failure> {
    let api = || State(Arc::clone(&site.api));
    let Json(known) = map::show(api(), caller.clone()).await?;
    let building = Named(form.building.clone());
    let done = if form.order == "take-off" {
        map::unplace(api(), caller.clone(), building).await
    } else if let Some(place) = place_of(&form, shown_size(&known)) {
        map::place(api(), caller.clone(), building, Body(place)).await
    } else {
        let said = wrong(visitor.map_words().needs_number);
        let page = page(&site, &visitor, caller, &form.building, Some(Problem::Place(&said, &form))).await?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    };
    match done {
        Ok(_) => Ok(Redirect::to(&format!("/map/arrange?building={}", percent(&form.building))).into_response()),
        Err(failure) => {
            let said = refusal(&visitor, Some(&failure));
            let page = page(&site, &visitor, caller, &form.building, Some(Problem::Place(&said, &form))).await?;
            Ok((failure.status, page).into_response())
        }
    }
}

/// What the page itself says against a form.
fn wrong(text: &str) -> Markup {
    html! { p.bad role="alert" { (text) } }
}

/// The size in which the plan is shown where one clicks on it.
fn shown_size(map: &MapView) -> (u32, u32) {
    let (_, (width, height), _) = background(map);
    let shown = width.clamp(1, WIDTH_MAX);
    // Both sides of a plan have some thousands of pixels at most.
    (shown, (height.saturating_mul(shown) / width.max(1)).max(1))
}

fn place_of(form: &PlaceForm, (width, height): (u32, u32)) -> Option<PlaceView> {
    let part = |at: u32, of: u32| {
        let parts = at.saturating_mul(PARTS.into()).checked_div(of)?;
        u16::try_from(parts).ok().filter(|part| *part <= PARTS)
    };
    match (form.at_x, form.at_y) {
        // Whoever presses the plan by keyboard clicks nowhere, which browsers send as its corner.
        (Some(x), Some(y)) if (x, y) != (0, 0) => Some(PlaceView { x: part(x, width)?, y: part(y, height)? }),
        (Some(_) | None, _) => Some(PlaceView { x: tenths(&form.x)?, y: tenths(&form.y)? }),
    }
}

/// A number of percent with at most one digit behind its point, in tenths.
fn tenths(text: &str) -> Option<u16> {
    let text = text.trim().replace(',', ".");
    let (whole, tenth) = text.split_once('.').unwrap_or((&text, "0"));
    let is_digits = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(is_digits(whole) && is_digits(tenth) && tenth.len() == 1) {
        return None;
    }
    let tenths: u16 = format!("{whole}{tenth}").parse().ok()?;
    (tenths <= PARTS).then_some(tenths)
}

fn percent_text(part: u16) -> String {
    format!("{}.{}", part / 10, part % 10)
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    caller: Caller,
    building: &str,
    problem: Option<Problem<'_>>,
) -> Result<Response, Failure> {
    caller.may(&site.api, Act::ManageAgents, Object::Campus)?;
    let Json(known) = map::show(State(Arc::clone(&site.api)), caller).await?;
    let own = visitor.map_words();
    let buildings: Vec<(String, String)> = {
        let present = site.api.authority.present();
        let tables = present.directory.tables();
        tables.buildings.iter().map(|(id, building)| (id.to_string(), building.name.clone())).collect()
    };
    // The next one that stands nowhere is likely to be placed next.
    let is_placed = |id: &str| known.places.contains_key(id);
    let next = buildings.iter().map(|(id, _)| id.as_str()).find(|id| !is_placed(id));
    let chosen = Some(building).filter(|id| !id.is_empty() && (problem.is_some() || !is_placed(id)));
    let chosen = chosen.or(next).unwrap_or(building).to_owned();
    let (of_plan, of_place) = match problem {
        Some(Problem::Plan(said)) => (Some(said), None),
        Some(Problem::Place(said, form)) => (None, Some((said, form))),
        None => (None, None),
    };
    let body = html! {
        h1 { (own.arrange) }
        (unreadable(own, &known.problems))
        section aria-labelledby="places" {
            h2 #places { (own.places) }
            @if let Some((said, _)) = of_place { (said) }
            (place_form(visitor, &known, &buildings, &chosen, of_place.map(|(_, form)| form)))
        }
        section aria-labelledby="plan" {
            h2 #plan { (own.plan) }
            @if let Some(said) = of_plan { (said) }
            (plan_forms(visitor, &known))
        }
        p { a.button href="/map" { (own.to_map) } }
    };
    Ok(visitor.page(site, own.arrange, &body))
}

fn place_form(
    visitor: &Visitor,
    known: &MapView,
    buildings: &[(String, String)],
    chosen: &str,
    typed: Option<&PlaceForm>,
) -> Markup {
    let (words, own) = (visitor.words(), visitor.map_words());
    let (image, _, is_brought) = background(known);
    let (width, height) = shown_size(known);
    let place = known.places.get(chosen);
    let of = |typed: Option<&String>, known: Option<u16>| {
        typed.filter(|typed| !typed.is_empty()).cloned().or_else(|| known.map(percent_text)).unwrap_or_default()
    };
    let x = of(typed.map(|form| &form.x), place.map(|place| place.x));
    let y = of(typed.map(|form| &form.y), place.map(|place| place.y));
    html! {
        form method="post" action="/map/arrange" {
            (visitor.key_field())
            div.filter.map-arrange {
                div {
                    label for="building" { (words.building) }
                    select #building name="building" {
                        @for (id, name) in buildings {
                            option value=(id) selected[id == chosen] {
                                @if known.places.contains_key(id) { (fill(own.building_placed, &[("name", name)])) } @else { (name) }
                            }
                        }
                    }
                }
                div {
                    label for="x" { (own.from_left) }
                    input #x name="x" type="number" min="0" max="100" step="0.1" value=(x);
                }
                div {
                    label for="y" { (own.from_top) }
                    input #y name="y" type="number" min="0" max="100" step="0.1" value=(y);
                }
                button.main name="order" value="place" { (own.place) }
                button name="order" value="take-off" formnovalidate { (own.take_off) }
            }
            p.about { (own.click_about) }
            div.map-scroll {
                div.map-frame.fixed {
                    input.brought[is_brought] type="image" name="at" src=(image) alt=(own.click_alt) width=(width) height=(height) formnovalidate;
                    svg.map-marks xmlns="http://www.w3.org/2000/svg" aria-hidden="true" {
                        @for (id, name) in buildings {
                            @if let Some(place) = known.places.get(id) { (mark_at(*place, Condition::NotTold, name, id == chosen)) }
                        }
                    }
                }
            }
        }
    }
}

fn plan_forms(visitor: &Visitor, known: &MapView) -> Markup {
    let own = visitor.map_words();
    let (size, side) = ((PLAN_BYTES_MAX >> 20).to_string(), SIDE_MAX.to_string());
    html! {
        @match &known.plan {
            Some(plan) => {
                p { (fill(own.plan_now, &[("width", &plan.width.to_string()), ("height", &plan.height.to_string())])) }
            }
            None => { p { (own.plan_none) } }
        }
        form.fields.map-bring method="post" action="/map/plan" enctype="multipart/form-data" {
            (visitor.key_field())
            label for="file" { (own.plan_file) }
            input #file name="plan" type="file" accept="image/png,image/jpeg" aria-describedby="about-plan" required;
            p.about #about-plan { (fill(own.plan_about, &[("size", &size), ("side", &side)])) }
            button { (own.plan_bring) }
        }
        @if known.plan.is_some() || !known.problems.is_empty() {
            form method="post" action="/map/plan/remove" { (visitor.key_field()) button { (own.plan_remove) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_read_to_a_tenth() {
        for (text, tenth) in [("0", 0), ("37.5", 375), ("37,5", 375), (" 100 ", 1_000), ("100.0", 1_000)] {
            assert_eq!(tenths(text), Some(tenth), "{text}");
        }
        for text in ["", "-1", "100.1", "1e2", "37.55", "x", "1.", ".5", "٣", "9999999999"] {
            assert_eq!(tenths(text), None, "{text}");
        }
    }

    #[test]
    fn a_click_is_where_it_was_on_the_plan_as_it_was_shown() {
        let click = |x, y| PlaceForm {
            building: String::new(),
            x: "1".into(),
            y: "1".into(),
            at_x: Some(x),
            at_y: Some(y),
            order: String::new(),
        };
        assert_eq!(place_of(&click(480, 288), (960, 576)), Some(PlaceView { x: 500, y: 500 }));
        assert_eq!(place_of(&click(0, 576), (960, 576)), Some(PlaceView { x: 0, y: 1_000 }));
        assert_eq!(place_of(&click(961, 0), (960, 576)), None, "beside it");
        assert_eq!(place_of(&click(0, 0), (960, 576)), Some(PlaceView { x: 10, y: 10 }), "no click: the numbers count");
        assert_eq!(place_of(&click(u32::MAX, 0), (960, 576)), None);
    }
}
