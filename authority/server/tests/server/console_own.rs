//! The pages of a card holder as a browser without scripts sees them: what they say, what is done there, and that no other page is theirs.

use crate::browser::{Browser, PASSWORD};
use crate::running::{Running, running};
use crate::support::{active_card, campus};
use doorward_policy::model::{CardId, PersonId};
use doorward_server::http::shapes::JournalLine;
use doorward_server::http::shapes::office::SetUpGiven;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// What a card holder needs beside the own pages, and what is said to everybody.
const BESIDE: [&str; 3] = ["/sign-out", "/language", "/assets/{name}"];

impl Running {
    /// A card holder who chose a password on the console's own page, and signed in.
    async fn holder_at(&self, person: &PersonId) -> Browser<'_> {
        let given: SetUpGiven = self.post(&format!("/v1/people/{person}/invite"), json!({})).await;
        let (password, login) = (PASSWORD.replace(' ', "+"), given.operator.replace('/', "%2F"));
        let mut browser = Browser::new(self);
        let fields = format!("operator={login}&secret={}&password={password}&again={password}", given.secret);
        assert_eq!(browser.send("/setup", "/setup", &fields).await.status, 303);
        let page = browser.sign_in(&login).await;
        assert_eq!((page.status, page.header("location")), (303, Some("/")), "{}", page.body);
        browser
    }
}

/// Somebody with an active card, that card, and one of somebody else.
fn holder_and_cards() -> (PersonId, String, String) {
    let (tables, own) = (campus().tables, active_card());
    let known = &tables.cards[&own.parse::<CardId>().unwrap()];
    let other = tables.cards.iter().find(|(_, card)| card.person != known.person && card.state == known.state).unwrap();
    (known.person.clone(), own, other.0.to_string())
}

