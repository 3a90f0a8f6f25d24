//! An update that was valid once is sent again.
//!
//! Attacker: somebody on the way who kept what passed.
//! Power: every frame the authority ever sent to this agent.
//! Refused: `Backward`, also after a restart; the commit in force, sent again, is only confirmed again.

use crate::stage::Stage;
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{Refusal, ToAuthority};

#[test]
fn an_update_of_before_does_not_undo_a_suspension() {
    let mut stage = Stage::new();
    let old = stage.snapshot();
    stage.suspend("ADA");
    stage.refused(old.clone(), |refusal| matches!(refusal, Refusal::Backward { .. }));
    stage.victim.restart(&stage.campus);
    stage.refused(old, |refusal| matches!(refusal, Refusal::Backward { .. }));
    assert_eq!(stage.tap("ADA"), Reason::Suspended);
}

#[test]
fn a_delta_is_not_applied_twice() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let delta = stage.update();
    stage.meet();
    // Its parts come when no update waits for any.
    stage.ignored(delta);
}

#[test]
fn the_commit_in_force_is_only_confirmed_again() {
    let mut stage = Stage::new();
    let present = stage.snapshot();
    stage.ignored(present.clone());
    stage.campus.suspend("ADA");
    stage.meet();
    stage.victim.connect();
    stage.victim.take_sent();
    stage.snapshot().iter().for_each(|frame| stage.victim.hear(frame));
    let sent = stage.victim.take_sent();
    assert!(matches!(sent.as_slice(), [ToAuthority::Receipt(_)]), "{sent:?}");
}

#[test]
fn an_old_removal_does_not_come_back_after_its_commit() {
    let mut stage = Stage::new();
    let removal = stage.campus.signing.sign_value(&stage.campus.removal("ADA")).unwrap();
    stage.suspend("ADA");
    stage
        .campus
        .run(doorward_policy::command::Command::CardResume { card: "ADA".parse().unwrap(), reason: "found".into() });
    stage.meet();
    stage.ignored([doorward_protocol::frame::ToAgent::Removal(removal)]);
    assert_eq!(stage.tap("ADA"), Reason::Granted);
}
