//! Card holders who sign in: what they see and do, and that it is nothing else.

use crate::running::{Running, running};
use crate::support::{active_card, campus};
use doorward_policy::model::{CardId, PersonId};
use doorward_server::http::shapes::me::{HolderPage, OwnProgress};
use doorward_server::http::shapes::office::{SessionGiven, SetUpGiven};
use doorward_server::http::shapes::{Fault, JournalLine};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

impl Running {
    /// The token of a session of a card holder.
    async fn holder(&self, person: &PersonId) -> String {
        let invited: SetUpGiven = self.post(&format!("/v1/people/{person}/invite"), json!({})).await;
        let login = format!("holder/{person}");
        assert_eq!(invited.operator, login);
        let order = json!({ "operator": login, "secret": invited.secret, "password": PASSWORD });
        assert_eq!(self.by("POST", "/v1/setup", "", order).await.0, 200);
        let (status, text) =
            self.by("POST", "/v1/session", "", json!({ "operator": login, "password": PASSWORD })).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<SessionGiven>(&text).unwrap().token
    }

    async fn by(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.ask(method, path, Some(token), &body).await;
        (status, String::from_utf8(body).unwrap())
    }

    async fn page(&self, token: &str) -> HolderPage {
        let (status, text) = self.by("GET", "/v1/me/page", token, Value::Null).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Somebody with an active card, that card, and an active card of somebody else.
fn holder_and_cards() -> (PersonId, String, String) {
    let tables = campus().tables;
    let own = active_card();
    let person = tables.cards[&own.parse::<CardId>().unwrap()].person.clone();
    let known = &tables.cards[&own.parse::<CardId>().unwrap()];
    let other = tables.cards.iter().find(|(_, card)| card.person != person && card.state == known.state).unwrap();
    (person, own, other.0.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_reaches_the_own_page_and_nothing_else() {
    let running = running().await;
    let (person, own, other) = holder_and_cards();
    let token = running.holder(&person).await;
    let description: Value = running.get("/v1/openapi.json").await;
    let before: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    let mut refused = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if path.starts_with("/v1/me/")
                || ["/v1/session", "/v1/session/oidc", "/v1/password", "/v1/setup"].contains(&path.as_str())
            {
                continue;
            }
            // Also of what is the holder's own: everything that is asked elsewhere is for offices.
            let path = path
                .replace("{seq}", "2")
                .replace("{id}", if path.contains("/cards/") { &own } else { person.as_str() });
            let (status, text) = running.by(&method.to_uppercase(), &path, &token, json!({ "reason": "r" })).await;
            assert_eq!(status, 403, "{method} {path}: {text}");
            let fault: Fault = serde_json::from_str(&text).unwrap();
            assert!(fault.error.contains("ask the card office"), "{}", fault.error);
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused}");
    for path in ["/v1/status", "/v1/openapi.json", "/v1/me", "/v1/no-such"] {
        assert_eq!(running.by("GET", path, &token, Value::Null).await.0, 403, "{path}");
    }
    for action in ["lost", "found"] {
        let path = format!("/v1/me/cards/{other}/{action}");
        assert_eq!(running.by("POST", &path, &token, json!({ "reason": "r" })).await.0, 403, "somebody else's card");
    }
    let after: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(before[0].seq, after[0].seq, "nothing was changed");
    assert_eq!(running.by("GET", "/v1/me/page", &running.token, Value::Null).await.0, 403, "the owner has no page");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_reports_a_card_lost_and_finds_only_what_was_so_reported() {
    let running = running().await;
    let (person, own, _) = holder_and_cards();
    let token = running.holder(&person).await;
    let page = running.page(&token).await;
    assert_eq!(page.person.id, person.as_str());
    let shown = page.person.cards.iter().find(|card| card.id == own).unwrap();
    assert_eq!((shown.state.as_str(), page.photo, page.taps), ("active", None, None));
    let act = async |action: &str| {
        running.by("POST", &format!("/v1/me/cards/{own}/{action}"), &token, json!({ "reason": "in the bus" })).await
    };
    assert_eq!(act("lost").await.0, 200);
    let line: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(
        (line[0].actor.as_str(), line[0].command.as_str()),
        (format!("holder/{person}").as_str(), "card-suspend")
    );
    assert_eq!(running.page(&token).await.reported_lost, [own.as_str()]);
    assert_eq!(act("lost").await.0, 409, "it is suspended already");
    assert_eq!(act("found").await.0, 200);
    assert!(running.page(&token).await.reported_lost.is_empty());
    let reason = json!({ "reason": "misuse" });
    assert_eq!(running.by("POST", &format!("/v1/cards/{own}/suspend"), &running.token, reason).await.0, 200);
    let (status, text) = act("found").await;
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("was not held back because its holder reported it lost"), "{text}");
    assert_eq!(running.by("DELETE", "/v1/session", &token, Value::Null).await.0, 200);
    assert_eq!(running.by("GET", "/v1/me/page", &token, Value::Null).await.0, 401);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_follows_what_was_the_own_order_and_nothing_else() {
    let running = running().await;
    let (person, own, other) = holder_and_cards();
    let token = running.holder(&person).await;
    let reason = json!({ "reason": "r" });
    let (status, text) = running.by("POST", &format!("/v1/me/cards/{own}/lost"), &token, reason.clone()).await;
    assert_eq!(status, 200, "{text}");
    let seq = serde_json::from_str::<Value>(&text).unwrap()["seq"].as_u64().unwrap();
    let progress = format!("/v1/me/changes/{seq}/progress?wait_ms=0");
    let (status, text) = running.by("GET", &progress, &token, Value::Null).await;
    assert_eq!(status, 200, "{text}");
    let seen: OwnProgress = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((seen.command.as_str(), seen.card.as_deref()), ("card-suspend", Some(own.as_str())));
    assert!(seen.complete && seen.doors_total == 0, "the cards of this campus opened doors years ago: {seen:?}");
    let (status, _) = running.by("POST", &format!("/v1/cards/{other}/suspend"), &running.token, reason).await;
    assert_eq!(status, 200);
    for seq in [0, 1, seq - 1, seq + 1, seq + 1_000] {
        let path = format!("/v1/me/changes/{seq}/progress");
        assert_eq!(running.by("GET", &path, &token, Value::Null).await.0, 404, "{seq} was somebody else's");
    }
    assert_eq!(
        running.by("GET", &progress, &running.token, Value::Null).await.0,
        403,
        "offices have a way of their own"
    );
    assert_eq!(running.by("GET", "/v1/me/photo", &token, Value::Null).await.0, 404, "there is none");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_the_same_name_is_another_one() {
    let running = running().await;
    let (person, ..) = holder_and_cards();
    let token = running.holder(&person).await;
    let power = json!({ "name": "N", "power": { "role": "administrator", "campus": true } });
    let path = format!("/v1/operators/{person}");
    assert_eq!(running.by("PUT", &path, &running.token, power.clone()).await.0, 200);
    assert_eq!(running.by("GET", "/v1/journal", &token, Value::Null).await.0, 403, "a holder still");
    let sign_in = json!({ "operator": person, "password": PASSWORD });
    assert_eq!(running.by("POST", "/v1/session", "", sign_in).await.0, 401, "the password is the holder's");
    assert_eq!(running.by("DELETE", &path, &running.token, Value::Null).await.0, 200);
    assert_eq!(running.by("GET", "/v1/me/page", &token, Value::Null).await.0, 200, "and stays the holder's");
    assert_eq!(running.by("PUT", "/v1/operators/holder", &running.token, power).await.0, 409, "a reserved name");
    running.stop().await;
}
