//! Offices at work: who asks, who decides, and what doors make of it.

use crate::tools::{NORTH, SOUTH, assert_says, tiny_copy, tiny_world};
use std::os::unix::fs::PermissionsExt;
use tests::campus;
use tests::command::Answer;
use tests::world::World;

/// Makes an operator, and says the file of a token that acts for it.
fn operator(world: &World, id: &str, power: &str) -> String {
    world.authority.say(&format!("operator add {id} --name {id} {power}")).unwrap().ok().unwrap();
    let token = world.authority.say(&format!("operator token {id}")).unwrap().ok().unwrap().out;
    let file = world.file(&format!("{id}.token"));
    std::fs::write(&file, token).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file.display().to_string()
}

/// What the authority says to somebody with a token.
fn by(world: &World, token: &str, line: &str) -> Answer {
    world.authority.say(&format!("{line} --token-file {token}")).unwrap()
}

#[test]
fn a_department_asks_the_owner_approves_and_the_door_opens_as_long_as_they_belong_to_it() {
    let world = tiny_world();
    let south = world.agent(SOUTH).unwrap();
    assert!(south.tap("south-main", "CEM").unwrap().starts_with("deny"));
    let chemistry = operator(&world, "chemistry-office", "--role department --unit chemistry");
    let history = operator(&world, "history-office", "--role department --unit history");
    let ask = "request ask --category student --within chemistry --building south --reason seminar --id seminar";
    by(&world, &history, ask).with_code(1).unwrap();
    by(&world, &chemistry, ask).ok().unwrap();
    let shown = by(&world, &history, "request show seminar").ok().unwrap();
    assert_says(&shown.out, &["waiting", "of them gain a door: 1", "doorward request approve seminar"]);
    let denied = by(&world, &chemistry, "request approve seminar").with_code(1).unwrap();
    assert_says(&denied.err, &["does not lie in the remit", "control-room"]);
    by(&world, &history, "request approve seminar --reason welcome").ok().unwrap();
    south.wait_for("south-main", "CEM", "grant granted").unwrap();
    assert_says(&world.authority.say("why CEM south-main").unwrap().ok().unwrap().out, &["Grant seminar"]);

    let lent = "grant add --unit chemistry --door south-side --id lent";
    by(&world, &history, lent).ok().unwrap();
    south.wait_for("south-side", "CEM", "grant granted").unwrap();
    // Whoever ends a grant sees where that holds, although the grant is not there any more.
    by(&world, &history, "grant end lent").ok().unwrap();

    let newer = tiny_copy(world.path(), "newer");
    let yesterday = campus::today(-1).unwrap();
    campus::edit(&newer, "affiliations.csv", |text| {
        text.replace("cem,chemistry,2020-01-01,", &format!("cem,chemistry,2020-01-01,{yesterday}"))
    })
    .unwrap();
    world.authority.say(&format!("import {}", newer.display())).unwrap().ok().unwrap();
    south.wait_for("south-main", "CEM", "deny no_permission").unwrap();
    world.stop().unwrap();
}

#[test]
fn who_vanishes_from_the_folder_has_left_at_every_door_and_stays_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let whole = tiny_copy(folder.path(), "whole");
    campus::edit(&whole, "campus.toml", |text| {
        text.replace("[category.student]", "[category.student]\ngrace_days = 60")
    })
    .unwrap();
    let world = World::start(&whole, &[NORTH, SOUTH]).unwrap();
    let (north, south) = (world.agent(NORTH).unwrap(), world.agent(SOUTH).unwrap());
    assert_eq!(north.tap("north-main", "CEM").unwrap(), "grant granted");
    let newer = folder.path().join("newer");
    campus::copy(&whole, &newer, 0).unwrap();
    for table in ["people.csv", "affiliations.csv", "cards.csv"] {
        let is_of_cem = |line: &&str| line.starts_with("cem,") || line.contains(",cem,");
        let keep =
            |text: String| text.lines().filter(|line| !is_of_cem(line)).map(|line| format!("{line}\n")).collect();
        campus::edit(&newer, table, keep).unwrap();
    }
    let import = |folder: &std::path::Path, more: &str| {
        world.authority.say(&format!("import {}{more}", folder.display())).unwrap().ok().unwrap().out
    };
    assert_says(&import(&newer, " --dry-run"), &["Leave, because the folder does not name them any more: cem"]);
    assert_says(&import(&newer, ""), &["more: cem", "imported"]);
    north.wait_for("north-main", "CEM", "deny ended").unwrap();
    assert_eq!(south.tap("south-canteen", "CEM").unwrap(), "grant granted", "in the days of grace");
    assert_says(&world.authority.say("why CEM north-main").unwrap().ok().unwrap().out, &["left on 20"]);
    assert_says(&world.authority.say("person show cem").unwrap().ok().unwrap().out, &["Cem Kaya", "CEM"]);
    assert_says(&import(&newer, ""), &["nothing is different"]);
    assert_says(&import(&whole, ""), &["imported"]);
    north.wait_for("north-main", "CEM", "grant granted").unwrap();
    world.stop().unwrap();
}

