//! Who may do what where: operators at the small campus of this crate's tests.

use super::acts::Act;
use super::authorize::{Asker, Denial, Object};
use super::requests::{RequestOrder, Standing, Wish};
use super::{ApiToken, OfficeOrder, Operator, Power, Remit, Role};
use crate::command::{Command, Scope};
use crate::directory::{Directory, Refusal};
use crate::feed::{FeedOrder, Pushed};
use crate::model::{Affiliation, CardId, Grant, Person, Subject, Target};
use crate::testing::{at, directory, id, take};
use doorward_protocol::id::{DoorId, Hash};
use doorward_protocol::time::{DayRange, UnixMs};

const TODAY: &str = "2026-09-01T09:00:00+09:00";

fn of_units(units: &[&str]) -> Remit {
    Remit::Part { units: units.iter().map(|unit| id(unit)).collect(), buildings: Default::default() }
}

fn operator(role: Role, remit: Remit) -> OfficeOrder {
    OfficeOrder::OperatorPut { id: id("kim"), operator: Operator { name: "Kim".into(), power: Power { role, remit } } }
}

/// The campus with one operator.
fn with(role: Role, remit: Remit) -> Directory {
    let mut directory = directory();
    take(&mut directory, Command::Office(operator(role, remit))).unwrap();
    directory
}

fn kim() -> Asker {
    Asker::Operator(id("kim"))
}

fn suspend(card: &str) -> Command {
    Command::CardSuspend { card: id(card), reason: "lost".into() }
}

fn grant(target: Target) -> Command {
    let grant =
        Grant { subject: Subject::Unit(id("arts")), target, schedule: None, days: DayRange::ALWAYS, within: None };
    Command::GrantAdd { id: id("new"), grant }
}

#[test]
fn a_department_suspends_cards_of_its_own_people_and_of_nobody_else() {
    let directory = with(Role::Department, of_units(&["science"]));
    let may = |card| directory.authorize(&kim(), &suspend(card), at(TODAY));
    assert_eq!(may("A"), Ok(()), "ann is in physics, which is below science");
    assert_eq!(may("S"), Ok(()));
    let denied = may("B").unwrap_err().to_string();
    assert_eq!(
        denied,
        "card B does not lie in the remit of this department (unit science), who may suspend a card only there; \
         whoever has it in the remit may: administrator, security-office, control-room, card-office, department"
    );
    assert!(may("NOBODY").is_err(), "of a card that is not known nothing is said");
    let resume = Command::CardResume { card: id("A"), reason: "found".into() };
    let denied = directory.authorize(&kim(), &resume, at(TODAY)).unwrap_err().to_string();
    assert_eq!(denied, "the role department may not resume a card; administrator, security-office, card-office may");
}

#[test]
fn people_are_in_the_remit_of_a_unit_until_their_affiliation_ends() {
    let mut folder = crate::testing::campus();
    let person = folder.tables.people.get_mut(&id("ann")).unwrap();
    let mut affiliation = person.affiliations.pop_first().unwrap();
    affiliation.days.until = doorward_protocol::time::Day::parse("2026-08-31");
    person.affiliations.insert(affiliation);
    let mut directory = Directory::of_campus(&folder).unwrap();
    take(&mut directory, Command::Office(operator(Role::Department, of_units(&["physics"])))).unwrap();
    let may = |instant| directory.authorize(&kim(), &suspend("A"), at(instant)).is_ok();
    assert!(may("2026-08-31T23:59:59+09:00"));
    assert!(!may("2026-09-01T00:00:00+09:00"), "by the clock of the campus");
}

