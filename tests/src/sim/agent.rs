//! One agent of a run: the two production machines, the disk, the clock and the line, and what starts and stops them.
//!
//! Deliberately no decision of its own: what the machines want done is done by `driving`.

use crate::sim::clock::Clock;
use crate::sim::disk::Disk;
use crate::sim::keys::Keys;
use crate::sim::link::Link;
use crate::sim::mutation::Mutation;
use crate::sim::serving::Served;
use crate::sim::watch::Watch;
use doorward_protocol::agent::recorder::Recorder;
use doorward_protocol::agent::stored::Floor;
use doorward_protocol::agent::sync::{Identity, Sync};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::View;
use doorward_protocol::id::{AgentId, Hash, Incarnation};
use doorward_protocol::overlay::Overlay;
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::TrustError;
use std::collections::VecDeque;
use std::sync::Arc;

/// See the module.
pub struct Agent {
    pub id: AgentId,
    pub clock: Clock,
    pub disk: Disk,
    pub link: Link,
    /// Counts starts, so that what was meant for an earlier life does not reach a later one.
    pub life: u64,
    /// `None` while the machine is down.
    pub core: Option<Core>,
    /// The authority's side of the connection.
    pub served: Option<Served>,
    /// What the checkers know of it.
    pub watch: Watch,
}

/// What a crash takes away.
pub struct Core {
    pub sync: Sync,
    pub recorder: Recorder,
    /// What taps are decided by, and of which commit that is.
    pub view: View,
    pub position: Option<Position>,
    pub commit: Option<Hash>,
    /// Version of the newest trust statement.
    pub statement: u32,
    /// The connection that the machines were told of.
    pub connected: Option<u64>,
    /// Taps that the recorder has and did not append yet.
    pub queued: VecDeque<u64>,
    /// Taps whose records are being appended.
    pub appending: Vec<(u64, Record)>,
    pub next_ticket: u64,
    /// When the recorder's timer rings.
    pub rings_at: Option<UnixMs>,
    /// Parts of an update that are still to come.
    pub parts_left: u32,
    /// Taps that a planted fault holds back, each with the instant at which its card was shown.
    pub held: Vec<(crate::sim::holders::Shown, UnixMs)>,
}

impl Core {
    /// The machines as they open on what a disk holds.
    ///
    /// # Errors
    /// When the stored trust statements do not prove themselves.
    pub fn open(
        agent: &AgentId,
        keys: &Keys,
        disk: &mut Disk,
        incarnation: Incarnation,
        mutation: Option<Mutation>,
    ) -> Result<Self, TrustError> {
        let identity = Identity {
            agent: agent.clone(),
            key: keys.agent(agent),
            pinned_root: keys.root.hash(),
            software: "sim".into(),
        };
        let image = &mut disk.image;
        let mut stored = image.stored();
        stored.damage = disk.damage.take();
        if mutation == Some(Mutation::SkipFloor) {
            stored.floor = Floor::default();
        }
        if mutation == Some(Mutation::ForgetRemoval) {
            stored.removals.clear();
        }
        if !image.chain_holds() {
            let begin = ChainHead::begin(agent, incarnation);
            image.records.clear();
            (image.durable, image.acknowledged) = (begin, begin);
        }
        let oldest = image.records_after(image.acknowledged.seq, 1).first().map(|record| record.at);
        let sync = Sync::open(identity, stored)?;
        let head = image.head.as_ref().filter(|_| sync.position().is_some());
        let (fresh_at, floor_at) = (UnixMs(i64::MIN), UnixMs(i64::MIN));
        let overlay: Arc<Overlay> = Arc::default();
        Ok(Self {
            recorder: Recorder::open(image.durable, image.acknowledged, oldest),
            view: View { cache: None, overlay, fresh_at, floor_at, clock_trusted: true },
            position: None,
            commit: head.map(|stored| stored.head.commit.hash()),
            statement: image.statements.keys().next_back().copied().unwrap_or_default(),
            connected: None,
            queued: VecDeque::new(),
            appending: Vec::new(),
            next_ticket: 0,
            rings_at: None,
            parts_left: 0,
            held: Vec::new(),
            sync,
        })
    }
}

impl Agent {
    /// What its wall clock shows.
    pub const fn wall(&self, now: UnixMs) -> UnixMs {
        self.clock.wall(now)
    }

    /// Whether both sides believe in the same connection and frames arrive.
    pub fn is_connected(&self) -> bool {
        let here = self.core.as_ref().and_then(|core| core.connected);
        self.link.carries
            && here == Some(self.link.generation)
            && self.served.as_ref().is_some_and(|served| served.generation == self.link.generation)
    }
}
