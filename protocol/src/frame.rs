//! Frames: what travels between an agent and the authority, and how it stands on a stream (PROTOCOL 2).
//!
//! A frame on a stream is its length in four bytes, little-endian, then that many bytes of its canonical encoding.

use crate::codec::{self, CodecError};
use crate::commit::{Head, Position, Pulse};
use crate::id::{AgentId, Hash};
use crate::limits::FRAME_BYTES_MAX;
use crate::receipt::Receipt;
use crate::record::{Batch, ChainHead};
use crate::removal::Removal;
use crate::sign::Signed;
use crate::state::Change;
use crate::time::UnixMs;
use crate::trust::Statement;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version of this protocol; both sides of one major version understand each other.
pub const PROTOCOL_VERSION: u16 = 1;

/// TLS application protocol of an enrolled agent.
pub const ALPN_AGENT: &[u8] = b"doorward-agent/1";

/// TLS application protocol for joining and for renewing a certificate.
pub const ALPN_ENROL: &[u8] = b"doorward-enrol/1";

/// The name in the authority's TLS certificate.
pub const AUTHORITY_NAME: &str = "authority.doorward";

/// The streams of a connection. Each keeps its own order, so that a removal never waits behind a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Greeting, statements, updates, pulses, receipts: opened by the agent, both ways.
    Control,
    /// Removals: opened by the authority, one way.
    Removal,
    /// Access records and their acknowledgements: opened by the agent, both ways.
    Records,
}

/// From an agent to the authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAuthority {
    /// Control: first frame of a connection.
    Hello(Hello),
    /// Control: something is in force.
    Receipt(Signed<Receipt>),
    /// Control: something was not taken; nothing changed.
    Refusal(Refusal),
    /// Control: answer to a pulse that was taken.
    Heard(Heard),
    /// Records: where the chain stands, as the first frame of the lane and when idle.
    ChainReport(ChainReport),
    /// Records: records that are not acknowledged yet.
    Records(Batch),
}

/// From the authority to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAgent {
    /// Control: trust statements after the one the agent holds.
    Statements(Vec<Signed<Statement>>),
    /// Control: a newer state; its parts follow.
    Update(Box<Update>),
    /// Control: one part of the update before it.
    Part(Change),
    /// Control: a fresh word.
    Pulse(Signed<Pulse>),
    /// Removal.
    Removal(Signed<Removal>),
    /// Records: everything up to here is stored.
    Stored(ChainHead),
}

/// First frame of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`] of the agent.
    pub protocol: u16,
    /// Who speaks; must be the certificate's.
    pub agent: AgentId,
    /// Version of the agent's software; at most [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub software: String,
    /// Version of the newest trust statement it holds.
    pub statement: u32,
    /// The position below which it never goes.
    pub floor: Position,
    /// What it decides by, `None` when it has no verified state.
    pub state: Option<StateClaim>,
    /// Hash of the signed commit of that state, `None` together with it.
    pub commit: Option<Hash>,
    /// Its wall clock.
    pub wall: UnixMs,
}

/// The state that an agent says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateClaim {
    /// Of which commit.
    pub position: Position,
    /// Its digest.
    pub digest: Hash,
}

/// Begins an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The commit and its proof for this agent.
    pub head: Head,
    /// From what the state is made.
    pub base: Base,
    /// How many parts follow; at most [`crate::limits::PARTS_MAX`].
    pub parts: u32,
}

/// From what an update makes the new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Base {
    /// From the state that the agent has.
    Present,
    /// From nothing: a snapshot replaces everything.
    Nothing,
}

/// Answer to a pulse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The pulse's time.
    pub pulse_at: UnixMs,
    /// From when the agent's leases count.
    pub fresh_at: UnixMs,
    /// The agent's wall clock.
    pub wall: UnixMs,
}

/// Where an agent's record chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainReport {
    /// The newest durable record.
    pub head: ChainHead,
    /// The newest acknowledged record that the agent knows of.
    pub acknowledged: u64,
    /// When the oldest record that is not acknowledged was made.
    pub oldest_unsent_at: Option<UnixMs>,
}

/// Why an agent did not take something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Signature, campus, agent or path do not fit.
    Unproven(String),
    /// Its position is below the agent's.
    Backward {
        /// What came.
        offered: Position,
        /// Below what the agent never goes.
        floor: Position,
    },
    /// A delta came where only a snapshot helps: there is no state, or the delta did not yield the signed digest.
    NeedSnapshot(String),
    /// Two different commits of one position.
    Fork {
        /// Which position.
        position: Position,
        /// The one that the agent holds.
        held: Hash,
        /// The one that came.
        offered: Hash,
    },
    /// A bound was exceeded or the order of frames was wrong.
    OutOfBounds(String),
    /// The clocks of agent and authority stand too far apart.
    ClockDisagrees {
        /// The agent's wall clock.
        wall: UnixMs,
        /// The authority's time.
        signed: UnixMs,
    },
    /// What the agent had stored is damaged or older than it was.
    StoreDamaged(String),
}

/// Encodes a frame with its length in front.
///
/// # Errors
/// [`CodecError::Unencodable`] when it is larger than [`FRAME_BYTES_MAX`].
pub fn to_wire<T: Serialize>(frame: &T) -> Result<Vec<u8>, CodecError> {
    let body = codec::encode(frame)?;
    let length = u32::try_from(body.len()).map_err(|_| CodecError::Unencodable)?;
    Ok([&length.to_le_bytes(), body.as_slice()].concat())
}

/// The length of the frame that follows these four bytes.
///
/// # Errors
/// [`CodecError::TooLong`] before anything is allocated.
pub fn body_length(prefix: [u8; 4]) -> Result<usize, CodecError> {
    let length = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(usize::MAX);
    if length > FRAME_BYTES_MAX { Err(CodecError::TooLong(length, FRAME_BYTES_MAX)) } else { Ok(length) }
}

/// Decodes the body of a frame.
///
/// # Errors
/// See [`CodecError`].
pub fn from_wire<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<T, CodecError> {
    codec::decode(body)
}
