//! The SCIM service over real sockets: what a client sends, what it is answered, and what the journal has of it.

use crate::running::{Running, running};
use doorward_server::http::shapes::JournalLine;
use serde_json::{Value, json};

const PERSON: &str = "urn:doorward:params:scim:schemas:extension:2.0:Person";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A provider with a token of its own.
struct Provider {
    running: Running,
    token: String,
}

impl Provider {
    async fn start(power: Value) -> Self {
        let running = running().await;
        running.make_operator("idp", power).await;
        let token = running.token_of("idp").await;
        Self { running, token }
    }

    async fn whole() -> Self {
        Self::start(json!({ "role": "registrar-feed", "campus": true })).await
    }

    async fn ask_with(&self, method: &str, path: &str, headers: &str, body: Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/scim/v2{path}");
        let (status, body) = self.running.ask_with(method, &path, Some(&self.token), headers, &text).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_with(method, path, "", body).await
    }

    async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.ask(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    async fn filtered(&self, filter: &str) -> Vec<String> {
        let escaped: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let list = self.good("GET", &format!("/Users?filter={escaped}"), Value::Null).await;
        let ids = list["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned());
        let ids: Vec<_> = ids.collect();
        assert_eq!(list["totalResults"], ids.len());
        ids
    }
}

fn user(name: &str, unit: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": name, "displayName": "Nora Berg", "userType": "undergraduate", "active": true,
        ENTERPRISE: { "department": unit },
    })
}

