//! Access records: each granted tap is recorded before it is answered, and comes home exactly once.

use doorward_protocol::agent::recorder::{Effect, Input, Recorder, Tap};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::{ToAgent, ToAuthority};
use doorward_protocol::id::{AgentId, CredentialKey, Hash, Incarnation};
use doorward_protocol::limits::RECORDS_BATCH_MAX;
use doorward_protocol::record::{Batch, ChainHead, Record};
use doorward_protocol::session::AlarmKind;
use doorward_protocol::session::records as session;
use doorward_protocol::session::records::Records;
use doorward_protocol::time::UnixMs;

const NOW: UnixMs = UnixMs(1_700_000_000_000);

fn agent() -> AgentId {
    AgentId::new("agent").unwrap()
}

fn begin() -> ChainHead {
    ChainHead::begin(&agent(), Incarnation([1; 16]))
}

fn tap(ticket: u64) -> Input {
    Input::Tap(Tap {
        ticket,
        at: NOW.plus_ms(ticket as i64),
        door: "door".parse().unwrap(),
        credential: CredentialKey([4; 16]),
        factors: Factors::NONE,
        reason: Reason::Granted,
        position: Position::default(),
    })
}

/// Both ends with their disks; a frame is lost when the connection is cut.
struct World {
    recorder: Recorder,
    disk: Vec<Record>,
    disk_head: ChainHead,
    freed: ChainHead,
    disk_full: bool,
    answers: Vec<(u64, Reason)>,
    agent_alarms: Vec<String>,
    session: Option<Records>,
    log: Vec<(Incarnation, Record)>,
    log_heads: Vec<ChainHead>,
    lose_acknowledgements: bool,
    alarms: Vec<AlarmKind>,
    closed: bool,
}

impl World {
    fn new() -> Self {
        Self {
            recorder: Recorder::open(begin(), begin(), None),
            disk: vec![],
            disk_head: begin(),
            freed: begin(),
            disk_full: false,
            answers: vec![],
            agent_alarms: vec![],
            session: None,
            log: vec![],
            log_heads: vec![],
            lose_acknowledgements: false,
            alarms: vec![],
            closed: false,
        }
    }

    fn feed(&mut self, input: Input) {
        self.recorder.handle(input, NOW);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(effect) = self.recorder.poll_effect() {
            match effect {
                Effect::Append { .. } if self.disk_full => self.recorder.handle(Input::AppendFailed, NOW),
                Effect::Append { records, head, begin } => {
                    if let Some(begin) = begin {
                        self.freed = begin;
                        self.disk.clear();
                    }
                    self.disk.extend(records);
                    self.disk_head = head;
                    self.recorder.handle(Input::Appended, NOW);
                }
                Effect::Answer { ticket, reason } => {
                    if reason.is_grant() {
                        assert!(!self.disk.is_empty(), "a grant was answered before its record was durable");
                    }
                    self.answers.push((ticket, reason));
                }
                Effect::Send(frame) => self.deliver(frame),
                Effect::Load { after, count } => {
                    let records = self.disk.iter().filter(|record| record.seq > after).take(count).cloned().collect();
                    self.recorder.handle(Input::Loaded(records), NOW);
                }
                Effect::BeginAnew { after, incarnation } => {
                    let begin = ChainHead::begin(&agent(), incarnation);
                    let records = self.disk.iter().filter(|record| record.seq > after).cloned().collect();
                    self.recorder.handle(Input::Anew { begin, records }, NOW);
                }
                Effect::Free(head) => {
                    self.freed = head;
                    self.disk.retain(|record| record.seq > head.seq);
                }
                Effect::Alarm(text) => self.agent_alarms.push(text),
            }
        }
    }

