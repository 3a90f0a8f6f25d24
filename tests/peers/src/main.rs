//! What our benchmarks stand beside: policy engines that decide the same taps, servers that tell many the same thing.
//!
//! Deliberately no part of the product and none of its workspace: the benchmarks call this program and read its JSON.

mod decide;
mod fan_out;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use fan_out::NotInstalled;
use fan_out::etcd::Etcd;
use fan_out::mosquitto::Mosquitto;
use fan_out::quic::{self, Quic};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures the peers; each answer is one JSON object on a line.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Decide the taps of a campus folder with cedar-policy, regorus and casbin.
    Decide(Decide),
    /// Publish one update to watches of etcd.
    Etcd(FanOut),
    /// Publish one update to subscriptions of mosquitto at QoS 1.
    Mosquitto(FanOut),
    /// Publish one update to connections of a server that speaks bare QUIC.
    Quic(FanOut),
    /// Be that server.
    #[command(hide = true)]
    QuicServer {
        /// Where certificates and key are.
        folder: PathBuf,
        /// Where it listens.
        port: u16,
    },
}

#[derive(Args)]
struct Decide {
    /// A campus folder with a taps.csv in it.
    folder: PathBuf,
    /// Only this engine: cedar, regorus or casbin.
    #[arg(long)]
    engine: Option<String>,
    /// How long each engine may take for its taps; those that it did not come to are not counted.
    #[arg(long, default_value_t = 20)]
    seconds_max: u64,
    /// Answer in JSON; there is no other form.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct FanOut {
    /// How many subscribers, each with a connection of its own.
    #[arg(long)]
    subscribers: usize,
    /// How often the update is published; the first two times warm up and are not reported.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Answer in JSON; there is no other form.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let error = match run(&Cli::parse().command) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) => error,
    };
    // When nothing takes the answer, the exit code has to do.
    if let Some(missing) = error.downcast_ref::<NotInstalled>() {
        let _unheard = say(missing);
        return ExitCode::from(3);
    }
    let _unheard = writeln!(std::io::stderr(), "peers: {error:#}");
    ExitCode::FAILURE
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Decide(asked) => decide::run(&asked.folder, asked.engine.as_deref(), asked.seconds_max, say),
        Command::Etcd(asked) => say(&fan_out::run::<Etcd>(asked.subscribers, asked.runs)?),
        Command::Mosquitto(asked) => say(&fan_out::run::<Mosquitto>(asked.subscribers, asked.runs)?),
        Command::Quic(asked) => say(&fan_out::run::<Quic>(asked.subscribers, asked.runs)?),
        Command::QuicServer { folder, port } => quic::serve(folder, *port),
    }
}

fn say(answer: &impl Serialize) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(answer)?)?)
}
