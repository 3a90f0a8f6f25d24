//! Records: every answered tap comes home once, can be searched, and a suspended card that is tapped raises an alarm.

use crate::tools::{NORTH, SOUTH, assert_says, log, tiny_world, wait_for_alarm};
use tests::process::{Process, tied};
use tests::wait::{SOON, until_true};

#[test]
fn the_log_has_every_tap_and_finds_it_by_door_card_person_reason_and_time() {
    let world = tiny_world();
    let (north, south) = (world.agent(NORTH).unwrap(), world.agent(SOUTH).unwrap());
    north.tap("north-main", "ADA").unwrap();
    north.tap("north-main", "NOBODY").unwrap();
    south.tap("south-side", "ADA").unwrap();
    south.tap("south-canteen", "DANA").unwrap();
    world.wait_until_recorded().unwrap();
    assert_eq!(log(&world, "").len(), 4);
    let counts = [
        ("--door south-side", 1),
        ("--card ADA", 2),
        ("--person dana", 1),
        ("--reason unknown_credential", 1),
        ("--card ADA --door north-main", 1),
        ("--since 2000-01-01T00:00:00Z", 4),
        ("--since 2100-01-01T00:00:00Z", 0),
    ];
    for (filter, count) in counts {
        assert_eq!(log(&world, filter).len(), count, "{filter}");
    }
    let one = &log(&world, "--door south-side")[0];
    assert_eq!(one["card"], "ADA");
    assert_eq!(one["person"], "ada");
    assert_eq!((&one["decision"], &one["reason"], &one["agent"]), (&"grant".into(), &"granted".into(), &SOUTH.into()));
    let csv = world.authority.say("log --csv").unwrap().ok().unwrap().out;
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(csv.lines().next().unwrap().contains("door"), "{csv}");
    assert_says(&world.authority.say("log").unwrap().ok().unwrap().out, &["ADA", "north-main", "granted"]);
    world.stop().unwrap();
}

#[test]
fn records_of_a_cut_off_agent_come_home_when_it_is_back() {
    let world = tiny_world();
    let south = world.agent(SOUTH).unwrap();
    south.network.cut();
    for _ in 0..5 {
        assert_eq!(south.tap("south-main", "ADA").unwrap(), "grant granted");
    }
    assert_eq!(south.status().unwrap()["unsent_records"], 5);
    assert_eq!(log(&world, "").len(), 0);
    south.network.mend();
    world.wait_until_recorded().unwrap();
    let seqs: Vec<u64> = log(&world, "").iter().filter_map(|record| record["seq"].as_u64()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    world.stop().unwrap();
}

#[test]
fn a_suspended_card_that_is_tapped_raises_an_alarm_at_once() {
    let world = tiny_world();
    let mut command = tied(&tests::binaries::binaries().unwrap().authority);
    command.args(["log", "--follow", "--data"]).arg(&world.authority.data);
    let following = Process::start(&mut command, &world.file("follow.txt")).unwrap();
    world.authority.say("card suspend ADA --reason stolen").unwrap().ok().unwrap();
    // The follower is connected once it shows a tap.
    let south = world.agent(SOUTH).unwrap();
    until_true("the follower shows taps", SOON, || {
        south.tap("south-main", "BOB")?;
        Ok(following.log().contains("BOB"))
    })
    .unwrap();
    assert_eq!(south.tap("south-main", "ADA").unwrap(), "deny suspended");
    until_true("the follower shows the alarm", SOON, || {
        let shown = following.log();
        Ok(shown.contains("ADA") && shown.to_lowercase().contains("alarm"))
    })
    .unwrap();
    following.kill();
    assert_says(&wait_for_alarm(&world, SOUTH, "card-tapped"), &["ADA", "south-main"]);
    assert_says(&world.authority.say("alarms").unwrap().ok().unwrap().out, &["ADA", "south-main"]);
    world.stop().unwrap();
}
