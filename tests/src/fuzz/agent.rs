//! The agent's machines: sequences of honest, altered and raw frames, of time, disk, connection and power.
//!
//! The first byte says which machine. The story behind it is told by [`Choices`], so that it gets behind signatures that
//! no fuzzer can guess: most frames are honest ones in a dishonest order, some are altered, a few are raw bytes.

use crate::fuzz::choices::Choices;
use crate::fuzz::history::{AGENT, CARDS, DOORS, HISTORY, Made, START, card, door, key};
use crate::fuzz::model::{Disk, altered, denies};
use crate::fuzz::recorder;
use doorward_protocol::agent::stored::Write;
use doorward_protocol::agent::sync::{Effect, Identity, Input, Sync};
use doorward_protocol::codec;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, View, decide_now};
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::{Refusal, ToAgent, ToAuthority};

use doorward_protocol::id::{CredentialKey, DoorId};
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use std::collections::VecDeque;
use std::sync::Arc;

/// Effects of one input that are not parts of anything: more would let one frame make many.
const EFFECTS_MAX: usize = 8;

/// Looks at one input.
pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    match choices.byte() % 2 {
        0 => {
            let Some(mut world) = World::new() else { return };
            while !choices.is_over() && world.step(&mut choices).is_some() {}
        }
        _ => recorder::run(choices),
    }
}

/// One agent, its disk, and what is known of it.
struct World {
    agent: Sync,
    disk: Disk,
    /// An older copy of the disk.
    copy: Disk,
    /// Writes that are not durable yet.
    pending: VecDeque<(u64, Vec<Write>)>,
    view: View,
    now: UnixMs,
    is_connected: bool,
    /// Removals that the agent said are in force, and no commit since contains.
    in_force: Vec<Removal>,
    /// The highest position that the agent had since its disk was last tampered with.
    floor: Position,
    /// The newest honest time that it was shown.
    newest: UnixMs,
    /// Whether somebody altered its disk: then it may lack what it had.
    is_tampered: bool,
}

/// Opens the machine on what a disk holds; `None` when its statements do not prove themselves.
pub fn open(disk: &Disk) -> Option<Sync> {
    let pinned_root = HISTORY.root.as_ref()?.hash();
    let identity = Identity { agent: AGENT.parse().ok()?, key: key(9), pinned_root, software: "fuzz".into() };
    Sync::open(identity, disk.read()).ok()
}

impl World {
    fn new() -> Option<Self> {
        let disk = Disk::enrolled();
        let mut world = Self {
            agent: open(&disk)?,
            copy: disk.clone(),
            disk,
            pending: VecDeque::new(),
            view: empty_view(),
            now: START.plus_ms(60_000),
            is_connected: false,
            in_force: Vec::new(),
            floor: Position::default(),
            newest: UnixMs(i64::MIN),
            is_tampered: false,
        };
        world.settle(false);
        world.is_connected = true;
        world.handle(Input::Connected);
        Some(world)
    }

    /// One turn of the story; `None` at its end.
    fn step(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        match choices.byte() % 20 {
            0..=4 => self.update(choices)?,
            5 => {
                let made = choices.pick(&HISTORY.commits)?;
                let offset_ms = [0, -1_000, 200_000, 400_000, -400_000, 3_600_000];
                let at = self.now.plus_ms(*choices.pick(&offset_ms)?);
                self.frame(ToAgent::Pulse(HISTORY.pulse(made, at)?), choices);
            }
            6 | 7 => {
                let (signed, _) = choices.pick(&HISTORY.removals)?;
                self.frame(ToAgent::Removal(signed.clone()), choices);
            }
            8 => {
                let (from, count) = (choices.below(4), choices.below(4));
                let statements = HISTORY.statements.iter().skip(from).take(count).cloned().collect();
                self.frame(ToAgent::Statements(statements), choices);
            }
            9 => {
                if let Ok(frame) = codec::decode::<ToAgent>(choices.some()) {
                    self.handle(Input::Frame(frame));
                }
            }
            10 => {
                let steps_ms = [1_000, 60_000, 600_000, 3_600_000, 86_400_000, -1_000, -600_000, 31_536_000_000];
                self.now = self.now.plus_ms(*choices.pick(&steps_ms)?);
            }
            11 | 12 => self.persist(choices.below(4)),
            13 => {
                self.is_connected = !self.is_connected;
                self.handle(if self.is_connected { Input::Connected } else { Input::Disconnected });
            }
            14 => {
                // A word about nothing that waits.
                let ticket = u64::from(choices.byte());
                if self.pending.iter().all(|(pending, _)| *pending != ticket) {
                    self.handle(Input::Persisted(ticket));
                }
            }
            15 => self.handle(Input::ClockStepped),
            16 => self.copy = self.disk.clone(),
            17 | 18 => return self.restart(choices),
            _ => {
                if choices.below(4) == 0 {
                    self.disk = self.copy.clone();
                    self.pending.clear();
                    self.floor = Position::default();
                } else {
                    self.disk.damage(choices);
                    self.is_tampered = true;
                }
                return self.restart(choices);
            }
        }
        Some(())
    }

