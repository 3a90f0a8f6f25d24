//! Rosters and batches in the directory: who can be put on them, and the cards that come of them.

use super::{Directory, Refusal};
use crate::command::Actor;
use crate::desk::{Cause, Issue};
use crate::erasure::ERASED;
use crate::model::{CardId, PersonId, Policy, UnitId};
use crate::photo::PhotoState;
use crate::production::{
    Batch, BatchId, Campaign, CampaignId, Mark, Ordered, PEOPLE_MAX, Production, ProductionOrder, Roster, RosterState,
};
use doorward_protocol::time::{Day, UnixMs};
use std::collections::{BTreeMap, BTreeSet};

/// People who are named in a refusal; the others are counted.
const NAMED_MAX: usize = 5;

impl Directory {
    /// Rosters and batches.
    #[must_use]
    pub const fn production(&self) -> &Production {
        &self.production
    }

    pub(super) fn check_production(&self, order: &ProductionOrder) -> Result<(), Refusal> {
        let policy = self.policy.as_ref().ok_or(Refusal::NothingImported)?;
        match order {
            ProductionOrder::Enter { campaign, unit, people } => self.check_enter(policy, campaign, unit, people),
            ProductionOrder::Strike { campaign, unit, people } => {
                let roster = self.roster_in(policy, campaign, unit, &[RosterState::Open])?;
                let others: Vec<_> = people.iter().filter(|person| !roster.people.contains(*person)).collect();
                none_of(&others, "not on this roster")
            }
            ProductionOrder::Confirm { campaign, unit } => {
                let roster = self.roster_in(policy, campaign, unit, &[RosterState::Open])?;
                if roster.people.is_empty() {
                    return Err(Refusal::NobodyToOrder);
                }
                let has_photo = |person: &PersonId| {
                    self.photos.get(person).is_some_and(|photo| photo.state == PhotoState::Approved)
                };
                let without: Vec<_> = roster.people.iter().filter(|person| !has_photo(person)).collect();
                none_of(&without, "without an approved photo; approve theirs, or take them off the roster")
            }
            ProductionOrder::Accept { campaign, unit } => {
                self.roster_in(policy, campaign, unit, &[RosterState::Confirmed]).map(|_| ())
            }
            ProductionOrder::Return { campaign, unit, reason } => {
                super::check_reason(reason)?;
                let taken = [RosterState::Confirmed, RosterState::Accepted];
                let roster = self.roster_in(policy, campaign, unit, &taken)?;
                let is_ordered = |person: &&PersonId| self.production.is_ordered(campaign, person);
                let ordered: Vec<_> = roster.people.iter().filter(is_ordered).collect();
                none_of(&ordered, "in a batch already")
            }
            ProductionOrder::Order { batch, campaign, unit } => {
                self.check_order(policy, batch, campaign, unit.as_ref())
            }
            ProductionOrder::Deliver { batch, issued_on, cards } => {
                self.check_deliver(policy, batch, *issued_on, cards)
            }
        }
    }

    fn check_enter(
        &self,
        policy: &Policy,
        campaign: &CampaignId,
        unit: &UnitId,
        people: &BTreeSet<PersonId>,
    ) -> Result<(), Refusal> {
        let known = campaign_in(policy, campaign)?;
        Refusal::unless_known("unit", unit, &self.tables.units)?;
        let rosters = self.production.rosters.get(campaign);
        if let Some(roster) = rosters.and_then(|rosters| rosters.get(unit)) {
            is_in(roster, campaign, unit, &[RosterState::Open])?;
            bounded(roster.people.union(people).count())?;
        }
        bounded(people.len())?;
        for person in people {
            Refusal::unless_known("person", person, &self.tables.people)?;
            let others = rosters.into_iter().flatten().filter(|(other, _)| *other != unit);
            if let Some((other, _)) = others.into_iter().find(|(_, roster)| roster.people.contains(person)) {
                return Err(Refusal::OnAnotherRoster { person: person.clone(), unit: other.clone() });
            }
            // What would be refused when the card has come is refused before it is made.
            self.check_card_for(policy, known, person)?;
        }
        let is_member = |person: &&PersonId| !self.is_affiliated_below(person, unit);
        let strangers: Vec<_> = people.iter().filter(is_member).collect();
        none_of(&strangers, "not affiliated to this unit")
    }

