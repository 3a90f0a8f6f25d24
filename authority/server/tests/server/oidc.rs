//! Signing in by an identity provider: what its groups give, and that nothing false is taken for its word.

use crate::browser::Browser;
use crate::provider::{CLIENT, Kind, Provider, Twist, browse, encoded, fields};
use crate::running::{Running, running, running_with};
use crate::support::{campus, made};
use doorward_server::certificates::{CertificateAuthority, ServerIdentity};
use doorward_server::http::shapes::me::HolderPage;
use doorward_server::http::shapes::office::{Me, Operators, SessionGiven};
use doorward_server::http::shapes::oidc::OidcBegun;
use doorward_server::http::shapes::{Fault, JournalLine};
use doorward_server::oidc::Settings;
use doorward_server::serve::Server;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

const BACK: &str = "http://127.0.0.1:9/callback";
const GROUPS: &str = "holder_claim = \"employee\"\nscopes = [\"profile\"]\n\
    redirect_uri = \"https://doors.example.edu/console\"\n\n\
    [[group]]\nname = \"security\"\nrole = \"security-office\"\ncampus = true\n\n\
    [[group]]\nname = \"audit\"\nrole = \"auditor\"\ncampus = true\n\n\
    [[group]]\nname = \"gone\"\nrole = \"department\"\nunits = [\"no-such-unit\"]\n";

impl Running {
    async fn of(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.ask(method, path, Some(token), &body).await;
        (status, String::from_utf8(body).unwrap())
    }

    async fn begin(&self, back: &str) -> (u16, String) {
        self.of("GET", &format!("/v1/session/oidc?redirect_uri={}", encoded(back)), "", Value::Null).await
    }

    /// A sign-in with what the browser brought back from the provider.
    async fn come_back(&self) -> (Value, OidcBegun) {
        let (status, text) = self.begin(BACK).await;
        assert_eq!(status, 200, "{text}");
        let begun: OidcBegun = serde_json::from_str(&text).unwrap();
        let location = browse(&begun.url);
        let brought = fields(location.split_once('?').unwrap_or_else(|| panic!("{location}")).1);
        let order = json!({
            "handle": begun.handle, "state": brought["state"], "code": brought["code"], "iss": brought["iss"],
        });
        (order, begun)
    }

    async fn finish(&self, order: Value) -> (u16, String) {
        self.of("POST", "/v1/session/oidc", "", order).await
    }

    async fn sign_in(&self) -> (u16, String) {
        let (order, _) = self.come_back().await;
        self.finish(order).await
    }

