//! Bad days: what each program does when the machine under it misbehaves, as the README's table says.

use crate::tools::{NORTH, SOUTH, assert_says, log, serve_refuses, tiny_world, wait_for_alarm};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::agent::Agent;
use tests::authority::Authority;
use tests::binaries::binaries;
use tests::campus;
use tests::command::run;
use tests::faketime::wall_shifted_by;
use tests::ports::free;
use tests::skipped;
use tests::wait::{SOON, until_true};
use tests::world::World;

/// An agent's `run` that must refuse to run; what it says.
fn agent_refuses(agent: &Agent) -> String {
    let refused = run(&binaries().unwrap().agent, &agent.run_arguments(), &agent.environment, None).unwrap();
    refused.with_code(1).unwrap().text()
}

#[test]
fn the_second_server_on_a_data_directory_is_refused_and_the_first_goes_on() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let second = Authority::at(&world.authority.data).unwrap();
    assert_says(&serve_refuses(&second), &["another", "serve"]);
    world.authority.json("status").unwrap();
    world.stop().unwrap();
}

#[test]
fn the_second_agent_on_a_data_directory_is_refused_and_the_first_goes_on() {
    let world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let mut second = Agent::at(world.path(), &world.authority, NORTH).unwrap();
    second.socket = world.file("second.sock");
    assert_says(&agent_refuses(&second), &["another doorward-agent"]);
    assert_eq!(world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap(), "grant granted");
    world.stop().unwrap();
}

#[test]
fn a_port_in_use_is_named_and_nothing_else_happens() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let mut other = Authority::init(&world.file("other"), &campus::tiny()).unwrap();
    other.quic = world.authority.quic;
    assert_says(&serve_refuses(&other), &[&other.quic.to_string()]);
    other.quic.set_port(free().unwrap());
    other.api = world.authority.api;
    assert_says(&serve_refuses(&other), &[&other.api.to_string()]);
    other.api.set_port(free().unwrap());
    other.start().unwrap();
    other.stop().unwrap();
    world.stop().unwrap();
}

#[test]
fn a_journal_of_a_newer_version_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = Authority::init(&folder.path().join("authority"), &campus::tiny()).unwrap();
    let journal = authority.data.join("journal.db");
    let bytes = std::fs::read(&journal).unwrap();
    // The version stands in the header of every SQLite file, big-endian at offset 60.
    let mut newer = bytes.clone();
    newer[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    std::fs::write(&journal, &newer).unwrap();
    assert_says(&serve_refuses(&authority), &["newer"]);
    assert_eq!(std::fs::read(&journal).unwrap(), newer, "it was not touched");
    std::fs::write(&journal, &bytes).unwrap();
    authority.start().unwrap();
    authority.stop().unwrap();
}

#[test]
fn an_agent_without_its_state_denies_and_gets_it_again() {
    let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let north = world.agent_mut(NORTH).unwrap();
    north.stop().unwrap();
    let store = std::fs::read_dir(&north.data).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    std::fs::remove_dir_all(store.expect("the store is the folder in the data directory")).unwrap();
    north.network.cut();
    north.start().unwrap();
    assert_eq!(north.tap("north-main", "ADA").unwrap(), "deny no_state");
    north.network.mend();
    north.wait_for("north-main", "ADA", "grant granted").unwrap();
    world.wait_until_recorded().unwrap();
    assert_says(&wait_for_alarm(&world, NORTH, "store-damaged"), &["lost its newest changes"]);
    world.stop().unwrap();
}

/// Copies a data directory with everything that belongs to its files.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(done.success());
}

#[test]
fn an_agent_restored_from_an_old_copy_gets_the_newest_state_and_raises_an_alarm() {
    restore_an_agent(&[0], "log-truncated");
}

#[test]
fn taps_of_a_restored_agent_come_home_beside_those_that_it_forgot() {
    // One process records the first tap, and another one the rest, before either has met the authority.
    restore_an_agent(&[1, 3], "record-fork");
}

