//! A trust statement is left out.
//!
//! Attacker: somebody on the way who would like an agent not to learn which key was withdrawn, or a hasty operator.
//! Power: holds statements back; even with all root keys, N+2 does not follow N.
//! Refused: `Unproven`; of a list in which one is missing, nothing is taken.

use crate::stage::Stage;
use doorward_protocol::frame::{Refusal, ToAgent};
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;

/// A stage whose campus has made two more statements, which the agent does not know.
fn with_statements() -> (Stage, Vec<Signed<Statement>>) {
    let mut stage = Stage::new();
    stage.campus.renew(false);
    stage.campus.renew(false);
    let statements = stage.campus.statements.clone();
    (stage, statements)
}

#[test]
fn neither_one_too_far_nor_one_again_nor_two_in_the_wrong_order_are_taken() {
    for pick in [vec![2], vec![2, 1], vec![1, 1], vec![0], vec![0, 1, 2], vec![1, 0]] {
        let (mut stage, statements) = with_statements();
        let attack = pick.iter().map(|place| statements[*place].clone()).collect();
        stage.refused([ToAgent::Statements(attack)], |refusal| matches!(refusal, Refusal::Unproven(_)));
    }
}

#[test]
fn all_root_keys_together_cannot_skip_one_or_lower_the_epoch() {
    let mut stage = Stage::new();
    let skipping = stage.campus.statement_with(|statement| statement.version += 1, &[0, 1, 2]);
    stage.refused([ToAgent::Statements(vec![skipping])], |refusal| matches!(refusal, Refusal::Unproven(_)));
    stage.campus.renew(true);
    stage.goes_on();
    let lower = stage.campus.statement_with(|statement| statement.epoch -= 1, &[0, 1, 2]);
    stage.refused([ToAgent::Statements(vec![lower])], |refusal| matches!(refusal, Refusal::Unproven(_)));
}
