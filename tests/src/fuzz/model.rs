//! What an agent's disk holds and what it must decide, kept beside the machine by other code than its own.

use crate::fuzz::choices::Choices;
use crate::fuzz::history::{HISTORY, Made};
use doorward_protocol::agent::stored::{Floor, Stored, StoredHead, Write};
use doorward_protocol::codec;
use doorward_protocol::commit::Position;
use doorward_protocol::facts::{Fact, FactKey};
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What is durable.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub statements: BTreeMap<u32, Signed<Statement>>,
    pub head: Option<StoredHead>,
    pub facts: BTreeMap<FactKey, Fact>,
    pub removals: BTreeMap<(Position, u32), Signed<Removal>>,
    pub floor: Floor,
}

impl Disk {
    /// The disk of an agent that has just joined.
    pub fn enrolled() -> Self {
        let statements = HISTORY.statements.iter().take(1).cloned();
        Self { statements: (1..).zip(statements).collect(), ..Self::default() }
    }

    /// Makes changes durable, all of them.
    pub fn write(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Statement(version, statement) => drop(self.statements.insert(version, statement)),
                Write::Head(head) => self.head = Some(head),
                Write::PutFact(fact) => drop(self.facts.insert(fact.key(), fact)),
                Write::RemoveFact(key) => drop(self.facts.remove(&key)),
                Write::ReplaceFacts(state) => {
                    self.facts = state.facts().map(|fact| (fact.key(), fact.into_owned())).collect()
                }
                Write::PutRemoval(position, part, removal) => drop(self.removals.insert((position, part), removal)),
                Write::DropRemovals(position) => self.removals.retain(|(at, _), _| *at > position),
                Write::Floor(floor) => self.floor = floor,
            }
        }
    }

    /// What reading it gives; the floor is at least the head, as the agent's store has it.
    pub fn read(&self) -> Stored {
        let head = self.head.as_ref().and_then(|stored| stored.head.commit.unverified().ok());
        let position = self.floor.position.max(head.map_or_else(Position::default, |commit| commit.position));
        Stored {
            statements: self.statements.values().cloned().collect(),
            head: self.head.clone(),
            facts: self.facts.values().cloned().collect(),
            removals: self.removals.values().cloned().collect(),
            floor: Floor { position, ..self.floor },
            damage: None,
        }
    }

    /// The removals on it.
    pub fn removals(&self) -> Vec<Removal> {
        self.removals.values().filter_map(|signed| signed.unverified().ok()).collect()
    }

    /// The commit whose state is on it.
    pub fn commit(&self) -> Option<&'static Made> {
        HISTORY.of_hash(self.head.as_ref()?.head.commit.hash())
    }

    /// Somebody alters it: one value is lost, or is another one that still decodes.
    pub fn damage(&mut self, choices: &mut Choices<'_>) {
        match choices.below(6) {
            0 => drop(self.statements.pop_last()),
            1 => self.head = self.head.take().and_then(|head| altered(&head, choices)),
            2 => {
                let place = choices.below(self.facts.len());
                if let Some(key) = self.facts.keys().nth(place).cloned()
                    && let Some(fact) = self.facts.remove(&key).and_then(|fact| altered(&fact, choices))
                {
                    self.facts.insert(key, fact);
                }
            }
            3 => {
                if let Some((at, removal)) = self.removals.pop_last()
                    && let Some(removal) = altered(&removal, choices)
                {
                    self.removals.insert(at, removal);
                }
            }
            4 => self.floor = altered(&self.floor, choices).unwrap_or_default(),
            _ => {
                if let Some((version, statement)) = self.statements.pop_last()
                    && let Some(statement) = altered(&statement, choices)
                {
                    self.statements.insert(version, statement);
                }
            }
        }
    }
}

/// A value whose bytes were altered, if it still is one.
pub fn altered<T: Serialize + DeserializeOwned>(value: &T, choices: &mut Choices<'_>) -> Option<T> {
    codec::decode(&choices.alter(codec::encode(value).ok()?)).ok()
}

/// Whether a removal denies a credential or a door.
pub fn denies(
    removal: &Removal,
    card: doorward_protocol::id::CredentialKey,
    door: &doorward_protocol::id::DoorId,
    is_unlocked: bool,
) -> bool {
    removal.items.iter().any(|item| match item {
        Item::Suspend(key) | Item::Close(key) => *key == card && !is_unlocked,
        Item::LockDown(locked) => locked == door,
    })
}