#[test]
fn an_owner_decides_about_its_doors_and_about_a_building_only_when_all_of_it_is_its_own() {
    let mut folder = crate::testing::campus();
    let hall = || Target::Building(id("hall"));
    let directory = with(Role::Facilities, of_units(&["science"]));
    assert_eq!(directory.authorize(&kim(), &grant(hall()), at(TODAY)), Ok(()));
    assert_eq!(directory.authorize(&kim(), &grant(Target::Door(id("main"))), at(TODAY)), Ok(()));
    assert!(directory.authorize(&kim(), &grant(Target::Door(id("open"))), at(TODAY)).is_err(), "the mall is nobody's");
    assert!(directory.authorize(&kim(), &grant(Target::Building(id("mall"))), at(TODAY)).is_err());

    folder.tables.doors.get_mut(&id::<DoorId>("kiosk")).unwrap().owner = Some(id("arts"));
    let mut shared = Directory::of_campus(&folder).unwrap();
    take(&mut shared, Command::Office(operator(Role::Facilities, of_units(&["science"])))).unwrap();
    assert!(shared.authorize(&kim(), &grant(Target::Door(id("kiosk"))), at(TODAY)).is_err());
    assert!(shared.authorize(&kim(), &grant(hall()), at(TODAY)).is_err(), "the kiosk in it is of the arts");
    assert_eq!(shared.authorize(&kim(), &grant(Target::Door(id("main"))), at(TODAY)), Ok(()));
    let buildings = Remit::Part { units: Default::default(), buildings: [id("hall")].into() };
    take(&mut shared, Command::Office(operator(Role::Facilities, buildings))).unwrap();
    assert_eq!(shared.authorize(&kim(), &grant(hall()), at(TODAY)), Ok(()), "a building that is named is all of it");
}

#[test]
fn a_lockdown_lies_where_its_doors_are() {
    let directory = with(Role::Facilities, of_units(&["science"]));
    let may = |scope| {
        let command = Command::LockDown { scope, reason: "fire".into() };
        directory.authorize(&kim(), &command, at(TODAY)).is_ok()
    };
    assert!(may(Scope::Building(id("hall"))) && may(Scope::Door(id("main"))));
    assert!(!may(Scope::Campus) && !may(Scope::Building(id("mall"))) && !may(Scope::Door(id("open"))));
}

#[test]
fn a_grant_is_ended_by_whose_door_it_opens() {
    let end = |grant: &str| Command::GrantEnd { id: id(grant), on: None };
    let science = with(Role::Facilities, of_units(&["science"]));
    assert_eq!(science.authorize(&kim(), &end("guest"), at(TODAY)), Ok(()));
    assert!(science.authorize(&kim(), &end("no-such"), at(TODAY)).is_err());
    let arts = with(Role::Department, of_units(&["arts"]));
    assert!(arts.authorize(&kim(), &end("guest"), at(TODAY)).is_err(), "whom it lets in does not decide");
}

#[test]
fn only_the_authority_gives_its_own_commands_and_only_administrators_say_who_may_what() {
    let directory = with(Role::Administrator, Remit::Campus);
    let tick = Command::Tick { tzdb: "2026a".into() };
    assert_eq!(directory.authorize(&kim(), &tick, at(TODAY)), Err(Denial::Authority("tick")));
    assert_eq!(directory.authorize(&Asker::Owner, &tick, at(TODAY)), Ok(()));
    let order = Command::Office(operator(Role::Auditor, Remit::Campus));
    assert_eq!(directory.authorize(&kim(), &order, at(TODAY)), Ok(()));
    let of_a_part = with(Role::Administrator, of_units(&["science"]));
    assert!(
        of_a_part.authorize(&kim(), &order, at(TODAY)).is_err(),
        "who works for a part makes nobody more than that"
    );
    let other = with(Role::SecurityOffice, Remit::Campus);
    assert!(matches!(other.authorize(&kim(), &order, at(TODAY)), Err(Denial::Role { .. })));
}

#[test]
fn a_token_does_what_both_it_and_its_operator_may_until_it_expires() {
    let mut directory = with(Role::Administrator, Remit::Campus);
    let expires_at = at("2026-10-01T00:00:00Z");
    let power = Power { role: Role::SecurityOffice, remit: Remit::Campus };
    let hash = Hash([7; 32]);
    let token = ApiToken { operator: id("kim"), power, expires_at, hash };
    let add = Command::Office(OfficeOrder::TokenAdd { id: id("t"), token });
    take(&mut directory, add.clone()).unwrap();
    assert_eq!(take(&mut directory, add), Err(Refusal::ApiTokenExists(id("t"))));
    let token = Asker::Token(id("t"));
    let may = |directory: &Directory, command: &Command, instant| directory.authorize(&token, command, instant).is_ok();
    assert!(may(&directory, &suspend("A"), at(TODAY)));
    assert!(!may(&directory, &grant(Target::Door(id("main"))), at(TODAY)), "its own role does not");
    assert!(!may(&directory, &suspend("A"), expires_at));
    assert_eq!(directory.office().token_of(&hash, at(TODAY)), Some(&id("t")));
    assert_eq!(directory.office().token_of(&hash, expires_at), None);
    assert_eq!(directory.office().token_of(&Hash([8; 32]), at(TODAY)), None);

    take(&mut directory, Command::Office(operator(Role::SecurityOffice, of_units(&["arts"])))).unwrap();
    assert!(may(&directory, &suspend("B"), at(TODAY)));
    assert!(!may(&directory, &suspend("A"), at(TODAY)), "its operator no longer may");
    take(&mut directory, Command::Office(OfficeOrder::OperatorRemove { id: id("kim") })).unwrap();
    assert!(matches!(directory.authorize(&token, &suspend("B"), at(TODAY)), Err(Denial::Gone(_))));
    assert!(directory.office().tokens.is_empty());
    assert!(matches!(directory.authorize(&kim(), &suspend("B"), at(TODAY)), Err(Denial::Gone(_))));
}

