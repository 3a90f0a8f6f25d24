//! Mutual TLS: a certificate authority for one run, a certificate for the server, and one that all clients show.
//!
//! Handshakes are not what is measured, so the clients can share a certificate.

use crate::fan_out::quic::Outlets;
use anyhow::{Context, Result, anyhow};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Both directions of a connection to a peer.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a peer.
pub type Connection = Box<dyn Stream>;

/// Two directions as one connection.
pub fn join(
    receive: impl AsyncRead + Send + Unpin + 'static,
    send: impl AsyncWrite + Send + Unpin + 'static,
) -> Connection {
    Box::new(tokio::io::join(receive, send))
}

/// Connects to a peer.
#[derive(Clone)]
pub struct Connector {
    port: u16,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Tcp(TlsConnector),
    Quic(Arc<Outlets>),
}

impl Connector {
    /// A new connection.
    pub async fn connect(&self) -> Result<Connection> {
        let tls = match &self.way {
            Way::Tcp(tls) => tls,
            Way::Quic(outlets) => return outlets.connect(self.port).await,
        };
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
        Ok(Box::new(tls.connect(name, stream).await.context("the TLS handshake failed")?))
    }
}

/// Writes `ca.pem`, `server.pem` and `server.key` into the folder; what clients need is in the connector.
pub fn make(folder: &str, port: u16, alpn: Option<&str>, is_quic: bool) -> Result<Connector> {
    let mut params = CertificateParams::new(vec![])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A certificate whose issuer has its own name would count as one that signed itself.
    params.distinguished_name.push(DnType::CommonName, "certificate authority");
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let issue = || {
        let mut params = CertificateParams::new(vec![Ipv4Addr::LOCALHOST.to_string()])?;
        // etcd also calls itself as a client.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        Ok::<_, rcgen::Error>((params.signed_by(&key, &issuer)?, key))
    };
    let (server, server_key) = issue()?;
    fs::write(format!("{folder}/ca.pem"), authority.pem())?;
    fs::write(format!("{folder}/server.pem"), server.pem())?;
    fs::write(format!("{folder}/server.key"), server_key.serialize_pem())?;
    let (client, client_key) = issue()?;
    let client_key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(client_key.serialize_der()));
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone())?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?.with_root_certificates(roots);
    let mut config =
        builder.with_client_auth_cert(vec![client.der().clone()], client_key).map_err(|e| anyhow!("{e}"))?;
    config.alpn_protocols = alpn.into_iter().map(|name| name.as_bytes().to_vec()).collect();
    config.resumption = Resumption::disabled();
    let way = if is_quic {
        Way::Quic(Arc::new(Outlets::new(config)?))
    } else {
        Way::Tcp(TlsConnector::from(Arc::new(config)))
    };
    Ok(Connector { port, way })
}
