//! Whether somebody may do something: the table says what a role may do, the remit on which part of the campus.
//!
//! Deliberately apart from whether a command can be taken: the journal's fold asks only that, so what was once allowed
//! stays true when operators come and go.

use super::acts::Act;
use super::requests::RequestOrder;
use super::{ApiTokenId, Office, OfficeOrder, OperatorId, Power, Remit, Role};
use crate::application::ApplicationOrder;
use crate::command::{Command, Scope};
use crate::desk::DeskOrder;
use crate::directory::Directory;
use crate::feed::{FeedOrder, units_between};
use crate::model::{BuildingId, CardId, Grant, Person, PersonId, Subject, Target, UnitId};
use crate::photo::PhotoOrder;
use crate::production::{BatchId, CampaignId, ProductionOrder, Stage};
use crate::zone::zone;
use doorward_protocol::id::{DoorId, Hash};
use doorward_protocol::time::{Day, DayRange, UnixMs};
use std::collections::BTreeSet;
use thiserror::Error;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// The authority itself, or whoever holds its data directory.
    Owner,
    /// An operator who has shown who it is.
    Operator(OperatorId),
    /// Whoever holds an API token.
    Token(ApiTokenId),
    /// A card holder who has shown who it is.
    Holder(PersonId),
}

/// How the journal names card holders: no operator's name has a slash.
pub const HOLDER_PREFIX: &str = "holder/";

/// What something is done to, where that decides in whose remit it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object<'a> {
    /// Everything, or nothing in particular of the campus.
    Campus,
    /// A card, and with it its holder.
    Card(&'a CardId),
    /// A person.
    Person(&'a PersonId),
    /// A unit, and with it its people.
    Unit(&'a UnitId),
    /// A door.
    Door(&'a DoorId),
    /// A building.
    Building(&'a BuildingId),
}

impl core::fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Campus => f.write_str("the whole campus"),
            Self::Card(card) => write!(f, "card {card}"),
            Self::Person(person) => write!(f, "person {person}"),
            Self::Unit(unit) => write!(f, "unit {unit}"),
            Self::Door(door) => write!(f, "door {door}"),
            Self::Building(building) => write!(f, "building {building}"),
        }
    }
}

/// Why somebody may not do something, and who may.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denial {
    /// Nobody is known by that name any more.
    #[error("{0} may do nothing any more; ask an administrator")]
    Gone(String),
    /// The role does not do that.
    #[error("the role {role} may not {}; {} may", .act.words(), roles_text(*.act))]
    Role {
        /// The role of whoever asked.
        role: Role,
        /// What was asked for.
        act: Act,
    },
    /// The role does that, and not there.
    #[error(
        "{object} does not lie in the remit of this {role} ({remit}), who may {} only there; whoever has it in the remit may: {}",
        .act.words(), roles_text(*.act)
    )]
    Remit {
        /// The role of whoever asked.
        role: Role,
        /// The remit of whoever asked.
        remit: Remit,
        /// What was asked for.
        act: Act,
        /// Where.
        object: String,
    },
    /// Another role decides about this application.
    #[error("the role {role} may not decide about this application; {approver} may, by campus.toml, and administrator")]
    Approver {
        /// The role of whoever asked.
        role: Role,
        /// The one that may.
        approver: Role,
    },
    /// The stage of a campaign is not open.
    #[error(
        "the stage `{}` of campaign {campaign} is open from {} to {}; who comes too late is served by the card-office",
        .stage.name(), day_text(.days.from), day_text(.days.until)
    )]
    Stage {
        /// Which campaign.
        campaign: CampaignId,
        /// Which stage.
        stage: Stage,
        /// When it is open.
        days: DayRange,
    },
    /// A card holder does that to nobody else's, and not that.
    #[error(
        "a card holder may see the own page, bring the own photo, report own cards lost, and let those work again; ask the card office"
    )]
    Holder,
    /// Who held the card back was another.
    #[error(
        "card `{0}` was not held back because its holder reported it lost; the card office or the security office lets it work again"
    )]
    HeldByOthers(CardId),
    /// The identity provider says what that one may do.
    #[error(
        "`{0}` is the name of somebody whom the identity provider knows: its groups and oidc.toml say what that one may do; \
         choose another name"
    )]
    Provider(OperatorId),
    /// Only the authority does that.
    #[error("only the authority itself gives the command {0}")]
    Authority(&'static str),
}

