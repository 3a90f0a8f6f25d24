//! A piece of network between one agent and the authority: datagrams pass it, and whatever happens to datagrams can be
//! made to happen here: they vanish, come late, twice, out of order or damaged, or only small ones come through.
//!
//! It stands where tc's netem would, which not every kernel has, and works on UDP as it is, on loopback and between
//! namespaces alike. To the authority it looks like an address translator: each address of an agent gets a port of its
//! own. Stopping the agent's process instead would stop its doors as well; cut off, it goes on deciding.

pub mod faults;

use crate::random::Random;
use anyhow::{Context, Result};
use faults::Faults;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Larger than any datagram on loopback.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// Most datagrams of one agent that wait to be looked at; a wire drops what is too much for it.
const WAITING_MAX: usize = 4_096;

/// See the module; ends when it is dropped.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    counts: Arc<Counts>,
}

/// How many datagrams a wire had to do with, both ways.
#[derive(Debug, Default)]
struct Counts {
    came: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
}

/// What became of the datagrams that came to a wire. Lost and doubled ones are told apart: they can make up for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// How many came.
    pub came: u64,
    /// How many of them never left.
    pub lost: u64,
    /// How many left more than once.
    pub doubled: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Orders {
    /// Towards the authority.
    there: Faults,
    /// Towards the agent.
    home: Faults,
    /// How often every port towards the authority was given up.
    rebinds: u64,
}

impl Wire {
    /// A wire on loopback.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn start(authority: SocketAddr) -> Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), authority, Random::new_seed())
    }

    /// A wire whose agent's end is at an address of this machine, and whose faults follow from a seed.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn start_at(address: IpAddr, authority: SocketAddr, seed: u64) -> Result<Self> {
        let front = std::net::UdpSocket::bind((address, 0)).context("no socket for a wire")?;
        front.set_nonblocking(true)?;
        let address = front.local_addr()?;
        let (orders, ordered) = watch::channel(Orders::default());
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            // Whatever ends it, the datagrams end with it, and the test that needed them says so.
            let _ended = runtime.block_on(carry(front, authority, ordered, counted, Random::new(seed)));
        });
        Ok(Self { address, orders, counts })
    }

    /// Where the agent finds it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What became of the datagrams that came to it so far.
    #[must_use]
    pub fn carried(&self) -> Carried {
        let Counts { came, lost, doubled } = &*self.counts;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Carried { came: count(came), lost: count(lost), doubled: count(doubled) }
    }

    /// From now on, these faults happen both ways, and no others.
    pub fn suffer(&self, faults: Faults) {
        self.suffer_each_way(faults, faults);
    }

    /// From now on, these faults happen to what goes to the authority and to what comes home from it.
    pub fn suffer_each_way(&self, there: Faults, home: Faults) {
        self.orders.send_modify(|orders| (orders.there, orders.home) = (there, home));
    }

    /// From now on, everything vanishes.
    pub fn cut(&self) {
        self.set_cut(true);
    }

    /// From now on, everything passes again, with the faults that there were.
    pub fn mend(&self) {
        self.set_cut(false);
    }

    fn set_cut(&self, is_cut: bool) {
        self.orders.send_modify(|orders| (orders.there.is_cut, orders.home.is_cut) = (is_cut, is_cut));
    }

    /// Gives up the ports towards the authority, as an address translator that was restarted: what comes to them
    /// vanishes, and what the agent sends comes from new ones.
    pub fn rebind(&self) {
        self.orders.send_modify(|orders| orders.rebinds += 1);
    }
}

/// Takes what agents send; each address that an agent sends from has a way of its own.
async fn carry(
    front: std::net::UdpSocket,
    authority: SocketAddr,
    mut orders: watch::Receiver<Orders>,
    counts: Arc<Counts>,
    mut random: Random,
) -> Result<()> {
    let front = Arc::new(UdpSocket::from_std(front)?);
    let mut ways: BTreeMap<SocketAddr, mpsc::Sender<Vec<u8>>> = BTreeMap::new();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut rebinds = 0;
    loop {
        let received = tokio::select! {
            received = front.recv_from(&mut buffer) => received,
            changed = orders.changed() => {
                changed?;
                let ordered = orders.borrow_and_update().rebinds;
                if std::mem::replace(&mut rebinds, ordered) != ordered {
                    ways.clear();
                }
                continue;
            }
        };
        // An error means that a datagram before this one found nobody.
        let Ok((length, agent)) = received else { continue };
        let datagram = buffer.get(..length).unwrap_or_default().to_vec();
        let way = match ways.entry(agent) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let ends = Ends { agent, front: Arc::clone(&front), back: back_to(authority).await? };
                let (way, datagrams) = mpsc::channel(WAITING_MAX);
                let [there, home] = [random.next(), random.next()].map(|seed| Queue::new(seed, Arc::clone(&counts)));
                tokio::spawn(ends.join(datagrams, orders.clone(), there, home));
                new.insert(way)
            }
        };
        // What does not fit in is lost, as on any wire.
        let _lost = way.try_send(datagram);
    }
}

async fn back_to(authority: SocketAddr) -> Result<UdpSocket> {
    let back = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    back.connect(authority).await?;
    Ok(back)
}

/// The two ends of the way of one address.
struct Ends {
    agent: SocketAddr,
    front: Arc<UdpSocket>,
    back: UdpSocket,
}

