//! What the holder of a card may open, agent by agent: rules become classes of equal access.
//!
//! People of one profile (category, affiliations, rules that name them) with one type of card have the same access, so
//! it is worked out once for all of them. What is remembered lasts as long as the index and directory that it is about.

use super::CompileError;
use super::index::{Index, IndexedRule, RulePlace};
use super::ranges::Days;
use crate::model::{Affiliation, Card, CardTypeId, CategoryId, Person, Policy, Tables, UnitId};
use doorward_protocol::facts::{Class, ClassDoor, Effect, Entry};
use doorward_protocol::id::{AgentId, ClassId, FunctionId};
use doorward_protocol::time::DayRange;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many classes at agents are remembered by what they are made of. Most are found again soon or never: people of two units are as
/// those of each at its agents.
const MATCHES_MAX: usize = 1 << 16;

/// What one kind of card opens for one kind of holder.
#[derive(Debug, Default)]
pub struct Access {
    /// Per agent that holds such cards, by its place in the index, ascending: the class, by its place in [`Accesses::ids`].
    pub classes: Vec<(usize, u32)>,
    /// The same agents by name.
    pub holders: Arc<BTreeSet<AgentId>>,
}

/// Works out access and remembers it.
pub struct Accesses<'a> {
    index: &'a Index,
    pub policy: &'a Policy,
    tables: &'a Tables,
    /// Whether agents hold cards that open nothing, too.
    holds_all: bool,
    of_profiles: BTreeMap<Profile<'a>, Arc<Access>>,
    of_matches: BTreeMap<(usize, &'a CardTypeId, Vec<Match>), Option<u32>>,
    /// Who holds a card, by the places of the agents: people who differ in days do not differ in that.
    of_holders: BTreeMap<Vec<usize>, Arc<BTreeSet<AgentId>>>,
    places: BTreeMap<ClassId, u32>,
    /// The ids of all classes that were made; millions of cards refer to few of them.
    pub ids: Vec<ClassId>,
    /// Every class that was made, by its id.
    pub classes: BTreeMap<ClassId, Class>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Profile<'a> {
    // What tells most profiles apart stands first: two of them are compared more often than anything else.
    affiliations: &'a BTreeSet<Affiliation>,
    category: &'a CategoryId,
    card_type: &'a CardTypeId,
    /// Rules that name the person, by their place in the index.
    personal: &'a [usize],
}

/// A rule that matches a profile: at a site, on these days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    site: usize,
    days: Arc<Days>,
}

impl<'a> Accesses<'a> {
    /// Nothing is worked out yet.
    pub fn new(index: &'a Index, policy: &'a Policy, tables: &'a Tables, holds_all: bool) -> Self {
        let (of_profiles, of_matches, of_holders) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (places, ids, classes) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { index, policy, tables, holds_all, of_profiles, of_matches, of_holders, places, ids, classes }
    }

    /// The id of a class.
    pub fn id(&self, place: u32) -> Option<ClassId> {
        id_at(&self.ids, place)
    }

    /// What a card opens; `person` is its holder.
    pub fn of(&mut self, person: &'a Person, card: &'a Card) -> Result<Arc<Access>, CompileError> {
        let profile = Profile {
            card_type: &card.card_type,
            category: &person.category,
            affiliations: &person.affiliations,
            personal: self.index.personal.get(&card.person).map_or(&[], Vec::as_slice),
        };
        if let Some(known) = self.of_profiles.get(&profile) {
            return Ok(Arc::clone(known));
        }
        let access = Arc::new(self.work_out(&profile)?);
        self.of_profiles.insert(profile, Arc::clone(&access));
        Ok(access)
    }

    fn work_out(&mut self, profile: &Profile<'a>) -> Result<Access, CompileError> {
        let mut by_agent: BTreeMap<usize, Vec<Match>> = BTreeMap::new();
        if self.holds_all {
            by_agent.extend((0..self.index.agents.len()).map(|agent| (agent, Vec::new())));
        }
        for found in self.matches(profile) {
            for agent in self.index.sites.get(found.site).into_iter().flat_map(|site| site.doors.keys()) {
                by_agent.entry(*agent).or_default().push(found.clone());
            }
        }
        let mut classes = Vec::new();
        for (agent, matches) in by_agent {
            let key = (agent, profile.card_type, matches);
            let class = match self.of_matches.get(&key) {
                Some(known) => *known,
                None => {
                    let class = self.class(agent, profile.card_type, &key.2)?;
                    if self.of_matches.len() >= MATCHES_MAX {
                        self.of_matches.clear();
                    }
                    self.of_matches.insert(key, class);
                    class
                }
            };
            classes.extend(class.map(|class| (agent, class)));
        }
        let holders = self.holders(classes.iter().map(|(agent, _)| *agent).collect());
        Ok(Access { classes, holders })
    }

