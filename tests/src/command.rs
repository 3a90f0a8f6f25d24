//! One run of a command to its end: what it answered, and with which exit code.

use crate::process::tied;
use crate::wait::until;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a command may take; none takes nearly as long unless it hangs.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

/// What a command answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The command line, for messages.
    pub line: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// The answer, if the exit code is this one.
    ///
    /// # Errors
    /// When it is not; the message shows everything.
    pub fn with_code(self, code: i32) -> Result<Self> {
        if self.code != Some(code) {
            bail!("`{}` ended with {:?} and not {code}\n{}{}", self.line, self.code, self.out, self.err);
        }
        Ok(self)
    }

    /// The answer, if the command did what it was asked.
    ///
    /// # Errors
    /// When it did not.
    pub fn ok(self) -> Result<Self> {
        self.with_code(0)
    }

    /// Everything it said, both outputs one after the other.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// The JSON documents of the answer, one a line.
    ///
    /// # Errors
    /// When a line is none.
    pub fn json_lines(&self) -> Result<Vec<Value>> {
        let lines = self.out.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| serde_json::from_str(line).with_context(|| format!("`{}`: {line}", self.line))).collect()
    }

    /// The answer as one JSON document: all of it, or its last line.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value> {
        if let Ok(value) = serde_json::from_str(&self.out) {
            return Ok(value);
        }
        self.json_lines()?.pop().with_context(|| format!("`{}` answered nothing: {}", self.line, self.err))
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started, or hangs.
pub fn run<S: AsRef<OsStr>>(
    program: &Path,
    arguments: &[S],
    environment: &[(String, String)],
    folder: Option<&Path>,
) -> Result<Answer> {
    let mut command = tied(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let words: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
    run_to_end(&mut command, format!("{name} {}", words.join(" ")))
}

fn run_to_end(command: &mut Command, line: String) -> Result<Answer> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` cannot be started"))?;
    // Each pipe has its reader, so that a long answer on one does not hold up the other.
    let out = child.stdout.take().map(|pipe| std::thread::spawn(move || read_all(pipe)));
    let err = child.stderr.take().map(|pipe| std::thread::spawn(move || read_all(pipe)));
    let ended = until(&format!("the end of `{line}`"), COMMAND_WITHIN, || child.try_wait().ok().flatten());
    if ended.is_err() {
        let _gone = child.kill();
        let _gone = child.wait();
    }
    let text = |reader: Option<std::thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let (out, err) = (text(out), text(err));
    let code = ended.with_context(|| format!("it said:\n{out}{err}"))?.code();
    Ok(Answer { line, code, out, err })
}

fn read_all(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // What came before a broken pipe is still worth showing.
    let _broken = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
