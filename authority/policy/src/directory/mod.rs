//! The directory: what a campus is after a list of journal entries, as their fold.
//!
//! Deliberately without deciding who may open what: that is compiled from it. A command is checked here before it is
//! stored and again when it is folded, by the same function.

mod check;
mod desk;
mod feed;
mod import;
mod kept;
mod people;
mod production;
mod refusal;
mod requests;

pub(crate) use check::{check_reason, grant_fits_beside};
pub use refusal::Refusal;

use crate::application::{ApplicationId, ApplicationOrder, ApplicationState, Applied};
use crate::command::{Actor, Command, Entry, Scope};
use crate::desk::{Desk, Found};
use crate::difference::Difference;
use crate::feed::Alias;
use crate::model::{
    Campus, Card, CardId, CardState, Door, Grant, GrantId, Person, PersonId, Policy, Tables, Target, UnitId,
};
use crate::office::Office;
use crate::office::authorize::HOLDER_PREFIX;
use crate::office::requests::{Request, RequestId};
use crate::photo::{self, Photo};
use crate::production::Production;
use crate::touched::{Reach, Touched};
use doorward_protocol::id::{AgentId, DoorId, Hash, ReaderKey};
use doorward_protocol::sign::PublicKey;
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "kept::Kept")]
pub struct Directory {
    founding: Option<Founding>,
    policy: Option<Policy>,
    tables: Tables,
    cards_of: BTreeMap<PersonId, BTreeSet<CardId>>,
    /// Who is ever affiliated to a unit itself, those below it left aside.
    members: BTreeMap<UnitId, BTreeSet<PersonId>>,
    /// What the last folder said of people who stand otherwise now; `None`: it did not name them. See [`people`].
    folder_people: BTreeMap<PersonId, Option<Person>>,
    /// Under which names feeds know people.
    aliases: BTreeMap<PersonId, Alias>,
    /// The people of those names, in small letters.
    user_names: BTreeMap<String, PersonId>,
    /// What the last folder that named a card said of its state; see [`import`].
    folder_states: BTreeMap<CardId, CardState>,
    /// States that commands gave to cards which have left the folder since, in case a stale one brings them back.
    removed_states: BTreeMap<CardId, CardState>,
    /// Grants as the last folder had them; other grants are of commands.
    folder_grants: BTreeMap<GrantId, Grant>,
    agents: BTreeMap<AgentId, Agent>,
    lockdowns: BTreeSet<Scope>,
    office: Office,
    desk: Desk,
    photos: BTreeMap<PersonId, Photo>,
    production: Production,
    applications: BTreeMap<ApplicationId, Applied>,
    requests: BTreeMap<RequestId, Request>,
    /// Since when grants stand as they are, or were last confirmed.
    reviewed_at: BTreeMap<GrantId, UnixMs>,
    /// Since when cards are suspended or closed.
    shut_since: BTreeMap<CardId, UnixMs>,
    /// Cards that their holders reported lost.
    reported: BTreeSet<CardId>,
    head: u64,
    at: UnixMs,
    import_seq: u64,
    structure_seq: u64,
}

/// What the first entry said, and the last tick after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Founding {
    reader_key: ReaderKey,
    software: String,
    tzdb: String,
}

/// An agent that was added by a command; those that only a building names are not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its key, once it has joined.
    pub key: Option<PublicKey>,
    /// The token with which it may join.
    pub token: Option<Token>,
    /// Whether it is struck off; adding it again ends that.
    pub removed: bool,
}

/// A one-time token as the authority keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its hash.
    pub hash: Hash,
    /// The first instant at which it is worth nothing.
    pub expires_at: UnixMs,
}

