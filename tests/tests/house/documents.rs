//! ARCHITECTURE.md keeps its word: invariants name tests that exist, dependencies have reasons, links lead somewhere.
//!
//! Whether the prose is true is for a reader to judge; here it is only held to what it refers to.

use crate::architecture::workspace;
use crate::source::{code, files, read, read_toml, root, rust_files, test_names};
use std::collections::BTreeSet;
use std::path::Path;

const MARKER: &str = "Architecture Invariant:";

/// The texts between backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the table below a heading: the text in backticks of the first cell, and the second cell.
fn rows<'a>(document: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let below =
        document.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with("## "));
    let cells = below.filter_map(|line| line.strip_prefix('|')?.strip_suffix('|')?.split_once('|'));
    cells.filter_map(|(name, reason)| Some((quoted(name).next()?, reason.trim()))).collect()
}

#[test]
fn each_architecture_invariant_names_tests_that_exist() {
    let known: BTreeSet<String> = rust_files().iter().flat_map(|file| test_names(&code(&file.text))).collect();
    let document = read("ARCHITECTURE.md");
    let invariants: Vec<&str> = document.split("\n\n").filter(|paragraph| paragraph.contains(MARKER)).collect();
    assert!(!invariants.is_empty(), "ARCHITECTURE.md has no paragraph with `{MARKER}`");
    for invariant in invariants {
        let (_, checks) = invariant.rsplit_once("Checked by").unwrap_or_default();
        let tests: Vec<&str> = quoted(checks).collect();
        assert!(!tests.is_empty(), "this paragraph must end with `Checked by` and its tests:\n{invariant}");
        let missing: Vec<&&str> = tests.iter().filter(|test| !known.contains(**test)).collect();
        assert!(missing.is_empty(), "no test is called {missing:?}:\n{invariant}");
    }
}

#[test]
fn each_promise_names_tests_that_exist() {
    let known: BTreeSet<String> = rust_files().iter().flat_map(|file| test_names(&code(&file.text))).collect();
    let document = read("ARCHITECTURE.md");
    let table = document.split("## Promises").nth(1).and_then(|rest| rest.split("## ").next()).unwrap_or_default();
    let promises: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert_eq!(promises.len(), 10, "there are ten promises");
    for promise in promises {
        let shown_by = promise.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let tests: Vec<&str> = quoted(shown_by).collect();
        assert!(!tests.is_empty(), "this promise names no test:\n{promise}");
        let missing: Vec<&&str> = tests.iter().filter(|test| !known.contains(**test)).collect();
        assert!(missing.is_empty(), "no test is called {missing:?}:\n{promise}");
    }
}

#[test]
fn each_dependency_has_its_reason_and_each_reason_its_dependency() {
    let manifest = read_toml("Cargo.toml");
    let dependencies = manifest["workspace"]["dependencies"].as_table().expect("a table");
    let foreign = dependencies.iter().filter(|(_, value)| value.get("path").is_none());
    let foreign: BTreeSet<&str> = foreign.map(|(name, _)| name.as_str()).collect();
    let document = read("ARCHITECTURE.md");
    let reasons = rows(&document, "## Dependencies");
    assert_eq!(reasons.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), foreign, "a row for each dependency");
    for (name, reason) in reasons {
        assert!(reason.len() >= 10, "{name} needs a reason");
    }
}

#[test]
fn the_code_map_names_every_crate() {
    let document = read("ARCHITECTURE.md");
    let manifest = read_toml("Cargo.toml");
    let members = manifest["workspace"]["members"].as_array().expect("there are members");
    assert_eq!(members.len(), workspace().len());
    for member in members.iter().filter_map(toml::Value::as_str) {
        assert!(document.contains(&format!("`{member}/`")), "ARCHITECTURE.md does not speak of {member}/");
    }
}

#[test]
fn links_between_documents_lead_to_files() {
    let mut faults = Vec::new();
    for file in files().into_iter().filter(|file| file.path.ends_with(".md")) {
        let folder = root().join(Path::new(&file.path).parent().expect("a file is in a folder"));
        for target in link_targets(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !folder.join(path).exists() {
                faults.push(format!("{}: {target}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Where the links of a document lead, those to other places of the world left out.
fn link_targets(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced {
            let ends = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
            targets.extend(ends.filter(|target| !target.contains("://") && !target.starts_with("mailto:")));
        }
    }
    targets
}

#[test]
fn a_link_is_seen_in_prose_and_not_in_an_example() {
    let text = "See [a](b.md#c), ![d](e/f.png \"g\") and [h](https://i.example).\n```\n[j](k)\n```\n[l](#m)\n";
    assert_eq!(link_targets(text), ["b.md#c", "e/f.png", "#m"]);
}

#[test]
fn the_changelog_has_a_place_for_what_comes_next() {
    let changelog = read("CHANGELOG.md");
    assert!(changelog.lines().any(|line| line == "## [Unreleased]"), "CHANGELOG.md has no `## [Unreleased]`");
}
