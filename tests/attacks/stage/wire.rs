//! A rogue agent and a rogue authority on a real wire: QUIC with genuine certificates, and any bytes that an attack wants.
//!
//! The only attacks' file that knows `quinn`. Deliberately without any machine: whoever speaks here keeps to nothing.

use anyhow::{Context, Result, anyhow};
use doorward_agent::identity::Identity;
use doorward_protocol::enrol::{BINDING_BYTES, BINDING_LABEL};
use doorward_protocol::frame::{ALPN_AGENT, ALPN_ENROL, AUTHORITY_NAME, body_length, from_wire, to_wire};
use doorward_protocol::id::CampusId;
use doorward_protocol::time::UnixMs;
use doorward_server::certificates::CertificateAuthority;
use doorward_server::clock;
use doorward_server::paths::Layout;
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, ServerConfig};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tests::wait::SOON;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// One end of a connection, by whichever side it was opened.
pub struct Peer {
    runtime: Arc<Runtime>,
    connection: Connection,
    _endpoint: Endpoint,
}

/// A stream of such a connection.
pub struct Stream {
    runtime: Arc<Runtime>,
    send: SendStream,
    receive: Option<RecvStream>,
}

/// A rogue authority.
pub struct Host {
    runtime: Arc<Runtime>,
    endpoint: Endpoint,
}

/// An agent that came to a rogue authority.
pub struct Guest {
    pub peer: Peer,
    pub control: Stream,
    pub records: Stream,
    pub removals: Stream,
}

fn runtime() -> Result<Arc<Runtime>> {
    Ok(Arc::new(Builder::new_multi_thread().worker_threads(1).enable_all().build()?))
}

impl Peer {
    /// Connects with the certificate and key of an agent's data directory.
    pub fn as_agent(data: &Path, authority: SocketAddr) -> Result<Self> {
        Self::call(&Identity::load(data)?, authority, ALPN_AGENT)
    }

    /// Connects as one who wants a certificate, believing the certificate authority of an agent's data directory.
    pub fn to_enrol(data: &Path, authority: SocketAddr) -> Result<Self> {
        Self::call(&Identity::load(data)?, authority, ALPN_ENROL)
    }

    fn call(identity: &Identity, authority: SocketAddr, protocol: &[u8]) -> Result<Self> {
        let runtime = runtime()?;
        let root = CertificateDer::from(identity.certificate_authority.clone());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(root.clone())?;
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots);
        let mut config = if protocol == ALPN_AGENT {
            let chain = vec![CertificateDer::from(identity.certificate.clone()), root];
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.private_key_der()));
            builder.with_client_auth_cert(chain, key)?
        } else {
            builder.with_no_client_auth()
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?));
        let (endpoint, connection) = runtime.block_on(async {
            let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            let connecting = endpoint.connect_with(config, authority, AUTHORITY_NAME)?;
            let connection = timeout(SOON, connecting).await??;
            anyhow::Ok((endpoint, connection))
        })?;
        Ok(Self { runtime, connection, _endpoint: endpoint })
    }

    /// Opens a stream both ways; nothing is known of it at the other side until something is sent.
    pub fn open(&self) -> Result<Stream> {
        let opened = self.runtime.block_on(async { timeout(SOON, self.connection.open_bi()).await });
        let (send, receive) = opened.context("no stream could be opened")??;
        Ok(Stream { runtime: Arc::clone(&self.runtime), send, receive: Some(receive) })
    }

    /// Opens a stream one way.
    pub fn open_one_way(&self) -> Result<Stream> {
        let opened = self.runtime.block_on(async { timeout(SOON, self.connection.open_uni()).await });
        let send = opened.context("no stream could be opened")??;
        Ok(Stream { runtime: Arc::clone(&self.runtime), send, receive: None })
    }

    /// Waits until the other side ends the connection: its code.
    pub fn ended(&self) -> Result<u64> {
        let closed = self.runtime.block_on(async { timeout(SOON, self.connection.closed()).await });
        let error = closed.context("the connection stays open")?;
        if let ConnectionError::ApplicationClosed(close) = error {
            Ok(close.error_code.into())
        } else {
            Err(error.into())
        }
    }

    /// Whether the other side ended the connection with this code. Whoever floods it may lose that word, and then hears that it knows
    /// of no such connection.
    pub fn is_sent_away(&self, code: u64) -> Result<bool> {
        let closed = self.runtime.block_on(async { timeout(SOON, self.connection.closed()).await });
        let error = closed.context("the connection stays open")?;
        if let ConnectionError::ApplicationClosed(close) = &error {
            return Ok(u64::from(close.error_code) == code);
        }
        if matches!(error, ConnectionError::Reset) { Ok(true) } else { Err(error.into()) }
    }

    /// Whether the connection stands.
    pub fn is_open(&self) -> bool {
        self.connection.close_reason().is_none()
    }

    /// What a proof of this session is bound to.
    pub fn binding(&self) -> Result<[u8; BINDING_BYTES]> {
        let mut binding = [0; BINDING_BYTES];
        let exported = self.connection.export_keying_material(&mut binding, BINDING_LABEL, b"");
        exported.map(|()| binding).map_err(|_| anyhow!("the session exports nothing"))
    }
}

