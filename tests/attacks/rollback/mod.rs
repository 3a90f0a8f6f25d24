//! One side is put back to what it was.
//!
//! Attacker: whoever can put an old copy of an authority's or an agent's disk in its place.
//! Power: complete, valid, signed data of last week.
//! Refused: an agent goes back for nobody; an authority sees which agent went back, and brings it forward.

use crate::stage::Stage;
use crate::stage::campus::{Campus, north};
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::Refusal;
use doorward_protocol::session::AlarmKind;

#[test]
fn an_older_authority_takes_nothing_back() {
    let mut stage = Stage::new();
    let restored = Campus::new("tiny");
    stage.suspend("ADA");
    stage.refused(restored.update(&north(), None), |refusal| matches!(refusal, Refusal::Backward { .. }));
    assert_eq!(stage.tap("ADA"), Reason::Suspended);
}

#[test]
fn an_agent_with_an_old_disk_is_noticed_and_brought_forward() {
    let mut stage = Stage::new();
    let image = stage.victim.disk.image.clone();
    stage.suspend("ADA");
    stage.victim.disk.image = image;
    stage.victim.restart(&stage.campus);
    assert_eq!(stage.tap("ADA"), Reason::Granted, "it cannot know better by itself");
    assert_eq!(stage.meet(), [AlarmKind::AgentRolledBack]);
    stage.is_exact();
    assert_eq!(stage.tap("ADA"), Reason::Suspended);
}

#[test]
fn a_state_of_before_with_the_floor_of_today_is_not_decided_by() {
    let mut stage = Stage::new();
    let old = stage.victim.disk.image.clone();
    stage.suspend("ADA");
    let floor = stage.victim.disk.image.floor;
    stage.victim.disk.image = old;
    stage.victim.disk.image.floor = floor;
    stage.victim.restart(&stage.campus);
    assert_ne!(stage.tap("ADA"), Reason::Granted);
    stage.meet();
    stage.is_exact();
    assert_eq!(stage.tap("ADA"), Reason::Suspended);
}
