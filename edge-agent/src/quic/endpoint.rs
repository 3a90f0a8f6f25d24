//! Reaching one authority: look its address up, shake hands within bounds of time, and say why it failed.

use crate::identity::Identity;
use crate::quic::tls::{agent_config, enrol_config};
use doorward_protocol::enrol::certificate_hash;
use doorward_protocol::frame::AUTHORITY_NAME;
use doorward_protocol::id::Hash;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    AckFrequencyConfig, ClientConfig, Connection, ConnectionError, Endpoint, IdleTimeout, TransportConfig, VarInt,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Longest silence before a connection counts as gone: a cut cable is noticed while the person at the door still waits,
/// and three keep-alives may be lost before.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an idle connection says that it is there; a few dozen bytes. An address translator that forgot it learns of it
/// again by this, so this is also the longest that such a one holds a removal up.
const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// How often it is looked whether this machine's own address is still the one that the authority answers to. A look asks
/// the kernel's routes and sends nothing; without it, a removal would wait for the next keep-alive.
const ADDRESS_LOOK_PERIOD: Duration = Duration::from_millis(250);

/// How long one address may take to answer before the next one is tried, at first and at most: soon enough that a door
/// finds a second authority; and when no address answers that soon, long enough for the slowest and most lossy network
/// to bring a handshake through. The authority gives up on one after the same ten seconds.
pub const CONNECT_PATIENCE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(10));

/// How long a goodbye may take before it counts as said.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);

/// Removal lanes that the authority may have open at once; it needs one, and a second while it replaces that.
const REMOVAL_LANES_MAX: u32 = 4;

/// How many packets the authority takes before it acknowledges them at once; see the authority's side.
const UNACKNOWLEDGED_MAX: u32 = 8;

/// Codes with which the authority ends a connection for good reason: not enrolled, replaced by another connection of the
/// same agent, protocol broken, struck off.
const TURNED_AWAY: RangeInclusive<u64> = 1..=4;

/// The alert with which TLS says that a certificate has expired (RFC 8446, 6.2), as QUIC carries it.
const CERTIFICATE_EXPIRED: u64 = 0x100 + 45;

/// Why an authority was not reached.
#[derive(Debug, Error)]
pub enum ReachError {
    /// The address is not one.
    #[error("{0:?} is not an address that can be looked up; it must be host:port")]
    Address(String),
    /// The keys at hand do not make a TLS configuration.
    #[error("the agent's certificate cannot be used: {0}")]
    Tls(String),
    /// No socket.
    #[error("no socket for it: {0}")]
    Socket(#[from] std::io::Error),
    /// It did not answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The handshake failed.
    #[error("{0}")]
    Connection(#[from] ConnectionError),
}

impl ReachError {
    /// Whether the other side said that our certificate has expired.
    #[must_use]
    pub fn is_certificate_expired(&self) -> bool {
        match self {
            Self::Connection(error) => is_certificate_expired(error),
            Self::Address(_) | Self::Tls(_) | Self::Socket(_) | Self::Silent(_) => false,
        }
    }

    /// Whether there was no answer at all.
    #[must_use]
    pub const fn is_silence(&self) -> bool {
        match self {
            Self::Silent(_) => true,
            Self::Connection(error) => is_silence(error),
            Self::Address(_) | Self::Tls(_) | Self::Socket(_) => false,
        }
    }
}

/// Whether a connection ended because nothing more came.
#[must_use]
pub const fn is_silence(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::TimedOut)
}

/// Whether the other side ended a connection because our certificate has expired.
#[must_use]
pub fn is_certificate_expired(error: &ConnectionError) -> bool {
    if let ConnectionError::ConnectionClosed(close) = error {
        u64::from(close.error_code) == CERTIFICATE_EXPIRED
    } else {
        false
    }
}

/// A connection to an authority, on a socket of its own.
#[derive(Debug)]
pub struct Reached {
    /// The connection.
    pub connection: Connection,
    endpoint: Endpoint,
}

impl Reached {
    /// Moves the connection along when this machine gets another address, or another way out. Never ends by itself.
    pub async fn follow_address(&self) {
        let remote = self.connection.remote_address();
        let mut known = own_address(remote);
        loop {
            tokio::time::sleep(ADDRESS_LOOK_PERIOD).await;
            let Some(now) = own_address(remote).filter(|now| Some(*now) != known) else { continue };
            // The first packet from the new socket tells the authority where we are.
            match UdpSocket::bind(any_port(remote)).and_then(|socket| self.endpoint.rebind(socket)) {
                Ok(()) => {
                    tracing::info!("this machine's address is now {now}; the connection moves along");
                    known = Some(now);
                }
                Err(error) => tracing::warn!("no socket at the new address {now}: {error}"),
            }
        }
    }

