//! Events for other systems, in the order in which they go out, and how far each receiver has them.
//!
//! A database of its own: what other systems still wait for delays neither a record nor the word that a door is closed.

use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::time::UnixMs;
use rusqlite::{OptionalExtension, Row, params};

pub(super) const SCHEMA: &str = "
    CREATE TABLE events (
        id BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL);
    CREATE TABLE cursors (name TEXT PRIMARY KEY, position BIGINT NOT NULL);
";

/// Most events that are kept: a receiver that is away for longer misses the oldest, which is an alarm.
pub const EVENTS_MAX: u64 = 100_000;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; 0 before it has one.
    pub id: u64,
    /// When it happened.
    pub at: UnixMs,
    /// What happened, such as `card.suspended`.
    pub kind: String,
    /// What it is about, such as `card CARD1`.
    pub subject: String,
    /// The rest, as a JSON object.
    pub data: String,
}

impl AccessStore {
    /// Keeps events, and in the same instant how far their sources have been read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_events(&self, events: Vec<Event>, sources: Vec<(&'static str, u64)>) -> Result<(), StoreError> {
        self.events
            .write_rows(events.len().saturating_add(1), move |transaction| {
                let sql = "INSERT INTO events (id, at, kind, subject, data)
                           VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM events), ?1, ?2, ?3, ?4)";
                for event in &events {
                    let row = params![event.at.0, event.kind, event.subject, event.data];
                    transaction.prepare_cached(sql)?.execute(row)?;
                }
                let sql = "DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ?1";
                transaction.execute(sql, [signed(EVENTS_MAX)])?;
                for (name, position) in &sources {
                    set_cursor(transaction, name, *position)?;
                }
                Ok(())
            })
            .await
    }

    /// Events after one, in their order.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn events_after(&self, id: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT id, at, kind, subject, data FROM events WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.events.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![signed(id), signed(u64::from(limit))], read_row)?.collect()
        })
    }

    /// Numbers of the oldest and the newest event; zeros when there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn event_range(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM events";
        self.events
            .read(|connection| connection.query_row(sql, [], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))))
    }

    /// How far a source was read, or a receiver has come; `None` for one that is new.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn cursor(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT position FROM cursors WHERE name = ?1";
        let position = self.events.read(|connection| connection.query_row(sql, [name], |row| row.get(0)).optional())?;
        Ok(position.map(unsigned))
    }

    /// The subjects of which the newest event among these two kinds is the first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn subjects_in(&self, kind: &str, ended_by: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT subject FROM events WHERE id IN
                   (SELECT MAX(id) FROM events WHERE kind IN (?1, ?2) GROUP BY subject) AND kind = ?1";
        self.events.read(|connection| {
            let mut statement = connection.prepare(sql)?;
            statement.query_map([kind, ended_by], |row| row.get(0))?.collect()
        })
    }

    /// Keeps how far a receiver has come.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn move_cursor(&self, name: String, position: u64) -> Result<(), StoreError> {
        self.events.write(move |transaction| set_cursor(transaction, &name, position)).await
    }
}

fn set_cursor(transaction: &rusqlite::Transaction<'_>, name: &str, position: u64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO cursors (name, position) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET position = excluded.position";
    transaction.prepare_cached(sql)?.execute(params![name, signed(position)]).map(|_| ())
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: unsigned(row.get(0)?),
        at: UnixMs(row.get(1)?),
        kind: row.get(2)?,
        subject: row.get(3)?,
        data: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;

    fn event(kind: &str, subject: &str) -> Event {
        Event { id: 0, at: UnixMs(5), kind: kind.into(), subject: subject.into(), data: "{}".into() }
    }

    #[tokio::test]
    async fn events_and_how_far_everybody_is_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let (store, writers) = AccessStore::open(&layout).unwrap();
        let events = vec![event("down", "a"), event("down", "b"), event("up", "a"), event("other", "c")];
        store.note_events(events, vec![("source", 7)]).await.unwrap();
        store.move_cursor("receiver".into(), 2).await.unwrap();
        store.move_cursor("receiver".into(), 3).await.unwrap();
        drop(store);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let (store, _writers) = AccessStore::open(&layout).unwrap();
        let cursors = ["source", "receiver", "nobody"].map(|name| store.cursor(name).unwrap());
        assert_eq!(cursors, [Some(7), Some(3), None]);
        assert_eq!(store.event_range().unwrap(), (1, 4));
        let later = store.events_after(2, 1).unwrap();
        assert_eq!(later, [Event { id: 3, ..event("up", "a") }]);
        assert_eq!(store.subjects_in("down", "up").unwrap(), ["b"]);
    }
}
