//! Runs everything of one authority: core, QUIC, HTTP API, pulses and renewals; and ends it in order.

use crate::accounts::{Accounts, AccountsError};
use crate::authority::Authority;
use crate::certificates::{CertificateAuthority, CertificateError};
use crate::clock;
use crate::console;
use crate::enrolment::Enrolment;
use crate::http::Api;
use crate::http::connections::{self, LIMITS};
use crate::http::listen::{self, ListenError, Renewable, TlsListener};
use crate::keys::{self, KeyError};
use crate::oidc::{Oidc, SettingsError};
use crate::outbound::{self, Outbound, ReceiversError};
use crate::paths::Layout;
use crate::photos::Photos;
use crate::quic::{Quic, QuicError};
use crate::retention::{self, Retention};
use crate::silence::Silence;
use crate::start::{self, Running, StartError};
use crate::token::{KnownToken, TokenError};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

const DAY: Duration = Duration::from_secs(86_400);
/// How often it is looked at who is silent.
const SILENCE_PERIOD: Duration = Duration::from_secs(10);
/// How long open requests may go on when the server stops.
const REQUESTS_PATIENCE: Duration = Duration::from_millis(300);
/// How long the threads may take to finish what they began.
const THREADS_PATIENCE: Duration = Duration::from_secs(2);

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The data directory.
    pub data: PathBuf,
    /// Where agents connect, UDP.
    pub quic: SocketAddr,
    /// Under which addresses agents reach that, as `host:port`, for join tokens; `quic` itself when empty.
    pub advertise: Vec<String>,
    /// Where the HTTP API listens.
    pub api: SocketAddr,
    /// How the API is protected on its way.
    pub api_tls: ApiTls,
    /// How often a fresh word goes to all agents, in milliseconds.
    pub pulse_ms: u64,
    /// Start although the clock is far ahead of the journal.
    pub accept_clock: bool,
    /// Which identity provider is believed; `oidc.toml` of the data directory, if it is there, unless named.
    pub oidc: Option<PathBuf>,
}

impl ServeOptions {
    /// The usual options for a data directory: everything on loopback.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            quic: SocketAddr::from(([127, 0, 0, 1], 7443)),
            advertise: Vec::new(),
            api: SocketAddr::from(([127, 0, 0, 1], 7480)),
            api_tls: ApiTls::None,
            pulse_ms: 15_000,
            accept_clock: false,
            oidc: None,
        }
    }
}

/// How the API is protected on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiTls {
    /// Not at all; on loopback only.
    None,
    /// By a certificate of the campus's own certificate authority.
    Own,
    /// By a certificate from files, PEM.
    Files {
        /// The certificate and those above it.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// Where a running server is found; `run.json` in the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The API, as a URL.
    pub api: String,
    /// Where agents connect.
    pub quic: String,
    /// Process id of the server.
    pub pid: u32,
    /// The certificate to trust the API by, PEM; absent without TLS and when it came from files.
    pub certificate: Option<PathBuf>,
}