impl Ends {
    /// Carries datagrams both ways until the way is given up. A datagram that cannot be sent is one that was lost.
    async fn join(
        self,
        mut sent: mpsc::Receiver<Vec<u8>>,
        orders: watch::Receiver<Orders>,
        mut there: Queue,
        mut home: Queue,
    ) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            tokio::select! {
                datagram = sent.recv() => {
                    let Some(datagram) = datagram else { return };
                    there.take(&datagram, &orders.borrow().there);
                }
                received = self.back.recv(&mut buffer) => {
                    let datagram = received.ok().and_then(|length| buffer.get(..length));
                    datagram.into_iter().for_each(|datagram| home.take(datagram, &orders.borrow().home));
                }
                () = there.is_due() => {}
                () = home.is_due() => {}
            }
            while let Some(datagram) = there.next() {
                let _lost = self.back.send(&datagram).await;
            }
            while let Some(datagram) = home.next() {
                let _lost = self.front.send_to(&datagram, self.agent).await;
            }
        }
    }
}

/// Datagrams on their way in one direction.
struct Queue {
    /// By when they arrive, and in the order in which they came.
    waiting: BTreeMap<(Instant, u64), Vec<u8>>,
    taken: u64,
    /// When the last one arrives that nobody may overtake.
    last: Option<Instant>,
    random: Random,
    counts: Arc<Counts>,
}

impl Queue {
    const fn new(seed: u64, counts: Arc<Counts>) -> Self {
        Self { waiting: BTreeMap::new(), taken: 0, last: None, random: Random::new(seed), counts }
    }

    fn take(&mut self, datagram: &[u8], faults: &Faults) {
        let now = Instant::now();
        self.counts.came.fetch_add(1, Ordering::Relaxed);
        let copies = faults.fate(datagram, &mut self.random);
        match copies.len() {
            0 => self.counts.lost.fetch_add(1, Ordering::Relaxed),
            1 => 0,
            _ => self.counts.doubled.fetch_add(1, Ordering::Relaxed),
        };
        for copy in copies {
            let mut due = now + Duration::from_millis(copy.delay_ms);
            if !copy.may_be_overtaken {
                due = due.max(self.last.unwrap_or(due));
                self.last = Some(due);
            }
            self.taken += 1;
            self.waiting.insert((due, self.taken), copy.bytes);
        }
    }

    /// Ends when a datagram is due; never while there is none.
    async fn is_due(&self) {
        match self.waiting.keys().next() {
            Some((due, _)) => tokio::time::sleep_until(*due).await,
            None => std::future::pending().await,
        }
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let first = self.waiting.first_entry()?;
        let is_due = first.key().0 <= Instant::now();
        is_due.then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    /// An agent's socket, the wire, and the authority's socket.
    fn wired() -> (UdpSocket, Wire, UdpSocket) {
        let bound = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            socket
        };
        let (agent, authority) = (bound(), bound());
        let wire = Wire::start_at(Ipv4Addr::LOCALHOST.into(), authority.local_addr().unwrap(), 1).unwrap();
        agent.connect(wire.address()).unwrap();
        (agent, wire, authority)
    }

    fn take(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 2_048];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        (buffer[..length].to_vec(), from)
    }

    #[test]
    fn datagrams_pass_both_ways_and_vanish_while_it_is_cut() {
        let (agent, wire, authority) = wired();
        agent.send(b"there").unwrap();
        let (bytes, from) = take(&authority);
        assert_eq!(bytes, b"there");
        authority.send_to(b"home", from).unwrap();
        assert_eq!(take(&agent).0, b"home");
        wire.cut();
        agent.send(b"lost").unwrap();
        std::thread::sleep(Duration::from_millis(50));
        wire.mend();
        agent.send(b"again").unwrap();
        assert_eq!(take(&authority), (b"again".to_vec(), from), "from the same port");
        assert_eq!(wire.carried(), Carried { came: 4, lost: 1, doubled: 0 });
    }

    #[test]
    fn one_way_can_be_cut_while_the_other_is_whole() {
        let (agent, wire, authority) = wired();
        agent.send(b"1").unwrap();
        let (_, from) = take(&authority);
        wire.suffer_each_way(Faults { is_cut: true, ..Faults::default() }, Faults::default());
        agent.send(b"lost").unwrap();
        authority.send_to(b"home", from).unwrap();
        assert_eq!(take(&agent).0, b"home");
        std::thread::sleep(Duration::from_millis(50));
        wire.suffer(Faults::default());
        agent.send(b"2").unwrap();
        assert_eq!(take(&authority).0, b"2");
    }

    #[test]
    fn after_a_rebind_an_agent_comes_from_another_port() {
        let (agent, wire, authority) = wired();
        agent.send(b"1").unwrap();
        let (_, before) = take(&authority);
        wire.rebind();
        std::thread::sleep(Duration::from_millis(50));
        authority.send_to(b"to nobody", before).unwrap();
        agent.send(b"2").unwrap();
        let (bytes, after) = take(&authority);
        assert_eq!(bytes, b"2");
        assert_ne!(before, after);
        authority.send_to(b"home", after).unwrap();
        assert_eq!(take(&agent).0, b"home", "and not what went to the old port");
    }

    #[test]
    fn jitter_keeps_the_order_and_being_overtaken_does_not() {
        let arrive = |faults: Faults| {
            let (agent, wire, authority) = wired();
            wire.suffer(faults);
            for number in 0..50 {
                agent.send(&[number]).unwrap();
            }
            (0..50).map(|_| take(&authority).0[0]).collect::<Vec<u8>>()
        };
        let in_order: Vec<u8> = (0..50).collect();
        assert_eq!(arrive(Faults { delay_ms: 20, jitter_ms: 20, ..Faults::default() }), in_order);
        let mut mixed = arrive(Faults { overtaken_percent: 30, ..Faults::default() });
        assert_ne!(mixed, in_order);
        mixed.sort_unstable();
        assert_eq!(mixed, in_order, "and nothing is lost");
    }
}
