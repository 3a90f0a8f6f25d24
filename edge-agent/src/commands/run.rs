//! `doorward-agent run`: opens what is stored, serves taps at once, and stays connected until it is told to stop.

use crate::alarms::Alarms;
use crate::board::Board;
use crate::clock;
use crate::decider::Decider;
use crate::desk::Desk;
use crate::files::lock;
use crate::identity::{Identity, new_incarnation};
use crate::machines::recorder::{RecorderTask, TAPS_MAX};
use crate::machines::sync::SyncTask;
use crate::machines::{INCOMING_MAX, Line};
use crate::quic::keep::{Keeper, Machines};
use crate::socket::client::socket_in;
use crate::socket::serve::Socket;
use crate::stop::{Stop, signal, stop_word};
use crate::store::open::{Beginning, Opened, open_to_run};
use crate::store::storage::Storage;
use crate::strike::{CommandStrike, LogStrike, Strike};
use anyhow::{Context, Result};
use doorward_protocol::agent::recorder::Recorder;
use doorward_protocol::agent::stored::Stored;
use doorward_protocol::agent::sync::{self, Sync};
use doorward_protocol::sign::SecretKey;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

/// How often it is looked whether the agent's threads are still there.
const THREADS_LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Serve the doors of this agent.
///
/// Taps are answered at once from what is stored, whether or not an authority is reached. Reader drivers connect to the
/// socket and write one JSON line for each tap; `doorward-agent tap` is such a driver. Log lines go to standard error
/// (RUST_LOG sets how many). SIGTERM or SIGINT stops the agent after every tap that was taken is answered.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Directory of the enrolled agent.
    #[arg(long, value_name = "DIR", env = "DOORWARD_AGENT_DATA")]
    data: PathBuf,
    /// Where to listen for taps [default: taps.sock in the data directory]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What opens a door: a line in the log, or a program.
    #[arg(long, value_enum, default_value_t = StrikeKind::Log)]
    strike: StrikeKind,
    /// The program that is run as `PROGRAM DOOR REASON` when a door opens.
    #[arg(long, value_name = "PROGRAM", required_if_eq("strike", "command"))]
    strike_command: Option<PathBuf>,
    /// An authority to connect to, instead of those of the join token; may be given several times.
    #[arg(long, value_name = "HOST:PORT")]
    authority: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StrikeKind {
    /// A line in the log.
    Log,
    /// A program.
    Command,
}

/// Runs the command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sled=warn"));
    // A log on a full disk must not end the agent, as a failing complaint about it would.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .log_internal_errors(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: Arguments) -> Result<()> {
    let data = &arguments.data;
    let identity = Identity::load(data)?;
    let _lock = lock(data)?;
    let alarms = Alarms::default();
    let opened = open_store(data, &identity)?;
    opened.alarms.iter().for_each(|text| alarms.raise(text.clone()));
    let socket = Socket::bind(&arguments.socket.clone().unwrap_or_else(|| socket_in(data)))?;
    tracing::info!("agent {} of campus {} is starting", identity.agent, identity.campus);
    let (stopper, stop) = stop_word();
    let running = Agent { arguments, identity, alarms, stop }.start(opened, socket).await?;
    tokio::select! {
        signalled = signal() => signalled.context("no handler for signals")?,
        () = running.thread_ended() => anyhow::bail!("a thread of the agent ended; see the alarms above"),
    }
    tracing::info!("stopping");
    stopper.stop();
    running.end().await;
    tracing::info!("stopped");
    Ok(())
}

fn open_store(data: &Path, identity: &Identity) -> Result<Opened> {
    let (agent, statements) = (&identity.agent, identity.statements.as_slice());
    let beginning = Beginning { agent, statements, incarnation: new_incarnation()? };
    open_to_run(data, &beginning).with_context(|| format!("the store in {} cannot be opened", data.display()))
}

/// All that the tasks are made from.
struct Agent {
    arguments: Arguments,
    identity: Identity,
    alarms: Alarms,
    stop: Stop,
}

