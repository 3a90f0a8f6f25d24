//! Taps in numbers: per hour, per door, and why doors refused; drawn here, each with its numbers as a table.

use super::log::buildings;
use super::plot::{self, Column, Said};
use super::{framed, given};
use crate::clock;
use crate::console::Site;
use crate::console::page::{door_name, time};
use crate::console::visit::Visitor;
use crate::console::words::{RecordsWords, fill};
use crate::http::caller::Caller;
use crate::http::counts::{self, Span};
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::shapes::records::{LogCounts, TapCount};
use axum::extract::State;
use axum::response::Response;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// More columns than these are days instead of hours.
const DAY_LENGTH: usize = 10;
/// The place of a column's name below the drawing: about so many of them.
const TICKS: usize = 6;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    span: String,
    building: String,
}

impl Which {
    fn days(&self) -> i64 {
        match self.span.as_str() {
            "week" => 7,
            "month" => 30,
            _ => 1,
        }
    }
}

/// The plots.
pub async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Response, Failure> {
    let words = RecordsWords::of(visitor.language);
    let asks_first = which.building.is_empty() && !visitor.may(&site, Act::ReadLog, Object::Campus);
    let counts = if asks_first {
        caller.may_somewhere(&site.api, Act::ReadLog)?;
        None
    } else {
        let since = clock::wall().plus_ms(-which.days() * DAY_MS).to_utc_text();
        let span = Span { since: Some(since), until: None, building: given(&which.building) };
        Some(counts::taps(State(Arc::clone(&site.api)), caller, Params(span)).await?.0)
    };
    let body = html! {
        h1 { (words.plots) }
        p.about {
            (words.plots_about)
            @if let Some(counts) = &counts { " " (time(&counts.since)) " – " (time(&counts.until)) }
        }
        (filter(&site, &visitor, &which))
        @if let Some(counts) = &counts {
            @if counts.more { p.bad { (fill(words.counted_some, &[("count", &counts.counted.to_string())])) } }
            (over_time(words, &visitor, counts, which.days() > 7))
            (by_door(&site, &visitor, counts))
            (refusals(&visitor, counts))
        }
    };
    Ok(framed(&site, &visitor, words.plots, &body))
}

fn filter(site: &Site, visitor: &Visitor, which: &Which) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let spans = [("day", words.span_day), ("week", words.span_week), ("month", words.span_month)];
    html! {
        form.filter.many method="get" action="/plots" {
            div {
                label for="span" { (words.span) }
                select #span name="span" {
                    @for (name, word) in spans { option value=(name) selected[name == which.span] { (word) } }
                }
            }
            (buildings(site, visitor, &which.building))
            button.main { (visitor.words().filter) }
        }
    }
}

/// Hours or days by how they are called, each with its taps.
fn named(counts: &LogCounts, by_day: bool) -> Vec<(String, TapCount)> {
    let mut named: Vec<(String, TapCount)> = Vec::new();
    for hour in &counts.hours {
        let text = hour.at.text.replace('T', " ");
        let name = text.get(..if by_day { DAY_LENGTH } else { DAY_LENGTH + 6 }).unwrap_or(&text).to_owned();
        match named.last_mut().filter(|(last, _)| by_day && *last == name) {
            Some((_, taps)) => {
                taps.granted = taps.granted.saturating_add(hour.taps.granted);
                taps.denied = taps.denied.saturating_add(hour.taps.denied);
            }
            None => named.push((name, hour.taps)),
        }
    }
    named
}

fn over_time(words: &RecordsWords, visitor: &Visitor, counts: &LogCounts, by_day: bool) -> Markup {
    let frame = visitor.words();
    let named = named(counts, by_day);
    let title = if by_day { words.per_day } else { words.per_hour };
    let columns: Vec<Column> = named.iter().map(|(_, taps)| Column { good: taps.granted, bad: taps.denied }).collect();
    let most = named.iter().map(|(_, taps)| taps.granted.saturating_add(taps.denied)).max().unwrap_or(0);
    let about = fill(words.columns_about, &[("count", &counts.counted.to_string()), ("most", &most.to_string())]);
    let ticks = named.iter().step_by(named.len().div_ceil(TICKS).max(1)).map(|(name, _)| short(name));
    let rows: Vec<Vec<String>> = named
        .iter()
        .filter(|(_, taps)| taps.granted.saturating_add(taps.denied) > 0)
        .map(|(name, taps)| vec![name.clone(), taps.granted.to_string(), taps.denied.to_string()])
        .collect();
    let header = if by_day { words.day } else { words.hour };
    html! {
        section #over-time aria-labelledby="time" {
            h2 #time { (title) }
            p.legend { span.key { (frame.granted) } span.key.away { (frame.denied) } }
            (plot::columns(Said { id: "taps", title, about: &about }, &columns, &ticks.collect::<Vec<_>>()))
            p.about { (about) }
            (plot::numbers(words.numbers, &[header, frame.granted, frame.denied], &rows))
        }
    }
}

/// A time without its year, for below a drawing.
fn short(name: &str) -> String {
    name.get(5..).unwrap_or(name).to_owned()
}

fn by_door(site: &Site, visitor: &Visitor, counts: &LogCounts) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let all = |taps: TapCount| taps.granted.saturating_add(taps.denied);
    let most = counts.doors.iter().map(|door| all(door.taps)).max().unwrap_or(0);
    let present = site.api.authority.present();
    let shown = [("shown", counts.doors.len().to_string()), ("count", counts.doors_count.to_string())];
    let shown: Vec<(&str, &str)> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
    html! {
        section #by-door aria-labelledby="doors" {
            h2 #doors { (words.per_door) }
            @if counts.doors.is_empty() { p { (words.nothing_fits) } }
            @else {
                p.about { (fill(words.doors_shown, &shown)) }
                table.bars {
                    thead {
                        tr {
                            th scope="col" { (frame.door) }
                            th scope="col" { (frame.granted) }
                            th scope="col" { (frame.denied) }
                        }
                    }
                    tbody {
                        @for door in &counts.doors {
                            tr {
                                th scope="row" {
                                    (door_name(&present.directory, &door.door))
                                    (plot::bar(door.taps.granted, door.taps.denied, most))
                                }
                                td { (door.taps.granted) }
                                td { (door.taps.denied) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn refusals(visitor: &Visitor, counts: &LogCounts) -> Markup {
    let (frame, words) = (visitor.words(), RecordsWords::of(visitor.language));
    let most = counts.reasons.iter().map(|reason| reason.count).max().unwrap_or(0);
    html! {
        section #by-reason aria-labelledby="reasons" {
            h2 #reasons { (words.refusals) }
            @if counts.reasons.is_empty() { p { (words.nothing_fits) } }
            @else {
                table.bars {
                    thead { tr { th scope="col" { (frame.reason) } th scope="col" { (words.count) } } }
                    tbody {
                        @for reason in &counts.reasons {
                            tr {
                                th scope="row" { (frame.reason(&reason.reason)) (plot::bar(0, reason.count, most)) }
                                td { (reason.count) }
                            }
                        }
                    }
                }
            }
        }
    }
}
