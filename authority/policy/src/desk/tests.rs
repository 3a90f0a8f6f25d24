//! The card desk at a small campus: who gets which card, what becomes of the old one, and what folders say later.

use super::{Cause, DeskOrder, Issue};
use crate::command::Command;
use crate::difference::Difference;
use crate::directory::{Directory, Refusal};
use crate::model::{CalendarSpan, Campus, CardId, CardState, Fee, NumberFormat};
use crate::removal::removal_items;
use crate::testing::{campus, id, take};
use doorward_protocol::time::Day;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// The small campus with a type of card that stands in, and fees.
fn folder() -> Campus {
    let mut folder = campus();
    let mut spare = folder.policy.card_types[&id("card")].clone();
    spare.temporary = true;
    folder.policy.card_types.insert(id("spare"), spare);
    let fee = |cause, returned, within, amount: &str| Fee { cause, returned, within, amount: amount.into() };
    folder.policy.fees = vec![
        fee(Cause::NotWorking, Some(true), Some(CalendarSpan::Months(6)), "0 KRW"),
        fee(Cause::NotWorking, None, None, "3000 KRW"),
        fee(Cause::Lost, None, None, "2000 KRW"),
    ];
    folder
}

fn desk() -> Directory {
    Directory::of_campus(&folder()).unwrap()
}

fn issue(card: &str, person: &str, cause: Cause, replaces: Option<&str>) -> Issue {
    Issue {
        card: id(card),
        person: id(person),
        card_type: id(if cause == Cause::Temporary { "spare" } else { "card" }),
        cause,
        replaces: replaces.map(id),
        returned: false,
        number: None,
        issued_on: day("2026-06-01"),
        valid_until: None,
        document: None,
    }
}

fn order(issue: Issue) -> Command {
    Command::Desk(DeskOrder::Issue(Box::new(issue)))
}

fn activate(card: &str) -> Command {
    Command::CardActivate { card: id(card) }
}

fn state(directory: &Directory, card: &str) -> CardState {
    directory.tables().cards[&id::<CardId>(card)].state
}

fn import(directory: &mut Directory, folder: &Campus) {
    let difference = Box::new(Difference::between(directory, folder));
    take(directory, Command::Import { difference }).unwrap();
}

#[test]
fn everyone_has_one_card_and_may_have_one_that_stands_in() {
    let mut desk = desk();
    let refused = take(&mut desk, order(issue("new", "ann", Cause::First, None))).unwrap_err();
    assert_eq!(refused.to_string(), "person `ann` has card `A`, and everyone has one; replace it, or close it first");
    take(&mut desk, order(issue("spare", "ann", Cause::Temporary, None))).unwrap();
    let again = take(&mut desk, order(issue("spare-2", "ann", Cause::Temporary, None)));
    assert_eq!(again, Err(Refusal::CardOpen { person: id("ann"), card: id("spare") }));
    let mut phone = issue("phone", "bob", Cause::First, None);
    phone.card_type = id("phone");
    take(&mut desk, order(phone)).unwrap();
    take(&mut desk, order(issue("new", "ann", Cause::Lost, Some("A")))).unwrap();
    let third = take(&mut desk, order(issue("newer", "ann", Cause::Lost, Some("A"))));
    assert_eq!(third, Err(Refusal::CardOpen { person: id("ann"), card: id("new") }), "one is on its way already");
}

#[test]
fn a_lost_card_ends_with_the_order_for_the_new_one_and_doors_are_told_ahead() {
    for cause in [Cause::Lost, Cause::Stolen, Cause::Destroyed] {
        let mut desk = desk();
        let command = order(issue("new", "ann", cause, Some("A")));
        assert_eq!(removal_items(&desk, &command).concat().len(), 1, "the old card");
        let touched = take(&mut desk, command).unwrap();
        assert!(touched.card_states.contains(&id("A")) && touched.cards.contains(&id("new")));
        assert_eq!((state(&desk, "A"), state(&desk, "new")), (CardState::Closed, CardState::Produced));
        take(&mut desk, activate("new")).unwrap();
        assert_eq!(state(&desk, "new"), CardState::Active);
    }
}