fn patch(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_pushed_found_changed_taken_back_and_brought_back() {
    let provider = Provider::whole().await;
    let made = provider.good("POST", "/Users", user("Nora@Campus.example", "전남대학교")).await;
    assert!(made["id"].as_str().unwrap().starts_with("scim-"), "a mail address is no id: {made}");
    let id = made["id"].as_str().unwrap();
    let path = format!("/Users/{id}");
    assert_eq!(made[ENTERPRISE]["department"], "jnu", "the unit of that name");
    assert_eq!(made["meta"]["location"], format!("/scim/v2{path}"));
    assert_eq!(provider.filtered(r#"userName eq "nora@CAMPUS.example""#).await, [id]);
    assert!(provider.filtered(r#"userName eq "nora""#).await.is_empty());
    assert_eq!(provider.filtered(r#"displayName sw "nora" and active eq true"#).await, [id]);
    let (status, conflict) = provider.ask("POST", "/Users", user("nora@campus.example", "engineering")).await;
    assert_eq!((status, conflict["scimType"].as_str()), (409, Some("uniqueness")), "{conflict}");

    let replacement =
        json!({ "userName": "nora", "displayName": "Nora B.", "userType": "undergraduate", "externalId": "e-1" });
    let replaced = provider.good("PUT", &path, replacement).await;
    assert_eq!(replaced[ENTERPRISE]["department"], made[ENTERPRISE]["department"], "of which nothing was said");
    assert_eq!((replaced["userName"].as_str(), replaced["externalId"].as_str()), (Some("nora"), Some("e-1")));
    assert_eq!(provider.filtered(r#"externalId eq "e-1""#).await, [id]);
    let until = format!("{PERSON}:affiliations[unit eq \"business\"].until");
    let operations = json!([
        { "op": "add", "path": format!("{PERSON}:affiliations"), "value": [{ "unit": "business", "from": "2026-09-01" }] },
        { "op": "replace", "path": until, "value": "2099-08-31" },
        { "op": "replace", "path": format!("{PERSON}:endsOn"), "value": "2099-08-31" },
    ]);
    let changed = provider.good("PATCH", &path, patch(operations)).await;
    assert_eq!(changed[PERSON]["endsOn"], "2099-08-31");
    let units: Vec<_> =
        changed["groups"].as_array().unwrap().iter().map(|group| group["value"].as_str().unwrap()).collect();
    assert!(units.contains(&"business") && units.len() == 2, "{changed}");

    assert_eq!(provider.ask("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(provider.ask("GET", &path, Value::Null).await.0, 404);
    assert_eq!(provider.ask("DELETE", &path, Value::Null).await.0, 404);
    assert!(provider.filtered(r#"userName eq "nora""#).await.is_empty());
    let person: Value = provider.running.get(&format!("/v1/people/{id}")).await;
    assert!(person["left_on"].is_string(), "on record, and has left: {person}");
    let (status, back) = provider.ask("POST", "/Users", user("nora", "engineering")).await;
    assert_eq!((status, back["id"].as_str(), back["active"].as_bool()), (201, Some(id), Some(true)), "{back}");
    let lines: Vec<JournalLine> = provider.running.lines("GET", "/v1/journal?limit=5", "").await;
    let said: Vec<_> = lines.iter().map(|line| (line.actor.as_str(), line.command.as_str())).collect();
    assert!(said.iter().all(|said| *said == ("idp/token:t-idp", "people-push")), "{said:?}");
    provider.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_has_changed_meanwhile_is_refused() {
    let provider = Provider::whole().await;
    let made = provider.good("POST", "/Users", user("nora", "engineering")).await;
    assert_eq!(made["id"], "nora", "a user name that is spelt like an id is one");
    let version = made["meta"]["version"].as_str().unwrap();
    let rename = |name: &str| patch(json!([{ "op": "replace", "path": "displayName", "value": name }]));
    let fresh = format!("If-Match: {version}\r\n");
    assert_eq!(
        provider.ask_with("GET", "/Users/nora", &format!("If-None-Match: {version}\r\n"), Value::Null).await.0,
        304
    );
    assert_eq!(provider.ask_with("PATCH", "/Users/nora", &fresh, rename("N")).await.0, 200);
    for (method, body) in [("PATCH", rename("M")), ("PUT", user("nora", "engineering")), ("DELETE", Value::Null)] {
        assert_eq!(provider.ask_with(method, "/Users/nora", &fresh, body).await.0, 412, "{method}");
    }
    assert_eq!(provider.ask_with("DELETE", "/Users/nora", "If-Match: *\r\n", Value::Null).await.0, 204);
    let group = provider.good("GET", "/Groups/engineering", Value::Null).await;
    let stale = "If-Match: W/\"0\"\r\n";
    assert_eq!(provider.ask_with("PUT", "/Groups/engineering", stale, group).await.0, 412);
    provider.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_come_at_once_are_all_made() {
    let provider = Provider::whole().await;
    for n in 0..8 {
        provider.good("POST", "/Users", user(&format!("n{n}"), "engineering")).await;
    }
    let members = (0..8).map(|n| {
        let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": format!("n{n}") }] }]));
        provider.good("PATCH", "/Groups/business", add)
    });
    all_at_once(members).await;
    let group = provider.good("GET", "/Groups/business", Value::Null).await;
    let here =
        group["members"].as_array().unwrap().iter().filter(|member| member["value"].as_str().unwrap().starts_with('n'));
    assert_eq!(here.count(), 8);
    provider.running.stop().await;
}

async fn all_at_once<T>(all: impl Iterator<Item = impl Future<Output = T>>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_with_the_attributes_that_were_asked_for() {
    let provider = Provider::whole().await;
    let all = provider.good("GET", "/Users?count=0", Value::Null).await;
    let total = all["totalResults"].as_u64().unwrap();
    assert!(total > 100 && all["Resources"].as_array().unwrap().is_empty(), "{all}");
    let mut seen = std::collections::BTreeSet::new();
    let mut start = 1;
    while start <= total {
        let page =
            provider.good("GET", &format!("/Users?startIndex={start}&count=90&attributes=userName"), Value::Null).await;
        assert_eq!((page["startIndex"].as_u64(), page["totalResults"].as_u64()), (Some(start), Some(total)));
        let users = page["Resources"].as_array().unwrap();
        assert_eq!(page["itemsPerPage"], users.len());
        for user in users {
            let keys: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["id", "schemas", "userName"]);
            seen.insert(user["id"].as_str().unwrap().to_owned());
        }
        start += 90;
    }
    assert_eq!(u64::try_from(seen.len()), Ok(total));
    let group = provider.good("GET", "/Groups/engineering?excludedAttributes=members", Value::Null).await;
    assert!(group.get("members").is_none() && group["displayName"].is_string());
    let groups = provider.good("GET", "/Groups?filter=displayName%20pr&count=2", Value::Null).await;
    assert_eq!(groups["Resources"].as_array().unwrap().len(), 2);
    provider.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_answered_in_the_form_of_the_standard_and_changes_nothing() {
    let provider = Provider::whole().await;
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut user = user("nora", "engineering");
        edit(&mut user);
        user
    };
    let wrong = [
        (with(&|user| user["userType"] = "undergraduat".into()), "did you mean `undergraduate`"),
        (with(&|user| user["userName"] = Value::Null), "userName is missing"),
        (with(&|user| user["displayName"] = "\u{7}".into()), "control character"),
        (with(&|user| user["active"] = "maybe".into()), "active is true or false"),
        (
            with(&|user| user[ENTERPRISE]["department"] = "enginering".into()),
            "department is the id or the name of a unit",
        ),
        (with(&|user| user[PERSON]["endsOn"] = "tomorrow".into()), "endsOn is a day"),
        (with(&|user| user[PERSON]["affiliations"] = json!([{ "unit": "nowhere" }])), "unit `nowhere` is not known"),
    ];
    for (body, expected) in wrong {
        let (status, error) = provider.ask("POST", "/Users", body).await;
        assert_eq!(
            (status, error["scimType"].as_str(), error["status"].as_str()),
            (400, Some("invalidValue"), Some("400")),
            "{error}"
        );
        assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert!(error["detail"].as_str().unwrap().contains(expected), "{error}");
    }
    for (path, status, scim_type) in [
        ("/Users?filter=userName%20is%201", 400, "invalidFilter"),
        ("/Users?count=many", 400, "invalidValue"),
        ("/Users/nobody", 404, ""),
        ("/Users/no%20id", 404, ""),
        ("/Groups/nowhere", 404, ""),
        ("/Nothing", 404, ""),
    ] {
        let (found, error) = provider.ask("GET", path, Value::Null).await;
        assert_eq!((found, error["scimType"].as_str().unwrap_or_default()), (status, scim_type), "{path}: {error}");
        assert!(error["detail"].is_string(), "{path}: {error}");
    }
    let member = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }]));
    assert_eq!(provider.ask("PATCH", "/Groups/engineering", member).await.0, 400);
    assert_eq!(provider.ask("POST", "/Groups", json!({ "displayName": "New" })).await.0, 405);
    let (status, error) = provider.ask("POST", "/Users", json!({ "userName": "x".repeat(2 << 20) })).await;
    assert_eq!((status, error["status"].as_str()), (413, Some("413")), "{error}");
    let head: Vec<JournalLine> = provider.running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(head[0].command, "token-add", "nothing was changed");
    provider.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_sees_and_changes_the_people_of_its_units_alone() {
    let provider = Provider::start(json!({ "role": "registrar-feed", "units": ["business"] })).await;
    let all: Value = provider.running.get("/scim/v2/Users").await;
    let users = provider.good("GET", "/Users", Value::Null).await;
    assert!(users["totalResults"].as_u64().unwrap() < all["totalResults"].as_u64().unwrap());
    let groups = provider.good("GET", "/Groups", Value::Null).await;
    let units: Vec<_> = groups["Resources"].as_array().unwrap().iter().map(|group| group["id"].clone()).collect();
    assert!(units.contains(&json!("business")) && !units.contains(&json!("engineering")), "{units:?}");
    assert_eq!(provider.ask("GET", "/Groups/engineering", Value::Null).await.0, 403);
    assert_eq!(provider.ask("POST", "/Users", user("nora", "engineering")).await.0, 403);
    assert_eq!(provider.ask("POST", "/Users", user("nora", "business")).await.0, 201);
    let is_other = |user: &&Value| {
        let groups = user["groups"].as_array();
        groups.is_some_and(|groups| groups.iter().all(|group| !units.contains(&group["value"])))
    };
    let other = all["Resources"].as_array().unwrap().iter().find(is_other).unwrap()["id"].as_str().unwrap();
    let path = format!("/Users/{other}");
    for (method, body) in [("GET", Value::Null), ("DELETE", Value::Null), ("PUT", user("x", "business"))] {
        assert_eq!(provider.ask(method, &path, body).await.0, 403, "{method}");
    }
    let join = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": other }] }]));
    provider.good("PATCH", "/Groups/business", join).await;
    assert_eq!(provider.ask("GET", &path, Value::Null).await.0, 200, "who is of this unit, too");
    let (status, error) = provider.ask("DELETE", &path, Value::Null).await;
    assert_eq!(status, 403, "who belongs elsewhere does not leave by this word: {error}");
    provider.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_tenth_of_the_people_do_not_leave_in_a_day_by_the_word_of_a_feed() {
    let provider = Provider::whole().await;
    let all = provider.good("GET", "/Users?attributes=userName", Value::Null).await;
    let ids = all["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned());
    let ids: Vec<String> = ids.collect();
    let leave = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
    let mut left = 0;
    let refused = loop {
        let path = format!("/Users/{}", ids[left]);
        match provider.ask("PATCH", &path, leave.clone()).await {
            (200, user) => assert_eq!(user["active"], false),
            (status, error) => break (status, error, path),
        }
        left += 1;
    };
    assert!((ids.len() / 10 - 5..=ids.len() / 10).contains(&left), "{left} of {} left", ids.len());
    let (status, error, path) = refused;
    assert_eq!(status, 403, "{error}");
    assert!(error["detail"].as_str().unwrap().contains("more than a tenth"), "{error}");
    assert_eq!(provider.good("GET", &path, Value::Null).await["active"], true);
    let rename = patch(json!([{ "op": "replace", "path": "displayName", "value": "N" }]));
    provider.good("PATCH", &path, rename).await;
    let owner = provider.running.token.clone();
    let (status, _) = provider.running.ask("PATCH", &format!("/scim/v2{path}"), Some(&owner), &leave.to_string()).await;
    assert_eq!(status, 200, "who may do everything says that it is right");
    provider.running.stop().await;
}
