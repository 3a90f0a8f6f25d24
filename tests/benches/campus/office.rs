//! An authority without shells for benchmarks: production directory, compile, commits and session machine, by hand.
//!
//! Deliberately no network, disk or thread: what is measured is what the machines themselves do.

use anyhow::{Context, Result, bail};
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::difference::Difference;
use doorward_policy::directory::Directory;
use doorward_policy::model::Campus;
use doorward_policy::zone::tzdb_version;
use doorward_protocol::commit::{Commit, Position, Pulse};
use doorward_protocol::frame::{StateClaim, ToAgent, ToAuthority, to_wire};
use doorward_protocol::id::{AgentId, CampusId, Hash, ReaderKey};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::session::sync::{Effect, Input, Outgoing, Session, Source};
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement};
use doorward_server::present::{Leaves, Present, Published};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// When everything happens that is not measured.
pub const NOW: UnixMs = UnixMs(1_790_000_000_000);

/// See the module.
pub struct Office {
    /// What agents pin.
    pub root: Root,
    /// The trust statement that names the signing key.
    pub statements: Vec<Signed<Statement>>,
    /// The directory, what it compiles to, and the newest commit.
    pub present: Present,
    signing: SecretKey,
    /// Every agent gets a snapshot, as those do that were away for longer than the authority remembers.
    pub forgets: bool,
}

impl Office {
    /// An authority that has taken a campus in, and whose agents have joined.
    ///
    /// # Errors
    /// When the campus is none, or cannot be compiled.
    pub fn new(campus: &Campus) -> Result<Self> {
        let (root_key, signing) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let root = Root { campus: CampusId::new("made")?, keys: [root_key.public()].into(), threshold: 1 };
        let statement = Statement {
            version: 1,
            epoch: 0,
            root: root.clone(),
            signing_keys: [signing.public()].into(),
            certificate_authority: Hash([0; 32]),
            at: NOW,
        };
        let statements = vec![root_key.sign_value(&statement)?];
        let mut directory = Directory::default();
        let mut add = |command| {
            let entry = Entry { seq: directory.head() + 1, at: NOW, actor: Actor::system(), command };
            directory.take(&entry)
        };
        let difference = Box::new(Difference::between(&Directory::default(), campus));
        let tzdb = tzdb_version().to_owned();
        add(Command::Found { reader_key: ReaderKey([3; 32]), software: "bench".into(), tzdb })?;
        add(Command::Import { difference })?;
        let agents: BTreeSet<AgentId> =
            campus.tables.buildings.values().map(|building| building.agent.clone()).collect();
        let token_hash = Hash([4; 32]);
        for agent in agents {
            let key = agent_key(&agent).public();
            let expires_at = NOW.plus_ms(1000);
            add(Command::AgentAdd { agent: agent.clone(), token_hash, expires_at })?;
            add(Command::AgentEnrol { agent, key, token_hash })?;
        }
        let compiled = Compiled::whole(&directory)?;
        let published = publish(&signing, &directory, &compiled, directory.head(), Hash([0; 32]))?;
        let present = Present::new(directory, compiled, Arc::new(published), BTreeMap::new());
        Ok(Self { root, statements, present, signing, forgets: false })
    }

    /// Takes a command in and commits it.
    ///
    /// # Errors
    /// When it is refused.
    pub fn execute(&mut self, command: Command) -> Result<()> {
        let present = &mut self.present;
        let seq = present.directory.head() + 1;
        let entry = Entry { seq, at: NOW, actor: Actor::system(), command };
        let touched = present.directory.apply(&entry)?;
        present.note_touched(seq, touched.clone());
        present.compiled.update(&present.directory, &touched)?;
        let previous = present.published.hash;
        present.published = Arc::new(publish(&self.signing, &present.directory, &present.compiled, seq, previous)?);
        Ok(())
    }

    /// Makes the next commit of the same states.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn commit_again(&mut self) -> Result<()> {
        let present = &mut self.present;
        let (seq, previous) = (present.published.position.seq + 1, present.published.hash);
        present.published = Arc::new(publish(&self.signing, &present.directory, &present.compiled, seq, previous)?);
        Ok(())
    }

    /// What the session machine answers to an agent's greeting.
    ///
    /// # Errors
    /// When it closes the connection.
    pub fn greeted(&self, agent: &AgentId, hello: ToAuthority) -> Result<Vec<ToAgent>> {
        let mut session = Session::new(agent.clone(), agent_key(agent).public(), Position::default());
        session.handle(Input::Frame(hello), NOW, self);
        let mut frames = Vec::new();
        while let Some(effect) = session.poll_effect() {
            match effect {
                Effect::Send(_, frame) => frames.push(*frame),
                Effect::Close(why) => bail!("the session ends: {why}"),
                Effect::Alarm(alarm) => bail!("the session raises an alarm: {alarm:?}"),
                Effect::Receipt(..) | Effect::Heard(_) | Effect::Greeted(_) => {}
            }
        }
        Ok(frames)
    }

    /// The removal that goes ahead of the newest commit, as it stands on the wire.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn removal(&self, items: Vec<Item>) -> Result<Vec<u8>> {
        let (campus, position) = (CampusId::new("made")?, self.present.published.position);
        let removal = self.signing.sign_value(&Removal { campus, position, part: 0, at: NOW, items })?;
        Ok(to_wire(&ToAgent::Removal(removal))?)
    }

    /// The agent that holds most credentials.
    ///
    /// # Errors
    /// When there is no agent.
    pub fn largest(&self) -> Result<AgentId> {
        let agents = self.present.compiled.agents();
        let largest = agents.max_by_key(|(_, state)| state.credentials().len()).context("there is no agent")?;
        Ok(largest.0.clone())
    }
}

/// The key of an agent: another one for each, and the same in each run.
pub fn agent_key(agent: &AgentId) -> SecretKey {
    SecretKey::from_seed(&doorward_protocol::id::hash("doorward bench agent", &[agent.as_str().as_bytes()]).0)
}

fn publish(
    signing: &SecretKey,
    directory: &Directory,
    compiled: &Compiled,
    seq: u64,
    previous: Hash,
) -> Result<Published> {
    let leaves = Leaves::of(directory, compiled)?;
    let position = Position { epoch: 0, seq };
    let campus = CampusId::new("made")?;
    let commit = signing.sign_value(&Commit { campus, position, at: NOW, previous, root: leaves.root() })?;
    Ok(Published { position, at: NOW, hash: commit.hash(), commit, leaves })
}

impl Source for Office {
    fn head(&self) -> (Position, Hash) {
        (self.present.published.position, self.present.published.hash)
    }

    fn has_signed(&self, _position: Position, _commit: Hash) -> bool {
        true
    }

    fn pulse(&self) -> Option<Signed<Pulse>> {
        None
    }

    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>> {
        let held = usize::try_from(version).unwrap_or(usize::MAX);
        self.statements.get(held..).unwrap_or_default().to_vec()
    }

    fn digest(&self, agent: &AgentId) -> Option<Hash> {
        self.present.published.leaves.leaf(agent).map(|leaf| leaf.digest)
    }

    fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        self.present.update_for(agent, have.filter(|_| !self.forgets))
    }
}
