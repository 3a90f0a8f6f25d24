//! Commands and imports, in the orders in which they get in each other's way.

use super::*;
use crate::model::{Subject, Target};
use crate::testing::{campus, directory, id, take};
use doorward_protocol::time::{Day, DayRange};

fn import(directory: &mut Directory, folder: &Campus) -> Result<Touched, Refusal> {
    let difference = Box::new(Difference::between(directory, folder));
    take(directory, Command::Import { difference })
}

fn suspend(card: &str) -> Command {
    Command::CardSuspend { card: id(card), reason: "lost".into() }
}

fn resume(card: &str) -> Command {
    Command::CardResume { card: id(card), reason: "found".into() }
}

fn close(card: &str) -> Command {
    Command::CardClose { card: id(card), reason: "broken".into(), document: None }
}

fn state(directory: &Directory, card: &str) -> CardState {
    directory.tables().cards[&id(card)].state
}

fn in_folder(folder: &mut Campus, card: &str, state: CardState) {
    folder.tables.cards.get_mut(&id(card)).unwrap().state = state;
}

fn grant(subject: Subject) -> Grant {
    Grant { subject, target: Target::Door(id("main")), schedule: None, days: DayRange::ALWAYS, within: None }
}

#[test]
fn a_folder_into_an_empty_directory_and_the_same_folder_again() {
    let mut directory = directory();
    assert_eq!(*directory.tables(), campus().tables);
    let again = Difference::between(&directory, &campus());
    assert!(again.is_empty());
    assert!(import(&mut directory, &campus()).unwrap().is_empty());
}

#[test]
fn a_stale_export_does_not_resume_a_card_that_was_suspended_here() {
    let mut directory = directory();
    take(&mut directory, suspend("A")).unwrap();
    let mut folder = campus();
    folder.tables.cards.get_mut(&id("A")).unwrap().number = Some("17".into());
    import(&mut directory, &folder).unwrap();
    assert_eq!(state(&directory, "A"), CardState::Suspended);
    assert_eq!(directory.tables().cards[&id("A")].number.as_deref(), Some("17"));
}

#[test]
fn a_folder_that_says_something_new_of_a_card_is_heeded() {
    let (mut directory, mut folder) = (directory(), campus());
    take(&mut directory, suspend("A")).unwrap();
    in_folder(&mut folder, "A", CardState::Suspended);
    import(&mut directory, &folder).unwrap();
    in_folder(&mut folder, "A", CardState::Active);
    import(&mut directory, &folder).unwrap();
    assert_eq!(state(&directory, "A"), CardState::Active);
}

#[test]
fn nothing_opens_a_closed_card_again() {
    let (mut directory, mut folder) = (directory(), campus());
    take(&mut directory, close("A")).unwrap();
    assert_eq!(take(&mut directory, resume("A")), Err(Refusal::CardClosed(id("A"))));
    assert_eq!(take(&mut directory, close("A")), Err(Refusal::CardClosed(id("A"))));
    in_folder(&mut folder, "A", CardState::Produced);
    import(&mut directory, &folder).unwrap();
    assert_eq!(state(&directory, "A"), CardState::Closed);
}

#[test]
fn a_card_that_leaves_the_folder_and_comes_back_is_as_it_was_ordered_here() {
    for (order, expected) in [(suspend("A"), CardState::Suspended), (close("A"), CardState::Closed)] {
        let mut directory = directory();
        take(&mut directory, order).unwrap();
        let mut without = campus();
        without.tables.cards.remove(&id("A"));
        import(&mut directory, &without).unwrap();
        assert!(!directory.tables().cards.contains_key(&id("A")));
        assert_eq!(directory.cards_of(&id("ann")).map(CardId::as_str).collect::<Vec<_>>(), ["A2"]);
        import(&mut directory, &campus()).unwrap();
        assert_eq!(state(&directory, "A"), expected);
    }
}

