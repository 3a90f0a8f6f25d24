//! The console as a browser without scripts sees it: who is let in, what a form must bring, what a page says and never says.
//!
//! What a browser makes of it, and what doors do meanwhile, is tested from the outside, in the `tests/` room.

use crate::browser::{Browser, PASSWORD};
use crate::running::{Running, running};
use crate::support::{active_card, campus};
use doorward_policy::model::{CardId, CardState};
use doorward_server::http::shapes::JournalLine;
use doorward_server::http::shapes::office::{Looks, SetUpGiven};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// How long a stream may go on after its session ended.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// Every page behind the sign-in, with the sample campus's names in it.
const PAGES: [&str; 18] = [
    "/",
    "/?find=a",
    "/?find=%3Cscript%3Ealert(1)%3C/script%3E",
    "/people/230001",
    "/cards/CARD1",
    "/cards/CARD1/suspend",
    "/changes/1",
    "/doors",
    "/doors?find=eng",
    "/doors/eng-1-rear",
    "/why?card=CARD1&door=eng-1-rear",
    "/taps",
    "/taps?building=sci",
    "/alarms",
    "/alarms?all=true",
    "/map",
    "/lockdown",
    "/lockdown/confirm?kind=building&id=sci",
];

/// Every form.
const FORMS: [&str; 10] = [
    "/cards/CARD1/suspend",
    "/cards/CARD1/resume",
    "/alarms/1/acknowledge",
    "/lockdown",
    "/release",
    "/sign-out",
    "/sign-in",
    "/setup",
    "/language",
    "/nowhere",
];

