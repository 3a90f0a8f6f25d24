//! Words for what the authority names: states of cards, reasons of answers, kinds of alarm.
//!
//! A new one of the authority's has no word here until this file says it: the compiler asks for it where there is a list.

use super::Words;
use doorward_protocol::decide::Reason;

impl Words {
    /// The state of a card.
    #[must_use]
    pub fn card_state<'a>(&self, state: &'a str) -> &'a str {
        match state {
            "produced" => self.state_produced,
            "active" => self.state_active,
            "suspended" => self.state_suspended,
            "closed" => self.state_closed,
            other => other,
        }
    }

    /// Why a door answered as it did.
    #[must_use]
    pub fn reason<'a>(&self, name: &'a str) -> &'a str {
        let known = Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
        known.map_or(name, |reason| self.of_reason(reason))
    }

    const fn of_reason(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::NoState => self.reason_no_state,
            Reason::LeaseEnded => self.reason_lease_ended,
            Reason::ClockUntrusted => self.reason_clock_untrusted,
            Reason::NotRecorded => self.reason_not_recorded,
            Reason::Lockdown => self.reason_lockdown,
            Reason::Unlocked => self.reason_unlocked,
            Reason::UnknownCredential => self.reason_unknown_credential,
            Reason::Closed => self.reason_closed,
            Reason::NotActivated => self.reason_not_activated,
            Reason::Suspended => self.reason_suspended,
            Reason::NotYetValid => self.reason_not_yet_valid,
            Reason::Expired => self.reason_expired,
            Reason::FunctionNotOnCard => self.reason_function_not_on_card,
            Reason::Ended => self.reason_ended,
            Reason::Excluded => self.reason_excluded,
            Reason::NoPermission => self.reason_no_permission,
            Reason::OutsideSchedule => self.reason_outside_schedule,
            Reason::FactorRequired => self.reason_factor_required,
            Reason::Granted => self.reason_granted,
        }
    }

    /// What kind an alarm is of.
    #[must_use]
    pub fn alarm<'a>(&self, kind: &'a str) -> &'a str {
        match kind {
            "card-tapped" => self.alarm_card_tapped,
            "silent" => self.alarm_silent,
            "record-gap" | "log-truncated" => self.alarm_records_missing,
            "record-fork" | "new-chain" => self.alarm_records_contradict,
            "clock" => self.alarm_clock,
            "store-damaged" => self.alarm_store,
            "agent-rolled-back" | "authority-rolled-back" => self.alarm_rolled_back,
            "fork" | "wrong-state" | "refused" => self.alarm_state,
            other => other,
        }
    }
}
