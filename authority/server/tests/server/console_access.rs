//! The console's pages of facilities and departments, as a browser without scripts sees them: asking, deciding, review, buildings,
//! and what a person opens.

use crate::browser::{Browser, Page};
use crate::running::{Running, running};
use crate::support::campus;
use doorward_policy::model::CardState;
use doorward_server::http::shapes::requests::{Grants, RequestView, Requests};
use serde_json::{Value, json};

/// Every page of these offices, with the sample campus's names in it.
const PAGES: [&str; 11] = [
    "/requests",
    "/requests/new",
    "/requests/new?building=sci",
    "/requests/new?person=230001",
    "/grants",
    "/grants?over=true&find=sci",
    "/grants/new?building=sci",
    "/grants/review",
    "/grants/review?days=0",
    "/buildings",
    "/buildings/sci",
];

/// Every form.
const FORMS: [&str; 7] = [
    "/requests/new",
    "/requests/lab/approve",
    "/requests/lab/reject",
    "/requests/lab/withdraw",
    "/grants/new",
    "/grants/lent/keep",
    "/grants/lent/end",
];

impl Running {
    /// The department that asks.
    async fn korean(&self) -> Browser<'_> {
        self.operator("korean", json!({ "role": "department", "units": ["korean"] })).await
    }

    /// Whose doors they are.
    async fn sciences(&self) -> Browser<'_> {
        self.operator("sciences", json!({ "role": "facilities", "buildings": ["sci"] })).await
    }

    async fn request(&self, id: &str) -> RequestView {
        self.get(&format!("/v1/requests/{id}")).await
    }

    async fn grants(&self) -> Vec<String> {
        let grants: Grants = self.get("/v1/grants").await;
        grants.grants.into_iter().map(|grant| grant.id).collect()
    }

    /// A request that waits, asked by the owner for the department's people, with the longest reason.
    async fn waiting(&self, id: &str) {
        let grant = json!({ "subject": { "unit": "korean" }, "target": { "building": "sci" } });
        let reason = format!("lab{}", "이".repeat(84));
        let _change: Value = self.post("/v1/requests", json!({ "id": id, "grant": grant, "reason": reason })).await;
    }
}

fn to(page: &Page) -> &str {
    page.header("location").unwrap_or_else(|| panic!("{}: {}", page.status, page.body))
}

