//! What a grant or a request is, in words and by the names that people use; and what it would change.
//!
//! Deliberately no name of a person whom the visitor may not see: there stands the id alone, as the API says it.

use super::said;
use crate::clock;
use crate::console::Site;
use crate::console::page::{door_name, unit_name};
use crate::console::visit::{Visitor, percent};
use crate::console::words::fill;
use crate::http::shapes::requests::{DoorEffect, EffectView, GrantTerms};
use doorward_policy::directory::Directory;
use doorward_policy::model::{PersonId, Subject, Target};
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_protocol::id::DoorId;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Most doors of an effect that are listed.
const DOORS_MAX: usize = 60;

/// Whom it lets in.
pub fn who(site: &Site, visitor: &Visitor, terms: &GrantTerms) -> String {
    let words = said(visitor);
    let present = site.api.authority.present();
    let directory = &present.directory;
    let within = terms.within.as_deref().map(|unit| unit_name(directory, unit));
    match (&terms.subject, within) {
        (Subject::Unit(unit), _) => fill(words.who_unit, &[("unit", &unit_name(directory, unit.as_str()))]),
        (Subject::Category(category), None) => fill(words.who_category, &[("category", category.as_str())]),
        (Subject::Category(category), Some(unit)) => {
            fill(words.who_category_of, &[("category", category.as_str()), ("unit", &unit)])
        }
        (Subject::Person(person), None) => person_name(directory, visitor, person),
        (Subject::Person(person), Some(unit)) => {
            let person = person_name(directory, visitor, person);
            fill(words.who_person_of, &[("person", &person), ("unit", &unit)])
        }
    }
}

fn person_name(directory: &Directory, visitor: &Visitor, id: &PersonId) -> String {
    let asker = visitor.caller.as_ref().map(|caller| &caller.asker);
    let is_seen =
        asker.is_some_and(|asker| directory.allow(asker, Act::SeeCards, Object::Person(id), clock::wall()).is_ok());
    let known = directory.tables().people.get(id).filter(|_| is_seen);
    known.map_or_else(|| id.to_string(), |person| format!("{} ({id})", person.name))
}

/// Where it lets in.
pub fn place(site: &Site, visitor: &Visitor, target: &Target) -> String {
    let present = site.api.authority.present();
    match target {
        Target::Door(door) => door_name(&present.directory, door.as_str()),
        Target::Building(building) => {
            let known = present.directory.tables().buildings.get(building);
            let name = known.map_or_else(|| building.to_string(), |known| known.name.clone());
            fill(said(visitor).where_building, &[("building", &name)])
        }
    }
}

/// Whom and where, in one line.
pub fn title(site: &Site, visitor: &Visitor, terms: &GrantTerms) -> String {
    let (who, place) = (who(site, visitor, terms), place(site, visitor, &terms.target));
    fill(said(visitor).terms, &[("who", &who), ("place", &place)])
}

/// At which hours.
pub fn hours<'a>(visitor: &Visitor, terms: &'a GrantTerms) -> &'a str {
    terms.schedule.as_deref().unwrap_or(said(visitor).any_hour)
}

/// On which days.
pub fn days(visitor: &Visitor, terms: &GrantTerms) -> String {
    let from = terms.from.as_ref().map(|day| fill(said(visitor).from, &[("day", day)]));
    let until = terms.until.as_ref().map(|day| fill(visitor.words().until, &[("day", day)]));
    let parts = from.into_iter().chain([until.unwrap_or_else(|| visitor.words().no_end.to_owned())]);
    parts.collect::<Vec<_>>().join(", ")
}

/// Whom, where and when, as facts of a list.
pub fn facts(site: &Site, visitor: &Visitor, terms: &GrantTerms) -> Markup {
    let words = said(visitor);
    html! {
        dt { (words.for_whom) }
        dd { (who(site, visitor, terms)) }
        dt { (words.place) }
        dd {
            @let name = place(site, visitor, &terms.target);
            @match &terms.target {
                Target::Door(door) => { a href={ "/doors/" (percent(door.as_str())) } { (name) } }
                Target::Building(building) => { a href={ "/buildings/" (percent(building.as_str())) } { (name) } }
            }
        }
        dt { (words.hours) }
        dd { (hours(visitor, terms)) }
        dt { (words.days) }
        dd { (days(visitor, terms)) }
    }
}

/// In which direction an effect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The grant is given.
    Giving,
    /// It ends.
    Ending,
}

/// What it would change.
pub fn effect(site: &Site, visitor: &Visitor, of: Of, effect: &EffectView) -> Markup {
    let words = said(visitor);
    let (sentence, gain, more, have) = match of {
        Of::Giving => (words.effect_people, words.effect_gain, words.effect_more, words.effect_have),
        Of::Ending => (words.ending_people, words.ending_lose, words.ending_less, words.ending_have),
    };
    let count = |number: usize| number.to_string();
    let agents = agents_of(site, &effect.doors);
    let (people, gaining) = (count(effect.people), count(effect.gaining));
    let doors = [("doors", count(effect.doors.len())), ("agents", count(agents))];
    let doors = doors.each_ref().map(|(name, count)| (*name, count.as_str()));
    html! {
        p.sentence {
            @if effect.people == 0 { (words.effect_none) }
            @else { (fill(sentence, &[("people", &people), ("gaining", &gaining)])) }
            " " (fill(words.effect_doors, &doors))
        }
        table.effect.ending[of == Of::Ending] {
            thead {
                tr {
                    th scope="col" { (visitor.words().door) }
                    th scope="col" { (gain) }
                    th scope="col" { (more) }
                    th scope="col" { (have) }
                    th scope="col" { (words.effect_without) }
                }
            }
            tbody {
                @for door in effect.doors.iter().take(DOORS_MAX) {
                    tr {
                        th scope="row" { (door.name) " " span.fine { (door.door) } }
                        td.gains[door.gain > 0] data-label=(gain) { (door.gain) }
                        td.gains[door.more > 0] data-label=(more) { (door.more) }
                        td data-label=(have) { (door.have) }
                        td data-label=(words.effect_without) { (door.without) }
                    }
                }
            }
        }
        @if effect.doors.len() > DOORS_MAX {
            p { (fill(words.first_shown, &[("count", &count(effect.doors.len()))])) }
        }
        p.about { (words.effect_about) }
    }
}

/// How many agents control these doors.
fn agents_of(site: &Site, doors: &[DoorEffect]) -> usize {
    let present = site.api.authority.present();
    let known = doors.iter().filter_map(|door| DoorId::new(&door.door).ok());
    let agents: BTreeSet<String> =
        known.filter_map(|door| present.directory.agent_of(&door).map(ToString::to_string)).collect();
    agents.len()
}
