//! What is kept no longer: old access records, alarms and looks, removed some at a time, so that what comes in meanwhile does not wait.
//!
//! The newest row of each table stays, however old it is: numbers go on after it. Where the chains of agents stand is kept apart
//! from their records, so that a chain whose beginning was removed is no shorter than before; up to where it was, is kept, too.

use super::database::Database;
use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::id::Incarnation;
use doorward_protocol::time::UnixMs;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Added to what the first version of the store had.
pub(super) const ADDED: &str = "
    CREATE TABLE IF NOT EXISTS removed (
        agent TEXT NOT NULL, incarnation BLOB NOT NULL, seq BIGINT NOT NULL, count BIGINT NOT NULL,
        PRIMARY KEY (agent, incarnation));
";

/// Rows that are removed together: a few milliseconds of the writer.
const BATCH: usize = 500;

/// What is removed when it is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// Access records, by when they came home: that is the authority's own clock, and the order in which they are numbered.
    Records,
    /// Alarms that somebody has looked at.
    Alarms,
    /// Looks.
    Looks,
}

/// The beginning of a chain that is kept no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Whose.
    pub agent: String,
    /// Which chain, in hexadecimal.
    pub incarnation: String,
    /// Up to which of its records.
    pub seq: u64,
    /// How many of them had come home.
    pub count: u64,
}

