//! The authority's journal is put back to an old copy, and goes on from there.
//!
//! Attacker: whoever has a backup to restore, or a careless operator.
//! Power: the authority itself with all its keys, but without the last entries.
//! Refused: its session sends nothing to an agent that is ahead or has a commit that it never signed, and says so; when it
//! has just caught up by other entries, the agent refuses it as a `Fork` and keeps the proof. A new epoch, signed by the
//! root, ends all of it.

use crate::stage::Stage;
use crate::stage::campus::Campus;
use doorward_protocol::decide::Reason;
use doorward_protocol::session::AlarmKind;

#[test]
fn an_authority_that_is_behind_its_agents_sends_nothing_until_a_new_epoch() {
    let mut stage = Stage::new();
    stage.suspend("ADA");
    stage.campus = Campus::new("tiny");
    assert_eq!(stage.meet(), [AlarmKind::AuthorityRolledBack]);
    assert!(stage.victim.alarms.is_empty(), "there was nothing for the agent to refuse");
    assert_eq!(stage.tap("ADA"), Reason::Suspended);
    stage.campus.renew(true);
    stage.meet();
    stage.is_exact();
    stage.goes_on();
}

#[test]
fn an_authority_that_went_on_otherwise_does_not_take_a_suspension_back() {
    for (other_entries, alarm, proofs) in [
        (1, AlarmKind::Fork, 1),
        (2, AlarmKind::Fork, 1),
        (3, AlarmKind::AuthorityRolledBack, 0),
        (8, AlarmKind::AuthorityRolledBack, 0),
    ] {
        let mut stage = Stage::new();
        stage.suspend("ADA");
        stage.campus = Campus::new("tiny");
        (0..other_entries).for_each(|entry| stage.campus.grant(entry));
        assert_eq!(stage.meet(), [alarm], "{other_entries} other entries");
        assert_eq!(stage.tap("ADA"), Reason::Suspended);
        assert_eq!(stage.victim.forks.len(), proofs);
        stage.campus.renew(true);
        stage.meet();
        stage.is_exact();
    }
}
