//! The authority's machines: what an agent might say, in any order, while the authority moves on.
//!
//! The first byte says which machine. Honest agents' frames are told by the agent's own machine; the rest is invented.

use crate::fuzz::choices::Choices;
use crate::fuzz::history::{HISTORY, History, Made, START, agent, key};
use crate::fuzz::model::{Disk, altered};
use crate::fuzz::{agent as agents, records};
use doorward_protocol::agent::sync::{Effect as AgentEffect, Input as AgentInput, Sync};
use doorward_protocol::codec;
use doorward_protocol::commit::{Position, Pulse};
use doorward_protocol::frame::{Base, Heard, Hello, PROTOCOL_VERSION, Refusal, StateClaim, ToAgent, ToAuthority};
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::session::sync::{Effect, Input, Outgoing, Session, Source};
use doorward_protocol::sign::Signed;
use doorward_protocol::state::{Change, State};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::Statement;

/// Effects of one input that are not parts of an update: more would let one frame make many.
const EFFECTS_MAX: usize = 6;

/// Looks at one input.
pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    match choices.byte() % 2 {
        0 => {
            let Some(mut world) = World::new() else { return };
            while !choices.is_over() && world.step(&mut choices).is_some() {}
        }
        _ => records::run(choices),
    }
}

/// The authority as of one commit.
struct Authority {
    head: &'static Made,
    pulse: Option<Signed<Pulse>>,
}

impl Source for Authority {
    fn head(&self) -> (Position, Hash) {
        (self.head.commit.position, self.head.hash)
    }

    fn has_signed(&self, position: Position, commit: Hash) -> bool {
        let until = self.head.commit.position;
        HISTORY
            .commits
            .iter()
            .any(|made| made.commit.position <= until && (made.commit.position, made.hash) == (position, commit))
    }

    fn pulse(&self) -> Option<Signed<Pulse>> {
        self.pulse.clone()
    }

    fn statements_after(&self, version: u32) -> Vec<Signed<Statement>> {
        let held = usize::try_from(version).unwrap_or(usize::MAX);
        let until = usize::try_from(self.head.statement).unwrap_or_default();
        HISTORY.statements.iter().take(until).skip(held).cloned().collect()
    }

    fn digest(&self, _: &AgentId) -> Option<Hash> {
        Some(self.head.state.digest())
    }

    fn update(&self, _: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        let from = have.and_then(|have| HISTORY.having(have.position, have.digest));
        let frames = HISTORY.update(from, self.head, 2);
        let parts =
            frames.into_iter().filter_map(|frame| if let ToAgent::Part(part) = frame { Some(part) } else { None });
        let base = if from.is_some() { Base::Present } else { Base::Nothing };
        Some(Outgoing { head: self.head.head.clone(), base, parts: parts.collect() })
    }
}

struct World {
    session: Session,
    authority: Authority,
    /// An honest agent whose words may be told as they are, altered or not at all.
    agent: Sync,
    disk: Disk,
    /// Its words that were not told yet.
    words: Vec<ToAuthority>,
    now: UnixMs,
    is_greeted: bool,
    is_closed: bool,
    confirmed: Position,
    /// The state that the session may believe the agent to have.
    claims: Vec<StateClaim>,
}

impl World {
    fn new() -> Option<Self> {
        let history: &'static History = &HISTORY;
        let authority = Authority { head: history.commits.first()?, pulse: None };
        let disk = Disk::enrolled();
        let session = Session::new(agent()?, key(9).public(), Position::default());
        let mut world = Self {
            session,
            authority,
            agent: agents::open(&disk)?,
            disk,
            words: Vec::new(),
            now: START.plus_ms(60_000),
            is_greeted: false,
            is_closed: false,
            confirmed: Position::default(),
            claims: Vec::new(),
        };
        world.tell_agent(AgentInput::Connected);
        Some(world)
    }

