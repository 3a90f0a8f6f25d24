//! The state of a building, and its mark: a shape and a sign for each state, so that colour only repeats what they say.

use crate::clock;
use crate::console::words::{MapWords, fill};
use crate::http::caller::Caller;
use crate::http::shapes::map::PlaceView;
use crate::http::shapes::{AgentView, AlarmView};
use crate::map::PARTS;
use doorward_policy::directory::Directory;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::time::UnixMs;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// What there is to say of a building; the worst stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// So many of its doors deny everyone.
    LockedDown(usize, usize),
    /// Its doors have stopped deciding, for want of a fresh word.
    LeaseEnded,
    /// Its agent is not connected.
    NotReached,
    /// Nobody has looked at so many alarms of its agent.
    Alarm(usize),
    /// No agent has joined for it.
    NoAgent,
    /// Nothing is known of its agent to this visitor, and nothing is locked down.
    NotTold,
    /// Nothing is wrong.
    Well,
}

impl Condition {
    /// Its class, shape and sign.
    fn look(self) -> (&'static str, Markup, &'static str) {
        let circle = html! { circle.shape r="14" {} };
        let path = |d: &str| html! { path.shape d=(d) {} };
        match self {
            Self::LockedDown(..) => ("locked-down", path("M-14-14h28v28h-28z"), "×"),
            Self::LeaseEnded => ("lease-ended", path("M0-18 18 0 0 18-18 0z"), "–"),
            Self::NotReached => ("not-reached", path("M0-20 19 13h-38z"), "?"),
            Self::Alarm(_) => ("alarmed", path("M-9-15h18l9 15-9 15h-18l-9-15z"), "!"),
            Self::NoAgent => ("no-agent", circle, "·"),
            Self::NotTold => ("not-told", circle, ""),
            Self::Well => ("well", circle, "✓"),
        }
    }

    /// In words.
    pub fn words(self, own: &MapWords) -> String {
        match self {
            Self::LockedDown(count, total) if count == total => own.locked_down.to_owned(),
            Self::LockedDown(count, total) => {
                fill(own.locked_down_some, &[("count", &count.to_string()), ("total", &total.to_string())])
            }
            Self::LeaseEnded => own.lease_ended.to_owned(),
            Self::NotReached => own.not_reached.to_owned(),
            Self::Alarm(count) => fill(own.alarms_open, &[("count", &count.to_string())]),
            Self::NoAgent => own.no_agent.to_owned(),
            Self::NotTold => own.not_told.to_owned(),
            Self::Well => own.well.to_owned(),
        }
    }
}

/// A building on the map.
#[derive(Debug)]
pub struct Building {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many doors it has.
    pub doors: usize,
    /// Its agent, for whoever may see that.
    pub agent: Option<String>,
    /// All that there is to say, the worst first; never nothing.
    pub conditions: Vec<Condition>,
}

impl Building {
    /// The worst.
    pub fn condition(&self) -> Condition {
        self.conditions.first().copied().unwrap_or(Condition::NotTold)
    }
}

/// The buildings in a caller's remit, by id.
pub fn buildings(
    directory: &Directory,
    caller: &Caller,
    agents: Option<&[AgentView]>,
    alarms: &[AlarmView],
) -> Vec<Building> {
    let (tables, now) = (directory.tables(), clock::wall());
    let mut doors: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for (id, door) in &tables.doors {
        let (shut, all) = doors.entry(&door.building).or_default();
        (*shut, *all) = (*shut + usize::from(directory.is_locked_down(id, door)), *all + 1);
    }
    let is_seen = |object| directory.allow(&caller.asker, Act::SeeDoors, object, now).is_ok();
    let seen = tables.buildings.iter().filter(|(id, _)| is_seen(Object::Building(id)));
    seen.map(|(id, building)| {
        let (shut, all) = doors.get(id).copied().unwrap_or_default();
        let agent = agents.and_then(|agents| agents.iter().find(|agent| agent.id == building.agent.as_str()));
        let mut conditions = agent.map(|agent| of_agent(agent, alarms, now)).unwrap_or_default();
        if shut > 0 {
            conditions.push(Condition::LockedDown(shut, all));
        }
        if conditions.is_empty() {
            conditions.push(if agent.is_some() { Condition::Well } else { Condition::NotTold });
        }
        conditions.sort();
        let agent = agent.map(|agent| agent.id.clone());
        Building { id: id.to_string(), name: building.name.clone(), doors: all, agent, conditions }
    })
    .collect()
}