/// Why a server does not run.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The core does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file cannot be written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody could sign in.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// Nobody could sign in by the identity provider.
    #[error(transparent)]
    Oidc(#[from] SettingsError),
    /// Nobody could ask the API.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Other systems could not be told.
    #[error(transparent)]
    Receivers(#[from] ReceiversError),
    /// A certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Agents cannot connect.
    #[error(transparent)]
    Quic(#[from] QuicError),
    /// The API cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The API would be open to the network.
    #[error(
        "the API on {0} would send its token in the clear; listen on 127.0.0.1, or add --api-tls, \
         or --api-certificate FILE and --api-key FILE"
    )]
    InTheClear(SocketAddr),
    /// Tokens would name no address.
    #[error("agents cannot connect to {0}; say with --advertise HOST:PORT under which address they reach this server")]
    NoAddress(SocketAddr),
    /// Something that cannot fail on a sound machine.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What goes on beside agents and the API.
struct Jobs {
    retention: Arc<Retention>,
    outbound: Arc<Outbound>,
}

/// A server that is up.
pub struct Server {
    authority: Arc<Authority>,
    threads: Vec<JoinHandle<()>>,
    quic: Arc<Quic>,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    renewable: Option<Arc<Renewable>>,
    certificates: Arc<CertificateAuthority>,
    api: Arc<Api>,
    jobs: Jobs,
    options: ServeOptions,
    run_file: RunFile,
}

impl Server {
    /// Starts a server: when this answers, agents and API clients can connect.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start(options: ServeOptions) -> Result<Self, ServeError> {
        if options.api_tls == ApiTls::None && !options.api.ip().is_loopback() {
            return Err(ServeError::InTheClear(options.api));
        }
        if options.quic.ip().is_unspecified() && options.advertise.is_empty() {
            return Err(ServeError::NoAddress(options.quic));
        }
        let layout = Layout::new(&options.data);
        let accept_clock = options.accept_clock;
        let started = tokio::task::spawn_blocking(move || start::start(layout, accept_clock)).await;
        let Running { authority, threads } = started.map_err(io::Error::other)??;
        match Self::open(Arc::clone(&authority), options).await {
            Ok(server) => Ok(Self { threads, ..server }),
            Err(error) => {
                // The data directory is let go of before anyone hears of the failure.
                authority.stop();
                drop(authority);
                join(threads).await;
                Err(error)
            }
        }
    }

    async fn open(authority: Arc<Authority>, options: ServeOptions) -> Result<Self, ServeError> {
        let layout = &authority.layout;
        let token = KnownToken::read(layout)?;
        let accounts = Arc::new(Accounts::open(layout)?);
        let oidc = Oidc::open(options.oidc.as_deref(), layout.oidc())?;
        let photos = Photos::open(&layout.photos())?;
        let retention = Arc::new(Retention::new(Arc::clone(&authority), photos, Arc::clone(&accounts)));
        let outbound = Arc::new(Outbound::new(outbound::read(layout)?));
        outbound::begin(&authority, &outbound).await?;
        let certificates = Arc::new(CertificateAuthority::open(layout, authority.signer.campus())?);
        let listener = listen::bind(options.api).await?;
        let api_address = listener.local_addr()?;
        let socket = Quic::bind(options.quic)?;
        let quic_address = socket.local_addr()?;
        let addresses = match options.advertise.as_slice() {
            [] => vec![quic_address.to_string()],
            advertised => advertised.to_vec(),
        };
        let enrolment = Arc::new(Enrolment::new(Arc::clone(&authority), Arc::clone(&certificates), addresses));
        let quic = Quic::open(socket, Arc::clone(&authority), Arc::clone(&certificates), Arc::clone(&enrolment))?;
        let (tls, renewable) = listen::tls(&options.api_tls, &certificates, api_address.ip())?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let run_file = RunFile {
            api: format!("{scheme}://{api_address}"),
            quic: quic_address.to_string(),
            pid: std::process::id(),
            certificate: (options.api_tls == ApiTls::Own).then(|| layout.certificate_authority()),
        };
        write_run_file(layout, &run_file)?;
        let kept = Arc::clone(&retention);
        let api = Api::new(Arc::clone(&authority), enrolment, token, accounts, kept, quic_address);
        let api = Arc::new(api.with_outbound(Arc::clone(&outbound)).with_oidc(oidc));
        let quic = Arc::new(quic);
        let threads = Vec::new();
        let jobs = Jobs { retention, outbound };
        Ok(Self { authority, threads, quic, listener, tls, renewable, certificates, api, jobs, options, run_file })
    }

    /// Where it is found.
    #[must_use]
    pub const fn run_file(&self) -> &RunFile {
        &self.run_file
    }

    /// The core.
    #[must_use]
    pub const fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// Serves until `stop`, then ends everything within a second or two.
    ///
    /// # Errors
    /// When a socket failed underneath.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { authority, threads, quic, listener, tls, renewable, certificates, api, jobs, options, .. } = self;
        let (stopping, stopped) = watch::channel(false);
        let router = console::site(api, tls.is_some());
        let accepting = Arc::clone(&quic);
        let agents = tokio::spawn(async move { accepting.run().await });
        let requests = tokio::spawn(serve_api(listener, tls, router, stopped));
        let Jobs { retention, outbound } = jobs;
        let keeping = tokio::spawn(retention::run(retention));
        let telling = tokio::spawn(outbound::run(Arc::clone(&authority), outbound, stopping.subscribe()));
        let duties = Duties { authority: Arc::clone(&authority), quic: Arc::clone(&quic), certificates, renewable };
        tokio::select! {
            () = stop => {}
            () = duties.run(Duration::from_millis(options.pulse_ms.max(10))) => {}
        }
        tracing::info!("stopping");
        // Whoever asks for a server from now on finds none.
        let removed = std::fs::remove_file(authority.layout.run_file());
        stopping.send_replace(true);
        authority.stop();
        quic.close().await;
        agents.abort();
        keeping.abort();
        // It ends by itself, and holds the store until then.
        let _over = tokio::time::timeout(REQUESTS_PATIENCE, telling).await;
        let abort = requests.abort_handle();
        // Logs that are followed would go on for ever.
        let _over = tokio::time::timeout(REQUESTS_PATIENCE, requests).await;
        abort.abort();
        // The store's thread ends with the last of those who could give it something to do.
        drop((authority, quic));
        join(threads).await;
        Ok(removed?)
    }
}

