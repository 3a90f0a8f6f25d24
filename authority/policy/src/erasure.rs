//! What commands say of one person: found, and replaced by a pseudonym that says nothing, so that the journal can still be folded.
//!
//! What is left of somebody who was erased: that there was somebody of a category, in these units and batches, with cards that
//! readers knew by these ids, since closed cards must stay closed. Name, person id, printed numbers, photos, documents and
//! reasons go.

use crate::application::{ApplicationId, ApplicationOrder};
use crate::command::{Actor, Command};
use crate::desk::DeskOrder;
use crate::difference::Difference;
use crate::feed::{Alias, FeedOrder, Pushed};
use crate::model::{CardId, Grant, GrantId, PersonId, Policy, Subject};
use crate::office::OfficeOrder;
use crate::office::authorize::HOLDER_PREFIX;
use crate::office::requests::{RequestId, RequestOrder};
use crate::photo::PhotoOrder;
use crate::production::ProductionOrder;
use doorward_protocol::id::Hash;
use std::collections::BTreeSet;

/// What stands where something was erased.
pub const ERASED: &str = "erased";
/// How the pseudonym of somebody begins who was erased.
pub const ALIAS_PREFIX: &str = "erased-";

/// Whether an id is the pseudonym of somebody who was erased.
#[must_use]
pub fn is_alias(person: &PersonId) -> bool {
    person.as_str().starts_with(ALIAS_PREFIX)
}

/// A person, and what has been that one's in the commands that were followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    person: PersonId,
    cards: BTreeSet<CardId>,
    grants: BTreeSet<GrantId>,
    requests: BTreeSet<RequestId>,
    applications: BTreeSet<ApplicationId>,
    names: BTreeSet<String>,
}

impl Trail {
    /// Of a person of whom nothing is known yet.
    #[must_use]
    pub const fn of(person: PersonId) -> Self {
        Self {
            person,
            cards: BTreeSet::new(),
            grants: BTreeSet::new(),
            requests: BTreeSet::new(),
            applications: BTreeSet::new(),
            names: BTreeSet::new(),
        }
    }

    /// The cards that have been the person's.
    #[must_use]
    pub const fn cards(&self) -> &BTreeSet<CardId> {
        &self.cards
    }

    /// The names that the person has had.
    #[must_use]
    pub const fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// What stands in a command, spelled as JSON, that can be about the person.
    #[must_use]
    pub fn words(&self) -> BTreeSet<String> {
        let cards = self.cards.iter().map(CardId::as_str);
        let (grants, requests) = (self.grants.iter().map(GrantId::as_str), self.requests.iter().map(RequestId::as_str));
        let applications = self.applications.iter().map(ApplicationId::as_str);
        let ids = [self.person.as_str()].into_iter().chain(cards).chain(grants).chain(requests).chain(applications);
        // Ids need no escapes.
        ids.map(|id| format!("\"{id}\"")).collect()
    }

