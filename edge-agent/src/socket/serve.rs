//! Serves the socket: bounded lines from a bounded number of connections, answered in the order in which they were asked.
//!
//! Deliberately without deciding what an answer is: [`Desk`] decides in memory and waits for the record.

use crate::clock::wall_now;
use crate::desk::Desk;
use crate::socket::line::{ErrorAnswer, LINE_BYTES_MAX, LineError, Request, TapAnswer, to_line};
use crate::stop::Stop;
use anyhow::{Context, Result, bail};
use doorward_protocol::decide::Reason;
use doorward_protocol::id::DoorId;
use doorward_protocol::time::UnixMs;
use serde_json::Value;
use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixListener as BoundListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Connections at once: a reader driver for each of the doors of a building, and a few people.
const CONNECTIONS_MAX: usize = 128;

/// Taps of one connection that may wait for their answers; beyond it, the connection is not read.
const PENDING_MAX: usize = 32;

/// Longest path of a Unix socket in bytes on Linux, with room for the name under which it is bound first.
const PATH_BYTES_MAX: usize = 103;

/// How long connections may take to write what was answered when the agent stops.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// A socket that is bound; its file goes when this is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: BoundListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Nothing is lost when it stays: the next start replaces a socket that nobody answers.
        let _gone = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Binds the socket, for its owner only; a file that a killed agent left is replaced.
    ///
    /// # Errors
    /// When somebody answers there already, or something else lies there.
    pub fn bind(path: &Path) -> Result<Self> {
        let shown = path.display();
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => bail!("another program answers on {shown}; stop it, or choose another --socket"),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {}
            Err(error) => return Err(error).with_context(|| format!("{shown} cannot be used as a socket")),
        }
        // Bound in a folder that nobody else can enter: whoever connects before a socket has its permissions stays
        // connected, whatever they become.
        let folder = path.with_extension("new");
        let draft = folder.join("s");
        let bound = || -> std::io::Result<BoundListener> {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            DirBuilder::new().mode(0o700).create(&folder)?;
            let listener = BoundListener::bind(&draft)?;
            listener.set_nonblocking(true)?;
            fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
            fs::rename(&draft, path)?;
            fs::remove_dir(&folder)?;
            Ok(listener)
        };
        let listener = bound().with_context(|| {
            let length = path.as_os_str().len();
            let hint = if length > PATH_BYTES_MAX { "; its path is too long, choose a shorter --socket" } else { "" };
            format!("the socket {shown} cannot be bound{hint}")
        })?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Serves until the agent stops and what was asked before is answered.
    pub async fn serve(self, desk: Arc<Desk>, stop: Stop) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        // Belongs to the runtime that serves, whichever it was bound under.
        match self.listener.try_clone().and_then(UnixListener::from_std) {
            Ok(listener) => accept(&listener, &desk, stop, &places).await,
            Err(error) => desk.alarms.raise(format!("the socket cannot be served: {error}")),
        }
        let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        let _in_time = tokio::time::timeout(GOODBYE_TIMEOUT, places.acquire_many(all)).await;
    }
}

async fn accept(listener: &UnixListener, desk: &Arc<Desk>, mut stop: Stop, places: &Arc<Semaphore>) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    desk.alarms.raise(format!("the socket takes no connection: {error}"));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            },
            () = stop.wait() => return,
        };
        match Arc::clone(places).try_acquire_owned() {
            Ok(place) => {
                let (desk, stop) = (Arc::clone(desk), stop.clone());
                tokio::spawn(async move {
                    serve_connection(stream, &desk, stop).await;
                    drop(place);
                });
            }
            Err(_) => refuse(stream, desk).await,
        }
    }
}

async fn refuse(mut stream: UnixStream, desk: &Desk) {
    desk.alarms.raise(format!("more than {CONNECTIONS_MAX} connections on the socket; one was refused"));
    let error = format!("{CONNECTIONS_MAX} connections are open, which is all; close one and try again");
    // Who does not read it sees the end of the connection instead.
    let _unread = stream.write_all(to_line(&ErrorAnswer { error }).as_bytes()).await;
}

