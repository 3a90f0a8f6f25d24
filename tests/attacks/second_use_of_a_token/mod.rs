//! A join token is used a second time.
//!
//! Attacker: whoever saw the token: on a screen, on paper, or on its way.
//! Power: the token, a key of its own, and whatever the first agent sent when it joined.
//! Refused: the token is used up by the first key; a proof belongs to the session in which it was made.

use crate::stage::campus::key;
use crate::stage::processes::{NORTH, SOUTH, authority_with_rogue, data_of, hello, south};
use crate::stage::wire::Peer;
use doorward_agent::identity::Identity;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest, JoinToken, Proof};
use doorward_protocol::sign::SecretKey;
use tests::agent::Agent;
use tests::world::World;

fn ask(peer: &Peer, request: &EnrolRequest) -> EnrolAnswer {
    let mut stream = peer.open().unwrap();
    stream.frame(request).unwrap();
    stream.read().unwrap()
}

fn enrolling(world: &World) -> Peer {
    Peer::to_enrol(&data_of(world, SOUTH), world.authority.quic).unwrap()
}

fn join(peer: &Peer, token: &JoinToken, key: &SecretKey) -> EnrolRequest {
    let proof = Proof { agent: token.agent.clone(), key: key.public(), binding: peer.binding().unwrap() };
    EnrolRequest::Join { secret: token.secret, proof: key.sign_value(&proof).unwrap() }
}

#[track_caller]
fn refused(answer: &EnrolAnswer) {
    assert!(matches!(answer, EnrolAnswer::Refused(_)), "{answer:?}");
}

#[test]
fn the_second_machine_with_a_token_is_refused_and_the_first_goes_on() {
    let mut world = authority_with_rogue();
    let text = world.authority.invite(NORTH).unwrap();
    let first = Agent::at(world.path(), &world.authority, NORTH).unwrap();
    first.run(&["join", &text]).unwrap().ok().unwrap();
    world.agents = vec![first];

    let thief = key("thief", "agent");
    let token = JoinToken::parse(&text).unwrap();
    let peer = Peer::to_enrol(&data_of(&world, NORTH), world.authority.quic).unwrap();
    refused(&ask(&peer, &join(&peer, &token, &thief)));
    world.agents[0].start().unwrap();
    world.wait_until_exact().unwrap();
    world.stop().unwrap();
}

#[test]
fn a_request_that_was_overheard_is_worth_nothing_in_another_session() {
    let world = authority_with_rogue();
    let token = JoinToken::parse(&world.authority.invite(NORTH).unwrap()).unwrap();
    let (honest, first, second) = (key("honest", "agent"), enrolling(&world), enrolling(&world));
    let overheard = join(&first, &token, &honest);
    refused(&ask(&second, &overheard));
    assert!(matches!(ask(&first, &overheard), EnrolAnswer::Enrolled(_)));
    world.stop().unwrap();
}

#[test]
fn a_token_lets_in_nobody_but_the_agent_that_it_names() {
    let world = authority_with_rogue();
    let mut token = JoinToken::parse(&world.authority.invite(NORTH).unwrap()).unwrap();
    token.agent = south();
    let peer = enrolling(&world);
    refused(&ask(&peer, &join(&peer, &token, &key("thief", "agent"))));
    let key = Identity::load(&data_of(&world, SOUTH)).unwrap().key;
    assert_eq!(hello().agent, south());
    let peer = enrolling(&world);
    let proof = Proof { agent: south(), key: key.public(), binding: peer.binding().unwrap() };
    let renewed = ask(&peer, &EnrolRequest::Renew(key.sign_value(&proof).unwrap()));
    assert!(matches!(renewed, EnrolAnswer::Enrolled(_)), "the agent in the south is who it was");
    world.stop().unwrap();
}