    fn step(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        match choices.byte() % 16 {
            0..=4 => {
                let place = if choices.below(4) == 0 { choices.below(self.words.len()) } else { 0 };
                if place < self.words.len() {
                    let word = self.words.remove(place);
                    let word = if choices.below(4) == 0 { altered(&word, choices) } else { Some(word) };
                    word.into_iter().for_each(|word| self.handle(Input::Frame(word)));
                }
            }
            5 => {
                let word = invented(choices)?;
                self.handle(Input::Frame(word));
            }
            6 => {
                if let Ok(word) = codec::decode::<ToAuthority>(choices.some()) {
                    self.handle(Input::Frame(word));
                }
            }
            7 | 8 => {
                let place = HISTORY.commits.iter().position(|made| made.hash == self.authority.head.hash)?;
                // Over the other history of a fork: an authority has one of its own.
                let next = HISTORY.commits.get(if place == 4 { 6 } else { place + 1 })?;
                self.authority.head = next;
                self.handle(Input::HeadMoved { affected: choices.below(2) == 0 });
            }
            9 => {
                let (removal, _) = choices.pick(&HISTORY.removals)?;
                self.handle(Input::Removal(removal.clone()));
            }
            10 => {
                let pulse = HISTORY.pulse(self.authority.head, self.now)?;
                self.authority.pulse = Some(pulse.clone());
                self.handle(Input::Pulse(pulse));
            }
            11 => {
                self.now = self.now.plus_ms(*choices.pick(&[1_000, 61_000, 3_600_000, -600_000])?);
                self.handle(Input::Timeout);
            }
            12 => {
                self.session = Session::new(agent()?, key(9).public(), self.confirmed);
                (self.is_greeted, self.is_closed) = (false, false);
                self.claims.clear();
                self.words.clear();
                self.tell_agent(AgentInput::Disconnected);
                self.tell_agent(AgentInput::Connected);
            }
            13 => {
                self.agent = agents::open(&self.disk)?;
                self.tell_agent(AgentInput::Connected);
            }
            _ => {
                let word = claim(choices)?;
                self.handle(Input::Frame(word));
            }
        }
        Some(())
    }

