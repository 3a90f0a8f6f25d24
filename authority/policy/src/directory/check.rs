//! Which commands a directory takes. One function for the shell that asks first and for the fold that asks again.

use super::{Directory, Refusal};
use crate::command::{Command, Scope, check_text};
use crate::difference::{Difference, Rows};
use crate::erasure::is_alias;
use crate::model::{
    BuildingId, CardId, CardState, Grant, GrantId, Person, PersonId, Policy, ScheduleName, Subject, Tables, Target,
    UnitId,
};
use crate::office::{Office, OfficeOrder, OperatorId, Remit};
use doorward_protocol::id::{AgentId, DoorId, Hash};
use doorward_protocol::sign::PublicKey;
use doorward_protocol::time::UnixMs;
use std::collections::{BTreeMap, BTreeSet};

/// The one schedule name that needs no declaration; grants that mean it carry no schedule.
const ALWAYS: &str = "always";

/// Names that the journal has for others than operators; `operator` is the owner in the first journals.
const RESERVED: [&str; 5] = ["owner", "operator", "system", "holder", "oidc"];

impl Directory {
    /// Whether a command can be taken at an instant.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn check(&self, command: &Command, at: UnixMs) -> Result<(), Refusal> {
        if self.founding.is_none() != matches!(command, Command::Found { .. }) {
            return Err(if self.founding.is_none() { Refusal::NotFounded } else { Refusal::AlreadyFounded });
        }
        if at < self.at {
            return Err(Refusal::TimeRunsBackwards { at, head: self.at });
        }
        match command {
            Command::Found { .. } | Command::Tick { .. } => Ok(()),
            Command::Import { difference } => self.check_import(difference, at),
            Command::AgentAdd { agent, expires_at, .. } => self.check_agent_add(agent, *expires_at, at),
            Command::AgentEnrol { agent, key, token_hash } => self.check_enrol(agent, key, token_hash, at),
            Command::AgentRemove { agent } => match self.agents.get(agent) {
                Some(known) if !known.removed => Ok(()),
                Some(_) | None => Err(Refusal::AgentNotThere(agent.clone())),
            },
            Command::CardSuspend { card, reason } => {
                check_reason(reason)?;
                self.check_card(card, &[CardState::Active, CardState::Produced], "active or produced", "suspended")
            }
            Command::CardResume { card, reason } => {
                check_reason(reason)?;
                self.check_card(card, &[CardState::Suspended], "suspended", "resumed")
            }
            Command::CardActivate { card } => self.check_card(card, &[CardState::Produced], "produced", "activated"),
            Command::CardFound { card, place } => {
                check_text(place).map_err(|error| Refusal::Text { what: "the place", error })?;
                let open = [CardState::Active, CardState::Produced, CardState::Suspended];
                self.check_card(card, &open, "not closed", "kept for its holder")
            }
            Command::CardClose { card, reason, document } => {
                check_reason(reason)?;
                let text = |error| Refusal::Text { what: "the document", error };
                document.iter().try_for_each(|document| check_text(document).map_err(text))?;
                let open = [CardState::Active, CardState::Produced, CardState::Suspended];
                self.check_card(card, &open, "not closed", "closed")
            }
            Command::Desk(order) => self.check_desk(order),
            Command::Photo(order) => self.check_photo(order),
            Command::Production(order) => self.check_production(order),
            Command::Application(order) => self.check_application(order),
            Command::LockDown { scope, reason } => self.check_lockdown(scope, reason),
            Command::Release { scope, reason } => self.check_release(scope, reason),
            Command::GrantAdd { id, grant } => self.check_new_grant(id, grant),
            Command::GrantEnd { id, on: _ } => Refusal::unless_known("grant", id, &self.tables.grants),
            Command::GrantConfirm { id, reason } => {
                check_reason(reason)?;
                Refusal::unless_known("grant", id, &self.tables.grants)
            }
            Command::Request(order) => self.check_request(order, at),
            Command::Office(order) => self.check_office(order, at),
            Command::PersonErase { person, alias, reason } => {
                check_reason(reason)?;
                self.check_erasure(person, alias, at)
            }
            Command::Feed(order) => self.check_feed(order),
        }
    }

    /// Nobody is erased who is here, or whom the next import would bring back.
    fn check_erasure(&self, person: &PersonId, alias: &PersonId, at: UnixMs) -> Result<(), Refusal> {
        let in_the_way = |what| Err(Refusal::StillHere { person: person.clone(), what });
        Refusal::unless_known("person", person, &self.tables.people)?;
        let today = self.day_at(at);
        if self.left_on(person).zip(today).is_none_or(|(left_on, today)| left_on > today) {
            return in_the_way("has an affiliation that has not ended");
        }
        if !self.is_gone(person) {
            return in_the_way("is named by the campus folder or a feed, whose next word would bring the person back");
        }
        if alias != person && (!is_alias(alias) || self.tables.people.contains_key(alias)) {
            return Err(Refusal::NoAlias(alias.clone()));
        }
        Ok(())
    }

    fn check_office(&self, order: &OfficeOrder, at: UnixMs) -> Result<(), Refusal> {
        let Office { operators, tokens } = &self.office;
        match order {
            OfficeOrder::OperatorPut { id, operator } => {
                if RESERVED.contains(&id.as_str()) {
                    return Err(Refusal::ReservedName(id.clone()));
                }
                check_text(&operator.name).map_err(|error| Refusal::Text { what: "the name", error })?;
                self.check_remit(&operator.power.remit)
            }
            OfficeOrder::OperatorRemove { id } => Refusal::unless_known("operator", id, operators),
            OfficeOrder::OperatorInvite { id } => {
                Refusal::unless_known("operator", id, operators)?;
                check_is_local(id)
            }
            OfficeOrder::TokenAdd { id, token } => {
                Refusal::unless_known("operator", &token.operator, operators)?;
                check_is_local(&token.operator)?;
                if tokens.contains_key(id) {
                    return Err(Refusal::ApiTokenExists(id.clone()));
                }
                self.check_remit(&token.power.remit)?;
                if token.expires_at <= at { Err(Refusal::ExpiryPast { at }) } else { Ok(()) }
            }
            OfficeOrder::HolderInvite { person } => Refusal::unless_known("person", person, &self.tables.people),
            OfficeOrder::TokenRemove { id } => Refusal::unless_known("token", id, tokens),
        }
    }

    fn check_remit(&self, remit: &Remit) -> Result<(), Refusal> {
        let Remit::Part { units, buildings } = remit else { return Ok(()) };
        if units.is_empty() && buildings.is_empty() {
            return Err(Refusal::EmptyRemit);
        }
        units.iter().try_for_each(|unit| Refusal::unless_known("unit", unit, &self.tables.units))?;
        buildings.iter().try_for_each(|id| Refusal::unless_known("building", id, &self.tables.buildings))
    }

    fn check_import(&self, difference: &Difference, at: UnixMs) -> Result<(), Refusal> {
        if difference.base != self.import_seq {
            return Err(Refusal::ImportOvertaken { base: difference.base, present: self.import_seq });
        }
        let policy = difference.policy.as_ref().or(self.policy.as_ref()).ok_or(Refusal::NothingImported)?;
        if let Some(present) = self.policy.as_ref().map(|known| &known.campus)
            && *present != policy.campus
        {
            return Err(Refusal::OtherCampus { present: present.clone(), found: policy.campus.clone() });
        }
        if crate::zone::zone(&policy.time_zone).is_none() {
            return Err(Refusal::UnknownTimeZone(policy.time_zone.clone()));
        }
        self.check_left(difference, policy, at)?;
        self.check_grants_after(difference)
    }

    /// A grant of a command may have come after the difference was made: then it must still fit.
    fn check_grants_after(&self, difference: &Difference) -> Result<(), Refusal> {
        let takes_away = difference.policy.is_some()
            || !difference.units.removed.is_empty()
            || !difference.buildings.removed.is_empty()
            || !difference.doors.removed.is_empty()
            || !difference.people.removed.is_empty();
        let is_added = |id: &GrantId| !self.folder_grants.contains_key(id) && !difference.grants.removed.contains(id);
        let may_misfit = takes_away || !difference.grants.put.is_empty();
        if !may_misfit || !self.tables.grants.keys().any(is_added) {
            return Ok(());
        }
        let policy = difference.policy.as_ref().or(self.policy.as_ref()).ok_or(Refusal::NothingImported)?;
        let after = After { tables: &self.tables, difference };
        let mut added: BTreeMap<_, _> = self.tables.grants.iter().filter(|(id, _)| is_added(id)).collect();
        added.extend(difference.grants.put.iter().filter(|(id, _)| is_added(id)));
        added.values().try_for_each(|grant| fits_among(policy, &after, grant))
    }

    fn check_agent_add(&self, agent: &AgentId, expires_at: UnixMs, at: UnixMs) -> Result<(), Refusal> {
        let known = self.agent_ids();
        if !known.contains(agent) {
            return Err(Refusal::unknown("agent", agent.as_str(), known.into_iter()));
        }
        if expires_at <= at { Err(Refusal::ExpiryPast { at }) } else { Ok(()) }
    }

    fn check_enrol(&self, agent: &AgentId, key: &PublicKey, hash: &Hash, at: UnixMs) -> Result<(), Refusal> {
        let token = self.agents.get(agent).and_then(|known| known.token);
        let Some(token) = token.filter(|token| token.hash == *hash) else {
            return Err(Refusal::TokenUnknown(agent.clone()));
        };
        if at >= token.expires_at {
            return Err(Refusal::TokenExpired { agent: agent.clone(), expired_at: token.expires_at });
        }
        let other = self.enrolled().find(|(id, known)| *known == key && *id != agent);
        other.map_or(Ok(()), |(id, _)| Err(Refusal::KeyInUse(id.clone())))
    }

    fn check_card(
        &self,
        card: &CardId,
        allowed: &[CardState],
        needed: &'static str,
        done: &'static str,
    ) -> Result<(), Refusal> {
        let known = self.tables.cards.get(card);
        let known = known.ok_or_else(|| Refusal::unknown("card", card.as_str(), self.tables.cards.keys()))?;
        let state = known.state;
        if allowed.contains(&state) {
            return Ok(());
        }
        Err(match state {
            CardState::Closed => Refusal::CardClosed(card.clone()),
            CardState::Produced | CardState::Active | CardState::Suspended => {
                Refusal::CardState { card: card.clone(), state, needed, done }
            }
        })
    }

    fn check_lockdown(&self, scope: &Scope, reason: &str) -> Result<(), Refusal> {
        check_reason(reason)?;
        match scope {
            Scope::Campus => {}
            Scope::Building(id) => Refusal::unless_known("building", id, &self.tables.buildings)?,
            Scope::Door(id) => Refusal::unless_known("door", id, &self.tables.doors)?,
        }
        if self.lockdowns.contains(scope) { Err(Refusal::LockdownInForce(scope.clone())) } else { Ok(()) }
    }

    fn check_release(&self, scope: &Scope, reason: &str) -> Result<(), Refusal> {
        check_reason(reason)?;
        if self.lockdowns.contains(scope) {
            return Ok(());
        }
        let in_force = self.lockdowns.iter().cloned().collect();
        Err(Refusal::LockdownNotInForce { scope: scope.clone(), in_force })
    }
}

