//! Random campuses: lists of small numbers that proptest can shrink, turned into campuses that a folder could say.
//!
//! Everything happens near one change of the clocks, so that days, intervals and instants meet often.

use doorward_policy::model::{
    Affiliation, Building, CalendarSpan, Campus, Card, CardState, CardType, Category, Door, Function, Grant, Medium,
    Person, Policy, Rule, Subject, Tables, Target, Unit, UnlockSchedule, Validity, Where, Who,
};
use doorward_policy::zone::zone;
use doorward_protocol::facts::{Effect, Factors, Interval, Schedule};
use doorward_protocol::time::{Day, DayRange, UnixMs};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Zagreb",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Asia/Seoul",
];

/// Days around which a campus may live beside a change of its clocks: a leap day, the day a year later, and New Year.
const DAYS: [&str; 3] = ["2024-02-29T00:00:00Z", "2025-02-28T00:00:00Z", "2026-01-01T00:00:00Z"];

const FUNCTIONS: [(&str, bool); 3] = [("entry", true), ("lab", true), ("meals", false)];

/// Days as offsets from the middle of what happens, one list of small numbers after another.
type RawRange = (Option<i32>, Option<i32>);

#[derive(Debug, Clone)]
pub struct RawCampus {
    zone: usize,
    middle: usize,
    holidays: BTreeSet<i32>,
    units: Vec<Option<usize>>,
    card_types: Vec<u8>,
    categories: Vec<(u8, u32, bool, u32)>,
    schedules: Vec<RawSchedule>,
    rules: Vec<RawRule>,
    buildings: Vec<(usize, Option<usize>)>,
    doors: Vec<(usize, usize, Option<usize>, Option<usize>)>,
    people: Vec<RawPerson>,
    cards: Vec<RawCard>,
    grants: Vec<RawGrant>,
}

#[derive(Debug, Clone)]
struct RawSchedule {
    weekly: Vec<(usize, u16, u16)>,
    holiday: Option<Vec<(u16, u16)>>,
}

#[derive(Debug, Clone)]
struct RawRule {
    denies: bool,
    categories: Option<Vec<usize>>,
    units: Option<Vec<usize>>,
    people: Option<Vec<usize>>,
    card_types: Option<Vec<usize>>,
    by_owner: bool,
    functions: Option<Vec<usize>>,
    buildings: Option<Vec<usize>>,
    doors: Option<Vec<usize>>,
    when: Option<usize>,
    days: RawRange,
    factors: u8,
}

#[derive(Debug, Clone)]
struct RawPerson {
    category: usize,
    ends_on: Option<i32>,
    left_on: Option<i32>,
    affiliations: Vec<(usize, RawRange)>,
}

#[derive(Debug, Clone)]
struct RawCard {
    person: usize,
    card_type: usize,
    state: u8,
    issued_on: i32,
    valid_until: Option<i32>,
}

#[derive(Debug, Clone)]
pub struct RawGrant {
    subject: (u8, usize),
    target: (bool, usize),
    schedule: Option<usize>,
    days: RawRange,
    within: Option<usize>,
}

/// One tap: what it asks, as small numbers.
#[derive(Debug, Clone)]
pub struct RawTap {
    /// Quarters of an hour from the middle.
    quarters: i64,
    /// Beside the quarter: one millisecond before, on it, one after, or half a minute after.
    beside: usize,
    pub door: usize,
    pub card: usize,
    pub factors: u8,
}

fn day_offset() -> impl Strategy<Value = i32> + Clone {
    prop_oneof![4 => -4..5, 1 => -40..40, 1 => -370..-362]
}

fn range() -> impl Strategy<Value = RawRange> + Clone {
    (option::weighted(0.4, day_offset()), option::weighted(0.4, day_offset()))
}

fn some_of() -> impl Strategy<Value = Option<Vec<usize>>> + Clone {
    option::weighted(0.25, vec(0..8_usize, 1..3))
}

fn minute() -> impl Strategy<Value = u16> + Clone {
    (0..48_u16).prop_map(|half_hours| half_hours * 30)
}

fn schedule() -> impl Strategy<Value = RawSchedule> {
    let end = prop_oneof![minute(), Just(1440)];
    let weekly = vec((0..7_usize, minute(), end.clone()), 0..9);
    (weekly, option::of(vec((minute(), end), 0..3))).prop_map(|(weekly, holiday)| RawSchedule { weekly, holiday })
}

