//! A signing key goes on signing after the next statement has named another one.
//!
//! Attacker: a thief of the old signing key, which was exchanged because of that.
//! Power: signs commits, pulses and removals with it, for any time.
//! Refused: `Unproven` as soon as the agent holds the next statement, also after a restart.

use crate::stage::Stage;
use crate::stage::campus::{Campus, north};
use doorward_protocol::frame::{Base, Refusal, ToAgent, Update};

#[test]
fn what_the_old_key_signs_is_refused_once_the_next_statement_is_known() {
    let mut stage = Stage::new();
    let mut thief = Campus::new("tiny");
    thief.suspend("ADA");
    thief.suspend("BOB");
    stage.campus.renew(false);
    stage.goes_on();
    let sign = &thief.signing;
    let frames = [
        ToAgent::Update(Box::new(Update { head: thief.head(&north()), base: Base::Present, parts: 1 })),
        ToAgent::Pulse(sign.sign_value(&stage.campus.pulse(stage.campus.now)).unwrap()),
        ToAgent::Removal(sign.sign_value(&stage.campus.removal("ADA")).unwrap()),
    ];
    for frame in frames {
        stage.refused([frame.clone()], |refusal| matches!(refusal, Refusal::Unproven(_)));
        stage.victim.restart(&stage.campus);
        stage.refused([frame], |refusal| matches!(refusal, Refusal::Unproven(_)));
    }
}

#[test]
fn the_old_key_names_no_successor_of_its_own() {
    let mut stage = Stage::new();
    stage.campus.renew(false);
    stage.goes_on();
    // A signing key is no root key: the statement that it signs counts for nothing.
    let mut forged = stage.campus.statement_with(|_| {}, &[0]);
    forged.add_signature(&stage.campus.signing);
    stage.refused([ToAgent::Statements(vec![forged])], |refusal| matches!(refusal, Refusal::Unproven(_)));
}
