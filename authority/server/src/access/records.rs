//! Access records and the chains that they belong to: each stored once, whatever is sent twice.

use super::database::GROUP_ROWS_MAX;
use super::{AccessStore, NewAlarm, StoreError, alarms, signed, unsigned};
use doorward_protocol::commit::Position;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{AgentId, CredentialKey, Hash, Incarnation};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::time::UnixMs;
use rusqlite::types::Value;
use rusqlite::{Row, Statement, Transaction, params, params_from_iter};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

pub(super) const SCHEMA: &str = "
    CREATE TABLE records (
        id BIGINT PRIMARY KEY, agent TEXT NOT NULL, incarnation BLOB NOT NULL, seq BIGINT NOT NULL,
        at BIGINT NOT NULL, door TEXT NOT NULL, credential BLOB NOT NULL, card TEXT, person TEXT,
        factors TEXT NOT NULL, reason TEXT NOT NULL, granted BIGINT NOT NULL, epoch BIGINT NOT NULL,
        commit_seq BIGINT NOT NULL, received_at BIGINT NOT NULL, UNIQUE (agent, incarnation, seq));
    CREATE INDEX records_by_time ON records (at);
    CREATE INDEX records_by_door ON records (door);
    CREATE INDEX records_by_card ON records (card);
    CREATE TABLE chains (
        agent TEXT NOT NULL, incarnation BLOB NOT NULL, ordinal BIGINT NOT NULL, seq BIGINT NOT NULL,
        hash BLOB NOT NULL, PRIMARY KEY (agent, incarnation));
";

/// Added to what the first version of the store had, in the place of an index by person: cards come in any order, so that each
/// index over those who tap costs a page of the disk for each record, and a person's records are found by the cards.
pub(super) const ADDED: &str = "
    CREATE TABLE IF NOT EXISTS holders (person TEXT NOT NULL, card TEXT NOT NULL, PRIMARY KEY (person, card)) WITHOUT ROWID;
    INSERT OR IGNORE INTO holders SELECT DISTINCT person, card FROM records
        WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'records_by_person')
        AND person IS NOT NULL AND card IS NOT NULL;
    DROP INDEX IF EXISTS records_by_person;
";

/// Records of a person, by the cards under which that one has tapped.
pub(super) const OF_PERSON: &str = "card IN (SELECT card FROM holders WHERE person = ?) AND person = ?";

/// A record to store, with what the authority knows about it at that moment.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// The record.
    pub record: Record,
    /// The card, where the authority knows it.
    pub card: Option<String>,
    /// Its holder.
    pub person: Option<String>,
    /// What the tap means for the security office, if anything; raised only when the record is new.
    pub alarm: Option<NewAlarm>,
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Its place in the order in which records came home.
    pub id: u64,
    /// Whose.
    pub agent: String,
    /// In which chain, in hexadecimal.
    pub incarnation: String,
    /// Number in the chain.
    pub seq: u64,
    /// When the tap was decided.
    pub at: UnixMs,
    /// At which door.
    pub door: String,
    /// What was read, in hexadecimal.
    pub credential: String,
    /// The card, where it was known.
    pub card: Option<String>,
    /// Its holder.
    pub person: Option<String>,
    /// Further factors.
    pub factors: String,
    /// The answer's reason.
    pub reason: String,
    /// Whether the door opened.
    pub granted: bool,
    /// By which commit it was decided.
    pub position: Position,
    /// When it came home.
    pub received_at: UnixMs,
}

/// Which records to show; absent parts do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// At this door.
    pub door: Option<String>,
    /// With this card.
    pub card: Option<String>,
    /// By this person.
    pub person: Option<String>,
    /// From this instant on.
    pub since: Option<UnixMs>,
    /// With this reason.
    pub reason: Option<String>,
    /// That came home after this one.
    pub after_id: Option<u64>,
    /// That came home before this one.
    pub before_id: Option<u64>,
    /// Before this instant.
    pub until: Option<UnixMs>,
    /// At one of these doors.
    pub doors: Option<BTreeSet<String>>,
    /// Whether the door opened.
    pub granted: Option<bool>,
}

