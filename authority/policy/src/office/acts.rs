//! What can be done and asked, and the one table that says which role may.
//!
//! Deliberately without remits: a role says what, a remit where. Program, API and console ask this table and no other.

use super::requests::RequestOrder;
use super::{OfficeOrder, Role};
use crate::application::ApplicationOrder;
use crate::command::Command;
use crate::photo::PhotoOrder;
use crate::production::ProductionOrder;
use serde::{Deserialize, Serialize};

/// Something that is done or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Bring a newer campus folder.
    Import,
    /// Push people and what they belong to, one by one, and read back what is known of them.
    PushPeople,
    /// Let agents join and strike them off.
    ManageAgents,
    /// Say who may do what, and give API tokens.
    ManageOperators,
    /// Hold a card back.
    SuspendCard,
    /// Let a suspended card work again.
    ResumeCard,
    /// Bring a produced card into use.
    ActivateCard,
    /// End a card for good.
    CloseCard,
    /// Issue, replace and extend cards.
    IssueCards,
    /// Bring photos of people.
    SubmitPhotos,
    /// Approve, reject and reopen photos.
    DecidePhotos,
    /// Bring applications for cards, and see them.
    ApplyForCards,
    /// Approve and reject applications.
    DecideApplications,
    /// Put people on rosters, and confirm these.
    PrepareRosters,
    /// Accept rosters, order their cards, and take these in.
    ProduceCards,
    /// Lock doors down and release them.
    LockDown,
    /// Give and end grants.
    Grant,
    /// Ask for access, and take a request back.
    Ask,
    /// Decide about requests.
    Decide,
    /// See requests and grants.
    SeeGrants,
    /// See a card and its holder, and ask where it opens and why.
    SeeCards,
    /// Ask who can open a door.
    SeeDoors,
    /// Read the log of taps.
    ReadLog,
    /// Read the journal.
    ReadJournal,
    /// See agents and alarms.
    SeeAgents,
    /// Say that an alarm was looked at.
    AcknowledgeAlarms,
    /// Follow how far a change has come, and take its evidence.
    FollowChanges,
    /// Export everything that is known of somebody, or erase it.
    PersonalData,
    /// Invite card holders to their own page.
    InviteHolders,
}

use Role::{Administrator, Auditor, CardOffice, ControlRoom, Department, Facilities, RegistrarFeed, SecurityOffice};

impl Act {
    /// All acts, in the order in which they are shown.
    pub const ALL: [Self; 29] = [
        Self::SuspendCard,
        Self::ResumeCard,
        Self::ActivateCard,
        Self::CloseCard,
        Self::IssueCards,
        Self::SubmitPhotos,
        Self::DecidePhotos,
        Self::ApplyForCards,
        Self::DecideApplications,
        Self::PrepareRosters,
        Self::ProduceCards,
        Self::LockDown,
        Self::Ask,
        Self::Decide,
        Self::Grant,
        Self::SeeGrants,
        Self::SeeCards,
        Self::SeeDoors,
        Self::ReadLog,
        Self::SeeAgents,
        Self::AcknowledgeAlarms,
        Self::FollowChanges,
        Self::ReadJournal,
        Self::Import,
        Self::PushPeople,
        Self::ManageAgents,
        Self::ManageOperators,
        Self::PersonalData,
        Self::InviteHolders,
    ];