/// What there is to say of an agent.
fn of_agent(agent: &AgentView, alarms: &[AlarmView], now: UnixMs) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let has_joined = agent.state == "enrolled";
    if !has_joined {
        conditions.push(Condition::NoAgent);
    } else if !agent.connected {
        conditions.push(Condition::NotReached);
        if agent.lease_ends_at.as_ref().is_some_and(|ends| ends.ms <= now.0) {
            conditions.push(Condition::LeaseEnded);
        }
    }
    let open = alarms.iter().filter(|alarm| !alarm.acknowledged && alarm.agent.as_deref() == Some(&*agent.id)).count();
    if open > 0 {
        conditions.push(Condition::Alarm(open));
    }
    conditions
}

/// The place of a building on an empty sheet: in rows, somewhat wider than high.
pub fn in_rows(index: usize, count: usize) -> PlaceView {
    let columns = (1..=count).find(|columns| columns * columns * 2 >= count * 3).unwrap_or(1);
    let rows = count.div_ceil(columns).max(1);
    let middle = |at: usize, of: usize| {
        let parts = (2 * at + 1) * usize::from(PARTS);
        u16::try_from(parts / (2 * of)).map_or(PARTS, |part| part.min(PARTS))
    };
    PlaceView { x: middle(index % columns, columns), y: middle(index / columns, rows) }
}

/// A mark on the plan, with a name beneath; of one size, however large the plan is shown.
pub fn mark_at(place: PlaceView, condition: Condition, name: &str, is_chosen: bool) -> Markup {
    let (class, shape, sign) = condition.look();
    let percent = |part: u16| format!("{}.{}%", part / 10, part % 10);
    html! {
        svg.map-mark.(class).chosen[is_chosen] x=(percent(place.x)) y=(percent(place.y)) {
            (shape)
            text.sign { (sign) }
            text.map-name y="32" { (name) }
        }
    }
}

/// A mark beside words.
pub fn mark(condition: Condition) -> Markup {
    let (class, shape, sign) = condition.look();
    html! {
        svg.map-mark.(class) viewBox="-21 -21 42 42" aria-hidden="true" {
            (shape)
            text.sign { (sign) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn every_building_has_a_place_of_its_own_on_an_empty_sheet() {
        for count in 1..200 {
            let places: BTreeSet<(u16, u16)> =
                (0..count).map(|index| in_rows(index, count)).map(|place| (place.x, place.y)).collect();
            assert_eq!(places.len(), count);
            assert!(places.iter().all(|(x, y)| (1..PARTS).contains(x) && (1..PARTS).contains(y)), "{places:?}");
        }
    }

    #[test]
    fn an_agent_that_is_not_reached_is_told_and_worse_once_its_lease_has_ended() {
        let now = UnixMs(1_000);
        let told = |state: &str, connected: bool, ends_ms: Option<i64>, acknowledged: bool| {
            let ends = ends_ms.map(|ms| json!({ "text": "t", "ms": ms }));
            let agent = json!({
                "id": "a", "buildings": [], "doors": 1, "state": state, "connected": connected, "lease_ends_at": ends,
            });
            let alarm = json!({
                "id": 1, "at": { "text": "t", "ms": 1 }, "kind": "clock", "agent": "a", "text": "t", "acknowledged": acknowledged,
            });
            let agent: AgentView = serde_json::from_value(agent).unwrap();
            let mut conditions = of_agent(&agent, &[serde_json::from_value(alarm).unwrap()], now);
            conditions.sort();
            conditions
        };
        assert_eq!(told("enrolled", true, Some(1), true), [], "a fresh word is on its way to whoever is connected");
        assert_eq!(told("enrolled", false, Some(1_001), true), [Condition::NotReached]);
        assert_eq!(told("enrolled", false, None, true), [Condition::NotReached], "without a lease none ends");
        assert_eq!(told("enrolled", false, Some(1_000), true), [Condition::LeaseEnded, Condition::NotReached]);
        assert_eq!(told("invited", false, None, false), [Condition::Alarm(1), Condition::NoAgent]);
    }

    #[test]
    fn no_two_states_look_the_same_without_colour() {
        let all = [
            Condition::LockedDown(1, 2),
            Condition::LeaseEnded,
            Condition::NotReached,
            Condition::Alarm(1),
            Condition::NoAgent,
            Condition::NotTold,
            Condition::Well,
        ];
        let looks: BTreeSet<(String, &str)> = all.map(|one| (one.look().1.into_string(), one.look().2)).into();
        assert_eq!(looks.len(), all.len());
        assert!(all.is_sorted(), "the worst stands first");
    }
}