fn rule() -> impl Strategy<Value = RawRule> {
    let who = (some_of(), some_of(), some_of(), some_of(), prop::bool::weighted(0.3));
    let doors = (some_of(), some_of(), some_of());
    let rest = (prop::bool::weighted(0.2), option::of(0..4_usize), range(), prop_oneof![1 => Just(0), 1 => 0..8_u8]);
    (who, doors, rest).prop_map(|(who, doors, (denies, when, days, factors))| {
        let (categories, units, people, card_types, by_owner) = who;
        let (functions, buildings, doors) = doors;
        let where_is_empty = functions.is_none() && buildings.is_none() && doors.is_none();
        let functions = if where_is_empty { Some(vec![0, 1, 2]) } else { functions };
        RawRule {
            denies,
            categories,
            units,
            people,
            card_types,
            by_owner,
            functions,
            buildings,
            doors,
            when,
            days,
            factors,
        }
    })
}

fn person() -> impl Strategy<Value = RawPerson> {
    let left_on = option::weighted(0.2, day_offset());
    (0..4_usize, option::of(prop_oneof![day_offset(), 0..30]), left_on, vec((0..8_usize, range()), 0..4))
        .prop_map(|(category, ends_on, left_on, affiliations)| RawPerson { category, ends_on, left_on, affiliations })
}

fn card() -> impl Strategy<Value = RawCard> {
    let state = prop_oneof![6 => Just(1), 1 => 0..4_u8];
    let issued_on = prop_oneof![day_offset(), Just(-30), Just(-365), Just(-366)];
    (0..12_usize, 0..4_usize, state, issued_on, option::weighted(0.3, day_offset())).prop_map(
        |(person, card_type, state, issued_on, valid_until)| RawCard {
            person,
            card_type,
            state,
            issued_on,
            valid_until,
        },
    )
}

pub fn raw_grant() -> impl Strategy<Value = RawGrant> {
    (
        (0..3_u8, 0..12_usize),
        (any::<bool>(), 0..8_usize),
        option::of(0..4_usize),
        range(),
        option::weighted(0.3, 0..8_usize),
    )
        .prop_map(|(subject, target, schedule, days, within)| RawGrant { subject, target, schedule, days, within })
}

pub fn raw_campus() -> BoxedStrategy<RawCampus> {
    let policy = (
        0..ZONES.len(),
        0..12_usize,
        prop::collection::btree_set(-4..5, 0..3),
        vec(1..8_u8, 1..4),
        vec((prop_oneof![3 => Just(0), 5 => 0..5_u8], 1..14_u32, any::<bool>(), 0..6_u32), 1..4),
        vec(schedule(), 1..4),
        vec(rule(), 0..8),
    );
    let tables = (
        vec(option::of(0..8_usize), 1..7),
        vec((0..3_usize, option::of(0..8_usize)), 1..4),
        vec((0..8_usize, 0..3_usize, option::of(0..8_usize), option::weighted(0.15, 0..5_usize)), 1..8),
        vec(person(), 1..8),
        vec(card(), 1..12),
        vec(raw_grant(), 0..5),
    );
    let made = (policy, tables).prop_map(|(policy, tables)| {
        let (zone, middle, holidays, card_types, categories, schedules, rules) = policy;
        let (units, buildings, doors, people, cards, grants) = tables;
        RawCampus {
            zone,
            middle,
            holidays,
            units,
            card_types,
            categories,
            schedules,
            rules,
            buildings,
            doors,
            people,
            cards,
            grants,
        }
    });
    made.boxed()
}

pub fn raw_tap() -> impl Strategy<Value = RawTap> {
    let quarters = prop_oneof![2 => -12..13_i64, 3 => -96..97_i64, 3 => -800..800_i64];
    let card = prop_oneof![20 => 0..12_usize, 1 => Just(99)];
    (quarters, 0..4_usize, 0..8_usize, card, prop_oneof![2 => Just(0), 1 => 0..8_u8])
        .prop_map(|(quarters, beside, door, card, factors)| RawTap { quarters, beside, door, card, factors })
}

/// An id of a kind by number.
pub fn id<T: FromStr<Err: std::fmt::Debug>>(kind: &str, number: impl Display) -> T {
    format!("{kind}-{number}").parse().unwrap()
}

fn factors(bits: u8) -> Factors {
    let named = [Factors::PIN, Factors::FINGERPRINT, Factors::FACE];
    let chosen = named.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    chosen.fold(Factors::NONE, |all, (_, factor)| all.union(factor))
}

impl RawTap {
    pub fn at(&self, middle: UnixMs) -> UnixMs {
        middle.plus_ms(self.quarters * 900_000 + [-1, 0, 1, 30_000][self.beside])
    }

