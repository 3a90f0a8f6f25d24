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
use taps::Tapping;
use tests::network::alone;
use tests::wire::faults::Faults;

/// People at each agent at first, and as many again while the network is bad: a state of many datagrams.
const STAFF: u32 = 1_000;

/// The same where large datagrams vanish: the larger the update, the larger the datagrams that a connection tries.
const STAFF_MANY: u32 = 2_500;

/// The same where everything is bad at once, and a connection carries a few thousand bytes in a second.
const STAFF_FEW: u32 = 200;

/// Far longer than a tap takes, shorter than any wait for the slowest of these networks.
const AT_ONCE: Duration = Duration::from_millis(250);

/// Lives through a network with these faults from the first datagram on, and heals it in the end.
fn live_through(name: &'static str, staff: u32, faults: Faults) {
    let mut site = Site::prepare(name, staff);
    site.start(faults);
    live_on(site, faults);
}

/// Lives through a network that becomes bad once everybody is connected.
fn live_through_later(name: &'static str, staff: u32, faults: Faults) {
    let mut site = Site::prepare(name, staff);
    site.start(Faults::default());
    site.close("P0");
    site.wire().suffer(faults);
    live_on(site, faults);
}

fn live_on(site: Site, faults: Faults) {
    let taps = site.tap();
    site.close("P1");
    site.close("P2");
    site.enlarge();
    site.close("P3");
    site.world.wait_until_exact().unwrap();
    site.tell("exact without healing");
    let (came, left) = site.wire().carried();
    site.tell(&format!("{came} datagrams came to the wire, {left} left it"));
    let taps = taps.map(Tapping::end);
    site.heal();
    if faults.lost_percent > 0 || faults.bytes_max.is_some() {
        assert!(left < came, "{came} datagrams came, {left} left: there was nothing bad about this network");
    }
    if faults.doubled_percent > 0 && faults.lost_percent == 0 {
        assert!(left > came, "{came} datagrams came, {left} left: none was doubled");
    }
    for taps in &taps {
        let (middle, _) = taps.durations();
        assert!(middle < AT_ONCE, "taps at {} take {middle:?}: they wait for the network", taps.agent);
    }
    site.end(&taps);
}

#[test]
fn promises_hold_where_a_fifth_of_all_datagrams_is_lost() {
    alone(|| live_through("20 % lost", STAFF, Faults { lost_percent: 20, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_each_datagram_takes_300_ms_and_more() {
    alone(|| live_through("300 ms + 0..60 ms", STAFF, Faults { delay_ms: 300, jitter_ms: 60, ..Faults::default() }))
        .unwrap();
}

#[test]
fn promises_hold_where_datagrams_come_twice() {
    alone(|| live_through("20 % twice", STAFF, Faults { doubled_percent: 20, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_datagrams_overtake_each_other() {
    alone(|| live_through("25 % overtaken", STAFF, Faults { overtaken_percent: 25, ..Faults::default() })).unwrap();
}

#[test]
fn promises_hold_where_bytes_are_damaged() {
    alone(|| live_through("2 % damaged", STAFF, Faults { damaged_percent: 2, ..Faults::default() })).unwrap();
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
    alone(move || live_through("all of these at once", STAFF_FEW, faults)).unwrap();
}

#[test]
fn promises_hold_where_only_small_datagrams_pass() {
    alone(|| {
        live_through("none above 1,250 bytes", STAFF_MANY, Faults { bytes_max: Some(1_250), ..Faults::default() })
    })
    .unwrap();
}

#[test]
fn promises_hold_where_only_the_smallest_datagrams_that_quic_needs_pass() {
    alone(|| {
        live_through("none above 1,200 bytes", STAFF_MANY, Faults { bytes_max: Some(1_200), ..Faults::default() })
    })
    .unwrap();
}

#[test]
fn promises_hold_where_large_datagrams_vanish_after_a_while() {
    alone(|| {
        live_through_later(
            "none above 1,200 after a while",
            STAFF_MANY,
            Faults { bytes_max: Some(1_200), ..Faults::default() },
        )
    })
    .unwrap();
}
