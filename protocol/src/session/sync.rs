//! Brings one connected agent to the newest commit, and passes removals on at once.
//!
//! At most one update is under way: while it is, newer commits gather and leave as one. Removals wait for nothing.

use crate::commit::{Head, Position, Pulse};
use crate::fork::follows;
use crate::frame::{Base, Heard, Hello, Lane, PROTOCOL_VERSION, Refusal, StateClaim, ToAgent, ToAuthority, Update};
use crate::id::{AgentId, Hash};
use crate::limits::{CLOCK_TOLERANCE_MS, PARTS_MAX, TEXT_BYTES_MAX};
use crate::receipt::{About, Receipt, Stage};
use crate::removal::Removal;
use crate::session::{Alarm, AlarmKind};
use crate::sign::{PublicKey, Signed};
use crate::state::Change;
use crate::time::UnixMs;
use crate::trust::Statement;
use std::collections::{BTreeSet, VecDeque};

/// How long an update may go unanswered before the connection is given up, in milliseconds: long enough to apply and
/// store the largest one.
const ANSWER_MS_MAX: i64 = 60_000;

/// How much longer for each of its parts, in milliseconds: 2 KiB a second, as a line that loses every fifth packet still
/// carries. With less, the snapshot of a large campus would begin again and again over such a line and never arrive.
const PART_MS_MAX: i64 = 60_000;

/// How often one connection may ask for a snapshot before it is given up: what fails twice fails always, and who asks
/// without end would have more put in line for it than it ever reads.
const SNAPSHOTS_MAX: u8 = 2;

/// What a session asks of the authority's state.
pub trait Source {
    /// The newest commit and its hash.
    fn head(&self) -> (Position, Hash);

    /// Whether the authority signed a commit of this position, and that one.
    fn has_signed(&self, position: Position, commit: Hash) -> bool;

    /// The newest pulse that was signed.
    fn pulse(&self) -> Option<Signed<Pulse>>;

    /// The trust statements after a version.
    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>>;

    /// The digest that the newest commit says of an agent; `None` when it has no leaf in it.
    fn digest(&self, agent: &AgentId) -> Option<Hash>;

    /// What brings an agent from what it has to the newest commit; a snapshot when `have` is `None`. `None` when the
    /// agent has no leaf in it.
    fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing>;
}

/// An update to send.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The commit and the agent's proof.
    pub head: Head,
    /// From what the state is made.
    pub base: Base,
    /// The change in parts, each within a frame.
    pub parts: Vec<Change>,
}

/// What happens to the machine.
#[derive(Debug)]
pub enum Input {
    /// A frame came on the control lane.
    Frame(ToAuthority),
    /// There is a newer commit; `affected` says whether this agent's state changed with it.
    HeadMoved {
        /// Whether to send at once rather than with the next pulse.
        affected: bool,
    },
    /// A removal that concerns this agent.
    Removal(Signed<Removal>),
    /// A fresh word for all agents.
    Pulse(Signed<Pulse>),
    /// The time that [`Session::poll_timeout`] named has come.
    Timeout,
}

/// What the machine wants done.
#[derive(Debug)]
pub enum Effect {
    /// Send a frame.
    Send(Lane, Box<ToAgent>),
    /// A receipt that is believed: keep it.
    Receipt(Receipt, Signed<Receipt>),
    /// The agent took a pulse.
    Heard(Heard),
    /// The agent greeted; this is what it has.
    Greeted(Hello),
    /// Tell the operator.
    Alarm(Alarm),
    /// End the connection, for this reason.
    Close(String),
}

/// See the module.
#[derive(Debug)]
pub struct Session {
    agent: AgentId,
    key: PublicKey,
    /// The newest position that the agent confirmed as durable in earlier connections: a second floor.
    confirmed: Position,
    greeted: bool,
    closed: bool,
    /// The agent has more than it confirmed: its word was lost with a connection, and must be asked for again.
    unconfirmed: bool,
    /// What the agent has.
    have: Option<StateClaim>,
    /// What is on its way to it: the commit's hash, the claim it leads to, and until when an answer is due.
    sent: Option<(Hash, StateClaim, UnixMs)>,
    wanted: bool,
    /// The agent has what the authority never signed; nothing is sent until the operator raised the epoch.
    ahead: bool,
    snapshots: u8,
    /// What was told of this connection already.
    alarmed: BTreeSet<AlarmKind>,
    pulse: Option<Signed<Pulse>>,
    effects: VecDeque<Effect>,
}

impl Session {
    /// A session with an agent whose certificate holds this key.
    #[must_use]
    pub fn new(agent: AgentId, key: PublicKey, confirmed: Position) -> Self {
        Self {
            agent,
            key,
            confirmed,
            greeted: false,
            closed: false,
            unconfirmed: false,
            have: None,
            sent: None,
            wanted: false,
            ahead: false,
            snapshots: 0,
            alarmed: BTreeSet::new(),
            pulse: None,
            effects: VecDeque::new(),
        }
    }

