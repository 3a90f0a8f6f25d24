//! An agent's state: snapshots, deltas, removals, pulses, leases, clocks, crashes. No mocks: the authority's state is a real `State` per commit, signed with real keys.

use doorward_protocol::agent::stored::{Stored, Write};
use doorward_protocol::agent::sync::{Effect, Identity, Input, Sync};
use doorward_protocol::commit::{Commit, Head, Leaf, Position, Pulse};
use doorward_protocol::decide::{Reason, View, decide_now};
use doorward_protocol::facts::{
    Calendar, Class, ClassDoor, Credential, CredentialState, Door, Effect as RuleEffect, Entry, Fact, FactKey, Factors,
};
use doorward_protocol::fork::{Fork, verify};
use doorward_protocol::frame::{Base, StateClaim, ToAgent, ToAuthority, Update};
use doorward_protocol::id::{AgentId, CampusId, CredentialKey, DoorId, FunctionId, Hash, ReaderKey};
use doorward_protocol::merkle::Tree;
use doorward_protocol::receipt::{About, Stage};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::sync as session;
use doorward_protocol::session::sync::{Outgoing, Session, Source};
use doorward_protocol::sign::{PublicKey, SecretKey, Signable, Signed};
use doorward_protocol::state::{Change, State};
use doorward_protocol::time::{DayRange, UnixMs, Zone};
use doorward_protocol::trust::{Root, Statement};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

const START: UnixMs = UnixMs(1_700_000_000_000);
const LEASE_MS: u64 = 3_600_000;

pub fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub fn card(n: u8) -> CredentialKey {
    ReaderKey([3; 32]).credential_key(&format!("card-{n}"))
}

fn class() -> Class {
    let entry = Entry { effect: RuleEffect::Permit, days: DayRange::ALWAYS, schedule: None, factors: Factors::NONE };
    Class { functions: vec![id("entry")], doors: vec![ClassDoor { door: id("door"), entries: vec![entry] }] }
}

fn credential(n: u8, state: CredentialState) -> Fact {
    let class = class().id().unwrap();
    Fact::Credential(Credential { key: card(n), class, state, valid: DayRange::ALWAYS, leaving: None })
}

fn first_facts() -> Vec<Fact> {
    let zone = Zone { first_offset_s: 0, transitions: vec![] };
    let function: FunctionId = id("entry");
    vec![
        Fact::Calendar(Calendar { zone, holidays: vec![] }),
        Fact::Reader(ReaderKey([3; 32])),
        Fact::Door(Door {
            door: id("door"),
            function,
            identity: true,
            unlock: None,
            lease_ms: Some(LEASE_MS),
            lockdown: false,
        }),
        Fact::Class(class().id().unwrap(), class()),
        credential(1, CredentialState::Active),
        credential(2, CredentialState::Active),
    ]
}

/// A small authority: one agent beside two others, one change per commit.
pub struct Authority {
    signing: SecretKey,
    pub statements: Vec<Signed<Statement>>,
    root: Root,
    agent_key: SecretKey,
    states: Vec<State>,
    changes: Vec<Change>,
    pub heads: Vec<Head>,
    last_pulse: Option<Signed<Pulse>>,
    epoch: u32,
}

impl Authority {
    fn new() -> Self {
        let (root_key, signing) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let root = Root { campus: id("campus"), keys: [root_key.public()].into(), threshold: 1 };
        let statement = Statement {
            version: 1,
            epoch: 0,
            root: root.clone(),
            signing_keys: [signing.public()].into(),
            certificate_authority: Hash([0; 32]),
            at: START,
        };
        let mut authority = Self {
            signing,
            statements: vec![root_key.sign_value(&statement).unwrap()],
            root,
            agent_key: SecretKey::from_seed(&[9; 32]),
            states: vec![],
            changes: vec![],
            heads: vec![],
            last_pulse: None,
            epoch: 0,
        };
        authority.commit(Change { removed: vec![], put: first_facts() });
        authority
    }

    pub fn agent_public(&self) -> PublicKey {
        self.agent_key.public()
    }

    pub fn sign<T: Signable>(&self, value: &T) -> Signed<T> {
        self.signing.sign_value(value).unwrap()
    }

