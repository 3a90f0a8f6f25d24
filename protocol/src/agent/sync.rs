//! The machine that keeps an agent's state: statements, updates, pulses and removals in, views and receipts out.
//!
//! It never touches a socket, a disk or a clock. Whatever it refuses leaves everything as it was.

use crate::agent::stored::{Floor, Opened, Stored, StoredHead, Write, prove_head};
use crate::cache::Cache;
use crate::codec;
use crate::commit::{Commit, Head, Position, Pulse};
use crate::decide::View;
use crate::fork::{Fork, Word, follows};
use crate::frame::{Base, Heard, Hello, PROTOCOL_VERSION, Refusal, StateClaim, ToAgent, ToAuthority, Update};
use crate::id::{AgentId, Hash};
use crate::limits::{
    CLOCK_TOLERANCE_MS, FACTS_MAX, PARTS_MAX, REMOVAL_ITEMS_MAX, STATEMENTS_MAX, TEXT_BYTES_MAX, UPDATE_BYTES_MAX,
};
use crate::overlay::Overlay;
use crate::receipt::{About, Receipt, Stage};
use crate::removal::Removal;
use crate::sign::{SecretKey, Signed};
use crate::state::{Change, Gathering, State, StateError, Undo};
use crate::time::UnixMs;
use crate::trust::{Statement, Trust, TrustError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Who this agent is and what it trusts.
#[derive(Debug)]
pub struct Identity {
    /// Its id.
    pub agent: AgentId,
    /// Its own key.
    pub key: SecretKey,
    /// Hash of the campus root that it was enrolled under.
    pub pinned_root: Hash,
    /// Version of its software.
    pub software: String,
}

/// What happens to the machine.
#[derive(Debug)]
pub enum Input {
    /// A connection stands.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// A frame came on the control or removal lane.
    Frame(ToAgent),
    /// The writes of this ticket are durable.
    Persisted(u64),
    /// The wall clock moved apart from the monotonic one.
    ClockStepped,
}

/// What the machine wants done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Send on the control lane.
    Send(Box<ToAuthority>),
    /// Make the writes durable, all or none, in the order of tickets; then answer [`Input::Persisted`].
    Persist {
        /// Names the writes.
        ticket: u64,
        /// What to write.
        writes: Vec<Write>,
    },
    /// Decide by this from now on.
    View(View),
    /// Keep this proof for people: the campus's keys have signed two histories.
    Fork(Box<Fork>),
    /// Tell the operator.
    Alarm(String),
}

/// See the module.
#[derive(Debug)]
pub struct Sync {
    identity: Identity,
    /// All trust statements from 1, the newest of which is `trust`.
    statements: Vec<Signed<Statement>>,
    trust: Trust,
    head: Option<Head>,
    position: Option<Position>,
    state: State,
    cache: Option<Arc<Cache>>,
    overlay: Arc<Overlay>,
    floor: Floor,
    clock_trusted: bool,
    connected: bool,
    assembly: Option<Assembly>,
    next_ticket: u64,
    receipts_when_durable: BTreeMap<u64, Receipt>,
    /// What the authority must be told of the store, once.
    damage: Option<String>,
    effects: VecDeque<Effect>,
}

/// An update whose parts are still coming.
#[derive(Debug)]
struct Assembly {
    /// Version of the statement under which the head was proven.
    statement: u32,
    head: Head,
    commit: Commit,
    parts_left: u32,
    bytes: usize,
    facts: usize,
    coming: Coming,
}

/// What has come of an update.
#[derive(Debug)]
enum Coming {
    /// The whole state.
    Whole(Box<Gathering>),
    /// What is different.
    Change(Change),
}

impl Coming {
    fn take(&mut self, part: Change) -> Result<(), Refusal> {
        match self {
            Self::Whole(_) if !part.removed.is_empty() => {
                Err(Refusal::OutOfBounds("a snapshot removes nothing".into()))
            }
            Self::Whole(gathering) => {
                let put = |fact| gathering.put(fact);
                part.put.into_iter().try_for_each(put).map_err(|error| refusal_of(&error))
            }
            Self::Change(change) => {
                change.removed.extend(part.removed);
                change.put.extend(part.put);
                Ok(())
            }
        }
    }
}

