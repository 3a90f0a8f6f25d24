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
    /// The facts in force are another notion of them, without a signed digest.
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
    /// The authority acknowledges records before they are stored.
    AcknowledgeEarly,
    /// The authority takes all records of a restored disk for known.
    CompareNothing,
    /// The authority takes none of the records of a restored disk for known.
    FindNothingSame,
    /// An acknowledgement frees records that it does not cover.
    FreeAll,
    /// A full disk says that it took an append.
    FullDiskIsFine,
    /// A disk says that the newest group is durable, and it is not.
    SyncLies,
    /// A crash leaves half of a group on the disk.
    TornGroup,
    /// A receipt that is not durable closes a door in the evidence.
    CountApplied,
    /// Evidence leaves out an agent that knew the subject.
    ForgetOneDoor,
    /// Nobody notices that a clock was stepped.
    StepUnseen,
    /// Verified time does not hold a clock up.
    IgnoreTimeFloor,
    /// A tap meets an update that is half there.
    HalfUpdate,
    /// A commit's instant is not that of its entry.
    StampCommit,
    /// What an entry touched is not compiled again.
    StaleCompile,
    /// Facts stay as they were while the position moves.
    StaleView,
    /// A removal that nobody signed is in force.
    UnprovenRemoval,
    /// An agent gets what is another's.
    MixedUp,
    /// An agent that connects does not get the removals that have no commit yet.
    ForgetPending,
    /// Alarms reach nobody.
    MuteAlarms,
    /// Nobody begins a new epoch after the journal was restored.
    NoEpoch,
    /// A snapshot is sent where a delta does.
    AlwaysSnapshot,
    /// An agent that was cut off does not come back.
    NeverReconnect,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 39] = [
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
        Self::AcknowledgeEarly,
        Self::CompareNothing,
        Self::FindNothingSame,
        Self::FreeAll,
        Self::FullDiskIsFine,
        Self::SyncLies,
        Self::TornGroup,
        Self::CountApplied,
        Self::ForgetOneDoor,
        Self::StepUnseen,
        Self::IgnoreTimeFloor,
        Self::HalfUpdate,
        Self::StampCommit,
        Self::StaleCompile,
        Self::StaleView,
        Self::UnprovenRemoval,
        Self::MixedUp,
        Self::ForgetPending,
        Self::MuteAlarms,
        Self::NoEpoch,
        Self::AlwaysSnapshot,
        Self::NeverReconnect,
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
            Self::AcknowledgeEarly => "acknowledge-early",
            Self::CompareNothing => "compare-nothing",
            Self::FindNothingSame => "find-nothing-same",
            Self::FreeAll => "free-all",
            Self::FullDiskIsFine => "full-disk-is-fine",
            Self::SyncLies => "sync-lies",
            Self::TornGroup => "torn-group",
            Self::CountApplied => "count-applied",
            Self::ForgetOneDoor => "forget-one-door",
            Self::StepUnseen => "step-unseen",
            Self::IgnoreTimeFloor => "ignore-time-floor",
            Self::HalfUpdate => "half-update",
            Self::StampCommit => "stamp-commit",
            Self::StaleCompile => "stale-compile",
            Self::StaleView => "stale-view",
            Self::UnprovenRemoval => "unproven-removal",
            Self::MixedUp => "mixed-up",
            Self::ForgetPending => "forget-pending",
            Self::MuteAlarms => "mute-alarms",
            Self::NoEpoch => "no-epoch",
            Self::AlwaysSnapshot => "always-snapshot",
            Self::NeverReconnect => "never-reconnect",
        }
    }

    /// The promise whose checker catches it.
    #[must_use]
    pub const fn breaks(self) -> Promise {
        match self {
            Self::RecordEarly
            | Self::DropRecord
            | Self::DoubleRecord
            | Self::AcknowledgeEarly
            | Self::CompareNothing
            | Self::FindNothingSame
            | Self::FreeAll
            | Self::FullDiskIsFine
            | Self::SyncLies
            | Self::MuteAlarms => Promise::NoRecordLost,
            Self::ConfirmEarly | Self::CountApplied | Self::ForgetOneDoor => Promise::Provable,
            Self::AdditionsFirst | Self::ForgetRemoval | Self::IgnoreOverlay | Self::ForgetPending => {
                Promise::RemovalFirst
            }
            Self::SkipFloor | Self::TornGroup => Promise::NeverBackward,
            Self::UnprovenDelta | Self::StaleView | Self::UnprovenRemoval => Promise::OnlyVerified,
            Self::LapsedLease | Self::TrustAnyClock | Self::StepUnseen | Self::IgnoreTimeFloor => Promise::FailClosed,
            Self::ForgetTouched
            | Self::MutePulses
            | Self::MuteHeads
            | Self::MixedUp
            | Self::NoEpoch
            | Self::AlwaysSnapshot
            | Self::NeverReconnect => Promise::Converges,
            Self::TapWaitsForDisk | Self::HalfUpdate => Promise::TapsWaitForNobody,
            Self::StampAnew | Self::StampCommit => Promise::Deterministic,
            Self::AssumeFactors | Self::StaleCompile => Promise::Exact,
        }
    }

    /// The mutation of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mutation| mutation.name() == name)
    }
}
