//! Staying connected: every address in turn, with pauses that grow and differ, and a certificate that never runs out.

use crate::alarms::Alarms;
use crate::board::Board;
use crate::clock::wall_now;
use crate::identity::{Identity, random};
use crate::machines::{Line, OUTGOING_MAX};
use crate::quic::endpoint::{
    CONNECT_PATIENCE, ReachError, connect_as_agent, is_certificate_expired, is_silence, is_turned_away,
};
use crate::quic::enrol::{EnrolError, renew};
use crate::quic::lanes::{LaneError, open, pump_in, pump_out};
use crate::stop::Stop;
use crate::validity::Validity;
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority};
use quinn::{Connection, ReadExactError};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// Pause after a failed round through all addresses, at first and at most: short enough that a restarted authority finds
/// its doors again at once, long enough that thousands of agents do not drown it.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// How often a standing connection looks whether the certificate is to be renewed.
const RENEWAL_PERIOD: Duration = Duration::from_secs(3600);

/// How long after a renewal that was tried the next one waits, unless the authority wants it: the old certificate
/// still works, and an authority that does not answer costs seconds at each try.
const RENEWAL_PAUSE: Duration = Duration::from_secs(60);

/// The way of frames to the two machines.
#[derive(Debug, Clone)]
pub struct Machines {
    /// To the sync machine: the control lane.
    pub control: mpsc::Sender<Line>,
    /// To the sync machine, ahead of everything else: the removal lane.
    pub removals: mpsc::Sender<ToAgent>,
    /// To the recorder machine: the records lane.
    pub records: mpsc::Sender<Line>,
}

/// The task that keeps the agent connected.
#[derive(Debug)]
pub struct Keeper {
    /// Who the agent is; its certificate is replaced here.
    pub identity: Identity,
    /// Where the identity is stored.
    pub directory: PathBuf,
    /// Addresses of authorities, in the order in which to try them.
    pub addresses: Vec<String>,
    /// Where frames go.
    pub machines: Machines,
    /// Where the connection is shown.
    pub board: Arc<Board>,
    /// Where alarms go.
    pub alarms: Alarms,
    /// Whether the agent is stopping.
    pub stop: Stop,
    /// What was last said about each address, so that it is said once.
    pub said: BTreeMap<String, String>,
    /// When a renewal was last tried because it was time.
    pub renewal_tried: Option<Instant>,
}

/// How one try at an authority ended.
#[derive(Debug)]
struct Ended {
    /// Whether the authority ever said something.
    was_heard: bool,
    /// Whether it ended because our certificate has expired.
    is_expired: bool,
    /// Whether the authority turned us away.
    is_turned_away: bool,
    /// Whether nothing came any more.
    is_silence: bool,
    /// Why, for a person.
    why: String,
}

