//! Schedules as sets of days, each with a time from and a time until, which every policy engine can compare.
//!
//! An interval across midnight becomes two: the part behind midnight asks which day yesterday was.

use doorward_protocol::facts::{Interval, Schedule};
use std::collections::BTreeMap;

/// The days of a week as requests name them.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of a day.
const MIDNIGHT: u16 = 1440;

/// Some days, and the minutes of the day from the first to before the last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Which day of the request is meant: `weekday`, `today` (which may be `holiday`) or `yesterday` (likewise).
    pub clock: &'static str,
    pub start_min: u16,
    pub end_min: u16,
    pub days: Vec<&'static str>,
}

/// The spans of a schedule; it holds when the instant is in one of them.
pub fn spans(schedule: &Schedule) -> Vec<Span> {
    let mut days_by_span: BTreeMap<(&'static str, u16, u16), Vec<&'static str>> = BTreeMap::new();
    let mut put = |clock, start_min, end_min, day| {
        if start_min < end_min {
            days_by_span.entry((clock, start_min, end_min)).or_default().push(day);
        }
    };
    let today = if schedule.holiday.is_some() { "today" } else { "weekday" };
    let days = DAYS.into_iter().zip(DAYS.into_iter().cycle().skip(1)).zip(&schedule.weekly);
    for ((day, day_after), intervals) in days {
        for Interval { start_min, end_min } in intervals {
            if start_min < end_min {
                put(today, *start_min, *end_min, day);
            } else {
                put(today, *start_min, MIDNIGHT, day);
                match schedule.holiday {
                    Some(_) => put("yesterday", 0, *end_min, day),
                    None => put("weekday", 0, *end_min, day_after),
                }
            }
        }
    }
    for Interval { start_min, end_min } in schedule.holiday.iter().flatten() {
        if start_min < end_min {
            put(today, *start_min, *end_min, "holiday");
        } else {
            put(today, *start_min, MIDNIGHT, "holiday");
            put("yesterday", 0, *end_min, "holiday");
        }
    }
    let spans = days_by_span.into_iter();
    spans.map(|((clock, start_min, end_min), days)| Span { clock, start_min, end_min, days }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crosses_midnight_belongs_to_the_day_on_which_it_starts() {
        let mut weekly: [Vec<Interval>; 7] = Default::default();
        weekly[6] = vec![Interval { start_min: 1320, end_min: 180 }];
        let span = |clock, start_min, end_min, day| Span { clock, start_min, end_min, days: vec![day] };
        let schedule = Schedule { weekly: weekly.clone(), holiday: None };
        assert_eq!(spans(&schedule), [span("weekday", 0, 180, "mon"), span("weekday", 1320, 1440, "sun")]);
        let schedule = Schedule { weekly, holiday: Some(vec![]) };
        assert_eq!(spans(&schedule), [span("today", 1320, 1440, "sun"), span("yesterday", 0, 180, "sun")]);
    }
}
