//! Every text that is read, the files of a campus folder apart: what people type, carry, or send to a socket or to the API.
//!
//! The first byte says which reader. What it takes is written again and read again, and must be the same.

use doorward_agent::socket::line::{LINE_BYTES_MAX, Request, Status, TapAnswer};
use doorward_policy::command::{Actor, Command, Entry, Scope, check_text};
use doorward_policy::model::{BuildingId, CardId, GrantId, PersonId, RuleId, ScheduleName, Subject, Target, UnitId};
use doorward_protocol::enrol::JoinToken;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{AgentId, CampusId, DoorId, FunctionId, IdError, hash};
use doorward_protocol::problem::{Problem, did_you_mean, shown};
use doorward_protocol::table::{Column, Table, decode, written};
use doorward_protocol::taps::{answer_line, answers_header, read_taps};
use doorward_protocol::time::{Day, UnixMs};
use doorward_protocol::trust::Root;
use doorward_server::http::shapes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::str::FromStr;

/// The readers.
const READERS: [fn(&[u8]); 34] = [
    id::<CampusId>,
    id::<AgentId>,
    id::<DoorId>,
    id::<FunctionId>,
    id::<UnitId>,
    id::<BuildingId>,
    id::<PersonId>,
    id::<CardId>,
    id::<ScheduleName>,
    id::<RuleId>,
    id::<GrantId>,
    instant,
    day,
    factors,
    actor,
    message,
    token,
    root,
    table,
    taps,
    json::<Command>,
    json::<Entry>,
    json::<Scope>,
    json::<Subject>,
    json::<Target>,
    line,
    json::<TapAnswer>,
    json::<Status>,
    json::<shapes::Invite>,
    json::<shapes::Reason>,
    json::<shapes::LockdownOrder>,
    json::<shapes::GrantOrder>,
    json::<shapes::GrantEnding>,
    shapes_of_many_lines,
];

/// Looks at one input.
pub fn run(input: &[u8]) {
    let Some((which, bytes)) = input.split_first() else { return };
    if let Some(reader) = READERS.get(usize::from(*which) % READERS.len()) {
        reader(bytes);
    }
}

/// The numbers of the readers.
pub fn first_bytes() -> impl Iterator<Item = u8> {
    (0_u8..).take(READERS.len())
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}