    fn raise_epoch(&mut self) {
        let mut statement = self.statements.last().unwrap().unverified().unwrap();
        statement.version += 1;
        statement.epoch += 1;
        self.epoch = statement.epoch;
        self.statements.push(SecretKey::from_seed(&[1; 32]).sign_value(&statement).unwrap());
    }

    fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.heads.len() as u64 }
    }

    fn commit(&mut self, change: Change) -> UnixMs {
        let at = START.plus_ms(self.heads.len() as i64 * 1000);
        self.commit_at(change, at);
        at
    }

    fn commit_at(&mut self, change: Change, at: UnixMs) {
        let mut state = self.states.last().cloned().unwrap_or_default();
        state.apply(&change).unwrap();
        let position = Position { epoch: self.epoch, seq: self.heads.len() as u64 + 1 };
        let leaf = |agent: &str, digest| Leaf { agent: id(agent), key: self.agent_key.public(), digest };
        let leaves = [leaf("a-other", Hash([1; 32])), leaf("agent", state.digest()), leaf("z-other", Hash([2; 32]))];
        let tree = Tree::new(leaves.iter().map(|leaf| leaf.hash().unwrap()).collect());
        let previous = self.heads.last().map_or(Hash([0; 32]), |head| head.commit.hash());
        let commit = Commit { campus: id("campus"), position, at, previous, root: tree.root() };
        let commit = self.signing.sign_value(&commit).unwrap();
        self.heads.push(Head { commit, leaf: leaves[1].clone(), path: tree.path(1).unwrap() });
        self.states.push(state);
        self.changes.push(change);
    }

    pub fn suspend(&mut self, n: u8) -> Signed<Removal> {
        let at = self.commit(Change { removed: vec![], put: vec![credential(n, CredentialState::Suspended)] });
        let items = vec![Item::Suspend(card(n))];
        self.signing
            .sign_value(&Removal { campus: id("campus"), position: self.position(), part: 0, at, items })
            .unwrap()
    }

    pub fn pulse(&self, at: UnixMs) -> Signed<Pulse> {
        let commit = self.heads.last().unwrap().commit.hash();
        self.signing.sign_value(&Pulse { campus: id("campus"), position: self.position(), commit, at }).unwrap()
    }
}

impl Source for Authority {
    fn head(&self) -> (Position, Hash) {
        (self.position(), self.heads.last().unwrap().commit.hash())
    }

    fn has_signed(&self, position: Position, commit: Hash) -> bool {
        let signed =
            |head: &Head| head.commit.unverified().unwrap().position == position && head.commit.hash() == commit;
        self.heads.iter().any(signed)
    }

    fn pulse(&self) -> Option<Signed<Pulse>> {
        self.last_pulse.clone()
    }

    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>> {
        self.statements[version as usize..].to_vec()
    }

    fn digest(&self, _: &AgentId) -> Option<Hash> {
        self.states.last().map(State::digest)
    }

    fn update(&self, _: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        let head = self.heads.last()?.clone();
        let (base, parts) = match have {
            Some(have) => (Base::Present, self.changes[have.position.seq as usize..].to_vec()),
            None => {
                let put = self.states.last()?.facts().map(Cow::into_owned).collect();
                (Base::Nothing, vec![Change { removed: vec![], put }])
            }
        };
        Some(Outgoing { head, base, parts })
    }
}

/// What an agent's disk holds.
#[derive(Default, Clone)]
struct Disk {
    stored: Stored,
    facts: BTreeMap<FactKey, Fact>,
    removals: BTreeMap<(Position, u32), Signed<Removal>>,
}

impl Disk {
    fn write(&mut self, write: Write) {
        match write {
            Write::Statement(_, statement) => self.stored.statements.push(statement),
            Write::Head(head) => self.stored.head = Some(head),
            Write::PutFact(fact) => drop(self.facts.insert(fact.key(), fact)),
            Write::RemoveFact(key) => drop(self.facts.remove(&key)),
            Write::ReplaceFacts(state) => {
                self.facts = state.facts().map(|fact| (fact.key(), fact.into_owned())).collect()
            }
            Write::PutRemoval(position, part, removal) => drop(self.removals.insert((position, part), removal)),
            Write::DropRemovals(position) => self.removals.retain(|(at, _), _| *at > position),
            Write::Floor(floor) => self.stored.floor = floor,
        }
    }

