//! The authority's clock: never backward, never past an unfinished command, and suspicious of itself.
//!
//! The wall clock is believed only as far as the monotonic one agrees with it; what disagrees stops pulses.

use doorward_protocol::limits::CLOCK_TOLERANCE_MS;
use doorward_protocol::time::UnixMs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// How far the wall clock may stand ahead of the journal's last entry at the start without being asked about it.
const AHEAD_MS_MAX: i64 = 31 * 86_400_000;

/// The wall clock now.
#[must_use]
pub fn wall() -> UnixMs {
    // A clock before 1970 reads as 1970, which the guards below refuse.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Why a server does not start by this clock.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClockRefused {
    /// It stands before what the journal has seen.
    #[error(
        "the clock shows {wall}, but the journal's last entry is of {last}; set the clock right and start again",
        wall = .wall.to_utc_text(), last = .last.to_utc_text()
    )]
    Behind {
        /// The wall clock.
        wall: UnixMs,
        /// The journal's last entry.
        last: UnixMs,
    },
    /// It stands long after what the journal has seen.
    #[error(
        "the clock shows {wall}, more than a month after the journal's last entry of {last}; \
         if the clock is right, start once with --accept-clock, otherwise set it right",
        wall = .wall.to_utc_text(), last = .last.to_utc_text()
    )]
    Ahead {
        /// The wall clock.
        wall: UnixMs,
        /// The journal's last entry.
        last: UnixMs,
    },
}

/// Whether a server may start by this clock, given the newest instant that it is known to have shown.
///
/// # Errors
/// See [`ClockRefused`].
pub fn check_at_start(wall: UnixMs, last: UnixMs, accept_ahead: bool) -> Result<(), ClockRefused> {
    if wall.plus_ms(CLOCK_TOLERANCE_MS) < last {
        return Err(ClockRefused::Behind { wall, last });
    }
    if wall.since_ms(last) > AHEAD_MS_MAX && !accept_ahead {
        return Err(ClockRefused::Ahead { wall, last });
    }
    Ok(())
}

/// The order of commands, commits and pulses in time. A pulse says that a commit was the newest one at an instant, so
/// between accepting a command and publishing its commit there is none, and no command is older than the last pulse.
#[derive(Debug)]
pub struct Timeline {
    state: Mutex<State>,
    started: (Instant, UnixMs),
}

#[derive(Debug)]
struct State {
    newest_at: UnixMs,
    accepted: u64,
    published: u64,
}

impl Timeline {
    /// A timeline that stands at an entry; nothing after it is older than `newest_at`.
    #[must_use]
    pub fn new(head: u64, newest_at: UnixMs) -> Self {
        let state = Mutex::new(State { newest_at, accepted: head, published: head });
        Self { state, started: (Instant::now(), wall()) }
    }

    /// The instant for a command that is about to become entry `seq`.
    pub fn accept(&self, seq: u64) -> UnixMs {
        let mut state = self.lock();
        state.accepted = seq;
        state.newest_at = state.newest_at.max(self.now());
        state.newest_at
    }

    /// The time that is believed: the wall clock's, or, once that was stepped, the one that it would show without. A
    /// suspension must go out with either, and one dated a year ahead would make every agent doubt its clock.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        let stepped_ms = self.stepped_ms();
        if is_step(stepped_ms) { wall().plus_ms(stepped_ms.saturating_neg()) } else { wall() }
    }

    /// The command did not become entry `seq` after all.
    pub fn withdraw(&self, seq: u64) {
        let mut state = self.lock();
        state.accepted = state.accepted.min(seq.saturating_sub(1));
    }

    /// The commit of entry `seq` is there for everyone.
    pub fn publish(&self, seq: u64) {
        let mut state = self.lock();
        state.published = state.published.max(seq);
    }

    /// The instant for a pulse about the published commit; `None` while a newer command is under way.
    pub fn pulse(&self) -> Option<(u64, UnixMs)> {
        let mut state = self.lock();
        if state.accepted != state.published {
            return None;
        }
        state.newest_at = state.newest_at.max(wall());
        Some((state.published, state.newest_at))
    }

    /// Number of the newest accepted command, whose commit may still be under way.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.lock().accepted
    }

    /// How far the wall clock has moved against the monotonic one since the start, in milliseconds.
    #[must_use]
    pub fn stepped_ms(&self) -> i64 {
        let (instant, at) = self.started;
        let elapsed_ms = i64::try_from(instant.elapsed().as_millis()).unwrap_or(i64::MAX);
        wall().since_ms(at.plus_ms(elapsed_ms))
    }

    /// Whether the wall clock was stepped so far that nobody should believe it.
    #[must_use]
    pub fn is_stepped(&self) -> bool {
        is_step(self.stepped_ms())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Three numbers that are each written at once cannot be left half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn is_step(stepped_ms: i64) -> bool {
    stepped_ms.saturating_abs() > CLOCK_TOLERANCE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_by_a_year_does_not_start_a_server() {
        let year = 365 * 86_400_000;
        let last = UnixMs(1_800_000_000_000);
        assert_eq!(check_at_start(last.plus_ms(-60_000), last, false), Ok(()));
        assert!(matches!(check_at_start(last.plus_ms(-year), last, true), Err(ClockRefused::Behind { .. })));
        assert!(matches!(check_at_start(last.plus_ms(year), last, false), Err(ClockRefused::Ahead { .. })));
        assert_eq!(check_at_start(last.plus_ms(year), last, true), Ok(()));
    }

    #[test]
    fn no_pulse_while_a_command_has_no_commit_yet() {
        let timeline = Timeline::new(4, UnixMs(0));
        assert_eq!(timeline.pulse().map(|(seq, _)| seq), Some(4));
        timeline.accept(5);
        assert_eq!(timeline.pulse(), None);
        timeline.withdraw(5);
        assert_eq!(timeline.pulse().map(|(seq, _)| seq), Some(4));
        timeline.accept(5);
        timeline.publish(5);
        assert_eq!(timeline.pulse().map(|(seq, _)| seq), Some(5));
    }

    #[test]
    fn time_never_runs_backwards() {
        let future = wall().plus_ms(60_000);
        let timeline = Timeline::new(0, future);
        assert_eq!(timeline.accept(1), future);
        timeline.publish(1);
        assert_eq!(timeline.pulse(), Some((1, future)));
    }
}
