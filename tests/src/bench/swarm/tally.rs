//! How many agents of the swarm have come how far, and when the last of them did.

use crate::bench::system;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What agents come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The order of a wave was read; the only step that is the swarm's own.
    Heard,
    /// The handshake of a wave of connections is done.
    Shaken,
    /// In that wave, the agent was told that it has the newest commit.
    Current,
    /// A removal of an entry decides every later tap.
    Removed,
    /// The commit of an entry decides every later tap.
    Committed,
}

/// All agents have made a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Which.
    pub step: Step,
    /// Of which wave or entry.
    pub number: u64,
    /// How many agents.
    pub agents: u64,
    /// When the first of them did, by the machine's clock in microseconds.
    pub first_us: u64,
    /// When the last of them did.
    pub last_us: u64,
    /// Processor time of this process until then, in nanoseconds.
    pub own_cpu_ns: u64,
    /// That of the server.
    pub server_cpu_ns: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// How many agents are in the game.
    size: u64,
    server: u32,
    steps: BTreeMap<(Step, u64), (u64, u64)>,
}

impl Tally {
    /// So many agents make the next steps, and this process is the server.
    pub fn begin(&self, size: u64, server: u32) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counts.size, counts.server) = (size, server);
    }

    /// The order of this wave was read.
    pub fn heard(&self, wave: u64) {
        let now_us = now_us();
        let event = Event {
            step: Step::Heard,
            number: wave,
            agents: 0,
            first_us: now_us,
            last_us: now_us,
            own_cpu_ns: 0,
            server_cpu_ns: 0,
        };
        // As below.
        let _unheard = say(&event);
    }

    /// One agent has made a step; the last of them is told of on standard output.
    pub fn note(&self, step: Step, number: u64) {
        let now_us = now_us();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, server) = (counts.size, counts.server);
        let (count, first_us) = counts.steps.entry((step, number)).or_insert((0, now_us));
        *count += 1;
        if *count == size {
            let event = Event {
                step,
                number,
                agents: size,
                first_us: *first_us,
                last_us: now_us,
                own_cpu_ns: cpu_ns(std::process::id()),
                server_cpu_ns: cpu_ns(server),
            };
            // Who does not listen any more has ended, and so will this process.
            let _unheard = say(&event);
        }
    }
}

fn say(event: &Event) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(event)?)?;
    Ok(out.flush()?)
}

fn cpu_ns(process: u32) -> u64 {
    system::cpu_exact(process).map_or(0, |cpu| u64::try_from(cpu.as_nanos()).unwrap_or(u64::MAX))
}

/// The machine's clock in microseconds, the same in all processes.
#[must_use]
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
