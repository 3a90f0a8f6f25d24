//! Whose account it is: an operator's, or that of a card holder who sees one page.
//!
//! Written as the journal names them, `kim` and `holder/230001`: no operator's name has a slash, so that neither is taken for the other.

use doorward_policy::model::PersonId;
use doorward_policy::office::OperatorId;
use doorward_policy::office::authorize::{Asker, HOLDER_PREFIX};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Login {
    /// An operator.
    Operator(OperatorId),
    /// A card holder.
    Holder(PersonId),
}

impl Login {
    /// The id, without what kind it is of.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Operator(id) => id.as_str(),
            Self::Holder(id) => id.as_str(),
        }
    }

    /// Whose powers count.
    #[must_use]
    pub fn asker(&self) -> Asker {
        match self {
            Self::Operator(id) => Asker::Operator(id.clone()),
            Self::Holder(id) => Asker::Holder(id.clone()),
        }
    }
}

impl core::fmt::Display for Login {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Operator(id) => write!(f, "{id}"),
            Self::Holder(id) => write!(f, "{HOLDER_PREFIX}{id}"),
        }
    }
}

impl FromStr for Login {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(HOLDER_PREFIX) {
            Some(person) => PersonId::new(person).map(Self::Holder).map_err(|error| error.to_string()),
            None => OperatorId::new(text).map(Self::Operator).map_err(|error| error.to_string()),
        }
    }
}

impl TryFrom<String> for Login {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.to_string()
    }
}
