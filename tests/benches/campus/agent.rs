//! The agent as a program: its memory, how soon after its start it decides, and the size of its binary.

use crate::driver::{self, Driver, RECIPE};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::bench::measure::{RUNS, count, ms};
use tests::bench::report::{Report, Row, Target};
use tests::bench::system::{Usage, usage};
use tests::binaries::binaries;
use tests::process::Process;

/// How long an agent may take to answer before it counts as hung.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// How long after it has everything its memory is read: what it has let go of is given back by then.
const SETTLES_IN: Duration = Duration::from_secs(2);

/// See the module.
pub fn run() -> Result<Report> {
    let mut world = driver::authority()?;
    let id = RECIPE.agent(0);
    let mut fetched = Memory::default();
    for run in 0..RUNS {
        // A machine of its own each time: the same agent joins again in a new directory.
        world.agents.clear();
        let folder = world.file(&format!("machine-{run}"));
        std::fs::create_dir(&folder)?;
        let mut agent = Agent::enrol(&folder, &world.authority, &id)?;
        agent.start()?;
        world.agents.push(agent);
        world.wait_until_agent_exact(&id)?;
        fetched.add(settled(world.agent_mut(&id)?.process()?.id())?);
    }
    world.agent_mut(&id)?.stop()?;
    world.authority.stop()?;
    let mut stored = Memory::default();
    let mut started = Vec::new();
    for _ in 0..RUNS {
        let agent = world.agent(&id)?;
        let (process, taken) = start(agent)?;
        started.push(ms(taken));
        stored.add(settled(process.id())?);
        process.stop()?;
    }
    let bytes = stripped_bytes(&world.file("stripped"))?;
    world.stop()?;
    let mib = |bytes: f64| bytes / 1024.0 / 1024.0;
    let rows = vec![
        fetched.row("memory of the agent after it took a snapshot").target(Target::AtMost(32.0)),
        fetched.row_max("the most that it ever had until then"),
        stored.row("memory of the agent after a start from its store").target(Target::AtMost(32.0)),
        stored.row_max("the most that it ever had until then"),
        Row::new("start of the process to the first decision, from the store, network gone", "ms", &started)
            .target(Target::AtMost(150.0)),
        Row::new("binary, stripped", "MiB", &[mib(count(bytes)); RUNS]).target(Target::AtMost(12.0)),
    ];
    Report::new("agent", &RECIPE.describe(), rows)
}

/// MiB by run.
#[derive(Default)]
struct Memory {
    resident: Vec<f64>,
    most: Vec<f64>,
}

impl Memory {
    fn add(&mut self, usage: Usage) {
        self.resident.push(count(usage.resident_bytes) / 1024.0 / 1024.0);
        self.most.push(count(usage.resident_bytes_max) / 1024.0 / 1024.0);
    }

    fn row(&self, what: &str) -> Row {
        Row::new(what, "MiB", &self.resident)
    }

    fn row_max(&self, what: &str) -> Row {
        Row::new(what, "MiB", &self.most)
    }
}

fn settled(process: u32) -> Result<Usage> {
    std::thread::sleep(SETTLES_IN);
    usage(process)
}

/// Starts the agent as a service manager does, and taps until it answers: from the start of the process on.
fn start(agent: &Agent) -> Result<(Process, Duration)> {
    let mut command = Command::new(&binaries()?.agent);
    command.args(agent.run_arguments());
    let line = driver::lines(1);
    let begun = Instant::now();
    let mut process = Process::start(&mut command, &agent.log_file())?;
    loop {
        if let Ok(mut driver) = Driver::connect(&agent.socket) {
            driver.taps(&line)?;
            return Ok((process, begun.elapsed()));
        }
        if begun.elapsed() > ANSWERS_WITHIN || process.ended()?.is_some() {
            bail!("the agent does not run; its log:\n{}", process.log());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn stripped_bytes(to: &Path) -> Result<u64> {
    let binary = &binaries()?.agent;
    let done = Command::new("strip").arg("-o").arg(to).arg(binary).status().context("strip cannot be run")?;
    if !done.success() {
        bail!("{} cannot be stripped", binary.display());
    }
    Ok(std::fs::metadata(to)?.len())
}
