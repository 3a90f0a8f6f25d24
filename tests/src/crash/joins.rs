//! An agent that joins while it, the authority or both are killed: its token is worth one agent, and is not lost either.

use crate::agent::Agent;
use crate::binaries::binaries;
use crate::crash::load::Tap;
use crate::crash::stage::{EAST, EAST_DOOR};
use crate::crash::victims::{Turn, Victim};
use crate::process::{Process, tied};
use crate::wait::{SOON, until_true};
use anyhow::{Context, Result};

/// Longest time after which somebody is killed, in milliseconds: a little more than a join takes.
const JOIN_MS_MAX: u64 = 160;

/// The agent that joins now, and how many have before it.
#[derive(Debug, Default)]
pub struct Joiner {
    lives: u64,
    /// What it answered in all its lives.
    pub taps: Vec<Tap>,
}

impl Joiner {
    /// Lets the agent join anew, in a directory of its own, and kills what takes part in it.
    ///
    /// # Errors
    /// When it cannot join in the end, or does not come to life.
    pub fn join(&mut self, turn: &mut Turn<'_>) -> Result<()> {
        self.lives = self.lives.saturating_add(1);
        let folder = turn.world.file(&format!("east-{}", self.lives));
        std::fs::create_dir_all(&folder)?;
        turn.scene.forget(EAST);
        let token = turn.world.authority.invite(EAST)?;
        let mut agent = Agent::at(&folder, &turn.world.authority, EAST)?;
        let data = agent.data.display().to_string();
        let line = ["join", &token, "--data", &data];
        for _ in 0..=turn.random.below(2) {
            let process = Process::start(tied(&binaries()?.agent).args(line), &agent.log_file())?;
            turn.pause(JOIN_MS_MAX);
            match turn.random.below(3) {
                0 => {
                    turn.kill(Victim::Authority)?;
                    process.kill();
                    turn.count_kill("agents while joining");
                    turn.reopen(Victim::Authority)?;
                }
                1 => {
                    turn.kill(Victim::Authority)?;
                    turn.reopen(Victim::Authority)?;
                    process.kill();
                    turn.count_kill("agents while joining");
                }
                _ => {
                    process.kill();
                    turn.count_kill("agents while joining");
                }
            }
        }
        self.hold_to_the_token(turn, &agent, &token)?;
        self.live(turn, &mut agent)
    }

    /// The same token lets the same agent in, if it is not in yet, and nobody else.
    fn hold_to_the_token(&self, turn: &mut Turn<'_>, agent: &Agent, token: &str) -> Result<()> {
        let joined = agent.run(&["join", token])?;
        let is_in = joined.code == Some(0) || joined.text().contains("already holds an enrolled agent");
        turn.report.expect(is_in, || format!("a join that was cut short cannot be finished: {}", joined.text()));
        turn.report.count("joins that were cut short and finished", 1);
        let folder = turn.world.file(&format!("thief-{}", self.lives));
        let stolen = Agent::at(&folder, &turn.world.authority, EAST)?.run(&["join", token])?;
        turn.report.expect(stolen.code == Some(1) && stolen.text().contains("refused"), || {
            format!("a token that was used once enrols another: {}", stolen.text())
        });
        Ok(())
    }

    /// Runs the new agent until it is exact and its records are home, and once more after a kill.
    fn live(&mut self, turn: &mut Turn<'_>, agent: &mut Agent) -> Result<()> {
        for _ in 0..2 {
            agent.start()?;
            let mut reader = agent.reader()?;
            let has_state = until_true("an agent that joined lets in whom it should", SOON, || {
                let tap = Tap::at(&mut reader, EAST_DOOR, "ADA", &[]);
                let outcome = tap.outcome();
                self.taps.push(tap);
                Ok(outcome.as_deref() == Some("grant granted"))
            });
            has_state.with_context(|| agent.log())?;
            self.taps.extend(["BOB", "NOBODY", "S01"].map(|card| Tap::at(&mut reader, EAST_DOOR, card, &[])));
            agent.kill();
            turn.count_kill("agents");
        }
        agent.start()?;
        until_true("the records of an agent that joined are home", SOON, || {
            Ok(agent.status()?.pointer("/unsent_records").and_then(serde_json::Value::as_u64) == Some(0))
        })?;
        agent.stop()
    }
}
