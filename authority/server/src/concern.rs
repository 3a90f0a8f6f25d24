//! Whom a change concerns: which agents, with which of their doors, and what it is about in words.

use crate::authority::Authority;
use crate::closing::ClosingAgent;
use crate::hub::{Concerned, Hub};
use crate::present::{Leaves, Present};
use doorward_policy::command::{Command, Entry, Scope};
use doorward_policy::compile::Changes;
use doorward_policy::directory::Directory;
use doorward_policy::feed::FeedOrder;
use doorward_policy::model::{CardId, GrantId, Target};
use doorward_policy::office::OfficeOrder;
use doorward_policy::office::requests::RequestOrder;
use doorward_policy::removal::removal_items;
use doorward_protocol::commit::Position;
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::removal::{Item, Removal};
use std::collections::{BTreeMap, BTreeSet};

/// Agents and their doors.
pub type Doors = BTreeMap<AgentId, BTreeSet<DoorId>>;

/// What agents that were not heard since the start had confirmed when they were last looked up: at least so much, as long
/// as no other machine joins under the same name.
#[derive(Debug, Default)]
pub struct Confirmed(BTreeMap<AgentId, Position>);

impl Confirmed {
    /// An agent joins or is struck off: what was known of it is about another machine.
    pub fn forget(&mut self, agent: &AgentId) {
        self.0.remove(agent);
    }

    /// Whether an agent has something of which `is_old` is true. One of which nothing can be read counts as having something
    /// old. What is not old cannot become old, so that the store is asked about few agents.
    fn has(&mut self, authority: &Authority, agent: &AgentId, is_old: impl Fn(Position) -> bool) -> bool {
        let connection = authority.hub.connection(agent);
        let live = connection.map(|connection| connection.live()).or_else(|| authority.hub.last_heard(agent));
        if let Some(heard) = live.and_then(|live| live.position) {
            return is_old(heard);
        }
        if self.0.get(agent).is_some_and(|known| !is_old(*known)) {
            return false;
        }
        let stored = authority.store.contact(agent).map(|contact| contact.confirmed);
        let stored = stored.unwrap_or(Position { epoch: 0, seq: 1 });
        self.0.insert(agent.clone(), stored);
        is_old(stored)
    }
}

/// Whom a command concerns as far as that follows from what was there before it.
#[must_use]
pub fn before(authority: &Authority, confirmed: &mut Confirmed, present: &Present, command: &Command) -> Doors {
    match command {
        Command::CardSuspend { card, .. } | Command::CardFound { card, .. } | Command::CardClose { card, .. } => {
            shut(authority, confirmed, present, [card])
        }
        Command::CardResume { card, .. } => at_holders(present, card),
        Command::CardActivate { card } => {
            let ended = present.directory.superseded_by(card);
            let mut doors = shut(authority, confirmed, present, ended);
            add(&mut doors, at_holders(present, card));
            doors
        }
        Command::Desk(order) => shut(authority, confirmed, present, present.directory.ended_by(order)),
        Command::PersonErase { person, .. } => {
            shut(authority, confirmed, present, present.directory.open_cards_of(person))
        }
        Command::LockDown { scope, .. } | Command::Release { scope, .. } => in_scope(&present.directory, scope),
        Command::GrantEnd { id, .. } => at_target(present, id),
        Command::Found { .. }
        | Command::Import { .. }
        | Command::Tick { .. }
        | Command::AgentAdd { .. }
        | Command::AgentEnrol { .. }
        | Command::AgentRemove { .. }
        | Command::GrantAdd { .. }
        | Command::GrantConfirm { .. }
        | Command::Photo(_)
        | Command::Production(_)
        | Command::Application(_)
        | Command::Request(_)
        | Command::Office(_)
        | Command::Feed(_) => Doors::new(),
    }
}

