//! The card desk: cards that are issued, replaced and extended by hand, beside those that folders bring.
//!
//! Deliberately without suspending, resuming, activating and closing, which are commands of their own: any office does those.

#[cfg(test)]
mod tests;

use crate::command::Actor;
use crate::model::{Card, CardId, CardTypeId, PersonId, Policy};
use doorward_protocol::time::{Day, UnixMs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why there is a new card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its holder has none.
    First,
    /// The old one is lost.
    Lost,
    /// The old one was stolen.
    Stolen,
    /// The old one is damaged.
    Damaged,
    /// The old one is destroyed.
    Destroyed,
    /// Its holder went to another department.
    DepartmentChange,
    /// Its holder is somebody else now, such as a graduate who was a student.
    RoleChange,
    /// The old one looks well and does not work.
    NotWorking,
    /// It stands in until a new one is there.
    Temporary,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 9] = [
        Self::First,
        Self::Lost,
        Self::Stolen,
        Self::Damaged,
        Self::Destroyed,
        Self::DepartmentChange,
        Self::RoleChange,
        Self::NotWorking,
        Self::Temporary,
    ];

    /// The name as it is stored and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Lost => "lost",
            Self::Stolen => "stolen",
            Self::Damaged => "damaged",
            Self::Destroyed => "destroyed",
            Self::DepartmentChange => "department-change",
            Self::RoleChange => "role-change",
            Self::NotWorking => "not-working",
            Self::Temporary => "temporary",
        }
    }

    /// The cause of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// Whether there is an old card that the new one replaces.
    #[must_use]
    pub const fn replaces(self) -> bool {
        match self {
            Self::First | Self::Temporary => false,
            Self::Lost
            | Self::Stolen
            | Self::Damaged
            | Self::Destroyed
            | Self::DepartmentChange
            | Self::RoleChange
            | Self::NotWorking => true,
        }
    }

    /// Whether the old card ends at once; otherwise it ends when the new one comes into use.
    #[must_use]
    pub const fn ends_at_once(self, returned: bool) -> bool {
        match self {
            Self::First | Self::Temporary => false,
            Self::Lost | Self::Stolen | Self::Destroyed => true,
            Self::Damaged | Self::DepartmentChange | Self::RoleChange | Self::NotWorking => returned,
        }
    }
}

/// A new card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// What readers will read; no card has it yet.
    pub card: CardId,
    /// For whom.
    pub person: PersonId,
    /// Of which type.
    pub card_type: CardTypeId,
    /// Why.
    pub cause: Cause,
    /// The card in whose place it comes.
    pub replaces: Option<CardId>,
    /// Whether that one came back.
    pub returned: bool,
    /// What is printed on it; made by the type's format when absent.
    pub number: Option<String>,
    /// Its first day.
    pub issued_on: Day,
    /// Its last day; `None`: derived from its holder's category.
    pub valid_until: Option<Day>,
    /// What was shown for it.
    pub document: Option<String>,
}

/// An order of the card desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum DeskOrder {
    /// A card is issued. It comes into use when it is activated.
    Issue(Box<Issue>),
    /// A card is valid for longer; one that expired works again.
    Extend {
        /// Which card.
        card: CardId,
        /// Its last day.
        until: Day,
        /// What was shown for it.
        document: String,
    },
}

impl DeskOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Issue(_) => "card-issue",
            Self::Extend { .. } => "card-extend",
        }
    }

    /// The card that it is about.
    #[must_use]
    pub const fn card(&self) -> &CardId {
        match self {
            Self::Issue(issue) => &issue.card,
            Self::Extend { card, .. } => card,
        }
    }
}

/// What the directory keeps of a card that was issued here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Why.
    pub cause: Cause,
    /// The card in whose place it came.
    pub replaces: Option<CardId>,
    /// Whether that one came back.
    pub returned: bool,
    /// What it costs its holder, by the policy of that day; `None` where the policy says nothing.
    pub fee: Option<String>,
    /// What was shown for it.
    pub document: Option<String>,
    /// Who issued it.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
}

/// What the directory knows of cards beside their table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// Cards that were issued here.
    pub issued: BTreeMap<CardId, Issued>,
    /// Cards that were extended here, each with the last day that the folder then gave: a folder that goes on saying so
    /// changes nothing.
    pub extended: BTreeMap<CardId, Option<Day>>,
    /// Cards that were found and that their holders do not have back.
    pub found: BTreeMap<CardId, Found>,
}

/// A card that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Where it was found, and where it is kept.
    pub place: String,
    /// Who took it in.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
}

/// What a new card costs its holder.
#[must_use]
pub fn fee(policy: &Policy, issue: &Issue, old: Option<&Card>) -> Option<String> {
    let applies = |fee: &&crate::model::Fee| {
        let is_within =
            fee.within.is_none_or(|span| old.is_some_and(|old| issue.issued_on <= span.counted_from(old.issued_on)));
        fee.cause == issue.cause && fee.returned.is_none_or(|returned| returned == issue.returned) && is_within
    };
    policy.fees.iter().find(applies).map(|fee| fee.amount.clone())
}