    fn check_order(
        &self,
        policy: &Policy,
        batch: &BatchId,
        campaign: &CampaignId,
        unit: Option<&UnitId>,
    ) -> Result<(), Refusal> {
        let known = campaign_in(policy, campaign)?;
        unit.map_or(Ok(()), |unit| Refusal::unless_known("unit", unit, &self.tables.units))?;
        if self.production.batches.contains_key(batch) {
            return Err(Refusal::BatchExists(batch.clone()));
        }
        let people = self.to_order(campaign, unit);
        if people.is_empty() {
            return Err(Refusal::NobodyToOrder);
        }
        bounded(people.len())?;
        people.into_iter().try_for_each(|person| self.check_card_for(policy, known, person))
    }

    fn check_deliver(
        &self,
        policy: &Policy,
        batch: &BatchId,
        issued_on: Day,
        cards: &BTreeMap<PersonId, CardId>,
    ) -> Result<(), Refusal> {
        let known = self.production.batches.get(batch);
        let known = known.ok_or_else(|| Refusal::unknown("batch", batch.as_str(), self.production.batches.keys()))?;
        let mut seen = BTreeSet::new();
        for (person, card) in cards {
            match known.people.get(person) {
                Some(Ordered { card: None, .. }) => {}
                Some(Ordered { card: Some(card), .. }) => return Err(Refusal::CardExists(card.clone())),
                None => return none_of(&[person], "not in this batch"),
            }
            if !seen.insert(card) {
                return Err(Refusal::CardExists(card.clone()));
            }
            self.check_issue(policy, &issue_of(known, person, card, issued_on))?;
        }
        if cards.is_empty() { Err(Refusal::NobodyToOrder) } else { Ok(()) }
    }

    /// Whether somebody can have a card of a campaign; `Refusal::CardExists` cannot come of a card that has no id yet.
    fn check_card_for(&self, policy: &Policy, campaign: &Campaign, person: &PersonId) -> Result<(), Refusal> {
        let card_type = policy.card_types.get(&campaign.card_type);
        let unknown = || Refusal::unknown("card type", campaign.card_type.as_str(), policy.card_types.keys());
        let card_type = card_type.ok_or_else(unknown)?;
        self.check_entitled(policy, person, &campaign.card_type)?;
        if let Some(card) = self.card_in_the_way(policy, person, None, card_type) {
            return Err(Refusal::CardOpen { person: person.clone(), card: card.clone() });
        }
        self.next_number(person, card_type).map(|_| ())
    }