    pub fn factors(&self) -> Factors {
        factors(self.factors)
    }
}

impl RawCampus {
    /// The instant around which everything happens: a change of the clocks where the zone has one in these years.
    pub fn middle(&self) -> UnixMs {
        let start = UnixMs::parse("2015-01-01T00:00:00Z").unwrap().0 / 1000;
        let end = UnixMs::parse("2030-01-01T00:00:00Z").unwrap().0 / 1000;
        let zone = zone(ZONES[self.zone]).unwrap();
        let changes: Vec<i64> = zone.transitions.iter().map(|t| t.0).filter(|t| (start..end).contains(t)).collect();
        match changes.get(self.middle) {
            Some(change) => UnixMs(change * 1000),
            None => UnixMs::parse(DAYS[self.middle % DAYS.len()]).unwrap(),
        }
    }

    fn day(&self, offset: i32) -> Day {
        zone(ZONES[self.zone]).unwrap().local(self.middle()).unwrap().day.plus(offset)
    }

    fn days(&self, range: RawRange) -> DayRange {
        let (from, until) = (range.0.map(|from| self.day(from)), range.1.map(|until| self.day(until)));
        match (from, until) {
            (Some(from), Some(until)) if until < from => DayRange { from: Some(until), until: Some(from) },
            _ => DayRange { from, until },
        }
    }

    pub fn campus(&self) -> Campus {
        Campus { policy: self.policy(), tables: self.tables() }
    }

    fn policy(&self) -> Policy {
        let function = |(name, identity): (&str, bool)| (name.parse().unwrap(), Function { identity, lease_ms: None });
        let card_types = self.card_types.iter().enumerate().map(|(n, bits)| {
            let functions = FUNCTIONS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
            let functions = functions.map(|(_, (name, _))| name.parse().unwrap()).collect();
            (
                id("type", n),
                CardType { name: "t".into(), medium: Medium::Card, functions, number_format: None, temporary: n == 2 },
            )
        });
        let categories = self.categories.iter().enumerate().map(|(n, (kind, number, without_end, grace_days))| {
            let validity = match kind {
                0 => Validity::LongTerm,
                1 => Validity::For(CalendarSpan::Years(number % 2 + 1)),
                2 => Validity::For(CalendarSpan::Months(*number)),
                3 => Validity::For(CalendarSpan::Days(*number)),
                _ => Validity::EndsOn,
            };
            let without_end = without_end.then_some(CalendarSpan::Days(*number));
            (id("category", n), Category { validity, without_end, grace_days: *grace_days })
        });
        let schedules = self.schedules.iter().enumerate().map(|(n, raw)| (id("schedule", n), raw.schedule()));
        Policy {
            campus: "random".parse().unwrap(),
            name: "Random".into(),
            time_zone: ZONES[self.zone].into(),
            lease_ms: None,
            holidays: self.holidays.iter().map(|offset| (self.day(*offset), "h".into())).collect(),
            functions: FUNCTIONS.into_iter().map(function).collect(),
            card_types: card_types.collect(),
            categories: categories.collect(),
            schedules: schedules.collect(),
            rules: self.rules.iter().enumerate().map(|(n, raw)| (id("rule", n), self.rule(raw))).collect(),
            fees: Vec::new(),
            photo: None,
            campaigns: BTreeMap::new(),
            entitlements: Vec::new(),
            own_taps: None,
            retention: doorward_policy::retention::Retention::default(),
        }
    }

    fn rule(&self, raw: &RawRule) -> Rule {
        let who = Who {
            categories: ids(&raw.categories, "category", self.categories.len()),
            units: ids(&raw.units, "unit", self.units.len()),
            people: ids(&raw.people, "person", self.people.len()),
            card_types: ids(&raw.card_types, "type", self.card_types.len()),
            affiliated_to_owner: raw.by_owner,
        };
        let functions =
            raw.functions.as_ref().map(|numbers| numbers.iter().map(|n| FUNCTIONS[n % 3].0.parse().unwrap()));
        let doors = Where {
            functions: functions.map(Iterator::collect),
            buildings: ids(&raw.buildings, "building", self.buildings.len()),
            doors: ids(&raw.doors, "door", self.doors.len()),
        };
        Rule {
            effect: if raw.denies { Effect::Deny } else { Effect::Permit },
            who,
            doors,
            when: raw.when.map(|n| id("schedule", n % self.schedules.len())),
            days: self.days(raw.days),
            factors: factors(raw.factors),
        }
    }

