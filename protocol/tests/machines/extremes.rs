//! Values at the ends of their ranges, and what two histories or a damaged disk bring: nothing of it may open a door.

use crate::sync::{World, card, id};
use doorward_protocol::agent::recorder::{Effect as Recording, Input as Tapping, Recorder, Tap};
use doorward_protocol::commit::{Position, Pulse};
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::{Hello, Lane, PROTOCOL_VERSION, Refusal, StateClaim, ToAgent, ToAuthority};
use doorward_protocol::id::{AgentId, CredentialKey, Hash, Incarnation};
use doorward_protocol::limits::TEXT_BYTES_MAX;
use doorward_protocol::record::ChainHead;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::sync::{Effect, Input, Outgoing, Session, Source};
use doorward_protocol::sign::Signed;
use doorward_protocol::state::Change;
use doorward_protocol::time::{UnixMs, Zone};
use doorward_protocol::trust::Statement;

fn hello(wall: UnixMs) -> ToAuthority {
    let (agent, software) = (id("agent"), "test".into());
    let floor = Position::default();
    let (state, commit) = (None, None);
    ToAuthority::Hello(Hello { protocol: PROTOCOL_VERSION, agent, software, statement: 1, floor, state, commit, wall })
}

fn effects(session: &mut Session) -> Vec<Effect> {
    std::iter::from_fn(|| session.poll_effect()).collect()
}

#[test]
fn a_clock_at_either_end_of_time_is_an_alarm_and_no_more() {
    let world = World::connected();
    for wall in [UnixMs(i64::MIN), UnixMs(i64::MAX)] {
        let mut session = Session::new(id("agent"), world.authority.agent_public(), Position::default());
        session.handle(Input::Frame(hello(wall)), world.now, &world.authority);
        let kinds: Vec<_> = effects(&mut session)
            .into_iter()
            .filter_map(|effect| if let Effect::Alarm(alarm) = effect { Some(alarm.kind) } else { None })
            .collect();
        assert_eq!(kinds, [AlarmKind::Clock]);
    }
}

#[test]
fn no_offset_of_a_zone_is_taken_that_is_a_day_or_more() {
    for offset in [86_400, -86_400, i32::MAX, i32::MIN] {
        assert!(!Zone { first_offset_s: offset, transitions: vec![] }.is_well_formed(), "{offset}");
        assert!(!Zone { first_offset_s: 0, transitions: vec![(5, offset)] }.is_well_formed(), "{offset}");
    }
    assert!(Zone { first_offset_s: -86_399, transitions: vec![(5, 86_399)] }.is_well_formed());
}

#[test]
fn what_an_agent_says_in_a_refusal_is_cut_to_its_bound() {
    let world = World::connected();
    let mut session = Session::new(id("agent"), world.authority.agent_public(), Position::default());
    session.handle(Input::Frame(hello(world.now)), world.now, &world.authority);
    let long = "ä".repeat(1 << 18);
    let refusal = Refusal::StoreDamaged(long);
    session.handle(Input::Frame(ToAuthority::Refusal(refusal)), world.now, &world.authority);
    let alarms = effects(&mut session).into_iter().filter_map(|effect| match effect {
        Effect::Alarm(alarm) => Some(alarm.text),
        Effect::Send(..) | Effect::Receipt(..) | Effect::Heard(_) | Effect::Greeted(_) | Effect::Close(_) => None,
    });
    let texts: Vec<_> = alarms.collect();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("StoreDamaged") && texts[0].len() <= 4 * TEXT_BYTES_MAX, "{} bytes", texts[0].len());
}

/// An authority whose updates come in many parts.
struct InParts(World, usize);

impl Source for InParts {
    fn head(&self) -> (Position, Hash) {
        self.0.authority.head()
    }
    fn has_signed(&self, position: Position, commit: Hash) -> bool {
        self.0.authority.has_signed(position, commit)
    }
    fn pulse(&self) -> Option<Signed<Pulse>> {
        None
    }
    fn statements_after(&self, _: u32) -> Vec<Signed<Statement>> {
        vec![]
    }
    fn digest(&self, agent: &AgentId) -> Option<Hash> {
        self.0.authority.digest(agent)
    }
    fn update(&self, agent: &AgentId, have: Option<StateClaim>) -> Option<Outgoing> {
        let outgoing = self.0.authority.update(agent, have)?;
        let parts = vec![Change::default(); self.1];
        Some(Outgoing { parts, ..outgoing })
    }
}

