//! An update is cut off, byte by byte and frame by frame.
//!
//! Attacker: somebody on the way.
//! Power: cuts the connection wherever it likes, and carries on in the next one.
//! Refused: what is not whole does not decode, and an update that is not whole is none.

use crate::stage::Stage;
use crate::stage::frames::{encoded, to_agent};
use doorward_protocol::frame::{ToAgent, from_wire};

#[test]
fn no_beginning_of_a_frame_is_a_frame() {
    for (_, frame) in to_agent(&Stage::new()) {
        let bytes = encoded(&frame);
        for length in 0..bytes.len() {
            assert!(from_wire::<ToAgent>(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn an_update_without_its_last_part_changes_nothing() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let mut frames = stage.update();
    frames.pop();
    assert!(!frames.is_empty());
    stage.ignored(frames);
}

#[test]
fn the_rest_of_an_update_that_was_cut_does_not_complete_it_in_the_next_connection() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let [update, part] = stage.update().try_into().unwrap();
    stage.victim.hear(&update);
    stage.ignored([part]);
}
