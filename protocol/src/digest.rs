//! The digest of a set of facts, updated in proportion to a change.
//!
//! LtHash with 1,024 lanes of 16 bits over BLAKE3 extended output ("Securing Update Propagation with Homomorphic
//! Hashing", Lewi, Kim, Maykov, Weis, 2019): adding and taking away an element are lane-wise sums, so the order of
//! changes does not matter and equal sets have equal digests.

use crate::id::{Context, Hash};

const LANES: usize = 1024;

static FACT: Context = Context::new("doorward 1 fact in set");
static DIGEST: Context = Context::new("doorward 1 set digest");

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
        let mut hasher = FACT.hasher();
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
        let mut bytes = [0_u8; LANES * 2];
        let (pairs, _) = bytes.as_chunks_mut::<2>();
        for (pair, lane) in pairs.iter_mut().zip(self.0) {
            *pair = lane.to_le_bytes();
        }
        DIGEST.hash(&[&bytes])
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
