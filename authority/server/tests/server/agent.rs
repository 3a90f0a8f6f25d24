//! A running core without a socket, and agents that are the real machines.

use doorward_policy::command::{Actor, Command};
use doorward_protocol::agent::stored::Stored;
use doorward_protocol::agent::sync::{Effect as AgentEffect, Identity, Input as AgentInput, Sync};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::View;
use doorward_protocol::enrol::JoinToken;
use doorward_protocol::frame::ToAgent;
use doorward_protocol::id::AgentId;
use doorward_protocol::receipt::{About, Stage};
use doorward_protocol::session::sync::{Effect, Input, Session};
use doorward_protocol::session::{Alarm, AlarmKind};
use doorward_protocol::sign::SecretKey;
use doorward_protocol::time::UnixMs;
use doorward_server::authority::{Accepted, Authority, OrderError};
use doorward_server::paths::Layout;
use doorward_server::start::{Running, start};
use std::collections::VecDeque;
use std::sync::Arc;

/// Starts the core; `stop` ends it and lets the data directory go.
pub fn started(layout: &Layout) -> Running {
    tokio::task::block_in_place(|| start(layout.clone(), false)).unwrap()
}

pub fn stop(running: Running) {
    let Running { authority, threads } = running;
    authority.stop();
    drop(authority);
    tokio::task::block_in_place(|| threads.into_iter().for_each(|thread| thread.join().unwrap()));
}

/// Gives a command and waits for its commit.
pub async fn order(authority: &Authority, command: Command) -> Result<Accepted, OrderError> {
    let accepted = authority.execute(Actor::new("operator").unwrap(), command).await?;
    assert!(authority.published_at(accepted.seq).await);
    Ok(accepted)
}

pub fn now() -> UnixMs {
    doorward_server::clock::wall()
}

/// An agent: the real machine, and a list for a disk.
pub struct Agent {
    pub id: AgentId,
    pub key: SecretKey,
    sync: Sync,
    /// The newest position that it signed as durable.
    confirmed: Position,
    pub view: Option<View>,
    /// What was received since it was last looked at.
    received: Vec<&'static str>,
    alarms: Vec<Alarm>,
}

impl Agent {
    /// Joins an authority.
    pub async fn join(authority: &Authority, id: &str) -> Self {
        let id = AgentId::new(id).unwrap();
        let key = SecretKey::from_seed(&doorward_server::keys::random().unwrap());
        let token_hash = JoinToken::secret_hash(&[7; 32]);
        let expires_at = now().plus_ms(60_000);
        order(authority, Command::AgentAdd { agent: id.clone(), token_hash, expires_at }).await.unwrap();
        let command = Command::AgentEnrol { agent: id.clone(), key: key.public(), token_hash };
        order(authority, command).await.unwrap();
        let identity = Identity {
            agent: id.clone(),
            key: SecretKey::from_seed(&key.to_seed()),
            pinned_root: authority.signer.root().hash(),
            software: "test".into(),
        };
        let statements = authority.signer.statements().to_vec();
        let sync = Sync::open(identity, Stored { statements, ..Stored::default() }).unwrap();
        Self { id, key, sync, view: None, confirmed: Position::default(), received: Vec::new(), alarms: Vec::new() }
    }

    /// Connects, and talks until both sides are silent. The reason when the authority closed.
    pub fn visit(&mut self, authority: &Arc<Authority>) -> Option<String> {
        let confirmed = authority.store.contact(&self.id).unwrap().confirmed.max(self.confirmed);
        let mut session = Session::new(self.id.clone(), self.key.public(), confirmed);
        self.sync.handle(AgentInput::Connected, now());
        let closed = self.talk(&mut session, authority);
        self.sync.handle(AgentInput::Disconnected, now());
        closed
    }

    fn talk(&mut self, session: &mut Session, authority: &Arc<Authority>) -> Option<String> {
        let mut to_authority = VecDeque::new();
        loop {
            while let Some(effect) = self.sync.poll_effect() {
                match effect {
                    AgentEffect::Send(frame) => to_authority.push_back(*frame),
                    // A restart of the agent is not this test's subject, so nothing is kept.
                    AgentEffect::Persist { ticket, .. } => self.sync.handle(AgentInput::Persisted(ticket), now()),
                    AgentEffect::View(view) => self.view = Some(view),
                    AgentEffect::Alarm(_) => {}
                    AgentEffect::Fork(_) => panic!("nobody signs two histories here"),
                }
            }
            let frame = to_authority.pop_front()?;
            session.handle(Input::Frame(frame), now(), &**authority);
            while let Some(effect) = session.poll_effect() {
                match effect {
                    Effect::Send(_, frame) => {
                        self.received.push(name_of(&frame));
                        self.sync.handle(AgentInput::Frame(*frame), now());
                    }
                    Effect::Receipt(receipt, signed) => {
                        if (receipt.about, receipt.stage) == (About::Commit, Stage::Durable) {
                            self.confirmed = self.confirmed.max(receipt.position);
                        }
                        authority.closings.take_receipt(&receipt, &signed, now());
                    }
                    Effect::Alarm(alarm) => self.alarms.push(alarm),
                    Effect::Close(why) => return Some(why),
                    Effect::Heard(_) | Effect::Greeted(_) => {}
                }
            }
        }
    }

    /// Whether what the agent decides by is exactly what the newest commit says of it.
    pub fn is_exact(&self, authority: &Authority) -> bool {
        let published = authority.published();
        let digest = published.leaves.leaf(&self.id).map(|leaf| leaf.digest);
        self.sync.position() == Some(published.position) && digest == Some(self.sync.digest())
    }

    pub fn position(&self) -> Option<Position> {
        self.sync.position()
    }

    pub fn has_alarm(&self, kind: AlarmKind) -> bool {
        self.alarms.iter().any(|alarm| alarm.kind == kind)
    }

    /// What came, without what comes always.
    pub fn take_received(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.received).into_iter().filter(|name| *name != "part").collect()
    }
}

fn name_of(frame: &ToAgent) -> &'static str {
    match frame {
        ToAgent::Statements(_) => "statements",
        ToAgent::Update(update) => match update.base {
            doorward_protocol::frame::Base::Present => "delta",
            doorward_protocol::frame::Base::Nothing => "snapshot",
        },
        ToAgent::Part(_) => "part",
        ToAgent::Pulse(_) => "pulse",
        ToAgent::Removal(_) => "removal",
        ToAgent::Stored(_) => "stored",
    }
}