#[test]
fn an_order_about_operators_names_what_there_is() {
    let mut directory = directory();
    let mut refused = |order| take(&mut directory, Command::Office(order)).unwrap_err().to_string();
    assert!(refused(operator(Role::Department, of_units(&["sciense"]))).contains("science"), "a suggestion");
    assert!(refused(operator(Role::Department, of_units(&[]))).contains("extends to nothing"));
    let power = Power { role: Role::Auditor, remit: Remit::Campus };
    let named = |name: &str| Operator { name: name.into(), power: power.clone() };
    let system = OfficeOrder::OperatorPut { id: id("system"), operator: named("S") };
    assert!(refused(system).contains("choose another name"));
    let steering = OfficeOrder::OperatorPut { id: id("kim"), operator: named("K\u{1b}") };
    assert!(refused(steering).contains("control character"));
    assert!(refused(OfficeOrder::OperatorRemove { id: id("kim") }).contains("operator `kim` is not known"));
    assert!(refused(OfficeOrder::TokenRemove { id: id("t") }).contains("token `t` is not known"));
    let token = ApiToken { operator: id("kim"), power: power.clone(), expires_at: UnixMs(0), hash: Hash([0; 32]) };
    assert!(refused(OfficeOrder::TokenAdd { id: id("t"), token }).contains("operator `kim` is not known"));
}

#[test]
fn what_is_asked_lies_in_a_remit_like_what_is_done() {
    let directory = with(Role::Department, of_units(&["arts"]));
    let may = |act, object: Object<'_>| directory.allow(&kim(), act, object, at(TODAY)).is_ok();
    let (bob, ann): (CardId, CardId) = (id("B"), id("A"));
    assert!(may(Act::SeeCards, Object::Card(&bob)) && !may(Act::SeeCards, Object::Card(&ann)));
    assert!(may(Act::ReadLog, Object::Person(&id("bob"))) && !may(Act::ReadLog, Object::Campus));
    assert!(!may(Act::SeeDoors, Object::Door(&id("main"))) && !may(Act::ReadJournal, Object::Campus));
    assert_eq!(directory.may_follow(&kim(), &suspend("B"), at(TODAY)), Ok(()));
    assert!(directory.may_follow(&kim(), &suspend("A"), at(TODAY)).is_err());
}

fn ask(subject: Subject, within: Option<&str>) -> Command {
    let target = Target::Building(id("hall"));
    let grant = Grant { subject, target, schedule: None, days: DayRange::ALWAYS, within: within.map(id) };
    let wish = Wish { grant, reason: "a course".into(), expires_at: at("2026-10-01T00:00:00Z") };
    Command::Request(RequestOrder::Ask { id: id("r"), wish })
}

fn approve() -> Command {
    let until = doorward_protocol::time::Day::parse("2026-12-31");
    Command::Request(RequestOrder::Approve { id: id("r"), grant: id("g"), until, reason: "yes".into() })
}

fn reject() -> Command {
    Command::Request(RequestOrder::Reject { id: id("r"), reason: "no".into() })
}

fn withdraw() -> Command {
    Command::Request(RequestOrder::Withdraw { id: id("r"), reason: "not needed".into() })
}