impl Filter {
    /// The filter as SQL knows it, and the values in it.
    pub(super) fn conditions(&self) -> (String, Vec<Value>) {
        let mut conditions = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        if let Some(person) = &self.person {
            values.push(Value::Text(person.clone()));
            conditions.push(OF_PERSON.replace('?', "?1"));
        }
        let mut narrow = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                conditions.push(format!("{condition} ?{}", values.len()));
            }
        };
        narrow("door =", self.door.clone().map(Value::Text));
        narrow("card =", self.card.clone().map(Value::Text));
        narrow("reason =", self.reason.clone().map(Value::Text));
        narrow("granted =", self.granted.map(|granted| Value::Integer(i64::from(granted))));
        narrow("at >=", self.since.map(|at| Value::Integer(at.0)));
        narrow("at <", self.until.map(|at| Value::Integer(at.0)));
        narrow("id >", self.after_id.map(|id| Value::Integer(signed(id))));
        narrow("id <", self.before_id.map(|id| Value::Integer(signed(id))));
        if let Some(doors) = &self.doors {
            let first = values.len().saturating_add(1);
            values.extend(doors.iter().cloned().map(Value::Text));
            let places: Vec<String> = (first..=values.len()).map(|place| format!("?{place}")).collect();
            conditions.push(format!("door IN ({})", places.join(", ")));
        }
        let is_all = conditions.is_empty();
        (if is_all { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) }, values)
    }
}

const COLUMNS: &str = "id, agent, incarnation, seq, at, door, credential, card, person, factors, reason, granted, epoch, \
                       commit_seq, received_at";

/// A record that is there already stays as it is.
const INSERT: &str = "INSERT INTO records (id, agent, incarnation, seq, at, door, credential, card, person, factors, \
                      reason, granted, epoch, commit_seq, received_at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
                      ON CONFLICT (agent, incarnation, seq) DO NOTHING";

const INSERT_HOLDER: &str = "INSERT INTO holders (person, card) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

impl AccessStore {
    /// Waits for the turn of so many records. As long as it is held others wait: what stands before the writer stays so little
    /// that a removal shares processors and disk with it only for a moment.
    pub async fn turn(&self, rows: usize) -> Option<OwnedSemaphorePermit> {
        let rows = u32::try_from(rows.clamp(1, GROUP_ROWS_MAX)).ok()?;
        Arc::clone(&self.turns).acquire_many_owned(rows).await.ok()
    }

    /// Stores records and where their chain stands after them; records that are there already are left as they are.
    ///
    /// # Errors
    /// See [`StoreError`]; then none of them is stored.
    pub async fn store_records(
        &self,
        agent: AgentId,
        records: Vec<NewRecord>,
        head: ChainHead,
        received_at: UnixMs,
    ) -> Result<(), StoreError> {
        let rows = records.len();
        let store = move |transaction: &Transaction<'_>| {
            let mut id: i64 =
                transaction.query_row("SELECT COALESCE(MAX(id), 0) FROM records", [], |row| row.get(0))?;
            let removed = removed_up_to(transaction, &agent, head.incarnation)?;
            let mut statement = transaction.prepare_cached(INSERT)?;
            for new in records.iter().filter(|new| new.record.seq > removed) {
                if insert(&mut statement, id.saturating_add(1), &agent, head.incarnation, new, received_at)? {
                    id = id.saturating_add(1);
                    if let (Some(card), Some(person)) = (&new.card, &new.person) {
                        transaction.prepare_cached(INSERT_HOLDER)?.execute([person, card])?;
                    }
                    if let Some(alarm) = &new.alarm {
                        alarm.say();
                        alarms::insert(transaction, alarm, received_at)?;
                    }
                }
            }
            move_chain(transaction, &agent, head)
        };
        self.log.write_rows(rows, store).await
    }

    /// Where the chains of an agent stand, the newest last: after all that was handed in before, also by a connection that
    /// has ended meanwhile.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn chains(&self, agent: AgentId) -> Result<Vec<ChainHead>, StoreError> {
        let sql = "SELECT incarnation, seq, hash FROM chains WHERE agent = ?1 ORDER BY ordinal";
        self.log
            .write(move |transaction| {
                let read = |row: &Row<'_>| {
                    let (incarnation, seq, hash) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    Ok(ChainHead { incarnation: Incarnation(incarnation), seq: unsigned(seq), hash: Hash(hash) })
                };
                transaction.prepare_cached(sql)?.query_map(params![agent.as_str()], read)?.collect()
            })
            .await
    }

    /// How many of these consecutive records of a chain, from the first on, are stored just as they are; like
    /// [`AccessStore::chains`] after all that was handed in before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn same_records(
        &self,
        agent: AgentId,
        incarnation: Incarnation,
        records: Vec<Record>,
    ) -> Result<usize, StoreError> {
        self.log
            .write(move |transaction| {
                let mut same = 0;
                for record in &records {
                    if !is_stored(transaction, &agent, incarnation, record)? {
                        break;
                    }
                    same += 1;
                }
                Ok(same)
            })
            .await
    }

    /// The records that a filter lets through, in the order in which they came home: the first `limit` of them after
    /// `filter.after_id`, or, without it, the last `limit` of all.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn records(&self, filter: &Filter, limit: u32) -> Result<Vec<RecordRow>, StoreError> {
        let (narrowed, values) = filter.conditions();
        let order = if filter.after_id.is_some() { "ASC" } else { "DESC" };
        let sql = format!("SELECT {COLUMNS} FROM records {narrowed} ORDER BY id {order} LIMIT {limit}");
        let mut rows: Vec<RecordRow> = self.log.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map(params_from_iter(&values), read_row)?;
            rows.collect()
        })?;
        if filter.after_id.is_none() {
            rows.reverse();
        }
        Ok(rows)
    }

    /// Place of the newest record, and how many ever came home: they are numbered without gaps.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn newest_record(&self) -> Result<u64, StoreError> {
        self.log
            .read(|connection| connection.query_row("SELECT COALESCE(MAX(id), 0) FROM records", [], |row| row.get(0)))
            .map(unsigned)
    }
}

