//! The trace of a run as one hash: two runs of a seed that differ anywhere differ here.

use doorward_protocol::id::{Hash, hash};

/// See the module.
#[derive(Debug)]
pub struct Trace {
    digest: Hash,
    events: u64,
}

impl Trace {
    /// The trace before the first event.
    pub fn new(seed: u64) -> Self {
        Self { digest: hash("doorward sim trace", &[&seed.to_le_bytes()]), events: 0 }
    }

    /// Takes an event in.
    pub fn add(&mut self, parts: &[&[u8]]) {
        let mut all = vec![self.digest.0.as_slice()];
        all.extend(parts);
        self.digest = hash("doorward sim event", &all);
        self.events += 1;
    }

    /// Takes in what an event led to.
    pub fn note(&mut self, text: &str) {
        self.digest = hash("doorward sim note", &[&self.digest.0, text.as_bytes()]);
    }

    /// The hash over everything so far.
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// How many events there were.
    pub const fn events(&self) -> u64 {
        self.events
    }
}
