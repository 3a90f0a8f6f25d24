//! Real processes to attack: the tiny campus's authority and its agent in the north, and what must still be true of them.

use crate::stage::campus::FOUNDED;
use crate::stage::frames;
use crate::stage::wire::{Peer, Stream};
use anyhow::{Context, Result};
use doorward_protocol::frame::{Hello, Lane, ToAgent, ToAuthority};
use doorward_protocol::id::AgentId;
use serde_json::Value;
use std::path::PathBuf;
use tests::campus;
use tests::process::Process;
use tests::wait::{SOON, until, until_true};
use tests::world::World;

/// The honest agent.
pub const NORTH: &str = "agent-north";
/// The agent whose certificate and key somebody has.
pub const SOUTH: &str = "agent-south";

/// How much a process may grow by an attack, in KiB.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

/// Codes with which the authority ends a connection.
pub const NOT_ENROLLED: u64 = 1;
/// The protocol was broken.
pub const PROTOCOL: u64 = 3;
/// The agent was struck off.
pub const STRUCK_OFF: u64 = 4;

/// An authority with an honest agent in the north, and one in the south that is enrolled and does not run.
pub fn world_with_rogue() -> World {
    let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    world.enrol(SOUTH).unwrap();
    world
}

/// An authority, and one agent that is enrolled and does not run.
pub fn authority_with_rogue() -> World {
    let mut world = World::start(&campus::tiny(), &[]).unwrap();
    world.enrol(SOUTH).unwrap();
    world
}

/// Data directory of an agent.
pub fn data_of(world: &World, agent: &str) -> PathBuf {
    world.agent(agent).unwrap().data.clone()
}

/// A connection with the rogue's certificate.
pub fn rogue(world: &World) -> Peer {
    Peer::as_agent(&data_of(world, SOUTH), world.authority.quic).unwrap()
}

/// A lane of the rogue's; on control it greets as a decent agent does.
pub fn lane(peer: &Peer, lane: Lane) -> Stream {
    let mut stream = peer.open().unwrap();
    match lane {
        Lane::Control => {
            stream.send(&[0]).unwrap();
            stream.frame(&ToAuthority::Hello(hello())).unwrap();
        }
        Lane::Records => stream.send(&[1]).unwrap(),
        Lane::Removal => panic!("only the authority opens it"),
    }
    stream
}

/// A greeting of the rogue's, without a state.
pub fn hello() -> Hello {
    Hello { agent: south(), wall: doorward_server::clock::wall(), ..frames::hello() }
}

/// The rogue's name.
pub fn south() -> AgentId {
    SOUTH.parse().unwrap()
}

/// Frames on a control lane until one is what is looked for.
pub fn read_until(stream: &mut Stream, is_wanted: impl Fn(&ToAgent) -> bool) -> Result<ToAgent> {
    loop {
        let frame: ToAgent = stream.read()?;
        if is_wanted(&frame) {
            return Ok(frame);
        }
    }
}

/// How much memory a process has in use, in KiB.
pub fn memory_kib(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Suspends a card without waiting for agents; some of them are not there.
pub fn suspend(world: &World, card: &str) {
    world.authority.say(&format!("card suspend {card} --reason lost --wait 0s")).unwrap();
}

/// The authority still runs as the process that it was, has not grown beyond measure, and serves its honest agent.
#[track_caller]
pub fn authority_goes_on(world: &mut World, memory_before_kib: u64) {
    let process = world.authority.process().unwrap();
    assert!(process.ended().unwrap().is_none(), "the authority ended:\n{}", process.log());
    assert_bounded(memory_before_kib, memory_kib(process));
    suspend(world, "ADA");
    world.agent(NORTH).unwrap().wait_for("north-main", "ADA", "deny suspended").unwrap();
    world.authority.say("card resume ADA --reason found --wait 0s").unwrap();
    world.agent(NORTH).unwrap().wait_for("north-main", "ADA", "grant granted").unwrap();
}

/// The same of the agent in the north, which finds its honest authority again.
#[track_caller]
pub fn agent_goes_on(world: &mut World, memory_before_kib: u64) {
    let agent = world.agent_mut(NORTH).unwrap();
    let process = agent.process().unwrap();
    assert!(process.ended().unwrap().is_none(), "the agent ended:\n{}", process.log());
    assert_bounded(memory_before_kib, memory_kib(process));
    assert_eq!(agent.tap("north-main", "BOB").unwrap(), "grant granted");
    world.authority.start().unwrap();
    world.wait_until_agent_exact(NORTH).unwrap();
}

#[track_caller]
fn assert_bounded(before_kib: u64, now_kib: u64) {
    assert!(now_kib < before_kib + GROWTH_KIB_MAX, "it grew from {before_kib} to {now_kib} KiB");
}

/// Memory of the authority, in KiB.
pub fn authority_memory_kib(world: &mut World) -> u64 {
    memory_kib(world.authority.process().unwrap())
}

/// Memory of the agent in the north, in KiB.
pub fn agent_memory_kib(world: &mut World) -> u64 {
    memory_kib(world.agent_mut(NORTH).unwrap().process().unwrap())
}

/// Waits until the authority has raised an alarm of this kind.
pub fn wait_for_alarm(world: &World, kind: &str) -> Result<String> {
    until(&format!("an alarm {kind}"), SOON, || {
        let alarms = world.authority.api_json("/v1/alarms").ok()?;
        let alarm = alarms["alarms"].as_array()?.iter().find(|alarm| alarm["kind"] == kind)?.clone();
        alarm["text"].as_str().map(str::to_owned)
    })
}

/// The access log.
pub fn log(world: &World) -> Vec<Value> {
    world.authority.json_lines("log --limit 1000").unwrap().into_iter().map(|line| line["record"].clone()).collect()
}

/// Waits until the log has this many records.
pub fn wait_for_log(world: &World, count: usize) -> Result<()> {
    until_true(&format!("{count} records"), SOON, || Ok(log(world).len() == count))
        .with_context(|| format!("there are {}", log(world).len()))
}

/// A record of the south's main entrance.
pub fn record(seq: u64) -> doorward_protocol::record::Record {
    let door = "south-main".parse().unwrap();
    doorward_protocol::record::Record { door, at: FOUNDED, ..frames::record(seq) }
}
