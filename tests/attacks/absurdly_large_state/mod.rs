//! A state that is valid in every respect, and absurd.
//!
//! Attacker: an authority with a fault, or a thief of its key.
//! Power: signs whatever state it likes, with the right digest.
//! Refused: `OutOfBounds`; the doors go on with what they had, and no snapshot is asked for, since none would help.

use crate::stage::Stage;
use crate::stage::campus::{framed, north};
use doorward_protocol::codec::{encode, split_into_parts};
use doorward_protocol::commit::{Head, Leaf};
use doorward_protocol::digest::SetSum;
use doorward_protocol::facts::{Door, Fact};
use doorward_protocol::frame::{Base, Refusal, ToAgent, Update};
use doorward_protocol::limits::{DOORS_MAX, FRAME_BYTES_MAX, PARTS_MAX, STATEMENTS_MAX};
use doorward_protocol::merkle::Tree;
use doorward_protocol::state::Change;

fn out_of_bounds(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::OutOfBounds(_))
}

/// The next commit says that the agent's facts are these.
fn signed_for(stage: &Stage, facts: &[Fact]) -> Head {
    let mut sum = SetSum::default();
    facts.iter().for_each(|fact| sum.add(&encode(fact).unwrap()));
    let head = stage.campus.head(&north());
    let leaf = Leaf { digest: sum.digest(), ..head.leaf };
    let tree = Tree::new(vec![leaf.hash().unwrap()]);
    let mut commit = head.commit.unverified().unwrap();
    (commit.previous, commit.root) = (head.commit.hash(), tree.root());
    commit.position.seq += 1;
    Head { commit: stage.campus.signing.sign_value(&commit).unwrap(), leaf, path: tree.path(0).unwrap() }
}

fn door(number: usize) -> Fact {
    Fact::Door(Door {
        door: format!("d{number}").parse().unwrap(),
        function: "entry".parse().unwrap(),
        identity: true,
        unlock: None,
        lease_ms: None,
        lockdown: false,
    })
}

#[test]
fn a_state_of_more_doors_than_any_agent_has_is_refused() {
    let mut stage = Stage::new();
    let ToAgent::Part(present) = stage.snapshot().remove(1) else { panic!() };
    let doors = (0..=DOORS_MAX).map(door);
    let facts: Vec<Fact> = present.put.into_iter().chain(doors).collect();
    let head = signed_for(&stage, &facts);
    let parts = split_into_parts(facts).unwrap().into_iter().map(|put| Change { removed: vec![], put });
    stage.refused(framed(head, Base::Nothing, parts.collect()), out_of_bounds);
}

#[test]
fn a_fact_larger_than_its_bound_is_refused() {
    let mut stage = Stage::new();
    let ToAgent::Part(mut present) = stage.snapshot().remove(1) else { panic!() };
    let calendar = present.put.iter_mut().find_map(|fact| match fact {
        Fact::Calendar(calendar) => Some(calendar),
        Fact::Reader(_) | Fact::Door(_) | Fact::Credential(_) | Fact::Schedule(..) | Fact::Class(..) => None,
    });
    calendar.unwrap().holidays = (0..130_000).map(doorward_protocol::time::Day).collect();
    let head = signed_for(&stage, &present.put);
    let frames = framed(head, Base::Nothing, vec![present]);
    assert!(encode(&frames[1]).unwrap().len() < FRAME_BYTES_MAX);
    stage.refused(frames, out_of_bounds);
}

#[test]
fn an_update_of_more_parts_than_the_bound_is_refused_before_any_of_them() {
    let mut stage = Stage::new();
    for (card, parts) in [("ADA", PARTS_MAX + 1), ("BOB", u32::MAX)] {
        stage.campus.suspend(card);
        let update = Update { head: stage.campus.head(&north()), base: Base::Present, parts };
        stage.refused([ToAgent::Update(Box::new(update))], out_of_bounds);
    }
}

#[test]
fn more_statements_at_once_than_the_bound_are_refused_before_any_is_looked_at() {
    let mut stage = Stage::new();
    let statements = vec![stage.campus.statements[0].clone(); STATEMENTS_MAX + 1];
    stage.refused([ToAgent::Statements(statements)], out_of_bounds);
}

#[test]
fn more_items_in_a_removal_than_the_bound_are_refused() {
    let mut stage = Stage::new();
    let mut removal = stage.campus.removal("ADA");
    removal.items = vec![removal.items[0].clone(); 4097];
    let removal = ToAgent::Removal(stage.campus.signing.sign_value(&removal).unwrap());
    stage.refused([removal], out_of_bounds);
}
