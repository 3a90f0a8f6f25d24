//! Grants and answers: rights given by hand, who may open what and why, now and in the past, and who changed it.

use crate::tools::{NORTH, SOUTH, assert_says, tiny_copy, tiny_world};
use tests::campus;
use tests::world::World;

#[test]
fn a_grant_opens_a_building_to_a_department_until_it_ends() {
    let world = tiny_world();
    let south = world.agent(SOUTH).unwrap();
    assert!(south.tap("south-main", "CEM").unwrap().starts_with("deny"));
    let added = world.authority.json("grant add --unit chemistry --building south").unwrap();
    let grant = added["grant"].as_str().unwrap().to_owned();
    for door in ["south-main", "south-side"] {
        south.wait_for(door, "CEM", "grant granted").unwrap();
    }
    assert!(south.tap("south-main", "DANA").unwrap().starts_with("deny"), "she is in another department");
    world.authority.say(&format!("grant end {grant}")).unwrap();
    south.wait_for("south-main", "CEM", "deny no_permission").unwrap();
    world.authority.say("grant end no-such-grant").unwrap().with_code(1).unwrap();
    world.authority.say("grant add --unit alchemy --building south").unwrap().with_code(1).unwrap();
    world.stop().unwrap();
}

#[test]
fn a_cut_off_agent_begins_and_ends_a_grant_of_the_future_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let campus = tiny_copy(folder.path(), "without-lease");
    campus::edit(&campus, "campus.toml", |text| text.replace("lease = \"7 days\"\n", "")).unwrap();
    let mut world = World::start(&campus, &[SOUTH]).unwrap();
    let (from, until) = (campus::today(30).unwrap(), campus::today(40).unwrap());
    let add = format!("grant add --person cem --door south-main --from {from} --until {until}");
    world.authority.say(&add).unwrap().ok().unwrap();
    assert_eq!(world.agent(SOUTH).unwrap().tap("south-main", "CEM").unwrap(), "deny no_permission");
    world.agent_mut(SOUTH).unwrap().stop().unwrap();
    let taps = world.file("taps.csv");
    let question = |day: i32| format!("{}T12:00:00Z,south-main,CEM\n", campus::today(day).unwrap());
    std::fs::write(&taps, format!("at,door_id,card_id\n{}{}{}", question(29), question(35), question(41))).unwrap();
    let answers = world.agent(SOUTH).unwrap().run(&["replay", &taps.display().to_string()]).unwrap().ok().unwrap();
    let reasons: Vec<&str> = answers.out.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(reasons, ["no_permission", "granted", "no_permission"]);
    world.stop().unwrap();
}

#[test]
fn who_where_and_why_answer_in_words_and_remember_the_past() {
    let world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    let ask = |line: &str| world.authority.say(line).unwrap().ok().unwrap().out;
    assert_says(&ask("who north-lab"), &["ADA", "CEM"]);
    assert!(!ask("who north-lab").contains("BOB"));
    assert_says(&ask("where ADA"), &["north-main", "north-lab", "south-main", "south-side"]);
    assert!(!ask("where CEM").contains("south-side"));
    assert_says(&ask("why CEM north-main"), &["Cem Kaya", "students-enter-the-north"]);
    assert_says(&ask("why CEM south-side"), &["Cem Kaya", "no_permission", "staff-everywhere"]);
    assert_says(&ask("why NOBODY north-main"), &["unknown_credential"]);
    for wrong in ["who nowhere", "where NOBODY", "why ADA nowhere", "who north-lab --at then"] {
        let refused = world.authority.say(wrong).unwrap();
        assert!(matches!(refused.code, Some(1 | 2)), "{wrong}: {refused:?}");
    }

    let before = world.authority.api_json("/v1/status").unwrap()["now"]["text"].as_str().unwrap().to_owned();
    world.authority.say("card suspend CEM --reason lost").unwrap().ok().unwrap();
    assert_says(&ask("why CEM north-main"), &["suspended"]);
    assert!(!ask(&format!("why CEM north-main --at {before}")).contains("suspended"));
    assert_says(&ask(&format!("who north-main --at {before}")), &["CEM"]);
    world.stop().unwrap();
}

#[test]
fn the_journal_says_who_did_what() {
    let world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    world.authority.say("card suspend CEM --reason lost --as guard-7").unwrap().ok().unwrap();
    world.authority.say("card resume CEM --reason found --as guard-8").unwrap().ok().unwrap();
    let entries = world.authority.json_lines("journal").unwrap();
    let seqs: Vec<u64> = entries.iter().filter_map(|entry| entry["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=u64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>(), "without gaps");
    let by = |command: &str| entries.iter().find(|entry| entry["command"] == command).unwrap();
    assert_says(by("card-suspend")["actor"].as_str().unwrap(), &["guard-7"]);
    assert_says(by("card-resume")["actor"].as_str().unwrap(), &["guard-8"]);
    assert_says(by("agent-enrol")["actor"].as_str().unwrap(), &[NORTH]);
    assert_says(&world.authority.say("journal").unwrap().ok().unwrap().out, &["guard-7", "CEM", "lost"]);
    world.stop().unwrap();
}
