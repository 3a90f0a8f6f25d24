//! What feeds push, in the directory: whom it takes, and how it stands beside what folders say.
//!
//! The later word holds: a feed changes what a folder brought, and a folder changes what a feed pushed only where it says something
//! else than the folder before.

use super::{Directory, Refusal};
use crate::command::check_text;
use crate::erasure::is_alias;
use crate::feed::{AFFILIATIONS_MAX, Alias, FeedOrder, PEOPLE_MAX, Pushed, version};
use crate::model::{Person, PersonId, Policy};
use crate::touched::{Reach, Touched};
use doorward_protocol::id::Hash;
use doorward_protocol::time::Day;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

impl Directory {
    /// Under which names feeds know a person; of whom none has said one, the id is the name.
    #[must_use]
    pub fn alias(&self, id: &PersonId) -> Cow<'_, Alias> {
        self.aliases.get(id).map_or_else(|| Cow::Owned(Alias::of_id(id)), Cow::Borrowed)
    }

    /// The person of a user name, whatever the case of its letters; an id that nothing else was said of is one, too.
    #[must_use]
    pub fn person_of_user_name(&self, name: &str) -> Option<&PersonId> {
        let named = self.user_names.get(&name.to_lowercase());
        named.or_else(|| {
            let id = PersonId::new(name).ok()?;
            self.tables.people.get_key_value(&id).map(|(id, _)| id).filter(|id| !self.aliases.contains_key(*id))
        })
    }

    /// Those of whom the feed has this id of its own.
    #[must_use]
    pub fn people_of_external_id(&self, external_id: &str) -> Vec<&PersonId> {
        let named = self.aliases.iter().filter(|(_, alias)| alias.external_id.as_deref() == Some(external_id));
        named.map(|(id, _)| id).collect()
    }

    /// The version of a person; `None` for somebody who was never here.
    #[must_use]
    pub fn person_version(&self, id: &PersonId) -> Option<Hash> {
        self.tables.people.get(id).map(|person| version(person, &self.alias(id)))
    }

    /// How many people would have left on a day by the word of feeds once an order is made, and how many were here on that day.
    #[must_use]
    pub fn leaving_with(&self, order: &FeedOrder, day: Day) -> (usize, usize) {
        let leaves = |id: &PersonId| {
            let pushed = order.people.get(id).map(|pushed| &pushed.person);
            let person = pushed.or_else(|| self.tables.people.get(id).filter(|_| self.aliases.contains_key(id)));
            person.is_some_and(|person| person.left_on == Some(day))
        };
        let here = self.tables.people.values().filter(|person| person.left_on.is_none_or(|left_on| day <= left_on));
        let new = order.people.keys().filter(|id| !self.tables.people.contains_key(*id) && leaves(id));
        (self.tables.people.keys().filter(|id| leaves(id)).count().saturating_add(new.count()), here.count())
    }

    pub(super) fn check_feed(&self, order: &FeedOrder) -> Result<(), Refusal> {
        let policy = self.policy.as_ref().ok_or(Refusal::NothingImported)?;
        if !(1..=PEOPLE_MAX).contains(&order.people.len()) {
            return Err(Refusal::FeedSize(order.people.len()));
        }
        let mut names = BTreeSet::new();
        for (id, pushed) in &order.people {
            self.check_pushed(policy, id, pushed)?;
            let name = &pushed.alias.user_name;
            let other = self.person_of_user_name(name).filter(|other| *other != id);
            let is_free = other.is_none_or(|other| order.people.contains_key(other));
            if !is_free || !names.insert(name.to_lowercase()) {
                return Err(Refusal::UserNameTaken(name.clone()));
            }
        }
        Ok(())
    }

    fn check_pushed(&self, policy: &Policy, id: &PersonId, pushed: &Pushed) -> Result<(), Refusal> {
        let Pushed { person, alias, before } = pushed;
        // Of somebody who was erased the rows before say other things than they did.
        if self.person_version(id) != *before && !is_alias(id) {
            return Err(Refusal::PersonChanged(id.clone()));
        }
        let text = |what, text: &str| check_text(text).map_err(|error| Refusal::Text { what, error });
        text("the name", &person.name)?;
        text("the user name", &alias.user_name)?;
        alias.external_id.iter().try_for_each(|external| text("the external id", external))?;
        Refusal::unless_known("category", &person.category, &policy.categories)?;
        if person.affiliations.len() > AFFILIATIONS_MAX {
            return Err(Refusal::TooManyAffiliations(id.clone()));
        }
        for affiliation in &person.affiliations {
            Refusal::unless_known("unit", &affiliation.unit, &self.tables.units)?;
            if let (Some(from), Some(until)) = (affiliation.days.from, affiliation.days.until)
                && until < from
            {
                return Err(Refusal::NoDays { from, until });
            }
        }
        Ok(())
    }

    pub(super) fn touched_by_feed(order: &FeedOrder) -> Touched {
        let mut touched = Touched::default();
        for id in order.people.keys() {
            touched.add_subject(&crate::model::Subject::Person(id.clone()), Reach::Everywhere);
        }
        touched
    }

    pub(super) fn perform_feed(&mut self, order: &FeedOrder) {
        for (id, Pushed { person, alias, before: _ }) in &order.people {
            let known = self.tables.people.get(id).cloned();
            if self.folder_people.entry(id.clone()).or_insert(known).as_ref() == Some(person) {
                self.folder_people.remove(id);
            }
            self.leave_units(id);
            for affiliation in &person.affiliations {
                self.members.entry(affiliation.unit.clone()).or_default().insert(id.clone());
            }
            self.tables.people.insert(id.clone(), Person::clone(person));
            if let Some(old) = self.aliases.insert(id.clone(), alias.clone())
                && self.user_names.get(&old.user_name.to_lowercase()) == Some(id)
            {
                self.user_names.remove(&old.user_name.to_lowercase());
            }
            self.user_names.insert(alias.user_name.to_lowercase(), id.clone());
        }
    }

    pub(super) fn forget_names(&mut self, id: &PersonId) {
        if let Some(alias) = self.aliases.remove(id) {
            self.user_names.remove(&alias.user_name.to_lowercase());
        }
    }

    /// Whom a folder brings anew, the feed that took that person back has again.
    pub(super) fn show_again<'a>(&mut self, people: impl IntoIterator<Item = &'a PersonId>) {
        for id in people {
            if let Some(alias) = self.aliases.get_mut(id) {
                alias.withdrawn = false;
            }
        }
    }
}

