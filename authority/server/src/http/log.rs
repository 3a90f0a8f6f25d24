//! The access log: what was answered at doors, and, followed, what happens from now on, alarms included.

use super::caller::Caller;
use super::extract::Params;
use super::lines::{Lines, lines};
use super::questions::parse_instant;
use super::shapes::{LogLine, RecordView};
use super::{Api, Failure, alarms, at, blocking};
use crate::access::{Filter, RecordRow, StoreError};
use axum::extract::State;
use axum::response::Response;
use doorward_policy::model::{BuildingId, CardId, PersonId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::decide::Reason;
use doorward_protocol::id::DoorId;
use doorward_protocol::problem::{did_you_mean, shown};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many records unless the request says so.
const LIMIT: u32 = 100;
/// Most records at once.
const LIMIT_MAX: u32 = 100_000;
/// How many new records a follower reads at once.
const FOLLOW_MAX: u32 = 1_000;

#[derive(Debug, Default, Deserialize)]
pub struct Narrow {
    pub(crate) door: Option<String>,
    pub(crate) card: Option<String>,
    pub(crate) person: Option<String>,
    pub(crate) building: Option<String>,
    pub(crate) decision: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) follow: bool,
}

impl Narrow {
    /// Whether the caller may read what is asked for, and in words what that is: whose remit is a part of the campus names what lies in it. A follower
    /// hears of alarms, too.
    fn check(&self, api: &Api, caller: &Caller) -> Result<String, Failure> {
        if self.follow {
            caller.may(api, Act::SeeAgents, Object::Campus)?;
        }
        let Self { door, card, person, .. } = self;
        let door = door.as_deref().and_then(|door| DoorId::new(door).ok());
        let card = card.as_deref().and_then(|card| CardId::new(card).ok());
        let person = person.as_deref().and_then(|person| PersonId::new(person).ok());
        let named = door.as_ref().map(Object::Door).or_else(|| card.as_ref().map(Object::Card));
        let named = named.or_else(|| person.as_ref().map(Object::Person));
        let building = self.building.as_deref().and_then(|building| BuildingId::new(building).ok());
        let named = named.or_else(|| building.as_ref().map(Object::Building)).unwrap_or(Object::Campus);
        let hint = "name a door, card, person or building that lies in your remit";
        caller.may(api, Act::ReadLog, named).map_err(|failure| failure.with_hint(hint))?;
        let about = person.as_ref().map(Object::Person).or_else(|| card.as_ref().map(Object::Card));
        Ok(about.unwrap_or(named).to_string())
    }

    /// What the store is asked for.
    fn filter(self, api: &Api) -> Result<Filter, Failure> {
        if let Some(reason) = &self.reason
            && !Reason::ALL.iter().any(|known| known.as_str() == reason)
        {
            let near = did_you_mean(reason, Reason::ALL.map(Reason::as_str));
            let known = Reason::ALL.map(Reason::as_str).join(", ");
            let failure = Failure::bad(format!("{} is no reason{near}", shown(reason)));
            return Err(failure.with_hint(format!("reasons are {known}")));
        }
        let granted = match self.decision.as_deref() {
            None => None,
            Some("grant") => Some(true),
            Some("deny") => Some(false),
            Some(other) => return Err(Failure::bad(format!("{} is neither grant nor deny", shown(other)))),
        };
        let building = self.building.as_deref().map(|id| BuildingId::new(id).map_err(Failure::of_id("building", id)));
        Ok(Filter {
            since: self.since.as_deref().map(parse_instant).transpose()?,
            until: self.until.as_deref().map(parse_instant).transpose()?,
            doors: building.transpose()?.map(|building| doors_of(api, &building)),
            granted,
            door: self.door,
            card: self.card,
            person: self.person,
            reason: self.reason,
            ..Filter::default()
        })
    }
}

/// The doors of a building.
pub fn doors_of(api: &Api, building: &BuildingId) -> BTreeSet<String> {
    let present = api.authority.present();
    let doors = present.directory.tables().doors.iter().filter(|(_, door)| door.building == *building);
    doors.map(|(id, _)| id.to_string()).collect()
}

