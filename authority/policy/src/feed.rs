//! What a feed says of people: rows that are pushed one by one, beside the folder that brings all of them.
//!
//! Deliberately whole rows and no fields: what a feed asks for is worked out before it is ordered, and an order that was worked out
//! from a row that has changed since is refused.

use crate::model::{Affiliation, Person, PersonId, UnitId};
use doorward_protocol::codec::encode_kept;
use doorward_protocol::id::{Hash, hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most people that one order is about.
pub const PEOPLE_MAX: usize = 1_000;

/// Most affiliations that a feed gives to one person.
pub const AFFILIATIONS_MAX: usize = 64;

/// Rows of people, all of them or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedOrder {
    /// Each by id.
    pub people: BTreeMap<PersonId, Pushed>,
}

/// A person as a feed has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pushed {
    /// The row.
    pub person: Person,
    /// Under which names the feed knows that person.
    pub alias: Alias,
    /// The version that it takes the place of; `None`: nobody has been here under this id.
    #[serde(with = "version", default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Hash>,
}

/// Under which names a feed knows somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The name with which that person signs in elsewhere; of no two people the same, whatever the case of its letters.
    pub user_name: String,
    /// The id that the feed itself has for that person.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Whether the feed took that person back: on record here, and not there any more.
    #[serde(default)]
    pub withdrawn: bool,
}

impl FeedOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        "people-push"
    }
}

impl Alias {
    /// The name of somebody of whom no feed has said one.
    #[must_use]
    pub fn of_id(id: &PersonId) -> Self {
        Self { user_name: id.to_string(), ..Self::default() }
    }
}

/// The version of a person: another one as soon as anything of the row or the names is another.
#[must_use]
pub fn version(person: &Person, alias: &Alias) -> Hash {
    // What is decoded from a bounded frame can be encoded; one that could not would be the same as no other.
    hash("doorward 1 person", &[&encode_kept(&(person, alias)).unwrap_or_default()])
}

/// The units of whose people something changes between two rows.
pub(crate) fn units_between<'a>(old: Option<&'a Person>, new: &'a Person) -> impl Iterator<Item = &'a UnitId> {
    let has =
        |person: Option<&Person>, known: &Affiliation| person.is_some_and(|person| person.affiliations.contains(known));
    let gone = old.into_iter().flat_map(|old| &old.affiliations).filter(move |known| !has(Some(new), known));
    let come = new.affiliations.iter().filter(move |known| !has(old, known));
    gone.chain(come).map(|affiliation| &affiliation.unit)
}

mod version {
    use doorward_protocol::id::Hash;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Hexadecimal(#[serde(with = "crate::command::hexadecimal")] Hash);

    pub fn serialize<S: Serializer>(version: &Option<Hash>, serializer: S) -> Result<S::Ok, S::Error> {
        version.map(Hexadecimal).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hash>, D::Error> {
        Ok(Option::<Hexadecimal>::deserialize(deserializer)?.map(|version| version.0))
    }
}
