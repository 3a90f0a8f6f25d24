//! Days, schedules and lists in words. English only; ids and names stay as they are.

use crate::model::Policy;
use crate::model::ScheduleName;
use doorward_protocol::facts::{Interval, Schedule};
use doorward_protocol::time::DayRange;

const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A range of days after the word that it qualifies: empty when it is open at both ends.
pub fn days(range: &DayRange) -> String {
    match (range.from, range.until) {
        (None, None) => String::new(),
        (Some(from), None) => format!(" from {from} on"),
        (None, Some(until)) => format!(" through {until}"),
        (Some(from), Some(until)) => format!(" from {from} through {until}"),
    }
}

/// Alternatives: `a`, `a or b`, `a, b or c`.
pub fn any_of<T: core::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let Some(last) = items.pop() else { return "nothing".to_owned() };
    if items.is_empty() { last } else { format!("{} or {last}", items.join(", ")) }
}

/// A schedule with its name and hours.
pub fn schedule(policy: &Policy, name: &ScheduleName) -> String {
    let hours = policy.schedules.get(name).map(hours).unwrap_or_default();
    format!("schedule {name} ({hours})")
}

/// The hours of a schedule: `mon-fri 07:00-23:00, sat 08:00-18:00; closed on holidays`.
pub fn hours(schedule: &Schedule) -> String {
    let mut groups: Vec<(Vec<usize>, &[Interval])> = Vec::new();
    for (day, intervals) in schedule.weekly.iter().enumerate().filter(|(_, intervals)| !intervals.is_empty()) {
        match groups.iter_mut().find(|(_, known)| known == intervals) {
            Some((days, _)) => days.push(day),
            None => groups.push((vec![day], intervals)),
        }
    }
    let groups: Vec<_> =
        groups.iter().map(|(days, intervals)| format!("{} {}", day_names(days), times(intervals))).collect();
    let week = if groups.is_empty() { "on no weekday".to_owned() } else { groups.join(", ") };
    match &schedule.holiday {
        None => week,
        Some(intervals) if intervals.is_empty() => format!("{week}; closed on holidays"),
        Some(intervals) => format!("{week}; holidays {}", times(intervals)),
    }
}

/// `mon-fri`, `sat,sun`: runs of three days and more with a dash.
fn day_names(days: &[usize]) -> String {
    let runs = days.chunk_by(|day, next| day.saturating_add(1) == *next);
    let names = |run: &[usize]| -> Vec<&str> { run.iter().filter_map(|day| DAY_NAMES.get(*day)).copied().collect() };
    let runs = runs.map(|run| match names(run).as_slice() {
        [first, _, .., last] => format!("{first}-{last}"),
        few => few.join(","),
    });
    runs.collect::<Vec<_>>().join(",")
}

fn times(intervals: &[Interval]) -> String {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let intervals = intervals.iter().map(|interval| format!("{}-{}", time(interval.start_min), time(interval.end_min)));
    intervals.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::time::Day;

    #[test]
    fn hours_group_the_days_that_are_alike() {
        let day = |intervals: &[(u16, u16)]| -> Vec<Interval> {
            intervals.iter().map(|(start_min, end_min)| Interval { start_min: *start_min, end_min: *end_min }).collect()
        };
        let (work, weekend) = (day(&[(420, 1380)]), day(&[(480, 600), (660, 1440)]));
        let none = Vec::new();
        let weekly = [work.clone(), work.clone(), work.clone(), none.clone(), work, weekend.clone(), weekend];
        let schedule = Schedule { weekly, holiday: Some(Vec::new()) };
        let expected = "mon-wed,fri 07:00-23:00, sat,sun 08:00-10:00 and 11:00-24:00; closed on holidays";
        assert_eq!(hours(&schedule), expected);
        let never = Schedule { weekly: Default::default(), holiday: Some(day(&[(600, 60)])) };
        assert_eq!(hours(&never), "on no weekday; holidays 10:00-01:00");
    }

    #[test]
    fn days_and_alternatives_read_as_english() {
        assert_eq!(days(&DayRange::ALWAYS), "");
        assert_eq!(days(&DayRange { from: Some(Day(0)), until: None }), " from 1970-01-01 on");
        assert_eq!(any_of(["a", "b", "c"]), "a, b or c");
        assert_eq!(any_of(["a"]), "a");
    }
}
