//! Rules, grants and doors, turned around so that what a kind of holder may open is found without asking every door.
//!
//! Follows from policy, units, buildings, doors and grants alone: it stays while people and cards come and go.

use super::CompileError;
use crate::directory::Directory;
use crate::model::{Building, Door, PersonId, Policy, Rule, ScheduleName, Tables, UnitId, UnlockSchedule, Where, Who};
use doorward_protocol::facts::{self, Effect, Factors, Schedule};
use doorward_protocol::id::{AgentId, DoorId, FunctionId, ScheduleId};
use doorward_protocol::time::{Day, DayRange, Zone};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Debug, Clone)]
pub struct Index {
    /// The agents that have a state, ascending; sites name them by their place here.
    pub agents: Vec<AgentId>,
    /// The doors, ascending; sites name them by their place here.
    pub doors: Vec<IndexedDoor>,
    /// Schedules that rules and doors use.
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// Rules, those that grants mean included.
    pub rules: Vec<IndexedRule>,
    /// Where rules hold.
    pub sites: Vec<Site>,
    /// Places in `rules` of those that name no people one by one.
    pub general: Vec<usize>,
    /// Places in `rules` of those that do, by whom they name.
    pub personal: BTreeMap<PersonId, Vec<usize>>,
    /// Local time of the campus.
    pub calendar: facts::Calendar,
}

/// A door as compiling needs it.
#[derive(Debug, Clone)]
pub struct IndexedDoor {
    /// Which door.
    pub id: DoorId,
    /// Its agent's place in [`Index::agents`].
    pub agent: usize,
    /// The function that a card needs here.
    pub function: FunctionId,
    /// Whether that function ends at once when the holder leaves.
    pub identity: bool,
    /// While this schedule holds, the door opens for anyone.
    pub unlock: Option<ScheduleId>,
    /// How long it goes on deciding without a fresh word.
    pub lease_ms: Option<u64>,
}

/// A rule as compiling needs it.
#[derive(Debug, Clone)]
pub struct IndexedRule {
    /// Whom it names.
    pub who: Who,
    /// On which days.
    pub days: DayRange,
    /// What it does.
    pub effect: Effect,
    /// When on those days.
    pub schedule: Option<ScheduleId>,
    /// Further factors.
    pub factors: Factors,
    /// Where.
    pub place: RulePlace,
}

/// Where a rule holds, as places in [`Index::sites`].
#[derive(Debug, Clone)]
pub enum RulePlace {
    /// At all of its doors.
    Anywhere(usize),
    /// At those of its doors that a unit owns, for people of that unit.
    ByOwner(BTreeMap<UnitId, usize>),
}

/// Doors at which a rule holds for the same people.
#[derive(Debug, Clone)]
pub struct Site {
    /// The rule's place in [`Index::rules`].
    pub rule: usize,
    /// Per agent, by place, the doors, by place, ascending.
    pub doors: BTreeMap<usize, Vec<usize>>,
}

impl Index {
    /// The index of a directory into which a folder was imported.
    pub fn new(directory: &Directory, policy: &Policy) -> Result<Self, CompileError> {
        let zone = crate::zone::zone(&policy.time_zone);
        let zone = zone.ok_or_else(|| CompileError::UnknownTimeZone(policy.time_zone.clone()))?;
        let mut builder = Builder::new(directory, policy, zone)?;
        let tables = directory.tables();
        let of_grants: Vec<Rule> = tables.grants.values().map(crate::model::Grant::as_rule).collect();
        for rule in policy.rules.values().chain(&of_grants) {
            builder.add(rule)?;
        }
        Ok(builder.index)
    }

    /// An index of a directory that knows no folder yet: nothing is there.
    pub fn empty() -> Self {
        Self {
            agents: Vec::new(),
            doors: Vec::new(),
            schedules: BTreeMap::new(),
            rules: Vec::new(),
            sites: Vec::new(),
            general: Vec::new(),
            personal: BTreeMap::new(),
            calendar: facts::Calendar {
                zone: Zone { first_offset_s: 0, transitions: Vec::new() },
                holidays: Vec::new(),
            },
        }
    }
}

struct Builder<'a> {
    policy: &'a Policy,
    tables: &'a Tables,
    schedule_ids: BTreeMap<&'a ScheduleName, ScheduleId>,
    doors_of_function: BTreeMap<&'a FunctionId, BTreeSet<usize>>,
    doors_of_building: BTreeMap<&'a crate::model::BuildingId, BTreeSet<usize>>,
    places: BTreeMap<&'a DoorId, usize>,
    owners: Vec<Option<&'a UnitId>>,
    index: Index,
}

