//! Who works with the campus: operators and their API tokens, each with a role and a remit, and the orders that change them.
//!
//! Deliberately no passwords and no sessions: how somebody shows who they are is the shell's. What a role may do stands in
//! [`acts`], whether it lies in somebody's remit is asked in [`authorize`](mod@authorize).

pub mod acts;
pub mod authorize;
pub mod requests;
#[cfg(test)]
mod tests;

use crate::model::{BuildingId, PersonId, UnitId};
use doorward_protocol::id::Hash;
use doorward_protocol::text_id;
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

text_id!(
    /// An operator: a person, or a program such as a registrar's feed.
    OperatorId,
    false
);
text_id!(
    /// An API token, by the name under which it is listed and ended.
    ApiTokenId,
    false
);

/// What the names of those operators begin with whom an identity provider knows: nobody else is called so.
pub const PROVIDER_PREFIX: &str = "oidc-";

impl OperatorId {
    /// Whether an identity provider says who it is and what it may do; it has no password and no API token here.
    #[must_use]
    pub fn is_of_provider(&self) -> bool {
        self.as_str().starts_with(PROVIDER_PREFIX)
    }
}

/// What kind of work somebody does; [`acts`] says what each may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sets the system up, and says who may do what.
    Administrator,
    /// Holds cards back, locks down, and sees what happened.
    SecurityOffice,
    /// Decides who is let in where, and opens and closes doors.
    ControlRoom,
    /// Looks after buildings, and decides who is let into its own.
    Facilities,
    /// Looks after its own people, and asks for what they need.
    Department,
    /// Issues cards and ends them.
    CardOffice,
    /// Brings people and what they belong to.
    RegistrarFeed,
    /// Sees everything and changes nothing.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 8] = [
        Self::Administrator,
        Self::SecurityOffice,
        Self::ControlRoom,
        Self::Facilities,
        Self::Department,
        Self::CardOffice,
        Self::RegistrarFeed,
        Self::Auditor,
    ];

    /// The name as it is stored and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::SecurityOffice => "security-office",
            Self::ControlRoom => "control-room",
            Self::Facilities => "facilities",
            Self::Department => "department",
            Self::CardOffice => "card-office",
            Self::RegistrarFeed => "registrar-feed",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl core::fmt::Display for Role {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// The part of the campus that somebody's work extends to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Remit {
    /// All of it.
    Campus,
    /// The people and doors of these units and of those below them, and the doors of these buildings.
    Part {
        /// Units.
        #[serde(default)]
        units: BTreeSet<UnitId>,
        /// Buildings, whoever owns them.
        #[serde(default)]
        buildings: BTreeSet<BuildingId>,
    },
}

impl core::fmt::Display for Remit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Campus => f.write_str("the whole campus"),
            Self::Part { units, buildings } => {
                let units = units.iter().map(|unit| format!("unit {unit}"));
                let all: Vec<_> =
                    units.chain(buildings.iter().map(|building| format!("building {building}"))).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

/// What somebody may do: a role, as far as a remit extends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// Which acts.
    pub role: Role,
    /// On which part of the campus.
    pub remit: Remit,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The name that people know.
    pub name: String,
    /// What the operator may do.
    pub power: Power,
}

/// An API token: a program that acts for an operator, with a power of its own that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// For whom it acts; it ends with that operator.
    pub operator: OperatorId,
    /// What may be done with it.
    pub power: Power,
    /// The first instant at which it is worth nothing.
    pub expires_at: UnixMs,
    /// Hash of its secret: what is kept opens nothing.
    #[serde(with = "crate::command::hexadecimal")]
    pub hash: Hash,
}

/// All operators and their tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    /// Operators.
    pub operators: BTreeMap<OperatorId, Operator>,
    /// Their API tokens.
    pub tokens: BTreeMap<ApiTokenId, ApiToken>,
}

/// An order about operators; no door opens or closes by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum OfficeOrder {
    /// An operator is new, or is another one from now on.
    OperatorPut {
        /// Which.
        id: OperatorId,
        /// Name and power.
        operator: Operator,
    },
    /// An operator may do nothing any more; neither may its tokens.
    OperatorRemove {
        /// Which.
        id: OperatorId,
    },
    /// An operator is invited to choose a password; the invitation itself is the shell's.
    OperatorInvite {
        /// Which.
        id: OperatorId,
    },
    /// An operator is given an API token.
    TokenAdd {
        /// Its name, which no token has yet.
        id: ApiTokenId,
        /// What it is.
        token: ApiToken,
    },
    /// An API token ends.
    TokenRemove {
        /// Which.
        id: ApiTokenId,
    },
    /// A card holder is invited to choose a password; the invitation itself is the shell's.
    HolderInvite {
        /// Who.
        person: PersonId,
    },
}

impl OfficeOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OperatorPut { .. } => "operator-put",
            Self::OperatorRemove { .. } => "operator-remove",
            Self::OperatorInvite { .. } => "operator-invite",
            Self::TokenAdd { .. } => "token-add",
            Self::TokenRemove { .. } => "token-remove",
            Self::HolderInvite { .. } => "holder-invite",
        }
    }
}

impl Office {
    /// Does what was ordered and checked.
    pub(crate) fn perform(&mut self, order: &OfficeOrder) {
        match order {
            OfficeOrder::OperatorPut { id, operator } => {
                self.operators.insert(id.clone(), operator.clone());
            }
            OfficeOrder::OperatorRemove { id } => {
                self.operators.remove(id);
                self.tokens.retain(|_, token| token.operator != *id);
            }
            OfficeOrder::OperatorInvite { .. } | OfficeOrder::HolderInvite { .. } => {}
            OfficeOrder::TokenAdd { id, token } => {
                self.tokens.insert(id.clone(), token.clone());
            }
            OfficeOrder::TokenRemove { id } => {
                self.tokens.remove(id);
            }
        }
    }
}
