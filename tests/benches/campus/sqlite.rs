//! The same decision by SQLite in memory: normalised tables with their indices, and one prepared query with all rows of the
//! decision in it.
//!
//! It is given local time and day, which SQLite cannot work out as the campus does; that is counted as its own.

use crate::decide::{Tap, World};
use anyhow::{Context, Result};
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::{Calendar, Class, CredentialState, Effect, Fact, Factors, Interval, Schedule};
use doorward_protocol::id::{ClassId, ScheduleId};
use doorward_protocol::time::Day;
use rusqlite::{Connection, Statement, params};

const TABLES: &str = "
    CREATE TABLE door (door TEXT PRIMARY KEY, function TEXT, identity INTEGER, unlock BLOB, lockdown INTEGER)
        WITHOUT ROWID;
    CREATE TABLE card (card TEXT PRIMARY KEY, class BLOB, state INTEGER, valid_from INTEGER, valid_until INTEGER,
        left_on INTEGER, grace_until INTEGER) WITHOUT ROWID;
    CREATE TABLE function (class BLOB, function TEXT, PRIMARY KEY (class, function)) WITHOUT ROWID;
    CREATE TABLE entry (class BLOB, door TEXT, number INTEGER, effect INTEGER, day_from INTEGER, day_until INTEGER,
        schedule BLOB, factors INTEGER, PRIMARY KEY (class, door, number)) WITHOUT ROWID;
    CREATE TABLE interval (schedule BLOB, kind INTEGER, begin INTEGER, end INTEGER,
        PRIMARY KEY (schedule, kind, begin, end)) WITHOUT ROWID;
";

/// Reasons by their place in [`Reason::ALL`]; ?1 door, ?2 card, ?3 and ?4 kinds of today and yesterday, ?5 minute, ?6 day,
/// ?7 factors.
const QUERY: &str = "
    SELECT CASE
        WHEN d.lockdown THEN 4
        WHEN EXISTS (SELECT 1 FROM interval i WHERE i.schedule = d.unlock AND i.kind IN (?3, ?4)
            AND i.begin <= ?5 AND ?5 < i.end) THEN 5
        WHEN c.card IS NULL THEN 6
        WHEN c.state = 0 THEN 8
        WHEN c.state = 2 THEN 9
        WHEN ?6 < c.valid_from THEN 10
        WHEN ?6 > c.valid_until THEN 11
        WHEN NOT EXISTS (SELECT 1 FROM function f WHERE f.class = c.class AND f.function = d.function) THEN 12
        WHEN CASE WHEN d.identity THEN ?6 >= c.left_on ELSE ?6 > c.grace_until END THEN 13
        ELSE (SELECT CASE ifnull(max(CASE
                WHEN e.schedule IS NOT NULL AND NOT EXISTS (SELECT 1 FROM interval i WHERE i.schedule = e.schedule
                    AND i.kind IN (?3, ?4) AND i.begin <= ?5 AND ?5 < i.end)
                    THEN CASE e.effect WHEN 0 THEN 15 ELSE 16 END
                WHEN e.effect = 0 THEN 99
                WHEN e.factors & ?7 = e.factors THEN 18
                ELSE 17 END), 15) WHEN 99 THEN 14 WHEN 18 THEN 18 WHEN 17 THEN 17 WHEN 16 THEN 16 ELSE 15 END
            FROM entry e WHERE e.class = c.class AND e.door = d.door AND e.day_from <= ?6 AND ?6 <= e.day_until)
        END
    FROM door d LEFT JOIN card c ON c.card = ?2 WHERE d.door = ?1
";

/// Kinds of days, from Monday to Sunday, and then the same as holidays; as many again for what is left of the day before.
const KINDS: u8 = 14;

/// See the module.
pub struct Sqlite {
    connection: Connection,
    calendar: Calendar,
}

/// The prepared query.
pub struct Prepared<'a> {
    statement: Statement<'a>,
    calendar: &'a Calendar,
}

