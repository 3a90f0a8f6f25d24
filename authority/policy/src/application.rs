//! Applications for cards: who asks for which card, how, with what papers, and what becomes of it.
//!
//! Which category gets which card, who approves it and what has to be shown for it is the campus's (`[[entitlement]]`). Deliberately
//! without doors: a card that was approved is issued at the card desk or by a campaign.

use crate::command::{Actor, check_text};
use crate::directory::{Directory, Refusal};
use crate::model::{CardTypeId, CategoryId, PersonId, Policy};
use crate::office::Role;
use doorward_protocol::text_id;
use doorward_protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

text_id!(
    /// An application.
    ApplicationId,
    false
);

/// Most papers that one names.
pub const DOCUMENTS_MAX: usize = 20;

/// That people of a category get cards of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitlement {
    /// Which people.
    pub category: CategoryId,
    /// Which cards.
    pub card_type: CardTypeId,
    /// Who approves an application.
    pub approved_by: Role,
    /// What has to be shown.
    pub documents: BTreeSet<String>,
}

impl Entitlement {
    /// Whether a card of it needs an application, or is given by the card office to whoever is entitled.
    #[must_use]
    pub fn needs_application(&self) -> bool {
        self.approved_by != Role::CardOffice || !self.documents.is_empty()
    }
}

/// How an application came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// At the desk.
    Desk,
    /// On paper.
    Paper,
    /// By phone or its app.
    Phone,
    /// On a web page.
    Web,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 4] = [Self::Desk, Self::Paper, Self::Phone, Self::Web];

    /// The name as it is stored and typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Paper => "paper",
            Self::Phone => "phone",
            Self::Web => "web",
        }
    }

    /// The channel of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// What somebody applies for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// For whom.
    pub person: PersonId,
    /// Which card.
    pub card_type: CardTypeId,
    /// How it came.
    pub channel: Channel,
    /// Why it came so, or what there is to say to it.
    pub reason: String,
    /// What was shown.
    pub documents: BTreeSet<String>,
}

/// An order about applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum ApplicationOrder {
    /// Somebody applies.
    Apply {
        /// Name of the application, which none has yet.
        id: ApplicationId,
        /// For what.
        application: Application,
    },
    /// The card may be issued.
    Approve {
        /// Which.
        id: ApplicationId,
        /// What there is to say to it.
        reason: String,
    },
    /// The card may not.
    Reject {
        /// Which.
        id: ApplicationId,
        /// Why.
        reason: String,
    },
}

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationState {
    /// Nobody has decided.
    Waiting,
    /// The card may be issued.
    Approved,
    /// It may not.
    Rejected,
    /// It has been.
    Used,
}

impl ApplicationState {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Used => "used",
        }
    }
}

/// An application as the directory keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// For what.
    pub application: Application,
    /// Where it stands.
    pub state: ApplicationState,
    /// Who brought it, or decided.
    pub by: Actor,
    /// When.
    pub at: UnixMs,
    /// What was said to the decision.
    pub decision: Option<String>,
}

impl ApplicationOrder {
    /// The name of what was done, as the journal lists it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Apply { .. } => "application-apply",
            Self::Approve { .. } => "application-approve",
            Self::Reject { .. } => "application-reject",
        }
    }

    /// Which application.
    #[must_use]
    pub const fn id(&self) -> &ApplicationId {
        match self {
            Self::Apply { id, .. } | Self::Approve { id, .. } | Self::Reject { id, .. } => id,
        }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Apply { application, .. } => &application.reason,
            Self::Approve { reason, .. } | Self::Reject { reason, .. } => reason,
        }
    }
}

impl Directory {
    pub(crate) fn check_application(&self, order: &ApplicationOrder) -> Result<(), Refusal> {
        crate::directory::check_reason(order.reason())?;
        let known = self.applications().get(order.id());
        match (order, known) {
            (ApplicationOrder::Apply { application, .. }, None) => {
                let policy = self.policy().ok_or(Refusal::NothingImported)?;
                let documents = &application.documents;
                let text = |error| Refusal::Text { what: "the document", error };
                documents.iter().try_for_each(|document| check_text(document).map_err(text))?;
                if documents.len() > DOCUMENTS_MAX {
                    return Err(Refusal::TooManyDocuments(documents.len()));
                }
                let entitlement = self.entitlement(policy, &application.person, &application.card_type)?;
                let needed = entitlement.into_iter().flat_map(|entitlement| &entitlement.documents);
                let missing: Vec<_> = needed.filter(|needed| !documents.contains(*needed)).cloned().collect();
                if missing.is_empty() { Ok(()) } else { Err(Refusal::DocumentsMissing(missing)) }
            }
            (ApplicationOrder::Apply { id, .. }, Some(_)) => Err(Refusal::ApplicationExists(id.clone())),
            (ApplicationOrder::Approve { .. } | ApplicationOrder::Reject { .. }, Some(applied))
                if applied.state == ApplicationState::Waiting =>
            {
                Ok(())
            }
            (ApplicationOrder::Approve { id, .. } | ApplicationOrder::Reject { id, .. }, Some(applied)) => {
                Err(Refusal::ApplicationDecided { id: id.clone(), state: applied.state })
            }
            (ApplicationOrder::Approve { id, .. } | ApplicationOrder::Reject { id, .. }, None) => {
                Err(Refusal::unknown("application", id.as_str(), self.applications().keys()))
            }
        }
    }

