//! Doors: taps on the socket, the strike, and lockdowns.

use crate::tools::{NORTH, SOUTH, assert_says, tiny_world};
use std::os::unix::fs::PermissionsExt;
use tests::campus;
use tests::wait::{SOON, until_true};
use tests::world::World;

#[test]
fn a_reader_gets_one_answer_a_line_and_a_wrong_line_is_told_what_would_be_right() {
    let world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let mut reader = world.agent(NORTH).unwrap().reader().unwrap();
    assert_eq!(reader.tap("north-main", "ADA", &[]).unwrap(), "grant granted");
    assert_eq!(reader.tap("north-main", "EVE", &[]).unwrap(), "deny unknown_credential");
    assert_eq!(reader.tap("north-main", "NOBODY", &[]).unwrap(), "deny unknown_credential");
    assert_eq!(reader.tap("north-lab", "ADA", &[]).unwrap(), "deny factor_required");
    assert_eq!(reader.tap("north-lab", "ADA", &["pin"]).unwrap(), "grant granted");
    assert_eq!(reader.tap("south-main", "ADA", &[]).unwrap(), "deny no_state", "that is another agent's door");
    let wrong = ["open sesame", "{}", r#"{"door":"north-main"}"#, r#"{"door":"a b","card":"ADA"}"#, ""];
    for line in wrong {
        let answer = reader.line(line).unwrap();
        assert!(answer["error"].as_str().is_some_and(|error| !error.is_empty()), "{line}: {answer}");
        assert!(answer["decision"].is_null(), "{line}: {answer}");
    }
    let long = format!(r#"{{"door":"north-main","card":"{}"}}"#, "A".repeat(100_000));
    assert!(reader.line(&long).unwrap()["error"].is_string());
    let answer = reader.ask("north-main", "ADA", &[]).unwrap();
    assert_eq!((&answer["door"], &answer["decision"]), (&"north-main".into(), &"grant".into()));
    assert!(answer["at"].is_string(), "{answer}");
    world.stop().unwrap();
}

#[test]
fn the_tap_command_says_by_its_exit_code_whether_the_door_opens() {
    let world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let north = world.agent(NORTH).unwrap();
    let socket = north.socket.display().to_string();
    let tap = |arguments: &[&str]| {
        let mut line = vec!["tap", "--socket", &socket];
        line.extend(arguments);
        tests::command::run(&tests::binaries::binaries().unwrap().agent, &line, &[], None).unwrap()
    };
    assert_eq!(tap(&["north-main", "ADA"]).ok().unwrap().out.trim(), "grant granted");
    assert_eq!(tap(&["north-lab", "ADA"]).with_code(3).unwrap().out.trim(), "deny factor_required");
    tap(&["north-lab", "ADA", "--factor", "pin"]).ok().unwrap();
    tap(&["north-main", "A B"]).with_code(1).unwrap();
    tap(&["north-main"]).with_code(2).unwrap();
    world.stop().unwrap();
}

#[test]
fn the_strike_moves_once_for_a_grant_and_never_for_a_denial() {
    let mut world = World::start(&campus::tiny(), &[]).unwrap();
    let moved = world.file("moved");
    let script = world.file("strike.sh");
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1 $2\" >> {}\n", moved.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let north = world.enrol(NORTH).unwrap();
    north.arguments =
        ["--strike", "command", "--strike-command", &script.display().to_string()].map(str::to_owned).into();
    north.start().unwrap();
    world.wait_until_exact().unwrap();
    let mut reader = world.agent(NORTH).unwrap().reader().unwrap();
    for (card, answer) in
        [("NOBODY", "deny unknown_credential"), ("ADA", "grant granted"), ("EVE", "deny unknown_credential")]
    {
        assert_eq!(reader.tap("north-main", card, &[]).unwrap(), answer);
    }
    reader.tap("north-lab", "CEM", &["pin"]).unwrap();
    let strikes = || std::fs::read_to_string(&moved).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    until_true("both strikes moved", SOON, || Ok(strikes().len() >= 2)).unwrap();
    world.agent_mut(NORTH).unwrap().stop().unwrap();
    let mut strikes = strikes();
    strikes.sort();
    assert_eq!(strikes, ["north-lab granted", "north-main granted"]);
    world.stop().unwrap();
}

#[test]
fn a_lockdown_closes_a_door_a_building_or_the_campus_until_it_is_released() {
    let world = tiny_world();
    let doors = [(NORTH, "north-main"), (SOUTH, "south-main"), (SOUTH, "south-side")];
    let open = |expected: [bool; 3]| {
        for ((agent, door), is_open) in doors.into_iter().zip(expected) {
            let expected = if is_open { "grant granted" } else { "deny lockdown" };
            world.agent(agent).unwrap().wait_for(door, "ADA", expected).unwrap();
        }
    };
    let order = |line: &str| world.authority.say(line).unwrap().ok().unwrap();
    open([true, true, true]);
    let closed = order("lockdown door south-side --reason fire");
    assert_says(&closed.out, &["1 of 1"]);
    open([true, true, false]);
    order("lockdown building south --reason fire");
    open([true, false, false]);
    order("release door south-side --reason over");
    open([true, false, false]);
    order("release building south --reason over");
    open([true, true, true]);
    let closed = order("lockdown campus --reason exercise");
    assert_says(&closed.out, &["5 of 5"]);
    open([false, false, false]);
    assert_says(&world.authority.say("status").unwrap().ok().unwrap().out, &["campus"]);
    order("release campus --reason over");
    open([true, true, true]);
    let wrong = world.authority.say("lockdown door nowhere --reason fire").unwrap().with_code(1).unwrap();
    assert_says(&wrong.err, &["nowhere"]);
    world.stop().unwrap();
}
