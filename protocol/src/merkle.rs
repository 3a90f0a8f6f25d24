//! The tree over agents' leaves, in the shape of RFC 9162 section 2.1, with BLAKE3 and separate contexts.

use crate::id::{Hash, hash};
use crate::limits::AGENTS_MAX;
use serde::{Deserialize, Serialize};

/// An inclusion path: the siblings from the leaf to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The leaf's place, from zero.
    pub index: u32,
    /// How many leaves the tree has.
    pub size: u32,
    /// Siblings, nearest the leaf first; at most 20.
    pub siblings: Vec<Hash>,
}

/// Hash of a leaf's bytes.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    hash("doorward 1 merkle leaf", &[bytes])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash("doorward 1 merkle node", &[&left.0, &right.0])
}

/// A tree with all of its levels, leaves first.
#[derive(Debug, Clone)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over these leaf hashes.
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => node_hash(left, right),
                [odd, ..] => *odd,
                [] => empty_root(),
            });
            let above = above.collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The root; of no leaves, a hash of its own.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_else(empty_root)
    }

    /// The path of the leaf at `index`; `None` past the end.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<Path> {
        let size = self.levels.first()?.len();
        if index >= size {
            return None;
        }
        let mut siblings = Vec::new();
        let mut place = index;
        for level in &self.levels {
            // The last node of an odd level has no sibling and rises as it is.
            siblings.extend(level.get(place ^ 1).filter(|_| level.len() > 1));
            place /= 2;
        }
        Some(Path { index: u32::try_from(index).ok()?, size: u32::try_from(size).ok()?, siblings })
    }
}

fn empty_root() -> Hash {
    hash("doorward 1 merkle empty", &[])
}

impl Path {
    /// The root that a leaf has under this path; `None` when the path is not one of a tree of its size.
    #[must_use]
    pub fn root_of(&self, leaf: Hash) -> Option<Hash> {
        let size = usize::try_from(self.size).ok()?;
        if self.index >= self.size || size > AGENTS_MAX {
            return None;
        }
        let mut place = self.index;
        let mut last = self.size.checked_sub(1)?;
        let mut siblings = self.siblings.iter();
        let mut node = leaf;
        while last > 0 {
            if place % 2 == 1 {
                node = node_hash(siblings.next()?, &node);
            } else if place < last {
                node = node_hash(&node, siblings.next()?);
            }
            place /= 2;
            last /= 2;
        }
        siblings.next().is_none().then_some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(n: u8) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&[i])).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_proves_itself_and_no_other() {
        for n in 1..40 {
            let tree = Tree::new(leaves(n));
            for (i, leaf) in leaves(n).into_iter().enumerate() {
                let path = tree.path(i).unwrap();
                assert_eq!(path.root_of(leaf), Some(tree.root()), "leaf {i} of {n}");
                assert_ne!(path.root_of(leaf_hash(b"other")), Some(tree.root()));
                let mut longer = path.clone();
                longer.siblings.push(leaf);
                assert_eq!(longer.root_of(leaf), None);
            }
            assert!(tree.path(usize::from(n)).is_none());
        }
    }

    #[test]
    fn the_shape_is_that_of_rfc_9162() {
        let [a, b, c, d, e] = leaves(5).try_into().unwrap();
        let abcd = node_hash(&node_hash(&a, &b), &node_hash(&c, &d));
        assert_eq!(Tree::new(vec![a, b, c, d, e]).root(), node_hash(&abcd, &e));
    }
}
