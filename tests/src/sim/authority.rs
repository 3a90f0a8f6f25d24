//! The authority of a run: the production directory, compile and present, driven by hand instead of by threads.
//!
//! What is durable stands apart from what a crash takes away. Deliberately no network: connections are `serving`.

use crate::sim::closings::Closings;
use crate::sim::keys::Keys;
use crate::sim::mutation::Mutation;
use crate::sim::store::Store;
use crate::sim::truth::Truth;
use anyhow::{Context, Result};
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::removal::removal_items;
use doorward_policy::touched::Touched;
use doorward_protocol::commit::{Commit, Position, Pulse};
use doorward_protocol::frame::StateClaim;
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::session::sync::{Outgoing, Source};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::Statement;
use doorward_server::present::{Leaves, Present, Published};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What survives a crash.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    pub entries: Vec<Entry>,
    pub commits: BTreeMap<Position, Signed<Commit>>,
    pub store: Store,
    /// Instant of the newest pulse.
    pub pulse_at: UnixMs,
}

/// A removal and the agents that it concerns.
pub type Concerning = (Signed<Removal>, BTreeSet<AgentId>);

/// What a crash takes away.
#[derive(Debug)]
pub struct Core {
    /// The directory after the newest entry.
    pub writer: Directory,
    /// The directory and states at the newest commit.
    pub present: Present,
    /// Entries that have no commit yet.
    pub uncompiled: VecDeque<Entry>,
    /// Removals whose commit is not there yet.
    pub pending: BTreeMap<u64, Vec<Concerning>>,
    pub pulse: Option<Signed<Pulse>>,
}

/// See the module.
pub struct Authority {
    pub journal: Journal,
    pub keys: Keys,
    pub core: Option<Core>,
    /// A copy of what survives, taken at some time, with what was confirmed until then.
    pub copy: Option<Box<(Journal, Closings)>>,
    /// The journal was replaced by an older copy, and no epoch was raised since.
    pub is_rolled_back: bool,
    mutation: Option<Mutation>,
}

/// The authority's state as sessions ask for it.
pub struct Asked<'a> {
    mutation: Option<Mutation>,
    keys: &'a Keys,
    core: &'a Core,
    journal: &'a Journal,
}

impl Authority {
    /// An authority with nothing in its journal.
    pub fn new(keys: Keys, mutation: Option<Mutation>) -> Self {
        Self { journal: Journal::default(), keys, core: None, copy: None, is_rolled_back: false, mutation }
    }

    /// Stores entries before the first commit, as at the founding.
    ///
    /// # Errors
    /// When one of them is refused, which is a fault of the simulation.
    pub fn found(&mut self, commands: Vec<Command>, at: UnixMs) -> Result<()> {
        let mut directory = Directory::default();
        for command in commands {
            let entry = Entry { seq: directory.head() + 1, at, actor: Actor::system(), command };
            directory.apply(&entry).with_context(|| format!("entry {}", entry.seq))?;
            self.journal.entries.push(entry);
        }
        Ok(())
    }

