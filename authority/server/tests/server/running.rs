//! A whole server over real sockets, and a client that knows no more of it than HTTP.

use crate::support::made;
use doorward_policy::folder::CampusFiles;
use doorward_server::http::shapes::Fault;
use doorward_server::paths::Layout;
use doorward_server::serve::{ServeError, ServeOptions, Server};
use doorward_server::start::StartError;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a server that stopped may hold its data directory.
const SOON: Duration = Duration::from_secs(30);

/// Between two attempts to begin on it.
const PAUSE: Duration = Duration::from_millis(50);

/// A server on sockets of its own.
pub struct Running {
    directory: tempfile::TempDir,
    pub layout: Layout,
    pub address: String,
    pub token: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

pub fn options(layout: &Layout) -> ServeOptions {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    ServeOptions { quic: any, api: any, pulse_ms: 50, ..ServeOptions::new(layout.directory()) }
}

/// A server of the sample campus.
pub async fn running() -> Running {
    running_with(|_| ()).await
}

/// The same, once something more is in its data directory.
pub async fn running_with(prepare: impl FnOnce(&Layout)) -> Running {
    let (directory, layout) = made();
    prepare(&layout);
    serving(directory, layout).await
}

/// A server on a data directory that is there.
pub async fn serving(directory: tempfile::TempDir, layout: Layout) -> Running {
    let begun = Instant::now();
    let server = loop {
        match Server::start(options(&layout)).await {
            // On a busy machine the threads of a server that stopped may outlive its patience with them.
            Err(ServeError::Start(StartError::Locked(_))) if begun.elapsed() < SOON => tokio::time::sleep(PAUSE).await,
            started => break started.unwrap(),
        }
    };
    let address = server.run_file().api.strip_prefix("http://").unwrap().to_owned();
    let token = std::fs::read_to_string(layout.api_token()).unwrap().trim().to_owned();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
    Running { directory, layout, address, token, stop, server }
}

impl Running {
    pub async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, Vec<u8>) {
        self.ask_with(method, path, token, "", body).await
    }

    /// Asks with more headers, each with its end of line.
    pub async fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        more: &str,
        body: &str,
    ) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        // Of HTTP/1.0 an answer ends with its connection, which spares this client chunks.
        let request = format!(
            "{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nX-Doorward-As: kim\r\n{token}{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer[end + 4..].to_vec())
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, body) = self.ask("GET", path, Some(&self.token), "").await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    pub async fn lines<T: DeserializeOwned>(&self, method: &str, path: &str, body: &str) -> Vec<T> {
        let (status, body) = self.ask(method, path, Some(&self.token), body).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> T {
        let (status, body) = self.ask("POST", path, Some(&self.token), &body.to_string()).await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    pub async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, Fault) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.ask(method, path, Some(&self.token), &body).await;
        let fault = serde_json::from_slice(&body);
        (status, fault.unwrap_or_else(|error| panic!("{path}: {error}: {}", String::from_utf8_lossy(&body))))
    }

    pub async fn stop(self) {
        self.end().await;
    }

    /// Stops the server and starts another one on the same data directory.
    pub async fn restart(self) -> Self {
        let (directory, layout) = self.end().await;
        serving(directory, layout).await
    }

    async fn end(self) -> (tempfile::TempDir, Layout) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
        assert!(!self.layout.run_file().exists());
        (self.directory, self.layout)
    }

    pub fn import_body(files: &CampusFiles) -> Value {
        let files = files.0.iter().map(|(name, bytes)| (name.clone(), String::from_utf8(bytes.clone()).unwrap()));
        json!({ "files": files.collect::<std::collections::BTreeMap<_, _>>() })
    }
}
