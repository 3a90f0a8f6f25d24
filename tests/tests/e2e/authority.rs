//! The authority: what `init` makes, what `import` changes, and who may ask the HTTP API.

use crate::tools::{assert_says, journal_head, mode, tiny_copy};
use std::collections::BTreeMap;
use std::path::Path;
use tests::authority::Authority;
use tests::campus::{self, edit};
use tests::http;
use tests::world::World;

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn init_makes_files_for_their_owner_alone_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(&folder.path().join("authority"), &campus::tiny()).unwrap();
    let data = &authority.data;
    assert_eq!(mode(data), 0o700);
    for name in ["signing-key", "ca-key.pem", "api-token", "journal.db"] {
        assert_eq!(mode(&data.join(name)) & 0o077, 0, "{name}");
    }
    let root_keys = data.join("root-key-TAKE-OFFLINE");
    assert_eq!(mode(&root_keys), 0o700);
    let keys: Vec<_> = std::fs::read_dir(&root_keys).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!keys.is_empty());
    assert!(keys.iter().all(|key| mode(key) == 0o600), "{keys:?}");
    assert!(data.join("root.pub").is_file());

    let before = contents(data);
    let campus = campus::tiny().display().to_string();
    let refused = authority.run(&["init", "--campus", &campus]).unwrap().with_code(1).unwrap();
    assert_says(&refused.err, &["already", &data.display().to_string()]);
    assert_eq!(contents(data), before);
}

#[test]
fn a_wrong_campus_folder_founds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = tiny_copy(folder.path(), "wrong");
    edit(&wrong, "cards.csv", |text| text.replace("ADA,ada", "ADA,adda")).unwrap();
    let authority = Authority::at(&folder.path().join("authority")).unwrap();
    let refused = authority.run(&["init", "--campus", &wrong.display().to_string()]).unwrap().with_code(1).unwrap();
    assert_says(&refused.text(), &["cards.csv:2:5:", "adda"]);
    assert!(!authority.data.join("journal.db").exists());
    Authority::init(&authority.data, &campus::tiny()).unwrap();
}

#[test]
fn a_dry_run_shows_the_plan_that_the_import_then_carries_out() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let newer = tiny_copy(world.path(), "newer");
    edit(&newer, "people.csv", |text| text.replace("s15,Student 15,student,,\n", "zoe,Zoe Young,staff,,\n")).unwrap();
    edit(&newer, "affiliations.csv", |text| text.replace("s15,", "zoe,")).unwrap();
    edit(&newer, "cards.csv", |text| text.replace("S15,s15,", "ZOE,zoe,")).unwrap();
    let import = format!("import {}", newer.display());
    let plan_of = |answer: &tests::command::Answer| {
        let lines = answer.json_lines().unwrap();
        let plans = lines.iter().filter_map(|line| line.get("plan").cloned()).collect::<Vec<_>>();
        assert_eq!(plans.len(), 1, "{}", answer.out);
        assert!(lines[0]["progress"]["stage"].is_string(), "progress comes first: {}", answer.out);
        (plans[0].clone(), lines.last().unwrap()["result"].clone())
    };

    let head = journal_head(&world);
    let dry = world.authority.say(&format!("{import} --dry-run --json")).unwrap().ok().unwrap();
    let (planned, result) = plan_of(&dry);
    assert_eq!(result["dry_run"], true);
    assert_eq!(journal_head(&world), head, "a dry run changes nothing");
    assert!(world.authority.say("card show ZOE").unwrap().code == Some(1));

    let done = world.authority.say(&format!("{import} --json")).unwrap().ok().unwrap();
    let (executed, result) = plan_of(&done);
    assert_eq!(planned, executed);
    assert_eq!(result["seq"], head + 1);
    assert_eq!(journal_head(&world), head + 1);
    assert_says(&world.authority.say("card show ZOE").unwrap().ok().unwrap().out, &["Zoe Young"]);

    let again = world.authority.say(&format!("{import} --json")).unwrap().ok().unwrap();
    assert_eq!(plan_of(&again).1["changed"], false);
    assert_eq!(journal_head(&world), head + 1, "the same folder again is no change");
    world.stop().unwrap();
}