impl Sync {
    /// Opens the machine on what was stored.
    ///
    /// # Errors
    /// When the stored trust statements do not prove themselves; the agent has to join anew.
    pub fn open(identity: Identity, stored: Stored) -> Result<Self, TrustError> {
        let floor = stored.floor;
        let statements = stored.statements.clone();
        let Opened { trust, state, overlay, damage } =
            stored.open(&identity.agent, identity.key.public(), identity.pinned_root)?;
        let (head, state) = state.map_or((None, State::default()), |(head, state)| (Some(head), state));
        let cache = head.as_ref().and_then(|_| Cache::new(&state)).map(Arc::new);
        let position = head.as_ref().and_then(|head| head.commit.unverified().ok()).map(|commit| commit.position);
        let mut sync = Self {
            position,
            identity,
            statements,
            trust,
            head,
            state,
            cache,
            overlay: Arc::new(overlay),
            floor,
            clock_trusted: true,
            connected: false,
            assembly: None,
            next_ticket: 0,
            receipts_when_durable: BTreeMap::new(),
            damage: (!damage.is_empty()).then(|| damage.join("; ").chars().take(TEXT_BYTES_MAX).collect()),
            effects: VecDeque::new(),
        };
        for why in damage {
            sync.alarm(format!("the store is damaged: {why}"));
        }
        sync.show();
        Ok(sync)
    }

