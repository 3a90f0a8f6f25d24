//! Bytes and frames of an enemy: nothing panics, nothing unproven changes a state.

use doorward_protocol::agent::sync::Input;
use doorward_protocol::codec;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest, JoinToken};
use doorward_protocol::evidence::Evidence;
use doorward_protocol::frame::{self, ToAgent, ToAuthority};
use doorward_protocol::session::sync as session;
use doorward_protocol::sign::Signed;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::sync::World;

/// Frames that a sound authority sends: the enemy begins with these.
fn sound_frames() -> Vec<Vec<u8>> {
    let mut world = World::connected();
    let removal = world.authority.suspend(1);
    let mut frames = world.update_frames();
    frames.push(ToAgent::Removal(removal));
    frames.push(ToAgent::Pulse(world.authority.pulse(world.now)));
    frames.push(ToAgent::Statements(world.authority.statements.clone()));
    frames.iter().map(|frame| codec::encode(frame).unwrap()).collect()
}

#[test]
fn a_length_beyond_the_bound_is_refused_before_anything_is_allocated() {
    assert!(frame::body_length(u32::MAX.to_le_bytes()).is_err());
    assert!(frame::body_length([0, 0, 16, 0]).is_ok());
    assert!(frame::body_length([1, 0, 16, 0]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = frame::from_wire::<ToAgent>(&bytes);
        let _ = frame::from_wire::<ToAuthority>(&bytes);
        let _ = codec::decode::<EnrolRequest>(&bytes);
        let _ = codec::decode::<EnrolAnswer>(&bytes);
        let _ = codec::decode::<Signed<Evidence>>(&bytes);
        let _ = JoinToken::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn whatever_decodes_has_one_spelling(bytes in vec(0_u8..8, 0..40)) {
        if let Ok(frame) = frame::from_wire::<ToAuthority>(&bytes) {
            prop_assert_eq!(codec::encode(&frame).unwrap(), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn altered_frames_in_any_order_change_no_state(
        picks in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_u8..=255), 1..8),
    ) {
        let mut world = World::connected();
        let (position, digest) = (world.agent.position(), world.agent.digest());
        let sound = sound_frames();
        for (frame, place, flip) in picks {
            let mut bytes = frame.get(&sound).clone();
            *place.get_mut(&mut bytes) ^= flip;
            if let Ok(frame) = frame::from_wire::<ToAgent>(&bytes) {
                let changed_part = matches!(frame, ToAgent::Part(_));
                world.agent.handle(Input::Frame(frame), world.now);
                prop_assert!(changed_part || world.agent.position() == position);
            }
            prop_assert_eq!(world.agent.digest(), digest);
        }
    }

    #[test]
    fn frames_in_any_order_leave_the_session_standing_or_closed(
        bytes in vec(vec(any::<u8>(), 0..60), 0..10),
    ) {
        let mut world = World::connected();
        for bytes in bytes {
            if let Ok(frame) = frame::from_wire::<ToAuthority>(&bytes) {
                world.tell(session::Input::Frame(frame));
            }
        }
        prop_assert_eq!(world.authority.heads.len(), 1);
    }
}