impl<'a> Builder<'a> {
    fn new(directory: &'a Directory, policy: &'a Policy, zone: Zone) -> Result<Self, CompileError> {
        let holidays: Vec<Day> = policy.holidays.keys().copied().collect();
        let mut builder = Self {
            policy,
            tables: directory.tables(),
            schedule_ids: BTreeMap::new(),
            doors_of_function: BTreeMap::new(),
            doors_of_building: BTreeMap::new(),
            places: BTreeMap::new(),
            owners: Vec::new(),
            index: Index {
                agents: directory.agent_ids().into_iter().cloned().collect(),
                calendar: facts::Calendar { zone, holidays },
                ..Index::empty()
            },
        };
        for (name, schedule) in &policy.schedules {
            let id = schedule.id()?;
            builder.schedule_ids.insert(name, id);
            builder.index.schedules.insert(id, schedule.clone());
        }
        for (id, door) in &directory.tables().doors {
            builder.add_door(id, door)?;
        }
        Ok(builder)
    }

    fn add_door(&mut self, id: &'a DoorId, door: &'a Door) -> Result<(), CompileError> {
        let Some(Building { agent, .. }) = self.tables.buildings.get(&door.building) else {
            return Err(CompileError::Missing("building", door.building.to_string()));
        };
        let Some(function) = self.policy.functions.get(&door.function) else {
            return Err(CompileError::Missing("function", door.function.to_string()));
        };
        let Ok(agent) = self.index.agents.binary_search(agent) else {
            return Err(CompileError::Missing("agent", agent.to_string()));
        };
        let unlock = match &door.unlock {
            None => None,
            Some(UnlockSchedule::Always) => Some(self.always()?),
            Some(UnlockSchedule::Named(name)) => Some(self.schedule(name)?),
        };
        let place = self.index.doors.len();
        self.places.insert(id, place);
        self.doors_of_function.entry(&door.function).or_default().insert(place);
        self.doors_of_building.entry(&door.building).or_default().insert(place);
        self.owners.push(self.tables.owner_of(door));
        self.index.doors.push(IndexedDoor {
            id: id.clone(),
            agent,
            function: door.function.clone(),
            identity: function.identity,
            unlock,
            lease_ms: function.lease_ms.or(self.policy.lease_ms),
        });
        Ok(())
    }

    fn always(&mut self) -> Result<ScheduleId, CompileError> {
        let schedule = Schedule::always();
        let id = schedule.id()?;
        self.index.schedules.insert(id, schedule);
        Ok(id)
    }

    fn schedule(&self, name: &ScheduleName) -> Result<ScheduleId, CompileError> {
        let id = self.schedule_ids.get(name).copied();
        id.ok_or_else(|| CompileError::Missing("schedule", name.to_string()))
    }

    fn add(&mut self, rule: &Rule) -> Result<(), CompileError> {
        let doors = self.doors_named(&rule.doors);
        let number = self.index.rules.len();
        let place = if rule.who.affiliated_to_owner {
            let mut by_owner: BTreeMap<&UnitId, Vec<usize>> = BTreeMap::new();
            for door in doors {
                if let Some(owner) = self.owners.get(door).copied().flatten() {
                    by_owner.entry(owner).or_default().push(door);
                }
            }
            let sites = by_owner.into_iter().map(|(owner, doors)| (owner.clone(), self.add_site(number, doors)));
            RulePlace::ByOwner(sites.collect())
        } else {
            RulePlace::Anywhere(self.add_site(number, doors))
        };
        match &rule.who.people {
            None => self.index.general.push(number),
            Some(people) => {
                for person in people {
                    self.index.personal.entry(person.clone()).or_default().push(number);
                }
            }
        }
        let schedule = rule.when.as_ref().map(|name| self.schedule(name)).transpose()?;
        let (who, days, effect, factors) = (rule.who.clone(), rule.days, rule.effect, rule.factors);
        self.index.rules.push(IndexedRule { who, days, effect, schedule, factors, place });
        Ok(())
    }

    fn add_site(&mut self, rule: usize, places: impl IntoIterator<Item = usize>) -> usize {
        let mut doors: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in places {
            if let Some(door) = self.index.doors.get(place) {
                doors.entry(door.agent).or_default().push(place);
            }
        }
        self.index.sites.push(Site { rule, doors });
        self.index.sites.len().saturating_sub(1)
    }

    /// The doors that a rule names: from its narrowest key, the others then tried on each.
    fn doors_named(&self, named: &Where) -> BTreeSet<usize> {
        let of_doors =
            named.doors.as_ref().map(|ids| ids.iter().filter_map(|id| self.places.get(id)).copied().collect());
        let of_buildings = named.buildings.as_ref().map(|ids| union(ids, &self.doors_of_building));
        let of_functions = named.functions.as_ref().map(|ids| union(ids, &self.doors_of_function));
        let keys: [Option<BTreeSet<usize>>; 3] = [of_doors, of_buildings, of_functions];
        keys.into_iter().flatten().reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
    }
}

fn union<K: Ord>(ids: &BTreeSet<K>, places: &BTreeMap<&K, BTreeSet<usize>>) -> BTreeSet<usize> {
    ids.iter().filter_map(|id| places.get(id)).flatten().copied().collect()
}
