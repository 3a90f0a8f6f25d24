//! The pages of the auditor and the operator in a real browser, against a real authority with real agents: what was tapped, ordered
//! and cut is what these pages say.

use crate::console::{faults_of, signed_in, wait_for_text};
use crate::tools::{NORTH, SOUTH, journal_head, tiny_world};
use tests::browser::Browser;
use tests::wait::{SOON, until_true};

const ENTER: &str = "\u{e007}";

/// The cells of a table, row by row, also where it is folded away.
fn cells(browser: &Browser, table: &str) -> Vec<Vec<String>> {
    let script = format!(
        "return [...document.querySelectorAll('{table} tbody tr')].map((row) =>\
         [...row.children].map((cell) => cell.textContent.trim()));"
    );
    serde_json::from_value(browser.run(&script).unwrap()).unwrap()
}

/// The sum of a column of numbers.
fn sum(rows: &[Vec<String>], column: usize) -> u64 {
    rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
}

/// The row whose first cell begins so.
fn row<'a>(rows: &'a [Vec<String>], begins: &str) -> &'a [String] {
    let found = rows.iter().find(|row| row[0].starts_with(begins));
    found.unwrap_or_else(|| panic!("no row {begins:?} in {rows:?}"))
}

#[test]
fn an_auditor_finds_who_suspended_a_card_and_sees_it_in_log_plots_and_directory() {
    let world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "auditor", "--role auditor --campus") else { return };
    let before = journal_head(&world);
    let taps = [
        (NORTH, "north-main", "ADA", "grant granted"),
        (NORTH, "north-main", "ADA", "grant granted"),
        (SOUTH, "south-main", "ADA", "grant granted"),
        (SOUTH, "south-main", "CEM", "deny no-permission"),
    ];
    for (agent, door, card, answer) in taps {
        assert_eq!(world.agent(agent).unwrap().tap(door, card).unwrap().replace('_', "-"), answer, "{card} at {door}");
    }
    world.authority.say("card suspend ADA --reason lost --as kim").unwrap().ok().unwrap();
    assert_eq!(world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap(), "deny suspended");
    world.wait_until_recorded().unwrap();

    // Who suspended it, and when.
    browser.go(&format!("{site}/")).unwrap();
    browser.click("nav a[href='/journal']").unwrap();
    browser.wait_for("table.records").unwrap();
    browser.type_into("#about", &format!("ADA{ENTER}")).unwrap();
    until_true("only what is about the card is shown", SOON, || Ok(browser.place()?.contains("about=ADA"))).unwrap();
    let entries = cells(&browser, "table.records");
    assert!(entries[0][0].starts_with("Card suspended") && entries[0][0].contains("card ADA: lost"), "{entries:?}");
    assert_eq!(entries[0][1], "owner/kim");
    let entry = world.authority.json_lines("journal --limit 1").unwrap().remove(0);
    let at = entry["at"]["text"].as_str().unwrap();
    assert!(browser.has(&format!("#entry-{} time[datetime='{at}']", entry["seq"])).unwrap(), "{at}");
    browser.click("tbody tr:first-child a[href^='/changes/']").unwrap();
    wait_for_text(&browser, ".summary", "Closed everywhere for card ADA");

    // What it did at the doors.
    browser.go(&format!("{site}/log")).unwrap();
    browser.type_into("#card", &format!("ADA{ENTER}")).unwrap();
    until_true("only taps of the card are shown", SOON, || Ok(browser.place()?.contains("card=ADA"))).unwrap();
    let records = cells(&browser, "table.records");
    assert_eq!(records.len(), 4, "{records:?}");
    assert!(records[0][0].contains("denied") && records[0][0].contains("card is suspended"), "{records:?}");
    assert!(records[0][1].contains("North Wing, Main entrance") && records[0][2].contains("ada"), "{records:?}");

    // The same taps in numbers.
    browser.go(&format!("{site}/plots")).unwrap();
    let hours = cells(&browser, "#over-time table");
    assert_eq!((sum(&hours, 1), sum(&hours, 2)), (3, 2), "{hours:?}");
    let doors = cells(&browser, "#by-door table");
    assert_eq!(row(&doors, "North Wing, Main entrance")[1..], ["2", "1"]);
    assert_eq!(row(&doors, "South Wing, Main entrance")[1..], ["1", "1"]);
    let reasons = cells(&browser, "#by-reason table");
    assert_eq!(
        (row(&reasons, "card is suspended")[1].as_str(), row(&reasons, "no permission")[1].as_str()),
        ("1", "1")
    );
    let drawn = browser.run("return document.querySelectorAll('#over-time svg > rect').length").unwrap();
    assert!(drawn.as_u64() >= Some(2), "what opened and what did not are drawn apart: {drawn}");
    browser.go(&format!("{site}/latency")).unwrap();
    assert!(browser.text("#longest").unwrap().ends_with('s'));
    assert_eq!(sum(&cells(&browser, "details table"), 1), 2, "both agents confirmed the one removal");

    // And what it changed.
    browser.go(&format!("{site}/compare?from_entry={before}")).unwrap();
    wait_for_text(&browser, "main", "active → suspended");
    wait_for_text(&browser, "#door-north-main", "lost (1): Ada Smith");
    assert!(!browser.has("#table-people").unwrap(), "and nothing else");
    browser.go(&format!("{site}/looks")).unwrap();
    wait_for_text(&browser, "table.records", "card ADA");
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn an_operator_sees_which_agent_is_behind_invites_one_and_strikes_one_off() {
    let mut world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "keeper", "--role administrator --campus") else { return };
    let agents = |wanted: [&str; 2]| {
        until_true(&format!("the agents are {wanted:?}"), SOON, || {
            browser.go(&format!("{site}/agents"))?;
            let [north, south] = ["#agent-agent-north", "#agent-agent-south"].map(|id| browser.text(id));
            Ok(north?.contains(wanted[0]) && south?.contains(wanted[1]))
        })
        .unwrap_or_else(|error| panic!("{error:#}: {}", browser.text("main").unwrap_or_default()));
    };
    agents(["up to date", "up to date"]);
    assert!(!browser.has(".dot.away").unwrap() && browser.has(".dot").unwrap());
    let south = browser.text("#agent-agent-south").unwrap();
    assert!(south.contains("connected") && south.contains(env!("CARGO_PKG_VERSION")), "{south}");

    world.agent(SOUTH).unwrap().network.cut();
    until_true("the authority misses the south", SOON, || Ok(world.authority.agent(SOUTH)?["connected"] == false))
        .unwrap();
    world.authority.say("card suspend BOB --reason stolen").unwrap().with_code(3).unwrap();
    agents(["up to date", "behind by 1"]);
    let south = browser.text("#agent-agent-south").unwrap();
    assert!(south.contains("not connected") && south.contains(" ago"), "{south}");
    assert!(browser.has(".dot.away").unwrap() && browser.has("#agent-agent-south time").unwrap(), "and its lease ends");
    browser.go(&format!("{site}/latency")).unwrap();
    wait_for_text(&browser, "main", "agent-south has yet to confirm: 1");
    world.agent(SOUTH).unwrap().network.mend();
    agents(["up to date", "up to date"]);

    browser.click("a[href='/agents/agent-south/remove']").unwrap();
    browser.wait_for(".bad").unwrap();
    browser.click("button.main.shut").unwrap();
    wait_for_text(&browser, "#agent-agent-south", "struck off");
    until_true("its connection ends", SOON, || Ok(world.authority.agent(SOUTH)?["connected"] == false)).unwrap();
    browser.click("a[href='/agents/invite']").unwrap();
    browser.type_into("#agent", &format!("agent-south{ENTER}")).unwrap();
    browser.wait_for("#secret").unwrap();
    browser.go(&format!("{site}/agents")).unwrap();
    wait_for_text(&browser, "#agent-agent-south", "invited");
    assert!(!browser.has("#secret").unwrap(), "it was shown once");
    drop(browser);
    // An agent that is struck off says so, and goes on deciding; no more is asked of it here.
    let _stopped = world.agent_mut(SOUTH).unwrap().stop();
}

