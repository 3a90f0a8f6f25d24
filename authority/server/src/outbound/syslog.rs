//! Syslog: one message for each event in the form of RFC 5424, over UDP or, with its length before it (RFC 6587), over TCP.

use crate::access::Event;
use serde_json::Value;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

/// How long a receiver may take.
const WITHIN: Duration = Duration::from_secs(10);

/// The number that RFC 5612 sets aside for those who have none of their own.
const ENTERPRISE: u32 = 32_473;

/// Longest message in bytes; over UDP longer ones may not arrive.
const BYTES_MAX: usize = 2_048;

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Each alone, and whether it arrives nobody knows.
    Udp,
    /// In a stream.
    Tcp,
}

/// A connection that is open.
#[derive(Debug, Default)]
pub struct Connection(Option<TcpStream>);

impl Connection {
    /// Sends an event.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn send(&mut self, transport: Transport, address: SocketAddr, event: &Event) -> Result<(), String> {
        let message = message(event);
        let sent = tokio::time::timeout(WITHIN, async {
            match transport {
                Transport::Udp => {
                    let any: SocketAddr =
                        if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
                    UdpSocket::bind(any).await?.send_to(message.as_bytes(), address).await.map(|_| ())
                }
                Transport::Tcp => self.stream(address).await?.write_all(framed(&message).as_bytes()).await,
            }
        });
        let sent = sent.await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        if sent.is_err() {
            self.0 = None;
        }
        sent.map_err(|error| error.to_string())
    }

    async fn stream(&mut self, address: SocketAddr) -> std::io::Result<&mut TcpStream> {
        // A receiver that went away shows by the end of its side; what is written after that arrives nowhere.
        if self.0.as_ref().is_some_and(
            |stream| !matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        ) {
            self.0 = None;
        }
        let stream = match self.0.take() {
            Some(stream) => stream,
            None => TcpStream::connect(address).await?,
        };
        Ok(self.0.insert(stream))
    }
}

fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

fn message(event: &Event) -> String {
    let is_grave = ["card.tapped-while-shut", "agent.silent", "alarm.raised"].contains(&event.kind.as_str());
    // Facility 10: security and authorization. Severity 4: warning; 5: normal and worth a look.
    let priority = 10 * 8 + if is_grave { 4 } else { 5 };
    let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
    let mut text =
        format!("<{priority}>1 {} - doorward - {} [doorward@{ENTERPRISE}", event.at.to_utc_text(), event.kind);
    let mut say = |name: &str, value: &str| {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
        // Writing to a text cannot fail.
        let _written = write!(text, " {name}=\"{}\"", escaped.replace(char::is_control, " "));
    };
    say("id", &event.id.to_string());
    say("subject", &event.subject);
    for (name, value) in data.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(value) => say(name, value),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => say(name, &value.to_string()),
        }
    }
    text.push_str(&format!("] {} {}", event.kind, event.subject));
    let mut end = text.len().min(BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::time::UnixMs;

    #[test]
    fn a_message_is_one_of_rfc_5424() {
        let event = Event {
            id: 7,
            at: UnixMs(1_700_000_000_123),
            kind: "card.suspended".into(),
            subject: "card A".into(),
            data: r#"{"card":"A","reason":"\"lost\" [x]\n","entry":12,"in_place_of":null}"#.into(),
        };
        let expected = "<85>1 2023-11-14T22:13:20.123Z - doorward - card.suspended [doorward@32473 id=\"7\" subject=\"card A\" \
                        card=\"A\" entry=\"12\" reason=\"\\\"lost\\\" [x\\] \"] card.suspended card A";
        assert_eq!(message(&event), expected);
        assert_eq!(framed("abc"), "3 abc");
        let long = Event { data: format!(r#"{{"reason":"{}"}}"#, "ü".repeat(5_000)), ..event };
        assert!(message(&long).len() <= BYTES_MAX);
    }
}
