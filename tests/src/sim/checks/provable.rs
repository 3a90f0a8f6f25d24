//! Provable: what an agent signs is true of its disk, evidence verifies offline and says no more than is so.

use crate::sim::checks::removal_first::held;
use crate::sim::closings::Closing;
use crate::sim::holders::Decided;
use crate::sim::promise::Promise;
use crate::sim::watch::contains;
use crate::sim::world::World;
use doorward_protocol::evidence::{DoorState, verify};
use doorward_protocol::facts::FactKey;
use doorward_protocol::receipt::{About, Receipt};
use doorward_protocol::removal::Item;

/// An agent signs that something is durably in force.
pub fn on_receipt(world: &mut World, index: usize, receipt: &Receipt) {
    let Some(agent) = world.agents.get(index) else { return };
    let case = match receipt.about {
        About::Commit => "durable receipts of commits",
        About::Removal => "durable receipts of removals",
    };
    world.counts.seen(Promise::Provable, case);
    let image = &agent.disk.image;
    let head = image.head.as_ref().map(|stored| stored.head.commit.hash());
    let stored_at = head.and_then(|hash| world.truth.commit(&hash)).map(|committed| committed.at);
    let is_durable = match receipt.about {
        About::Commit => head == Some(receipt.hash) || image.position() > receipt.position,
        About::Removal => {
            let mut parts = image.removals.range((receipt.position, 0)..=(receipt.position, u32::MAX));
            let is_kept = parts.any(|(_, signed)| signed.hash() == receipt.hash);
            let ordered_at = agent.watch.ordered_at.get(&receipt.hash);
            let held = stored_at.map(|at| (image.position(), at));
            let is_contained = ordered_at.is_some_and(|at| contains(held, receipt.position, *at));
            is_kept || is_contained
        }
    };
    if !is_durable {
        let text =
            format!("agent {index} signed {:?} {} as durable, and its disk lacks it", receipt.about, receipt.position);
        world.broken(Promise::Provable, text);
    }
}

/// A revocation is about to get its commit: whoever knows its subject has a place in its evidence.
pub fn on_closing(world: &mut World, closing: &Closing) {
    let Some(core) = &world.authority.core else { return };
    world.counts.seen(Promise::Provable, "revocations whose agents were counted again");
    let forgotten = core.present.compiled.agents().find(|(id, state)| {
        let knows = closing.items.iter().any(|item| match item {
            Item::Suspend(key) | Item::Close(key) => state.fact(&FactKey::Credential(*key)).is_some(),
            Item::LockDown(door) => state.fact(&FactKey::Door(door.clone())).is_some(),
        });
        knows && !closing.agents.contains_key(*id)
    });
    let text =
        forgotten.map(|(id, _)| format!("the evidence of {} leaves out {id}, which knew of it", closing.position));
    text.into_iter().for_each(|text| world.broken(Promise::Provable, text));
}

/// A tap was decided on: where a revocation is not in force, a door obeys it at the latest when its lease ends.
pub fn on_tap(world: &mut World, decided: &Decided<'_>) {
    if !decided.reason.is_grant() {
        return;
    }
    let Some(agent) = world.agents.get(decided.shown.index) else { return };
    let Some(core) = &agent.core else { return };
    let held = held(core, &world.truth);
    let is_beyond = |closing: &&Closing| !contains(held, closing.position, closing.at);
    let names = |item: &Item| match item {
        Item::Suspend(key) | Item::Close(key) => *key == decided.key,
        Item::LockDown(door) => *door == decided.shown.door,
    };
    let open = world.closings.open.values().filter(is_beyond).find_map(|closing| {
        let doors = &closing.agents.get(&agent.id)?.doors;
        let (_, lease_ms) = doors.iter().find(|(door, _)| *door == decided.shown.door)?;
        let ends = closing.at.plus_ms(i64::try_from((*lease_ms)?).unwrap_or(i64::MAX));
        (closing.items.iter().any(names) && decided.at >= ends).then_some(closing.position)
    });
    if let Some(position) = open {
        let text = format!("a door opened after the lease that evidence of {position} names: {:?}", decided.shown);
        world.broken(Promise::Provable, text);
    }
}

/// Everything has healed: each revocation is proven at every door that it concerns.
pub fn at_end(world: &mut World) {
    let mut texts = Vec::new();
    for closing in world.closings.open.values() {
        let file = closing.evidence(&world.authority.keys, &world.authority.journal, world.now);
        let Some(file) = file else { continue };
        world.counts.seen(Promise::Provable, "evidence files verified, and again with a byte changed");
        match verify(&file, &world.authority.keys.root) {
            Ok(finding) => {
                let open = finding.doors.iter().find(|door| !matches!(door.state, DoorState::Closed(_)));
                texts.extend(open.map(|door| {
                    let agent = closing.agents.get(&door.agent);
                    let signed = agent.and_then(|agent| agent.receipt.as_ref());
                    let signed = signed.map(|(receipt, _)| (receipt.about, receipt.position));
                    let (position, agent, state) = (closing.position, &door.agent, door.state);
                    format!("the evidence of {position} leaves {agent} {state:?}, which signed {signed:?}")
                }));
            }
            Err(error) => texts.push(format!("the evidence of {} does not verify: {error}", closing.position)),
        }
        let mut changed = file;
        let place = world.chances.checks.index(changed.len());
        if let Some(byte) = changed.get_mut(place) {
            *byte ^= 1;
        }
        if verify(&changed, &world.authority.keys.root).is_ok() {
            texts.push(format!("the evidence of {} verifies with byte {place} changed", closing.position));
        }
    }
    texts.into_iter().for_each(|text| world.broken(Promise::Provable, text));
}
