//! The console on a campus of a hundred thousand: how long a search takes in the whole server, and how soon a page is painted.

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::path::Path;
use tests::authority::Authority;
use tests::bench::campus::Recipe;
use tests::bench::measure::{ms, percentile, time};
use tests::bench::report::{Report, Row, Target};
use tests::browser::Browser;
use tests::http::ask;
use tests::random::Random;
use tests::wait::{SOON, until};

const RECIPE: Recipe = Recipe { seed: 11, people: 100_000, doors: 2_000, agents: 20, cards_percent: 130 };
const RUNS: usize = 5;
/// Searches in a run.
const SEARCHES: usize = 200;
const PASSWORD: &str = "seven quiet herons";
/// As many as the page shows, and whether there are more.
const LIMIT: u32 = 51;

/// Runs the benchmark.
pub fn run() -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let campus = folder.path().join("campus");
    RECIPE.write(&campus)?;
    let mut authority = Authority::init(&folder.path().join("authority"), &campus)?;
    authority.start()?;
    let session = sign_in(&authority)?;
    let peer = peer()?;
    let mut found = Found::default();
    let mut random = Random::new(RECIPE.seed);
    for _ in 0..RUNS {
        let texts: Vec<String> = (0..SEARCHES).map(|_| text(&mut random)).collect();
        found.search(&authority, &session, &texts)?;
        found.peer.push(by_like(&peer, &texts)?);
    }
    let mut rows = found.rows();
    rows.extend(painted(folder.path(), &authority)?);
    authority.stop()?;
    Report::new("console", &RECIPE.describe(), rows)
}

/// What people type: part of a name, of a number or of a card, or something that nobody has.
fn text(random: &mut Random) -> String {
    let number = random.below(RECIPE.people);
    match random.below(4) {
        0 => RECIPE.person(number),
        1 => RECIPE.card(number),
        2 => RECIPE.person(number).chars().skip(2).collect(),
        _ => format!("nobody {number}"),
    }
}

#[derive(Default)]
struct Found {
    all: Vec<Vec<f64>>,
    bytes_max: usize,
    peer: Vec<Vec<f64>>,
}

impl Found {
    fn search(&mut self, authority: &Authority, session: &str, texts: &[String]) -> Result<()> {
        let cookie = [format!("Cookie: doorward-session={session}")];
        let mut took = Vec::new();
        for text in texts {
            let path = format!("/?find={}", text.replace(' ', "+"));
            let (duration, reply) = time(|| ask(authority.api, "GET", &path, &cookie, ""));
            let reply = reply?;
            // A single one is gone to at once.
            if reply.status != 200 && reply.status != 303 {
                bail!("{path}: {}", reply.head);
            }
            self.bytes_max = self.bytes_max.max(reply.body.len());
            took.push(ms(duration));
        }
        self.all.push(took);
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        let at = |runs: &[Vec<f64>], percent| runs.iter().map(|run| percentile(run, percent)).collect::<Vec<f64>>();
        let note = format!(
            "from the request to the last byte of the page over a connection of its own, session, look and template included; \
             the largest page had {} bytes",
            self.bytes_max
        );
        vec![
            Row::new("search over 100,000 people and 130,000 cards, p99", "ms", &at(&self.all, 99.0))
                .target(Target::AtMost(50.0))
                .beside("SQLite LIKE, in memory, prepared", &at(&self.peer, 99.0))
                .note(note),
            Row::new("the same, p50", "ms", &at(&self.all, 50.0))
                .beside("SQLite LIKE, in memory, prepared", &at(&self.peer, 50.0)),
        ]
    }
}

