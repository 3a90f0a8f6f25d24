//! Who may ask the API for what: operators, their tokens, and what each is refused.

use crate::running::{Running, running};
use crate::support::{active_card, campus};
use doorward_policy::model::{CardId, UnitId};
use doorward_server::http::shapes::office::{ApiTokenGiven, Looks, Me, Operators, SessionGiven, SetUpGiven};
use doorward_server::http::shapes::requests::Grants;
use doorward_server::http::shapes::{Change, JournalLine};
use serde_json::{Value, json};

/// What anybody with a token may ask.
const FOR_ALL: [&str; 2] = ["/v1/me", "/v1/status"];

/// What is about whoever asks, or for those who have no token yet.
const OF_SESSIONS: [&str; 4] = ["/v1/password", "/v1/session", "/v1/session/oidc", "/v1/setup"];

impl Running {
    pub async fn make_operator(&self, id: &str, power: Value) {
        let body = json!({ "name": "Somebody", "power": power }).to_string();
        let (status, body) = self.ask("PUT", &format!("/v1/operators/{id}"), Some(&self.token), &body).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }

    pub async fn token_of(&self, id: &str) -> String {
        let given: ApiTokenGiven = self.post("/v1/tokens", json!({ "operator": id, "id": format!("t-{id}") })).await;
        given.token
    }

    async fn says(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.ask(method, path, Some(token), &body).await;
        (status, String::from_utf8(body).unwrap())
    }
}