#[test]
fn a_card_that_is_still_good_ends_when_it_comes_back_or_the_new_one_comes_into_use() {
    for cause in [Cause::Damaged, Cause::DepartmentChange, Cause::RoleChange, Cause::NotWorking] {
        let mut desk = desk();
        let command = order(issue("new", "ann", cause, Some("A")));
        assert!(removal_items(&desk, &command).is_empty());
        take(&mut desk, command).unwrap();
        assert_eq!(state(&desk, "A"), CardState::Active, "until the new one is there");
        assert_eq!(removal_items(&desk, &activate("new")).concat().len(), 1);
        let touched = take(&mut desk, activate("new")).unwrap();
        assert!(touched.card_states.contains(&id("A")));
        assert_eq!((state(&desk, "A"), state(&desk, "new")), (CardState::Closed, CardState::Active));

        let mut desk = self::desk();
        take(&mut desk, order(Issue { returned: true, ..issue("new", "ann", cause, Some("A")) })).unwrap();
        assert_eq!(state(&desk, "A"), CardState::Closed);
    }
}

#[test]
fn what_stood_in_ends_when_the_new_card_comes_into_use() {
    let mut desk = desk();
    take(&mut desk, order(issue("spare", "ann", Cause::Temporary, None))).unwrap();
    take(&mut desk, activate("spare")).unwrap();
    assert_eq!((state(&desk, "spare"), state(&desk, "A")), (CardState::Active, CardState::Active));
    take(&mut desk, order(issue("new", "ann", Cause::Lost, Some("A")))).unwrap();
    assert_eq!(state(&desk, "spare"), CardState::Active, "it is what she has meanwhile");
    take(&mut desk, activate("new")).unwrap();
    assert_eq!(state(&desk, "spare"), CardState::Closed);
}

#[test]
fn a_cause_fits_the_old_card_and_the_type() {
    let mut desk = desk();
    let mut refused = |issue: Issue| take(&mut desk, order(issue)).unwrap_err().to_string();
    assert!(refused(issue("new", "ann", Cause::Lost, None)).contains("because the old one is lost names the old one"));
    assert!(refused(issue("new", "ann", Cause::First, Some("A"))).contains("issued as first replaces none"));
    assert!(refused(issue("new", "ann", Cause::Lost, Some("B"))).contains("is not one of person `ann`"));
    assert!(refused(issue("new", "ann", Cause::Lost, Some("AA"))).contains("card `AA` is not known"));
    assert!(refused(issue("A", "ann", Cause::Lost, Some("A"))).contains("is there already"));
    assert!(refused(issue("new", "nobody", Cause::First, None)).contains("person `nobody` is not known"));
    let mut wrong = issue("new", "ann", Cause::Lost, Some("A"));
    wrong.card_type = id("spare");
    assert_eq!(
        refused(wrong),
        "cards of type `spare` only stand in for another card; issue it as temporary, or choose another type"
    );
    let mut wrong = issue("new", "ann", Cause::Temporary, None);
    wrong.card_type = id("card");
    assert!(refused(wrong).contains("cards of type `card` stand in for no other card"));
    let mut wrong = issue("new", "ann", Cause::Lost, Some("A"));
    wrong.card_type = id("crad");
    assert!(refused(wrong).contains("card type `crad` is not known"));
}