    /// People of accepted rosters who are in no batch of the campaign yet.
    fn to_order<'a>(&'a self, campaign: &'a CampaignId, unit: Option<&'a UnitId>) -> Vec<&'a PersonId> {
        let is_below = |of: &UnitId| unit.is_none_or(|unit| self.tables.unit_and_above(of).any(|above| above == unit));
        let rosters = self.production.rosters.get(campaign).into_iter().flatten();
        let accepted = rosters.filter(|(of, roster)| roster.state() == RosterState::Accepted && is_below(of));
        let people = accepted.flat_map(|(_, roster)| &roster.people);
        people.filter(|person| !self.production.is_ordered(campaign, person)).collect()
    }

    fn is_affiliated_below(&self, person: &PersonId, unit: &UnitId) -> bool {
        let affiliations = self.tables.people.get(person).into_iter().flat_map(|person| &person.affiliations);
        let mut above = affiliations.flat_map(|affiliation| self.tables.unit_and_above(&affiliation.unit));
        above.any(|above| above == unit)
    }

    fn roster_in(
        &self,
        policy: &Policy,
        campaign: &CampaignId,
        unit: &UnitId,
        states: &[RosterState],
    ) -> Result<&Roster, Refusal> {
        campaign_in(policy, campaign)?;
        let rosters = self.production.rosters.get(campaign);
        let roster = rosters.and_then(|rosters| rosters.get(unit));
        let units = || rosters.into_iter().flat_map(BTreeMap::keys);
        let roster = roster.ok_or_else(|| Refusal::unknown("roster of unit", unit.as_str(), units()))?;
        is_in(roster, campaign, unit, states).map(|()| roster)
    }

    pub(super) fn perform_production(&mut self, order: &ProductionOrder, by: &Actor, at: UnixMs) {
        let mark = Mark { by: by.clone(), at };
        match order {
            ProductionOrder::Enter { campaign, unit, people } => {
                let rosters = self.production.rosters.entry(campaign.clone()).or_default();
                rosters.entry(unit.clone()).or_default().people.extend(people.iter().cloned());
            }
            ProductionOrder::Strike { campaign, unit, people } => {
                self.edit_roster(campaign, unit, |roster| roster.people.retain(|person| !people.contains(person)));
            }
            ProductionOrder::Confirm { campaign, unit } => self.edit_roster(campaign, unit, |roster| {
                roster.confirmed = Some(mark);
                roster.returned = None;
            }),
            ProductionOrder::Accept { campaign, unit } => {
                self.edit_roster(campaign, unit, |roster| roster.accepted = Some(mark));
            }
            ProductionOrder::Return { campaign, unit, reason } => self.edit_roster(campaign, unit, |roster| {
                (roster.confirmed, roster.accepted) = (None, None);
                roster.returned = Some(reason.clone());
            }),
            ProductionOrder::Order { batch, campaign, unit } => {
                self.order_batch(batch.clone(), campaign, unit.as_ref(), mark);
            }
            ProductionOrder::Deliver { batch, issued_on, cards } => {
                let Some(known) = self.production.batches.get(batch) else { return };
                let issues: Vec<_> =
                    cards.iter().map(|(person, card)| issue_of(known, person, card, *issued_on)).collect();
                issues.iter().for_each(|issue| self.issue(issue, by, at));
                if let Some(known) = self.production.batches.get_mut(batch) {
                    for (person, card) in cards {
                        known.people.entry(person.clone()).or_default().card = Some(card.clone());
                    }
                }
            }
        }
    }

    fn edit_roster(&mut self, campaign: &CampaignId, unit: &UnitId, edit: impl FnOnce(&mut Roster)) {
        let rosters = self.production.rosters.get_mut(campaign);
        if let Some(roster) = rosters.and_then(|rosters| rosters.get_mut(unit)) {
            edit(roster);
        }
    }

    fn order_batch(&mut self, id: BatchId, campaign: &CampaignId, unit: Option<&UnitId>, ordered: Mark) {
        let Some(policy) = &self.policy else { return };
        let Some(known) = policy.campaigns.get(campaign) else { return };
        let number = |person: &PersonId| {
            let card_type = policy.card_types.get(&known.card_type)?;
            self.next_number(person, card_type).ok().flatten()
        };
        let people = self.to_order(campaign, unit).into_iter();
        let people = people.map(|person| (person.clone(), Ordered { number: number(person), card: None })).collect();
        let (campaign, card_type) = (campaign.clone(), known.card_type.clone());
        let batch = Batch { campaign, unit: unit.cloned(), card_type, people, ordered };
        self.production.batches.insert(id, batch);
    }

    /// What was ordered stays, under a pseudonym.
    pub(super) fn erase_from_batches(&mut self, person: &PersonId, alias: &PersonId) {
        for batch in self.production.batches.values_mut() {
            if let Some(ordered) = batch.people.remove(person) {
                let number = ordered.number.map(|_| ERASED.to_owned());
                batch.people.insert(alias.clone(), Ordered { number, ..ordered });
            }
        }
    }

    /// Nobody who has left the folder stays on a roster; what was ordered stays as it was.
    pub(super) fn forget_on_rosters(&mut self, person: &PersonId) {
        let rosters = self.production.rosters.values_mut().flat_map(BTreeMap::values_mut);
        rosters.for_each(|roster| {
            roster.people.remove(person);
        });
    }
}

