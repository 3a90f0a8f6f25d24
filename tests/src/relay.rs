//! A piece of network between one agent and the authority that can be cut: datagrams pass, or they vanish.
//!
//! Stopping the agent's process instead would stop its doors as well; cut off, it goes on deciding.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a socket is listened to before the thread looks whether it is still wanted.
const LISTEN_FOR: Duration = Duration::from_millis(50);

/// Larger than any datagram on loopback.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// See the module; ends when it is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    ended: AtomicBool,
}

impl Relay {
    /// A relay to an authority.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn start(authority: SocketAddr) -> Result<Self> {
        let front = UdpSocket::bind("127.0.0.1:0").context("no socket for a relay")?;
        front.set_read_timeout(Some(LISTEN_FOR))?;
        let address = front.local_addr()?;
        let state = Arc::new(State::default());
        let front = Arc::new(front);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || forward(&front, authority, &shared));
        Ok(Self { address, state })
    }

    /// Where the agent finds it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, everything vanishes.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
    }

    /// From now on, everything passes again.
    pub fn mend(&self) {
        self.state.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
    }
}

/// Takes what agents send; each address that an agent sends from gets a socket of its own for the way back.
fn forward(front: &Arc<UdpSocket>, authority: SocketAddr, state: &Arc<State>) {
    let mut backs: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
    while let Some((datagram, from)) = next(front, state) {
        let Some(from) = from else { continue };
        let back = match backs.get(&from) {
            Some(back) => Arc::clone(back),
            None => {
                let Ok(back) = back_to(front, from, authority, state) else { continue };
                backs.insert(from, Arc::clone(&back));
                back
            }
        };
        // A datagram that cannot be sent is a datagram that was lost.
        let _lost = back.send(&datagram);
    }
}

fn back_to(
    front: &Arc<UdpSocket>,
    agent: SocketAddr,
    authority: SocketAddr,
    state: &Arc<State>,
) -> Result<Arc<UdpSocket>> {
    let back = UdpSocket::bind("127.0.0.1:0")?;
    back.connect(authority)?;
    back.set_read_timeout(Some(LISTEN_FOR))?;
    let back = Arc::new(back);
    let (front, listener, state) = (Arc::clone(front), Arc::clone(&back), Arc::clone(state));
    std::thread::spawn(move || {
        while let Some((datagram, from)) = next(&listener, &state) {
            if from.is_some() {
                let _lost = front.send_to(&datagram, agent);
            }
        }
    });
    Ok(back)
}

/// The next datagram and its sender, who is `None` when nothing came or it vanished; `None` at the end.
fn next(socket: &UdpSocket, state: &State) -> Option<(Vec<u8>, Option<SocketAddr>)> {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let received = socket.recv_from(&mut buffer);
    if state.ended.load(Ordering::SeqCst) {
        return None;
    }
    match received {
        Ok((length, from)) => {
            buffer.truncate(length);
            Some((buffer, (!state.cut.load(Ordering::SeqCst)).then_some(from)))
        }
        // A refusal means that nobody listens there just now.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some((Vec::new(), None)),
        Err(_) => Some((Vec::new(), None)),
    }
}
