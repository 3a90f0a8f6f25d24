//! The honest authority of the tiny campus, as production code makes it; its keys lie open for attacks that hold one.
//!
//! Everything follows from its name: an authority made again with the same name is the same one, restored from the beginning.

use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::difference::Difference;
use doorward_policy::directory::Directory;
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::{Grant, Subject, Target};
use doorward_policy::zone::tzdb_version;
use doorward_protocol::commit::{Commit, Head, Position, Pulse};
use doorward_protocol::frame::{Base, StateClaim, ToAgent, Update};
use doorward_protocol::id::{AgentId, CampusId, CredentialKey, Hash, ReaderKey, hash};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::session::sync::{Outgoing, Source};
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::time::{DayRange, UnixMs};
use doorward_protocol::trust::{Root, Statement};
use doorward_server::present::{Leaves, Present, Published};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tests::campus::tiny;

/// When the campus was founded.
pub const FOUNDED: UnixMs = UnixMs(1_767_225_600_000);

/// Time between two commits in milliseconds.
const STEP_MS: i64 = 1_000;

const READER: ReaderKey = ReaderKey([3; 32]);

/// See the module.
pub struct Campus {
    name: String,
    /// Statements from 1.
    pub statements: Vec<Signed<Statement>>,
    /// The newest of them.
    pub statement: Statement,
    /// The key that signs.
    pub signing: SecretKey,
    /// What agents are given.
    pub present: Present,
    /// The present instant.
    pub now: UnixMs,
    /// Every commit that it signed.
    signed: BTreeSet<(Position, Hash)>,
}

impl Campus {
    /// A campus whose root needs two of three keys.
    pub fn new(name: &str) -> Self {
        let id: CampusId = name.split('/').next().unwrap().parse().unwrap();
        let keys = (0..3).map(|n| root_key(name, n).public()).collect();
        let signing = key(name, "signing");
        let statement = Statement {
            version: 1,
            epoch: 0,
            root: Root { campus: id, keys, threshold: 2 },
            signing_keys: [signing.public()].into(),
            certificate_authority: Hash([0; 32]),
            at: FOUNDED,
        };
        let statements = vec![sign_by(name, &statement, &[0, 1])];
        let (directory, compiled) = (Directory::default(), Compiled::default());
        let leaves = Leaves::of(&directory, &compiled).unwrap();
        let published = Arc::new(publish(&signing, &statement, 0, FOUNDED, Hash([0; 32]), leaves));
        let present = Present::new(directory, compiled, published, BTreeMap::new());
        let mut campus = Self {
            name: name.to_owned(),
            statements,
            statement,
            signing,
            present,
            now: FOUNDED,
            signed: BTreeSet::new(),
        };
        campus.found();
        campus
    }

    fn found(&mut self) {
        let files = CampusFiles::NAMES.iter().filter_map(|name| {
            let bytes = std::fs::read(tiny().join(name)).ok()?;
            Some(((*name).to_owned(), bytes))
        });
        let folder = parse(&CampusFiles(files.collect())).unwrap();
        let difference = Box::new(Difference::between(&Directory::default(), &folder));
        self.run(Command::Found { reader_key: READER, software: "attacked".into(), tzdb: tzdb_version().to_owned() });
        self.run(Command::Import { difference });
        let token_hash = Hash([1; 32]);
        for agent in [north(), south()] {
            let (key, expires_at) = (self.agent_key(&agent).public(), self.now.plus_ms(3_600_000));
            self.run(Command::AgentAdd { agent: agent.clone(), token_hash, expires_at });
            self.run(Command::AgentEnrol { agent, key, token_hash });
        }
    }

    /// Takes a command and makes its commit.
    pub fn run(&mut self, command: Command) {
        self.now = self.now.plus_ms(STEP_MS);
        let entry = Entry { seq: self.position().seq + 1, at: self.now, actor: Actor::system(), command };
        let Present { directory, compiled, published, .. } = &mut self.present;
        let touched = directory.apply(&entry).unwrap();
        compiled.update(directory, &touched).unwrap();
        let leaves = Leaves::of(directory, compiled).unwrap();
        *published = Arc::new(publish(&self.signing, &self.statement, entry.seq, entry.at, published.hash, leaves));
        self.signed.insert((published.position, published.hash));
        self.present.note_touched(entry.seq, touched);
    }

    /// Suspends a card.
    pub fn suspend(&mut self, card: &str) {
        self.run(Command::CardSuspend { card: card.parse().unwrap(), reason: "lost".into() });
    }

    /// Lets somebody in, by a grant of this number.
    pub fn grant(&mut self, number: usize) {
        let (subject, target) = (Subject::Person("cem".parse().unwrap()), Target::Door("south-side".parse().unwrap()));
        let grant = Grant { subject, target, schedule: None, days: DayRange::ALWAYS, within: None };
        self.run(Command::GrantAdd { id: format!("g{number}").parse().unwrap(), grant });
    }

    /// The newest commit's position.
    pub fn position(&self) -> Position {
        self.present.published.position
    }

