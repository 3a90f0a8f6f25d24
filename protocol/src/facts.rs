//! Facts: the least that an agent's doors need to know. The authority's compile makes them, the agent keeps them.
//!
//! Primary facts (calendar, reader key, doors, credentials) are sent and removed by name. Derived facts (schedules,
//! classes) are named by their content and exist while something refers to them: both sides apply that rule, so no
//! message ever removes one. There are no names of people, no card numbers and no rules here.

use crate::codec::CodecError;
use crate::id::{ClassId, CredentialKey, DoorId, FunctionId, ReaderKey, ScheduleId};
use crate::time::{Day, DayRange, Zone};
use serde::{Deserialize, Serialize};

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// Local time and holidays of the campus; one per agent.
    Calendar(Calendar),
    /// The secret under which the agent hashes what its readers read; one per agent.
    Reader(ReaderKey),
    /// A door that the agent controls.
    Door(Door),
    /// A credential that can ever open one of the agent's doors.
    Credential(Credential),
    /// Derived: a weekly schedule. The largest kind and the rarest, so it stands apart and leaves the others small.
    Schedule(ScheduleId, Box<Schedule>),
    /// Derived: what holders of equal access may open.
    Class(ClassId, Class),
}

/// What a fact is about: at most one fact exists for each key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FactKey {
    /// See [`Fact::Calendar`].
    Calendar,
    /// See [`Fact::Reader`].
    Reader,
    /// See [`Fact::Door`].
    Door(DoorId),
    /// See [`Fact::Credential`].
    Credential(CredentialKey),
    /// See [`Fact::Schedule`].
    Schedule(ScheduleId),
    /// See [`Fact::Class`].
    Class(ClassId),
}

impl Fact {
    /// What this fact is about.
    #[must_use]
    pub fn key(&self) -> FactKey {
        match self {
            Self::Calendar(_) => FactKey::Calendar,
            Self::Reader(_) => FactKey::Reader,
            Self::Door(door) => FactKey::Door(door.door.clone()),
            Self::Credential(credential) => FactKey::Credential(credential.key),
            Self::Schedule(id, _) => FactKey::Schedule(*id),
            Self::Class(id, _) => FactKey::Class(*id),
        }
    }

    /// The derived facts that exist because of this one.
    #[must_use]
    pub fn references(&self) -> Vec<FactKey> {
        match self {
            Self::Calendar(_) | Self::Reader(_) | Self::Schedule(..) => Vec::new(),
            Self::Door(door) => door.unlock.iter().map(|id| FactKey::Schedule(*id)).collect(),
            Self::Credential(credential) => vec![FactKey::Class(credential.class)],
            Self::Class(_, class) => {
                let entries = class.doors.iter().flat_map(|door| &door.entries);
                entries.filter_map(|entry| entry.schedule).map(FactKey::Schedule).collect()
            }
        }
    }

    /// Whether the fact keeps its own rules: order, ranges, and ids that are those of the content.
    ///
    /// # Errors
    /// [`CodecError::Unencodable`] when a derived fact is larger than a frame.
    pub fn is_well_formed(&self) -> Result<bool, CodecError> {
        Ok(match self {
            Self::Calendar(calendar) => calendar.zone.is_well_formed() && calendar.holidays.is_sorted_by(|a, b| a < b),
            Self::Reader(_) | Self::Door(_) | Self::Credential(_) => true,
            Self::Schedule(id, schedule) => schedule.is_well_formed() && schedule.id()? == *id,
            Self::Class(id, class) => {
                class.functions.is_sorted_by(|a, b| a < b)
                    && class.doors.is_sorted_by(|a, b| a.door < b.door)
                    && class.doors.iter().all(|door| {
                        !door.entries.is_empty()
                            && door.entries.is_sorted_by(|a, b| a < b)
                            && door.entries.iter().all(|entry| entry.factors.is_well_formed())
                    })
                    && class.id()? == *id
            }
        })
    }
}

impl FactKey {
    /// Whether facts of this kind exist only while another fact refers to them.
    #[must_use]
    pub const fn is_derived(&self) -> bool {
        match self {
            Self::Schedule(_) | Self::Class(_) => true,
            Self::Calendar | Self::Reader | Self::Door(_) | Self::Credential(_) => false,
        }
    }
}