    fn deliver(&mut self, frame: ToAuthority) {
        let Some(session) = &mut self.session else { return };
        session.handle(session::Input::Frame(frame));
        while let Some(effect) = session.poll_effect() {
            match effect {
                session::Effect::Store { records, head } => {
                    let records = records.into_iter().map(|record| (head.incarnation, record));
                    let fresh: Vec<_> = records.filter(|record| !self.log.contains(record)).collect();
                    self.log.extend(fresh);
                    self.log_heads.retain(|known| known.incarnation != head.incarnation);
                    self.log_heads.push(head);
                    session.handle(session::Input::Stored);
                }
                session::Effect::Compare { incarnation, records } => {
                    let is_home = |record: &Record| self.log.contains(&(incarnation, record.clone()));
                    let same = records.iter().take_while(|record| is_home(record)).count();
                    session.handle(session::Input::Compared(same));
                }
                session::Effect::Send(ToAgent::Stored(head)) => {
                    if !self.lose_acknowledgements {
                        self.recorder.handle(Input::Stored(head), NOW);
                    }
                }
                session::Effect::Send(other) => panic!("{other:?}"),
                session::Effect::Report(_) => {}
                session::Effect::Alarm(alarm) => self.alarms.push(alarm.kind),
                session::Effect::Close(_) => self.closed = true,
            }
        }
    }

    fn connect(&mut self) {
        self.session = Some(Records::new(agent(), self.log_heads.clone()));
        self.feed(Input::Connected);
    }

    fn cut(&mut self) {
        self.session = None;
        self.feed(Input::Disconnected);
    }

    fn restart(&mut self) {
        self.cut();
        let oldest = self.disk.first().map(|record| record.at);
        self.recorder = Recorder::open(self.disk_head, self.freed, oldest);
    }

    fn home(&self) -> Vec<u64> {
        self.log.iter().map(|(_, record)| record.seq).collect()
    }

    /// The tickets of the taps that are home, ascending.
    fn tickets_home(&self) -> Vec<i64> {
        let mut tickets: Vec<i64> = self.log.iter().map(|(_, record)| record.at.since_ms(NOW)).collect();
        tickets.sort_unstable();
        tickets
    }

    fn copy(&self) -> (Vec<Record>, ChainHead, ChainHead) {
        (self.disk.clone(), self.disk_head, self.freed)
    }

    fn restore(&mut self, copy: (Vec<Record>, ChainHead, ChainHead)) {
        self.cut();
        (self.disk, self.disk_head, self.freed) = copy;
        self.restart();
    }
}

#[test]
fn taps_are_answered_and_come_home_in_order() {
    let mut world = World::new();
    world.connect();
    (0..5).for_each(|ticket| world.feed(tap(ticket)));
    assert_eq!(world.home(), [1, 2, 3, 4, 5]);
    assert_eq!(world.answers.len(), 5);
    assert!(world.disk.is_empty());
    assert_eq!(world.recorder.unsent(), 0);
}

#[test]
fn a_backlog_of_a_cut_off_agent_comes_home_once_after_a_restart() {
    let mut world = World::new();
    let count = 3 * RECORDS_BATCH_MAX as u64 + 7;
    (0..count).for_each(|ticket| world.feed(tap(ticket)));
    world.restart();
    world.connect();
    assert_eq!(world.home(), (1..=count).collect::<Vec<_>>());
    assert!(world.alarms.is_empty() && world.agent_alarms.is_empty());
}

#[test]
fn a_lost_acknowledgement_doubles_nothing() {
    let mut world = World::new();
    world.lose_acknowledgements = true;
    world.connect();
    (0..3).for_each(|ticket| world.feed(tap(ticket)));
    world.lose_acknowledgements = false;
    world.restart();
    world.connect();
    assert_eq!(world.home(), [1, 2, 3]);
    assert!(!world.closed);
}

#[test]
fn a_full_disk_opens_nothing_and_numbers_nothing() {
    let mut world = World::new();
    world.connect();
    world.disk_full = true;
    world.feed(tap(0));
    assert_eq!(world.answers, [(0, Reason::NotRecorded)]);
    world.disk_full = false;
    world.feed(tap(1));
    assert_eq!(world.home(), [1]);
    assert_eq!(world.answers[1], (1, Reason::Granted));
}

#[test]
fn an_authority_restored_from_a_backup_notices_the_gap_and_goes_on() {
    let mut world = World::new();
    world.connect();
    (0..4).for_each(|ticket| world.feed(tap(ticket)));
    world.cut();
    world.log.truncate(1);
    world.log_heads = begin().with(&world.log[0].1).into_iter().collect();
    world.connect();
    world.feed(tap(9));
    assert_eq!(world.home(), [1, 5]);
    assert_eq!(world.alarms, [AlarmKind::RecordGap]);
}