fn campaign_in<'a>(policy: &'a Policy, campaign: &CampaignId) -> Result<&'a Campaign, Refusal> {
    let unknown = || Refusal::unknown("campaign", campaign.as_str(), policy.campaigns.keys());
    policy.campaigns.get(campaign).ok_or_else(unknown)
}

fn is_in(roster: &Roster, campaign: &CampaignId, unit: &UnitId, states: &[RosterState]) -> Result<(), Refusal> {
    if states.contains(&roster.state()) {
        return Ok(());
    }
    Err(Refusal::RosterState { campaign: campaign.clone(), unit: unit.clone(), state: roster.state() })
}

/// The card of somebody in a batch, as the card desk would issue it.
fn issue_of(batch: &Batch, person: &PersonId, card: &CardId, issued_on: Day) -> Issue {
    Issue {
        card: card.clone(),
        person: person.clone(),
        card_type: batch.card_type.clone(),
        cause: Cause::First,
        replaces: None,
        returned: false,
        number: batch.people.get(person).and_then(|ordered| ordered.number.clone()),
        issued_on,
        valid_until: None,
        document: None,
    }
}

fn bounded(people: usize) -> Result<(), Refusal> {
    if people > PEOPLE_MAX { Err(Refusal::TooManyPeople(people)) } else { Ok(()) }
}