#[test]
fn nothing_on_the_pages_of_records_keeps_people_out() {
    let world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "keeper", "--role administrator --campus") else { return };
    let before = journal_head(&world);
    world.agent(NORTH).unwrap().tap("north-main", "ADA").unwrap();
    world.agent(SOUTH).unwrap().tap("south-main", "CEM").unwrap();
    world.authority.say("card suspend ADA --reason lost").unwrap().ok().unwrap();
    world.authority.say("operator token keeper").unwrap().ok().unwrap();
    world.wait_until_recorded().unwrap();
    world.agent(SOUTH).unwrap().network.cut();
    until_true("the authority misses the south", SOON, || Ok(world.authority.agent(SOUTH)?["connected"] == false))
        .unwrap();
    let compared = format!("/compare?from_entry={before}");
    let pages = [
        "/journal",
        "/journal?kind=card-suspend",
        "/journal?by=nobody",
        "/log",
        "/plots",
        "/plots?span=month",
        "/latency",
        "/agents",
        "/agents/invite",
        "/agents/agent-south/remove",
        "/compare",
        &compared,
        "/looks",
        "/operators",
        "/retention",
        "/receivers",
    ];
    let mut faults = faults_of(&browser, &site, &pages);
    let open = "document.querySelectorAll('details').forEach((details) => { details.open = true; });\
                return document.documentElement.scrollWidth;";
    for path in ["/plots", "/latency", "/agents"] {
        browser.go(&format!("{site}{path}")).unwrap();
        browser.look(320, "light").unwrap();
        let widest = browser.run(open).unwrap();
        if widest.as_u64() > Some(320) {
            faults.push(format!("{path}: {widest} wide with its numbers"));
        }
        faults.extend(browser.faults().unwrap());
    }
    assert!(faults.is_empty(), "{faults:#?}");
    drop(browser);
    world.stop().unwrap();
}

#[test]
fn a_page_of_records_is_there_before_anybody_notices() {
    let world = tiny_world();
    let Some((browser, site)) = signed_in(&world, "auditor", "--role auditor --campus") else { return };
    let paint = "const paint = performance.getEntriesByName('first-contentful-paint')[0];\
                 return paint ? Math.round(paint.startTime) : null;";
    for path in ["/journal", "/log", "/plots", "/latency", "/agents", "/compare?from_entry=2"] {
        // The machine may be busy with other tests, so the best of some counts, and a slow page is slow each time.
        let soon = until_true(&format!("{path} is painted within 100 ms"), SOON, || {
            browser.go(&format!("{site}{path}"))?;
            Ok(browser.run(paint)?.as_u64().is_some_and(|ms| ms <= 100))
        });
        soon.unwrap();
    }
    drop(browser);
    world.stop().unwrap();
}
