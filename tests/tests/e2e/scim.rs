//! An identity provider at work: whom it pushes gets the door and loses it again, and a public checker holds the service to the
//! standard.

use crate::tools::{NORTH, SOUTH, assert_says, tiny_world};
use serde_json::{Value, json};
use std::path::PathBuf;
use tests::authority::Authority;
use tests::binaries::binaries;
use tests::command::run;
use tests::world::World;
use tests::{campus, http, skipped};

/// What the checker finds, and why it stays so. All other findings fail the test.
const REASONS: [(&str, &str, &str); 15] = [
    ("User", "PATCH modify() returned unexpected value for 'urn:doorward", ADDED),
    ("User", "Attribute 'urn:doorward:params:scim:schemas:extension:2.0:Person", ADDED),
    (
        "User",
        "PATCH modify() did not remove attribute 'active'",
        "a person is here or has left: no value is the value `true`",
    ),
    (
        "User",
        "POST /.search: searching several resource types at once is not supported",
        "RFC 7644 leaves it open, section 3.4.3",
    ),
    ("Group", "object_creation", UNITS),
    ("Group", "object_query", UNITS),
    ("Group", "object_query_without_id", UNITS),
    ("Group", "object_query_with_attributes", UNITS),
    ("Group", "object_list_with_attributes", UNITS),
    ("Group", "search_with_attributes", UNITS),
    ("Group", "object_replacement", UNITS),
    ("Group", "object_deletion", UNITS),
    ("Group", "check_add_attribute", UNITS),
    ("Group", "check_remove_attribute", UNITS),
    ("Group", "check_replace_attribute", UNITS),
];

/// The checker expects its own value alone, and a department that it set before is an affiliation, too.
const ADDED: &str = "what is added to many values stands beside those that are there (RFC 7644, section 3.5.2.1)";

/// What the checker cannot do for Groups, since it makes each of its own.
const UNITS: &str =
    "units come with the campus folder, so nobody makes or deletes one here; their members are tested elsewhere";

/// Fewest checks that must be good: a checker that stops early has found nothing either.
const GOOD_MIN: usize = 55;

/// A token for an identity provider.
fn token(authority: &Authority) -> String {
    authority.say("operator add idp --name Provider --role registrar-feed --campus").unwrap().ok().unwrap();
    authority.say("operator token idp").unwrap().ok().unwrap().out.trim().to_owned()
}

/// Asks as an identity provider does.
fn push(world: &World, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = [format!("authorization: Bearer {token}"), "content-type: application/scim+json".to_owned()];
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let reply = http::ask(world.authority.api, method, &format!("/scim/v2{path}"), &headers, &text).unwrap();
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
}

