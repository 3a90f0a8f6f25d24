//! Partitions: an hour without a network, and networks that carry one way only. Both sides go on by themselves, and
//! afterwards nothing is missing on either.
//!
//! The hour passes for all three processes in one instant and on both of their clocks, while they run; what they do in a
//! real hour of waiting is what they do in its first seconds and in its last, and those are real here.

use super::site::{PATIENCE, Site};
use super::taps::Tapping;
use crate::tools::{NORTH, SOUTH, wait_for_alarm};
use doorward_protocol::time::UnixMs;
use tests::faketime::Clock;
use tests::network::alone;
use tests::wait::until_true;
use tests::wire::faults::Faults;

/// Most that a clock of a test may be off by.
const SLACK_MS: i64 = 120_000;

#[test]
fn an_hour_apart_with_changes_on_both_sides_leaves_nothing_behind() {
    alone(|| apart_for_an_hour(Site::prepare("an hour apart", 200))).unwrap();
}

#[test]
fn an_agent_that_hears_and_is_not_heard_is_shut_and_told_as_unconfirmed_until_it_is_heard() {
    alone(|| half_open(Site::prepare("heard by nobody", 200))).unwrap();
}

#[test]
fn an_agent_that_is_heard_and_hears_nothing_sends_its_records_once() {
    alone(|| {
        let mut site = Site::prepare("hearing nobody", 200);
        site.start(Faults::default());
        let taps = site.tap();
        site.wire().suffer_each_way(Faults::default(), Faults::CUT);
        let change = site.world.authority.say("card suspend P1 --reason lost --wait 0s").unwrap().with_code(3).unwrap();
        until_true("the agent notices that nobody is there", PATIENCE, || {
            Ok(site.world.agent(SOUTH)?.status()?["connected_to"].is_null())
        })
        .unwrap_or_else(|error| panic!("{error}; {change:?}"));
        site.enlarge();
        tap_at(&site, "P1", "grant granted");
        let taps = taps.map(Tapping::end);
        site.heal();
        tap_at(&site, "P1", "deny suspended");
        site.end(&taps);
    })
    .unwrap();
}

/// A removal gets through to the agent, and no word comes back.
fn half_open(mut site: Site) {
    site.start(Faults::default());
    let taps = site.tap();
    site.wire().suffer_each_way(Faults::CUT, Faults::default());
    let suspended = site.world.authority.say("card suspend P1 --reason lost --wait 1s").unwrap().with_code(3).unwrap();
    assert!(suspended.out.contains("unreachable: agent-south"), "{}", suspended.out);
    tap_at(&site, "P1", "deny suspended");
    site.enlarge();
    let taps = taps.map(Tapping::end);
    site.heal();
    tap_at(&site, "P1", "deny suspended");
    site.end(&taps);
}

/// The agent's own instant of a tap of a card, which must be answered like this.
fn tap_at(site: &Site, card: &str, answer: &str) -> UnixMs {
    let said = site.tap_once(SOUTH, "south-main", card, answer);
    UnixMs::parse(said["at"].as_str().unwrap()).unwrap()
}

fn apart_for_an_hour(mut site: Site) {
    let clock = Clock::right(&site.world.file("clock")).unwrap();
    let Some(environment) = clock.environment() else { return };
    site.world.authority.stop().unwrap();
    site.world.authority.environment = environment.clone();
    site.world.authority.start().unwrap();
    site.world.agents.iter_mut().for_each(|agent| agent.environment = environment.clone());
    site.start(Faults::default());

    site.wire().cut();
    let taps = site.tap();
    let authority = &site.world.authority;
    let order = |line: &str| {
        let code = authority.say(line).unwrap().code;
        assert!(matches!(code, Some(0 | 3)), "{line}: {code:?}");
    };
    order("card suspend BOB --reason lost --wait 0s");
    let now = || {
        let authority_ms = authority.api_json("/v1/status").unwrap()["now"]["ms"].as_i64().unwrap();
        [UnixMs(authority_ms), tap_at(&site, "BOB", "grant granted")]
    };
    let before = now();
    clock.pass("1h").unwrap();
    for (after, before) in now().into_iter().zip(before) {
        let hour_ms = after.since_ms(before);
        assert!((3_600_000..3_600_000 + SLACK_MS).contains(&hour_ms), "{hour_ms} ms passed");
    }
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
    let taps = taps.map(Tapping::end);

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
    site.end(&taps);
}
