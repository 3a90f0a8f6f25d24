//! The network between one agent and the authority, as QUIC shows it: each lane in order until the connection is cut.
//!
//! Lanes do not wait for each other; within one, a frame takes as long as its bytes and the line's latency.

use crate::sim::chance::Chance;
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;

/// One direction of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Updates, pulses, statements.
    ControlDown,
    /// Removals.
    RemovalDown,
    /// Acknowledgements.
    RecordsDown,
    /// Greeting, receipts, refusals.
    ControlUp,
    /// Access records.
    RecordsUp,
}

impl Way {
    /// Whether frames go to the agent.
    pub const fn is_down(self) -> bool {
        matches!(self, Self::ControlDown | Self::RemovalDown | Self::RecordsDown)
    }

    /// A number for the trace.
    pub const fn number(self) -> u8 {
        match self {
            Self::ControlDown => 0,
            Self::RemovalDown => 1,
            Self::RecordsDown => 2,
            Self::ControlUp => 3,
            Self::RecordsUp => 4,
        }
    }
}

/// Longest latency of a line, in milliseconds.
pub const LATENCY_MS_MAX: i64 = 1_500;

/// See the module.
#[derive(Debug)]
pub struct Link {
    /// Which connection; frames of an older one arrive nowhere.
    pub generation: u64,
    /// Whether frames arrive.
    pub carries: bool,
    /// Whether nothing can connect.
    pub is_blocked: bool,
    /// Whether somebody stands between the two.
    pub is_watched: bool,
    /// Whether somebody has altered, held back or added a frame of this connection.
    pub is_tampered: bool,
    latency_ms: (i64, i64),
    bytes_per_ms: u64,
    lanes: BTreeMap<Way, (UnixMs, UnixMs)>,
}

impl Link {
    /// A line with a character of its own.
    pub fn new(chance: &mut Chance) -> Self {
        let kinds = [((1, 10), 10_000), ((5, 60), 1_000), ((40, 400), 100), ((300, LATENCY_MS_MAX), 10)];
        let ((low, high), bytes_per_ms) = chance.pick(&kinds).copied().unwrap_or(((1, 10), 10_000));
        Self {
            generation: 0,
            carries: false,
            is_blocked: false,
            is_watched: false,
            is_tampered: false,
            latency_ms: (low, high),
            bytes_per_ms,
            lanes: BTreeMap::new(),
        }
    }

    /// Begins a connection.
    pub fn open(&mut self) -> u64 {
        self.generation += 1;
        self.carries = true;
        self.is_tampered = false;
        self.lanes.clear();
        self.generation
    }

    /// When a frame that is sent now arrives.
    pub fn arrival(&mut self, way: Way, bytes: usize, now: UnixMs, chance: &mut Chance) -> UnixMs {
        let (free_at, last_at) = self.lanes.get(&way).copied().unwrap_or((now, now));
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let takes_ms = i64::try_from(bytes / self.bytes_per_ms.max(1)).unwrap_or(i64::MAX);
        let sent_at = free_at.max(now).plus_ms(takes_ms);
        let (low, high) = self.latency_ms;
        let arrives_at = sent_at.plus_ms(chance.between(low, high)).max(last_at);
        self.lanes.insert(way, (sent_at, arrives_at));
        arrives_at
    }
}
