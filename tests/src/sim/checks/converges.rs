//! Converges: who is reachable is brought to the newest commit in time, by deltas, and stands exactly there at the end.

use crate::sim::agent::Agent;
use crate::sim::promise::Promise;
use crate::sim::world::World;
use doorward_policy::command::Command;
use doorward_protocol::commit::Position;
use doorward_protocol::frame::{Base, StateClaim, Update};
use doorward_protocol::id::Hash;
use doorward_protocol::state::State;

/// How old the newest fresh word may be at the end, in milliseconds.
const FRESH_MS_MAX: i64 = 2 * crate::sim::world::PULSE_MS + 60_000;

impl World {
    /// By now a commit must be in force, unless the line was disturbed.
    pub fn check_commit_due(&mut self, index: usize, (generation, life): (u64, u64), position: Position) {
        let Some(agent) = self.agents.get(index) else { return };
        let is_same = agent.link.generation == generation && agent.life == life;
        if !is_same || !agent.is_connected() || agent.link.is_tampered || !self.shares_history(agent) {
            return;
        }
        let held = agent.core.as_ref().and_then(|core| core.position);
        self.counts.seen(Promise::Converges, "commits that had to be in force in time");
        if held.is_none_or(|held| held < position) {
            self.broken(Promise::Converges, format!("agent {index} is at {held:?} long after commit {position}"));
        }
    }

    /// An update goes out: a snapshot only where no list of changes leads to the newest commit.
    pub fn check_update(&mut self, index: usize, have: Option<StateClaim>, update: &Update) {
        if update.base == Base::Present {
            return self.counts.seen(Promise::Converges, "deltas sent");
        }
        self.counts.seen(Promise::Converges, "snapshots sent");
        let Some(have) = have.filter(|have| have.position.epoch == self.authority.keys.epoch()) else { return };
        let Some(agent) = self.agents.get(index) else { return };
        let journal = &self.authority.journal;
        let known = journal.commits.get(&have.position).and_then(|commit| self.truth.commit(&commit.hash()));
        let is_known = known.is_some_and(|known| known.digests.get(&agent.id) == Some(&have.digest));
        // An import may touch everything; single commands never do.
        let since = journal.entries.iter().filter(|entry| entry.seq > have.position.seq);
        let is_small = since.into_iter().all(|entry| !matches!(entry.command, Command::Import { .. }));
        if is_known && is_small {
            let text = format!("agent {index} at {} gets everything where a delta does", have.position);
            self.broken(Promise::Converges, text);
        }
    }

    /// An agent did not take what the authority made for it: that costs a snapshot where a delta should have done.
    pub fn check_refused_delta(&mut self, index: usize, text: &str) {
        let Some(agent) = self.agents.get(index) else { return };
        if !agent.link.is_tampered && self.shares_history(agent) {
            self.broken(Promise::Converges, format!("an honest delta was refused: {text}"));
        }
    }
}

impl World {
    /// Whether an agent and the authority have one history: not while the journal is an older copy, nor before the agent
    /// has come over to the epoch that ended that.
    fn shares_history(&self, agent: &Agent) -> bool {
        let epoch = agent.core.as_ref().and_then(|core| core.position).map(|position| position.epoch);
        !self.authority.is_rolled_back && epoch == Some(self.authority.keys.epoch())
    }
}

/// Everything has healed.
pub fn at_end(world: &mut World) {
    let Some(core) = &world.authority.core else {
        return world.broken(Promise::Converges, "the authority is down".into());
    };
    let head = core.present.published.position;
    let mut texts = Vec::new();
    for (index, agent) in world.agents.iter().enumerate() {
        let digest = core.present.compiled.state(&agent.id).map(State::digest);
        let is_fresh = agent
            .core
            .as_ref()
            .is_some_and(|core| core.view.clock_trusted && world.now.since_ms(core.view.fresh_at) <= FRESH_MS_MAX);
        let fault = fault_of(agent, head, digest);
        let fault = fault.or_else(|| (!is_fresh).then(|| "has heard no fresh word".to_owned()));
        texts.extend(fault.map(|fault| format!("agent {index} {fault}, long after everything healed at {head}")));
    }
    texts.into_iter().for_each(|text| world.broken(Promise::Converges, text));
}

fn fault_of(agent: &Agent, head: Position, digest: Option<Hash>) -> Option<String> {
    let Some(core) = &agent.core else { return Some("is down".into()) };
    if !agent.is_connected() {
        return Some("is not connected".into());
    }
    if core.position != Some(head) {
        return Some(format!("is at {:?}", core.position));
    }
    if Some(core.sync.digest()) != digest {
        return Some("has another state".into());
    }
    if !core.view.overlay.is_empty() {
        return Some("still keeps removals beside its state".into());
    }
    if core.recorder.unsent() > 0 {
        return Some(format!("still has {} records", core.recorder.unsent()));
    }
    let image = &agent.disk.image;
    let on_disk = State::from_facts(image.facts.values().cloned()).ok().map(|state| state.digest());
    if image.position() != head || on_disk != digest {
        return Some("has another state on its disk".into());
    }
    None
}
