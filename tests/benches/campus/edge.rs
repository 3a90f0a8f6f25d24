//! An agent without shells for benchmarks: the production sync machine and what taps are decided by, driven by hand.
//!
//! Deliberately no disk: what is to be made durable counts as durable at once, so that nothing but the machine is measured.

use crate::office::{NOW, Office, agent_key};
use anyhow::{Context, Result, bail};
use doorward_agent::decider::{Decider, Shown};
use doorward_protocol::agent::stored::Stored;
use doorward_protocol::agent::sync::{Effect, Identity, Input, Sync};
use doorward_protocol::frame::{ToAgent, ToAuthority, from_wire};
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;
use std::sync::Arc;

/// See the module.
pub struct Edge {
    machine: Sync,
    /// What taps are decided by.
    pub decider: Arc<Decider>,
}

impl Edge {
    /// An agent that has joined and knows nothing yet.
    ///
    /// # Errors
    /// When it does not believe the statements.
    pub fn new(agent: AgentId, pinned_root: Hash, statements: Vec<Signed<Statement>>) -> Result<Self> {
        let key = agent_key(&agent);
        let identity = Identity { agent, key, pinned_root, software: "bench".into() };
        let machine = Sync::open(identity, Stored { statements, ..Stored::default() })?;
        let mut edge = Self { machine, decider: Arc::default() };
        edge.settle()?;
        Ok(edge)
    }

    /// An agent of an office.
    ///
    /// # Errors
    /// When it does not believe the office's statements.
    pub fn of(office: &Office, agent: &AgentId) -> Result<Self> {
        Self::new(agent.clone(), office.root.hash(), office.statements.clone())
    }

    /// A connection stands: the agent's greeting.
    ///
    /// # Errors
    /// When it refuses something.
    pub fn greet(&mut self) -> Result<ToAuthority> {
        self.machine.handle(Input::Connected, NOW);
        self.settle()?.into_iter().next().context("the agent does not greet")
    }

    /// Takes a frame as it comes from the wire.
    ///
    /// # Errors
    /// When it does not decode, or is refused.
    pub fn take(&mut self, body: &[u8]) -> Result<()> {
        self.machine.handle(Input::Frame(from_wire::<ToAgent>(body)?), NOW);
        self.settle().map(|_| ())
    }

    /// Does what the machine wants done; hands back what it sends.
    fn settle(&mut self) -> Result<Vec<ToAuthority>> {
        let mut sent = Vec::new();
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Send(frame) => sent.push(*frame),
                Effect::Persist { ticket, writes } => {
                    drop(writes);
                    self.machine.handle(Input::Persisted(ticket), NOW);
                }
                Effect::View(view) => self.decider.show(Shown { view, position: self.machine.position() }),
                Effect::Fork(_) => bail!("the agent has proof of a fork"),
                Effect::Alarm(text) => bail!("the agent raises an alarm: {text}"),
            }
        }
        Ok(sent)
    }
}
