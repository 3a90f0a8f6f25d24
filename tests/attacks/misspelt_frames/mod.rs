//! A frame is spelt otherwise than it must be: bytes behind it, a number in more bytes than it needs, a byte less, too long.
//!
//! Attacker: a rogue agent, a rogue authority, or one who wants to join.
//! Power: any bytes on any stream.
//! Refused: it does not decode, whichever kind it is of and on whichever lane; the connection ends, the process does not.

use crate::stage::Stage;
use crate::stage::frames::on_stream;
use crate::stage::frames::{SLIPS, Slip, encoded, enrolment, misspelt, to_agent, to_authority};
use crate::stage::processes::{
    PROTOCOL, SOUTH, agent_goes_on, agent_memory_kib, authority_goes_on, authority_memory_kib, data_of, lane, rogue,
    world_with_rogue,
};
use crate::stage::wire::{Guest, Host, Peer, Stream};
use doorward_protocol::codec::CodecError;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest};
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority, body_length, from_wire, to_wire};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn has_one_spelling<T: Serialize + DeserializeOwned + std::fmt::Debug + PartialEq>(value: &T) {
    let body = encoded(value);
    assert_eq!(from_wire::<T>(&body).as_ref(), Ok(value));
    for slip in SLIPS {
        let refused = from_wire::<T>(&misspelt(&body, slip)).unwrap_err();
        let is_expected = match slip {
            Slip::Trailing => refused == CodecError::Trailing(1),
            Slip::NotCanonical => refused == CodecError::NotCanonical,
            Slip::Truncated => refused == CodecError::Malformed,
            Slip::Oversized => matches!(refused, CodecError::TooLong(..)),
        };
        assert!(is_expected, "{slip:?} of {value:?} is {refused:?}");
    }
}

#[test]
fn every_frame_of_every_kind_has_one_spelling() {
    let stage = Stage::new();
    to_agent(&stage).iter().for_each(|(_, frame)| has_one_spelling::<ToAgent>(frame));
    to_authority(&stage).iter().for_each(|(_, frame)| has_one_spelling::<ToAuthority>(frame));
    let (requests, answers) = enrolment(&stage);
    for request in requests {
        let body = encoded(&request);
        for slip in SLIPS {
            assert!(from_wire::<EnrolRequest>(&misspelt(&body, slip)).is_err(), "{slip:?}");
        }
    }
    answers.iter().for_each(has_one_spelling::<EnrolAnswer>);
}

#[test]
fn a_length_beyond_the_bound_is_refused_before_anything_follows() {
    for length in [1_048_577_u32, 1 << 24, u32::MAX] {
        assert!(body_length(length.to_le_bytes()).is_err(), "{length}");
    }
}

#[test]
fn the_authority_ends_the_connection_of_whoever_misspells_a_frame_and_no_more() {
    let mut world = world_with_rogue();
    let before = authority_memory_kib(&mut world);
    let stage = Stage::new();
    for (own_lane, frame) in to_authority(&stage) {
        for slip in SLIPS.into_iter().filter(|slip| *slip != Slip::Truncated) {
            let peer = rogue(&world);
            lane(&peer, own_lane).send(&on_stream(&misspelt(&encoded(&frame), slip))).unwrap();
            assert_eq!(peer.ended().unwrap(), PROTOCOL, "{slip:?} of {frame:?}");
        }
        let other_lane = if own_lane == Lane::Control { Lane::Records } else { Lane::Control };
        let peer = rogue(&world);
        lane(&peer, other_lane).frame(&frame).unwrap();
        assert_eq!(peer.ended().unwrap(), PROTOCOL, "{frame:?} on the lane of others");
    }
    for request in enrolment(&stage).0 {
        for slip in SLIPS.into_iter().filter(|slip| *slip != Slip::Truncated) {
            let peer = Peer::to_enrol(&data_of(&world, SOUTH), world.authority.quic).unwrap();
            peer.open().unwrap().send(&on_stream(&misspelt(&encoded(&request), slip))).unwrap();
            peer.ended().unwrap();
        }
    }
    authority_goes_on(&mut world, before);
    world.stop().unwrap();
}

/// The stream of a lane.
fn of_guest(guest: &mut Guest, lane: Lane) -> &mut Stream {
    match lane {
        Lane::Control => &mut guest.control,
        Lane::Records => &mut guest.records,
        Lane::Removal => &mut guest.removals,
    }
}

#[test]
fn the_agent_leaves_an_authority_that_misspells_a_frame_and_finds_the_honest_one_again() {
    let mut world = world_with_rogue();
    let before = agent_memory_kib(&mut world);
    world.authority.stop().unwrap();
    let host = Host::listen(&world.authority.data, &"tiny".parse().unwrap(), world.authority.quic).unwrap();
    let attack = |lane: Lane, bytes: &[u8]| {
        let mut guest = host.guest().unwrap();
        // Whoever was heard is looked for again at once.
        guest.control.frame(&ToAgent::Statements(vec![])).unwrap();
        guest.control.read::<ToAuthority>().unwrap();
        of_guest(&mut guest, lane).send(bytes).unwrap();
        guest.peer.ended().unwrap();
    };
    for (lane, frame) in to_agent(&Stage::new()) {
        for slip in SLIPS.into_iter().filter(|slip| *slip != Slip::Truncated) {
            attack(lane, &on_stream(&misspelt(&encoded(&frame), slip)));
        }
        let other_lane = if lane == Lane::Control { Lane::Removal } else { Lane::Control };
        attack(other_lane, &to_wire(&frame).unwrap());
    }
    drop(host);
    agent_goes_on(&mut world, before);
    world.stop().unwrap();
}
