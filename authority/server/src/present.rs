//! The directory and the states of all agents as of the newest commit, and what of it a connected agent needs.
//!
//! Readers share it; only the compiler thread changes it. Deliberately no history: a delta is the present value of
//! whatever the entries since the agent's own have touched.

use doorward_policy::command::Command;
use doorward_policy::compile::Compiled;
use doorward_policy::desk::DeskOrder;
use doorward_policy::directory::Directory;
use doorward_policy::model::CardId;
use doorward_policy::touched::Touched;
use doorward_policy::zone::zone;
use doorward_protocol::codec::{self, CodecError};
use doorward_protocol::commit::{Commit, Head, Leaf, Position};
use doorward_protocol::facts::{Fact, FactKey};
use doorward_protocol::frame::{Base, StateClaim};
use doorward_protocol::id::{AgentId, CredentialKey, DoorId, Hash};
use doorward_protocol::merkle::{Path, Tree};
use doorward_protocol::session::sync::Outgoing;
use doorward_protocol::sign::{PublicKey, Signed};
use doorward_protocol::state::Change;
use doorward_protocol::time::{UnixMs, Zone};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most entries whose touched facts are kept: an agent that is farther behind gets a snapshot.
pub(crate) const TOUCHED_MAX: usize = 65_536;

/// The newest commit with the tree that proves each agent's leaf.
#[derive(Debug, Clone)]
pub struct Published {
    /// Which entry.
    pub position: Position,
    /// When that entry was accepted.
    pub at: UnixMs,
    /// The signed commit.
    pub commit: Signed<Commit>,
    /// Its hash.
    pub hash: Hash,
    /// The leaves.
    pub leaves: Leaves,
}

/// The leaves of all enrolled agents, ascending, and the tree over them. A copy shares all that is equal.
#[derive(Debug, Clone)]
pub struct Leaves {
    agents: Arc<[AgentId]>,
    by_key: Arc<BTreeMap<PublicKey, usize>>,
    tree: Tree<Leaf>,
}

impl Leaves {
    /// The leaves of a directory and what was compiled from it.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn of(directory: &Directory, compiled: &Compiled) -> Result<Self, CodecError> {
        Self::reusing(directory, compiled, None)
    }

    /// The leaves after an entry that can have changed no leaf but those of these agents.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn after<'a>(
        &self,
        directory: &Directory,
        compiled: &Compiled,
        agents: impl IntoIterator<Item = &'a AgentId>,
    ) -> Result<Self, CodecError> {
        let mut others = BTreeMap::new();
        for agent in agents {
            match (self.place(agent), leaf_of(directory, compiled, agent)) {
                (None, None) => {}
                (Some(place), Some(leaf)) if self.tree.leaf(place).is_some_and(|(_, known)| known.key == leaf.key) => {
                    others.insert(place, (leaf.hash()?, leaf));
                }
                // Who is enrolled is different, and with it the places.
                (Some(_), _) | (_, Some(_)) => return Self::reusing(directory, compiled, Some(self)),
            }
        }
        let mut after = self.clone();
        after.tree.replace(others);
        Ok(after)
    }

    /// Hashes of leaves that `known` has, too, are not computed again.
    fn reusing(directory: &Directory, compiled: &Compiled, known: Option<&Self>) -> Result<Self, CodecError> {
        let enrolled = directory.enrolled().filter_map(|(agent, _)| leaf_of(directory, compiled, agent));
        let hashed = enrolled.map(|leaf| {
            let same = known.and_then(|known| known.tree.leaf(known.place(&leaf.agent)?));
            match same.filter(|(_, same)| **same == leaf) {
                Some((hash, _)) => Ok((hash, leaf)),
                None => Ok((leaf.hash()?, leaf)),
            }
        });
        let leaves: Vec<(Hash, Leaf)> = hashed.collect::<Result<_, CodecError>>()?;
        Ok(Self {
            agents: leaves.iter().map(|(_, leaf)| leaf.agent.clone()).collect(),
            by_key: Arc::new(leaves.iter().enumerate().map(|(place, (_, leaf))| (leaf.key, place)).collect()),
            tree: Tree::with_values(leaves),
        })
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// An agent's leaf; `None` when it is not enrolled.
    #[must_use]
    pub fn leaf(&self, agent: &AgentId) -> Option<&Leaf> {
        self.tree.leaf(self.place(agent)?).map(|(_, leaf)| leaf)
    }

    /// An agent's leaf and its path to the root.
    #[must_use]
    pub fn proof(&self, agent: &AgentId) -> Option<(Leaf, Path)> {
        let place = self.place(agent)?;
        Some((self.tree.leaf(place)?.1.clone(), self.tree.path(place)?))
    }

    /// The agent with a key: each agent has its own.
    #[must_use]
    pub fn agent_of(&self, key: PublicKey) -> Option<&AgentId> {
        self.agents.get(*self.by_key.get(&key)?)
    }

    /// The enrolled agents, ascending.
    pub fn agents(&self) -> impl Iterator<Item = &AgentId> {
        self.agents.iter()
    }

    /// How many agents are enrolled.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether no agent is enrolled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    fn place(&self, agent: &AgentId) -> Option<usize> {
        self.agents.binary_search(agent).ok()
    }
}

