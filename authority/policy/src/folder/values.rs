//! The small languages of a campus folder: dates, lengths of time, weekly intervals, names.
//!
//! Each function reads one value and says in the words after the value what is wrong with it.

use crate::model::{CalendarSpan, Validity};
use crate::zone;
use doorward_protocol::facts::Interval;
use doorward_protocol::problem::shown;
use doorward_protocol::time::Day;

/// Longest free text, such as a name, in characters.
const TEXT_CHARACTERS_MAX: usize = 1000;
/// Longest length of time in years: beyond it is a slip of the keyboard, and below it no calendar arithmetic overflows.
const YEARS_MAX: u32 = 1000;
/// The same in days.
pub const DAYS_MAX: u32 = YEARS_MAX * 366;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Free text that is not empty.
pub fn name(name: &str) -> Result<String, String> {
    if name.is_empty() { Err("is empty; it must be given".into()) } else { text(name) }
}

/// Free text.
pub fn text(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if length > TEXT_CHARACTERS_MAX {
        return Err(format!("has {length} characters; at most {TEXT_CHARACTERS_MAX} are read"));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!("contains the control character {c:?}")),
        None => Ok(text.into()),
    }
}

/// A date as `YYYY-MM-DD`.
pub fn day(text: &str) -> Result<Day, String> {
    let day = Day::parse(text).ok_or("is not a date; a date is YYYY-MM-DD, such as 2026-03-02")?;
    match day.to_civil().year() {
        1900..=2199 => Ok(day),
        _ => Err("is outside of 1900-01-01 to 2199-12-31".into()),
    }
}

/// Whether a range of days whose first is called `first` runs forward; the error is about its last day.
pub fn order(first: &str, from: Option<Day>, until: Day) -> Result<(), String> {
    match from {
        Some(from) if until < from => Err(format!("is before {first} `{from}`")),
        _ => Ok(()),
    }
}

/// An IANA time zone; returns its name.
pub fn time_zone(text: &str) -> Result<String, String> {
    if zone::zone(text).is_some() {
        return Ok(text.into());
    }
    let near = zone::canonical_name(text).map(|name| format!("; did you mean {}?", shown(name))).unwrap_or_default();
    Err(format!("is not a time zone of the IANA database {}, such as Asia/Seoul{near}", zone::tzdb_version()))
}

/// A lease: `<n> days|hours|minutes`, in milliseconds.
pub fn lease_ms(text: &str) -> Result<u64, String> {
    let expected = "expected \"<n> days\", \"<n> hours\" or \"<n> minutes\"";
    let (n, unit) = counted(text).ok_or_else(|| format!("is not a lease; {expected}"))?;
    let minutes_each = match unit {
        "days" => 24 * 60,
        "hours" => 60,
        "minutes" => 1,
        _ => return Err(format!("is not a lease; {expected}")),
    };
    let minutes = u64::from(n) * minutes_each;
    if minutes == 0 || minutes > u64::from(DAYS_MAX) * 24 * 60 {
        return Err(format!("is not from 1 minute to {DAYS_MAX} days"));
    }
    Ok(minutes * 60_000)
}

/// A length on the calendar: `<n> years|months|days`.
pub fn span(text: &str) -> Result<CalendarSpan, String> {
    calendar_span(text).unwrap_or_else(|| Err("is not \"<n> years\", \"<n> months\" or \"<n> days\"".into()))
}

/// How long something is kept: a length on the calendar that is not nothing.
pub fn kept_for(text: &str) -> Result<CalendarSpan, String> {
    match span(text)? {
        CalendarSpan::Years(0) | CalendarSpan::Months(0) | CalendarSpan::Days(0) => {
            Err("keeps nothing at all; at least \"1 days\"".into())
        }
        span @ (CalendarSpan::Years(_) | CalendarSpan::Months(_) | CalendarSpan::Days(_)) => Ok(span),
    }
}

/// An amount of money: a number with at most two decimals, and a currency by its three letters (ISO 4217).
pub fn amount(text: &str) -> Result<String, String> {
    let is_amount = || {
        let (number, currency) = text.split_once(' ')?;
        let (whole, parts) = number.split_once('.').unwrap_or((number, "00"));
        let is_number = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_number(whole, 9) && is_number(parts, 2) && is_currency).then(|| text.to_owned())
    };
    is_amount().ok_or_else(|| "is not an amount such as \"2000 KRW\" or \"2.65 EUR\"".into())
}

/// The validity of a category.
pub fn validity(text: &str) -> Result<Validity, String> {
    match text {
        "ends_on" => Ok(Validity::EndsOn),
        "long-term" => Ok(Validity::LongTerm),
        _ => calendar_span(text)
            .unwrap_or_else(|| {
                Err("is not known; expected ends_on | long-term | <n> years | <n> months | <n> days".into())
            })
            .map(Validity::For),
    }
}

