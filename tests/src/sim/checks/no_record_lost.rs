//! No record lost, none doubled: an answered grant is durable before the strike moves, and comes home once.

use crate::sim::agent::Agent;
use crate::sim::promise::Promise;
use crate::sim::store::Store;
use crate::sim::watch::words_of;
use crate::sim::world::World;
use core::ops::Range;
use doorward_protocol::codec::decode;
use doorward_protocol::decide::Reason;
use doorward_protocol::record::Record;
use doorward_protocol::session::AlarmKind;
use std::collections::BTreeMap;

/// A tap is answered.
pub fn on_answer(world: &mut World, index: usize, ticket: u64, reason: Reason) {
    let Some(agent) = world.agents.get_mut(index) else { return };
    let Some(core) = &mut agent.core else { return };
    let made = core.appending.iter().find(|(known, _)| *known == ticket).map(|(_, record)| record.clone());
    core.queued.retain(|known| *known != ticket);
    if !reason.is_grant() {
        return;
    }
    world.counts.seen(Promise::NoRecordLost, "grants answered");
    let image = &agent.disk.image;
    let is_durable = made
        .as_ref()
        .is_some_and(|record| image.records.get(&record.seq) == Some(record) || image.acknowledged.seq >= record.seq);
    match made {
        Some(record) if is_durable => *agent.watch.answered.entry(words_of(&record)).or_default() += 1,
        Some(record) => {
            // It still has to come home.
            *agent.watch.answered.entry(words_of(&record)).or_default() += 1;
            let text = format!("agent {index} opened a door before record {} was durable", record.seq);
            world.broken(Promise::NoRecordLost, text);
        }
        None => world.broken(Promise::NoRecordLost, format!("agent {index} opened a door without a record")),
    }
}

/// Somebody put an old disk or an old journal in place: what is nowhere any more cannot come home.
pub fn forgive_what_is_gone(world: &mut World, of: Range<usize>) {
    for agent in world.agents.iter_mut().skip(of.start).take(of.len()) {
        let mut there = stored(&world.authority.journal.store, agent);
        let image = &agent.disk.image;
        // What was acknowledged already is not sent again, although it may still lie there.
        let recorder = agent.core.as_ref().map(|core| &core.recorder);
        let acknowledged =
            recorder.map_or(image.acknowledged.seq, |recorder| recorder.head().seq.saturating_sub(recorder.unsent()));
        for record in image.records.range(acknowledged.saturating_add(1)..).map(|(_, record)| record) {
            *there.entry(words_of(record)).or_default() += 1;
        }
        agent.watch.answered.retain(|words, count| {
            *count = (*count).min(there.get(words).copied().unwrap_or_default());
            *count > 0
        });
    }
}

/// Everything has healed: what was answered is home, once, in chains without gaps.
pub fn at_end(world: &mut World) {
    let mut texts = Vec::new();
    for (index, agent) in world.agents.iter().enumerate() {
        let home = stored(&world.authority.journal.store, agent);
        let lost =
            agent.watch.answered.iter().find(|(words, count)| home.get(*words).copied().unwrap_or_default() < **count);
        let doubled =
            home.iter().find(|(words, count)| agent.watch.made.get(*words).copied().unwrap_or_default() < **count);
        texts.extend(lost.map(|(words, count)| {
            let record: Option<Record> = decode(words).ok();
            let stored = world.authority.journal.store.of(&agent.id).map(|stored| &stored.heads);
            format!(
                "a door of agent {index} opened {count} times, and a record never came home: {record:?}; {stored:?}"
            )
        }));
        texts.extend(doubled.map(|(words, count)| {
            let record: Option<Record> = decode(words).ok();
            format!("a record of agent {index} came home {count} times, more often than it was made: {record:?}")
        }));
        let chains = world.authority.journal.store.of(&agent.id).map_or(0, |stored| stored.records.len());
        let is_told = world.alarms.get(&index).is_some_and(|alarms| alarms.contains(&AlarmKind::NewChain));
        let untold = chains > 1 && !is_told;
        texts.extend(untold.then(|| format!("agent {index} has {chains} chains, and nobody was told")));
        let may_gap = world.alarms.get(&index).is_some_and(|alarms| alarms.contains(&AlarmKind::RecordGap));
        let chains = world.authority.journal.store.of(&agent.id).into_iter().flat_map(|stored| stored.records.values());
        let broken = chains.filter(|chain| !may_gap && !is_gap_free(chain)).count();
        texts.extend((broken > 0).then(|| format!("a stored chain of agent {index} has a gap or a double")));
    }
    texts.into_iter().for_each(|text| world.broken(Promise::NoRecordLost, text));
}

fn stored(store: &Store, agent: &Agent) -> BTreeMap<Vec<u8>, u32> {
    let mut home = BTreeMap::new();
    let chains = store.of(&agent.id).into_iter().flat_map(|stored| stored.records.values());
    for record in chains.flatten() {
        *home.entry(words_of(record)).or_default() += 1;
    }
    home
}

fn is_gap_free(chain: &[Record]) -> bool {
    (1..).zip(chain).all(|(seq, record): (u64, &Record)| record.seq == seq)
}
