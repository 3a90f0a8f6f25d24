//! Never backward: a position never falls, and what is durable does not fall over a restart either.

use crate::sim::promise::Promise;
use crate::sim::world::World;
use doorward_protocol::commit::Position;

/// An agent starts.
pub fn on_start(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get(index) else { return };
    let Some(authority) = &world.authority.core else { return };
    let top = agent.watch.top;
    if top > Position::default() && top < authority.present.published.position {
        world.counts.seen(Promise::NeverBackward, "starts on an old state that must catch up");
    } else if top > Position::default() {
        world.counts.seen(Promise::NeverBackward, "starts on a state that must not be lost");
    }
}

/// Looks at where an agent stands.
pub fn check(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get_mut(index) else { return };
    let Some(core) = &agent.core else { return };
    let top = agent.watch.top;
    let Some(position) = core.sync.position() else {
        // What somebody took off the disk can be gone; what a crash leaves is whole.
        if top > Position::default() && !agent.disk.is_altered {
            world.broken(Promise::NeverBackward, format!("agent {index} stood at {top} and has no state any more"));
        }
        return;
    };
    agent.watch.top = top.max(position);
    if position < top {
        world.broken(Promise::NeverBackward, format!("agent {index} stood at {top} and is at {position}"));
    }
}