    fn read(&self) -> Stored {
        let facts = self.facts.values().cloned().collect();
        Stored { facts, removals: self.removals.values().cloned().collect(), ..self.stored.clone() }
    }
}

/// One agent, its disk, and its connection.
pub struct World {
    pub authority: Authority,
    disk: Disk,
    pub agent: Sync,
    session: Option<Session>,
    view: Option<View>,
    receipts: Vec<(About, Position, Stage)>,
    agent_alarms: Vec<String>,
    forks: Vec<Fork>,
    alarms: Vec<AlarmKind>,
    closed: Option<String>,
    disk_works: bool,
    pub now: UnixMs,
    to_agent: VecDeque<ToAgent>,
    to_authority: VecDeque<ToAuthority>,
}

fn open(authority: &Authority, disk: &Disk) -> Sync {
    let key = SecretKey::from_seed(&authority.agent_key.to_seed());
    let pinned_root = authority.root.hash();
    let identity = Identity { agent: id("agent"), key, pinned_root, software: "test".into() };
    Sync::open(identity, disk.read()).unwrap()
}

impl World {
    fn new() -> Self {
        let authority = Authority::new();
        let mut disk = Disk::default();
        disk.stored.statements = authority.statements.clone();
        let agent = open(&authority, &disk);
        Self {
            authority,
            disk,
            agent,
            session: None,
            view: None,
            receipts: vec![],
            agent_alarms: vec![],
            forks: vec![],
            alarms: vec![],
            closed: None,
            disk_works: true,
            now: START,
            to_agent: VecDeque::new(),
            to_authority: VecDeque::new(),
        }
    }

    pub fn connected() -> Self {
        let mut world = Self::new();
        world.connect();
        world
    }

    fn connect(&mut self) {
        let confirmed = self.receipts.iter().filter(|r| r.0 == About::Commit && r.2 == Stage::Durable).map(|r| r.1);
        let confirmed = confirmed.max().unwrap_or_default();
        self.session = Some(Session::new(id("agent"), self.authority.agent_key.public(), confirmed));
        self.agent.handle(Input::Connected, self.now);
        self.run();
    }

    fn cut(&mut self) {
        self.session = None;
        self.to_agent.clear();
        self.to_authority.clear();
        self.agent.handle(Input::Disconnected, self.now);
        self.run();
    }

    pub fn restart_agent(&mut self) {
        self.cut();
        self.agent = open(&self.authority, &self.disk);
        self.run();
    }

    pub fn tell(&mut self, input: session::Input) {
        if let Some(session) = &mut self.session {
            session.handle(input, self.now, &self.authority);
        }
        self.run();
    }

    /// Hands a frame to the agent as if the authority had sent it.
    pub fn inject(&mut self, frame: ToAgent) {
        self.agent.handle(Input::Frame(frame), self.now);
        self.run();
    }

    fn run(&mut self) {
        loop {
            let mut idle = true;
            while let Some(effect) = self.agent.poll_effect() {
                idle = false;
                self.do_agent(effect);
            }
            if let Some(frame) = self.to_authority.pop_front()
                && let Some(session) = &mut self.session
            {
                idle = false;
                session.handle(session::Input::Frame(frame), self.now, &self.authority);
            }
            while let Some(effect) = self.session.as_mut().and_then(Session::poll_effect) {
                idle = false;
                self.do_session(effect);
            }
            if let Some(frame) = self.to_agent.pop_front() {
                idle = false;
                self.agent.handle(Input::Frame(frame), self.now);
            }
            if idle {
                return;
            }
        }
    }

    fn do_agent(&mut self, effect: Effect) {
        match effect {
            Effect::Send(frame) => self.to_authority.push_back(*frame),
            Effect::Persist { ticket, writes } => {
                if self.disk_works {
                    writes.into_iter().for_each(|write| self.disk.write(write));
                    self.agent.handle(Input::Persisted(ticket), self.now);
                }
            }
            Effect::View(view) => self.view = Some(view),
            Effect::Fork(proof) => self.forks.push(*proof),
            Effect::Alarm(text) => self.agent_alarms.push(text),
        }
    }

