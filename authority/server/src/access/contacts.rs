//! When each agent last had a fresh word, and what it has confirmed: the floor under what is said of its leases.
//!
//! A lease that is said to have ended must have ended, also after a crash of the authority. So what an agent may have
//! heard is written down before it can hear it: each pulse before it is sent, each connection before it stands.

use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::commit::Position;
use doorward_protocol::id::AgentId;
use doorward_protocol::time::UnixMs;
use rusqlite::{OptionalExtension, params};

pub(super) const SCHEMA: &str = "
    CREATE TABLE contacts (
        agent TEXT PRIMARY KEY, connected BIGINT NOT NULL, fresh_at BIGINT NOT NULL, confirmed_epoch BIGINT NOT NULL,
        confirmed_seq BIGINT NOT NULL);
    CREATE TABLE marks (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
";

/// What is known of an agent while it is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// The newest fresh word that it can have had; `None` when it never had one.
    pub fresh_at: Option<UnixMs>,
    /// The newest position that it confirmed as durable.
    pub confirmed: Position,
}

impl AccessStore {
    /// Closes the connections that a crash left open: those agents may have heard everything up to `newest`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn recover_contacts(&self, newest: UnixMs) -> Result<(), StoreError> {
        self.progress.write_blocking(move |transaction| {
            let pulse: Option<i64> = transaction
                .query_row("SELECT value FROM marks WHERE name = 'last_pulse_at'", [], |row| row.get(0))
                .optional()?;
            let newest = pulse.map_or(newest, |pulse| newest.max(UnixMs(pulse)));
            let sql = "UPDATE contacts SET connected = 0, fresh_at = ?1 WHERE connected <> 0 AND fresh_at < ?1";
            transaction.execute(sql, params![newest.0])?;
            transaction.execute("UPDATE contacts SET connected = 0", [])?;
            Ok(())
        })
    }

    /// What is known of an agent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn contact(&self, agent: &AgentId) -> Result<Contact, StoreError> {
        let sql = "SELECT fresh_at, confirmed_epoch, confirmed_seq FROM contacts WHERE agent = ?1";
        let found: Option<(i64, u32, i64)> = self.progress.read(|connection| {
            let row = params![agent.as_str()];
            connection.query_row(sql, row, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
        })?;
        Ok(found.map_or(Contact { fresh_at: None, confirmed: Position::default() }, |(fresh_at, epoch, seq)| Contact {
            fresh_at: (fresh_at != i64::MIN).then_some(UnixMs(fresh_at)),
            confirmed: Position { epoch, seq: unsigned(seq) },
        }))
    }

    /// Writes down that an agent is about to be connected.
    ///
    /// # Errors
    /// See [`StoreError`]; then it must not be let in.
    pub async fn begin_contact(&self, agent: AgentId) -> Result<(), StoreError> {
        self.progress
            .write(move |transaction| {
                let sql = "INSERT INTO contacts (agent, connected, fresh_at, confirmed_epoch, confirmed_seq)
                       VALUES (?1, 1, ?2, 0, 0) ON CONFLICT (agent) DO UPDATE SET connected = 1";
                transaction.execute(sql, params![agent.as_str(), i64::MIN]).map(|_| ())
            })
            .await
    }

    /// Writes down that a connection ended, and the newest word that it can have carried.
    pub fn end_contact(&self, agent: AgentId, fresh_at: Option<UnixMs>) {
        let sql = "UPDATE contacts SET connected = 0, fresh_at = CASE WHEN fresh_at < ?2 THEN ?2 ELSE fresh_at END
                   WHERE agent = ?1";
        let fresh_at = fresh_at.map_or(i64::MIN, |at| at.0);
        // Were it lost, the agent would count as connected until the next start, which errs on the safe side.
        self.progress
            .write_later(move |transaction| transaction.execute(sql, params![agent.as_str(), fresh_at]).map(|_| ()));
    }

    /// Raises what an agent has confirmed as durable.
    pub fn confirm(&self, agent: AgentId, position: Position) {
        let sql = "UPDATE contacts SET confirmed_epoch = ?2, confirmed_seq = ?3
                   WHERE agent = ?1 AND (confirmed_epoch < ?2 OR (confirmed_epoch = ?2 AND confirmed_seq < ?3))";
        // Were it lost, a rolled-back agent would be noticed a little less well; the next receipt brings it again.
        self.progress.write_later(move |transaction| {
            let row = params![agent.as_str(), position.epoch, signed(position.seq)];
            transaction.execute(sql, row).map(|_| ())
        });
    }

    /// Forgets what an agent had confirmed, because another machine has joined under its name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn begin_anew(&self, agent: AgentId) -> Result<(), StoreError> {
        let sql = "UPDATE contacts SET confirmed_epoch = 0, confirmed_seq = 0 WHERE agent = ?1";
        self.progress.write(move |transaction| transaction.execute(sql, params![agent.as_str()]).map(|_| ())).await
    }

    /// Writes down the time of a pulse that is about to be sent.
    ///
    /// # Errors
    /// See [`StoreError`]; then it must not be sent.
    pub async fn note_pulse(&self, at: UnixMs) -> Result<(), StoreError> {
        let sql = "INSERT INTO marks (name, value) VALUES ('last_pulse_at', ?1)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.progress.write(move |transaction| transaction.execute(sql, params![at.0]).map(|_| ())).await
    }

    /// The time of the newest pulse that was ever sent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn last_pulse(&self) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT value FROM marks WHERE name = 'last_pulse_at'";
        self.progress.read(|connection| connection.query_row(sql, [], |row| row.get(0).map(UnixMs)).optional())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;

    #[tokio::test]
    async fn an_agent_that_joins_again_owes_nothing_of_its_former_life() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let agent = AgentId::new("agent").unwrap();
        store.begin_contact(agent.clone()).await.unwrap();
        store.confirm(agent.clone(), Position { epoch: 0, seq: 9 });
        store.begin_anew(agent.clone()).await.unwrap();
        assert_eq!(store.contact(&agent).unwrap().confirmed, Position::default());
    }

    #[tokio::test]
    async fn after_a_crash_an_agent_counts_as_having_heard_the_last_pulse() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let [stayed, left] = ["stayed", "left"].map(|id| AgentId::new(id).unwrap());
        let (store, _) = AccessStore::open(&layout).unwrap();
        for agent in [&stayed, &left] {
            store.begin_contact(agent.clone()).await.unwrap();
        }
        store.end_contact(left.clone(), Some(UnixMs(100)));
        store.note_pulse(UnixMs(500)).await.unwrap();
        drop(store);
        let (store, _) = AccessStore::open(&layout).unwrap();
        let fresh = |store: &AccessStore, agent| store.contact(agent).unwrap().fresh_at;
        let recovering = store.clone();
        tokio::task::spawn_blocking(move || recovering.recover_contacts(UnixMs(300))).await.unwrap().unwrap();
        assert_eq!(fresh(&store, &stayed), Some(UnixMs(500)));
        assert_eq!(fresh(&store, &left), Some(UnixMs(100)));
        assert_eq!(store.last_pulse().unwrap(), Some(UnixMs(500)));
    }

    #[tokio::test]
    async fn what_an_agent_confirmed_never_falls() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let agent = AgentId::new("agent-1").unwrap();
        store.begin_contact(agent.clone()).await.unwrap();
        for (epoch, seq) in [(0, 7), (0, 5), (1, 2), (0, 9)] {
            store.confirm(agent.clone(), Position { epoch, seq });
        }
        store.begin_contact(agent.clone()).await.unwrap();
        assert_eq!(store.contact(&agent).unwrap().confirmed, Position { epoch: 1, seq: 2 });
    }
}
