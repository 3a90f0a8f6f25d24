//! What the checkers know of one agent, from what was delivered to it and what its disk made durable.
//!
//! It never looks into the machines: it is a second, simpler opinion about what they must and must not do.

use crate::sim::disk::{Image, Job};
use doorward_protocol::agent::stored::Write;
use doorward_protocol::cache::Cache;
use doorward_protocol::commit::Position;
use doorward_protocol::id::Hash;
use doorward_protocol::limits::CLOCK_TOLERANCE_MS;
use doorward_protocol::overlay::Overlay;
use doorward_protocol::record::Record;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A removal that must be in force.
#[derive(Debug, Clone)]
pub struct Removed {
    pub items: Vec<Item>,
    pub at: UnixMs,
    pub is_durable: bool,
}

/// See the module.
pub struct Watch {
    /// The highest position that was in force.
    pub top: Position,
    /// The highest position that was durable.
    pub durable_top: Position,
    /// The newest word that can have renewed a lease.
    pub fresh_at: UnixMs,
    /// The newest genuine time that the clock agreed with: no tap is decided at an earlier one.
    pub floor_at: UnixMs,
    /// Whether the clock agreed with the last genuine word.
    pub clock_trusted: bool,
    /// Removals that were delivered.
    pub removals: BTreeMap<(Position, u32), Removed>,
    /// When each genuine removal that ever was delivered had been ordered, by its hash: a restored authority gives out a
    /// number once more, and a receipt is about one of the two.
    pub ordered_at: BTreeMap<Hash, UnixMs>,
    /// Every record that was made, without its number, and how often.
    pub made: BTreeMap<Vec<u8>, u32>,
    /// Every grant that was answered, likewise.
    pub answered: BTreeMap<Vec<u8>, u32>,
    /// The cache that was looked at last.
    pub seen: Option<Arc<Cache>>,
    /// Hash of the commit that was looked at last.
    pub seen_commit: Option<Hash>,
    /// The overlay that was looked at last.
    pub seen_overlay: Option<Arc<Overlay>>,
}

impl Watch {
    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self {
            top: Position { epoch: 0, seq: 0 },
            durable_top: Position { epoch: 0, seq: 0 },
            fresh_at: UnixMs(i64::MIN),
            floor_at: UnixMs(i64::MIN),
            clock_trusted: true,
            removals: BTreeMap::new(),
            ordered_at: BTreeMap::new(),
            made: BTreeMap::new(),
            answered: BTreeMap::new(),
            seen: None,
            seen_commit: None,
            seen_overlay: None,
        }
    }

    /// A genuine signed time was delivered; `is_present` says that it claims to be the present.
    pub fn hear(&mut self, signed: UnixMs, wall: UnixMs, is_present: bool) -> bool {
        let ahead_ms = signed.since_ms(wall);
        let agrees = ahead_ms <= CLOCK_TOLERANCE_MS && (!is_present || ahead_ms >= -CLOCK_TOLERANCE_MS);
        if agrees {
            self.floor_at = self.floor_at.max(signed);
        }
        if is_present || !agrees {
            self.clock_trusted = agrees;
        }
        agrees
    }

    /// A genuine removal was delivered. A restored authority gives out a number once more: then both count.
    pub fn remove(&mut self, removal: Removal) {
        let fresh = Removed { items: Vec::new(), at: removal.at, is_durable: false };
        let removed = self.removals.entry((removal.position, removal.part)).or_insert(fresh);
        if removed.items.is_empty() || removed.at != removal.at {
            removed.items.extend(removal.items);
            removed.at = removed.at.max(removal.at);
        }
    }

    /// The disk made a job durable.
    pub fn is_durable(&mut self, job: &Job, image: &Image) {
        self.durable_top = self.durable_top.max(image.position());
        if let Job::Persist { writes, .. } = job {
            for write in writes {
                if let Write::PutRemoval(position, part, _) = write
                    && let Some(removed) = self.removals.get_mut(&(*position, *part))
                {
                    removed.is_durable = true;
                }
            }
        }
    }

    /// The machine stopped: what was not durable is allowed to be gone.
    pub fn crash(&mut self, image: &Image) {
        self.top = self.durable_top;
        self.floor_at = image.floor.at;
        self.clock_trusted = true;
        self.removals.retain(|_, removed| removed.is_durable);
        (self.seen, self.seen_commit, self.seen_overlay) = (None, None, None);
    }

    /// An older image was put in place of the disk: nobody can know better than it does, except the authority.
    pub fn restore(&mut self, image: &Image) {
        self.durable_top = image.position();
        self.top = self.durable_top;
        self.floor_at = image.floor.at;
        self.removals.retain(|key, _| image.removals.contains_key(key));
    }

    /// The removals that a commit of a history does not contain.
    pub fn removals_beyond(
        &self,
        held: Option<(Position, UnixMs)>,
    ) -> impl Iterator<Item = (&(Position, u32), &Removed)> {
        self.removals.iter().filter(move |((position, _), removed)| !contains(held, *position, removed.at))
    }
}

/// Whether a commit, by its position and time, contains what was ordered at another: later in the same history, or after
/// the operator began a new one. A restored journal counts again what an agent has seen already, so the time counts, too.
pub fn contains(held: Option<(Position, UnixMs)>, ordered: Position, ordered_at: UnixMs) -> bool {
    held.is_some_and(|(held, at)| held.epoch > ordered.epoch || (held >= ordered && at >= ordered_at))
}

/// What a record says, its number aside: the same tap has the same words in whichever chain it comes home.
pub fn words_of(record: &Record) -> Vec<u8> {
    doorward_protocol::codec::encode(&Record { seq: 0, ..record.clone() }).unwrap_or_default()
}
