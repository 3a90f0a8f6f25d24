//! An authority for this crate's tests: a real QUIC endpoint that enrols, sends what it is given, and notes what it hears.
//!
//! Deliberately not the real one: it does what a test tells it and checks the agent's side of the wire.

use crate::identity::testing::key;
use crate::quic::lanes::{read_frame, write_frame};
use crate::testing::Campus;
use doorward_protocol::enrol::{BINDING_LABEL, EnrolAnswer, EnrolRequest, Enrolled};
use doorward_protocol::frame::{ALPN_AGENT, ALPN_ENROL, AUTHORITY_NAME, ToAgent, ToAuthority};
use quinn::crypto::rustls::{HandshakeData, QuicServerConfig};
use quinn::{Connection, Endpoint, ServerConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, crypto::aws_lc_rs};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc;

/// One of the lanes that an agent opens: what is sent to it there, and what it says.
pub struct AgentLane {
    pub send: mpsc::UnboundedSender<ToAgent>,
    pub heard: mpsc::UnboundedReceiver<ToAuthority>,
}

/// A listening authority.
pub struct TestServer {
    endpoint: Endpoint,
}

impl TestServer {
    pub fn listen(campus: &Campus) -> Self {
        let server_key = key(5);
        let leaf = campus.authority.certificate(AUTHORITY_NAME, &server_key);
        let chain = [leaf, campus.authority.der.clone()].map(CertificateDer::from).to_vec();
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend(server_key.to_seed());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(campus.authority.der.clone())).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der)))
            .unwrap();
        config.alpn_protocols = vec![ALPN_AGENT.to_vec(), ALPN_ENROL.to_vec()];
        let config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(config).unwrap()));
        let endpoint = Endpoint::server(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        Self { endpoint }
    }

    pub fn address(&self) -> String {
        self.endpoint.local_addr().unwrap().to_string()
    }

    pub async fn accept(&self) -> (Connection, Vec<u8>) {
        let connection = self.endpoint.accept().await.unwrap().await.unwrap();
        let data = connection.handshake_data().unwrap().downcast::<HandshakeData>().unwrap();
        (connection, data.protocol.unwrap())
    }

    /// Answers one enrolment, when its proof fits, with a certificate for the key in it.
    pub async fn enrol(&self, campus: &Campus) -> EnrolRequest {
        let (connection, protocol) = self.accept().await;
        assert_eq!(protocol, ALPN_ENROL);
        let mut binding = [0; 32];
        connection.export_keying_material(&mut binding, BINDING_LABEL, b"").unwrap();
        let (mut send, mut receive) = connection.accept_bi().await.unwrap();
        let request: EnrolRequest = read_frame(&mut receive).await.unwrap();
        let proof = request.proof(&binding).unwrap();
        assert_eq!(proof.agent, campus.identity.agent);
        let answer = Enrolled {
            certificate: campus.authority.certificate_of(&proof.agent, proof.key),
            certificate_authority: campus.authority.der.clone(),
            statements: campus.identity.statements.clone(),
        };
        write_frame(&mut send, &EnrolAnswer::Enrolled(Box::new(answer))).await.unwrap();
        connection.closed().await;
        request
    }

    /// Takes an agent's connection and its lanes, control and records.
    pub async fn take_agent(&self) -> (Connection, AgentLane, AgentLane) {
        let (connection, protocol) = self.accept().await;
        assert_eq!(protocol, ALPN_AGENT);
        assert!(connection.peer_identity().is_some(), "the agent shows its certificate");
        let control = take_lane(&connection, 0).await;
        let records = take_lane(&connection, 1).await;
        (connection, control, records)
    }
}

async fn take_lane(connection: &Connection, lane: u8) -> AgentLane {
    let (mut send, mut receive) = connection.accept_bi().await.unwrap();
    let mut first = [9];
    receive.read_exact(&mut first).await.unwrap();
    assert_eq!(first, [lane], "the agent opens its lanes in this order");
    let (sender, mut frames) = mpsc::unbounded_channel::<ToAgent>();
    tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            write_frame(&mut send, &frame).await.unwrap();
        }
    });
    let (hear, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(frame) = read_frame::<ToAuthority>(&mut receive).await {
            if hear.send(frame).is_err() {
                return;
            }
        }
    });
    AgentLane { send: sender, heard }
}
