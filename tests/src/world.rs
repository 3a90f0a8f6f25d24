//! A small world to test in: one authority, its agents, and a folder that vanishes with them.

use crate::agent::Agent;
use crate::authority::Authority;
use crate::json::at;
use crate::wait::{SOON, until_true};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// See the module. Processes end before their folder vanishes.
#[derive(Debug)]
pub struct World {
    /// The authority; it runs.
    pub authority: Authority,
    /// The agents, each running and exact.
    pub agents: Vec<Agent>,
    /// How long anything may take before it counts as never.
    pub patience: Duration,
    folder: TempDir,
}

impl World {
    /// A campus whose named agents are enrolled, running and exact.
    ///
    /// # Errors
    /// When anything on the way fails.
    pub fn start(campus: &Path, agents: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("doorward-").tempdir()?;
        let mut authority = Authority::init(&folder.path().join("authority"), campus)?;
        authority.start()?;
        let mut world = Self { authority, agents: Vec::new(), patience: SOON, folder };
        for id in agents {
            world.enrol(id)?.start()?;
        }
        world.wait_until_exact()?;
        Ok(world)
    }

    /// The folder in which everything lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in that folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Enrols one more agent, without starting it.
    ///
    /// # Errors
    /// When either side refuses.
    pub fn enrol(&mut self, id: &str) -> Result<&mut Agent> {
        let agent = Agent::enrol(self.folder.path(), &self.authority, id)?;
        self.agents.push(agent);
        self.agents.last_mut().context("an agent was just added")
    }

    /// An agent by its id.
    ///
    /// # Errors
    /// When there is none.
    pub fn agent(&self, id: &str) -> Result<&Agent> {
        self.agents.iter().find(|agent| agent.id == id).with_context(|| format!("no agent {id}"))
    }

    /// An agent by its id, to be changed.
    ///
    /// # Errors
    /// When there is none.
    pub fn agent_mut(&mut self, id: &str) -> Result<&mut Agent> {
        self.agents.iter_mut().find(|agent| agent.id == id).with_context(|| format!("no agent {id}"))
    }

    /// Waits until every agent has confirmed the newest commit.
    ///
    /// # Errors
    /// When one does not; the message shows what is known of it.
    pub fn wait_until_exact(&self) -> Result<()> {
        self.agents.iter().try_for_each(|agent| self.wait_until_agent_exact(&agent.id))
    }

    /// Waits until one agent has confirmed the newest commit.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_until_agent_exact(&self, id: &str) -> Result<()> {
        let waited = until_true(&format!("{id} is exact"), self.patience, || {
            let status = self.authority.api_json("/v1/status")?;
            let seen = self.authority.agent(id)?;
            Ok(*at(&seen, "connected") == true && at(&seen, "position") == at(&status, "position"))
        });
        waited.with_context(|| {
            let seen = self.authority.agent(id).map(|seen| seen.to_string()).unwrap_or_default();
            let log = self.agent(id).map(Agent::log).unwrap_or_default();
            format!("known of it: {seen}\nits log:\n{log}\nthe authority's log:\n{}", self.authority.log())
        })
    }

    /// Waits until the authority has every record of the agents that run.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn wait_until_recorded(&self) -> Result<()> {
        for agent in &self.agents {
            until_true(&format!("all records of {} are home", agent.id), self.patience, || {
                Ok(*at(&agent.status()?, "unsent_records") == 0)
            })?;
        }
        Ok(())
    }

    /// Stops everything, and holds each process to a clean end.
    ///
    /// # Errors
    /// When one does not end well, or said that something went wrong.
    pub fn stop(mut self) -> Result<()> {
        self.agents.iter_mut().try_for_each(Agent::stop)?;
        self.authority.stop()?;
        let logs = self.agents.iter().map(Agent::log).chain([self.authority.log()]);
        match logs.flat_map(|log| log.lines().map(str::to_owned).collect::<Vec<_>>()).find(|line| is_error(line)) {
            Some(line) => anyhow::bail!("a process logged an error: {line}"),
            None => Ok(()),
        }
    }
}

fn is_error(line: &str) -> bool {
    line.contains(" ERROR ") || line.contains("panicked at")
}