    fn do_session(&mut self, effect: session::Effect) {
        match effect {
            session::Effect::Send(_, frame) => self.to_agent.push_back(*frame),
            session::Effect::Receipt(receipt, _) => {
                self.receipts.push((receipt.about, receipt.position, receipt.stage))
            }
            session::Effect::Alarm(alarm) => self.alarms.push(alarm.kind),
            session::Effect::Close(why) => self.closed = Some(why),
            session::Effect::Heard(_) | session::Effect::Greeted(_) => {}
        }
    }

    /// The frames of an update from what the agent has to the head.
    pub fn update_frames(&self) -> Vec<ToAgent> {
        let have = StateClaim { position: self.agent.position().unwrap(), digest: self.agent.digest() };
        let Outgoing { head, base, parts } = self.authority.update(&id("agent"), Some(have)).unwrap();
        let count = u32::try_from(parts.len()).unwrap();
        let update = ToAgent::Update(Box::new(Update { head, base, parts: count }));
        [update].into_iter().chain(parts.into_iter().map(ToAgent::Part)).collect()
    }

    pub fn tap(&self, n: u8) -> Reason {
        let door: DoorId = id("door");
        decide_now(self.view.as_ref().unwrap(), &door, card(n), Factors::NONE, self.now).0
    }

    fn is_exact(&self) -> bool {
        self.agent.position() == Some(self.authority.position())
            && Some(self.agent.digest()) == self.authority.digest(&id("agent"))
    }
}

#[test]
fn an_agent_without_state_denies_and_gets_a_snapshot() {
    let mut world = World::new();
    world.run();
    assert_eq!(world.tap(1), Reason::NoState);
    world.connect();
    assert!(world.is_exact());
    assert_eq!(world.tap(1), Reason::Granted);
    assert_eq!(world.tap(7), Reason::UnknownCredential);
    let position = world.authority.position();
    assert_eq!(world.receipts, [(About::Commit, position, Stage::Applied), (About::Commit, position, Stage::Durable)]);
}

#[test]
fn a_removal_is_in_force_before_its_commit_and_leaves_the_overlay_with_it() {
    let mut world = World::connected();
    let removal = world.authority.suspend(1);
    world.inject(ToAgent::Removal(removal));
    assert_eq!(world.tap(1), Reason::Suspended);
    assert_eq!(world.tap(2), Reason::Granted);
    assert_eq!(world.agent.position().unwrap().seq, 1);
    assert_eq!(world.receipts.last(), Some(&(About::Removal, world.authority.position(), Stage::Durable)));
    world.tell(session::Input::HeadMoved { affected: true });
    assert!(world.is_exact());
    assert_eq!(world.tap(1), Reason::Suspended);
    assert!(world.view.as_ref().unwrap().overlay.is_empty());
    assert!(world.disk.removals.is_empty());
}

#[test]
fn a_removal_survives_a_restart_of_the_agent() {
    let mut world = World::connected();
    let removal = world.authority.suspend(1);
    world.inject(ToAgent::Removal(removal));
    world.restart_agent();
    assert_eq!(world.tap(1), Reason::Suspended);
}

#[test]
fn a_removal_is_not_durable_before_the_disk_says_so() {
    let mut world = World::connected();
    world.disk_works = false;
    let removal = world.authority.suspend(1);
    world.inject(ToAgent::Removal(removal));
    assert_eq!(world.receipts.last(), Some(&(About::Removal, world.authority.position(), Stage::Applied)));
}

#[test]
fn an_agent_that_was_away_gets_what_it_missed_and_not_more() {
    let mut world = World::connected();
    world.restart_agent();
    for n in 10..20 {
        world.authority.commit(Change { removed: vec![], put: vec![credential(n, CredentialState::Active)] });
    }
    world.connect();
    assert!(world.is_exact());
    assert_eq!(world.tap(15), Reason::Granted);
    assert!(world.agent_alarms.is_empty(), "{:?}", world.agent_alarms);
}

#[test]
fn a_delta_that_does_not_yield_the_digest_changes_nothing_and_ends_in_a_snapshot() {
    let mut world = World::connected();
    world.authority.suspend(1);
    let head = world.authority.heads.last().unwrap().clone();
    let before = world.agent.digest();
    world.session.as_mut().unwrap();
    let wrong = Change { removed: vec![], put: vec![credential(2, CredentialState::Suspended)] };
    world
        .agent
        .handle(Input::Frame(ToAgent::Update(Box::new(Update { head, base: Base::Present, parts: 1 }))), world.now);
    world.agent.handle(Input::Frame(ToAgent::Part(wrong)), world.now);
    assert_eq!(world.agent.digest(), before);
    assert_eq!(world.tap(2), Reason::Granted);
    world.run();
    assert!(world.is_exact());
    assert_eq!(world.alarms, [AlarmKind::WrongState]);
}

