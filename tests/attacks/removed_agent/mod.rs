//! An agent that was struck off stays, or comes back.
//!
//! Attacker: whoever took a controller off the wall before it was struck off.
//! Power: its key, and a certificate that is valid for weeks.
//! Refused: its connection ends at once with `struck off`, whatever it holds open; no other one is let in, and its key gets
//! no new certificate.

use crate::stage::frames::encoded;
use crate::stage::processes::{NOT_ENROLLED, SOUTH, STRUCK_OFF, authority_with_rogue, data_of, lane, rogue, south};
use crate::stage::wire::Peer;
use doorward_agent::identity::Identity;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest, Proof};
use doorward_protocol::frame::Lane;
use tests::world::World;

fn strike_off(world: &World) {
    world.authority.json(&format!("agent remove {SOUTH}")).unwrap();
}

#[test]
fn its_connection_ends_at_once_and_its_certificate_opens_no_other() {
    let world = authority_with_rogue();
    let peer = rogue(&world);
    let _lanes = [lane(&peer, Lane::Control), lane(&peer, Lane::Records)];
    strike_off(&world);
    assert_eq!(peer.ended().unwrap(), STRUCK_OFF);
    assert_eq!(rogue(&world).ended().unwrap(), NOT_ENROLLED);
    world.stop().unwrap();
}

#[test]
fn a_stream_that_never_says_which_lane_it_is_does_not_keep_it_connected() {
    let world = authority_with_rogue();
    let peer = rogue(&world);
    let _control = lane(&peer, Lane::Control);
    // The later stream opens the earlier one with it, on which nothing ever comes.
    let (_silent, mut later) = (peer.open().unwrap(), peer.open().unwrap());
    later.send(&[1]).unwrap();
    strike_off(&world);
    assert_eq!(peer.ended().unwrap(), STRUCK_OFF);
    world.stop().unwrap();
}

#[test]
fn its_key_gets_no_new_certificate() {
    let world = authority_with_rogue();
    let data = data_of(&world, SOUTH);
    let key = Identity::load(&data).unwrap().key;
    let renew = || {
        let peer = Peer::to_enrol(&data, world.authority.quic).unwrap();
        let proof = Proof { agent: south(), key: key.public(), binding: peer.binding().unwrap() };
        let mut stream = peer.open().unwrap();
        stream.frame(&EnrolRequest::Renew(key.sign_value(&proof).unwrap())).unwrap();
        stream.read::<EnrolAnswer>().unwrap()
    };
    assert!(matches!(renew(), EnrolAnswer::Enrolled(_)));
    strike_off(&world);
    let answer = renew();
    assert!(matches!(&answer, EnrolAnswer::Refused(why) if why.contains("not enrolled")), "{:?}", encoded(&answer));
    world.stop().unwrap();
}