#[test]
fn the_fee_is_that_of_the_first_row_that_applies() {
    let fee = |cause, returned, on: &str| {
        let mut desk = desk();
        let issue = Issue { returned, issued_on: day(on), ..issue("new", "ann", cause, Some("A")) };
        take(&mut desk, order(issue)).unwrap();
        desk.desk().issued[&id("new")].fee.clone()
    };
    // Her card is of 1 March.
    assert_eq!(fee(Cause::NotWorking, true, "2026-09-01").as_deref(), Some("0 KRW"));
    assert_eq!(fee(Cause::NotWorking, true, "2026-09-02").as_deref(), Some("3000 KRW"));
    assert_eq!(fee(Cause::NotWorking, false, "2026-04-01").as_deref(), Some("3000 KRW"));
    assert_eq!(fee(Cause::Lost, false, "2026-04-01").as_deref(), Some("2000 KRW"));
    assert_eq!(fee(Cause::Damaged, false, "2026-04-01"), None, "the campus says nothing of it");
}

#[test]
fn the_directory_makes_the_number_that_the_type_asks_for() {
    let mut folder = folder();
    let format = NumberFormat {
        prefix: Some("60".into()),
        digits: Some(7),
        luhn: true,
        person_id_at: Some(3),
        ordinal_at: Some(2),
        ..NumberFormat::default()
    };
    folder.policy.card_types.get_mut(&id("card")).unwrap().number_format = Some(format);
    let mut person = folder.tables.people[&id("ann")].clone();
    person.name = "Number".into();
    folder.tables.people.insert(id("123"), person);
    let mut desk = Directory::of_campus(&folder).unwrap();
    take(&mut desk, order(issue("one", "123", Cause::First, None))).unwrap();
    take(&mut desk, order(issue("two", "123", Cause::Lost, Some("one")))).unwrap();
    let number = |card: &str| desk.tables().cards[&id::<CardId>(card)].number.clone().unwrap();
    assert!(number("one").starts_with("601123") && number("two").starts_with("602123"), "{}", number("two"));
    let mut wrong = issue("three", "123", Cause::Lost, Some("two"));
    wrong.number = Some("6031230".into());
    assert!(take(&mut desk, order(wrong)).unwrap_err().to_string().contains("check digit"));
    let unnumbered = take(&mut desk, order(issue("four", "ann", Cause::Lost, Some("A"))));
    assert!(matches!(unnumbered, Err(Refusal::NoNumber(_))), "her id does not fit");
}

#[test]
fn an_extension_makes_an_expired_card_valid_and_a_folder_that_says_the_same_takes_it_not_back() {
    let extend = |until: &str| {
        let (card, document) = (id("A"), "letter of the faculty".to_owned());
        Command::Desk(DeskOrder::Extend { card, until: day(until), document })
    };
    let mut folder = folder();
    folder.tables.cards.get_mut(&id("A")).unwrap().valid_until = Some(day("2026-05-31"));
    let mut desk = Directory::of_campus(&folder).unwrap();
    let refused = take(&mut desk, extend("2026-05-31")).unwrap_err().to_string();
    assert_eq!(refused, "card `A` is valid through 2026-05-31, which is no earlier than 2026-05-31; give a later day");
    take(&mut desk, extend("2026-12-31")).unwrap();
    let last = |desk: &Directory| desk.tables().cards[&id::<CardId>("A")].valid_until.unwrap().to_string();
    assert_eq!(last(&desk), "2026-12-31");
    take(&mut desk, extend("2027-02-28")).unwrap();
    assert!(Difference::between(&desk, &folder).is_empty(), "the folder says what it said");
    folder.tables.cards.get_mut(&id("A")).unwrap().state = CardState::Suspended;
    import(&mut desk, &folder);
    assert_eq!((last(&desk).as_str(), state(&desk, "A")), ("2027-02-28", CardState::Suspended));
    folder.tables.cards.get_mut(&id("A")).unwrap().valid_until = Some(day("2028-12-31"));
    import(&mut desk, &folder);
    assert_eq!(last(&desk), "2028-12-31", "the folder has the last word once it says something new");
    assert!(desk.desk().extended.is_empty());
}

