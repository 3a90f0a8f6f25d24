//! What this crate's tests share: an authority in a folder of its own, and agents that are the real machines.

use doorward_policy::command::{Actor, Command};
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::Campus;
use doorward_protocol::agent::stored::{Stored, Write};
use doorward_protocol::agent::sync::{Effect as AgentEffect, Identity, Input as AgentInput, Sync};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::View;
use doorward_protocol::enrol::JoinToken;
use doorward_protocol::frame::ToAgent;
use doorward_protocol::id::AgentId;
use doorward_protocol::receipt::Receipt;
use doorward_protocol::session::sync::{Effect, Input, Session};
use doorward_protocol::session::{Alarm, AlarmKind};
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::time::UnixMs;
use doorward_server::authority::{Accepted, Authority, OrderError};
use doorward_server::init::{InitOptions, init};
use doorward_server::paths::Layout;
use doorward_server::start::{Running, start};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// The sample campus that is part of the sources.
pub fn campus_files() -> CampusFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/campuses/jnu");
    let read = |name: &str| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?));
    CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect())
}

pub fn campus() -> Campus {
    parse(&campus_files()).unwrap()
}

/// An authority's data directory that `init` has made.
pub fn made() -> (TempDir, Layout) {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path().join("data"));
    init(&layout, &campus(), InitOptions::default()).unwrap();
    (directory, layout)
}

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
    pub sync: Sync,
    pub view: Option<View>,
    /// What was received since it was last looked at: `snapshot`, `delta`, `pulse`, ...
    pub received: Vec<&'static str>,
    pub alarms: Vec<Alarm>,
    pub receipts: Vec<(Receipt, Signed<Receipt>)>,
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
        Self { id, key, sync, view: None, received: Vec::new(), alarms: Vec::new(), receipts: Vec::new() }
    }

    /// Connects, and talks until both sides are silent. The reason when the authority closed.
    pub fn visit(&mut self, authority: &Arc<Authority>) -> Option<String> {
        let confirmed = authority.store.contact(&self.id).unwrap().confirmed;
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
                    AgentEffect::Persist { ticket, writes } => {
                        let _kept: Vec<Write> = writes;
                        self.sync.handle(AgentInput::Persisted(ticket), now());
                    }
                    AgentEffect::View(view) => self.view = Some(view),
                    AgentEffect::Alarm(_) => {}
                }
            }
            let Some(frame) = to_authority.pop_front() else { return None };
            session.handle(Input::Frame(frame), now(), &**authority);
            while let Some(effect) = session.poll_effect() {
                match effect {
                    Effect::Send(_, frame) => {
                        self.received.push(name_of(&frame));
                        self.sync.handle(AgentInput::Frame(*frame), now());
                    }
                    Effect::Receipt(receipt, signed) => {
                        authority.closings.take_receipt(&receipt, &signed, now());
                        self.receipts.push((receipt, signed));
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