/// An answer in the order of questions.
enum Pending {
    /// Is there already.
    Ready(String),
    /// Waits for the record.
    Tap { id: Option<Value>, door: DoorId, at: UnixMs, reason: oneshot::Receiver<Reason> },
}

async fn serve_connection(stream: UnixStream, desk: &Desk, mut stop: Stop) {
    let (read, mut write) = stream.into_split();
    let (pending, mut answers) = mpsc::channel(PENDING_MAX);
    let asked = async move {
        let mut lines = BufReader::with_capacity(LINE_BYTES_MAX, read);
        loop {
            let line = tokio::select! {
                line = next_line(&mut lines) => line,
                () = stop.wait() => return,
            };
            let Ok(Some(line)) = line else { return };
            if pending.send(answer(desk, line).await).await.is_err() {
                return;
            }
        }
    };
    let answered = async move {
        while let Some(pending) = answers.recv().await {
            if write.write_all(pending.line().await.as_bytes()).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(asked, answered);
}

async fn answer(desk: &Desk, line: Result<Vec<u8>, LineError>) -> Pending {
    match line.and_then(|line| Request::parse(&line)) {
        Ok(Request::Tap(tap)) => {
            let (id, door) = (tap.id.clone(), tap.door.clone());
            let (at, reason) = desk.tap(tap, wall_now()).await;
            Pending::Tap { id, door, at, reason }
        }
        Ok(Request::Status) => Pending::Ready(to_line(&desk.status(wall_now()))),
        Err(error) => Pending::Ready(to_line(&ErrorAnswer { error: error.to_string() })),
    }
}

impl Pending {
    async fn line(self) -> String {
        match self {
            Self::Ready(line) => line,
            Self::Tap { id, door, at, reason } => {
                // The recorder ends before an answer only while the agent stops: then nothing was recorded.
                let reason = reason.await.unwrap_or(Reason::NotRecorded);
                to_line(&TapAnswer::new(id, door, reason, at))
            }
        }
    }
}

/// The next line without its end, `None` at the end of the stream. Of a line that is too long nothing is kept.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Result<Vec<u8>, LineError>>> {
    let mut line = Vec::new();
    let mut is_too_long = false;
    loop {
        let bytes = reader.fill_buf().await?;
        if bytes.is_empty() {
            // A last line may lack its end.
            return Ok((!line.is_empty() || is_too_long).then(|| bounded(line, is_too_long)));
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (taken, _) = bytes.split_at(end.unwrap_or(bytes.len()));
        is_too_long |= line.len().saturating_add(taken.len()) > LINE_BYTES_MAX;
        if is_too_long {
            line.clear();
        } else {
            line.extend_from_slice(taken);
        }
        let used = taken.len().saturating_add(usize::from(end.is_some()));
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(bounded(line, is_too_long)));
        }
    }
}

fn bounded(line: Vec<u8>, is_too_long: bool) -> Result<Vec<u8>, LineError> {
    if is_too_long { Err(LineError::TooLong) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_cut_at_their_ends_and_overlong_ones_are_dropped() {
        let long = "x".repeat(3 * LINE_BYTES_MAX);
        let text = format!("one\n{long}\n\nlast");
        let mut reader = BufReader::with_capacity(16, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut reader).await.unwrap() {
            lines.push(line.map(|line| String::from_utf8(line).unwrap()));
        }
        assert_eq!(lines, [Ok("one".into()), Err(LineError::TooLong), Ok(String::new()), Ok("last".into())]);
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taps.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = Socket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = Socket::bind(&path).unwrap_err().to_string();
        assert!(refused.contains("another program answers"), "{refused}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing but the socket is left");
        drop(socket);
        assert!(!path.exists());
        fs::write(&path, "no socket").unwrap();
        assert!(Socket::bind(&path).is_err() || fs::read(&path).is_err());
    }
}