#[test]
fn a_department_asks_for_its_people_and_whose_door_it_is_decides() {
    let mut directory = with(Role::Department, of_units(&["arts"]));
    let may = |directory: &Directory, command: &Command| directory.authorize(&kim(), command, at(TODAY)).is_ok();
    assert!(may(&directory, &ask(Subject::Unit(id("arts")), None)));
    assert!(may(&directory, &ask(Subject::Person(id("bob")), None)));
    assert!(!may(&directory, &ask(Subject::Person(id("ann")), None)), "she is in physics");
    assert!(!may(&directory, &ask(Subject::Unit(id("science")), None)));
    let students = || Subject::Category(id("student"));
    assert!(!may(&directory, &ask(students(), None)), "these are not all of theirs");
    assert!(may(&directory, &ask(students(), Some("arts"))));
    take(&mut directory, ask(students(), Some("arts"))).unwrap();
    assert!(may(&directory, &withdraw()) && !may(&directory, &approve()) && !may(&directory, &reject()));
    take(&mut directory, Command::Office(operator(Role::Department, of_units(&["science"])))).unwrap();
    assert!(may(&directory, &approve()) && may(&directory, &reject()) && !may(&directory, &withdraw()));
}

#[test]
fn an_approved_request_is_a_grant_and_is_decided_once() {
    let mut directory = directory();
    take(&mut directory, ask(Subject::Unit(id("arts")), None)).unwrap();
    assert_eq!(take(&mut directory, ask(Subject::Unit(id("arts")), None)), Err(Refusal::RequestExists(id("r"))));
    let touched = take(&mut directory, approve()).unwrap();
    assert!(touched.grants.contains(&id("g")));
    let grant = &directory.tables().grants[&id("g")];
    assert_eq!(grant.days.until, doorward_protocol::time::Day::parse("2026-12-31"));
    let request = &directory.requests()[&id("r")];
    assert_eq!(request.standing(at(TODAY)), Standing::Approved);
    assert_eq!(request.outcome.as_ref().map(|outcome| outcome.reason.as_str()), Some("yes"));
    for again in [approve(), reject(), withdraw()] {
        let refused = take(&mut directory, again).unwrap_err().to_string();
        assert_eq!(refused, "request `r` is approved; only one that waits can be decided or withdrawn, so ask anew");
    }
}

#[test]
fn a_request_that_was_rejected_withdrawn_or_left_lying_gives_nothing() {
    for (order, standing) in [(reject(), Standing::Rejected), (withdraw(), Standing::Withdrawn)] {
        let mut directory = directory();
        take(&mut directory, ask(Subject::Person(id("bob")), None)).unwrap();
        take(&mut directory, order).unwrap();
        assert_eq!(directory.requests()[&id("r")].standing(at(TODAY)), standing);
        assert!(take(&mut directory, approve()).is_err() && directory.tables().grants.len() == 1);
    }
    let mut directory = directory();
    take(&mut directory, ask(Subject::Person(id("bob")), None)).unwrap();
    let late = at("2026-10-01T00:00:00Z");
    assert_eq!(directory.requests()[&id("r")].standing(late), Standing::Expired);
    let refused = directory.check(&approve(), late).unwrap_err().to_string();
    assert!(refused.contains("is expired"), "{refused}");
    let past = directory.check(&ask(Subject::Person(id("bob")), None), late);
    assert_eq!(past, Err(Refusal::RequestExists(id("r"))));
}

#[test]
fn a_request_for_what_is_gone_cannot_be_approved() {
    let mut directory = directory();
    take(&mut directory, ask(Subject::Person(id("bob")), None)).unwrap();
    let mut folder = crate::testing::campus();
    folder.tables.doors.retain(|_, door| door.building != id("hall"));
    folder.tables.buildings.remove(&id("hall"));
    folder.tables.grants.clear();
    let difference = Box::new(crate::difference::Difference::between(&directory, &folder));
    take(&mut directory, Command::Import { difference }).unwrap();
    assert!(matches!(take(&mut directory, approve()), Err(Refusal::Unknown { kind: "building", .. })));
    assert!(take(&mut directory, reject()).is_ok());
    let nested = ask(Subject::Unit(id("arts")), Some("arts"));
    let mut elsewhere = crate::testing::directory();
    assert_eq!(take(&mut elsewhere, nested), Err(Refusal::UnitWithinUnit));
}