/// The first unit of the holder of a card.
fn unit_of(card: &str) -> String {
    let tables = campus().tables;
    let person = &tables.cards[&card.parse::<CardId>().unwrap()].person;
    tables.people[person].affiliations.first().unwrap().unit.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_answers_a_role_that_may_nothing_there() {
    let running = running().await;
    running.make_operator("feed", json!({ "role": "registrar-feed", "campus": true })).await;
    let token = running.token_of("feed").await;
    running.make_operator("auditor", json!({ "role": "auditor", "campus": true })).await;
    let auditor = running.token_of("auditor").await;
    let description: Value = running.get("/v1/openapi.json").await;
    let mut routes = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if FOR_ALL.contains(&path.as_str()) || OF_SESSIONS.contains(&path.as_str()) || path == "/v1/import" {
                continue;
            }
            routes += 1;
            let card = active_card();
            let path = path.replace("{seq}", "2");
            let path = path.replace("{id}", if path.contains("/cards/") { &card } else { "1" });
            let query = "?card=CARD1&door=eng-1-rear&find=a";
            let path = if method == "get" { format!("{path}{query}") } else { path };
            // Every body is one that the route understands, so that it is the role that stands in the way.
            let body = match path.as_str() {
                "/v1/agents" => json!({ "id": "agent-sci" }),
                "/v1/requests" => json!({
                    "grant": { "subject": { "unit": "eng" }, "target": { "building": "eng-1" } }, "reason": "r",
                }),
                "/v1/grants" | "/v1/grants/effect" => {
                    json!({ "subject": { "unit": "eng" }, "target": { "building": "eng-1" } })
                }
                "/v1/cards" => json!({ "card": "NEW", "person": "230001", "card_type": "id-card", "cause": "first" }),
                path if path.ends_with("/extend") => json!({ "until": "2099-01-01", "document": "d" }),
                "/v1/applications" => {
                    json!({ "person": "230001", "card_type": "id-card", "channel": "desk", "reason": "r" })
                }
                path if path.starts_with("/v1/cards/") && path.ends_with("/found") => json!({ "place": "p" }),
                "/v1/batches" => json!({ "batch": "b", "campaign": "spring" }),
                path if path.ends_with("/deliver") => json!({ "cards": { "230001": "NEW" } }),
                path if path.starts_with("/v1/campaigns/")
                    && (path.ends_with("/enter") || path.ends_with("/strike")) =>
                {
                    json!({ "unit": "korean", "people": ["230001"] })
                }
                path if path.starts_with("/v1/campaigns/") => json!({ "unit": "korean" }),
                "/v1/lockdown" | "/v1/release" => json!({ "scope": "campus", "reason": "r" }),
                "/v1/tokens" => json!({ "operator": "feed" }),
                path if path.ends_with("/end") => json!({}),
                path if path.starts_with("/v1/map/places/") => json!({ "x": 1, "y": 1 }),
                path if path.ends_with("/photo/approve") || path.ends_with("/photo/reject") => {
                    json!({ "image": "0".repeat(64), "reason": "r" })
                }
                path if path.starts_with("/v1/operators") && !path.ends_with("/invite") => {
                    json!({ "name": "n", "power": { "role": "auditor", "campus": true } })
                }
                _ => json!({ "reason": "r" }),
            };
            // A photo is no JSON, and whoever may not bring one is refused before it is looked at.
            let body = if method == "get" { Value::Null } else { body };
            // People are what a feed is for; there it is the auditor who may nothing.
            let (token, said) = if path.starts_with("/scim/") { (&auditor, "detail") } else { (&token, "error") };
            let path = if path.starts_with("/scim/") { path.trim_end_matches(query).to_owned() } else { path };
            let (status, text) = running.says(&method.to_uppercase(), &path, token, body).await;
            assert_eq!(status, 403, "{method} {path}: {text}");
            let fault: Value = serde_json::from_str(&text).unwrap();
            let said = fault[said].as_str().unwrap();
            assert!(said.contains("may not") && said.contains("administrator"), "{said}");
        }
    }
    assert!(routes > 20, "{routes} routes were asked");
    for path in FOR_ALL {
        assert_eq!(running.says("GET", path, &token, Value::Null).await.0, 200, "{path}");
    }
    let head: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(head[0].command, "token-add", "nothing was changed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_acts_for_its_own_under_its_own_name() {
    let running = running().await;
    let card = active_card();
    let unit = unit_of(&card);
    running.make_operator("own", json!({ "role": "department", "units": [unit] })).await;
    let other = campus().tables.units.keys().map(ToString::to_string).find(|other| {
        let unit = unit.parse().unwrap();
        !campus().tables.unit_and_above(&unit).any(|above| above.as_str() == other)
    });
    running.make_operator("other", json!({ "role": "department", "units": [other.unwrap()] })).await;
    let (own, other) = (running.token_of("own").await, running.token_of("other").await);
    let show = format!("/v1/cards/{card}");
    assert_eq!(running.says("GET", &show, &own, Value::Null).await.0, 200);
    let (status, text) = running.says("GET", &show, &other, Value::Null).await;
    assert_eq!(status, 403);
    assert!(text.contains("does not lie in the remit"), "{text}");
    let suspend = format!("/v1/cards/{card}/suspend");
    assert_eq!(running.says("POST", &suspend, &other, json!({ "reason": "lost" })).await.0, 403);
    let (status, text) = running.says("POST", &suspend, &own, json!({ "reason": "lost" })).await;
    assert_eq!(status, 200, "{text}");
    let change: Change = serde_json::from_str(&text).unwrap();
    let line: Vec<JournalLine> = running.lines("GET", &format!("/v1/journal?from={}", change.seq), "").await;
    assert_eq!(line[0].actor, "own/token:t-own", "and not as whom the header claims");
    let follow = format!("/v1/changes/{}/progress?wait_ms=1", change.seq);
    assert_eq!(running.says("GET", &follow, &own, Value::Null).await.0, 200);
    assert_eq!(running.says("GET", &follow, &other, Value::Null).await.0, 403);
    let evidence = format!("/v1/changes/{}/evidence", change.seq);
    assert_eq!(running.ask("GET", &evidence, Some(&own), "").await.0, 200);
    assert_eq!(running.ask("GET", &evidence, Some(&other), "").await.0, 403);
    assert_eq!(running.says("GET", &format!("/v1/log?card={card}"), &own, Value::Null).await.0, 200);
    for query in ["", "?follow=true", "?door=no-such"] {
        assert_eq!(running.says("GET", &format!("/v1/log{query}"), &own, Value::Null).await.0, 403, "{query}");
    }
    let me: Me = serde_json::from_str(&running.says("GET", "/v1/me", &own, Value::Null).await.1).unwrap();
    assert_eq!(me.powers[0].role, "department");
    assert!(me.acts.contains(&"suspend a card".to_owned()) && !me.acts.contains(&"resume a card".to_owned()));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facilities_see_the_agents_of_their_buildings() {
    let running = running().await;
    let buildings = campus().tables.buildings;
    let (building, known) = buildings.first_key_value().unwrap();
    running.make_operator("f", json!({ "role": "facilities", "buildings": [building] })).await;
    let token = running.token_of("f").await;
    let (status, text) = running.says("GET", "/v1/agents", &token, Value::Null).await;
    assert_eq!(status, 200, "{text}");
    let agents: Value = serde_json::from_str(&text).unwrap();
    let ids: Vec<_> = agents["agents"].as_array().unwrap().iter().map(|agent| agent["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [known.agent.as_str()]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_ends_at_once_with_the_order_that_says_so() {
    let running = running().await;
    running.make_operator("kim", json!({ "role": "auditor", "campus": true })).await;
    let token = running.token_of("kim").await;
    assert_eq!(running.says("GET", "/v1/journal", &token, Value::Null).await.0, 200);
    let (_, journal) = running.says("GET", "/v1/journal", &token, Value::Null).await;
    assert!(!journal.contains(&token) && journal.contains("gave operator kim API token t-kim: auditor"), "{journal}");
    let listed: Operators = running.get("/v1/operators").await;
    assert_eq!((listed.operators[0].id.as_str(), listed.operators[0].tokens.len()), ("kim", 1));
    running.make_operator("kim", json!({ "role": "control-room", "campus": true })).await;
    assert_eq!(running.says("GET", "/v1/journal", &token, Value::Null).await.0, 403, "another role");
    assert_eq!(running.says("DELETE", "/v1/tokens/t-kim", &running.token, Value::Null).await.0, 200);
    assert_eq!(running.says("GET", "/v1/status", &token, Value::Null).await.0, 401, "no token any more");
    let token = running.token_of("kim").await;
    assert_eq!(running.says("GET", "/v1/status", &token, Value::Null).await.0, 200);
    assert_eq!(running.says("DELETE", "/v1/operators/kim", &running.token, Value::Null).await.0, 200);
    assert_eq!(running.says("GET", "/v1/status", &token, Value::Null).await.0, 401, "no operator any more");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_does_not_mean_everything() {
    let running = running().await;
    let put = |power: Value| {
        let running = &running;
        async move { running.refused("PUT", "/v1/operators/kim", json!({ "name": "K", "power": power })).await }
    };
    let (status, fault) = put(json!({ "role": "department" })).await;
    assert_eq!(status, 400);
    assert!(fault.error.contains("say which"), "{}", fault.error);
    assert_eq!(put(json!({ "role": "department", "campus": true, "units": ["eng"] })).await.0, 400);
    let (status, fault) = put(json!({ "role": "departement", "campus": true })).await;
    assert_eq!(status, 400);
    assert!(fault.error.contains("department") && fault.hint.unwrap().contains("auditor"));
    assert_eq!(put(json!({ "role": "department", "unit": ["eng"] })).await.0, 422, "a field that does not exist");
    let (status, fault) = running.refused("POST", "/v1/tokens", json!({ "operator": "nobody" })).await;
    assert_eq!(status, 404, "{}", fault.error);
    assert_eq!(running.refused("POST", "/v1/tokens", json!({ "operator": "nobody", "days": 0 })).await.0, 400);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_seen_by_those_who_asked_and_those_who_decide_and_by_nobody_else() {
    let running = running().await;
    let tables = campus().tables;
    let (building, known) = tables.buildings.iter().find(|(_, building)| building.owner.is_some()).unwrap();
    let owner = known.owner.as_ref().unwrap();
    let is_related = |unit: &UnitId| {
        tables.unit_and_above(unit).any(|above| above == owner)
            || tables.unit_and_above(owner).any(|above| above == unit)
    };
    let mut others = tables.units.keys().filter(|unit| !is_related(unit));
    let asking = others.next().unwrap();
    let is_apart = |unit: &&UnitId| {
        !tables.unit_and_above(unit).any(|above| above == asking)
            && !tables.unit_and_above(asking).any(|above| above == *unit)
    };
    let stranger = others.find(is_apart).unwrap();
    let mut tokens = Vec::new();
    for (name, unit) in [("asking", asking), ("owner-unit", owner), ("stranger", stranger)] {
        running.make_operator(name, json!({ "role": "department", "units": [unit] })).await;
        tokens.push(running.token_of(name).await);
    }
    let [asks, decides, strange] = tokens.as_slice() else { panic!("three tokens") };
    let wish = |unit: &UnitId| {
        json!({ "id": "lab", "reason": "course",
            "grant": { "subject": { "unit": unit }, "target": { "building": building } } })
    };
    assert_eq!(running.says("POST", "/v1/requests", strange, wish(asking)).await.0, 403, "for others");
    let (status, text) = running.says("POST", "/v1/requests", asks, wish(asking)).await;
    assert_eq!(status, 200, "{text}");
    let show = "/v1/requests/lab";
    let see = async |token: &str| {
        let (status, text) = running.says("GET", show, token, Value::Null).await;
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, seen) = see(asks).await;
    assert_eq!((status, &seen["yours_to_decide"]), (200, &json!(false)));
    assert!(seen["effect"]["doors"].as_array().unwrap().len() > 1, "{seen}");
    let (status, seen) = see(decides).await;
    assert_eq!((status, &seen["yours_to_decide"], &seen["by"]), (200, &json!(true), &json!("asking/token:t-asking")));
    let (status, seen) = see(strange).await;
    assert_eq!(status, 404);
    assert!(!seen.to_string().contains("did you mean"), "{seen}");
    let list = async |token: &str, query: &str| {
        let (_, text) = running.says("GET", &format!("/v1/requests{query}"), token, Value::Null).await;
        serde_json::from_str::<Value>(&text).unwrap()["requests"].as_array().unwrap().len()
    };
    assert_eq!((list(asks, "").await, list(asks, "?to_decide=true").await), (1, 0));
    assert_eq!((list(decides, "?to_decide=true").await, list(strange, "").await), (1, 0));
    let (reason, approve) = (json!({ "reason": "fine" }), "/v1/requests/lab/approve");
    assert_eq!(running.says("POST", approve, asks, reason.clone()).await.0, 403);
    assert_eq!(running.says("POST", "/v1/requests/lab/withdraw", decides, reason.clone()).await.0, 403);
    let (status, text) = running.says("POST", approve, decides, reason.clone()).await;
    assert_eq!(status, 200, "{text}");
    let change: Change = serde_json::from_str(&text).unwrap();
    assert_eq!((change.grant.as_deref(), change.request.as_deref()), (Some("lab"), Some("lab")));
    assert_eq!(running.says("POST", approve, decides, reason.clone()).await.0, 409);
    let grants = async |token: &str, query: &str| {
        let (_, text) = running.says("GET", &format!("/v1/grants{query}"), token, Value::Null).await;
        let grants: Grants = serde_json::from_str(&text).unwrap();
        grants.grants.iter().any(|grant| grant.id == "lab")
    };
    assert!(grants(decides, "").await && !grants(strange, "").await);
    assert!(!grants(decides, "?older_than_days=1").await);
    let ending = "/v1/grants/lab/effect";
    assert_eq!(running.says("GET", ending, strange, Value::Null).await.0, 403);
    let (status, text) = running.says("GET", ending, decides, Value::Null).await;
    assert!(status == 200 && text.contains("\"gaining\":"), "{text}");
    assert_eq!(running.says("POST", "/v1/grants/lab/confirm", decides, reason.clone()).await.0, 200);
    assert_eq!(running.says("POST", "/v1/grants/lab/confirm", asks, reason).await.0, 403);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_invited_chooses_a_password_signs_in_and_out() {
    let running = running().await;
    running.make_operator("kim", json!({ "role": "security-office", "campus": true })).await;
    let nobody = "";
    let sign_in = |password: &str| json!({ "operator": "kim", "password": password });
    assert_eq!(running.says("POST", "/v1/session", nobody, sign_in("correct horse battery")).await.0, 401);
    let invited: SetUpGiven = running.post("/v1/operators/kim/invite", json!({})).await;
    let line: Vec<JournalLine> = running.lines("GET", &format!("/v1/journal?from={}", invited.seq), "").await;
    assert_eq!(line[0].summary, "invited operator kim to choose a password");
    let choose = |secret: &str, password: &str| json!({ "operator": "kim", "secret": secret, "password": password });
    let set_up = async |body: Value| running.says("POST", "/v1/setup", nobody, body).await.0;
    assert_eq!(set_up(choose(&"0".repeat(64), "correct horse battery")).await, 401);
    assert_eq!(set_up(choose(&invited.secret, "short")).await, 400);
    assert_eq!(set_up(choose(&invited.secret, "correct horse battery")).await, 200);
    assert_eq!(set_up(choose(&invited.secret, "another horse battery")).await, 401);
    assert_eq!(running.says("POST", "/v1/session", nobody, sign_in("wrong horse battery")).await.0, 401);
    let (status, text) = running.says("POST", "/v1/session", nobody, sign_in("correct horse battery")).await;
    assert_eq!(status, 200, "{text}");
    let session: SessionGiven = serde_json::from_str(&text).unwrap();
    let card = active_card();
    let suspend = format!("/v1/cards/{card}/suspend");
    let (status, text) = running.says("POST", &suspend, &session.token, json!({ "reason": "lost" })).await;
    assert_eq!(status, 200, "{text}");
    let line: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(line[0].actor, "kim");
    assert_eq!(running.says("POST", "/v1/import", &session.token, json!({ "files": {} })).await.0, 403);
    let new = json!({ "old": "correct horse battery", "new": "another horse battery" });
    assert_eq!(running.says("POST", "/v1/password", &running.token, new.clone()).await.0, 400, "the owner has none");
    assert_eq!(running.says("POST", "/v1/password", &session.token, new).await.0, 200);
    assert_eq!(running.says("GET", "/v1/me", &session.token, Value::Null).await.0, 401, "sessions ended with it");
    let (_, text) = running.says("POST", "/v1/session", nobody, sign_in("another horse battery")).await;
    let session: SessionGiven = serde_json::from_str(&text).unwrap();
    assert_eq!(running.says("DELETE", "/v1/session", &session.token, Value::Null).await.0, 200);
    assert_eq!(running.says("GET", "/v1/me", &session.token, Value::Null).await.0, 401);
    for _ in 0..5 {
        assert_eq!(running.says("POST", "/v1/session", nobody, sign_in("wrong horse battery")).await.0, 401);
    }
    let (status, text) = running.says("POST", "/v1/session", nobody, sign_in("another horse battery")).await;
    assert_eq!(status, 429);
    assert!(text.contains("too many wrong passwords"), "{text}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_an_operator_no_more_has_no_session_and_no_password_also_under_the_same_name() {
    let running = running().await;
    running.make_operator("kim", json!({ "role": "auditor", "campus": true })).await;
    let invited: SetUpGiven = running.post("/v1/operators/kim/invite", json!({})).await;
    let password = "correct horse battery";
    let order = json!({ "operator": "kim", "secret": invited.secret, "password": password });
    assert_eq!(running.says("POST", "/v1/setup", "", order).await.0, 200);
    let sign_in = json!({ "operator": "kim", "password": password });
    let (_, text) = running.says("POST", "/v1/session", "", sign_in.clone()).await;
    let session: SessionGiven = serde_json::from_str(&text).unwrap();
    assert_eq!(running.says("GET", "/v1/journal", &session.token, Value::Null).await.0, 200);
    assert_eq!(running.says("DELETE", "/v1/operators/kim", &running.token, Value::Null).await.0, 200);
    assert_eq!(running.says("GET", "/v1/status", &session.token, Value::Null).await.0, 401);
    assert_eq!(running.says("POST", "/v1/session", "", sign_in.clone()).await.0, 401);
    running.make_operator("kim", json!({ "role": "administrator", "campus": true })).await;
    assert_eq!(running.says("POST", "/v1/session", "", sign_in).await.0, 401, "another Kim has another password");
    assert_eq!(running.says("GET", "/v1/status", &session.token, Value::Null).await.0, 401);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_at_somebody_is_on_record_before_the_answer() {
    let running = running().await;
    let card = active_card();
    let tables = campus().tables;
    let person = &tables.cards[&card.parse::<CardId>().unwrap()].person;
    let door = tables.doors.keys().next().unwrap();
    running.make_operator("aud", json!({ "role": "auditor", "campus": true })).await;
    let token = running.token_of("aud").await;
    let questions = [
        format!("/v1/cards/{card}"),
        format!("/v1/people/{person}"),
        "/v1/people?find=kim".to_owned(),
        format!("/v1/where?card={card}"),
        format!("/v1/why?card={card}&door={door}"),
        format!("/v1/who?door={door}"),
        format!("/v1/log?door={door}&card={card}"),
        "/v1/log".to_owned(),
    ];
    for question in &questions {
        let (status, text) = running.says("GET", question, &token, Value::Null).await;
        assert_eq!(status, 200, "{question}: {text}");
    }
    let looks: Looks = running.get("/v1/looks?by=aud/token:t-aud").await;
    let seen: Vec<_> = looks.looks.iter().map(|look| (look.question.as_str(), look.about.as_str())).collect();
    let (a_card, a_person, a_door) = (format!("card {card}"), format!("person {person}"), format!("door {door}"));
    let expected = [
        ("card", a_card.as_str()),
        ("person", &a_person),
        ("find", "people with \"kim\""),
        ("where", &a_card),
        ("why", &a_card),
        ("who", &a_door),
        ("log", &a_card),
        ("log", "the whole campus"),
    ];
    assert_eq!(seen, expected);
    running.make_operator("dep", json!({ "role": "department", "units": ["business"] })).await;
    let department = running.token_of("dep").await;
    let stranger = tables.people.iter().find(|(_, of)| of.affiliations.iter().all(|of| of.unit.as_str() != "business"));
    let path = format!("/v1/people/{}", stranger.unwrap().0);
    assert_eq!(running.says("GET", &path, &department, Value::Null).await.0, 403);
    let looks: Looks = running.get("/v1/looks?by=dep/token:t-dep").await;
    assert!(looks.looks.is_empty(), "what was refused showed nothing");
    assert_eq!(running.says("GET", "/v1/looks", &department, Value::Null).await.0, 403);
    let about: Looks = running.get(&format!("/v1/looks?about=card%20{card}&limit=2")).await;
    assert_eq!(about.looks.len(), 2);
    running.stop().await;
}