impl Directory {
    /// The directory after these entries, from the first on.
    ///
    /// # Errors
    /// The refusal of the first entry that cannot be, with its number.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, (u64, Refusal)> {
        let mut directory = Self::default();
        for entry in entries {
            directory.take(entry).map_err(|refusal| (entry.seq, refusal))?;
        }
        Ok(directory)
    }

    /// A directory that knows one folder and nothing else, for questions to the folder itself.
    ///
    /// # Errors
    /// [`Refusal::UnknownTimeZone`].
    pub fn of_campus(campus: &Campus) -> Result<Self, Refusal> {
        let mut directory = Self::default();
        // Nothing leaves this directory, so its secret need not be one.
        let reader_key = ReaderKey([0; 32]);
        let tzdb = crate::zone::tzdb_version().to_owned();
        directory.apply_next(Command::Found { reader_key, software: String::new(), tzdb })?;
        let difference = Box::new(Difference::between(&directory, campus));
        directory.apply_next(Command::Import { difference })?;
        Ok(directory)
    }

    fn apply_next(&mut self, command: Command) -> Result<Touched, Refusal> {
        let entry = Entry { seq: self.head.saturating_add(1), at: self.at, actor: Actor::system(), command };
        self.apply(&entry)
    }

    /// Takes one more entry in and says what it can have touched.
    ///
    /// # Errors
    /// See [`Refusal`]; the directory is then as it was.
    pub fn apply(&mut self, entry: &Entry) -> Result<Touched, Refusal> {
        self.check_next(entry)?;
        let touched = self.touched_by(&entry.command);
        self.perform(entry);
        Ok(touched)
    }

    /// Takes one more entry in, for those who compile nothing from it: of an import, half the work.
    ///
    /// # Errors
    /// See [`Refusal`]; the directory is then as it was.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Refusal> {
        self.check_next(entry)?;
        self.perform(entry);
        Ok(())
    }

    fn check_next(&self, entry: &Entry) -> Result<(), Refusal> {
        if self.head.checked_add(1) != Some(entry.seq) {
            return Err(Refusal::NotNext { head: self.head, found: entry.seq });
        }
        self.check(&entry.command, entry.at)
    }

    /// What a command touches, asked before it is performed.
    fn touched_by(&self, command: &Command) -> Touched {
        match command {
            Command::Found { .. } | Command::Tick { .. } => Touched::everything(),
            Command::Import { difference } => self.touched_by_import(difference),
            Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::GrantConfirm { .. }
            | Command::Photo(_)
            | Command::Application(_)
            | Command::Office(_) => Touched::default(),
            Command::PersonErase { person, .. } => self.touched_by_erasure(person),
            Command::Request(order) => match self.approved(order) {
                Some((id, grant)) => Touched { grants: [id].into(), ..self.touched_by_grants([&grant]) },
                None => Touched::default(),
            },
            Command::CardSuspend { card, .. }
            | Command::CardFound { card, .. }
            | Command::CardResume { card, .. }
            | Command::CardClose { card, .. } => Touched::card_state(card),
            Command::CardActivate { card } => self.touched_by_activation(card),
            Command::Desk(order) => self.touched_by_desk(order),
            Command::Production(order) => Touched { cards: order.cards().cloned().collect(), ..Touched::default() },
            Command::Feed(order) => Self::touched_by_feed(order),
            Command::LockDown { scope, .. } | Command::Release { scope, .. } => {
                Touched { doors: self.doors_in(scope).cloned().collect(), ..Touched::default() }
            }
            Command::GrantAdd { id, grant } => {
                Touched { grants: [id.clone()].into(), ..self.touched_by_grants([grant]) }
            }
            Command::GrantEnd { id, .. } => {
                Touched { grants: [id.clone()].into(), ..self.touched_by_grants(self.tables.grants.get(id)) }
            }
        }
    }

    /// The people of grants are touched at the agents of their targets.
    fn touched_by_grants<'a>(&self, grants: impl IntoIterator<Item = &'a Grant>) -> Touched {
        let mut touched = Touched::default();
        for grant in grants {
            let agent = match &grant.target {
                Target::Door(door) => self.agent_of(door),
                Target::Building(building) => self.tables.buildings.get(building).map(|building| &building.agent),
            };
            // A target that is not there yet comes with an import, which touches all of its agent.
            touched.add_subject(&grant.subject, Reach::At(agent.into_iter().cloned().collect()));
        }
        touched
    }

    fn perform(&mut self, entry: &Entry) {
        self.head = entry.seq;
        self.at = entry.at;
        match &entry.command {
            Command::Found { reader_key, software, tzdb } => {
                let (reader_key, software, tzdb) = (reader_key.clone(), software.clone(), tzdb.clone());
                self.founding = Some(Founding { reader_key, software, tzdb });
            }
            Command::Import { difference } => self.import(difference, entry.seq, entry.at),
            Command::Tick { tzdb } => {
                if let Some(founding) = &mut self.founding {
                    founding.tzdb.clone_from(tzdb);
                }
            }
            Command::AgentAdd { agent, token_hash, expires_at } => {
                let known = self.agents.entry(agent.clone()).or_default();
                known.token = Some(Token { hash: *token_hash, expires_at: *expires_at });
                known.removed = false;
            }
            Command::AgentEnrol { agent, key, .. } => {
                self.agents.insert(agent.clone(), Agent { key: Some(*key), token: None, removed: false });
            }
            Command::AgentRemove { agent } => {
                self.agents.insert(agent.clone(), Agent { key: None, token: None, removed: true });
            }
            Command::CardFound { card, place } => {
                self.set_state(card, CardState::Suspended, entry.at);
                let found = Found { place: place.clone(), by: entry.actor.clone(), at: entry.at };
                self.desk.found.insert(card.clone(), found);
            }
            Command::CardSuspend { card, .. } => {
                self.set_state(card, CardState::Suspended, entry.at);
                let holder = self.tables.cards.get(card).map(|card| format!("{HOLDER_PREFIX}{}", card.person));
                if holder.as_deref() == Some(entry.actor.as_str()) {
                    self.reported.insert(card.clone());
                }
            }
            Command::CardResume { card, .. } => self.set_state(card, CardState::Active, entry.at),
            Command::CardActivate { card } => self.activate(card, entry.at),
            Command::Photo(order) => photo::perform(&mut self.photos, order, &entry.actor, entry.at),
            Command::Desk(order) => self.perform_desk(order, &entry.actor, entry.at),
            Command::Production(order) => self.perform_production(order, &entry.actor, entry.at),
            Command::Application(order) => self.perform_application(order, &entry.actor, entry.at),
            Command::CardClose { card, .. } => self.set_state(card, CardState::Closed, entry.at),
            Command::LockDown { scope, .. } => {
                self.lockdowns.insert(scope.clone());
            }
            Command::Release { scope, .. } => {
                self.lockdowns.remove(scope);
            }
            Command::GrantAdd { id, grant } => self.put_grant(id.clone(), grant.clone(), entry.at),
            Command::GrantEnd { id, on } => match on {
                None => self.forget_grant(id),
                Some(day) => {
                    if let Some(grant) = self.tables.grants.get_mut(id) {
                        grant.days.until = Some(grant.days.until.map_or(*day, |until| until.min(*day)));
                    }
                }
            },
            Command::GrantConfirm { id, .. } => {
                self.reviewed_at.insert(id.clone(), entry.at);
            }
            Command::Request(order) => self.perform_request(order, &entry.actor, entry.at),
            Command::Office(order) => self.office.perform(order),
            Command::PersonErase { person, alias, .. } => self.erase_person(person, alias),
            Command::Feed(order) => self.perform_feed(order),
        }
    }

    fn perform_application(&mut self, order: &ApplicationOrder, by: &Actor, at: UnixMs) {
        let by = by.clone();
        match order {
            ApplicationOrder::Apply { id, application } => {
                let (application, state) = (application.clone(), ApplicationState::Waiting);
                self.applications.insert(id.clone(), Applied { application, state, by, at, decision: None });
            }
            ApplicationOrder::Approve { id, reason } | ApplicationOrder::Reject { id, reason } => {
                let is_approved = matches!(order, ApplicationOrder::Approve { .. });
                if let Some(applied) = self.applications.get_mut(id) {
                    applied.state = if is_approved { ApplicationState::Approved } else { ApplicationState::Rejected };
                    (applied.by, applied.at, applied.decision) = (by, at, Some(reason.clone()));
                }
            }
        }
    }

    fn set_state(&mut self, id: &CardId, state: CardState, at: UnixMs) {
        if let Some(card) = self.tables.cards.get_mut(id) {
            card.state = state;
            self.note_state(id, state, at);
        }
    }

    fn note_state(&mut self, id: &CardId, state: CardState, at: UnixMs) {
        // A card that opens again, or never will, does not wait for its holder.
        if state != CardState::Suspended {
            self.desk.found.remove(id);
            self.reported.remove(id);
        }
        match state {
            CardState::Suspended | CardState::Closed => {
                self.shut_since.entry(id.clone()).or_insert(at);
            }
            CardState::Produced | CardState::Active => {
                self.shut_since.remove(id);
            }
        }
    }
}

