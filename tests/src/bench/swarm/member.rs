//! One agent of the swarm: the real machine between the real lanes of one connection.

use crate::bench::swarm::tally::{Step, Tally};
use anyhow::Result;
use doorward_agent::clock::wall_now;
use doorward_agent::identity::Identity;
use doorward_agent::quic::endpoint::Reached;
use doorward_agent::quic::lanes::{LaneOut, open, pump_in, write_frame};
use doorward_protocol::agent::stored::Stored;
use doorward_protocol::agent::sync::{self, Effect, Input, Sync};
use doorward_protocol::frame::{ChainReport, Lane, ToAgent, ToAuthority};
use doorward_protocol::id::Incarnation;
use doorward_protocol::record::ChainHead;
use doorward_protocol::sign::SecretKey;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until};

/// How long the disk of an agent takes; see `measured.md` on group commits at the edge.
const DISK: Duration = Duration::from_millis(1);

/// How often an agent whose doors are quiet reports its chain of records (PROTOCOL 8.5).
const REPORT_PERIOD: Duration = Duration::from_secs(10);

/// Frames that may wait for the machine, as in an agent.
const INCOMING_MAX: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct Player {
    machine: Sync,
    chain: ChainHead,
    tally: Arc<Tally>,
    /// Writes that become durable, each with when.
    writing: VecDeque<(Instant, u64)>,
}

impl Player {
    /// An agent that has just joined.
    ///
    /// # Errors
    /// When the campus's trust statements do not prove themselves.
    pub fn new(identity: &Identity, tally: Arc<Tally>) -> Result<Self> {
        let who = sync::Identity {
            agent: identity.agent.clone(),
            key: SecretKey::from_seed(&identity.key.to_seed()),
            pinned_root: identity.pinned_root,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let stored = Stored { statements: identity.statements.clone(), ..Stored::default() };
        let mut machine = Sync::open(who, stored)?;
        while machine.poll_effect().is_some() {}
        let chain = ChainHead::begin(&identity.agent, Incarnation([7; 16]));
        Ok(Self { machine, chain, tally, writing: VecDeque::new() })
    }

    /// Talks over one connection until it ends; it belongs to this wave.
    ///
    /// # Errors
    /// Always, with how it ended.
    pub async fn talk(&mut self, reached: &Reached, wave: u64) -> Result<core::convert::Infallible> {
        let connection = &reached.connection;
        let (mut control, control_in) = open(connection, Lane::Control).await?;
        let (mut records, _records_in) = open(connection, Lane::Records).await?;
        let (incoming, mut frames) = mpsc::channel(INCOMING_MAX);
        let removals = incoming.clone();
        let lanes = connection.clone();
        tokio::spawn(async move { pump_in(control_in, Lane::Control, |frame| frame, &incoming).await });
        tokio::spawn(async move {
            while let Ok(lane) = lanes.accept_uni().await {
                // It ends with its connection, which the control lane tells of.
                let _ended = pump_in(lane, Lane::Removal, |frame| frame, &removals).await;
            }
        });
        let mut reports = interval_at(Instant::now() + REPORT_PERIOD, REPORT_PERIOD);
        self.writing.clear();
        self.machine.handle(Input::Connected, wall_now());
        self.settle(&mut control).await?;
        write_frame(&mut records, &self.report()).await?;
        let mut is_current = false;
        loop {
            let durable = self.writing.front().map(|(due, _)| *due);
            tokio::select! {
                frame = frames.recv() => {
                    let frame = frame.ok_or_else(|| anyhow::anyhow!("the connection ended"))?;
                    let told = self.take(frame);
                    self.settle(&mut control).await?;
                    if told && !std::mem::replace(&mut is_current, true) {
                        self.tally.note(Step::Current, wave);
                    }
                }
                () = sleep_until(durable.unwrap_or_else(Instant::now)), if durable.is_some() => {
                    if let Some((_, ticket)) = self.writing.pop_front() {
                        self.machine.handle(Input::Persisted(ticket), wall_now());
                    }
                    self.settle(&mut control).await?;
                }
                _ = reports.tick() => write_frame(&mut records, &self.report()).await?,
            }
        }
    }

    /// The connection is gone.
    pub fn leave(&mut self) {
        self.machine.handle(Input::Disconnected, wall_now());
    }

    /// Takes one frame, and tells whether it said that nothing newer exists.
    fn take(&mut self, frame: ToAgent) -> bool {
        let before = self.machine.position();
        let (removal, pulse) = match &frame {
            ToAgent::Removal(removal) => (removal.unverified().ok().map(|removal| removal.position), None),
            ToAgent::Pulse(pulse) => (None, pulse.unverified().ok().map(|pulse| pulse.position)),
            ToAgent::Statements(_) | ToAgent::Update(_) | ToAgent::Part(_) | ToAgent::Stored(_) => (None, None),
        };
        self.machine.handle(Input::Frame(frame), wall_now());
        removal.into_iter().for_each(|position| self.tally.note(Step::Removed, position.seq));
        let now = self.machine.position();
        if let Some(position) = now.filter(|_| now != before) {
            self.tally.note(Step::Committed, position.seq);
        }
        pulse.is_some() && pulse == now
    }

    async fn settle(&mut self, control: &mut LaneOut) -> Result<()> {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Send(frame) => write_frame(control, &*frame).await?,
                Effect::Persist { ticket, .. } => self.writing.push_back((Instant::now() + DISK, ticket)),
                Effect::View(_) => {}
                Effect::Alarm(text) => anyhow::bail!("an agent raised an alarm: {text}"),
                Effect::Fork(_) => anyhow::bail!("an agent was shown two histories"),
            }
        }
        Ok(())
    }

    fn report(&self) -> ToAuthority {
        ToAuthority::ChainReport(ChainReport { head: self.chain, acknowledged: 0, oldest_unsent_at: None })
    }
}