#[test]
fn an_import_that_removes_more_than_a_tenth_waits_for_allow_removals() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let smaller = tiny_copy(world.path(), "smaller");
    let without = |text: String| {
        let gone = ["s13,", "s14,", "s15,", "S13,", "S14,", "S15,"];
        text.lines().filter(|line| !gone.iter().any(|start| line.starts_with(start))).fold(
            String::new(),
            |mut kept, line| {
                kept.push_str(line);
                kept.push('\n');
                kept
            },
        )
    };
    for name in ["people.csv", "affiliations.csv", "cards.csv"] {
        edit(&smaller, name, without).unwrap();
    }
    let head = journal_head(&world);
    let import = format!("import {}", smaller.display());
    let refused = world.authority.say(&import).unwrap().with_code(1).unwrap();
    assert_says(&refused.text(), &["--allow-removals"]);
    assert_eq!(journal_head(&world), head);
    world.authority.say("card show S15").unwrap().ok().unwrap();
    world.authority.say(&format!("{import} --allow-removals")).unwrap().ok().unwrap();
    assert_eq!(journal_head(&world), head + 1);
    let today = campus::today(0).unwrap();
    assert_says(&world.authority.say("person show s15").unwrap().ok().unwrap().out, &[&format!("left on  {today}")]);
    world.stop().unwrap();
}

#[test]
fn an_import_with_errors_names_them_all_and_changes_nothing() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let wrong = tiny_copy(world.path(), "wrong");
    edit(&wrong, "people.csv", |text| text.replace("dana,Dana Novak,student", "dana,Dana Novak,studnt")).unwrap();
    edit(&wrong, "doors.csv", |text| text.replace("south-side,south,", "south-side,souht,")).unwrap();
    let head = journal_head(&world);
    let refused = world.authority.say(&format!("import {}", wrong.display())).unwrap().with_code(1).unwrap();
    assert_says(&refused.text(), &["people.csv:5:17:", "studnt", "student", "doors.csv:5:12:", "souht"]);
    assert_eq!(journal_head(&world), head);
    world.stop().unwrap();
}

#[test]
fn the_api_answers_nobody_without_its_token_and_describes_itself() {
    let world = World::start(&campus::tiny(), &[]).unwrap();
    let ask = |path: &str, headers: &[String]| http::ask(world.authority.api, "GET", path, headers, "").unwrap();
    let wrong = format!("authorization: Bearer {}", "0".repeat(64));
    for headers in [vec![], vec![wrong], vec!["authorization: Basic Og==".to_owned()]] {
        let reply = ask("/v1/status", &headers);
        assert_eq!(reply.status, 401, "{headers:?}");
        assert!(!reply.body.contains("tiny"), "{}", reply.body);
    }
    let bearer = [world.authority.bearer().unwrap()];
    assert_eq!(ask("/v1/status", &bearer).status, 200);
    let described = ask("/v1/openapi.json", &bearer);
    assert_eq!(described.status, 200);
    let described: serde_json::Value = serde_json::from_str(&described.body).unwrap();
    for path in ["/v1/status", "/v1/import", "/v1/cards/{id}/suspend", "/v1/changes/{seq}/evidence"] {
        assert!(described["paths"][path].is_object(), "{path} is not described");
    }
    world.stop().unwrap();
}

#[test]
fn the_api_speaks_only_tls_where_it_leaves_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = Authority::init(&folder.path().join("authority"), &campus::tiny()).unwrap();
    let loopback = authority.api;
    authority.api.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
    authority.start().unwrap();
    let plain = http::ask(loopback, "GET", "/v1/status", &[authority.bearer().unwrap()], "");
    assert!(plain.is_err(), "plain HTTP is answered: {plain:?}");
    assert_eq!(authority.json("status").unwrap()["campus"]["id"], "tiny");
    authority.stop().unwrap();
}
