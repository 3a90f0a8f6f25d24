//! A test that this machine cannot run says so here, where `./test` counts it and shows it at its end.
//!
//! Deliberately no way to leave a test out on purpose: what is missing is a tool or a permission, and the reason names it.

use std::fs::File;
use std::io::Write;

/// The file in which `./test` collects what was skipped; without it, the line is shown and not counted.
const COLLECTED_IN: &str = "DOORWARD_SKIPPED";

/// Says that the running test is skipped, and what the machine would need for it.
pub fn say(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Past the test harness, which hides the output of tests that pass.
    let line = format!("skipped: {test}: {why}\n");
    let _unheard = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os(COLLECTED_IN) {
        // One write of one line: several test processes append to the file at once.
        let file = File::options().create(true).append(true).open(path);
        let _uncounted = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
