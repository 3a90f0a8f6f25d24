//! How far each change has come at the agents that it concerns, with the receipts that prove it.

use super::database::Writing;
use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::commit::Position;
use doorward_protocol::id::AgentId;
use doorward_protocol::time::UnixMs;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::collections::BTreeSet;

pub(super) const SCHEMA: &str = "
    CREATE TABLE closings (
        seq BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, at BIGINT NOT NULL, command TEXT NOT NULL,
        subject TEXT NOT NULL, why TEXT NOT NULL, removals BLOB NOT NULL);
    CREATE TABLE closing_agents (
        seq BIGINT NOT NULL, agent TEXT NOT NULL, doors BLOB NOT NULL, leaf BLOB, applied_at BIGINT,
        durable_at BIGINT, receipt BLOB, about_epoch BIGINT, about_seq BIGINT, PRIMARY KEY (seq, agent));
";

/// A change, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingRow {
    /// The commit that contains it.
    pub position: Position,
    /// When the command was accepted.
    pub at: UnixMs,
    /// Name of the command.
    pub command: String,
    /// What it was about.
    pub subject: String,
    /// Why.
    pub why: String,
    /// The signed removals, encoded; an empty list for a change that removes nothing.
    pub removals: Vec<u8>,
    /// Agents that it concerns.
    pub agents: Vec<ClosingAgentRow>,
}

/// One agent of a change, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingAgentRow {
    /// Which agent.
    pub agent: AgentId,
    /// Its doors that the change concerns, each with its lease, encoded.
    pub doors: Vec<u8>,
    /// Its leaf in the commit and the path to the root, encoded.
    pub leaf: Option<Vec<u8>>,
    /// When its word came that the change is in force.
    pub applied_at: Option<UnixMs>,
    /// When its word came that the change is durable.
    pub durable_at: Option<UnixMs>,
    /// That word, encoded.
    pub receipt: Option<Vec<u8>>,
    /// The position that the receipt is about.
    pub about: Option<Position>,
}

impl AccessStore {
    /// Keeps a change and the agents that it concerns; the same one again changes nothing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn begin_closing(&self, closing: ClosingRow) -> Result<Writing<()>, StoreError> {
        self.progress.write_soon(move |transaction| {
            forget_other_history(transaction, closing.position, closing.at)?;
            let sql = "INSERT INTO closings (seq, epoch, at, command, subject, why, removals)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            let ClosingRow { position, at, command, subject, why, removals, agents } = &closing;
            let seq = signed(position.seq);
            transaction.execute(sql, params![seq, position.epoch, at.0, command, subject, why, removals])?;
            let sql = "INSERT INTO closing_agents (seq, agent, doors, leaf) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO NOTHING";
            let mut statement = transaction.prepare_cached(sql)?;
            for row in agents {
                statement.execute(params![seq, row.agent.as_str(), row.doors, row.leaf])?;
            }
            Ok(())
        })
    }

    /// Keeps how far a change has come at one agent, in whatever order that comes: a removal overtakes the compile, and so
    /// may its receipt; and what was confirmed as durable stays so.
    pub fn advance_closing(&self, seq: u64, row: ClosingAgentRow) {
        let sql = "INSERT INTO closing_agents
                   (seq, agent, doors, leaf, applied_at, durable_at, receipt, about_epoch, about_seq)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (seq, agent) DO UPDATE SET
                   applied_at = excluded.applied_at, durable_at = excluded.durable_at, receipt = excluded.receipt,
                   about_epoch = excluded.about_epoch, about_seq = excluded.about_seq
                   WHERE closing_agents.durable_at IS NULL";
        // Were it lost, the agent's next receipt of a later commit would bring it again.
        self.progress.write_later(move |transaction| {
            let at = |instant: Option<UnixMs>| instant.map(|at| at.0);
            transaction
                .prepare_cached(sql)?
                .execute(params![
                    signed(seq),
                    row.agent.as_str(),
                    row.doors,
                    row.leaf,
                    at(row.applied_at),
                    at(row.durable_at),
                    row.receipt,
                    row.about.map(|about| about.epoch),
                    row.about.map(|about| signed(about.seq)),
                ])
                .map(|_| ())
        });
    }

    /// Keeps that an agent has confirmed every change up to a position with one receipt of a commit.
    pub fn confirm_closings(&self, agent: AgentId, position: Position, receipt: Vec<u8>, now: UnixMs) {
        let sql = "UPDATE closing_agents SET applied_at = COALESCE(applied_at, ?3), durable_at = ?3, receipt = ?4,
                   about_epoch = ?5, about_seq = ?2 WHERE agent = ?1 AND seq <= ?2 AND durable_at IS NULL";
        // Were it lost, the agent would be asked for again after the next start.
        self.progress.write_later(move |transaction| {
            let row = params![agent.as_str(), signed(position.seq), now.0, receipt, position.epoch];
            transaction.execute(sql, row).map(|_| ())
        });
    }

    /// Agents that have not confirmed some change before an entry.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn agents_of_open_closings_before(&self, seq: u64) -> Result<BTreeSet<AgentId>, StoreError> {
        let sql = "SELECT DISTINCT agent FROM closing_agents WHERE durable_at IS NULL AND seq < ?1";
        self.progress.read(|connection| {
            let agents = |row: &Row<'_>| agent_id(&row.get::<_, String>(0)?);
            connection.prepare(sql)?.query_map([signed(seq)], agents)?.collect()
        })
    }

    /// One change.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn closing(&self, seq: u64) -> Result<Option<ClosingRow>, StoreError> {
        self.progress.read(|connection| read_closing(connection, signed(seq)))
    }

    /// The newest changes that some agent has not confirmed yet, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_closings(&self, limit: u32) -> Result<Vec<ClosingRow>, StoreError> {
        let sql = "SELECT DISTINCT seq FROM closing_agents WHERE durable_at IS NULL ORDER BY seq DESC LIMIT ?1";
        self.progress.read(|connection| {
            let seqs: Vec<i64> =
                connection.prepare(sql)?.query_map([limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let closings = seqs.into_iter().map(|seq| read_closing(connection, seq));
            closings.filter_map(Result::transpose).collect()
        })
    }
}

