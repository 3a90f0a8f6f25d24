//! Waiting for something to come true, with a deadline and a sentence about what was waited for.
//!
//! Deliberately the only place that sleeps: a fixed pause is too short on a slow machine and too long on a fast one.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long anything on loopback may take before it counts as never; two busy cores need some of it.
pub const SOON: Duration = Duration::from_secs(20);

/// Asks until there is an answer.
///
/// # Errors
/// When the deadline passes first; the sentence names what was waited for.
pub fn until<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if start.elapsed() >= deadline {
            bail!("waited {deadline:?} in vain for this: {what}");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Asks until the answer is yes; an error counts as no, and the last one is told when the deadline passes.
///
/// # Errors
/// When the deadline passes first.
pub fn until_true(what: &str, deadline: Duration, mut ask: impl FnMut() -> Result<bool>) -> Result<()> {
    let mut last = None;
    let answer = until(what, deadline, || match ask() {
        Ok(yes) => yes.then_some(()),
        Err(error) => {
            last = Some(error);
            None
        }
    });
    match (answer, last) {
        (Err(error), Some(last)) => Err(error.context(format!("the last answer was: {last:#}"))),
        (answer, _) => answer,
    }
}