fn none_of(people: &[&PersonId], what: &'static str) -> Result<(), Refusal> {
    if people.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = people.iter().take(NAMED_MAX).map(|person| format!("`{person}`")).collect();
    let others = match people.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    Err(Refusal::People { people: format!("{}{others}", named.join(", ")), what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::model::CardState;
    use crate::photo::PhotoOrder;
    use crate::testing::{campus, directory_of, id, take};
    use doorward_protocol::id::Hash;
    use doorward_protocol::time::DayRange;

    /// Ann of physics and sue of science have no card; the campaign makes some.
    fn directory() -> Directory {
        let mut folder = campus();
        folder.tables.cards.retain(|_, card| card.person != id("ann") && card.person != id("sue"));
        let always = DayRange::default();
        let stages = crate::production::Stage::ALL.map(|stage| (stage, always)).into();
        let campaign = Campaign { name: "Spring".into(), card_type: id("card"), stages };
        folder.policy.campaigns.insert(id("spring"), campaign);
        directory_of(&folder)
    }

    fn people(names: &[&str]) -> BTreeSet<PersonId> {
        names.iter().map(|name| id(name)).collect()
    }

    fn enter(unit: &str, names: &[&str]) -> Command {
        Command::Production(ProductionOrder::Enter { campaign: id("spring"), unit: id(unit), people: people(names) })
    }

    fn strike(unit: &str, names: &[&str]) -> Command {
        Command::Production(ProductionOrder::Strike { campaign: id("spring"), unit: id(unit), people: people(names) })
    }

    fn confirm(unit: &str) -> Command {
        Command::Production(ProductionOrder::Confirm { campaign: id("spring"), unit: id(unit) })
    }

    fn accept(unit: &str) -> Command {
        Command::Production(ProductionOrder::Accept { campaign: id("spring"), unit: id(unit) })
    }

    fn order(batch: &str) -> Command {
        Command::Production(ProductionOrder::Order { batch: id(batch), campaign: id("spring"), unit: None })
    }

    fn deliver(batch: &str, cards: &[(&str, &str)]) -> Command {
        let cards = cards.iter().map(|(person, card)| (id(person), id(card))).collect();
        let issued_on = Day::parse("2026-03-02").unwrap();
        Command::Production(ProductionOrder::Deliver { batch: id(batch), issued_on, cards })
    }

    fn approve_photo(directory: &mut Directory, person: &str) {
        let (person, image): (PersonId, _) = (id(person), Hash([1; 32]));
        take(directory, Command::Photo(PhotoOrder::Submit { person: person.clone(), image })).unwrap();
        take(directory, Command::Photo(PhotoOrder::Approve { person, image })).unwrap();
    }

    fn refused(directory: &mut Directory, command: Command) -> String {
        take(directory, command).unwrap_err().to_string()
    }

    #[test]
    fn only_approved_photos_confirmed_by_the_department_and_then_by_the_office_become_cards() {
        let mut directory = directory();
        take(&mut directory, enter("physics", &["ann"])).unwrap();
        assert_eq!(
            refused(&mut directory, confirm("physics")),
            "`ann`: without an approved photo; approve theirs, or take them off the roster"
        );
        assert!(refused(&mut directory, accept("physics")).ends_with("is open; its unit has to confirm it first"));
        approve_photo(&mut directory, "ann");
        take(&mut directory, confirm("physics")).unwrap();
        assert!(refused(&mut directory, enter("physics", &["ann"])).contains("is confirmed"));
        assert!(refused(&mut directory, order("b1")).starts_with("nobody is on it"));
        take(&mut directory, accept("physics")).unwrap();
        take(&mut directory, order("b1")).unwrap();
        assert!(refused(&mut directory, order("b2")).starts_with("nobody is on it"), "each is ordered once");
        assert!(refused(&mut directory, deliver("b1", &[("sue", "N")])).contains("not in this batch"));
        let touched = take(&mut directory, deliver("b1", &[("ann", "N")])).unwrap();
        assert_eq!(touched.cards, [id("N")].into());
        let card = &directory.tables().cards[&id("N")];
        assert_eq!((card.state, &card.person), (CardState::Produced, &id("ann")));
        assert!(refused(&mut directory, deliver("b1", &[("ann", "M")])).contains("`N`"));
        take(&mut directory, Command::CardActivate { card: id("N") }).unwrap();
        assert_eq!(directory.production().campaign_of(&id("N")), Some(&id("spring")));
    }

    #[test]
    fn a_roster_holds_people_of_its_unit_who_have_no_card_and_each_on_one() {
        let mut directory = directory();
        assert!(refused(&mut directory, enter("physics", &["sue"])).contains("not affiliated"));
        assert!(refused(&mut directory, enter("arts", &["bob"])).contains("has card `B`"));
        assert!(refused(&mut directory, enter("physics", &["zoe"])).contains("person `zoe` is not known"));
        take(&mut directory, enter("science", &["ann", "sue"])).unwrap();
        assert!(refused(&mut directory, enter("physics", &["ann"])).contains("on the roster of unit `science`"));
        assert!(refused(&mut directory, strike("science", &["bob"])).contains("not on this roster"));
        take(&mut directory, strike("science", &["ann"])).unwrap();
        take(&mut directory, enter("physics", &["ann"])).unwrap();
    }

    #[test]
    fn a_roster_that_is_given_back_is_open_until_its_cards_are_ordered() {
        let mut directory = directory();
        take(&mut directory, enter("science", &["sue"])).unwrap();
        approve_photo(&mut directory, "sue");
        take(&mut directory, confirm("science")).unwrap();
        let give_back = || {
            let (campaign, unit) = (id("spring"), id("science"));
            Command::Production(ProductionOrder::Return { campaign, unit, reason: "she has left".into() })
        };
        take(&mut directory, give_back()).unwrap();
        take(&mut directory, strike("science", &["sue"])).unwrap();
        take(&mut directory, enter("science", &["sue"])).unwrap();
        take(&mut directory, confirm("science")).unwrap();
        take(&mut directory, accept("science")).unwrap();
        take(&mut directory, order("b1")).unwrap();
        assert!(refused(&mut directory, give_back()).contains("in a batch already"));
    }
}