/// Somebody who is of a unit, and has a card in use.
fn holder_of(unit: &str) -> (String, String, String) {
    let tables = campus().tables;
    let is_of = |person: &doorward_policy::model::Person| {
        person.left_on.is_none() && person.affiliations.iter().any(|of| of.unit.as_str() == unit)
    };
    let cards = tables.cards.iter().filter(|(_, card)| card.state == CardState::Active);
    let mut holders = cards.map(|(id, card)| (id, &card.person, &tables.people[&card.person]));
    let (card, person, known) = holders.find(|(_, _, person)| is_of(person)).unwrap();
    (card.to_string(), person.to_string(), known.name.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_its_effect_seen_and_decided_by_whose_door_it_is() {
    let running = running().await;
    let (mut korean, mut sciences) = (running.korean().await, running.sciences().await);
    let page = korean.get("/requests").await;
    assert!(page.body.contains("Nothing that you asked for waits.") && page.body.contains("/requests/new"));
    let page = korean.get("/requests/new?building=sci").await;
    assert!(page.body.contains("value=\"korean\" selected"), "the only unit in the remit: {}", page.body);
    assert!(!page.body.contains("value=\"physics\""), "others are not offered");
    let form = "building=sci&door=&unit=korean&category=undergraduate&person=&schedule=college-hours&until=2090-02-28";
    let head = running.head().await;
    let page =
        korean.send("/requests/new?building=sci", "/requests/new", &format!("{form}&reason=x&step=preview")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("What it would change") && page.body.contains("sci-main"), "{}", page.body);
    assert!(page.body.contains("value=\"2090-02-28\"") && page.body.contains("value=\"college-hours\" selected"));
    assert_eq!(running.head().await, head, "a look changes nothing");
    let page =
        korean.send("/requests/new", "/requests/new", &format!("{form}&reason=lab+course&waits=14&step=send")).await;
    assert_eq!(page.status, 303, "{}", page.body);
    let asked = to(&page).to_owned();
    let own = korean.get(&asked).await;
    assert!(own.body.contains("waiting") && own.body.contains("lab course"), "{}", own.body);
    assert!(own.body.contains("/withdraw") && !own.body.contains("/approve"), "it is not theirs to decide");
    assert!(korean.get("/requests").await.body.contains(&asked));

    let page = sciences.get("/requests").await;
    let (first, _) = page.body.split_once("id=\"decided\"").unwrap();
    assert!(first.contains("Waits for your decision · 1") && first.contains(&asked), "{}", page.body);
    let page = sciences.get(&asked).await;
    assert!(page.body.contains("of them gain a door") || page.body.contains("Of them gain a door"), "{}", page.body);
    assert!(page.body.contains("/approve") && !page.body.contains("/withdraw"), "{}", page.body);
    let page = sciences.send(&asked, &format!("{asked}/approve"), "reason=welcome&until=2090-01-31").await;
    assert_eq!(page.status, 303, "{}", page.body);
    let after = to(&page).to_owned();
    let page = sciences.get(&after).await;
    assert!(page.body.contains("approved") && page.body.contains("welcome"), "{}", page.body);
    let id = asked.strip_prefix("/requests/").unwrap();
    let request = running.request(id).await;
    assert_eq!((request.standing.as_str(), request.outcome.unwrap().grant.as_deref()), ("approved", Some(id)));
    assert!(sciences.get("/grants").await.body.contains("until 2090-01-31"), "earlier than asked for");
    let page = sciences.send("/requests", &format!("{asked}/reject"), "reason=no").await;
    assert_eq!(page.status, 409, "it is decided");
    assert!(korean.get("/requests").await.body.contains("approved"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_needs_a_reason_and_whoever_asked_takes_a_request_back() {
    let running = running().await;
    let (mut korean, mut sciences) = (running.korean().await, running.sciences().await);
    running.waiting("lab").await;
    running.waiting("other-lab").await;
    let page = sciences.send("/requests/lab", "/requests/lab/reject", "reason=+&until=2090-01-31").await;
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(
        page.body.contains("role=\"alert\"") && page.body.contains("value=\"2090-01-31\""),
        "nothing typed is lost"
    );
    let page = sciences.send("/requests/lab", "/requests/lab/approve", "reason=fine&until=soon").await;
    assert_eq!(page.status, 400, "{}", page.body);
    assert!(page.body.contains("value=\"fine\"") && page.body.contains("is not a day"), "{}", page.body);
    let page = sciences.send("/requests/lab", "/requests/lab/reject", "reason=the+lab+is+full").await;
    assert_eq!((page.status, to(&page)), (303, "/requests/lab"));
    assert!(korean.get("/requests/lab").await.body.contains("the lab is full"));
    let page = sciences.send("/requests", "/requests/other-lab/withdraw", "reason=x").await;
    assert_eq!(page.status, 403, "they speak for the door and not for its people");
    let page = korean.send("/requests/other-lab", "/requests/other-lab/withdraw", "reason=moved").await;
    assert_eq!((page.status, to(&page)), (303, "/requests/other-lab"));
    let page = sciences.get("/requests/other-lab").await;
    assert!(page.body.contains("taken back") && !page.body.contains("/approve"), "{}", page.body);
    let all: Requests = running.get("/v1/requests").await;
    let standings: Vec<&str> = all.requests.iter().map(|request| request.standing.as_str()).collect();
    assert_eq!(standings, ["rejected", "withdrawn"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_meant_is_found_by_name_or_asked_again_with_all_that_was_typed() {
    let running = running().await;
    let mut korean = running.korean().await;
    let (_, person, name) = holder_of("korean");
    let ask = |who: &str| format!("building=sci&door=sci-main&reason=thesis&step=send&{who}");
    let page = korean.send("/requests/new", "/requests/new", &ask("unit=&category=&person=")).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("Say for whom") && page.body.contains("value=\"thesis\""), "{}", page.body);
    assert!(page.body.contains("value=\"sci-main\" selected"), "{}", page.body);
    let page = korean.send("/requests/new", "/requests/new", &ask("category=undergraduate&person=230001")).await;
    assert!(page.status == 400 && page.body.contains("not both"), "{}", page.body);
    let page = korean.send("/requests/new", "/requests/new", &ask("person=%ED%95%99%EC%83%9D")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Which person?") && page.body.contains("value=\"230005\""), "{}", page.body);
    assert!(!page.body.contains("230001"), "nobody of another department");
    let page = korean.send("/requests/new", "/requests/new", &ask("person=230001&unit=")).await;
    assert!(page.status == 403 && page.body.contains("outside of what you are responsible for"), "{}", page.body);
    let page =
        korean.send("/requests/new", "/requests/new", &ask(&format!("person={person}&unit=korean&waits=x"))).await;
    assert!(page.status == 400 && page.body.contains("is not a number of days"), "{}", page.body);
    let page = korean.send("/requests/new", "/requests/new", &ask(&format!("person={person}&unit=korean"))).await;
    let shown = korean.get(to(&page)).await;
    let page = korean.send("/requests/new", "/requests/new", &ask(&format!("person=x&which={person}&unit="))).await;
    assert_eq!(page.status, 303, "the one who was chosen: {}", page.body);
    assert!(shown.body.contains(&format!("{name} ({person}), while in korean")), "{}", shown.body);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_given_reviewed_kept_and_ended() {
    let running = running().await;
    let (mut sciences, mut korean) = (running.sciences().await, running.korean().await);
    let page = sciences.get("/grants/new").await;
    assert!(
        page.body.contains("value=\"sci\"") && !page.body.contains("value=\"hum\""),
        "where they may: {}",
        page.body
    );
    let page =
        sciences.send("/grants/new", "/grants/new", "building=sci&unit=physics&until=2090-06-30&step=send").await;
    assert!(to(&page).starts_with("/changes/"));
    let known = running.grants().await;
    let id = known.iter().find(|id| id.starts_with("g-")).unwrap().clone();
    let page = sciences.get("/grants").await;
    assert!(page.body.contains("Everyone of physics") && page.body.contains("until 2090-06-30"), "{}", page.body);
    assert!(!page.body.contains("G-person"), "not in the remit");
    assert!(sciences.get("/grants/review").await.body.contains("None is due"), "it was given just now");
    let page = sciences.get("/grants/review?days=0").await;
    assert!(page.body.contains(&format!("/grants/{id}/keep")), "{}", page.body);
    let page = sciences.send("/grants/review?days=0", &format!("/grants/{id}/keep"), "days=30&reason=+").await;
    assert_eq!(page.status, 409, "{}", page.body);
    let page =
        sciences.send("/grants/review?days=0", &format!("/grants/{id}/keep"), "days=0&reason=still+needed").await;
    assert_eq!(to(&page), format!("/grants/review?days=0&kept={id}"));
    assert!(sciences.get(to(&page)).await.body.contains(&format!("Kept: {id}.")));

    let page = korean.send("/requests", &format!("/grants/{id}/end"), "on=").await;
    assert_eq!(page.status, 403);
    assert_eq!(
        korean.get(&format!("/grants/{id}/end")).await.status,
        404,
        "of what is others' not even that it is there"
    );
    let ask = sciences.get(&format!("/grants/{id}/end")).await;
    assert!(ask.body.contains(&format!("End grant {id}?")) && ask.body.contains("Everyone of physics"), "{}", ask.body);
    assert!(ask.body.contains("Of them lose a door: ") && ask.body.contains("lose hours"), "{}", ask.body);
    let page = sciences.send(&format!("/grants/{id}/end"), &format!("/grants/{id}/end"), "on=tomorrow").await;
    assert!(page.status == 400 && page.body.contains("value=\"tomorrow\""), "{}", page.body);
    let page = sciences.send(&format!("/grants/{id}/end"), &format!("/grants/{id}/end"), "on=").await;
    assert!(to(&page).starts_with("/changes/"));
    assert!(!running.grants().await.contains(&id));
    let mut owner = running.operator("dean", json!({ "role": "control-room", "campus": true })).await;
    let page = owner.get("/grants/G-person/end").await;
    assert!(page.body.contains("The campus folder names it, too"), "{}", page.body);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buildings_say_what_is_shut_who_does_not_answer_and_how_many_can_open_each_door() {
    let running = running().await;
    let mut sciences = running.sciences().await;
    let page = sciences.get("/buildings").await;
    assert!(page.body.contains("/buildings/sci") && !page.body.contains("/buildings/hum"), "{}", page.body);
    assert!(page.body.contains("no agent yet"), "{}", page.body);
    assert_eq!(sciences.get("/buildings/hum").await.status, 403);
    assert_eq!(sciences.get("/buildings/no-such").await.status, 403);
    let page = sciences.get("/buildings/sci").await;
    assert!(
        page.body.contains("People who can open it now: ") && page.body.contains("/doors/sci-main"),
        "{}",
        page.body
    );
    assert!(page.body.contains("/lockdown/confirm?kind=building&amp;id=sci"), "{}", page.body);
    let scope = json!({ "scope": { "door": "sci-main" }, "reason": "drill" });
    let _change: Value = running.post("/v1/lockdown", scope).await;
    assert!(sciences.get("/buildings").await.body.contains("locked down: 1"));
    assert!(sciences.get("/buildings/sci").await.body.contains(">locked down<"));
    assert!(sciences.get("/doors/sci-main").await.body.contains("/buildings/sci"));
    let mut clerk = running.operator("clerk", json!({ "role": "card-office", "campus": true })).await;
    let page = clerk.get("/buildings/hum").await;
    assert!(page.status == 200 && !page.body.contains("/grants") && !page.body.contains("agent-hum"), "{}", page.body);
    assert!(clerk.get("/buildings/humm").await.body.contains("did you mean"), "whoever sees all is told what is near");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_opens_is_asked_of_all_cards_and_for_an_hour_and_refusals_lead_to_why() {
    let running = running().await;
    let mut guard = running.operator("guard", json!({ "role": "security-office", "campus": true })).await;
    let (card, person, name) = holder_of("physics");
    let page = guard.get(&format!("/people/{person}")).await;
    assert!(page.body.contains(&format!("/people/{person}/opens")) && page.body.contains("/refused"), "{}", page.body);
    let grant = json!({ "id": "night", "subject": { "person": person }, "target": { "door": "hum-rear" }, "until": "2090-06-30" });
    let _change: Value = running.post("/v1/grants", grant).await;
    // Whatever year it is.
    let longer = json!({ "until": "2099-12-31", "document": "certificate" });
    let _change: Value = running.post(&format!("/v1/cards/{card}/extend"), longer).await;
    let page = guard.get(&format!("/people/{person}/opens")).await;
    assert!(page.body.contains(&format!("What can {name} open?")) && page.body.contains(&card), "{}", page.body);
    assert!(page.body.contains("후문"), "the rear of the humanities: {}", page.body);
    let page = guard.get(&format!("/people/{person}/opens?at=2091-01-02T03:00")).await;
    assert!(page.body.contains("No door at that moment.") && page.body.contains("2091-01-02T03:00"), "{}", page.body);
    let page = guard.get(&format!("/people/{person}/refused")).await;
    assert!(page.body.contains("No door refused this person lately."), "{}", page.body);
    let mut korean = running.korean().await;
    assert_eq!(korean.get(&format!("/people/{person}/opens")).await.status, 403);
    assert_eq!(korean.get(&format!("/people/{person}/refused")).await.status, 403);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn these_pages_let_nobody_in_and_take_no_form_without_its_key_and_do_nothing_that_the_api_refuses() {
    let running = running().await;
    running.waiting("lab").await;
    let grant = json!({ "id": "lent", "subject": { "unit": "korean" }, "target": { "door": "sci-main" } });
    let _change: Value = running.post("/v1/grants", grant).await;
    let mut stranger = Browser::new(&running);
    let mut auditor = running.operator("auditor", json!({ "role": "auditor", "campus": true })).await;
    let mut clerk = running.operator("clerk", json!({ "role": "card-office", "campus": true })).await;
    let head = running.head().await;
    for path in
        PAGES.iter().chain(&["/requests/lab", "/grants/lent/end", "/people/230001/opens", "/people/230001/refused"])
    {
        assert_eq!(stranger.get(path).await.status, 303, "{path}");
    }
    for form in FORMS {
        let body = "building=sci&unit=korean&reason=r&step=send";
        assert_eq!(auditor.ask("POST", form, "", body).await.status, 403, "{form} without its key");
        for browser in [&mut auditor, &mut clerk] {
            let page = browser.send("/", form, body).await;
            assert_eq!(page.status, 403, "{form}: {}", page.body);
            assert!(page.body.contains("Your role, "), "{form}: {}", page.body);
        }
    }
    for path in ["/requests", "/requests/lab", "/grants", "/grants/review?days=0"] {
        assert_eq!(clerk.get(path).await.status, 403, "{path}");
        let page = auditor.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        let offered = ["/approve", "/reject", "/withdraw", "/keep", "/end\"", "/requests/new", "/grants/new"];
        assert!(!offered.iter().any(|order| page.body.contains(order)), "what is refused is not offered: {path}");
    }
    for path in ["/requests/new", "/grants/new", "/grants/lent/end"] {
        assert_eq!(auditor.get(path).await.status, 403, "{path}");
    }
    assert_eq!(running.head().await, head, "nothing was changed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn these_pages_are_small_and_speak_each_language() {
    let running = running().await;
    running.waiting("lab").await;
    for n in 0..60 {
        running.waiting(&format!("long-{n}")).await;
        let grant =
            json!({ "id": format!("lent-{n}"), "subject": { "person": "230001" }, "target": { "door": "sci-main" } });
        let _change: Value = running.post("/v1/grants", grant).await;
    }
    let mut dean = running.operator("dean", json!({ "role": "control-room", "campus": true })).await;
    for (code, nav) in [("en", "Requests"), ("ko", "출입 신청"), ("zh", "门禁申请"), ("hr", "Zahtjevi")] {
        dean.send("/requests", "/language", &format!("to={code}&then=%2Frequests")).await;
        for path in PAGES.iter().chain(&["/requests/lab", "/people/230001/opens"]) {
            let page = dean.get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            assert!(page.body.contains(nav) && page.body.contains("Asia/Seoul"), "{code} {path}");
            assert!(page.body.len() < 100_000, "{code} {path}: {} bytes", page.body.len());
            let here = page.body.matches("aria-current=\"page\"").count();
            assert!(here <= 2, "{code} {path}: one can be in one place of a menu");
        }
    }
    running.stop().await;
}
