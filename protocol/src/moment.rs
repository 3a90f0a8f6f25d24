//! Instants and schedules in the form in which taps ask them: an instant is turned into local time once, and a schedule
//! then answers without a branch for each of its intervals.
//!
//! Means exactly what [`Schedule::contains`] and [`Zone::local`] say, which the tests hold it to.

use crate::facts::{Calendar, Interval, Schedule};
use crate::time::{Day, Local, UnixMs, Zone};

/// The local days that a zone can show, and the one before: from the last but one of 1969 to the first of 2100.
const DAYS: usize = 47_485;
/// What is added to a local day for its place among them.
const DAY_OFFSET: i32 = 2;
/// The place of a holiday's intervals, behind those of the weekdays.
const HOLIDAY: usize = 7;

/// Local time and holidays of a campus.
#[derive(Debug)]
pub struct Moments {
    zone: Zone,
    /// A bit for each of the [`DAYS`].
    holidays: Vec<u64>,
}

/// An instant as schedules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The local day.
    pub day: Day,
    minute: u16,
    today: Kind,
    yesterday: Kind,
}

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    weekday: u8,
    is_holiday: bool,
}

impl Moments {
    /// Of a calendar.
    #[must_use]
    pub fn new(calendar: &Calendar) -> Self {
        let mut holidays = vec![0; DAYS.div_ceil(64)];
        for day in &calendar.holidays {
            // Other days than these no instant falls on.
            if let Some((word, bit)) = bit_of(*day)
                && let Some(word) = holidays.get_mut(word)
            {
                *word |= bit;
            }
        }
        Self { zone: calendar.zone.clone(), holidays }
    }

    /// An instant, `None` outside of what the calendar covers.
    #[must_use]
    pub fn at(&self, at: UnixMs) -> Option<Moment> {
        let Local { day, minute } = self.zone.local(at)?;
        let yesterday = day.plus(-1);
        Some(Moment { day, minute, today: self.kind(day), yesterday: self.kind(yesterday) })
    }

    fn kind(&self, day: Day) -> Kind {
        let is_holiday =
            bit_of(day).is_some_and(|(word, bit)| self.holidays.get(word).is_some_and(|word| word & bit != 0));
        Kind { weekday: day.weekday(), is_holiday }
    }
}

fn bit_of(day: Day) -> Option<(usize, u64)> {
    let place = usize::try_from(day.0.checked_add(DAY_OFFSET)?).ok().filter(|place| *place < DAYS)?;
    Some((place / 64, 1 << (place % 64)))
}

/// A schedule with all of its intervals in a row: those of Monday to Sunday, then those of a holiday.
#[derive(Debug)]
pub struct CachedSchedule {
    intervals: Vec<Interval>,
    /// Where the intervals of each kind of day end.
    ends: [u32; HOLIDAY + 1],
    has_holiday: bool,
}

impl CachedSchedule {
    /// Of a schedule.
    #[must_use]
    pub fn new(schedule: &Schedule) -> Self {
        let mut intervals = Vec::new();
        let mut ends = [0; HOLIDAY + 1];
        let kinds = schedule.weekly.iter().map(Vec::as_slice).chain([schedule.holiday.as_deref().unwrap_or_default()]);
        for (of_kind, end) in kinds.zip(&mut ends) {
            intervals.extend_from_slice(of_kind);
            *end = u32::try_from(intervals.len()).unwrap_or(u32::MAX);
        }
        intervals.shrink_to_fit();
        Self { intervals, ends, has_holiday: schedule.holiday.is_some() }
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, moment: Moment) -> bool {
        let minute = moment.minute;
        let today = self.of_kind(moment.today).iter().fold(false, |holds, interval| {
            holds | (interval.start_min <= minute) & (interval.crosses_midnight() | (minute < interval.end_min))
        });
        let yesterday = self
            .of_kind(moment.yesterday)
            .iter()
            .fold(false, |holds, interval| holds | interval.crosses_midnight() & (minute < interval.end_min));
        today | yesterday
    }

    fn of_kind(&self, kind: Kind) -> &[Interval] {
        let place = if kind.is_holiday & self.has_holiday { HOLIDAY } else { usize::from(kind.weekday) };
        let end_of = |place: usize| self.ends.get(place).and_then(|end| usize::try_from(*end).ok()).unwrap_or_default();
        let begin = place.checked_sub(1).map_or(0, end_of);
        self.intervals.get(begin..end_of(place)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{ZONE_END, ZONE_START};

    #[test]
    fn every_instant_of_a_zone_has_its_day_among_those_of_holidays() {
        for offset in [-86_399, 0, 86_399] {
            let zone = Zone { first_offset_s: offset, transitions: Vec::new() };
            for at in [ZONE_START, ZONE_END.plus_ms(-1)] {
                let day = zone.local(at).unwrap().day;
                assert!(bit_of(day.plus(-1)).is_some() && bit_of(day).is_some(), "{day:?}");
            }
        }
    }

    #[test]
    fn a_schedule_holds_when_one_of_its_intervals_does() {
        let crossing = Interval { start_min: 1320, end_min: 210 };
        let interval = |start_min, end_min| Interval { start_min, end_min };
        let mut weekly: [Vec<Interval>; 7] = Default::default();
        weekly[0] = vec![interval(0, 1), interval(420, 1380), interval(1439, 1440)];
        weekly[2] = vec![crossing];
        weekly[6] = vec![interval(600, 600), crossing];
        let holidays = vec![Day(-1), Day(0), Day(2), Day(9), Day(18), Day(47_481)];
        for holiday in [None, Some(vec![]), Some(vec![interval(30, 40), crossing])] {
            let schedule = Schedule { weekly: weekly.clone(), holiday };
            let cached = CachedSchedule::new(&schedule);
            for offset in [-43_200, 0, 50_400] {
                let zone = Zone { first_offset_s: offset, transitions: vec![(1_000_000, 3600)] };
                let moments = Moments::new(&Calendar { zone: zone.clone(), holidays: holidays.clone() });
                let days = (0..21).chain(47_460..47_482);
                for at in days.flat_map(|day| (0..1440).map(move |minute| UnixMs((day * 1440 + minute) * 60_000))) {
                    let expected = zone.local(at).map(|local| schedule.contains(local, &holidays));
                    assert_eq!(moments.at(at).map(|moment| cached.holds(moment)), expected, "{at:?}");
                }
            }
        }
    }
}