    /// Frames of an update: all of them in order, or some of them in some order, one of them maybe altered.
    fn update(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        let to = choices.pick(&HISTORY.commits)?;
        let from = match choices.below(4) {
            0 => None,
            1 => choices.pick(&HISTORY.commits),
            _ => self.agent.position().and_then(|position| HISTORY.having(position, self.agent.digest())),
        };
        let frames = HISTORY.update(from, to, 1 + choices.below(3));
        match choices.below(4) {
            0 => {
                for _ in 0..=choices.below(4) {
                    let frame = choices.pick(&frames)?.clone();
                    self.frame(frame, choices);
                }
            }
            1 => {
                for frame in frames {
                    self.frame(frame, choices);
                }
            }
            2 if choices.below(4) == 0 => {
                let mut frames = frames;
                if let Some(ToAgent::Update(update)) = frames.first_mut() {
                    update.head = to.foreign.clone();
                }
                frames.into_iter().for_each(|frame| self.handle(Input::Frame(frame)));
            }
            _ => frames.into_iter().for_each(|frame| self.handle(Input::Frame(frame))),
        }
        Some(())
    }

    /// Hands over a frame, as it is or altered.
    fn frame(&mut self, frame: ToAgent, choices: &mut Choices<'_>) {
        let frame = if choices.below(3) == 0 { altered(&frame, choices) } else { Some(frame) };
        if let Some(frame) = frame {
            self.handle(Input::Frame(frame));
        }
    }

    /// The disk takes the oldest writes, and says so.
    fn persist(&mut self, count: usize) {
        for _ in 0..=count {
            let Some((ticket, writes)) = self.pending.pop_front() else { return };
            self.disk.write(writes);
            self.handle(Input::Persisted(ticket));
        }
    }

    /// A power cut: of what was not durable, the oldest may be durable all the same.
    fn restart(&mut self, choices: &mut Choices<'_>) -> Option<()> {
        for _ in 0..choices.below(3) {
            if let Some((_, writes)) = self.pending.pop_front() {
                self.disk.write(writes);
            }
        }
        self.pending.clear();
        self.agent = open(&self.disk)?;
        self.is_connected = false;
        self.view = empty_view();
        if self.is_tampered {
            self.in_force.clear();
            self.floor = self.agent.position().unwrap_or_default();
        } else {
            self.in_force = self.disk.removals();
            self.floor = self.disk.floor.position;
            let on_disk = self.disk.commit().map(|made| made.commit.position);
            assert_eq!(self.agent.position(), on_disk, "a sound disk gives back the state that is on it");
        }
        self.settle(false);
        Some(())
    }

    fn handle(&mut self, input: Input) {
        if let Input::Frame(frame) = &input {
            self.newest = self.newest.max(time_of(frame));
            // Frames come over a connection.
            if !core::mem::replace(&mut self.is_connected, true) {
                self.handle(Input::Connected);
            }
        }
        let before = (self.agent.position(), self.agent.digest(), self.view.clone());
        self.agent.handle(input, self.now);
        let refused = self.settle(true);
        let Some(refusal) = refused else { return };
        let (position, digest, view) = before;
        assert_eq!((self.agent.position(), self.agent.digest()), (position, digest), "a refusal changes nothing");
        let same = same(&view.cache, &self.view.cache) && Arc::ptr_eq(&view.overlay, &self.view.overlay);
        assert!(same && view.fresh_at == self.view.fresh_at, "a refusal changes no view");
        let clock = matches!(refusal, Refusal::ClockDisagrees { .. });
        assert!(clock || view.clock_trusted == self.view.clock_trusted, "a refusal changes no clock");
        assert!(!clock || !self.view.clock_trusted, "a clock that disagrees is not trusted");
    }

    /// Does what the machine wants and looks at it; says what it refused.
    fn settle(&mut self, is_running: bool) -> Option<Refusal> {
        let mut refused = None;
        let mut effects = 0;
        let mut writes_count = 0;
        while let Some(effect) = self.agent.poll_effect() {
            effects += 1;
            match effect {
                Effect::Send(frame) => {
                    assert!(self.is_connected, "nothing is said while nobody listens");
                    match *frame {
                        ToAuthority::Refusal(refusal @ Refusal::StoreDamaged(_)) => {
                            assert!(self.is_tampered, "a sound disk is not damaged: {refusal:?}");
                        }
                        ToAuthority::Refusal(refusal) => refused = Some(refusal),
                        ToAuthority::Receipt(signed) => self.take_receipt(&signed),
                        ToAuthority::Hello(hello) => {
                            assert!(hello.floor >= self.floor || self.is_tampered, "the floor never falls");
                        }
                        ToAuthority::Heard(heard) => assert!(heard.fresh_at <= self.newest || self.is_tampered),
                        other @ (ToAuthority::ChainReport(_) | ToAuthority::Records(_)) => {
                            assert!(codec::encode(&other).is_err(), "a frame of the other machine: {other:?}");
                        }
                    }
                }
                Effect::Persist { ticket, writes } => {
                    writes_count += writes.len();
                    self.pending.push_back((ticket, writes));
                }
                Effect::View(view) => self.view = view,
                Effect::Fork(fork) => {
                    let proven = fork.to_file().ok().zip(HISTORY.root.as_ref());
                    let proven =
                        proven.is_some_and(|(file, root)| doorward_protocol::fork::verify(&file, root).is_ok());
                    assert!(proven, "a fork that is reported is proven");
                }
                Effect::Alarm(text) => {
                    assert!(is_running || self.is_tampered, "a sound disk raises no alarm: {text}");
                }
            }
        }
        assert!(effects <= EFFECTS_MAX || !is_running, "one input has {effects} effects");
        assert!(refused.is_none() || writes_count == 0, "what is refused does not reach the disk");
        self.check();
        refused
    }

