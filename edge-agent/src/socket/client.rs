//! Asks a running agent over its socket; the same way a reader driver does.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the socket in a data directory, unless another one was chosen.
pub const SOCKET_FILE: &str = "taps.sock";

/// How long an answer may take: a record on a slow disk takes a second.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The socket of the agent with this data directory.
#[must_use]
pub fn socket_in(data: &Path) -> PathBuf {
    data.join(SOCKET_FILE)
}

/// Sends one line and reads the answer.
///
/// # Errors
/// When no agent answers, or it says that the line is wrong.
pub fn ask<T: DeserializeOwned>(socket: &Path, line: &str) -> Result<T> {
    let shown = socket.display();
    let mut stream = match UnixStream::connect(socket) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            bail!("no agent answers on {shown}; start it with `doorward-agent run --data DIR`, or name its --socket")
        }
        stream => stream.with_context(|| format!("{shown} cannot be reached"))?,
    };
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(line.as_bytes()).with_context(|| format!("{shown} does not take the question"))?;
    let mut text = String::new();
    let read = BufReader::new(stream).read_line(&mut text);
    if read.with_context(|| format!("the agent on {shown} did not answer"))? == 0 {
        bail!("the agent on {shown} closed without an answer; is it stopping?");
    }
    let answer: Value = serde_json::from_str(&text).context("the agent's answer is not JSON")?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        bail!("the agent says: {error}");
    }
    serde_json::from_value(answer).context("the agent's answer is of another version than this program")
}
