//! What the authority keeps to prove a revocation: the order, whom it concerns, and what they signed.
//!
//! The rules are those of the server's own closings; its database is left out.

use crate::sim::authority::Journal;
use crate::sim::keys::Keys;
use crate::sim::mutation::Mutation;
use crate::sim::world::World;
use doorward_policy::directory::Directory;
use doorward_policy::removal::removal_items;
use doorward_protocol::commit::{Leaf, Position};
use doorward_protocol::evidence::{AgentEvidence, Evidence, to_file};
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::merkle::Path;
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use doorward_server::present::Present;
use std::collections::BTreeMap;

/// Agents in one evidence file: more would not fit.
const AGENTS_MAX: usize = 256;

/// One revocation.
#[derive(Clone)]
pub struct Closing {
    pub position: Position,
    pub at: UnixMs,
    pub items: Vec<Item>,
    pub removals: Vec<Signed<Removal>>,
    pub agents: BTreeMap<AgentId, ClosingAgent>,
}

/// How far an agent has come with it.
#[derive(Clone, Default)]
pub struct ClosingAgent {
    /// Its doors that knew the subject, each with its lease.
    pub doors: Vec<(DoorId, Option<u64>)>,
    pub leaf: Option<(Leaf, Path)>,
    pub receipt: Option<(Receipt, Signed<Receipt>)>,
}

/// All revocations of a run.
#[derive(Clone, Default)]
pub struct Closings {
    pub open: BTreeMap<Position, Closing>,
    /// Receipts of removals that overtook their commit.
    early: Vec<(Receipt, Signed<Receipt>)>,
}

impl Closings {
    fn begin(&mut self, mut closing: Closing) {
        for (receipt, signed) in std::mem::take(&mut self.early) {
            if receipt.position > closing.position {
                self.early.push((receipt, signed));
            } else if closing.is_confirmed_by(&receipt) {
                closing.take(&receipt, &signed);
            }
        }
        self.open.insert(closing.position, closing);
    }

    /// Takes a receipt whose signature was verified; only a planted fault counts one that is not durable.
    pub fn take(&mut self, receipt: &Receipt, signed: &Signed<Receipt>, counts_applied: bool) {
        if receipt.stage != Stage::Durable && !counts_applied {
            return;
        }
        if receipt.about == About::Removal && !self.open.contains_key(&receipt.position) {
            self.early.push((receipt.clone(), signed.clone()));
        }
        for closing in self.open.range_mut(..=receipt.position).map(|(_, closing)| closing) {
            if closing.is_confirmed_by(receipt) {
                closing.take(receipt, signed);
            }
        }
    }
}

impl Closing {
    fn is_confirmed_by(&self, receipt: &Receipt) -> bool {
        match receipt.about {
            About::Commit => receipt.position >= self.position,
            About::Removal => matches!(self.removals.as_slice(), [only] if only.hash() == receipt.hash),
        }
    }

    fn take(&mut self, receipt: &Receipt, signed: &Signed<Receipt>) {
        if let Some(agent) = self.agents.get_mut(&receipt.agent)
            && agent.receipt.is_none()
        {
            agent.receipt = Some((receipt.clone(), signed.clone()));
        }
    }

    /// The evidence file, put together as the server does; `None` when the commit is not kept.
    pub fn evidence(&self, keys: &Keys, journal: &Journal, now: UnixMs) -> Option<Vec<u8>> {
        let commit = journal.commits.get(&self.position)?.clone();
        let mut agents = Vec::new();
        for (id, agent) in self.agents.iter().take(AGENTS_MAX) {
            let (leaf, doors) = (agent.leaf.clone(), agent.doors.clone());
            let mut evidence = AgentEvidence { leaf, agent: id.clone(), doors, receipt: None, later: None };
            if let Some((receipt, signed)) = &agent.receipt {
                let is_later = receipt.about == About::Commit && receipt.position != self.position;
                let later = if is_later { journal.commits.get(&receipt.position).cloned() } else { None };
                let hash = match (receipt.about, &later) {
                    (About::Removal, _) => self.removals.first().map(Signed::hash),
                    (About::Commit, Some(later)) => Some(later.hash()),
                    (About::Commit, None) => Some(commit.hash()),
                };
                if hash == Some(receipt.hash) {
                    evidence.receipt = Some(signed.clone());
                    evidence.later = later;
                }
            }
            agents.push(evidence);
        }
        let evidence = Evidence {
            statements: keys.statements.clone(),
            campus: keys.campus().clone(),
            subject: "what was lost".into(),
            why: "because".into(),
            removal: self.removals.first()?.clone(),
            commit,
            agents,
            at: now,
        };
        to_file(&keys.sign(&evidence)?).ok()
    }
}

impl World {
    /// The revocation in the oldest entry without a commit, as it stands before that entry.
    pub fn begin_closing(&self) -> Option<Closing> {
        let core = self.authority.core.as_ref()?;
        let entry = core.uncompiled.front()?;
        let keys = &self.authority.keys;
        let position = Position { epoch: keys.epoch(), seq: entry.seq };
        let lists = removal_items(&core.present.directory, &entry.command);
        let items: Vec<Item> = lists.iter().flatten().cloned().collect();
        let (campus, at) = (keys.campus(), entry.at);
        let removals = (0_u32..)
            .zip(lists)
            .filter_map(|(part, items)| keys.sign(&Removal { campus: campus.clone(), position, part, at, items }));
        let removals: Vec<_> = removals.collect();
        if items.is_empty() {
            return None;
        }
        let mut agents = doors_of(&core.present.directory, &core.present, &items);
        if self.options.mutation == Some(Mutation::ForgetOneDoor) {
            agents.pop_first();
        }
        Some(Closing { position, at, items, removals, agents })
    }

    /// Its commit was made: from now on receipts count.
    pub fn finish_closing(&mut self, mut closing: Closing) {
        if let Some(core) = &self.authority.core {
            for (id, agent) in &mut closing.agents {
                agent.leaf = core.present.published.leaves.proof(id);
            }
        }
        self.closings.begin(closing);
    }
}

/// The agents that know what the items name, with their doors.
fn doors_of(directory: &Directory, present: &Present, items: &[Item]) -> BTreeMap<AgentId, ClosingAgent> {
    let mut agents: BTreeMap<AgentId, ClosingAgent> = BTreeMap::new();
    let mut add = |id: &AgentId, door: DoorId| {
        let lease_ms = present.lease_ms(id, &door);
        let doors = &mut agents.entry(id.clone()).or_default().doors;
        if !doors.iter().any(|(known, _)| *known == door) {
            doors.push((door, lease_ms));
        }
    };
    for item in items {
        match item {
            Item::LockDown(door) => directory.agent_of(door).into_iter().for_each(|id| add(id, door.clone())),
            Item::Suspend(key) | Item::Close(key) => {
                let Some(card) = present.card(*key) else { continue };
                for id in present.compiled.holders(card) {
                    present.compiled.doors_known(id, card).into_iter().for_each(|door| add(id, door));
                }
            }
        }
    }
    agents
}