    /// The row that entitles somebody to a card; `None` on a campus that says nothing of who gets which.
    ///
    /// # Errors
    /// When the campus says it, and no row does.
    pub(crate) fn entitlement<'a>(
        &self,
        policy: &'a Policy,
        person: &PersonId,
        card_type: &CardTypeId,
    ) -> Result<Option<&'a Entitlement>, Refusal> {
        Refusal::unless_known("person", person, &self.tables().people)?;
        Refusal::unless_known("card type", card_type, &policy.card_types)?;
        let Some(known) = self.tables().people.get(person) else { return Ok(None) };
        let of_category = || policy.entitlements.iter().filter(|row| row.category == known.category);
        match of_category().find(|row| row.card_type == *card_type) {
            Some(row) => Ok(Some(row)),
            None if policy.entitlements.is_empty() => Ok(None),
            None => {
                let entitled: Vec<_> = of_category().map(|row| row.card_type.to_string()).collect();
                let (category, card_type) = (known.category.clone(), card_type.clone());
                Err(Refusal::NotEntitled { category, card_type, entitled: entitled.join(", ") })
            }
        }
    }

    /// Whether a first card of a type can be issued to somebody: who is entitled to it, with an approved application where
    /// one is needed.
    pub(crate) fn check_entitled(
        &self,
        policy: &Policy,
        person: &PersonId,
        card_type: &CardTypeId,
    ) -> Result<(), Refusal> {
        let entitlement = self.entitlement(policy, person, card_type)?;
        let Some(entitlement) = entitlement.filter(|row| row.needs_application()) else { return Ok(()) };
        if self.approved_application(person, card_type).is_some() {
            return Ok(());
        }
        let (person, card_type, approved_by) = (person.clone(), card_type.clone(), entitlement.approved_by);
        Err(Refusal::NoApplication { person, card_type, approved_by })
    }

    pub(crate) fn approved_application(&self, person: &PersonId, card_type: &CardTypeId) -> Option<&ApplicationId> {
        let fits = |applied: &Applied| {
            let Application { person: of, card_type: ty, .. } = &applied.application;
            applied.state == ApplicationState::Approved && of == person && ty == card_type
        };
        self.applications().iter().find(|(_, applied)| fits(applied)).map(|(id, _)| id)
    }

    /// Who approves an application.
    pub(crate) fn approver(&self, id: &ApplicationId) -> Option<Role> {
        let Application { person, card_type, .. } = &self.applications().get(id)?.application;
        let row = self.entitlement(self.policy()?, person, card_type).ok()?;
        Some(row.map_or(Role::CardOffice, |row| row.approved_by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::desk::{Cause, DeskOrder, Issue};
    use crate::testing::{campus, directory_of, id, take};
    use doorward_protocol::time::Day;

    /// Bob has no card; students get one on an identity card and by the word of their department.
    fn directory() -> Directory {
        let mut folder = campus();
        folder.tables.cards.retain(|_, card| card.person != id("bob"));
        folder.policy.entitlements.push(Entitlement {
            category: id("student"),
            card_type: id("card"),
            approved_by: Role::Department,
            documents: ["identity card".into()].into(),
        });
        directory_of(&folder)
    }

    fn apply(name: &str, person: &str, card_type: &str, documents: &[&str]) -> Command {
        let application = Application {
            person: id(person),
            card_type: id(card_type),
            channel: Channel::Paper,
            reason: "from abroad".into(),
            documents: documents.iter().map(|text| (*text).to_owned()).collect(),
        };
        Command::Application(ApplicationOrder::Apply { id: id(name), application })
    }

    fn approve(name: &str) -> Command {
        Command::Application(ApplicationOrder::Approve { id: id(name), reason: "known here".into() })
    }

    fn issue(person: &str) -> Command {
        Command::Desk(DeskOrder::Issue(Box::new(Issue {
            card: id("N"),
            person: id(person),
            card_type: id("card"),
            cause: Cause::First,
            replaces: None,
            returned: false,
            number: None,
            issued_on: Day::parse("2026-03-02").unwrap(),
            valid_until: None,
            document: None,
        })))
    }

    fn refused(directory: &mut Directory, command: Command) -> String {
        take(directory, command).unwrap_err().to_string()
    }

    #[test]
    fn an_application_lacks_no_paper_and_its_card_is_issued_once_it_is_approved() {
        let mut directory = directory();
        assert!(refused(&mut directory, issue("bob")).contains("the role department approves"));
        assert_eq!(
            refused(&mut directory, apply("a1", "bob", "card", &[])),
            "the application lacks: identity card; campus.toml asks for it"
        );
        take(&mut directory, apply("a1", "bob", "card", &["identity card", "letter"])).unwrap();
        assert!(refused(&mut directory, apply("a1", "bob", "card", &["identity card"])).contains("there already"));
        assert!(refused(&mut directory, issue("bob")).contains("needs an approved application"));
        take(&mut directory, approve("a1")).unwrap();
        assert!(refused(&mut directory, approve("a1")).contains("is approved"));
        take(&mut directory, issue("bob")).unwrap();
        assert_eq!(directory.applications()[&id("a1")].state, ApplicationState::Used);
    }

    #[test]
    fn nobody_gets_a_card_that_the_campus_does_not_give_to_their_category() {
        let mut directory = directory();
        assert_eq!(
            refused(&mut directory, apply("a1", "sue", "card", &["identity card"])),
            "campus.toml gives no cards of type `card` to the category `staff`, but: nothing"
        );
        assert!(refused(&mut directory, apply("a1", "bob", "phone", &[])).ends_with("but: card"));
        assert!(refused(&mut directory, approve("a9")).contains("application `a9` is not known"));
    }
}