#[test]
fn an_old_commit_is_refused_also_after_a_restart() {
    let mut world = World::connected();
    let old = world.authority.update(&id("agent"), None).unwrap();
    world.authority.suspend(1);
    world.tell(session::Input::HeadMoved { affected: true });
    world.restart_agent();
    let update = Update { head: old.head, base: old.base, parts: 1 };
    world.inject(ToAgent::Update(Box::new(update)));
    world.inject(ToAgent::Part(old.parts[0].clone()));
    assert_eq!(world.tap(1), Reason::Suspended);
    assert!(world.is_exact());
    assert!(world.agent_alarms[0].contains("Backward"), "{:?}", world.agent_alarms);
}

#[test]
fn what_another_key_signed_or_another_agent_was_meant_for_is_refused() {
    let mut world = World::connected();
    world.authority.suspend(1);
    let Outgoing { head, base, .. } = world.authority.update(&id("agent"), None).unwrap();
    let mut forged = head.clone();
    let commit = forged.commit.unverified().unwrap();
    forged.commit = SecretKey::from_seed(&[66; 32]).sign_value(&commit).unwrap();
    let mut foreign = head.clone();
    foreign.leaf.agent = id("a-other");
    let mut misplaced = head;
    misplaced.path.index = 0;
    for head in [forged, foreign, misplaced] {
        let before = world.agent_alarms.len();
        world.agent.handle(Input::Frame(ToAgent::Update(Box::new(Update { head, base, parts: 0 }))), world.now);
        while let Some(effect) = world.agent.poll_effect() {
            if let Effect::Alarm(text) = effect {
                world.agent_alarms.push(text);
            }
        }
        assert!(world.agent_alarms[before].contains("Unproven"), "{:?}", world.agent_alarms);
    }
    assert_eq!(world.tap(1), Reason::Granted);
}

#[test]
fn two_histories_are_a_fork_and_neither_replaces_the_other() {
    let mut world = World::connected();
    let mut other = Authority::new();
    other.agent_key = SecretKey::from_seed(&[9; 32]);
    world.authority.suspend(1);
    world.tell(session::Input::HeadMoved { affected: true });
    other.commit(Change { removed: vec![], put: vec![credential(5, CredentialState::Active)] });
    let Outgoing { head, base, parts } = other.update(&id("agent"), None).unwrap();
    world.inject(ToAgent::Update(Box::new(Update { head, base, parts: 1 })));
    world.inject(ToAgent::Part(parts[0].clone()));
    assert!(world.is_exact());
    assert_eq!(world.alarms, [AlarmKind::Fork]);
    assert_names_both(&world, &other, 2);
}

/// The one proof of the agent names the commits of both authorities at a position.
fn assert_names_both(world: &World, other: &Authority, seq: usize) {
    let [proof] = world.forks.as_slice() else { panic!("{:?}", world.forks) };
    let finding = verify(&proof.to_file().unwrap(), &world.authority.root).unwrap();
    let [ours, theirs] = [&world.authority, other].map(|authority| authority.heads[seq - 1].commit.hash());
    assert_eq!((finding.first.commit, finding.second.commit), (ours, theirs));
}

#[test]
fn a_commit_after_another_one_than_that_in_force_is_of_another_history() {
    let mut world = World::connected();
    let mut other = Authority::new();
    world.authority.suspend(1);
    world.tell(session::Input::HeadMoved { affected: true });
    // The other authority was restored from before the suspension, and is ahead of the agent by now.
    other.commit(Change { removed: vec![], put: vec![credential(5, CredentialState::Active)] });
    other.commit(Change { removed: vec![], put: vec![credential(6, CredentialState::Active)] });
    let Outgoing { head, base, parts } = other.update(&id("agent"), None).unwrap();
    world.inject(ToAgent::Update(Box::new(Update { head, base, parts: 1 })));
    world.inject(ToAgent::Part(parts[0].clone()));
    assert_eq!(world.tap(1), Reason::Suspended);
    assert_eq!(world.alarms, [AlarmKind::Fork]);
    assert_names_both(&world, &other, 2);
}