/// A journal that was restored from an older copy gives numbers again which this store knows from what was lost.
fn forget_other_history(transaction: &Transaction<'_>, position: Position, at: UnixMs) -> rusqlite::Result<()> {
    let row = params![signed(position.seq), position.epoch, at.0];
    if transaction.execute("DELETE FROM closings WHERE seq = ?1 AND (epoch <> ?2 OR at <> ?3)", row)? > 0 {
        transaction.execute("DELETE FROM closing_agents WHERE seq = ?1", params![signed(position.seq)])?;
    }
    Ok(())
}

fn read_closing(connection: &Connection, seq: i64) -> rusqlite::Result<Option<ClosingRow>> {
    let sql = "SELECT epoch, at, command, subject, why, removals FROM closings WHERE seq = ?1";
    let read = |row: &Row<'_>| {
        Ok(ClosingRow {
            position: Position { epoch: row.get(0)?, seq: unsigned(seq) },
            at: UnixMs(row.get(1)?),
            command: row.get(2)?,
            subject: row.get(3)?,
            why: row.get(4)?,
            removals: row.get(5)?,
            agents: Vec::new(),
        })
    };
    let Some(mut closing) = connection.query_row(sql, [seq], read).optional()? else { return Ok(None) };
    let sql = "SELECT agent, doors, leaf, applied_at, durable_at, receipt, about_epoch, about_seq FROM closing_agents
               WHERE seq = ?1 ORDER BY agent";
    closing.agents = connection.prepare(sql)?.query_map([seq], read_agent)?.collect::<rusqlite::Result<_>>()?;
    Ok(Some(closing))
}

fn agent_id(text: &str) -> rusqlite::Result<AgentId> {
    AgentId::new(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))
}

