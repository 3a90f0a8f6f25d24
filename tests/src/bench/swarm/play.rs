//! The swarm as a process: every agent comes, stays and comes back as its keeper would have it.

use crate::bench::swarm::crowd::{Member, Members};
use crate::bench::swarm::member::Player;
use crate::bench::swarm::tally::{Step, Tally};
use anyhow::{Context, Result};
use doorward_agent::identity::Identity;
use doorward_agent::quic::endpoint::{CONNECT_PATIENCE, Outlet};
use doorward_agent::quic::keep::Pauses;
use doorward_protocol::sign::SecretKey;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// How many agents share a socket: so few that the socket's usual buffer holds a word to each of them.
const SHARING: usize = 40;

/// Most handshakes at once, where they are limited: enough to keep all processors busy.
const TOGETHER: usize = 256;

/// What the swarm is told to do, one a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Number of the wave to which connections from now on belong.
    pub wave: u64,
    /// The first agent that is to be connected, and the one after the last.
    pub present: (usize, usize),
    /// Whether only so many shake hands at once as keep the processors busy; otherwise each comes when its keeper would.
    pub in_order: bool,
    /// Whether an agent leaves again as soon as hands are shaken.
    pub shake_only: bool,
    /// Process of the server.
    pub server: u32,
}

/// Plays the agents in a file of members against an authority, until standard input ends.
///
/// # Errors
/// When the members cannot be read or there is no runtime.
pub fn run(members: &Path, authority: SocketAddr) -> Result<()> {
    let members = Members::read(members)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let tally = Arc::new(Tally::default());
    let none = Order { wave: 0, present: (0, 0), in_order: true, shake_only: false, server: 0 };
    let (orders, heard) = watch::channel(none);
    let _entered = runtime.enter();
    let places = Arc::new(Semaphore::new(TOGETHER));
    let mut outlet = Outlet::open(authority)?;
    for (number, member) in members.members.iter().enumerate() {
        if number % SHARING == 0 {
            outlet = Outlet::open(authority)?;
        }
        let identity = identity_of(&members, member, authority);
        let player = Player::new(&identity, Arc::clone(&tally))?;
        let (outlet, orders, places) = (outlet.clone(), heard.clone(), Arc::clone(&places));
        let tally = Arc::clone(&tally);
        runtime.spawn(Agent { number, identity, player, outlet, orders, places, tally, authority }.live());
    }
    for line in std::io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?).context("not an order")?;
        let (from, to) = order.present;
        tally.begin(u64::try_from(to.saturating_sub(from))?, order.server);
        orders.send_replace(order);
        tally.heard(order.wave);
    }
    runtime.shutdown_background();
    Ok(())
}

fn identity_of(members: &Members, member: &Member, authority: SocketAddr) -> Identity {
    Identity {
        campus: members.campus.clone(),
        agent: member.agent.clone(),
        key: SecretKey::from_seed(&member.seed),
        pinned_root: members.pinned_root,
        certificate: member.certificate.clone(),
        certificate_authority: members.certificate_authority.clone(),
        statements: members.statements.clone(),
        addresses: vec![authority.to_string()],
    }
}

struct Agent {
    number: usize,
    identity: Identity,
    player: Player,
    outlet: Outlet,
    orders: watch::Receiver<Order>,
    places: Arc<Semaphore>,
    tally: Arc<Tally>,
    authority: SocketAddr,
}

impl Agent {
    /// Comes when it is told to, and comes back when its connection ends.
    async fn live(mut self) {
        let number = self.number;
        let is_here = move |order: &Order| (order.present.0..order.present.1).contains(&number);
        let mut pauses = Pauses::default();
        loop {
            let Ok(order) = self.orders.wait_for(is_here).await.map(|order| *order) else { return };
            let was_heard = self.visit(order).await;
            if order.shake_only {
                let Ok(()) = self.orders.changed().await else { return };
                continue;
            }
            tokio::time::sleep(pauses.after(was_heard)).await;
        }
    }

    /// One connection; whether it stood.
    async fn visit(&mut self, order: Order) -> bool {
        let place = if order.in_order { Arc::clone(&self.places).acquire_owned().await.ok() } else { None };
        let reached = match self.outlet.connect_as_agent(self.authority, &self.identity, CONNECT_PATIENCE.1).await {
            Ok(reached) => reached,
            Err(error) => {
                tell(&format!("{}: {error}", self.identity.agent));
                return false;
            }
        };
        let wave = self.orders.borrow().wave;
        self.tally.note(Step::Shaken, wave);
        if order.shake_only {
            reached.connection.close(0_u32.into(), b"shaken");
            return true;
        }
        drop(place);
        let number = self.number;
        let is_away = move |order: &Order| !(order.present.0..order.present.1).contains(&number);
        let mut orders = self.orders.clone();
        tokio::select! {
            Err(ended) = self.player.talk(&reached, wave) => tell(&format!("{}: {ended:#}", self.identity.agent)),
            _ = orders.wait_for(is_away) => reached.connection.close(0_u32.into(), b"away"),
        }
        self.player.leave();
        true
    }
}

/// To the log of the swarm, for whoever wonders why a step was not made.
fn tell(text: &str) {
    use std::io::Write;
    // A log that takes nothing changes nothing.
    let _unheard = writeln!(std::io::stderr(), "{text}");
}
