//! The choices of one run, apart by purpose: one more choice of one kind leaves those of the others as they were.
//!
//! Deliberately the harness's own source of numbers: a seed that failed must fail again years later.

use crate::random::Random;
use doorward_protocol::id::hash;

/// Choices for one purpose.
pub struct Chance(Random);

impl Chance {
    /// The choices that a seed makes for a purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = hash("doorward sim chance", &[&seed.to_le_bytes(), purpose.as_bytes()]).0;
        Self(Random::new(u64::from_le_bytes([a, b, c, d, e, f, g, h])))
    }

    /// A number below a bound; 0 for an empty range.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// A place in a list of this length; 0 for an empty one.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap_or(u64::MAX))).unwrap_or_default()
    }

    /// True once in `n` times.
    pub const fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A number of at least `low` and below `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or_default();
        low.saturating_add(i64::try_from(self.below(width)).unwrap_or_default())
    }

    /// One of the items; `None` of none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        self.0.choose(items)
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            let [low, ..] = self.0.next().to_le_bytes();
            *byte = low;
        }
        bytes
    }
}
