//! An hour without a network: both sides go on by themselves, and afterwards nothing is missing on either.
//!
//! The hour passes for all three processes in one instant and on both of their clocks, while they run; what they do in a
//! real hour of waiting is what they do in its first seconds and in its last, and those are real here.

use super::site::{PATIENCE, Site};
use crate::tools::{NORTH, SOUTH, wait_for_alarm};
use doorward_protocol::time::UnixMs;
use tests::faketime::Clock;
use tests::network::alone;
use tests::wait::until_true;

/// Most that a clock of a test may be off by.
const SLACK_MS: i64 = 120_000;

#[test]
fn an_hour_apart_with_changes_on_both_sides_leaves_nothing_behind() {
    alone(|| apart_for_an_hour(Site::prepare("an hour apart", 200))).unwrap();
}

/// The agent's own instant of a tap of a card, which must be answered like this.
fn tap_at(site: &Site, card: &str, answer: &str) -> UnixMs {
    let said = site.world.agent(SOUTH).unwrap().reader().unwrap().ask("south-main", card, &[]).unwrap();
    assert_eq!(format!("{} {}", said["decision"], said["reason"]).replace('"', ""), answer, "{card}");
    UnixMs::parse(said["at"].as_str().unwrap()).unwrap()
}

fn apart_for_an_hour(mut site: Site) {
    let clock = Clock::right(&site.world.file("clock")).unwrap();
    let Some(environment) = clock.environment() else { return };
    site.world.authority.stop().unwrap();
    site.world.authority.environment = environment.clone();
    site.world.authority.start().unwrap();
    site.world.agents.iter_mut().for_each(|agent| agent.environment = environment.clone());
    site.start(Default::default());

    site.wire().cut();
    let taps = site.tap();
    let authority = &site.world.authority;
    let order = |line: &str| {
        let code = authority.say(line).unwrap().code;
        assert!(matches!(code, Some(0 | 3)), "{line}: {code:?}");
    };
    order("card suspend BOB --reason lost --wait 0s");
    let before = tap_at(&site, "BOB", "grant granted");
    clock.pass("1h").unwrap();
    let after = tap_at(&site, "BOB", "grant granted");
    let hour_ms = after.since_ms(before);
    assert!((3_600_000..3_600_000 + SLACK_MS).contains(&hour_ms), "{hour_ms} ms passed");
    until_true("both sides notice that nobody is there", PATIENCE, || {
        let seen = authority.agent(SOUTH)?;
        Ok(seen["connected"] == false && site.world.agent(SOUTH)?.status()?["connected_to"].is_null())
    })
    .unwrap();
    order("card suspend P1 --reason stolen --wait 0s");
    site.enlarge();
    site.world.wait_until_agent_exact(NORTH).unwrap();
    tap_at(&site, "P1", "grant granted");
    tap_at(&site, "P300", "deny unknown_credential");
    let taps = taps.map(super::taps::Tapping::end);

    site.heal();
    tap_at(&site, "BOB", "deny suspended");
    tap_at(&site, "P1", "deny suspended");
    tap_at(&site, "P300", "grant granted");
    let opened = wait_for_alarm(&site.world, SOUTH, "card-tapped");
    assert!(opened.contains("OPENED door south-main"), "{opened}");
    let file = site.world.file("later.evidence");
    let journal = site.world.authority.json_lines("journal --limit 1000").unwrap();
    let suspensions =
        journal.iter().filter(|line| line["command"].as_str().is_some_and(|name| name.contains("suspend")));
    for line in suspensions {
        let _replaced = std::fs::remove_file(&file);
        site.world.authority.say(&format!("evidence {} --out {}", line["seq"], file.display())).unwrap().ok().unwrap();
        assert!(site.is_proven(&file), "{line}");
    }
    site.end(&taps.map(|taps| {
        let further = if taps.agent == SOUTH { 7 } else { 0 };
        (taps, further)
    }));
}
