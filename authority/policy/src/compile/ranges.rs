//! Sets of days as the shortest list of ranges that says them.

use doorward_protocol::time::{Day, DayRange};

/// Days as ranges: ascending, none empty, and a gap of at least one day between any two. Equal days are equal lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(Vec<DayRange>);

impl Days {
    /// The days of any number of ranges together.
    pub fn union(ranges: impl IntoIterator<Item = DayRange>) -> Self {
        // A range that ends before it begins has no days.
        let mut ranges: Vec<_> = ranges.into_iter().filter_map(|range| range.intersection(&DayRange::ALWAYS)).collect();
        // An open start sorts first.
        ranges.sort();
        let mut merged: Vec<DayRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if touches(last, &range) => last.until = later_end(last.until, range.until),
                Some(_) | None => merged.push(range),
            }
        }
        Self(merged)
    }

    /// The days in both.
    pub fn intersection(&self, other: &Self) -> Self {
        Self::union(self.0.iter().flat_map(|range| other.0.iter().filter_map(|other| range.intersection(other))))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges.
    pub fn ranges(&self) -> &[DayRange] {
        &self.0
    }
}

/// Whether a range that starts no earlier overlaps another or begins on the day after it.
fn touches(earlier: &DayRange, range: &DayRange) -> bool {
    let Some(until) = earlier.until else { return true };
    range.from.is_none_or(|from| from <= until.plus(1))
}

fn later_end(a: Option<Day>, b: Option<Day>) -> Option<Day> {
    Some(a?.max(b?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: impl Into<Option<i32>>, until: impl Into<Option<i32>>) -> DayRange {
        DayRange { from: from.into().map(Day), until: until.into().map(Day) }
    }

    #[test]
    fn overlapping_and_adjacent_ranges_become_one() {
        let days = Days::union([range(10, 12), range(1, 3), range(13, 20), range(2, 5), range(30, 29)]);
        assert_eq!(days.ranges(), [range(1, 5), range(10, 20)]);
        let open = Days::union([range(5, None), range(None, 4), range(7, 9)]);
        assert_eq!(open.ranges(), [DayRange::ALWAYS]);
        assert!(Days::union([range(3, 2)]).is_empty());
    }

    #[test]
    fn a_range_inside_of_another_does_not_shorten_it() {
        assert_eq!(Days::union([range(1, 100), range(2, 3), range(50, 60)]).ranges(), [range(1, 100)]);
        assert_eq!(Days::union([range(1, None), range(2, 3)]).ranges(), [range(1, None)]);
    }

    #[test]
    fn the_days_in_both_are_in_each() {
        let a = Days::union([range(1, 5), range(10, 20)]);
        let b = Days::union([range(None, 1), range(4, 11), range(20, None)]);
        assert_eq!(a.intersection(&b).ranges(), [range(1, 1), range(4, 5), range(10, 11), range(20, 20)]);
        assert!(a.intersection(&Days::union([range(6, 9)])).is_empty());
    }
}