/// Whom an identity provider knows shows there who it is, each time: a password or token here would outlive what is said there.
fn check_is_local(id: &OperatorId) -> Result<(), Refusal> {
    if id.is_of_provider() { Err(Refusal::OfProvider(id.clone())) } else { Ok(()) }
}

pub(crate) fn check_reason(reason: &str) -> Result<(), Refusal> {
    check_text(reason).map_err(|error| Refusal::Text { what: "the reason", error })
}

/// Whether subject, target and schedule of a grant exist, and its days are days.
///
/// # Errors
/// [`Refusal::Unknown`] or [`Refusal::NoDays`].
pub(crate) fn grant_fits(policy: &Policy, tables: &Tables, grant: &Grant) -> Result<(), Refusal> {
    fits_among(policy, tables, grant)
}

/// The same where more people are known than the tables have: those who have left, and those whom a feed brings.
///
/// # Errors
/// See [`grant_fits`].
pub(crate) fn grant_fits_beside(
    policy: &Policy,
    tables: &Tables,
    people: &BTreeMap<PersonId, Person>,
    grant: &Grant,
) -> Result<(), Refusal> {
    fits_among(policy, &Beside { tables, people }, grant)
}

fn fits_among(policy: &Policy, known: &impl Known, grant: &Grant) -> Result<(), Refusal> {
    match &grant.subject {
        Subject::Person(id) => known.person(id)?,
        Subject::Unit(id) => known.unit(id)?,
        Subject::Category(id) => Refusal::unless_known("category", id, &policy.categories)?,
    }
    match (&grant.subject, &grant.within) {
        (Subject::Unit(_), Some(_)) => return Err(Refusal::UnitWithinUnit),
        (Subject::Person(_) | Subject::Category(_), Some(unit)) => known.unit(unit)?,
        (_, None) => {}
    }
    match &grant.target {
        Target::Door(id) => known.door(id)?,
        Target::Building(id) => known.building(id)?,
    }
    schedule_fits(policy, grant.schedule.as_ref())?;
    match (grant.days.from, grant.days.until) {
        (Some(from), Some(until)) if until < from => Err(Refusal::NoDays { from, until }),
        _ => Ok(()),
    }
}

