//! Says that somebody asks without the right token, but not so often that it fills the log.
//!
//! Deliberately slows nobody down: a token has 256 bits and cannot be guessed at any rate.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line in this time tells enough.
const PERIOD: Duration = Duration::from_secs(60);

/// Requests without the right token.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    unsaid: u64,
    said_at: Option<Instant>,
}

impl Refusals {
    /// Counts one more.
    pub fn count(&self) {
        if let Some(refused) = self.to_say(Instant::now()) {
            tracing::warn!(refused, "requests to the API were refused, whose token is missing or wrong");
        }
    }

    /// How many are to be told of now, if it is time.
    fn to_say(&self, now: Instant) -> Option<u64> {
        // A count that a panic interrupted is still one.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unsaid = state.unsaid.saturating_add(1);
        let is_due = state.said_at.is_none_or(|said_at| now.duration_since(said_at) >= PERIOD);
        is_due.then(|| {
            state.said_at = Some(now);
            std::mem::take(&mut state.unsaid)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_together() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        assert_eq!(refusals.to_say(begin), Some(1));
        assert!((0..50).all(|_| refusals.to_say(begin).is_none()));
        assert_eq!(refusals.to_say(begin + PERIOD), Some(51));
        assert_eq!(refusals.to_say(begin + PERIOD), None);
    }
}
