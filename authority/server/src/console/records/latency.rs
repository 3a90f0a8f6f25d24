//! How long removals took until agents had them on their disks, and which have not: what is not there is said apart from what was
//! slow.

use super::framed;
use super::plot::{self, Said};
use crate::console::Site;
use crate::console::page::time;
use crate::console::visit::Visitor;
use crate::console::words::{RecordsWords, fill};
use crate::http::caller::Caller;
use crate::http::counts::{self, Newest};
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::shapes::records::RemovalTimes;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many removals are looked at.
const LIMIT: u32 = 200;
/// How many of the slowest are named.
const SLOWEST: usize = 10;

/// The plot.
pub async fn show(State(site): State<Site>, visitor: Visitor, caller: Caller) -> Result<Response, Failure> {
    let newest = Params(Newest { limit: Some(LIMIT) });
    let Json(times) = counts::removals(State(Arc::clone(&site.api)), caller, newest).await?;
    let words = RecordsWords::of(visitor.language);
    let body = html! {
        h1 { (words.latency_title) }
        @if times.removals.is_empty() { p { (words.latency_none) } }
        @else {
            p.about { (fill(words.latency_about, &[("count", &times.removals.len().to_string())])) }
            (spread(words, &times))
            (waiting(&site, &visitor, &times))
            (slowest(&visitor, &times))
        }
    };
    Ok(framed(&site, &visitor, words.latency_title, &body))
}

fn spread(words: &RecordsWords, times: &RemovalTimes) -> Markup {
    let mut sorted: Vec<i64> = times.removals.iter().flat_map(|removal| removal.durable_ms.values().copied()).collect();
    sorted.sort_unstable();
    let at = |percent| plot::percentile(&sorted, percent);
    let (Some(half), Some(most), Some(longest)) = (at(50), at(99), at(100)) else { return html! {} };
    let count = sorted.len().to_string();
    let (half_said, most_said, longest_said) = (plot::length(half), plot::length(most), plot::length(longest));
    let values = [("count", count.as_str()), ("median", &half_said), ("most", &most_said), ("longest", &longest_said)];
    let about = fill(words.spread_about, &values);
    let steps = plot::steps(&sorted);
    let rows = steps.into_iter().map(|(from, count)| vec![format!("≥ {}", plot::length(from)), count.to_string()]);
    html! {
        section aria-labelledby="spread" {
            h2 #spread { (words.confirmations) ": " (count) }
            dl.figures {
                div { dt { (words.median) } dd #median { (half_said) } }
                div { dt { (words.most) } dd #p99 { (most_said) } }
                div { dt { (words.longest) } dd #longest { (longest_said) } }
            }
            (plot::spread(Said { id: "latency", title: words.latency, about: &about }, &sorted, &[half, most]))
            (plot::numbers(words.numbers, &[words.takes, words.count], &rows.collect::<Vec<_>>()))
        }
    }
}

fn waiting(site: &Site, visitor: &Visitor, times: &RemovalTimes) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for agent in times.removals.iter().flat_map(|removal| &removal.waiting) {
        *waiting.entry(agent).or_default() += 1;
    }
    let is_connected = |agent: &str| agent.parse().is_ok_and(|agent| site.api.authority.hub.is_connected(&agent));
    html! {
        section aria-labelledby="waiting" {
            h2 #waiting { (words.waiting) }
            @if waiting.is_empty() { p { (words.waiting_none) } }
            @else {
                ul.cards.wide {
                    @for (agent, count) in &waiting {
                        li {
                            (fill(words.waiting_of, &[("agent", agent), ("count", &count.to_string())]))
                            @if is_connected(agent) { span.state.active { (words.connected) } }
                            @else { span.state.suspended { (words.silent) } }
                        }
                    }
                }
            }
        }
    }
}

fn slowest(visitor: &Visitor, times: &RemovalTimes) -> Markup {
    let words = RecordsWords::of(visitor.language);
    let mut slow: Vec<_> = times
        .removals
        .iter()
        .filter_map(|removal| {
            let (agent, ms) = removal.durable_ms.iter().max_by_key(|(_, ms)| **ms)?;
            Some((*ms, agent, removal))
        })
        .collect();
    slow.sort_by_key(|(ms, _, removal)| (std::cmp::Reverse(*ms), removal.seq));
    html! {
        @if !slow.is_empty() {
            section aria-labelledby="slowest" {
                h2 #slowest { (words.slowest) }
                table.records {
                    thead {
                        tr {
                            th scope="col" { (words.takes) }
                            th scope="col" { (words.what) }
                            th scope="col" { (words.agent) }
                            th scope="col" { (visitor.words().when) }
                        }
                    }
                    tbody {
                        @for (ms, agent, removal) in slow.iter().take(SLOWEST) {
                            tr {
                                td { (plot::length(*ms)) }
                                td { a href={ "/changes/" (removal.seq) } { (words.kind_of(&removal.command)) } }
                                td { (agent) }
                                td { (time(&removal.at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
