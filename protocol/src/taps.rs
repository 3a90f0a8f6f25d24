//! Questions to doors and their answers as CSV: who taps which card where and when, and what the door says.
//!
//! Deliberately without deciding: the authority's `decide` and the agent's `replay` share this form, not their ways.

use crate::decide::Reason;
use crate::facts::Factors;
use crate::id::{DoorId, check};
use crate::problem::{Place, Problem, did_you_mean};
use crate::table::{Column, Row, Table, decode, written};
use crate::time::{NotAnInstant, UnixMs, ZONE_END, ZONE_START};

const COLUMNS: &[Column] = &[
    Column::required("at"),
    Column::required("door_id"),
    Column::required("card_id"),
    Column::optional("factors"),
    Column::optional("expect"),
    Column::optional("reason"),
];

/// One tap that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapQuestion {
    /// The line of the file on which it stands.
    pub line: u64,
    /// Where its door is named, for a door that nobody knows.
    pub door_place: Place,
    /// The instant as it was written.
    pub at_text: String,
    /// The instant, inside of what a zone covers.
    pub at: UnixMs,
    /// The door.
    pub door: DoorId,
    /// What the reader reads.
    pub card: String,
    /// Further factors that are presented.
    pub factors: Factors,
    /// The factors as they were written.
    pub factors_text: String,
    /// The decision that is expected: `grant` or `deny`.
    pub expect: Option<String>,
    /// The reason that is expected, as [`Reason::as_str`] spells it.
    pub reason: Option<String>,
}

impl TapQuestion {
    /// Whether an answer is what the question expects, where it expects anything.
    #[must_use]
    pub fn is_met_by(&self, reason: Reason) -> bool {
        self.expect.as_deref().is_none_or(|expected| expected == decision(reason))
            && self.reason.as_deref().is_none_or(|expected| expected == reason.as_str())
    }
}

/// Reads a file of taps: `at,door_id,card_id,factors?,expect?,reason?`.
///
/// # Errors
/// Everything that is wrong in the file, in the order of its places.
pub fn read_taps(file_name: &str, bytes: &[u8]) -> Result<Vec<TapQuestion>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut taps = Vec::new();
    if let Some(text) = decode(file_name, bytes, &mut problems)
        && let Some(mut table) = Table::open(file_name, &text, COLUMNS, &mut problems)
    {
        while let Some(row) = table.next_row(&mut problems) {
            taps.extend(tap(&row, &mut problems));
        }
    }
    problems.sort();
    if problems.is_empty() { Ok(taps) } else { Err(problems) }
}

fn tap(row: &Row<'_, '_>, problems: &mut Vec<Problem>) -> Option<TapQuestion> {
    let at = row.required("at", problems, instant);
    let door = row.required("door_id", problems, DoorId::new);
    let card = row.required("card_id", problems, |text| check(text, true).map(|()| text.to_owned()));
    let factors = row.optional("factors", problems, |text| {
        Factors::parse(text).ok_or("is not known; factors are pin, fingerprint and face, joined by +")
    });
    let expect = row.optional("expect", problems, |text| match text {
        "grant" | "deny" => Ok(text.to_owned()),
        _ => Err("is not known; expected grant or deny"),
    });
    let reason = row.optional("reason", problems, known_reason);
    Some(TapQuestion {
        line: row.line(),
        door_place: row.place("door_id"),
        at_text: row.text("at").to_owned(),
        at: at?,
        door: door?,
        card: card?,
        factors: factors?.unwrap_or(Factors::NONE),
        factors_text: row.text("factors").to_owned(),
        expect: expect?,
        reason: reason?,
    })
}

fn instant(text: &str) -> Result<UnixMs, String> {
    let at =
        UnixMs::parse(text).ok().filter(|_| has_shape_of_rfc_3339(text)).ok_or_else(|| NotAnInstant.to_string())?;
    if at < ZONE_START || at >= ZONE_END {
        let (start, end) = (ZONE_START.to_utc_text(), ZONE_END.to_utc_text());
        return Err(format!("is outside of the instants that have a local time here, from {start} to before {end}"));
    }
    Ok(at)
}

/// Files are exchanged with other programs, so the shortened forms that are handy on a command line are not for them.
fn has_shape_of_rfc_3339(text: &str) -> bool {
    let is = |text: &str, shape: &str| {
        let is_like = |c: u8, like: u8| if like == b'0' { c.is_ascii_digit() } else { c.eq_ignore_ascii_case(&like) };
        text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(|(c, like)| is_like(c, like))
    };
    let Some((seconds, rest)) = text.split_at_checked("2026-11-22T08:00:00".len()) else { return false };
    let offset =
        rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
    let has_empty_fraction = rest.len() == offset.len() + 1;
    is(seconds, "0000-00-00T00:00:00")
        && !has_empty_fraction
        && ["Z", "+00:00", "-00:00"].into_iter().any(|shape| is(offset, shape))
}

fn known_reason(text: &str) -> Result<String, String> {
    let names = Reason::ALL.map(Reason::as_str);
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("is not known{}; reasons are {}", did_you_mean(text, names), names.join(", ")))
}

