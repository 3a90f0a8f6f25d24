//! What an agent never goes below is to be forgotten: by a restart, by time, by damage.
//!
//! Attacker: somebody who can wait, pull the plug, or damage a disk.
//! Power: a valid commit of before, and any of these.
//! Refused: `Backward`, after a restart, after every lease has ended, and when the state itself is lost.

use crate::stage::Stage;
use doorward_protocol::frame::Refusal;

const YEAR_MS: i64 = 366 * 86_400_000;

fn backward(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Backward { .. })
}

#[test]
fn the_floor_survives_a_restart_and_the_end_of_every_lease() {
    let mut stage = Stage::new();
    let old = stage.snapshot();
    stage.suspend("ADA");
    stage.victim.restart(&stage.campus);
    stage.victim.now = stage.campus.now.plus_ms(YEAR_MS);
    stage.refused(old, backward);
}

#[test]
fn the_floor_survives_the_loss_of_the_state() {
    let mut stage = Stage::new();
    let old = stage.snapshot();
    stage.suspend("ADA");
    stage.victim.disk.image.facts.clear();
    stage.victim.restart(&stage.campus);
    assert_eq!(stage.victim.claim(), None);
    stage.victim.connect();
    stage.victim.take_sent();
    old.iter().for_each(|frame| stage.victim.hear(frame));
    assert!(stage.victim.take_refusals().iter().any(backward));
    assert_eq!(stage.victim.claim(), None, "rather none than an old one");
    stage.goes_on();
}

#[test]
fn the_floor_of_time_survives_a_restart() {
    let mut stage = Stage::new();
    let at = stage.victim.disk.image.floor.at;
    stage.victim.restart(&stage.campus);
    stage.victim.now = at.plus_ms(-YEAR_MS);
    assert_eq!(stage.tap("ADA"), doorward_protocol::decide::Reason::ClockUntrusted);
}
