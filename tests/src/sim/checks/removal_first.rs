//! Removal first: a removal that was delivered denies from then on, and delivery waits for nothing but the line.

use crate::sim::agent::{Agent, Core};
use crate::sim::holders::Decided;
use crate::sim::keys::Keys;
use crate::sim::promise::Promise;
use crate::sim::truth::Truth;
use crate::sim::watch::{Watch, contains};
use crate::sim::world::World;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Narrowed, View};
use doorward_protocol::facts::CredentialState;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;

/// A removal is delivered; what an agent must not believe counts for nothing.
pub fn hear_removal(
    keys: &Keys,
    core: &Core,
    watch: &mut Watch,
    signed: &Signed<Removal>,
    wall: UnixMs,
    truth: &Truth,
) {
    let Some(removal) = keys.believes(core.statement, signed) else { return };
    if keys.epoch_of(core.statement) != Some(removal.position.epoch) {
        return;
    }
    watch.ordered_at.insert(signed.hash(), removal.at);
    let is_contained = contains(held(core, truth), removal.position, removal.at);
    if !is_contained {
        watch.hear(removal.at, wall, false);
        let key = (removal.position, removal.part);
        if watch.removals.get(&key).is_some_and(|old| contains(held(core, truth), removal.position, old.at)) {
            watch.removals.remove(&key);
        }
        watch.remove(removal);
    }
}

/// A tap was decided on: whether it is of what a removal took away ahead of its commit.
pub fn on_tap(world: &mut World, decided: &Decided<'_>) {
    let core = world.agents.get(decided.shown.index).and_then(|agent| agent.core.as_ref());
    let Some(View { overlay, .. }) = core.map(|core| &core.view) else { return };
    let is_taken = overlay.state_of(decided.key, CredentialState::Active) != Narrowed::As(CredentialState::Active);
    if is_taken || overlay.locks(&decided.shown.door) {
        world.counts.seen(Promise::RemovalFirst, "taps of what a removal took away ahead of its commit");
    }
}

/// Looks at whether everything that was taken away is.
pub fn check(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get(index) else { return };
    let Some(core) = &agent.core else { return };
    let held = held(core, &world.truth);
    if core.view.cache.is_some() {
        let open = agent.watch.removals_beyond(held).find(|(_, removed)| !denies(&core.view, &removed.items));
        if let Some(((position, part), _)) = open {
            let text = format!("agent {index} at {held:?} lets through what removal {position} ({part}) took away");
            return world.broken(Promise::RemovalFirst, text);
        }
    }
    let arrived: Vec<_> = world
        .on_the_way
        .range((index, Position::default())..(index + 1, Position::default()))
        .filter(|((_, position), _)| is_in_force(agent, core, held, *position))
        .map(|(key, at)| (*key, *at))
        .collect();
    for (key, at) in arrived {
        world.on_the_way.remove(&key);
        world.counts.seen(Promise::RemovalFirst, "revocations in force at an agent that was connected");
        world.counts.revocation_ms.push(world.now.since_ms(at));
    }
}

fn is_in_force(agent: &Agent, core: &Core, held: Option<(Position, UnixMs)>, position: Position) -> bool {
    let parts = agent.watch.removals.range((position, 0)..=(position, u32::MAX));
    let denied = parts.into_iter().map(|(_, removed)| denies(&core.view, &removed.items));
    let denied: Vec<bool> = denied.collect();
    held.is_some_and(|(held, _)| held >= position) || (!denied.is_empty() && denied.iter().all(|denied| *denied))
}

/// By now a removal must be in force, unless the line was disturbed.
impl World {
    pub fn check_removal_due(&mut self, index: usize, (generation, life): (u64, u64), position: Position, part: u32) {
        let Some(agent) = self.agents.get(index) else { return };
        if !agent.is_connected() || agent.link.is_tampered || agent.link.generation != generation || agent.life != life
        {
            return;
        }
        let Some(core) = &agent.core else { return };
        let is_contained = held(core, &self.truth).is_some_and(|(held, _)| held >= position);
        if !is_contained && !agent.watch.removals.contains_key(&(position, part)) {
            self.broken(Promise::RemovalFirst, format!("removal {position} has not reached agent {index} in time"));
        }
    }
}

/// The commit in force and its time.
pub fn held(core: &Core, truth: &Truth) -> Option<(Position, UnixMs)> {
    let position = core.position?;
    let committed = core.commit.and_then(|hash| truth.commit(&hash))?;
    Some((position, committed.at))
}

fn denies(view: &View, items: &[Item]) -> bool {
    let is_active =
        |key: &_| view.overlay.state_of(*key, CredentialState::Active) == Narrowed::As(CredentialState::Active);
    items.iter().all(|item| match item {
        Item::Suspend(key) | Item::Close(key) => !is_active(key),
        Item::LockDown(door) => view.overlay.locks(door),
    })
}
