//! Never backward: a position never falls, and what is durable does not fall over a restart either.

use crate::sim::promise::Promise;
use crate::sim::world::World;

/// Looks at where an agent stands.
pub fn check(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get_mut(index) else { return };
    let Some(position) = agent.core.as_ref().and_then(|core| core.sync.position()) else { return };
    let top = agent.watch.top;
    agent.watch.top = top.max(position);
    if position < top {
        world.broken(Promise::NeverBackward, format!("agent {index} stood at {top} and is at {position}"));
    }
}