impl Sqlite {
    /// The tables of what an agent holds.
    ///
    /// # Errors
    /// When SQLite does not take them.
    pub fn new(world: &World) -> Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        let transaction = connection.transaction()?;
        let (mut calendar, mut reader) = (None, None);
        for fact in world.state.facts_but_credentials() {
            match fact {
                Fact::Calendar(known) => calendar = Some(known.clone()),
                Fact::Reader(known) => reader = Some(known.clone()),
                Fact::Door(door) => {
                    let (id, function, unlock) = (door.door.as_str(), door.function.as_str(), door.unlock);
                    let row = params![id, function, door.identity, unlock.map(|id| id.0), door.lockdown];
                    transaction.execute("INSERT INTO door VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
                }
                Fact::Schedule(id, schedule) => put_schedule(&transaction, *id, schedule)?,
                Fact::Class(id, class) => put_class(&transaction, *id, class)?,
                Fact::Credential(_) => {}
            }
        }
        let reader = reader.context("the state has no reader key")?;
        let mut put = transaction.prepare("INSERT INTO card VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for card in world.cards() {
            let Some(held) = world.state.credential(reader.credential_key(card.as_str())) else { continue };
            let state = match held.state {
                CredentialState::Produced => 0,
                CredentialState::Active => 1,
                CredentialState::Suspended => 2,
            };
            let from = held.valid.from.map_or(i32::MIN, |day| day.0);
            let until = held.valid.until.map_or(i32::MAX, |day| day.0);
            let left_on = held.leaving.map(|leaving| leaving.left_on.0);
            let grace_until = held.leaving.map(|leaving| leaving.grace_until.0);
            put.execute(params![card.as_str(), held.class.0, state, from, until, left_on, grace_until])?;
        }
        drop(put);
        transaction.commit()?;
        connection.execute_batch("ANALYZE")?;
        Ok(Self { connection, calendar: calendar.context("the state has no calendar")? })
    }

    /// The query, prepared.
    ///
    /// # Errors
    /// When SQLite does not take it.
    pub fn statement(&self) -> Result<Prepared<'_>> {
        Ok(Prepared { statement: self.connection.prepare(QUERY)?, calendar: &self.calendar })
    }
}

impl Prepared<'_> {
    /// Answers one tap.
    ///
    /// # Errors
    /// When there is no such door.
    pub fn answer(&mut self, tap: &Tap) -> Result<Reason> {
        let local = self.calendar.zone.local(tap.at).context("the instant has no local time")?;
        let kind = |day: Day| {
            let is_holiday = self.calendar.holidays.binary_search(&day).is_ok();
            day.weekday() + if is_holiday { KINDS / 2 } else { 0 }
        };
        let (today, yesterday) = (kind(local.day), KINDS + kind(local.day.plus(-1)));
        let factors = bits(tap.factors);
        let row = params![tap.door.as_str(), tap.card, today, yesterday, local.minute, local.day.0, factors];
        let place: i64 = self.statement.query_row(row, |row| row.get(0))?;
        Reason::ALL.get(usize::try_from(place)?).copied().context("no such reason")
    }
}

fn bits(factors: Factors) -> u8 {
    let named = [("pin", 1), ("fingerprint", 2), ("face", 4)];
    let has = |name| Factors::named(name).is_some_and(|factor| factors.contains(factor));
    named.into_iter().filter(|(name, _)| has(name)).map(|(_, bit)| bit).sum()
}

fn put_class(connection: &Connection, id: ClassId, class: &Class) -> Result<()> {
    for function in &class.functions {
        connection.execute("INSERT INTO function VALUES (?1, ?2)", params![id.0, function.as_str()])?;
    }
    for door in &class.doors {
        for (number, entry) in door.entries.iter().enumerate() {
            let effect = match entry.effect {
                Effect::Deny => 0,
                Effect::Permit => 1,
            };
            let from = entry.days.from.map_or(i32::MIN, |day| day.0);
            let until = entry.days.until.map_or(i32::MAX, |day| day.0);
            let schedule = entry.schedule.map(|id| id.0);
            let (door, factors) = (door.door.as_str(), bits(entry.factors));
            let row = params![id.0, door, i64::try_from(number)?, effect, from, until, schedule, factors];
            connection.execute("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", row)?;
        }
    }
    Ok(())
}

fn put_schedule(connection: &Connection, id: ScheduleId, schedule: &Schedule) -> Result<()> {
    let put = |kind: u8, begin: u16, end: u16| {
        let row = params![id.0, kind, begin, end];
        connection.execute("INSERT OR IGNORE INTO interval VALUES (?1, ?2, ?3, ?4)", row)
    };
    for kind in 0..KINDS {
        let weekday = schedule.weekly.get(usize::from(kind % (KINDS / 2)));
        let of_kind: Option<&Vec<Interval>> =
            if kind >= KINDS / 2 { schedule.holiday.as_ref().or(weekday) } else { weekday };
        for interval in of_kind.into_iter().flatten() {
            if interval.crosses_midnight() {
                put(kind, interval.start_min, 1440)?;
                put(KINDS + kind, 0, interval.end_min)?;
            } else {
                put(kind, interval.start_min, interval.end_min)?;
            }
        }
    }
    Ok(())
}
