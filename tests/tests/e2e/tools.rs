//! What several of the tests need: the tiny campus with both of its agents, and looking at answers.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tests::authority::Authority;
use tests::binaries::binaries;
use tests::campus;
use tests::command::run;
use tests::wait::{SOON, until};
use tests::world::World;

pub const NORTH: &str = "agent-north";
pub const SOUTH: &str = "agent-south";

/// The tiny campus with both of its agents, running and exact.
pub fn tiny_world() -> World {
    World::start(&campus::tiny(), &[NORTH, SOUTH]).unwrap()
}

/// A copy of the tiny campus in a world's folder.
pub fn tiny_copy(folder: &Path, name: &str) -> PathBuf {
    let copy = folder.join(name);
    campus::copy(&campus::tiny(), &copy, 0).unwrap();
    copy
}

/// Permissions of a file, as `chmod` takes them.
pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

/// The newest entry of the journal.
pub fn journal_head(world: &World) -> u64 {
    world.authority.api_json("/v1/status").unwrap()["journal_head"].as_u64().unwrap()
}

/// Every access record that the authority has, oldest first.
pub fn log(world: &World, filter: &str) -> Vec<Value> {
    world.authority.json_lines(&format!("log --limit 100000 {filter}")).unwrap().into_iter().map(record).collect()
}

/// The record of a line of the log.
pub fn record(line: Value) -> Value {
    line["record"].clone()
}

/// Waits until the authority has raised an alarm of this kind about an agent, and returns what it says.
pub fn wait_for_alarm(world: &World, agent: &str, kind: &str) -> String {
    let mut all = Value::Null;
    let found = until(&format!("an alarm {kind} about {agent}"), SOON, || {
        all = world.authority.api_json("/v1/alarms").ok()?["alarms"].clone();
        let alarms = all.as_array()?.iter();
        let mut text =
            alarms.filter(|alarm| alarm["kind"] == kind && alarm["agent"] == agent).map(|alarm| &alarm["text"]);
        text.next()?.as_str().map(str::to_owned)
    });
    found.unwrap_or_else(|error| panic!("{error}; there were {all}"))
}

/// A `serve` that must refuse to run; what it says.
pub fn serve_refuses(authority: &Authority) -> String {
    let line = authority.serve_arguments();
    let refused = run(&binaries().unwrap().authority, &line, &authority.environment, None).unwrap();
    refused.with_code(1).unwrap().text()
}

/// Fails unless the text contains all of this.
#[track_caller]
pub fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}
