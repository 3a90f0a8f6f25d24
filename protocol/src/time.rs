//! Instants, local days and the UTC offsets of one campus. No clock is read here: time is an argument.
//!
//! A [`Zone`] is the finished list of offsets between [`ZONE_START`] and [`ZONE_END`]; the agent has no
//! time-zone database. An instant outside of that range has no local time, so a clock that shows it cannot be trusted.

use jiff::civil;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixMs(pub i64);

/// The first instant that a [`Zone`] covers: 1970-01-01T00:00Z.
pub const ZONE_START: UnixMs = UnixMs(0);
/// The first instant that a [`Zone`] no longer covers: 2100-01-01T00:00Z.
pub const ZONE_END: UnixMs = UnixMs(4_102_444_800_000);

/// A text that is not an instant of RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is not an instant of RFC 3339 with an offset, such as 2026-11-22T08:00:00+09:00")]
pub struct NotAnInstant;

impl UnixMs {
    /// Reads RFC 3339 with an offset or `Z`; fractions of a millisecond are cut off towards the past.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, NotAnInstant> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| NotAnInstant)?;
        let nanoseconds = timestamp.as_nanosecond().div_euclid(1_000_000);
        i64::try_from(nanoseconds).map(Self).map_err(|_| NotAnInstant)
    }

    /// RFC 3339 in UTC, whole seconds when there is no fraction.
    #[must_use]
    pub fn to_utc_text(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| format!("{} ms", self.0), |t| t.to_string())
    }

    /// This instant moved by a number of milliseconds, held inside what the type can say.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A local day of the campus: days since 1970-01-01, which was a Thursday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// Reads `YYYY-MM-DD`, exactly that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        let date: civil::Date = if shape { text.parse().ok()? } else { return None };
        Some(Self::from_civil(date))
    }

    /// The day of a date in the proleptic Gregorian calendar.
    #[must_use]
    pub fn from_civil(date: civil::Date) -> Self {
        let epoch = civil::Date::constant(1970, 1, 1);
        let days = date.since(epoch).map_or(0, |span| span.get_days());
        Self(days)
    }

    /// The date of this day; days that the calendar cannot show become its nearest end.
    #[must_use]
    pub fn to_civil(self) -> civil::Date {
        let epoch = civil::Date::constant(1970, 1, 1);
        let span = jiff::Span::new().try_days(i64::from(self.0)).unwrap_or_default();
        epoch.saturating_add(span)
    }

    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    pub const fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday, day 3; the remainder of seven always fits.
        match self.0.wrapping_add(3).rem_euclid(7) {
            0 => 0,
            1 => 1,
            2 => 2,
            3 => 3,
            4 => 4,
            5 => 5,
            _ => 6,
        }
    }

    /// The day `days` later, held inside what the type can say.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl core::fmt::Display for Day {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.to_civil())
    }
}

/// A range of days, both ends inside; an absent end is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DayRange {
    /// First day inside; `None` is open.
    pub from: Option<Day>,
    /// Last day inside; `None` is open.
    pub until: Option<Day>,
}

impl DayRange {
    /// Every day.
    pub const ALWAYS: Self = Self { from: None, until: None };

    /// Whether the day is inside.
    #[must_use]
    pub fn contains(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// The days in both ranges, `None` when there are none.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let empty = matches!((from, until), (Some(from), Some(until)) if until < from);
        (!empty).then_some(Self { from, until })
    }
}

/// Local wall-clock time of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The local day.
    pub day: Day,
    /// Whole minutes since local midnight, 0 to 1,439.
    pub minute: u16,
}

/// The UTC offsets of a campus from [`ZONE_START`] to [`ZONE_END`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Zone {
    /// Seconds east of UTC at [`ZONE_START`].
    pub first_offset_s: i32,
    /// `(instant in Unix seconds, seconds east of UTC from then on)`, strictly ascending.
    pub transitions: Vec<(i64, i32)>,
}

impl Zone {
    /// Whether the transitions ascend and all offsets are within a day, as every real zone's do.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let ascending = self.transitions.is_sorted_by(|a, b| a.0 < b.0);
        let offsets = self.transitions.iter().map(|t| t.1).chain([self.first_offset_s]);
        ascending && offsets.into_iter().all(|offset| offset.unsigned_abs() < 86_400)
    }

    /// Local time at an instant; `None` outside of the covered range.
    #[must_use]
    pub fn local(&self, at: UnixMs) -> Option<Local> {
        if at < ZONE_START || at >= ZONE_END {
            return None;
        }
        let seconds = at.0.div_euclid(1000);
        let before = self.transitions.partition_point(|t| t.0 <= seconds);
        let offset = before.checked_sub(1).and_then(|i| self.transitions.get(i)).map_or(self.first_offset_s, |t| t.1);
        let local = seconds + i64::from(offset);
        let day = i32::try_from(local.div_euclid(86_400)).ok()?;
        let minute = u16::try_from(local.rem_euclid(86_400) / 60).ok()?;
        Some(Local { day: Day(day), minute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_a_thursday_in_1970() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
        assert_eq!(Day(0).weekday(), 3);
        assert_eq!(Day::parse("2024-02-29").map(|d| d.to_string()), Some("2024-02-29".into()));
        assert_eq!(Day::parse("2023-02-29"), None);
        assert_eq!(Day::parse("2023-2-9"), None);
        assert_eq!(Day(-1).weekday(), 2);
    }

    #[test]
    fn instants_are_read_with_their_offset() {
        assert_eq!(UnixMs::parse("1970-01-01T09:00:00+09:00"), Ok(UnixMs(0)));
        assert_eq!(UnixMs::parse("1970-01-01T00:00:00.5Z"), Ok(UnixMs(500)));
        assert!(UnixMs::parse("2023-01-01T00:00:00").is_err());
        assert!(UnixMs::parse("yesterday").is_err());
    }

    #[test]
    fn a_zone_ends_where_its_knowledge_ends() {
        let zone = Zone { first_offset_s: 3600, transitions: vec![(86_400, 7200)] };
        assert_eq!(zone.local(UnixMs(0)), Some(Local { day: Day(0), minute: 60 }));
        assert_eq!(zone.local(UnixMs(86_399_999)), Some(Local { day: Day(1), minute: 59 }));
        assert_eq!(zone.local(UnixMs(86_400_000)), Some(Local { day: Day(1), minute: 120 }));
        assert_eq!(zone.local(UnixMs(-1)), None);
        assert_eq!(zone.local(ZONE_END), None);
    }
}
