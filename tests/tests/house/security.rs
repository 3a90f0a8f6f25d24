//! SECURITY.md keeps its word: each threat is looked at from all sides and names tests that exist; what else it leans on,
//! the service units and the dependency policy, says what it says.

use crate::documents::quoted;
use crate::source::{code, read, read_toml, rust_files, test_names};
use std::collections::BTreeSet;

/// What is said of each threat, in this order.
const SIDES: [&str; 5] = ["Can", "Cannot", "Limits", "Recovery", "Shown by"];

/// What each service unit must say.
const UNIT_LINES: [&str; 8] = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "UMask=0077",
    "LimitCORE=0",
    "ProtectSystem=strict",
    "MemoryDenyWriteExecute=yes",
    "SystemCallFilter=@system-service",
    "StateDirectoryMode=0700",
];

fn threats(document: &str) -> Vec<(&str, &str)> {
    let part = document.split("\n## Threats\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
    part.split("\n### ").skip(1).filter_map(|threat| threat.split_once('\n')).collect()
}

/// The name of a side at the beginning of a line, without what is added in parentheses.
fn side(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("- **")?.split_once(":**")?;
    Some(name.split(" (").next().unwrap_or(name))
}

#[test]
fn each_threat_is_seen_from_all_sides() {
    let document = read("SECURITY.md");
    let threats = threats(&document);
    assert!(threats.len() >= 10, "{}", threats.len());
    for (name, text) in threats {
        assert_eq!(text.lines().filter_map(side).collect::<Vec<_>>(), SIDES, "{name}");
    }
}

#[test]
fn each_claim_of_security_names_tests_that_exist() {
    let known: BTreeSet<String> = rust_files().iter().flat_map(|file| test_names(&code(&file.text))).collect();
    let document = read("SECURITY.md");
    let mut claims: Vec<(&str, &str)> = threats(&document)
        .into_iter()
        .map(|(name, text)| (name, text.split("**Shown by:**").nth(1).unwrap_or_default()))
        .collect();
    let before_threats = document.split("\n## Threats\n").next().unwrap_or_default();
    let paragraphs = before_threats.split("\n\n").filter_map(|paragraph| paragraph.split("Shown by").nth(1));
    claims.extend(paragraphs.map(|tests| ("what is worth protecting", tests)));
    for (name, shown_by) in claims {
        let tests: Vec<&str> = quoted(shown_by).collect();
        assert!(!tests.is_empty(), "{name}: no test shows it");
        let missing: Vec<&&str> = tests.iter().filter(|test| !known.contains(**test)).collect();
        assert!(missing.is_empty(), "{name}: no test is called {missing:?}");
    }
}

#[test]
fn the_services_give_up_what_they_do_not_need() {
    for unit in ["deploy/systemd/doorward.service", "deploy/systemd/doorward-agent.service"] {
        let text = read(unit);
        let lines: BTreeSet<&str> = text.lines().collect();
        let missing: Vec<&&str> = UNIT_LINES.iter().filter(|line| !lines.contains(**line)).collect();
        assert!(missing.is_empty(), "{unit} lacks {missing:?}");
    }
}

#[test]
fn each_exception_of_the_dependency_policy_has_its_reason() {
    let policy = read_toml("deny.toml");
    let lists = [("bans", "deny"), ("bans", "skip"), ("bans", "skip-tree"), ("advisories", "ignore")];
    let entries = lists.iter().filter_map(|(part, list)| policy.get(*part)?.get(*list)?.as_array()).flatten();
    for entry in entries {
        let reason = entry.get("reason").and_then(toml::Value::as_str).unwrap_or_default();
        assert!(reason.len() >= 10, "{entry:?} needs a reason");
    }
    let bans = &policy["bans"];
    assert_eq!((bans["multiple-versions"].as_str(), bans["wildcards"].as_str()), (Some("deny"), Some("deny")));
    assert_eq!(policy["sources"]["allow-registry"].as_array().map(Vec::len), Some(1));
}

#[test]
fn private_keys_are_wiped_and_key_exchange_is_ready_for_quantum_computers() {
    let manifest = read_toml("Cargo.toml");
    let has = |library: &str, feature: &str| {
        let features = manifest["workspace"]["dependencies"][library]["features"].as_array();
        features.is_some_and(|features| features.iter().any(|found| found.as_str() == Some(feature)))
    };
    assert!(has("ed25519-dalek", "zeroize"), "private keys would stay in memory");
    assert!(has("rustls", "prefer-post-quantum"));
}
