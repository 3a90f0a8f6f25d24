//! Rules, grants and doors, turned around so that what a kind of holder may open is found without asking every door.
//!
//! Follows from policy, units, buildings, doors and grants alone: it stays while people and cards come and go, and follows
//! grants that come and go one by one.

use super::CompileError;
use crate::directory::Directory;
use crate::model::{
    Building, BuildingId, Door, GrantId, PersonId, Policy, Rule, ScheduleName, Tables, UnitId, UnlockSchedule, Where,
    Who,
};
use doorward_protocol::facts::{self, Effect, Factors, Schedule};
use doorward_protocol::id::{AgentId, DoorId, FunctionId, ScheduleId};
use doorward_protocol::time::{DayRange, Zone};
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
    /// Places in `rules` of those that name neither people nor units.
    pub general: Vec<usize>,
    /// Places in `rules` of those that name units and no people one by one, by the units that they name.
    pub of_units: BTreeMap<UnitId, Vec<usize>>,
    /// Places in `rules` of those that name people one by one, by whom they name.
    pub personal: BTreeMap<PersonId, Vec<usize>>,
    /// Per agent, by place, its doors, by place, ascending.
    pub doors_of: Vec<Vec<usize>>,
    /// Places in `rules` of those that grants mean.
    grants: BTreeMap<GrantId, usize>,
    /// Places in `rules` of grants that ended; each holds at one site.
    vacant: Vec<usize>,
    schedule_ids: BTreeMap<ScheduleName, ScheduleId>,
    doors_of_building: BTreeMap<BuildingId, BTreeSet<usize>>,
    doors_of_function: BTreeMap<FunctionId, BTreeSet<usize>>,
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
        let tables = directory.tables();
        let mut index = Self {
            agents: directory.agent_ids().into_iter().cloned().collect(),
            calendar: facts::Calendar { zone, holidays: policy.holidays.keys().copied().collect() },
            ..Self::empty()
        };
        index.doors_of.resize_with(index.agents.len(), Vec::new);
        for (name, schedule) in &policy.schedules {
            let id = schedule.id()?;
            index.schedule_ids.insert(name.clone(), id);
            index.schedules.insert(id, schedule.clone());
        }
        let mut owners = Vec::with_capacity(tables.doors.len());
        for (id, door) in &tables.doors {
            index.add_door(policy, tables, id, door)?;
            owners.push(tables.owner_of(door));
        }
        for rule in policy.rules.values() {
            index.add(rule, &owners)?;
        }
        for (id, grant) in &tables.grants {
            let number = index.add(&grant.as_rule(), &owners)?;
            index.grants.insert(id.clone(), number);
        }
        Ok(index)
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
            of_units: BTreeMap::new(),
            personal: BTreeMap::new(),
            doors_of: Vec::new(),
            grants: BTreeMap::new(),
            vacant: Vec::new(),
            schedule_ids: BTreeMap::new(),
            doors_of_building: BTreeMap::new(),
            doors_of_function: BTreeMap::new(),
            calendar: facts::Calendar {
                zone: Zone { first_offset_s: 0, transitions: Vec::new() },
                holidays: Vec::new(),
            },
        }
    }

    /// Follows grants that were added, changed or ended; nothing else may be different in the directory.
    pub fn follow_grants(&mut self, directory: &Directory, grants: &BTreeSet<GrantId>) -> Result<(), CompileError> {
        for id in grants {
            if let Some(number) = self.grants.remove(id) {
                self.retire(number);
            }
            if let Some(grant) = directory.tables().grants.get(id) {
                // A grant is of no owner, so the owners of doors are of no consequence.
                let number = self.add(&grant.as_rule(), &[])?;
                self.grants.insert(id.clone(), number);
            }
        }
        Ok(())
    }

    /// The doors of an agent.
    pub fn doors_of(&self, agent: &AgentId) -> impl Iterator<Item = &IndexedDoor> {
        let place = self.agents.binary_search(agent).ok();
        let places = place.and_then(|place| self.doors_of.get(place)).into_iter().flatten();
        places.filter_map(|door| self.doors.get(*door))
    }

    /// The place of a door.
    pub fn door(&self, id: &DoorId) -> Option<usize> {
        self.doors.binary_search_by(|door| door.id.cmp(id)).ok()
    }

    fn add_door(&mut self, policy: &Policy, tables: &Tables, id: &DoorId, door: &Door) -> Result<(), CompileError> {
        let Some(Building { agent, .. }) = tables.buildings.get(&door.building) else {
            return Err(CompileError::Missing("building", door.building.to_string()));
        };
        let Some(function) = policy.functions.get(&door.function) else {
            return Err(CompileError::Missing("function", door.function.to_string()));
        };
        let Ok(agent) = self.agents.binary_search(agent) else {
            return Err(CompileError::Missing("agent", agent.to_string()));
        };
        let unlock = match &door.unlock {
            None => None,
            Some(UnlockSchedule::Always) => Some(self.always()?),
            Some(UnlockSchedule::Named(name)) => Some(self.schedule(name)?),
        };
        let place = self.doors.len();
        self.doors_of_function.entry(door.function.clone()).or_default().insert(place);
        self.doors_of_building.entry(door.building.clone()).or_default().insert(place);
        self.doors_of.get_mut(agent).into_iter().for_each(|doors| doors.push(place));
        self.doors.push(IndexedDoor {
            id: id.clone(),
            agent,
            function: door.function.clone(),
            identity: function.identity,
            unlock,
            lease_ms: function.lease_ms.or(policy.lease_ms),
        });
        Ok(())
    }

    fn always(&mut self) -> Result<ScheduleId, CompileError> {
        let schedule = Schedule::always();
        let id = schedule.id()?;
        self.schedules.insert(id, schedule);
        Ok(id)
    }

    fn schedule(&self, name: &ScheduleName) -> Result<ScheduleId, CompileError> {
        let id = self.schedule_ids.get(name).copied();
        id.ok_or_else(|| CompileError::Missing("schedule", name.to_string()))
    }

    /// Adds a rule, and says its place. `owners` are those of the doors, in their order.
    fn add(&mut self, rule: &Rule, owners: &[Option<&UnitId>]) -> Result<usize, CompileError> {
        let schedule = rule.when.as_ref().map(|name| self.schedule(name)).transpose()?;
        let doors = self.doors_named(&rule.doors);
        let (who, days, effect, factors) = (rule.who.clone(), rule.days, rule.effect, rule.factors);
        let of = |place| IndexedRule { who, days, effect, schedule, factors, place };
        let number = if rule.who.affiliated_to_owner {
            let number = self.rules.len();
            let mut by_owner: BTreeMap<&UnitId, Vec<usize>> = BTreeMap::new();
            for door in doors {
                if let Some(owner) = owners.get(door).copied().flatten() {
                    by_owner.entry(owner).or_default().push(door);
                }
            }
            let sites = by_owner.into_iter().map(|(owner, doors)| (owner.clone(), self.add_site(number, doors)));
            let sites = sites.collect();
            self.rules.push(of(RulePlace::ByOwner(sites)));
            number
        } else {
            self.add_anywhere(doors, of)
        };
        self.each_list(&rule.who, |places| places.push(number));
        Ok(number)
    }

    /// Adds a rule that holds at all of its doors, in the place of one that ended where there is one.
    fn add_anywhere(&mut self, doors: BTreeSet<usize>, of: impl FnOnce(RulePlace) -> IndexedRule) -> usize {
        if let Some(number) = self.vacant.pop()
            && let Some(rule) = self.rules.get_mut(number)
            && let RulePlace::Anywhere(site) = rule.place
        {
            *rule = of(RulePlace::Anywhere(site));
            let doors = self.by_agent(doors);
            self.sites.get_mut(site).into_iter().for_each(|site| site.doors.clone_from(&doors));
            return number;
        }
        let number = self.rules.len();
        let site = self.add_site(number, doors);
        self.rules.push(of(RulePlace::Anywhere(site)));
        number
    }

    /// Takes the rule of a grant away, and leaves its place and its site to another.
    fn retire(&mut self, number: usize) {
        let Some(rule) = self.rules.get(number) else { return };
        let who = rule.who.clone();
        if let RulePlace::Anywhere(site) = rule.place {
            self.sites.get_mut(site).into_iter().for_each(|site| site.doors.clear());
            self.vacant.push(number);
        }
        self.each_list(&who, |places| places.retain(|place| *place != number));
    }

    /// Changes each list in which a rule for these people stands.
    fn each_list(&mut self, who: &Who, change: impl Fn(&mut Vec<usize>)) {
        match (&who.people, &who.units) {
            (Some(people), _) => change_lists(&mut self.personal, people, change),
            (None, Some(units)) => change_lists(&mut self.of_units, units, change),
            (None, None) => change(&mut self.general),
        }
    }

    fn add_site(&mut self, rule: usize, places: impl IntoIterator<Item = usize>) -> usize {
        let doors = self.by_agent(places);
        self.sites.push(Site { rule, doors });
        self.sites.len().saturating_sub(1)
    }

    fn by_agent(&self, places: impl IntoIterator<Item = usize>) -> BTreeMap<usize, Vec<usize>> {
        let mut doors: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in places {
            if let Some(door) = self.doors.get(place) {
                doors.entry(door.agent).or_default().push(place);
            }
        }
        doors
    }

    /// The doors that a rule names: from its narrowest key, the others then tried on each.
    fn doors_named(&self, named: &Where) -> BTreeSet<usize> {
        let of_doors = named.doors.as_ref().map(|ids| ids.iter().filter_map(|id| self.door(id)).collect());
        let of_buildings = named.buildings.as_ref().map(|ids| union(ids, &self.doors_of_building));
        let of_functions = named.functions.as_ref().map(|ids| union(ids, &self.doors_of_function));
        let keys: [Option<BTreeSet<usize>>; 3] = [of_doors, of_buildings, of_functions];
        keys.into_iter().flatten().reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
    }
}

fn union<K: Ord>(ids: &BTreeSet<K>, places: &BTreeMap<K, BTreeSet<usize>>) -> BTreeSet<usize> {
    ids.iter().filter_map(|id| places.get(id)).flatten().copied().collect()
}

fn change_lists<K: Ord + Clone>(
    lists: &mut BTreeMap<K, Vec<usize>>,
    keys: &BTreeSet<K>,
    change: impl Fn(&mut Vec<usize>),
) {
    for key in keys {
        let list = lists.entry(key.clone()).or_default();
        change(list);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}
