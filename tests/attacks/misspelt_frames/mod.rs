//! A frame is spelt otherwise than it must be: bytes behind it, a number in more bytes than it needs, a byte less, too long.
//!
//! Attacker: a rogue agent, a rogue authority, or one who wants to join.
//! Power: any bytes on any stream.
//! Refused: it does not decode, whichever kind it is of and on whichever lane; the connection ends, the process does not.

use crate::stage::Stage;
use crate::stage::frames::{SLIPS, Slip, encoded, enrolment, misspelt, to_agent, to_authority};
use doorward_protocol::codec::CodecError;
use doorward_protocol::enrol::{EnrolAnswer, EnrolRequest};
use doorward_protocol::frame::{ToAgent, ToAuthority, body_length, from_wire};
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
