//! One update of 200 bytes to many subscribers over mutual TLS: when the last one has it, and what that costs.
//!
//! Deliberately light at the subscribers, so that the server is what is measured; it is a process of its own, with the
//! settings that it comes with.

pub mod etcd;
pub mod mosquitto;
pub mod quic;
mod server;
mod tls;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use server::{Server, cpu_us, raise_limit};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tls::{Connection, Connector};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The size of the update.
const UPDATE_BYTES: usize = 200;
/// Publications that are not reported.
const WARM_UP_RUNS: usize = 2;
/// Subscribers that connect at the same time.
const CONNECTING_MAX: usize = 32;
/// How long one subscriber may take to connect, and the server to start.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How long all of them may take.
const CONNECT_ALL_MAX: Duration = Duration::from_secs(300);
/// How long the last delivery of one update may take.
const DELIVERY_MAX: Duration = Duration::from_secs(60);
/// How long acknowledgements may come in before processor time is read.
const SETTLE: Duration = Duration::from_millis(300);
/// How long memory may settle.
const REST: Duration = Duration::from_secs(1);
/// How long the server is watched while nothing happens.
const IDLE: Duration = Duration::from_secs(6);

/// A server that tells subscribers what is published.
pub trait Peer: 'static {
    /// What it is called in the results.
    const NAME: &'static str;
    /// The Debian package that it is in.
    const PACKAGE: &'static str;
    /// What starts it: a name on the path, or a path.
    const PROGRAMS: &'static [&'static str];
    /// What makes it say its version, which is the last word of the first line.
    const ASK_VERSION: &'static str;
    /// What it speaks inside of TLS, where that is said there.
    const ALPN: Option<&'static str>;
    /// Whether it speaks QUIC, and not TLS over TCP.
    const IS_QUIC: bool = false;
    /// A connection that publishes.
    type Publisher: Send;

    /// Its program and version, when it is there.
    fn program() -> Option<(String, String)> {
        server::find(Self::PROGRAMS, Self::ASK_VERSION)
    }

    /// Its arguments, after any configuration was written into the folder, in which certificates are, too.
    fn arguments(folder: &str, port: u16) -> Result<Vec<String>>;

    /// Subscribes, and tells of each arrival from then on.
    fn subscribe(
        connection: Connection,
        number: usize,
        arrivals: Arc<Arrivals>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Makes ready to publish.
    fn publisher(connection: Connection) -> impl Future<Output = Result<Self::Publisher>> + Send;

    /// Publishes, and waits until the server has answered.
    fn publish(publisher: &mut Self::Publisher, update: &[u8]) -> impl Future<Output = Result<()>> + Send;
}

/// What was measured.
#[derive(Serialize)]
pub struct Measured {
    peer: &'static str,
    version: String,
    subscribers: usize,
    runs: usize,
    last_ms: Vec<f64>,
    server_cpu_us_per_delivery: f64,
    client_cpu_us_per_delivery: f64,
    server_bytes_per_connection: u64,
    server_idle_cpu_us_per_s: f64,
    connect_ms: f64,
}

/// The answer when the server is not there.
#[derive(Debug, Serialize, thiserror::Error)]
#[error("{error}")]
pub struct NotInstalled {
    peer: &'static str,
    error: String,
}

/// How many subscribers have yet to get the update.
#[derive(Default)]
pub struct Arrivals {
    missing: AtomicUsize,
    last: Notify,
}

impl Arrivals {
    /// A subscriber has the update.
    pub fn arrived(&self, update: &[u8]) {
        if update.len() == UPDATE_BYTES && self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.last.notify_one();
        }
    }

    /// Ends when the last subscriber has it.
    async fn last(&self, begun: Instant) -> Result<f64> {
        let Ok(()) = timeout(DELIVERY_MAX, self.last.notified()).await else {
            bail!("{} subscribers have not got the update", self.missing.load(Ordering::Acquire));
        };
        Ok(ms(begun))
    }
}

