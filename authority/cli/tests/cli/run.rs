//! Running the binary, with an environment that nothing leaks into.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// What a run of the binary left behind.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The binary, ready to be given arguments.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    for name in ["DOORWARD_DATA", "DOORWARD_API", "DOORWARD_TOKEN_FILE", "DOORWARD_CA"] {
        command.env_remove(name);
    }
    command.env("USER", "tester");
    command
}

/// Runs the binary to its end.
pub fn doorward<S: AsRef<OsStr>>(arguments: &[S]) -> Ran {
    let Output { status, stdout, stderr } = command().args(arguments).output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("all output is UTF-8");
    Ran { code: status.code().expect("the binary ends by itself"), out: text(stdout), err: text(stderr) }
}

/// Runs the binary with these lines on its standard input.
pub fn doorward_with<S: AsRef<OsStr>>(arguments: &[S], lines: &str) -> Ran {
    let mut command = command();
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    // It may have ended before it read everything.
    let _gone = stdin.write_all(lines.as_bytes());
    drop(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("all output is UTF-8");
    Ran { code: status.code().expect("the binary ends by itself"), out: text(stdout), err: text(stderr) }
}

/// A sample campus.
pub fn campus(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/campuses")).join(name)
}

/// A copy of a sample campus, to be changed.
pub fn copy_of(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for entry in std::fs::read_dir(campus(name)).expect("the sample is there") {
        let entry = entry.expect("the sample can be read");
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a file can be copied");
    }
    folder
}

/// Changes one text in a file, which must contain it.
pub fn edit(folder: &tempfile::TempDir, file: &str, from: &str, to: &str) {
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).expect("the file can be read");
    assert!(text.contains(from), "{file} does not contain {from:?}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("the file can be written");
}
