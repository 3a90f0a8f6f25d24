//! Two authorities sign different histories of one campus.
//!
//! Attacker: a thief of the signing key, or an operator who shows one history to some and another one to others.
//! Power: valid signatures under any content.
//! Refused: `Fork`, in whichever form the second history shows itself; the proof that the agent keeps names both.

use crate::stage::Stage;
use crate::stage::campus::{Campus, north};
use crate::stage::processes::{NORTH, suspend, wait_for_alarm};
use doorward_protocol::fork::{Finding, Form, verify};
use doorward_protocol::frame::{Refusal, ToAgent};
use tests::authority::Authority;
use tests::binaries::binaries;
use tests::campus::tiny;
use tests::command::run;
use tests::wait::{SOON, until_true};
use tests::world::World;

/// An agent that has the commit with Ada's suspension, and an authority that made another one in its place.
fn parted() -> (Stage, Campus) {
    let (mut stage, mut other) = (Stage::new(), Campus::new("tiny"));
    stage.suspend("ADA");
    other.suspend("BOB");
    assert_eq!(stage.campus.position(), other.position());
    (stage, other)
}

/// What a third person reads in the proof, with the public root and nothing else.
fn proven(stage: &Stage, other: &Campus, hash_of_other: doorward_protocol::id::Hash) -> Finding {
    let [proof] = stage.victim.forks.as_slice() else { panic!("{:?}", stage.victim.forks) };
    let root = stage.campus.statements[0].unverified().unwrap().root;
    let finding = verify(&proof.to_file().unwrap(), &root).unwrap();
    assert_eq!(finding.second.commit, hash_of_other);
    assert_eq!(finding.first.keys, [stage.campus.signing.public()].into());
    assert_eq!(finding.second.keys, [other.signing.public()].into());
    finding
}

fn fork(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Fork { .. })
}

#[test]
fn another_commit_of_the_same_position_is_refused_and_the_proof_names_both() {
    let (mut stage, other) = parted();
    let ours = stage.campus.present.published.hash;
    stage.refused(other.update(&north(), None), fork);
    let finding = proven(&stage, &other, other.present.published.hash);
    assert_eq!((finding.first.commit, finding.second.form), (ours, Form::Itself));
}

#[test]
fn the_next_commit_of_the_other_history_is_refused_and_the_proof_names_both() {
    let (mut stage, mut other) = parted();
    let (ours, theirs) = (stage.campus.present.published.hash, other.present.published.hash);
    other.suspend("CEM");
    stage.refused(other.update(&north(), None), fork);
    let finding = proven(&stage, &other, theirs);
    assert_eq!((finding.first.commit, finding.second.form), (ours, Form::Successor(other.present.published.hash)));
}

#[test]
fn a_pulse_of_the_other_history_is_refused_and_the_proof_names_both() {
    let (mut stage, other) = parted();
    let ours = stage.campus.present.published.hash;
    let pulse = ToAgent::Pulse(other.signing.sign_value(&other.pulse(stage.campus.now)).unwrap());
    stage.refused([pulse], fork);
    let finding = proven(&stage, &other, other.present.published.hash);
    assert_eq!((finding.first.commit, finding.second.form), (ours, Form::Pulse));
}

#[test]
fn a_history_that_parted_before_a_change_of_keys_is_proven_too() {
    let (mut stage, mut other) = parted();
    stage.campus.renew(false);
    other.renew(false);
    stage.victim.hear(&ToAgent::Statements(stage.campus.statements[1..].to_vec()));
    other.suspend("CEM");
    other.update(&north(), None).iter().for_each(|frame| stage.victim.hear(frame));
    let [proof] = stage.victim.forks.as_slice() else { panic!("{:?}", stage.victim.forks) };
    let root = stage.campus.statements[0].unverified().unwrap().root;
    let finding = verify(&proof.to_file().unwrap(), &root).unwrap();
    assert_ne!(finding.first.keys, finding.second.keys, "each was signed by the key of its time");
}

#[test]
fn of_two_real_authorities_on_copies_of_one_disk_the_agents_evidence_names_both() {
    let mut world = World::start(&tiny(), &[NORTH]).unwrap();
    world.authority.stop().unwrap();
    let twin_data = world.file("twin");
    let copied = std::process::Command::new("cp").arg("-a").args([&world.authority.data, &twin_data]).status();
    assert!(copied.unwrap().success());
    world.authority.start().unwrap();
    world.wait_until_exact().unwrap();
    suspend(&world, "ADA");
    world.wait_until_exact().unwrap();
    world.agent_mut(NORTH).unwrap().stop().unwrap();
    world.authority.stop().unwrap();

    let mut twin = Authority::at(&twin_data).unwrap();
    (twin.quic, twin.api) = (world.authority.quic, world.authority.api);
    world.authority = twin;
    world.authority.start().unwrap();
    suspend(&world, "BOB");
    world.agent_mut(NORTH).unwrap().start().unwrap();
    let text = wait_for_alarm(&world, "fork").unwrap();
    let north = world.agent(NORTH).unwrap();
    let file = north.data.join("fork-1.evidence");
    until_true("the agent keeps the proof", SOON, || Ok(file.exists())).unwrap();
    assert_eq!(north.tap("north-main", "ADA").unwrap(), "deny suspended");
    assert!(north.status().unwrap()["alarms"].to_string().contains("fork-1.evidence"));

    let root = world.authority.data.join("root.pub").display().to_string();
    let verify = ["verify", &file.display().to_string(), "--root", &root, "--json"];
    let found = run(&binaries().unwrap().authority, &verify, &[], None).unwrap().ok().unwrap().json().unwrap();
    let commits: Vec<&str> = (0..2).map(|side| found["commits"][side]["commit"].as_str().unwrap()).collect();
    assert_ne!(commits[0], commits[1]);
    assert!(commits.iter().all(|commit| text.contains(commit)), "{commits:?} in {text}");
    world.stop().unwrap();
}
