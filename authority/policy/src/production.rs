//! Cards for many at once: campaigns with dated stages, rosters that departments confirm, batches that a card company
//! produces.
//!
//! Deliberately without single cards, which are the card desk's. Who misses a stage is served there.

use crate::command::Actor;
use crate::model::{CardId, CardTypeId, PersonId, UnitId};
use doorward_protocol::text_id;
use doorward_protocol::time::{Day, DayRange, UnixMs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

text_id!(
    /// A campaign, by its name in `campus.toml`.
    CampaignId,
    false
);
text_id!(
    /// A batch of cards.
    BatchId,
    false
);

/// Most people that one order names, and most cards of a batch.
pub const PEOPLE_MAX: usize = 1_000;

/// A campaign: cards of one type for many, stage by stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its name.
    pub name: String,
    /// Which cards are made.
    pub card_type: CardTypeId,
    /// When each stage is open.
    pub stages: BTreeMap<Stage, DayRange>,
}

/// A stage of a campaign. One that `campus.toml` gives no days is always open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Photos of those on its rosters are brought.
    Photos,
    /// Departments list their people, and confirm.
    Roster,
    /// Produced cards are handed out and activated.
    HandOver,
}

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Self; 3] = [Self::Photos, Self::Roster, Self::HandOver];

    /// Its name in `campus.toml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Photos => "photos",
            Self::Roster => "roster",
            Self::HandOver => "hand_over",
        }
    }
}

/// An order about rosters and batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum ProductionOrder {
    /// People are put on a unit's roster.
    Enter {
        /// Of which campaign.
        campaign: CampaignId,
        /// Whose roster.
        unit: UnitId,
        /// Who.
        people: BTreeSet<PersonId>,
    },
    /// People are taken off a unit's roster.
    Strike {
        /// Of which campaign.
        campaign: CampaignId,
        /// Whose roster.
        unit: UnitId,
        /// Who.
        people: BTreeSet<PersonId>,
    },
    /// The unit says that its roster is complete.
    Confirm {
        /// Of which campaign.
        campaign: CampaignId,
        /// Whose roster.
        unit: UnitId,
    },
    /// The card office takes a confirmed roster.
    Accept {
        /// Of which campaign.
        campaign: CampaignId,
        /// Whose roster.
        unit: UnitId,
    },
    /// The card office gives a confirmed roster back.
    Return {
        /// Of which campaign.
        campaign: CampaignId,
        /// Whose roster.
        unit: UnitId,
        /// Why.
        reason: String,
    },
    /// The cards of accepted rosters are ordered: those of a unit and below it that are in no batch yet.
    Order {
        /// Name of the batch, which none has yet.
        batch: BatchId,
        /// Of which campaign.
        campaign: CampaignId,
        /// Of which unit and below; `None`: of all.
        unit: Option<UnitId>,
    },
    /// Cards of a batch have come from the company.
    Deliver {
        /// Of which batch.
        batch: BatchId,
        /// Their first day.
        issued_on: Day,
        /// What readers will read on the card of each.
        cards: BTreeMap<PersonId, CardId>,
    },
}

impl ProductionOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Enter { .. } => "roster-enter",
            Self::Strike { .. } => "roster-strike",
            Self::Confirm { .. } => "roster-confirm",
            Self::Accept { .. } => "roster-accept",
            Self::Return { .. } => "roster-return",
            Self::Order { .. } => "batch-order",
            Self::Deliver { .. } => "batch-deliver",
        }
    }

    /// What it is about, in words.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Enter { campaign, unit, .. }
            | Self::Strike { campaign, unit, .. }
            | Self::Confirm { campaign, unit }
            | Self::Accept { campaign, unit }
            | Self::Return { campaign, unit, .. } => format!("the roster of unit {unit} for campaign {campaign}"),
            Self::Order { batch, .. } | Self::Deliver { batch, .. } => format!("batch {batch}"),
        }
    }

    /// Why, where it says so.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Return { reason, .. } => reason,
            Self::Enter { .. }
            | Self::Strike { .. }
            | Self::Confirm { .. }
            | Self::Accept { .. }
            | Self::Order { .. }
            | Self::Deliver { .. } => "",
        }
    }

    /// The cards that come with it.
    pub fn cards(&self) -> impl Iterator<Item = &CardId> {
        match self {
            Self::Deliver { cards, .. } => Some(cards.values()),
            Self::Enter { .. }
            | Self::Strike { .. }
            | Self::Confirm { .. }
            | Self::Accept { .. }
            | Self::Return { .. }
            | Self::Order { .. } => None,
        }
        .into_iter()
        .flatten()
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
}

/// Where a roster stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RosterState {
    /// People are put on it and taken off.
    Open,
    /// Its unit says that it is complete.
    Confirmed,
    /// The card office has taken it.
    Accepted,
}

impl RosterState {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Accepted => "accepted",
        }
    }
}

/// The people of a unit who are to get a card in a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Who.
    pub people: BTreeSet<PersonId>,
    /// That its unit confirmed it.
    pub confirmed: Option<Mark>,
    /// That the card office accepted it.
    pub accepted: Option<Mark>,
    /// Why the card office gave it back last.
    pub returned: Option<String>,
}

impl Roster {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> RosterState {
        match (&self.confirmed, &self.accepted) {
            (_, Some(_)) => RosterState::Accepted,
            (Some(_), None) => RosterState::Confirmed,
            (None, None) => RosterState::Open,
        }
    }
}

/// Cards that were ordered together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// In which campaign.
    pub campaign: CampaignId,
    /// Of which unit and below; `None`: of all.
    pub unit: Option<UnitId>,
    /// Of which type.
    pub card_type: CardTypeId,
    /// For whom.
    pub people: BTreeMap<PersonId, Ordered>,
    /// Who ordered them, and when.
    pub ordered: Mark,
}

/// One card of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// What is to be printed on it, where the type's format makes numbers.
    pub number: Option<String>,
    /// What readers read on it, once it has come.
    pub card: Option<CardId>,
}

/// What the directory knows of rosters and batches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Production {
    /// Rosters by campaign and unit.
    pub rosters: BTreeMap<CampaignId, BTreeMap<UnitId, Roster>>,
    /// Batches.
    pub batches: BTreeMap<BatchId, Batch>,
}

impl Production {
    /// Whether somebody is in a batch of a campaign.
    #[must_use]
    pub fn is_ordered(&self, campaign: &CampaignId, person: &PersonId) -> bool {
        self.batches.values().any(|batch| batch.campaign == *campaign && batch.people.contains_key(person))
    }

    /// The campaigns on whose rosters somebody is.
    pub fn campaigns_of<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a CampaignId> {
        let has = |rosters: &BTreeMap<UnitId, Roster>| rosters.values().any(|roster| roster.people.contains(person));
        self.rosters.iter().filter(move |(_, rosters)| has(rosters)).map(|(campaign, _)| campaign)
    }

    /// The campaign in which a card was produced.
    #[must_use]
    pub fn campaign_of(&self, card: &CardId) -> Option<&CampaignId> {
        let mut batches = self.batches.values();
        let has = |batch: &&Batch| batch.people.values().any(|ordered| ordered.card.as_ref() == Some(card));
        batches.find(has).map(|batch| &batch.campaign)
    }
}