impl Old {
    /// The table, the column that says how old a row is, and what else must hold.
    const fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Records => ("records", "received_at", ""),
            Self::Alarms => ("alarms", "at", " AND acknowledged = 1"),
            Self::Looks => ("looks", "at", ""),
        }
    }

    /// Rows before a bound, which must be looked at one by one: a clock may have been put back between them.
    fn condition(self) -> String {
        let (table, at, also) = self.place();
        format!("FROM {table} WHERE id < ?1 AND {at} < ?2{also}")
    }

    /// The number of the first row that is new enough, or of the newest: found by halves, since rows come in the order of time.
    fn bound(self, connection: &Connection, before: UnixMs) -> rusqlite::Result<i64> {
        let (table, at, _) = self.place();
        let ends = format!("SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM {table}");
        let (mut low, mut high): (i64, i64) = connection.query_row(&ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sql = format!("SELECT {at} FROM {table} WHERE id >= ?1 ORDER BY id LIMIT 1");
        let mut statement = connection.prepare_cached(&sql)?;
        while low < high {
            let middle = low.midpoint(high);
            let found: Option<i64> = statement.query_row([middle], |row| row.get(0)).optional()?;
            if found.is_some_and(|at| at < before.0) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn remove(self, transaction: &Transaction<'_>, before: UnixMs) -> rusqlite::Result<usize> {
        let (table, _, _) = self.place();
        let bound = self.bound(transaction, before)?;
        let chosen = format!("SELECT id {} ORDER BY id LIMIT ?3", self.condition());
        let row = params![bound, before.0, signed(u64::try_from(BATCH).unwrap_or(u64::MAX))];
        if self == Self::Records {
            let sql = format!(
                "INSERT INTO removed (agent, incarnation, seq, count)
                 SELECT agent, incarnation, MAX(seq), COUNT(*) FROM records WHERE id IN ({chosen})
                 GROUP BY agent, incarnation
                 ON CONFLICT (agent, incarnation) DO UPDATE
                 SET seq = MAX(seq, excluded.seq), count = count + excluded.count"
            );
            transaction.prepare_cached(&sql)?.execute(row)?;
        }
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE id IN ({chosen})"))?.execute(row)
    }
}

impl AccessStore {
    fn database_of(&self, old: Old) -> &Database {
        match old {
            Old::Records | Old::Alarms => &self.log,
            Old::Looks => &self.looks,
        }
    }

    /// Removes some of what is from before an instant; says how many, and whether there may be more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remove_old(&self, old: Old, before: UnixMs) -> Result<(u64, bool), StoreError> {
        let remove = move |transaction: &Transaction<'_>| old.remove(transaction, before);
        let removed = self.database_of(old).write_rows(BATCH, remove).await?;
        Ok((u64::try_from(removed).unwrap_or(u64::MAX), removed >= BATCH))
    }

    /// How many are from before an instant, and would be removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn count_old(&self, old: Old, before: UnixMs) -> Result<u64, StoreError> {
        self.database_of(old)
            .read(|connection| {
                let sql = format!("SELECT COUNT(*) {}", old.condition());
                connection.query_row(&sql, params![old.bound(connection, before)?, before.0], |row| row.get(0))
            })
            .map(unsigned)
    }

    /// The chains whose beginning is kept no longer.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn removed_beginnings(&self) -> Result<Vec<Removed>, StoreError> {
        let sql = "SELECT agent, incarnation, seq, count FROM removed ORDER BY agent, incarnation";
        self.log.read(|connection| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Removed {
                    agent: row.get(0)?,
                    incarnation: Incarnation(row.get(1)?).to_string(),
                    seq: unsigned(row.get(2)?),
                    count: unsigned(row.get(3)?),
                })
            };
            connection.prepare(sql)?.query_map([], read)?.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Filter, Look, NewAlarm, NewRecord};
    use crate::paths::Layout;
    use doorward_protocol::commit::Position;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::facts::Factors;
    use doorward_protocol::id::{AgentId, CredentialKey, DoorId};
    use doorward_protocol::record::{ChainHead, Record};
    use doorward_protocol::session::AlarmKind;

    fn agent() -> AgentId {
        AgentId::new("agent-1").unwrap()
    }

    fn records(seqs: std::ops::RangeInclusive<u64>) -> Vec<NewRecord> {
        let record = |seq| Record {
            seq,
            at: UnixMs(9),
            door: DoorId::new("d-1").unwrap(),
            credential: CredentialKey([1; 16]),
            factors: Factors::NONE,
            reason: Reason::Granted,
            position: Position { epoch: 0, seq: 4 },
        };
        seqs.map(|seq| NewRecord { record: record(seq), card: None, person: None, alarm: None }).collect()
    }

    fn head(records: &[NewRecord], begin: ChainHead) -> ChainHead {
        records.iter().fold(begin, |head, new| head.with(&new.record).unwrap())
    }

    #[tokio::test]
    async fn old_records_go_some_at_a_time_and_their_chain_goes_on_as_if_they_were_there() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let begin = ChainHead::begin(&agent(), Incarnation([9; 16]));
        let (old, new) = (records(1..=700), records(701..=710));
        let after_old = head(&old, begin);
        let after_new = head(&new, after_old);
        store.store_records(agent(), old.clone(), after_old, UnixMs(100)).await.unwrap();
        store.store_records(agent(), new, after_new, UnixMs(200)).await.unwrap();
        assert_eq!(store.count_old(Old::Records, UnixMs(100)).unwrap(), 0);
        assert_eq!(store.count_old(Old::Records, UnixMs(101)).unwrap(), 700);
        assert_eq!(store.remove_old(Old::Records, UnixMs(101)).await.unwrap(), (500, true));
        assert_eq!(store.remove_old(Old::Records, UnixMs(101)).await.unwrap(), (200, false));
        let rows = store.records(&Filter::default(), 1000).unwrap();
        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (701..=710).collect::<Vec<_>>());
        assert_eq!(store.chains(agent()).await.unwrap(), [after_new], "no gap: the chain stands where it stood");
        let removed = store.removed_beginnings().unwrap();
        assert_eq!((removed[0].agent.as_str(), removed[0].seq, removed[0].count), ("agent-1", 700, 700));
        // An agent whose disk was put back sends all once more.
        let again = old.into_iter().chain(records(701..=710)).collect();
        store.store_records(agent(), again, after_new, UnixMs(300)).await.unwrap();
        assert_eq!(store.records(&Filter::default(), 1000).unwrap().len(), 10, "what was removed does not come back");
        assert_eq!(store.newest_record().unwrap(), 710);
    }

    #[tokio::test]
    async fn the_newest_stays_however_old_so_that_numbers_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let two = records(1..=2);
        let begin = ChainHead::begin(&agent(), Incarnation([9; 16]));
        store.store_records(agent(), two.clone(), head(&two, begin), UnixMs(1)).await.unwrap();
        for about in ["card A", "card B"] {
            let look = Look { at: UnixMs(1), actor: "kim".into(), question: "card", about: about.into() };
            store.note_look(look).await.unwrap();
        }
        for old in [Old::Records, Old::Looks] {
            assert_eq!(store.remove_old(old, UnixMs(i64::MAX)).await.unwrap(), (1, false), "{old:?}");
            assert_eq!(store.count_old(old, UnixMs(i64::MAX)).unwrap(), 0, "{old:?}");
        }
        assert_eq!(store.newest_record().unwrap(), 2);
        assert_eq!(store.looks(None, None, None, 9).unwrap()[0].about, "card B");
    }

    #[tokio::test]
    async fn an_alarm_that_nobody_has_looked_at_is_not_too_old() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        for text in ["one", "two", "three"] {
            store.raise(NewAlarm::new(AlarmKind::CardTapped, None, text), UnixMs(1));
        }
        assert!(store.acknowledge(2).await.unwrap());
        assert_eq!(store.remove_old(Old::Alarms, UnixMs(5)).await.unwrap(), (1, false));
        let left: Vec<_> = store.alarms(9, false).unwrap().into_iter().map(|row| row.text).collect();
        assert_eq!(left, ["one", "three"]);
    }

    #[tokio::test]
    async fn what_came_after_a_clock_was_put_back_is_removed_only_when_it_is_old_itself() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        for at in [10, 500, 20, 30, 600] {
            let look = Look { at: UnixMs(at), actor: "kim".into(), question: "card", about: "card A".into() };
            store.note_look(look).await.unwrap();
        }
        while store.remove_old(Old::Looks, UnixMs(100)).await.unwrap().0 > 0 {}
        let left: Vec<_> = store.looks(None, None, None, 9).unwrap().into_iter().map(|row| row.at.0).collect();
        assert!(left.contains(&500) && left.contains(&600), "{left:?}");
    }
}
