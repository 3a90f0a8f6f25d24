//! `kill -9` at random instants, of agents and of the authority, while cards are being tapped and rights change.
//!
//! Whatever a door has answered must be in the log once, and whatever a command has confirmed must be in the journal and
//! at the doors. Deliberately only a few turns: thousands are `cargo run -p tests --bin crash -- kills`, and
//! hundreds of damages `-- damage`.

use tests::crash::{damage, kills};
use tests::random::Random;

/// How many processes are killed at least.
const KILLS: u64 = 50;

/// How many stores are damaged; hundreds are damaged without processes, in the agent's own tests.
const DAMAGES: u64 = 12;

/// The seed that is asked for, or a fresh one; said before anything happens.
fn seed() -> u64 {
    let seed = std::env::var("DOORWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(Random::new_seed);
    println!("DOORWARD_SEED={seed} repeats the choices of this run");
    seed
}

#[test]
fn no_answered_tap_is_lost_and_none_is_doubled_whoever_is_killed_and_when() {
    let report = kills::run(seed(), KILLS, &|line| println!("{line}")).unwrap();
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    for counted in
        ["taps answered", "records held to the rules", "commands confirmed", "kills: authority", "kills: agents"]
    {
        assert!(report.counts.get(counted).is_some_and(|count| *count > 0), "no {counted}:\n{report}");
    }
}

#[test]
fn an_agent_whose_store_is_damaged_never_lets_in_whom_it_had_shut_out_and_says_what_is_lost() {
    let report = damage::run(seed(), DAMAGES, &|line| println!("{line}")).unwrap();
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert_eq!(report.counts.get("damages"), Some(&DAMAGES));
}
