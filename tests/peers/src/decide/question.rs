//! One tap with what every caller of a policy engine brings: the rows that it is about, and the local time.
//!
//! Deliberately without a look at any rule: who may open what, where and when is left to the engine.

use crate::decide::spans::DAYS;
use anyhow::{Context, Result};
use doorward_policy::model::{Affiliation, Campus, Card, CardId, CardState, Door, Person, UnitId};
use doorward_protocol::facts::Factors;
use doorward_protocol::taps::TapQuestion;
use doorward_protocol::time::{Day, Zone};
use std::collections::BTreeSet;

/// A day before and one after all that are asked about, for bounds that are open.
pub const FIRST_DAY: Day = Day(-700_000);
/// See [`FIRST_DAY`].
pub const LAST_DAY: Day = Day(2_900_000);

/// One tap.
pub struct Question<'a> {
    pub campus: &'a Campus,
    pub tap: &'a TapQuestion,
    pub door: &'a Door,
    /// The card, unless nobody knows it.
    pub card: Option<&'a Card>,
    /// Its holder.
    pub person: Option<&'a Person>,
    pub day: Day,
    pub minute: u16,
    /// `mon` to `sun`.
    pub weekday: &'static str,
    /// The same, or `holiday`.
    pub today: &'static str,
    /// The day before, `mon` to `sun` or `holiday`.
    pub yesterday: &'static str,
    /// What the campus expects.
    pub is_granted: bool,
}

impl<'a> Question<'a> {
    pub fn new(campus: &'a Campus, zone: &Zone, tap: &'a TapQuestion) -> Result<Self> {
        let local = zone.local(tap.at).context("an instant has no local time")?;
        let card = CardId::new(&tap.card).ok().and_then(|id| campus.tables.cards.get(&id));
        let weekday_of = |day: Day| DAYS.get(usize::from(day.weekday())).copied().unwrap_or_default();
        let kind_of = |day: Day| if campus.policy.holidays.contains_key(&day) { "holiday" } else { weekday_of(day) };
        Ok(Self {
            campus,
            tap,
            door: campus.tables.doors.get(&tap.door).context("a tap is at no door of the campus")?,
            card,
            person: card.and_then(|card| campus.tables.people.get(&card.person)),
            day: local.day,
            minute: local.minute,
            weekday: weekday_of(local.day),
            today: kind_of(local.day),
            yesterday: kind_of(local.day.plus(-1)),
            is_granted: tap.expect.as_deref().context("a tap has no `expect`")? == "grant",
        })
    }

    /// The units to which the holder is affiliated on the day, for engines whose groups know no days.
    pub fn units_today(&self) -> impl Iterator<Item = &'a UnitId> {
        let affiliations = self.person.into_iter().flat_map(|person| &person.affiliations);
        let day = self.day;
        affiliations.filter(move |affiliation: &&Affiliation| affiliation.days.contains(day)).map(|found| &found.unit)
    }

    /// The same with all units above them.
    pub fn units_today_and_above(&self) -> BTreeSet<&'a UnitId> {
        self.units_today().flat_map(|unit| self.campus.tables.unit_and_above(unit)).collect()
    }

    /// What else was presented.
    pub fn factors(&self) -> Vec<&'static str> {
        factor_names(self.tap.factors)
    }
}

/// What a campus says of a card, as far as no rule is involved.
pub struct CardFacts {
    pub state: &'static str,
    pub first_day: Day,
    pub last_day: Day,
    /// First day without identity functions.
    pub left_on: Day,
    /// Last day with the other functions.
    pub grace_until: Day,
}

impl CardFacts {
    pub fn new(campus: &Campus, card: &Card, person: &Person) -> Self {
        let grace_days = campus.policy.categories.get(&person.category).map_or(0, |category| category.grace_days);
        let grace_until = |left: Day| left.plus(i32::try_from(grace_days).unwrap_or(i32::MAX));
        Self {
            state: match card.state {
                CardState::Produced => "produced",
                CardState::Active => "active",
                CardState::Suspended => "suspended",
                CardState::Closed => "closed",
            },
            first_day: card.issued_on,
            last_day: campus.tables.last_day_of(card, &campus.policy).unwrap_or(LAST_DAY),
            left_on: person.left_on.unwrap_or(LAST_DAY),
            grace_until: person.left_on.map_or(LAST_DAY, grace_until),
        }
    }
}

/// The names of factors.
pub fn factor_names(factors: Factors) -> Vec<&'static str> {
    let all = [("pin", Factors::PIN), ("fingerprint", Factors::FINGERPRINT), ("face", Factors::FACE)];
    all.into_iter().filter(|(_, factor)| factors.contains(*factor)).map(|(name, _)| name).collect()
}
