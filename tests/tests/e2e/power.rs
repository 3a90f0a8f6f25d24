//! Power cuts of agents and authority at random instants, a handful of each; and that the same cuts find a missing fsync.
//!
//! Deliberately through the program that does them by the hundred: it has mounts of its own, which end with it.

use tests::binaries::binaries;
use tests::crash::power::mounts::SKIPPED;
use tests::skipped;

/// Cuts the power; `None` when this machine does not let us.
fn cut(line: &str) -> Option<(bool, String)> {
    binaries().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_crash")).args(line.split(' ')).output().unwrap();
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.code() == Some(SKIPPED.into()) {
        skipped::say(said.trim().lines().last().unwrap_or_default());
        return None;
    }
    Some((output.status.success(), said))
}

#[test]
fn agents_whose_power_is_cut_keep_what_they_answered_and_come_back_deciding() {
    let Some((held, said)) = cut("power agent --cuts 4") else { return };
    assert!(held, "{said}");
    assert!(said.contains("8 agents that came back deciding without a network"), "{said}");
}

#[test]
fn an_authority_whose_power_is_cut_keeps_what_it_answered() {
    let Some((held, said)) = cut("power authority --cuts 4") else { return };
    assert!(held, "{said}");
}

#[test]
fn a_cut_finds_agents_that_answer_before_an_fsync() {
    let Some((held, said)) = cut("power agent --cuts 1 --without both") else { return };
    assert!(!held && said.contains("BROKEN after cut 1"), "{said}");
}
