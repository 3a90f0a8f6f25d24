//! Looks: who asked about whom. People whose doors and cards are looked at can be told by whom, and why is asked of those.
//!
//! A database of its own, since what is kept of it and for how long is another question than the access log.

use super::{AccessStore, StoreError, signed, unsigned};
use doorward_protocol::time::UnixMs;
use rusqlite::{Row, params};

pub(super) const SCHEMA: &str = "
    CREATE TABLE looks (
        id BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, question TEXT NOT NULL, about TEXT NOT NULL);
    CREATE INDEX looks_about ON looks (about, id);
    CREATE INDEX looks_actor ON looks (actor, id);
";

/// One look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: UnixMs,
    /// Who asked.
    pub actor: String,
    /// What was asked, such as `card` or `log`.
    pub question: &'static str,
    /// About whom or what, such as `card CARD1`.
    pub about: String,
}

/// A stored look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookRow {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: UnixMs,
    /// Who asked.
    pub actor: String,
    /// What was asked.
    pub question: String,
    /// About whom or what.
    pub about: String,
}

impl AccessStore {
    /// Keeps a look; done once it is durable.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_look(&self, look: Look) -> Result<(), StoreError> {
        let sql = "INSERT INTO looks (id, at, actor, question, about)
                   VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM looks), ?1, ?2, ?3, ?4)";
        self.looks
            .write(move |transaction| {
                let row = params![look.at.0, look.actor, look.question, look.about];
                transaction.prepare_cached(sql)?.execute(row).map(|_| ())
            })
            .await
    }

    /// The newest looks, oldest of them first; about something, by somebody, or before one of them, where that is said.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn looks(
        &self,
        about: Option<&str>,
        actor: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LookRow>, StoreError> {
        let sql = "SELECT id, at, actor, question, about FROM looks
                   WHERE (?1 IS NULL OR about = ?1) AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR id < ?3)
                   ORDER BY id DESC LIMIT ?4";
        let mut rows: Vec<LookRow> = self.looks.read(|connection| {
            let mut statement = connection.prepare(sql)?;
            statement
                .query_map(params![about, actor, before.map(signed), signed(u64::from(limit))], read_row)?
                .collect()
        })?;
        rows.reverse();
        Ok(rows)
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<LookRow> {
    Ok(LookRow {
        id: unsigned(row.get(0)?),
        at: UnixMs(row.get(1)?),
        actor: row.get(2)?,
        question: row.get(3)?,
        about: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Layout;

    #[tokio::test]
    async fn looks_are_found_by_whom_they_are_about_and_by_who_looked_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let (store, writers) = AccessStore::open(&layout).unwrap();
        for (actor, about) in [("kim", "card A"), ("lee", "card A"), ("kim", "card B")] {
            let about = about.to_owned();
            store.note_look(Look { at: UnixMs(5), actor: actor.into(), question: "card", about }).await.unwrap();
        }
        drop(store);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let (store, _) = AccessStore::open(&layout).unwrap();
        let who = |about: Option<&str>, actor: Option<&str>, limit| {
            let rows = store.looks(about, actor, None, limit).unwrap().into_iter();
            rows.map(|row| (row.actor, row.about)).collect::<Vec<_>>()
        };
        let pair = |actor: &str, about: &str| (actor.to_owned(), about.to_owned());
        assert_eq!(who(Some("card A"), None, 9), [pair("kim", "card A"), pair("lee", "card A")]);
        assert_eq!(who(None, Some("kim"), 9), [pair("kim", "card A"), pair("kim", "card B")]);
        assert_eq!(who(None, None, 1), [pair("kim", "card B")], "the newest");
        let older = store.looks(None, None, Some(3), 9).unwrap();
        assert_eq!(older.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2], "a page before the newest");
        assert!(who(Some("card A' OR 1"), None, 9).is_empty());
    }
}
