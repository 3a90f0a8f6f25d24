//! The HTTP API of a whole server over real sockets: who may ask, what is answered, what is refused and why.

use crate::running::{Running, options, running};
use crate::support::{active_card, campus, campus_files, made};
use doorward_policy::command::Entry;
use doorward_policy::parts::ROWS_MAX;
use doorward_server::http::shapes::{
    Agents, Alarms, CardView, Change, Fault, ImportLine, Invitation, JournalLine, LogLine, ProgressLine, Status,
    Summary, WhereAnswer, WhoAnswer, WhyAnswer,
};
use doorward_server::journal;
use doorward_server::paths::Layout;
use doorward_server::serve::{ApiTls, RunFile, ServeError, ServeOptions, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_answered_without_the_token() {
    let running = running().await;
    let head = journal::open(&running.layout.journal()).unwrap().head().unwrap();
    let wrong = "0".repeat(64);
    let short = running.token[..63].to_owned();
    for token in [None, Some(""), Some(wrong.as_str()), Some(short.as_str())] {
        for (method, path) in [
            ("GET", "/v1/status"),
            ("GET", "/v1/openapi.json"),
            ("GET", "/v1/log"),
            ("POST", "/v1/lockdown"),
            ("POST", "/v1/import"),
            ("GET", "/v1/no-such-route"),
        ] {
            let (status, body) = running.ask(method, path, token, r#"{"scope":"campus","reason":"x"}"#).await;
            assert_eq!(status, 401, "{method} {path}");
            let fault: Fault = serde_json::from_slice(&body).unwrap();
            assert!(fault.hint.unwrap().contains("api-token"));
        }
    }
    assert_eq!(journal::open(&running.layout.journal()).unwrap().head().unwrap(), head);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_route() {
    let running = running().await;
    let description: Value = running.get("/v1/openapi.json").await;
    let text = format!("{}\n", serde_json::to_string_pretty(&description).unwrap());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("DOORWARD_WRITE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let known = std::fs::read_to_string(&golden).unwrap();
    let differs = text.lines().zip(known.lines()).find(|(new, old)| new != old);
    assert!(
        text == known,
        "the API is another one than openapi.json says, first {differs:?}; if that is meant, write it anew with \
         DOORWARD_WRITE_GOLDEN=1 cargo test -p doorward-server the_description"
    );
    assert!(description["components"]["schemas"].as_object().unwrap().contains_key("Change"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_by_somebody_and_can_be_read_in_the_journal() {
    let running = running().await;
    let card = active_card();
    let status: Status = running.get("/v1/status").await;
    assert_eq!((status.campus.id.as_str(), status.position.seq), ("jnu", 2));
    let change: Change = running.post(&format!("/v1/cards/{card}/suspend"), json!({ "reason": "lost" })).await;
    assert_eq!((change.seq, change.command.as_str()), (3, "card-suspend"));
    let view: CardView = running.get(&format!("/v1/cards/{card}")).await;
    assert_eq!(view.state, "suspended");
    let journal: Vec<JournalLine> = running.lines("GET", "/v1/journal?from=3", "").await;
    assert_eq!(journal[0].actor, "owner/kim");
    assert_eq!(journal[0].summary, format!("suspended card {card}: lost"));
    let all: Vec<JournalLine> = running.lines("GET", "/v1/journal", "").await;
    assert_eq!(all.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(!serde_json::to_string(&all).unwrap().contains("reader_key"), "no secret leaves the journal");
    let progress: Vec<ProgressLine> = running.lines("GET", "/v1/changes/3/progress?wait_ms=50", "").await;
    let Some(ProgressLine::Summary(Summary { complete: true, agents_total: 0, .. })) = progress.last() else {
        panic!("nobody has joined, so nobody has to confirm: {progress:?}")
    };
    let again = running.refused("POST", &format!("/v1/cards/{card}/suspend"), json!({ "reason": "lost" })).await;
    assert_eq!(again.0, 409);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_answered_with_what_would_be_right_and_changes_nothing() {
    let running = running().await;
    let cases = [
        ("GET", "/v1/cards/nobody", json!(null), 404, "card `nobody` is not known"),
        ("GET", "/v1/cards/a%20b", json!(null), 400, "an id is made of"),
        ("POST", "/v1/cards/nobody/suspend", json!({ "reason": "lost" }), 404, "is not known"),
        ("POST", "/v1/lockdown", json!({ "scope": "campus" }), 422, "missing field `reason`"),
        ("POST", "/v1/lockdown", json!({ "scope": "campus", "reason": "x", "urgent": true }), 422, "unknown field"),
        ("POST", "/v1/lockdown", json!("x".repeat(70_000)), 413, "length limit exceeded"),
        ("DELETE", "/v1/status", json!(null), 405, "does not take that method"),
        ("GET", "/v1/changes/x/progress", json!(null), 400, "Cannot parse"),
        ("GET", "/v1/log?limit=many", json!(null), 400, "invalid digit"),
        ("POST", "/v1/lockdown", json!({ "scope": { "door": "nowhere" }, "reason": "x" }), 404, "door `nowhere`"),
        ("POST", "/v1/lockdown", json!({ "scope": "campus", "reason": " " }), 409, "the reason is empty"),
        ("POST", "/v1/release", json!({ "scope": "campus", "reason": "x" }), 409, "no lockdown of the campus"),
        ("POST", "/v1/agents", json!({ "id": "nobody" }), 404, "agent `nobody` is not known"),
        ("POST", "/v1/agents", json!({ "id": "agent-eng", "valid_minutes": 0 }), 400, "1 to 44640 minutes"),
        ("GET", "/v1/who", json!(null), 400, "?door=ID"),
        ("GET", "/v1/why?door=x&card=y&at=yesterday", json!(null), 400, "RFC 3339"),
        ("GET", "/v1/log?reason=granded", json!(null), 400, "did you mean `granted`?"),
        ("GET", "/v1/changes/99/progress", json!(null), 404, "no entry 99"),
        ("GET", "/v1/changes/2/evidence", json!(null), 404, "no change whose progress is known"),
        ("POST", "/v1/alarms/7/acknowledge", json!(null), 404, "no alarm 7"),
        ("GET", "/v1/no-such-route", json!(null), 404, "no such route"),
    ];
    for (method, path, body, status, words) in cases {
        let (found, fault) = running.refused(method, path, body).await;
        assert_eq!(found, status, "{path}: {fault:?}");
        assert!(fault.error.contains(words), "{path}: {fault:?}");
    }
    assert_eq!(journal::open(&running.layout.journal()).unwrap().head().unwrap(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_the_past_are_answered_from_the_past() {
    let running = running().await;
    let status: Status = running.get("/v1/status").await;
    let card = active_card();
    let all: WhereAnswer = running.get(&format!("/v1/where?card={card}")).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let _: Change = running.post(&format!("/v1/cards/{card}/suspend"), json!({ "reason": "lost" })).await;
    let none: WhereAnswer = running.get(&format!("/v1/where?card={card}")).await;
    assert!(!all.answer.iter().any(|opening| none.answer.contains(opening) && opening.reason.as_str() == "granted"));
    let at = status.now.text.replace('+', "%2B");
    let door = campus().tables.doors.keys().next().unwrap().to_string();
    let then: WhyAnswer = running.get(&format!("/v1/why?card={card}&door={door}&at={at}")).await;
    let now: WhyAnswer = running.get(&format!("/v1/why?card={card}&door={door}")).await;
    assert_eq!((then.as_of_seq, now.as_of_seq), (2, 3));
    let who: WhoAnswer = running.get(&format!("/v1/who?door={door}")).await;
    assert!(who.answer.openings.iter().all(|opening| opening.card.as_str() != card));
    let (code, _) = running.refused("GET", &format!("/v1/who?door={door}&at=2001-01-01T00:00:00Z"), json!(null)).await;
    assert_eq!(code, 404);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_its_plan_and_a_dry_run_shows_the_same_one() {
    let running = running().await;
    let mut files = campus_files();
    let people = files.0.get_mut("cards.csv").unwrap();
    let text = String::from_utf8(std::mem::take(people)).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let gone = lines.pop().unwrap();
    *people = format!("{}\n", lines.join("\n")).into_bytes();
    let body = Running::import_body(&files).to_string();
    let plan_of = |lines: &[ImportLine]| {
        lines.iter().find_map(|line| match line {
            ImportLine::Plan(plan) => Some(plan.clone()),
            ImportLine::Progress(_) | ImportLine::Result(_) | ImportLine::Fault(_) => None,
        })
    };
    let dry: Vec<ImportLine> = running.lines("POST", "/v1/import?dry_run=true", &body).await;
    let Some(ImportLine::Result(result)) = dry.last() else { panic!("{dry:?}") };
    assert!(result.dry_run && result.changed && result.seq.is_none());
    let real: Vec<ImportLine> = running.lines("POST", "/v1/import", &body).await;
    let Some(ImportLine::Result(result)) = real.last() else { panic!("{real:?}") };
    assert_eq!(result.seq, Some(3));
    assert_eq!(plan_of(&dry), plan_of(&real));
    assert_eq!(plan_of(&real).unwrap().tables["cards"].lost, 1, "{gone}");
    let again: Vec<ImportLine> = running.lines("POST", "/v1/import", &body).await;
    assert!(matches!(again.last(), Some(ImportLine::Result(result)) if !result.changed && result.seq.is_none()));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_does_not_wait_for_the_end_of_a_large_import() {
    let running = running().await;
    let mut files = campus_files();
    let people = files.0.get_mut("people.csv").unwrap();
    let text = String::from_utf8(std::mem::take(people)).unwrap();
    let (head, first) = text.split_once('\n').map(|(head, rows)| (head, rows.lines().next().unwrap())).unwrap();
    assert!(head.starts_with("person_id,"));
    let (id, rest) = first.split_once(',').unwrap();
    let newcomers: String = (0..14_000).map(|number| format!("{id}-{number},{rest}\n")).collect();
    *people = format!("{text}{newcomers}").into_bytes();
    let body = Running::import_body(&files).to_string();
    let journal = journal::open(&running.layout.journal()).unwrap();
    let card = active_card();
    let suspended = async {
        let begun = Instant::now();
        while journal.head().unwrap() < 3 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no part of it is there");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        running.post::<Change>(&format!("/v1/cards/{card}/suspend"), json!({ "reason": "lost" })).await.seq
    };
    let (lines, suspended) = tokio::join!(running.lines::<ImportLine>("POST", "/v1/import", &body), suspended);
    let Some(ImportLine::Result(result)) = lines.last() else { panic!("{:?}", lines.last()) };
    assert!(suspended < result.seq.unwrap(), "{suspended} {result:?}");
    let mut names = Vec::new();
    let note = &mut |entry: Entry| {
        names.push(entry.command.name());
        ControlFlow::Continue(())
    };
    journal.read_from(3, note).unwrap();
    names.sort_unstable();
    assert_eq!(names[..2], ["card-suspend", "import"]);
    assert_eq!(names.len(), 1 + 14_000_usize.div_ceil(ROWS_MAX), "{names:?}");
    let again: Vec<ImportLine> = running.lines("POST", "/v1/import", &body).await;
    assert!(matches!(again.last(), Some(ImportLine::Result(result)) if !result.changed));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_takes_too_much_or_is_wrong_changes_nothing() {
    let running = running().await;
    let mut files = campus_files();
    let cards = String::from_utf8(files.0["cards.csv"].clone()).unwrap();
    let fewer: Vec<&str> = cards.lines().take(100).collect();
    files.0.insert("cards.csv".into(), format!("{}\n", fewer.join("\n")).into_bytes());
    let body = Running::import_body(&files).to_string();
    let refused: Vec<ImportLine> = running.lines("POST", "/v1/import", &body).await;
    let Some(ImportLine::Fault(fault)) = refused.last() else { panic!("{refused:?}") };
    assert!(fault.hint.as_deref().unwrap().contains("--allow-removals"));
    files.0.insert("doors.csv".into(), b"door_id,building_id,name,function\nd,nowhere,D,x\n".to_vec());
    let body = Running::import_body(&files).to_string();
    let wrong: Vec<ImportLine> = running.lines("POST", "/v1/import", &body).await;
    let Some(ImportLine::Fault(fault)) = wrong.last() else { panic!("{wrong:?}") };
    assert!(fault.problems.iter().any(|problem| problem.file == "doors.csv" && problem.line == 2), "{fault:?}");
    assert_eq!(journal::open(&running.layout.journal()).unwrap().head().unwrap(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_for_a_known_agent_and_shown_once() {
    let running = running().await;
    let agents: Agents = running.get("/v1/agents").await;
    let agent = &agents.agents[0];
    assert_eq!((agent.state.as_str(), agent.connected), ("expected", false));
    let invitation: Invitation = running.post("/v1/agents", json!({ "id": agent.id, "valid_minutes": 5 })).await;
    let token = doorward_protocol::enrol::JoinToken::parse(&invitation.token).unwrap();
    assert_eq!(token.agent.as_str(), agent.id);
    let run_file: RunFile = serde_json::from_slice(&std::fs::read(running.layout.run_file()).unwrap()).unwrap();
    assert_eq!(token.addresses, [run_file.quic]);
    let agents: Agents = running.get("/v1/agents").await;
    assert_eq!(agents.agents.iter().find(|known| known.id == agent.id).unwrap().state, "invited");
    let journal: Vec<JournalLine> = running.lines("GET", "/v1/journal?from=3", "").await;
    assert!(!serde_json::to_string(&journal).unwrap().contains(&hex::encode(token.secret)));
    let removed: Change = {
        let (status, body) = running.ask("DELETE", &format!("/v1/agents/{}", agent.id), Some(&running.token), "").await;
        assert_eq!(status, 200);
        serde_json::from_slice(&body).unwrap()
    };
    assert_eq!(removed.command, "agent-remove");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_listed_until_somebody_has_looked_and_the_log_is_empty_at_first() {
    let running = running().await;
    let log: Vec<LogLine> = running.lines("GET", "/v1/log?limit=5", "").await;
    assert!(log.is_empty());
    let alarms: Alarms = running.get("/v1/alarms?open=true").await;
    assert!(alarms.alarms.is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_not_opened_to_a_network_in_the_clear() {
    let (_directory, layout) = made();
    let open = ServeOptions { api: "0.0.0.0:0".parse().unwrap(), ..options(&layout) };
    let refused = Server::start(open.clone()).await.err().unwrap();
    assert!(matches!(refused, ServeError::InTheClear(_)), "{refused}");
    let everywhere = ServeOptions { quic: "0.0.0.0:0".parse().unwrap(), ..options(&layout) };
    let refused = Server::start(everywhere).await.err().unwrap();
    assert!(refused.to_string().contains("--advertise"), "{refused}");
    let behind_tls = Server::start(ServeOptions { api_tls: ApiTls::Own, ..options(&layout) }).await.unwrap();
    assert!(behind_tls.run_file().api.starts_with("https://"));
    behind_tls.run_until(async {}).await.unwrap();
}

/// What a server answers to a question for a page over TLS, by whoever trusts its certificates.
async fn page_over_tls(layout: &Layout, address: &str, path: &str) -> String {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(layout.certificate_authority()).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(address.split(':').next().unwrap().to_owned()).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_browser_is_told_to_stay_there_and_its_cookies_are_bound_to_it() {
    let (_directory, layout) = made();
    let server = Server::start(ServeOptions { api_tls: ApiTls::Own, ..options(&layout) }).await.unwrap();
    let address = server.run_file().api.strip_prefix("https://").unwrap().to_owned();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
    let answer = page_over_tls(&layout, &address, "/sign-in").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.starts_with("__Host-doorward-guest="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    drop(stop);
    server.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let (_directory, layout) = made();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = taken.local_addr().unwrap();
    let refused = Server::start(ServeOptions { api, ..options(&layout) }).await.err().unwrap();
    assert_eq!(
        refused.to_string(),
        format!("TCP {api} is in use by another program; stop it, or choose another address with --api")
    );
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let quic = taken.local_addr().unwrap();
    let refused = Server::start(ServeOptions { quic, ..options(&layout) }).await.err().unwrap();
    assert!(refused.to_string().starts_with(&format!("UDP {quic} is in use")), "{refused}");
    assert!(!layout.run_file().exists());
}
