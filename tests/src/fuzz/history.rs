//! A small campus with a signed history, the honest half of every story: commits, removals, statements and pulses.
//!
//! It has a rotation of keys, a new epoch after a restored backup, and a fork: two commits of one position, both signed.
//! Made once; signatures are deterministic, so every run has the same bytes.

use doorward_protocol::cache::Cache;
use doorward_protocol::commit::{Commit, Head, Leaf, Position, Pulse};
use doorward_protocol::facts::{
    Calendar, Class, ClassDoor, Credential, CredentialState, Door, Effect, Entry, Fact, FactKey, Factors, Interval,
    Schedule,
};
use doorward_protocol::frame::{Base, ToAgent, Update};
use doorward_protocol::id::{AgentId, CampusId, CredentialKey, DoorId, FunctionId, Hash, ReaderKey};
use doorward_protocol::merkle::Tree;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::{SecretKey, Signable, Signed};
use doorward_protocol::state::{Change, State};
use doorward_protocol::time::{Day, DayRange, UnixMs, Zone};
use doorward_protocol::trust::{Root, Statement};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// When the history begins; a Tuesday at 22:13 UTC.
pub const START: UnixMs = UnixMs(1_700_000_000_000);

/// Lease of the door that has one, in milliseconds.
pub const LEASE_MS: i64 = 3_600_000;

/// The agent that the stories are about.
pub const AGENT: &str = "agent";

const READER: ReaderKey = ReaderKey([3; 32]);

/// The history.
pub static HISTORY: LazyLock<History> = LazyLock::new(|| History::new().unwrap_or_default());

/// See the module.
#[derive(Default)]
pub struct History {
    /// All statements from 1: the first key, then a second one beside it, then a third alone with a new epoch.
    pub statements: Vec<Signed<Statement>>,
    /// The commits, in the order in which they were made.
    pub commits: Vec<Made>,
    /// Every removal, with the commit that contains it.
    pub removals: Vec<(Signed<Removal>, Removal)>,
    /// The root that agents pin.
    pub root: Option<Root>,
}

/// A commit, with what an agent that has it has.
pub struct Made {
    /// Version of the statement that names its key.
    pub statement: u32,
    pub commit: Commit,
    pub hash: Hash,
    pub head: Head,
    /// The same commit with the proof for another agent.
    pub foreign: Head,
    pub state: State,
    pub cache: Option<Arc<Cache>>,
}

/// The key of a small number: 1 to 3 sign, 7 is the root's, 9 the agent's, 10 another agent's, 8 nobody's.
pub fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

/// A card of the campus, by its number.
pub fn card(n: u8) -> CredentialKey {
    READER.credential_key(&format!("card-{n}"))
}

/// How many cards there are; one more is nobody's.
pub const CARDS: u8 = 5;

/// The doors.
pub const DOORS: [&str; 3] = ["front", "laboratory", "yard"];

/// A door by its name.
pub fn door(name: &str) -> Option<DoorId> {
    name.parse().ok()
}

/// The agent.
pub fn agent() -> Option<AgentId> {
    AGENT.parse().ok()
}

impl History {
    fn new() -> Option<Self> {
        let campus: CampusId = "campus".parse().ok()?;
        let root = Root { campus, keys: [key(7).public()].into(), threshold: 1 };
        let mut history = Self { root: Some(root), ..Self::default() };
        history.state_whom_to_trust(&[1], 0)?;
        history.commit(0, &[], first_facts()?)?;
        let suspended = history.with(0, &[credential(1, CredentialState::Suspended)?])?;
        history.commit(0, &[vec![Item::Suspend(card(1))]], suspended)?;
        let more = [credential(3, CredentialState::Active)?, credential(4, CredentialState::Active)?];
        let more = history.with(1, &more)?;
        history.commit(0, &[], more)?;
        let shut = history.with(2, &[Fact::Door(Door { lockdown: true, ..front()? })])?;
        let shut = shut.into_iter().filter(|fact| fact.key() != FactKey::Credential(card(2))).collect();
        history.commit(0, &[vec![Item::LockDown(front()?.door)], vec![Item::Close(card(2))]], shut)?;
        history.state_whom_to_trust(&[1, 2], 0)?;
        let resumed = [credential(1, CredentialState::Active)?, Fact::Door(front()?)];
        let resumed = history.with(3, &resumed)?;
        history.commit(0, &[], resumed)?;
        // The other history of the same position.
        let other = history.with(3, &[credential(3, CredentialState::Suspended)?])?;
        history.commit_at(Position { epoch: 0, seq: 5 }, 3, &[vec![Item::Suspend(card(3))]], other)?;
        history.state_whom_to_trust(&[3], 1)?;
        let restored = history.with(2, &[credential(4, CredentialState::Suspended)?])?;
        history.commit_at(Position { epoch: 1, seq: 4 }, 2, &[vec![Item::Suspend(card(4))]], restored)?;
        let zone = Zone { first_offset_s: 3600, transitions: vec![] };
        let calendar = Fact::Calendar(Calendar { zone, holidays: vec![Day(19_675)] });
        let last = history.with(6, &[calendar, Fact::Door(Door { lease_ms: None, ..front()? })])?;
        history.commit(1, &[], last)?;
        Some(history)
    }

