//! The digest of a set of facts, updated in proportion to a change.
//!
//! LtHash with 1,024 lanes of 16 bits over BLAKE3 extended output ("Securing Update Propagation with Homomorphic
//! Hashing", Lewi, Kim, Maykov, Weis, 2019): adding and taking away an element are lane-wise sums, so the order of
//! changes does not matter and equal sets have equal digests.

use crate::id::{Hash, hash};
use blake3::hazmat::{HasherExt, hash_derive_key_context};
use std::sync::LazyLock;

const LANES: usize = 1024;

/// The key that BLAKE3 derives from the context of facts: the same for each, so it is derived once.
static FACT_KEY: LazyLock<[u8; 32]> = LazyLock::new(|| hash_derive_key_context("doorward 1 fact in set"));

/// The homomorphic sum of a set.
#[derive(Clone, PartialEq, Eq)]
pub struct SetSum([u16; LANES]);

impl core::fmt::Debug for SetSum {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SetSum({})", self.digest())
    }
}

impl Default for SetSum {
    fn default() -> Self {
        Self([0; LANES])
    }
}

impl SetSum {
    /// Adds an element that is not in the set.
    pub fn add(&mut self, element: &[u8]) {
        self.combine(element, u16::wrapping_add);
    }

    /// Takes away an element that is in the set.
    pub fn remove(&mut self, element: &[u8]) {
        self.combine(element, u16::wrapping_sub);
    }

    fn combine(&mut self, element: &[u8], operation: fn(u16, u16) -> u16) {
        let mut hasher = blake3::Hasher::new_from_context_key(&FACT_KEY);
        hasher.update(element);
        let mut expanded = [0_u8; LANES * 2];
        hasher.finalize_xof().fill(&mut expanded);
        let (pairs, _) = expanded.as_chunks::<2>();
        for (lane, pair) in self.0.iter_mut().zip(pairs) {
            *lane = operation(*lane, u16::from_le_bytes(*pair));
        }
    }

    /// The digest: a hash of all lanes, little-endian.
    #[must_use]
    pub fn digest(&self) -> Hash {
        let bytes: Vec<u8> = self.0.iter().flat_map(|lane| lane.to_le_bytes()).collect();
        hash("doorward 1 set digest", &[&bytes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_removal_undoes_addition() {
        let (mut ab, mut ba) = (SetSum::default(), SetSum::default());
        ab.add(b"a");
        ab.add(b"b");
        ba.add(b"b");
        ba.add(b"a");
        assert_eq!(ab.digest(), ba.digest());
        ab.remove(b"b");
        assert_ne!(ab.digest(), ba.digest());
        ab.remove(b"a");
        assert_eq!(ab.digest(), SetSum::default().digest());
    }

    #[test]
    fn the_digest_of_a_set_is_fixed() {
        let mut sum = SetSum::default();
        sum.add(b"doorward");
        let golden = "a5118ab829f349ecbae8c1f2f5984a6d35cbd174ccdebd170d32355be103d502";
        assert_eq!(sum.digest().to_string(), golden);
    }
}