#[test]
fn a_log_that_was_cut_shows_in_the_report_of_an_idle_agent_and_begins_anew() {
    let mut world = World::new();
    world.connect();
    (0..4).for_each(|ticket| world.feed(tap(ticket)));
    world.cut();
    world.recorder = Recorder::open(begin(), begin(), None);
    world.disk_head = begin();
    world.connect();
    assert_eq!(world.alarms, [AlarmKind::LogTruncated]);
    world.feed(tap(9));
    assert_eq!(world.home(), [1, 2, 3, 4, 1]);
    assert_eq!(world.alarms, [AlarmKind::LogTruncated, AlarmKind::NewChain]);
    world.restart();
    world.connect();
    world.feed(tap(10));
    assert_eq!(world.home(), [1, 2, 3, 4, 1, 2]);
    assert_eq!(world.alarms.len(), 2, "it is told once");
}

#[test]
fn taps_on_a_disk_that_was_restored_come_home_in_a_new_chain_once() {
    for taps_since in [1, 2, 3, 2 * RECORDS_BATCH_MAX as u64] {
        let mut world = World::new();
        world.connect();
        world.feed(tap(0));
        let copy = world.copy();
        (1..3).for_each(|ticket| world.feed(tap(ticket)));
        world.restore(copy);
        (3..3 + taps_since).for_each(|ticket| world.feed(tap(ticket)));
        world.connect();
        world.feed(tap(99));
        let expected: Vec<u64> = (1..=3).chain(1..=taps_since + 1).collect();
        assert_eq!(world.home(), expected, "{taps_since} taps");
        assert!(!world.closed);
        assert_eq!(world.recorder.unsent(), 0);
        assert_eq!(world.alarms.last(), Some(&AlarmKind::NewChain));
        assert_eq!(world.answers.len() as u64, 3 + taps_since + 1);
    }
}

#[test]
fn taps_of_every_process_on_a_restored_disk_come_home_once_and_what_was_home_stays_single() {
    let long = 2 * RECORDS_BATCH_MAX as u64 + 3;
    for (unsent_at_copy, since_copy) in [(0, 1), (1, 3), (2, 0), (5, 1), (long, 2), (long, long)] {
        let mut world = World::new();
        let mut tickets = 0..;
        let mut taps = |world: &mut World, count| {
            tickets.by_ref().take(count as usize).for_each(|ticket| world.feed(tap(ticket)));
        };
        world.connect();
        taps(&mut world, 2);
        world.cut();
        taps(&mut world, unsent_at_copy);
        let copy = world.copy();
        taps(&mut world, since_copy);
        world.connect();
        world.restore(copy);
        for count in [1, 0, 2, 3] {
            taps(&mut world, count);
            world.restart();
        }
        world.connect();
        taps(&mut world, 1);
        let count = 2 + unsent_at_copy + since_copy + 7;
        let expected: Vec<i64> = (0..count as i64).collect();
        assert_eq!(world.tickets_home(), expected, "{unsent_at_copy} unsent at the copy, {since_copy} after it");
        assert!(!world.closed && world.recorder.unsent() == 0 && world.disk.is_empty());
        assert!(!world.alarms.contains(&AlarmKind::RecordGap), "{:?}", world.alarms);
    }
}

#[test]
fn a_copy_that_had_parted_already_can_be_put_in_place_any_number_of_times() {
    let mut world = World::new();
    world.connect();
    world.feed(tap(0));
    let first = world.copy();
    world.feed(tap(1));
    world.restore(first);
    (2..5).for_each(|ticket| world.feed(tap(ticket)));
    // These three are not with the authority, and never will be under the numbers that they have here.
    let parted = world.copy();
    (5..7).for_each(|ticket| world.feed(tap(ticket)));
    world.connect();
    for ticket in [7, 8, 9] {
        world.restore(parted.clone());
        world.feed(tap(ticket));
        world.connect();
    }
    assert_eq!(world.tickets_home(), (0..10).collect::<Vec<_>>());
    assert!(!world.closed && world.recorder.unsent() == 0 && world.disk.is_empty());
}

