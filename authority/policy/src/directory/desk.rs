//! The card desk in the directory: which cards can be issued and extended, and what becomes of the cards before them.

use super::{Directory, Refusal};
use crate::application::ApplicationState;
use crate::command::{Actor, check_text};
use crate::desk::{Cause, Desk, DeskOrder, Issue, Issued, fee};
use crate::erasure::{ERASED, is_alias};
use crate::model::{Card, CardId, CardState, CardType, Medium, PersonId, Policy};
use crate::number;
use crate::touched::Touched;
use doorward_protocol::time::{Day, DayRange, UnixMs};

impl Directory {
    /// What is known of cards beside their table.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Whether a card was issued here and no folder has named it yet.
    pub(crate) fn is_issued_here_alone(&self, card: &CardId) -> bool {
        self.desk.issued.contains_key(card) && !self.folder_states.contains_key(card)
    }

    /// The cards that end when another one comes into use: the one that it replaces, and those that stood in for it.
    pub fn superseded_by<'a>(&'a self, card: &'a CardId) -> impl Iterator<Item = &'a CardId> {
        let replaced = self.desk.issued.get(card).and_then(|issued| issued.replaces.as_ref());
        let holder = self.tables.cards.get(card).filter(|card| self.is_own(card)).map(|card| &card.person);
        let stand_ins = holder.into_iter().flat_map(|person| self.cards_of(person));
        let stand_ins = stand_ins.filter(move |id| *id != card && self.is_stand_in(id));
        let all = replaced.into_iter().chain(stand_ins.filter(move |id| Some(*id) != replaced));
        all.filter(|id| self.is_open(id))
    }

