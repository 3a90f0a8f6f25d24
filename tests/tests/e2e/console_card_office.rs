//! The card office in a real browser, against a real authority with a real agent: from photos that wait to a card that opens.

use crate::console::{faults_of, signed_in, wait_for_text};
use crate::tools::{NORTH, tiny_copy};
use std::path::PathBuf;
use tests::browser::Browser;
use tests::campus::edit;
use tests::json::{list, text};
use tests::wait::{SOON, until_true};
use tests::world::World;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../authority/server/tests/photo-24x30.jpg");

/// The tiny campus with a campaign, at which six students of history have no card yet; their photos wait in this order.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let campus = tiny_copy(folder.path(), "campus");
    let campaign = "\n[photo]\nwidth = 24\nheight = 30\n\n[[fee]]\ncause = \"lost\"\namount = \"5 EUR\"\n\n\
                    [campaign.autumn]\nname = \"New students\"\ncard_type = \"card\"\n";
    edit(&campus, "campus.toml", |text| text + campaign).unwrap();
    let is_new = |line: &&str| !(1..=6).any(|student| line.starts_with(&format!("S0{student},")));
    edit(&campus, "cards.csv", |text| text.lines().filter(is_new).map(|line| format!("{line}\n")).collect()).unwrap();
    let world = World::start(&campus, &[NORTH]).unwrap();
    // Ada is of another department.
    for person in ["ada", "s01", "s02", "s03", "s04", "s05", "s06"] {
        world.authority.say(&format!("photo submit {person} {PHOTO}")).unwrap().ok().unwrap();
    }
    world
}

/// Where everyone's photo stands, as the API says it.
fn state_of(world: &World, person: &str) -> (String, String) {
    let photos = world.authority.api_json(&format!("/v1/photos?find={person}")).unwrap();
    let photo = list(&photos, "photos").first().cloned().unwrap();
    (text(&photo, "state").to_owned(), photo["reason"].as_str().unwrap_or_default().to_owned())
}

fn wait_for_state(world: &World, person: &str, state: &str) {
    until_true(&format!("the photo of {person} is {state}"), SOON, || Ok(state_of(world, person).0 == state)).unwrap();
}

/// Presses keys in the queue, and waits for whose photo comes then.
fn press(browser: &Browser, keys: &str, whose: &str) {
    browser.type_into("#queue", keys).unwrap();
    wait_for_text(browser, "#whose", whose);
    // It was there before the key was pressed.
    let width = browser.run("return document.querySelector('img.portrait').naturalWidth").unwrap();
    assert_eq!(width, 24, "the photo of {whose} is shown with the name");
}

/// The department's assistant decides its photos with the hands on the keyboard.
fn decide_photos(world: &World, browser: &Browser, site: &str) {
    browser.go(&format!("{site}/photos")).unwrap();
    wait_for_text(browser, "#whose", "Student 01");
    wait_for_text(browser, "#waiting", "Waiting: 6");
    press(browser, "a", "Student 02");
    press(browser, "r2", "Student 03");
    wait_for_text(browser, "#waiting", "Waiting: 4");
    press(browser, "s", "Student 04");
    press(browser, "a", "Student 05");

    // Whoever turned the keys off, or types a reason, decides nothing by them.
    browser.click("[data-keys-switch]").unwrap();
    browser.type_into("#queue", "a").unwrap();
    browser.click("[data-keys-switch]").unwrap();
    browser.type_into("#queue", "ras").unwrap();
    browser.type_into("#reason", "a sad photo").unwrap();
    browser.type_into("#reason", ESCAPE).unwrap();
    assert!(!browser.has("details.reject[open]").unwrap());
    wait_for_text(browser, "#whose", "Student 05");
    wait_for_state(world, "s04", "approved");
    assert_eq!(state_of(world, "s05").0, "waiting");

    // Another has decided this one meanwhile: that is said, with the name, and the queue goes on.
    let photos = world.authority.api_json("/v1/photos?find=s05").unwrap();
    let image = text(&list(&photos, "photos")[0], "image").to_owned();
    world.authority.say(&format!("photo approve s05 --image {image}")).unwrap().ok().unwrap();
    press(browser, "a", "Student 06");
    wait_for_text(browser, ".troubles", "Student 05 was not decided");
    press(browser, "a", "Student 03");
    browser.type_into("#queue", "a").unwrap();
    wait_for_text(browser, "main", "No photo waits.");
    assert!(browser.text(".troubles").unwrap().contains("Student 05"), "it is said until it was read");
    for (person, state) in [("s01", "approved"), ("s02", "rejected"), ("s03", "approved"), ("s06", "approved")] {
        wait_for_state(world, person, state);
    }
    assert_eq!(state_of(world, "s02").1, "Blank margin");
    assert_eq!(state_of(world, "ada").0, "waiting", "another department's");
}