impl Running {
    async fn guard(&self) -> Browser<'_> {
        self.operator("guard", json!({ "role": "security-office", "campus": true })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_shown_before_signing_in_and_no_form_is_taken_without_its_key() {
    let running = running().await;
    let mut stranger = Browser::new(&running);
    for path in PAGES.iter().chain(&["/changes/1/live", "/taps/live", "/alarms/live", "/people/230001/photo"]) {
        let page = stranger.get(path).await;
        let wanted = if path.ends_with("/live") { 401 } else { 303 };
        assert_eq!(page.status, wanted, "{path}");
        assert!(wanted == 401 || page.header("location").unwrap().starts_with("/sign-in?then=%2F"), "{path}");
        assert!(!page.body.contains("학생"), "{path}");
    }
    let key = stranger.get("/sign-in").await.key();
    let page = stranger.ask("POST", "/cards/CARD1/suspend", "", &format!("key={key}&reason=x")).await;
    assert_eq!(page.status, 401, "the key is right, but nobody is signed in");
    let mut guard = running.guard().await;
    let right = guard.get("/lockdown/confirm?kind=campus").await.key();
    let head: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    for path in FORMS {
        for (more, key) in [("", ""), ("", key.as_str()), ("Sec-Fetch-Site: cross-site\r\n", right.as_str())] {
            let page = guard.ask("POST", path, more, &format!("key={key}&kind=campus&typed=x&reason=r")).await;
            assert_eq!(page.status, 403, "{path} {more}");
        }
        assert_eq!(guard.ask("POST", path, "", "reason=r").await.status, 403, "{path} without any");
    }
    let after: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!(after[0].seq, head[0].seq, "nothing was changed");
    assert_eq!(guard.get("/").await.status, 200, "and the guard is still signed in");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_forbids_all_that_it_does_not_need_and_contains_no_script_of_its_own() {
    let running = running().await;
    let mut guard = running.guard().await;
    guard.send("/cards/CARD1/suspend", "/cards/CARD1/suspend", "reason=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E").await;
    let head: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    let change = format!("/changes/{}", head[0].seq);
    let mut scripts = String::new();
    for path in PAGES.iter().copied().chain([change.as_str(), "/nowhere", "/cards/NONE"]) {
        let page = guard.get(path).await;
        let csp = page.header("content-security-policy").unwrap_or_default();
        assert!(csp.contains("default-src 'none'") && csp.contains("frame-ancestors 'none'"), "{path}: {csp}");
        assert!(!csp.contains("unsafe"), "{path}: {csp}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(page.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert!(page.header("strict-transport-security").is_none(), "{path}: that is for TLS");
        let tags = page.body.split('<').filter_map(|tag| tag.split('>').next());
        let is_inline = |tag: &&str| {
            let brings = |attribute: &str| {
                attribute.starts_with("style=") || attribute.starts_with("on") && attribute.contains('=')
            };
            tag.split(' ').any(brings)
                || tag.contains("javascript:")
                || *tag == "script"
                || tag.starts_with("img src=x")
        };
        assert_eq!(tags.filter(is_inline).collect::<Vec<_>>(), Vec::<&str>::new(), "{path}");
        scripts = page.body.split("src=\"/assets/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    }
    let page = guard.get(&change).await;
    assert!(page.body.contains("&lt;img src=x onerror=alert(1)&gt;"), "{}", page.body);
    let script = guard.get(&format!("/assets/{scripts}")).await;
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(guard.get("/assets/0-console.js").await.status, 404);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_cookie_that_no_script_and_no_other_site_can_use_and_it_ends() {
    let running = running().await;
    let mut guard = running.guard().await;
    let page = guard.sign_in("guard").await;
    let cookie = page.head.lines().find_map(|line| line.strip_prefix("set-cookie: doorward-session=")).unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/"), "{cookie}");
    let (old, before) = (guard.cookies.clone(), guard.get("/").await);
    assert_eq!(before.status, 200);
    let mut stream = guard.request("GET", "/alarms/live", "", b"").await;
    let page = guard.send("/", "/sign-out", "").await;
    assert_eq!((page.status, page.header("location")), (303, Some("/sign-in")));
    guard.cookies = old;
    assert_eq!(guard.get("/").await.status, 303, "the cookie is worth nothing any more");
    let (began, mut rest) = (Instant::now(), String::new());
    let ended = tokio::time::timeout(ENDS_WITHIN, stream.read_to_string(&mut rest)).await;
    ended.unwrap_or_else(|_| panic!("the stream goes on after {:?}", began.elapsed())).unwrap();
    assert!(rest.contains("text/event-stream") && rest.contains("retry: "), "{rest}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_passwords_is_kept_out_for_a_while_and_told_so() {
    let running = running().await;
    drop(running.guard().await);
    let mut thief = Browser::new(&running);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let page = thief.send("/sign-in", "/sign-in", "operator=guard&password=wrong&then=").await;
        assert!(page.body.contains("role=\"alert\"") && !page.head.contains("session="), "{}", page.body);
        seen.push(page.status);
    }
    assert_eq!(seen, [401, 401, 401, 401, 401, 429]);
    assert_eq!(thief.sign_in("guard").await.status, 429, "also with the right password");
    let page = thief.send("/sign-in", "/sign-in", "operator=nobody&password=wrong&then=").await;
    assert_eq!(page.status, 401);
    let page = thief.send("/setup", "/setup", "operator=guard&secret=0&password=a&again=b").await;
    assert_eq!(page.status, 400, "the two are not the same");
    let page = thief.send("/setup", "/setup", "operator=guard&secret=0&password=a&again=a").await;
    assert_eq!(page.status, 401, "{}", page.body);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_does_not_do_what_the_api_refuses() {
    let running = running().await;
    let card = active_card();
    let tables = campus().tables;
    let holder = tables.cards[&card.parse::<CardId>().unwrap()].person.clone();
    let mut auditor = running.operator("auditor", json!({ "role": "auditor", "campus": true })).await;
    assert_eq!(auditor.get(&format!("/cards/{card}")).await.status, 200);
    assert!(!auditor.get(&format!("/cards/{card}")).await.body.contains("/suspend"), "what is refused is not offered");
    let page = auditor.send("/", &format!("/cards/{card}/suspend"), "reason=lost").await;
    assert_eq!(page.status, 403);
    assert!(
        page.body.contains("Your role, Auditor, may not do this. These may: Administrator, Security office"),
        "{}",
        page.body
    );
    let campus_name = "%EC%A0%84%EB%82%A8%EB%8C%80%ED%95%99%EA%B5%90";
    let page = auditor.send("/", "/lockdown", &format!("kind=campus&id=&typed={campus_name}&reason=r")).await;
    assert_eq!(page.status, 403);
    assert_eq!(auditor.get("/lockdown/confirm?kind=campus").await.status, 403);
    assert_eq!(auditor.send("/", "/alarms/1/acknowledge", "").await.status, 403);
    assert_eq!(running.state_of(&card).await, "active");

    let unit = tables.people[&holder].affiliations.first().unwrap().unit.clone();
    let other = tables.units.keys().find(|other| !tables.unit_and_above(&unit).any(|above| above == *other)).unwrap();
    let mut office = running.operator("office", json!({ "role": "department", "units": [other] })).await;
    assert_eq!(office.get(&format!("/cards/{card}")).await.status, 403);
    assert_eq!(office.get(&format!("/people/{holder}")).await.status, 403);
    assert_eq!(office.get(&format!("/people/{holder}/photo")).await.status, 403);
    assert!(office.get(&format!("/?find={holder}")).await.body.contains("Nothing contains"));
    assert_eq!(office.get("/taps").await.status, 403, "of the whole campus");
    assert_eq!(office.get("/alarms").await.status, 403);
    assert_eq!(office.send("/", &format!("/cards/{card}/suspend"), "reason=lost").await.status, 403);
    assert_eq!(running.state_of(&card).await, "active");

    let given: SetUpGiven = running.post(&format!("/v1/people/{holder}/invite"), json!({})).await;
    let (password, login) = (PASSWORD.replace(' ', "+"), given.operator.replace('/', "%2F"));
    let mut person = Browser::new(&running);
    let fields = format!("operator={login}&secret={}&password={password}&again={password}", given.secret);
    assert_eq!(person.send("/setup", "/setup", &fields).await.status, 303);
    assert_eq!(person.sign_in(&login).await.status, 303);
    for path in PAGES {
        let page = person.get(path).await;
        assert_eq!(
            (page.status, page.header("location")),
            (303, Some("/me")),
            "{path}: none of these is a card holder's"
        );
    }

    let mut feed = running.operator("feed", json!({ "role": "registrar-feed", "campus": true })).await;
    for path in PAGES {
        assert_eq!(feed.get(path).await.status, 403, "{path}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_finds_a_person_by_anything_suspends_the_card_and_lets_it_work_again() {
    let running = running().await;
    let tables = campus().tables;
    let (id, card) = tables.cards.iter().find(|(_, card)| card.state == CardState::Active).unwrap();
    let person = format!("/people/{}", card.person);
    let mut guard = running.guard().await;
    for text in [card.person.as_str(), &id.as_str().to_lowercase()] {
        let page = guard.get(&format!("/?find={text}")).await;
        assert!(page.header("location") == Some(&person) || page.body.contains(&person), "{text}: {}", page.head);
    }
    let page = guard.get(&person).await;
    let suspend = format!("/cards/{id}/suspend");
    assert!(page.body.contains(&suspend), "{}", page.body);
    let page = guard.send(&suspend, &suspend, "reason=").await;
    assert_eq!(page.status, 409, "without a reason");
    assert!(page.body.contains("role=\"alert\""));
    let page = guard.send(&suspend, &suspend, "reason=lost+at+the+gate").await;
    assert_eq!(page.status, 303, "{}", page.body);
    let change = page.header("location").unwrap().to_owned();
    assert_eq!(running.state_of(id.as_str()).await, "suspended");
    let page = guard.get(&change).await;
    assert!(page.body.contains("lost at the gate") && page.body.contains(&format!("card {id}")), "{}", page.body);
    let line: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!((line[0].actor.as_str(), line[0].command.as_str()), ("guard", "card-suspend"));
    let resume = format!("/cards/{id}/resume");
    assert_eq!(guard.send(&resume, &resume, "reason=found").await.status, 303);
    assert_eq!(running.state_of(id.as_str()).await, "active");
    let looks: Looks = running.get(&format!("/v1/looks?by=guard&about=person%20{}", card.person)).await;
    assert!(!looks.looks.is_empty(), "whoever looks is noted");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_locked_down_until_its_name_is_typed() {
    let running = running().await;
    let mut guard = running.guard().await;
    let confirm = "/lockdown/confirm?kind=door&id=eng-1-rear";
    let page = guard.get(confirm).await;
    assert!(page.body.contains("eng-1-rear") && page.body.contains("name=\"typed\""), "{}", page.body);
    let fields = |typed: &str| format!("kind=door&id=eng-1-rear&typed={typed}&reason=drill");
    for wrong in ["", "eng-1", "eng-1-main"] {
        let page = guard.send(confirm, "/lockdown", &fields(wrong)).await;
        assert_eq!(page.status, 400, "{wrong}");
        assert!(
            page.body.contains("Nothing was locked down") && page.body.contains("value=\"drill\""),
            "{}",
            page.body
        );
    }
    let lockdowns = async || running.get::<Value>("/v1/status").await["lockdowns"].clone();
    assert_eq!(lockdowns().await, json!([]));
    assert_eq!(guard.send(confirm, "/lockdown", &fields("ENG-1-Rear")).await.status, 303);
    assert_eq!(lockdowns().await, json!([{ "door": "eng-1-rear" }]));
    let page = guard.get("/").await;
    assert!(page.body.contains("Locked down now"), "every page says so");
    let release = "/release?kind=door&id=eng-1-rear";
    let page = guard.send(release, "/release", "kind=door&id=eng-1-rear&reason=over").await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_eq!(lockdowns().await, json!([]));
    let page = guard.get("/lockdown/confirm?kind=door&id=rear").await;
    assert!(page.body.contains("Which door?") && page.body.contains("eng-1-rear"), "{}", page.body);
    assert_eq!(guard.get("/lockdown/confirm?kind=door&id=no-such-door").await.status, 404);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_door_tonight_and_why_one_does_not_is_asked_in_the_time_of_the_campus() {
    let running = running().await;
    let mut porter = running.operator("porter", json!({ "role": "facilities", "buildings": ["eng-1"] })).await;
    let page = porter.get("/doors").await;
    assert!(page.body.contains("/doors/eng-1-rear") && !page.body.contains("/doors/eng-cs-rear"), "{}", page.body);
    assert!(porter.get("/doors?find=no-such").await.body.contains("Nothing contains"));
    // What a form sends is what the clocks of the campus show.
    let page = porter.get("/doors/eng-1-rear?at=2023-04-10T10:00").await;
    assert_eq!(page.status, 404, "the journal had no entry then, and that is said: {}", page.body);
    let page = porter.get("/doors/eng-1-rear?at=2090-04-10T10:00").await;
    assert!(page.body.contains("datetime=\"2090-04-10T10:00:00.000+09:00\""), "{}", page.body);
    assert_eq!(porter.get("/doors/eng-cs-rear").await.status, 403);
    assert_eq!(porter.get("/doors/eng-1-rear?at=tonight").await.status, 400);

    let mut guard = running.guard().await;
    guard.send("/cards/CARD1/suspend", "/cards/CARD1/suspend", "reason=lost").await;
    let page = guard.get("/why?card=CARD1&door=eng-1-rear").await;
    assert!(page.body.contains("card is suspended") && page.body.contains("<ol class=\"reasons\""), "{}", page.body);
    assert_eq!(guard.get("/why?card=CARD1").await.status, 200, "a form to ask with");
    guard.language = "ko";
    let page = guard.get("/why?card=CARD1&door=eng-1-rear").await;
    assert!(page.body.contains("카드 CARD1:") && !page.body.contains("Card CARD1"), "{}", page.body);
    guard.language = "en";
    assert!(guard.get("/why?card=NONE&door=eng-1-rear").await.body.contains("unknown here"));
    assert_eq!(guard.get("/why?card=CARD1&door=no-such-door").await.status, 404);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_is_small_and_speaks_each_language_with_the_time_of_the_campus() {
    let running = running().await;
    let mut guard = running.guard().await;
    let page = guard.send("/", "/cards/CARD1/suspend", "reason=lost").await;
    let change = page.header("location").unwrap().to_owned();
    for (code, taps) in [("en", "Taps"), ("ko", "출입 기록"), ("zh", "刷卡记录"), ("hr", "Prolasci")] {
        guard.language = "en";
        let page = guard.send("/taps", "/language", &format!("to={code}&then=%2Ftaps")).await;
        assert_eq!((page.status, page.header("location")), (303, Some("/taps")));
        for path in PAGES {
            let page = guard.get(path).await;
            assert!(page.body.contains(&format!("<html lang=\"{code}\">")), "{code} {path}");
            assert!(page.body.contains(taps) && page.body.contains("Asia/Seoul"), "{code} {path}");
            assert!(page.body.len() < 100_000, "{code} {path}: {} bytes", page.body.len());
        }
        let change = guard.get(&change).await;
        assert!(change.body.contains("+09:00"), "{}", change.body);
    }
    let mut stranger = Browser::new(&running);
    stranger.language = "ko-KR,ko;q=0.9";
    assert!(stranger.get("/sign-in").await.body.contains("로그인"));
    let page = stranger.send("/sign-in", "/language", "to=zh&then=https%3A%2F%2Felsewhere.example%2F").await;
    assert_eq!(page.header("location"), Some("/"), "and nowhere else");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_on_a_page_in_plain_words() {
    let running = running().await;
    let mut guard = running.guard().await;
    for (path, status, says) in [
        ("/nowhere", 404, "There is no such page."),
        ("/people/NONE", 404, "NONE"),
        ("/changes/999999", 404, "the journal has no entry 999999"),
        ("/changes/x", 400, "Something in what was sent is wrong"),
        ("/lockdown/confirm?kind=planet", 400, "say what to lock down"),
        ("/taps?door=no-such-door", 200, "No tap yet"),
    ] {
        let page = guard.get(path).await;
        assert_eq!(page.status, status, "{path}: {}", page.body);
        assert!(page.body.contains(says) && page.body.contains("<!DOCTYPE html>"), "{path}: {}", page.body);
    }
    guard.language = "hr";
    let page = guard.get("/people/NONE").await;
    assert!(page.body.contains("NONE nije poznato") && !page.body.contains("is not known"), "{}", page.body);
    let page = guard.ask("POST", "/cards/CARD1/suspend", "", "key=0").await;
    assert!(page.status == 403 && page.body.contains("Ovaj obrazac nije s vaše stranice"), "{}", page.body);
    let mut stranger = Browser::new(&running);
    stranger.language = "ko";
    let page = stranger.send("/sign-in", "/sign-in", "operator=guard&password=wrong&then=").await;
    assert!(page.status == 401 && page.body.contains("비밀번호가 틀렸습니다"), "{}", page.body);
    let mut department = running.operator("kim", json!({ "role": "department", "units": ["physics"] })).await;
    department.language = "zh";
    let page = department.get("/lockdown/confirm?kind=campus").await;
    assert!(page.status == 403 && page.body.contains("您的角色 部门 不能执行此操作"), "{}", page.body);
    let (status, body) = running.ask("GET", "/v1/nowhere", Some(&running.token), "").await;
    assert_eq!(status, 404, "the API goes on speaking JSON");
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_runs_wild_is_held_back_for_a_moment_and_the_others_are_not() {
    let running = running().await;
    let mut guard = running.guard().await;
    let mut other = running.operator("kim", json!({ "role": "auditor", "campus": true })).await;
    let mut held_back = None;
    for _ in 0..2_000 {
        let page = guard.get("/nowhere").await;
        if page.status == 429 {
            held_back = Some(page);
            break;
        }
        assert_eq!(page.status, 404, "{}", page.body);
    }
    let page = held_back.expect("somebody is held back");
    assert_eq!(page.header("retry-after"), Some("1"));
    assert!(page.body.contains("too many requests at once") && page.body.contains("<!DOCTYPE html>"), "{}", page.body);
    assert_eq!(other.get("/").await.status, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(guard.get("/").await.status, 200);
    running.stop().await;
}