    /// The card that an order ends at once.
    #[must_use]
    pub fn ended_by<'a>(&self, order: &'a DeskOrder) -> Option<&'a CardId> {
        match order {
            DeskOrder::Issue(issue) if issue.cause.ends_at_once(issue.returned) => {
                issue.replaces.as_ref().filter(|old| self.is_open(old))
            }
            DeskOrder::Issue(_) | DeskOrder::Extend { .. } => None,
        }
    }

    /// Open cards whose holders should have another one, each with why: since it was issued its holder has come to other units
    /// alone, or to a category that gets no such card.
    pub fn reissues(&self, today: Day) -> impl Iterator<Item = (&CardId, Cause)> {
        let own = self.tables.cards.iter().filter(|(id, card)| self.is_open(id) && self.is_own(card));
        own.filter_map(move |(id, card)| {
            let holder = self.tables.people.get(&card.person)?;
            let is_entitled = self.entitlement(self.policy.as_ref()?, &card.person, &card.card_type).is_ok();
            if !is_entitled {
                return Some((id, Cause::RoleChange));
            }
            let mut present =
                holder.affiliations.iter().filter(|affiliation| affiliation.days.contains(today)).peekable();
            let is_new = |days: &DayRange| days.from.is_some_and(|from| from > card.issued_on);
            let has_moved = present.peek().is_some() && present.all(|affiliation| is_new(&affiliation.days));
            let had_others = holder.affiliations.iter().any(|affiliation| !is_new(&affiliation.days));
            (has_moved && had_others).then_some((id, Cause::DepartmentChange))
        })
    }

    pub(super) fn touched_by_desk(&self, order: &DeskOrder) -> Touched {
        let mut touched = Touched { cards: [order.card().clone()].into(), ..Touched::default() };
        touched.card_states.extend(self.ended_by(order).cloned());
        touched
    }

    pub(super) fn touched_by_activation(&self, card: &CardId) -> Touched {
        let mut touched = Touched::card_state(card);
        touched.card_states.extend(self.superseded_by(card).cloned());
        touched
    }

    pub(super) fn check_desk(&self, order: &DeskOrder) -> Result<(), Refusal> {
        let policy = self.policy.as_ref().ok_or(Refusal::NothingImported)?;
        match order {
            DeskOrder::Issue(issue) => self.check_issue(policy, issue),
            DeskOrder::Extend { card, until, document } => {
                check_document(document)?;
                let known = self.tables.cards.get(card);
                let known = known.ok_or_else(|| Refusal::unknown("card", card.as_str(), self.tables.cards.keys()))?;
                if known.state == CardState::Closed {
                    return Err(Refusal::CardClosed(card.clone()));
                }
                let last = self.tables.last_day_of(known, policy);
                if last.is_some_and(|last| last < *until) {
                    return Ok(());
                }
                Err(Refusal::NoExtension { card: card.clone(), last, until: *until })
            }
        }
    }

    pub(super) fn check_issue(&self, policy: &Policy, issue: &Issue) -> Result<(), Refusal> {
        issue.document.iter().try_for_each(|document| check_document(document))?;
        if self.tables.cards.contains_key(&issue.card) || self.removed_states.contains_key(&issue.card) {
            return Err(Refusal::CardExists(issue.card.clone()));
        }
        Refusal::unless_known("person", &issue.person, &self.tables.people)?;
        let card_type = policy.card_types.get(&issue.card_type);
        let unknown = || Refusal::unknown("card type", issue.card_type.as_str(), policy.card_types.keys());
        let card_type = card_type.ok_or_else(unknown)?;
        if card_type.temporary != (issue.cause == Cause::Temporary) {
            return Err(Refusal::TemporaryType { card_type: issue.card_type.clone(), cause: issue.cause });
        }
        self.check_replaced(issue)?;
        if matches!(issue.cause, Cause::First | Cause::RoleChange) {
            self.check_entitled(policy, &issue.person, &issue.card_type)?;
        }
        if let Some(card) = self.card_in_the_way(policy, &issue.person, issue.replaces.as_ref(), card_type) {
            return Err(Refusal::CardOpen { person: issue.person.clone(), card: card.clone() });
        }
        if let Some(until) = issue.valid_until.filter(|until| *until < issue.issued_on) {
            return Err(Refusal::NoDays { from: issue.issued_on, until });
        }
        if is_alias(&issue.person) && issue.number.as_deref() == Some(ERASED) {
            return Ok(());
        }
        match (&issue.number, &card_type.number_format) {
            (Some(text), format) => {
                check_text(text).map_err(|error| Refusal::Text { what: "the number", error })?;
                let check = |format| number::check(text, format, issue.person.as_str());
                format.as_ref().map_or(Ok(()), check).map_err(Refusal::Number)
            }
            (None, Some(_)) => self.next_number(&issue.person, card_type).map(|_| ()),
            (None, None) => Ok(()),
        }
    }

    fn check_replaced(&self, issue: &Issue) -> Result<(), Refusal> {
        match &issue.replaces {
            None if issue.cause.replaces() => Err(Refusal::NothingReplaced(issue.cause)),
            Some(_) if !issue.cause.replaces() => Err(Refusal::NothingToReplace(issue.cause)),
            Some(old) => match self.tables.cards.get(old) {
                Some(card) if card.person == issue.person => Ok(()),
                Some(_) => Err(Refusal::OthersCard { card: old.clone(), person: issue.person.clone() }),
                None => Err(Refusal::unknown("card", old.as_str(), self.tables.cards.keys())),
            },
            None => Ok(()),
        }
    }

    /// One open card of medium `card` for each person, and one that stands in for it.
    pub(super) fn card_in_the_way(
        &self,
        policy: &Policy,
        person: &PersonId,
        replaces: Option<&CardId>,
        card_type: &CardType,
    ) -> Option<&CardId> {
        if card_type.medium != Medium::Card {
            return None;
        }
        let is_of_kind = |id: &&CardId| {
            let card = self.tables.cards.get(*id);
            let known = card.and_then(|card| policy.card_types.get(&card.card_type));
            known.is_some_and(|known| known.medium == Medium::Card && known.temporary == card_type.temporary)
        };
        let others = self.cards_of(person).filter(|id| Some(*id) != replaces);
        others.filter(is_of_kind).find(|id| self.is_open(id))
    }

    pub(super) fn next_number(&self, person: &PersonId, card_type: &CardType) -> Result<Option<String>, Refusal> {
        let Some(format) = &card_type.number_format else { return Ok(None) };
        if is_alias(person) {
            return Ok(Some(ERASED.to_owned()));
        }
        // Ordinals count the cards of a holder whatever their kind.
        let prefix = format.prefix.as_deref().unwrap_or_default();
        let numbers = self.numbers_of(person).filter(|number| number.starts_with(prefix));
        Ok(Some(number::next(format, person.as_str(), numbers)?))
    }

    fn numbers_of(&self, person: &PersonId) -> impl Iterator<Item = &str> {
        self.cards_of(person).filter_map(|id| self.tables.cards.get(id)?.number.as_deref())
    }

    pub(super) fn perform_desk(&mut self, order: &DeskOrder, by: &Actor, at: UnixMs) {
        let ended = self.ended_by(order).cloned();
        match order {
            DeskOrder::Issue(issue) => self.issue(issue, by, at),
            DeskOrder::Extend { card, until, .. } => {
                if let Some(known) = self.tables.cards.get_mut(card) {
                    self.desk.extended.entry(card.clone()).or_insert(known.valid_until);
                    known.valid_until = Some(*until);
                }
            }
        }
        ended.iter().for_each(|old| self.set_state(old, CardState::Closed, at));
    }

    pub(super) fn issue(&mut self, issue: &Issue, by: &Actor, at: UnixMs) {
        let policy = self.policy.as_ref();
        let card_type = policy.and_then(|policy| policy.card_types.get(&issue.card_type));
        let made = || self.next_number(&issue.person, card_type?).ok().flatten();
        let number = issue.number.clone().or_else(made);
        let old = issue.replaces.as_ref().and_then(|old| self.tables.cards.get(old));
        let used = self.approved_application(&issue.person, &issue.card_type).cloned();
        let issued = Issued {
            cause: issue.cause,
            replaces: issue.replaces.clone(),
            returned: issue.returned,
            fee: policy.and_then(|policy| fee(policy, issue, old)),
            document: issue.document.clone(),
            by: by.clone(),
            at,
        };
        if let Some(applied) = used.and_then(|id| self.applications.get_mut(&id)) {
            applied.state = ApplicationState::Used;
        }
        let card = Card {
            person: issue.person.clone(),
            card_type: issue.card_type.clone(),
            state: CardState::Produced,
            issued_on: issue.issued_on,
            valid_until: issue.valid_until,
            number,
        };
        self.desk.issued.insert(issue.card.clone(), issued);
        self.cards_of.entry(issue.person.clone()).or_default().insert(issue.card.clone());
        self.tables.cards.insert(issue.card.clone(), card);
    }

    pub(super) fn activate(&mut self, card: &CardId, at: UnixMs) {
        let ended: Vec<_> = self.superseded_by(card).cloned().collect();
        self.set_state(card, CardState::Active, at);
        ended.iter().for_each(|old| self.set_state(old, CardState::Closed, at));
    }

    /// The last day that a card has once a folder says one of it: an extension stays while the folder says what it said.
    pub(super) fn last_day_after_import(&mut self, id: &CardId, said: Option<Day>) -> Option<Day> {
        if self.desk.extended.get(id) == Some(&said) {
            return self.tables.cards.get(id).map_or(said, |card| card.valid_until);
        }
        self.desk.extended.remove(id);
        said
    }

    /// The cards of a person that are not closed.
    pub fn open_cards_of(&self, person: &PersonId) -> impl Iterator<Item = &CardId> {
        self.cards_of(person).filter(|card| self.is_open(card))
    }

    fn is_open(&self, card: &CardId) -> bool {
        self.tables.cards.get(card).is_some_and(|card| card.state != CardState::Closed)
    }

    /// Whether a card is one of medium `card` that stands in for no other.
    fn is_own(&self, card: &Card) -> bool {
        self.type_of(card).is_some_and(|card_type| card_type.medium == Medium::Card && !card_type.temporary)
    }

    fn is_stand_in(&self, card: &CardId) -> bool {
        let card = self.tables.cards.get(card).and_then(|card| self.type_of(card));
        card.is_some_and(|card_type| card_type.temporary)
    }

    fn type_of(&self, card: &Card) -> Option<&CardType> {
        self.policy.as_ref()?.card_types.get(&card.card_type)
    }
}

fn check_document(document: &str) -> Result<(), Refusal> {
    check_text(document).map_err(|error| Refusal::Text { what: "the document", error })
}