/// Restores an agent from an old copy and taps before it hears of the authority again, this often in each of its lives.
fn restore_an_agent(lives: &[usize], alarm: &str) {
    let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let (data, old) = (world.agent(NORTH).unwrap().data.clone(), world.file("old"));
    let tap = |world: &World, count: usize| {
        (0..count).for_each(|_| drop(world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap()));
        world.wait_until_recorded().unwrap();
    };
    tap(&world, 3);
    // The copy has two records that are not home yet, and come home after it was made.
    let north = world.agent_mut(NORTH).unwrap();
    north.network.cut();
    (0..2).for_each(|_| drop(north.tap("north-main", "ADA").unwrap()));
    north.stop().unwrap();
    copy(&data, &old);
    north.network.mend();
    north.start().unwrap();
    tap(&world, 2);
    world.authority.say("card suspend BOB --reason lost").unwrap().ok().unwrap();
    world.wait_until_exact().unwrap();

    let north = world.agent_mut(NORTH).unwrap();
    north.stop().unwrap();
    std::fs::remove_dir_all(&north.data).unwrap();
    copy(&old, &data);
    let north = world.agent_mut(NORTH).unwrap();
    north.network.cut();
    for (life, taps) in lives.iter().enumerate() {
        if life > 0 {
            north.stop().unwrap();
        }
        north.start().unwrap();
        (0..*taps).for_each(|_| drop(north.tap("north-main", "ADA").unwrap()));
    }
    let taps_alone: usize = lives.iter().sum();
    north.network.mend();
    wait_for_alarm(&world, NORTH, "agent-rolled-back");
    wait_for_alarm(&world, NORTH, alarm);
    world.agent(NORTH).unwrap().wait_for("north-main", "BOB", "deny suspended").unwrap();
    world.wait_until_recorded().unwrap();
    assert_eq!(log(&world, "--card ADA").len(), 7 + taps_alone, "what had come home is still there, once");
    tap(&world, 2);
    assert_eq!(log(&world, "--card ADA").len(), 9 + taps_alone, "and taps go on coming home");
    world.stop().unwrap();
}

#[test]
fn an_authority_restored_from_an_old_copy_takes_nothing_back_until_a_new_epoch() {
    let mut world = tiny_world();
    let (data, old) = (world.authority.data.clone(), world.file("old"));
    world.authority.stop().unwrap();
    copy(&data, &old);
    world.authority.start().unwrap();
    world.wait_until_exact().unwrap();
    world.authority.say("card suspend ADA --reason lost").unwrap().ok().unwrap();
    world.wait_until_exact().unwrap();

    world.authority.stop().unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&old, &data);
    world.authority.start().unwrap();
    until_true("the authority notices that it is behind", SOON, || {
        let status = world.authority.api_json("/v1/status")?;
        let is_warned = status["warnings"].as_array().is_some_and(|warnings| !warnings.is_empty());
        Ok(is_warned && status["alarms_open"].as_u64() > Some(0))
    })
    .unwrap();
    for (agent, door) in [(NORTH, "north-main"), (SOUTH, "south-main")] {
        assert_eq!(world.agent(agent).unwrap().tap(door, "ADA").unwrap(), "deny suspended", "doors keep what is newer");
    }

    world.authority.stop().unwrap();
    let keys = std::fs::read_dir(data.join("root-key-TAKE-OFFLINE")).unwrap();
    let key = keys.map(|entry| entry.unwrap().path().display().to_string()).next().unwrap();
    world.authority.run(&["root", "new-epoch", "--root-key", &key]).unwrap().ok().unwrap();
    world.authority.start().unwrap();
    world.wait_until_exact().unwrap();
    assert_eq!(world.authority.api_json("/v1/status").unwrap()["position"]["epoch"], 1);
    for (agent, door) in [(NORTH, "north-main"), (SOUTH, "south-main")] {
        world.agent(agent).unwrap().wait_for(door, "ADA", "grant granted").unwrap();
    }
    world.authority.say("card suspend ADA --reason lost").unwrap().ok().unwrap();
    world.agent(SOUTH).unwrap().wait_for("south-main", "ADA", "deny suspended").unwrap();
    world.stop().unwrap();
}

#[test]
fn an_agent_whose_clock_is_a_year_wrong_denies_until_it_is_right_again() {
    for shift in ["+365d", "-365d"] {
        let Some(environment) = wall_shifted_by(shift) else { return };
        let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
        let north = world.agent_mut(NORTH).unwrap();
        north.stop().unwrap();
        north.environment = environment;
        north.start().unwrap();
        north.wait_for("north-main", "ADA", "deny clock_untrusted").unwrap();
        until_true("it says so", SOON, || Ok(north.log().contains("clock"))).unwrap();
        north.stop().unwrap();
        north.environment.clear();
        north.start().unwrap();
        north.wait_for("north-main", "ADA", "grant granted").unwrap();
        world.wait_until_exact().unwrap();
    }
}

#[test]
fn an_authority_whose_clock_is_a_year_wrong_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = Authority::init(&folder.path().join("authority"), &campus::tiny()).unwrap();
    for (shift, said) in [("-365d", "set the clock right"), ("+365d", "--accept-clock")] {
        let Some(environment) = wall_shifted_by(shift) else { return };
        authority.environment = environment;
        assert_says(&serve_refuses(&authority), &["clock", said]);
    }
    authority.environment.clear();
    authority.start().unwrap();
    authority.stop().unwrap();
}