    /// Says goodbye, and waits until that is on its way.
    pub async fn close(self, why: &str) {
        self.connection.close(VarInt::from_u32(0), why.as_bytes());
        let _unheard = tokio::time::timeout(GOODBYE_TIMEOUT, self.endpoint.wait_idle()).await;
    }
}

/// Whether the authority ended a connection because it does not want this agent or what it sends; not because it is
/// stopping (code 0) or busy (code 5).
#[must_use]
pub fn is_turned_away(error: &ConnectionError) -> bool {
    if let ConnectionError::ApplicationClosed(close) = error {
        TURNED_AWAY.contains(&u64::from(close.error_code))
    } else {
        false
    }
}

/// Connects for joining or renewing.
///
/// # Errors
/// See [`ReachError`].
pub async fn connect_to_enrol(address: &str, pinned: Hash) -> Result<Reached, ReachError> {
    let config = enrol_config(pinned).map_err(|error| ReachError::Tls(error.to_string()))?;
    connect(address, config, CONNECT_PATIENCE.0).await
}

/// Connects for renewing, to an authority that is known.
///
/// # Errors
/// See [`ReachError`].
pub async fn connect_to_renew(address: &str, identity: &Identity) -> Result<Reached, ReachError> {
    connect_to_enrol(address, certificate_hash(&identity.certificate_authority)).await
}

/// Connects as an enrolled agent, with so much patience.
///
/// # Errors
/// See [`ReachError`].
pub async fn connect_as_agent(address: &str, identity: &Identity, patience: Duration) -> Result<Reached, ReachError> {
    let config = agent_config(identity).map_err(|error| ReachError::Tls(error.to_string()))?;
    connect(address, config, patience).await
}

async fn connect(address: &str, config: rustls::ClientConfig, patience: Duration) -> Result<Reached, ReachError> {
    let not_an_address = || ReachError::Address(address.to_owned());
    let found: Vec<SocketAddr> = tokio::time::timeout(patience, tokio::net::lookup_host(address))
        .await
        .map_err(|_| ReachError::Silent(patience))?
        .map_err(|_| not_an_address())?
        .collect();
    let config = client_config(config)?;
    let mut last = not_an_address();
    for remote in found {
        // A socket for each connection: after a change of network or address family, the old one may lead nowhere.
        match Outlet::open(remote)?.connect(config.clone(), remote, patience).await {
            Ok(reached) => return Ok(reached),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn client_config(config: rustls::ClientConfig) -> Result<ClientConfig, ReachError> {
    let config = QuicClientConfig::try_from(config).map_err(|error| ReachError::Tls(error.to_string()))?;
    let mut config = ClientConfig::new(Arc::new(config));
    config.transport_config(Arc::new(transport()));
    Ok(config)
}

/// A socket of this machine from which an authority is reached. An agent has one for each connection; who plays thousands
/// of agents in one process lets some of them share one.
#[derive(Debug, Clone)]
pub struct Outlet(Endpoint);

impl Outlet {
    /// A socket on any port, in the other side's family of addresses.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(remote: SocketAddr) -> Result<Self, ReachError> {
        Ok(Self(Endpoint::client(any_port(remote))?))
    }

    /// Connects as an enrolled agent, with so much patience.
    ///
    /// # Errors
    /// See [`ReachError`].
    pub async fn connect_as_agent(
        &self,
        remote: SocketAddr,
        identity: &Identity,
        patience: Duration,
    ) -> Result<Reached, ReachError> {
        let config = agent_config(identity).map_err(|error| ReachError::Tls(error.to_string()))?;
        self.connect(client_config(config)?, remote, patience).await
    }

    async fn connect(
        &self,
        config: ClientConfig,
        remote: SocketAddr,
        patience: Duration,
    ) -> Result<Reached, ReachError> {
        let connecting = self.0.connect_with(config, remote, AUTHORITY_NAME);
        let connecting = connecting.map_err(|error| ReachError::Tls(error.to_string()))?;
        let connected = tokio::time::timeout(patience, connecting).await;
        let connection = connected.map_err(|_| ReachError::Silent(patience))??;
        Ok(Reached { connection, endpoint: self.0.clone() })
    }
}

/// Any port of this machine, in the other side's family of addresses.
fn any_port(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    }
}

/// The address from which this machine reaches another just now; `None` when it does not.
fn own_address(remote: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(any_port(remote)).ok()?;
    socket.connect(remote).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn transport() -> TransportConfig {
    let mut acknowledgements = AckFrequencyConfig::default();
    acknowledgements.ack_eliciting_threshold(VarInt::from_u32(UNACKNOWLEDGED_MAX));
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(IdleTimeout::try_from(IDLE_TIMEOUT).ok());
    transport.keep_alive_interval(Some(KEEP_ALIVE));
    transport.ack_frequency_config(Some(acknowledgements));
    // What an agent sends is small, or may take its time.
    transport.mtu_discovery_config(None);
    transport.max_concurrent_bidi_streams(VarInt::from_u32(0));
    transport.max_concurrent_uni_streams(VarInt::from_u32(REMOVAL_LANES_MAX));
    transport.datagram_receive_buffer_size(None);
    transport
}