fn read_agent(row: &Row<'_>) -> rusqlite::Result<ClosingAgentRow> {
    let agent = agent_id(&row.get::<_, String>(0)?)?;
    let (epoch, seq): (Option<u32>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(ClosingAgentRow {
        agent,
        doors: row.get(1)?,
        leaf: row.get(2)?,
        applied_at: row.get::<_, Option<i64>>(3)?.map(UnixMs),
        durable_at: row.get::<_, Option<i64>>(4)?.map(UnixMs),
        receipt: row.get(5)?,
        about: epoch.zip(seq).map(|(epoch, seq)| Position { epoch, seq: unsigned(seq) }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::{InitOptions, init};
    use crate::journal;
    use crate::paths::Layout;
    use crate::start::{Running, start};
    use doorward_policy::command::{Actor, Command};
    use doorward_policy::folder::{CampusFiles, parse};
    use doorward_policy::model::CardState;
    use rusqlite::TransactionBehavior;
    use std::path::Path;
    use std::time::Duration;

    fn row(agent: &str) -> ClosingAgentRow {
        ClosingAgentRow {
            agent: AgentId::new(agent).unwrap(),
            doors: vec![1],
            leaf: Some(vec![2]),
            applied_at: None,
            durable_at: None,
            receipt: None,
            about: None,
        }
    }

    #[test]
    fn a_change_stays_open_until_each_of_its_agents_has_confirmed() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let position = Position { epoch: 0, seq: 7 };
        let closing = ClosingRow {
            position,
            at: UnixMs(5),
            command: "card-suspend".into(),
            subject: "card A".into(),
            why: "lost".into(),
            removals: vec![3],
            agents: vec![row("a"), row("b")],
        };
        store.begin_closing(closing.clone()).unwrap().wait().unwrap();
        store.begin_closing(closing.clone()).unwrap().wait().unwrap();
        assert_eq!(store.open_closings(10).unwrap(), [closing]);
        for agent in ["a", "b"] {
            assert_eq!(store.open_closings(10).unwrap().len(), 1);
            let durable = ClosingAgentRow { durable_at: Some(UnixMs(9)), about: Some(position), ..row(agent) };
            store.advance_closing(7, durable.clone());
            // Whatever is stored later is stored after it.
            store.recover_contacts(UnixMs(0)).unwrap();
            assert!(store.closing(7).unwrap().unwrap().agents.contains(&durable));
        }
        assert!(store.open_closings(10).unwrap().is_empty());
        assert_eq!(store.closing(8).unwrap(), None);
    }

    #[test]
    fn what_an_agent_confirmed_before_its_change_was_kept_stays_confirmed() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let position = Position { epoch: 0, seq: 7 };
        let durable = ClosingAgentRow { durable_at: Some(UnixMs(9)), about: Some(position), ..row("a") };
        store.advance_closing(7, durable.clone());
        assert_eq!(store.closing(7).unwrap(), None);
        let closing = ClosingRow {
            position,
            at: UnixMs(5),
            command: "card-suspend".into(),
            subject: "card A".into(),
            why: "lost".into(),
            removals: vec![3],
            agents: vec![row("a")],
        };
        store.begin_closing(closing.clone()).unwrap().wait().unwrap();
        store.advance_closing(7, ClosingAgentRow { applied_at: Some(UnixMs(8)), ..row("a") });
        // Whatever is stored later is stored after it.
        store.recover_contacts(UnixMs(0)).unwrap();
        assert_eq!(store.closing(7).unwrap(), Some(ClosingRow { agents: vec![durable], ..closing }));
        assert!(store.open_closings(10).unwrap().is_empty());
    }

    #[test]
    fn in_a_new_epoch_a_number_stands_for_another_change() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let closing = |epoch, subject: &str, agent| ClosingRow {
            position: Position { epoch, seq: 7 },
            at: UnixMs(5),
            command: "card-suspend".into(),
            subject: subject.into(),
            why: "lost".into(),
            removals: vec![3],
            agents: vec![row(agent)],
        };
        store.begin_closing(closing(0, "card A", "a")).unwrap().wait().unwrap();
        store.begin_closing(closing(1, "card B", "b")).unwrap().wait().unwrap();
        assert_eq!(store.closing(7).unwrap(), Some(closing(1, "card B", "b")));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_progress_of_a_change_is_kept_before_its_commit_is_kept_or_shown_to_any_agent() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path().join("data"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/campuses/jnu");
        let read = |name: &str| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?));
        let campus = parse(&CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect())).unwrap();
        init(&layout, &campus, InitOptions::default()).unwrap();
        let Running { authority, threads } = tokio::task::block_in_place(|| start(layout.clone(), false)).unwrap();
        let mut cards = campus.tables.cards.into_iter().filter(|(_, card)| card.state == CardState::Active);
        let (card, _) = cards.next().unwrap();
        // A crash now would be one between the journal and this store.
        let mut blocker = super::super::database::connect(&layout.progress()).unwrap();
        let held = blocker.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let command = Command::CardSuspend { card, reason: "lost".into() };
        let accepted = authority.execute(Actor::system(), command).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let position = Position { epoch: 0, seq: accepted.seq };
        assert_eq!(journal::open(&layout.journal()).unwrap().commit(position).unwrap(), None);
        assert!(authority.try_present().is_none_or(|present| present.published.position < position));
        drop(held);
        assert!(authority.published_at(accepted.seq).await);
        assert!(authority.store.closing(accepted.seq).unwrap().is_some());
        assert!(journal::open(&layout.journal()).unwrap().commit(position).unwrap().is_some());
        authority.stop();
        drop(authority);
        tokio::task::block_in_place(|| threads.into_iter().for_each(|thread| thread.join().unwrap()));
    }
}