/// The leaf that an agent has; `None` when it is not enrolled.
fn leaf_of(directory: &Directory, compiled: &Compiled, agent: &AgentId) -> Option<Leaf> {
    let key = directory.agents().get(agent)?.key?;
    Some(Leaf { agent: agent.clone(), key, digest: compiled.state(agent)?.digest() })
}

/// See the module.
#[derive(Debug)]
pub struct Present {
    /// The directory after the newest entry that was taken in.
    pub directory: Directory,
    /// The states of all agents.
    pub compiled: Compiled,
    /// The newest commit.
    pub published: Arc<Published>,
    /// What each entry has touched.
    touched: BTreeMap<u64, Touched>,
    /// Those of these entries that can have changed what a card opens, and not its state alone.
    access: BTreeSet<u64>,
    /// Whose states each entry since the start has changed.
    changed: BTreeMap<u64, BTreeSet<AgentId>>,
    /// The cards behind what agents know of them; cards that left the folder stay, so that old records can be read.
    cards: BTreeMap<CredentialKey, CardId>,
}

impl Present {
    /// The present as it was computed at the start.
    #[must_use]
    pub fn new(
        directory: Directory,
        compiled: Compiled,
        published: Arc<Published>,
        touched: BTreeMap<u64, Touched>,
    ) -> Self {
        let mut present = Self {
            directory,
            compiled,
            published,
            touched: BTreeMap::new(),
            access: BTreeSet::new(),
            changed: BTreeMap::new(),
            cards: BTreeMap::new(),
        };
        let cards: Vec<CardId> = present.directory.tables().cards.keys().cloned().collect();
        present.learn_cards(cards);
        touched.into_iter().for_each(|(seq, touched)| present.note_touched(seq, touched));
        present
    }

    /// Takes note of what an entry has touched.
    pub fn note_touched(&mut self, seq: u64, touched: Touched) {
        if touched.is_access() {
            self.access.insert(seq);
        }
        self.touched.insert(seq, touched);
        while self.touched.len() > TOUCHED_MAX
            && let Some((seq, _)) = self.touched.pop_first()
        {
            self.access.remove(&seq);
        }
    }

    /// Takes note of whose states an entry has changed.
    pub fn note_changed(&mut self, seq: u64, agents: BTreeSet<AgentId>) {
        self.changed.insert(seq, agents);
        while self.changed.len() > TOUCHED_MAX {
            self.changed.pop_first();
        }
    }

