//! What is stored of one person: found for that one, and erased.
//!
//! Of a tap stays that somebody was at a door: the log of doors and the chains of agents go on. Who it was goes, with the card.

use super::records::OF_PERSON;
use super::{AccessStore, StoreError, signed};
use doorward_policy::erasure::ERASED;
use rusqlite::{Transaction, params};

/// Rows that are changed together.
const BATCH: u64 = 500;

/// So much of a name, typed to find somebody, tells who it was.
const TYPED_CHARACTERS_MIN: i64 = 4;

/// Whom and what to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The person.
    pub person: String,
    /// The cards that have been that one's.
    pub cards: Vec<String>,
    /// The names that the person has had.
    pub names: Vec<String>,
    /// Entries of the journal that were about the person, with what they are about in words now.
    pub entries: Vec<(u64, String)>,
}

impl AccessStore {
    /// Erases a person from access records, alarms, looks and how far changes have come; says from how many records.
    ///
    /// # Errors
    /// See [`StoreError`]; it can be done again.
    pub async fn erase(&self, erased: &Erased) -> Result<u64, StoreError> {
        let mut records = 0;
        let mut places = vec![(OF_PERSON.replace('?', "?1"), erased.person.clone())];
        places.extend(erased.cards.iter().map(|card| ("card = ?1".to_owned(), card.clone())));
        for (condition, value) in places {
            let sql = format!(
                "UPDATE records SET person = NULL, card = NULL, credential = zeroblob(16)
                 WHERE id IN (SELECT id FROM records WHERE {condition} LIMIT ?2)"
            );
            loop {
                let (sql, value) = (sql.clone(), value.clone());
                let update = move |transaction: &Transaction<'_>| {
                    transaction.prepare_cached(&sql)?.execute(params![value, signed(BATCH)])
                };
                let count = self.log.write_rows(usize::try_from(BATCH).unwrap_or(usize::MAX), update).await?;
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                records += count;
                if count < BATCH {
                    break;
                }
            }
        }
        let (person, cards) = (erased.person.clone(), erased.cards.clone());
        self.log
            .write(move |transaction| {
                transaction.execute("DELETE FROM holders WHERE person = ?1", [&person])?;
                let sql = "UPDATE alarms SET text = replace(text, ?1, ?2) WHERE instr(text, ?1) > 0";
                for card in &cards {
                    transaction.prepare_cached(sql)?.execute(params![format!(" card {card} "), " card erased "])?;
                }
                Ok(())
            })
            .await?;
        self.erase_looks(erased.clone()).await?;
        self.erase_events(erased.clone()).await?;
        self.erase_closings(erased.entries.clone()).await?;
        self.empty_logs().await?;
        Ok(records)
    }

    async fn erase_looks(&self, erased: Erased) -> Result<(), StoreError> {
        self.looks
            .write(move |transaction| {
                let Erased { person, cards, names, .. } = &erased;
                let about = cards.iter().map(|card| format!("card {card}")).chain([format!("person {person}")]);
                for about in about {
                    transaction.execute("DELETE FROM looks WHERE about = ?1", params![about])?;
                }
                // What was typed to find the person: a name, or so much of one that it is hardly anybody else's.
                for known in names.iter().chain([person]) {
                    let sql = "DELETE FROM looks WHERE question = 'find' AND (instr(about, ?1) > 0 OR
                               (length(about) >= 14 + ?2 AND instr(?1, substr(about, 14, length(about) - 14)) > 0))";
                    transaction.execute(sql, params![known.to_lowercase(), TYPED_CHARACTERS_MIN])?;
                }
                Ok(())
            })
            .await
    }

    /// What other systems have not fetched by now they learn no more. The numbers stay, so that none of them seems lost.
    async fn erase_events(&self, erased: Erased) -> Result<(), StoreError> {
        self.events
            .write(move |transaction| {
                let Erased { person, cards, .. } = &erased;
                let ids = cards.iter().map(|card| format!("\"{card}\"")).chain([format!("\"{person}\"")]);
                let tapped = cards.iter().map(|card| format!(" card {card} "));
                for word in ids.chain(tapped) {
                    let sql = "UPDATE events SET kind = ?2, subject = ?2, data = '{}' WHERE instr(data, ?1) > 0";
                    transaction.execute(sql, params![word, ERASED])?;
                }
                Ok(())
            })
            .await
    }

    async fn erase_closings(&self, entries: Vec<(u64, String)>) -> Result<(), StoreError> {
        self.progress
            .write(move |transaction| {
                let sql =
                    "UPDATE closings SET subject = ?2, why = CASE WHEN why = '' THEN '' ELSE ?3 END WHERE seq = ?1";
                let mut statement = transaction.prepare_cached(sql)?;
                entries.iter().try_for_each(|(seq, subject)| {
                    statement.execute(params![signed(*seq), subject, ERASED]).map(|_| ())
                })
            })
            .await
    }

    /// Moves what was written into the databases themselves, so that what it replaced stands in no file beside them.
    async fn empty_logs(&self) -> Result<(), StoreError> {
        for database in [self.log.clone(), self.progress.clone(), self.looks.clone(), self.events.clone()] {
            let emptied = tokio::task::spawn_blocking(move || database.empty_log()).await;
            emptied.map_err(|error| StoreError::Storage(error.to_string()))??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Event, Filter, Look, NewAlarm, NewRecord};
    use crate::paths::Layout;
    use doorward_protocol::commit::Position;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::facts::Factors;
    use doorward_protocol::id::{AgentId, CredentialKey, DoorId, Incarnation};
    use doorward_protocol::record::{ChainHead, Record};
    use doorward_protocol::session::AlarmKind;
    use doorward_protocol::time::UnixMs;

    fn agent() -> AgentId {
        AgentId::new("agent-1").unwrap()
    }

    fn tap(seq: u64, card: &str, person: Option<&str>) -> NewRecord {
        let record = Record {
            seq,
            at: UnixMs(9),
            door: DoorId::new("d-1").unwrap(),
            credential: CredentialKey([1; 16]),
            factors: Factors::NONE,
            reason: Reason::Granted,
            position: Position { epoch: 0, seq: 4 },
        };
        NewRecord { record, card: Some(card.into()), person: person.map(Into::into), alarm: None }
    }

    #[tokio::test]
    async fn taps_stay_and_say_nothing_of_whom_they_were_and_those_of_others_stay_whole() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = AccessStore::open(&Layout::new(directory.path())).unwrap();
        let mut taps: Vec<_> = (1..=1200).map(|seq| tap(seq, "SECRET-A", Some("kim"))).collect();
        taps.extend([tap(1201, "SECRET-A", None), tap(1202, "B", Some("lee"))]);
        let begin = ChainHead::begin(&agent(), Incarnation([9; 16]));
        let head = taps.iter().fold(begin, |head, new| head.with(&new.record).unwrap());
        store.store_records(agent(), taps, head, UnixMs(7)).await.unwrap();
        for card in ["SECRET-A", "B"] {
            let text = format!("the closed card {card} was tapped at door d-1; it stayed shut");
            store.raise(NewAlarm::new(AlarmKind::CardTapped, None, text), UnixMs(7));
            let look = |question, about| Look { at: UnixMs(7), actor: "aud".into(), question, about };
            store.note_look(look("card", format!("card {card}"))).await.unwrap();
        }
        let find =
            Look { at: UnixMs(7), actor: "aud".into(), question: "find", about: "people with \"kim min\"".into() };
        store.note_look(find).await.unwrap();
        for typed in ["kim ", "im m", "im", "lee min"] {
            let about = format!("people with {typed:?}");
            store.note_look(Look { at: UnixMs(7), actor: "aud".into(), question: "find", about }).await.unwrap();
        }
        let event = |data: &str| Event {
            id: 0,
            at: UnixMs(7),
            kind: "card.closed".into(),
            subject: "card SECRET-A".into(),
            data: data.into(),
        };
        let events = ["{\"card\":\"SECRET-A\"}", "{\"text\":\"the closed card SECRET-A was tapped\"}"].map(event);
        store.note_events(events.into(), Vec::new()).await.unwrap();
        let other = Event { subject: "card B".into(), ..event("{\"card\":\"B\"}") };
        store.note_events(vec![other], Vec::new()).await.unwrap();
        let erased = Erased {
            person: "kim".into(),
            cards: vec!["SECRET-A".into()],
            names: vec!["Kim Min".into()],
            entries: Vec::new(),
        };
        assert_eq!(store.erase(&erased).await.unwrap(), 1201);
        assert_eq!(store.erase(&erased).await.unwrap(), 0, "it can be done again");
        let rows = store.records(&Filter::default(), 2000).unwrap();
        assert_eq!(rows.len(), 1202);
        let known: Vec<_> = rows.iter().filter(|row| row.card.is_some() || row.person.is_some()).collect();
        assert_eq!((known.len(), known[0].person.as_deref(), known[0].seq), (1, Some("lee"), 1202));
        assert_eq!(rows[0].credential, "0".repeat(32));
        assert_eq!(store.chains(agent()).await.unwrap(), [head], "no gap");
        let alarms: Vec<_> = store.alarms(9, false).unwrap().into_iter().map(|row| row.text).collect();
        assert!(
            alarms[0].starts_with("the closed card erased was tapped") && alarms[1].contains("card B"),
            "{alarms:?}"
        );
        let events = store.events_after(0, 9).unwrap();
        assert_eq!(
            events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(),
            ["erased", "erased", "card.closed"]
        );
        assert_eq!((events[1].id, events[2].subject.as_str()), (2, "card B"), "no number is missing");
        let looks: Vec<_> = store.looks(None, None, None, 9).unwrap().into_iter().map(|row| row.about).collect();
        assert_eq!(looks, ["card B", "people with \"im\"", "people with \"lee min\""], "which are about others, too");
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            for word in ["SECRET-A", "kim min"] {
                assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
            }
        }
    }
}
