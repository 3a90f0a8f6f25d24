//! Enrolment: a token is worth one agent, once, for a while; an agent that is removed is gone at once.

use crate::tools::{NORTH, SOUTH, assert_says, tiny_world};
use tests::agent::Agent;
use tests::authority::Authority;
use tests::campus;
use tests::wait::{SOON, until_true};
use tests::world::World;

/// Another agent's folder, in which the token is tried.
fn join_elsewhere(world: &World, name: &str, token: &str) -> tests::command::Answer {
    let agent = Agent::at(world.path(), &world.authority, name).unwrap();
    agent.run(&["join", token]).unwrap()
}

#[test]
fn a_token_enrols_one_agent_and_never_a_second() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let token = world.authority.invite(NORTH).unwrap();
    join_elsewhere(&world, "first", &token).ok().unwrap();
    let refused = join_elsewhere(&world, "second", &token).with_code(1).unwrap();
    assert_says(&refused.err, &["refused", "agent add agent-north"]);
    assert_eq!(world.authority.agent(NORTH).unwrap()["state"], "enrolled");
    world.stop().unwrap();
}

#[test]
fn a_newer_token_ends_the_older_one() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let older = world.authority.invite(NORTH).unwrap();
    let newer = world.authority.invite(NORTH).unwrap();
    join_elsewhere(&world, "first", &older).with_code(1).unwrap();
    join_elsewhere(&world, "second", &newer).ok().unwrap();
    world.stop().unwrap();
}

#[test]
fn a_token_that_is_damaged_or_from_another_campus_enrols_nobody() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let token = world.authority.invite(NORTH).unwrap();
    let damaged = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'B' } else { 'A' });
    for wrong in [damaged.as_str(), &token[1..], "doorward1_", "hello"] {
        let refused = join_elsewhere(&world, "wrong", wrong).with_code(1).unwrap();
        assert_says(&refused.err, &["token"]);
    }
    // The same address, but another campus's keys behind it: what the token pins does not fit.
    let mut other = Authority::init(&world.file("other"), &campus::tiny()).unwrap();
    other.quic = world.authority.quic;
    let foreign = {
        other.api = world.authority.api;
        let mut world = world;
        world.authority.stop().unwrap();
        other.start().unwrap();
        let refused = join_elsewhere(&world, "foreign", &token).with_code(1).unwrap();
        assert_eq!(other.agent(NORTH).unwrap()["state"], "expected");
        other.stop().unwrap();
        refused
    };
    assert!(!foreign.err.is_empty());
}

#[test]
fn an_agent_that_the_campus_does_not_know_gets_no_token() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let refused = world.authority.say("agent add agent-nowhere").unwrap().with_code(1).unwrap();
    assert_says(&refused.err, &["agent-nowhere"]);
    world.stop().unwrap();
}

#[test]
fn a_removed_agent_loses_its_connection_at_once_and_does_not_come_back() {
    let mut world = tiny_world();
    world.authority.say("agent remove agent-south").unwrap();
    until_true("the connection of agent-south is gone", SOON, || {
        let seen = world.authority.agent(SOUTH)?;
        Ok(seen["state"] == "removed" && seen["connected"] == false)
    })
    .unwrap();
    until_true("agent-south sees it", SOON, || Ok(world.agent(SOUTH)?.status()?["connected_to"].is_null())).unwrap();
    assert_eq!(world.authority.agent(NORTH).unwrap()["connected"], true);

    let south = world.agent_mut(SOUTH).unwrap();
    south.stop().unwrap();
    south.start().unwrap();
    until_true("agent-south is told so when it tries again", SOON, || {
        Ok(world.agent(SOUTH)?.log().contains("not enrolled; join with a new token"))
    })
    .unwrap();
    assert_eq!(world.authority.agent(SOUTH).unwrap()["connected"], false);

    // Only a new key can take its place.
    world.agent_mut(SOUTH).unwrap().stop().unwrap();
    let token = world.authority.invite(SOUTH).unwrap();
    join_elsewhere(&world, "agent-south-again", &token).ok().unwrap();
    let mut again = Agent::at(world.path(), &world.authority, "agent-south-again").unwrap();
    again.start().unwrap();
    again.wait_for("south-main", "ADA", "grant granted").unwrap();
    again.stop().unwrap();
}

#[test]
fn the_list_of_agents_shows_connection_lag_lease_and_unsent_records() {
    let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let north = world.authority.agent(NORTH).unwrap();
    assert_eq!((&north["state"], &north["connected"]), (&"enrolled".into(), &true.into()));
    assert_eq!((&north["behind"], &north["unsent"], &north["doors"]), (&0.into(), &0.into(), &2.into()));
    assert!(north["lease_ends_at"]["text"].is_string(), "{north}");
    let south = world.authority.agent(SOUTH).unwrap();
    assert_eq!((&south["state"], &south["connected"]), (&"expected".into(), &false.into()));

    world.agent_mut(NORTH).unwrap().stop().unwrap();
    world.authority.say("card suspend CEM --reason lost --wait 0s").unwrap();
    let north = world.authority.agent(NORTH).unwrap();
    assert_eq!((&north["connected"], &north["behind"]), (&false.into(), &1.into()));
    let shown = world.authority.say("agent list").unwrap().ok().unwrap();
    assert_says(&shown.out, &[NORTH, SOUTH]);
    world.stop().unwrap();
}
