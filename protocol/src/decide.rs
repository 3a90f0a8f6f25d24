//! The decision on one tap, from memory alone. Total: every input has an answer, and every answer a reason.
//!
//! The rows of campus-format's table, in their order. What is asked of a [`View`] never waits: it is immutable, and a
//! new one replaces it as a whole.

use crate::cache::{Cache, CachedClass, CachedDoor};
use crate::credentials::Packed;
use crate::facts::{CredentialState, Effect, Factors};
use crate::id::{CredentialKey, DoorId};
use crate::limits::CLOCK_TOLERANCE_MS;
use crate::moment::Moment;
use crate::overlay::Overlay;
use crate::time::{Day, UnixMs};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a tap was answered as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The agent has no verified state, or none for this door.
    NoState,
    /// The door has gone too long without a fresh word from the authority.
    LeaseEnded,
    /// The agent's clock cannot be right.
    ClockUntrusted,
    /// The decision could not be recorded durably, so nothing may open.
    NotRecorded,
    /// The door is locked down.
    Lockdown,
    /// The door's unlock schedule holds.
    Unlocked,
    /// Nobody knows the credential here.
    UnknownCredential,
    /// The card is closed.
    Closed,
    /// The card is produced, not yet activated.
    NotActivated,
    /// The card is suspended.
    Suspended,
    /// Before the card's first day.
    NotYetValid,
    /// After the card's last day.
    Expired,
    /// The card's type lacks the door's function.
    FunctionNotOnCard,
    /// The function has ended since the holder left.
    Ended,
    /// A deny rule matches.
    Excluded,
    /// No permit rule matches.
    NoPermission,
    /// A permit rule matches, but not now.
    OutsideSchedule,
    /// A permit rule matches now, but wants a further factor.
    FactorRequired,
    /// A permit rule matches.
    Granted,
}

impl Reason {
    /// Every reason, in the order of the decision.
    pub const ALL: [Self; 19] = [
        Self::NoState,
        Self::LeaseEnded,
        Self::ClockUntrusted,
        Self::NotRecorded,
        Self::Lockdown,
        Self::Unlocked,
        Self::UnknownCredential,
        Self::Closed,
        Self::NotActivated,
        Self::Suspended,
        Self::NotYetValid,
        Self::Expired,
        Self::FunctionNotOnCard,
        Self::Ended,
        Self::Excluded,
        Self::NoPermission,
        Self::OutsideSchedule,
        Self::FactorRequired,
        Self::Granted,
    ];

    /// Whether the door opens.
    #[must_use]
    pub fn is_grant(self) -> bool {
        matches!(self, Self::Granted | Self::Unlocked)
    }

    /// `grant` or `deny`.
    #[must_use]
    pub fn decision(self) -> &'static str {
        if self.is_grant() { "grant" } else { "deny" }
    }

    /// The reason as it is written in tables and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoState => "no_state",
            Self::LeaseEnded => "lease_ended",
            Self::ClockUntrusted => "clock_untrusted",
            Self::NotRecorded => "not_recorded",
            Self::Lockdown => "lockdown",
            Self::Unlocked => "unlocked",
            Self::UnknownCredential => "unknown_credential",
            Self::Closed => "closed",
            Self::NotActivated => "not_activated",
            Self::Suspended => "suspended",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::FunctionNotOnCard => "function_not_on_card",
            Self::Ended => "ended",
            Self::Excluded => "excluded",
            Self::NoPermission => "no_permission",
            Self::OutsideSchedule => "outside_schedule",
            Self::FactorRequired => "factor_required",
            Self::Granted => "granted",
        }
    }
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that a tap is decided from, at one moment.
#[derive(Debug, Clone)]
pub struct View {
    /// The verified state in the form for deciding; `None` before the first one.
    pub cache: Option<Arc<Cache>>,
    /// What was taken away since that state.
    pub overlay: Arc<Overlay>,
    /// Newest verified time at which this state was the authority's present one; leases count from here.
    pub fresh_at: UnixMs,
    /// Newest verified time that was seen; the wall clock never counts below it.
    pub floor_at: UnixMs,
    /// Whether the clock agreed with the authority's when they last met.
    pub clock_trusted: bool,
}