/// Local time of the campus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// UTC offsets.
    pub zone: Zone,
    /// Holidays, strictly ascending.
    pub holidays: Vec<Day>,
}

/// A door as its agent knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Which door.
    pub door: DoorId,
    /// The function that a card needs here.
    pub function: FunctionId,
    /// Whether that function ends at once when the holder leaves, rather than after the grace days.
    pub identity: bool,
    /// While this schedule holds, the door opens for anyone.
    pub unlock: Option<ScheduleId>,
    /// How long the door goes on deciding without a fresh word from the authority; `None` is without end.
    pub lease_ms: Option<u64>,
    /// Whether the door is locked down.
    pub lockdown: bool,
}

/// State of a credential that an agent holds; closed ones are not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CredentialState {
    /// Made, not yet activated.
    Produced,
    /// In use.
    Active,
    /// Reported lost or otherwise held back.
    Suspended,
}

/// A credential as an agent knows it: no name, no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Keyed hash of what the reader reads.
    pub key: CredentialKey,
    /// What it may open.
    pub class: ClassId,
    /// Its state.
    pub state: CredentialState,
    /// Its validity. A credential that expired from the start ends the day before it begins.
    pub valid: DayRange,
    /// When its functions end because the holder left.
    pub leaving: Option<Leaving>,
}

/// The two days on which the functions of someone who leaves end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Leaving {
    /// First day without identity functions.
    pub left_on: Day,
    /// Last day with the other functions.
    pub grace_until: Day,
}

/// A class of equal access at one agent: what a kind of card may open for a kind of holder, each in its own time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// Functions on the card, strictly ascending.
    pub functions: Vec<FunctionId>,
    /// Doors with at least one entry, strictly ascending by door.
    pub doors: Vec<ClassDoor>,
}

/// What a class means at one door.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClassDoor {
    /// Which door.
    pub door: DoorId,
    /// Rules that match here, strictly ascending, not empty.
    pub entries: Vec<Entry>,
}

/// One rule as it applies to one class at one door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// Permit or deny.
    pub effect: Effect,
    /// Days on which it matches.
    pub days: DayRange,
    /// When on those days; `None` is always.
    pub schedule: Option<ScheduleId>,
    /// Further factors that must be presented.
    pub factors: Factors,
}

/// What a matching rule does. A deny wins over every permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effect {
    /// Exclude.
    Deny,
    /// Allow.
    Permit,
}

/// A set of further factors, one bit each; other bits are not valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Factors(u8);

impl Factors {
    /// No further factor.
    pub const NONE: Self = Self(0);
    /// A personal identification number.
    pub const PIN: Self = Self(1);
    /// A fingerprint.
    pub const FINGERPRINT: Self = Self(2);
    /// A face.
    pub const FACE: Self = Self(4);
    const NAMED: [(&'static str, Self); 3] =
        [("pin", Self::PIN), ("fingerprint", Self::FINGERPRINT), ("face", Self::FACE)];

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every factor of `needed` is here.
    #[must_use]
    pub const fn contains(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Whether only defined bits are set.
    #[must_use]
    pub const fn is_well_formed(self) -> bool {
        self.0 < 8
    }

    /// One factor by its name: `pin`, `fingerprint` or `face`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, factor)| factor)
    }

    /// Reads names joined by `+`; an empty text is no factor. `None` when a name is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::NONE);
        }
        text.split('+').try_fold(Self::NONE, |all, name| Some(all.union(Self::named(name)?)))
    }
}

impl core::fmt::Display for Factors {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = Self::NAMED.into_iter().filter(|(_, factor)| self.contains(*factor));
        for (i, (name, _)) in names.enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { "+" })?;
        }
        Ok(())
    }
}

/// An interval of the local wall clock, start inside, end outside; with `end <= start` it ends on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// Minutes since midnight, 0 to 1,439.
    pub start_min: u16,
    /// Minutes since midnight, 0 to 1,440.
    pub end_min: u16,
}

/// A schedule: intervals per weekday, and what replaces them on a holiday.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Schedule {
    /// Intervals that start on Monday (0) to Sunday (6), each list strictly ascending.
    pub weekly: [Vec<Interval>; 7],
    /// Intervals of a holiday; `None` when holidays are like other days.
    pub holiday: Option<Vec<Interval>>,
}
