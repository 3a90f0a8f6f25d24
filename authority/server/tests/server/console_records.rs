//! The pages of the auditor and the operator as a browser without scripts sees them: what each says, whom it refuses, and that what
//! it says is what was kept.

use crate::browser::Browser;
use crate::running::{Running, running, running_with};
use crate::support::active_card;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{AgentId, CredentialKey, DoorId, Hash, Incarnation};
use doorward_protocol::record::{ChainHead, Record};
use doorward_server::access::{AccessStore, NewRecord};
use doorward_server::clock;
use doorward_server::http::shapes::JournalLine;
use doorward_server::http::shapes::office::Looks;
use doorward_server::http::shapes::records::{Comparison, LogCounts, RemovalTimes};
use doorward_server::paths::Layout;
use serde_json::{Value, json};
use tokio::runtime::Handle;

const PAGES: [&str; 12] = [
    "/journal",
    "/journal?by=owner&kind=import&about=CARD1&from=2020-01-01T00:00",
    "/log",
    "/log?building=eng-1&decision=deny&reason=suspended&from=2020-01-01T00:00&to=2090-01-01T00:00",
    "/plots?span=month",
    "/latency",
    "/agents",
    "/compare",
    "/looks",
    "/operators",
    "/retention",
    "/receivers",
];

/// How many taps the log of [`tapped`] holds, and how many of them were refused.
const TAPS: u64 = 120;
const REFUSED: u64 = 40;

impl Running {
    async fn auditor(&self) -> Browser<'_> {
        self.operator("auditor", json!({ "role": "auditor", "campus": true })).await
    }
}

/// A server with a log of taps, each a minute before the one after it.
async fn tapped() -> Running {
    running_with(|layout: &Layout| {
        let (store, writers) = AccessStore::open(layout).unwrap();
        let now = clock::wall();
        let record = |seq: u64| NewRecord {
            record: Record {
                seq,
                at: now.plus_ms(-60_000 * i64::try_from(TAPS - seq).unwrap()),
                door: DoorId::new(if seq.is_multiple_of(2) { "eng-1-rear" } else { "sci-main" }).unwrap(),
                credential: CredentialKey([1; 16]),
                factors: Factors::NONE,
                reason: if seq.is_multiple_of(3) { Reason::NoPermission } else { Reason::Granted },
                position: Position::default(),
            },
            card: Some(format!("CARD{seq}")),
            person: Some("230001".to_owned()),
            alarm: None,
        };
        let head = ChainHead { incarnation: Incarnation([1; 16]), seq: TAPS, hash: Hash([0; 32]) };
        let agent = AgentId::new("agent-eng-1").unwrap();
        let stored = store.store_records(agent, (1..=TAPS).map(record).collect(), head, now);
        tokio::task::block_in_place(|| Handle::current().block_on(stored)).unwrap();
        drop(store);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    })
    .await
}

