//! Connections of the API: as many at once as the process can bear, and each must ask within a time.
//!
//! Deliberately knows nothing of requests; who may ask what is the router's. Without these bounds, anybody who reaches
//! the address could hold all of the process's files open by sending nothing, and no card would be suspended meanwhile.

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// What strangers may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; further ones wait in the kernel.
    pub connections_max: u32,
    /// How long the head of a request may take, from the opening of the connection or the end of the answer before it.
    pub head_within: Duration,
}

/// Far below the 1,024 files that a process may have open; and a head is one packet.
pub const LIMITS: Limits = Limits { connections_max: 256, head_within: Duration::from_secs(10) };

/// Longest head of a request in bytes, and how much of a body is read at once.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// Serves connections until the server stops; open requests are then answered, and nothing more is asked.
pub async fn serve(mut listener: impl Listener, router: Router, limits: Limits, mut stopped: watch::Receiver<bool>) {
    let Limits { connections_max, head_within } = limits;
    let places = Arc::new(Semaphore::new(usize::try_from(connections_max).unwrap_or(usize::MAX)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(BUFFER_BYTES_MAX);
    loop {
        let accepted = async {
            // The semaphore is never closed, so there is a place as soon as one is given back.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await.0)
        };
        tokio::select! {
            (place, stream) = accepted => {
                let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
                let mut stopped = stopped.clone();
                tokio::spawn(async move {
                    let mut connection = std::pin::pin!(connection);
                    let ended = tokio::select! {
                        ended = connection.as_mut() => ended,
                        () = stop(&mut stopped) => {
                            connection.as_mut().graceful_shutdown();
                            connection.await
                        }
                    };
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection to the API ended early");
                    }
                    drop(place);
                });
            }
            () = stop(&mut stopped) => break,
        }
    }
    // Once all places are back, all connections have ended.
    let _all_ended = places.acquire_many(connections_max).await;
}

async fn stop(stopped: &mut watch::Receiver<bool>) {
    // When the sender is gone, the server is, too.
    let _gone = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn listening(limits: Limits) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopping, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(|| std::future::ready("here")));
        (address, stopping, tokio::spawn(serve(listener, router, limits, stopped)))
    }

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        rest_of(&mut stream).await
    }

    async fn rest_of(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await;
        read.expect("the connection is ended").unwrap();
        text
    }

    #[tokio::test]
    async fn who_does_not_ask_in_time_holds_nobody_up() {
        let limits = Limits { connections_max: 2, head_within: Duration::from_millis(200) };
        let (address, _stopping, _server) = listening(limits).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        // Both places are taken, so this one is served only because the others are ended.
        assert!(ask(address).await.ends_with("here"));
        assert_eq!(rest_of(&mut silent).await, "");
        assert!(!rest_of(&mut slow).await.contains("here"));
    }

    #[tokio::test]
    async fn a_head_over_the_bound_is_refused_unread() {
        let (address, _stopping, _server) = listening(LIMITS).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nx: {}\r\n", "x".repeat(2 * BUFFER_BYTES_MAX));
        // The server may hang up in the middle of it.
        let _cut = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _reset = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    }

    #[tokio::test]
    async fn a_server_that_stops_waits_for_nobody_who_asks_nothing() {
        let (address, stopping, server) = listening(LIMITS).await;
        let _idle = TcpStream::connect(address).await.unwrap();
        assert!(ask(address).await.ends_with("here"));
        stopping.send_replace(true);
        tokio::time::timeout(PATIENCE, server).await.expect("it ends").unwrap();
    }
}