    fn holders(&mut self, places: Vec<usize>) -> Arc<BTreeSet<AgentId>> {
        if let Some(known) = self.of_holders.get(&places) {
            return Arc::clone(known);
        }
        let holders: BTreeSet<AgentId> =
            places.iter().filter_map(|place| self.index.agents.get(*place)).cloned().collect();
        let holders = Arc::new(holders);
        self.of_holders.insert(places, Arc::clone(&holders));
        holders
    }

    /// The rules that match a profile, each with the days on which it does, in the order of the sites.
    fn matches(&self, profile: &Profile<'a>) -> Vec<Match> {
        let memberships = self.memberships(profile.affiliations);
        let mut matches = Vec::new();
        let of_units = memberships.keys().filter_map(|unit| self.index.of_units.get(*unit)).flatten();
        // A rule may name several units of one person.
        let of_units: BTreeSet<usize> = of_units.copied().collect();
        for number in self.index.general.iter().chain(&of_units).chain(profile.personal) {
            let Some(rule) = self.index.rules.get(*number) else { continue };
            let Some(days) = days_of(rule, profile, &memberships) else { continue };
            match &rule.place {
                RulePlace::Anywhere(site) => matches.push(Match { site: *site, days: Arc::new(days) }),
                RulePlace::ByOwner(sites) => {
                    let owned = memberships.iter().filter_map(|(unit, member)| Some((sites.get(*unit)?, member)));
                    for (site, member) in owned {
                        let days = Arc::new(days.intersection(member));
                        matches.push(Match { site: *site, days });
                    }
                }
            }
        }
        matches.retain(|found| !found.days.is_empty());
        matches.sort();
        matches
    }

    /// The days on which somebody is in each unit, being in one below included.
    fn memberships(&self, affiliations: &'a BTreeSet<Affiliation>) -> BTreeMap<&'a UnitId, Days> {
        let mut ranges: BTreeMap<&UnitId, Vec<DayRange>> = BTreeMap::new();
        for affiliation in affiliations {
            for unit in self.tables.unit_and_above(&affiliation.unit) {
                ranges.entry(unit).or_default().push(affiliation.days);
            }
        }
        ranges.into_iter().map(|(unit, ranges)| (unit, Days::union(ranges))).collect()
    }

    /// The class of these matches at one agent, `None` when such a card is not held there.
    fn class(&mut self, agent: usize, card_type: &CardTypeId, matches: &[Match]) -> Result<Option<u32>, CompileError> {
        let Some(card_type) = self.policy.card_types.get(card_type) else {
            return Err(CompileError::Missing("card type", card_type.to_string()));
        };
        let doors = self.doors(agent, &card_type.functions, matches);
        let opens = doors.iter().any(|door| door.entries.iter().any(|entry| entry.effect == Effect::Permit));
        if !opens && !self.holds_all {
            return Ok(None);
        }
        let class = Class { functions: card_type.functions.iter().cloned().collect(), doors };
        let id = class.id()?;
        if let Some(place) = self.places.get(&id) {
            return Ok(Some(*place));
        }
        // More classes than this reach the bound of facts long before.
        let place = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.places.insert(id, place);
        self.ids.push(id);
        self.classes.insert(id, class);
        Ok(Some(place))
    }

    /// The doors of an agent whose function is on the card, with the rules that match there.
    fn doors(&self, agent: usize, functions: &BTreeSet<FunctionId>, matches: &[Match]) -> Vec<ClassDoor> {
        let mut entries: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
        for found in matches {
            let Some(site) = self.index.sites.get(found.site) else { continue };
            let Some(rule) = self.index.rules.get(site.rule) else { continue };
            let (effect, schedule, factors) = (rule.effect, rule.schedule, rule.factors);
            let made = found.days.ranges().iter().map(|days| Entry { effect, days: *days, schedule, factors });
            for door in site.doors.get(&agent).into_iter().flatten() {
                entries.entry(*door).or_default().extend(made.clone());
            }
        }
        let mut doors = Vec::with_capacity(entries.len());
        for (place, mut entries) in entries {
            let Some(door) = self.index.doors.get(place) else { continue };
            if functions.contains(&door.function) {
                entries.sort();
                entries.dedup();
                doors.push(ClassDoor { door: door.id.clone(), entries });
            }
        }
        doors
    }
}

/// The id at a place.
pub fn id_at(ids: &[ClassId], place: u32) -> Option<ClassId> {
    usize::try_from(place).ok().and_then(|place| ids.get(place)).copied()
}

/// The days on which a rule names people of a profile, the doors' owners left aside; `None` when it never does.
fn days_of(rule: &IndexedRule, profile: &Profile<'_>, memberships: &BTreeMap<&UnitId, Days>) -> Option<Days> {
    let who = &rule.who;
    let is_named = who.categories.as_ref().is_none_or(|any_of| any_of.contains(profile.category))
        && who.card_types.as_ref().is_none_or(|any_of| any_of.contains(profile.card_type));
    if !is_named {
        return None;
    }
    let days = Days::union([rule.days]);
    let Some(units) = &who.units else { return Some(days) };
    let member = units.iter().filter_map(|unit| memberships.get(unit));
    Some(days.intersection(&Days::union(member.flat_map(Days::ranges).copied())))
}
