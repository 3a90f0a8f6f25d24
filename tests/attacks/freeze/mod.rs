//! The agent is kept from hearing anything new, while what is old goes on being told.
//!
//! Attacker: somebody on the way.
//! Power: lets old frames through and holds the new ones back, for as long as it likes.
//! Refused: old words renew no lease: each door denies with `lease_ended` when its lease is over.

use crate::stage::Stage;
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{Refusal, ToAgent};

const LEASE_MS: i64 = 7 * 86_400_000;

#[test]
fn neither_silence_nor_the_newest_word_that_was_let_through_keeps_a_door_open() {
    let mut stage = Stage::new();
    let pulse = stage.campus.signing.sign_value(&stage.campus.pulse(stage.campus.now)).unwrap();
    let mut frozen = stage.snapshot();
    frozen.push(ToAgent::Pulse(pulse));
    // The authority goes on; nothing of it arrives.
    stage.campus.suspend("BOB");
    let fresh_at = stage.victim.disk.image.floor.fresh_at;
    stage.victim.now = fresh_at.plus_ms(LEASE_MS - 1);
    assert_eq!(stage.tap("ADA"), Reason::Granted);
    frozen.iter().for_each(|frame| stage.victim.hear(frame));
    let refusals = stage.victim.take_refusals();
    assert!(matches!(refusals.as_slice(), [Refusal::ClockDisagrees { .. }]), "{refusals:?}");
    assert_ne!(stage.tap("ADA"), Reason::Granted, "a word of last week makes its clock doubtful at once");
    stage.victim.restart(&stage.campus);
    stage.victim.now = fresh_at.plus_ms(LEASE_MS);
    assert_eq!(stage.tap("ADA"), Reason::LeaseEnded);
    assert_eq!(stage.victim.disk.image.floor.fresh_at, fresh_at);
}

#[test]
fn fresh_words_about_a_commit_that_is_held_back_renew_no_lease() {
    let mut stage = Stage::new();
    let fresh_at = stage.victim.disk.image.floor.fresh_at;
    stage.campus.suspend("ADA");
    for day in 1..=7 {
        stage.victim.now = fresh_at.plus_ms(day * 86_400_000);
        let pulse = stage.campus.signing.sign_value(&stage.campus.pulse(stage.victim.now)).unwrap();
        stage.victim.hear(&ToAgent::Pulse(pulse));
        assert!(stage.victim.take_refusals().is_empty());
    }
    assert_eq!(stage.tap("ADA"), Reason::LeaseEnded);
}
