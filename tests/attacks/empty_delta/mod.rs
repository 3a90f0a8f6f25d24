//! A newer commit comes with nothing in it.
//!
//! Attacker: a relay that would like an agent to believe that nothing changed, or that everything is gone.
//! Power: a valid head, and any parts.
//! Refused: `NeedSnapshot`; nothing is not the digest that was signed, and an empty delta empties no state.

use crate::stage::Stage;
use crate::stage::campus::framed;
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::{Base, Refusal, ToAgent};
use doorward_protocol::state::Change;

#[test]
fn an_empty_update_neither_passes_for_the_change_nor_empties_the_state() {
    let mut stage = Stage::new();
    for base in [Base::Present, Base::Nothing] {
        for parts in [vec![], vec![Change::default()], vec![Change::default(); 3]] {
            stage.campus.run(doorward_policy::command::Command::CardSuspend {
                card: "ADA".parse().unwrap(),
                reason: "lost".into(),
            });
            let ToAgent::Update(update) = stage.update().remove(0) else { panic!() };
            let frames = framed(update.head, base, parts);
            stage.refused(frames, |refusal| matches!(refusal, Refusal::NeedSnapshot(_)));
            assert_eq!(stage.tap("BOB"), Reason::Granted);
            let card = "ADA".parse().unwrap();
            stage.campus.run(doorward_policy::command::Command::CardResume { card, reason: "found".into() });
            stage.meet();
        }
    }
}

#[test]
fn a_commit_that_changes_nothing_here_leaves_all_as_it_was() {
    let mut stage = Stage::new();
    let digest = stage.victim.claim().unwrap().digest;
    // Eve's card opens nothing in the north.
    stage.campus.suspend("EVE");
    stage.meet();
    stage.is_exact();
    assert_eq!(stage.victim.claim().unwrap().digest, digest);
}
