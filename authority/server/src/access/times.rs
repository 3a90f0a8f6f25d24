//! How long removals took until each agent had them on its disk, and which entries agents were told of.

use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::time::UnixMs;
use rusqlite::params;
use std::collections::BTreeSet;

/// How long one removal took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalTimes {
    /// The journal entry.
    pub seq: u64,
    /// When the command was accepted.
    pub at: UnixMs,
    /// Name of the command.
    pub command: String,
    /// The agents that it concerns, and when the word of each came that it is durable there.
    pub agents: Vec<(String, Option<UnixMs>)>,
}

impl AccessStore {
    /// The newest changes that removed something, newest first. `nothing` is how the list of removals of a change that removes
    /// nothing is stored.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn removal_times(&self, nothing: &[u8], limit: u32) -> Result<Vec<RemovalTimes>, StoreError> {
        let sql = "SELECT newest.seq, newest.at, newest.command, closing_agents.agent, closing_agents.durable_at
                   FROM (SELECT seq, at, command FROM closings WHERE removals <> ?1 ORDER BY seq DESC LIMIT ?2) newest
                   JOIN closing_agents ON closing_agents.seq = newest.seq
                   ORDER BY newest.seq DESC, closing_agents.agent";
        self.progress.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![nothing, limit])?;
            let mut changes: Vec<RemovalTimes> = Vec::new();
            while let Some(row) = rows.next()? {
                let seq = unsigned(row.get(0)?);
                let agent = (row.get(3)?, row.get::<_, Option<i64>>(4)?.map(UnixMs));
                match changes.last_mut().filter(|change| change.seq == seq) {
                    Some(change) => change.agents.push(agent),
                    None => {
                        let (at, command) = (UnixMs(row.get(1)?), row.get(2)?);
                        changes.push(RemovalTimes { seq, at, command, agents: vec![agent] });
                    }
                }
            }
            Ok(changes)
        })
    }

    /// Which entries of the journal, of those from `first` to `last`, agents were told of.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn told(&self, first: u64, last: u64) -> Result<BTreeSet<u64>, StoreError> {
        let sql = "SELECT seq FROM closings WHERE seq BETWEEN ?1 AND ?2";
        self.progress.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let seqs = statement.query_map([signed(first), signed(last)], |row| row.get(0).map(unsigned))?;
            seqs.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ClosingAgentRow, ClosingRow};
    use crate::paths::Layout;
    use doorward_protocol::commit::Position;
    use doorward_protocol::id::AgentId;

    #[test]
    fn the_newest_removals_say_who_has_them_and_since_when() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let agent = |id: &str| ClosingAgentRow {
            agent: AgentId::new(id).unwrap(),
            doors: Vec::new(),
            leaf: None,
            applied_at: None,
            durable_at: None,
            receipt: None,
            about: None,
        };
        let removals = [vec![9], vec![0], vec![9], vec![9]];
        for (seq, removals) in (4..).zip(removals) {
            let (position, command) = (Position { epoch: 0, seq }, "card-suspend".to_owned());
            let agents = vec![agent("a"), agent("b")];
            let (subject, why) = (String::new(), String::new());
            store
                .begin_closing(ClosingRow { position, at: UnixMs(5), command, subject, why, removals, agents })
                .unwrap()
                .wait()
                .unwrap();
        }
        store.advance_closing(7, ClosingAgentRow { durable_at: Some(UnixMs(8)), ..agent("b") });
        // Whatever is stored later is stored after it.
        store.recover_contacts(UnixMs(0)).unwrap();
        let times = store.removal_times(&[0], 2).unwrap();
        let of = |seq, b| RemovalTimes {
            seq,
            at: UnixMs(5),
            command: "card-suspend".into(),
            agents: vec![("a".into(), None), ("b".into(), b)],
        };
        assert_eq!(times, [of(7, Some(UnixMs(8))), of(6, None)], "neither the oldest nor what removes nothing");
        assert_eq!(store.told(5, 6).unwrap(), BTreeSet::from([5, 6]));
    }
}