/// What is asked of a directory.
impl Directory {
    /// Number of the last entry; 0 before the first.
    #[must_use]
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Instant of the last entry.
    #[must_use]
    pub const fn at(&self) -> UnixMs {
        self.at
    }

    /// How many rows its tables have: what it takes to keep it and to read it back grows with them.
    #[must_use]
    pub fn rows(&self) -> usize {
        let Tables { units, buildings, doors, people, cards, grants } = &self.tables;
        [units.len(), buildings.len(), doors.len(), people.len(), cards.len(), grants.len()].iter().sum()
    }

    /// Since when a card has been suspended or closed; `None` for one that is neither.
    #[must_use]
    pub fn shut_since(&self, card: &CardId) -> Option<UnixMs> {
        self.shut_since.get(card).copied()
    }

    /// Whether a card is held back because its holder reported it lost.
    #[must_use]
    pub fn is_reported(&self, card: &CardId) -> bool {
        self.reported.contains(card)
    }

    /// Number of the last entry that imported a folder; 0 before the first.
    #[must_use]
    pub const fn import_seq(&self) -> u64 {
        self.import_seq
    }

    /// Number of the last entry that can have changed policy, units, buildings, doors or the grants of folders.
    pub(crate) const fn structure_seq(&self) -> u64 {
        self.structure_seq
    }

