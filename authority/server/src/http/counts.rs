//! How many taps there were, hour by hour, door by door, and why doors refused; and how long removals took.

use super::caller::Caller;
use super::extract::Params;
use super::log;
use super::questions::parse_instant;
use super::shapes::Fault;
use super::shapes::records::{DoorCount, HourCount, LogCounts, ReasonCount, RemovalTime, RemovalTimes, TapCount};
use super::{Api, Failure, blocking};
use crate::access::{Count, Counts, Filter, QUARTER_MS, RemovalTimes as Times};
use crate::clock;
use axum::Json;
use axum::extract::State;
use doorward_policy::model::BuildingId;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::time::{UnixMs, Zone};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far back it is counted unless the request says so: a day.
const SPAN_MS: i64 = 86_400_000;
/// The longest time in which is counted: some more than a month.
const SPAN_MS_MAX: i64 = 32 * 86_400_000;
/// Most doors in an answer.
const DOORS_MAX: u32 = 20;
/// How many removals unless the request says so.
const LIMIT: u32 = 200;
/// Most removals at once.
const LIMIT_MAX: u32 = 1_000;

#[derive(Debug, Default, Deserialize)]
pub struct Span {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) building: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Newest {
    pub(crate) limit: Option<u32>,
}

/// How many taps there were: by hour on the campus's clock, by door, and refusals by reason.
#[utoipa::path(get, path = "/v1/log/counts",
    params(("since" = Option<String>, Query, description = "From this instant on, RFC 3339; a day before the end when absent"),
        ("until" = Option<String>, Query, description = "Before this instant, RFC 3339; now when absent"),
        ("building" = Option<String>, Query, description = "At the doors of this building")),
    responses((status = 200, body = LogCounts), (status = 403, body = Fault)))]
pub async fn taps(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(span): Params<Span>,
) -> Result<Json<LogCounts>, Failure> {
    let building = span.building.as_deref().map(|id| BuildingId::new(id).map_err(Failure::of_id("building", id)));
    let building = building.transpose()?;
    let object = building.as_ref().map_or(Object::Campus, Object::Building);
    let hint = "name a building that lies in your remit";
    caller.may(&api, Act::ReadLog, object).map_err(|failure| failure.with_hint(hint))?;
    let until = span.until.as_deref().map_or_else(|| Ok(clock::wall()), parse_instant)?;
    let since = span.since.as_deref().map_or_else(|| Ok(until.plus_ms(-SPAN_MS)), parse_instant)?;
    if !(1..=SPAN_MS_MAX).contains(&until.since_ms(since)) {
        return Err(Failure::bad("taps are counted in a time of up to 32 days that ends after it begins"));
    }
    let doors = building.map(|building| log::doors_of(&api, &building));
    let filter = Filter { since: Some(since), until: Some(until), doors, ..Filter::default() };
    let store = api.authority.store.clone();
    let counts = blocking(move || store.count(&filter, DOORS_MAX)).await??;
    Ok(Json(shaped(&api, since, until, counts)))
}

fn shaped(api: &Api, since: UnixMs, until: UnixMs, counts: Counts) -> LogCounts {
    let taps = |Count { granted, denied }| TapCount { granted, denied };
    let hours = by_hour(&api.authority.zone(), since, until, &counts.quarters);
    LogCounts {
        since: api.when(since),
        until: api.when(until),
        counted: counts.counted,
        more: counts.more,
        hours: hours.into_iter().map(|(at, count)| HourCount { at: api.when(at), taps: taps(count) }).collect(),
        doors: counts.doors.into_iter().map(|(door, count)| DoorCount { door, taps: taps(count) }).collect(),
        doors_count: counts.doors_count,
        reasons: counts.reasons.into_iter().map(|(reason, count)| ReasonCount { reason, count }).collect(),
    }
}

/// Each hour of the campus's clock that lies in a time, also in part, and its taps.
fn by_hour(zone: &Zone, since: UnixMs, until: UnixMs, quarters: &[(i64, Count)]) -> BTreeMap<UnixMs, Count> {
    let known: BTreeMap<i64, Count> = quarters.iter().copied().collect();
    let mut hours: BTreeMap<UnixMs, Count> = BTreeMap::new();
    let last = until.plus_ms(-1).0.div_euclid(QUARTER_MS);
    for quarter in since.0.div_euclid(QUARTER_MS)..=last {
        let begins = UnixMs(quarter.saturating_mul(QUARTER_MS));
        let into_hour = zone.local(begins).map_or(0, |local| i64::from(local.minute % 60));
        let hour = hours.entry(begins.plus_ms(into_hour.saturating_mul(-60_000))).or_default();
        *hour = hour.and(known.get(&quarter).copied().unwrap_or_default());
    }
    hours
}

/// How long the newest removals took until each agent had them on its disk.
#[utoipa::path(get, path = "/v1/removals",
    params(("limit" = Option<u32>, Query, description = "How many at most")),
    responses((status = 200, body = RemovalTimes), (status = 403, body = Fault)))]
pub async fn removals(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(Newest { limit }): Params<Newest>,
) -> Result<Json<RemovalTimes>, Failure> {
    caller.may(&api, Act::FollowChanges, Object::Campus)?;
    let limit = limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let asked = Arc::clone(&api);
    let times = blocking(move || asked.authority.closings.removal_times(limit)).await??;
    Ok(Json(RemovalTimes { removals: times.into_iter().map(|times| time(&api, times)).collect() }))
}

fn time(api: &Api, times: Times) -> RemovalTime {
    let Times { seq, at, command, agents } = times;
    let waiting = agents.iter().filter(|(_, durable)| durable.is_none()).map(|(agent, _)| agent.clone());
    let waiting = waiting.collect();
    let durable = agents.into_iter().filter_map(|(agent, durable)| Some((agent, durable?.since_ms(at).max(0))));
    RemovalTime { seq, at: api.when(at), command, durable_ms: durable.collect(), waiting }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_policy::zone::zone;

    #[test]
    fn hours_are_those_of_the_campus_also_where_they_begin_at_half_past_and_clocks_change() {
        let count = |granted| Count { granted, denied: 0 };
        let at = |text: &str| UnixMs::parse(text).unwrap();
        let hours = |name: &str, since: &str, until: &str, taps: &[&str]| {
            let quarters = taps.iter().map(|tap| (at(tap).0.div_euclid(QUARTER_MS), count(1))).collect::<Vec<_>>();
            let hours = by_hour(&zone(name).unwrap(), at(since), at(until), &quarters);
            hours.into_iter().map(|(at, count)| (at.to_utc_text(), count.granted)).collect::<Vec<_>>()
        };
        let kolkata = hours(
            "Asia/Kolkata",
            "2026-04-06T03:40:00Z",
            "2026-04-06T05:30:00Z",
            &["2026-04-06T04:29:59Z", "2026-04-06T04:30:00Z"],
        );
        let expected = [("2026-04-06T03:30:00Z", 1), ("2026-04-06T04:30:00Z", 1)];
        assert_eq!(kolkata, expected.map(|(text, count)| (text.to_owned(), count)));
        let zagreb = hours("Europe/Zagreb", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", &[]);
        assert_eq!(zagreb.len(), 25, "the day on which an hour comes twice");
    }
}
