//! The lines on the socket: what is asked, what is answered, and what is said when a line is wrong.
//!
//! Deliberately without a socket: text in, values out.

use crate::alarms::Alarm;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{DoorId, check};
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// Longest line in bytes, its end left aside: a tap needs 200.
pub const LINE_BYTES_MAX: usize = 4096;

/// What a line should look like.
const SHAPE: &str = r#"{"door":"eng-1-main","card":"04AB","factors":["pin"],"id":"optional"} or {"status":true}"#;

/// What a line asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Whether a door opens.
    Tap(TapRequest),
    /// How the agent is.
    Status,
}

/// One tap.
#[derive(Debug, Clone, PartialEq)]
pub struct TapRequest {
    /// At which door.
    pub door: DoorId,
    /// What the reader read.
    pub card: String,
    /// Further factors.
    pub factors: Factors,
    /// What comes back with the answer.
    pub id: Option<Value>,
}

/// Why a line is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// Too long to be looked at.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// Not JSON of either shape.
    #[error("{0}; a line must be like {SHAPE}")]
    Shape(String),
    /// A value is wrong.
    #[error("{field} {error}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What is wrong and what would be right.
        error: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    door: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    factors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<bool>,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// See [`LineError`].
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(LineError::TooLong);
        }
        let line: RequestLine = serde_json::from_slice(line).map_err(|error| LineError::Shape(error.to_string()))?;
        match line {
            RequestLine { status: Some(true), door: None, card: None, .. } => Ok(Self::Status),
            RequestLine { status: None, door: Some(door), card: Some(card), factors, id } => {
                Ok(Self::Tap(TapRequest::checked(&door, card, &factors, id)?))
            }
            RequestLine { .. } => Err(LineError::Shape("the line asks neither for a tap nor for the status".into())),
        }
    }
}

impl TapRequest {
    fn checked(door: &str, card: String, factors: &[String], id: Option<Value>) -> Result<Self, LineError> {
        let value_error = |field, error: String| LineError::Value { field, error };
        let door = DoorId::new(door).map_err(|error| value_error("door", error.to_string()))?;
        check(&card, true).map_err(|error| value_error("card", error.to_string()))?;
        let unknown = || value_error("factors", "has a name that is not pin, fingerprint or face".into());
        let factors = factors
            .iter()
            .try_fold(Factors::NONE, |all, name| Some(all.union(Factors::named(name)?)))
            .ok_or_else(unknown)?;
        let is_scalar = id.as_ref().is_none_or(|id| id.is_string() || id.is_number());
        if !is_scalar {
            return Err(value_error("id", "is neither a text nor a number".into()));
        }
        Ok(Self { door, card, factors, id })
    }

    /// The line that asks this, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let factors = self.factors.to_string();
        let factors = factors.split('+').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let (door, card) = (Some(self.door.as_str().to_owned()), Some(self.card.clone()));
        to_line(&RequestLine { door, card, factors, id: self.id.clone(), status: None })
    }
}

/// The line that asks for the status, with its end.
#[must_use]
pub const fn status_line() -> &'static str {
    "{\"status\":true}\n"
}

/// The answer to a tap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TapAnswer {
    /// What came with the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// At which door.
    pub door: DoorId,
    /// `grant` or `deny`.
    pub decision: String,
    /// Why.
    pub reason: String,
    /// The instant that counted, RFC 3339 in UTC.
    pub at: String,
}

impl TapAnswer {
    /// The answer to this tap.
    #[must_use]
    pub fn new(id: Option<Value>, door: DoorId, reason: Reason, at: UnixMs) -> Self {
        let (decision, reason) = (reason.decision().to_owned(), reason.as_str().to_owned());
        Self { id, door, decision, reason, at: at.to_utc_text() }
    }
}

/// The answer to a line that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// What is wrong and what would be right.
    pub error: String,
}

