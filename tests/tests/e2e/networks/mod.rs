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
use tests::wire::Carried;
use tests::wire::faults::Faults;

/// People at each agent at first, and as many again while the network is bad: a state of many datagrams.
const STAFF: u32 = 1_000;

/// The same where no large datagram passes: an update of many full ones.
const STAFF_MANY: u32 = 2_500;

/// The same where everything is bad at once, and a connection carries a few thousand bytes in a second.
const STAFF_FEW: u32 = 200;

/// Far longer than a tap takes, shorter than any wait for the slowest of these networks.
const AT_ONCE: Duration = Duration::from_millis(250);

/// Lives through a network with these faults from the first datagram on, and heals it in the end.
fn live_through(name: &'static str, staff: u32, faults: Faults) {
    let mut site = Site::prepare(name, staff);
    site.start(faults);
    let taps = site.tap();
    site.close("P1");
    site.close("P2");
    site.enlarge();
    site.close("P3");
    site.world.wait_until_exact().unwrap();
    site.tell("exact without healing");
    let Carried { came, lost, doubled } = site.wire().carried();
    site.tell(&format!("{came} datagrams came to the wire, {lost} were lost and {doubled} doubled"));
    let taps = taps.map(Tapping::end);
    site.heal();
    if faults.lost_percent > 0 {
        assert!(lost > 0, "{came} datagrams came, and none was lost");
    }
    if faults.bytes_max.is_some() {
        assert_eq!(lost, 0, "some of the datagrams were larger than what passes");
    }
    if faults.doubled_percent > 0 {
        assert!(doubled > 0, "{came} datagrams came, and none was doubled");
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

/// Where larger ones vanish without a word, a connection that tried them would stand still for a while.
#[test]
fn no_datagram_is_larger_than_the_smallest_network_that_carries_quic_lets_pass() {
    alone(|| {
        live_through("none above 1,200 bytes", STAFF_MANY, Faults { bytes_max: Some(1_200), ..Faults::default() })
    })
    .unwrap();
}