/// The running tasks.
struct Running {
    tasks: Vec<tokio::task::JoinHandle<()>>,
    taps: std::thread::JoinHandle<()>,
    storage: std::thread::JoinHandle<()>,
}

impl Agent {
    /// Opens the machines and starts everything around them.
    async fn start(self, mut opened: Opened, socket: Socket) -> Result<Running> {
        let Self { arguments, identity, alarms, stop } = self;
        let (decider, board) = (Arc::new(Decider::default()), Arc::new(Board::default()));
        let chain = opened.chain;
        // Facts are large, and the machine is the only one that wants them.
        let damage = opened.stored.damage.clone();
        let stored = std::mem::replace(&mut opened.stored, Stored { damage, ..Stored::default() });
        let machine = Sync::open(sync_identity(&identity), stored)
            .context("the stored trust statements do not prove themselves; join again in a new directory")?;
        let Storage { jobs, persisted, thread } = Storage::start(opened, alarms.clone())?;
        let (control, control_line) = mpsc::channel::<Line>(INCOMING_MAX);
        let (records, records_line) = mpsc::channel::<Line>(INCOMING_MAX);
        let (removals, removal_line) = mpsc::channel(INCOMING_MAX);
        let (stepped, clock_steps) = mpsc::channel(1);
        let (taps, decided) = mpsc::channel(TAPS_MAX);
        let mut sync = SyncTask {
            machine,
            decider: Arc::clone(&decider),
            storage: jobs.clone(),
            alarms: alarms.clone(),
            directory: arguments.data.clone(),
            removals: removal_line,
            persisted,
            line: control_line,
            clock_steps,
            stop: stop.clone(),
        };
        let course = sync.begin().await;
        let machine = Recorder::open(chain.durable, chain.acknowledged, chain.oldest_unsent_at);
        // Said before anybody can ask: who turns the machine off at "none" must not lose what waits on its disk.
        board.show_unsent(machine.unsent());
        let recorder = RecorderTask {
            agent: identity.agent.clone(),
            machine,
            strike: strike(&arguments, &alarms),
            storage: jobs.clone(),
            alarms: alarms.clone(),
            board: Arc::clone(&board),
            taps: decided,
            line: records_line,
            stop: stop.clone(),
        };
        let (agent, campus) = (identity.agent.clone(), identity.campus.clone());
        let desk = Desk { agent, campus, decider, taps, board: Arc::clone(&board), alarms: alarms.clone() };
        let addresses = if arguments.authority.is_empty() { identity.addresses.clone() } else { arguments.authority };
        let keeper = Keeper {
            addresses,
            identity,
            directory: arguments.data,
            said: BTreeMap::new(),
            renewal_tried: None,
            machines: Machines { control, removals, records },
            board,
            alarms,
            stop: stop.clone(),
        };
        tokio::spawn(clock::watch(stepped));
        let tasks = vec![tokio::spawn(sync.run(course)), tokio::spawn(keeper.run())];
        let taps = serve_taps(recorder, socket, desk, stop)?;
        Ok(Running { tasks, taps, storage: thread })
    }
}

/// Serves taps on a thread of their own: nothing that the network brings stands between a reader and its answer, and what
/// an answer needs finds its thread awake.
fn serve_taps(
    recorder: RecorderTask,
    socket: Socket,
    desk: Desk,
    stop: Stop,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let alarms = desk.alarms.clone();
    let serve = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            let recorder = tokio::spawn(recorder.run());
            socket.serve(Arc::new(desk), stop).await;
            // One that panicked has ended, too.
            let _ended = recorder.await;
        }),
        Err(error) => alarms.raise(format!("taps cannot be served: {error}")),
    };
    std::thread::Builder::new().name("taps".into()).spawn(serve)
}