/// Up to where records of a chain were removed because they were old: what is sent once more does not come back.
fn removed_up_to(transaction: &Transaction<'_>, agent: &AgentId, incarnation: Incarnation) -> rusqlite::Result<u64> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM removed WHERE agent = ?1 AND incarnation = ?2";
    let row = params![agent.as_str(), incarnation.0];
    transaction.prepare_cached(sql)?.query_row(row, |row| row.get(0)).map(unsigned)
}

fn insert(
    statement: &mut Statement<'_>,
    id: i64,
    agent: &AgentId,
    incarnation: Incarnation,
    new: &NewRecord,
    received_at: UnixMs,
) -> rusqlite::Result<bool> {
    let NewRecord { record, card, person, .. } = new;
    let changed = statement.execute(params![
        id,
        agent.as_str(),
        incarnation.0,
        signed(record.seq),
        record.at.0,
        record.door.as_str(),
        record.credential.0,
        card,
        person,
        factors_text(record.factors),
        record.reason.as_str(),
        i64::from(record.reason.is_grant()),
        record.position.epoch,
        signed(record.position.seq),
        received_at.0,
    ])?;
    Ok(changed > 0)
}

/// Whether a record is stored just as it is.
fn is_stored(
    transaction: &Transaction<'_>,
    agent: &AgentId,
    incarnation: Incarnation,
    record: &Record,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM records WHERE agent = ?1 AND incarnation = ?2 AND seq = ?3 AND at = ?4 AND door = ?5
               AND credential = ?6 AND factors = ?7 AND reason = ?8 AND epoch = ?9 AND commit_seq = ?10";
    transaction.prepare_cached(sql)?.exists(params![
        agent.as_str(),
        incarnation.0,
        signed(record.seq),
        record.at.0,
        record.door.as_str(),
        record.credential.0,
        factors_text(record.factors),
        record.reason.as_str(),
        record.position.epoch,
        signed(record.position.seq),
    ])
}

fn factors_text(factors: Factors) -> String {
    factors.to_string()
}