#[test]
fn a_card_is_only_brought_into_a_state_that_follows_its_own() {
    let (mut directory, mut folder) = (directory(), campus());
    in_folder(&mut folder, "B", CardState::Produced);
    import(&mut directory, &folder).unwrap();
    assert!(matches!(take(&mut directory, resume("B")), Err(Refusal::CardState { .. })));
    assert!(matches!(take(&mut directory, Command::CardActivate { card: id("A") }), Err(Refusal::CardState { .. })));
    take(&mut directory, Command::CardActivate { card: id("B") }).unwrap();
    take(&mut directory, suspend("B")).unwrap();
    let error = take(&mut directory, suspend("B")).unwrap_err().to_string();
    assert_eq!(error, "card `B` is suspended; only a card that is active or produced can be suspended");
    take(&mut directory, resume("B")).unwrap();
    assert_eq!(state(&directory, "B"), CardState::Active);
}

#[test]
fn an_import_ends_grants_of_folders_alone_and_those_that_name_what_is_gone() {
    let (mut directory, mut folder) = (directory(), campus());
    let elsewhere = Grant { target: Target::Door(id("open")), ..grant(Subject::Person(id("sue"))) };
    let (by_unit, by_person) = (grant(Subject::Unit(id("arts"))), grant(Subject::Person(id("bob"))));
    for (name, grant) in [("by-unit", by_unit), ("by-person", by_person), ("elsewhere", elsewhere)] {
        take(&mut directory, Command::GrantAdd { id: id(name), grant }).unwrap();
    }
    folder.tables.grants.clear();
    folder.tables.doors.remove(&id("open"));
    without(&mut folder, "bob");
    import(&mut directory, &folder).unwrap();
    let grants: Vec<_> = directory.tables().grants.keys().map(GrantId::as_str).collect();
    assert_eq!(grants, ["by-person", "by-unit"], "who has left is still known, and comes back to what was given");
}

#[test]
fn a_stale_export_does_not_bring_back_a_grant_that_was_ended_here() {
    let (mut directory, mut folder) = (directory(), campus());
    take(&mut directory, Command::GrantEnd { id: id("guest"), on: None }).unwrap();
    import(&mut directory, &folder).unwrap();
    assert!(directory.tables().grants.is_empty());
    folder.tables.grants.get_mut(&id("guest")).unwrap().days.until = None;
    import(&mut directory, &folder).unwrap();
    assert_eq!(directory.tables().grants, folder.tables.grants);
}

#[test]
fn a_grant_ends_no_later_than_it_did() {
    let mut directory = directory();
    let until = |directory: &Directory| directory.tables().grants[&id("guest")].days.until.unwrap().to_string();
    let end = |day| Command::GrantEnd { id: id("guest"), on: Day::parse(day) };
    take(&mut directory, end("2026-12-31")).unwrap();
    assert_eq!(until(&directory), "2026-05-31");
    take(&mut directory, end("2026-05-10")).unwrap();
    assert_eq!(until(&directory), "2026-05-10");
}

#[test]
fn a_grant_must_name_what_exists() {
    let directory = directory();
    let check = |grant: Grant| {
        let command = Command::GrantAdd { id: id("new"), grant };
        directory.check(&command, UnixMs(0)).map_err(|refusal| refusal.to_string())
    };
    let error = check(grant(Subject::Unit(id("art")))).unwrap_err();
    assert!(error.starts_with("unit `art` is not known; did you mean `arts`?"), "{error}");
    let anywhere = grant(Subject::Unit(id("arts")));
    assert!(check(Grant { target: Target::Building(id("main")), ..anywhere.clone() }).is_err());
    assert!(check(Grant { schedule: Some(id("night")), ..anywhere.clone() }).is_err());
    let error = check(Grant { schedule: Some(id("always")), ..anywhere.clone() }).unwrap_err();
    assert!(error.contains("leave the schedule out"), "{error}");
    let days = DayRange { from: Some(Day(2)), until: Some(Day(1)) };
    assert!(check(Grant { days, ..anywhere.clone() }).is_err());
    assert_eq!(check(anywhere.clone()), Ok(()));
    let there = Command::GrantAdd { id: id("guest"), grant: anywhere };
    assert_eq!(directory.check(&there, UnixMs(0)), Err(Refusal::GrantExists(id("guest"))));
}