/// The people of user names, which follow from the names of people.
pub(super) fn user_names(aliases: &BTreeMap<PersonId, Alias>) -> BTreeMap<String, PersonId> {
    aliases.iter().map(|(id, alias)| (alias.user_name.to_lowercase(), id.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::difference::Difference;
    use crate::model::{Affiliation, Campus};
    use crate::testing::{campus, directory, id, take};
    use doorward_protocol::time::DayRange;

    fn pushed(directory: &Directory, person: &str, edit: impl FnOnce(&mut Pushed)) -> FeedOrder {
        let id: PersonId = id(person);
        let new = || Person {
            name: "New".into(),
            category: crate::testing::id("staff"),
            ends_on: None,
            left_on: None,
            affiliations: BTreeSet::new(),
        };
        let person = directory.tables().people.get(&id).cloned().unwrap_or_else(new);
        let (alias, before) = (directory.alias(&id).into_owned(), directory.person_version(&id));
        let mut pushed = Pushed { person, alias, before };
        edit(&mut pushed);
        FeedOrder { people: [(id, pushed)].into() }
    }

    fn push(directory: &mut Directory, person: &str, edit: impl FnOnce(&mut Pushed)) -> Result<(), Refusal> {
        let order = pushed(directory, person, edit);
        take(directory, Command::Feed(order)).map(|_| ())
    }

    fn import(directory: &mut Directory, folder: &Campus) {
        let difference = Box::new(Difference::between(directory, folder));
        take(directory, Command::Import { difference }).unwrap();
    }

    fn name_of(directory: &Directory, person: &str) -> String {
        directory.tables().people[&id(person)].name.clone()
    }

    #[test]
    fn whom_a_feed_brings_no_folder_takes_away() {
        let mut directory = directory();
        push(&mut directory, "new", |new| {
            new.person.affiliations.insert(Affiliation { unit: id("arts"), days: DayRange::ALWAYS });
        })
        .unwrap();
        assert_eq!(directory.members_of(&id("arts")).map(PersonId::as_str).collect::<Vec<_>>(), ["bob", "new"]);
        let again = Difference::between(&directory, &campus());
        assert!(again.is_empty(), "{again:?}");
        push(&mut directory, "new", |new| new.person.left_on = Day::parse("2026-04-01")).unwrap();
        assert!(Difference::between(&directory, &campus()).is_empty() && directory.is_gone(&id("new")));
    }

    #[test]
    fn the_later_word_holds_and_a_stale_folder_is_none() {
        let (mut directory, mut folder) = (directory(), campus());
        push(&mut directory, "bob", |bob| bob.person.name = "Robert".into()).unwrap();
        import(&mut directory, &folder);
        assert_eq!(name_of(&directory, "bob"), "Robert", "the folder says what it said");
        folder.tables.people.get_mut(&id("bob")).unwrap().name = "Bobby".into();
        import(&mut directory, &folder);
        assert_eq!(name_of(&directory, "bob"), "Bobby");
        push(&mut directory, "bob", |bob| bob.alias.withdrawn = true).unwrap();
        import(&mut directory, &folder);
        assert!(directory.alias(&id("bob")).withdrawn);
        folder.tables.people.get_mut(&id("bob")).unwrap().name = "Bob".into();
        import(&mut directory, &folder);
        assert!(!directory.alias(&id("bob")).withdrawn, "the folder brings him anew");
        folder.tables.people.remove(&id("bob"));
        folder.tables.cards.retain(|_, card| card.person != id("bob"));
        push(&mut directory, "bob", |bob| bob.person.name = "Rob".into()).unwrap();
        import(&mut directory, &folder);
        assert!(directory.tables().people[&id("bob")].left_on.is_some(), "vanished from the folder after that");
    }

    #[test]
    fn an_order_that_was_worked_out_from_an_older_row_is_refused() {
        let mut directory = directory();
        let stale = pushed(&directory, "bob", |bob| bob.person.name = "Stale".into());
        push(&mut directory, "bob", |bob| bob.alias.external_id = Some("e1".into())).unwrap();
        assert_eq!(take(&mut directory, Command::Feed(stale)), Err(Refusal::PersonChanged(id("bob"))));
        let new = pushed(&directory, "new", |_| {});
        push(&mut directory, "new", |_| {}).unwrap();
        assert_eq!(take(&mut directory, Command::Feed(new)), Err(Refusal::PersonChanged(id("new"))));
    }

    #[test]
    fn user_names_are_of_one_person_each_whatever_the_case() {
        let mut directory = directory();
        push(&mut directory, "bob", |bob| bob.alias.user_name = "Bob@campus.example".into()).unwrap();
        assert_eq!(directory.person_of_user_name("bob@CAMPUS.example"), Some(&id("bob")));
        assert_eq!(directory.person_of_user_name("bob"), None, "that was only for want of another");
        assert_eq!(directory.person_of_user_name("ann"), Some(&id("ann")));
        for taken in ["BOB@campus.example", "ann"] {
            let refused = push(&mut directory, "sue", |sue| sue.alias.user_name = taken.into());
            assert_eq!(refused, Err(Refusal::UserNameTaken(taken.into())));
        }
        push(&mut directory, "bob", |bob| bob.alias.user_name = "robert".into()).unwrap();
        push(&mut directory, "sue", |sue| sue.alias.user_name = "bob@campus.example".into()).unwrap();
        assert_eq!(directory.person_of_user_name("Bob@campus.example"), Some(&id("sue")));
    }

    #[test]
    fn what_is_pushed_names_what_there_is() {
        let mut directory = directory();
        let unknown = push(&mut directory, "new", |new| new.person.category = id("stuff")).unwrap_err().to_string();
        assert!(unknown.contains("did you mean `staff`"), "{unknown}");
        let days = DayRange { from: Some(Day(2)), until: Some(Day(1)) };
        for affiliation in
            [Affiliation { unit: id("art"), days: DayRange::ALWAYS }, Affiliation { unit: id("arts"), days }]
        {
            assert!(
                push(&mut directory, "new", |new| {
                    new.person.affiliations.insert(affiliation);
                })
                .is_err()
            );
        }
        assert!(push(&mut directory, "new", |new| new.person.name = "\u{1b}[2J".into()).is_err());
        assert!(push(&mut directory, "new", |new| new.alias.user_name = " ".into()).is_err());
        let nobody = FeedOrder { people: BTreeMap::new() };
        assert_eq!(take(&mut directory, Command::Feed(nobody)), Err(Refusal::FeedSize(0)));
        let many = |new: &mut Pushed| {
            let of = |day| Affiliation { unit: id("arts"), days: DayRange { from: Some(Day(day)), until: None } };
            new.person.affiliations.extend((0..=64).map(of));
        };
        assert_eq!(push(&mut directory, "new", many), Err(Refusal::TooManyAffiliations(id("new"))));
    }
}