fn roles_text(act: Act) -> String {
    let names: Vec<_> = act.roles().iter().map(|role| role.name()).collect();
    names.join(", ")
}

fn day_text(day: Option<Day>) -> String {
    day.map_or_else(|| "any day".to_owned(), |day| day.to_string())
}

impl Office {
    /// The powers of somebody at an instant, each of which must extend to what is asked; none of them is no bound.
    ///
    /// # Errors
    /// [`Denial::Gone`].
    pub fn powers(&self, asker: &Asker, at: UnixMs) -> Result<Vec<&Power>, Denial> {
        let of_operator = |id: &OperatorId| {
            let operator = self.operators.get(id).ok_or_else(|| Denial::Gone(format!("operator `{id}`")))?;
            Ok(&operator.power)
        };
        Ok(match asker {
            Asker::Owner => Vec::new(),
            Asker::Holder(_) => return Err(Denial::Holder),
            Asker::Operator(id) => vec![of_operator(id)?],
            Asker::Token(id) => {
                let token = self.tokens.get(id).filter(|token| at < token.expires_at);
                let token = token.ok_or_else(|| Denial::Gone(format!("token `{id}`")))?;
                // A token does no more than its operator, whatever that one was when it was given.
                vec![&token.power, of_operator(&token.operator)?]
            }
        })
    }

    /// The token with a secret of this hash, unless it has expired.
    #[must_use]
    pub fn token_of(&self, hash: &Hash, at: UnixMs) -> Option<&ApiTokenId> {
        self.tokens.iter().find(|(_, token)| token.hash == *hash && at < token.expires_at).map(|(id, _)| id)
    }
}

impl Directory {
    /// Whether somebody may give a command.
    ///
    /// # Errors
    /// See [`Denial`].
    pub fn authorize(&self, asker: &Asker, command: &Command, at: UnixMs) -> Result<(), Denial> {
        if let Asker::Holder(person) = asker {
            return self.authorize_holder(person, command, at);
        }
        if let Command::Office(OfficeOrder::OperatorPut { id, .. }) = command
            && *asker != Asker::Owner
            && id.is_of_provider()
        {
            return Err(Denial::Provider(id.clone()));
        }
        match Act::of(command) {
            Some(act) => {
                if let Command::Feed(order) = command {
                    return self.allow_push(asker, act, order, at);
                }
                self.allow(asker, act, self.object_of(command), at)?;
                self.check_approver(asker, command, at)?;
                let is_bound = |power: &&Power| power.role == Role::Department;
                if self.office().powers(asker, at)?.iter().any(is_bound) {
                    self.check_stage(command, at)
                } else {
                    Ok(())
                }
            }
            None if *asker == Asker::Owner => Ok(()),
            None => Err(Denial::Authority(command.name())),
        }
    }

