//! The ten promises by name, and how a run says that one of them was broken.

use doorward_protocol::time::UnixMs;

/// What people rely on; ARCHITECTURE.md says each in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// Decisions are those of the rules at the commit in force.
    Exact,
    /// Nothing unproven changes a state.
    OnlyVerified,
    /// A position never falls.
    NeverBackward,
    /// A revocation waits for nothing.
    RemovalFirst,
    /// A revocation can be proven offline.
    Provable,
    /// A tap waits for no sync, disk or network.
    TapsWaitForNobody,
    /// No record is lost, none doubled.
    NoRecordLost,
    /// In doubt a door denies.
    FailClosed,
    /// Whoever is reachable is brought up to date.
    Converges,
    /// The same inputs give the same bytes.
    Deterministic,
}

impl Promise {
    /// The name of its checker.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::OnlyVerified => "only_verified",
            Self::NeverBackward => "never_backward",
            Self::RemovalFirst => "removal_first",
            Self::Provable => "provable",
            Self::TapsWaitForNobody => "taps_wait_for_nobody",
            Self::NoRecordLost => "no_record_lost",
            Self::FailClosed => "fail_closed",
            Self::Converges => "converges",
            Self::Deterministic => "deterministic",
        }
    }
}

/// A promise that was broken.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// When, by the true time of the simulation.
    pub at: UnixMs,
    /// How.
    pub text: String,
}

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: at {}: {}", self.promise.name(), self.at.to_utc_text(), self.text)
    }
}

/// Violations of one promise that are kept: the first ones tell what happened, the rest follows from them.
const KEPT_MAX: usize = 3;

/// What the checkers found.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// The first violations.
    pub violations: Vec<Violation>,
}

impl Verdicts {
    /// Whether a promise was broken.
    pub fn is_broken(&self, promise: Promise) -> bool {
        self.violations.iter().any(|violation| violation.promise == promise)
    }

    /// Notes a violation.
    pub fn broken(&mut self, promise: Promise, at: UnixMs, text: String) {
        let known = self.violations.iter().filter(|violation| violation.promise == promise).count();
        if known < KEPT_MAX {
            self.violations.push(Violation { promise, at, text });
        }
    }
}