fn move_chain(transaction: &Transaction<'_>, agent: &AgentId, head: ChainHead) -> rusqlite::Result<()> {
    let sql = "INSERT INTO chains (agent, incarnation, ordinal, seq, hash)
               VALUES (?1, ?2, (SELECT COALESCE(MAX(ordinal), 0) + 1 FROM chains WHERE agent = ?1), ?3, ?4)
               ON CONFLICT (agent, incarnation) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
               WHERE excluded.seq >= chains.seq";
    let row = params![agent.as_str(), head.incarnation.0, signed(head.seq), head.hash.0];
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        id: unsigned(row.get(0)?),
        agent: row.get(1)?,
        incarnation: Incarnation(row.get(2)?).to_string(),
        seq: unsigned(row.get(3)?),
        at: UnixMs(row.get(4)?),
        door: row.get(5)?,
        credential: CredentialKey(row.get(6)?).to_string(),
        card: row.get(7)?,
        person: row.get(8)?,
        factors: row.get(9)?,
        reason: row.get(10)?,
        granted: row.get::<_, i64>(11)? != 0,
        position: Position { epoch: row.get(12)?, seq: unsigned(row.get(13)?) },
        received_at: UnixMs(row.get(14)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::id::DoorId;
    use doorward_protocol::session::AlarmKind;

    fn agent() -> AgentId {
        AgentId::new("agent-1").unwrap()
    }

    fn record(seq: u64, reason: Reason) -> NewRecord {
        let record = Record {
            seq,
            at: UnixMs(1000 + i64::try_from(seq).unwrap()),
            door: DoorId::new("d-1").unwrap(),
            credential: CredentialKey([1; 16]),
            factors: Factors::PIN,
            reason,
            position: Position { epoch: 0, seq: 4 },
        };
        NewRecord { record, card: Some("A".into()), person: Some("p".into()), alarm: None }
    }

    fn chain(records: &[NewRecord]) -> ChainHead {
        let begin = ChainHead::begin(&agent(), Incarnation([9; 16]));
        records.iter().fold(begin, |head, new| head.with(&new.record).unwrap())
    }

    fn open(directory: &tempfile::TempDir) -> AccessStore {
        AccessStore::open(&Layout::new(directory.path())).unwrap().0
    }

    #[tokio::test]
    async fn a_record_that_comes_twice_is_there_once_and_alarms_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let mut records = vec![record(1, Reason::Granted), record(2, Reason::Suspended)];
        records[1].alarm = Some(NewAlarm::new(AlarmKind::CardTapped, Some(agent()), "card A was tapped"));
        let head = chain(&records);
        store.store_records(agent(), records.clone(), head, UnixMs(7)).await.unwrap();
        store.store_records(agent(), records, head, UnixMs(8)).await.unwrap();
        let rows = store.records(&Filter::default(), 10).unwrap();
        assert_eq!(
            rows.iter().map(|row| (row.id, row.seq, row.received_at)).collect::<Vec<_>>(),
            [(1, 1, UnixMs(7)), (2, 2, UnixMs(7))]
        );
        assert_eq!(store.alarms(10, false).unwrap().len(), 1);
        assert_eq!(store.chains(agent()).await.unwrap().last().copied(), Some(head));
    }

    #[tokio::test]
    async fn where_chains_stand_is_said_after_all_that_was_handed_in_before() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let records = vec![record(1, Reason::Granted), record(2, Reason::Granted)];
        let head = chain(&records);
        let plain: Vec<Record> = records.iter().map(|new| new.record.clone()).collect();
        let (stored, chains, same) = tokio::join!(
            store.store_records(agent(), records, head, UnixMs(7)),
            store.chains(agent()),
            store.same_records(agent(), head.incarnation, plain),
        );
        stored.unwrap();
        assert_eq!((chains.unwrap(), same.unwrap()), (vec![head], 2));
    }

    #[tokio::test]
    async fn every_chain_of_an_agent_is_known_the_newest_last() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let [older, newer] = [[1; 16], [2; 16]].map(|life| ChainHead::begin(&agent(), Incarnation(life)));
        for head in [older, newer] {
            store.store_records(agent(), Vec::new(), head, UnixMs(7)).await.unwrap();
        }
        assert_eq!(store.chains(agent()).await.unwrap(), [older, newer]);
    }

    #[tokio::test]
    async fn a_chain_never_moves_back_and_a_newer_chain_takes_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let records = vec![record(1, Reason::Granted), record(2, Reason::Granted)];
        let (one, two) = (chain(&records[..1]), chain(&records));
        store.store_records(agent(), records.clone(), two, UnixMs(7)).await.unwrap();
        store.store_records(agent(), records[..1].to_vec(), one, UnixMs(8)).await.unwrap();
        assert_eq!(store.chains(agent()).await.unwrap().last().copied(), Some(two));
        let newer = ChainHead { incarnation: Incarnation([1; 16]), ..one };
        store.store_records(agent(), records[..1].to_vec(), newer, UnixMs(9)).await.unwrap();
        assert_eq!(store.chains(agent()).await.unwrap().last().copied(), Some(newer));
        assert_eq!(store.newest_record().unwrap(), 3, "the same numbers in another chain are other records");
    }

    #[tokio::test]
    async fn records_are_the_same_up_to_the_first_that_is_not_stored_just_so() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let stored: Vec<_> = (1..=3).map(|seq| record(seq, Reason::Granted)).collect();
        let head = chain(&stored);
        store.store_records(agent(), stored, head, UnixMs(7)).await.unwrap();
        let records: Vec<Record> = (1..=4).map(|seq| record(seq, Reason::Granted).record).collect();
        let same = |incarnation, records: &[Record]| store.same_records(agent(), incarnation, records.to_vec());
        let life = head.incarnation;
        for (part, expected) in [(&records[..], 3), (&records[1..2], 1), (&records[3..], 0)] {
            assert_eq!(same(life, part).await.unwrap(), expected);
        }
        let changes: [fn(&mut Record); 7] = [
            |record| record.at = UnixMs(9),
            |record| record.door = DoorId::new("d-2").unwrap(),
            |record| record.credential = CredentialKey([2; 16]),
            |record| record.factors = Factors::NONE,
            |record| record.reason = Reason::Unlocked,
            |record| record.position.epoch = 1,
            |record| record.position.seq = 5,
        ];
        for change in changes {
            let mut other = records.clone();
            change(&mut other[1]);
            assert_eq!(same(life, &other).await.unwrap(), 1, "{:?}", other[1]);
        }
        assert_eq!(same(Incarnation([1; 16]), &records).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn records_that_follow_a_gap_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let head = ChainHead { incarnation: Incarnation([9; 16]), seq: 12, hash: Hash([3; 32]) };
        store.store_records(agent(), vec![record(12, Reason::Granted)], head, UnixMs(7)).await.unwrap();
        assert_eq!(store.chains(agent()).await.unwrap().last().copied(), Some(head));
        assert_eq!(store.records(&Filter::default(), 10).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_filter_shows_the_newest_that_fit_or_what_came_after() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let mut records: Vec<_> = (1..=5).map(|seq| record(seq, Reason::Granted)).collect();
        records[2].card = None;
        store.store_records(agent(), records.clone(), chain(&records), UnixMs(7)).await.unwrap();
        let seqs = |filter: Filter, limit| -> Vec<u64> {
            store.records(&filter, limit).unwrap().into_iter().map(|row| row.seq).collect()
        };
        assert_eq!(seqs(Filter::default(), 2), [4, 5]);
        assert_eq!(seqs(Filter { after_id: Some(0), ..Filter::default() }, 2), [1, 2]);
        assert_eq!(
            seqs(Filter { card: Some("A".into()), since: Some(UnixMs(1002)), ..Filter::default() }, 9),
            [2, 4, 5]
        );
        assert!(seqs(Filter { door: Some("d-2".into()), ..Filter::default() }, 9).is_empty());
    }

    #[tokio::test]
    async fn a_persons_records_are_found_by_the_cards_also_where_an_index_was_before() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let mut records: Vec<_> = (1..=4).map(|seq| record(seq, Reason::Granted)).collect();
        // The card was another person's once, and that one has another card.
        records[1].person = Some("q".into());
        records[3] = NewRecord { card: Some("B".into()), person: Some("q".into()), ..records[3].clone() };
        store.store_records(agent(), records.clone(), chain(&records), UnixMs(7)).await.unwrap();
        let of = |store: &AccessStore, person: &str| -> Vec<u64> {
            let filter = Filter { person: Some(person.into()), granted: Some(true), ..Filter::default() };
            store.records(&filter, 9).unwrap().into_iter().map(|row| row.seq).collect()
        };
        let all = |store: &AccessStore| (of(store, "p"), of(store, "q"), of(store, "r"));
        assert_eq!(all(&store), (vec![1, 3], vec![2, 4], vec![]));
        drop(store);
        let before = "DROP TABLE holders; CREATE INDEX records_by_person ON records (person)";
        let file = Layout::new(directory.path()).access();
        super::super::database::connect(&file).unwrap().execute_batch(before).unwrap();
        assert_eq!(all(&open(&directory)), (vec![1, 3], vec![2, 4], vec![]));
    }

    #[tokio::test]
    async fn what_was_stored_is_there_after_the_store_was_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        let records = vec![record(1, Reason::Granted)];
        let head = chain(&records);
        store.store_records(agent(), records, head, UnixMs(7)).await.unwrap();
        drop(store);
        assert_eq!(open(&directory).chains(agent()).await.unwrap().last().copied(), Some(head));
    }
}
