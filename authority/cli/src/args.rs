//! Values of the command line that no other module parses: lengths of time, days, instants, numbers of keys.
//!
//! An error here completes clap's sentence about the value, so it says only what would be right.

use clap::builder::RangedI64ValueParser;
use doorward_protocol::limits::SIGNATURES_MAX;
use doorward_protocol::time::{Day, UnixMs};
use std::time::Duration;

/// A length of time: a whole number and `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// What would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a whole number with ms, s, m, h or d, such as 500ms, 15s or 24h".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(expected)?;
    let number: u64 = number.parse().map_err(|_| expected())?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(expected()),
    };
    number.checked_mul(ms).map(Duration::from_millis).ok_or_else(expected)
}

/// A length of time that is not nothing.
///
/// # Errors
/// What would be right.
pub fn duration_above_zero(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration.is_zero() { Err("expected more than nothing".to_owned()) } else { Ok(duration) }
}

/// How long to wait for agents; the authority waits no longer.
///
/// # Errors
/// What would be right.
pub fn wait(text: &str) -> Result<Duration, String> {
    let wait = duration(text)?;
    if wait > Duration::from_secs(600) { Err("expected at most 10m".to_owned()) } else { Ok(wait) }
}

/// A number of root keys.
#[must_use]
pub fn root_keys() -> RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(1..=i64::try_from(SIGNATURES_MAX).unwrap_or(i64::MAX))
}

/// A day of the campus.
///
/// # Errors
/// What would be right.
pub fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "expected a day that exists, such as 2026-11-22".to_owned())
}

/// An instant, kept as it was written.
///
/// # Errors
/// What would be right.
pub fn instant(text: &str) -> Result<String, String> {
    UnixMs::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// One line of plain text, as the journal keeps reasons.
///
/// # Errors
/// What is wrong with it.
pub fn reason(text: &str) -> Result<String, String> {
    doorward_policy::command::check_text(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_need_their_unit() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 86_400)));
        for wrong in ["", "15", "s", "-1s", "1.5h", "15 s", "99999999999999999999s", "9999999999999999d", "１s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(duration("0s").is_ok() && duration_above_zero("0s").is_err());
    }

    #[test]
    fn an_instant_is_passed_on_as_it_was_written() {
        assert_eq!(instant("2026-11-22T08:00:00+09:00"), Ok("2026-11-22T08:00:00+09:00".to_owned()));
        assert!(instant("2026-11-22").is_err());
        assert!(day("2026-02-29").is_err());
    }
}