#[test]
fn a_card_that_was_issued_here_stays_until_a_folder_that_knows_it_leaves_it_out() {
    let mut folder = folder();
    let mut desk = desk();
    take(&mut desk, order(issue("new", "ann", Cause::Lost, Some("A")))).unwrap();
    take(&mut desk, activate("new")).unwrap();
    assert!(Difference::between(&desk, &folder).is_empty(), "the folder does not know it yet");
    let card = crate::model::Card { state: CardState::Produced, ..desk.tables().cards[&id("new")].clone() };
    folder.tables.cards.insert(id("new"), card);
    import(&mut desk, &folder);
    assert_eq!(state(&desk, "new"), CardState::Active, "the folder lags behind");
    assert_eq!(state(&desk, "A"), CardState::Closed);
    folder.tables.cards.remove(&id("new"));
    import(&mut desk, &folder);
    assert!(!desk.tables().cards.contains_key(&id("new")));

    let mut desk = self::desk();
    take(&mut desk, order(issue("new", "ann", Cause::Lost, Some("A")))).unwrap();
    folder.tables.people.remove(&id("ann"));
    folder.tables.cards.retain(|_, card| card.person != id("ann"));
    import(&mut desk, &folder);
    assert!(desk.tables().cards.contains_key(&id("new")), "its holder has left and is still known");
    folder.policy.card_types.remove(&id("card"));
    folder.tables.cards.clear();
    import(&mut desk, &folder);
    assert!(!desk.tables().cards.contains_key(&id("new")), "there are no such cards any more");
}

#[test]
fn a_found_card_opens_nothing_until_its_holder_has_it_back() {
    let mut directory = desk();
    let found = || Command::CardFound { card: id("A"), place: "library; kept at the gate".into() };
    assert_eq!(removal_items(&directory, &found()).len(), 1, "doors are told ahead");
    let touched = take(&mut directory, found()).unwrap();
    assert_eq!(touched.card_states, [id("A")].into());
    assert_eq!(state(&directory, "A"), CardState::Suspended);
    assert_eq!(directory.desk().found[&id("A")].place, "library; kept at the gate");
    take(&mut directory, found()).unwrap();
    take(&mut directory, Command::CardResume { card: id("A"), reason: "fetched".into() }).unwrap();
    assert!(directory.desk().found.is_empty());
    take(&mut directory, found()).unwrap();
    let close = Command::CardClose { card: id("A"), reason: "leaves".into(), document: Some("passport".into()) };
    take(&mut directory, close).unwrap();
    assert!(directory.desk().found.is_empty());
    assert!(matches!(take(&mut directory, found()), Err(Refusal::CardClosed(_))));
}

#[test]
fn whoever_went_to_another_department_or_category_should_have_another_card() {
    let mut directory = desk();
    let proposed = |directory: &Directory| {
        directory.reissues(day("2026-06-01")).map(|(card, cause)| (card.to_string(), cause)).collect::<Vec<_>>()
    };
    assert_eq!(proposed(&directory), []);
    let mut moved = folder();
    let bob = moved.tables.people.get_mut(&id("bob")).unwrap();
    let mut arts = bob.affiliations.pop_first().unwrap();
    let mut science = arts.clone();
    arts.days.until = Some(day("2026-04-30"));
    (science.unit, science.days.from, science.days.until) = (id("science"), Some(day("2026-05-01")), None);
    bob.affiliations = [arts, science].into();
    import(&mut directory, &moved);
    let [first, second] = [("B".to_owned(), Cause::DepartmentChange), ("X".to_owned(), Cause::DepartmentChange)];
    assert_eq!(proposed(&directory), [first, second]);
    let entitlement = |category: &str| crate::application::Entitlement {
        category: id(category),
        card_type: id("card"),
        approved_by: crate::office::Role::CardOffice,
        documents: std::collections::BTreeSet::new(),
    };
    moved.policy.entitlements = vec![entitlement("student")];
    import(&mut directory, &moved);
    let causes: Vec<_> =
        proposed(&directory).into_iter().map(|(card, cause)| format!("{card} {}", cause.name())).collect();
    assert_eq!(causes, ["B department-change", "E role-change", "S role-change", "X department-change"]);
}
