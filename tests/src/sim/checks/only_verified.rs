//! Only verified: whatever an agent decides by was signed for it by the authority, fact by fact.

use crate::sim::agent::Agent;
use crate::sim::promise::Promise;
use crate::sim::truth::Truth;
use crate::sim::world::World;
use doorward_protocol::cache::Cache;
use doorward_protocol::facts::{Fact, FactKey};
use doorward_protocol::state::State;
use std::sync::Arc;

/// Looks at what an agent decides by, where that is new.
pub fn check(world: &mut World, index: usize) {
    let Some(agent) = world.agents.get_mut(index) else { return };
    let Some(text) = fault_of(agent, &world.truth) else { return };
    world.broken(Promise::OnlyVerified, format!("agent {index}: {text}"));
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
    let keys = committed
        .directory
        .iter()
        .flat_map(|directory| directory.tables().cards.keys().map(|card| cache.credential_key(card.as_str())));
    let state = committed.state(&agent.id);
    let unsigned = keys.filter(|key| {
        cache.credential(*key).is_some() && state.is_some_and(|state| state.fact(&FactKey::Credential(*key)).is_none())
    });
    let unsigned = unsigned.map(|key| format!("holds {key} unsigned at {position}")).next();
    agent.watch.seen = Some(Arc::clone(cache));
    agent.watch.seen_commit = core.commit;
    fault.map(|fault| format!("{fault} at {position}")).or(unsigned)
}

/// What of a signed state the cache says otherwise.
fn difference(cache: &Cache, state: &State) -> Option<String> {
    let doors = state.facts().filter(|fact| matches!(fact, Fact::Door(_))).count();
    if cache.doors().len() != doors {
        return Some("decides for other doors than the signed ones".into());
    }
    state.facts().find_map(|fact| match fact {
        Fact::Credential(credential) => (cache.credential(credential.key) != Some(credential))
            .then(|| format!("knows {} otherwise than signed", credential.key)),
        Fact::Door(door) => {
            let known = cache.door(&door.door);
            let same =
                known.is_some_and(|known| known.lockdown() == door.lockdown && known.identity() == door.identity);
            (!same).then(|| format!("knows door {} otherwise than signed", door.door))
        }
        Fact::Class(id, _) => cache.class(*id).is_none().then(|| format!("lacks class {id}")),
        Fact::Reader(key) => (cache.credential_key("x") != key.credential_key("x")).then(|| "has another key".into()),
        Fact::Calendar(_) | Fact::Schedule(..) => None,
    })
}
