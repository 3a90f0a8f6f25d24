//! The closed list of commands: every way in which a campus can change, as the journal stores it.
//!
//! Deliberately without effect: `directory` says what a command means and refuses those that mean nothing.

use crate::application::ApplicationOrder;
use crate::desk::DeskOrder;
use crate::difference::Difference;
use crate::feed::FeedOrder;
use crate::model::{BuildingId, CardId, Grant, GrantId, PersonId};
use crate::office::OfficeOrder;
use crate::office::requests::RequestOrder;
use crate::photo::PhotoOrder;
use crate::production::ProductionOrder;
use doorward_protocol::id::{AgentId, DoorId, Hash, ReaderKey};
use doorward_protocol::limits::TEXT_BYTES_MAX;
use doorward_protocol::sign::PublicKey;
use doorward_protocol::time::{Day, UnixMs};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number: one more than that of the entry before; the first is 1.
    pub seq: u64,
    /// When it was accepted; never before the entry before.
    pub at: UnixMs,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub command: Command,
}

/// One change.
///
/// Stored as `{"name-of-variant": {...}}`. The name stands outside because serde reads tables whose keys are numbers,
/// as holidays are, only where it need not look for a tag first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Command {
    /// The first entry: the secret of the campus, and what it was founded with.
    Found {
        /// The secret under which card ids are hashed.
        #[serde(with = "hexadecimal")]
        reader_key: ReaderKey,
        /// Name and version of the software.
        software: String,
        /// Version of the bundled time-zone database.
        tzdb: String,
    },
    /// A newer campus folder.
    Import {
        /// What is different in it.
        difference: Box<Difference>,
    },
    /// Everything is compiled again, because the software or its time-zone database changed.
    Tick {
        /// Version of the bundled time-zone database.
        tzdb: String,
    },
    /// An agent may join once with a token.
    AgentAdd {
        /// Which agent.
        agent: AgentId,
        /// Hash of the token.
        #[serde(with = "hexadecimal")]
        token_hash: Hash,
        /// The first instant at which the token is worth nothing.
        expires_at: UnixMs,
    },
    /// An agent joined: its key is known, its token is used up.
    AgentEnrol {
        /// Which agent.
        agent: AgentId,
        /// The key that it made.
        #[serde(with = "hexadecimal")]
        key: PublicKey,
        /// Hash of the token that it showed.
        #[serde(with = "hexadecimal")]
        token_hash: Hash,
    },
    /// An agent is struck off.
    AgentRemove {
        /// Which agent.
        agent: AgentId,
    },
    /// A card is held back.
    CardSuspend {
        /// Which card.
        card: CardId,
        /// Why.
        reason: String,
    },
    /// A suspended card works again.
    CardResume {
        /// Which card.
        card: CardId,
        /// Why.
        reason: String,
    },
    /// A produced card comes into use; the one that it replaces ends, and so do those that stood in for it.
    CardActivate {
        /// Which card.
        card: CardId,
    },
    /// A card ends for good.
    CardClose {
        /// Which card.
        card: CardId,
        /// Why.
        reason: String,
        /// What its holder showed, where it ends at their wish.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        document: Option<String>,
    },
    /// A card was found: it opens nothing until its holder has it back.
    CardFound {
        /// Which card.
        card: CardId,
        /// Where it was found, and where it is kept.
        place: String,
    },
    /// An order about an application for a card.
    Application(ApplicationOrder),
    /// An order of the card desk.
    Desk(DeskOrder),
    /// An order about a photo.
    Photo(PhotoOrder),
    /// An order about rosters and batches.
    Production(ProductionOrder),
    /// Doors deny everyone.
    LockDown {
        /// Which doors.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// A lockdown ends.
    Release {
        /// The scope for which it was ordered.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// A right is granted.
    GrantAdd {
        /// Its name, which no grant has yet.
        id: GrantId,
        /// What it is.
        grant: Grant,
    },
    /// A right ends.
    GrantEnd {
        /// Which grant.
        id: GrantId,
        /// Its last day; `None`: it ends now.
        on: Option<Day>,
    },
    /// Somebody who decides about a grant has looked at it: it is still needed.
    GrantConfirm {
        /// Which grant.
        id: GrantId,
        /// Why.
        reason: String,
    },
    /// An order about a request for access.
    Request(RequestOrder),
    /// An order about those who work here.
    Office(OfficeOrder),
    /// Nothing is to be known any more of somebody whom neither folder nor feed names any more; open cards end with it.
    PersonErase {
        /// Whom; once that one is erased, the pseudonym.
        person: PersonId,
        /// The pseudonym that stands in that one's place.
        alias: PersonId,
        /// Why.
        reason: String,
    },
    /// People, as a feed pushes them.
    Feed(FeedOrder),
}

/// The doors of a lockdown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All doors.
    Campus,
    /// The doors of one building.
    Building(BuildingId),
    /// One door.
    Door(DoorId),
}

impl core::fmt::Display for Scope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Campus => f.write_str("the campus"),
            Self::Building(building) => write!(f, "building {building}"),
            Self::Door(door) => write!(f, "door {door}"),
        }
    }
}

/// Who did something, such as `owner`, an operator's name, `agent:agent-sci` or `system`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Actor(Box<str>);

