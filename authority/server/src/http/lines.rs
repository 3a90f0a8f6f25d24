//! Answers of one JSON object a line, written while they become known.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::convert::Infallible;
use tokio::sync::mpsc;

/// Lines that wait for a slow reader; who writes them waits then, too.
const WAITING_MAX: usize = 64;

/// Where lines go.
pub struct Lines(mpsc::Sender<Bytes>);

impl Lines {
    /// Sends a line; false when nobody reads any more.
    pub async fn send<T: Serialize>(&self, line: &T) -> bool {
        let Ok(mut bytes) = serde_json::to_vec(line) else { return false };
        bytes.push(b'\n');
        self.0.send(bytes.into()).await.is_ok()
    }

    /// Waits until nobody reads any more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// An answer of lines, and where they go.
pub fn lines() -> (Lines, Response) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let bytes: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(bytes), receiver))
    });
    let response = ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream)).into_response();
    (Lines(sender), response)
}