    /// The next thing to do, if any.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The position in force, `None` without a verified state.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        self.position
    }

    /// The digest of the state in force.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.state.digest()
    }

    /// Takes one input at a wall-clock time.
    pub fn handle(&mut self, input: Input, wall: UnixMs) {
        match input {
            Input::Connected => self.greet(wall),
            Input::Disconnected => {
                self.connected = false;
                self.assembly = None;
                // The next connection may lead to an authority that has another history; if it has this commit, it asks
                // for the receipt again. A removal is named by its hash alone.
                self.receipts_when_durable.retain(|_, receipt| receipt.about == About::Removal);
            }
            Input::Frame(frame) => self.handle_frame(frame, wall),
            Input::Persisted(ticket) => self.confirm(ticket, wall),
            Input::ClockStepped => {
                self.clock_trusted = false;
                self.alarm("the wall clock was stepped; taps are denied until the authority confirms it".into());
                self.show();
            }
        }
    }

    /// PROTOCOL 2.3: who speaks, and what it has.
    fn greet(&mut self, wall: UnixMs) {
        self.connected = true;
        self.assembly = None;
        let state = self.position.map(|position| StateClaim { position, digest: self.state.digest() });
        let hello = Hello {
            protocol: PROTOCOL_VERSION,
            agent: self.identity.agent.clone(),
            software: self.identity.software.clone(),
            statement: self.trust.statement().version,
            floor: self.floor.position,
            state,
            commit: self.head.as_ref().map(|head| head.commit.hash()),
            wall,
        };
        self.send(ToAuthority::Hello(hello));
        if let Some(damage) = self.damage.take() {
            self.send(ToAuthority::Refusal(Refusal::StoreDamaged(damage)));
        }
    }

    fn handle_frame(&mut self, frame: ToAgent, wall: UnixMs) {
        let taken = match frame {
            ToAgent::Statements(statements) => self.take_statements(&statements),
            ToAgent::Update(update) => self.begin_update(*update, wall),
            ToAgent::Part(change) => self.take_part(change, wall),
            ToAgent::Pulse(pulse) => self.take_pulse(&pulse, wall),
            ToAgent::Removal(removal) => self.take_removal(removal, wall),
            ToAgent::Stored(_) => Err(Refusal::OutOfBounds("an acknowledgement came on the wrong lane".into())),
        };
        if let Err(refusal) = taken {
            self.alarm(format!("refused: {refusal:?}"));
            self.send(ToAuthority::Refusal(refusal));
        }
    }

    /// PROTOCOL 3.3: statements one by one, each proven by the one before.
    fn take_statements(&mut self, statements: &[Signed<Statement>]) -> Result<(), Refusal> {
        if statements.len() > STATEMENTS_MAX {
            return Err(Refusal::OutOfBounds(format!("{} trust statements at once", statements.len())));
        }
        let mut trust = self.trust.clone();
        let mut writes = Vec::new();
        for signed in statements {
            trust = trust.next(signed).map_err(|error| Refusal::Unproven(error.to_string()))?;
            writes.push(Write::Statement(trust.statement().version, signed.clone()));
        }
        self.trust = trust;
        self.statements.extend_from_slice(statements);
        self.persist(writes);
        Ok(())
    }

    /// PROTOCOL 4.2: the head is proven before any part is looked at.
    fn begin_update(&mut self, update: Update, wall: UnixMs) -> Result<(), Refusal> {
        self.assembly = None;
        let Update { head, base, parts } = update;
        if parts > PARTS_MAX {
            return Err(Refusal::OutOfBounds(format!("an update of {parts} parts")));
        }
        let position = prove_head(&self.trust, &head, &self.identity.agent, self.identity.key.public())
            .map_err(Refusal::Unproven)?;
        if position < self.floor.position {
            return Err(Refusal::Backward { offered: position, floor: self.floor.position });
        }
        if self.position == Some(position) {
            return self.take_same_position(&head, position, wall);
        }
        if base == Base::Present && self.head.is_none() {
            return Err(Refusal::NeedSnapshot("there is no state".into()));
        }
        let commit = head.commit.unverified().map_err(|error| Refusal::Unproven(error.to_string()))?;
        self.check_follows(&head, &commit)?;
        let coming = match base {
            Base::Nothing => Coming::Whole(Box::default()),
            Base::Present => Coming::Change(Change::default()),
        };
        let statement = self.trust.statement().version;
        let assembly = Assembly { statement, head, commit, parts_left: parts, bytes: 0, facts: 0, coming };
        if parts == 0 {
            return self.finish(assembly, wall);
        }
        self.assembly = Some(assembly);
        Ok(())
    }

    /// A commit of the position in force is the same one, or there are two histories.
    fn take_same_position(&mut self, head: &Head, position: Position, wall: UnixMs) -> Result<(), Refusal> {
        let held = self.head.as_ref().map(|head| head.commit.hash());
        let offered = head.commit.hash();
        match held {
            Some(held) if held != offered => Err(self.fork(&Word::Commit(head.commit.clone()), offered)),
            Some(_) | None => {
                // The signature must be sent again: the one before may have been lost with its connection.
                let receipt = self.receipt(About::Commit, position, offered, Stage::Durable, wall);
                let ticket = self.persist(Vec::new());
                self.receipts_when_durable.insert(ticket, receipt);
                Ok(())
            }
        }
    }

    /// The next commit names the one in force as the one before it, or there are two histories.
    fn check_follows(&mut self, head: &Head, commit: &Commit) -> Result<(), Refusal> {
        let is_next = self.position.is_some_and(|position| follows(commit.position, position));
        let held = self.head.as_ref().map(|head| head.commit.hash());
        if is_next && held != Some(commit.previous) {
            return Err(self.fork(&Word::Commit(head.commit.clone()), commit.previous));
        }
        Ok(())
    }

    /// PROTOCOL 10.2: refuses what contradicts the commit in force, and keeps the proof of it.
    fn fork(&mut self, second: &Word, offered: Hash) -> Refusal {
        let first = self.head.as_ref().map(|head| &head.commit);
        let proof = first.and_then(|first| Fork::prove(self.identity.pinned_root, &self.statements, first, second));
        let held = first.map_or(Hash([0; 32]), Signed::hash);
        self.effects.extend(proof.map(|proof| Effect::Fork(Box::new(proof))));
        Refusal::Fork { position: self.position.unwrap_or_default(), held, offered }
    }

    fn take_part(&mut self, part: Change, wall: UnixMs) -> Result<(), Refusal> {
        let Some(mut assembly) = self.assembly.take() else {
            // Parts of an update that was refused still arrive; they change nothing.
            return Ok(());
        };
        let bytes = codec::encode(&part).map_err(|error| Refusal::OutOfBounds(error.to_string()))?.len();
        assembly.bytes = assembly.bytes.saturating_add(bytes);
        if assembly.bytes > UPDATE_BYTES_MAX {
            return Err(Refusal::OutOfBounds("an update of more bytes than the bound".into()));
        }
        assembly.facts = assembly.facts.saturating_add(part.removed.len()).saturating_add(part.put.len());
        if assembly.facts > FACTS_MAX {
            return Err(Refusal::OutOfBounds("an update of more facts than the bound".into()));
        }
        assembly.coming.take(part)?;
        assembly.parts_left = assembly.parts_left.saturating_sub(1);
        if assembly.parts_left == 0 {
            return self.finish(assembly, wall);
        }
        self.assembly = Some(assembly);
        Ok(())
    }

    /// PROTOCOL 4.3: the new state must have the signed digest, or nothing changes.
    fn finish(&mut self, assembly: Assembly, wall: UnixMs) -> Result<(), Refusal> {
        let Assembly { statement, head, commit, coming, .. } = assembly;
        // Statements may have come between the head and its parts: it is stored with the newest, which must prove it.
        if statement != self.trust.statement().version {
            let key = self.identity.key.public();
            prove_head(&self.trust, &head, &self.identity.agent, key).map_err(Refusal::Unproven)?;
        }
        let writes = match coming {
            Coming::Whole(gathering) => self.replace_state(*gathering, head.leaf.digest)?,
            Coming::Change(change) => self.change_state(&change, head.leaf.digest)?,
        };
        let hash = head.commit.hash();
        self.position = Some(commit.position);
        self.overlay = Arc::new(self.overlay.after_commit(commit.position));
        self.floor.position = commit.position;
        let agrees = self.check_clock(commit.at, wall, false);
        if agrees {
            self.floor.fresh_at = self.floor.fresh_at.max(commit.at);
        }
        let mut writes = writes;
        let statement = self.trust.statement().version;
        writes.push(Write::Head(StoredHead { statement, head: head.clone() }));
        writes.push(Write::DropRemovals(commit.position));
        writes.push(Write::Floor(self.floor));
        self.head = Some(head);
        self.show();
        self.acknowledge(About::Commit, commit.position, hash, writes, wall);
        Ok(())
    }

    fn replace_state(&mut self, gathering: Gathering, digest: Hash) -> Result<Vec<Write>, Refusal> {
        let state = gathering.finish().map_err(|error| refusal_of(&error))?;
        if state.digest() != digest {
            return Err(Refusal::NeedSnapshot("the snapshot does not have the signed digest".into()));
        }
        let Some(cache) = Cache::new(&state) else {
            return Err(Refusal::NeedSnapshot("the snapshot lacks calendar or reader key".into()));
        };
        self.cache = Some(Arc::new(cache));
        self.state = state.clone();
        Ok(vec![Write::ReplaceFacts(Box::new(state))])
    }

    fn change_state(&mut self, change: &Change, digest: Hash) -> Result<Vec<Write>, Refusal> {
        let undo = self.state.apply(change).map_err(|error| refusal_of(&error))?;
        if self.state.digest() != digest {
            self.state.undo(undo);
            return Err(Refusal::NeedSnapshot("the delta does not yield the signed digest".into()));
        }
        let cache = self.cache.as_ref().and_then(|cache| cache.changed(&self.state, &undo));
        let Some(cache) = cache else {
            self.state.undo(undo);
            return Err(Refusal::NeedSnapshot("the delta takes calendar or reader key away".into()));
        };
        self.cache = Some(Arc::new(cache));
        Ok(self.writes_of(&undo))
    }

    fn writes_of(&self, undo: &Undo) -> Vec<Write> {
        let write = |key| match self.state.fact(&key) {
            Some(fact) => Write::PutFact(fact.into_owned()),
            None => Write::RemoveFact(key),
        };
        undo.keys().map(write).collect()
    }

    /// PROTOCOL 5: a pulse renews leases only when the state is the newest one that the authority knew.
    fn take_pulse(&mut self, signed: &Signed<Pulse>, wall: UnixMs) -> Result<(), Refusal> {
        let pulse = self.trust.verify(signed).map_err(|error| Refusal::Unproven(error.to_string()))?;
        if pulse.campus != *self.trust.campus() || pulse.position.epoch != self.trust.statement().epoch {
            return Err(Refusal::Unproven("the pulse belongs to another campus or epoch".into()));
        }
        if !self.check_clock(pulse.at, wall, true) {
            self.show();
            return Err(Refusal::ClockDisagrees { wall, signed: pulse.at });
        }
        if self.position == Some(pulse.position) {
            let held = self.head.as_ref().map(|head| head.commit.hash());
            if held != Some(pulse.commit) {
                return Err(self.fork(&Word::Pulse(signed.clone()), pulse.commit));
            }
            self.floor.fresh_at = self.floor.fresh_at.max(pulse.at);
        }
        self.persist(vec![Write::Floor(self.floor)]);
        self.show();
        self.send(ToAuthority::Heard(Heard { pulse_at: pulse.at, fresh_at: self.floor.fresh_at, wall }));
        Ok(())
    }

    /// PROTOCOL 6: in force on arrival, then durable; nothing else is waited for.
    fn take_removal(&mut self, signed: Signed<Removal>, wall: UnixMs) -> Result<(), Refusal> {
        let removal = self.trust.verify(&signed).map_err(|error| Refusal::Unproven(error.to_string()))?.into_inner();
        let position = removal.position;
        if removal.campus != *self.trust.campus() || position.epoch != self.trust.statement().epoch {
            return Err(Refusal::Unproven("the removal belongs to another campus or epoch".into()));
        }
        if removal.items.len() > REMOVAL_ITEMS_MAX || self.overlay.is_full() {
            return Err(Refusal::OutOfBounds("more removals than the bound".into()));
        }
        let mut writes = Vec::new();
        if !self.contains(&removal) {
            self.check_clock(removal.at, wall, false);
            let part = self.overlay.part_for(&removal);
            if part != removal.part {
                self.alarm(format!("two different orders came for commit {position}; both are obeyed"));
            }
            writes.push(Write::PutRemoval(position, part, signed.clone()));
            self.overlay = Arc::new(self.overlay.with(removal));
            self.show();
        }
        self.acknowledge(About::Removal, position, signed.hash(), writes, wall);
        Ok(())
    }

    /// Whether the commit in force contains a removal. An authority that was restored from an older copy counts again
    /// what this agent has seen already: what it ordered after that commit was made is not in it, whatever its number.
    fn contains(&self, removal: &Removal) -> bool {
        let commit = self.head.as_ref().and_then(|head| head.commit.unverified().ok());
        commit.is_some_and(|commit| commit.position >= removal.position && commit.at >= removal.at)
    }

    /// Compares a verified time with the wall clock; raises the floor when they agree. `fresh` says that the signed
    /// time is the present, so that a wall clock ahead of it disagrees, too.
    fn check_clock(&mut self, signed: UnixMs, wall: UnixMs, fresh: bool) -> bool {
        let ahead_ms = signed.since_ms(wall);
        let agrees = ahead_ms <= CLOCK_TOLERANCE_MS && (!fresh || ahead_ms >= -CLOCK_TOLERANCE_MS);
        if agrees {
            self.floor.at = self.floor.at.max(signed);
        }
        if fresh || !agrees {
            self.clock_trusted = agrees;
        }
        agrees
    }

    fn acknowledge(&mut self, about: About, position: Position, hash: Hash, writes: Vec<Write>, wall: UnixMs) {
        let applied = self.receipt(about, position, hash, Stage::Applied, wall);
        self.send_receipt(&applied);
        let ticket = self.persist(writes);
        self.receipts_when_durable.insert(ticket, Receipt { stage: Stage::Durable, ..applied });
    }

    fn confirm(&mut self, ticket: u64, wall: UnixMs) {
        if let Some(receipt) = self.receipts_when_durable.remove(&ticket) {
            self.send_receipt(&Receipt { at: wall, ..receipt });
        }
    }

    fn receipt(&self, about: About, position: Position, hash: Hash, stage: Stage, at: UnixMs) -> Receipt {
        let (campus, agent) = (self.trust.campus().clone(), self.identity.agent.clone());
        Receipt { campus, agent, about, position, hash, stage, at }
    }

    /// PROTOCOL 7.1: what is durable is signed, since others will want to see it; what is only in force until then is not.
    fn send_receipt(&mut self, receipt: &Receipt) {
        let signed = match receipt.stage {
            Stage::Applied => Signed::unsigned(receipt),
            Stage::Durable => self.identity.key.sign_value(receipt),
        };
        // A receipt is a few hundred bytes and always encodes; were it not sent, the authority would ask again.
        if let Ok(signed) = signed {
            self.send(ToAuthority::Receipt(signed));
        }
    }

    fn send(&mut self, frame: ToAuthority) {
        if self.connected {
            self.effects.push_back(Effect::Send(Box::new(frame)));
        }
    }

    fn persist(&mut self, writes: Vec<Write>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.effects.push_back(Effect::Persist { ticket, writes });
        ticket
    }

    fn show(&mut self) {
        self.effects.push_back(Effect::View(View {
            cache: self.cache.clone(),
            overlay: Arc::clone(&self.overlay),
            fresh_at: self.floor.fresh_at,
            floor_at: self.floor.at,
            clock_trusted: self.clock_trusted,
        }));
    }

    fn alarm(&mut self, text: String) {
        self.effects.push_back(Effect::Alarm(text));
    }
}

/// A change that does not fit may be mended by a snapshot; one that leads over a bound would do so again.
fn refusal_of(error: &StateError) -> Refusal {
    match error {
        StateError::FactTooLarge | StateError::TooMany => Refusal::OutOfBounds(error.to_string()),
        StateError::Malformed(_) | StateError::Dangling(_) | StateError::RemovesDerived(_) => {
            Refusal::NeedSnapshot(error.to_string())
        }
    }
}