    /// The newest commit with an agent's proof.
    pub fn head(&self, agent: &AgentId) -> Head {
        let (leaf, path) = self.present.published.leaves.proof(agent).unwrap();
        Head { commit: self.present.published.commit.clone(), leaf, path }
    }

    /// The frames that bring an agent from what it has to the newest commit.
    pub fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Vec<ToAgent> {
        let Outgoing { head, base, parts } = self.present.update_for(agent, have).unwrap();
        framed(head, base, parts)
    }

    /// A removal of a card, as it goes ahead of the next commit.
    pub fn removal(&self, card: &str) -> Removal {
        let mut position = self.position();
        position.seq += 1;
        let items = vec![Item::Suspend(credential(card))];
        Removal { campus: self.statement.root.campus.clone(), position, part: 0, at: self.now, items }
    }

    /// A fresh word.
    pub fn pulse(&self, at: UnixMs) -> Pulse {
        let Published { position, hash, .. } = &*self.present.published;
        Pulse { campus: self.statement.root.campus.clone(), position: *position, commit: *hash, at }
    }

    /// The next statement, altered, with the signatures of some of the root keys.
    pub fn statement_with(&self, alter: impl FnOnce(&mut Statement), roots: &[u8]) -> Signed<Statement> {
        let mut statement = self.statement.clone();
        statement.version += 1;
        statement.at = self.now;
        alter(&mut statement);
        sign_by(&self.name, &statement, roots)
    }

    /// The operator makes the next statement: another signing key, and another epoch where wanted.
    pub fn renew(&mut self, raises_epoch: bool) {
        let signing = key(&self.name, &format!("signing {}", self.statement.version + 1));
        let alter = |statement: &mut Statement| {
            statement.epoch += u32::from(raises_epoch);
            statement.signing_keys = [signing.public()].into();
        };
        let signed = self.statement_with(alter, &[0, 2]);
        self.statement = signed.unverified().unwrap();
        self.statements.push(signed);
        self.signing = signing;
        if raises_epoch {
            let Published { position, at, hash, leaves, .. } = (*self.present.published).clone();
            self.present.published = Arc::new(publish(&self.signing, &self.statement, position.seq, at, hash, leaves));
            self.signed.insert((self.position(), self.present.published.hash));
        }
    }

    /// The key of an agent.
    pub fn agent_key(&self, agent: &AgentId) -> SecretKey {
        key(&self.name, agent.as_str())
    }

    /// The hash that its agents pin.
    pub fn pinned(&self) -> Hash {
        self.statements[0].unverified().unwrap().root.hash()
    }
}

/// The frames of an update.
pub fn framed(head: Head, base: Base, parts: Vec<doorward_protocol::state::Change>) -> Vec<ToAgent> {
    let update = Update { head, base, parts: u32::try_from(parts.len()).unwrap() };
    [ToAgent::Update(Box::new(update))].into_iter().chain(parts.into_iter().map(ToAgent::Part)).collect()
}

/// The agent that is attacked.
pub fn north() -> AgentId {
    "agent-north".parse().unwrap()
}

/// Another agent of the campus.
pub fn south() -> AgentId {
    "agent-south".parse().unwrap()
}

/// What agents know of a card.
pub fn credential(card: &str) -> CredentialKey {
    READER.credential_key(card)
}

/// A key that follows from the campus's name.
pub fn key(campus: &str, purpose: &str) -> SecretKey {
    SecretKey::from_seed(&hash("doorward attacks key", &[campus.as_bytes(), &[0], purpose.as_bytes()]).0)
}

fn root_key(campus: &str, number: u8) -> SecretKey {
    key(campus, &format!("root {number}"))
}

fn sign_by(campus: &str, statement: &Statement, roots: &[u8]) -> Signed<Statement> {
    let (first, others) = roots.split_first().unwrap();
    let mut signed = root_key(campus, *first).sign_value(statement).unwrap();
    others.iter().for_each(|number| signed.add_signature(&root_key(campus, *number)));
    signed
}

fn publish(
    signing: &SecretKey,
    statement: &Statement,
    seq: u64,
    at: UnixMs,
    previous: Hash,
    leaves: Leaves,
) -> Published {
    let position = Position { epoch: statement.epoch, seq };
    let commit = Commit { campus: statement.root.campus.clone(), position, at, previous, root: leaves.root() };
    let commit = signing.sign_value(&commit).unwrap();
    Published { position, at, hash: commit.hash(), commit, leaves }
}

impl Source for Campus {
    fn head(&self) -> (Position, Hash) {
        (self.position(), self.present.published.hash)
    }

    fn has_signed(&self, position: Position, commit: Hash) -> bool {
        self.signed.contains(&(position, commit))
    }

    fn pulse(&self) -> Option<Signed<Pulse>> {
        self.signing.sign_value(&self.pulse(self.now)).ok()
    }

    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>> {
        self.statements.get(usize::try_from(version).unwrap()..).unwrap_or_default().to_vec()
    }

    fn digest(&self, agent: &AgentId) -> Option<Hash> {
        self.present.published.leaves.leaf(agent).map(|leaf| leaf.digest)
    }

    fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        self.present.update_for(agent, have)
    }
}
