//! The tree over agents' leaves, in the shape of RFC 9162 section 2.1, with BLAKE3 and separate contexts.

use crate::id::{Context, Hash, hash};
use crate::limits::AGENTS_MAX;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

static LEAF: Context = Context::new("doorward 1 merkle leaf");
static NODE: Context = Context::new("doorward 1 merkle node");

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
    LEAF.hash(&[bytes])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    NODE.hash(&[&left.0, &right.0])
}

/// A tree over leaves, each with a value beside its hash. Copies share what is equal, so that a copy with other leaves
/// costs the paths from those to the root.
#[derive(Debug, Clone)]
pub struct Tree<T = ()> {
    top: Option<Arc<Node<T>>>,
    size: usize,
}

#[derive(Debug)]
enum Node<T> {
    Leaf(Hash, T),
    Pair(Hash, Arc<Node<T>>, Arc<Node<T>>),
}

impl Tree {
    /// The tree over these leaf hashes.
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Self {
        Self::with_values(leaves.into_iter().map(|hash| (hash, ())).collect())
    }
}

impl<T> Tree<T> {
    /// The tree over these leaf hashes, each with its value.
    #[must_use]
    pub fn with_values(leaves: Vec<(Hash, T)>) -> Self {
        let size = leaves.len();
        Self { top: Node::over(&mut leaves.into_iter(), size), size }
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.size
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// The root; of no leaves, a hash of its own.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.top.as_ref().map_or_else(empty_root, |top| top.hash())
    }

    /// The hash and the value of the leaf at `index`; `None` past the end.
    #[must_use]
    pub fn leaf(&self, index: usize) -> Option<(Hash, &T)> {
        self.descend(index, |_| {})
    }

    /// All leaves in their order.
    pub fn leaves(&self) -> impl Iterator<Item = (Hash, &T)> {
        let mut waiting: Vec<&Node<T>> = self.top.as_deref().into_iter().collect();
        core::iter::from_fn(move || {
            loop {
                match waiting.pop()? {
                    Node::Leaf(hash, value) => return Some((*hash, value)),
                    Node::Pair(_, left, right) => waiting.extend([&**right, &**left]),
                }
            }
        })
    }

    /// Puts other leaves in the places of those at these indices; those past the end change nothing.
    pub fn replace(&mut self, mut leaves: BTreeMap<usize, (Hash, T)>) {
        if let Some(top) = self.top.as_ref().and_then(|top| top.with(0, self.size, &mut leaves)) {
            self.top = Some(top);
        }
    }

    /// The path of the leaf at `index`; `None` past the end.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<Path> {
        let mut siblings = Vec::new();
        self.descend(index, |sibling| siblings.push(sibling))?;
        siblings.reverse();
        Some(Path { index: u32::try_from(index).ok()?, size: u32::try_from(self.size).ok()?, siblings })
    }

    /// Walks down to a leaf, and shows the hash beside each step.
    fn descend(&self, index: usize, mut beside: impl FnMut(Hash)) -> Option<(Hash, &T)> {
        let mut node = self.top.as_deref().filter(|_| index < self.size)?;
        let (mut index, mut size) = (index, self.size);
        loop {
            match node {
                Node::Leaf(hash, value) => return Some((*hash, value)),
                Node::Pair(_, left, right) => {
                    let on_the_left = left_of(size);
                    if index < on_the_left {
                        beside(right.hash());
                        (node, size) = (left, on_the_left);
                    } else {
                        beside(left.hash());
                        (node, index, size) = (right, index - on_the_left, size - on_the_left);
                    }
                }
            }
        }
    }
}

impl<T> Node<T> {
    fn over(leaves: &mut impl Iterator<Item = (Hash, T)>, size: usize) -> Option<Arc<Self>> {
        match size {
            0 => None,
            1 => leaves.next().map(|(hash, value)| Arc::new(Self::Leaf(hash, value))),
            _ => {
                let on_the_left = left_of(size);
                let left = Self::over(leaves, on_the_left)?;
                let right = Self::over(leaves, size - on_the_left)?;
                Some(Self::pair(left, right))
            }
        }
    }

    fn pair(left: Arc<Self>, right: Arc<Self>) -> Arc<Self> {
        Arc::new(Self::Pair(node_hash(&left.hash(), &right.hash()), left, right))
    }

    const fn hash(&self) -> Hash {
        match self {
            Self::Leaf(hash, _) | Self::Pair(hash, _, _) => *hash,
        }
    }

    /// The same, whose leaves begin at `first`, with those of these leaves that are its own; `None` when none is.
    fn with(&self, first: usize, size: usize, leaves: &mut BTreeMap<usize, (Hash, T)>) -> Option<Arc<Self>> {
        let end = first.saturating_add(size);
        leaves.range(first..end).next()?;
        match self {
            Self::Leaf(..) => leaves.remove(&first).map(|(hash, value)| Arc::new(Self::Leaf(hash, value))),
            Self::Pair(_, left, right) => {
                let on_the_left = left_of(size);
                let middle = first.saturating_add(on_the_left);
                let other_left = left.with(first, on_the_left, leaves);
                let other_right = right.with(middle, size.saturating_sub(on_the_left), leaves);
                let or = |other: Option<Arc<Self>>, same: &Arc<Self>| other.unwrap_or_else(|| Arc::clone(same));
                Some(Self::pair(or(other_left, left), or(other_right, right)))
            }
        }
    }
}

/// How many of two or more leaves are on the left: the largest power of two that leaves some for the right.
const fn left_of(size: usize) -> usize {
    size.next_power_of_two() / 2
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
    fn a_tree_with_other_leaves_is_the_one_over_them_and_leaves_its_copy_alone() {
        for n in 1..40 {
            let before = Tree::new(leaves(n));
            let places = 0..usize::from(n);
            for (first, second) in places.clone().flat_map(|first| places.clone().map(move |second| (first, second))) {
                let (mut after, mut hashes) = (before.clone(), leaves(n));
                let others = [(first, leaf_hash(b"other")), (second, leaf_hash(b"another"))];
                others.iter().for_each(|(place, hash)| hashes[*place] = *hash);
                after.replace(others.map(|(place, hash)| (place, (hash, ()))).into());
                let anew = Tree::new(hashes.clone());
                assert_eq!(
                    (after.root(), after.path(first)),
                    (anew.root(), anew.path(first)),
                    "leaves {others:?} of {n}"
                );
                assert!(after.leaves().map(|(hash, ())| hash).eq(hashes));
            }
            assert_eq!(before.root(), Tree::new(leaves(n)).root());
            let mut same = before.clone();
            same.replace([(usize::from(n), (leaf_hash(b"other"), ()))].into());
            assert_eq!(same.root(), before.root());
        }
    }

    #[test]
    fn the_shape_is_that_of_rfc_9162() {
        let [a, b, c, d, e] = leaves(5).try_into().unwrap();
        let abcd = node_hash(&node_hash(&a, &b), &node_hash(&c, &d));
        assert_eq!(Tree::new(vec![a, b, c, d, e]).root(), node_hash(&abcd, &e));
    }
}
