//! QUIC: one endpoint for agents and for those who want to become one; carries frames and decides nothing.

mod agent;
mod control;
mod enrol;
mod frames;
mod records;
mod restart;
#[cfg(test)]
mod tests;
mod tls;

use crate::authority::Authority;
use crate::certificates::{CertificateAuthority, CertificateError};
use crate::clock;
use crate::enrolment::Enrolment;
use crate::hub::End;
use doorward_protocol::frame::{ALPN_AGENT, ALPN_ENROL};
use quinn::crypto::rustls::HandshakeData;
use quinn::udp::UdpSocketState;
use quinn::{Connection, Endpoint, Incoming, TokioRuntime, VarInt};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Asked of the kernel for the socket's buffers: with the usual 208 KiB, a commit to a thousand agents loses packets.
const SOCKET_BUFFER_BYTES: usize = 8 << 20;

/// A handshake takes milliseconds; who takes longer holds a place for nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections at once that have not shown yet who they are: all agents of a campus may come back together, and each of
/// these holds some memory.
const STRANGERS_MAX: usize = 2_048;

/// With more of them, a new one must first show that it is where it says it is: who forges addresses takes no place.
const STRANGERS_BELIEVED_MAX: usize = 256;

/// Why the endpoint could not be opened.
#[derive(Debug, Error)]
pub enum QuicError {
    /// The address is taken.
    #[error("UDP {0} is in use by another program; stop it, or choose another address with --listen")]
    InUse(SocketAddr),
    /// The address cannot be used.
    #[error("UDP {0} cannot be used: {1}")]
    Bind(SocketAddr, io::Error),
    /// The certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS refuses what we made.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The open endpoint.
#[derive(Debug)]
pub struct Quic {
    endpoint: Endpoint,
    authority: Arc<Authority>,
    certificates: Arc<CertificateAuthority>,
    enrolment: Arc<Enrolment>,
}

impl Quic {
    /// Binds an address.
    ///
    /// # Errors
    /// See [`QuicError`].
    pub fn bind(address: SocketAddr) -> Result<UdpSocket, QuicError> {
        UdpSocket::bind(address).map_err(|error| match error.kind() == io::ErrorKind::AddrInUse {
            true => QuicError::InUse(address),
            false => QuicError::Bind(address, error),
        })
    }

    /// Opens the endpoint on a socket.
    ///
    /// # Errors
    /// See [`QuicError`].
    pub fn open(
        socket: UdpSocket,
        authority: Arc<Authority>,
        certificates: Arc<CertificateAuthority>,
        enrolment: Arc<Enrolment>,
    ) -> Result<Self, QuicError> {
        enlarge_buffers(&socket);
        let config = tls::server_config(&certificates, clock::wall())?;
        let endpoint = restart::endpoint_config(authority.signer.secret_for("quic"), clock::wall().0);
        let endpoint = Endpoint::new(endpoint, Some(config), socket, Arc::new(TokioRuntime))
            .map_err(|error| QuicError::Tls(error.to_string()))?;
        Ok(Self { endpoint, authority, certificates, enrolment })
    }

    /// Takes connections, and tells them of commits, until the endpoint is closed.
    pub async fn run(&self) {
        tokio::select! {
            never = self.authority.hub.announce() => match never {},
            () = self.accept() => {}
        }
    }

    async fn accept(&self) {
        let places = Arc::new(Semaphore::new(STRANGERS_MAX));
        while let Some(incoming) = self.endpoint.accept().await {
            match admit(places.available_permits(), incoming.remote_address_validated()) {
                Admission::Take => {}
                Admission::Prove => {
                    // An address that has proven itself is not asked again, so this cannot fail.
                    let _asked = incoming.retry();
                    continue;
                }
                Admission::Refuse => {
                    incoming.refuse();
                    continue;
                }
            }
            let place = Arc::clone(&places).try_acquire_owned().ok();
            let (authority, enrolment) = (Arc::clone(&self.authority), Arc::clone(&self.enrolment));
            tokio::spawn(async move {
                if let Err(error) = serve(incoming, authority, &enrolment, place).await {
                    tracing::debug!(%error, "a connection was not taken");
                }
            });
        }
    }

    /// Makes a new certificate for connections from now on.
    ///
    /// # Errors
    /// See [`QuicError`]; the old certificate stays in use.
    pub fn renew_certificate(&self) -> Result<(), QuicError> {
        self.endpoint.set_server_config(Some(tls::server_config(&self.certificates, clock::wall())?));
        Ok(())
    }

    /// Says goodbye to everyone, and waits a moment for it to arrive.
    pub async fn close(&self) {
        self.endpoint.close(VarInt::from_u32(End::Stopping.code()), End::Stopping.reason().as_bytes());
        // Who does not answer has an idle timeout of its own.
        let _timed_out = tokio::time::timeout(Duration::from_millis(500), self.endpoint.wait_idle()).await;
    }
}

/// What becomes of a stranger who knocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// It may say who it is.
    Take,
    /// It must show that packets reach it at its address.
    Prove,
    /// There are too many.
    Refuse,
}

const fn admit(places_left: usize, has_proven_its_address: bool) -> Admission {
    match STRANGERS_MAX.saturating_sub(places_left) {
        STRANGERS_MAX.. => Admission::Refuse,
        STRANGERS_BELIEVED_MAX.. if !has_proven_its_address => Admission::Prove,
        _ => Admission::Take,
    }
}

async fn serve(
    incoming: Incoming,
    authority: Arc<Authority>,
    enrolment: &Enrolment,
    place: Option<OwnedSemaphorePermit>,
) -> Result<(), String> {
    let connecting = incoming.accept().map_err(|error| error.to_string())?;
    let connection = tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await;
    let connection = connection.map_err(|_| "the handshake took too long")?.map_err(|error| error.to_string())?;
    match protocol_of(&connection).as_deref() {
        Some(protocol) if protocol == ALPN_AGENT => agent::serve(connection, authority, place).await,
        Some(protocol) if protocol == ALPN_ENROL => {
            enrol::serve(&connection, enrolment).await?;
            drop(place);
        }
        Some(_) | None => end(&connection, End::Protocol),
    }
    Ok(())
}

fn protocol_of(connection: &Connection) -> Option<Vec<u8>> {
    connection.handshake_data()?.downcast::<HandshakeData>().ok()?.protocol
}

fn end(connection: &Connection, end: End) {
    connection.close(VarInt::from_u32(end.code()), end.reason().as_bytes());
}

/// The kernel grants less without saying so, so what it gave is read back.
fn enlarge_buffers(socket: &UdpSocket) {
    let asked = UdpSocketState::new(socket.into()).and_then(|state| {
        state.set_recv_buffer_size(socket.into(), SOCKET_BUFFER_BYTES)?;
        state.set_send_buffer_size(socket.into(), SOCKET_BUFFER_BYTES)?;
        Ok((state.recv_buffer_size(socket.into())?, state.send_buffer_size(socket.into())?))
    });
    match asked {
        Ok((receive, send)) if receive.min(send) >= SOCKET_BUFFER_BYTES => {
            tracing::debug!(receive, send, "socket buffers in bytes");
        }
        Ok((receive, send)) => tracing::info!(
            receive,
            send,
            "the kernel grants smaller socket buffers than the {SOCKET_BUFFER_BYTES} bytes that many agents need; \
             raise net.core.rmem_max and net.core.wmem_max"
        ),
        Err(error) => tracing::warn!(%error, "socket buffers could not be enlarged"),
    }
}