impl View {
    /// A view that answers questions about any instant: its clock is trusted and its leases do not end.
    #[must_use]
    pub fn of_any_instant(cache: Arc<Cache>) -> Self {
        Self {
            cache: Some(cache),
            overlay: Arc::default(),
            fresh_at: UnixMs(i64::MAX),
            floor_at: UnixMs(i64::MIN),
            clock_trusted: true,
        }
    }

    /// The instant that counts while the wall clock shows `wall`; `None` when the clock cannot be right.
    #[must_use]
    pub fn clock(&self, wall: UnixMs) -> Option<UnixMs> {
        let trusted = self.clock_trusted && wall.plus_ms(CLOCK_TOLERANCE_MS) >= self.floor_at;
        trusted.then(|| wall.max(self.floor_at))
    }
}

/// Decides one tap that happens now, by the wall clock; also says which instant counted.
#[must_use]
pub fn decide_now(view: &View, door: &DoorId, key: CredentialKey, factors: Factors, wall: UnixMs) -> (Reason, UnixMs) {
    match view.clock(wall) {
        Some(at) => (decide(view, door, key, factors, at), at),
        None if view.cache.is_none() => (Reason::NoState, wall),
        None => (Reason::ClockUntrusted, wall),
    }
}

/// Decides one tap at an instant.
#[must_use]
pub fn decide(view: &View, door: &DoorId, key: CredentialKey, factors: Factors, at: UnixMs) -> Reason {
    let Some(cache) = &view.cache else { return Reason::NoState };
    let Some(door) = cache.door(door) else { return Reason::NoState };
    let Some(moment) = cache.moment(at).filter(|_| view.clock_trusted) else { return Reason::ClockUntrusted };
    if door.lease_ends(view.fresh_at).is_some_and(|end| at >= end) {
        return Reason::LeaseEnded;
    }
    if door.lockdown() || view.overlay.locks(door.id()) {
        return Reason::Lockdown;
    }
    if cache.is_unlocked(door, moment) {
        return Reason::Unlocked;
    }
    let Some(credential) = cache.packed(key) else { return Reason::UnknownCredential };
    if let Some(reason) = refused_by_state(view.overlay.state_of(key, credential.state())) {
        return reason;
    }
    let Some(class) = cache.class(credential) else { return Reason::NoState };
    refused_by_card(credential, class, door, moment.day)
        .unwrap_or_else(|| by_rules(cache, class, door, moment, factors))
}

/// State of a card as the overlay may have narrowed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Narrowed {
    /// As the verified state says.
    As(CredentialState),
    /// Closed since.
    Closed,
}

const fn refused_by_state(state: Narrowed) -> Option<Reason> {
    match state {
        Narrowed::Closed => Some(Reason::Closed),
        Narrowed::As(CredentialState::Produced) => Some(Reason::NotActivated),
        Narrowed::As(CredentialState::Suspended) => Some(Reason::Suspended),
        Narrowed::As(CredentialState::Active) => None,
    }
}

fn refused_by_card(credential: &Packed, class: &CachedClass, door: &CachedDoor, day: Day) -> Option<Reason> {
    let valid = credential.valid();
    if valid.from.is_some_and(|from| day < from) {
        return Some(Reason::NotYetValid);
    }
    if valid.until.is_some_and(|until| day > until) {
        return Some(Reason::Expired);
    }
    if !class.has_function_of(door) {
        return Some(Reason::FunctionNotOnCard);
    }
    let ended = credential
        .leaving()
        .is_some_and(|leaving| if door.identity() { day >= leaving.left_on } else { day > leaving.grace_until });
    ended.then_some(Reason::Ended)
}

fn by_rules(cache: &Cache, class: &CachedClass, door: &CachedDoor, moment: Moment, factors: Factors) -> Reason {
    // Reasons after `NoPermission` mean that a permit rule came that far; the farthest one answers.
    let mut farthest = Reason::NoPermission;
    for entry in class.entries(door).filter(|entry| entry.is_on(moment.day)) {
        let in_schedule = cache.is_in_schedule(entry, moment);
        match entry.effect {
            Effect::Deny if in_schedule => return Reason::Excluded,
            Effect::Deny => {}
            Effect::Permit => {
                let reason = match (in_schedule, factors.contains(entry.factors)) {
                    (false, _) => Reason::OutsideSchedule,
                    (true, false) => Reason::FactorRequired,
                    (true, true) => Reason::Granted,
                };
                farthest = farthest.max(reason);
            }
        }
    }
    farthest
}
