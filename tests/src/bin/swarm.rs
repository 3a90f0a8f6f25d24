//! Thousands of agents in one process, for the benchmarks; see `tests::bench::swarm`. It hears what to do on its standard
//! input, and tells on its standard output when all agents have done it.

use anyhow::Result;
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;
use tests::bench::swarm::play::run;

/// Plays thousands of agents of one authority
#[derive(Debug, Parser)]
struct Arguments {
    /// Who the agents are
    #[arg(long)]
    members: PathBuf,
    /// Where the authority is
    #[arg(long)]
    authority: SocketAddr,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    run(&arguments.members, arguments.authority)
}
