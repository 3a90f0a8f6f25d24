//! A peer sends without end, or never ends what it begins.
//!
//! Attacker: a rogue agent; one without any certificate; a rogue authority.
//! Power: any number of bytes, frames, streams and connections, as fast or as slowly as it likes.
//! Refused: memory and logs stay within their bounds, everybody else is served, and doors go on answering.

use crate::stage::Stage;
use crate::stage::campus::north;
use crate::stage::frames::{encoded, head, on_stream};
use crate::stage::processes::{
    NORTH, PROTOCOL, SOUTH, agent_goes_on, agent_memory_kib, authority_goes_on, authority_memory_kib, data_of, lane,
    read_until, rogue, world_with_rogue,
};
use crate::stage::wire::{Host, Peer, Stream};
use doorward_agent::identity::Identity;
use doorward_protocol::facts::Fact;
use doorward_protocol::frame::{Base, ChainReport, Heard, Lane, Refusal, ToAgent, ToAuthority, Update, to_wire};
use doorward_protocol::limits::{PARTS_MAX, UPDATE_BYTES_MAX};
use doorward_protocol::receipt::{About, Receipt, Stage as Reached};
use doorward_protocol::sign::Signed;
use doorward_protocol::state::Change;
use doorward_protocol::time::UnixMs;

/// The beginning of the longest frame that is allowed, and nothing after its length.
const LONGEST: [u8; 4] = 1_048_576_u32.to_le_bytes();

/// Sends the same bytes again and again, until the other side has enough or they went out so often.
fn flood(stream: &mut Stream, bytes: &[u8], times: usize) {
    for _ in 0..times {
        if stream.send(bytes).is_err() {
            return;
        }
    }
}

#[test]
fn an_agent_that_floods_every_lane_is_served_or_sent_away_and_nobody_else_notices() {
    let mut world = world_with_rogue();
    let before = authority_memory_kib(&mut world);
    let now = doorward_server::clock::wall();
    let heard = to_wire(&ToAuthority::Heard(Heard { pulse_at: now, fresh_at: now, wall: now })).unwrap();
    let report = ToAuthority::ChainReport(ChainReport { head: head(), acknowledged: 0, oldest_unsent_at: None });
    let peer = rogue(&world);
    flood(&mut lane(&peer, Lane::Control), &heard.repeat(1_000), 200);
    // It may have been sent away for that.
    let peer = rogue(&world);
    flood(&mut lane(&peer, Lane::Records), &to_wire(&report).unwrap().repeat(1_000), 200);
    let peer = rogue(&world);
    let mut endless = lane(&peer, Lane::Control);
    endless.send(&LONGEST).unwrap();
    flood(&mut endless, &[0; 65_536], 1_000);
    assert!(peer.is_sent_away(PROTOCOL).unwrap());
    authority_goes_on(&mut world, before);
    world.stop().unwrap();
}

#[test]
fn words_without_end_in_refusals_fill_neither_log_nor_alarms() {
    let mut world = world_with_rogue();
    let before = authority_memory_kib(&mut world);
    let log_before = world.authority.log().len();
    for letter in ["a", "b"] {
        let peer = rogue(&world);
        let mut control = lane(&peer, Lane::Control);
        let long = ToAuthority::Refusal(Refusal::StoreDamaged(letter.repeat(1_000_000)));
        flood(&mut control, &to_wire(&long).unwrap(), 20);
        let now = doorward_server::clock::wall();
        let clock = ToAuthority::Refusal(Refusal::ClockDisagrees { wall: UnixMs(0), signed: now });
        flood(&mut control, &to_wire(&clock).unwrap().repeat(100), 200);
    }
    authority_goes_on(&mut world, before);
    let alarms = world.authority.api_json("/v1/alarms").unwrap().to_string();
    assert!(alarms.len() < 16_384, "{} bytes of alarms", alarms.len());
    let logged = world.authority.log().len() - log_before;
    assert!(logged < 65_536, "{logged} bytes were logged");
    world.stop().unwrap();
}

#[test]
fn an_agent_that_asks_for_snapshots_without_end_and_reads_none_is_sent_away() {
    let mut world = world_with_rogue();
    let before = authority_memory_kib(&mut world);
    let peer = rogue(&world);
    let mut control = lane(&peer, Lane::Control);
    let update = read_until(&mut control, |frame| matches!(frame, ToAgent::Update(_))).unwrap();
    let ToAgent::Update(update) = update else { panic!("an update") };
    let commit = update.head.commit.unverified().unwrap();
    let identity = Identity::load(&data_of(&world, SOUTH)).unwrap();
    let receipt = Receipt {
        campus: commit.campus,
        agent: identity.agent.clone(),
        about: About::Commit,
        position: commit.position,
        hash: update.head.commit.hash(),
        stage: Reached::Durable,
        at: commit.at,
    };
    let receipt: Signed<Receipt> = identity.key.sign_value(&receipt).unwrap();
    let again = [
        to_wire(&ToAuthority::Receipt(receipt)).unwrap(),
        to_wire(&ToAuthority::Refusal(Refusal::NeedSnapshot("again".into()))).unwrap(),
    ];
    flood(&mut control, &again.concat(), 5_000);
    assert!(peer.is_sent_away(PROTOCOL).unwrap());
    authority_goes_on(&mut world, before);
    world.stop().unwrap();
}