/// Adds those whom a command concerns because their state changed with it; `present` is after it.
pub fn add_changed(doors: &mut Doors, present: &Present, command: &Command, changes: &Changes) {
    match command {
        Command::GrantAdd { id, .. } | Command::Request(RequestOrder::Approve { grant: id, .. }) => {
            doors.extend(at_target(present, id));
        }
        Command::Import { .. } | Command::Feed(_) => {
            let changed = changes.changed.iter();
            doors.extend(changed.map(|agent| (agent.clone(), present.leases(agent).map(|(door, _)| door).collect())));
        }
        Command::Desk(order) => add(doors, at_holders(present, order.card())),
        // A grant that has nobody behind it changes no state; then nobody has anything to confirm.
        Command::GrantEnd { .. } => doors.retain(|agent, _| changes.changed.contains(agent)),
        Command::Found { .. }
        | Command::Tick { .. }
        | Command::AgentAdd { .. }
        | Command::AgentEnrol { .. }
        | Command::AgentRemove { .. }
        | Command::CardSuspend { .. }
        | Command::CardFound { .. }
        | Command::CardResume { .. }
        | Command::CardActivate { .. }
        | Command::CardClose { .. }
        | Command::LockDown { .. }
        | Command::Release { .. }
        | Command::GrantConfirm { .. }
        | Command::Photo(_)
        | Command::Production(_)
        | Command::Application(_)
        | Command::Request(RequestOrder::Ask { .. } | RequestOrder::Reject { .. } | RequestOrder::Withdraw { .. })
        | Command::Office(_)
        | Command::PersonErase { .. } => {}
    }
}

/// The agents of a change with their doors, leases and proofs. An agent that was never enrolled has no state that could
/// open a door; one that was struck off may still have.
#[must_use]
pub fn closing_agents(present: &Present, leaves: &Leaves, doors: Doors) -> BTreeMap<AgentId, ClosingAgent> {
    let agents = present.directory.agents();
    let may_decide = |id: &AgentId| agents.get(id).is_some_and(|agent| agent.key.is_some() || agent.removed);
    let concerned = doors.into_iter().filter(|(id, doors)| !doors.is_empty() && may_decide(id));
    concerned
        .map(|(id, doors)| {
            let doors = doors.into_iter().map(|door| (door.clone(), present.lease_ms(&id, &door))).collect();
            let leaf = leaves.proof(&id);
            (id, ClosingAgent { doors, leaf, ..ClosingAgent::default() })
        })
        .collect()
}

/// The removals of an entry; `directory` is the one before it.
#[must_use]
pub fn removals(directory: &Directory, entry: &Entry, position: Position) -> Vec<Removal> {
    let Some(campus) = campus_of(directory) else { return Vec::new() };
    let lists = (0_u32..).zip(removal_items(directory, &entry.command));
    lists.map(|(part, items)| Removal { campus: campus.clone(), position, part, at: entry.at, items }).collect()
}

fn campus_of(directory: &Directory) -> Option<&doorward_protocol::id::CampusId> {
    directory.policy().map(|policy| &policy.campus)
}

/// Whom a removal concerns. Which agents hold a card is known only when `present` has caught up with the journal; one
/// that is connected and has not come as far may hold it still.
#[must_use]
pub fn of_removal(hub: &Hub, directory: &Directory, present: Option<&Present>, removal: &Removal) -> Concerned {
    let mut agents = BTreeSet::new();
    let behind = hub.positions().into_iter();
    let behind: Vec<_> =
        behind.filter(|(_, has)| present.is_some_and(|at| *has != Some(at.published.position))).collect();
    for item in &removal.items {
        match (item, present) {
            (Item::LockDown(door), _) => agents.extend(directory.agent_of(door).cloned()),
            (Item::Suspend(key) | Item::Close(key), Some(present)) => match present.card(*key) {
                Some(card) => {
                    agents.extend(present.compiled.holders(card).cloned());
                    let may_know = |(agent, has): &&(AgentId, Option<Position>)| {
                        has.is_none_or(|has| present.may_have_known(agent, card, has))
                    };
                    agents.extend(behind.iter().filter(may_know).map(|(agent, _)| agent.clone()));
                }
                None => return Concerned::All,
            },
            (Item::Suspend(_) | Item::Close(_), None) => return Concerned::All,
        }
    }
    Concerned::Agents(agents)
}