fn sync_identity(identity: &Identity) -> sync::Identity {
    sync::Identity {
        agent: identity.agent.clone(),
        key: SecretKey::from_seed(&identity.key.to_seed()),
        pinned_root: identity.pinned_root,
        software: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn strike(arguments: &Arguments, alarms: &Alarms) -> Arc<dyn Strike> {
    match (arguments.strike, &arguments.strike_command) {
        (StrikeKind::Command, Some(program)) => Arc::new(CommandStrike::new(program.clone(), alarms.clone())),
        (StrikeKind::Command, None) | (StrikeKind::Log, _) => Arc::new(LogStrike),
    }
}

impl Running {
    /// Ends when one of the threads does, which it only does by itself when something in it went wrong.
    async fn thread_ended(&self) {
        while !self.storage.is_finished() && !self.taps.is_finished() {
            tokio::time::sleep(THREADS_LOOK_PERIOD).await;
        }
    }

    /// Waits until every task has ended and everything that was handed to the storage is on the disk.
    async fn end(self) {
        for task in self.tasks {
            // A task that panicked has ended, too; what it said is in the log.
            let _ended = task.await;
        }
        let _ended = tokio::task::spawn_blocking(move || (self.taps.join(), self.storage.join())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::wall_now;
    use crate::commands::join::join;
    use crate::identity::new_key;
    use crate::quic::lanes::write_frame;
    use crate::quic::testing::{AgentLane, TestServer};
    use crate::socket::client::ask;
    use crate::socket::line::{Status, TapAnswer, TapRequest, status_line};
    use crate::stop::Stopper;
    use crate::store::open::create;
    use crate::testing::{CARD, Campus};
    use doorward_protocol::enrol::{EnrolRequest, JoinToken, certificate_hash};
    use doorward_protocol::facts::Factors;
    use doorward_protocol::frame::{ToAgent, ToAuthority};
    use doorward_protocol::receipt::{About, Stage};
    use doorward_protocol::record::Batch;

    fn token(campus: &Campus, addresses: Vec<String>) -> JoinToken {
        JoinToken {
            campus: campus.identity.campus.clone(),
            agent: campus.identity.agent.clone(),
            secret: [7; 32],
            expires_at: wall_now().plus_ms(60_000),
            root: campus.identity.pinned_root,
            certificate_authority: certificate_hash(&campus.authority.der),
            addresses,
        }
    }

    /// Starts the agent of a directory as `run` does, without signals.
    async fn start(data: &Path) -> (Running, Stopper) {
        let identity = Identity::load(data).unwrap();
        let opened = open_store(data, &identity).unwrap();
        let socket = Socket::bind(&socket_in(data)).unwrap();
        let (stopper, stop) = stop_word();
        let strike = StrikeKind::Log;
        let (authority, strike_command) = (vec![], None);
        let arguments = Arguments { data: data.to_owned(), socket: None, strike, strike_command, authority };
        let alarms = Alarms::default();
        (Agent { arguments, identity, alarms, stop }.start(opened, socket).await.unwrap(), stopper)
    }

    async fn tap(data: &Path) -> String {
        let request = TapRequest { door: Campus::door(), card: CARD.into(), factors: Factors::NONE, id: None };
        let socket = socket_in(data);
        let answer = tokio::task::spawn_blocking(move || ask::<TapAnswer>(&socket, &request.to_line()));
        let answer = answer.await.unwrap().unwrap();
        format!("{} {}", answer.decision, answer.reason)
    }

    async fn status(data: &Path) -> Status {
        let socket = socket_in(data);
        tokio::task::spawn_blocking(move || ask(&socket, status_line())).await.unwrap().unwrap()
    }

    /// Hears frames until there is one of which `find` makes something.
    async fn hear<T>(lane: &mut AgentLane, find: impl Fn(ToAuthority) -> Option<T>) -> T {
        loop {
            if let Some(found) = find(lane.heard.recv().await.unwrap()) {
                return found;
            }
        }
    }

    async fn hear_durable(control: &mut AgentLane, about: About) {
        hear(control, |frame| {
            let ToAuthority::Receipt(receipt) = frame else { return None };
            let receipt = receipt.unverified().unwrap();
            (receipt.about == about && receipt.stage == Stage::Durable).then_some(())
        })
        .await;
    }

    async fn hear_batch(records: &mut AgentLane) -> Batch {
        hear(records, |frame| if let ToAuthority::Records(batch) = frame { Some(batch) } else { None }).await
    }

    fn reasons(batch: &Batch) -> Vec<&'static str> {
        batch.records.iter().map(|record| record.reason.as_str()).collect()
    }

    async fn end(running: Running, stopper: Stopper) {
        stopper.stop();
        running.end().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_agent_joins_decides_ships_its_records_and_still_knows_everything_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path();
        let campus = Campus::new(vec![]);
        let server = TestServer::listen(&campus);
        let key = new_key(data).unwrap();
        let token = token(&campus, vec!["no-address".into(), server.address()]);
        let (joined, request) = tokio::join!(join(token, key, data), server.enrol(&campus));
        let (address, identity) = joined.unwrap();
        assert_eq!(address, server.address());
        assert!(matches!(request, EnrolRequest::Join { secret, .. } if secret == [7; 32]));
        let campus = Campus { identity, ..campus };

        let (running, stopper) = start(data).await;
        assert_eq!(tap(data).await, "deny no_state");
        let (connection, mut control, mut records) = server.take_agent().await;
        let at = wall_now();
        campus.snapshot(at).into_iter().for_each(|frame| control.send.send(frame).unwrap());
        hear_durable(&mut control, About::Commit).await;
        assert_eq!(tap(data).await, "grant granted");
        assert_eq!(status(data).await.connected_to, Some(server.address()));
        let batch = hear_batch(&mut records).await;
        assert_eq!(reasons(&batch), ["no_state"]);
        records.send.send(ToAgent::Stored(batch.end().unwrap())).unwrap();
        assert_eq!(reasons(&hear_batch(&mut records).await), ["granted"]);

        let mut removals = connection.open_uni().await.unwrap();
        write_frame(&mut removals, &ToAgent::Removal(campus.suspension(wall_now()))).await.unwrap();
        hear_durable(&mut control, About::Removal).await;
        assert_eq!(tap(data).await, "deny suspended");
        assert_eq!(status(data).await.unsent_records, 2);
        end(running, stopper).await;
        assert!(!socket_in(data).exists());

        let (running, stopper) = start(data).await;
        assert_eq!(status(data).await.unsent_records, 2, "what waits is known before anything else happens");
        assert_eq!(tap(data).await, "deny suspended", "the removal is kept without its commit");
        let (_connection, mut control, mut records) = server.take_agent().await;
        control.send.send(campus.pulse(wall_now(), at)).unwrap();
        hear(&mut control, |frame| matches!(frame, ToAuthority::Heard(_)).then_some(())).await;
        let batch = hear_batch(&mut records).await;
        assert_eq!(batch.after.seq, 1);
        assert_eq!(reasons(&batch), ["granted", "suspended", "suspended"]);
        records.send.send(ToAgent::Stored(batch.end().unwrap())).unwrap();
        while status(data).await.unsent_records > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        end(running, stopper).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_certificate_that_has_expired_is_renewed_by_itself_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path();
        let mut campus = Campus::new(vec![]);
        let server = TestServer::listen(&campus);
        campus.identity.key = new_key(data).unwrap();
        campus.identity.addresses = vec![server.address()];
        let id = campus.identity.agent.to_string();
        campus.identity.certificate = campus.authority.expired_certificate(&id, &campus.identity.key);
        campus.identity.store(data).unwrap();
        let (agent, statements) = (&campus.identity.agent, campus.identity.statements.as_slice());
        create(data, &Beginning { agent, statements, incarnation: new_incarnation().unwrap() }).unwrap();

        let (running, stopper) = start(data).await;
        assert!(matches!(server.enrol(&campus).await, EnrolRequest::Renew(_)));
        let (_connection, mut control, _records) = server.take_agent().await;
        hear(&mut control, |frame| matches!(frame, ToAuthority::Hello(_)).then_some(())).await;
        assert_ne!(Identity::load(data).unwrap().certificate, campus.identity.certificate);
        end(running, stopper).await;
    }
}
