//! `doorward serve`: the authority as a process, until it is asked to stop.
//!
//! Only the command line of it: what runs is the server's own.

use crate::args::duration_above_zero;
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use doorward_server::serve::{ApiTls, ServeOptions, Server, stop_signal};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Run the authority of a data directory until it is stopped
///
/// Listens for agents (QUIC) and for commands (HTTP), signs and sends what changes, and stores what agents record. One
/// server runs on a data directory. Ctrl-C or SIGTERM stops it; doors go on deciding while it is away. It tells what it
/// does on standard error; RUST_LOG sets how much.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    doorward serve --data authority --listen 0.0.0.0:7443 --advertise doorward.example.org:7443")]
pub struct Serve {
    /// Address and UDP port on which agents are awaited
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7443")]
    listen: SocketAddr,
    /// Address under which agents reach it, as join tokens name it; may be repeated; --listen unless given
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    advertise: Vec<String>,
    /// Address and TCP port of the API; one that is not loopback speaks TLS only
    #[arg(long, id = "api", value_name = "ADDRESS", default_value = "127.0.0.1:7480")]
    api: String,
    /// Speak TLS on loopback, too, with a certificate of the campus's own
    #[arg(long, conflicts_with = "api_certificate")]
    api_tls: bool,
    /// Certificate (PEM) that the API shows, instead of one of the campus's own
    #[arg(long, value_name = "FILE", requires = "api_key")]
    api_certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate
    #[arg(long, value_name = "FILE", requires = "api_certificate")]
    api_key: Option<PathBuf>,
    /// How often agents hear that nothing is new, which renews leases
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration_above_zero)]
    pulse: Duration,
    /// Start although the clock stands more than a month after the last entry of the journal
    #[arg(long)]
    accept_clock: bool,
    /// Identity provider that is believed, and what its groups may do; oidc.toml in the data directory, if it is there, unless given
    #[arg(long, value_name = "FILE")]
    oidc: Option<PathBuf>,
}

impl Serve {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot start.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let data = options.data_directory()?;
        let options = self.options(data)?;
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        // A log on a full disk must not end the server, as a failing complaint about it would.
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .log_internal_errors(false)
            .init();
        // What comes from the core's threads goes ahead of what the runtime's tasks have woken: a removal for the last of
        // thousands of agents would otherwise wait behind the receipts of the first.
        let runtime = tokio::runtime::Builder::new_multi_thread().global_queue_interval(1).enable_all().build();
        runtime.context("no runtime can be started")?.block_on(async {
            // Watched from the beginning, so that a server that is stopped while it starts ends in order.
            let stop = stop_signal().context("signals cannot be watched")?;
            let server = Server::start(options).await?;
            let run = server.run_file();
            out.line(&format!("agents are awaited at {}, commands at {}", run.quic, run.api))?;
            out.finish()?;
            server.run_until(stop).await?;
            Ok(Exit::Done)
        })
    }

    fn options(self, data: PathBuf) -> Result<ServeOptions, Failure> {
        let api: SocketAddr = self.api.parse().map_err(|_| {
            let failure = Failure::usage(format!("--api {:?} is not an address to listen on", self.api));
            failure.hint("give an address and a port, such as 127.0.0.1:7480")
        })?;
        let api_tls = match (self.api_certificate, self.api_key) {
            (Some(certificate), Some(key)) => ApiTls::Files { certificate, key },
            _ if self.api_tls || !api.ip().is_loopback() => ApiTls::Own,
            _ => ApiTls::None,
        };
        let pulse_ms = u64::try_from(self.pulse.as_millis()).unwrap_or(u64::MAX);
        let Self { listen: quic, advertise, accept_clock, oidc, .. } = self;
        Ok(ServeOptions { data, quic, advertise, api, api_tls, pulse_ms, accept_clock, oidc })
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    let is_address = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
    if is_address { Ok(text.to_owned()) } else { Err("expected a host and a port, such as 10.0.0.1:7443".to_owned()) }
}
