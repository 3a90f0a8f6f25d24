//! How long what is known of people is kept: what a campus says of each kind, and from which day on something is too old.
//!
//! Deliberately without deleting anything: that is the shell's, and what stands in the directory changes by commands alone.

use crate::directory::Directory;
use crate::model::{CalendarSpan, PersonId};
use crate::zone::zone;
use doorward_protocol::time::{Day, UnixMs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Taps, counted from the day on which they came home.
    AccessRecords,
    /// Alarms that somebody has looked at.
    Alarms,
    /// Who asked about whom.
    Looks,
    /// Photos of people who have left.
    Photos,
    /// All that is known of people whom folders name no more.
    ClosedAccounts,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::AccessRecords, Self::Alarms, Self::Looks, Self::Photos, Self::ClosedAccounts];

    /// The name in `campus.toml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessRecords => "access_records",
            Self::Alarms => "alarms",
            Self::Looks => "looks",
            Self::Photos => "photos",
            Self::ClosedAccounts => "closed_accounts",
        }
    }

    /// What is counted, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AccessRecords => "access records, from the day on which they came home",
            Self::Alarms => "alarms that somebody has looked at",
            Self::Looks => "who asked about whom",
            Self::Photos => "photos of people, from the day on which they left",
            Self::ClosedAccounts => "all that is known of people whom neither folder nor feed names any more",
        }
    }
}

/// How long each kind is kept; what is not named is kept without end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention(BTreeMap<Kind, CalendarSpan>);

impl Retention {
    /// Keeps a kind for so long.
    pub fn keep(&mut self, kind: Kind, span: CalendarSpan) {
        self.0.insert(kind, span);
    }

    /// How long a kind is kept; `None`: without end.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<CalendarSpan> {
        self.0.get(&kind).copied()
    }
}

impl Directory {
    /// The local day of the campus at an instant; `None` before the first import.
    #[must_use]
    pub fn day_at(&self, at: UnixMs) -> Option<Day> {
        Some(zone(&self.policy()?.time_zone)?.local(at)?.day)
    }

    /// The first day of which something of this kind is still kept; `None`: everything is.
    #[must_use]
    pub fn kept_since(&self, kind: Kind, now: UnixMs) -> Option<Day> {
        let span = self.policy()?.retention.of(kind)?;
        Some(span.before(self.day_at(now)?))
    }

    /// The first day on which somebody has left: as the folder says, or the day after the last affiliation; `None` for who has
    /// an affiliation without end, or none at all.
    #[must_use]
    pub fn left_on(&self, person: &PersonId) -> Option<Day> {
        let person = self.tables().people.get(person)?;
        let ends: Option<Vec<Day>> = person.affiliations.iter().map(|affiliation| affiliation.days.until).collect();
        person.left_on.or_else(|| Some(ends?.into_iter().max()?.plus(1)))
    }

    /// People of whom nothing is to be known any longer.
    pub fn with_closed_accounts(&self, now: UnixMs) -> impl Iterator<Item = &PersonId> {
        let since = self.kept_since(Kind::ClosedAccounts, now);
        let is_old = move |left_on: Option<Day>| left_on.zip(since).is_some_and(|(left_on, since)| left_on < since);
        let people = self.tables().people.iter().filter(move |(id, known)| is_old(known.left_on) && self.is_gone(id));
        people.map(|(id, _)| id)
    }

    /// People whose photos are kept no longer.
    pub fn with_old_photos(&self, now: UnixMs) -> impl Iterator<Item = &PersonId> {
        let since = self.kept_since(Kind::Photos, now);
        self.photos()
            .keys()
            .filter(move |person| self.left_on(person).zip(since).is_some_and(|(left_on, since)| left_on < since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::difference::Difference;
    use crate::photo::PhotoOrder;
    use crate::testing::{at, campus, directory, id, take};
    use doorward_protocol::id::Hash;

    fn keeping(kind: Kind, span: CalendarSpan) -> Directory {
        let (mut directory, mut folder) = (directory(), campus());
        folder.policy.retention.keep(kind, span);
        let difference = Box::new(Difference::between(&directory, &folder));
        assert!(!take(&mut directory, Command::Import { difference }).unwrap().everything, "no door is touched");
        directory
    }

    #[test]
    fn what_is_not_named_is_kept_without_end_and_what_is_named_counts_local_days() {
        let directory = keeping(Kind::Looks, CalendarSpan::Months(1));
        assert_eq!(directory.kept_since(Kind::Alarms, at("2026-03-31T12:00:00Z")), None);
        // In Seoul it is the next day already.
        let since = directory.kept_since(Kind::Looks, at("2026-03-30T16:00:00Z"));
        assert_eq!(since, Day::parse("2026-02-28"), "a month before the 31st");
    }

    #[test]
    fn a_photo_is_old_so_long_after_its_person_has_left_and_never_before() {
        let mut directory = keeping(Kind::Photos, CalendarSpan::Days(30));
        for person in ["old", "ann", "bob"] {
            let (person, image) = (id(person), Hash([7; 32]));
            take(&mut directory, Command::Photo(PhotoOrder::Submit { person, image })).unwrap();
        }
        let old = |text: &str| directory.with_old_photos(at(text)).map(ToString::to_string).collect::<Vec<_>>();
        assert!(old("2026-05-01T03:00:00Z").is_empty(), "30 days after 1 April");
        assert_eq!(old("2026-05-02T03:00:00Z"), ["old"]);
        assert_eq!(old("2090-01-01T00:00:00Z"), ["old"], "who has an affiliation without end is here");
    }

    #[test]
    fn an_account_is_closed_since_folders_name_its_person_no_more() {
        let (mut directory, mut folder) = (keeping(Kind::ClosedAccounts, CalendarSpan::Days(30)), campus());
        folder.policy.retention.keep(Kind::ClosedAccounts, CalendarSpan::Days(30));
        folder.tables.people.remove(&id("old"));
        folder.tables.cards.retain(|_, card| card.person != id("old"));
        let difference = Box::new(Difference::between(&directory, &folder));
        take(&mut directory, Command::Import { difference }).unwrap();
        let closed = |text: &str| directory.with_closed_accounts(at(text)).map(ToString::to_string).collect::<Vec<_>>();
        assert!(closed("1970-01-31T03:00:00Z").is_empty());
        assert_eq!(closed("1970-02-01T03:00:00Z"), ["old"], "and nobody else, whenever they left");
    }

    #[test]
    fn who_has_no_day_of_leaving_has_left_after_the_last_affiliation() {
        let (mut directory, mut folder) = (directory(), campus());
        let ann = folder.tables.people.get_mut(&id("ann")).unwrap();
        ann.affiliations = std::mem::take(&mut ann.affiliations)
            .into_iter()
            .map(|mut affiliation| {
                affiliation.days.until = Day::parse("2026-06-30");
                affiliation
            })
            .collect();
        let difference = Box::new(Difference::between(&directory, &folder));
        take(&mut directory, Command::Import { difference }).unwrap();
        assert_eq!(directory.left_on(&id("ann")), Day::parse("2026-07-01"));
        assert_eq!(directory.left_on(&id("sue")), None);
        assert_eq!(directory.left_on(&id("old")), Day::parse("2026-04-01"));
    }
}