#[test]
fn whoever_knows_the_holder_suspends_a_card_and_the_door_obeys_at_once() {
    let world = tiny_world();
    let office = operator(&world, "history-office", "--role department --unit history");
    let south = world.agent(SOUTH).unwrap();
    assert_eq!(south.tap("south-main", "ADA").unwrap(), "grant granted");
    by(&world, &office, "card suspend ADA --reason lost").with_code(1).unwrap();
    assert_eq!(south.tap("south-main", "ADA").unwrap(), "grant granted", "she is of another department");
    assert_eq!(south.tap("south-main", "BOB").unwrap(), "grant granted");
    let evidence = world.file("bob.evidence");
    let suspend = format!("card suspend BOB --reason lost --evidence {}", evidence.display());
    assert_says(&by(&world, &office, &suspend).ok().unwrap().out, &["closed"]);
    assert_eq!(south.tap("south-main", "BOB").unwrap(), "deny suspended");
    assert_says(&world.authority.say("journal").unwrap().out, &["history-office/token:", "suspended card BOB: lost"]);
    by(&world, &office, "card resume BOB").with_code(1).unwrap();
    world.authority.say("operator remove history-office").unwrap().ok().unwrap();
    by(&world, &office, "card suspend DANA --reason lost").with_code(1).unwrap();
    assert!(!south.tap("south-main", "DANA").unwrap().contains("suspended"));
    world.stop().unwrap();
}

#[test]
fn a_lost_card_is_dead_with_the_order_for_the_new_one_which_opens_once_it_is_handed_over() {
    let world = tiny_world();
    let desk = operator(&world, "desk", "--role card-office --campus");
    let south = world.agent(SOUTH).unwrap();
    assert_eq!(south.tap("south-main", "BOB").unwrap(), "grant granted");
    let issued = by(&world, &desk, "card issue BOB-NEW --person bob --type card --cause lost --replaces BOB");
    assert_says(&issued.ok().unwrap().out, &["card BOB-NEW is issued to bob", "closed"]);
    assert!(south.tap("south-main", "BOB").unwrap().starts_with("deny"));
    assert!(south.tap("south-main", "BOB-NEW").unwrap().starts_with("deny"), "it is not handed over yet");
    by(&world, &desk, "card activate BOB-NEW").ok().unwrap();
    south.wait_for("south-main", "BOB-NEW", "grant granted").unwrap();
    by(&world, &desk, "card issue BOB-3 --person bob --type card --cause damaged --replaces BOB-NEW").ok().unwrap();
    assert_eq!(south.tap("south-main", "BOB-NEW").unwrap(), "grant granted", "it is still good");
    by(&world, &desk, "card activate BOB-3").ok().unwrap();
    assert!(south.tap("south-main", "BOB-NEW").unwrap().starts_with("deny"));
    south.wait_for("south-main", "BOB-3", "grant granted").unwrap();
    world.wait_until_recorded().unwrap();
    assert_says(&world.authority.say("log --card BOB-3").unwrap().ok().unwrap().out, &["BOB-3", "bob", "granted"]);
    by(&world, &desk, "lockdown campus --reason x").with_code(1).unwrap();
    world.stop().unwrap();
}
