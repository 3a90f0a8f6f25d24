//! An agent changes records that it has sent.
//!
//! Attacker: whoever controls one agent, and would like a tap to have been another one's.
//! Power: the agent's key; a whole chain made anew from any record on.
//! Refused: the hash of what is stored stands, the alarm is `record-fork`, and nothing of the new chain is stored.

use crate::stage::processes::{authority_with_rogue, lane, log, record, rogue, south, wait_for_alarm, wait_for_log};
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority};
use doorward_protocol::id::Incarnation;
use doorward_protocol::record::{Batch, ChainHead, Record};

#[test]
fn a_record_that_is_stored_is_not_replaced_and_the_attempt_is_an_alarm() {
    let world = authority_with_rogue();
    let after = ChainHead::begin(&south(), Incarnation([5; 16]));
    let true_batch = Batch { after, records: (1..=3).map(record).collect() };
    let mut records = lane(&rogue(&world), Lane::Records);
    records.frame(&ToAuthority::Records(true_batch.clone())).unwrap();
    wait_for_log(&world, 3).unwrap();
    let before = log(&world);

    let mut rewritten = true_batch.clone();
    rewritten.records[1] = Record { reason: Reason::Suspended, ..record(2) };
    rewritten.records.push(record(4));
    let peer = rogue(&world);
    let mut records = lane(&peer, Lane::Records);
    records.frame(&ToAuthority::Records(rewritten)).unwrap();
    // Up to here both are the same; what comes after it is not taken under these numbers.
    let parted = true_batch.after.with(&record(1)).unwrap();
    assert_eq!(records.read::<ToAgent>().unwrap(), ToAgent::Stored(parted));
    wait_for_alarm(&world, "record-fork").unwrap();
    assert_eq!(log(&world), before);
    world.stop().unwrap();
}