impl Keeper {
    /// Runs until the agent stops.
    pub async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.keep_connected() => {}
            () = stop.wait() => {}
        }
        self.board.show_connection(None);
    }

    async fn keep_connected(&mut self) {
        let (mut pauses, mut patience) = (Pauses::default(), CONNECT_PATIENCE.0);
        self.show_certificate();
        loop {
            let was_heard = self.try_all(patience).await;
            patience = next(patience, CONNECT_PATIENCE, was_heard);
            tokio::time::sleep(pauses.after(was_heard)).await;
        }
    }

    /// One round through the addresses, ended by the first authority that said something; whether one did.
    async fn try_all(&mut self, patience: Duration) -> bool {
        for address in self.addresses.clone() {
            self.renew_if_due(&address, false).await;
            let ended = self.try_at(&address, patience).await;
            self.say(&address, &ended);
            if ended.is_silence {
                ask_last(&mut self.addresses, &address);
            }
            if ended.is_expired {
                self.renew_if_due(&address, true).await;
            }
            if ended.was_heard {
                // Who is turned away comes back with growing pauses, like one who reaches nobody.
                return !ended.is_turned_away;
            }
        }
        false
    }

    /// One line for each change, not for each try.
    fn say(&mut self, address: &str, ended: &Ended) {
        let why = ended.why.as_str();
        if self.said.get(address).map(String::as_str) == Some(why) {
            tracing::debug!("still no connection to {address}: {why}");
        } else {
            tracing::info!("no connection to {address}: {why}");
            self.said.insert(address.to_owned(), why.to_owned());
            if ended.is_turned_away {
                self.alarms.raise(format!("the authority at {address} turned this agent away: {why}"));
            }
        }
    }

    /// Connects and stays connected as long as it goes.
    async fn try_at(&mut self, address: &str, patience: Duration) -> Ended {
        let reached = match connect_as_agent(address, &self.identity, patience).await {
            Ok(reached) => reached,
            Err(error) => return Ended::unreached(&error),
        };
        let (heard, was_heard) = watch::channel(false);
        let first_word = FirstWord { address: address.to_owned(), heard, board: Arc::clone(&self.board) };
        let carried = carry(reached.connection.clone(), self.machines.clone(), first_word, self.stop.clone());
        let error = tokio::select! {
            error = carried => error,
            () = self.renew_now_and_then(address) => LaneError::Stopping,
            () = reached.follow_address() => LaneError::Stopping,
        };
        self.board.show_connection(None);
        let _stopping = self.machines.control.send(Line::Down).await;
        let _stopping = self.machines.records.send(Line::Down).await;
        let closed = reached.connection.close_reason();
        let is_expired = closed.as_ref().is_some_and(is_certificate_expired);
        reached.close(&error.to_string()).await;
        let was_heard = *was_heard.borrow();
        let is_turned_away = closed.as_ref().is_some_and(is_turned_away);
        let is_silence = closed.as_ref().is_some_and(is_silence);
        let why = closed.map_or_else(|| error.to_string(), |closed| closed.to_string());
        if was_heard && !is_turned_away {
            self.said.remove(address);
        }
        Ended { was_heard, is_expired, is_turned_away, is_silence, why }
    }

    /// Never ends by itself.
    async fn renew_now_and_then(&mut self, address: &str) {
        loop {
            tokio::time::sleep(RENEWAL_PERIOD).await;
            self.renew_if_due(address, false).await;
        }
    }

    /// Asks for a new certificate when it is time, or when the authority said that the old one has expired.
    async fn renew_if_due(&mut self, address: &str, is_expired: bool) {
        let validity = Validity::of_certificate(&self.identity.certificate);
        if !is_expired {
            let is_recent = self.renewal_tried.is_some_and(|tried| tried.elapsed() < RENEWAL_PAUSE);
            if is_recent || validity.is_some_and(|validity| !validity.is_renewal_due(wall_now())) {
                return;
            }
            self.renewal_tried = Some(Instant::now());
        }
        let enrolled = match renew(address, &self.identity).await {
            Ok(enrolled) => enrolled,
            Err(EnrolError::Reach(error)) => {
                tracing::info!("the certificate is to be renewed, but {address} was not reached: {error}");
                return;
            }
            Err(error) => return self.alarms.raise(format!("the certificate was not renewed: {error}")),
        };
        let taken = self.identity.take_over(enrolled).and_then(|()| self.identity.store(&self.directory));
        match taken {
            Ok(()) => tracing::info!("the certificate was renewed"),
            Err(error) => self.alarms.raise(format!("the certificate was not renewed: {error:#}")),
        }
        self.show_certificate();
    }

    fn show_certificate(&self) {
        let validity = Validity::of_certificate(&self.identity.certificate);
        self.board.show_certificate(validity.map(|validity| validity.until.to_utc_text()));
    }
}

impl Ended {
    fn unreached(error: &ReachError) -> Self {
        let is_expired = error.is_certificate_expired();
        let is_silence = error.is_silence();
        Self { was_heard: false, is_expired, is_turned_away: false, is_silence, why: error.to_string() }
    }
}

/// Notes the first frame of a connection: only then is an authority there that takes this agent.
struct FirstWord {
    address: String,
    heard: watch::Sender<bool>,
    board: Arc<Board>,
}

impl FirstWord {
    fn note(&self) {
        if !self.heard.send_replace(true) {
            tracing::info!("connected to {}", self.address);
            self.board.show_connection(Some(self.address.clone()));
        }
    }
}