#[test]
fn facts_that_lost_a_page_are_not_decided_by() {
    let mut world = World::connected();
    world.cut();
    world.disk.facts.remove(&FactKey::Credential(card(2)));
    world.restart_agent();
    assert_eq!(world.tap(1), Reason::NoState);
    assert!(world.agent_alarms.iter().any(|text| text.contains("digest")), "{:?}", world.agent_alarms);
    world.connect();
    assert!(world.is_exact());
    assert_eq!(world.tap(1), Reason::Granted);
}

#[test]
fn a_disk_of_last_week_is_noticed_by_the_authority() {
    let mut world = World::connected();
    let image = world.disk.clone();
    world.authority.suspend(1);
    world.tell(session::Input::HeadMoved { affected: true });
    world.disk = image;
    world.restart_agent();
    world.connect();
    assert_eq!(world.alarms, [AlarmKind::AgentRolledBack]);
    assert!(world.is_exact());
}

#[test]
fn a_restored_authority_moves_no_agent_back_until_its_epoch_is_raised() {
    let mut world = World::connected();
    world.authority.suspend(1);
    world.authority.suspend(2);
    world.tell(session::Input::HeadMoved { affected: true });
    world.authority.heads.truncate(2);
    world.authority.states.truncate(2);
    world.authority.changes.truncate(2);
    world.cut();
    world.connect();
    assert_eq!(world.alarms, [AlarmKind::AuthorityRolledBack]);
    assert_eq!(world.tap(2), Reason::Suspended);
    world.cut();
    world.authority.raise_epoch();
    world.authority.commit(Change { removed: vec![], put: vec![credential(8, CredentialState::Active)] });
    world.connect();
    // The delta from a history that the authority no longer has cannot fit; a snapshot does.
    assert!(world.is_exact(), "{:?}", world.agent_alarms);
    assert_eq!(world.tap(8), Reason::Granted);
    world.restart_agent();
    assert_eq!(world.tap(8), Reason::Granted);
}

#[test]
fn an_update_is_proven_by_the_statement_that_it_is_stored_with() {
    let mut world = World::connected();
    let before = (world.agent.position(), world.agent.digest());
    world.authority.suspend(1);
    let Outgoing { head, base, parts } = world.authority.update(&id("agent"), None).unwrap();
    world.inject(ToAgent::Update(Box::new(Update { head, base, parts: 1 })));
    world.authority.raise_epoch();
    world.inject(ToAgent::Statements(world.authority.statements[1..].to_vec()));
    world.inject(ToAgent::Part(parts[0].clone()));
    assert_eq!((world.agent.position(), world.agent.digest()), before);
    world.restart_agent();
    assert_eq!((world.agent.position(), world.agent.digest()), before, "{:?}", world.agent_alarms);
    assert_eq!(world.tap(1), Reason::Granted);
}

#[test]
fn a_removal_of_a_restored_authority_is_in_force_although_its_number_was_seen_before() {
    let mut world = World::connected();
    world.authority.suspend(2);
    world.tell(session::Input::HeadMoved { affected: true });
    let (position, items) = (world.agent.position().unwrap(), vec![Item::Suspend(card(1))]);
    let at = START.plus_ms(60_000);
    let removal = Removal { campus: id("campus"), position, part: 0, at, items };
    world.inject(ToAgent::Removal(world.authority.signing.sign_value(&removal).unwrap()));
    assert_eq!(world.tap(1), Reason::Suspended);
    world.restart_agent();
    assert_eq!(world.tap(1), Reason::Suspended);
}

#[test]
fn a_receipt_that_was_lost_with_its_connection_is_asked_for_again() {
    let mut world = World::connected();
    let confirmed = [(About::Commit, world.authority.position(), Stage::Durable)];
    world.receipts.clear();
    world.cut();
    world.connect();
    assert_eq!(world.receipts, confirmed);
    world.receipts.clear();
    world.tell(session::Input::Pulse(world.authority.pulse(world.now)));
    assert!(world.receipts.is_empty(), "once is enough");
}

