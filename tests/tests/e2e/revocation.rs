//! Revocation: where a card no longer opens is known within moments, and a file proves it to anyone.

use crate::tools::{NORTH, SOUTH, assert_says, tiny_world};
use std::path::Path;
use tests::binaries::binaries;
use tests::command::{Answer, run};
use tests::wait::{SOON, until_true};
use tests::world::World;

/// Verifies as a stranger would: two files and the program, no data directory and no server.
pub fn verify(evidence: &Path, root: &Path) -> Answer {
    let line = ["verify".to_owned(), evidence.display().to_string(), "--root".to_owned(), root.display().to_string()];
    run(&binaries().unwrap().authority, &line, &[], Some(Path::new("/"))).unwrap()
}

pub fn root_of(world: &World) -> std::path::PathBuf {
    world.authority.data.join("root.pub")
}

#[test]
fn a_suspended_card_opens_nothing_at_once_and_the_evidence_says_so() {
    let world = tiny_world();
    let file = world.file("lost.evidence");
    let suspend = format!("card suspend ADA --reason lost --evidence {}", file.display());
    let closed = world.authority.say(&suspend).unwrap().ok().unwrap();
    assert_says(&closed.out, &["agent-north", "agent-south", "5 of 5 doors"]);
    assert_eq!(world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap(), "deny suspended");
    assert_eq!(world.agent(SOUTH).unwrap().tap("south-main", "ADA").unwrap(), "deny suspended");
    let verified = verify(&file, &root_of(&world)).ok().unwrap();
    assert_says(&verified.out, &["genuine", "north-main", "south-side", "lost"]);
    world.stop().unwrap();
}

#[test]
fn a_cut_off_agent_is_named_with_its_lease_and_closes_when_it_is_back() {
    let world = tiny_world();
    let south = world.agent(SOUTH).unwrap();
    south.network.cut();
    let file = world.file("lost.evidence");
    let suspend = format!("card suspend ADA --reason lost --wait 1s --evidence {}", file.display());
    let partly = world.authority.say(&suspend).unwrap().with_code(3).unwrap();
    assert_says(&partly.out, &["unreachable", "agent-south", "lease ends"]);
    assert_eq!(world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap(), "deny suspended");
    assert_eq!(south.tap("south-main", "ADA").unwrap(), "grant granted", "nobody could tell it");
    let first = verify(&file, &root_of(&world)).ok().unwrap();
    assert_says(&first.out, &["south-main"]);
    let states = |answer: &Answer| {
        let found = answer.json().unwrap();
        let doors = found["doors"].as_array().unwrap().clone();
        let closed = doors.iter().filter(|door| door["state"] == "closed").count();
        (closed, doors.len())
    };
    let as_json = |file: &Path| {
        let [evidence, root] = [file, &root_of(&world)].map(|path| path.display().to_string());
        run(&binaries().unwrap().authority, &["verify", &evidence, "--root", &root, "--json"], &[], None).unwrap()
    };
    assert_eq!(states(&as_json(&file).ok().unwrap()), (2, 5));

    south.network.mend();
    south.wait_for("south-main", "ADA", "deny suspended").unwrap();
    until_true("the tap that nobody could refuse is an alarm", SOON, || {
        Ok(world.authority.say("alarms")?.ok()?.out.contains("OPENED door south-main"))
    })
    .unwrap();
    let seq = world.authority.api_json("/v1/status").unwrap()["journal_head"].as_u64().unwrap();
    let later = world.file("later.evidence");
    until_true("the evidence is complete", SOON, || {
        let _replaced = std::fs::remove_file(&later);
        world.authority.say(&format!("evidence {seq} --out {}", later.display()))?;
        Ok(states(&as_json(&later).ok()?) == (5, 5))
    })
    .unwrap();
    world.stop().unwrap();
}

#[test]
fn evidence_in_which_a_byte_is_changed_proves_nothing() {
    let world = tiny_world();
    let file = world.file("lost.evidence");
    world
        .authority
        .say(&format!("card suspend ADA --reason lost --evidence {}", file.display()))
        .unwrap()
        .ok()
        .unwrap();
    let root = root_of(&world);
    let bytes = std::fs::read(&file).unwrap();
    let changed = world.file("changed.evidence");
    let samples = 64;
    for sample in 0..samples {
        let mut copy = bytes.clone();
        let at = sample * (bytes.len() - 1) / (samples - 1);
        copy[at] ^= 1 << (sample % 8);
        std::fs::write(&changed, &copy).unwrap();
        let refused = verify(&changed, &root).with_code(1).unwrap();
        assert_says(&refused.err, &["proves nothing"]);
    }
    for wrong in [&bytes[..bytes.len() - 1], &[bytes.as_slice(), b"x"].concat(), b""] {
        std::fs::write(&changed, wrong).unwrap();
        verify(&changed, &root).with_code(1).unwrap();
    }
    verify(&file, &root).ok().unwrap();
    // Another campus's root key finds nothing of its own in it.
    let other = tests::authority::Authority::init(&world.file("other"), &tests::campus::tiny()).unwrap();
    verify(&file, &other.data.join("root.pub")).with_code(1).unwrap();
    world.stop().unwrap();
}

#[test]
fn a_card_goes_through_its_states_and_its_doors_follow() {
    let world = tiny_world();
    let north = world.agent(NORTH).unwrap();
    let order = |line: &str| world.authority.say(line).unwrap().ok().unwrap();
    assert!(north.tap("north-main", "DANA-NEW").unwrap().starts_with("deny"));
    order("card activate DANA-NEW");
    north.wait_for("north-main", "DANA-NEW", "grant granted").unwrap();
    order("card suspend DANA-NEW --reason mislaid");
    assert_eq!(north.tap("north-main", "DANA-NEW").unwrap(), "deny suspended");
    assert_says(&order("card show DANA-NEW").out, &["Dana Novak", "suspended"]);
    order("card resume DANA-NEW --reason found");
    north.wait_for("north-main", "DANA-NEW", "grant granted").unwrap();
    order("card close DANA-NEW --reason broken");
    assert!(north.tap("north-main", "DANA-NEW").unwrap().starts_with("deny"));
    for wrong in ["card resume DANA-NEW --reason found", "card activate DANA-NEW", "card suspend NOBODY --reason lost"]
    {
        world.authority.say(wrong).unwrap().with_code(1).unwrap();
    }
    world.stop().unwrap();
}
