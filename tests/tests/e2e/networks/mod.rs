//! Bad networks: what agents and authority promise must hold in each, between machines that share nothing but a cable.
//!
//! Every test runs in namespaces of its own (see `tests::network`) and prints what it measured; nothing measured is
//! asserted, except that a tap never waits for the network.

mod addresses;
mod partition;
mod site;
mod taps;

use site::Site;
use std::time::Duration;
use tests::network::alone;
use tests::wire::faults::Faults;

/// People at each agent at first, and as many again while the network is bad: a state of many datagrams.
const STAFF: u32 = 1_000;

/// Far longer than a tap takes, shorter than any wait for the slowest of these networks.
const AT_ONCE: Duration = Duration::from_millis(250);

/// Lives through a network with these faults from the first datagram on, and heals it in the end.
fn live_through(name: &'static str, faults: Faults) {
    let mut site = Site::prepare(name, STAFF);
    site.start(faults);
    let taps = site.tap();
    site.close("P1");
    site.close("P2");
    site.enlarge();
    site.close("P3");
    let taps = taps.map(taps::Tapping::end);
    site.heal();
    for taps in &taps {
        let (middle, _) = taps.durations();
        assert!(middle < AT_ONCE, "taps at {} take {middle:?}: they wait for the network", taps.agent);
    }
    // Three of the taps at each agent were the closings' own.
    site.end(&taps.map(|taps| (taps, 3)));
}

#[test]
fn promises_hold_where_a_fifth_of_all_datagrams_is_lost() {
    alone(|| live_through("20 % lost", Faults { lost_percent: 20, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_each_datagram_takes_300_ms_and_more() {
    alone(|| live_through("300 ms + 0..60 ms", Faults { delay_ms: 300, jitter_ms: 60, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_datagrams_come_twice() {
    alone(|| live_through("20 % twice", Faults { doubled_percent: 20, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_datagrams_overtake_each_other() {
    alone(|| live_through("25 % overtaken", Faults { overtaken_percent: 25, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_bytes_are_damaged() {
    alone(|| live_through("2 % damaged", Faults { damaged_percent: 2, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_everything_is_bad_at_once() {
    let faults = Faults {
        lost_percent: 20,
        doubled_percent: 20,
        overtaken_percent: 25,
        damaged_percent: 2,
        delay_ms: 300,
        jitter_ms: 60,
        ..Faults::default()
    };
    alone(move || live_through("all of these at once", faults)).unwrap();
}

#[test]
fn promises_hold_where_only_small_datagrams_pass() {
    alone(|| live_through("above 1,250 bytes none", Faults { bytes_max: Some(1_250), ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_only_the_smallest_datagrams_that_quic_needs_pass() {
    alone(|| live_through("above 1,200 bytes none", Faults { bytes_max: Some(1_200), ..Faults::default() })).unwrap();
}
