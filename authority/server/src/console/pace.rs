//! How fast one session may ask: a program that runs wild, or was given somebody's cookie, gets no more than a busy person does.
//!
//! Deliberately not for those who have not signed in: their passwords are held back where they are checked (`accounts`), and how many
//! connections there are is bounded where they are taken.

use doorward_protocol::id::{Hash, hash};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many requests may come at once: some pages with the photos of a list each.
const BURST: u32 = 600;
/// How soon the next one may come when all of them were made: sixty a second.
const EVERY: Duration = Duration::from_micros(16_667);
/// Most sessions that are remembered; whoever is forgotten begins anew.
const SESSIONS_MAX: usize = 10_000;

/// When each session that asked lately will have all of its requests back.
#[derive(Debug, Default)]
pub struct Pace {
    rested_at: Mutex<BTreeMap<Hash, Instant>>,
}

impl Pace {
    /// Whether a session may ask now; that it did is remembered.
    pub fn allows(&self, session: &str, now: Instant) -> bool {
        let mut rested_at = self.rested_at.lock().unwrap_or_else(PoisonError::into_inner);
        if rested_at.len() >= SESSIONS_MAX {
            rested_at.retain(|_, at| *at > now);
        }
        if rested_at.len() >= SESSIONS_MAX {
            rested_at.clear();
        }
        let at = rested_at.entry(hash("doorward 1 console pace", &[session.as_bytes()])).or_insert(now);
        let next = (*at).max(now) + EVERY;
        let is_allowed = next.saturating_duration_since(now) <= EVERY * BURST;
        if is_allowed {
            *at = next;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_asks_without_end_is_held_back_until_it_has_rested_and_others_are_not() {
        let (pace, begin) = (Pace::default(), Instant::now());
        assert!((0..BURST).all(|_| pace.allows("one", begin)));
        assert!(!pace.allows("one", begin));
        assert!(pace.allows("other", begin));
        assert!(!pace.allows("one", begin + EVERY / 2));
        assert!(pace.allows("one", begin + EVERY));
        assert!(!pace.allows("one", begin + EVERY));
        let later = begin + EVERY * (BURST + 1);
        assert!((0..BURST).all(|_| pace.allows("one", later)) && !pace.allows("one", later));
    }

    #[test]
    fn however_many_sessions_there_are_it_does_not_grow() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert!((0..SESSIONS_MAX + 5).all(|number| pace.allows(&number.to_string(), now)));
        assert!(pace.rested_at.lock().unwrap().len() <= SESSIONS_MAX);
    }
}
