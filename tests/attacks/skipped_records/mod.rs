//! An agent leaves records out.
//!
//! Attacker: whoever controls one agent, and would like a tap not to have been.
//! Power: the agent's key; numbers and hashes of its own making.
//! Refused: inside of a batch it ends the connection; between batches it is the alarm `record-gap`, with the numbers that
//! are missing, also when they are absurd.

use crate::stage::processes::{
    PROTOCOL, authority_with_rogue, lane, log, record, rogue, south, wait_for_alarm, wait_for_log,
};
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority};
use doorward_protocol::id::{Hash, Incarnation};
use doorward_protocol::record::{Batch, ChainHead};

#[test]
fn a_gap_inside_of_a_batch_ends_the_connection_and_stores_nothing() {
    let world = authority_with_rogue();
    let peer = rogue(&world);
    let mut records = lane(&peer, Lane::Records);
    let after = ChainHead::begin(&south(), Incarnation([5; 16]));
    records.frame(&ToAuthority::Records(Batch { after, records: vec![record(1), record(3)] })).unwrap();
    assert_eq!(peer.ended().unwrap(), PROTOCOL);
    assert!(log(&world).is_empty());
    world.stop().unwrap();
}

#[test]
fn a_gap_between_batches_is_an_alarm_that_names_what_is_missing() {
    let world = authority_with_rogue();
    let peer = rogue(&world);
    let mut records = lane(&peer, Lane::Records);
    let incarnation = Incarnation([5; 16]);
    let after = ChainHead::begin(&south(), incarnation);
    records.frame(&ToAuthority::Records(Batch { after, records: vec![record(1)] })).unwrap();
    wait_for_log(&world, 1).unwrap();
    let after = ChainHead { incarnation, seq: 4, hash: Hash([7; 32]) };
    records.frame(&ToAuthority::Records(Batch { after, records: vec![record(5)] })).unwrap();
    assert!(wait_for_alarm(&world, "record-gap").unwrap().contains("2 to 4"));
    wait_for_log(&world, 2).unwrap();
    world.stop().unwrap();
}

#[test]
fn a_number_at_the_end_of_all_numbers_brings_nothing_down() {
    let world = authority_with_rogue();
    let far = |seq| ChainHead { incarnation: Incarnation([5; 16]), seq, hash: Hash([7; 32]) };
    for seq in [u64::MAX, u64::MAX - 1, u64::MAX / 2, u64::MAX / 2 + 1] {
        let peer = rogue(&world);
        let mut records = lane(&peer, Lane::Records);
        let batch = Batch { after: far(seq), records: vec![record(seq.wrapping_add(1))] };
        records.frame(&ToAuthority::Records(batch)).unwrap();
        // It is stored or the connection ends; either is an answer.
        let _answered = records.read::<ToAgent>();
    }
    let peer = rogue(&world);
    let mut records = lane(&peer, Lane::Records);
    let after = ChainHead::begin(&south(), Incarnation([6; 16]));
    records.frame(&ToAuthority::Records(Batch { after, records: vec![record(1)] })).unwrap();
    assert!(matches!(records.read::<ToAgent>().unwrap(), ToAgent::Stored(head) if head.seq == 1));
    world.stop().unwrap();
}