/// What a grant can name, asked of tables as they are or as they will be.
trait Known {
    fn person(&self, id: &PersonId) -> Result<(), Refusal>;
    fn unit(&self, id: &UnitId) -> Result<(), Refusal>;
    fn door(&self, id: &DoorId) -> Result<(), Refusal>;
    fn building(&self, id: &BuildingId) -> Result<(), Refusal>;
}

impl Known for Tables {
    fn person(&self, id: &PersonId) -> Result<(), Refusal> {
        Refusal::unless_known("person", id, &self.people)
    }
    fn unit(&self, id: &UnitId) -> Result<(), Refusal> {
        Refusal::unless_known("unit", id, &self.units)
    }
    fn door(&self, id: &DoorId) -> Result<(), Refusal> {
        Refusal::unless_known("door", id, &self.doors)
    }
    fn building(&self, id: &BuildingId) -> Result<(), Refusal> {
        Refusal::unless_known("building", id, &self.buildings)
    }
}

/// The tables of a folder, and the people of a directory.
struct Beside<'a> {
    tables: &'a Tables,
    people: &'a BTreeMap<PersonId, Person>,
}

impl Known for Beside<'_> {
    fn person(&self, id: &PersonId) -> Result<(), Refusal> {
        if self.tables.people.contains_key(id) { Ok(()) } else { Refusal::unless_known("person", id, self.people) }
    }
    fn unit(&self, id: &UnitId) -> Result<(), Refusal> {
        self.tables.unit(id)
    }
    fn door(&self, id: &DoorId) -> Result<(), Refusal> {
        self.tables.door(id)
    }
    fn building(&self, id: &BuildingId) -> Result<(), Refusal> {
        self.tables.building(id)
    }
}

