//! Who is told: `receivers.toml` in the data directory, with secrets in files of their own.

use super::syslog::{Connection, Transport};
use super::webhook::{self, Secret};
use crate::access::Event;
use crate::paths::Layout;
use doorward_policy::erasure::ERASED;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Largest file in bytes.
const BYTES_MAX: u64 = 64 << 10;

/// Certificates that are believed unless the file says which: those of Debian.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The events that there are.
pub const EVENTS: [&str; 10] = [
    "card.issued",
    "card.replaced",
    "card.activated",
    "card.suspended",
    "card.resumed",
    "card.closed",
    "card.tapped-while-shut",
    "agent.silent",
    "agent.back",
    "alarm.raised",
];

/// Why receivers cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {why}", .file.display())]
pub struct ReceiversError {
    file: PathBuf,
    why: String,
}

/// One receiver.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Its name; it keeps its place in the events under it.
    pub name: String,
    /// Where and how.
    pub target: Target,
    events: BTreeSet<String>,
}

/// Where and how a receiver is told.
#[derive(Debug, Clone)]
pub enum Target {
    /// By a signed POST.
    Webhook {
        /// Where to.
        url: String,
        /// What the signature is made with.
        secret: Secret,
        /// What sends.
        client: ureq::Agent,
    },
    /// By a message of syslog.
    Syslog {
        /// How it travels.
        transport: Transport,
        /// Where to.
        address: SocketAddr,
    },
}

impl ReceiversError {
    /// A file that cannot be used.
    pub(super) fn of(file: PathBuf, why: impl ToString) -> Self {
        Self { file, why: why.to_string() }
    }
}

impl Receiver {
    /// The name under which its place is kept.
    #[must_use]
    pub fn cursor(&self) -> String {
        format!("receiver {}", self.name)
    }

    /// Whether it is told of events of a kind; of what was erased nobody is.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        kind != ERASED && (self.events.is_empty() || self.events.contains(kind))
    }
}

/// What is kept between two events.
#[derive(Debug, Default)]
pub struct Sender(Connection);

impl Sender {
    /// Sends an event.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn send(&mut self, receiver: &Receiver, event: &Event) -> Result<(), String> {
        match &receiver.target {
            Target::Webhook { url, secret, client } => {
                let (url, secret, client, event) = (url.clone(), secret.clone(), client.clone(), event.clone());
                let sent = tokio::task::spawn_blocking(move || webhook::send(&client, &url, &secret, &event));
                sent.await.map_err(|error| error.to_string())?
            }
            Target::Syslog { transport, address } => self.0.send(*transport, *address, event).await,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    webhook: Vec<WebhookTable>,
    #[serde(default)]
    syslog: Vec<SyslogTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    name: String,
    url: String,
    secret_file: PathBuf,
    certificates: Option<PathBuf>,
    #[serde(default)]
    events: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyslogTable {
    name: String,
    address: String,
    #[serde(default)]
    events: BTreeSet<String>,
}

/// The receivers of a data directory; none where the file is not there.
///
/// # Errors
/// What is wrong, and in which file.
pub fn read(layout: &Layout) -> Result<Vec<Receiver>, ReceiversError> {
    let file = layout.receivers();
    if !file.exists() {
        return Ok(Vec::new());
    }
    let wrong = |why: String| ReceiversError { file: file.clone(), why };
    let File { webhook, syslog } = toml::from_str(&text_of(&file)?).map_err(|error| wrong(error.to_string()))?;
    let mut receivers = Vec::new();
    for WebhookTable { name, url, secret_file, certificates, events } in webhook {
        let is_loopback = url.starts_with("http://127.0.0.1:") || url.starts_with("http://[::1]:");
        if !url.starts_with("https://") && !is_loopback {
            return Err(wrong(format!("webhook {name}: the url begins with https://, or is one of this machine")));
        }
        let certificates = certificates.map(|path| layout.directory().join(path));
        let certificates = certificates.or_else(|| (!is_loopback).then(|| PathBuf::from(CERTIFICATES)));
        let client = webhook::client(certificates.as_deref()).map_err(|why| wrong(format!("webhook {name}: {why}")))?;
        let secret = secret(&layout.directory().join(secret_file))?;
        receivers.push(Receiver { name, target: Target::Webhook { url, secret, client }, events });
    }
    for SyslogTable { name, address, events } in syslog {
        let target = syslog_target(&address);
        let target = target.ok_or_else(|| {
            wrong(format!("syslog {name}: the address is udp://IP:PORT or tcp://IP:PORT, not {address:?}"))
        })?;
        receivers.push(Receiver { name, target, events });
    }
    let mut names = BTreeSet::new();
    for receiver in &receivers {
        if receiver.name.trim().is_empty() || !names.insert(&receiver.name) {
            return Err(wrong(format!("every receiver has a name of its own, not {:?}", receiver.name)));
        }
        if let Some(unknown) = receiver.events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            let near = doorward_protocol::problem::did_you_mean(unknown, EVENTS);
            return Err(wrong(format!("{}: there is no event {unknown:?}{near}", receiver.name)));
        }
    }
    Ok(receivers)
}

fn syslog_target(address: &str) -> Option<Target> {
    let (transport, address) = match address.split_once("://")? {
        ("udp", address) => (Transport::Udp, address),
        ("tcp", address) => (Transport::Tcp, address),
        _ => return None,
    };
    Some(Target::Syslog { transport, address: address.parse().ok()? })
}

fn secret(file: &Path) -> Result<Secret, ReceiversError> {
    let wrong = |why: &str| ReceiversError { file: file.to_owned(), why: why.to_owned() };
    let text = text_of(file)?;
    let mode = std::fs::metadata(file).map_err(|error| wrong(&error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(wrong("others may read this secret: chmod 600"));
    }
    Secret::parse(&text).ok_or_else(|| wrong("a secret is whsec_ and 24 to 64 bytes in Base64"))
}

fn text_of(file: &Path) -> Result<String, ReceiversError> {
    let wrong = |why: String| ReceiversError { file: file.to_owned(), why };
    let size = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?.len();
    if size > BYTES_MAX {
        return Err(wrong(format!("has {size} bytes; at most {BYTES_MAX} are read")));
    }
    std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))
}