/// What stands between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?} in {text}"));
    rest.split(to).next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_says_its_own_to_whom_it_may_small_and_in_each_language() {
    let running = tapped().await;
    let card = active_card();
    running.post::<Value>(&format!("/v1/cards/{card}/suspend"), json!({ "reason": "lost" })).await;
    let mut stranger = Browser::new(&running);
    for path in PAGES {
        assert_eq!(stranger.get(path).await.status, 303, "{path}");
    }
    let mut feed = running.operator("feed", json!({ "role": "registrar-feed", "campus": true })).await;
    for path in PAGES.iter().chain(&["/agents/invite", "/agents/agent-sci/remove", "/journal/export", "/log/export"]) {
        assert_eq!(feed.get(path).await.status, 403, "{path}");
    }
    let mut auditor = running.auditor().await;
    let titles = [
        ("en", ["Journal", "Access log", "Taps in numbers", "Who may do what?"]),
        ("ko", ["변경 기록", "출입 이력", "출입 통계", "누가 무엇을 할 수 있나요?"]),
        ("zh", ["变更日志", "门禁记录", "刷卡统计", "谁可以做什么？"]),
        ("hr", ["Dnevnik promjena", "Dnevnik prolazaka", "Prolasci u brojkama", "Tko što smije?"]),
    ];
    for (code, [journal, log, plots, operators]) in titles {
        auditor.send("/journal", "/language", &format!("to={code}&then=%2Fjournal")).await;
        let of = [("/journal", journal), ("/log", log), ("/plots", plots), ("/operators", operators)];
        for (path, title) in of {
            let page = auditor.get(path).await;
            assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{code} {path}");
        }
        for path in PAGES {
            let page = auditor.get(path).await;
            assert_eq!(page.status, 200, "{code} {path}: {}", page.body);
            assert!(page.body.len() < 100_000, "{code} {path}: {} bytes", page.body.len());
            assert!(!page.body.contains(" style=") && page.body.contains("nav class=\"section\""), "{code} {path}");
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_offers_what_the_role_may_and_each_remit_sees_its_own() {
    let running = tapped().await;
    let mut porter = running.operator("porter", json!({ "role": "facilities", "buildings": ["eng-1"] })).await;
    for path in ["/journal", "/compare", "/looks", "/operators", "/retention", "/agents/invite"] {
        assert_eq!(porter.get(path).await.status, 403, "{path}");
    }
    let page = porter.get("/agents").await;
    assert!(page.body.contains("agent-eng-1") && !page.body.contains("agent-sci"), "{}", page.body);
    assert!(page.body.contains("href=\"/log\"") && !page.body.contains("href=\"/journal\""), "{}", page.body);
    let page = porter.get("/log").await;
    assert_eq!(page.status, 200, "it asks for a building first");
    assert!(!page.body.contains("CARD2"), "{}", page.body);
    assert!(porter.get("/log?building=eng-1").await.body.contains("CARD2"));
    assert_eq!(porter.get("/log?building=sci").await.status, 403);
    assert_eq!(porter.get("/log/export?as=csv&building=sci").await.status, 403);
    assert_eq!(porter.get("/plots").await.status, 200);
    let page = porter.get("/plots?building=eng-1").await;
    assert!(page.body.contains("Taps: 60."), "{}", page.body);
    assert_eq!(porter.get("/plots?building=sci").await.status, 403);
    assert_eq!(porter.get("/latency").await.status, 403, "of the whole campus");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_narrowed_by_whom_what_and_when_and_read_page_by_page() {
    let running = running().await;
    let card = active_card();
    let path = format!("/v1/cards/{card}");
    for _ in 0..30 {
        for step in ["suspend", "resume"] {
            running.post::<Value>(&format!("{path}/{step}"), json!({ "reason": "drill" })).await;
        }
    }
    let mut auditor = running.auditor().await;
    let first = auditor.get("/journal").await.body;
    assert_eq!(first.matches("<tr id=\"entry-").count(), 50);
    let next = between(&first, "rel=\"next\" href=\"", "\"").replace("&amp;", "&");
    let second = auditor.get(&next).await.body;
    assert!(second.contains("Founded") && second.contains("id=\"entry-1\"") && !second.contains("rel=\"next\""));
    let seq = |page: &str| between(page, "<tr id=\"entry-", "\"").parse::<u64>().unwrap();
    assert_eq!(seq(&second) + 50, seq(&first), "no entry is left out between the pages");

    let narrowed = auditor.get(&format!("/journal?by=kim&kind=card-resume&about={card}")).await.body;
    assert_eq!(narrowed.matches("<tr id=\"entry-").count(), 30, "{narrowed}");
    assert!(narrowed.contains("Card resumed") && narrowed.contains("owner/kim") && narrowed.contains(": drill"));
    assert!(auditor.get("/journal?by=ki").await.body.contains("Nothing fits"));
    assert!(auditor.get("/journal?to=2020-01-01T00:00").await.body.contains("Nothing fits"));
    assert_eq!(auditor.get("/journal?from=yesterday").await.status, 400);
    assert_eq!(auditor.get("/journal?before=x").await.status, 400);

    let page = auditor.get("/journal/export?as=csv&kind=card-resume").await;
    assert_eq!(page.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(page.header("content-disposition").unwrap().contains("journal.csv"), "{}", page.head);
    assert_eq!(page.body.lines().count(), 31, "{}", page.body);
    let page = auditor.get("/journal/export?as=lines&kind=card-resume").await;
    let lines: Vec<JournalLine> = page.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() == 30 && lines.iter().all(|line| line.command == "card-resume"));
    let lines: Vec<JournalLine> = running.lines("GET", "/v1/journal?by=kim&limit=2", "").await;
    assert!(lines.len() == 2 && lines[0].seq < lines[1].seq, "the API gives the newest, oldest of them first");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_its_plots_say_what_was_kept() {
    let running = tapped().await;
    let mut auditor = running.auditor().await;
    let first = auditor.get("/log").await.body;
    assert_eq!(first.matches("<tr class=").count(), 50);
    assert!(first.contains("CARD120") && first.contains("came home"), "late ones say so: {first}");
    let next = between(&first, "rel=\"next\" href=\"", "\"").replace("&amp;", "&");
    let second = auditor.get(&next).await.body;
    assert!(second.contains(">CARD70<") && second.contains(">CARD21<") && !second.contains(">CARD71<"), "{next}");
    let denied = auditor.get("/log?decision=deny&building=eng-1").await.body;
    assert_eq!(denied.matches("<tr class=").count(), 20);
    assert!(denied.contains("no permission") && !denied.contains("sci-main"), "{denied}");
    assert_eq!(auditor.get("/log?reason=boredom").await.status, 400);
    assert_eq!(auditor.get("/log?decision=perhaps").await.status, 400);
    let page = auditor.get("/log/export?as=csv&decision=deny").await;
    assert_eq!(page.body.lines().count(), usize::try_from(REFUSED).unwrap() + 1);
    assert_eq!(auditor.get("/log/export?as=lines&person=230001").await.body.lines().count(), 120);

    let counts: LogCounts = running.get("/v1/log/counts").await;
    let sum = counts.hours.iter().fold((0, 0), |sum, hour| (sum.0 + hour.taps.granted, sum.1 + hour.taps.denied));
    assert_eq!((sum, counts.counted, counts.more), ((TAPS - REFUSED, REFUSED), TAPS, false));
    assert!((24..=25).contains(&counts.hours.len()) && counts.hours[0].at.text.contains(":00:00"), "{counts:?}");
    let plots = auditor.get("/plots").await.body;
    assert!(plots.contains("Taps: 120.") && plots.contains("Doors shown: 2 of 2."), "{plots}");
    let reasons = between(&plots, "id=\"by-reason\"", "</section>");
    assert!(reasons.contains("no permission") && reasons.contains(&format!("<td>{REFUSED}</td>")), "{reasons}");
    let svg = between(&plots, "<svg role=\"img\"", "</svg>");
    assert!(svg.contains("<title id=\"taps-title\">Taps per hour</title>") && svg.contains("<desc"), "{svg}");
    assert_eq!(running.refused("GET", "/v1/log/counts?since=2020-01-01T00:00:00Z", Value::Null).await.0, 400);

    let looks: Looks = running.get("/v1/looks?by=auditor").await;
    assert!(looks.looks.iter().any(|look| look.question == "log"), "whoever reads the log is noted: {looks:?}");
    let page = auditor.get("/looks?by=auditor").await.body;
    assert!(page.contains("the whole campus") && page.contains("building eng-1"), "{page}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instants_differ_by_what_was_done_between_them() {
    let running = running().await;
    let card = active_card();
    let before: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    let body = json!({ "scope": { "building": "sci" }, "reason": "drill" });
    running.post::<Value>("/v1/lockdown", body).await;
    running.post::<Value>(&format!("/v1/cards/{card}/suspend"), json!({ "reason": "lost" })).await;
    let from = before[0].seq;
    let found: Comparison = running.get(&format!("/v1/compare?from={from}")).await;
    let tables: Vec<(&str, usize, usize)> =
        found.tables.iter().map(|table| (table.table.as_str(), table.added, table.changed)).collect();
    assert_eq!(tables, [("cards", 0, 1), ("lockdowns", 1, 0)]);
    let field = &found.tables[0].rows[0].fields[0];
    assert_eq!((field.field.as_str(), field.before.as_str(), field.after.as_str()), ("state", "active", "suspended"));
    assert!(found.doors.iter().all(|door| door.gained.count == 0 && door.lost.count == 1), "{found:?}");
    assert!(!found.doors.is_empty());
    let none: Comparison = running.get(&format!("/v1/compare?from={from}&to={from}")).await;
    assert!(none.tables.is_empty() && none.doors.is_empty());
    let first: Comparison = running.get("/v1/compare?from=1&to=2&limit=5").await;
    let people = first.tables.iter().find(|table| table.table == "people").unwrap();
    assert!(people.added > 100 && people.rows.len() == 5, "the rest is counted: {}", people.added);
    assert!(first.doors.len() == 5 && first.doors_more > 0 && first.doors[0].gained.first.len() <= 5);
    for (path, status) in [("?from=99999", 404), ("?from=2020-01-01T00:00:00Z", 404), ("?from=2&to=1", 400), ("", 400)]
    {
        assert_eq!(running.refused("GET", &format!("/v1/compare{path}"), Value::Null).await.0, status, "{path}");
    }
    let times: RemovalTimes = running.get("/v1/removals").await;
    assert!(times.removals.is_empty(), "nobody has joined who could have it removed: {times:?}");

    let mut auditor = running.auditor().await;
    let page = auditor.get(&format!("/compare?from_entry={from}")).await.body;
    assert!(page.contains("active → <strong>suspended</strong>") && page.contains("building sci"), "{page}");
    assert!(page.contains("lost (1): "), "{page}");
    let page = auditor.get("/compare?from_entry=1&to_entry=2").await.body;
    assert!(page.contains("and ") && page.contains(" more") && page.len() < 100_000, "{} bytes", page.len());
    let page = auditor.get("/latency").await.body;
    assert!(page.contains("No removal yet."), "{page}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_invited_and_struck_off_by_those_who_may_and_its_secret_is_shown_once() {
    let running = running().await;
    let mut auditor = running.auditor().await;
    assert!(!auditor.get("/agents").await.body.contains("/agents/invite"), "what is refused is not offered");
    let head: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    for path in ["/agents/invite", "/agents/agent-sci/remove"] {
        assert_eq!(auditor.get(path).await.status, 403, "{path}");
        assert_eq!(auditor.send("/agents", path, "agent=agent-sci&minutes=5").await.status, 403, "{path}");
    }
    let mut admin = running.operator("admin", json!({ "role": "administrator", "campus": true })).await;
    let key = auditor.get("/agents").await.key();
    for path in ["/agents/invite", "/agents/agent-sci/remove"] {
        let page = admin.ask("POST", path, "", &format!("key={key}&agent=agent-sci&minutes=5")).await;
        assert_eq!(page.status, 403, "{path}: the key of somebody else's form");
    }
    let page = admin.send("/agents/invite", "/agents/invite", "agent=agent-sci&minutes=never").await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("value=\"agent-sci\""), "{}", page.body);
    let after: Vec<JournalLine> = running.lines("GET", &format!("/v1/journal?from={}", head[0].seq + 1), "").await;
    assert!(!after.iter().any(|line| line.command.starts_with("agent-")), "nothing was changed: {after:?}");

    let page = admin.send("/agents/invite", "/agents/invite", "agent=agent-sci&minutes=5").await;
    assert_eq!(page.status, 200);
    let secret = between(&page.body, "id=\"secret\">", "<");
    assert!(secret.len() > 40 && page.header("cache-control") == Some("no-store"), "{}", page.body);
    let page = admin.get("/agents").await;
    assert!(!page.body.contains(secret) && page.body.contains("invited"), "{}", page.body);
    assert!(!auditor.get("/journal").await.body.contains(secret));
    assert!(auditor.get("/journal").await.body.contains("Agent invited"));

    assert_eq!(admin.get("/agents/no-such-agent/remove").await.status, 404);
    let page = admin.send("/agents/agent-sci/remove", "/agents/agent-sci/remove", "").await;
    assert_eq!((page.status, page.header("location")), (303, Some("/agents")), "{}", page.body);
    assert!(admin.get("/agents").await.body.contains("struck off"));
    let line: Vec<JournalLine> = running.lines("GET", "/v1/journal?limit=1", "").await;
    assert_eq!((line[0].actor.as_str(), line[0].command.as_str()), ("admin", "agent-remove"));
    running.stop().await;
}