/// Tables with a difference made in them, without making it: at a large campus a copy would hold up the removals behind it.
struct After<'a> {
    tables: &'a Tables,
    difference: &'a Difference,
}

impl Known for After<'_> {
    fn person(&self, id: &PersonId) -> Result<(), Refusal> {
        known_after("person", id, &self.tables.people, &self.difference.people)
    }
    fn unit(&self, id: &UnitId) -> Result<(), Refusal> {
        known_after("unit", id, &self.tables.units, &self.difference.units)
    }
    fn door(&self, id: &DoorId) -> Result<(), Refusal> {
        known_after("door", id, &self.tables.doors, &self.difference.doors)
    }
    fn building(&self, id: &BuildingId) -> Result<(), Refusal> {
        known_after("building", id, &self.tables.buildings, &self.difference.buildings)
    }
}

fn known_after<K: Ord + Clone + AsRef<str>, V: Clone>(
    kind: &'static str,
    id: &K,
    table: &BTreeMap<K, V>,
    rows: &Rows<K, V>,
) -> Result<(), Refusal> {
    if rows.leaves(table, id) {
        return Ok(());
    }
    let stay = table.keys().filter(|key| rows.leaves(table, key));
    let names: BTreeSet<&K> = stay.chain(rows.put.keys()).collect();
    Err(Refusal::unknown(kind, id.as_ref(), names.into_iter()))
}

fn schedule_fits(policy: &Policy, schedule: Option<&ScheduleName>) -> Result<(), Refusal> {
    match schedule {
        Some(name) if name.as_str() == ALWAYS => Err(Refusal::AlwaysIsNoSchedule),
        Some(name) => Refusal::unless_known("schedule", name, &policy.schedules),
        None => Ok(()),
    }
}