    /// Facts of a commit with some replaced.
    fn with(&self, commit: usize, put: &[Fact]) -> Option<Vec<Fact>> {
        let mut state = self.commits.get(commit)?.state.clone();
        let mut put = put.to_vec();
        put.extend(derived()?);
        state.apply(&Change { removed: vec![], put }).ok()?;
        Some(state.facts().map(Cow::into_owned).collect())
    }

    fn state_whom_to_trust(&mut self, signing: &[u8], epoch: u32) -> Option<()> {
        let version = u32::try_from(self.statements.len()).ok()?.checked_add(1)?;
        let signing_keys = signing.iter().map(|n| key(*n).public()).collect();
        let (root, certificate_authority) = (self.root.clone()?, Hash([0; 32]));
        let statement = Statement { version, epoch, root, signing_keys, certificate_authority, at: START };
        self.statements.push(key(7).sign_value(&statement).ok()?);
        Some(())
    }

    fn commit(&mut self, epoch: u32, removals: &[Vec<Item>], facts: Vec<Fact>) -> Option<()> {
        let seq = self.commits.last().map_or(0, |made| made.commit.position.seq).checked_add(1)?;
        let before = self.commits.len().saturating_sub(1);
        self.commit_at(Position { epoch, seq }, before, removals, facts)
    }

    fn commit_at(&mut self, position: Position, before: usize, removals: &[Vec<Item>], facts: Vec<Fact>) -> Option<()> {
        let number = i64::try_from(self.commits.len()).ok()?.checked_add(1)?;
        let at = START.plus_ms(number * 60_000);
        let state = State::from_facts(facts).ok()?;
        let leaf =
            |agent: &str, key: SecretKey, digest| Some(Leaf { agent: agent.parse().ok()?, key: key.public(), digest });
        let leaves = [
            leaf(AGENT, key(9), state.digest())?,
            leaf("agent-b", key(10), Hash([1; 32]))?,
            leaf("z", key(11), state.digest())?,
        ];
        let tree = Tree::new(leaves.iter().map(Leaf::hash).collect::<Result<_, _>>().ok()?);
        let previous = self.commits.get(before).map_or(Hash([0; 32]), |made| made.hash);
        let campus = self.root.clone()?.campus;
        let commit = Commit { campus: campus.clone(), position, at, previous, root: tree.root() };
        let signed = self.sign(&commit)?;
        let [own, _, foreign] = leaves;
        let head = Head { commit: signed.clone(), leaf: own, path: tree.path(0)? };
        let foreign = Head { commit: signed, leaf: foreign, path: tree.path(2)? };
        for (part, items) in (0..).zip(removals) {
            let removal = Removal { campus: campus.clone(), position, part, at, items: items.clone() };
            self.removals.push((self.sign(&removal)?, removal));
        }
        let statement = u32::try_from(self.statements.len()).ok()?;
        let (hash, cache) = (head.commit.hash(), Cache::new(&state).map(Arc::new));
        self.commits.push(Made { statement, commit, hash, head, foreign, state, cache });
        Some(())
    }

    /// Signs with the newest key of the newest statement so far.
    fn sign<T: Signable>(&self, value: &T) -> Option<Signed<T>> {
        key(u8::try_from(self.statements.len()).ok()?).sign_value(value).ok()
    }

    /// A fresh word about a commit, by the key that signed it.
    pub fn pulse(&self, commit: &Made, at: UnixMs) -> Option<Signed<Pulse>> {
        let Commit { campus, position, .. } = commit.commit.clone();
        let pulse = Pulse { campus, position, commit: commit.hash, at };
        key(u8::try_from(commit.statement).ok()?).sign_value(&pulse).ok()
    }

