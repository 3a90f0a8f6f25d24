//! What an agent never goes below is to be forgotten: by a restart, by time, by damage.
//!
//! Attacker: somebody who can wait, pull the plug, or damage a disk.
//! Power: a valid commit of before, and any of these.
//! Refused: `Backward`, after a restart, after every lease has ended, and when the state itself is lost.

use crate::stage::Stage;
use crate::stage::processes::{
    NORTH, agent_goes_on, agent_memory_kib, data_of, hello, read_until, suspend, world_with_rogue,
};
use crate::stage::wire::{Host, Peer};
use doorward_protocol::frame::{Hello, Refusal, ToAgent, ToAuthority};

const YEAR_MS: i64 = 366 * 86_400_000;

fn backward(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Backward { .. })
}

#[test]
fn the_floor_survives_a_restart_and_the_end_of_every_lease() {
    let mut stage = Stage::new();
    let old = stage.snapshot();
    stage.suspend("ADA");
    stage.victim.restart(&stage.campus);
    stage.victim.now = stage.campus.now.plus_ms(YEAR_MS);
    stage.refused(old, backward);
}

#[test]
fn the_floor_survives_the_loss_of_the_state() {
    let mut stage = Stage::new();
    let old = stage.snapshot();
    stage.suspend("ADA");
    stage.victim.disk.image.facts.clear();
    stage.victim.restart(&stage.campus);
    assert_eq!(stage.victim.claim(), None);
    stage.victim.connect();
    stage.victim.take_sent();
    old.iter().for_each(|frame| stage.victim.hear(frame));
    assert!(stage.victim.take_refusals().iter().any(backward));
    assert_eq!(stage.victim.claim(), None, "rather none than an old one");
    stage.goes_on();
}

#[test]
fn the_floor_of_time_survives_a_restart() {
    let mut stage = Stage::new();
    let at = stage.victim.disk.image.floor.at;
    stage.victim.restart(&stage.campus);
    stage.victim.now = at.plus_ms(-YEAR_MS);
    assert_eq!(stage.tap("ADA"), doorward_protocol::decide::Reason::ClockUntrusted);
}

/// What an authority sends to the agent in the north, taken down by somebody with its certificate.
fn overheard(world: &tests::world::World) -> [ToAgent; 2] {
    let peer = Peer::as_agent(&data_of(world, NORTH), world.authority.quic).unwrap();
    let mut control = peer.open().unwrap();
    control.send(&[0]).unwrap();
    control.frame(&ToAuthority::Hello(Hello { agent: NORTH.parse().unwrap(), ..hello() })).unwrap();
    let update = read_until(&mut control, |frame| matches!(frame, ToAgent::Update(_))).unwrap();
    [update, control.read().unwrap()]
}

#[test]
fn an_agent_that_was_started_again_refuses_what_an_authority_with_every_key_signed_before() {
    let mut world = world_with_rogue();
    world.agent_mut(NORTH).unwrap().stop().unwrap();
    let old = overheard(&world);
    world.agent_mut(NORTH).unwrap().start().unwrap();
    suspend(&world, "ADA");
    world.agent(NORTH).unwrap().wait_for("north-main", "ADA", "deny suspended").unwrap();
    world.wait_until_agent_exact(NORTH).unwrap();
    world.agent_mut(NORTH).unwrap().stop().unwrap();
    world.authority.stop().unwrap();
    let host = Host::listen(&world.authority.data, &"tiny".parse().unwrap(), world.authority.quic).unwrap();
    world.agent_mut(NORTH).unwrap().start().unwrap();
    let mut guest = host.guest().unwrap();
    assert!(matches!(guest.control.read().unwrap(), ToAuthority::Hello(_)));
    old.iter().for_each(|frame| guest.control.frame(frame).unwrap());
    let answer: ToAuthority = guest.control.read().unwrap();
    assert!(matches!(&answer, ToAuthority::Refusal(refusal) if backward(refusal)), "{answer:?}");
    assert_eq!(world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap(), "deny suspended");
    drop((guest, host));
    let memory = agent_memory_kib(&mut world);
    agent_goes_on(&mut world, memory);
    world.stop().unwrap();
}
