//! Deciding on taps, from memory alone: an immutable view that is replaced as a whole, and no lock.
//!
//! Deliberately knows neither machine nor disk nor network: what a tap is decided from was put here before it came. What
//! is replaced is freed by who replaces it, never by a tap, since freeing a whole state takes longer than many taps.

use arc_swap::ArcSwap;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, View, decide_now};
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{CredentialKey, DoorId};
use doorward_protocol::time::UnixMs;
use std::sync::{Arc, Mutex, PoisonError};

/// What taps are decided by, and which commit that is.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What taps are decided by.
    pub view: View,
    /// Of which commit; `None` without a verified state.
    pub position: Option<Position>,
}

impl Shown {
    /// Before anything was read: every tap is denied for want of a state.
    #[must_use]
    pub fn nothing() -> Self {
        let (fresh_at, floor_at) = (UnixMs(i64::MIN), UnixMs(i64::MIN));
        Self {
            view: View { cache: None, overlay: Arc::default(), fresh_at, floor_at, clock_trusted: true },
            position: None,
        }
    }
}

/// A decision, before it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Why, and with that whether.
    pub reason: Reason,
    /// The instant that counted.
    pub at: UnixMs,
    /// What the agent knows the card by.
    pub credential: CredentialKey,
    /// By which commit.
    pub position: Position,
}

/// Where taps are decided.
#[derive(Debug)]
pub struct Decider {
    shown: ArcSwap<Shown>,
    /// What was shown before and a tap may still be looking at. Taps never take this lock.
    replaced: Mutex<Vec<Arc<Shown>>>,
}

impl Default for Decider {
    fn default() -> Self {
        Self { shown: ArcSwap::from_pointee(Shown::nothing()), replaced: Mutex::default() }
    }
}

impl Decider {
    /// Decides by this from now on.
    pub fn show(&self, shown: Shown) {
        let before = self.shown.swap(Arc::new(shown));
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.push(before);
        // A tap that began before is over the next time at the latest.
        replaced.retain(|before| Arc::strong_count(before) > 1);
    }

    /// What taps are decided by now.
    #[must_use]
    pub fn shown(&self) -> Arc<Shown> {
        self.shown.load_full()
    }

    /// Decides one tap.
    #[must_use]
    pub fn decide(&self, door: &DoorId, card: &str, factors: Factors, wall: UnixMs) -> Decision {
        let shown = self.shown.load();
        // Without a state there is no key to hash the card id under, and the id itself is not kept: all zero.
        let credential = shown.view.cache.as_ref().map_or(CredentialKey([0; 16]), |cache| cache.credential_key(card));
        let (reason, at) = decide_now(&shown.view, door, credential, factors, wall);
        Decision { reason, at, credential, position: shown.position.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tap_looks_at_stays_until_it_is_replaced_once_more() {
        let decider = Decider::default();
        let first = Arc::downgrade(&decider.shown());
        let looking = decider.shown();
        decider.show(Shown::nothing());
        drop(looking);
        assert!(first.upgrade().is_some(), "not freed by who looked at it");
        decider.show(Shown::nothing());
        assert!(first.upgrade().is_none(), "freed by who shows the next one");
    }

    #[test]
    fn without_a_state_every_tap_is_denied_for_that_reason_and_no_card_id_is_kept() {
        let decision = Decider::default().decide(&DoorId::new("d").unwrap(), "04AB", Factors::NONE, UnixMs(1));
        let credential = CredentialKey([0; 16]);
        let position = Position::default();
        assert_eq!(decision, Decision { reason: Reason::NoState, at: UnixMs(1), credential, position });
    }
}