    pub fn grant(&self, raw: &RawGrant) -> Grant {
        let (kind, number) = raw.subject;
        let subject = match kind {
            0 => Subject::Person(id("person", number % self.people.len())),
            1 => Subject::Unit(id("unit", number % self.units.len())),
            _ => Subject::Category(id("category", number % self.categories.len())),
        };
        let target = match raw.target {
            (true, number) => Target::Door(id("door", number % self.doors.len())),
            (false, number) => Target::Building(id("building", number % self.buildings.len())),
        };
        let schedule = raw.schedule.map(|n| id("schedule", n % self.schedules.len()));
        let is_unit = matches!(subject, Subject::Unit(_));
        let within = raw.within.filter(|_| !is_unit).map(|n| id("unit", n % self.units.len()));
        Grant { subject, target, schedule, days: self.days(raw.days), within }
    }

    fn tables(&self) -> Tables {
        let unit = |n: usize| id("unit", n % self.units.len());
        // A parent comes before its children, so that there is no cycle.
        let parent = |n: usize, parent: Option<usize>| parent.filter(|_| n > 0).map(|parent| id("unit", parent % n));
        let units = self.units.iter().enumerate();
        let units =
            units.map(|(n, above)| (id("unit", n), Unit { name: "u".into(), kind: None, parent: parent(n, *above) }));
        let buildings = self.buildings.iter().enumerate().map(|(n, (agent, owner))| {
            (id("building", n), Building { name: "b".into(), agent: id("agent", agent), owner: owner.map(unit) })
        });
        let doors = self.doors.iter().enumerate().map(|(n, (building, function, owner, unlock))| {
            let door = Door {
                building: id("building", building % self.buildings.len()),
                name: "d".into(),
                function: FUNCTIONS[*function].0.parse().unwrap(),
                owner: owner.map(unit),
                unlock: unlock.map(|n| match n {
                    4 => UnlockSchedule::Always,
                    n => UnlockSchedule::Named(id("schedule", n % self.schedules.len())),
                }),
            };
            (id("door", n), door)
        });
        let people = self.people.iter().enumerate().map(|(n, raw)| {
            let affiliations = raw.affiliations.iter();
            let affiliations = affiliations.map(|(n, days)| Affiliation { unit: unit(*n), days: self.days(*days) });
            let person = Person {
                name: "p".into(),
                category: id("category", raw.category % self.categories.len()),
                ends_on: raw.ends_on.map(|offset| self.day(offset)),
                left_on: raw.left_on.map(|offset| self.day(offset)),
                affiliations: affiliations.collect(),
            };
            (id("person", n), person)
        });
        Tables {
            units: units.collect(),
            buildings: buildings.collect(),
            doors: doors.collect(),
            people: people.collect(),
            cards: self.cards.iter().enumerate().map(|(n, raw)| (id("card", n), self.card(raw))).collect(),
            grants: self.grants.iter().enumerate().map(|(n, raw)| (id("grant", n), self.grant(raw))).collect(),
        }
    }

    fn card(&self, raw: &RawCard) -> Card {
        let states = [CardState::Produced, CardState::Active, CardState::Suspended, CardState::Closed];
        Card {
            person: id("person", raw.person % self.people.len()),
            card_type: id("type", raw.card_type % self.card_types.len()),
            state: states[usize::from(raw.state)],
            issued_on: self.day(raw.issued_on),
            valid_until: raw.valid_until.map(|offset| self.day(offset)),
            number: None,
        }
    }
}

impl RawSchedule {
    fn schedule(&self) -> Schedule {
        let interval = |(start_min, end_min): (u16, u16)| Interval { start_min, end_min };
        let sorted = |intervals: BTreeSet<Interval>| intervals.into_iter().collect::<Vec<_>>();
        let mut weekly: BTreeMap<usize, BTreeSet<Interval>> = BTreeMap::new();
        for (day, start, end) in &self.weekly {
            weekly.entry(*day).or_default().insert(interval((*start, *end)));
        }
        let holiday = self.holiday.as_ref().map(|holiday| sorted(holiday.iter().copied().map(interval).collect()));
        Schedule { weekly: std::array::from_fn(|day| sorted(weekly.remove(&day).unwrap_or_default())), holiday }
    }
}

fn ids<T: Ord + FromStr<Err: std::fmt::Debug>>(
    numbers: &Option<Vec<usize>>,
    kind: &str,
    count: usize,
) -> Option<BTreeSet<T>> {
    numbers.as_ref().map(|numbers| numbers.iter().map(|n| id(kind, n % count)).collect())
}