    /// A receipt is about something that was signed, and true.
    fn take_receipt(&mut self, signed: &Signed<Receipt>) {
        let Ok(receipt) = signed.unverified() else { return };
        let is_signed = signed.verify(&[key(9).public()].into(), 1).is_ok();
        assert!(is_signed || receipt.stage == Stage::Applied, "what is durable is signed by the agent");
        match receipt.about {
            About::Commit => {
                let made = HISTORY.of_hash(receipt.hash);
                assert!(made.is_some_and(|made| made.commit.position == receipt.position), "of an honest commit");
                if receipt.stage == Stage::Applied {
                    self.in_force.retain(|removal| removal.position > receipt.position);
                } else if !self.is_tampered {
                    let reopened = open(&self.disk).and_then(|agent| agent.position());
                    assert!(reopened >= Some(receipt.position), "what is said to be durable is on the disk");
                }
            }
            About::Removal => {
                let removal = HISTORY.removal_of_hash(receipt.hash).cloned();
                assert!(removal.is_some(), "of an honest removal");
                let Some(removal) = removal else { return };
                let contained = self
                    .made()
                    .is_some_and(|made| made.commit.position >= removal.position && made.commit.at >= removal.at);
                if contained {
                    return;
                }
                if receipt.stage == Stage::Applied {
                    self.in_force.push(removal);
                } else if !self.is_tampered {
                    assert!(self.disk.removals().contains(&removal), "what is said to be durable is on the disk");
                }
            }
        }
    }

    fn made(&self) -> Option<&'static Made> {
        HISTORY.having(self.agent.position()?, self.agent.digest())
    }

    /// What holds after every input.
    fn check(&mut self) {
        let position = self.agent.position();
        assert!(position.is_none() || self.made().is_some(), "the state in force is one that was signed");
        assert_eq!(position.is_some(), self.view.cache.is_some(), "what is decided by is the state in force");
        assert!(position.is_none_or(|position| position >= self.floor), "the position never falls");
        self.floor = self.floor.max(position.unwrap_or_default());
        if !self.is_tampered {
            let times = [self.view.fresh_at, self.view.floor_at];
            assert!(times.iter().all(|at| *at <= self.newest), "no time is believed that nobody signed");
        }
        check_decisions(&self.view, self.made(), self.now, |door, card, reason, expected| {
            assert!(!self.in_force.is_empty() || self.is_tampered || reason == expected, "{reason}, {expected}");
            let is_denied = self.in_force.iter().any(|r| denies(r, card, door, reason == Reason::Unlocked));
            assert!(!reason.is_grant() || !is_denied, "{reason} for what a removal denies");
        });
    }
}

/// Holds every decision of a view against what the campus says at that commit: nothing more is granted.
pub fn check_decisions(
    view: &View,
    made: Option<&Made>,
    now: UnixMs,
    check: impl Fn(&DoorId, CredentialKey, Reason, Reason),
) {
    let truth = View { cache: made.and_then(|made| made.cache.clone()), overlay: Arc::default(), ..view.clone() };
    for door in DOORS.iter().filter_map(|name| door(name)) {
        for card in (0..=CARDS).map(card) {
            for factors in [Factors::NONE, Factors::PIN] {
                let (reason, _) = decide_now(view, &door, card, factors, now);
                let (expected, _) = decide_now(&truth, &door, card, factors, now);
                assert!(!reason.is_grant() || expected.is_grant(), "{reason} where the campus says {expected}");
                check(&door, card, reason, expected);
            }
        }
    }
}

fn same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// What is decided by before there is a state.
pub fn empty_view() -> View {
    let never = UnixMs(i64::MIN);
    View { cache: None, overlay: Arc::default(), fresh_at: never, floor_at: never, clock_trusted: true }
}

/// The time that a frame was signed at, if it was signed at all.
fn time_of(frame: &ToAgent) -> UnixMs {
    let at = match frame {
        ToAgent::Pulse(pulse) => pulse.unverified().map(|pulse| pulse.at),
        ToAgent::Removal(removal) => removal.unverified().map(|removal| removal.at),
        ToAgent::Update(update) => update.head.commit.unverified().map(|commit| commit.at),
        ToAgent::Statements(_) | ToAgent::Part(_) | ToAgent::Stored(_) => return UnixMs(i64::MIN),
    };
    at.unwrap_or(UnixMs(i64::MIN))
}
