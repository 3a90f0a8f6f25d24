//! Addresses that change under a connection: the agent's, the authority's, and the port that a translator between them gave.

use super::site::Site;
use super::taps::{Tapping, Taps};
use crate::tools::{SOUTH, journal_head};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tests::network::{add_address, alone, remove_address};
use tests::wait::{SOON, until_true};

/// People at each agent at first, and as many again in the middle of it.
const STAFF: u32 = 2_000;

/// Long enough that something is sent between two changes, short enough that several fall into one import.
const BETWEEN_CHANGES: Duration = Duration::from_millis(150);

/// Two addresses of the authority.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 2);

/// An authority that listens on every address it has, and a southern agent that reaches it over the bare cable.
fn direct(name: &'static str, addresses: &[Ipv4Addr]) -> Site {
    let mut site = Site::prepare(name, STAFF);
    site.world.authority.stop().unwrap();
    site.world.authority.quic.set_ip(Ipv4Addr::UNSPECIFIED.into());
    site.world.authority.start().unwrap();
    let port = site.world.authority.quic.port();
    site.world.agent_mut(SOUTH).unwrap().authorities =
        addresses.iter().map(|address| format!("{address}:{port}")).collect();
    site.start(Default::default());
    site
}

/// What the authority knows of the southern agent's connection: since when it lasts, and from where it comes now.
fn connection(site: &Site) -> (String, String) {
    let agent = site.world.authority.agent(SOUTH).unwrap();
    (agent["since"]["text"].to_string(), agent["address"].as_str().unwrap_or_default().to_owned())
}

/// Changes something about the southern agent's way while an import and records are under way, and once more while
/// nothing is; each time, a suspension has to find the agent. The connection must live through all of it.
fn change(site: &Site, change: impl Fn(u8) + Sync) -> [Taps; 2] {
    let (since, before) = connection(site);
    let taps = site.tap();
    std::thread::scope(|scope| {
        let import = scope.spawn(|| site.enlarge());
        for number in 3.. {
            change(number);
            if import.is_finished() {
                break;
            }
            std::thread::sleep(BETWEEN_CHANGES);
        }
    });
    site.close("P1");
    let taps = taps.map(Tapping::end);
    site.heal();
    change(200);
    site.close("P2");
    let (until, after) = connection(site);
    site.tell(&format!("one connection, first from {before} and at last from {after}"));
    assert_ne!(before, after);
    assert_eq!(since, until, "it is the same connection");
    taps
}

#[test]
fn an_agent_whose_address_changes_in_the_middle_of_everything_stays_connected() {
    alone(|| {
        let here = Ipv4Addr::new(10, 77, 2, 1);
        let site = direct("agent's address changes", &[here]);
        let taps = change(&site, |number| site.south.move_to(number).unwrap());
        assert!(connection(&site).1.starts_with("10.77.2.200:"));
        // A suspension may well be closed before the agent looks at its address the next time.
        let is_noticed = || Ok(site.world.agent(SOUTH)?.log().contains("address is now 10.77.2.200"));
        until_true("the agent notices its address", SOON, is_noticed).unwrap();
        site.end(&taps);
    })
    .unwrap();
}

#[test]
fn an_agent_behind_a_translator_that_forgets_stays_connected() {
    alone(|| {
        let mut site = Site::prepare("translator forgets", STAFF);
        site.start(Default::default());
        let taps = change(&site, |_| site.wire().rebind());
        site.end(&taps);
    })
    .unwrap();
}

#[test]
fn an_agent_finds_the_authority_at_its_other_address() {
    alone(|| {
        add_address(FIRST).unwrap();
        add_address(SECOND).unwrap();
        let site = direct("authority's address changes", &[FIRST, SECOND]);
        let taps = site.tap();
        let head = journal_head(&site.world);
        let gone = Instant::now();
        remove_address(FIRST).unwrap();
        site.enlarge();
        assert!(journal_head(&site.world) > head);
        site.world.wait_until_exact().unwrap();
        site.tell(&format!("exact {} ms after its address was gone", gone.elapsed().as_millis()));
        let port = site.world.authority.quic.port();
        let now = site.world.agent(SOUTH).unwrap().status().unwrap()["connected_to"].clone();
        assert_eq!(now, format!("{SECOND}:{port}"));
        site.close("P1");
        let taps = taps.map(Tapping::end);
        site.heal();
        site.end(&taps);
    })
    .unwrap();
}