/// Why a text does not name an actor, or cannot be a reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing is there.
    #[error("is empty")]
    Empty,
    /// It is too long.
    #[error("has {0} bytes; at most {TEXT_BYTES_MAX} are kept")]
    TooLong(usize),
    /// It would steer a terminal.
    #[error("contains a control character; it is one line of plain text")]
    Control,
}

/// Whether a text is one line of plain text that the journal keeps.
///
/// # Errors
/// See [`TextError`].
pub fn check_text(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::Control);
    }
    if text.len() > TEXT_BYTES_MAX { Err(TextError::TooLong(text.len())) } else { Ok(()) }
}

impl Actor {
    /// An actor by name.
    ///
    /// # Errors
    /// See [`TextError`].
    pub fn new(name: &str) -> Result<Self, TextError> {
        check_text(name).map(|()| Self(name.into()))
    }

    /// The authority itself.
    #[must_use]
    pub fn system() -> Self {
        Self("system".into())
    }

    /// An agent.
    #[must_use]
    pub fn agent(agent: &AgentId) -> Self {
        Self(format!("agent:{agent}").into())
    }

    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Actor {
    type Error = TextError;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(&name)
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.0.into()
    }
}

impl core::fmt::Display for Actor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Command {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Found { .. } => "found",
            Self::Import { .. } => "import",
            Self::Tick { .. } => "tick",
            Self::AgentAdd { .. } => "agent-add",
            Self::AgentEnrol { .. } => "agent-enrol",
            Self::AgentRemove { .. } => "agent-remove",
            Self::CardSuspend { .. } => "card-suspend",
            Self::CardResume { .. } => "card-resume",
            Self::CardActivate { .. } => "card-activate",
            Self::CardClose { .. } => "card-close",
            Self::CardFound { .. } => "card-found",
            Self::Application(order) => order.name(),
            Self::Desk(order) => order.name(),
            Self::Photo(order) => order.name(),
            Self::Production(order) => order.name(),
            Self::LockDown { .. } => "lock-down",
            Self::Release { .. } => "release",
            Self::GrantAdd { .. } => "grant-add",
            Self::GrantEnd { .. } => "grant-end",
            Self::GrantConfirm { .. } => "grant-confirm",
            Self::Request(order) => order.name(),
            Self::Office(order) => order.name(),
            Self::PersonErase { .. } => "person-erase",
            Self::Feed(order) => order.name(),
        }
    }
}

/// Fixed-size secrets, keys and hashes as hexadecimal text, so that a journal can be read and searched.
pub(crate) mod hexadecimal {
    use doorward_protocol::id::{Hash, ReaderKey};
    use doorward_protocol::sign::PublicKey;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub trait Bytes: Sized {
        fn bytes(&self) -> &[u8; 32];
        fn from_bytes(bytes: [u8; 32]) -> Self;
    }

    macro_rules! bytes {
        ($($name:ident),*) => {$(
            impl Bytes for $name {
                fn bytes(&self) -> &[u8; 32] {
                    &self.0
                }
                fn from_bytes(bytes: [u8; 32]) -> Self {
                    Self(bytes)
                }
            }
        )*};
    }
    bytes!(Hash, PublicKey, ReaderKey);

    pub fn serialize<T: Bytes, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(value.bytes()))
    }

    pub fn deserialize<'de, T: Bytes, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        // The text may be a secret, so the message does not repeat it.
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| D::Error::custom("is not 64 hexadecimal digits"))?;
        Ok(T::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Command, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_is_stored_by_name_and_its_bytes_as_hexadecimal() {
        let command = Command::Found { reader_key: ReaderKey([171; 32]), software: "x".into(), tzdb: "2026a".into() };
        let json = serde_json::to_string(&command).unwrap();
        let golden = format!(r#"{{"found":{{"reader_key":"{}","software":"x","tzdb":"2026a"}}}}"#, "ab".repeat(32));
        assert_eq!(json, golden);
        assert_eq!(read(&json), Ok(command));
    }

    #[test]
    fn a_command_with_a_field_or_name_of_another_version_is_not_read() {
        assert!(read(r#"{"card-activate":{"card":"A"}}"#).is_ok());
        assert!(read(r#"{"card-activate":{"card":"A","urgent":true}}"#).unwrap_err().contains("unknown field"));
        assert!(read(r#"{"card-frame":{"card":"A"}}"#).unwrap_err().contains("unknown variant"));
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_not_repeated() {
        let error = read(r#"{"found":{"reader_key":"c0ffee","software":"x","tzdb":"y"}}"#).unwrap_err();
        assert!(!error.contains("c0ffee"), "{error}");
    }

    #[test]
    fn the_secret_does_not_print() {
        let command = Command::Found { reader_key: ReaderKey([171; 32]), software: "x".into(), tzdb: "y".into() };
        let printed = format!("{command:?}");
        assert!(!printed.contains("171") && !printed.contains("abab"), "{printed}");
    }

    #[test]
    fn an_actor_is_one_line_of_bounded_text() {
        assert_eq!(Actor::new("a\nb"), Err(TextError::Control));
        assert_eq!(Actor::new(" "), Err(TextError::Empty));
        assert_eq!(Actor::new(&"x".repeat(257)), Err(TextError::TooLong(257)));
        assert_eq!(Actor::new("operator").map(|actor| actor.to_string()), Ok("operator".into()));
    }
}
