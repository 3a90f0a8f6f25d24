//! Help, command lines that make no sense, and authorities that are not there.

use crate::run::{command, doorward};
use std::os::unix::fs::PermissionsExt;

#[test]
fn without_a_command_the_commands_are_shown_by_what_they_are_for() {
    let ran = doorward::<&str>(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for text in ["Run an authority:", "  card ", "Look back:", "Exit codes:"] {
        assert!(ran.out.contains(text), "{}", ran.out);
    }
    assert_eq!(doorward(&["--help"]).out, ran.out);
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2_and_changes_nothing() {
    for line in [
        "chek",
        "check",
        "decide here",
        "card suspend CARD",
        "card suspend C^RD --reason lost",
        "card suspend CARD --reason lost --wait 5",
        "agent add agent-sci --valid tomorrow",
        "lockdown campus",
        "lockdown room 5 --reason fire",
        "grant add --unit korean --schedule day",
        "grant add --unit korean --person p --door d",
        "grant add --unit korean --door d --from 2026-02-30",
        "who sci-main --at yesterday",
        "log --limit none",
        "verify file",
        "status",
        "status --data here --api http://127.0.0.1:1",
        "status --api http://127.0.0.1:1",
        "serve",
        "serve --data here --api nowhere",
        "serve --data here --advertise nowhere",
        "serve --data here --pulse 0s",
        "card suspend CARD --reason lost --wait 11m",
        "agent add agent-sci --valid 90s --data here",
        "init --campus here",
    ] {
        let ran = doorward(&line.split(' ').collect::<Vec<_>>());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}: {}", ran.err);
        assert!(ran.err.starts_with("error: "), "{line}: {}", ran.err);
    }
}

#[test]
fn a_command_that_lacks_its_action_shows_the_actions() {
    let ran = doorward(&["card"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("  suspend     Hold a card back at once"), "{}", ran.err);
}

#[test]
fn an_authority_that_is_not_there_is_named_with_how_to_start_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let ran = doorward(&["status", "--data", data]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains(&format!("start it with `doorward serve --data {data}`")), "{}", ran.err);
    let ran = doorward(&["status", "--data", "nowhere"]);
    assert!(ran.code == 1 && ran.err.contains("doorward init --data nowhere"), "{}", ran.err);
    let token = folder.path().join("token");
    std::fs::write(&token, "abc\n").unwrap();
    let ran = doorward(&["status", "--api", "http://127.0.0.1:1", "--token-file", token.to_str().unwrap()]);
    assert!(ran.code == 1 && ran.err.contains("can be read by other users"), "{}", ran.err);
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ran = doorward(&["status", "--api", "http://192.0.2.1:7480", "--token-file", token.to_str().unwrap()]);
    assert!(ran.code == 2 && ran.err.contains("in the clear"), "{}", ran.err);
    // Nobody listens on port 1 of this machine, and a proxy must not be asked.
    let ran = command()
        .args(["status", "--json", "--api", "http://127.0.0.1:1", "--token-file", token.to_str().unwrap()])
        .env("http_proxy", "http://127.0.0.1:2")
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&ran.stderr).unwrap();
    assert!(said["error"].as_str().unwrap().starts_with("no authority answers at http://127.0.0.1:1"), "{said}");
    assert_eq!(ran.status.code(), Some(1));
    let ran = doorward(&["status", "--api", "https://127.0.0.1:1", "--token-file", token.to_str().unwrap()]);
    assert!(ran.code == 2 && ran.err.contains("--ca FILE"), "{}", ran.err);
    let ran = doorward(&["status", "--api", "127.0.0.1", "--token-file", token.to_str().unwrap()]);
    assert!(ran.code != 0 && ran.err.contains("http://HOST:PORT"), "{}", ran.err);
}