    /// The frames that lead from one commit, or from nothing, to another.
    pub fn update(&self, from: Option<&Made>, to: &Made, wanted_parts: usize) -> Vec<ToAgent> {
        let before = |key: &FactKey| from.and_then(|from| from.state.fact(key));
        let new = to.state.facts().filter(|fact| before(&fact.key()).as_ref() != Some(fact));
        let put: Vec<Fact> = new.map(Cow::into_owned).collect();
        let gone = from.into_iter().flat_map(|from| from.state.facts()).map(|fact| fact.key());
        let removed = gone.filter(|key| !key.is_derived() && to.state.fact(key).is_none()).collect();
        let mut parts = vec![Change { removed, put: vec![] }];
        let size = put.len().div_ceil(wanted_parts.max(1)).max(1);
        parts.extend(put.chunks(size).map(|put| Change { removed: vec![], put: put.to_vec() }));
        parts.retain(|part| !part.is_empty());
        let base = if from.is_some() { Base::Present } else { Base::Nothing };
        let parts_count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let update = Update { head: to.head.clone(), base, parts: parts_count };
        core::iter::once(ToAgent::Update(Box::new(update))).chain(parts.into_iter().map(ToAgent::Part)).collect()
    }

    /// The commit that an agent with this position and digest has.
    pub fn having(&self, position: Position, digest: Hash) -> Option<&Made> {
        self.commits.iter().find(|made| made.commit.position == position && made.state.digest() == digest)
    }

    /// The commit with this hash.
    pub fn of_hash(&self, hash: Hash) -> Option<&Made> {
        self.commits.iter().find(|made| made.hash == hash)
    }

    /// The removal with this hash.
    pub fn removal_of_hash(&self, hash: Hash) -> Option<&Removal> {
        self.removals.iter().find(|(signed, _)| signed.hash() == hash).map(|(_, removal)| removal)
    }
}

fn front() -> Option<Door> {
    let lease_ms = u64::try_from(LEASE_MS).ok();
    let function = FunctionId::new("entry").ok()?;
    Some(Door { door: door("front")?, function, identity: true, unlock: None, lease_ms, lockdown: false })
}

fn day_time() -> Schedule {
    let hours = vec![Interval { start_min: 420, end_min: 1320 }];
    Schedule { weekly: core::array::from_fn(|_| hours.clone()), holiday: Some(vec![]) }
}

/// What holders of the first three cards may open, and what those of the others may.
fn classes() -> Option<[Class; 2]> {
    let function = FunctionId::new("entry").ok()?;
    let entry = |schedule, factors| Entry { effect: Effect::Permit, days: DayRange::ALWAYS, schedule, factors };
    let at = |name, entries| Some(ClassDoor { door: door(name)?, entries });
    let always = entry(None, Factors::NONE);
    let by_day = entry(Some(day_time().id().ok()?), Factors::NONE);
    let with_pin = entry(None, Factors::PIN);
    let wide = vec![at("front", vec![always])?, at("laboratory", vec![with_pin])?];
    let narrow = vec![at("front", vec![by_day])?];
    Some([Class { functions: vec![function.clone()], doors: wide }, Class { functions: vec![function], doors: narrow }])
}

fn derived() -> Option<Vec<Fact>> {
    let [wide, narrow] = classes()?;
    Some(vec![
        Fact::Schedule(day_time().id().ok()?, Box::new(day_time())),
        Fact::Class(wide.id().ok()?, wide),
        Fact::Class(narrow.id().ok()?, narrow),
    ])
}

fn credential(n: u8, state: CredentialState) -> Option<Fact> {
    let [wide, narrow] = classes()?;
    let class = if n < 3 { wide.id() } else { narrow.id() }.ok()?;
    Some(Fact::Credential(Credential { key: card(n), class, state, valid: DayRange::ALWAYS, leaving: None }))
}

fn first_facts() -> Option<Vec<Fact>> {
    let laboratory = Door { door: door("laboratory")?, lease_ms: None, ..front()? };
    let yard = Door { door: door("yard")?, unlock: Some(day_time().id().ok()?), ..front()? };
    let mut facts = vec![
        Fact::Calendar(Calendar { zone: Zone { first_offset_s: 0, transitions: vec![] }, holidays: vec![] }),
        Fact::Reader(READER),
        Fact::Door(front()?),
        Fact::Door(laboratory),
        Fact::Door(yard),
        credential(0, CredentialState::Active)?,
        credential(1, CredentialState::Active)?,
        credential(2, CredentialState::Active)?,
    ];
    facts.extend(derived()?);
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_has_all_that_stories_need() {
        let history = History::new().unwrap();
        assert_eq!((history.statements.len(), history.commits.len(), history.removals.len()), (3, 8, 5));
        let positions = history.commits.iter().map(|made| made.commit.position.to_string()).collect::<Vec<_>>();
        assert_eq!(positions.join(" "), "1 2 3 4 5 5 1.4 1.5");
        assert!(history.commits.iter().all(|made| made.cache.is_some()));
    }
}