fn patch(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

#[test]
fn a_person_whom_a_provider_pushes_gets_the_door_and_loses_it_when_deactivated() {
    let world = tiny_world();
    let token = token(&world.authority);
    let (north, south) = (world.agent(NORTH).unwrap(), world.agent(SOUTH).unwrap());
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "nora@tiny.example", "externalId": "nora",
        "name": { "givenName": "Nora", "familyName": "Berg" }, "userType": "staff", "emails": [{ "value": "n@tiny.example" }],
    });
    let (status, made) = push(&world, &token, "POST", "/Users", &user);
    assert_eq!(
        (status, made["id"].as_str(), made["displayName"].as_str()),
        (201, Some("nora"), Some("Nora Berg")),
        "{made}"
    );
    world.authority.say("card issue NORA --person nora --type card --cause first").unwrap().ok().unwrap();
    world.authority.say("card activate NORA").unwrap().ok().unwrap();
    south.wait_for("south-main", "NORA", "grant granted").unwrap();
    let deactivate = patch(json!([{ "op": "Replace", "path": "active", "value": "False" }]));
    assert_eq!(push(&world, &token, "PATCH", "/Users/nora", &deactivate).0, 200);
    south.wait_for("south-main", "NORA", "deny ended").unwrap();
    assert_says(&world.authority.say("why NORA south-main").unwrap().ok().unwrap().out, &["left on"]);
    let back = patch(json!([{ "op": "replace", "value": { "active": true } }]));
    assert_eq!(push(&world, &token, "PATCH", "/Users/nora", &back).0, 200);
    south.wait_for("south-main", "NORA", "grant granted").unwrap();

    // A student of history may enter the north alone; a member of chemistry also where its people are let in.
    world.authority.say("grant add --unit chemistry --door south-side --id chemists").unwrap().ok().unwrap();
    assert!(south.tap("south-side", "DANA").unwrap().starts_with("deny"));
    let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": "dana" }] }]));
    assert_eq!(push(&world, &token, "PATCH", "/Groups/chemistry", &add).0, 200);
    south.wait_for("south-side", "DANA", "grant granted").unwrap();
    let remove = patch(json!([{ "op": "remove", "path": "members[value eq \"dana\"]" }]));
    assert_eq!(push(&world, &token, "PATCH", "/Groups/chemistry", &remove).0, 200);
    south.wait_for("south-side", "DANA", "deny no_permission").unwrap();

    assert_eq!(north.tap("north-main", "DANA").unwrap(), "grant granted");
    assert_eq!(push(&world, &token, "DELETE", "/Users/dana", &Value::Null).0, 204);
    north.wait_for("north-main", "DANA", "deny ended").unwrap();
    assert_eq!(push(&world, &token, "GET", "/Users/dana", &Value::Null).0, 404);
    assert_says(&world.authority.say("person show dana").unwrap().ok().unwrap().out, &["Dana Novak", "DANA"]);
    let unchanged = format!("import {}", campus::tiny().display());
    assert_says(&world.authority.say(&unchanged).unwrap().ok().unwrap().out, &["nothing is different"]);
    assert_says(
        &world.authority.say("journal").unwrap().out,
        &["idp/token:", "pushed person nora", "took back person dana"],
    );
    world.stop().unwrap();
}

/// The checker in the environment that `tests/prepare.sh` makes; without it, the test is skipped.
fn checker() -> Option<PathBuf> {
    let profile = binaries().unwrap().authority.parent().unwrap().to_owned();
    let program = profile.parent().unwrap().join("tools/scim/bin/scim");
    if program.is_file() {
        return Some(program);
    }
    skipped::say("the SCIM checker is not installed (Python 3.11 with venv, and a network; ./test installs it)");
    None
}

#[test]
fn a_public_checker_finds_nothing_against_the_standard_that_has_no_reason() {
    let Some(checker) = checker() else { return };
    let world = World::start(&campus::sample("kookje"), &[]).unwrap();
    let token = token(&world.authority);
    let url = format!("http://{}/scim/v2", world.authority.api);
    let environment = [
        ("SCIM_CLI_HEADERS".to_owned(), format!("Authorization: Bearer {token}")),
        ("NO_COLOR".to_owned(), "1".to_owned()),
    ];
    let answer = run(&checker, &["--url", &url, "test"], &environment, None).unwrap();
    let lines: Vec<&str> = answer.out.lines().collect();
    let good = lines.iter().filter(|line| line.starts_with("SUCCESS ")).count();
    let mut kind = "User";
    for pair in lines.windows(2) {
        let [title, reason] = pair else { continue };
        let Some((status, check)) = title.split_once(' ') else { continue };
        // The checks of Groups come after those of Users, each time from the first on.
        if check == "object_creation" && status != "SUCCESS" {
            kind = "Group";
        }
        if ["ERROR", "CRITICAL", "SKIPPED", "DEVIATION"].contains(&status) {
            let is_known = |known: &(&str, &str, &str)| {
                known.0 == kind && (reason.trim().starts_with(known.1) || check == known.1)
            };
            assert!(REASONS.iter().any(is_known), "{kind}: {title}\n{reason}\nin:\n{}", answer.text());
        }
    }
    assert!(good >= GOOD_MIN, "{good} checks were good:\n{}", answer.text());
    assert_eq!(kind, "Group", "both kinds were checked");
    world.stop().unwrap();
}