/// Without scripts, what the page focuses is one Tab away from approving.
#[test]
fn photos_are_decided_by_tab_and_enter_where_no_script_runs() {
    let world = world();
    let Some((browser, site)) = signed_in(&world, "lena", "--role department --unit history") else { return };
    browser.let_scripts_run(false).unwrap();
    browser.go(&format!("{site}/photos")).unwrap();
    assert!(!browser.text("main").unwrap().contains("Single keys"), "no key is offered that nobody hears");
    browser.type_into("#queue", &format!("{TAB}{ENTER}")).unwrap();
    wait_for_text(&browser, "#whose", "Student 02");
    wait_for_text(&browser, ".good", "Approved: Student 01.");
    browser.type_into("#queue", &format!("{TAB}{TAB}{TAB}{ENTER}{TAB}{TAB}{ENTER}")).unwrap();
    wait_for_text(&browser, "#whose", "Student 03");
    assert_eq!(state_of(&world, "s02"), ("rejected".to_owned(), "Blank margin".to_owned()));
    browser.type_into("#queue", &format!("{TAB}{TAB}{ENTER}")).unwrap();
    wait_for_text(&browser, "#whose", "Student 04");
    assert_eq!(state_of(&world, "s03").0, "waiting", "left for later");
    drop(browser);
    world.stop().unwrap();
}

/// The assistant puts people on the roster, and confirms it.
fn prepare_roster(browser: &Browser, site: &str) {
    browser.go(&format!("{site}/campaigns")).unwrap();
    browser.click("form.filter button").unwrap();
    browser.wait_for(".offered").unwrap();
    for person in ["s01", "s02", "s03"] {
        browser.click(&format!(".offered input[value={person}]")).unwrap();
    }
    browser.click("form[action$='/enter'] button").unwrap();
    wait_for_text(browser, "main", "On the roster: 3");
    wait_for_text(browser, "main", "Without an approved photo: 1");
    browser.click("form[action$='/strike'] input[value=s02]").unwrap();
    browser.click("form[action$='/strike'] button").unwrap();
    wait_for_text(browser, "main", "On the roster: 2");
    browser.click("form[action$='/confirm'] button").unwrap();
    browser.wait_for("h1 .state.confirmed").unwrap();
}

/// The card office accepts it, orders the cards, and takes in what the company made.
fn produce(browser: &Browser, site: &str, table: &PathBuf) {
    browser.go(&format!("{site}/campaigns/autumn/roster?unit=history")).unwrap();
    browser.click("form[action$='/accept'] button").unwrap();
    browser.wait_for("h1 .state.accepted").unwrap();
    browser.click("a[href='/batches']:not(nav a)").unwrap();
    browser.wait_for("#batch").unwrap();
    browser.click("form[action='/batches'] button").unwrap();
    wait_for_text(browser, "main", "0 of 2 came");
    assert!(browser.has("a[href$='/archive'][download]").unwrap());
    std::fs::write(table, "person_id,card_id\ns01,NEW1\ns03,NEW3\n").unwrap();
    browser.type_into("#file", &table.to_string_lossy()).unwrap();
    browser.click("form[action$='/deliver'] button").unwrap();
    wait_for_text(browser, "main", "2 of 2 came");
}

