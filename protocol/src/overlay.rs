//! The overlay: what removals took away before the commit that contains them is in force. It can only deny.

use crate::commit::Position;
use crate::decide::Narrowed;
use crate::facts::CredentialState;
use crate::id::{CredentialKey, DoorId};
use crate::limits::OVERLAY_REMOVALS_MAX;
use crate::removal::{Item, Removal};
use std::collections::{BTreeMap, BTreeSet};

/// Removals in force, each until its commit is, by position and [`Overlay::part_for`].
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    removals: BTreeMap<(Position, u32), Removal>,
    credentials: BTreeMap<CredentialKey, Narrowed>,
    doors: BTreeSet<DoorId>,
}

impl Overlay {
    /// Whether nothing is taken away.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removals.is_empty()
    }

    /// Whether there is no room for another removal.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.removals.len() >= OVERLAY_REMOVALS_MAX
    }

    /// The part under which a removal is kept: its own, unless another removal of that name is here. An authority that
    /// was restored from an older copy gives names again; what was taken away under the first one stays so.
    #[must_use]
    pub fn part_for(&self, removal: &Removal) -> u32 {
        let is_free = |part: &u32| self.removals.get(&(removal.position, *part)).is_none_or(|known| known == removal);
        (removal.part..).find(is_free).unwrap_or(removal.part)
    }

    /// The overlay with one more removal.
    #[must_use]
    pub fn with(&self, removal: Removal) -> Self {
        let mut removals = self.removals.clone();
        removals.insert((removal.position, self.part_for(&removal)), removal);
        Self::from_removals(removals)
    }

    /// The overlay without the removals that a commit at `position` contains.
    #[must_use]
    pub fn after_commit(&self, position: Position) -> Self {
        let mut removals = self.removals.clone();
        removals.retain(|(at, _), _| *at > position);
        Self::from_removals(removals)
    }

    /// Whether a door is locked down by a removal.
    #[must_use]
    pub fn locks(&self, door: &DoorId) -> bool {
        self.doors.contains(door)
    }

    /// A credential's state, never less strict than the verified one.
    #[must_use]
    pub fn state_of(&self, key: CredentialKey, verified: CredentialState) -> Narrowed {
        match self.credentials.get(&key) {
            Some(Narrowed::Closed) => Narrowed::Closed,
            // A card that is not active yet stays refused for that reason when it is suspended, too: the state
            // after the suspension is suspended, so that reason is the exact one.
            Some(Narrowed::As(state)) => Narrowed::As(*state),
            None => Narrowed::As(verified),
        }
    }

    fn from_removals(removals: BTreeMap<(Position, u32), Removal>) -> Self {
        let mut overlay = Self { removals, ..Self::default() };
        for removal in overlay.removals.values() {
            for item in &removal.items {
                match item {
                    Item::Suspend(key) => {
                        let state = overlay.credentials.entry(*key).or_insert(Narrowed::As(CredentialState::Suspended));
                        *state = (*state).max(Narrowed::As(CredentialState::Suspended));
                    }
                    Item::Close(key) => {
                        overlay.credentials.insert(*key, Narrowed::Closed);
                    }
                    Item::LockDown(door) => {
                        overlay.doors.insert(door.clone());
                    }
                }
            }
        }
        overlay
    }
}
