//! Killing and starting again: SIGKILL to one or several processes at once, also while they start, and what each must
//! show as soon as it is back.

use crate::binaries::binaries;
use crate::crash::load::{AUTHORITY, Scene, Tap};
use crate::crash::report::Report;
use crate::crash::stage::{NORTH, SOUTH};
use crate::json::at;
use crate::process::{Process, tied};
use crate::random::Random;
use crate::world::World;
use anyhow::{Context, Result};
use doorward_protocol::commit::Position;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest time after which a process that is starting is killed, in milliseconds: a little more than a start takes.
const START_MS_MAX: u64 = 250;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The authority.
    Authority,
    /// An agent.
    Agent(&'static str),
}

/// Those that are killed and come back.
pub const ALL: [Victim; 3] = [Victim::Authority, Victim::Agent(NORTH), Victim::Agent(SOUTH)];

impl Victim {
    const fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Agent(_) => "agents",
        }
    }
}

/// All that a turn of the run works on.
#[derive(Debug)]
pub struct Turn<'a> {
    /// The processes.
    pub world: &'a mut World,
    /// What is known to have been confirmed.
    pub scene: &'a Scene,
    /// Where the choices come from.
    pub random: &'a mut Random,
    /// Where everything is counted.
    pub report: &'a mut Report,
    /// Taps of the run itself.
    pub taps: &'a mut Vec<Tap>,
}

impl Turn<'_> {
    /// How many were killed so far.
    #[must_use]
    pub fn kills(&self) -> u64 {
        self.report.counts.get("kills").copied().unwrap_or_default()
    }

    /// Lets a random time pass.
    pub fn pause(&mut self, ms_max: u64) {
        sleep(Duration::from_millis(self.random.below(ms_max)));
    }

    /// Notes that a process was killed.
    pub fn count_kill(&mut self, how: &str) {
        self.report.count("kills", 1);
        self.report.count(&format!("kills: {how}"), 1);
    }

    /// Kills a process that runs.
    ///
    /// # Errors
    /// When there is no such agent.
    pub fn kill(&mut self, victim: Victim) -> Result<()> {
        match victim {
            Victim::Authority => self.world.authority.kill(),
            Victim::Agent(id) => self.world.agent_mut(id)?.kill(),
        }
        self.count_kill(victim.name());
        Ok(())
    }

    /// Starts a process and kills it while it starts.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn kill_while_starting(&mut self, victim: Victim) -> Result<()> {
        let (program, line, log) = match victim {
            Victim::Authority => {
                let authority = &self.world.authority;
                (binaries()?.authority, authority.serve_arguments(), authority.log_file())
            }
            Victim::Agent(id) => {
                let agent = self.world.agent(id)?;
                (binaries()?.agent, agent.run_arguments(), agent.log_file())
            }
        };
        self.kill_soon(tied(&program).args(line), &log, START_MS_MAX)?;
        self.count_kill(&format!("{} while starting", victim.name()));
        Ok(())
    }

    /// Runs a command and kills it after a random time.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn kill_soon(&mut self, command: &mut Command, log: &Path, ms_max: u64) -> Result<()> {
        let process = Process::start(command, log)?;
        self.pause(ms_max);
        process.kill();
        Ok(())
    }

    /// Starts a process again, which must succeed, and holds it to what was confirmed before.
    ///
    /// # Errors
    /// When it does not open what it has, or takes too long.
    pub fn reopen(&mut self, victim: Victim) -> Result<()> {
        self.report.count("restarts", 1);
        match victim {
            Victim::Authority => self.reopen_authority(),
            Victim::Agent(id) => self.reopen_agent(id),
        }
    }

    fn reopen_authority(&mut self) -> Result<()> {
        let confirmed = self.scene.confirmed(AUTHORITY);
        let agents = [NORTH, SOUTH].map(|id| (id, self.scene.confirmed(id)));
        let began = Instant::now();
        self.world.authority.start().context("the authority does not come back")?;
        self.slowest("slowest restart of the authority, ms", began);
        let status = self.world.authority.api_json("/v1/status")?;
        let number = |name| at(&status, &format!("position/{name}")).as_u64();
        let epoch = number("epoch").and_then(|epoch| epoch.try_into().ok());
        let found = Position { epoch: epoch.unwrap_or_default(), seq: number("seq").unwrap_or_default() };
        self.report.expect(found >= confirmed, || {
            format!("the authority came back at commit {found}, but had made commit {confirmed} known")
        });
        for (id, position) in agents {
            self.report.expect(found >= position, || {
                format!("the authority came back at commit {found}, but {id} had confirmed {position}")
            });
        }
        Ok(())
    }

    fn reopen_agent(&mut self, id: &'static str) -> Result<()> {
        let confirmed = self.scene.confirmed(id);
        let began = Instant::now();
        self.world.agent_mut(id)?.start().with_context(|| format!("{id} does not come back"))?;
        let agent = self.world.agent(id)?;
        let mut reader = agent.reader()?;
        let expected: &[(&str, &str, &str)] = match id {
            NORTH => &[("north-main", "ADA", "grant granted"), ("north-main", "NOBODY", "deny unknown_credential")],
            _ => &[("south-main", "BOB", "grant granted"), ("south-canteen", "CEM", "grant granted")],
        };
        let status = reader.line("{\"status\":true}")?;
        let taps: Vec<Tap> = expected.iter().map(|(door, card, _)| Tap::at(&mut reader, door, card, &[])).collect();
        self.slowest("slowest reopen of an agent until it has decided, ms", began);
        let position = at(&status, "position").as_str().and_then(position).unwrap_or_default();
        self.report.expect(position >= confirmed, || {
            format!("{id} came back at commit {position}, but had confirmed {confirmed}: {status}")
        });
        for ((door, card, right), tap) in expected.iter().zip(&taps) {
            let outcome = tap.outcome().unwrap_or_default();
            self.report.expect(outcome == *right, || {
                format!("{id} came back and answers {card} at {door} with {outcome:?}, not with {right}: {status}")
            });
        }
        self.taps.extend(taps);
        Ok(())
    }

    fn slowest(&mut self, what: &str, since: Instant) {
        self.report.highest(what, u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
}

/// Reads a position as a status spells it: a number, or epoch and number.
#[must_use]
pub fn position(text: &str) -> Option<Position> {
    let (epoch, seq) = text.split_once('.').unwrap_or(("0", text));
    Some(Position { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
}