#[test]
fn streams_and_connections_without_end_that_never_say_what_they_want_hold_no_memory() {
    let mut world = world_with_rogue();
    let before = authority_memory_kib(&mut world);
    let south = data_of(&world, SOUTH);
    // Without a certificate: each sends the length of the longest frame and almost all of it, and waits.
    let enrolling: Vec<(Peer, Stream)> = (0..96)
        .filter_map(|_| {
            let peer = Peer::to_enrol(&south, world.authority.quic).ok()?;
            let mut stream = peer.open().ok()?;
            let _refused = stream.send(&LONGEST).and_then(|()| stream.send(&vec![0; 1_000_000]));
            Some((peer, stream))
        })
        .collect();
    assert!(!enrolling.is_empty());
    // With one: streams that are no lane, as many as there may be.
    let peer = rogue(&world);
    let _lanes: Vec<Stream> = [0, 1]
        .into_iter()
        .map(|byte| {
            let mut stream = peer.open().unwrap();
            stream.send(&[byte]).unwrap();
            stream.send(&LONGEST).unwrap();
            stream
        })
        .collect();
    authority_goes_on(&mut world, before);
    drop(enrolling);
    assert!(peer.is_open(), "slow is allowed");
    let mut third = peer.open().unwrap();
    third.send(&[2]).unwrap();
    assert_eq!(peer.ended().unwrap(), PROTOCOL);
    world.stop().unwrap();
}

#[test]
fn an_authority_that_floods_every_lane_does_not_keep_a_door_from_answering() {
    let mut world = world_with_rogue();
    let before = agent_memory_kib(&mut world);
    world.authority.stop().unwrap();
    let host = Host::listen(&world.authority.data, &"tiny".parse().unwrap(), world.authority.quic).unwrap();
    let tap = |world: &tests::world::World| world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap();

    // Parts of no update, then streams that end at once, then a byte now and then of the longest frame.
    let ToAgent::Part(change) = Stage::new().snapshot().remove(1) else { panic!("a part") };
    let part = to_wire(&ToAgent::Part(change)).unwrap();
    {
        let mut guest = host.guest().unwrap();
        flood(&mut guest.control, &part.repeat(20), 300);
        assert_eq!(tap(&world), "grant granted");
        flood(&mut guest.removals, &on_stream(&[9; 64]), 1);
        guest.peer.ended().unwrap();
    }

    let mut guest = host.guest().unwrap();
    guest.removals.finish().unwrap();
    for _ in 0..500 {
        guest.peer.open_one_way().unwrap().finish().unwrap();
    }
    guest.control.send(&LONGEST).unwrap();
    for _ in 0..20 {
        guest.control.send(&[1]).unwrap();
        assert_eq!(tap(&world), "grant granted");
    }
    assert!(guest.peer.is_open(), "slow is allowed");
    drop((guest, host));
    agent_goes_on(&mut world, before);
    world.stop().unwrap();
}

#[test]
fn parts_without_end_behind_a_genuine_head_end_at_a_bound_of_bytes() {
    let mut stage = Stage::new();
    let ToAgent::Part(change) = stage.snapshot().remove(1) else { panic!("a part") };
    stage.campus.suspend("ADA");
    let head = stage.campus.head(&north());
    let update = Update { head, base: Base::Nothing, parts: PARTS_MAX };
    stage.victim.hear(&ToAgent::Update(Box::new(update)));
    stage.victim.take_sent();
    let fact = largest(&change);
    let count = 300_000 / encoded(&fact).len();
    let large = ToAgent::Part(Change { removed: vec![], put: vec![fact; count] });
    let bytes = encoded(&large).len();
    let most = UPDATE_BYTES_MAX / bytes + 1;
    let taken = (0..=most).take_while(|_| {
        stage.victim.hear(&large);
        stage.victim.take_refusals().is_empty()
    });
    assert!(taken.count() < most, "it takes more than {UPDATE_BYTES_MAX} bytes in parts of {bytes}");
    stage.goes_on();
}

/// The largest fact of a change.
fn largest(change: &Change) -> Fact {
    change.put.iter().max_by_key(|fact| encoded(fact).len()).unwrap().clone()
}