/// Measures a peer.
pub fn run<P: Peer>(subscribers: usize, runs: usize) -> Result<Measured> {
    if subscribers == 0 || runs <= WARM_UP_RUNS {
        bail!("at least 1 subscriber and {} runs", WARM_UP_RUNS + 1);
    }
    let not_installed =
        || NotInstalled { peer: P::NAME, error: format!("not installed: apt-get install {}", P::PACKAGE) };
    let (program, version) = P::program().ok_or_else(not_installed)?;
    raise_limit(subscribers)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_str().context("the folder for temporary files has an odd name")?;
    let port = server::free_port()?;
    let connector = tls::make(path, port, P::ALPN, P::IS_QUIC)?;
    let server = Server::start(&program, &P::arguments(path, port)?, path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(measure::<P>(&server, connector, version, subscribers, runs));
    measured.with_context(|| format!("{} said: {}", P::NAME, server.last_words()))
}

async fn measure<P: Peer>(
    server: &Server,
    connector: Connector,
    version: String,
    subscribers: usize,
    runs: usize,
) -> Result<Measured> {
    let mut publisher = P::publisher(first_connection(&connector).await?).await?;
    let arrivals = Arc::new(Arrivals::default());
    let resident_before = server.resident_bytes()?;
    let begun = Instant::now();
    let connected = timeout(CONNECT_ALL_MAX, connect::<P>(&connector, subscribers, &arrivals)).await;
    connected.context("not all subscribers could connect in time")??;
    let connect_ms = ms(begun);
    sleep(REST).await;
    let resident = server.resident_bytes()?.saturating_sub(resident_before);
    let idle_before = server.cpu_us()?;
    sleep(IDLE).await;
    let idle_us_per_s = (server.cpu_us()? - idle_before) / IDLE.as_secs_f64();
    let (mut last_ms, mut server_us, mut client_us) = (Vec::new(), 0.0, 0.0);
    for run in 0..runs {
        let update = [u8::try_from(run % 256)?; UPDATE_BYTES];
        let (server_before, client_before) = (server.cpu_us()?, cpu_us("self")?);
        arrivals.missing.store(subscribers, Ordering::Release);
        let begun = Instant::now();
        let (last, ()) = tokio::try_join!(arrivals.last(begun), P::publish(&mut publisher, &update))?;
        sleep(SETTLE).await;
        if run >= WARM_UP_RUNS {
            last_ms.push(last);
            server_us += server.cpu_us()? - server_before - idle_us_per_s * begun.elapsed().as_secs_f64();
            client_us += cpu_us("self")? - client_before;
        }
    }
    let deliveries = f64::from(u32::try_from(subscribers * last_ms.len())?);
    Ok(Measured {
        peer: P::NAME,
        version,
        subscribers,
        runs,
        last_ms,
        server_cpu_us_per_delivery: server_us / deliveries,
        client_cpu_us_per_delivery: client_us / deliveries,
        server_bytes_per_connection: resident / u64::try_from(subscribers)?,
        server_idle_cpu_us_per_s: idle_us_per_s,
        connect_ms,
    })
}

/// Milliseconds since then.
fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// The first connection that the server takes after its start.
async fn first_connection(connector: &Connector) -> Result<Connection> {
    let begun = Instant::now();
    loop {
        match connector.connect().await {
            Ok(connection) => return Ok(connection),
            Err(error) if begun.elapsed() > CONNECT_MAX => return Err(error.context("the server does not start")),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Connects all subscribers, a few at a time, as many as a server takes without dropping any.
async fn connect<P: Peer>(connector: &Connector, subscribers: usize, arrivals: &Arc<Arrivals>) -> Result<()> {
    let mut connecting = JoinSet::new();
    for number in 0..subscribers {
        if connecting.len() >= CONNECTING_MAX {
            connecting.join_next().await.context("nobody connects")???;
        }
        let (connector, arrivals) = (connector.clone(), Arc::clone(arrivals));
        connecting.spawn(async move {
            let subscribed = timeout(CONNECT_MAX, async {
                let connection = connector.connect().await?;
                P::subscribe(connection, number, arrivals).await
            });
            subscribed.await.context("a subscriber could not connect in time")?
        });
    }
    while let Some(connected) = connecting.join_next().await {
        connected??;
    }
    Ok(())
}
