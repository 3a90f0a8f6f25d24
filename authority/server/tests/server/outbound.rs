//! Other systems that are told: real receivers on loopback, one of which fails for a while, and a restart in between.

use crate::agent::started;
use crate::running::{Running, running, serving};
use crate::support::{active_card, made};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_protocol::id::AgentId;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::sign::PublicKey;
use doorward_server::authority::Authority;
use doorward_server::http::shapes::Status;
use doorward_server::outbound::{Outbound, begin, read, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const SECRET: [u8; 24] = *b"a secret of 24 bytes ...";

/// One request that a webhook received.
#[derive(Debug, Clone)]
struct Received {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Received {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn event(&self) -> (String, String) {
        let body = self.json();
        (body["type"].as_str().unwrap().to_owned(), body["subject"].as_str().unwrap().to_owned())
    }

    /// The signature made by the definition of HMAC (RFC 2104), with nothing but the hash.
    fn is_signed(&self) -> bool {
        let signed = format!("{}.{}.{}", self.headers["webhook-id"], self.headers["webhook-timestamp"], self.body);
        let pad = |with: u8| -> Vec<u8> { (0..64).map(|n| SECRET.get(n).copied().unwrap_or(0) ^ with).collect() };
        let inner = digest(&SHA256, &[pad(0x36), signed.into_bytes()].concat());
        let outer = digest(&SHA256, &[pad(0x5c), inner.as_ref().to_vec()].concat());
        self.headers["webhook-signature"] == format!("v1,{}", STANDARD.encode(outer.as_ref()))
    }
}

/// A receiver of webhooks that answers with the status of the moment.
struct Webhook {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Webhook {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (status, received) = (Arc::new(AtomicU16::new(204)), Arc::new(Mutex::new(Vec::new())));
        let (answers, keeps) = (Arc::clone(&status), Arc::clone(&received));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let status = answers.load(Ordering::SeqCst);
                if let Some(request) = read_request(stream, status)
                    && status < 300
                {
                    keeps.lock().unwrap().push(request);
                }
            }
        });
        Self { address, status, received }
    }

    fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    async fn wait_for(&self, count: usize) -> Vec<Received> {
        let begun = Instant::now();
        loop {
            let all = self.all();
            if all.len() >= count {
                return all;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{count} events: {all:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn read_request(stream: TcpStream, status: u16) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let answer = format!("HTTP/1.1 {status} Some\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).ok()?;
    Some(Received { headers, body: String::from_utf8(body).ok()? })
}

/// A server that tells these receivers.
async fn telling(receivers: &str) -> Running {
    use std::os::unix::fs::PermissionsExt;
    let (directory, layout) = made();
    std::fs::write(layout.receivers(), receivers).unwrap();
    let secret = layout.directory().join("ledger.secret");
    std::fs::write(&secret, format!("whsec_{}\n", STANDARD.encode(SECRET))).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    serving(directory, layout).await
}

fn ledger(webhook: &Webhook, more: &str) -> String {
    let address = webhook.address;
    format!(
        "[[webhook]]\nname = \"ledger\"\nurl = \"http://{address}/doorward\"\nsecret_file = \"ledger.secret\"\n{more}"
    )
}

impl Running {
    async fn order(&self, path: &str, reason: &str) {
        let _change: Value = self.post(path, json!({ "reason": reason })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_reach_a_webhook_signed_and_in_order_over_failures_and_a_restart_and_none_twice() {
    let webhook = Webhook::start();
    let running = telling(&ledger(&webhook, "")).await;
    let card = active_card();
    let (suspend, resume) = (format!("/v1/cards/{card}/suspend"), format!("/v1/cards/{card}/resume"));
    running.order(&suspend, "lost").await;
    webhook.wait_for(1).await;
    webhook.status.store(500, Ordering::SeqCst);
    running.order(&resume, "found").await;
    running.order(&suspend, "lost again").await;
    let begun = Instant::now();
    let failing = loop {
        let status: Status = running.get("/v1/status").await;
        let receiver = status.receivers.first().unwrap().clone();
        if receiver.failing_since.is_some() && receiver.waiting == 2 {
            break receiver;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{receiver:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((failing.name.as_str(), failing.error.as_deref()), ("ledger", Some("it answered 500")));
    let running = running.restart().await;
    running.order(&resume, "found again").await;
    webhook.status.store(200, Ordering::SeqCst);
    let all = webhook.wait_for(4).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(webhook.all().len(), 4, "none is lost, and none that was taken comes again");
    let subject = format!("card {card}");
    let event = |kind: &str| (kind.to_owned(), subject.clone());
    let expected = [event("card.suspended"), event("card.resumed"), event("card.suspended"), event("card.resumed")];
    assert_eq!(all.iter().map(Received::event).collect::<Vec<_>>(), expected);
    let reasons: Vec<_> = all.iter().map(|one| one.json()["data"]["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["lost", "found", "lost again", "found again"]);
    assert!(all.iter().all(Received::is_signed), "{all:?}");
    let ids: Vec<_> = all.iter().map(|one| one.headers["webhook-id"].as_str()).collect();
    assert_eq!(ids, ["evt_1", "evt_2", "evt_3", "evt_4"]);
    let status: Status = running.get("/v1/status").await;
    assert!(status.receivers[0].failing_since.is_none() && status.receivers[0].waiting == 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_hears_which_card_takes_the_place_of_which_and_of_nothing_that_it_did_not_ask_for() {
    let webhook = Webhook::start();
    let running = telling(&ledger(&webhook, "events = [\"card.replaced\", \"card.activated\"]\n")).await;
    let card = active_card();
    let shown: Value = running.get(&format!("/v1/cards/{card}")).await;
    let order = json!({
        "card": "NEWCARD", "person": shown["person"]["id"], "card_type": shown["card_type"], "cause": "lost", "replaces": card,
    });
    let (status, body) = running.ask("POST", "/v1/cards", Some(&running.token), &order.to_string()).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let _change: Value = running.post("/v1/cards/NEWCARD/activate", json!({})).await;
    let all = webhook.wait_for(2).await;
    let [replaced, activated] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(replaced.event(), ("card.replaced".to_owned(), format!("card {card}")));
    let data = &replaced.json()["data"];
    assert_eq!(
        (&data["card"], &data["in_place_of"], &data["cause"]),
        (&json!("NEWCARD"), &json!(card), &json!("lost"))
    );
    assert_eq!(activated.json()["data"]["in_place_of"], json!(card));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_has_each_event_over_udp_and_with_its_length_over_tcp() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let receivers = format!(
        "[[syslog]]\nname = \"siem\"\naddress = \"udp://{}\"\n[[syslog]]\nname = \"archive\"\naddress = \"tcp://{}\"\n",
        udp.local_addr().unwrap(),
        tcp.local_addr().unwrap()
    );
    let running = telling(&receivers).await;
    let card = active_card();
    running.order(&format!("/v1/cards/{card}/suspend"), "lost \"at\" [home]").await;
    let (message, framed) = tokio::task::spawn_blocking(move || {
        let mut buffer = [0; 4_096];
        let length = udp.recv(&mut buffer).unwrap();
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        let (mut stream, _) = tcp.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut framed = Vec::new();
        while framed.len() < length {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0);
            framed.extend_from_slice(&buffer[..read]);
        }
        (message, String::from_utf8(framed).unwrap())
    })
    .await
    .unwrap();
    assert!(message.starts_with("<85>1 20"), "{message}");
    let expected = format!(" - doorward - card.suspended [doorward@32473 id=\"1\" subject=\"card {card}\" ");
    assert!(message.contains(&expected), "{message}");
    assert!(message.contains(r#"reason="lost \"at\" [home\]""#), "{message}");
    assert_eq!(framed, format!("{} {message}", message.len()));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_are_wrong_stop_a_start_and_say_what_is_wrong() {
    let (_directory, layout) = made();
    let wrong = |text: &str| {
        std::fs::write(layout.receivers(), text).unwrap();
        read(&layout).unwrap_err().to_string()
    };
    let webhook = |url: &str| format!("[[webhook]]\nname = \"l\"\nurl = \"{url}\"\nsecret_file = \"s\"\n");
    assert!(wrong(&webhook("http://ledger.example")).contains("begins with https://"));
    assert!(wrong(&webhook("http://127.0.0.1:1/")).contains("/s: "), "the secret is not there");
    std::fs::write(layout.directory().join("s"), "whsec_AAAA").unwrap();
    assert!(wrong(&webhook("http://127.0.0.1:1/")).contains("chmod 600"));
    assert!(wrong("[[syslog]]\nname = \"s\"\naddress = \"10.0.0.1\"\n").contains("udp://IP:PORT"));
    let events = "[[syslog]]\nname = \"s\"\naddress = \"udp://127.0.0.1:1\"\nevents = [\"card.suspendd\"]\n";
    assert!(wrong(events).contains("did you mean `card.suspended`"));
    let twice = "[[syslog]]\nname = \"s\"\naddress = \"udp://127.0.0.1:1\"\n".repeat(2);
    assert!(wrong(&twice).contains("a name of its own"));
    assert!(wrong("[[syslog]]\nnam = \"s\"\n").contains("nam"));
    std::fs::remove_file(layout.receivers()).unwrap();
    assert!(read(&layout).unwrap().is_empty());
    let running = running().await;
    let status: Status = running.get("/v1/status").await;
    assert!(status.receivers.is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_silent_is_told_of_and_that_it_is_back_also_after_a_restart() {
    let udp = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (_directory, layout) = made();
    let receivers = format!("[[syslog]]\nname = \"siem\"\naddress = \"udp://{}\"\n", udp.local_addr().unwrap());
    std::fs::write(layout.receivers(), receivers).unwrap();
    let next = async || {
        let mut buffer = [0; 4_096];
        let received = tokio::time::timeout(Duration::from_secs(20), udp.recv(&mut buffer)).await;
        String::from_utf8_lossy(&buffer[..received.unwrap().unwrap()]).into_owned()
    };
    let tell = async |authority: &Arc<Authority>| {
        let outbound = Arc::new(Outbound::new(read(&authority.layout).unwrap()));
        begin(authority, &outbound).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let telling = tokio::spawn(run(Arc::clone(authority), outbound, stopped));
        (stop, telling)
    };
    let running = started(&layout);
    let agent: AgentId = "agent-eng".parse().unwrap();
    let (stopping, telling) = tell(&running.authority).await;
    running.authority.raise(AlarmKind::Silent, Some(agent.clone()), "agent agent-eng is silent");
    let message = next().await;
    assert!(message.contains(" agent.silent [doorward@32473 id=\"1\" subject=\"agent agent-eng\" "), "{message}");
    stopping.send(true).unwrap();
    telling.await.unwrap();
    crate::agent::stop(running);
    let running = started(&layout);
    let (stopping, telling) = tell(&running.authority).await;
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let connection = running.authority.hub.enter(agent, PublicKey([1; 32]), address, crate::agent::now());
    let message = next().await;
    assert!(message.contains(" agent.back [doorward@32473 id=\"2\" subject=\"agent agent-eng\" "), "{message}");
    drop(connection);
    stopping.send(true).unwrap();
    telling.await.unwrap();
    crate::agent::stop(running);
}