/// The first line of a file of answers, with its line end.
#[must_use]
pub const fn answers_header() -> &'static str {
    "at,door_id,card_id,factors,decision,reason\n"
}

/// The answer to one question, with its line end; instant and factors as they were asked.
#[must_use]
pub fn answer_line(question: &TapQuestion, reason: Reason) -> String {
    let asked = [&question.at_text, question.door.as_str(), &question.card, &question.factors_text];
    let answered = [decision(reason), reason.as_str()];
    let fields: Vec<_> = asked.into_iter().chain(answered).map(written).collect();
    format!("{}\n", fields.join(","))
}

fn decision(reason: Reason) -> &'static str {
    if reason.is_grant() { "grant" } else { "deny" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_in_the_words_in_which_it_was_asked() {
        let file = "door_id,card_id,at,factors\ngate,04:AB,2023-04-10T09:00:00.5+09:00,pin+face\ngate,x,1970-01-01T00:00:00Z,\n";
        let taps = read_taps("taps.csv", file.as_bytes()).unwrap();
        assert_eq!(taps[0].at, UnixMs(1_681_084_800_500));
        assert_eq!(taps[0].factors, Factors::PIN.union(Factors::FACE));
        assert_eq!(taps[0].door_place, Place { line: 2, column: 1 });
        assert_eq!(taps[1].line, 3);
        let answers: String = taps.iter().map(|tap| answer_line(tap, Reason::Granted)).collect();
        assert_eq!(
            answers_header().to_owned() + &answers,
            "at,door_id,card_id,factors,decision,reason\n\
             2023-04-10T09:00:00.5+09:00,gate,04:AB,pin+face,grant,granted\n\
             1970-01-01T00:00:00Z,gate,x,,grant,granted\n"
        );
    }

    #[test]
    fn an_answer_meets_what_was_expected_in_decision_and_reason() {
        let file =
            "at,door_id,card_id,expect,reason\n1999-01-01T00:00:00Z,d,c,deny,\n1999-01-01T00:00:00Z,d,c,,closed\n";
        let taps = read_taps("taps.csv", file.as_bytes()).unwrap();
        let met = |reason| [taps[0].is_met_by(reason), taps[1].is_met_by(reason)];
        assert_eq!(met(Reason::Granted), [false, false]);
        assert_eq!(met(Reason::Expired), [true, false]);
        assert_eq!(met(Reason::Closed), [true, true]);
    }

    #[test]
    fn instants_are_of_rfc_3339_and_of_no_other_form() {
        for right in ["2023-04-10T09:00:00Z", "2023-04-10t09:00:00.125z", "2023-04-10T09:00:00.1-03:30"] {
            assert!(instant(right).is_ok(), "{right}");
        }
        for wrong in [
            "2023-04-10T09:00:00",
            "2023-04-10 09:00:00Z",
            "2023-04-10T09:00+09:00",
            "20230410T090000+0900",
            "2023-04-10T09:00:00.Z",
            "2023-04-10T09:00:00,5Z",
            "2023-04-10T09:00:00+09",
            "2023-04-10T09:00:00+09:00[Asia/Seoul]",
            "2023-02-29T09:00:00Z",
            "2023-04-10T24:00:00Z",
            "yesterday",
            "",
        ] {
            assert_eq!(instant(wrong), Err(NotAnInstant.to_string()), "{wrong}");
        }
    }

    #[test]
    fn every_bad_value_is_named_in_one_run() {
        let file = "at,door_id,card_id,factors,expect,reason\n\
            2023-04-10T09:00:00,a b,,pin+nose,maybe,grantd\n\
            1969-12-31T23:59:59Z,d,c d,,,\n\
            2100-01-01T00:00:00Z,,c,,,\n";
        let problems = read_taps("q.csv", file.as_bytes()).unwrap_err();
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let covered = "outside of the instants that have a local time here, from 1970-01-01T00:00:00Z to before 2100-01-01T00:00:00Z";
        let reasons = Reason::ALL.map(Reason::as_str).join(", ");
        assert_eq!(
            lines,
            [
                "q.csv:2:1: at `2023-04-10T09:00:00` is not an instant of RFC 3339 with an offset, such as 2026-11-22T08:00:00+09:00".into(),
                "q.csv:2:21: door_id `a b` contains ' '; an id is made of A-Z a-z 0-9 . _ -".into(),
                "q.csv:2:25: card_id is empty; it must be given".into(),
                "q.csv:2:26: factors `pin+nose` is not known; factors are pin, fingerprint and face, joined by +".into(),
                "q.csv:2:35: expect `maybe` is not known; expected grant or deny".into(),
                format!("q.csv:2:41: reason `grantd` is not known; did you mean `granted`?; reasons are {reasons}"),
                format!("q.csv:3:1: at `1969-12-31T23:59:59Z` is {covered}"),
                "q.csv:3:24: card_id `c d` contains ' '; an id is made of A-Z a-z 0-9 . _ - :".into(),
                format!("q.csv:4:1: at `2100-01-01T00:00:00Z` is {covered}"),
                "q.csv:4:22: door_id is empty; it must be given".into(),
            ]
        );
    }
}
