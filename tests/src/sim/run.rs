//! One run: a world is made, breaks for some hours, heals, and has to converge.

use crate::sim::agent::Agent;
use crate::sim::authority::Authority;
use crate::sim::campus;
use crate::sim::chance::Chance;
use crate::sim::checks::{converges, deterministic, no_record_lost, provable};
use crate::sim::clock::Clock;
use crate::sim::closings::Closings;
use crate::sim::counts::{Counts, Name};
use crate::sim::disk::{Disk, Image};
use crate::sim::keys::Keys;
use crate::sim::link::Link;
use crate::sim::options::Options;
use crate::sim::promise::{Verdicts, Violation};
use crate::sim::trace::Trace;
use crate::sim::truth::Truth;
use crate::sim::watch::Watch;
use crate::sim::world::{Chances, Event, World};
use anyhow::{Context, Result};
use doorward_policy::command::Command;
use doorward_policy::difference::Difference;
use doorward_policy::directory::Directory;
use doorward_policy::zone::tzdb_version;
use doorward_protocol::id::{AgentId, Hash, Incarnation, ReaderKey};
use doorward_protocol::record::ChainHead;
use std::collections::BTreeMap;

/// How long everybody has to converge after everything healed, in milliseconds.
const CONVERGE_MS: i64 = 15 * 60_000;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The first promises that were broken; none in a good run.
    pub violations: Vec<Violation>,
    /// How many events happened.
    pub events: u64,
    /// What was counted, by name.
    pub counts: BTreeMap<Name, u64>,
    /// How long each revocation took at each agent that was connected, in milliseconds, ascending.
    pub revocation_ms: Vec<i64>,
    /// Hash over everything that happened.
    pub digest: Hash,
}

impl Outcome {
    /// How often something happened.
    #[must_use]
    pub fn count(&self, kind: &'static str, name: &'static str) -> u64 {
        self.counts.get(&(kind, name)).copied().unwrap_or_default()
    }
}

/// Runs a world.
///
/// # Errors
/// When the world cannot even be made, which is a fault of the simulator.
pub fn run(options: Options) -> Result<Outcome> {
    let mut world = World::new(options)?;
    let heals_at = world.begun_at.plus_ms(options.hours.max(1).saturating_mul(3_600_000));
    world.begin();
    world.at(heals_at, Event::Heal);
    world.run_until(heals_at.plus_ms(CONVERGE_MS));
    if !world.is_decided() {
        world.now = heals_at.plus_ms(CONVERGE_MS);
        converges::at_end(&mut world);
        no_record_lost::at_end(&mut world);
        provable::at_end(&mut world);
        deterministic::at_end(&mut world);
    }
    Ok(world.outcome())
}

impl World {
    fn new(options: Options) -> Result<Self> {
        let chance = |purpose| Chance::new(options.seed, purpose);
        let mut made = chance("campus");
        let begun_at = campus::start(&mut made);
        let count = options.agents.max(1);
        let folder = campus::campus(&mut made, begun_at, count)?;
        let ids: Vec<AgentId> = (0..count).map(|n| AgentId::new(&format!("agent-{n}"))).collect::<Result<_, _>>()?;
        let keys = Keys::new(&mut chance("keys"), &ids, begun_at)?;
        let chances = Chances {
            network: chance("network"),
            disk: chance("disk"),
            staff: chance("staff"),
            holders: chance("holders"),
            faults: chance("faults"),
            adversary: chance("adversary"),
            mutation: chance("mutation"),
            checks: chance("checks"),
        };
        let agents = agents(&mut chance("agents"), &keys, &ids, begun_at);
        let mut world = Self {
            options,
            now: begun_at,
            begun_at,
            authority: Authority::new(keys, options.mutation),
            agents,
            places: ids.iter().cloned().zip(0..).collect(),
            doors: folder.tables.doors.keys().cloned().collect(),
            folder,
            chances,
            truth: Truth::default(),
            closings: Closings::default(),
            verdicts: Verdicts::default(),
            trace: Trace::new(options.seed),
            counts: Counts::default(),
            alarms: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            overheard: Vec::new(),
            is_healing: false,
            queue: BTreeMap::new(),
            next_event: 0,
        };
        world.found(&ids, &mut made).context("the founding of the campus")?;
        Ok(world)
    }

    /// The first entries: the campus is founded and imported, and its agents join.
    fn found(&mut self, ids: &[AgentId], chance: &mut Chance) -> Result<()> {
        let reader_key = ReaderKey(chance.bytes());
        let tzdb = tzdb_version().to_owned();
        let difference = Box::new(Difference::between(&Directory::default(), &self.folder));
        let mut commands =
            vec![Command::Found { reader_key, software: "sim".into(), tzdb }, Command::Import { difference }];
        let token_hash = Hash([1; 32]);
        for agent in ids {
            let (agent, expires_at) = (agent.clone(), self.now.plus_ms(3_600_000));
            let key = self.authority.keys.agent(&agent).public();
            commands.push(Command::AgentAdd { agent: agent.clone(), token_hash, expires_at });
            commands.push(Command::AgentEnrol { agent, key, token_hash });
        }
        self.authority.found(commands, self.now)?;
        self.authority.start(&mut self.truth)?;
        Ok(())
    }

    /// Puts into the queue what happens by itself.
    fn begin(&mut self) {
        for index in 0..self.agents.len() {
            let wait_ms = self.chances.network.between(1, 60_000);
            self.after(wait_ms, Event::StartAgent { index });
        }
        self.after(1, Event::Pulse);
        self.after(60_000, Event::Staff);
        self.after(300_000, Event::Fault);
        self.plan_taps();
    }

    fn outcome(mut self) -> Outcome {
        self.counts.revocation_ms.sort_unstable();
        let Counts { revocation_ms, counted } = self.counts;
        Outcome {
            violations: self.verdicts.violations,
            events: self.trace.events(),
            counts: counted,
            revocation_ms,
            digest: self.trace.digest(),
        }
    }
}

fn agents(chance: &mut Chance, keys: &Keys, ids: &[AgentId], now: doorward_protocol::time::UnixMs) -> Vec<Agent> {
    let agent = |id: &AgentId| {
        let begin = ChainHead::begin(id, Incarnation(chance.bytes()));
        Agent {
            id: id.clone(),
            clock: Clock::new(now, chance.between(-200, 200)),
            disk: Disk::new(Image::new(&keys.statements, begin)),
            link: Link::new(chance),
            life: 0,
            core: None,
            served: None,
            watch: Watch::new(),
        }
    };
    ids.iter().map(agent).collect()
}
