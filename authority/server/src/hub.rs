//! The agents that are connected, how to reach each of them, and what each was last heard to say.
//!
//! What waits for an agent is bounded: newer heads and pulses replace older ones. Only removals queue, since none may
//! be lost; an agent that does not take them is disconnected, and gets the commits that contain them when it is back.

use doorward_protocol::codec::CodecError;
use doorward_protocol::commit::{Position, Pulse};
use doorward_protocol::frame::{ToAgent, to_wire};
use doorward_protocol::id::AgentId;
use doorward_protocol::limits::OVERLAY_REMOVALS_MAX;
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::{PublicKey, Signed};
use doorward_protocol::time::UnixMs;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

/// A commit waits for removals that are on their way to anyone at all, as long as they go on being
/// sent and confirmed: so long a silence ends the wait, in which a disk has had the time to write.
const QUIET: Duration = Duration::from_millis(100);

/// How long records wait for removals at most: while one follows the other, they come home all the same.
const PASSING: Duration = Duration::from_millis(100);

/// Why a connection is ended from this side, with the code that stands in its close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server stops; the agent comes back by itself.
    Stopping,
    /// The agent is not enrolled, or its key is another one.
    NotEnrolled,
    /// The same agent connected again.
    Replaced,
    /// The agent broke the protocol.
    Protocol,
    /// The agent was struck off.
    StruckOff,
    /// The authority cannot serve it now.
    Unavailable,
}

impl End {
    /// The code in the close frame.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Stopping => 0,
            Self::NotEnrolled => 1,
            Self::Replaced => 2,
            Self::Protocol => 3,
            Self::StruckOff => 4,
            Self::Unavailable => 5,
        }
    }

    /// The reason in the close frame.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Stopping => "the authority is stopping",
            Self::NotEnrolled => "this key is not enrolled; join with a new token",
            Self::Replaced => "the same agent connected again",
            Self::Protocol => "the protocol was broken",
            Self::StruckOff => "the agent was struck off",
            Self::Unavailable => "the authority cannot serve this now; try again",
        }
    }
}

/// What an agent was last heard to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Since when it is connected.
    pub since: UnixMs,
    /// From where.
    pub address: SocketAddr,
    /// Version of its software.
    pub software: Option<String>,
    /// What it has confirmed to have.
    pub position: Option<Position>,
    /// When it was last heard.
    pub heard_at: UnixMs,
    /// The newest fresh word that it can have had over this connection.
    pub fresh_at: Option<UnixMs>,
    /// Its clock minus ours in milliseconds.
    pub clock_off_ms: Option<i64>,
    /// Records that wait at the agent.
    pub unsent: u64,
    /// When the oldest of them was made.
    pub oldest_unsent_at: Option<UnixMs>,
}

/// A removal that is on its way to an agent.
#[derive(Debug, Clone, Copy)]
struct Removing {
    position: Position,
    /// Whether others wait for it: one that has not greeted yet would not say that it has it.
    is_awaited: bool,
}

/// What waits for a connection to look at.
#[derive(Debug, Default)]
pub struct Mail {
    /// The newest removal that is on its way, until the agent has it on its disk: a commit waits for it, so that whoever
    /// still has to hear of a removal does not wait behind commits that repeat it for others.
    removing: Option<Removing>,
    /// The head moved; whether this agent's state changed with it.
    pub head_moved: Option<bool>,
    /// A newer pulse.
    pub pulse: Option<Signed<Pulse>>,
}

/// One connection, as its tasks see it.
#[derive(Debug)]
pub struct Connection {
    /// Which agent.
    pub agent: AgentId,
    /// With which key.
    pub key: PublicKey,
    number: u64,
    mail: Mutex<Mail>,
    /// Rings when there is mail.
    pub bell: Notify,
    live: Mutex<Live>,
    end: watch::Sender<Option<End>>,
    removals: mpsc::Sender<Arc<[u8]>>,
    under_way: Arc<UnderWay>,
}