    /// The whole list of what card holders do.
    fn authorize_holder(&self, holder: &PersonId, command: &Command, at: UnixMs) -> Result<(), Denial> {
        let is_own = |card: &CardId| self.tables().cards.get(card).is_some_and(|card| card.person == *holder);
        match command {
            Command::CardSuspend { card, .. } if is_own(card) => Ok(()),
            Command::CardResume { card, .. } if is_own(card) && self.is_reported(card) => Ok(()),
            Command::CardResume { card, .. } if is_own(card) => Err(Denial::HeldByOthers(card.clone())),
            Command::Photo(PhotoOrder::Submit { person, .. }) if person == holder => self.check_stage(command, at),
            Command::Found { .. }
            | Command::Import { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::CardSuspend { .. }
            | Command::CardResume { .. }
            | Command::CardActivate { .. }
            | Command::CardClose { .. }
            | Command::CardFound { .. }
            | Command::Application(_)
            | Command::Desk(_)
            | Command::Photo(_)
            | Command::Production(_)
            | Command::LockDown { .. }
            | Command::Release { .. }
            | Command::GrantAdd { .. }
            | Command::GrantEnd { .. }
            | Command::GrantConfirm { .. }
            | Command::Request(_)
            | Command::Office(_)
            | Command::Feed(_)
            | Command::PersonErase { .. } => Err(Denial::Holder),
        }
    }

    /// Whether somebody may see how far a command has come: whoever has in its remit what the command was about.
    ///
    /// # Errors
    /// See [`Denial`].
    pub fn may_follow(&self, asker: &Asker, command: &Command, at: UnixMs) -> Result<(), Denial> {
        self.allow(asker, Act::FollowChanges, self.object_of(command), at)
    }

    /// Whether somebody may do something.
    ///
    /// # Errors
    /// See [`Denial`].
    pub fn allow(&self, asker: &Asker, act: Act, object: Object<'_>, at: UnixMs) -> Result<(), Denial> {
        self.office().powers(asker, at)?.into_iter().try_for_each(|power| self.extends_to(power, act, object, at))
    }

    fn extends_to(&self, power: &Power, act: Act, object: Object<'_>, at: UnixMs) -> Result<(), Denial> {
        let Power { role, remit } = power;
        if !act.is_of(*role) {
            return Err(Denial::Role { role: *role, act });
        }
        let Remit::Part { units, buildings } = remit else { return Ok(()) };
        if self.lies_in(units, buildings, object, at) {
            return Ok(());
        }
        Err(Denial::Remit { role: *role, remit: remit.clone(), act, object: object.to_string() })
    }

    /// An application is decided by the role that the campus names for it (S2).
    fn check_approver(&self, asker: &Asker, command: &Command, at: UnixMs) -> Result<(), Denial> {
        let Command::Application(ApplicationOrder::Approve { id, .. } | ApplicationOrder::Reject { id, .. }) = command
        else {
            return Ok(());
        };
        let Some(approver) = self.approver(id) else { return Ok(()) };
        let decides = |power: &&Power| [approver, Role::Administrator].contains(&power.role);
        let other = self.office().powers(asker, at)?.into_iter().find(|power| !decides(power));
        other.map_or(Ok(()), |power| Err(Denial::Approver { role: power.role, approver }))
    }

    /// Departments and card holders keep to the dates of campaigns; the card office serves who comes too late (J8).
    fn check_stage(&self, command: &Command, at: UnixMs) -> Result<(), Denial> {
        let production = self.production();
        let (stage, campaigns): (_, Vec<&CampaignId>) =
            if let Command::Photo(PhotoOrder::Submit { person, .. }) = command {
                let campaigns = production.campaigns_of(person);
                (Stage::Photos, campaigns.filter(|campaign| !production.is_ordered(campaign, person)).collect())
            } else if let Command::Production(
                ProductionOrder::Enter { campaign, .. }
                | ProductionOrder::Strike { campaign, .. }
                | ProductionOrder::Confirm { campaign, .. },
            ) = command
            {
                (Stage::Roster, vec![campaign])
            } else if let Command::CardActivate { card } = command {
                (Stage::HandOver, production.campaign_of(card).into_iter().collect())
            } else {
                return Ok(());
            };
        let Some(policy) = self.policy() else { return Ok(()) };
        let today = zone(&policy.time_zone).and_then(|zone| zone.local(at)).map(|local| local.day);
        for campaign in campaigns {
            let days = policy.campaigns.get(campaign).and_then(|known| known.stages.get(&stage));
            if let Some(days) = days.filter(|days| today.is_none_or(|today| !days.contains(today))) {
                return Err(Denial::Stage { campaign: campaign.clone(), stage, days: *days });
            }
        }
        Ok(())
    }

    /// Whether somebody may push people: each unit whose people become others must be in the remit, and of whom anything else
    /// becomes other, each unit to which that person belongs. Who belongs to nothing is the whole campus's.
    fn allow_push(&self, asker: &Asker, act: Act, order: &FeedOrder, at: UnixMs) -> Result<(), Denial> {
        if let Some(power) = self.office().powers(asker, at)?.iter().find(|power| !act.is_of(power.role)) {
            return Err(Denial::Role { role: power.role, act });
        }
        let today = self.policy().and_then(|policy| Some(zone(&policy.time_zone)?.local(at)?.day));
        let lasts = |days: DayRange| days.until.is_none_or(|until| today.is_some_and(|day| day <= until));
        for (id, pushed) in &order.people {
            let known = self.tables().people.get(id);
            for unit in units_between(known, &pushed.person) {
                self.allow(asker, act, Object::Unit(unit), at)?;
            }
            let changes_more = known.is_none_or(|known| {
                let affiliations = pushed.person.affiliations.clone();
                Person { affiliations, ..known.clone() } != pushed.person || *self.alias(id) != pushed.alias
            });
            if !changes_more {
                continue;
            }
            let person = known.unwrap_or(&pushed.person);
            let mut units = person.affiliations.iter().filter(|affiliation| lasts(affiliation.days)).peekable();
            if units.peek().is_none() {
                self.allow(asker, act, Object::Campus, at)?;
            }
            units.try_for_each(|affiliation| self.allow(asker, act, Object::Unit(&affiliation.unit), at))?;
        }
        Ok(())
    }

    /// What a command is done to. What is not known lies nowhere; that it is not known is not said to whoever could not ask.
    fn object_of<'a>(&'a self, command: &'a Command) -> Object<'a> {
        match command {
            Command::CardSuspend { card, .. }
            | Command::CardFound { card, .. }
            | Command::CardResume { card, .. }
            | Command::CardActivate { card }
            | Command::CardClose { card, .. } => Object::Card(card),
            Command::Desk(order) => match order {
                DeskOrder::Issue(issue) => Object::Person(&issue.person),
                DeskOrder::Extend { card, .. } => Object::Card(card),
            },
            Command::Photo(order) => Object::Person(order.person()),
            Command::Application(order) => match order {
                ApplicationOrder::Apply { application, .. } => Object::Person(&application.person),
                ApplicationOrder::Approve { id, .. } | ApplicationOrder::Reject { id, .. } => {
                    let applied = self.applications().get(id);
                    applied.map_or(Object::Campus, |applied| Object::Person(&applied.application.person))
                }
            },
            Command::Production(order) => match order {
                ProductionOrder::Enter { unit, .. }
                | ProductionOrder::Strike { unit, .. }
                | ProductionOrder::Confirm { unit, .. }
                | ProductionOrder::Accept { unit, .. }
                | ProductionOrder::Return { unit, .. } => Object::Unit(unit),
                ProductionOrder::Order { unit, .. } => unit.as_ref().map_or(Object::Campus, Object::Unit),
                ProductionOrder::Deliver { batch, .. } => self.batch_object(batch),
            },
            Command::PersonErase { person, .. } => Object::Person(person),
            Command::LockDown { scope, .. } | Command::Release { scope, .. } => match scope {
                Scope::Campus => Object::Campus,
                Scope::Building(building) => Object::Building(building),
                Scope::Door(door) => Object::Door(door),
            },
            Command::GrantAdd { grant, .. } => of_target(&grant.target),
            Command::GrantEnd { id, .. } | Command::GrantConfirm { id, .. } => {
                self.tables().grants.get(id).map_or(Object::Campus, |grant| of_target(&grant.target))
            }
            Command::Request(order) => {
                let wish = match order {
                    RequestOrder::Ask { wish, .. } => Some(wish),
                    RequestOrder::Approve { id, .. }
                    | RequestOrder::Reject { id, .. }
                    | RequestOrder::Withdraw { id, .. } => self.requests().get(id).map(|request| &request.wish),
                };
                match (order, wish) {
                    (_, None) => Object::Campus,
                    (RequestOrder::Ask { .. } | RequestOrder::Withdraw { .. }, Some(wish)) => of_people(&wish.grant),
                    (RequestOrder::Approve { .. } | RequestOrder::Reject { .. }, Some(wish)) => {
                        of_target(&wish.grant.target)
                    }
                }
            }
            Command::Found { .. }
            | Command::Import { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::Feed(_) => Object::Campus,
            Command::Office(order) => of_office(order),
        }
    }

    /// Whose cards a batch holds.
    #[must_use]
    pub fn batch_object(&self, batch: &BatchId) -> Object<'_> {
        let unit = self.production().batches.get(batch).and_then(|batch| batch.unit.as_ref());
        unit.map_or(Object::Campus, Object::Unit)
    }

    fn lies_in(
        &self,
        units: &BTreeSet<UnitId>,
        buildings: &BTreeSet<BuildingId>,
        object: Object<'_>,
        at: UnixMs,
    ) -> bool {
        let tables = self.tables();
        let is_below = |unit: &UnitId| tables.unit_and_above(unit).any(|above| units.contains(above));
        match object {
            Object::Campus => false,
            Object::Card(card) => tables
                .cards
                .get(card)
                .is_some_and(|card| self.lies_in(units, buildings, Object::Person(&card.person), at)),
            Object::Person(person) => {
                let today = || Some(zone(&self.policy()?.time_zone)?.local(at)?.day);
                // Who comes next term is already theirs, who has left them is not any more.
                let lasts = |days: DayRange| days.until.is_none_or(|until| today().is_some_and(|day| day <= until));
                let mut affiliations = tables.people.get(person).into_iter().flat_map(|person| &person.affiliations);
                affiliations.any(|affiliation| is_below(&affiliation.unit) && lasts(affiliation.days))
            }
            Object::Unit(unit) => is_below(unit),
            Object::Door(door) => tables
                .doors
                .get(door)
                .is_some_and(|door| buildings.contains(&door.building) || tables.owner_of(door).is_some_and(is_below)),
            Object::Building(building) => {
                let owner = tables.buildings.get(building).and_then(|known| known.owner.as_ref());
                // Whoever owns a building does not decide about a laboratory in it that is another unit's.
                let mut others = tables.doors.values().filter(|door| door.building == *building);
                let mut is_all_theirs = || others.all(|door| tables.owner_of(door).is_some_and(is_below));
                buildings.contains(building) || (owner.is_some_and(is_below) && is_all_theirs())
            }
        }
    }
}

/// Whom an order about those who work or sign in here is about.
const fn of_office(order: &OfficeOrder) -> Object<'_> {
    match order {
        OfficeOrder::HolderInvite { person } => Object::Person(person),
        OfficeOrder::OperatorPut { .. }
        | OfficeOrder::OperatorRemove { .. }
        | OfficeOrder::OperatorInvite { .. }
        | OfficeOrder::TokenAdd { .. }
        | OfficeOrder::TokenRemove { .. } => Object::Campus,
    }
}

/// Whom a grant lets in.
#[must_use]
pub const fn of_people(grant: &Grant) -> Object<'_> {
    match (&grant.within, &grant.subject) {
        // Whoever speaks for the unit speaks for those of its people whom the grant names.
        (Some(unit), _) | (None, Subject::Unit(unit)) => Object::Unit(unit),
        (None, Subject::Person(person)) => Object::Person(person),
        (None, Subject::Category(_)) => Object::Campus,
    }
}

/// Where a grant lets in.
#[must_use]
pub const fn of_target(target: &Target) -> Object<'_> {
    match target {
        Target::Door(door) => Object::Door(door),
        Target::Building(building) => Object::Building(building),
    }
}
