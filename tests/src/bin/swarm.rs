//! Thousands of agents in one process, for the benchmarks; see `tests::bench::swarm`. It hears what to do on its standard
//! input, and tells on its standard output when all agents have done it.

use anyhow::Result;
use clap::Parser;
use tests::bench::swarm::play::{Arguments, run};

fn main() -> Result<()> {
    run(Arguments::parse())
}
