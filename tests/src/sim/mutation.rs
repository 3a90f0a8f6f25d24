//! Faults that are planted to show that the checkers can fail: each at the simulator's boundary, none in production code.
//!
//! Each names the promise whose checker is expected to catch it.

use crate::sim::promise::Promise;

/// A planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// An append is answered before it is durable.
    RecordEarly,
    /// A change of the state is confirmed before it is durable.
    ConfirmEarly,
    /// The disk loses one record.
    DropRecord,
    /// Removals travel behind additions.
    AdditionsFirst,
    /// The floor is zero after a restart.
    SkipFloor,
    /// The facts in force are another agent's notion of them, without a signed digest.
    UnprovenDelta,
    /// Leases count from now.
    LapsedLease,
    /// Removals are gone after a restart.
    ForgetRemoval,
    /// The authority stores a record twice.
    DoubleRecord,
    /// The wall clock is taken for whatever a pulse says.
    TrustAnyClock,
    /// The authority forgets what entries have touched.
    ForgetTouched,
    /// Taps are answered after what waits for the disk.
    TapWaitsForDisk,
    /// An entry's instant is another one when the journal is read again.
    StampAnew,
    /// Overlays are not looked at.
    IgnoreOverlay,
    /// Every further factor counts as presented.
    AssumeFactors,
    /// Pulses do not reach agents any more.
    MutePulses,
    /// Commits are not announced.
    MuteHeads,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::RecordEarly,
        Self::ConfirmEarly,
        Self::DropRecord,
        Self::AdditionsFirst,
        Self::SkipFloor,
        Self::UnprovenDelta,
        Self::LapsedLease,
        Self::ForgetRemoval,
        Self::DoubleRecord,
        Self::TrustAnyClock,
        Self::ForgetTouched,
        Self::TapWaitsForDisk,
        Self::StampAnew,
        Self::IgnoreOverlay,
        Self::AssumeFactors,
        Self::MutePulses,
        Self::MuteHeads,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecordEarly => "record-early",
            Self::ConfirmEarly => "confirm-early",
            Self::DropRecord => "drop-record",
            Self::AdditionsFirst => "additions-first",
            Self::SkipFloor => "skip-floor",
            Self::UnprovenDelta => "unproven-delta",
            Self::LapsedLease => "lapsed-lease",
            Self::ForgetRemoval => "forget-removal",
            Self::DoubleRecord => "double-record",
            Self::TrustAnyClock => "trust-any-clock",
            Self::ForgetTouched => "forget-touched",
            Self::TapWaitsForDisk => "tap-waits-for-disk",
            Self::StampAnew => "stamp-anew",
            Self::IgnoreOverlay => "ignore-overlay",
            Self::AssumeFactors => "assume-factors",
            Self::MutePulses => "mute-pulses",
            Self::MuteHeads => "mute-heads",
        }
    }

    /// The promise whose checker catches it.
    #[must_use]
    pub const fn breaks(self) -> Promise {
        match self {
            Self::RecordEarly | Self::DropRecord | Self::DoubleRecord => Promise::NoRecordLost,
            Self::ConfirmEarly => Promise::Provable,
            Self::AdditionsFirst | Self::ForgetRemoval | Self::IgnoreOverlay => Promise::RemovalFirst,
            Self::SkipFloor => Promise::NeverBackward,
            Self::UnprovenDelta => Promise::OnlyVerified,
            Self::LapsedLease | Self::TrustAnyClock => Promise::FailClosed,
            Self::ForgetTouched | Self::MutePulses | Self::MuteHeads => Promise::Converges,
            Self::TapWaitsForDisk => Promise::TapsWaitForNobody,
            Self::StampAnew => Promise::Deterministic,
            Self::AssumeFactors => Promise::Exact,
        }
    }

    /// The mutation of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mutation| mutation.name() == name)
    }
}
