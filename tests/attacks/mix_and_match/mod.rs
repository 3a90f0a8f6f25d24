//! Parts that are each valid are put together anew.
//!
//! Attacker: somebody on the way who kept what passed, of all agents and all times.
//! Power: every head, leaf, path, part and pulse that was ever sent.
//! Refused: `Unproven` when the proof does not close, `NeedSnapshot` when the facts do not have the digest, `Fork` for a pulse.

use crate::stage::Stage;
use crate::stage::campus::{Campus, north, south};
use doorward_protocol::commit::Head;
use doorward_protocol::frame::{Base, Refusal, ToAgent, Update};

fn unproven(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Unproven(_))
}

fn update(head: Head) -> ToAgent {
    ToAgent::Update(Box::new(Update { head, base: Base::Present, parts: 0 }))
}

#[test]
fn commit_leaf_and_path_of_different_origin_prove_nothing() {
    let mut stage = Stage::new();
    let before = stage.campus.head(&north());
    stage.campus.suspend("ADA");
    let (now, other) = (stage.campus.head(&north()), stage.campus.head(&south()));
    let mixed = [
        Head { leaf: before.leaf.clone(), ..now.clone() },
        Head { leaf: before.leaf, path: before.path, ..now.clone() },
        Head { leaf: other.leaf.clone(), path: other.path.clone(), ..now.clone() },
        Head { leaf: other.leaf, ..now.clone() },
        Head { path: other.path, ..now },
    ];
    for head in mixed {
        stage.refused([update(head)], unproven);
    }
}

#[test]
fn every_alteration_of_a_path_leads_elsewhere() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let head = stage.campus.head(&north());
    let altered = |change: fn(&mut doorward_protocol::merkle::Path)| {
        let mut head = head.clone();
        change(&mut head.path);
        update(head)
    };
    let attacks = [
        altered(|path| path.index += 1),
        altered(|path| path.size += 1),
        altered(|path| path.size = u32::MAX),
        altered(|path| path.siblings.truncate(path.siblings.len() - 1)),
        altered(|path| path.siblings.push(path.siblings[0])),
        altered(|path| path.siblings = vec![path.siblings[0]; 10_000]),
    ];
    for attack in attacks {
        stage.refused([attack], unproven);
    }
}

#[test]
fn the_head_of_one_commit_with_the_delta_of_another_changes_nothing() {
    let mut stage = Stage::new();
    let mut other = Campus::new("tiny");
    stage.campus.suspend("ADA");
    other.suspend("BOB");
    let [head, _] = stage.update().try_into().unwrap();
    let [_, delta] = other.update(&north(), stage.victim.claim()).try_into().unwrap();
    stage.refused([head, delta], |refusal| matches!(refusal, Refusal::NeedSnapshot(_)));
}

#[test]
fn a_pulse_that_names_the_position_of_one_commit_and_the_hash_of_another_is_a_fork() {
    let mut stage = Stage::new();
    let mut pulse = stage.campus.pulse(stage.campus.now);
    pulse.commit.0[0] ^= 1;
    let pulse = ToAgent::Pulse(stage.campus.signing.sign_value(&pulse).unwrap());
    stage.refused([pulse], |refusal| matches!(refusal, Refusal::Fork { .. }));
}

#[test]
fn a_signature_of_one_kind_is_none_of_another() {
    let mut stage = Stage::new();
    stage.campus.suspend("ADA");
    let pulse = stage.campus.signing.sign_value(&stage.campus.pulse(stage.campus.now)).unwrap();
    let mut head = stage.campus.head(&north());
    head.commit.signatures = pulse.signatures;
    stage.refused([update(head)], unproven);
}
