//! Days, schedules and lists in words. Ids and names stay as they are.

use super::phrases::{Phrases, fill};
use crate::model::{Policy, ScheduleName};
use doorward_protocol::facts::{Interval, Schedule};
use doorward_protocol::time::{Day, DayRange};

impl Phrases {
    /// A range of days after the word that it qualifies: empty when it is open at both ends.
    pub(super) fn days(&self, range: &DayRange) -> String {
        let text = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let sentence = match (range.from, range.until) {
            (None, None) => "",
            (Some(_), None) => self.from_on,
            (None, Some(_)) => self.through,
            (Some(_), Some(_)) => self.from_through,
        };
        fill(sentence, &[("from", &text(range.from)), ("until", &text(range.until))])
    }

    /// Alternatives: `a`, `a or b`, `a, b or c`.
    pub(super) fn any_of<T: core::fmt::Display>(&self, items: impl IntoIterator<Item = T>) -> String {
        let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
        let Some(last) = items.pop() else { return self.nothing.to_owned() };
        if items.is_empty() { last } else { format!("{}{}{last}", items.join(self.comma), self.or) }
    }

    /// A schedule with its name and hours.
    pub(super) fn schedule(&self, policy: &Policy, name: &ScheduleName) -> String {
        let hours = policy.schedules.get(name).map(|schedule| self.hours(schedule)).unwrap_or_default();
        fill(self.schedule, &[("name", name.as_str()), ("hours", &hours)])
    }

    /// The hours of a schedule: `mon-fri 07:00-23:00, sat 08:00-18:00; closed on holidays`.
    fn hours(&self, schedule: &Schedule) -> String {
        let mut groups: Vec<(Vec<usize>, &[Interval])> = Vec::new();
        for (day, intervals) in schedule.weekly.iter().enumerate().filter(|(_, intervals)| !intervals.is_empty()) {
            match groups.iter_mut().find(|(_, known)| known == intervals) {
                Some((days, _)) => days.push(day),
                None => groups.push((vec![day], intervals)),
            }
        }
        let groups: Vec<_> = groups
            .iter()
            .map(|(days, intervals)| format!("{} {}", self.day_names(days), self.times(intervals)))
            .collect();
        let week = if groups.is_empty() { self.no_weekday.to_owned() } else { groups.join(self.comma) };
        match &schedule.holiday {
            None => week,
            Some(intervals) if intervals.is_empty() => format!("{week}{}", self.no_holidays),
            Some(intervals) => format!("{week}{}", fill(self.holidays, &[("times", &self.times(intervals))])),
        }
    }

    /// `mon-fri`, `sat,sun`: runs of three days and more with a dash.
    fn day_names(&self, days: &[usize]) -> String {
        let known: Vec<&str> = self.weekdays.split(' ').collect();
        let runs = days.chunk_by(|day, next| day.saturating_add(1) == *next);
        let names = |run: &[usize]| -> Vec<&str> { run.iter().filter_map(|day| known.get(*day)).copied().collect() };
        let runs = runs.map(|run| match names(run).as_slice() {
            [first, _, .., last] => format!("{first}-{last}"),
            few => few.join(","),
        });
        runs.collect::<Vec<_>>().join(",")
    }

    fn times(&self, intervals: &[Interval]) -> String {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let intervals =
            intervals.iter().map(|interval| format!("{}-{}", time(interval.start_min), time(interval.end_min)));
        intervals.collect::<Vec<_>>().join(self.also)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Phrases = Phrases::ENGLISH;

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
        assert_eq!(ENGLISH.hours(&schedule), expected);
        let never = Schedule { weekly: Default::default(), holiday: Some(day(&[(600, 60)])) };
        assert_eq!(ENGLISH.hours(&never), "on no weekday; holidays 10:00-01:00");
    }

    #[test]
    fn days_and_alternatives_read_as_english() {
        assert_eq!(ENGLISH.days(&DayRange::ALWAYS), "");
        assert_eq!(ENGLISH.days(&DayRange { from: Some(Day(0)), until: None }), " from 1970-01-01 on");
        assert_eq!(ENGLISH.any_of(["a", "b", "c"]), "a, b or c");
        assert_eq!(ENGLISH.any_of(["a"]), "a");
    }
}