fn id<T: FromStr<Err = IdError> + AsRef<str> + Debug + PartialEq>(bytes: &[u8]) {
    let Some(text) = text_of(bytes) else { return };
    match T::from_str(text) {
        Ok(id) => {
            assert_eq!(id.as_ref(), text, "an id is what was written");
            assert!((1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn instant(bytes: &[u8]) {
    let Some(Ok(at)) = text_of(bytes).map(UnixMs::parse) else { return };
    assert_eq!(UnixMs::parse(&at.to_utc_text()), Ok(at), "an instant is read as it is written");
}

fn day(bytes: &[u8]) {
    let Some(text) = text_of(bytes) else { return };
    if let Some(day) = Day::parse(text) {
        assert_eq!(day.to_string(), text, "a day has one spelling");
    }
}

fn factors(bytes: &[u8]) {
    let Some(Some(factors)) = text_of(bytes).map(Factors::parse) else { return };
    assert!(factors.is_well_formed());
    assert_eq!(Factors::parse(&factors.to_string()), Some(factors));
}

fn actor(bytes: &[u8]) {
    let Some(text) = text_of(bytes) else { return };
    if let Ok(actor) = Actor::new(text) {
        assert_eq!(actor.as_str(), text);
        assert!(check_text(text).is_ok() && !text.contains(['\n', '\r', '\u{1b}']));
    }
}

fn message(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = shown(&text);
    assert!(!shown.chars().any(char::is_control), "a message steers no terminal");
    assert!(shown.chars().count() < 1000, "a message is bounded");
    let _near = did_you_mean(&text, ["door_id", "card_id", "person_id"]);
}

/// A token as it came, and with the check that it would need: the check protects against slips, not against people.
fn token(bytes: &[u8]) {
    let plain = text_of(bytes).and_then(|text| JoinToken::parse(text).ok());
    let armored = JoinToken::parse(&armored("doorward1_", bytes)).ok();
    for token in plain.into_iter().chain(armored) {
        let text = token.to_text();
        assert!(text.is_some_and(|text| JoinToken::parse(&text) == Ok(token)), "a token is read as it is written");
    }
}

fn root(bytes: &[u8]) {
    let plain = text_of(bytes).and_then(|text| Root::parse(text).ok());
    let armored = Root::parse(&armored("doorwardroot1_", bytes)).ok();
    for root in plain.into_iter().chain(armored) {
        assert!(root.threshold > 0 && usize::from(root.threshold) <= root.keys.len());
        let text = root.to_text();
        assert!(text.is_some_and(|text| Root::parse(&text) == Ok(root)), "a root is read as it is written");
    }
}

fn armored(prefix: &'static str, body: &[u8]) -> String {
    let check = hash("doorward 1 armor", &[prefix.as_bytes(), body]);
    // The text of bytes as they are: a value of bytes would be armored with its length in front.
    let bytes: Vec<u8> = body.iter().chain(check.0.iter().take(4)).copied().collect();
    format!("{prefix}{}", base64url(&bytes))
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|place| u32::from(chunk.get(place).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for place in 0..=chunk.len() {
            let six = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            text.extend(LETTERS.get(six).map(|letter| char::from(*letter)));
        }
    }
    text
}

/// The table's rows are written as RFC 4180 wants them and read again.
fn table(bytes: &[u8]) {
    const COLUMNS: &[Column] = &[Column::required("a"), Column::optional("b"), Column::optional("c")];
    let mut problems = Vec::new();
    let Some(text) = decode("t.csv", bytes, &mut problems) else { return };
    let Some(rows) = rows(&text, COLUMNS, &mut problems) else {
        assert!(!problems.is_empty(), "a table that is not read says why");
        return;
    };
    if !problems.is_empty() {
        return;
    }
    let lines = rows.iter().map(|row| row.iter().map(|field| written(field)).collect::<Vec<_>>().join(",") + "\n");
    let again: String = core::iter::once("a,b,c\n".to_owned()).chain(lines).collect();
    let mut problems = Vec::new();
    assert_eq!(self::rows(&again, COLUMNS, &mut problems), Some(rows), "{problems:?}");
}

fn rows(text: &str, columns: &'static [Column], problems: &mut Vec<Problem>) -> Option<Vec<[String; 3]>> {
    let mut table = Table::open("t.csv", text, columns, problems)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row(problems) {
        let (begins, at) = (row.line(), row.place("a"));
        assert!(at.line >= begins && at.column >= 1);
        rows.push(["a", "b", "c"].map(|column| row.text(column).to_owned()));
    }
    Some(rows)
}

fn taps(bytes: &[u8]) {
    match read_taps("taps.csv", bytes) {
        Ok(taps) => {
            let lines = taps.iter().map(|tap| answer_line(tap, doorward_protocol::decide::Reason::Granted));
            let answers: String = core::iter::once(answers_header().to_owned()).chain(lines).collect();
            // Answers have a column that questions lack; apart from it, they are questions.
            let asked = answers.replace(",decision,", ",expect,");
            let again = read_taps("taps.csv", asked.as_bytes()).unwrap_or_default();
            assert_eq!(again.len(), taps.len(), "{answers}");
            let same = again.iter().zip(&taps).all(|(a, b)| (a.at, &a.door, &a.card) == (b.at, &b.door, &b.card));
            assert!(same, "{answers}");
        }
        Err(problems) => {
            assert!(!problems.is_empty() && problems.is_sorted());
        }
    }
}

/// A line on the agent's socket.
fn line(bytes: &[u8]) {
    let request = Request::parse(bytes);
    assert!(bytes.len() <= LINE_BYTES_MAX || request.is_err());
    if let Ok(Request::Tap(tap)) = request {
        assert_eq!(Request::parse(tap.to_line().as_bytes()), Ok(Request::Tap(tap)), "a tap is asked as it was meant");
    }
}

/// What stands in a journal, in a request or in an answer: it is read as it is written.
fn json<T: Serialize + DeserializeOwned + Debug + PartialEq>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let Ok(text) = serde_json::to_string(&value) else {
        assert!(text_of(bytes).is_none(), "what was read can be written: {value:?}");
        return;
    };
    let again = serde_json::from_str::<T>(&text);
    assert!(again.is_ok_and(|again| again == value), "{text}");
}

/// Answers of the API that come line by line, as a client reads them.
fn shapes_of_many_lines(bytes: &[u8]) {
    json::<shapes::ImportOrder>(bytes);
    for line in bytes.split(|byte| *byte == b'\n') {
        json::<shapes::ProgressLine>(line);
        json::<shapes::ImportLine>(line);
        json::<shapes::LogLine>(line);
        json::<shapes::JournalLine>(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::armor;

    #[test]
    fn the_armor_computed_here_is_the_one_that_is_read() {
        let text = armor::to_text("doorward1_", &7_u8).unwrap();
        assert_eq!(text, armored("doorward1_", &[7]));
    }
}