#[test]
fn a_difference_that_was_made_before_another_import_is_not_taken() {
    let (mut directory, mut folder) = (directory(), campus());
    folder.policy.name = "Renamed".into();
    let overtaken = Box::new(Difference::between(&directory, &folder));
    import(&mut directory, &campus()).unwrap();
    let refusal = take(&mut directory, Command::Import { difference: overtaken });
    assert_eq!(refusal, Err(Refusal::ImportOvertaken { base: 2, present: 3 }));
}

#[test]
fn a_difference_does_not_strand_a_grant_that_came_after_it_was_made() {
    let (mut directory, mut folder) = (directory(), campus());
    folder.tables.doors.remove(&id("open"));
    let difference = Box::new(Difference::between(&directory, &folder));
    let late = Grant { target: Target::Door(id("open")), ..grant(Subject::Person(id("bob"))) };
    take(&mut directory, Command::GrantAdd { id: id("late"), grant: late }).unwrap();
    let refusal = take(&mut directory, Command::Import { difference }).unwrap_err();
    assert!(refusal.to_string().starts_with("door `open` is not known"), "{refusal}");
    import(&mut directory, &folder).unwrap();
}

/// The folder after somebody vanished from it.
fn without(folder: &mut Campus, person: &str) {
    folder.tables.people.remove(&id(person));
    folder.tables.cards.retain(|_, card| card.person != id(person));
}

fn left_on(directory: &Directory, person: &str) -> Option<String> {
    directory.tables().people[&id(person)].left_on.map(|day| day.to_string())
}

fn import_at(directory: &mut Directory, folder: &Campus, instant: &str) -> Result<Touched, Refusal> {
    let command = Command::Import { difference: Box::new(Difference::between(directory, folder)) };
    let (seq, at) = (directory.head() + 1, crate::testing::at(instant));
    directory.apply(&Entry { seq, at, actor: Actor::system(), command })
}

#[test]
fn who_vanishes_from_the_folder_has_left_on_that_day_and_stays_on_record() {
    let (mut directory, mut folder) = (directory(), campus());
    without(&mut folder, "bob");
    let touched = import_at(&mut directory, &folder, "2026-05-04T23:30:00+09:00").unwrap();
    assert!(touched.subjects.contains_key(&Subject::Person(id("bob"))));
    assert_eq!(left_on(&directory, "bob").as_deref(), Some("2026-05-04"), "the day of the campus");
    assert_eq!(directory.cards_of(&id("bob")).map(CardId::as_str).collect::<Vec<_>>(), ["B", "X"]);
    assert_eq!(state(&directory, "B"), CardState::Active, "which the days of grace need");
    assert!(directory.is_gone(&id("bob")) && !directory.is_gone(&id("ann")));
    let again = Difference::between(&directory, &folder);
    assert!(again.is_empty(), "{again:?}");
    assert!(import_at(&mut directory, &folder, "2026-06-01T09:00:00+09:00").unwrap().is_empty());
    assert_eq!(left_on(&directory, "bob").as_deref(), Some("2026-05-04"));
    import_at(&mut directory, &campus(), "2026-07-01T09:00:00+09:00").unwrap();
    assert_eq!(directory.tables().people, campus().tables.people, "back by the word of the folder");
    assert!(Difference::between(&directory, &campus()).is_empty() && !directory.is_gone(&id("bob")));
}