/// The newest access records that fit, newest first, and the one before which to look on: a page of the console.
pub async fn page(
    api: &Arc<Api>,
    caller: &Caller,
    narrow: Narrow,
    before: Option<u64>,
) -> Result<(Vec<RecordView>, Option<u64>), Failure> {
    let about = narrow.check(api, caller)?;
    caller.looks(api, "log", about).await;
    let limit = narrow.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let filter = Filter { before_id: before, ..narrow.filter(api)? };
    let store = api.authority.store.clone();
    let rows = blocking(move || store.records(&filter, limit)).await??;
    let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
    let next = rows.first().map(|row| row.id).filter(|id| is_full && *id > 1);
    Ok((rows.into_iter().rev().map(|row| view(api, row)).collect(), next))
}

/// The newest access records that fit, oldest of them first; with `follow`, then new ones and alarms as they come.
#[utoipa::path(get, path = "/v1/log",
    params(("door" = Option<String>, Query, description = "At this door"),
        ("card" = Option<String>, Query, description = "With this card"),
        ("person" = Option<String>, Query, description = "By this person"),
        ("building" = Option<String>, Query, description = "At the doors of this building"),
        ("decision" = Option<String>, Query, description = "`grant` or `deny`"),
        ("since" = Option<String>, Query, description = "From this instant on, RFC 3339"),
        ("until" = Option<String>, Query, description = "Before this instant, RFC 3339"),
        ("reason" = Option<String>, Query, description = "With this reason"),
        ("limit" = Option<u32>, Query, description = "How many at most"),
        ("follow" = Option<bool>, Query, description = "Go on with what happens from now on")),
    responses((status = 200, body = LogLine, content_type = "application/x-ndjson")))]
pub async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(narrow): Params<Narrow>,
) -> Result<Response, Failure> {
    let about = narrow.check(&api, &caller)?;
    caller.looks(&api, "log", about).await;
    let limit = narrow.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
    let is_followed = narrow.follow;
    let filter = narrow.filter(&api)?;
    let (store, wanted) = (api.authority.store.clone(), filter.clone());
    // Ends are taken before the first look, so that nothing falls between it and the next.
    let read = move || Ok((store.newest_record()?, store.newest_alarm()?, store.records(&wanted, limit)?));
    let read: Result<_, StoreError> = blocking(read).await?;
    let (records_end, alarms_end, rows) = read?;
    let (lines, response) = lines();
    tokio::spawn(async move {
        let mut newest = records_end;
        for row in rows {
            newest = newest.max(row.id);
            if !lines.send(&LogLine::Record(view(&api, row))).await {
                return;
            }
        }
        if is_followed {
            // An error of the store ends the stream; the reader sees that it ended and may ask again.
            let _ended = follow(&api, filter, (newest, alarms_end), &lines).await;
        }
    });
    Ok(response)
}

async fn follow(api: &Api, filter: Filter, after: (u64, u64), lines: &Lines) -> Result<(), StoreError> {
    let store = &api.authority.store;
    let (mut record, mut alarm) = after;
    let mut changes = store.changes();
    loop {
        changes.mark_unchanged();
        for row in store.alarms_after(alarm, FOLLOW_MAX)? {
            alarm = row.id;
            if !lines.send(&LogLine::Alarm(alarms::view(api, row))).await {
                return Ok(());
            }
        }
        let rows = store.records(&Filter { after_id: Some(record), ..filter.clone() }, FOLLOW_MAX)?;
        if rows.is_empty() {
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| StoreError::Closed)?,
                () = lines.closed() => return Ok(()),
            }
        }
        for row in rows {
            record = row.id;
            if !lines.send(&LogLine::Record(view(api, row))).await {
                return Ok(());
            }
        }
    }
}

pub fn view(api: &Api, row: RecordRow) -> RecordView {
    RecordView {
        agent: row.agent,
        incarnation: row.incarnation,
        seq: row.seq,
        at: api.when(row.at),
        door: row.door,
        card: row.card,
        person: row.person,
        credential: row.credential,
        factors: row.factors,
        decision: if row.granted { "grant" } else { "deny" }.to_owned(),
        reason: row.reason,
        position: at(row.position),
        received_at: api.when(row.received_at),
    }
}