    /// Takes note of the cards that a command brings.
    pub fn learn_cards_of(&mut self, command: &Command) {
        match command {
            Command::Import { difference } => self.learn_cards(difference.cards.put.keys().cloned()),
            Command::Desk(DeskOrder::Issue(issue)) => self.learn_cards([issue.card.clone()]),
            Command::Production(order) => self.learn_cards(order.cards().cloned()),
            Command::Desk(DeskOrder::Extend { .. })
            | Command::Found { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::CardSuspend { .. }
            | Command::CardFound { .. }
            | Command::Application(_)
            | Command::CardResume { .. }
            | Command::CardActivate { .. }
            | Command::CardClose { .. }
            | Command::LockDown { .. }
            | Command::Release { .. }
            | Command::GrantAdd { .. }
            | Command::GrantEnd { .. }
            | Command::GrantConfirm { .. }
            | Command::Request(_)
            | Command::Photo(_)
            | Command::Office(_)
            | Command::PersonErase { .. }
            | Command::Feed(_) => {}
        }
    }

    fn learn_cards(&mut self, cards: impl IntoIterator<Item = CardId>) {
        let Some(reader_key) = self.directory.reader_key().cloned() else { return };
        self.cards.extend(cards.into_iter().map(|card| (reader_key.credential_key(card.as_str()), card)));
    }

    /// Forgets cards of somebody who was erased: later records of them are nobody's.
    pub fn forget_cards(&mut self, cards: &[String]) {
        self.cards.retain(|_, card| !cards.iter().any(|erased| erased == card.as_str()));
    }

    /// Local time of the campus; UTC before the first import.
    #[must_use]
    pub fn zone(&self) -> Zone {
        let name = self.directory.policy().map(|policy| policy.time_zone.as_str());
        name.and_then(zone).unwrap_or(Zone { first_offset_s: 0, transitions: Vec::new() })
    }

    /// The card behind what an agent knows of it.
    #[must_use]
    pub fn card(&self, key: CredentialKey) -> Option<&CardId> {
        self.cards.get(&key)
    }

    /// The doors of an agent, each with the length of its lease in milliseconds; `None` is without end.
    pub fn leases(&self, agent: &AgentId) -> impl Iterator<Item = (DoorId, Option<u64>)> {
        self.compiled.doors(agent).map(|(door, lease_ms)| (door.clone(), lease_ms))
    }

    /// The length of a door's lease in milliseconds; `None` is without end.
    #[must_use]
    pub fn lease_ms(&self, agent: &AgentId, door: &DoorId) -> Option<u64> {
        match self.compiled.state(agent)?.fact(&FactKey::Door(door.clone())).as_deref() {
            Some(Fact::Door(door)) => door.lease_ms,
            Some(_) | None => None,
        }
    }

    /// Whether an agent that has no more than the state of `has` may know a card which it, or some of its doors, need not
    /// know any more. What cannot be excluded may be.
    #[must_use]
    pub fn may_have_known(&self, agent: &AgentId, card: &CardId, has: Position) -> bool {
        let head = self.published.position;
        if has >= head {
            return false;
        }
        let is_followed = self.touched.first_key_value().is_some_and(|(first, _)| *first <= has.seq.saturating_add(1));
        if has.epoch != head.epoch || !is_followed {
            return true;
        }
        let mut since = self.access.range(has.seq.saturating_add(1)..);
        since.any(|seq| {
            let may_touch = |touched: &Touched| touched.may_touch_access(&self.directory, agent, card);
            self.changed.get(seq).is_none_or(|agents| agents.contains(agent))
                && self.touched.get(seq).is_none_or(may_touch)
        })
    }

    /// What brings an agent from what it has to the newest commit.
    #[must_use]
    pub fn update_for(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        let (leaf, path) = self.published.leaves.proof(agent)?;
        let state = self.compiled.state(agent)?;
        let digest = leaf.digest;
        let head = Head { commit: self.published.commit.clone(), leaf, path };
        if let Some(have) = have
            && let Some(change) = self.delta_for(agent, have, digest)
        {
            return Some(Outgoing { head, base: Base::Present, parts: parts_of(change).ok()? });
        }
        let change = Change { removed: Vec::new(), put: state.facts().map(Cow::into_owned).collect() };
        Some(Outgoing { head, base: Base::Nothing, parts: parts_of(change).ok()? })
    }

    /// The delta from what an agent has; `None` when only a snapshot helps.
    fn delta_for(&self, agent: &AgentId, have: StateClaim, digest: Hash) -> Option<Change> {
        let head = self.published.position;
        if have.digest == digest && have.position.epoch == head.epoch {
            return Some(Change::default());
        }
        // At the same position with another digest, no list of changes leads anywhere.
        if have.position.epoch != head.epoch || have.position.seq >= head.seq {
            return None;
        }
        let first = have.position.seq.saturating_add(1);
        let names = (first..=head.seq).map(|seq| self.touched.get(&seq).map(Touched::names)).sum::<Option<usize>>()?;
        if names > self.compiled.state(agent)?.len() {
            // Everything is less than that, and found without looking for each of them at each agent.
            return None;
        }
        let mut touched = Touched::default();
        for seq in first..=head.seq {
            touched.union(self.touched.get(&seq)?.clone());
            if touched.everything {
                return None;
            }
        }
        self.compiled.delta(&self.directory, agent, &touched)
    }
}

/// A change in parts that each fit a frame.
fn parts_of(change: Change) -> Result<Vec<Change>, CodecError> {
    let removed = codec::split_into_parts(change.removed)?.into_iter();
    let put = codec::split_into_parts(change.put)?.into_iter();
    let removed = removed.map(|removed| Change { removed, put: Vec::new() });
    Ok(removed.chain(put.map(|put| Change { removed: Vec::new(), put })).collect())
}
