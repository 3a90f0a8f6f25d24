//! Removals: what must be denied at once, ahead of the commit that contains it (PROTOCOL 6).
//!
//! A removal can only deny. What adds (resuming a card, releasing a lockdown) travels in its commit.

use crate::commit::Position;
use crate::id::{CampusId, CredentialKey, DoorId};
use crate::sign::{Context, Signable};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// A signed order to deny.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Which campus.
    pub campus: CampusId,
    /// The commit that contains the same change.
    pub position: Position,
    /// Which of the removals of that commit, from 0: an order too long for one frame comes in several.
    pub part: u32,
    /// When the command was accepted.
    pub at: UnixMs,
    /// What is denied; at most [`crate::limits::REMOVAL_ITEMS_MAX`].
    pub items: Vec<Item>,
}

/// One thing that is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A credential is suspended.
    Suspend(CredentialKey),
    /// A credential is closed.
    Close(CredentialKey),
    /// A door is locked down.
    LockDown(DoorId),
}

impl Signable for Removal {
    const CONTEXT: Context = Context::Removal;
}
