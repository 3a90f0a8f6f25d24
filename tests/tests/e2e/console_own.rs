//! The pages of a card holder in a real browser: the own tap is seen, a lost card is refused at the agents, and a found one works again.

use crate::console::{faults_of, set_up, wait_for_text};
use crate::tools::{NORTH, SOUTH, tiny_copy};
use std::path::Path;
use tests::browser::Browser;
use tests::campus;
use tests::json::{list, text};
use tests::wait::{SOON, until_true};
use tests::world::World;

/// The tiny campus, where people see their own taps.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let copy = tiny_copy(folder.path(), "campus");
    campus::edit(&copy, "campus.toml", |text| format!("{text}\n[self_service]\ntaps = \"30 days\"\n")).unwrap();
    World::start(&copy, &[NORTH, SOUTH]).unwrap()
}

/// A card holder at a browser, who has chosen a password and signed in.
fn holder(world: &World, person: &str) -> Option<(Browser, String)> {
    let browser = Browser::start(world.path()).unwrap()?;
    let site = format!("http://{}", world.authority.api);
    let invitation = world.authority.json(&format!("person invite {person}")).unwrap();
    let login = format!("holder/{person}");
    assert_eq!(text(&invitation, "operator"), login);
    browser.look(320, "light").unwrap();
    browser.go(&format!("{site}/sign-in")).unwrap();
    set_up(&browser, &login, text(&invitation, "secret"));
    browser.wait_for(".own").unwrap();
    assert_eq!(browser.place().unwrap(), format!("{site}/me"), "the own page, and no other");
    Some((browser, site))
}

#[test]
fn a_holder_sees_the_own_tap_reports_the_card_lost_and_finds_it_again() {
    let mut world = world();
    let Some((browser, site)) = holder(&world, "ada") else { return };
    let tap = |world: &World, agent: &str, door: &str| world.agent(agent).unwrap().tap(door, "ADA").unwrap();
    assert_eq!(tap(&world, SOUTH, "south-main"), "grant granted");
    world.wait_until_recorded().unwrap();
    browser.go(&format!("{site}/me")).unwrap();
    wait_for_text(&browser, ".own-tap", "South Wing, Main entrance");
    assert!(browser.text(".own-card").unwrap().contains("It works."));

    browser.click("a[href='/me/cards/ADA/lost']").unwrap();
    browser.click(".own button.main").unwrap();
    browser.wait_for(".summary.done").unwrap();
    let said = browser.text("main").unwrap();
    assert!(said.contains("Card ADA is reported lost") && said.contains("In force at all 5 doors"), "{said}");
    assert!(said.contains("North Wing") && said.contains("South Wing"), "{said}");
    assert_eq!(tap(&world, NORTH, "north-main"), "deny suspended");
    assert_eq!(tap(&world, SOUTH, "south-main"), "deny suspended");

    browser.go(&format!("{site}/me")).unwrap();
    wait_for_text(&browser, ".own-card", "No door opens for it.");
    // Where an agent is not reached the page says so without naming it, and goes on by itself once it is.
    world.agent(SOUTH).unwrap().network.cut();
    until_true("the authority misses the south", SOON, || Ok(world.authority.agent(SOUTH)?["connected"] == false))
        .unwrap();
    browser.click("a[href='/me/cards/ADA/found']").unwrap();
    browser.click(".own button.main").unwrap();
    wait_for_text(&browser, ".summary", "The other doors follow by themselves");
    wait_for_text(&browser, ".summary", "North Wing");
    let said = browser.text("main").unwrap();
    assert!(!said.contains("South Wing") && !said.contains(SOUTH), "{said}");
    assert_eq!(tap(&world, NORTH, "north-main"), "grant granted");
    assert_eq!(tap(&world, SOUTH, "south-main"), "deny suspended");
    world.agent_mut(SOUTH).unwrap().network.mend();
    browser.wait_for(".summary.done").unwrap();
    assert_eq!(tap(&world, SOUTH, "south-main"), "grant granted");
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn a_rejected_photo_is_told_with_its_reason_and_another_one_waits_again() {
    let world = world();
    let Some((browser, site)) = holder(&world, "bob") else { return };
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../authority/server/tests/photo-24x30.jpg");
    let bring = || {
        browser.go(&format!("{site}/me/photo")).unwrap();
        browser.type_into("#file", photo.canonicalize().unwrap().to_str().unwrap()).unwrap();
        browser.click(".own button.main").unwrap();
        wait_for_text(&browser, "main", "It waits to be looked at.");
    };
    bring();
    let is_seen = || Ok(browser.run("return document.querySelector('img.photo').naturalWidth")? == 24);
    until_true("the photo is seen", SOON, is_seen).unwrap();
    let decide = |decision: &str| {
        let photos = world.authority.json("photo list").unwrap();
        let image = text(&list(&photos, "photos")[0], "image").to_owned();
        world.authority.say(&format!("photo {decision} bob --image {image}")).unwrap().ok().unwrap();
    };
    decide("reject --reason blurred");
    browser.go(&format!("{site}/me")).unwrap();
    wait_for_text(&browser, "main", "blurred");
    bring();
    decide("approve");
    browser.go(&format!("{site}/me/photo")).unwrap();
    wait_for_text(&browser, "main", "It is locked now.");
    assert!(!browser.has("#file").unwrap());
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn nothing_on_the_own_pages_keeps_people_out() {
    let world = world();
    let Some((browser, site)) = holder(&world, "dana") else { return };
    world.agent(NORTH).unwrap().tap("north-main", "DANA").unwrap();
    world.agent(SOUTH).unwrap().tap("south-main", "DANA").unwrap();
    world.authority.say("request ask --person dana --building south --reason thesis").unwrap().ok().unwrap();
    world.wait_until_recorded().unwrap();
    let mut faults = faults_of(
        &browser,
        &site,
        &["/me", "/me/taps", "/me/photo", "/me/cards/DANA/lost", "/me/cards/NONE/lost", "/nowhere"],
    );
    browser.go(&format!("{site}/me/cards/DANA/lost")).unwrap();
    browser.click(".own button.main").unwrap();
    browser.wait_for(".summary.done").unwrap();
    let order = browser.place().unwrap().replace(&site, "");
    faults.extend(faults_of(&browser, &site, &[&order, "/me", "/me/cards/DANA/found"]));
    assert!(faults.is_empty(), "{faults:#?}");
    drop(browser);
    world.stop().unwrap();
}
