//! TLS towards agents: version 1.3 only, X25519MLKEM768 preferred, no early data, no resumption.

use super::QuicError;
use crate::certificates::CertificateAuthority;
use doorward_protocol::frame::{ALPN_AGENT, ALPN_ENROL};
use doorward_protocol::time::UnixMs;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{AckFrequencyConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use std::sync::Arc;

/// How long a silent connection lasts, in milliseconds: three lost keep-alives. Those are the agents' alone: were both sides
/// to send them, their timers would run out together, and each would cost two.
const IDLE_TIMEOUT_MS: u32 = 10_000;

/// What an agent may have on its way to us at once, in bytes: a batch of records is far smaller, and this times the
/// number of agents is memory.
const RECEIVE_WINDOW_BYTES: u32 = 256 << 10;

/// A control and a records lane, and one of each to spare.
const STREAMS_MAX: u32 = 4;

/// The configuration with a new certificate.
pub fn server_config(certificates: &CertificateAuthority, now: UnixMs) -> Result<ServerConfig, QuicError> {
    let failed = |error: &dyn core::fmt::Display| QuicError::Tls(error.to_string());
    let identity = certificates.for_agents(now)?;
    // The provider puts X25519MLKEM768 first (feature `prefer-post-quantum`).
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificates.certificate().clone()).map_err(|error| failed(&error))?;
    // Who wants to join has no certificate yet; who says to be an agent is asked for one after the handshake.
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|error| failed(&error))?;
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| failed(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)
        .map_err(|error| failed(&error))?;
    config.alpn_protocols = vec![ALPN_AGENT.to_vec(), ALPN_ENROL.to_vec()];
    config.max_early_data_size = 0;
    // Each connection proves its key anew, so that nobody who was struck off comes back by a ticket.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    let crypto = QuicServerConfig::try_from(config).map_err(|error| failed(&error))?;
    let mut server = ServerConfig::with_crypto(Arc::new(crypto));
    server.transport_config(Arc::new(transport()));
    Ok(server)
}

/// How many packets an agent takes before it acknowledges them at once; fewer are acknowledged with its answer, or a few
/// hundredths of a second later. Most of what is sent is one packet, and its answer one.
const UNACKNOWLEDGED_MAX: u32 = 8;

fn transport() -> TransportConfig {
    let mut acknowledgements = AckFrequencyConfig::default();
    acknowledgements.ack_eliciting_threshold(VarInt::from_u32(UNACKNOWLEDGED_MAX));
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS))))
        .ack_frequency_config(Some(acknowledgements))
        // A removal is far smaller than the packets that pass everywhere; to look for larger ones costs each connection as
        // much as a dozen removals.
        .mtu_discovery_config(None)
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW_BYTES.saturating_mul(2)))
        .datagram_receive_buffer_size(None);
    transport
}
