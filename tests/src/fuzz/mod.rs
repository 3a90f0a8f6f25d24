//! What the fuzzer calls: a function for each target, with the properties that no input may break.
//!
//! Deliberately without the fuzzer: `tests/fuzz` links these functions to libFuzzer, and a test replays its corpus on
//! stable Rust through the same list. A broken property is a failed assertion.

mod agent;
mod authority;
mod chains;
mod choices;
mod evidence;
mod facts;
mod folder;
mod history;
mod model;
mod recorder;
mod records;
pub mod seeds;
mod store;
mod text;
mod wire;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its folder of inputs.
    pub name: &'static str,
    /// Looks at one input.
    ///
    /// # Panics
    /// When the input breaks a property.
    pub run: fn(&[u8]),
    /// How much memory looking at an input may take at its peak, in bytes: so many for any input.
    pub bytes_flat: u64,
    /// And so many more for each byte of the input.
    pub bytes_each: u64,
}

impl Target {
    /// The most memory that looking at an input of this length may take at its peak, in bytes.
    #[must_use]
    pub fn bytes_max(&self, input_length: usize) -> u64 {
        let length = u64::try_from(input_length).unwrap_or(u64::MAX);
        self.bytes_each.saturating_mul(length).saturating_add(self.bytes_flat)
    }

    /// The target of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }
}

/// Every target. A decoder may take a small multiple of its input and the few buffers of a mebibyte with which serde
/// believes a length at first; machines carry a campus of their own.
pub const TARGETS: [Target; 8] = [
    Target { name: "wire", run: wire::run, bytes_flat: 4 << 20, bytes_each: 128 },
    Target { name: "text", run: text::run, bytes_flat: 1 << 20, bytes_each: 512 },
    Target { name: "folder", run: folder::run, bytes_flat: 16 << 20, bytes_each: 1024 },
    Target { name: "facts", run: facts::run, bytes_flat: 4 << 20, bytes_each: 1024 },
    Target { name: "store", run: store::run, bytes_flat: 32 << 20, bytes_each: 1024 },
    Target { name: "agent_machines", run: agent::run, bytes_flat: 16 << 20, bytes_each: 4096 },
    Target { name: "authority_machines", run: authority::run, bytes_flat: 16 << 20, bytes_each: 4096 },
    Target { name: "evidence", run: evidence::run, bytes_flat: 4 << 20, bytes_each: 512 },
];
