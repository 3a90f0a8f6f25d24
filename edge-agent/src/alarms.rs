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
    /// How often it was raised in a row.
    pub times: u32,
}

/// Where alarms go; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Alarms(Arc<Mutex<VecDeque<Alarm>>>);

impl Alarms {
    /// Tells the operator. The same words in a row are counted, and said again at the 10th, 100th, 1,000th time: a full
    /// disk under a queue of people must not fill the log as well.
    pub fn raise(&self, text: impl Into<String>) {
        let text = text.into();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = match kept.back_mut().filter(|last| last.text == text) {
            Some(last) => {
                last.times = last.times.saturating_add(1);
                last.times
            }
            None => 1,
        };
        if is_power_of_ten(times) {
            let again = if times == 1 { String::new() } else { format!(" (the {times}th time)") };
            tracing::warn!("alarm: {text}{again}");
        }
        if times == 1 {
            if kept.len() >= KEPT_MAX {
                kept.pop_front();
            }
            kept.push_back(Alarm { at: wall_now().to_utc_text(), text, times });
        }
    }

    /// The last alarms, oldest first.
    #[must_use]
    pub fn last(&self) -> Vec<Alarm> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn is_power_of_ten(n: u32) -> bool {
    n.checked_ilog10().and_then(|digits| 10_u32.checked_pow(digits)) == Some(n)
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

    #[test]
    fn the_same_words_in_a_row_are_counted() {
        let alarms = Alarms::default();
        ["full", "full", "full", "gone", "full"].into_iter().for_each(|text| alarms.raise(text));
        let counts: Vec<(String, u32)> = alarms.last().into_iter().map(|alarm| (alarm.text, alarm.times)).collect();
        assert_eq!(counts, [("full".into(), 3), ("gone".into(), 1), ("full".into(), 1)]);
        let said: Vec<u32> = (1..=1_000).filter(|n| is_power_of_ten(*n)).collect();
        assert_eq!(said, [1, 10, 100, 1_000]);
    }
}
