//! The HTTP API as a stranger would ask it: one plain request, the answer's status and text.
//!
//! Deliberately no client library: what is tested is what stands on the wire.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status, such as 200.
    pub status: u16,
    /// Everything before the body.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Asks once: a method, a path, headers as whole lines, and a body.
///
/// # Errors
/// When nobody answers.
pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &[String], body: &str) -> Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    // By the older version an answer ends with its connection, and so it need not be put together from pieces.
    let mut request = format!("{method} {path} HTTP/1.0\r\nhost: {address}\r\n");
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").context("no end of the head in the answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status in the answer")?;
    Ok(Reply { status, head: head.to_owned(), body: body.to_owned() })
}
