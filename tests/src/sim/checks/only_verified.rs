//! Only verified: whatever an agent decides by was signed for it by the authority, fact by fact.

use crate::sim::agent::Agent;
use crate::sim::promise::Promise;
use crate::sim::truth::Truth;
use crate::sim::world::World;
use doorward_protocol::cache::{Cache, CachedDoor};
use doorward_protocol::decide::Narrowed;
use doorward_protocol::facts::{CredentialState, Fact};
use doorward_protocol::id::DoorId;
use doorward_protocol::removal::Item;
use doorward_protocol::state::State;
use std::sync::Arc;

/// Looks at what an agent decides by, where that is new.
pub fn check(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get_mut(index) else { return };
    let before = agent.watch.seen_commit;
    let text = fault_of(agent, &world.truth).or_else(|| unordered(agent, &world.truth));
    if agent.watch.seen_commit != before {
        world.counts.seen(Promise::OnlyVerified, "states compared fact by fact with what was signed");
    }
    text.into_iter().for_each(|text| world.broken(Promise::OnlyVerified, format!("agent {index}: {text}")));
}

/// What is taken away although no removal that was delivered says so.
fn unordered(agent: &mut Agent, truth: &Truth) -> Option<String> {
    let core = agent.core.as_ref()?;
    let (overlay, cache) = (&core.view.overlay, core.view.cache.as_ref()?);
    if agent.watch.seen_overlay.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, overlay)) {
        return None;
    }
    agent.watch.seen_overlay = Some(Arc::clone(overlay));
    let kept = agent.disk.image.removals.values().filter_map(|signed| signed.unverified().ok());
    let kept: Vec<Item> = kept.flat_map(|removal| removal.items).collect();
    let delivered = agent.watch.removals.values().flat_map(|removed| &removed.items);
    let ordered: Vec<&Item> = delivered.chain(&kept).collect();
    let locked = cache
        .doors()
        .iter()
        .map(CachedDoor::id)
        .find(|door| overlay.locks(door) && !ordered.contains(&&Item::LockDown(DoorId::clone(door))));
    let directory = core.commit.and_then(|hash| truth.commit(&hash));
    let directory = directory.filter(|committed| committed.compiled.is_some());
    let directory = directory.and_then(|committed| committed.directory.as_ref());
    let cards = directory.into_iter().flat_map(|directory| directory.tables().cards.keys());
    let mut keys = cards.map(|card| cache.credential_key(card.as_str()));
    let taken = keys.find(|key| {
        overlay.state_of(*key, CredentialState::Active) != Narrowed::As(CredentialState::Active)
            && !ordered.contains(&&Item::Suspend(*key))
            && !ordered.contains(&&Item::Close(*key))
    });
    let locked = locked.map(|door| format!("door {door} is locked down, and nobody ordered it"));
    locked.or_else(|| taken.map(|key| format!("{key} is taken away, and nobody ordered it")))
}

fn fault_of(agent: &mut Agent, truth: &Truth) -> Option<String> {
    let core = agent.core.as_ref()?;
    let Some(position) = core.position else {
        return core.view.cache.is_some().then(|| "decides without a verified state".into());
    };
    let Some(committed) = core.commit.and_then(|hash| truth.commit(&hash)) else {
        return Some(format!("stands at {position}, a commit that the authority never made"));
    };
    if committed.position != position || committed.digests.get(&agent.id) != Some(&core.sync.digest()) {
        return Some(format!("has another state at {position} than the signed one"));
    }
    let Some(cache) = &core.view.cache else { return Some(format!("has no cache at {position}")) };
    let is_seen = agent.watch.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, cache));
    if is_seen && agent.watch.seen_commit == core.commit {
        return None;
    }
    let fault = committed.state(&agent.id).and_then(|state| difference(cache, state));
    // Of a large campus neither all states are kept nor are all cards of it asked for at each agent.
    let keys = committed
        .directory
        .iter()
        .filter(|_| committed.compiled.is_some())
        .flat_map(|directory| directory.tables().cards.keys().map(|card| cache.credential_key(card.as_str())));
    let state = committed.state(&agent.id);
    let unsigned = keys
        .filter(|key| cache.credential(*key).is_some() && state.is_some_and(|state| state.credential(*key).is_none()));
    let unsigned = unsigned.map(|key| format!("holds {key} unsigned at {position}")).next();
    agent.watch.seen = Some(Arc::clone(cache));
    agent.watch.seen_commit = core.commit;
    fault.map(|fault| format!("{fault} at {position}")).or(unsigned)
}

/// What of a signed state the cache says otherwise.
fn difference(cache: &Cache, state: &State) -> Option<String> {
    let doors = state.doors().count();
    if cache.doors().len() != doors {
        return Some("decides for other doors than the signed ones".into());
    }
    state.facts().find_map(|fact| match &*fact {
        Fact::Credential(credential) => (cache.credential(credential.key) != Some(*credential))
            .then(|| format!("knows {} otherwise than signed", credential.key)),
        Fact::Door(door) => {
            let known = cache.door(&door.door);
            let same =
                known.is_some_and(|known| known.lockdown() == door.lockdown && known.identity() == door.identity);
            (!same).then(|| format!("knows door {} otherwise than signed", door.door))
        }
        Fact::Reader(key) => (cache.credential_key("x") != key.credential_key("x")).then(|| "has another key".into()),
        // A class that is there has credentials, which were compared with it.
        Fact::Calendar(_) | Fact::Schedule(..) | Fact::Class(..) => None,
    })
}
