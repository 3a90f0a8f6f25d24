//! Facilities and departments in a real browser: one asks, the other sees the effect and decides, and the agent at the door obeys.

use crate::console::{changes_to, faults_of, signed_in, wait_for_text};
use crate::tools::{NORTH, SOUTH, tiny_world};
use tests::browser::Browser;

const ENTER: &str = "\u{e007}";

/// Goes to the pages of these offices by the menu.
fn to_requests(browser: &Browser) {
    browser.click("header nav a[href='/requests']").unwrap();
    browser.wait_for("nav.section").unwrap();
}

#[test]
fn a_department_asks_facilities_see_the_effect_and_approve_and_review_ends_it_at_the_agent() {
    let world = tiny_world();
    let south = world.agent(SOUTH).unwrap();
    let Some((browser, _)) = signed_in(&world, "chemistry-office", "--role department --unit chemistry") else {
        return;
    };
    assert_eq!(south.tap("south-main", "CEM").unwrap(), "deny no_permission");
    to_requests(&browser);
    browser.click("nav.section a[href='/requests/new']").unwrap();
    browser.wait_for("#building").unwrap();
    browser.type_into("#building", "South").unwrap();
    browser.click("main .filter button").unwrap();
    browser.wait_for("#door").unwrap();
    browser.type_into("#category", "student").unwrap();
    browser.type_into("#until", "12312099").unwrap();
    browser.type_into("#reason", "seminar in the south").unwrap();
    browser.click("button[value=preview]").unwrap();
    browser.wait_for("table.effect").unwrap();
    assert!(browser.text(".sentence").unwrap().contains("Of them gain a door: 1."));
    browser.click("button[value=send]").unwrap();
    wait_for_text(&browser, "h1", "waiting");
    let asked = browser.text("main").unwrap();
    assert!(asked.contains("student of Chemistry") && asked.contains("until 2099-12-31"), "{asked}");
    assert!(!browser.has("button[formaction]").unwrap(), "it is not theirs to decide");
    assert_eq!(south.tap("south-main", "CEM").unwrap(), "deny no_permission", "to ask opens nothing");

    changes_to(&world, &browser, "south-facilities", "--role facilities --building south");
    to_requests(&browser);
    wait_for_text(&browser, "section[aria-labelledby=to-decide]", "seminar in the south");
    browser.click("section[aria-labelledby=to-decide] a.name").unwrap();
    browser.wait_for("table.effect").unwrap();
    let effect = browser.text("section[aria-labelledby=effect]").unwrap();
    assert!(effect.contains("Of them gain a door: 1.") && effect.contains("agents: 1."), "{effect}");
    assert_eq!(south.tap("south-main", "CEM").unwrap(), "deny no_permission", "to look opens nothing");
    browser.type_into("#reason", "welcome").unwrap();
    browser.click("form.fields button.main").unwrap();
    wait_for_text(&browser, "h1", "approved");
    browser.click(".good a").unwrap();
    browser.wait_for(".summary.done").unwrap();
    assert_eq!(south.tap("south-main", "CEM").unwrap(), "grant granted", "and the page says so");
    assert!(south.tap("south-main", "DANA").unwrap().starts_with("deny"), "she is in another department");

    to_requests(&browser);
    browser.click("nav.section a[href='/grants/review']").unwrap();
    browser.wait_for("#days").unwrap();
    wait_for_text(&browser, "main", "None is due");
    browser.type_into("#days", "any").unwrap();
    browser.click("main .filter button").unwrap();
    browser.wait_for("form.keep").unwrap();
    browser.type_into("form.keep input[name=reason]", &format!("still taught{ENTER}")).unwrap();
    wait_for_text(&browser, ".good", "Kept: ");
    assert_eq!(south.tap("south-main", "CEM").unwrap(), "grant granted");
    browser.click("form.keep a.shut").unwrap();
    browser.wait_for("#on").unwrap();
    let ending = browser.text("section[aria-labelledby=effect]").unwrap();
    assert!(ending.contains("Of them lose a door: 1."), "{ending}");
    browser.click("form.fields button.shut").unwrap();
    browser.wait_for(".summary.done").unwrap();
    assert_eq!(south.tap("south-main", "CEM").unwrap(), "deny no_permission", "and the page says so");
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn a_building_says_who_does_not_answer_and_a_refused_person_is_told_why() {
    let mut world = tiny_world();
    let Some((browser, _)) = signed_in(&world, "facilities", "--role facilities --unit tiny") else { return };
    to_requests(&browser);
    browser.click("nav.section a[href='/buildings']").unwrap();
    browser.wait_for("a[href='/buildings/south']").unwrap();
    assert!(!browser.has(".places .state.suspended").unwrap(), "all agents answer");
    world.agent(SOUTH).unwrap().network.cut();
    tests::wait::until_true("the authority misses the south", tests::wait::SOON, || {
        Ok(world.authority.agent(SOUTH)?["connected"] == false)
    })
    .unwrap();
    browser.click("nav.section a[href='/buildings']").unwrap();
    browser.wait_for(".places .state.suspended").unwrap();
    let silent = browser.text(".places").unwrap();
    assert!(silent.contains("does not answer") && silent.contains("decide by themselves until"), "{silent}");
    world.agent_mut(SOUTH).unwrap().network.mend();
    browser.click("a[href='/buildings/south']").unwrap();
    wait_for_text(&browser, "main", "People who can open it now: ");

    let refused = world.agent(NORTH).unwrap().tap("north-lab", "BOB").unwrap();
    assert!(refused.starts_with("deny"), "{refused}");
    world.wait_until_recorded().unwrap();
    browser.click("header nav a[href='/']").unwrap();
    browser.wait_for("#find").unwrap();
    browser.type_into("#find", &format!("jones{ENTER}")).unwrap();
    browser.wait_for("a[href='/people/bob/opens']").unwrap();
    browser.click("a[href='/people/bob/opens']").unwrap();
    browser.wait_for("ul.buildings").unwrap();
    let opens = browser.text("ul.buildings").unwrap();
    assert!(
        opens.contains("South Wing") && opens.contains("Side entrance") && !opens.contains("Laboratory"),
        "{opens}"
    );
    browser.click("a[href='/people/bob/refused']").unwrap();
    browser.wait_for(".requests a[href^='/why']").unwrap();
    browser.click(".requests a[href^='/why']").unwrap();
    browser.wait_for(".reasons").unwrap();
    assert!(browser.text("main .bad").unwrap().contains("denied"), "{}", browser.text("main").unwrap());
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn nothing_on_the_pages_of_these_offices_keeps_people_out() {
    let world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "dean", "--role administrator --campus") else { return };
    let say = |line: &str| world.authority.say(line).unwrap().ok().unwrap();
    say("request ask --unit chemistry --building south --reason seminar --id seminar");
    say("request ask --person bob --door north-lab --reason thesis --id thesis");
    say("request reject thesis --reason full");
    say("grant add --unit chemistry --door south-side --id lent");
    say(
        "grant add --category student --within history --building north --from 2090-01-01 --until 2090-02-28 --id later",
    );
    say("lockdown door south-side --reason drill");
    world.agent(NORTH).unwrap().tap("north-lab", "BOB").unwrap();
    world.wait_until_recorded().unwrap();
    let pages = [
        "/requests",
        "/requests/seminar",
        "/requests/thesis",
        "/requests/new",
        "/requests/new?building=south",
        "/grants",
        "/grants/new?building=north",
        "/grants/review?days=0",
        "/grants/lent/end",
        "/buildings",
        "/buildings/south",
        "/people/bob",
        "/people/bob/opens",
        "/people/bob/refused",
    ];
    let faults = faults_of(&browser, &site, &pages);
    assert!(faults.is_empty(), "{faults:#?}");
    drop(browser);
    world.stop().unwrap();
}