    /// Starts: folds the journal, stands at the newest stored commit or makes one, and takes on what has none yet. Names
    /// that commit when what would be computed now is another one.
    ///
    /// # Errors
    /// When the journal contradicts itself, which is a fault of the simulation or of the directory.
    pub fn start(&mut self, truth: &mut Truth) -> Result<Option<Hash>> {
        let newest = self.journal.commits.last_key_value().map(|(position, commit)| (*position, commit.clone()));
        let base_seq = newest.as_ref().map_or(u64::try_from(self.journal.entries.len())?, |(position, _)| position.seq);
        let mut writer = Directory::default();
        let (mut base, mut touched, mut uncompiled) = (Directory::default(), BTreeMap::new(), VecDeque::new());
        for entry in &self.journal.entries {
            let entry = &self.read_back(entry);
            let change = writer.apply(entry).with_context(|| format!("entry {}", entry.seq))?;
            if entry.seq <= base_seq {
                touched.insert(entry.seq, self.noted(change));
            } else {
                uncompiled.push_back(entry.clone());
            }
            if entry.seq == base_seq {
                base = writer.clone();
            }
        }
        let compiled = Compiled::whole(&base)?;
        let leaves = Leaves::of(&base, &compiled)?;
        let root = leaves.root();
        let stored = newest.filter(|(position, _)| position.epoch == self.keys.epoch());
        let mut made_otherwise = None;
        if let Some((_, commit)) = &stored {
            let content = commit.unverified()?;
            made_otherwise = (content.root != root || content.at != base.at()).then(|| commit.hash());
        }
        let published = match stored {
            Some((position, commit)) => {
                let at = commit.unverified()?.at;
                Published { position, at, hash: commit.hash(), commit, leaves }
            }
            None => {
                let previous = self.journal.commits.last_key_value().map_or(Hash([0; 32]), |(_, commit)| commit.hash());
                publish(&self.keys, base.head(), base.at(), previous, leaves)?
            }
        };
        self.journal.commits.insert(published.position, published.commit.clone());
        truth.add(published.hash, published.position, &base, &compiled);
        let present = Present::new(base, compiled, Arc::new(published), touched);
        self.core = Some(Core { writer, present, uncompiled, pending: BTreeMap::new(), pulse: None });
        Ok(made_otherwise)
    }

    /// Checks a command, makes it durable, and says which removals go out ahead of its commit.
    ///
    /// # Errors
    /// The directory's refusal; nothing is then changed.
    pub fn execute(&mut self, command: Command, now: UnixMs) -> Result<Option<Vec<Concerning>>, Refusal> {
        let Some(core) = &mut self.core else { return Ok(None) };
        let at = now.max(core.writer.at()).max(self.journal.pulse_at);
        core.writer.check(&command, at)?;
        let entry = Entry { seq: core.writer.head() + 1, at, actor: Actor::system(), command };
        let position = Position { epoch: self.keys.epoch(), seq: entry.seq };
        let lists = (0_u32..).zip(removal_items(&core.writer, &entry.command));
        let campus = self.keys.campus();
        let removals: Vec<Concerning> = lists
            .filter_map(|(part, items)| {
                let concerned = concerned(&core.writer, &core.present, &items);
                let removal = Removal { campus: campus.clone(), position, part, at, items };
                Some((self.keys.sign(&removal)?, concerned))
            })
            .collect();
        self.journal.entries.push(entry.clone());
        core.writer.apply(&entry)?;
        core.uncompiled.push_back(entry);
        if !removals.is_empty() {
            core.pending.insert(position.seq, removals.clone());
        }
        Ok(Some(removals))
    }

    /// Makes the commit of the oldest entry that has none; says whose state changed with it.
    ///
    /// # Errors
    /// When it cannot be compiled, which is a fault of the simulation or of compile.
    pub fn compile(&mut self, truth: &mut Truth) -> Result<Option<BTreeSet<AgentId>>> {
        let Some(core) = &mut self.core else { return Ok(None) };
        let Some(entry) = core.uncompiled.pop_front() else { return Ok(None) };
        let touched = core.present.directory.apply(&entry)?;
        let forgets = self.mutation == Some(Mutation::ForgetTouched);
        core.present.note_touched(entry.seq, if forgets { Touched::default() } else { touched.clone() });
        core.present.learn_cards_of(&entry.command);
        let unchanged = Touched::default();
        let Present { compiled, directory, .. } = &mut core.present;
        let stays = self.mutation == Some(Mutation::StaleCompile);
        let changes = compiled.update(directory, if stays { &unchanged } else { &touched })?;
        let leaves = Leaves::of(directory, compiled)?;
        let previous = core.present.published.hash;
        let late_ms = i64::from(self.mutation == Some(Mutation::StampCommit));
        let published = publish(&self.keys, entry.seq, entry.at.plus_ms(late_ms), previous, leaves)?;
        truth.add(published.hash, published.position, &core.present.directory, &core.present.compiled);
        self.journal.commits.insert(published.position, published.commit.clone());
        core.present.published = Arc::new(published);
        core.pending = core.pending.split_off(&entry.seq.saturating_add(1));
        Ok(Some(changes.changed))
    }

