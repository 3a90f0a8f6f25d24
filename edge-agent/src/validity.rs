//! From when until when a certificate is valid, read from its DER.
//!
//! Deliberately no parser of certificates: TLS verifies them. It steps over the fields before `validity` (RFC 5280,
//! 4.1) and reads its two times; anything unexpected is `None`, and nothing is trusted because of what this returns.

use doorward_protocol::time::UnixMs;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The time in which a certificate is valid, both ends inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First instant.
    pub from: UnixMs,
    /// Last second.
    pub until: UnixMs,
}

impl Validity {
    /// Reads it from a certificate; `None` when the bytes are not one.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (certificate, _) = expect(der, SEQUENCE)?;
        let (mut fields, _) = expect(certificate, SEQUENCE)?;
        if let Some((_, rest)) = expect(fields, VERSION) {
            fields = rest;
        }
        // Serial number, signature algorithm, issuer.
        for _ in 0..3 {
            (_, _, fields) = element(fields)?;
        }
        let (validity, _) = expect(fields, SEQUENCE)?;
        let (from_tag, from, rest) = element(validity)?;
        let (until_tag, until, _) = element(rest)?;
        Some(Self { from: instant(from_tag, from)?, until: instant(until_tag, until)? })
    }

    /// Whether less than a third of the whole time is left, or none: then it is time to renew.
    #[must_use]
    pub const fn is_renewal_due(&self, now: UnixMs) -> bool {
        self.until.since_ms(now) < self.until.since_ms(self.from) / 3
    }
}

/// The content of an element with this tag, and what follows it.
fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag, content and what follows, of the DER element that begins here.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits.iter().try_fold(0_usize, |n, byte| n.checked_mul(256)?.checked_add(usize::from(*byte)))?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ` of the years 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn instant(tag: u8, content: &[u8]) -> Option<UnixMs> {
    let text = core::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (century, text) = match tag {
        UTC_TIME if text.get(..1)? < "5" => ("20", text),
        UTC_TIME => ("19", text),
        GENERALIZED_TIME => (text.get(..2)?, text.get(2..)?),
        _ => return None,
    };
    let two = |at: usize| text.get(at..at.checked_add(2)?);
    let (year, month, day, hour, minute, second) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, two(10)?);
    UnixMs::parse(&format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::certificate_authority;

    #[test]
    fn the_two_times_of_a_certificate_are_read_in_both_spellings() {
        let authority = certificate_authority();
        let validity = Validity::of_certificate(&authority.der).unwrap();
        // rcgen's own defaults: from 1975 as UTCTime, until 4096 as GeneralizedTime.
        assert_eq!(validity.from.to_utc_text(), "1975-01-01T00:00:00Z");
        assert_eq!(validity.until.to_utc_text(), "4096-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_certificate_has_no_validity() {
        let der = certificate_authority().der;
        assert_eq!(Validity::of_certificate(b""), None);
        assert_eq!(Validity::of_certificate(b"-----BEGIN CERTIFICATE-----"), None);
        for length in 0..der.len() {
            assert_eq!(Validity::of_certificate(&der[..length]), None, "cut to {length} bytes");
        }
        assert_eq!(Validity::of_certificate(&[0x30, 0x89, 255, 255, 255, 255, 255, 255, 255, 255, 255]), None);
    }

    #[test]
    fn renewal_is_due_in_the_last_third() {
        let validity = Validity { from: UnixMs(0), until: UnixMs(90) };
        assert!(!validity.is_renewal_due(UnixMs(60)));
        assert!(validity.is_renewal_due(UnixMs(61)));
        assert!(validity.is_renewal_due(UnixMs(1_000)));
    }
}