/// How many agents have yet to say that they have a removal.
#[derive(Debug)]
struct UnderWay {
    agents: AtomicUsize,
    /// When a removal was last handed over or sent, or an agent said so.
    stepped_at: Mutex<Instant>,
    /// Rings for all who wait when the last has said so.
    over: Notify,
}

impl Default for UnderWay {
    fn default() -> Self {
        Self { agents: AtomicUsize::new(0), stepped_at: Mutex::new(Instant::now()), over: Notify::new() }
    }
}

impl UnderWay {
    /// Waits until all of them have said so, or nobody did for a while.
    async fn settle(&self) {
        loop {
            let mut over = pin!(self.over.notified());
            over.as_mut().enable();
            let left = QUIET.saturating_sub(lock(&self.stepped_at).elapsed());
            if self.agents.load(Ordering::Relaxed) == 0 || left.is_zero() {
                return;
            }
            let _is_over = tokio::time::timeout(left, over).await;
        }
    }

    fn begin(&self) {
        self.agents.fetch_add(1, Ordering::Relaxed);
    }

    fn step(&self) {
        *lock(&self.stepped_at) = Instant::now();
    }

    /// Of one that has begun.
    fn end(&self) {
        self.step();
        if self.agents.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.over.notify_waiters();
        }
    }
}

impl Connection {
    /// Takes what waits. With a pulse everything comes, also from an agent that never answered a removal.
    #[must_use]
    pub fn take_mail(&self) -> Mail {
        let mut mail = lock(&self.mail);
        if mail.removing.is_some() && mail.pulse.is_none() { Mail::default() } else { std::mem::take(&mut *mail) }
    }

    /// Notes that the agent has removals up to a position on its disk.
    pub fn removed(&self, position: Position) {
        let mut mail = lock(&self.mail);
        if let Some(removing) = mail.removing.take_if(|removing| removing.position <= position) {
            self.end_removing(removing);
            self.bell.notify_one();
        }
    }

    /// Notes that a removal was sent.
    pub fn sent_removal(&self) {
        self.under_way.step();
    }

    /// Nothing is on its way over a connection that has ended.
    fn give_up_removals(&self) {
        let removing = lock(&self.mail).removing.take();
        removing.into_iter().for_each(|removing| self.end_removing(removing));
    }

    fn end_removing(&self, removing: Removing) {
        if removing.is_awaited {
            self.under_way.end();
        }
    }

    /// What the agent was last heard to say.
    #[must_use]
    pub fn live(&self) -> Live {
        lock(&self.live).clone()
    }

    /// Notes what the agent says.
    pub fn note(&self, change: impl FnOnce(&mut Live)) {
        change(&mut lock(&self.live));
    }

    /// Puts a removal on its lane.
    pub fn remove(&self, removal: &Outgoing) {
        self.under_way.step();
        let has_greeted = lock(&self.live).software.is_some();
        {
            let mut mail = lock(&self.mail);
            let is_awaited = mail.removing.is_some_and(|removing| removing.is_awaited);
            if has_greeted && !is_awaited {
                self.under_way.begin();
            }
            mail.removing = Some(Removing { position: removal.position, is_awaited: is_awaited || has_greeted });
        }
        // A connection that has just ended takes nothing any more; the agent gets the commit when it is back. So does one
        // that holds its lane open and does not read it.
        if let Err(TrySendError::Full(_)) = self.removals.try_send(Arc::clone(&removal.frame)) {
            self.end(End::Unavailable);
        }
    }

    /// Asks for the connection to be ended; the first reason stands.
    pub fn end(&self, end: End) {
        self.end.send_if_modified(|asked| asked.is_none() && asked.replace(end).is_none());
    }

