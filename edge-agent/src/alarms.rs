//! What a person must look at: one line of warning each, and the last ones kept for `status`.
//!
//! Deliberately not where alarms are thought of; the machines and the tasks around them raise them.

use crate::clock::wall_now;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many alarms are kept: enough to see what a bad night began with, little enough to print.
const KEPT_MAX: usize = 32;

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// When it was raised, RFC 3339 in UTC.
    pub at: String,
    /// What happened, in a sentence without names and card numbers.
    pub text: String,
}

/// Where alarms go; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Alarms(Arc<Mutex<VecDeque<Alarm>>>);

impl Alarms {
    /// Tells the operator.
    pub fn raise(&self, text: impl Into<String>) {
        let text = text.into();
        tracing::warn!("alarm: {text}");
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Alarm { at: wall_now().to_utc_text(), text });
    }

    /// The last alarms, oldest first.
    #[must_use]
    pub fn last(&self) -> Vec<Alarm> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_alarms_are_kept() {
        let alarms = Alarms::default();
        (0..=KEPT_MAX).for_each(|i| alarms.raise(format!("alarm {i}")));
        let kept = alarms.last();
        assert_eq!(kept.len(), KEPT_MAX);
        assert_eq!(kept[0].text, "alarm 1");
    }
}