    /// The policy; `None` before the first import.
    #[must_use]
    pub const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The tables as folders and commands made them.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The secret under which card ids are hashed; `None` before the first entry.
    #[must_use]
    pub fn reader_key(&self) -> Option<&ReaderKey> {
        self.founding.as_ref().map(|founding| &founding.reader_key)
    }

    /// Name and version of the software that founded the campus.
    #[must_use]
    pub fn software(&self) -> Option<&str> {
        self.founding.as_ref().map(|founding| founding.software.as_str())
    }

    /// Version of the time-zone database of the founding or the last tick; another one at hand calls for a tick.
    #[must_use]
    pub fn tzdb(&self) -> Option<&str> {
        self.founding.as_ref().map(|founding| founding.tzdb.as_str())
    }

    /// Agents that commands have named.
    #[must_use]
    pub const fn agents(&self) -> &BTreeMap<AgentId, Agent> {
        &self.agents
    }

    /// Every agent that has a state: those that a building names, and those that commands have named.
    #[must_use]
    pub fn agent_ids(&self) -> BTreeSet<&AgentId> {
        self.tables.buildings.values().map(|building| &building.agent).chain(self.agents.keys()).collect()
    }

    /// Agents that have joined and are not struck off, each with its key: those that a commit has a leaf for.
    pub fn enrolled(&self) -> impl Iterator<Item = (&AgentId, &PublicKey)> {
        self.agents.iter().filter_map(|(id, agent)| Some((id, agent.key.as_ref()?)))
    }

    /// Who works here, and what each may do.
    #[must_use]
    pub const fn office(&self) -> &Office {
        &self.office
    }

    /// The photos of people.
    #[must_use]
    pub const fn photos(&self) -> &BTreeMap<PersonId, Photo> {
        &self.photos
    }

    /// Applications for cards.
    #[must_use]
    pub const fn applications(&self) -> &BTreeMap<ApplicationId, Applied> {
        &self.applications
    }

    /// Lockdowns in force.
    #[must_use]
    pub const fn lockdowns(&self) -> &BTreeSet<Scope> {
        &self.lockdowns
    }

    /// Whether a door, its building or the campus is locked down.
    #[must_use]
    pub fn is_locked_down(&self, id: &DoorId, door: &Door) -> bool {
        self.lockdowns.iter().any(|scope| match scope {
            Scope::Campus => true,
            Scope::Building(building) => *building == door.building,
            Scope::Door(locked) => locked == id,
        })
    }

    /// The doors in a scope.
    pub fn doors_in<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a DoorId> {
        self.tables.doors.iter().filter_map(move |(id, door)| {
            let is_inside = match scope {
                Scope::Campus => true,
                Scope::Building(building) => *building == door.building,
                Scope::Door(door) => door == id,
            };
            is_inside.then_some(id)
        })
    }

    /// The agent that controls a door.
    #[must_use]
    pub fn agent_of(&self, door: &DoorId) -> Option<&AgentId> {
        let door = self.tables.doors.get(door)?;
        self.tables.buildings.get(&door.building).map(|building| &building.agent)
    }

    /// The cards of a person, closed ones included.
    pub fn cards_of(&self, person: &PersonId) -> impl Iterator<Item = &CardId> {
        self.cards_of.get(person).into_iter().flatten()
    }

    /// Who is ever affiliated to a unit itself, those below it left aside.
    pub fn members_of(&self, unit: &UnitId) -> impl Iterator<Item = &PersonId> {
        self.members.get(unit).into_iter().flatten()
    }

    /// Grants as the last folder had them, whatever commands have done to them since.
    #[must_use]
    pub const fn folder_grants(&self) -> &BTreeMap<GrantId, Grant> {
        &self.folder_grants
    }

    /// Whether the last folder said exactly this of a card.
    pub(crate) fn folder_said(&self, id: &CardId, card: &Card) -> bool {
        let same_state = self.folder_states.get(id) == Some(&card.state);
        same_state
            && self.tables.cards.get(id).is_some_and(|known| {
                let said = self.desk.extended.get(id).copied().unwrap_or(known.valid_until);
                Card { state: card.state, valid_until: said, ..known.clone() } == *card
            })
    }
}

#[cfg(test)]
mod tests;