    /// Signs a fresh word, unless an entry waits for its commit.
    pub fn make_pulse(&mut self, now: UnixMs) -> Option<Signed<Pulse>> {
        let core = self.core.as_mut().filter(|core| core.uncompiled.is_empty())?;
        let at = now.max(core.writer.at()).max(self.journal.pulse_at);
        self.journal.pulse_at = at;
        let published = &core.present.published;
        let campus = self.keys.campus().clone();
        let pulse = self.keys.sign(&Pulse { campus, position: published.position, commit: published.hash, at })?;
        core.pulse = Some(pulse.clone());
        Some(pulse)
    }

    /// What sessions ask.
    pub fn asked(&self) -> Option<Asked<'_>> {
        Some(Asked { mutation: self.mutation, keys: &self.keys, core: self.core.as_ref()?, journal: &self.journal })
    }

    fn read_back(&self, entry: &Entry) -> Entry {
        let is_restart = !self.journal.commits.is_empty();
        let late_ms = i64::from(is_restart && self.mutation == Some(Mutation::StampAnew));
        Entry { at: entry.at.plus_ms(late_ms), ..entry.clone() }
    }

    fn noted(&self, touched: Touched) -> Touched {
        if self.mutation == Some(Mutation::ForgetTouched) { Touched::default() } else { touched }
    }
}

fn publish(keys: &Keys, seq: u64, at: UnixMs, previous: Hash, leaves: Leaves) -> Result<Published> {
    let position = Position { epoch: keys.epoch(), seq };
    let commit = Commit { campus: keys.campus().clone(), position, at, previous, root: leaves.root() };
    let commit = keys.sign(&commit).context("a commit encodes")?;
    Ok(Published { position, at, hash: commit.hash(), commit, leaves })
}

/// Whom a removal concerns: everyone, while it is not known who holds a card.
fn concerned(writer: &Directory, present: &Present, items: &[Item]) -> BTreeSet<AgentId> {
    let is_current = present.directory.head() == writer.head();
    let mut agents = BTreeSet::new();
    for item in items {
        match item {
            Item::LockDown(door) => agents.extend(writer.agent_of(door).cloned()),
            Item::Suspend(key) | Item::Close(key) => match present.card(*key).filter(|_| is_current) {
                Some(card) => agents.extend(present.compiled.holders(card).cloned()),
                None => return writer.agent_ids().into_iter().cloned().collect(),
            },
        }
    }
    agents
}

impl Source for Asked<'_> {
    fn head(&self) -> (Position, Hash) {
        (self.core.present.published.position, self.core.present.published.hash)
    }

    fn has_signed(&self, position: Position, commit: Hash) -> bool {
        self.journal.commits.get(&position).is_some_and(|signed| signed.hash() == commit)
    }

    fn pulse(&self) -> Option<Signed<Pulse>> {
        self.core.pulse.clone()
    }

    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>> {
        let held = usize::try_from(version).unwrap_or(usize::MAX);
        self.keys.statements.get(held..).unwrap_or_default().to_vec()
    }

    fn digest(&self, agent: &AgentId) -> Option<Hash> {
        self.core.present.published.leaves.leaf(agent).map(|leaf| leaf.digest)
    }

    fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        let present = &self.core.present;
        match self.mutation {
            Some(Mutation::MixedUp) => present.compiled.agents().find_map(|(id, _)| present.update_for(id, have)),
            Some(Mutation::AlwaysSnapshot) => present.update_for(agent, None),
            _ => present.update_for(agent, have),
        }
    }
}
