//! Signatures are to count twice.
//!
//! Attacker: a thief of one root key of three, of which two must sign.
//! Power: signs any statement with that key, as often as it likes, beside keys of its own.
//! Refused: `Unproven`; a key counts once, a stranger's not at all, and too many signatures are not even counted.

use crate::stage::Stage;
use crate::stage::campus::key;
use doorward_protocol::frame::{Refusal, ToAgent};
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;

fn refused(stage: &mut Stage, forged: Signed<Statement>) {
    stage.refused([ToAgent::Statements(vec![forged])], |refusal| matches!(refusal, Refusal::Unproven(_)));
}

#[test]
fn one_root_key_is_one_however_often_it_signs() {
    let mut stage = Stage::new();
    for roots in [vec![0], vec![0; 2], vec![0; 16], vec![0; 17]] {
        let thief = key("thief", "signing").public();
        let forged = stage.campus.statement_with(|statement| statement.signing_keys = [thief].into(), &roots);
        refused(&mut stage, forged);
    }
}

#[test]
fn a_strangers_signature_adds_nothing() {
    let mut stage = Stage::new();
    let mut forged = stage.campus.statement_with(|_| {}, &[0]);
    forged.add_signature(&key("stranger", "root"));
    refused(&mut stage, forged);
}

#[test]
fn one_root_key_cannot_lower_the_threshold_or_name_other_keys() {
    let mut stage = Stage::new();
    let thief = key("thief", "root");
    let lowered = stage.campus.statement_with(|statement| statement.root.threshold = 1, &[0]);
    refused(&mut stage, lowered);
    let mut taken = stage.campus.statement_with(
        |statement| {
            statement.root.threshold = 1;
            statement.root.keys = [thief.public()].into();
        },
        &[0],
    );
    taken.add_signature(&thief);
    refused(&mut stage, taken);
    for threshold in [0, 4, u8::MAX] {
        let unsound = stage.campus.statement_with(|statement| statement.root.threshold = threshold, &[0, 1, 2]);
        refused(&mut stage, unsound);
    }
}