/// Every route of the console, as its sources name them: none is forgotten here.
fn routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let named = text.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            found.extend(named.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_reaches_the_own_pages_and_no_other_one() {
    let running = running().await;
    let (person, own, _) = holder_and_cards();
    let mut holder = running.holder_at(&person).await;
    let key = holder.get("/me").await.key();
    let mut all = BTreeSet::new();
    routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console"), &mut all);
    assert!(all.len() > 25 && all.contains("/cards/{id}/suspend") && all.contains("/me/photo"), "{all:?}");
    all.extend(["/", "/nowhere", "/me%2F..%2Falarms", "/me/../alarms", "/mean"].map(str::to_owned));
    let head: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    let mut kept_out = 0;
    for route in all.iter().filter(|route| !BESIDE.contains(&route.as_str())) {
        let is_own = route.starts_with("/me/") || *route == "/me";
        // What is the own one is asked for, too: everything that is asked elsewhere is for offices.
        let id = if route.contains("/cards/") { own.as_str() } else { person.as_str() };
        let path = route.replace("{seq}", "2").replace("{id}", id);
        let page = holder.get(&path).await;
        if is_own {
            assert!([200, 404].contains(&page.status), "{path}: {}", page.status);
            continue;
        }
        assert_eq!((page.status, page.header("location")), (303, Some("/me")), "{path}");
        let page = holder.ask("POST", &path, "", &format!("key={key}&reason=r&kind=campus&typed=x")).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.body.contains("Card holders see and do only what is on their own page"), "{path}: {}", page.body);
        kept_out += 1;
    }
    assert!(kept_out > 20, "{kept_out}");
    let after: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(head[0].seq, after[0].seq, "nothing was changed");

    let mut guard = running.operator("guard", json!({ "role": "administrator", "campus": true })).await;
    for path in ["/me", "/me/taps", "/me/photo", "/me/photo/image", "/me/changes/2", &format!("/me/cards/{own}/lost")] {
        assert_eq!(guard.get(path).await.status, 403, "{path}: an operator has no such page");
    }
    assert_eq!(guard.send("/", &format!("/me/cards/{own}/lost"), "reason=r").await.status, 403);
    assert_eq!(holder.send("/me", "/sign-out", "").await.header("location"), Some("/sign-in"));
    assert_eq!(holder.get("/me").await.header("location"), Some("/sign-in?then=%2Fme"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_reports_the_own_card_lost_and_finds_it_again() {
    let running = running().await;
    let (person, own, other) = holder_and_cards();
    let mut holder = running.holder_at(&person).await;
    let (lost, found) = (format!("/me/cards/{own}/lost"), format!("/me/cards/{own}/found"));
    let page = holder.get("/me").await;
    assert!(
        page.body.contains("It works.") && page.body.contains(&lost) && !page.body.contains(&found),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<nav") && !page.body.contains("/alarms"), "no menu of pages that are not theirs");
    assert!(holder.get(&lost).await.body.contains("no door opens for it"), "what happens is said first");
    assert_eq!(holder.ask("POST", &lost, "", "reason=r").await.status, 403, "a form without its key");
    assert_eq!(running.state_of(&own).await, "active");
    let page = holder.send(&lost, &lost, "reason=").await;
    assert_eq!(page.status, 409, "without a reason");
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("Report it lost now"), "{}", page.body);

    let page = holder.send(&lost, &lost, "reason=left+in+the+bus").await;
    assert_eq!(page.status, 303, "{}", page.body);
    let order = page.header("location").unwrap().to_owned();
    assert_eq!(running.state_of(&own).await, "suspended");
    let page = holder.get(&order).await;
    assert!(page.body.contains(&format!("Card {own} is reported lost")), "{}", page.body);
    // The cards of this campus opened doors years ago; that agents obey, and are waited for, is tested with agents.
    assert!(page.body.contains("No door has to change for it."), "{}", page.body);
    let line: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!((line[0].actor.as_str(), line[0].command.as_str()), (&*format!("holder/{person}"), "card-suspend"));
    let page = holder.get("/me").await;
    assert!(page.body.contains("You reported it lost") && page.body.contains(&found), "{}", page.body);

    let page = holder.send(&found, &found, "reason=found+again").await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(holder.get(page.header("location").unwrap()).await.body.contains("works again"));
    assert_eq!(running.state_of(&own).await, "active");
    let _change: Value = running.post(&format!("/v1/cards/{own}/suspend"), json!({ "reason": "misuse" })).await;
    let page = holder.get("/me").await;
    assert!(page.body.contains("An office holds it back") && !page.body.contains(&found), "{}", page.body);
    let page = holder.send("/me", &found, "reason=r").await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("was not held back by your own report"), "{}", page.body);

    let theirs = format!("/me/cards/{other}/lost");
    assert_eq!(holder.get(&theirs).await.status, 404, "somebody else's card");
    assert_eq!(holder.send("/me", &theirs, "reason=r").await.status, 403);
    assert_eq!(running.state_of(&other).await, "active");
    let neighbour = campus().tables.cards[&other.parse::<CardId>().unwrap()].person.clone();
    let mut neighbour = running.holder_at(&neighbour).await;
    assert_eq!(neighbour.get(&order).await.status, 404, "nor what somebody else reported");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_is_told_what_a_photo_must_be_and_shown_nothing_of_the_offices() {
    let running = running().await;
    let (person, ..) = holder_and_cards();
    let mut holder = running.holder_at(&person).await;
    let page = holder.get("/me/photo").await;
    assert!(page.body.contains("exactly 295 × 367 pixels"), "{}", page.body);
    let small = include_bytes!("../photo-24x30.jpg");
    let page = holder.upload("/me/photo", "/me/photo", "photo", small).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("the photo is 24 x 30 pixels; it has to be 295 x 367"), "{}", page.body);
    assert!(page.body.contains("type=\"file\""), "and the form is there again");
    let page = holder.upload("/me/photo", "/me/photo", "photo", b"").await;
    assert!(page.status == 400 && page.body.contains("Choose a file first"), "{}", page.body);
    assert_eq!(holder.get("/me/photo/image").await.status, 404);
    assert_eq!(holder.get("/me/taps").await.status, 404, "this campus does not show them");

    let order = json!({ "scope": { "door": "eng-1-rear" }, "reason": "drill" });
    let _change: Value = running.post("/v1/lockdown", order).await;
    for (code, cards) in [("en", "Your cards"), ("ko", "내 카드 목록"), ("zh", "您的卡片"), ("hr", "Vaše kartice")]
    {
        assert_eq!(holder.send("/me", "/language", &format!("to={code}&then=%2Fme")).await.status, 303);
        let page = holder.get("/me").await;
        assert!(page.body.contains(cards) && page.body.contains("Asia/Seoul"), "{code}: {}", page.body);
        assert!(
            page.body.len() < 100_000 && !page.body.contains("eng-1"),
            "{code}: which doors are shut is not theirs"
        );
    }
    running.stop().await;
}