    fn tell_agent(&mut self, input: AgentInput) {
        self.agent.handle(input, self.now);
        while let Some(effect) = self.agent.poll_effect() {
            match effect {
                AgentEffect::Send(frame) => self.words.push(*frame),
                AgentEffect::Persist { ticket, writes } => {
                    self.disk.write(writes);
                    self.agent.handle(AgentInput::Persisted(ticket), self.now);
                }
                AgentEffect::View(_) | AgentEffect::Alarm(_) | AgentEffect::Fork(_) => {}
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let was_closed = self.is_closed;
        let claimed = match &input {
            Input::Frame(ToAuthority::Hello(hello)) => hello.state,
            Input::Frame(_) | Input::HeadMoved { .. } | Input::Removal(_) | Input::Pulse(_) | Input::Timeout => None,
        };
        self.claims.extend(claimed);
        self.session.handle(input, self.now, &self.authority);
        let mut effects = 0;
        let mut parts_due = 0;
        let mut to_agent = Vec::new();
        while let Some(effect) = self.session.poll_effect() {
            assert!(!was_closed, "nothing is done after the end: {effect:?}");
            effects += 1;
            match effect {
                Effect::Send(_, frame) => {
                    match &*frame {
                        ToAgent::Update(update) => {
                            assert!(self.is_greeted, "nothing is sent before the greeting");
                            assert_eq!(update.head, self.authority.head.head, "only the newest commit is sent");
                            parts_due = update.parts;
                            self.claims.push(claim_of(self.authority.head));
                        }
                        ToAgent::Part(_) => {
                            effects -= 1;
                            parts_due -= 1;
                        }
                        ToAgent::Statements(_) | ToAgent::Pulse(_) | ToAgent::Removal(_) => {}
                        ToAgent::Stored(_) => assert!(!self.is_greeted, "a frame of the other machine"),
                    }
                    to_agent.push(*frame);
                }
                Effect::Receipt(receipt, signed) => self.take_receipt(&receipt, &signed),
                Effect::Greeted(hello) => {
                    assert!(!self.is_greeted && Some(hello.agent) == agent(), "one greeting, by the agent");
                    self.is_greeted = true;
                }
                Effect::Heard(_) => assert!(self.is_greeted),
                Effect::Alarm(alarm) => assert!(!alarm.text.is_empty()),
                Effect::Close(_) => self.is_closed = true,
            }
        }
        assert!(effects <= EFFECTS_MAX, "one input has {effects} effects");
        assert_eq!(parts_due, 0, "an update is sent whole");
        assert!(self.session.have().is_none_or(|have| self.claims.contains(&have)), "what nobody claimed is not had");
        check_update(&to_agent);
        to_agent.into_iter().for_each(|frame| self.tell_agent(AgentInput::Frame(frame)));
    }

    fn take_receipt(&mut self, receipt: &Receipt, signed: &Signed<Receipt>) {
        let verified = signed.verify(&[key(9).public()].into(), 1);
        let is_signed = verified.is_ok_and(|verified| *verified == *receipt);
        assert!(is_signed || receipt.stage == Stage::Applied, "what is durable is signed by the agent");
        assert_eq!(Some(&receipt.agent), agent().as_ref(), "a receipt is about its own agent");
        if receipt.about == About::Commit && receipt.stage == Stage::Durable {
            self.confirmed = self.confirmed.max(receipt.position);
        }
    }
}

fn claim_of(made: &Made) -> StateClaim {
    StateClaim { position: made.commit.position, digest: made.state.digest() }
}

/// An update of which the base is known leads to the digest that is signed for it.
fn check_update(frames: &[ToAgent]) {
    let mut whole = Change::default();
    let mut begun = None;
    for frame in frames {
        match frame {
            ToAgent::Update(update) => begun = Some(update),
            ToAgent::Part(part) => {
                whole.removed.extend(part.removed.iter().cloned());
                whole.put.extend(part.put.iter().cloned());
            }
            ToAgent::Statements(_) | ToAgent::Pulse(_) | ToAgent::Removal(_) | ToAgent::Stored(_) => {}
        }
    }
    if let Some(update) = begun
        && update.base == Base::Nothing
    {
        let state = State::from_facts(whole.put);
        assert!(state.is_ok_and(|state| state.digest() == update.head.leaf.digest), "a snapshot is the whole state");
    }
}

/// A greeting with any claim.
fn claim(choices: &mut Choices<'_>) -> Option<ToAuthority> {
    let made = choices.pick(&HISTORY.commits)?;
    let mut state = claim_of(made);
    match choices.below(6) {
        0 => state.digest = Hash([choices.byte(); 32]),
        1 => state.position.seq = u64::MAX - u64::from(choices.byte()),
        2 => state.position.epoch = u32::MAX,
        _ => {}
    }
    let floor = if choices.below(2) == 0 { state.position } else { choices.pick(&HISTORY.commits)?.commit.position };
    let protocol = if choices.below(8) == 0 { 2 } else { PROTOCOL_VERSION };
    let named = if choices.below(8) == 0 { "agent-b".parse().ok()? } else { agent()? };
    let statement = if choices.below(8) == 0 { u32::MAX } else { u32::from(choices.byte() % 5) };
    let software = "x".repeat(usize::from(choices.byte()) * 2);
    let wall = START.plus_ms(i64::from(choices.byte()) * 10_000);
    let state = Some(state).filter(|_| choices.below(4) != 0);
    let commit = state.map(|_| made.hash);
    Some(ToAuthority::Hello(Hello { protocol, agent: named, software, statement, floor, state, commit, wall }))
}

/// A word that an agent with a key of its own can say about anything.
fn invented(choices: &mut Choices<'_>) -> Option<ToAuthority> {
    let made = choices.pick(&HISTORY.commits)?;
    let position = made.commit.position;
    Some(match choices.below(8) {
        0 => ToAuthority::Refusal(Refusal::NeedSnapshot(String::new())),
        1 => ToAuthority::Refusal(Refusal::Backward { offered: position, floor: position }),
        2 => ToAuthority::Refusal(Refusal::Fork { position, held: made.hash, offered: made.hash }),
        3 => ToAuthority::Refusal(Refusal::OutOfBounds("x".repeat(usize::from(choices.byte())))),
        4 => ToAuthority::Heard(Heard { pulse_at: START, fresh_at: UnixMs(i64::MAX), wall: UnixMs(i64::MIN) }),
        _ => {
            let about = *choices.pick(&[About::Commit, About::Removal])?;
            let stage = *choices.pick(&[Stage::Applied, Stage::Durable])?;
            let signer = *choices.pick(&[9, 9, 9, 10, 8])?;
            let named = if choices.below(8) == 0 { "agent-b".parse().ok()? } else { agent()? };
            let hash = if choices.below(4) == 0 { Hash([choices.byte(); 32]) } else { made.hash };
            let campus = made.commit.campus.clone();
            let receipt = Receipt { campus, agent: named, about, position, hash, stage, at: START };
            ToAuthority::Receipt(key(signer).sign_value(&receipt).ok()?)
        }
    })
}