/// What a command is about, and why it was given.
#[must_use]
pub fn in_words(command: &Command) -> (String, String) {
    let (subject, why) = match command {
        Command::Found { .. } => ("the campus".into(), ""),
        Command::Import { .. } => ("the campus folder".into(), ""),
        Command::Tick { .. } => ("all agents".into(), ""),
        Command::AgentAdd { agent, .. } | Command::AgentEnrol { agent, .. } | Command::AgentRemove { agent } => {
            (format!("agent {agent}"), "")
        }
        Command::CardSuspend { card, reason }
        | Command::CardResume { card, reason }
        | Command::CardFound { card, place: reason }
        | Command::CardClose { card, reason, .. } => (format!("card {card}"), reason.as_str()),
        Command::CardActivate { card } => (format!("card {card}"), ""),
        Command::Desk(order) => (format!("card {}", order.card()), ""),
        Command::Photo(order) => {
            (format!("the photo of person {}", order.person()), order.reason().unwrap_or_default())
        }
        Command::Application(order) => (format!("application {}", order.id()), order.reason()),
        Command::Production(order) => (order.subject(), order.reason()),
        Command::LockDown { scope, reason } | Command::Release { scope, reason } => {
            (scope.to_string(), reason.as_str())
        }
        Command::GrantAdd { id, .. } | Command::GrantEnd { id, .. } => (format!("grant {id}"), ""),
        Command::GrantConfirm { id, reason } => (format!("grant {id}"), reason.as_str()),
        Command::Request(order) => (format!("request {}", order.id()), order.reason()),
        Command::Office(order) => (of_office(order), ""),
        Command::PersonErase { person, reason, .. } => (format!("person {person}"), reason.as_str()),
        Command::Feed(order) => (of_feed(order), ""),
    };
    (subject, why.to_owned())
}

fn of_office(order: &OfficeOrder) -> String {
    match order {
        OfficeOrder::OperatorPut { id, .. }
        | OfficeOrder::OperatorRemove { id }
        | OfficeOrder::OperatorInvite { id } => format!("operator {id}"),
        OfficeOrder::HolderInvite { person } => format!("person {person}"),
        OfficeOrder::TokenAdd { id, .. } | OfficeOrder::TokenRemove { id } => format!("API token {id}"),
    }
}

fn of_feed(order: &FeedOrder) -> String {
    match order.people.first_key_value() {
        Some((id, _)) if order.people.len() == 1 => format!("person {id}"),
        Some(_) | None => format!("{} people", order.people.len()),
    }
}

/// Where cards that end are known, and where they may be known still.
fn shut<'a>(
    authority: &Authority,
    confirmed: &mut Confirmed,
    present: &Present,
    cards: impl IntoIterator<Item = &'a CardId>,
) -> Doors {
    let mut doors = Doors::new();
    for card in cards {
        add(&mut doors, at_holders(present, card));
        doors.extend(at_sleepers(authority, confirmed, present, card));
    }
    doors
}

fn add(doors: &mut Doors, more: Doors) {
    for (agent, more) in more {
        doors.entry(agent).or_default().extend(more);
    }
}

fn at_holders(present: &Present, card: &CardId) -> Doors {
    let holders = present.compiled.holders(card);
    holders.map(|agent| (agent.clone(), present.compiled.doors_known(agent, card).into_iter().collect())).collect()
}

/// Agents that have not confirmed what took the card away from some of their doors, with all of their doors: which of
/// them opened to the card is not known any more.
fn at_sleepers(authority: &Authority, confirmed: &mut Confirmed, present: &Present, card: &CardId) -> Doors {
    let agents = present.compiled.agents().map(|(agent, _)| agent);
    let sleepers = agents.filter(|agent| {
        let is_old = |has| has > Position::default() && present.may_have_known(agent, card, has);
        confirmed.has(authority, agent, is_old)
    });
    let all_doors = |agent| present.leases(agent).map(|(door, _)| door).collect();
    sleepers.map(|agent| (agent.clone(), all_doors(agent))).collect()
}

fn in_scope(directory: &Directory, scope: &Scope) -> Doors {
    let mut doors = Doors::new();
    for door in directory.doors_in(scope) {
        if let Some(agent) = directory.agent_of(door) {
            doors.entry(agent.clone()).or_default().insert(door.clone());
        }
    }
    doors
}

fn at_target(present: &Present, id: &GrantId) -> Doors {
    let grant = present.directory.tables().grants.get(id);
    let scope = grant.map(|grant| match &grant.target {
        Target::Door(door) => Scope::Door(door.clone()),
        Target::Building(building) => Scope::Building(building.clone()),
    });
    scope.map(|scope| in_scope(&present.directory, &scope)).unwrap_or_default()
}