    /// The next thing to do, if any.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Input::Timeout`] is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixMs> {
        self.sent.as_ref().map(|(_, _, due)| *due)
    }

    /// What the agent has confirmed to have in this connection.
    #[must_use]
    pub const fn have(&self) -> Option<StateClaim> {
        self.have
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: UnixMs, source: &impl Source) {
        if self.closed {
            return;
        }
        match input {
            Input::Frame(frame) => self.handle_frame(frame, now, source),
            Input::HeadMoved { affected } => self.wanted |= affected,
            Input::Removal(removal) => self.send(Lane::Removal, ToAgent::Removal(removal)),
            Input::Pulse(pulse) => {
                self.wanted = true;
                self.pulse = Some(pulse);
            }
            Input::Timeout => {
                if self.poll_timeout().is_some_and(|due| now >= due) {
                    self.close("an update went unanswered");
                }
            }
        }
        self.advance(now, source);
    }

    fn handle_frame(&mut self, frame: ToAuthority, now: UnixMs, source: &impl Source) {
        match frame {
            ToAuthority::Hello(hello) if !self.greeted => self.greet(hello, now, source),
            ToAuthority::Receipt(signed) if self.greeted => self.take_receipt(signed),
            ToAuthority::Refusal(refusal) if self.greeted => self.take_refusal(refusal),
            ToAuthority::Heard(heard) if self.greeted => self.effects.push_back(Effect::Heard(heard)),
            ToAuthority::Hello(_)
            | ToAuthority::Receipt(_)
            | ToAuthority::Refusal(_)
            | ToAuthority::Heard(_)
            | ToAuthority::ChainReport(_)
            | ToAuthority::Records(_) => self.close("a frame came out of order"),
        }
    }

    /// PROTOCOL 2.3.
    fn greet(&mut self, hello: Hello, now: UnixMs, source: &impl Source) {
        if hello.protocol != PROTOCOL_VERSION {
            return self.close("the agent speaks another major version of the protocol");
        }
        if hello.agent != self.agent || hello.software.len() > TEXT_BYTES_MAX {
            return self.close("the greeting does not fit the certificate");
        }
        let (head, _) = source.head();
        if hello.floor > head {
            self.ahead = true;
            let text = format!("agent {} is at {}, the authority only at {head}", self.agent, hello.floor);
            self.alarm(AlarmKind::AuthorityRolledBack, text);
        } else if let Some(position) = parted_at(&hello, head, source) {
            self.ahead = true;
            let text = format!("agent {} has a commit {position} that is not in this authority's history", self.agent);
            self.alarm(AlarmKind::AuthorityRolledBack, text);
        } else if hello.floor < self.confirmed {
            let text = format!("agent {} stands at {}, but had {} durable", self.agent, hello.floor, self.confirmed);
            self.alarm(AlarmKind::AgentRolledBack, text);
        }
        if hello.wall.since_ms(now).saturating_abs() > CLOCK_TOLERANCE_MS {
            let text = format!("the clock of agent {} shows {}", self.agent, hello.wall.to_utc_text());
            self.alarm(AlarmKind::Clock, text);
        }
        self.greeted = true;
        self.have = hello.state;
        self.unconfirmed = hello.state.is_some_and(|state| state.position > self.confirmed);
        self.wanted = true;
        // Without it, leases would stay ended until the next pulse; a stale one would only make clocks disagree.
        self.pulse = source.pulse().filter(|pulse| is_recent(pulse, now));
        let statements = source.statements_after(hello.statement);
        if !statements.is_empty() {
            self.send(Lane::Control, ToAgent::Statements(statements));
        }
        self.effects.push_back(Effect::Greeted(hello));
    }

    /// PROTOCOL 7.2: only a receipt about the agent itself counts, and of what is durable only one that its own key signed.
    fn take_receipt(&mut self, signed: Signed<Receipt>) {
        let Some(receipt) = self.believed(&signed).filter(|receipt| receipt.agent == self.agent) else {
            return self.close("a receipt was not signed by the agent's key");
        };
        if receipt.about == About::Commit
            && let Some((hash, claim, _)) = &self.sent
            && receipt.hash == *hash
        {
            self.have = Some(*claim);
            self.sent = None;
        }
        if receipt.about == About::Commit && receipt.stage == Stage::Durable {
            self.confirmed = self.confirmed.max(receipt.position);
        }
        self.effects.push_back(Effect::Receipt(receipt, signed));
    }

    /// That a change is in force is believed by the connection, which that key has opened.
    fn believed(&self, signed: &Signed<Receipt>) -> Option<Receipt> {
        let said = signed.unverified().ok()?;
        match said.stage {
            Stage::Applied => Some(said),
            Stage::Durable => Some(signed.verify(&[self.key].into(), 1).ok()?.into_inner()),
        }
    }

    fn take_refusal(&mut self, refusal: Refusal) {
        // The sentence inside is the agent's own and as long as it likes.
        let said: String = format!("{refusal:?}").chars().take(TEXT_BYTES_MAX).collect();
        let text = format!("agent {} refused: {said}", self.agent);
        match refusal {
            Refusal::NeedSnapshot(_) => {
                self.have = None;
                self.sent = None;
                self.wanted = true;
                self.snapshots = self.snapshots.saturating_add(1);
                if self.snapshots > SNAPSHOTS_MAX {
                    self.close("snapshots do not help");
                }
                self.alarm(AlarmKind::WrongState, text);
            }
            Refusal::Backward { .. } => {
                self.ahead = true;
                self.sent = None;
                self.alarm(AlarmKind::AuthorityRolledBack, text);
            }
            Refusal::Fork { .. } => {
                self.ahead = true;
                self.sent = None;
                self.alarm(AlarmKind::Fork, text);
            }
            Refusal::ClockDisagrees { .. } => self.alarm(AlarmKind::Clock, text),
            Refusal::StoreDamaged(_) => self.alarm(AlarmKind::StoreDamaged, text),
            Refusal::Unproven(_) | Refusal::OutOfBounds(_) => {
                self.sent = None;
                self.alarm(AlarmKind::Refused, text);
                self.close("the agent refused what it was sent");
            }
        }
    }

    /// Sends what is due: an update when the agent is behind, then the newest pulse (PROTOCOL 4.1 and 5).
    fn advance(&mut self, now: UnixMs, source: &impl Source) {
        if !self.greeted || self.closed || self.ahead || self.sent.is_some() {
            return;
        }
        let (head, _) = source.head();
        if self.wanted {
            self.wanted = false;
            let is_behind = |have: StateClaim| have.position < head || source.digest(&self.agent) != Some(have.digest);
            if core::mem::take(&mut self.unconfirmed) || self.have.is_none_or(is_behind) {
                return self.send_update(now, source);
            }
        }
        if let Some(pulse) = self.pulse.take() {
            self.send(Lane::Control, ToAgent::Pulse(pulse));
        }
    }

    fn send_update(&mut self, now: UnixMs, source: &impl Source) {
        let Some(outgoing) = source.update(&self.agent, self.have) else {
            return self.close("the agent is not enrolled");
        };
        let Outgoing { head, base, parts } = outgoing;
        let (Ok(commit), Ok(count)) = (head.commit.unverified(), u32::try_from(parts.len())) else {
            return self.close("the update cannot be encoded");
        };
        if count > PARTS_MAX {
            return self.close("the update is larger than the bound");
        }
        let claim = StateClaim { position: commit.position, digest: head.leaf.digest };
        let patience_ms = PART_MS_MAX.saturating_mul(i64::from(count)).saturating_add(ANSWER_MS_MAX);
        self.sent = Some((head.commit.hash(), claim, now.plus_ms(patience_ms)));
        self.send(Lane::Control, ToAgent::Update(Box::new(Update { head, base, parts: count })));
        for part in parts {
            self.send(Lane::Control, ToAgent::Part(part));
        }
    }

    fn send(&mut self, lane: Lane, frame: ToAgent) {
        self.effects.push_back(Effect::Send(lane, Box::new(frame)));
    }

    /// Each kind once in a connection: an agent that complains without end must not fill the log.
    fn alarm(&mut self, kind: AlarmKind, text: String) {
        if self.alarmed.insert(kind) {
            self.effects.push_back(Effect::Alarm(Alarm::new(kind, text)));
        }
    }

    fn close(&mut self, why: &str) {
        self.closed = true;
        self.effects.push_back(Effect::Close(why.into()));
    }
}

/// Where the agent's history is not the authority's: one that was restored, and went on since, would otherwise take back
/// what it has forgotten. A raised epoch overrules the histories before it; and the same position and the next one the
/// agent refuses by itself, and keeps the proof (PROTOCOL 4.2).
fn parted_at(hello: &Hello, head: Position, source: &impl Source) -> Option<Position> {
    let (position, commit) = hello.state.map(|state| state.position).zip(hello.commit)?;
    let is_judged_here = position.epoch == head.epoch && position != head && !follows(head, position);
    (is_judged_here && !source.has_signed(position, commit)).then_some(position)
}

fn is_recent(pulse: &Signed<Pulse>, now: UnixMs) -> bool {
    pulse.unverified().is_ok_and(|pulse| now.since_ms(pulse.at).saturating_abs() < CLOCK_TOLERANCE_MS / 2)
}
