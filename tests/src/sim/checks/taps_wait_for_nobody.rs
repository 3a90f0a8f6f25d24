//! Taps wait for nobody: a card is decided on at the instant at which it is shown, from one complete state, also while
//! an update is half there or the disk is busy.

use crate::sim::holders::Decided;
use crate::sim::promise::Promise;
use crate::sim::world::World;
use doorward_protocol::decide::Reason;

/// A tap was decided on.
pub fn on_tap(world: &mut World, decided: &Decided<'_>) {
    let Some(core) = world.agents.get(decided.shown.index).and_then(|agent| agent.core.as_ref()) else { return };
    if core.parts_left > 0 {
        world.counts.seen(Promise::TapsWaitForNobody, "taps while an update is half there");
    } else if decided.is_during_update {
        world.counts.seen(Promise::TapsWaitForNobody, "taps while the disk is busy");
    }
    let is_complete = core.view.cache.is_some() == core.position.is_some();
    let waited_ms = decided.decided_at.since_ms(decided.shown_at);
    let lost_its_state = decided.is_during_update && decided.reason == Reason::NoState && core.position.is_some();
    let text = if waited_ms != 0 {
        format!("a tap waited {waited_ms} ms: {:?}", decided.shown)
    } else if !is_complete || (lost_its_state && has_door(world, decided)) {
        format!("a tap met a state that is neither the old nor the new one: {:?}", decided.shown)
    } else {
        return;
    };
    world.broken(Promise::TapsWaitForNobody, text);
}

/// Whether the commit in force gives the door to this agent; an import may have moved it.
fn has_door(world: &World, decided: &Decided<'_>) -> bool {
    let Some(agent) = world.agents.get(decided.shown.index) else { return false };
    let committed = agent.core.as_ref().and_then(|core| world.truth.commit(&core.commit?));
    let directory = committed.and_then(|committed| committed.directory.as_ref());
    directory.is_some_and(|directory| directory.agent_of(&decided.shown.door) == Some(&agent.id))
}