impl Stream {
    /// Sends bytes; an error when the other side does not take them.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Self { runtime, send, .. } = self;
        Ok(runtime.block_on(async { timeout(SOON, send.write_all(bytes)).await })??)
    }

    /// Sends a frame.
    pub fn frame<T: Serialize>(&mut self, frame: &T) -> Result<()> {
        self.send(&to_wire(frame)?)
    }

    /// Ends the stream.
    pub fn finish(&mut self) -> Result<()> {
        Ok(self.send.finish()?)
    }

    /// The next bytes.
    pub fn bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        let Self { runtime, receive, .. } = self;
        let receive = receive.as_mut().context("the stream goes one way")?;
        let mut bytes = vec![0; count];
        runtime.block_on(async { timeout(SOON, receive.read_exact(&mut bytes)).await })??;
        Ok(bytes)
    }

    /// The next frame.
    pub fn read<T: Serialize + DeserializeOwned>(&mut self) -> Result<T> {
        let prefix = self.bytes(4)?;
        let length = body_length(prefix.as_slice().try_into()?)?;
        Ok(from_wire(&self.bytes(length)?)?)
    }
}

impl Host {
    /// Listens in an authority's place, with a certificate of the certificate authority in its data directory.
    pub fn listen(data: &Path, campus: &CampusId, address: SocketAddr) -> Result<Self> {
        let runtime = runtime()?;
        let now: UnixMs = clock::wall();
        let identity = CertificateAuthority::open(&Layout::new(data), campus)?.for_agents(now)?;
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(identity.chain, identity.key)?;
        config.alpn_protocols = vec![ALPN_AGENT.to_vec(), ALPN_ENROL.to_vec()];
        let config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(config)?));
        let endpoint = runtime.block_on(async { Endpoint::server(config, address) })?;
        Ok(Self { runtime, endpoint })
    }

    /// The next agent, with its two streams and the one that it is sent removals on.
    pub fn guest(&self) -> Result<Guest> {
        let accepted = async {
            loop {
                let connection = self.endpoint.accept().await.context("the endpoint is closed")?.await?;
                let protocol = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
                if protocol.and_then(|data| data.protocol).as_deref() != Some(ALPN_AGENT) {
                    continue;
                }
                let control = connection.accept_bi().await?;
                let records = connection.accept_bi().await?;
                let removals = connection.open_uni().await?;
                return anyhow::Ok((connection, control, records, removals));
            }
        };
        let (connection, control, records, removals) =
            self.runtime.block_on(async { timeout(SOON, accepted).await }).context("no agent comes")??;
        let stream = |send, receive| Stream { runtime: Arc::clone(&self.runtime), send, receive };
        let mut guest = Guest {
            control: stream(control.0, Some(control.1)),
            records: stream(records.0, Some(records.1)),
            removals: stream(removals, None),
            peer: Peer { runtime: Arc::clone(&self.runtime), connection, _endpoint: self.endpoint.clone() },
        };
        anyhow::ensure!(guest.control.bytes(1)? == [0] && guest.records.bytes(1)? == [1], "the lanes are mixed up");
        Ok(guest)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.endpoint.close(0_u32.into(), b"");
        // The port is free for the honest authority only when everybody was told.
        let _told = self.runtime.block_on(async { timeout(SOON, self.endpoint.wait_idle()).await });
    }
}
