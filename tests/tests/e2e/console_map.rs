//! The campus map in a real browser: an administrator draws it, and a wall display follows what happens in the buildings.

use crate::console::{faults_of, signed_in, wait_for_text};
use crate::tools::{NORTH, SOUTH, tiny_world};
use std::path::Path;
use tests::json::text;
use tests::wait::{SOON, until_true};

#[test]
fn an_administrator_clicks_buildings_onto_a_plan_and_the_map_follows_what_happens_there() {
    let mut world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "chief", "--role administrator --campus") else { return };
    browser.look(1280, "light").unwrap();
    browser.go(&format!("{site}/map/arrange")).unwrap();
    let click = "const plan = document.querySelector('input[type=image]'); plan.scrollIntoView({ block: 'center' });";
    browser.run(click).unwrap();
    browser.click("input[type=image]").unwrap();
    until_true("the first building is placed", SOON, || browser.has(".map-frame .map-mark")).unwrap();
    let map = world.authority.api_json("/v1/map").unwrap();
    let of = |side: &str| map["places"]["north"][side].as_u64().unwrap();
    assert!((490..=510).contains(&of("x")) && (490..=510).contains(&of("y")), "a click goes to the middle: {map}");
    assert_eq!(
        browser.run("return document.querySelector('#building').value").unwrap(),
        "south",
        "and the next is asked for"
    );
    browser.type_into("#x", "80").unwrap();
    browser.type_into("#y", "12.5\u{e007}").unwrap();
    until_true("both are placed", SOON, || {
        Ok(browser.run("return document.querySelectorAll('.map-frame .map-mark').length")? == 2)
    })
    .unwrap();

    browser.go(&format!("{site}/map")).unwrap();
    browser.wait_for("[data-state-of=map].on").unwrap();
    wait_for_text(&browser, "#place-north", "all well");
    assert_eq!(browser.run("return document.querySelectorAll('#map-marks .well').length").unwrap(), 2);
    world.authority.say("lockdown building north --reason drill").unwrap().ok().unwrap();
    wait_for_text(&browser, "#place-north", "locked down");
    browser.wait_for("#map-marks .locked-down").unwrap();
    world.agent(SOUTH).unwrap().network.cut();
    wait_for_text(&browser, "#place-south", "agent not reached");
    world.agent_mut(SOUTH).unwrap().network.mend();
    world.authority.say("release building north --reason over").unwrap().ok().unwrap();
    wait_for_text(&browser, "#place-south", "all well");
    wait_for_text(&browser, "#place-north", "all well");

    world.authority.say("card suspend ADA --reason lost").unwrap().ok().unwrap();
    world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap();
    wait_for_text(&browser, "#place-north", "alarms open: 1");
    let alarms = world.authority.api_json("/v1/alarms").unwrap();
    assert_eq!(text(&alarms["alarms"][0], "agent"), NORTH);
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn nothing_on_the_map_keeps_people_out_with_and_without_a_plan() {
    let world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "chief", "--role administrator --campus") else { return };
    world.authority.say("lockdown door south-side --reason drill").unwrap().ok().unwrap();
    let mut faults = faults_of(&browser, &site, &["/map", "/map/arrange"]);
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("../authority/server/tests/photo-24x30.jpg");
    browser.go(&format!("{site}/map/arrange")).unwrap();
    browser.type_into("#file", plan.canonicalize().unwrap().to_str().unwrap()).unwrap();
    browser.click("form[action='/map/plan'] button").unwrap();
    browser.wait_for("form[action='/map/plan/remove']").unwrap();
    faults.extend(faults_of(&browser, &site, &["/map/arrange?building=south", "/map"]));
    let seen = browser.run("return document.querySelector('img.map-plan').naturalWidth").unwrap();
    assert_eq!(seen, 24, "the plan is seen");
    assert!(faults.is_empty(), "{faults:#?}");
    drop(browser);
    world.stop().unwrap();
}
