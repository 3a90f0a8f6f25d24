//! Requests for access: a department asks, whoever decides about the door says yes or no, and a yes is a grant.
//!
//! Deliberately no timer: a request that nobody decided in time is one that can no longer be decided.

use crate::command::Actor;
use crate::model::{Grant, GrantId};
use doorward_protocol::text_id;
use doorward_protocol::time::{Day, UnixMs};
use serde::{Deserialize, Serialize};

text_id!(
    /// A request.
    RequestId,
    false
);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The grant that it would be.
    pub grant: Grant,
    /// Why it is needed.
    pub reason: String,
    /// The first instant at which it cannot be decided any more.
    pub expires_at: UnixMs,
}

/// An order about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum RequestOrder {
    /// Somebody asks.
    Ask {
        /// Its name, which no request has yet.
        id: RequestId,
        /// What for.
        wish: Wish,
    },
    /// It is granted.
    Approve {
        /// Which.
        id: RequestId,
        /// Name of the grant that it becomes, which no grant has yet.
        grant: GrantId,
        /// The grant's last day, where it is to be an earlier one than was asked for.
        until: Option<Day>,
        /// What the decider says to it.
        reason: String,
    },
    /// It is not granted.
    Reject {
        /// Which.
        id: RequestId,
        /// Why.
        reason: String,
    },
    /// It is not needed any more.
    Withdraw {
        /// Which.
        id: RequestId,
        /// Why.
        reason: String,
    },
}

/// A request as the directory keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asked.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
    /// What for.
    pub wish: Wish,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// In which way.
    pub end: End,
    /// Who said so.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
    /// Why.
    pub reason: String,
}

/// See [`Outcome`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It became this grant, which may have ended since.
    Approved(GrantId),
    /// It was not granted.
    Rejected,
    /// It was taken back.
    Withdrawn,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nobody has decided yet.
    Waiting,
    /// Nobody decided in time.
    Expired,
    /// It was granted.
    Approved,
    /// It was not granted.
    Rejected,
    /// It was taken back.
    Withdrawn,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Expired, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Expired => "expired",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Request {
    /// Where it stands at an instant.
    #[must_use]
    pub fn standing(&self, at: UnixMs) -> Standing {
        match self.outcome.as_ref().map(|outcome| &outcome.end) {
            Some(End::Approved(_)) => Standing::Approved,
            Some(End::Rejected) => Standing::Rejected,
            Some(End::Withdrawn) => Standing::Withdrawn,
            None if at >= self.wish.expires_at => Standing::Expired,
            None => Standing::Waiting,
        }
    }

    /// The grant that it becomes when it is approved.
    #[must_use]
    pub fn granted(&self, until: Option<Day>) -> Grant {
        let mut grant = self.wish.grant.clone();
        if let Some(day) = until {
            grant.days.until = Some(grant.days.until.map_or(day, |last| last.min(day)));
        }
        grant
    }
}

impl RequestOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "request-ask",
            Self::Approve { .. } => "request-approve",
            Self::Reject { .. } => "request-reject",
            Self::Withdraw { .. } => "request-withdraw",
        }
    }

    /// Which request it is about.
    #[must_use]
    pub const fn id(&self) -> &RequestId {
        match self {
            Self::Ask { id, .. } | Self::Approve { id, .. } | Self::Reject { id, .. } | Self::Withdraw { id, .. } => id,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Ask { wish, .. } => &wish.reason,
            Self::Approve { reason, .. } | Self::Reject { reason, .. } | Self::Withdraw { reason, .. } => reason,
        }
    }
}