#[test]
fn a_certificate_is_renewed_in_time_and_even_after_it_has_expired() {
    for shift in ["+25d", "+200d"] {
        let Some(environment) = wall_shifted_by(shift) else { return };
        let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
        let until = |world: &World| world.agent(NORTH).unwrap().status().unwrap()["certificate_until"].to_string();
        let before = until(&world);
        world.agent_mut(NORTH).unwrap().stop().unwrap();
        world.authority.stop().unwrap();
        world.authority.environment = environment.clone();
        world.authority.arguments.push("--accept-clock".to_owned());
        world.authority.start().unwrap();
        let north = world.agent_mut(NORTH).unwrap();
        north.environment = environment;
        north.start().unwrap();
        north.wait_for("north-main", "ADA", "grant granted").unwrap();
        until_true("the certificate is renewed", SOON, || Ok(until(&world) != before)).unwrap();
        world.wait_until_exact().unwrap();
    }
}

#[test]
fn a_token_that_has_expired_is_refused_by_the_authority_also() {
    let Some(environment) = wall_shifted_by("+2h") else { return };
    let mut world = World::start(&campus::tiny(), &[]).unwrap();
    let token = world.authority.json(&format!("agent add {NORTH} --valid 1h")).unwrap()["token"].clone();
    world.authority.stop().unwrap();
    world.authority.environment = environment;
    world.authority.start().unwrap();
    // The agent's own clock still finds the token good, so the refusal is the authority's.
    let agent = Agent::at(world.path(), &world.authority, NORTH).unwrap();
    let refused = agent.run(&["join", token.as_str().unwrap()]).unwrap().with_code(1).unwrap();
    assert_says(&refused.err, &["refused", "expired"]);
}

/// A small disk of its own, unmounted when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={megabytes}m,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(at.to_owned()));
        }
        skipped::say("only root can mount a small disk to fill");
        None
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn make_read_only(&self) {
        assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn an_agent_with_a_full_disk_denies_what_it_cannot_record_and_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 16) else { return };
    let mut authority = Authority::init(&folder.path().join("authority"), &campus::tiny()).unwrap();
    authority.start().unwrap();
    // Its log is on the same disk, and must not bring it down either.
    let mut north = Agent::enrol(&disk.0, &authority, NORTH).unwrap();
    north.start().unwrap();
    north.wait_for("north-main", "ADA", "grant granted").unwrap();
    disk.fill();
    // Records that come home need no room. What has its place on the disk already takes some thousand more.
    north.network.cut();
    let mut reader = north.reader().unwrap();
    let is_denied =
        || Ok((0..500).any(|_| reader.tap("north-main", "ADA", &[]).is_ok_and(|it| it == "deny not_recorded")));
    until_true("a tap that cannot be recorded is denied", SOON, is_denied).unwrap();
    disk.empty();
    north.network.mend();
    north.wait_for("north-main", "ADA", "grant granted").unwrap();
    until_true("all records are home", SOON, || Ok(north.status()?["unsent_records"] == 0)).unwrap();
    let log = authority.json_lines("log --limit 10000").unwrap();
    assert!(log.iter().any(|line| line["record"]["decision"] == "grant"), "{log:?}");
    north.stop().unwrap();
    authority.stop().unwrap();
}

#[test]
fn an_authority_with_a_full_disk_refuses_commands_and_answers_questions() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 16) else { return };
    let mut authority = Authority::init(&disk.0.join("authority"), &campus::tiny()).unwrap();
    authority.start().unwrap();
    let head = |authority: &Authority| authority.api_json("/v1/status").unwrap()["journal_head"].clone();
    let before = head(&authority);
    disk.fill();
    let refused = authority.say("card suspend ADA --reason lost").unwrap().with_code(1).unwrap();
    assert_says(&refused.err, &["disk is full", "nothing was changed"]);
    assert_eq!(head(&authority), before);
    authority.say("card show ADA").unwrap().ok().unwrap();
    assert_says(&authority.say("status").unwrap().ok().unwrap().out, &["who asks about people is not kept"]);
    disk.empty();
    until_true("it takes commands again", SOON, || {
        Ok(authority.say("card suspend ADA --reason lost --wait 0s")?.code == Some(0))
    })
    .unwrap();
    authority.stop().unwrap();
}

#[test]
fn nothing_starts_on_a_disk_that_is_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 16) else { return };
    let mut authority = Authority::init(&disk.0.join("authority"), &campus::tiny()).unwrap();
    authority.start().unwrap();
    let mut north = Agent::enrol(&disk.0, &authority, NORTH).unwrap();
    north.socket = folder.path().join("north.sock");
    authority.stop().unwrap();
    disk.make_read_only();
    assert_says(&serve_refuses(&authority), &[&authority.data.display().to_string()]);
    assert_says(&agent_refuses(&north), &[&north.data.display().to_string()]);
    let other = Authority::at(&disk.0.join("other")).unwrap();
    let refused =
        other.run(&["init", "--campus", &campus::tiny().display().to_string()]).unwrap().with_code(1).unwrap();
    assert_says(&refused.err, &[&other.data.display().to_string()]);
}
