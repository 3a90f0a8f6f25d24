//! The authority's access store of a run: the records of every agent, in the order in which they were stored.

use doorward_protocol::commit::Position;
use doorward_protocol::id::{AgentId, Incarnation};
use doorward_protocol::record::{ChainHead, Record};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Store {
    chains: BTreeMap<AgentId, Chains>,
}

/// What is stored of one agent.
#[derive(Debug, Clone, Default)]
pub struct Chains {
    /// Where its chains stand, the newest last.
    pub heads: Vec<ChainHead>,
    /// The newest position that it confirmed as durable.
    pub confirmed: Position,
    /// Records by the life of the chain.
    pub records: BTreeMap<Incarnation, Vec<Record>>,
}

impl Store {
    /// What is stored of an agent.
    pub fn of(&self, agent: &AgentId) -> Option<&Chains> {
        self.chains.get(agent)
    }

    /// Stores records and where the chain stands after them; what is there already is not stored again.
    pub fn store(&mut self, agent: &AgentId, records: &[Record], head: ChainHead, doubles: bool) {
        let chains = self.chains.entry(agent.clone()).or_default();
        let chain = chains.records.entry(head.incarnation).or_default();
        for record in records {
            if doubles || !chain.iter().rev().any(|known| known.seq == record.seq) {
                chain.push(record.clone());
            }
        }
        if doubles {
            chain.extend(records.last().cloned());
        }
        let known = chains.heads.iter().find(|known| known.incarnation == head.incarnation);
        let newest = known.copied().filter(|known| known.seq > head.seq).unwrap_or(head);
        chains.heads.retain(|known| known.incarnation != head.incarnation);
        chains.heads.push(newest);
    }

    /// How many of these records, from the first on, are stored as they are.
    pub fn same(&self, agent: &AgentId, incarnation: Incarnation, records: &[Record]) -> usize {
        let chain = self.chains.get(agent).and_then(|chains| chains.records.get(&incarnation));
        let is_stored = |record: &&Record| chain.is_some_and(|chain| chain.contains(record));
        records.iter().take_while(is_stored).count()
    }

    /// Keeps what an agent confirmed.
    pub fn confirm(&mut self, agent: &AgentId, position: Position) {
        let chains = self.chains.entry(agent.clone()).or_default();
        chains.confirmed = chains.confirmed.max(position);
    }
}
