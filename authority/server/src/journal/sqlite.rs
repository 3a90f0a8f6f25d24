//! The journal in an embedded SQLite database. The statements, the schema aside, are plain SQL.

use super::{Journal, JournalError, Stored};
use doorward_policy::command::Entry;
use doorward_protocol::codec;
use doorward_protocol::commit::{Commit, Position};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::Statement;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Format of the file; in `user_version`.
const FORMAT: i64 = 1;

/// Another connection of this process holds the lock for one append at most.
const BUSY: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
    CREATE TABLE entries (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, command TEXT NOT NULL);
    CREATE TABLE commits (epoch BIGINT, seq BIGINT, signed BLOB NOT NULL, PRIMARY KEY (epoch, seq));
    CREATE TABLE statements (version BIGINT PRIMARY KEY, signed BLOB NOT NULL);
";

#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
}

impl SqliteJournal {
    pub fn create(file: &Path) -> Result<Self, JournalError> {
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        made.map_err(|error| match error.kind() == std::io::ErrorKind::AlreadyExists {
            true => JournalError::Exists(file.to_owned()),
            false => JournalError::Storage(format!("{}: {error}", file.display())),
        })?;
        let mut journal = Self { connection: connect(file)? };
        let transaction = journal.connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
        Ok(journal)
    }

    pub fn open(file: &Path) -> Result<Self, JournalError> {
        if !file.exists() {
            return Err(JournalError::Missing(file.to_owned()));
        }
        let connection = connect(file)?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match found {
            FORMAT => Ok(Self { connection }),
            newer if newer > FORMAT => Err(JournalError::Newer { found: newer, known: FORMAT }),
            _ => Err(JournalError::NotAJournal(file.to_owned())),
        }
    }

    pub fn check_storage(&self) -> Result<(), JournalError> {
        let found: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(JournalError::Storage(found)) }
    }
}

fn connect(file: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| not_a_database(file, error))?;
    if mode != "wal" {
        return Err(JournalError::Storage(format!("write-ahead logging is not possible here (mode {mode})")));
    }
    // What was acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn not_a_database(file: &Path, error: rusqlite::Error) -> JournalError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => JournalError::NotAJournal(file.to_owned()),
        _ => error.into(),
    }
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            _ => Self::Storage(error.to_string()),
        }
    }
}

impl Journal for SqliteJournal {
    fn head(&self) -> Result<u64, JournalError> {
        head_of(&self.connection)
    }

