//! A directory as it is kept beside the journal, and read back without folding what led to it.
//!
//! Deliberately no more than a shortcut: what is kept follows from the journal, and what follows from the tables is left out.

use super::{Agent, Directory, Founding, feed};
use crate::application::{ApplicationId, Applied};
use crate::command::Scope;
use crate::desk::Desk;
use crate::feed::Alias;
use crate::model::{CardId, CardState, Grant, GrantId, Person, PersonId, Policy, Tables};
use crate::office::Office;
use crate::office::requests::{Request, RequestId};
use crate::photo::Photo;
use crate::production::Production;
use doorward_protocol::id::AgentId;
use doorward_protocol::time::UnixMs;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept, in the order in which it is written; a change here needs another format of snapshots.
#[derive(Deserialize)]
pub(super) struct Kept {
    founding: Option<Founding>,
    policy: Option<Policy>,
    tables: Tables,
    folder_people: BTreeMap<PersonId, Option<Person>>,
    aliases: BTreeMap<PersonId, Alias>,
    folder_states: BTreeMap<CardId, CardState>,
    removed_states: BTreeMap<CardId, CardState>,
    folder_grants: BTreeMap<GrantId, Grant>,
    agents: BTreeMap<AgentId, Agent>,
    lockdowns: BTreeSet<Scope>,
    office: Office,
    desk: Desk,
    photos: BTreeMap<PersonId, Photo>,
    production: Production,
    applications: BTreeMap<ApplicationId, Applied>,
    requests: BTreeMap<RequestId, Request>,
    reviewed_at: BTreeMap<GrantId, UnixMs>,
    shut_since: BTreeMap<CardId, UnixMs>,
    reported: BTreeSet<CardId>,
    head: u64,
    at: UnixMs,
    import_seq: u64,
    structure_seq: u64,
}

impl Serialize for Directory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut kept = serializer.serialize_struct("Kept", 23)?;
        kept.serialize_field("founding", &self.founding)?;
        kept.serialize_field("policy", &self.policy)?;
        kept.serialize_field("tables", &self.tables)?;
        kept.serialize_field("folder_people", &self.folder_people)?;
        kept.serialize_field("aliases", &self.aliases)?;
        kept.serialize_field("folder_states", &self.folder_states)?;
        kept.serialize_field("removed_states", &self.removed_states)?;
        kept.serialize_field("folder_grants", &self.folder_grants)?;
        kept.serialize_field("agents", &self.agents)?;
        kept.serialize_field("lockdowns", &self.lockdowns)?;
        kept.serialize_field("office", &self.office)?;
        kept.serialize_field("desk", &self.desk)?;
        kept.serialize_field("photos", &self.photos)?;
        kept.serialize_field("production", &self.production)?;
        kept.serialize_field("applications", &self.applications)?;
        kept.serialize_field("requests", &self.requests)?;
        kept.serialize_field("reviewed_at", &self.reviewed_at)?;
        kept.serialize_field("shut_since", &self.shut_since)?;
        kept.serialize_field("reported", &self.reported)?;
        kept.serialize_field("head", &self.head)?;
        kept.serialize_field("at", &self.at)?;
        kept.serialize_field("import_seq", &self.import_seq)?;
        kept.serialize_field("structure_seq", &self.structure_seq)?;
        kept.end()
    }
}

impl From<Kept> for Directory {
    fn from(kept: Kept) -> Self {
        let mut directory = Self {
            founding: kept.founding,
            policy: kept.policy,
            tables: kept.tables,
            cards_of: BTreeMap::new(),
            members: BTreeMap::new(),
            folder_people: kept.folder_people,
            user_names: feed::user_names(&kept.aliases),
            aliases: kept.aliases,
            folder_states: kept.folder_states,
            removed_states: kept.removed_states,
            folder_grants: kept.folder_grants,
            agents: kept.agents,
            lockdowns: kept.lockdowns,
            office: kept.office,
            desk: kept.desk,
            photos: kept.photos,
            production: kept.production,
            applications: kept.applications,
            requests: kept.requests,
            reviewed_at: kept.reviewed_at,
            shut_since: kept.shut_since,
            reported: kept.reported,
            head: kept.head,
            at: kept.at,
            import_seq: kept.import_seq,
            structure_seq: kept.structure_seq,
        };
        for (id, card) in &directory.tables.cards {
            directory.cards_of.entry(card.person.clone()).or_default().insert(id.clone());
        }
        for (id, person) in &directory.tables.people {
            for affiliation in &person.affiliations {
                directory.members.entry(affiliation.unit.clone()).or_default().insert(id.clone());
            }
        }
        directory
    }
}
