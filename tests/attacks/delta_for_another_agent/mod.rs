//! What was made for one agent is handed to another.
//!
//! Attacker: a relay, or somebody on the way.
//! Power: the valid updates of all agents.
//! Refused: `Unproven` with the other's proof, `NeedSnapshot` with the own proof and the other's facts.

use crate::stage::Stage;
use crate::stage::campus::{framed, north, south};
use doorward_protocol::frame::{Base, Refusal, ToAgent};

#[test]
fn the_update_of_another_agent_is_refused() {
    let mut stage = Stage::new();
    let claim = stage.victim.claim();
    stage.campus.suspend("ADA");
    for have in [claim, None] {
        let other = stage.campus.update(&south(), have);
        stage.refused(other, |refusal| matches!(refusal, Refusal::Unproven(_)));
    }
}

#[test]
fn facts_of_another_agent_under_the_own_proof_are_refused() {
    let mut stage = Stage::new();
    for (card, base) in [("ADA", Base::Present), ("BOB", Base::Nothing)] {
        stage.campus.suspend(card);
        let head = stage.campus.head(&north());
        let ToAgent::Part(foreign) = stage.campus.update(&south(), None).remove(1) else { panic!("a part") };
        let frames = framed(head, base, vec![foreign]);
        stage.refused(frames, |refusal| matches!(refusal, Refusal::NeedSnapshot(_)));
    }
}