#[test]
fn a_receipt_of_a_commit_goes_only_to_the_connection_that_brought_it() {
    let mut world = World::connected();
    world.disk_works = false;
    world.authority.suspend(1);
    world.tell(session::Input::HeadMoved { affected: true });
    world.receipts.truncate(2);
    world.cut();
    world.connect();
    world.agent.handle(Input::Persisted(1), world.now);
    world.run();
    assert_eq!(world.receipts.len(), 2);
    world.agent.handle(Input::Persisted(2), world.now);
    world.run();
    assert_eq!(world.receipts.last(), Some(&(About::Commit, world.authority.position(), Stage::Durable)));
}

#[test]
fn a_lease_ends_without_a_fresh_word_and_begins_again_with_one() {
    let mut world = World::connected();
    let lease_ms = i64::try_from(LEASE_MS).unwrap();
    world.now = START.plus_ms(lease_ms - 1);
    assert_eq!(world.tap(1), Reason::Granted);
    world.now = START.plus_ms(lease_ms);
    assert_eq!(world.tap(1), Reason::LeaseEnded);
    let pulse = world.authority.pulse(world.now);
    world.tell(session::Input::Pulse(pulse));
    assert_eq!(world.tap(1), Reason::Granted);
}

#[test]
fn an_agent_that_comes_back_need_not_wait_for_the_next_pulse() {
    let mut world = World::connected();
    world.cut();
    world.now = START.plus_ms(i64::try_from(LEASE_MS).unwrap());
    assert_eq!(world.tap(1), Reason::LeaseEnded);
    world.authority.last_pulse = Some(world.authority.pulse(world.now));
    world.connect();
    assert_eq!(world.tap(1), Reason::Granted);
}

#[test]
fn a_pulse_for_a_commit_that_the_agent_lacks_renews_nothing() {
    let mut world = World::connected();
    world.authority.suspend(1);
    world.now = START.plus_ms(60_000);
    let pulse = world.authority.pulse(world.now);
    world.inject(ToAgent::Pulse(pulse));
    world.now = START.plus_ms(i64::try_from(LEASE_MS).unwrap());
    assert_eq!(world.tap(2), Reason::LeaseEnded);
}

#[test]
fn a_clock_that_is_a_year_off_denies_and_says_so() {
    const YEAR_MS: i64 = 365 * 86_400_000;
    for wrong_ms in [YEAR_MS, -YEAR_MS] {
        let mut world = World::connected();
        let pulse = world.authority.pulse(START.plus_ms(1000));
        world.now = START.plus_ms(wrong_ms);
        world.inject(ToAgent::Pulse(pulse));
        assert_eq!(world.tap(1), Reason::ClockUntrusted, "{wrong_ms}");
        assert!(world.agent_alarms.iter().any(|text| text.contains("ClockDisagrees")), "{:?}", world.agent_alarms);
        world.now = START.plus_ms(2000);
        let pulse = world.authority.pulse(world.now);
        world.inject(ToAgent::Pulse(pulse));
        assert_eq!(world.tap(1), Reason::Granted, "{wrong_ms}");
    }
}

#[test]
fn a_clock_that_restarts_in_1970_is_below_what_was_seen() {
    let mut world = World::connected();
    world.restart_agent();
    world.now = UnixMs(0);
    assert_eq!(world.tap(1), Reason::ClockUntrusted);
}

#[test]
fn a_stepped_clock_denies_until_the_authority_confirms_it() {
    let mut world = World::connected();
    world.agent.handle(Input::ClockStepped, world.now);
    world.run();
    assert_eq!(world.tap(1), Reason::ClockUntrusted);
    let pulse = world.authority.pulse(world.now);
    world.tell(session::Input::Pulse(pulse));
    assert_eq!(world.tap(1), Reason::Granted);
}

#[test]
fn a_receipt_by_another_key_ends_the_connection() {
    let mut world = World::connected();
    let campus: CampusId = id("campus");
    let receipt = doorward_protocol::receipt::Receipt {
        campus,
        agent: id("agent"),
        about: About::Commit,
        position: world.authority.position(),
        hash: Hash([0; 32]),
        stage: Stage::Durable,
        at: START,
    };
    let forged = SecretKey::from_seed(&[77; 32]).sign_value(&receipt).unwrap();
    world.tell(session::Input::Frame(ToAuthority::Receipt(forged)));
    assert!(world.closed.is_some());
}
