//! What a campus is, as data: the policy of `campus.toml` and the tables beside it, parsed and consistent.
//!
//! Deliberately without behaviour in time: who may open what is `compile` (for agents) and `reference` (naive).

use crate::application::Entitlement;
use crate::desk::Cause;
use crate::photo::PhotoFormat;
use crate::production::{Campaign, CampaignId};
use crate::retention::Retention;
use doorward_protocol::facts::{Effect, Factors, Schedule};
use doorward_protocol::id::{AgentId, CampusId, DoorId, FunctionId};
use doorward_protocol::text_id;
use doorward_protocol::time::{Day, DayRange};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

text_id!(
    /// A unit: university, college, department, office.
    UnitId,
    false
);
text_id!(
    /// A building.
    BuildingId,
    false
);
text_id!(
    /// A person.
    PersonId,
    false
);
text_id!(
    /// A card: what a reader reads. Colons are allowed.
    CardId,
    true
);
text_id!(
    /// A type of card.
    CardTypeId,
    false
);
text_id!(
    /// A category of people.
    CategoryId,
    false
);
text_id!(
    /// A schedule by its name in `campus.toml`; `always` needs no declaration.
    ScheduleName,
    false
);
text_id!(
    /// A rule.
    RuleId,
    false
);
text_id!(
    /// A grant.
    GrantId,
    false
);

/// The policy: everything in `campus.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which campus.
    pub campus: CampusId,
    /// Its name.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// How long a door goes on deciding without a fresh word; `None` is without end.
    pub lease_ms: Option<u64>,
    /// Holidays and their names.
    pub holidays: BTreeMap<Day, String>,
    /// What a card can be used for.
    pub functions: BTreeMap<FunctionId, Function>,
    /// Types of card.
    pub card_types: BTreeMap<CardTypeId, CardType>,
    /// Categories of people.
    pub categories: BTreeMap<CategoryId, Category>,
    /// Schedules; `always` is not among them.
    pub schedules: BTreeMap<ScheduleName, Schedule>,
    /// Rules.
    pub rules: BTreeMap<RuleId, Rule>,
    /// What a card costs its holder; the first row that applies.
    #[serde(default)]
    pub fees: Vec<Fee>,
    /// What photos must be; `None`: whatever the program takes.
    #[serde(default)]
    pub photo: Option<PhotoFormat>,
    /// Campaigns in which cards are made for many at once.
    #[serde(default)]
    pub campaigns: BTreeMap<CampaignId, Campaign>,
    /// Who gets which card; empty: everyone gets what they are issued.
    #[serde(default)]
    pub entitlements: Vec<Entitlement>,
    /// How long what is known of people is kept.
    #[serde(default)]
    pub retention: Retention,
    /// How far back people see their own taps; `None`: not at all.
    #[serde(default)]
    pub own_taps: Option<CalendarSpan>,
}

/// What a card costs its holder in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// Why there is a new card.
    pub cause: Cause,
    /// Only when the old card came back, or only when it did not; `None`: either way.
    pub returned: Option<bool>,
    /// Only so long after the first day of the old card.
    pub within: Option<CalendarSpan>,
    /// How much, such as `2000 KRW`.
    pub amount: String,
}

/// A function of cards and doors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Ends at once when the holder leaves.
    pub identity: bool,
    /// Overrides the campus's lease for doors of this function.
    pub lease_ms: Option<u64>,
}

/// A type of card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardType {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub medium: Medium,
    /// What it can be used for.
    pub functions: BTreeSet<FunctionId>,
    /// What its printed numbers must be.
    pub number_format: Option<NumberFormat>,
    /// Whether it stands in for another card until that one comes into use.
    #[serde(default)]
    pub temporary: bool,
}

/// What a credential is presented with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// A contactless card.
    Card,
    /// A magnetic stripe.
    Magstripe,
    /// A QR code.
    Qr,
    /// A fingerprint.
    Fingerprint,
}

/// What a printed number must be; each part may be left out. [`number`](crate::number) checks and makes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberFormat {
    /// Digits at the start.
    pub prefix: Option<String>,
    /// How many digits in all.
    pub digits: Option<usize>,
    /// Whether the last digit is a Luhn check digit (ISO/IEC 7812).
    pub luhn: bool,
    /// Where the holder's person id stands, counted from zero.
    pub person_id_at: Option<usize>,
    /// Where the digit stands that says the how manieth card of its holder it is.
    #[serde(default)]
    pub ordinal_at: Option<usize>,
    /// Where the digit stands that says what kind of card it is.
    #[serde(default)]
    pub kind_at: Option<usize>,
    /// That digit.
    #[serde(default)]
    pub kind: Option<char>,
}

