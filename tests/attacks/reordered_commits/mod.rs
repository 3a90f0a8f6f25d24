//! Valid updates arrive in another order than the one in which they were sent.
//!
//! Attacker: somebody on the way, or a relay that carries deltas.
//! Power: holds frames back and sends them in any order.
//! Refused: `Backward` for what comes late, `NeedSnapshot` for what does not fit; parts without their update are no update.

use crate::stage::Stage;
use crate::stage::campus::framed;
use doorward_protocol::facts::Fact;
use doorward_protocol::frame::{Base, Refusal, ToAgent, Update};
use doorward_protocol::state::Change;

#[test]
fn the_older_of_two_updates_is_refused_when_it_comes_second() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let first = stage.update();
    stage.campus.suspend("BOB");
    let second = stage.update();
    second.iter().for_each(|frame| stage.victim.hear(frame));
    stage.is_exact();
    stage.refused(first, |refusal| matches!(refusal, Refusal::Backward { .. }));
}

#[test]
fn parts_before_their_update_are_no_part_of_it() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let mut frames = stage.update();
    frames.rotate_left(1);
    assert!(matches!(frames.last(), Some(ToAgent::Update(_))));
    stage.ignored(frames);
}

#[test]
fn parts_of_one_update_in_the_place_of_another_ones_do_not_fit() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let first = stage.update();
    stage.campus.suspend("BOB");
    let second = stage.update();
    let mixed = [second[0].clone(), first[1].clone()];
    stage.refused(mixed, |refusal| matches!(refusal, Refusal::NeedSnapshot(_)));
}

/// A snapshot in one part.
fn whole_snapshot(stage: &Stage) -> (Update, Change) {
    let frames: [ToAgent; 2] = stage.snapshot().try_into().unwrap();
    let [ToAgent::Update(update), ToAgent::Part(whole)] = frames else { panic!("an update and its part") };
    (*update, whole)
}

#[test]
fn parts_of_a_snapshot_that_stand_twice_or_lack_one_do_not_fit() {
    let mut stage = Stage::new();
    stage.suspend("ADA");
    stage.campus.suspend("BOB");
    let (update, whole) = whole_snapshot(&stage);
    let (left, right) = whole.put.split_at(whole.put.len() / 2);
    let part = |facts: &[Fact]| Change { removed: vec![], put: facts.to_vec() };
    let twice = framed(update.head.clone(), Base::Nothing, vec![part(left), part(left)]);
    stage.refused(twice, |refusal| matches!(refusal, Refusal::NeedSnapshot(_)));
    // In another order they are the same set of facts, and that is what was signed.
    stage.campus.suspend("CEM");
    let (update, whole) = whole_snapshot(&stage);
    let (left, right_now) = whole.put.split_at(whole.put.len() / 2);
    assert_eq!(right.len(), right_now.len());
    for frame in framed(update.head, Base::Nothing, vec![part(right_now), part(left)]) {
        stage.victim.hear(&frame);
    }
    stage.is_exact();
}
