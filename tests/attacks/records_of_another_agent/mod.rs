//! An agent sends access records in another one's name.
//!
//! Attacker: whoever controls one agent.
//! Power: its certificate and key, and knowledge of another agent's chain.
//! Refused: a chain begins with its agent's name, so records of another one are a `record-fork` and are not stored.

use crate::stage::campus::north;
use crate::stage::frames;
use crate::stage::processes::{authority_with_rogue, hello, lane, log, rogue, south, wait_for_alarm};
use doorward_protocol::frame::{Lane, ToAuthority};
use doorward_protocol::id::Incarnation;
use doorward_protocol::record::{Batch, ChainHead};

#[test]
fn a_chain_of_another_agent_is_not_stored_under_either_name() {
    let world = authority_with_rogue();
    let peer = rogue(&world);
    let mut records = lane(&peer, Lane::Records);
    let after = ChainHead::begin(&north(), Incarnation([5; 16]));
    records.frame(&ToAuthority::Records(Batch { after, records: vec![frames::record(1)] })).unwrap();
    assert!(wait_for_alarm(&world, "record-fork").unwrap().contains(south().as_str()));
    assert!(log(&world).is_empty());
    world.stop().unwrap();
}

#[test]
fn a_greeting_in_another_agents_name_ends_the_connection() {
    let world = authority_with_rogue();
    let peer = rogue(&world);
    let mut control = peer.open().unwrap();
    control.send(&[0]).unwrap();
    control.frame(&ToAuthority::Hello(doorward_protocol::frame::Hello { agent: north(), ..hello() })).unwrap();
    assert_eq!(peer.ended().unwrap(), crate::stage::processes::PROTOCOL);
    world.stop().unwrap();
}
