//! What is counted in a run: how often each thing happened, and how often each checker saw the case that it is there for.
//!
//! A checker that never sees its case is worth nothing, so the numbers are printed and the suite looks at them.

use crate::sim::promise::Promise;
use std::collections::BTreeMap;

/// A kind of thing and which of it.
pub type Name = (&'static str, &'static str);

/// See the module.
#[derive(Debug, Default)]
pub struct Counts {
    /// By name.
    pub counted: BTreeMap<Name, u64>,
    /// How long each revocation took at each agent that was connected, in milliseconds.
    pub revocation_ms: Vec<i64>,
}

impl Counts {
    /// One more of something.
    pub fn one(&mut self, kind: &'static str, name: &'static str) {
        self.add(kind, name, 1);
    }

    /// So many more of something.
    pub fn add(&mut self, kind: &'static str, name: &'static str, count: u64) {
        *self.counted.entry((kind, name)).or_default() += count;
    }

    /// A checker saw a case that it is there for.
    pub fn seen(&mut self, promise: Promise, case: &'static str) {
        self.one(promise.name(), case);
    }
}
