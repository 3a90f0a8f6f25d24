//! How many taps there were: by the quarter of an hour, by door, and by the reason of a refusal.
//!
//! The database counts; what is counted is bounded, so that a long look does not keep others from reading.

use super::records::Filter;
use super::{AccessStore, StoreError, unsigned};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// Any hour of any time zone begins with a quarter of an hour, in milliseconds.
pub const QUARTER_MS: i64 = 900_000;

/// Most records that are counted, the newest of those that fit. An index with all that is counted in it would answer for more of
/// them, and each record that comes home would have to be put into it.
const COUNTED_MAX: u64 = 200_000;

/// Taps, by how they were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many opened the door.
    pub granted: u64,
    /// How many did not.
    pub denied: u64,
}

impl Count {
    /// How many there were.
    #[must_use]
    pub const fn all(self) -> u64 {
        self.granted.saturating_add(self.denied)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { granted: self.granted.saturating_add(other.granted), denied: self.denied.saturating_add(other.denied) }
    }
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were counted.
    pub counted: u64,
    /// Whether there are older ones that were not.
    pub more: bool,
    /// By quarters of an hour since 1970; those without a tap are absent.
    pub quarters: Vec<(i64, Count)>,
    /// The doors with the most taps, those first that have more.
    pub doors: Vec<(String, Count)>,
    /// How many doors there are with any.
    pub doors_count: u64,
    /// Refusals by their reason, the most frequent first.
    pub reasons: Vec<(String, u64)>,
}

impl AccessStore {
    /// Counts the records that a filter lets through.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn count(&self, filter: &Filter, doors_max: u32) -> Result<Counts, StoreError> {
        self.count_some(filter, doors_max, COUNTED_MAX)
    }

    fn count_some(&self, filter: &Filter, doors_max: u32, counted_max: u64) -> Result<Counts, StoreError> {
        let (narrowed, values) = filter.conditions();
        let some =
            format!("(SELECT at, door, reason, granted FROM records {narrowed} ORDER BY at DESC LIMIT {counted_max})");
        let counted = "SUM(granted), SUM(1 - granted)";
        let quarters = format!("SELECT at / {QUARTER_MS}, {counted} FROM {some} GROUP BY 1 ORDER BY 1");
        let by_door = format!("SELECT door, {counted}, COUNT(*) FROM {some} GROUP BY door");
        let doors = format!("{by_door} ORDER BY 4 DESC, 1 LIMIT {doors_max}");
        let reasons =
            format!("SELECT reason, COUNT(*) FROM {some} WHERE granted = 0 GROUP BY reason ORDER BY 2 DESC, 1");
        let beyond = format!("SELECT EXISTS (SELECT 1 FROM records {narrowed} LIMIT 1 OFFSET {counted_max})");
        self.log.read(|connection| {
            // All of them of the same instant, whatever comes in meanwhile.
            let transaction = connection.unchecked_transaction()?;
            let quarters: Vec<(i64, Count)> =
                rows(&transaction, &quarters, &values, |row| Ok((row.get(0)?, answers(row)?)))?;
            let one = |sql: &str| transaction.query_row(sql, params_from_iter(&values), |row| row.get::<_, i64>(0));
            Ok(Counts {
                counted: quarters.iter().fold(0, |sum, (_, count)| sum.saturating_add(count.all())),
                more: one(&beyond)? != 0,
                doors: rows(&transaction, &doors, &values, |row| Ok((row.get(0)?, answers(row)?)))?,
                doors_count: unsigned(one(&format!("SELECT COUNT(DISTINCT door) FROM {some}"))?),
                reasons: rows(&transaction, &reasons, &values, |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?,
                quarters,
            })
        })
    }
}

fn answers(row: &Row<'_>) -> rusqlite::Result<Count> {
    Ok(Count { granted: unsigned(row.get(1)?), denied: unsigned(row.get(2)?) })
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map(params_from_iter(values), read)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::NewRecord;
    use crate::paths::Layout;
    use doorward_protocol::commit::Position;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::facts::Factors;
    use doorward_protocol::id::{AgentId, CredentialKey, DoorId, Hash, Incarnation};
    use doorward_protocol::record::{ChainHead, Record};
    use doorward_protocol::time::UnixMs;

    #[tokio::test]
    async fn taps_are_counted_by_quarter_door_and_reason_and_no_more_than_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let taps = [
            (0, "d-1", Reason::Granted),
            (1, "d-1", Reason::Granted),
            (QUARTER_MS - 1, "d-2", Reason::NoPermission),
            (QUARTER_MS, "d-1", Reason::Suspended),
            (QUARTER_MS + 5, "d-3", Reason::Suspended),
        ];
        let record = |(seq, (at, door, reason)): (u64, (i64, &str, Reason))| NewRecord {
            record: Record {
                seq,
                at: UnixMs(at),
                door: DoorId::new(door).unwrap(),
                credential: CredentialKey([1; 16]),
                factors: Factors::NONE,
                reason,
                position: Position::default(),
            },
            card: None,
            person: None,
            alarm: None,
        };
        let head = ChainHead { incarnation: Incarnation([1; 16]), seq: 5, hash: Hash([0; 32]) };
        let records = (1..).zip(taps).map(record).collect();
        store.store_records(AgentId::new("a").unwrap(), records, head, UnixMs(9)).await.unwrap();

        let count = |granted, denied| Count { granted, denied };
        let all = store.count(&Filter::default(), 2).unwrap();
        assert_eq!((all.counted, all.more, all.doors_count), (5, false, 3));
        assert_eq!(all.quarters, [(0, count(2, 1)), (1, count(0, 2))]);
        assert_eq!(all.doors, [("d-1".to_owned(), count(2, 1)), ("d-2".to_owned(), count(0, 1))]);
        assert_eq!(all.reasons, [("suspended".to_owned(), 2), ("no_permission".to_owned(), 1)]);
        let later = Filter { since: Some(UnixMs(QUARTER_MS)), ..Filter::default() };
        assert_eq!(store.count(&later, 9).unwrap().quarters, [(1, count(0, 2))]);
        let doors = Filter { doors: Some(["d-2".into(), "d-3".into()].into()), ..Filter::default() };
        assert_eq!(store.count(&doors, 9).unwrap().counted, 2);
        let none = Filter { doors: Some([].into()), ..Filter::default() };
        assert_eq!(store.count(&none, 9).unwrap(), Counts::default());
        let newest = store.count_some(&Filter::default(), 9, 2).unwrap();
        assert_eq!((newest.counted, newest.more, newest.quarters), (2, true, vec![(1, count(0, 2))]));
        assert!(!store.count_some(&Filter::default(), 9, 5).unwrap().more);
    }
}