/// An operator's session.
fn sign_in(authority: &Authority) -> Result<String> {
    authority.say("operator add guard --name Guard --role security-office --campus")?.ok()?;
    let invitation = authority.json("operator invite guard")?;
    let post = |path: &str, body: &Value| -> Result<Value> {
        let json = ["Content-Type: application/json".to_owned()];
        let reply = ask(authority.api, "POST", path, &json, &body.to_string())?;
        if reply.status != 200 {
            bail!("{path}: {} {}", reply.status, reply.body);
        }
        Ok(serde_json::from_str(&reply.body)?)
    };
    let secret = invitation.get("secret").cloned().context("no secret in the invitation")?;
    post("/v1/setup", &json!({ "operator": "guard", "secret": secret, "password": PASSWORD }))?;
    let given = post("/v1/session", &json!({ "operator": "guard", "password": PASSWORD }))?;
    Ok(given.get("token").and_then(Value::as_str).context("no token in the session")?.to_owned())
}

/// The same people and cards in SQLite.
fn peer() -> Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;
         CREATE TABLE card (id TEXT PRIMARY KEY, number TEXT, person TEXT) WITHOUT ROWID; BEGIN;",
    )?;
    let campus = RECIPE.campus()?;
    let (mut person, mut card) = (
        connection.prepare("INSERT INTO person VALUES (?1, ?2)")?,
        connection.prepare("INSERT INTO card VALUES (?1, ?2, ?3)")?,
    );
    for (id, known) in &campus.tables.people {
        person.execute(params![id.as_str(), known.name])?;
    }
    for (id, known) in &campus.tables.cards {
        card.execute(params![id.as_str(), known.number, known.person.as_str()])?;
    }
    drop((person, card));
    connection.execute_batch("COMMIT")?;
    Ok(connection)
}

fn by_like(peer: &Connection, texts: &[String]) -> Result<Vec<f64>> {
    let mut query = peer.prepare(
        "SELECT id, name FROM person WHERE id LIKE ?1 OR name LIKE ?1
         UNION SELECT p.id, p.name FROM card c JOIN person p ON p.id = c.person WHERE c.id LIKE ?1 OR c.number LIKE ?1
         LIMIT ?2",
    )?;
    let mut took = Vec::new();
    for text in texts {
        let (duration, read) = time(|| -> rusqlite::Result<usize> {
            Ok(query.query_map(params![format!("%{text}%"), LIMIT], |row| row.get::<_, String>(1))?.count())
        });
        read?;
        took.push(ms(duration));
    }
    Ok(took)
}

/// How soon a browser shows something of each page; nothing on a machine without one.
fn painted(folder: &Path, authority: &Authority) -> Result<Vec<Row>> {
    let Some(browser) = Browser::start(folder)? else { return Ok(Vec::new()) };
    let site = format!("http://{}", authority.api);
    browser.go(&format!("{site}/sign-in"))?;
    browser.type_into("#operator", "guard")?;
    browser.type_into("#password", &format!("{PASSWORD}\u{e007}"))?;
    browser.wait_for("form.who")?;
    let (person, card, door) = (RECIPE.person(1), RECIPE.card(1), RECIPE.door(1));
    let pages = [
        ("a search", "/?find=9999".to_owned()),
        ("a person", format!("/people/{person}")),
        ("a card", format!("/cards/{card}")),
        ("who opens a door", format!("/doors/{door}")),
        ("the taps", "/taps".to_owned()),
    ];
    let mut rows = Vec::new();
    for (name, path) in pages {
        let mut runs = Vec::new();
        for _ in 0..=RUNS {
            browser.go(&format!("{site}{path}"))?;
            let paint = "const paint = performance.getEntriesByName('first-contentful-paint')[0];\
                         return paint ? paint.startTime : null;";
            // A page has loaded before it is painted.
            runs.push(until("the page is painted", SOON, || browser.run(paint).ok()?.as_f64())?);
        }
        // The first one brings style sheet and script along.
        let runs = runs.get(1..).unwrap_or_default();
        let floor = "return performance.getEntriesByType('navigation')[0].responseEnd;";
        let arrived = browser.run(floor)?.as_f64().unwrap_or_default();
        let note = format!("the page itself had arrived after {arrived:.0} ms");
        rows.push(Row::new(format!("first paint of {name}"), "ms", runs).target(Target::AtMost(100.0)).note(note));
    }
    Ok(rows)
}