/// Opens the lanes and carries frames until something ends.
async fn carry(connection: Connection, machines: Machines, first_word: FirstWord, mut stop: Stop) -> LaneError {
    let carried = async {
        let (control_send, control_receive) = open(&connection, Lane::Control).await?;
        let (records_send, records_receive) = open(&connection, Lane::Records).await?;
        let control_out = introduce(&machines.control).await?;
        let records_out = introduce(&machines.records).await?;
        let heard = |frame| {
            first_word.note();
            Line::Frame(frame)
        };
        // A task of its own, so that a removal does not even wait until a large frame of another lane is decoded.
        let removals = Removals(tokio::spawn(take_removals(connection.clone(), machines.removals.clone())));
        tokio::try_join!(
            pump_out(control_send, control_out),
            pump_out(records_send, records_out),
            pump_in(control_receive, Lane::Control, heard, &machines.control),
            pump_in(records_receive, Lane::Records, heard, &machines.records),
            removals.end(),
        )
    };
    tokio::select! {
        carried = carried => carried.err().unwrap_or(LaneError::Stuck),
        () = stop.wait() => LaneError::Stopping,
    }
}

/// Tells a machine of the connection and waits until it knows, so that no frame comes before.
async fn introduce(machine: &mpsc::Sender<Line>) -> Result<mpsc::Receiver<ToAuthority>, LaneError> {
    let (lane, frames) = mpsc::channel(OUTGOING_MAX);
    let (known, is_known) = oneshot::channel();
    machine.send(Line::Up(lane, known)).await.map_err(|_| LaneError::Stopping)?;
    is_known.await.map_err(|_| LaneError::Stopping)?;
    Ok(frames)
}

/// The task of the removal lane; it ends with the connection that it belongs to.
struct Removals(JoinHandle<Result<(), LaneError>>);

impl Removals {
    async fn end(mut self) -> Result<(), LaneError> {
        (&mut self.0).await.unwrap_or(Err(LaneError::Stopping))
    }
}

impl Drop for Removals {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads removals from the stream that the authority opens, and from one that follows it.
async fn take_removals(connection: Connection, machine: mpsc::Sender<ToAgent>) -> Result<(), LaneError> {
    loop {
        let stream = connection.accept_uni().await?;
        match pump_in(stream, Lane::Removal, |frame| frame, &machine).await {
            // The authority may end a stream at the end of a frame and open another.
            Err(LaneError::Read(ReadExactError::FinishedEarly(0))) => {}
            ended => return ended,
        }
    }
}

/// The pauses of an agent that comes back again and again: they grow, and differ from agent to agent.
#[derive(Debug, Clone, Copy)]
pub struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSE.0)
    }
}

impl Pauses {
    /// The pause after a round that reached nobody, or somebody.
    pub fn after(&mut self, was_heard: bool) -> Duration {
        self.0 = next(self.0, PAUSE, was_heard);
        jittered(self.0)
    }
}

/// After a round through all addresses: twice as much as before, at most the longest; the first again once one answered.
fn next(before: Duration, (first, longest): (Duration, Duration), was_heard: bool) -> Duration {
    if was_heard { first } else { before.saturating_mul(2).min(longest) }
}

/// Puts an address that fell silent behind all others: silence costs seconds at each try.
fn ask_last(addresses: &mut [String], silent: &str) {
    // False sorts before true, and the order stays as it is otherwise.
    addresses.sort_by_key(|address| address == silent);
}

/// Between half of a pause and all of it, so that agents which lost the same authority do not come back together.
fn jittered(pause: Duration) -> Duration {
    let [byte] = random::<1>().unwrap_or([u8::MAX]);
    pause.mul_f64(0.5 + f64::from(byte) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fell_silent_is_asked_last_and_the_others_keep_their_order() {
        let mut addresses = ["a:1", "b:1", "c:1"].map(str::to_owned);
        ask_last(&mut addresses, "a:1");
        assert_eq!(addresses, ["b:1", "c:1", "a:1"]);
        ask_last(&mut addresses, "c:1");
        assert_eq!(addresses, ["b:1", "a:1", "c:1"]);
    }

    #[test]
    fn patience_grows_while_nobody_answers_and_begins_anew_with_an_answer() {
        let mut patience = CONNECT_PATIENCE.0;
        let rounds = [false, false, false, true].map(|was_heard| {
            patience = next(patience, CONNECT_PATIENCE, was_heard);
            patience.as_secs()
        });
        assert_eq!(rounds, [8, 10, 10, 4]);
    }

    #[test]
    fn a_pause_is_jittered_within_its_bounds() {
        let pauses: Vec<Duration> = (0..100).map(|_| jittered(Duration::from_secs(10))).collect();
        assert!(pauses.iter().all(|pause| (Duration::from_secs(5)..=Duration::from_secs(10)).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