/// A category of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// How long a card of such a person is valid.
    pub validity: Validity,
    /// Used when `validity` is [`Validity::EndsOn`] and the person has no `ends_on`; `None`: the card is not valid.
    pub without_end: Option<CalendarSpan>,
    /// Days on which functions that are not identity functions go on after leaving.
    pub grace_days: u32,
}

/// How the last day of a card follows from its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// The person's `ends_on`.
    EndsOn,
    /// Never ends.
    LongTerm,
    /// Counted from `issued_on`.
    For(CalendarSpan),
}

/// A length counted on the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarSpan {
    /// Years; 29 February becomes the last of its month where needed.
    Years(u32),
    /// Months; a day that does not exist becomes the last of its month.
    Months(u32),
    /// Days.
    Days(u32),
}

/// A rule of the campus; a grant means one, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Permit or deny.
    pub effect: Effect,
    /// Whom it names.
    pub who: Who,
    /// Which doors it names.
    pub doors: Where,
    /// When; `None` is `always`.
    pub when: Option<ScheduleName>,
    /// On which days.
    pub days: DayRange,
    /// Further factors that must be presented.
    pub factors: Factors,
}

/// People, by keys that are ANDed; the values in one key are ORed; an absent key (`None`) names everyone.
///
/// `everyone = true` is all keys absent: the parser rejects an empty `who` otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Of one of these categories.
    pub categories: Option<BTreeSet<CategoryId>>,
    /// With an active affiliation to one of these units or to a unit below one.
    pub units: Option<BTreeSet<UnitId>>,
    /// One of these people.
    pub people: Option<BTreeSet<PersonId>>,
    /// Holding a card of one of these types.
    pub card_types: Option<BTreeSet<CardTypeId>>,
    /// With an active affiliation to the door's owner unit or to a unit below it.
    pub affiliated_to_owner: bool,
}

/// Doors, by keys that are ANDed; the values in one key are ORed; never all absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// Doors of one of these functions.
    pub functions: Option<BTreeSet<FunctionId>>,
    /// Doors of one of these buildings.
    pub buildings: Option<BTreeSet<BuildingId>>,
    /// These doors.
    pub doors: Option<BTreeSet<DoorId>>,
}

/// The tables of facts, each row by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// `units.csv`: a forest.
    pub units: BTreeMap<UnitId, Unit>,
    /// `buildings.csv`.
    pub buildings: BTreeMap<BuildingId, Building>,
    /// `doors.csv`.
    pub doors: BTreeMap<DoorId, Door>,
    /// `people.csv` with each person's rows of `affiliations.csv`.
    pub people: BTreeMap<PersonId, Person>,
    /// `cards.csv`.
    pub cards: BTreeMap<CardId, Card>,
    /// `grants.csv`.
    pub grants: BTreeMap<GrantId, Grant>,
}

/// A campus folder as it was read: policy and tables, all references resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campus {
    /// `campus.toml`.
    pub policy: Policy,
    /// The CSV tables.
    pub tables: Tables,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Free text such as `college`.
    pub kind: Option<String>,
    /// The unit above.
    pub parent: Option<UnitId>,
}

/// A building.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Building {
    /// Its name.
    pub name: String,
    /// The agent that controls its doors.
    pub agent: AgentId,
    /// The unit that owns it.
    pub owner: Option<UnitId>,
}

/// A door as the folder describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Door {
    /// Its building.
    pub building: BuildingId,
    /// Its name.
    pub name: String,
    /// Its function.
    pub function: FunctionId,
    /// Its own owner; `None`: the building's.
    pub owner: Option<UnitId>,
    /// While this holds it opens for anyone; `always` is possible.
    pub unlock: Option<UnlockSchedule>,
}

/// When a door opens for anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnlockSchedule {
    /// At all times.
    Always,
    /// While this schedule holds.
    Named(ScheduleName),
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Category.
    pub category: CategoryId,
    /// Expected end, such as graduation or the end of a contract.
    pub ends_on: Option<Day>,
    /// First day on which the person has left.
    pub left_on: Option<Day>,
    /// Units, each in its time; overlapping ones are allowed.
    pub affiliations: BTreeSet<Affiliation>,
}

/// Membership of a person in a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affiliation {
    /// Which unit.
    pub unit: UnitId,
    /// When.
    pub days: DayRange,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its holder.
    pub person: PersonId,
    /// Its type.
    pub card_type: CardTypeId,
    /// Its state.
    pub state: CardState,
    /// First day.
    pub issued_on: Day,
    /// Last day; `None`: derived from the holder's category.
    pub valid_until: Option<Day>,
    /// What is printed on it.
    pub number: Option<String>,
}

/// State of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CardState {
    /// Made, not yet activated.
    Produced,
    /// In use.
    Active,
    /// Held back; can be resumed.
    Suspended,
    /// Ended for good.
    Closed,
}