    /// Waits until the connection is to be ended.
    pub async fn ended(&self) -> End {
        let mut asked = self.end.subscribe();
        match asked.wait_for(Option::is_some).await.map(|end| *end) {
            Ok(Some(end)) => end,
            // The sender is here, so it is never gone, and what was waited for is there.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    fn post(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut lock(&self.mail));
        self.bell.notify_one();
    }
}

/// A removal as it stands on its lane: spelled out once for all whom it concerns.
#[derive(Debug, Clone)]
pub struct Outgoing {
    position: Position,
    frame: Arc<[u8]>,
}

impl Outgoing {
    /// Of a signed removal.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn new(removal: &Signed<Removal>) -> Result<Self, CodecError> {
        let position = removal.unverified()?.position;
        Ok(Self { position, frame: to_wire(&ToAgent::Removal(removal.clone()))?.into() })
    }
}

/// Whom a removal concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerned {
    /// These agents.
    Agents(BTreeSet<AgentId>),
    /// It cannot be told yet, so all: a removal can only deny.
    All,
}

impl Concerned {
    fn contains(&self, agent: &AgentId) -> bool {
        match self {
            Self::Agents(agents) => agents.contains(agent),
            Self::All => true,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Hub {
    state: Mutex<State>,
    under_way: Arc<UnderWay>,
    /// Rings when there is a commit of which nobody has been told.
    commits: Notify,
}

#[derive(Debug, Default)]
struct State {
    next_number: u64,
    connections: BTreeMap<AgentId, Arc<Connection>>,
    /// What agents that are away were last heard to say.
    last: BTreeMap<AgentId, Live>,
    /// Removals whose commit is not published yet, for agents that connect meanwhile.
    pending: BTreeMap<u64, Vec<(Outgoing, Concerned)>>,
    /// The newest commit, when nobody has been told of it; and whose state changed since the one of which everyone was.
    untold: Option<(u64, BTreeSet<AgentId>)>,
}

impl Hub {
    /// Registers a connection, in the place of an older one of the same agent. The receiver is its removal lane.
    pub fn enter(
        &self,
        agent: AgentId,
        key: PublicKey,
        address: SocketAddr,
        now: UnixMs,
    ) -> (Arc<Connection>, mpsc::Receiver<Arc<[u8]>>) {
        // As many as an agent keeps.
        let (removals, lane) = mpsc::channel(OVERLAY_REMOVALS_MAX);
        let mut state = lock(&self.state);
        state.next_number = state.next_number.saturating_add(1);
        let older = state.connections.get(&agent).cloned();
        let live = Live {
            since: now,
            address,
            software: None,
            position: None,
            heard_at: now,
            // What it heard over the connection that this one replaces, it has heard.
            fresh_at: older.as_ref().and_then(|older| older.live().fresh_at),
            clock_off_ms: None,
            unsent: 0,
            oldest_unsent_at: None,
        };
        let connection = Arc::new(Connection {
            agent: agent.clone(),
            key,
            number: state.next_number,
            mail: Mutex::default(),
            bell: Notify::new(),
            live: Mutex::new(live),
            end: watch::channel(None).0,
            removals,
            under_way: Arc::clone(&self.under_way),
        });
        let pending = state.pending.values().flatten().filter(|(_, concerned)| concerned.contains(&agent));
        pending.for_each(|(removal, _)| connection.remove(removal));
        state.connections.insert(agent, Arc::clone(&connection));
        if let Some(older) = older {
            older.give_up_removals();
            older.end(End::Replaced);
        }
        (connection, lane)
    }

    /// Takes a connection out; false when a newer one of the same agent is in its place. That one then answers for
    /// whatever was heard over this one until its end.
    pub fn leave(&self, connection: &Connection) -> bool {
        let mut state = lock(&self.state);
        connection.give_up_removals();
        match state.connections.get(&connection.agent) {
            Some(newest) if newest.number == connection.number => {
                state.connections.remove(&connection.agent);
                state.last.insert(connection.agent.clone(), connection.live());
                true
            }
            Some(newest) => {
                let heard = connection.live().fresh_at;
                newest.note(|live| live.fresh_at = live.fresh_at.max(heard));
                false
            }
            None => true,
        }
    }

    /// The connection of an agent.
    #[must_use]
    pub fn connection(&self, agent: &AgentId) -> Option<Arc<Connection>> {
        lock(&self.state).connections.get(agent).cloned()
    }

    /// Whether an agent is connected.
    #[must_use]
    pub fn is_connected(&self, agent: &AgentId) -> bool {
        lock(&self.state).connections.contains_key(agent)
    }

    /// Ids of the connected agents.
    #[must_use]
    pub fn connected(&self) -> BTreeSet<AgentId> {
        lock(&self.state).connections.keys().cloned().collect()
    }

    /// The connected agents, each with what it has confirmed to have; `None` before it has said so.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<AgentId, Option<Position>> {
        let state = lock(&self.state);
        state.connections.iter().map(|(agent, connection)| (agent.clone(), connection.live().position)).collect()
    }

    /// What an agent that is away was last heard to say since the start.
    #[must_use]
    pub fn last_heard(&self, agent: &AgentId) -> Option<Live> {
        lock(&self.state).last.get(agent).cloned()
    }

    /// Hands removals of an entry to whom they concern: to those who are connected now, and to those who connect
    /// before its commit is there for everyone.
    pub fn remove(&self, seq: u64, removals: Vec<(Outgoing, Concerned)>) {
        let mut state = lock(&self.state);
        for (removal, concerned) in &removals {
            let connections = state.connections.iter().filter(|(agent, _)| concerned.contains(agent));
            connections.for_each(|(_, connection)| connection.remove(removal));
        }
        state.pending.insert(seq, removals);
    }

    /// The commit of an entry is there, and the state of these agents changed with it: [`Hub::announce`] tells everyone.
    pub fn head_moved(&self, seq: u64, affected: &BTreeSet<AgentId>) {
        let mut state = lock(&self.state);
        let (newest, all) = state.untold.get_or_insert_default();
        *newest = seq;
        all.extend(affected.iter().cloned());
        drop(state);
        self.commits.notify_one();
    }

    /// Tells everyone of commits as they come, for as long as it is polled. Removals go first: one that is still on its way
    /// to some agents would otherwise share processors and lines with the commits that repeat it for those who have it.
    pub async fn announce(&self) -> core::convert::Infallible {
        loop {
            self.commits.notified().await;
            self.under_way.settle().await;
            self.tell();
        }
    }

    fn tell(&self) {
        let mut state = lock(&self.state);
        let Some((seq, affected)) = state.untold.take() else { return };
        state.pending = state.pending.split_off(&seq.saturating_add(1));
        for (agent, connection) in &state.connections {
            let is_affected = affected.contains(agent);
            connection.post(|mail| mail.head_moved = Some(mail.head_moved.unwrap_or(false) | is_affected));
        }
    }

    /// Waits until no removal is on its way to anyone, or as long as that may be waited for: what is only kept waits, too.
    pub async fn let_removals_pass(&self) {
        let _in_time = tokio::time::timeout(PASSING, self.under_way.settle()).await;
    }

    /// Hands a pulse to everyone.
    pub fn pulse(&self, pulse: &Signed<Pulse>) {
        for connection in lock(&self.state).connections.values() {
            connection.post(|mail| mail.pulse = Some(pulse.clone()));
        }
    }

    /// Ends the connection of an agent, unless it is with this key.
    pub fn end_unless(&self, agent: &AgentId, key: Option<PublicKey>, end: End) {
        let connection = self.connection(agent).filter(|connection| Some(connection.key) != key);
        connection.into_iter().for_each(|connection| connection.end(end));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is complete in itself, so a panic elsewhere leaves nothing half-done here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::id::CampusId;
    use doorward_protocol::sign::SecretKey;
    use futures_util::FutureExt;

    fn id(name: &str) -> AgentId {
        AgentId::new(name).unwrap()
    }

    fn enter(hub: &Hub, name: &str) -> (Arc<Connection>, mpsc::Receiver<Arc<[u8]>>) {
        let entered = hub.enter(id(name), PublicKey([1; 32]), "127.0.0.1:1".parse().unwrap(), UnixMs(0));
        entered.0.note(|live| live.software = Some("test".into()));
        entered
    }

    fn removal() -> Outgoing {
        let position = Position { epoch: 0, seq: 7 };
        let campus = CampusId::new("test").unwrap();
        let removal = Removal { campus, position, part: 0, at: UnixMs(0), items: Vec::new() };
        Outgoing::new(&SecretKey::from_seed(&[1; 32]).sign_value(&removal).unwrap()).unwrap()
    }

    #[test]
    fn a_removal_reaches_whom_it_concerns_also_when_they_connect_before_its_commit() {
        let hub = Hub::default();
        let (_a, mut to_a) = enter(&hub, "a");
        let (_b, mut to_b) = enter(&hub, "b");
        hub.remove(7, vec![(removal(), Concerned::Agents([id("a"), id("c")].into()))]);
        assert!(to_a.try_recv().is_ok());
        assert!(to_b.try_recv().is_err());
        let (_c, mut to_c) = enter(&hub, "c");
        assert!(to_c.try_recv().is_ok());
        hub.head_moved(7, &BTreeSet::new());
        hub.tell();
        let (_c, mut to_c) = enter(&hub, "c");
        assert!(to_c.try_recv().is_err(), "its commit is there, and contains the removal");
    }

    #[tokio::test]
    async fn a_second_connection_of_an_agent_ends_the_first_and_stays() {
        let hub = Hub::default();
        let (first, _lane) = enter(&hub, "a");
        let (_second, _other) = enter(&hub, "a");
        hub.end_unless(&id("a"), Some(PublicKey([1; 32])), End::NotEnrolled);
        first.end(End::Stopping);
        assert_eq!(first.ended().await, End::Replaced);
        assert!(!hub.leave(&first));
        assert!(hub.is_connected(&id("a")));
    }

    #[test]
    fn what_was_heard_over_a_connection_counts_for_the_one_that_replaces_it() {
        let hub = Hub::default();
        let (first, _lane) = enter(&hub, "a");
        first.note(|live| live.fresh_at = Some(UnixMs(5)));
        let (second, _other) = enter(&hub, "a");
        assert_eq!(second.live().fresh_at, Some(UnixMs(5)));
        // A pulse was already on its way when it was replaced.
        first.note(|live| live.fresh_at = Some(UnixMs(7)));
        assert!(!hub.leave(&first));
        assert_eq!(second.live().fresh_at, Some(UnixMs(7)));
        let (third, _another) = enter(&hub, "a");
        assert!(hub.leave(&third));
        assert!(hub.leave(&second), "nobody is left who could answer for it");
    }

    #[tokio::test]
    async fn an_agent_that_takes_no_removals_is_disconnected_before_they_fill_the_memory() {
        let hub = Hub::default();
        let (a, _lane) = enter(&hub, "a");
        (0..OVERLAY_REMOVALS_MAX).for_each(|_| a.remove(&removal()));
        assert!(a.end.borrow().is_none());
        a.remove(&removal());
        assert_eq!(a.ended().await, End::Unavailable);
    }

    #[test]
    fn a_commit_waits_for_a_removal_that_is_on_its_way_until_it_is_durable_or_a_pulse_is_due() {
        let hub = Hub::default();
        let (a, _lane) = enter(&hub, "a");
        let hear_of_both = || {
            hub.remove(7, vec![(removal(), Concerned::All)]);
            hub.head_moved(7, &[id("a")].into());
            hub.tell();
        };
        hear_of_both();
        assert_eq!(a.take_mail().head_moved, None);
        a.removed(Position { epoch: 0, seq: 6 });
        assert_eq!(a.take_mail().head_moved, None, "that was another one");
        a.removed(Position { epoch: 0, seq: 7 });
        assert_eq!(a.take_mail().head_moved, Some(true));
        hear_of_both();
        let pulse = Pulse {
            campus: CampusId::new("test").unwrap(),
            position: Position { epoch: 0, seq: 7 },
            commit: doorward_protocol::id::Hash([0; 32]),
            at: UnixMs(0),
        };
        hub.pulse(&SecretKey::from_seed(&[1; 32]).sign_value(&pulse).unwrap());
        let mail = a.take_mail();
        assert_eq!((mail.head_moved, mail.pulse.is_some()), (Some(true), true));
    }

    #[test]
    fn heads_that_were_not_looked_at_gather() {
        let hub = Hub::default();
        let (a, _lane) = enter(&hub, "a");
        hub.head_moved(7, &[id("a")].into());
        hub.tell();
        hub.head_moved(8, &BTreeSet::new());
        hub.tell();
        assert_eq!(a.take_mail().head_moved, Some(true));
        assert_eq!(a.take_mail().head_moved, None);
        hub.head_moved(9, &[id("a")].into());
        hub.head_moved(10, &BTreeSet::new());
        hub.tell();
        assert_eq!(a.take_mail().head_moved, Some(true));
    }

    #[tokio::test]
    async fn a_commit_waits_for_removals_to_anyone_as_long_as_agents_go_on_confirming_them() {
        let hub = Hub::default();
        let names = ["a", "b", "c", "d"];
        let [(a, _a), (b, _b), (c, _c), (d, _d)] = names.map(|name| enter(&hub, name));
        let mut announcing = pin!(hub.announce());
        let mut is_told = || {
            assert!(announcing.as_mut().now_or_never().is_none());
            d.take_mail().head_moved.is_some()
        };
        hub.remove(7, vec![(removal(), Concerned::Agents([id("a"), id("b"), id("c")].into()))]);
        hub.head_moved(7, &[id("d")].into());
        assert!(!is_told());
        let position = Position { epoch: 0, seq: 7 };
        a.removed(position);
        a.removed(position);
        assert!(!is_told());
        b.removed(position);
        assert!(!is_told());
        let (_again, _c) = enter(&hub, "c");
        hub.leave(&c);
        assert!(is_told(), "who has just come back gets the removal again, and is not waited for");
        // Of these nobody says anything.
        hub.remove(8, vec![(removal(), Concerned::All)]);
        hub.head_moved(8, &[id("a")].into());
        let ringing = a.bell.notified();
        tokio::select! {
            never = announcing => match never {},
            () = ringing => {}
        }
        assert!(lock(&a.mail).head_moved.is_some());
    }

    #[tokio::test]
    async fn all_that_is_only_kept_waits_for_a_removal_until_its_last_agent_has_it() {
        let hub = Hub::default();
        let [(a, _a), (b, _b)] = ["a", "b"].map(|name| enter(&hub, name));
        assert!(hub.let_removals_pass().now_or_never().is_some(), "nothing is on its way");
        hub.remove(7, vec![(removal(), Concerned::All)]);
        let mut waiting = [pin!(hub.let_removals_pass()), pin!(hub.let_removals_pass())];
        let mut have_passed = || waiting.each_mut().map(|waiting| waiting.as_mut().now_or_never().is_some());
        assert_eq!(have_passed(), [false; 2]);
        a.removed(Position { epoch: 0, seq: 7 });
        assert_eq!(have_passed(), [false; 2]);
        b.removed(Position { epoch: 0, seq: 7 });
        assert_eq!(have_passed(), [true; 2]);
    }

    #[tokio::test]
    async fn an_agent_that_says_nothing_is_waited_for_once_and_one_that_has_not_greeted_never() {
        let hub = Hub::default();
        let (a, _a) = enter(&hub, "a");
        a.note(|live| live.software = None);
        hub.remove(7, vec![(removal(), Concerned::All)]);
        assert!(hub.let_removals_pass().now_or_never().is_some());
        a.note(|live| live.software = Some("test".into()));
        hub.remove(8, vec![(removal(), Concerned::All)]);
        assert!(hub.let_removals_pass().now_or_never().is_none());
        hub.let_removals_pass().await;
        assert!(hub.let_removals_pass().now_or_never().is_some(), "not once for each that is kept");
        a.removed(Position { epoch: 0, seq: 8 });
        assert_eq!(hub.under_way.agents.load(Ordering::Relaxed), 0);
    }
}