#[test]
fn taps_on_a_disk_of_a_chain_before_the_newest_come_home_once_too() {
    let mut world = World::new();
    world.connect();
    world.feed(tap(0));
    let oldest = world.copy();
    for ticket in 1..3 {
        world.feed(tap(ticket));
        world.restore(oldest.clone());
        world.connect();
    }
    world.restore(oldest);
    (3..5).for_each(|ticket| world.feed(tap(ticket)));
    world.connect();
    world.feed(tap(5));
    assert_eq!(world.tickets_home(), [0, 1, 2, 3, 4, 5]);
    assert!(!world.alarms.contains(&AlarmKind::RecordGap), "{:?}", world.alarms);
    assert_eq!(world.recorder.unsent(), 0);
}

#[test]
fn a_new_chain_that_cannot_be_stored_is_tried_again_with_the_next_report() {
    let mut world = World::new();
    world.connect();
    (0..2).for_each(|ticket| world.feed(tap(ticket)));
    world.cut();
    (world.disk_head, world.freed) = (begin(), begin());
    world.restart();
    world.feed(tap(2));
    world.disk_full = true;
    world.connect();
    assert_eq!(world.home(), [1, 2]);
    world.disk_full = false;
    assert_eq!(world.home(), [1, 2]);
    let report_at = world.recorder.poll_timeout().unwrap();
    world.recorder.handle(Input::Timeout, report_at);
    world.settle();
    assert_eq!(world.home(), [1, 2, 1]);
}

#[test]
fn a_rewritten_record_is_a_fork_and_is_not_stored() {
    let mut world = World::new();
    world.connect();
    world.feed(tap(0));
    let stored = world.log.clone();
    let mut other = stored[0].1.clone();
    other.reason = Reason::Suspended;
    world.deliver(ToAuthority::Records(Batch { after: begin(), records: vec![other] }));
    assert_eq!(world.alarms, [AlarmKind::RecordFork]);
    assert_eq!(world.log, stored);
}

#[test]
fn a_batch_that_begins_before_a_gap_fills_it() {
    let mut world = World::new();
    (1..=4).for_each(|ticket| world.feed(tap(ticket)));
    let all = Batch { after: begin(), records: world.disk.clone() };
    let behind_the_gap = Batch { after: all.head_at(2).unwrap(), records: world.disk[2..].to_vec() };
    world.session = Some(Records::new(agent(), []));
    world.deliver(ToAuthority::Records(behind_the_gap));
    assert_eq!((world.alarms.clone(), world.home()), (vec![AlarmKind::RecordGap], vec![3, 4]));
    world.deliver(ToAuthority::Records(all));
    let mut home = world.home();
    home.sort_unstable();
    assert_eq!(home, [1, 2, 3, 4]);
}

#[test]
fn skipped_and_oversized_batches_end_the_connection() {
    let mut world = World::new();
    world.connect();
    world.feed(tap(0));
    let mut skipped = world.log[0].1.clone();
    skipped.seq = 3;
    let records = vec![skipped];
    world.deliver(ToAuthority::Records(Batch { after: world.log_heads[0], records }));
    assert!(world.closed);
    assert_eq!(world.home(), [1]);
}

#[test]
fn a_new_life_of_the_chain_is_an_alarm_and_is_taken() {
    let mut world = World::new();
    world.connect();
    world.feed(tap(0));
    world.cut();
    let anew = ChainHead::begin(&agent(), Incarnation([2; 16]));
    world.recorder = Recorder::open(anew, anew, None);
    world.connect();
    world.feed(tap(1));
    assert_eq!(world.alarms, [AlarmKind::NewChain]);
    assert_eq!(world.home(), [1, 1]);
}

#[test]
fn an_acknowledgement_of_another_chain_frees_nothing() {
    let mut world = World::new();
    world.session = None;
    world.feed(tap(0));
    world.recorder.handle(Input::Connected, NOW);
    let wrong = ChainHead { hash: Hash([7; 32]), ..world.disk_head };
    world.feed(Input::Stored(wrong));
    assert_eq!(world.disk.len(), 1);
    assert_eq!(world.agent_alarms.len(), 1);
    assert_eq!(world.recorder.unsent(), 1, "it is still to be sent, in a chain of its own");
}
