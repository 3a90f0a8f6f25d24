//! Alarms: what a person must look at, kept until someone says that they did.

use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::id::AgentId;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::time::UnixMs;
use rusqlite::{Row, Transaction, params};
use std::collections::BTreeMap;
use std::sync::PoisonError;

pub(super) const SCHEMA: &str = "
    CREATE TABLE alarms (
        id BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, agent TEXT, text TEXT NOT NULL,
        acknowledged BIGINT NOT NULL);
";

/// A standing fault is reported again and again; one line for it in this time is enough.
const REPEAT_MS: i64 = 600_000;

/// The same fault is looked at once in this time, and so often at once: an agent that is in wrong hands reports as fast as
/// it can, and one that is in good hands may be damaged anew while the last word of it is being looked at.
const LOOK_MS: i64 = 1_000;
const LOOKS_AT_ONCE: i64 = 8;

/// Until when the looks at each kind of alarm about each agent are spent. No more than all agents and kinds.
pub(super) type Raised = BTreeMap<(AlarmKind, Option<AgentId>), UnixMs>;

/// An alarm to raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlarm {
    kind: AlarmKind,
    agent: Option<AgentId>,
    text: String,
}

impl NewAlarm {
    /// An alarm about an agent, or about the authority itself.
    pub fn new(kind: AlarmKind, agent: Option<AgentId>, text: impl Into<String>) -> Self {
        Self { kind, agent, text: text.into() }
    }

    /// Says it on standard error. Logs are read by more people than the API, so they learn nothing of a card.
    pub(super) fn say(&self) {
        let agent = self.agent.as_ref().map(AgentId::as_str);
        let tapped = "a card that is not in use was tapped; `doorward alarms` says which";
        let text = if self.kind == AlarmKind::CardTapped { tapped } else { &self.text };
        tracing::warn!(kind = self.kind.as_str(), agent, "{text}");
    }
}

/// A stored alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRow {
    /// Its number.
    pub id: u64,
    /// When it was raised.
    pub at: UnixMs,
    /// What kind.
    pub kind: String,
    /// Which agent.
    pub agent: Option<String>,
    /// What happened.
    pub text: String,
    /// Whether someone has looked at it.
    pub acknowledged: bool,
}

impl AccessStore {
    /// Raises an alarm; the same standing fault again within ten minutes is not another one.
    pub fn raise(&self, alarm: NewAlarm, now: UnixMs) {
        if alarm.kind != AlarmKind::CardTapped && !self.is_worth_a_look(&alarm, now) {
            return;
        }
        alarm.say();
        // The log line stands even when the store is closed or full, and nobody waits here for the disk.
        self.log.write_later(move |transaction| insert(transaction, &alarm, now));
    }

    fn is_worth_a_look(&self, alarm: &NewAlarm, now: UnixMs) -> bool {
        // What a panic left behind is still a list of instants.
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = raised.entry((alarm.kind, alarm.agent.clone())).or_insert(now);
        // It lies behind once all is earned again, and far ahead when the clock was put back.
        if !(0..=LOOKS_AT_ONCE * LOOK_MS).contains(&spent.since_ms(now)) {
            *spent = now;
        }
        let is_left = spent.since_ms(now) <= (LOOKS_AT_ONCE - 1) * LOOK_MS;
        if is_left {
            *spent = spent.plus_ms(LOOK_MS);
        }
        is_left
    }

    /// The newest alarms, oldest of them first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn alarms(&self, limit: u32, open_only: bool) -> Result<Vec<AlarmRow>, StoreError> {
        let narrowed = if open_only { "WHERE acknowledged = 0" } else { "" };
        let mut rows = self.query_alarms(&format!("{narrowed} ORDER BY id DESC LIMIT {limit}"))?;
        rows.reverse();
        Ok(rows)
    }

    /// Alarms after one, in their order.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn alarms_after(&self, id: u64, limit: u32) -> Result<Vec<AlarmRow>, StoreError> {
        self.query_alarms(&format!("WHERE id > {id} ORDER BY id LIMIT {limit}"))
    }

    fn query_alarms(&self, rest: &str) -> Result<Vec<AlarmRow>, StoreError> {
        let sql = format!("SELECT id, at, kind, agent, text, acknowledged FROM alarms {rest}");
        self.log.read(|connection| connection.prepare(&sql)?.query_map([], read_row)?.collect())
    }

    /// Number of the newest alarm.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn newest_alarm(&self) -> Result<u64, StoreError> {
        self.log
            .read(|connection| connection.query_row("SELECT COALESCE(MAX(id), 0) FROM alarms", [], |row| row.get(0)))
            .map(unsigned)
    }

    /// How many alarms nobody has looked at.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_alarms(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM alarms WHERE acknowledged = 0";
        self.log.read(|connection| connection.query_row(sql, [], |row| row.get(0))).map(unsigned)
    }

    /// Marks an alarm as looked at; false when there is no such alarm.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn acknowledge(&self, id: u64) -> Result<bool, StoreError> {
        let sql = "UPDATE alarms SET acknowledged = 1 WHERE id = ?1";
        self.log.write(move |transaction| Ok(transaction.execute(sql, params![signed(id)])? > 0)).await
    }
}

