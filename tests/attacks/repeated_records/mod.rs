//! An agent sends records again.
//!
//! Attacker: whoever controls one agent, or a connection that was cut at the wrong moment.
//! Power: any batch, as often as it likes, also with records that are stored beside new ones.
//! Refused: each record is stored once; what is sent again is only acknowledged again.

use crate::stage::processes::{authority_with_rogue, lane, log, record, rogue, south, wait_for_log};
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority};
use doorward_protocol::id::Incarnation;
use doorward_protocol::record::{Batch, ChainHead};

#[test]
fn what_is_sent_again_is_stored_once_and_acknowledged_each_time() {
    let world = authority_with_rogue();
    let after = ChainHead::begin(&south(), Incarnation([5; 16]));
    for count in [2, 2, 3, 3] {
        let peer = rogue(&world);
        let mut records = lane(&peer, Lane::Records);
        for _ in 0..3 {
            let batch = Batch { after, records: (1..=count).map(record).collect() };
            records.frame(&ToAuthority::Records(batch.clone())).unwrap();
            assert_eq!(records.read::<ToAgent>().unwrap(), ToAgent::Stored(batch.end().unwrap()));
        }
    }
    wait_for_log(&world, 3).unwrap();
    let numbers: Vec<u64> = log(&world).iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    world.stop().unwrap();
}