    fn append(&mut self, expected_head: u64, entry: &Entry, command_text: &str) -> Result<(), JournalError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = head_of(&transaction)?;
        if found != expected_head || entry.seq != expected_head.saturating_add(1) {
            return Err(JournalError::Conflict { expected: expected_head, found });
        }
        transaction
            .prepare_cached("INSERT INTO entries (seq, at, actor, command) VALUES ($1, $2, $3, $4)")?
            .execute(params![stored(entry.seq)?, entry.at.0, entry.actor.as_str(), command_text])?;
        Ok(transaction.commit()?)
    }

    fn read_from(&self, seq: u64, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<(), JournalError> {
        let mut statement =
            self.connection.prepare("SELECT seq, at, actor, command FROM entries WHERE seq >= $1 ORDER BY seq")?;
        let mut rows = statement.query(params![stored(seq)?])?;
        let mut next = seq.max(1);
        while let Some(row) = rows.next()? {
            let entry = read_entry(row)?;
            if entry.seq != next {
                return Err(JournalError::Damaged { seq: next, why: "it is missing".into() });
            }
            next = next.saturating_add(1);
            if visit(entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_with(
        &self,
        words: &[String],
        up_to: u64,
        visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        let mut statement =
            self.connection.prepare("SELECT seq, at, actor, command FROM entries WHERE seq <= $1 ORDER BY seq")?;
        let mut rows = statement.query(params![i64::try_from(up_to).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let command = row.get_ref(3)?.as_str().unwrap_or_default();
            if words.iter().any(|word| command.contains(word.as_str())) && visit(read_entry(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_back(&self, seq: u64, visit: &mut dyn FnMut(&Stored<'_>) -> ControlFlow<()>) -> Result<(), JournalError> {
        let sql = "SELECT seq, at, actor, command FROM entries WHERE seq < $1 ORDER BY seq DESC";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query(params![i64::try_from(seq).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            if visit(&as_stored(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, entries: &[(Entry, String)]) -> Result<(), JournalError> {
        self.connection.pragma_update(None, "secure_delete", "ON")?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (entry, command) in entries {
            let row = params![stored(entry.seq)?, command, entry.actor.as_str()];
            let sql = "UPDATE entries SET command = ?2, actor = ?3 WHERE seq = ?1";
            if transaction.prepare_cached(sql)?.execute(row)? != 1 {
                return Err(JournalError::Damaged { seq: entry.seq, why: "it is missing".into() });
            }
        }
        transaction.commit()?;
        // What was replaced does not stay in the log beside the database.
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            tracing::warn!("what was erased stands in the journal's log until it is written over");
        }
        Ok(())
    }

    fn store_commit(&mut self, position: Position, commit: &Signed<Commit>) -> Result<(), JournalError> {
        let sql = "INSERT INTO commits (epoch, seq, signed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let bytes = to_bytes(commit)?;
        self.connection.prepare_cached(sql)?.execute(params![position.epoch, stored(position.seq)?, bytes])?;
        Ok(())
    }

    fn commit(&self, position: Position) -> Result<Option<Signed<Commit>>, JournalError> {
        let sql = "SELECT signed FROM commits WHERE epoch = $1 AND seq = $2";
        let row = params![position.epoch, stored(position.seq)?];
        let found: Option<Vec<u8>> = self.connection.query_row(sql, row, |row| row.get(0)).optional()?;
        found.map(|bytes| from_bytes(position.seq, &bytes)).transpose()
    }

    fn newest_commit(&self) -> Result<Option<(Position, Signed<Commit>)>, JournalError> {
        let sql = "SELECT epoch, seq, signed FROM commits ORDER BY epoch DESC, seq DESC LIMIT 1";
        let found: Option<(u32, i64, Vec<u8>)> =
            self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((epoch, seq, bytes)) = found else { return Ok(None) };
        let position = Position { epoch, seq: loaded(seq)? };
        Ok(Some((position, from_bytes(position.seq, &bytes)?)))
    }

    fn append_statement(&mut self, version: u32, statement: &Signed<Statement>) -> Result<(), JournalError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT COALESCE(MAX(version), 0) FROM statements";
        let found: u32 = transaction.query_row(sql, [], |row| row.get(0))?;
        let expected = version.saturating_sub(1);
        if found != expected {
            return Err(JournalError::Conflict { expected: expected.into(), found: found.into() });
        }
        let bytes = to_bytes(statement)?;
        transaction.execute("INSERT INTO statements (version, signed) VALUES ($1, $2)", params![version, bytes])?;
        Ok(transaction.commit()?)
    }

    fn statements(&self) -> Result<Vec<Signed<Statement>>, JournalError> {
        let mut statement = self.connection.prepare("SELECT signed FROM statements ORDER BY version")?;
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|bytes| from_bytes(0, &bytes?)).collect()
    }
}

fn head_of(connection: &Connection) -> Result<u64, JournalError> {
    let mut statement = connection.prepare_cached("SELECT COALESCE(MAX(seq), 0) FROM entries")?;
    loaded(statement.query_row([], |row| row.get(0))?)
}

fn as_stored<'a>(row: &'a Row<'_>) -> Result<Stored<'a>, JournalError> {
    let seq = loaded(row.get(0)?)?;
    let text = |column| {
        let text = row.get_ref(column)?.as_str();
        text.map_err(|error| JournalError::Damaged { seq, why: error.to_string() })
    };
    Ok(Stored { seq, at: UnixMs(row.get(1)?), actor: text(2)?, command: text(3)? })
}

fn read_entry(row: &Row<'_>) -> Result<Entry, JournalError> {
    as_stored(row)?.entry()
}

fn stored(seq: u64) -> Result<i64, JournalError> {
    i64::try_from(seq).map_err(|_| JournalError::Storage(format!("entry number {seq} does not fit")))
}

fn loaded(seq: i64) -> Result<u64, JournalError> {
    u64::try_from(seq).map_err(|_| JournalError::Storage(format!("an entry has the number {seq}")))
}

fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, JournalError> {
    codec::encode(value).map_err(|error| JournalError::Storage(error.to_string()))
}

fn from_bytes<T: Serialize + DeserializeOwned>(seq: u64, bytes: &[u8]) -> Result<T, JournalError> {
    codec::decode(bytes).map_err(|error| JournalError::Damaged { seq, why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_policy::command::{Actor, Command};
    use doorward_policy::model::CardId;

    fn entry(seq: u64) -> Entry {
        let command = Command::CardActivate { card: CardId::new(&format!("card-{seq}")).unwrap() };
        Entry { seq, at: UnixMs(1000), actor: Actor::system(), command }
    }

    fn append(journal: &mut SqliteJournal, head: u64, entry: &Entry) -> Result<(), JournalError> {
        journal.append(head, entry, &serde_json::to_string(&entry.command).unwrap())
    }

    fn entries(journal: &SqliteJournal, from: u64) -> Vec<Entry> {
        let mut found = Vec::new();
        let mut visit = |entry| {
            found.push(entry);
            ControlFlow::Continue(())
        };
        journal.read_from(from, &mut visit).unwrap();
        found
    }

    #[test]
    fn what_is_appended_is_there_after_the_journal_was_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("journal.db");
        let mut journal = SqliteJournal::create(&file).unwrap();
        append(&mut journal, 0, &entry(1)).unwrap();
        append(&mut journal, 1, &entry(2)).unwrap();
        drop(journal);
        let journal = SqliteJournal::open(&file).unwrap();
        assert_eq!(journal.head().unwrap(), 2);
        assert_eq!(entries(&journal, 1), [entry(1), entry(2)]);
        assert_eq!(entries(&journal, 2), [entry(2)]);
        journal.check_storage().unwrap();
    }

    #[test]
    fn of_two_appends_after_one_head_the_second_is_a_conflict_and_leaves_no_trace() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("journal.db");
        let mut first = SqliteJournal::create(&file).unwrap();
        let mut second = SqliteJournal::open(&file).unwrap();
        append(&mut first, 0, &entry(1)).unwrap();
        let lost = append(&mut second, 0, &entry(1));
        assert!(matches!(lost, Err(JournalError::Conflict { expected: 0, found: 1 })), "{lost:?}");
        assert!(matches!(append(&mut second, 1, &entry(3)), Err(JournalError::Conflict { .. })));
        append(&mut second, 1, &entry(2)).unwrap();
        assert_eq!(entries(&first, 1).len(), 2);
    }

    #[test]
    fn a_journal_is_not_overwritten_and_a_missing_one_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("journal.db");
        assert!(matches!(SqliteJournal::open(&file), Err(JournalError::Missing(_))));
        SqliteJournal::create(&file).unwrap();
        assert!(matches!(SqliteJournal::create(&file), Err(JournalError::Exists(_))));
    }

    #[test]
    fn a_journal_of_a_newer_version_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("journal.db");
        let journal = SqliteJournal::create(&file).unwrap();
        journal.connection.pragma_update(None, "user_version", FORMAT + 1).unwrap();
        drop(journal);
        let Err(error) = SqliteJournal::open(&file) else { panic!("it opened") };
        assert_eq!(
            error.to_string(),
            "the journal has format 2, this software knows formats up to 1; run the newer software"
        );
    }

    #[test]
    fn a_file_of_something_else_is_no_journal() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("journal.db");
        std::fs::write(&file, "card_id,person_id\n".repeat(100)).unwrap();
        assert!(matches!(SqliteJournal::open(&file), Err(JournalError::NotAJournal(_))));
    }

    #[test]
    fn a_missing_or_unreadable_entry_is_damage_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = SqliteJournal::create(&directory.path().join("journal.db")).unwrap();
        for seq in 1..=3 {
            append(&mut journal, seq - 1, &entry(seq)).unwrap();
        }
        journal.connection.execute("UPDATE entries SET command = '{\"open-all\":{}}' WHERE seq = 2", []).unwrap();
        let ignore = &mut |_| ControlFlow::Continue(());
        assert!(matches!(journal.read_from(1, ignore), Err(JournalError::Damaged { seq: 2, .. })));
        journal.connection.execute("DELETE FROM entries WHERE seq = 2", []).unwrap();
        let Err(JournalError::Damaged { seq: 2, why }) = journal.read_from(1, ignore) else { panic!("not noticed") };
        assert_eq!(why, "it is missing");
    }

    #[test]
    fn a_full_disk_is_named_changes_nothing_and_is_over_when_there_is_space() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = SqliteJournal::create(&directory.path().join("journal.db")).unwrap();
        append(&mut journal, 0, &entry(1)).unwrap();
        let pages: i64 = journal.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let limit = |journal: &SqliteJournal, pages: i64| {
            let limit = format!("PRAGMA max_page_count = {pages}");
            journal.connection.query_row(&limit, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        limit(&journal, pages);
        let long = format!(r#"{{"card-activate":{{"card":"A"}}}}{}"#, " ".repeat(100_000));
        assert!(matches!(journal.append(1, &entry(2), &long), Err(JournalError::Full)));
        assert_eq!(entries(&journal, 1), [entry(1)]);
        limit(&journal, 1_000_000);
        journal.append(1, &entry(2), &long).unwrap();
        assert_eq!(journal.head().unwrap(), 2);
    }

    #[test]
    fn a_journal_that_cannot_be_written_says_so_and_still_reads() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = SqliteJournal::create(&directory.path().join("journal.db")).unwrap();
        append(&mut journal, 0, &entry(1)).unwrap();
        journal.connection.pragma_update(None, "query_only", true).unwrap();
        assert!(matches!(append(&mut journal, 1, &entry(2)), Err(JournalError::ReadOnly)));
        assert_eq!(entries(&journal, 1), [entry(1)]);
    }
}