#[test]
fn a_grant_that_somebody_confirms_is_looked_at_anew() {
    let mut directory = directory();
    let first = directory.reviewed_at(&id("guest")).unwrap();
    let confirm = Command::GrantConfirm { id: id("guest"), reason: "still needed".into() };
    let (seq, later) = (directory.head() + 1, first.plus_ms(1000));
    let entry = crate::command::Entry { seq, at: later, actor: crate::command::Actor::system(), command: confirm };
    assert!(directory.apply(&entry).unwrap().is_empty(), "no door is touched");
    assert_eq!(directory.reviewed_at(&id("guest")), Some(later));
    let seq = directory.head() + 1;
    let end = Command::GrantEnd { id: id("guest"), on: None };
    let entry = crate::command::Entry { seq, at: later, actor: crate::command::Actor::system(), command: end };
    directory.apply(&entry).unwrap();
    assert_eq!(directory.reviewed_at(&id("guest")), None);
    let unknown = Command::GrantConfirm { id: id("guest"), reason: "still needed".into() };
    assert!(matches!(directory.check(&unknown, later), Err(Refusal::Unknown { kind: "grant", .. })));
}

#[test]
fn a_feed_pushes_people_of_its_units_and_leaves_those_who_belong_elsewhere_too() {
    let directory = with(Role::RegistrarFeed, of_units(&["science"]));
    let may = |person: &str, edit: &dyn Fn(&mut Person)| {
        let id = id::<crate::model::PersonId>(person);
        let empty = Person {
            name: "New".into(),
            category: crate::testing::id("staff"),
            ends_on: None,
            left_on: None,
            affiliations: Default::default(),
        };
        let mut person = directory.tables().people.get(&id).cloned().unwrap_or(empty);
        edit(&mut person);
        let pushed = Pushed { person, alias: directory.alias(&id).into_owned(), before: directory.person_version(&id) };
        let order = Command::Feed(FeedOrder { people: [(id, pushed)].into() });
        directory.authorize(&kim(), &order, at(TODAY)).is_ok()
    };
    let into = |unit: &'static str| {
        move |person: &mut Person| {
            person.affiliations.insert(Affiliation { unit: id(unit), days: DayRange::ALWAYS });
        }
    };
    let rename = |person: &mut Person| person.name = "Other".into();
    assert!(may("new", &into("physics")) && !may("new", &into("arts")) && !may("new", &|_| {}));
    assert!(may("ann", &rename) && !may("bob", &rename));
    assert!(may("bob", &into("physics")), "who is of another unit may be of this one, too");
    assert!(!may("ann", &into("arts")));
    let leave = |person: &mut Person| person.left_on = doorward_protocol::time::Day::parse("2026-09-01");
    assert!(may("sue", &leave) && !may("bob", &leave));
    let auditor = with(Role::Auditor, Remit::Campus);
    let order = Command::Feed(FeedOrder { people: Default::default() });
    assert!(auditor.authorize(&kim(), &order, at(TODAY)).is_err(), "whoever it is about");
}

#[test]
fn whom_an_identity_provider_knows_has_a_name_of_its_own_and_neither_password_nor_token() {
    let mut directory = with(Role::Administrator, Remit::Campus);
    let put = |name: &str| {
        let power = Power { role: Role::Auditor, remit: Remit::Campus };
        Command::Office(OfficeOrder::OperatorPut { id: id(name), operator: Operator { name: "Lee".into(), power } })
    };
    let denied = directory.authorize(&kim(), &put("oidc-lee"), at(TODAY));
    assert_eq!(denied, Err(Denial::Provider(id("oidc-lee"))), "also of an administrator");
    assert_eq!(directory.authorize(&kim(), &put("oidclee"), at(TODAY)), Ok(()));
    assert_eq!(directory.authorize(&Asker::Owner, &put("oidc-lee"), at(TODAY)), Ok(()), "the authority itself");
    take(&mut directory, put("oidc-lee")).unwrap();
    let of_provider = Err(Refusal::OfProvider(id("oidc-lee")));
    let invite = Command::Office(OfficeOrder::OperatorInvite { id: id("oidc-lee") });
    assert_eq!(directory.check(&invite, at(TODAY)), of_provider);
    let power = Power { role: Role::Auditor, remit: Remit::Campus };
    let expires_at = at(TODAY).plus_ms(1);
    let token = ApiToken { operator: id("oidc-lee"), power, expires_at, hash: Hash([7; 32]) };
    let give = Command::Office(OfficeOrder::TokenAdd { id: id("t"), token });
    assert_eq!(directory.check(&give, at(TODAY)), of_provider);
    assert_eq!(directory.check(&put("oidc"), at(TODAY)), Err(Refusal::ReservedName(id("oidc"))));
}