#[test]
fn who_had_left_before_vanishing_has_not_stayed_until_then() {
    let (mut directory, mut folder) = (directory(), campus());
    folder.tables.people.get_mut(&id("bob")).unwrap().left_on = Day::parse("2026-12-31");
    import_at(&mut directory, &folder, "2026-05-01T09:00:00+09:00").unwrap();
    for person in ["old", "bob"] {
        without(&mut folder, person);
    }
    import_at(&mut directory, &folder, "2026-05-04T09:00:00+09:00").unwrap();
    assert_eq!(left_on(&directory, "old").as_deref(), Some("2026-04-01"));
    assert_eq!(left_on(&directory, "bob").as_deref(), Some("2026-05-04"));
}

#[test]
fn who_is_on_record_needs_a_category_and_loses_a_unit_that_is_gone() {
    let (mut directory, mut folder) = (directory(), campus());
    without(&mut folder, "bob");
    import(&mut directory, &folder).unwrap();
    folder.tables.units.remove(&id("arts"));
    folder.tables.grants.clear();
    let touched = import(&mut directory, &folder).unwrap();
    assert!(touched.subjects.contains_key(&Subject::Person(id("bob"))));
    assert!(directory.tables().people[&id("bob")].affiliations.is_empty());
    assert!(directory.members_of(&id("arts")).next().is_none());
    for person in ["ann", "old"] {
        folder.tables.people.get_mut(&id(person)).unwrap().category = id("staff");
    }
    folder.policy.categories.remove(&id("student"));
    let refusal = import(&mut directory, &folder).unwrap_err().to_string();
    let expected = "category `student` is declared no more, but person `bob` is on record with it; keep it declared";
    assert_eq!(refusal, expected);
}

#[test]
fn a_folder_of_another_campus_or_zone_is_refused() {
    let (mut directory, mut folder) = (directory(), campus());
    folder.policy.campus = id("elsewhere");
    assert!(matches!(import(&mut directory, &folder), Err(Refusal::OtherCampus { .. })));
    let mut folder = campus();
    folder.policy.time_zone = "Asia/Atlantis".into();
    assert_eq!(import(&mut directory, &folder), Err(Refusal::UnknownTimeZone("Asia/Atlantis".into())));
}

#[test]
fn an_agent_joins_once_with_the_token_that_it_was_given_last() {
    let mut directory = directory();
    let add = |token: u8, expires: i64| Command::AgentAdd {
        agent: id("agent-hall"),
        token_hash: Hash([token; 32]),
        expires_at: UnixMs(expires),
    };
    let enrol = |token: u8| Command::AgentEnrol {
        agent: id("agent-hall"),
        key: PublicKey([9; 32]),
        token_hash: Hash([token; 32]),
    };
    let error = take(
        &mut directory,
        Command::AgentAdd { agent: id("agent-hal"), token_hash: Hash([1; 32]), expires_at: UnixMs(1) },
    );
    assert!(error.unwrap_err().to_string().contains("did you mean `agent-hall`"));
    assert_eq!(take(&mut directory, add(1, 0)), Err(Refusal::ExpiryPast { at: UnixMs(0) }));
    take(&mut directory, add(1, 10)).unwrap();
    take(&mut directory, add(2, 10)).unwrap();
    assert_eq!(take(&mut directory, enrol(1)), Err(Refusal::TokenUnknown(id("agent-hall"))));
    let late = directory.check(&enrol(2), UnixMs(10));
    assert_eq!(late, Err(Refusal::TokenExpired { agent: id("agent-hall"), expired_at: UnixMs(10) }));
    take(&mut directory, enrol(2)).unwrap();
    assert_eq!(take(&mut directory, enrol(2)), Err(Refusal::TokenUnknown(id("agent-hall"))));
    let leaves =
        |directory: &Directory| directory.enrolled().map(|(id, key)| (id.to_string(), *key)).collect::<Vec<_>>();
    assert_eq!(leaves(&directory), [("agent-hall".to_owned(), PublicKey([9; 32]))]);
    take(&mut directory, Command::AgentRemove { agent: id("agent-hall") }).unwrap();
    assert_eq!(leaves(&directory), []);
    let again = take(&mut directory, Command::AgentRemove { agent: id("agent-hall") });
    assert_eq!(again, Err(Refusal::AgentNotThere(id("agent-hall"))));
}