/// How the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Which agent.
    pub agent: String,
    /// Which campus.
    pub campus: String,
    /// Version of its software.
    pub software: String,
    /// The commit that is in force, `None` without a verified state.
    pub position: Option<String>,
    /// The authority's address while connected.
    pub connected_to: Option<String>,
    /// Whether the clock can be trusted.
    pub clock_trusted: bool,
    /// The agent's clock, RFC 3339 in UTC.
    pub at: String,
    /// Until when its certificate is valid.
    pub certificate_until: Option<String>,
    /// Access records that wait for an acknowledgement.
    pub unsent_records: u64,
    /// Its doors.
    pub doors: Vec<DoorStatus>,
    /// The last alarms, oldest first.
    pub alarms: Vec<Alarm>,
}

/// How a door is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorStatus {
    /// Which door.
    pub door: DoorId,
    /// Whether it is locked down.
    pub lockdown: bool,
    /// When its lease ends, RFC 3339 in UTC; `None` when it never does.
    pub lease_ends: Option<String>,
    /// Milliseconds until then, 0 when it has ended.
    pub lease_left_ms: Option<i64>,
}

/// A value as a line with its end.
#[must_use]
pub fn to_line<T: Serialize>(value: &T) -> String {
    // Texts, numbers and lists of them always have a spelling in JSON.
    serde_json::to_string(value).map(|text| text + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        Request::parse(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_tap_is_read_and_written() {
        let line = br#"{"door":"eng-1-main","card":"04AB","factors":["pin","face"],"id":"7"}"#;
        let Ok(Request::Tap(tap)) = Request::parse(line) else { panic!("no tap") };
        assert_eq!((tap.door.as_str(), tap.card.as_str()), ("eng-1-main", "04AB"));
        assert_eq!(tap.factors, Factors::PIN.union(Factors::FACE));
        assert_eq!(tap.id, Some("7".into()));
        assert_eq!(Request::parse(tap.to_line().as_bytes()), Ok(Request::Tap(tap)));
        let bare = Request::parse(br#"{"door":"d","card":"c"}"#);
        assert!(matches!(bare, Ok(Request::Tap(TapRequest { factors: Factors::NONE, id: None, .. }))));
        assert_eq!(Request::parse(status_line().as_bytes()), Ok(Request::Status));
    }

    #[test]
    fn a_wrong_line_says_what_would_be_right() {
        assert!(refused("open sesame").contains(r#"a line must be like {"door":"#));
        assert!(refused("").contains("a line must be like"));
        assert!(refused("[]").contains("a line must be like"));
        assert!(refused(r#"{"door":"d"}"#).contains("neither for a tap nor for the status"));
        assert!(refused(r#"{"status":false}"#).contains("neither for a tap"));
        assert!(refused(r#"{"door":"d","card":"c","open":true}"#).contains("unknown field `open`"));
        assert_eq!(refused(r#"{"door":"a b","card":"c"}"#), "door contains ' '; an id is made of A-Z a-z 0-9 . _ -");
        assert_eq!(refused(r#"{"door":"d","card":""}"#), "card is empty; an id has 1 to 64 characters");
        assert!(refused(r#"{"door":"d","card":"c","factors":["nose"]}"#).contains("pin, fingerprint or face"));
        assert_eq!(refused(r#"{"door":"d","card":"c","id":{}}"#), "id is neither a text nor a number");
        let long = format!(r#"{{"door":"d","card":"{}"}}"#, "x".repeat(LINE_BYTES_MAX));
        assert_eq!(refused(&long), "the line is longer than 4096 bytes");
    }

    #[test]
    fn an_answer_has_the_documented_fields() {
        let door = DoorId::new("d").unwrap();
        let answer = TapAnswer::new(Some(7.into()), door, Reason::Granted, UnixMs(0));
        let line = r#"{"id":7,"door":"d","decision":"grant","reason":"granted","at":"1970-01-01T00:00:00Z"}"#;
        assert_eq!(to_line(&answer), format!("{line}\n"));
    }
}
