//! What a run of crashes comes to: counts in the order of an alphabet, and each promise that did not hold as a sentence.
//!
//! Deliberately the same for every kind of crash, so that whoever runs one reads all of them.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

/// See the module.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The seed that repeats the choices of the run.
    pub seed: u64,
    /// What was counted; units stand last in the names.
    pub counts: BTreeMap<String, u64>,
    /// What did not hold, in sentences; a good run has none.
    pub violations: Vec<String>,
}

impl Report {
    /// An empty report of a run with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Counts so many more.
    pub fn count(&mut self, what: &str, more: u64) {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(more);
    }

    /// Keeps the highest value.
    pub fn highest(&mut self, what: &str, value: u64) {
        let highest = self.counts.entry(what.to_owned()).or_default();
        *highest = (*highest).max(value);
    }

    /// Says what did not hold.
    pub fn violation(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// Says this unless it holds.
    pub fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.violation(otherwise());
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "seed {}", self.seed)?;
        for (what, count) in &self.counts {
            writeln!(f, "{count} {what}")?;
        }
        for violation in &self.violations {
            writeln!(f, "BROKEN {violation}")?;
        }
        writeln!(f, "{}", if self.violations.is_empty() { "everything held" } else { "NOT everything held" })
    }
}