    /// The table: the roles that may do it, within their remits.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            // A lost card is dead by the word of any office that knows its holder (S9, H4).
            Self::SuspendCard => &[Administrator, SecurityOffice, ControlRoom, CardOffice, Department],
            Self::ResumeCard | Self::CloseCard => &[Administrator, SecurityOffice, CardOffice],
            Self::IssueCards | Self::ProduceCards | Self::InviteHolders => &[Administrator, CardOffice],
            // The department knows the face (J7), and who its people are (K2).
            Self::SubmitPhotos | Self::DecidePhotos | Self::PrepareRosters => &[Administrator, CardOffice, Department],
            Self::ApplyForCards => &[Administrator, CardOffice, Department, SecurityOffice],
            // Which of them, the campus says for each kind of card (S2).
            Self::DecideApplications => &[Administrator, CardOffice, Department, SecurityOffice],
            // Whoever hands a card out (H3).
            Self::ActivateCard => &[Administrator, CardOffice, Department],
            Self::LockDown => &[Administrator, SecurityOffice, ControlRoom, Facilities],
            // The control room, and a door's owner (J6, S3); whoever may grant at once may ask, too.
            Self::Grant | Self::Decide | Self::Ask => &[Administrator, ControlRoom, Facilities, Department],
            Self::SeeGrants => &[Administrator, SecurityOffice, ControlRoom, Facilities, Department, Auditor],
            Self::SeeCards => {
                &[Administrator, SecurityOffice, ControlRoom, Facilities, Department, CardOffice, Auditor]
            }
            Self::SeeDoors | Self::FollowChanges => {
                &[Administrator, SecurityOffice, ControlRoom, Facilities, Department, CardOffice, Auditor]
            }
            Self::ReadLog => &[Administrator, SecurityOffice, Facilities, Department, Auditor],
            Self::SeeAgents => &[Administrator, SecurityOffice, ControlRoom, Facilities, Auditor],
            Self::AcknowledgeAlarms => &[Administrator, SecurityOffice, ControlRoom],
            Self::ReadJournal => &[Administrator, SecurityOffice, Auditor],
            Self::Import | Self::PushPeople => &[Administrator, RegistrarFeed],
            Self::ManageAgents | Self::ManageOperators | Self::PersonalData => &[Administrator],
        }
    }

    /// Whether a role may do it.
    #[must_use]
    pub fn is_of(self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// In words, as they stand after "may not".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Import => "import a campus folder",
            Self::PushPeople => "push people and see what is known of them",
            Self::ManageAgents => "add or remove agents",
            Self::ManageOperators => "say who may do what",
            Self::SuspendCard => "suspend a card",
            Self::ResumeCard => "resume a card",
            Self::ActivateCard => "activate a card",
            Self::CloseCard => "close a card",
            Self::IssueCards => "issue, replace or extend a card",
            Self::SubmitPhotos => "bring a photo",
            Self::ApplyForCards => "bring or see an application for a card",
            Self::DecideApplications => "approve or reject an application for a card",
            Self::PrepareRosters => "change, confirm or see a roster",
            Self::ProduceCards => "accept a roster, order its cards or take them in",
            Self::DecidePhotos => "approve, reject, reopen or remove a photo",
            Self::LockDown => "lock doors down or release them",
            Self::Grant => "give, confirm or end a grant",
            Self::Ask => "ask for access",
            Self::Decide => "decide about a request",
            Self::SeeGrants => "see requests and grants",
            Self::SeeCards => "see a card or its holder",
            Self::SeeDoors => "ask who can open a door",
            Self::ReadLog => "read the access log",
            Self::ReadJournal => "read the journal",
            Self::SeeAgents => "see agents and alarms",
            Self::AcknowledgeAlarms => "acknowledge alarms",
            Self::FollowChanges => "follow a change or take its evidence",
            Self::PersonalData => "export or erase all that is known of somebody",
            Self::InviteHolders => "invite a card holder to the own page",
        }
    }

    /// What a command does; `None` for those that only the authority itself gives.
    #[must_use]
    pub const fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Found { .. } | Command::Tick { .. } | Command::AgentEnrol { .. } => return None,
            Command::Import { .. } => Self::Import,
            Command::Feed(_) => Self::PushPeople,
            Command::AgentAdd { .. } | Command::AgentRemove { .. } => Self::ManageAgents,
            Command::CardSuspend { .. } | Command::CardFound { .. } => Self::SuspendCard,
            Command::CardResume { .. } => Self::ResumeCard,
            Command::CardActivate { .. } => Self::ActivateCard,
            Command::CardClose { .. } => Self::CloseCard,
            Command::Desk(_) => Self::IssueCards,
            Command::PersonErase { .. } => Self::PersonalData,
            Command::Photo(PhotoOrder::Submit { .. }) => Self::SubmitPhotos,
            Command::Application(order) => match order {
                ApplicationOrder::Apply { .. } => Self::ApplyForCards,
                ApplicationOrder::Approve { .. } | ApplicationOrder::Reject { .. } => Self::DecideApplications,
            },
            Command::Production(order) => match order {
                ProductionOrder::Enter { .. } | ProductionOrder::Strike { .. } | ProductionOrder::Confirm { .. } => {
                    Self::PrepareRosters
                }
                ProductionOrder::Accept { .. }
                | ProductionOrder::Return { .. }
                | ProductionOrder::Order { .. }
                | ProductionOrder::Deliver { .. } => Self::ProduceCards,
            },
            Command::Photo(
                PhotoOrder::Approve { .. }
                | PhotoOrder::Reject { .. }
                | PhotoOrder::Reopen { .. }
                | PhotoOrder::Remove { .. },
            ) => Self::DecidePhotos,
            Command::LockDown { .. } | Command::Release { .. } => Self::LockDown,
            Command::GrantAdd { .. } | Command::GrantEnd { .. } | Command::GrantConfirm { .. } => Self::Grant,
            Command::Request(order) => match order {
                RequestOrder::Ask { .. } | RequestOrder::Withdraw { .. } => Self::Ask,
                RequestOrder::Approve { .. } | RequestOrder::Reject { .. } => Self::Decide,
            },
            Command::Office(order) => match order {
                OfficeOrder::OperatorPut { .. }
                | OfficeOrder::OperatorRemove { .. }
                | OfficeOrder::OperatorInvite { .. }
                | OfficeOrder::TokenAdd { .. }
                | OfficeOrder::TokenRemove { .. } => Self::ManageOperators,
                OfficeOrder::HolderInvite { .. } => Self::InviteHolders,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_act_is_listed_once_and_an_administrator_may_do_it() {
        assert_eq!(Act::ALL.into_iter().collect::<BTreeSet<_>>().len(), Act::ALL.len());
        for act in Act::ALL {
            assert!(act.is_of(Administrator), "{act:?}");
            let distinct: BTreeSet<_> = act.roles().iter().collect();
            assert_eq!(distinct.len(), act.roles().len(), "{act:?} names a role twice");
        }
    }

    #[test]
    fn an_auditor_changes_nothing_and_a_feed_sees_no_more_than_people() {
        let of = |role| Act::ALL.into_iter().filter(|act| act.is_of(role)).collect::<Vec<_>>();
        let asked = [
            Act::SeeGrants,
            Act::SeeCards,
            Act::SeeDoors,
            Act::ReadLog,
            Act::SeeAgents,
            Act::FollowChanges,
            Act::ReadJournal,
        ];
        assert_eq!(of(Auditor), asked);
        assert_eq!(of(RegistrarFeed), [Act::Import, Act::PushPeople]);
    }
}