/// A grant: the permit rule of a subject at a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who.
    pub subject: Subject,
    /// Where.
    pub target: Target,
    /// When; `None` is `always`.
    pub schedule: Option<ScheduleName>,
    /// On which days.
    pub days: DayRange,
    /// Only while its people have an active affiliation to this unit or to one below it: a grant that ends with what
    /// justified it. Never with a unit as subject, which means that already. Folders do not say this.
    #[serde(default)]
    pub within: Option<UnitId>,
}

/// Who gains a grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// One person.
    Person(PersonId),
    /// Everyone with an active affiliation to this unit or below.
    Unit(UnitId),
    /// Everyone of this category.
    Category(CategoryId),
}

/// What a grant opens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// One door.
    Door(DoorId),
    /// All doors of a building.
    Building(BuildingId),
}

impl Grant {
    /// The permit rule that this grant means.
    #[must_use]
    pub fn as_rule(&self) -> Rule {
        let mut who = Who::default();
        match &self.subject {
            Subject::Person(id) => who.people = Some([id.clone()].into()),
            Subject::Unit(id) => who.units = Some([id.clone()].into()),
            Subject::Category(id) => who.categories = Some([id.clone()].into()),
        }
        if let Some(unit) = &self.within {
            who.units = Some([unit.clone()].into());
        }
        let mut doors = Where::default();
        match &self.target {
            Target::Door(id) => doors.doors = Some([id.clone()].into()),
            Target::Building(id) => doors.buildings = Some([id.clone()].into()),
        }
        Rule {
            effect: Effect::Permit,
            who,
            doors,
            when: self.schedule.clone(),
            days: self.days,
            factors: Factors::NONE,
        }
    }
}

impl Tables {
    /// The unit and all above it, itself first; a cycle, which no parsed campus has, ends the walk.
    pub fn unit_and_above<'a>(&'a self, unit: &'a UnitId) -> impl Iterator<Item = &'a UnitId> {
        let above = std::iter::successors(Some(unit), |id| self.units.get(*id)?.parent.as_ref());
        above.take(self.units.len().saturating_add(1))
    }

    /// Everything but people and their cards.
    #[must_use]
    pub(crate) fn clone_without_people(&self) -> Self {
        Self {
            units: self.units.clone(),
            buildings: self.buildings.clone(),
            doors: self.doors.clone(),
            grants: self.grants.clone(),
            ..Self::default()
        }
    }

    /// The owner of a door: its own, or its building's.
    #[must_use]
    pub fn owner_of<'a>(&'a self, door: &'a Door) -> Option<&'a UnitId> {
        door.owner.as_ref().or_else(|| self.buildings.get(&door.building)?.owner.as_ref())
    }

    /// The last day of a card's validity, `None` for a card that never ends, counted as campus-format says.
    ///
    /// A card that is expired from the start ends the day before its first.
    #[must_use]
    pub fn last_day_of(&self, card: &Card, policy: &Policy) -> Option<Day> {
        let expired_from_the_start = Some(card.issued_on.plus(-1));
        if card.valid_until.is_some() {
            return card.valid_until;
        }
        let Some(person) = self.people.get(&card.person) else { return expired_from_the_start };
        let Some(category) = policy.categories.get(&person.category) else { return expired_from_the_start };
        match category.validity {
            Validity::LongTerm => None,
            Validity::For(span) => Some(span.counted_from(card.issued_on)),
            Validity::EndsOn => match (person.ends_on, category.without_end) {
                (Some(day), _) => Some(day),
                (None, Some(span)) => Some(span.counted_from(card.issued_on)),
                (None, None) => expired_from_the_start,
            },
        }
    }
}

impl CalendarSpan {
    /// The resulting day, itself included in what is counted; a day that does not exist becomes the last of its month.
    #[must_use]
    pub fn counted_from(self, day: Day) -> Day {
        // A span too long for the calendar means a card that outlives it.
        let date = self.span().map_or(jiff::civil::Date::MAX, |span| day.to_civil().saturating_add(span));
        Day::from_civil(date)
    }

    /// The day that lies so long before another.
    #[must_use]
    pub fn before(self, day: Day) -> Day {
        let date = self.span().map_or(jiff::civil::Date::MIN, |span| day.to_civil().saturating_sub(span));
        Day::from_civil(date)
    }

    fn span(self) -> Option<jiff::Span> {
        match self {
            Self::Years(n) => jiff::Span::new().try_years(i64::from(n)),
            Self::Months(n) => jiff::Span::new().try_months(i64::from(n)),
            Self::Days(n) => jiff::Span::new().try_days(i64::from(n)),
        }
        .ok()
    }
}

impl core::fmt::Display for CalendarSpan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Years(n) => write!(f, "{n} years"),
            Self::Months(n) => write!(f, "{n} months"),
            Self::Days(n) => write!(f, "{n} days"),
        }
    }
}