    async fn session(&self) -> SessionGiven {
        let (status, text) = self.sign_in().await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn newest(&self) -> JournalLine {
        let lines: Vec<JournalLine> = self.lines("GET", "/v1/journal?limit=1", "").await;
        lines.into_iter().next().unwrap()
    }
}

async fn with(provider: &Provider) -> Running {
    running_with(|layout| provider.configure(&layout.oidc(), GROUPS)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_at_the_identity_provider_becomes_a_power_in_the_journal() {
    for kind in [Kind::Rsa, Kind::P256, Kind::Ed25519] {
        let provider = Provider::start(kind);
        let running = with(&provider).await;
        // Of several, the first of the file.
        provider.is(
            "248289761001",
            json!({ "name": "Kim", "email": "kim@example.edu", "groups": ["audit", "x", "security"] }),
        );
        let session = running.session().await;
        assert!(session.operator.starts_with("oidc-"), "{}", session.operator);
        let line = running.newest().await;
        assert_eq!((line.actor.as_str(), line.command.as_str()), ("oidc", "operator-put"));
        let (_, me) = running.of("GET", "/v1/me", &session.token, Value::Null).await;
        let me: Me = serde_json::from_str(&me).unwrap();
        assert_eq!((me.actor.as_str(), me.powers[0].role.as_str()), (session.operator.as_str(), "security-office"));
        assert_eq!(running.of("GET", "/v1/alarms", &session.token, Value::Null).await.0, 200);
        assert_eq!(running.of("POST", "/v1/agents", &session.token, json!({ "id": "agent-sci" })).await.0, 403);
        let listed: Operators = running.get("/v1/operators").await;
        assert_eq!(listed.operators[0].name, "Kim (kim@example.edu)");
        let again = running.session().await;
        assert_eq!((again.operator.as_str(), running.newest().await.seq), (session.operator.as_str(), line.seq));
        assert_eq!(provider.asked_for_keys(), 1, "keys are remembered");
        assert_eq!(running.of("DELETE", "/v1/session", &session.token, Value::Null).await.0, 200);
        assert_eq!(running.of("GET", "/v1/me", &session.token, Value::Null).await.0, 401);
        assert_eq!(running.of("GET", "/v1/me", &again.token, Value::Null).await.0, 200, "the other session goes on");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_changed_changes_the_power_at_the_next_sign_in_and_without_one_it_ends() {
    let provider = Provider::start(Kind::P256);
    let running = with(&provider).await;
    provider.is("kim", json!({ "groups": ["security"] }));
    let first = running.session().await;
    provider.is("kim", json!({ "groups": "audit" }));
    let second = running.session().await;
    assert_eq!(second.operator, first.operator);
    let (_, me) = running.of("GET", "/v1/me", &first.token, Value::Null).await;
    assert_eq!(serde_json::from_str::<Me>(&me).unwrap().powers[0].role, "auditor", "also of a session that goes on");
    for groups in [json!(["unheard-of"]), json!({ "audit": true }), json!(null), json!(["gone"])] {
        provider.is("kim", json!({ "groups": "audit" }));
        let session = running.session().await;
        provider.is("kim", json!({ "groups": groups }));
        let (status, text) = running.sign_in().await;
        let is_unknown_unit = groups == json!(["gone"]);
        assert_eq!(status, if is_unknown_unit { 404 } else { 403 }, "{text}");
        let expected = if is_unknown_unit { "no-such-unit" } else { "none of your groups" };
        assert!(text.contains(expected), "{text}");
        let line = running.newest().await;
        assert_eq!((line.actor.as_str(), line.command.as_str()), ("oidc", "operator-remove"));
        assert_eq!(running.of("GET", "/v1/me", &session.token, Value::Null).await.0, 401, "its session has ended");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_provider_knows_has_no_password_no_token_and_no_name_that_others_have() {
    let provider = Provider::start(Kind::Ed25519);
    let running = with(&provider).await;
    provider.is("kim", json!({ "groups": ["security"] }));
    let operator = running.session().await.operator;
    let power = json!({ "name": "N", "power": { "role": "administrator", "campus": true } });
    for id in [operator.as_str(), "oidc-", "oidc-kim"] {
        let (status, fault) = running.refused("PUT", &format!("/v1/operators/{id}"), power.clone()).await;
        assert_eq!(status, 403, "{id}");
        assert!(fault.error.contains("choose another name"), "{}", fault.error);
    }
    assert_eq!(running.refused("PUT", "/v1/operators/oidc", power).await.0, 409, "the actor's own name");
    let invite = format!("/v1/operators/{operator}/invite");
    for (path, body) in [(invite.as_str(), json!({})), ("/v1/tokens", json!({ "operator": operator }))] {
        let (status, fault) = running.refused("POST", path, body).await;
        assert_eq!(status, 409, "{path}");
        assert!(fault.error.contains("signs in by the identity provider"), "{}", fault.error);
    }
    let password = json!({ "operator": operator, "password": "correct horse battery" });
    assert_eq!(running.of("POST", "/v1/session", "", password).await.0, 401);
    let session = running.session().await;
    assert_eq!(running.of("DELETE", &format!("/v1/operators/{operator}"), &running.token, Value::Null).await.0, 200);
    assert_eq!(
        running.of("GET", "/v1/me", &session.token, Value::Null).await.0,
        401,
        "an administrator ends it at once"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_did_not_sign_for_this_sign_in_is_refused() {
    let provider = Provider::start(Kind::Rsa);
    let running = with(&provider).await;
    let before = running.newest().await.seq;
    provider.is("kim", json!({ "groups": ["security"] }));
    let now = doorward_server::clock::wall().0.div_euclid(1000);
    let others = json!([CLIENT, "another"]);
    let cases = [
        (Twist::Claim("nonce", json!("another")), "belongs to another sign-in"),
        (Twist::Without("nonce"), "belongs to another sign-in"),
        (Twist::Claim("aud", json!("another")), "meant for another client"),
        (Twist::Claim("aud", json!([])), "meant for another client"),
        (Twist::Claim("aud", others), "made for another client"),
        (Twist::Claim("azp", json!("another")), "made for another client"),
        (Twist::Claim("iss", json!("https://elsewhere.example")), "another issuer"),
        (Twist::Claim("exp", json!(now - 61)), "has expired"),
        (Twist::Without("exp"), "not understood"),
        (Twist::Claim("iat", json!(now + 120)), "made in the future"),
        (Twist::Claim("iat", json!(now - 700)), "made long ago"),
        (Twist::Claim("nbf", json!(now + 120)), "does not hold yet"),
        (Twist::Claim("sub", json!("")), "names nobody"),
        (Twist::Without("sub"), "not understood"),
        (Twist::NotSigned, "no signed token"),
        (Twist::PublicKeyAsSecret, "HS256"),
        (Twist::StrangersKey, "signature is wrong"),
        (Twist::Changed, "signature is wrong"),
        (Twist::OtherAlgorithm, "does not publish"),
        (Twist::StrangersName, "does not publish"),
    ];
    for (twist, why) in cases {
        provider.twist(twist.clone());
        let (status, text) = running.sign_in().await;
        assert_eq!(status, 401, "{twist:?}: {text}");
        let fault: Fault = serde_json::from_str(&text).unwrap();
        assert!(fault.error.contains("token is refused") && fault.error.contains(why), "{twist:?}: {}", fault.error);
    }
    assert_eq!(running.newest().await.seq, before, "nobody became an operator");
    for twist in [
        Twist::Claim("exp", json!(now - 20)),
        Twist::Claim("iat", json!(now + 20)),
        Twist::Claim("aud", json!([CLIENT])),
        Twist::Nothing,
    ] {
        provider.twist(twist.clone());
        let (status, text) = running.sign_in().await;
        assert_eq!(status, 200, "{twist:?}: {text}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_once_and_only_for_whom_it_began() {
    let provider = Provider::start(Kind::P256);
    let running = with(&provider).await;
    provider.is("kim", json!({ "groups": ["security"] }));
    let (order, begun) = running.come_back().await;
    assert_eq!(order["state"], begun.state);
    assert!(!begun.url.contains(&begun.handle), "the handle does not go through the browser");
    assert_eq!(running.finish(order.clone()).await.0, 200);
    let (status, text) = running.finish(order).await;
    assert_eq!(status, 401, "again");
    assert!(text.contains("this sign-in is not known"), "{text}");
    let (theirs, _) = running.come_back().await;
    for (field, value) in [("state", json!("x")), ("handle", theirs["handle"].clone()), ("code", json!(""))] {
        let (mut order, _) = running.come_back().await;
        order[field] = value;
        assert_eq!(running.finish(order).await.0, 401, "{field}");
    }
    let (mut order, _) = running.come_back().await;
    order["iss"] = json!("https://elsewhere.example");
    assert_eq!(running.finish(order).await.0, 401, "another issuer");
    let (mut order, _) = running.come_back().await;
    order["code"] = running.come_back().await.0["code"].clone();
    let (status, text) = running.finish(order).await;
    assert_eq!(status, 401, "a code of another sign-in");
    assert!(text.contains("does not take the code"), "{text}");
    for elsewhere in [
        "https://evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://10.0.0.1/",
    ] {
        assert_eq!(running.begin(elsewhere).await.0, 400, "{elsewhere}");
    }
    assert_eq!(running.begin("https://doors.example.edu/console").await.0, 200);
    assert_eq!(running.begin("https://doors.example.edu/console/x").await.0, 400);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_of_the_provider_works_and_an_unknown_one_is_asked_for_once_a_minute() {
    let provider = Provider::start(Kind::Rsa);
    let running = with(&provider).await;
    provider.is("kim", json!({ "groups": ["security"] }));
    running.session().await;
    provider.rotate("second", Kind::P256);
    running.session().await;
    assert_eq!(provider.asked_for_keys(), 2);
    provider.twist(Twist::StrangersName);
    for _ in 0..3 {
        assert_eq!(running.sign_in().await.0, 401);
    }
    assert_eq!(provider.asked_for_keys(), 2, "the provider is not asked by whoever makes up keys");
    provider.twist(Twist::Nothing);
    running.session().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_holder_without_a_group_gets_the_own_page_and_nothing_else() {
    let provider = Provider::start(Kind::P256);
    let running = with(&provider).await;
    let person = campus().tables.people.keys().next().unwrap().to_string();
    provider.is("holder", json!({ "employee": person, "groups": ["students"] }));
    let session = running.session().await;
    assert_eq!(session.operator, format!("holder/{person}"));
    let (status, page) = running.of("GET", "/v1/me/page", &session.token, Value::Null).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(serde_json::from_str::<HolderPage>(&page).unwrap().person.id, person);
    assert_eq!(running.of("GET", "/v1/journal", &session.token, Value::Null).await.0, 403);
    provider.is("holder", json!({ "employee": "nobody-here" }));
    assert_eq!(running.sign_in().await.0, 403);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_answers_without_end_elsewhere_or_not_at_all_holds_nobody_up() {
    let none = running().await;
    assert_eq!(none.begin(BACK).await.0, 404, "no provider is known");
    none.stop().await;
    for twist in [Twist::Endless, Twist::OtherIssuer, Twist::Elsewhere, Twist::Silent] {
        let provider = Provider::start(Kind::Ed25519);
        let running = with(&provider).await;
        provider.twist(twist.clone());
        let begun = Instant::now();
        let (status, text) = running.begin(BACK).await;
        assert_eq!(status, 502, "{twist:?}: {text}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{twist:?}");
        running.get::<Value>("/v1/status").await;
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_believed_by_the_certificates_that_are_named_and_by_no_others() {
    let (_directory, theirs) = made();
    let authority = CertificateAuthority::open(&theirs, &"jnu".parse().unwrap()).unwrap();
    let ServerIdentity { chain, key } =
        authority.for_api("127.0.0.1".parse().unwrap(), doorward_server::clock::wall()).unwrap();
    let cryptography = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(cryptography).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let provider = Provider::start_tls(Kind::P256, Arc::new(config));
    provider.is("kim", json!({ "groups": ["security"] }));
    for (is_named, status) in [(true, 200), (false, 502)] {
        let running = running_with(|layout| {
            // Of another campus, or of this one, which did not issue what the provider shows.
            let ca = if is_named { theirs.certificate_authority() } else { layout.certificate_authority() };
            provider.configure(&layout.oidc(), &format!("ca = \"{}\"\n{GROUPS}", ca.display()));
        })
        .await;
        let (said, text) = running.begin(BACK).await;
        assert_eq!(said, status, "{text}");
        assert!(!is_named || text.contains("https://127.0.0.1"), "{text}");
        running.stop().await;
    }
}

#[tokio::test]
async fn settings_of_an_identity_provider_that_are_wrong_are_refused_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("oidc.toml");
    let refusal = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Settings::read(&file).unwrap_err().to_string().replace(&format!("{}:", file.display()), "")
    };
    let sound = "issuer = \"http://127.0.0.1:1\"\nclient_id = \"d\"\n";
    let cases = [
        ("issuer = 1\n", "1:10: invalid type"),
        ("issuer = \"x\"\nclient = 1\n", "2:1: unknown field `client`"),
        (
            "issuer = \"http://login.example.edu\"\nclient_id = \"d\"\n",
            "1:10: issuer `http://login.example.edu` is not https",
        ),
        ("issuer = \"https://login.example.edu\"\nclient_id = \"d\"\n", "1:1: the file lacks `ca`"),
        (sound, "1:1: the file names no [[group]] and no holder_claim"),
        (
            "[[group]]\nname = \"g\"\nrole = \"auditer\"\ncampus = true\n",
            "5:8: `auditer` is no role; did you mean `auditor`?",
        ),
        ("[[group]]\nname = \"g\"\nrole = \"auditor\"\n", "3:1: group `g` needs a remit"),
        ("[[group]]\nname = \"g\"\nrole = \"department\"\nunits = [\"a b\"]\n", "6:10: unit `a b`"),
        ("holder_claim = \"a b\"\n", "3:16: holder_claim `a b` is not a name"),
        ("redirect_uri = \"http://doors.example.edu\"\n", "3:16: redirect_uri"),
        ("holder_claim = \"h\"\nca = \"oidc.toml\"\n", "4:6: oidc.toml holds no certificate"),
    ];
    for (text, expected) in cases {
        let text = if text.starts_with("issuer") { text.to_owned() } else { format!("{sound}{text}") };
        let said = refusal(&text);
        assert!(said.contains(expected), "{expected:?} is missing in {said:?}");
    }
    let with_secret = format!("{sound}holder_claim = \"h\"\nclient_secret_file = \"secret\"\n");
    std::fs::write(folder.path().join("secret"), "s3cret").unwrap();
    std::fs::set_permissions(folder.path().join("secret"), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(refusal(&with_secret).contains("can be read by other users"));
    std::fs::set_permissions(folder.path().join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let settings = Settings::read(&file).unwrap();
    assert!(!format!("{settings:?}").contains("s3cret"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(Settings::read(&file).unwrap_err().to_string().contains("can be changed by other users"));
    let (_directory, layout) = made();
    let named = doorward_server::serve::ServeOptions {
        oidc: Some(folder.path().join("none")),
        ..crate::running::options(&layout)
    };
    let refused = Server::start(named).await.err().unwrap().to_string();
    assert!(refused.contains("none"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_by_the_provider_comes_back_to_the_console_and_is_signed_in() {
    let provider = Provider::start(Kind::P256);
    let running = with(&provider).await;
    provider.is("guard", json!({ "name": "Kim", "groups": ["security"] }));
    let host = format!("Host: {}\r\n", running.address);
    let mut browser = Browser::new(&running);
    assert!(browser.get("/sign-in").await.body.contains("href=\"/sign-in/provider\""));
    let page = browser.ask("GET", "/sign-in/provider", &host, "").await;
    assert_eq!(page.status, 303, "{}", page.body);
    let set = page.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("doorward-provider=") && set.contains("HttpOnly; SameSite=Lax"), "{set}");
    let location = browse(page.header("location").unwrap());
    let (address, query) = location.split_once('?').unwrap();
    assert_eq!(address, format!("http://{}/sign-in/provider/back", running.address));
    let back = format!("/sign-in/provider/back?{query}");

    let mut other = Browser::new(&running);
    assert_eq!(other.get(&back).await.status, 401, "only the browser that began it comes in");
    assert_eq!(other.get("/").await.status, 303);
    let page = browser.get(&back).await;
    assert_eq!((page.status, page.header("refresh")), (200, Some("0;url=/")), "{}", page.body);
    let session = page.head.lines().find(|line| line.starts_with("set-cookie: doorward-session=")).unwrap();
    assert!(session.contains("HttpOnly; SameSite=Strict"), "{session}");
    let page = browser.get("/").await;
    assert!(page.status == 200 && page.body.contains("oidc-"), "{}", page.body);
    assert_eq!(browser.get(&back).await.status, 401, "and only once");
    let page = other.get("/sign-in/provider/back?error=access_denied&error_description=%3Cb%3E").await;
    assert_eq!((page.status, page.header("location")), (303, Some("/sign-in")));
    let page = other.ask("GET", "/sign-in/provider", "Host: doors.example.net\r\n", "").await;
    assert!(page.status == 400 && page.body.contains("redirect_uri in oidc.toml"), "{}", page.body);
    running.stop().await;

    let running = running_with(|_| ()).await;
    assert!(!Browser::new(&running).get("/sign-in").await.body.contains("/sign-in/provider"));
    running.stop().await;
}