/// Waits for the threads of the core, but not for ever: one of them may wait for a disk.
async fn join(threads: Vec<JoinHandle<()>>) {
    let join = move || threads.into_iter().for_each(|thread| drop(thread.join()));
    let _over = tokio::time::timeout(THREADS_PATIENCE, tokio::task::spawn_blocking(join)).await;
}

async fn serve_api(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: axum::Router,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    match tls {
        None => connections::serve(listener, router, LIMITS, stopped).await,
        Some(config) => connections::serve(TlsListener::new(listener, config)?, router, LIMITS, stopped).await,
    }
    Ok(())
}

/// What comes back again and again.
struct Duties {
    authority: Arc<Authority>,
    quic: Arc<Quic>,
    certificates: Arc<CertificateAuthority>,
    renewable: Option<Arc<Renewable>>,
}

impl Duties {
    async fn run(self, pulse: Duration) {
        let mut pulses = interval(pulse);
        pulses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut days = interval_at(Instant::now() + DAY, DAY);
        let mut looks = interval_at(Instant::now() + SILENCE_PERIOD, SILENCE_PERIOD);
        let mut silence = Silence::default();
        loop {
            tokio::select! {
                _ = pulses.tick() => self.authority.send_pulse().await,
                _ = looks.tick() => silence.look(&self.authority, Instant::now().into_std()),
                _ = days.tick() => self.renew(),
            }
        }
    }

    fn renew(&self) {
        if let Err(error) = self.quic.renew_certificate() {
            tracing::error!(%error, "the server's certificate was not renewed");
        }
        if let Some(renewable) = &self.renewable
            && let Err(error) = renewable.renew(&self.certificates, clock::wall())
        {
            tracing::error!(%error, "the certificate of the API was not renewed");
        }
    }
}

fn write_run_file(layout: &Layout, run_file: &RunFile) -> Result<(), ServeError> {
    let text = serde_json::to_string_pretty(run_file).map_err(io::Error::other)?;
    Ok(keys::replace_private(&layout.run_file(), &text)?)
}

/// Ends with SIGTERM or SIGINT.
///
/// # Errors
/// When signals cannot be watched.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