#[test]
fn a_large_update_over_a_slow_line_has_the_time_that_its_parts_take() {
    let patience_ms = |parts: usize| {
        let source = InParts(World::connected(), parts);
        let now = source.0.now;
        let mut session = Session::new(id("agent"), source.0.authority.agent_public(), Position::default());
        session.handle(Input::Frame(hello(now)), now, &source);
        let sent = effects(&mut session);
        let is_part = |effect: &&Effect| {
            if let Effect::Send(Lane::Control, frame) = effect { matches!(**frame, ToAgent::Part(_)) } else { false }
        };
        assert_eq!(sent.iter().filter(is_part).count(), parts);
        session.poll_timeout().unwrap().since_ms(now)
    };
    // 128 KiB a part: a line of 64 kbit/s that loses every fifth packet still gets through.
    assert!(patience_ms(27) >= 27 * 30_000, "{} ms for 27 parts", patience_ms(27));
    assert!(patience_ms(1) <= 120_000, "an agent that does not answer is given up in time");
}

#[test]
fn orders_of_two_histories_with_one_name_are_both_obeyed_also_after_a_restart() {
    let mut world = World::connected();
    let position = Position { epoch: 0, seq: 9 };
    let order = |world: &World, n: u8| {
        let items = vec![Item::Suspend(card(n))];
        world.authority.sign(&Removal { campus: id("campus"), position, part: 0, at: world.now, items })
    };
    let (first, second) = (order(&world, 1), order(&world, 2));
    world.inject(ToAgent::Removal(first.clone()));
    assert_eq!([world.tap(1), world.tap(2)], [Reason::Suspended, Reason::Granted]);
    world.inject(ToAgent::Removal(second));
    assert_eq!([world.tap(1), world.tap(2)], [Reason::Suspended, Reason::Suspended]);
    world.inject(ToAgent::Removal(first));
    world.restart_agent();
    assert_eq!([world.tap(1), world.tap(2)], [Reason::Suspended, Reason::Suspended]);
}

const START: UnixMs = UnixMs(1_700_000_000_000);

fn begin() -> ChainHead {
    ChainHead::begin(&id("agent"), Incarnation([1; 16]))
}

fn tapped(ticket: u64) -> Tapping {
    Tapping::Tap(Tap {
        ticket,
        at: START,
        door: id("door"),
        credential: CredentialKey([4; 16]),
        factors: Factors::NONE,
        reason: Reason::Granted,
        position: Position::default(),
    })
}

fn all_effects(recorder: &mut Recorder) -> Vec<Recording> {
    std::iter::from_fn(|| recorder.poll_effect()).collect()
}

#[test]
fn records_that_cannot_be_read_back_are_not_left_behind_when_the_chain_begins_anew() {
    let mut recorder = Recorder::open(begin(), begin(), None);
    recorder.handle(Tapping::Connected, START);
    recorder.handle(tapped(1), START);
    recorder.handle(Tapping::Appended, START);
    let sent = all_effects(&mut recorder);
    let records = sent.iter().find_map(|effect| {
        if let Recording::Send(ToAuthority::Records(batch)) = effect { Some(batch.records.clone()) } else { None }
    });
    // The authority holds another first record.
    recorder.handle(Tapping::Stored(begin()), START);
    assert!(all_effects(&mut recorder).iter().any(|effect| matches!(effect, Recording::BeginAnew { after: 0, .. })));
    let anew = ChainHead::begin(&id("agent"), Incarnation([2; 16]));
    recorder.handle(Tapping::Anew { begin: anew, records: vec![] }, START);
    let effects = all_effects(&mut recorder);
    assert!(effects.iter().any(|effect| matches!(effect, Recording::Alarm(_))), "{effects:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, Recording::Append { .. })), "{effects:?}");
    assert_eq!(recorder.head().incarnation, begin().incarnation);
    // With the next report it is tried again, and the disk can be read by then.
    recorder.handle(Tapping::Timeout, recorder.poll_timeout().unwrap());
    recorder.handle(Tapping::Stored(begin()), START);
    assert!(all_effects(&mut recorder).iter().any(|effect| matches!(effect, Recording::BeginAnew { after: 0, .. })));
    recorder.handle(Tapping::Anew { begin: anew, records: records.unwrap() }, START);
    let moved = all_effects(&mut recorder).into_iter().find_map(|effect| {
        if let Recording::Append { records, begin, .. } = effect { Some((records.len(), begin)) } else { None }
    });
    assert_eq!(moved, Some((1, Some(anew))));
}

#[test]
fn a_tap_that_gets_no_number_opens_nothing() {
    let last = ChainHead { seq: u64::MAX - 1, ..begin() };
    let mut recorder = Recorder::open(last, last, None);
    recorder.handle(tapped(1), START);
    recorder.handle(tapped(2), START);
    recorder.handle(tapped(3), START);
    recorder.handle(Tapping::Appended, START);
    recorder.handle(Tapping::Appended, START);
    let effects = all_effects(&mut recorder);
    let answers: Vec<_> = effects
        .iter()
        .filter_map(
            |effect| if let Recording::Answer { ticket, reason } = effect { Some((*ticket, *reason)) } else { None },
        )
        .collect();
    assert_eq!(answers, [(1, Reason::Granted), (2, Reason::NotRecorded), (3, Reason::NotRecorded)]);
}