#[test]
fn photos_are_approved_by_keys_and_become_cards_that_open_doors() {
    let world = world();
    let Some((browser, site)) = signed_in(&world, "lena", "--role department --unit history") else { return };
    decide_photos(&world, &browser, &site);
    prepare_roster(&browser, &site);
    browser.click(".who button").unwrap();
    browser.wait_for("#operator").unwrap();
    drop(browser);

    let Some((browser, site)) = signed_in(&world, "office", "--role card-office --campus") else { return };
    produce(&browser, &site, &world.file("produced.csv"));
    world.wait_until_exact().unwrap();
    let agent = world.agent(NORTH).unwrap();
    assert_eq!(agent.tap("north-main", "NEW1").unwrap(), "deny not_activated");
    // A reader at the desk types what it reads; Enter activates what it has found.
    browser.go(&format!("{site}/desk")).unwrap();
    browser.type_into("#card", &format!("NEW1{ENTER}")).unwrap();
    browser.wait_for("form[action='/cards/NEW1/activate']").unwrap();
    assert_eq!(browser.run("return document.activeElement.textContent").unwrap(), "Activate");
    browser.type_into("form[action='/cards/NEW1/activate'] button", ENTER).unwrap();
    browser.wait_for(".summary.done").unwrap();
    assert_eq!(agent.tap("north-main", "NEW1").unwrap(), "grant granted");

    // It is lost: the fee is said before, the old card opens nothing, and the new one opens once it is activated.
    browser.go(&format!("{site}/people/s01/issue?replaces=NEW1")).unwrap();
    browser.click("main form button.main").unwrap();
    browser.wait_for("#card").unwrap();
    assert_eq!(browser.text(".fee").unwrap(), "5 EUR");
    assert_eq!(agent.tap("north-main", "NEW1").unwrap(), "grant granted", "nothing is ordered yet");
    browser.type_into("#card", &format!("NEW2{ENTER}")).unwrap();
    wait_for_text(&browser, "h1", "Card NEW2 is issued");
    browser.click("form[action='/cards/NEW2/activate'] button").unwrap();
    browser.wait_for(".summary.done").unwrap();
    assert_eq!(agent.tap("north-main", "NEW1").unwrap(), "deny unknown_credential");
    assert_eq!(agent.tap("north-main", "NEW2").unwrap(), "grant granted");
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn nothing_on_the_pages_of_the_card_office_keeps_people_out() {
    let world = world();
    let Some((browser, site)) = signed_in(&world, "office", "--role card-office --campus") else { return };
    let say = |line: &str| world.authority.say(line).unwrap().ok().unwrap();
    say("roster enter autumn --unit history s01 s02");
    say("application make --person s03 --type card --channel phone --reason app --document passport --id lost");
    // How far its doors have come by then is not what this is about.
    drop(world.authority.say("card found BOB --place gate --wait 0s").unwrap());
    let image = text(&list(&world.authority.api_json("/v1/photos?find=s01").unwrap(), "photos")[0], "image").to_owned();
    say(&format!("photo approve s01 --image {image}"));
    say("roster strike autumn --unit history s02");
    say("roster confirm autumn --unit history");
    say("roster accept autumn --unit history");
    say("batch order first --campaign autumn");
    let pages = [
        "/desk",
        "/desk?card=student",
        "/cards/DANA-NEW",
        "/cards/BOB",
        "/cards/ADA/extend",
        "/cards/ADA/close",
        "/cards/ADA/found",
        "/people/ada",
        "/people/ada/issue?replaces=ADA",
        "/people/ada/issue?weigh=true&cause=lost&card_type=card&replaces=ADA",
        "/photos",
        "/photos/list",
        "/photos/of/s01",
        "/photos/of/s02",
        "/photos/of/s10",
        "/campaigns",
        "/campaigns/autumn/roster?unit=history",
        "/campaigns/autumn/roster?unit=tiny",
        "/campaigns/autumn/return?unit=history",
        "/batches",
        "/batches/first",
        "/applications",
        "/applications/lost",
        "/applications/new",
        "/applications/new?person=s03",
        "/reissues",
    ];
    let mut faults = faults_of(&browser, &site, &pages);
    browser.go(&format!("{site}/photos")).unwrap();
    browser.type_into("#queue", "r?").unwrap();
    browser.wait_for("details.reject[open]").unwrap();
    browser.wait_for("#keys[open]").unwrap();
    faults.extend(browser.faults().unwrap());
    assert!(faults.is_empty(), "{faults:#?}");
    drop(browser);
    world.stop().unwrap();
}
