//! What a schedule means on the local wall clock, and the content ids of derived facts.
//!
//! Source: campus-format, "Schedule": an interval belongs wholly to the day on which it starts.

use crate::codec::{self, CodecError};
use crate::facts::{Class, Interval, Schedule};
use crate::id::{ClassId, Hash, ScheduleId, hash};
use crate::time::{Day, Local};

impl Interval {
    /// The whole day.
    pub const WHOLE_DAY: Self = Self { start_min: 0, end_min: 1440 };

    /// Whether it ends on the day after the one on which it starts.
    #[must_use]
    pub const fn crosses_midnight(&self) -> bool {
        self.end_min <= self.start_min
    }

    /// Whether the minutes are ones that a clock shows.
    #[must_use]
    pub const fn is_well_formed(&self) -> bool {
        self.start_min < 1440 && self.end_min <= 1440
    }
}

impl Schedule {
    /// The schedule that always holds.
    #[must_use]
    pub fn always() -> Self {
        Self { weekly: core::array::from_fn(|_| vec![Interval::WHOLE_DAY]), holiday: None }
    }

    /// Whether the schedule holds at a local time; `holidays` is ascending.
    #[must_use]
    pub fn contains(&self, local: Local, holidays: &[Day]) -> bool {
        let today = self.intervals_of(local.day, holidays).iter().any(|interval| {
            interval.start_min <= local.minute && (interval.crosses_midnight() || local.minute < interval.end_min)
        });
        let yesterday = local.day.plus(-1);
        today
            || self
                .intervals_of(yesterday, holidays)
                .iter()
                .any(|interval| interval.crosses_midnight() && local.minute < interval.end_min)
    }

    fn intervals_of(&self, day: Day, holidays: &[Day]) -> &[Interval] {
        if let Some(intervals) = &self.holiday
            && holidays.binary_search(&day).is_ok()
        {
            return intervals;
        }
        self.weekly.get(usize::from(day.weekday())).map_or(&[], Vec::as_slice)
    }

    /// Whether every interval is well formed and every list ascends.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.weekly
            .iter()
            .chain(&self.holiday)
            .all(|intervals| intervals.is_sorted_by(|a, b| a < b) && intervals.iter().all(Interval::is_well_formed))
    }

    /// The id of this content.
    ///
    /// # Errors
    /// When the schedule is too large to encode.
    pub fn id(&self) -> Result<ScheduleId, CodecError> {
        Ok(ScheduleId(first_eight(hash("doorward 1 schedule", &[&codec::encode(self)?]))))
    }
}

impl Class {
    /// The id of this content.
    ///
    /// # Errors
    /// When the class is too large to encode.
    pub fn id(&self) -> Result<ClassId, CodecError> {
        Ok(ClassId(first_eight(hash("doorward 1 class", &[&codec::encode(self)?]))))
    }
}

fn first_eight(hash: Hash) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_mondays(start_min: u16, end_min: u16) -> Schedule {
        let mut weekly: [Vec<Interval>; 7] = Default::default();
        weekly[0] = vec![Interval { start_min, end_min }];
        Schedule { weekly, holiday: None }
    }

    /// 1970-01-05 was a Monday.
    const MONDAY: Day = Day(4);

    fn holds(schedule: &Schedule, day: Day, minute: u16) -> bool {
        schedule.contains(Local { day, minute }, &[Day(11)])
    }

    #[test]
    fn the_start_is_inside_and_the_end_is_not() {
        let schedule = on_mondays(420, 1380);
        assert!(!holds(&schedule, MONDAY, 419));
        assert!(holds(&schedule, MONDAY, 420));
        assert!(holds(&schedule, MONDAY, 1379));
        assert!(!holds(&schedule, MONDAY, 1380));
    }

    #[test]
    fn what_crosses_midnight_belongs_to_the_day_on_which_it_starts() {
        let schedule = on_mondays(1320, 210);
        assert!(!holds(&schedule, MONDAY, 100));
        assert!(holds(&schedule, MONDAY, 1320));
        assert!(holds(&schedule, MONDAY.plus(1), 209));
        assert!(!holds(&schedule, MONDAY.plus(1), 210));
    }

    #[test]
    fn a_holiday_replaces_the_intervals_that_start_on_it() {
        let mut schedule = on_mondays(1320, 210);
        schedule.holiday = Some(vec![Interval { start_min: 600, end_min: 660 }]);
        assert!(holds(&schedule, Day(11), 600));
        assert!(!holds(&schedule, Day(11), 1320));
        assert!(!holds(&schedule, Day(12), 100));
    }

    #[test]
    fn an_interval_that_ends_where_it_starts_lasts_a_day() {
        let schedule = on_mondays(600, 600);
        assert!(holds(&schedule, MONDAY, 600));
        assert!(holds(&schedule, MONDAY.plus(1), 599));
        assert!(!holds(&schedule, MONDAY.plus(1), 600));
    }
}