pub(super) fn insert(transaction: &Transaction<'_>, alarm: &NewAlarm, now: UnixMs) -> rusqlite::Result<()> {
    let agent = alarm.agent.as_ref().map(AgentId::as_str);
    // Every tap of a card that is not in use counts; everything else is a condition that lasts.
    if alarm.kind != AlarmKind::CardTapped {
        let sql = "SELECT COUNT(*) FROM alarms WHERE kind = ?1 AND COALESCE(agent, '') = COALESCE(?2, '')
                   AND acknowledged = 0 AND at > ?3";
        let row = params![alarm.kind.as_str(), agent, now.plus_ms(-REPEAT_MS).0];
        let standing: i64 = transaction.prepare_cached(sql)?.query_row(row, |row| row.get(0))?;
        if standing > 0 {
            return Ok(());
        }
    }
    let sql = "INSERT INTO alarms (id, at, kind, agent, text, acknowledged)
               VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM alarms), ?1, ?2, ?3, ?4, 0)";
    transaction.prepare_cached(sql)?.execute(params![now.0, alarm.kind.as_str(), agent, alarm.text])?;
    Ok(())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AlarmRow> {
    Ok(AlarmRow {
        id: unsigned(row.get(0)?),
        at: UnixMs(row.get(1)?),
        kind: row.get(2)?,
        agent: row.get(3)?,
        text: row.get(4)?,
        acknowledged: row.get::<_, i64>(5)? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;

    #[tokio::test]
    async fn a_standing_fault_is_one_alarm_until_someone_has_looked_at_it() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let agent = AgentId::new("agent-1").unwrap();
        let raise = |kind, at| store.raise(NewAlarm::new(kind, Some(agent.clone()), "x"), UnixMs(at));
        raise(AlarmKind::Clock, 0);
        raise(AlarmKind::Clock, 15_000);
        raise(AlarmKind::CardTapped, 20_000);
        raise(AlarmKind::CardTapped, 20_001);
        assert!(store.acknowledge(1).await.unwrap());
        assert!(!store.acknowledge(77).await.unwrap());
        raise(AlarmKind::Clock, 30_000);
        assert!(store.acknowledge(1).await.unwrap());
        let kinds: Vec<_> = store.alarms(10, false).unwrap().into_iter().map(|row| row.kind).collect();
        assert_eq!(kinds, ["clock", "card-tapped", "card-tapped", "clock"]);
        assert_eq!(store.open_alarms().unwrap(), 3);
        assert_eq!(store.alarms_after(3, 10).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_agent_that_reports_without_a_pause_floods_neither_log_nor_store() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let [agent, other] = ["agent-1", "agent-2"].map(|id| AgentId::new(id).unwrap());
        let raise =
            |agent: &AgentId, at| store.raise(NewAlarm::new(AlarmKind::Clock, Some(agent.clone()), "x"), UnixMs(at));
        raise(&agent, 0);
        assert!(store.acknowledge(1).await.unwrap());
        raise(&agent, 1);
        raise(&other, 5);
        // Whatever is asked now is answered after what was raised.
        assert!(!store.acknowledge(77).await.unwrap());
        let alarms = store.alarms(10, false).unwrap();
        assert_eq!(
            alarms.iter().map(|row| (row.agent.as_deref().unwrap(), row.at.0)).collect::<Vec<_>>(),
            [("agent-1", 0), ("agent-1", 1), ("agent-2", 5)],
            "what comes while the one before is looked at is not lost"
        );
        let alarm = NewAlarm::new(AlarmKind::Clock, Some(agent), "x");
        let looks = |from: i64, until: i64| {
            i64::try_from((from..until).filter(|at| store.is_worth_a_look(&alarm, UnixMs(*at))).count()).unwrap()
        };
        assert_eq!(looks(2, LOOK_MS), LOOKS_AT_ONCE - 2);
        assert_eq!(looks(LOOK_MS, 11 * LOOK_MS), 10);
        assert_eq!(looks(-10 * LOOK_MS, -9 * LOOK_MS), LOOKS_AT_ONCE, "after the clock was put back");
    }
}