    /// Takes note of what a command gives the person.
    pub fn follow(&mut self, command: &Command) {
        match command {
            Command::Import { difference } => {
                let own = difference.cards.put.iter().filter(|(_, card)| card.person == self.person);
                self.cards.extend(own.map(|(id, _)| id.clone()));
                let grants = difference.grants.put.iter().filter(|(_, grant)| self.gains(grant));
                let grants: Vec<_> = grants.map(|(id, _)| id.clone()).collect();
                self.grants.extend(grants);
                self.names.extend(difference.people.put.get(&self.person).map(|person| person.name.clone()));
            }
            Command::Desk(DeskOrder::Issue(issue)) if issue.person == self.person => {
                self.cards.insert(issue.card.clone());
            }
            Command::GrantAdd { id, grant } if self.gains(grant) => {
                self.grants.insert(id.clone());
            }
            Command::Request(RequestOrder::Ask { id, wish }) if self.gains(&wish.grant) => {
                self.requests.insert(id.clone());
            }
            Command::Request(RequestOrder::Approve { id, grant, .. }) if self.requests.contains(id) => {
                self.grants.insert(grant.clone());
            }
            Command::Production(ProductionOrder::Deliver { cards, .. }) => {
                self.cards.extend(cards.get(&self.person).cloned());
            }
            Command::Application(ApplicationOrder::Apply { id, application }) if application.person == self.person => {
                self.applications.insert(id.clone());
            }
            Command::Feed(order) => {
                let pushed = order.people.get(&self.person);
                let names = |pushed: &Pushed| {
                    let Alias { user_name, external_id, .. } = pushed.alias.clone();
                    [Some(pushed.person.name.clone()), Some(user_name), external_id].into_iter().flatten()
                };
                self.names.extend(pushed.into_iter().flat_map(names));
            }
            Command::Application(_)
            | Command::CardFound { .. }
            | Command::Found { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::CardSuspend { .. }
            | Command::CardResume { .. }
            | Command::CardActivate { .. }
            | Command::CardClose { .. }
            | Command::Production(_)
            | Command::Desk(_)
            | Command::Photo(_)
            | Command::LockDown { .. }
            | Command::Release { .. }
            | Command::GrantAdd { .. }
            | Command::GrantEnd { .. }
            | Command::GrantConfirm { .. }
            | Command::Request(_)
            | Command::Office(_)
            | Command::PersonErase { .. } => {}
        }
    }

    /// Whether a command is about the person or what was that one's.
    #[must_use]
    pub fn concerns(&self, command: &Command) -> bool {
        match command {
            Command::Import { difference } => !self.part_of(difference).is_empty(),
            Command::CardSuspend { card, .. }
            | Command::CardResume { card, .. }
            | Command::CardActivate { card }
            | Command::CardFound { card, .. }
            | Command::CardClose { card, .. } => self.cards.contains(card),
            Command::Application(order) => self.applications.contains(order.id()),
            Command::Feed(order) => order.people.contains_key(&self.person),
            Command::Desk(order) => match order {
                DeskOrder::Issue(issue) => issue.person == self.person,
                DeskOrder::Extend { card, .. } => self.cards.contains(card),
            },
            Command::Photo(order) => *order.person() == self.person,
            Command::Production(order) => match order {
                ProductionOrder::Enter { people, .. } | ProductionOrder::Strike { people, .. } => {
                    people.contains(&self.person)
                }
                ProductionOrder::Deliver { cards, .. } => cards.contains_key(&self.person),
                ProductionOrder::Confirm { .. }
                | ProductionOrder::Accept { .. }
                | ProductionOrder::Return { .. }
                | ProductionOrder::Order { .. } => false,
            },
            Command::GrantAdd { grant, .. } => self.gains(grant),
            Command::GrantEnd { id, .. } | Command::GrantConfirm { id, .. } => self.grants.contains(id),
            Command::Request(order) => self.requests.contains(order.id()),
            Command::PersonErase { person, .. } | Command::Office(OfficeOrder::HolderInvite { person }) => {
                *person == self.person
            }
            Command::Found { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::LockDown { .. }
            | Command::Release { .. }
            | Command::Office(_) => false,
        }
    }

    /// Whether rules of a policy name the person.
    #[must_use]
    pub fn is_in_rules(&self, policy: &Policy) -> bool {
        let mut named = policy.rules.values().filter_map(|rule| rule.who.people.as_ref());
        named.any(|people| people.contains(&self.person))
    }

    /// What an import says of the person: nobody else's rows, and no policy.
    #[must_use]
    pub fn part_of(&self, difference: &Difference) -> Difference {
        let mut part = Difference { base: difference.base, ..Difference::default() };
        let row = difference.people.put.get_key_value(&self.person);
        part.people.put.extend(row.map(|(id, person)| (id.clone(), person.clone())));
        part.people.removed.extend(difference.people.removed.get(&self.person).cloned());
        part.left.extend(difference.left.get(&self.person).cloned());
        let cards = difference.cards.put.iter().filter(|(_, card)| card.person == self.person);
        part.cards.put.extend(cards.map(|(id, card)| (id.clone(), card.clone())));
        part.cards.removed.extend(difference.cards.removed.intersection(&self.cards).cloned());
        let grants = difference.grants.put.iter().filter(|(_, grant)| self.gains(grant));
        part.grants.put.extend(grants.map(|(id, grant)| (id.clone(), grant.clone())));
        part.grants.removed.extend(difference.grants.removed.intersection(&self.grants).cloned());
        part
    }

    /// What an order about many says of the person.
    #[must_use]
    pub fn part_of_order(&self, order: &ProductionOrder) -> ProductionOrder {
        let mut part = order.clone();
        match &mut part {
            ProductionOrder::Enter { people, .. } | ProductionOrder::Strike { people, .. } => {
                people.retain(|person| *person == self.person);
            }
            ProductionOrder::Deliver { cards, .. } => cards.retain(|person, _| *person == self.person),
            ProductionOrder::Confirm { .. }
            | ProductionOrder::Accept { .. }
            | ProductionOrder::Return { .. }
            | ProductionOrder::Order { .. } => {}
        }
        part
    }

    /// What a feed's order says of the person.
    #[must_use]
    pub fn part_of_feed(&self, order: &FeedOrder) -> FeedOrder {
        let row = order.people.get_key_value(&self.person);
        FeedOrder { people: row.into_iter().map(|(id, pushed)| (id.clone(), pushed.clone())).collect() }
    }

    /// Puts a pseudonym in the person's place, and nothing in the place of what tells more.
    pub fn erase_from(&self, command: &mut Command, alias: &PersonId) {
        match command {
            Command::Import { difference } => self.erase_from_import(difference, alias),
            Command::CardSuspend { card, reason }
            | Command::CardResume { card, reason }
            | Command::CardFound { card, place: reason } => erase_text(reason, self.cards.contains(card)),
            Command::CardClose { card, reason, document } => {
                let is_theirs = self.cards.contains(card);
                erase_text(reason, is_theirs);
                document.iter_mut().for_each(|document| erase_text(document, is_theirs));
            }
            Command::Application(order) => self.erase_from_application(order, alias),
            Command::Feed(order) => {
                if let Some(mut pushed) = order.people.remove(&self.person) {
                    ERASED.clone_into(&mut pushed.person.name);
                    pushed.alias = Alias { withdrawn: pushed.alias.withdrawn, ..Alias::of_id(alias) };
                    order.people.insert(alias.clone(), pushed);
                }
            }
            Command::Desk(DeskOrder::Issue(issue)) if issue.person == self.person => {
                issue.person = alias.clone();
                // A number would be made by the type's format otherwise.
                issue.number = Some(ERASED.to_owned());
                issue.document = issue.document.as_ref().map(|_| ERASED.to_owned());
            }
            Command::Desk(DeskOrder::Issue(_)) => {}
            Command::Desk(DeskOrder::Extend { card, document, .. }) => erase_text(document, self.cards.contains(card)),
            Command::Photo(order) => self.erase_from_photo(order, alias),
            Command::Production(order) => self.erase_from_production(order, alias),
            Command::GrantAdd { grant, .. } => self.erase_from_grant(grant, alias),
            Command::GrantConfirm { id, reason } => erase_text(reason, self.grants.contains(id)),
            Command::Request(order) => match order {
                RequestOrder::Ask { id, wish } => {
                    erase_text(&mut wish.reason, self.requests.contains(id));
                    self.erase_from_grant(&mut wish.grant, alias);
                }
                RequestOrder::Approve { id, reason, .. }
                | RequestOrder::Reject { id, reason }
                | RequestOrder::Withdraw { id, reason } => erase_text(reason, self.requests.contains(id)),
            },
            Command::PersonErase { person, .. } | Command::Office(OfficeOrder::HolderInvite { person }) => {
                if *person == self.person {
                    person.clone_from(alias);
                }
            }
            Command::Found { .. }
            | Command::Tick { .. }
            | Command::AgentAdd { .. }
            | Command::AgentEnrol { .. }
            | Command::AgentRemove { .. }
            | Command::CardActivate { .. }
            | Command::LockDown { .. }
            | Command::Release { .. }
            | Command::GrantEnd { .. }
            | Command::Office(_) => {}
        }
    }

    /// The name in the journal of whoever did something, with a pseudonym where it was the person.
    #[must_use]
    pub fn erase_actor(&self, actor: &Actor, alias: &PersonId) -> Actor {
        let is_theirs = actor.as_str().strip_prefix(HOLDER_PREFIX) == Some(self.person.as_str());
        let erased = is_theirs.then(|| Actor::new(&format!("{HOLDER_PREFIX}{alias}")).ok()).flatten();
        erased.unwrap_or_else(|| actor.clone())
    }

    fn erase_from_import(&self, difference: &mut Difference, alias: &PersonId) {
        if let Some(policy) = &mut difference.policy {
            self.erase_from_policy(policy, alias);
        }
        if let Some(mut person) = difference.people.put.remove(&self.person) {
            ERASED.clone_into(&mut person.name);
            difference.people.put.insert(alias.clone(), person);
        }
        for people in [&mut difference.people.removed, &mut difference.left] {
            if people.remove(&self.person) {
                people.insert(alias.clone());
            }
        }
        for card in difference.cards.put.values_mut().filter(|card| card.person == self.person) {
            card.person = alias.clone();
            card.number = None;
        }
        difference.grants.put.values_mut().for_each(|grant| self.erase_from_grant(grant, alias));
    }

    fn erase_from_policy(&self, policy: &mut Policy, alias: &PersonId) {
        for people in policy.rules.values_mut().filter_map(|rule| rule.who.people.as_mut()) {
            if people.remove(&self.person) {
                people.insert(alias.clone());
            }
        }
    }

    fn erase_from_photo(&self, order: &mut PhotoOrder, alias: &PersonId) {
        if *order.person() != self.person {
            return;
        }
        match order {
            PhotoOrder::Submit { person, image } | PhotoOrder::Approve { person, image } => {
                (*person, *image) = (alias.clone(), Hash([0; 32]));
            }
            PhotoOrder::Reject { person, image, reason } => {
                (*person, *image) = (alias.clone(), Hash([0; 32]));
                erase_text(reason, true);
            }
            PhotoOrder::Reopen { person, reason } | PhotoOrder::Remove { person, reason } => {
                *person = alias.clone();
                erase_text(reason, true);
            }
        }
    }

    /// What kinds of papers were shown stays: without them, the application would be none.
    fn erase_from_application(&self, order: &mut ApplicationOrder, alias: &PersonId) {
        match order {
            ApplicationOrder::Apply { id, application } => {
                if self.applications.contains(id) {
                    application.person = alias.clone();
                    erase_text(&mut application.reason, true);
                }
            }
            ApplicationOrder::Approve { id, reason } | ApplicationOrder::Reject { id, reason } => {
                erase_text(reason, self.applications.contains(id));
            }
        }
    }

    fn erase_from_production(&self, order: &mut ProductionOrder, alias: &PersonId) {
        match order {
            ProductionOrder::Enter { people, .. } | ProductionOrder::Strike { people, .. } => {
                if people.remove(&self.person) {
                    people.insert(alias.clone());
                }
            }
            ProductionOrder::Deliver { cards, .. } => {
                if let Some(card) = cards.remove(&self.person) {
                    cards.insert(alias.clone(), card);
                }
            }
            ProductionOrder::Confirm { .. }
            | ProductionOrder::Accept { .. }
            | ProductionOrder::Return { .. }
            | ProductionOrder::Order { .. } => {}
        }
    }

    fn erase_from_grant(&self, grant: &mut Grant, alias: &PersonId) {
        if self.gains(grant) {
            grant.subject = Subject::Person(alias.clone());
        }
    }

    fn gains(&self, grant: &Grant) -> bool {
        matches!(&grant.subject, Subject::Person(person) if *person == self.person)
    }
}

fn erase_text(text: &mut String, is_theirs: bool) {
    if is_theirs {
        ERASED.clone_into(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Entry;
    use crate::compile::Compiled;
    use crate::directory::{Directory, Refusal};
    use crate::production::Campaign;
    use crate::removal::removal_items;
    use crate::testing::{at, campus, directory, id};
    use doorward_protocol::id::ReaderKey;
    use doorward_protocol::time::UnixMs;
    use std::collections::BTreeMap;

    /// A journal in which Ann comes, is spoken of in many ways, and leaves.
    fn journal() -> Vec<Entry> {
        let mut commands =
            vec![Command::Found { reader_key: ReaderKey([0; 32]), software: "x".into(), tzdb: "y".into() }];
        let import = |base: &Directory, folder: &crate::model::Campus| Command::Import {
            difference: Box::new(Difference::between(base, folder)),
        };
        commands.push(import(&Directory::default(), &campus()));
        let text = "Ann Secret was here";
        let json = [
            format!(r#"{{"card-suspend":{{"card":"A","reason":"{text}"}}}}"#),
            format!(r#"{{"card-resume":{{"card":"A","reason":"{text}"}}}}"#),
            format!(r#"{{"photo":{{"submit":{{"person":"ann","image":"{}"}}}}}}"#, "07".repeat(32)),
            format!(r#"{{"photo":{{"reject":{{"person":"ann","image":"{}","reason":"{text}"}}}}}}"#, "07".repeat(32)),
            format!(
                r#"{{"application":{{"apply":{{"id":"a","application":{{"person":"ann","card_type":"phone","channel":"desk",
                "reason":"{text}","documents":["passport"]}}}}}}}}"#
            ),
            format!(r#"{{"application":{{"reject":{{"id":"a","reason":"{text}"}}}}}}"#),
            format!(r#"{{"card-found":{{"card":"A2","place":"{text}"}}}}"#),
        ];
        commands.extend(json.iter().map(|json| serde_json::from_str::<Command>(json).unwrap()));
        let mut folder = campus();
        folder.tables.people.remove(&id("ann"));
        folder.tables.cards.retain(|_, card| card.person != id("ann"));
        let entries = |commands: &[Command]| {
            let entry = |(seq, command): (u64, &Command)| Entry {
                seq,
                at: UnixMs(0),
                actor: Actor::system(),
                command: command.clone(),
            };
            (1..).zip(commands).map(entry).collect::<Vec<_>>()
        };
        let mut before = Directory::fold(&entries(&commands)).unwrap();
        // A feed says another name, and a later one than that.
        for name in ["Ann Secret", "Annie Secret"] {
            let mut person = before.tables().people[&id("ann")].clone();
            person.name = name.into();
            let alias = Alias { user_name: format!("{name}@x"), ..Alias::default() };
            let pushed = Pushed { person, alias, before: before.person_version(&id("ann")) };
            commands.push(Command::Feed(FeedOrder { people: [(id("ann"), pushed)].into() }));
            before = Directory::fold(&entries(&commands)).unwrap();
        }
        commands.push(import(&before, &folder));
        let (person, alias, reason) = (id("ann"), id("erased-1"), "asked for it".to_owned());
        commands.push(Command::PersonErase { person, alias, reason });
        entries(&commands)
    }

    #[test]
    fn the_journal_without_somebody_folds_to_the_same_and_says_nothing_of_that_one() {
        let mut entries = journal();
        let before = Directory::fold(&entries).unwrap();
        let mut trail = Trail::of(id("ann"));
        entries.iter().for_each(|entry| trail.follow(&entry.command));
        assert_eq!(trail.cards().iter().map(CardId::as_str).collect::<Vec<_>>(), ["A", "A2"]);
        let about = entries.iter().filter(|entry| trail.concerns(&entry.command)).count();
        assert_eq!(about, entries.len() - 1, "all but the founding");
        for entry in &mut entries {
            trail.erase_from(&mut entry.command, &id("erased-1"));
        }
        let json = serde_json::to_string(&entries).unwrap();
        for word in ["\"ann\"", "Ann", "0707"] {
            assert!(!json.contains(word), "{word} in {json}");
        }
        assert!(json.contains("Sue"), "others stay");
        assert_eq!(Directory::fold(&entries).unwrap(), before);
    }

    #[test]
    fn rosters_and_batches_fold_as_before_under_the_pseudonym() {
        let mut folder = campus();
        folder.tables.cards.retain(|_, card| card.person != id("ann"));
        let campaign = Campaign { name: "Spring".into(), card_type: id("card"), stages: BTreeMap::new() };
        folder.policy.campaigns.insert(id("spring"), campaign);
        let image = "07".repeat(32);
        let said = [
            format!(r#"{{"photo":{{"submit":{{"person":"ann","image":"{image}"}}}}}}"#),
            format!(r#"{{"photo":{{"approve":{{"person":"ann","image":"{image}"}}}}}}"#),
            r#"{"production":{"enter":{"campaign":"spring","unit":"physics","people":["ann"]}}}"#.to_owned(),
            r#"{"production":{"confirm":{"campaign":"spring","unit":"physics"}}}"#.to_owned(),
            r#"{"production":{"accept":{"campaign":"spring","unit":"physics"}}}"#.to_owned(),
            r#"{"production":{"order":{"batch":"b","campaign":"spring","unit":null}}}"#.to_owned(),
            r#"{"production":{"deliver":{"batch":"b","issued_on":20000,"cards":{"ann":"N1"}}}}"#.to_owned(),
            r#"{"card-activate":{"card":"N1"}}"#.to_owned(),
        ];
        let mut directory = Directory::default();
        let mut entries = Vec::new();
        let mut take = |directory: &mut Directory, command: Command| {
            let entry = Entry { seq: directory.head() + 1, at: UnixMs(0), actor: Actor::system(), command };
            directory.take(&entry).unwrap();
            entries.push(entry);
        };
        let import = |directory: &Directory, folder: &crate::model::Campus| Command::Import {
            difference: Box::new(Difference::between(directory, folder)),
        };
        let found = Command::Found { reader_key: ReaderKey([0; 32]), software: "x".into(), tzdb: "y".into() };
        take(&mut directory, found);
        let command = import(&directory, &folder);
        take(&mut directory, command);
        said.iter().for_each(|json| take(&mut directory, serde_json::from_str(json).unwrap()));
        folder.tables.people.remove(&id("ann"));
        let command = import(&directory, &folder);
        take(&mut directory, command);
        let (person, alias, reason) = (id("ann"), id("erased-1"), "asked".to_owned());
        take(&mut directory, Command::PersonErase { person, alias, reason });
        let mut trail = Trail::of(id("ann"));
        entries.iter().for_each(|entry| trail.follow(&entry.command));
        assert!(trail.cards().contains(&id("N1")));
        entries.iter_mut().for_each(|entry| trail.erase_from(&mut entry.command, &id("erased-1")));
        assert!(!serde_json::to_string(&entries).unwrap().contains("\"ann\""));
        assert_eq!(Directory::fold(&entries).unwrap(), directory);
    }

    #[test]
    fn a_card_that_was_still_open_goes_with_its_holder_from_every_door_at_once() {
        let mut folder = campus();
        let mut directory = directory();
        folder.tables.people.remove(&id("sue"));
        let difference = Box::new(Difference::between(&directory, &folder));
        let entry = |directory: &Directory, command| {
            let (seq, at) = (directory.head() + 1, directory.at());
            Entry { seq, at, actor: Actor::system(), command }
        };
        let import = entry(&directory, Command::Import { difference });
        directory.take(&import).unwrap();
        let grant = Grant {
            subject: Subject::Person(id("sue")),
            target: crate::model::Target::Building(id("mall")),
            schedule: None,
            days: doorward_protocol::time::DayRange::ALWAYS,
            within: None,
        };
        let lent = entry(&directory, Command::GrantAdd { id: id("lent"), grant });
        directory.take(&lent).unwrap();
        let mut compiled = Compiled::whole(&directory).unwrap();
        assert!(compiled.holders(&id("S")).next().is_some(), "days of grace may be left");
        let erase = Command::PersonErase { person: id("sue"), alias: id("erased-1"), reason: "asked".into() };
        assert_eq!(removal_items(&directory, &erase).concat().len(), 1, "doors are told ahead");
        let erase = entry(&directory, erase);
        let touched = directory.apply(&erase).unwrap();
        compiled.update(&directory, &touched).unwrap();
        let whole = Compiled::whole(&directory).unwrap();
        for (agent, state) in whole.agents() {
            assert_eq!(compiled.state(agent).unwrap().digest(), state.digest(), "{agent}");
        }
        assert!(compiled.holders(&id("S")).next().is_none() && !directory.tables().grants.contains_key(&id("lent")));
    }

    #[test]
    fn who_is_here_is_not_erased_and_the_refusal_says_what_stands_in_the_way() {
        let erase = |person: &str| {
            let command = Command::PersonErase { person: id(person), alias: id("erased-1"), reason: "asked".into() };
            let directory = directory();
            directory.check(&command, at("2026-05-01T00:00:00Z")).unwrap_err()
        };
        assert!(erase("sue").to_string().contains("an affiliation that has not ended"), "{}", erase("sue"));
        assert!(erase("old").to_string().contains("named by the campus folder or a feed"), "{}", erase("old"));
        assert!(matches!(erase("nobody"), Refusal::Unknown { kind: "person", .. }));
    }
}
