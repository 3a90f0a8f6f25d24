//! Where the API listens: in the clear on loopback, anywhere else only behind TLS.

use crate::certificates::{CertificateAuthority, CertificateError, ServerIdentity};
use crate::clock;
use crate::serve::ApiTls;
use doorward_protocol::time::UnixMs;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A handshake takes milliseconds; who takes longer holds a place for nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes at once, and finished ones that wait to be served; further connections wait in the kernel.
const HANDSHAKES_MAX: usize = 64;
/// Pause after an error of the operating system, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// Why the API cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address is taken.
    #[error("TCP {0} is in use by another program; stop it, or choose another address with --api")]
    InUse(SocketAddr),
    /// The address cannot be used.
    #[error("TCP {0} cannot be used: {1}")]
    Bind(SocketAddr, io::Error),
    /// A certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A file is missing, or not PEM of the expected kind.
    #[error(
        "{0} cannot be read as PEM; name the certificate with --api-certificate and its private key with --api-key"
    )]
    Pem(PathBuf),
    /// TLS refuses what it was given.
    #[error("TLS cannot be set up for the API: {0}")]
    Tls(#[from] rustls::Error),
}

/// Binds an address.
///
/// # Errors
/// See [`ListenError`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() == io::ErrorKind::AddrInUse {
        true => ListenError::InUse(address),
        false => ListenError::Bind(address, error),
    })
}

/// A certificate that is replaced while it is in use.
#[derive(Debug)]
pub struct Renewable {
    address: IpAddr,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Renewable {
    fn new(certificates: &CertificateAuthority, address: IpAddr, now: UnixMs) -> Result<Self, ListenError> {
        let current = RwLock::new(Arc::new(certified(certificates.for_api(address, now)?)?));
        Ok(Self { address, current })
    }

    /// Makes a new certificate for connections from now on.
    ///
    /// # Errors
    /// See [`ListenError`]; the old certificate stays in use.
    pub fn renew(&self, certificates: &CertificateAuthority, now: UnixMs) -> Result<(), ListenError> {
        let renewed = Arc::new(certified(certificates.for_api(self.address, now)?)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(())
    }
}

impl ResolvesServerCert for Renewable {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(identity: ServerIdentity) -> Result<CertifiedKey, ListenError> {
    let key = aws_lc_rs::sign::any_supported_type(&identity.key)?;
    Ok(CertifiedKey::new(identity.chain, key))
}

/// A TLS configuration, and what has to be renewed in it.
pub type Tls = (Option<Arc<ServerConfig>>, Option<Arc<Renewable>>);

/// How the API is protected at an address.
///
/// # Errors
/// See [`ListenError`].
pub fn tls(tls: &ApiTls, certificates: &CertificateAuthority, address: IpAddr) -> Result<Tls, ListenError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth();
    match tls {
        ApiTls::None => Ok((None, None)),
        ApiTls::Own => {
            let renewable = Arc::new(Renewable::new(certificates, address, clock::wall())?);
            let resolver: Arc<dyn ResolvesServerCert> = Arc::<Renewable>::clone(&renewable);
            Ok((Some(Arc::new(builder.with_cert_resolver(resolver))), Some(renewable)))
        }
        ApiTls::Files { certificate, key } => {
            let malformed = |path: &Path| ListenError::Pem(path.to_owned());
            let chain = CertificateDer::pem_file_iter(certificate).map_err(|_| malformed(certificate))?;
            let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|_| malformed(certificate))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|_| malformed(key))?;
            Ok((Some(Arc::new(builder.with_single_cert(chain, key)?)), None))
        }
    }
}

/// A listener behind TLS. Handshakes run beside each other, so a slow one holds nobody up.
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Begins to accept.
    ///
    /// # Errors
    /// When the operating system does not say where the listener listens.
    pub fn new(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(1);
        tokio::spawn(accept_all(listener, TlsAcceptor::from(config), sender));
        Ok(Self { ready, address })
    }
}

async fn accept_all(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    while !ready.is_closed() {
        // The semaphore is never closed, so there is a place as soon as one is given back.
        let place = Arc::clone(&places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, address)) => {
                let (acceptor, ready) = (acceptor.clone(), ready.clone());
                tokio::spawn(async move {
                    let _place = place;
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                        // The server is stopping when nobody takes it.
                        let _stopping = ready.send((stream, address)).await;
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the API was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The accepting task lives as long as this listener, so there is always another one to wait for.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;
    use axum::serve::Listener;
    use doorward_protocol::id::CampusId;
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, NamedGroup, ProtocolVersion, RootCertStore};

    #[tokio::test]
    async fn the_api_is_reached_by_tls_1_3_with_a_post_quantum_key_exchange() {
        let directory = tempfile::tempdir().unwrap();
        let campus = CampusId::new("test").unwrap();
        let certificates =
            CertificateAuthority::create(&Layout::new(directory.path()), &campus, clock::wall()).unwrap();
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (config, _) = tls(&ApiTls::Own, &certificates, address.ip()).unwrap();
        let mut listener = TlsListener::new(socket, config.unwrap()).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(certificates.certificate().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
        let (connected, (accepted, _)) =
            tokio::join!(connector.connect(ServerName::from(address.ip()), stream), listener.accept());
        let (_, session) = accepted.get_ref();
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.negotiated_key_exchange_group().map(|group| group.name()), Some(NamedGroup::X25519MLKEM768));
        connected.unwrap();
    }
}
