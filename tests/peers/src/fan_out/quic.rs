//! Bare QUIC: a server that hands one update to every connection, and nothing else. What no server that speaks QUIC by this
//! library goes below, with the settings of ours.
//!
//! Each subscriber answers with as many bytes as it got, as an agent's receipt does; the server reads them and forgets them.

use crate::fan_out::tls::{Connection, join};
use crate::fan_out::{Arrivals, Peer, UPDATE_BYTES};
use anyhow::{Context, Result, ensure};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AckFrequencyConfig, Endpoint, Incoming, RecvStream, TransportConfig, VarInt};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::broadcast;

/// What this is negotiated as.
const ALPN: &str = "bare";

/// How often a subscriber that says nothing shows that it is there: as often as our agents do.
const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// How many connections share a socket at the subscribers: so few that its usual buffer holds a word to each.
const SHARING: usize = 40;

const SUBSCRIBER: u8 = b's';
const PUBLISHER: u8 = b'p';
const DONE: u8 = b'd';

/// The server, which is this program again.
pub struct Quic;

impl Peer for Quic {
    const NAME: &'static str = "bare QUIC";
    const PACKAGE: &'static str = "";
    const PROGRAMS: &'static [&'static str] = &[];
    const ASK_VERSION: &'static str = "";
    const ALPN: Option<&'static str> = Some(ALPN);
    const IS_QUIC: bool = true;
    type Publisher = Connection;

    fn program() -> Option<(String, String)> {
        Some((std::env::current_exe().ok()?.to_str()?.to_owned(), "quinn 0.11".to_owned()))
    }

    fn arguments(folder: &str, port: u16) -> Result<Vec<String>> {
        Ok(vec!["quic-server".to_owned(), folder.to_owned(), port.to_string()])
    }

    async fn subscribe(mut connection: Connection, _number: usize, arrivals: Arc<Arrivals>) -> Result<()> {
        greet(&mut connection, SUBSCRIBER).await?;
        tokio::spawn(async move {
            let mut update = [0; UPDATE_BYTES];
            while connection.read_exact(&mut update).await.is_ok() {
                arrivals.arrived(&update);
                if connection.write_all(&update).await.is_err() {
                    break;
                }
            }
        });
        Ok(())
    }

    async fn publisher(mut connection: Connection) -> Result<Connection> {
        greet(&mut connection, PUBLISHER).await?;
        Ok(connection)
    }

    async fn publish(publisher: &mut Connection, update: &[u8]) -> Result<()> {
        publisher.write_all(update).await?;
        ensure!(publisher.read_u8().await? == DONE, "the server does not answer");
        Ok(())
    }
}

async fn greet(connection: &mut Connection, role: u8) -> Result<()> {
    connection.write_u8(role).await?;
    ensure!(connection.read_u8().await? == DONE, "the server does not answer");
    Ok(())
}

/// The sockets of the subscribers.
pub struct Outlets {
    config: quinn::ClientConfig,
    newest: Mutex<(usize, Option<Endpoint>)>,
}

impl Outlets {
    /// For connections by this configuration.
    pub fn new(config: ClientConfig) -> Result<Self> {
        let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?));
        let mut transport = transport();
        transport.keep_alive_interval(Some(KEEP_ALIVE));
        config.transport_config(Arc::new(transport));
        Ok(Self { config, newest: Mutex::new((0, None)) })
    }

    /// A new connection, and the one stream on which it speaks.
    pub async fn connect(&self, port: u16) -> Result<Connection> {
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let name = Ipv4Addr::LOCALHOST.to_string();
        let connection = self.endpoint()?.connect_with(self.config.clone(), address, &name)?.await?;
        let (send, receive) = connection.open_bi().await?;
        Ok(join(receive, send))
    }

    fn endpoint(&self) -> Result<Endpoint> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, endpoint) = &mut *newest;
        if endpoint.is_none() || count.is_multiple_of(SHARING) {
            *endpoint = Some(Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?);
        }
        *count += 1;
        endpoint.clone().context("no socket")
    }
}

/// Acknowledges and keeps quiet as our server does.
fn transport() -> TransportConfig {
    let mut acknowledgements = AckFrequencyConfig::default();
    acknowledgements.ack_eliciting_threshold(VarInt::from_u32(8));
    let mut transport = TransportConfig::default();
    transport.ack_frequency_config(Some(acknowledgements)).mtu_discovery_config(None).max_idle_timeout(None);
    transport
}

/// Serves until it is killed.
pub fn serve(folder: &Path, port: u16) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let config = server_config(folder)?;
    runtime.block_on(async {
        let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, port).into())?;
        let (updates, _) = broadcast::channel(16);
        while let Some(incoming) = endpoint.accept().await {
            // Whoever loses the connection is missed when the update does not arrive.
            tokio::spawn(talk(incoming, updates.clone()));
        }
        Ok(())
    })
}

fn server_config(folder: &Path) -> Result<quinn::ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.pem"))?)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key"))?;
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut tls = builder.with_client_cert_verifier(clients).with_single_cert(vec![certificate], key)?;
    tls.alpn_protocols = vec![ALPN.as_bytes().to_vec()];
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));
    Ok(config)
}

async fn talk(incoming: Incoming, updates: broadcast::Sender<[u8; UPDATE_BYTES]>) -> Result<()> {
    let connection = incoming.await?;
    let (mut send, mut receive) = connection.accept_bi().await?;
    let role = receive.read_u8().await?;
    let mut news = updates.subscribe();
    send.write_u8(DONE).await?;
    if role == PUBLISHER {
        let mut update = [0; UPDATE_BYTES];
        loop {
            receive.read_exact(&mut update).await?;
            updates.send(update)?;
            send.write_u8(DONE).await?;
        }
    }
    tokio::spawn(forget(receive));
    while let Ok(update) = news.recv().await {
        send.write_all(&update).await?;
    }
    Ok(())
}

/// Reads what comes.
async fn forget(mut receive: RecvStream) {
    let mut answer = [0; UPDATE_BYTES];
    while receive.read_exact(&mut answer).await.is_ok() {}
}