#[test]
fn every_agent_has_a_key_of_its_own() {
    let mut directory = directory();
    let key = PublicKey([9; 32]);
    let token_hash = Hash([1; 32]);
    let add = |agent| Command::AgentAdd { agent: id(agent), token_hash, expires_at: UnixMs(10) };
    let enrol = |agent| Command::AgentEnrol { agent: id(agent), key, token_hash };
    for agent in ["agent-hall", "agent-mall"] {
        take(&mut directory, add(agent)).unwrap();
    }
    take(&mut directory, enrol("agent-hall")).unwrap();
    assert_eq!(take(&mut directory, enrol("agent-mall")), Err(Refusal::KeyInUse(id("agent-hall"))));
}

#[test]
fn lockdowns_overlap_and_each_is_released_by_its_own_name() {
    let mut directory = directory();
    let lock = |scope| Command::LockDown { scope, reason: "drill".into() };
    let release = |scope| Command::Release { scope, reason: "over".into() };
    let (door, building) = (Scope::Door(id("main")), Scope::Building(id("hall")));
    let is_locked = |directory: &Directory, name: &str| {
        let name = id(name);
        directory.is_locked_down(&name, &directory.tables().doors[&name])
    };
    let touched = take(&mut directory, lock(building.clone())).unwrap();
    assert_eq!(touched.doors.iter().map(DoorId::as_str).collect::<Vec<_>>(), ["kiosk", "main"]);
    take(&mut directory, lock(door.clone())).unwrap();
    assert_eq!(take(&mut directory, lock(door.clone())), Err(Refusal::LockdownInForce(door.clone())));
    let error = take(&mut directory, release(Scope::Campus)).unwrap_err().to_string();
    assert_eq!(error, "no lockdown of the campus is in force; locked down are building hall, door main");
    take(&mut directory, release(building)).unwrap();
    assert!(is_locked(&directory, "main") && !is_locked(&directory, "kiosk"));
    take(&mut directory, release(door)).unwrap();
    assert!(!is_locked(&directory, "main"));
    assert!(take(&mut directory, lock(Scope::Door(id("mian")))).unwrap_err().to_string().contains("`main`"));
    let silent = Command::LockDown { scope: Scope::Campus, reason: " ".into() };
    assert!(matches!(take(&mut directory, silent), Err(Refusal::Text { .. })));
}

#[test]
fn entries_come_in_order_of_number_and_time_after_a_founding() {
    let mut directory = Directory::default();
    let found = |seq, at| Entry {
        seq,
        at: UnixMs(at),
        actor: Actor::system(),
        command: Command::Found { reader_key: ReaderKey([1; 32]), software: "x".into(), tzdb: "2026a".into() },
    };
    let tick = |seq, at| Entry {
        seq,
        at: UnixMs(at),
        actor: Actor::system(),
        command: Command::Tick { tzdb: "2026b".into() },
    };
    assert_eq!(directory.apply(&tick(1, 5)), Err(Refusal::NotFounded));
    assert_eq!(directory.apply(&found(2, 5)), Err(Refusal::NotNext { head: 0, found: 2 }));
    directory.apply(&found(1, 5)).unwrap();
    assert_eq!(directory.apply(&found(2, 5)), Err(Refusal::AlreadyFounded));
    let early = Refusal::TimeRunsBackwards { at: UnixMs(4), head: UnixMs(5) };
    assert_eq!(directory.apply(&tick(2, 4)), Err(early));
    directory.apply(&tick(2, 5)).unwrap();
    assert_eq!((directory.head(), directory.at(), directory.tzdb()), (2, UnixMs(5), Some("2026b")));
    let entries = [found(1, 5), tick(2, 6), tick(4, 7)];
    assert_eq!(Directory::fold(&entries), Err((4, Refusal::NotNext { head: 2, found: 4 })));
    assert!(!format!("{directory:?}").contains("[1, 1"));
}