fn calendar_span(text: &str) -> Option<Result<CalendarSpan, String>> {
    let (n, unit) = counted(text)?;
    let (span, n_max) = match unit {
        "years" => (CalendarSpan::Years(n), YEARS_MAX),
        "months" => (CalendarSpan::Months(n), YEARS_MAX * 12),
        "days" => (CalendarSpan::Days(n), DAYS_MAX),
        _ => return None,
    };
    Some(if n <= n_max { Ok(span) } else { Err(format!("is too long; at most {n_max} {unit}")) })
}

/// `<n> <unit>` with one space; a number too large for its type is the largest of it, which every bound refuses.
fn counted(text: &str) -> Option<(u32, &str)> {
    let (n, unit) = text.split_once(' ')?;
    let is_number = !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (n.parse().unwrap_or(u32::MAX), unit))
}

/// An entry of `weekly`: `mon-fri 06:00-23:00`; for each weekday from Monday on whether it is meant.
pub fn weekly_entry(text: &str) -> Result<([bool; 7], Interval), String> {
    let (days, hours) = text.split_once(' ').ok_or("is not days and hours, such as \"mon-fri 06:00-23:00\"")?;
    let mut meant = [false; 7];
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (weekday(first)?, weekday(last)?);
        // A range may pass the end of the week: fri-mon is Friday to Monday.
        let length = (last + 7 - first) % 7 + 1;
        for (i, day) in (0..7).zip(&mut meant) {
            *day |= (i + 7 - first) % 7 < length;
        }
    }
    Ok((meant, interval(hours)?))
}

fn weekday(name: &str) -> Result<usize, String> {
    let known = WEEKDAYS.iter().position(|weekday| *weekday == name);
    known.ok_or_else(|| format!("names the day {}; days are {}", shown(name), WEEKDAYS.join(", ")))
}

/// `HH:MM-HH:MM`; `24:00` is a possible end.
pub fn interval(text: &str) -> Result<Interval, String> {
    let (start, end) = text.split_once('-').ok_or("is not hours, such as 06:00-23:00")?;
    let (start_min, end_min) = (minutes(start)?, minutes(end)?);
    if start_min == 1440 {
        return Err("starts at 24:00, which can only be an end; expected 00:00".into());
    }
    Ok(Interval { start_min, end_min })
}

fn minutes(text: &str) -> Result<u16, String> {
    let wrong = || format!("has the time {}; a time is 00:00 to 23:59, and 24:00 as an end", shown(text));
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return Err(wrong());
    }
    match (hour.parse::<u16>(), minute.parse::<u16>()) {
        (Ok(hour @ 0..=23), Ok(minute @ 0..=59)) => Ok(hour * 60 + minute),
        (Ok(24), Ok(0)) => Ok(1440),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_week_are_lists_and_ranges_that_may_pass_its_end() {
        let days = |text: &str| {
            let (days, _) = weekly_entry(&format!("{text} 01:00-02:00")).unwrap();
            let names = WEEKDAYS.iter().zip(days).filter(|(_, meant)| *meant).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(days("mon"), "mon");
        assert_eq!(days("mon-fri"), "mon tue wed thu fri");
        assert_eq!(days("sat,sun"), "sat sun");
        assert_eq!(days("fri-mon"), "mon fri sat sun");
        assert_eq!(days("sun-thu,sat"), "mon tue wed thu sat sun");
        assert_eq!(days("wed-wed"), "wed");
    }

    #[test]
    fn hours_run_from_midnight_to_midnight() {
        assert_eq!(interval("00:00-24:00"), Ok(Interval { start_min: 0, end_min: 1440 }));
        assert_eq!(interval("22:00-03:30"), Ok(Interval { start_min: 1320, end_min: 210 }));
        for wrong in
            ["24:00-01:00", "9:00-10:00", "09:00-10:60", "09:00-24:01", "09:00", "09:00 - 10:00", "+9:00-10:00"]
        {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
        for wrong in ["mon", "mo 01:00-02:00", "mon,  01:00-02:00", "Mon 01:00-02:00", "mon-tue-wed 01:00-02:00"] {
            assert!(weekly_entry(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_of_time_are_bounded() {
        assert_eq!(lease_ms("30 days"), Ok(30 * 86_400_000));
        assert_eq!(lease_ms("90 minutes"), Ok(5_400_000));
        assert_eq!(span("6 months"), Ok(CalendarSpan::Months(6)));
        assert_eq!(validity("1000 years"), Ok(Validity::For(CalendarSpan::Years(1000))));
        for wrong in ["0 days", "366001 days", "99999999999999999999 days", "-1 days", "1 day", "1  days", "days"] {
            assert!(lease_ms(wrong).is_err(), "{wrong}");
        }
        for wrong in ["1001 years", "12001 months", "366001 days", "1 week", "years", " 1 years"] {
            assert!(span(wrong).is_err(), "{wrong}");
            assert!(validity(wrong).is_err(), "{wrong}");
        }
        assert!(day("2199-12-31").is_ok() && day("2200-01-01").is_err() && day("1899-12-31").is_err());
    }
}
