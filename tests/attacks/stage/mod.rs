//! The stage of the attacks: an honest campus, the agent that is attacked, and what must hold after each of them.
//!
//! An attack is a few lines in a folder of its own. Whatever it sends, here it is seen that nothing of it is decided by
//! or written, that a restart finds everything as it was, and that the honest authority can go on.

pub mod campus;
mod contents;
pub mod frames;
pub mod processes;
pub mod victim;
pub mod wire;

use campus::{Campus, north};
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{Refusal, StateClaim, ToAgent};
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::sync::{Effect, Input, Session};
use victim::Victim;

/// Cards that open the north's main entrance.
const CARDS: [&str; 4] = ["ADA", "BOB", "CEM", "DANA"];

/// See the module.
pub struct Stage {
    pub campus: Campus,
    pub victim: Victim,
    spare_cards: u32,
}

impl Stage {
    /// A campus whose agent in the north is exact.
    pub fn new() -> Self {
        let campus = Campus::new("tiny");
        let victim = Victim::new(&campus, &north());
        let mut stage = Self { campus, victim, spare_cards: 15 };
        assert!(stage.meet().is_empty());
        stage
    }

    /// The agent meets its honest authority until both have nothing more to say; alarms that are raised meanwhile.
    pub fn meet(&mut self) -> Vec<AlarmKind> {
        let Self { campus, victim, .. } = self;
        victim.now = campus.now;
        let mut session = Session::new(victim.agent.clone(), victim.key(), victim.confirmed);
        let mut alarms = Vec::new();
        victim.connect();
        loop {
            let mut is_idle = true;
            for frame in victim.take_sent() {
                is_idle = false;
                session.handle(Input::Frame(frame), campus.now, campus);
            }
            while let Some(effect) = session.poll_effect() {
                match effect {
                    Effect::Send(_, frame) => victim.hear(&frame),
                    Effect::Alarm(alarm) => alarms.push(alarm.kind),
                    Effect::Receipt(receipt, _) => victim.confirmed = victim.confirmed.max(receipt.position),
                    Effect::Heard(_) | Effect::Greeted(_) | Effect::Close(_) => {}
                }
            }
            if is_idle {
                return alarms;
            }
        }
    }

    /// A card is suspended, and the agent learns of it.
    pub fn suspend(&mut self, card: &str) {
        self.campus.suspend(card);
        self.meet();
    }

    /// Frames that bring the agent to the newest commit, as anybody on the way can keep them.
    pub fn update(&self) -> Vec<ToAgent> {
        self.campus.update(&north(), self.victim.claim())
    }

    /// The same, from nothing.
    pub fn snapshot(&self) -> Vec<ToAgent> {
        self.campus.update(&north(), None)
    }

    /// An attack that the agent refuses, each time for this reason; nothing comes of it.
    #[track_caller]
    pub fn refused(&mut self, frames: impl IntoIterator<Item = ToAgent>, expected: impl Fn(&Refusal) -> bool) {
        let refusals = self.attack(frames);
        assert!(!refusals.is_empty(), "it was not refused");
        assert!(refusals.iter().all(expected), "{refusals:?}");
    }

    /// An attack of which the agent takes no notice; nothing comes of it.
    #[track_caller]
    pub fn ignored(&mut self, frames: impl IntoIterator<Item = ToAgent>) {
        let refusals = self.attack(frames);
        assert!(refusals.is_empty(), "{refusals:?}");
    }

    /// Whatever is sent: rejected data does not reach memory, doors or disk, a restart finds what was there, and an honest
    /// authority can go on.
    #[track_caller]
    fn attack(&mut self, frames: impl IntoIterator<Item = ToAgent>) -> Vec<Refusal> {
        let before = self.seen();
        self.victim.connect();
        self.victim.take_sent();
        let writes = self.victim.writes;
        let mut refusals = Vec::new();
        for frame in frames {
            self.victim.hear(&frame);
            assert_eq!(self.seen(), before, "it changed what is decided");
            assert_eq!(self.victim.writes, writes, "it reached the disk");
            refusals.extend(self.victim.take_refusals());
        }
        self.victim.restart(&self.campus);
        assert_eq!(self.seen(), before, "it is different after a restart");
        self.goes_on();
        refusals
    }

    /// What an attack must not change.
    fn seen(&self) -> (Option<StateClaim>, Vec<Reason>, String) {
        let reasons = CARDS.map(|card| self.tap(card)).into();
        (self.victim.claim(), reasons, format!("{:?}", self.victim.disk.image))
    }

    /// What the north's main entrance answers.
    pub fn tap(&self, card: &str) -> Reason {
        self.victim.tap("north-main", card)
    }

    /// The honest authority makes another commit, and the agent takes it.
    #[track_caller]
    pub fn goes_on(&mut self) {
        assert!(self.spare_cards > 0, "no spare card is left");
        let card = format!("S{:02}", self.spare_cards);
        self.spare_cards -= 1;
        self.campus.suspend(&card);
        self.meet();
        self.is_exact();
        assert_eq!(self.tap(&card), Reason::Suspended);
    }

    /// The agent is where its authority is.
    #[track_caller]
    pub fn is_exact(&self) {
        let leaf = self.campus.head(&north()).leaf;
        let expected = StateClaim { position: self.campus.position(), digest: leaf.digest };
        assert_eq!(self.victim.claim(), Some(expected), "{:?}", self.victim.alarms);
    }
}
