//! Live parts of a page: the API's answers of lines, each line shown as a piece of the page, sent as a server-sent event.
//!
//! Deliberately no source of its own: what is followed is what the API lets this visitor follow, and it ends with the session.

use super::Site;
use super::visit::Visitor;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use axum::body::{self, Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use maud::Markup;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// Events that wait for a slow reader.
const WAITING_MAX: usize = 64;
/// How often it is looked at whether the session is on, and the browser hears that somebody is there.
const LOOK: Duration = Duration::from_secs(5);
/// After how many milliseconds a browser asks again when a stream ends that is not over.
const AGAIN_MS: u32 = 2_000;
/// Most bytes of an answer that is shown at once.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Most bytes of a line.
const LINE_BYTES_MAX: usize = 1 << 20;

/// What becomes of the lines of an answer.
pub trait Shown: Send + 'static {
    /// A line as the API writes it.
    type Line: DeserializeOwned + Send;

    /// A line as the page shows it; `None`: not at all.
    fn show(&mut self, line: Self::Line) -> impl Future<Output = Option<Markup>> + Send;

    /// Whether this may still be shown to whom it is shown to.
    fn may(&self, caller: &Caller) -> bool;

    /// Whether nothing can come any more.
    fn is_over(&self) -> bool {
        false
    }
}

/// The lines of an answer that ends.
///
/// # Errors
/// When it is longer than a page can show.
pub async fn lines_of<T: DeserializeOwned>(response: Response) -> Result<Vec<T>, Failure> {
    let bytes = body::to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
    let bytes = bytes.map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Follows an answer as long as its visitor is signed in.
pub fn follow(site: &Site, visitor: &Visitor, response: Response, shown: impl Shown) -> Response {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let (site, session) = (site.clone(), visitor.session.clone().unwrap_or_default());
    tokio::spawn(async move {
        // Nobody reads any more, and that is all there is to say.
        let _gone = run(&site, &session, response, shown, sender).await;
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let bytes: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(bytes), receiver))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

async fn run(
    site: &Site,
    session: &str,
    response: Response,
    mut shown: impl Shown,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    sender.send(Bytes::from(format!("retry: {AGAIN_MS}\n\n"))).await?;
    let mut stream = response.into_body().into_data_stream();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept = Vec::new();
    loop {
        tokio::select! {
            chunk = stream.next() => {
                let Some(Ok(chunk)) = chunk else { break };
                kept.extend_from_slice(&chunk);
                while let Some(end) = kept.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = kept.drain(..=end).collect();
                    let Ok(line) = serde_json::from_slice(&line) else { continue };
                    // What somebody may see ends with what says so, also in the middle of a stream.
                    if !site.caller_of(session).is_some_and(|caller| shown.may(&caller)) {
                        return Ok(());
                    }
                    if let Some(piece) = shown.show(line).await {
                        sender.send(event("put", &piece.into_string())).await?;
                    }
                }
                if kept.len() > LINE_BYTES_MAX {
                    break;
                }
            }
            _ = looks.tick() => {
                if !site.caller_of(session).is_some_and(|caller| shown.may(&caller)) {
                    return Ok(());
                }
                sender.send(Bytes::from_static(b": here\n\n")).await?;
            }
        }
    }
    if shown.is_over() {
        sender.send(event("over", "")).await?;
    }
    Ok(())
}

/// One event; text in it goes on in further lines of data.
fn event(name: &str, text: &str) -> Bytes {
    let mut event = format!("event: {name}\n");
    for line in text.split(['\n', '\r']) {
        event.push_str(&format!("data: {line}\n"));
    }
    event.push('\n');
    event.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_lines_stays_one_event() {
        assert_eq!(event("put", "<p>a\nb</p>"), "event: put\ndata: <p>a\ndata: b</p>\n\n");
    }
}
