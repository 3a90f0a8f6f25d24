//! Access records that come home: 200 agents with a backlog each, at once, and what a revocation feels of it.
//!
//! The agents are the production machines over real QUIC, in one program; the authority is a real process, and so is the
//! one agent at which revocations are measured. Beside it the same rows go into the same SQLite with nothing around it.

use crate::flood::{Homecomer, prepare};
use anyhow::{Context, Result, ensure};
use doorward_agent::identity::Identity;
use doorward_agent::store::open::{Beginning, open};
use doorward_protocol::facts::Fact;
use doorward_protocol::id::{Incarnation, ReaderKey};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::authority::Authority;
use tests::bench::campus::Recipe;
use tests::bench::measure::{RUNS, count, length, ms, percentile};
use tests::bench::report::{Report, Row, Target};
use tests::bench::system::usage;
use tests::http;
use tests::json::at;
use tests::wait::until_true;
use tests::world::World;

/// The campus: 200 agents that come home, and one at which revocations are measured.
pub const RECIPE: Recipe = Recipe { seed: 5, people: 20_000, doors: 2_010, agents: 201, cards_percent: 100 };

/// Agents that come home.
const AGENTS: u64 = 200;

/// How many records each of them has: in each of the runs, and once as the target says it.
const BACKLOG: usize = 2_000;
const FULL_BACKLOG: usize = 10_000;

/// Rows of one transaction of the floor: as many as one frame brings.
const ROWS_AT_ONCE: usize = 2_048;

/// Pause between revocations.
const PAUSE: Duration = Duration::from_millis(50);

/// Revocations that are measured while nothing else happens.
const IDLE_REVOCATIONS: usize = 40;

/// How long a storm may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// See the module.
pub fn run() -> Result<Report> {
    let folder = tempfile::tempdir()?;
    RECIPE.write(folder.path())?;
    let mut world = World::start(folder.path(), &[])?;
    let watcher = RECIPE.agent(0);
    world.enrol(&watcher)?.start()?;
    world.wait_until_agent_exact(&watcher)?;
    let reader_key = reader_key(&mut world, &watcher)?;
    let identities = (1..=AGENTS).map(|number| join(&world, number)).collect::<Result<Vec<_>>>()?;
    let (mut found, mut full) = (Found::default(), Found::default());
    let mut revoked = 0;
    for run in 0..=RUNS {
        renew_log(&mut world, &watcher)?;
        let (found, backlog) = if run < RUNS { (&mut found, BACKLOG) } else { (&mut full, FULL_BACKLOG) };
        let homecomers = prepare(&identities, &reader_key, backlog, u64::try_from(run)?)?;
        let cpu = usage(world.authority.process()?.id())?.cpu;
        let taken = storm(&mut world, homecomers, &mut revoked, found)?;
        let rows = count(AGENTS) * length(backlog);
        found.ours.push(rows / taken.as_secs_f64());
        let cpu = usage(world.authority.process()?.id())?.cpu.saturating_sub(cpu);
        found.cpu_us.push(cpu.as_secs_f64() * 1e6 / rows);
        world.agent_mut(&watcher)?.stop()?;
        world.authority.stop()?;
        found.bare.push(bare_rate(&world.authority.data.join("access.db"), &world.file("bare.db"))?);
    }
    world.stop()?;
    let rows = found.rows(BACKLOG).into_iter().chain(full.rows(FULL_BACKLOG)).collect();
    Report::new("records", &RECIPE.describe(), rows)
}

#[derive(Default)]
struct Found {
    ours: Vec<f64>,
    bare: Vec<f64>,
    cpu_us: Vec<f64>,
    idle: Vec<Vec<f64>>,
    during: Vec<Vec<f64>>,
}

impl Found {
    fn rows(&self, backlog: usize) -> Vec<Row> {
        let share: Vec<f64> = self.ours.iter().zip(&self.bare).map(|(ours, bare)| ours / bare).collect();
        let of = |runs: &[Vec<f64>], percent| -> Vec<f64> { runs.iter().map(|run| percentile(run, percent)).collect() };
        let [idle, during] = [of(&self.idle, 99.0), of(&self.during, 99.0)];
        let times: Vec<f64> = during.iter().zip(&idle).map(|(during, idle)| during / idle).collect();
        vec![
            Row::new(format!("backlogs of {backlog} come home, of what bare inserts reach"), "x", &share)
                .target(Target::AtLeast(0.6)),
            Row::new(format!("records of {AGENTS} agents, {backlog} each, that come home"), "1/s", &self.ours)
                .beside("the same rows, bare prepared inserts", &self.bare),
            Row::new("processor time of the authority for a record", "us", &self.cpu_us),
            Row::new("a revocation meanwhile, p99 in those of an idle authority", "x", &times)
                .target(Target::AtMost(3.0)),
            Row::new("a revocation meanwhile, command to known as durable, p50", "ms", &of(&self.during, 50.0))
                .beside("idle", &of(&self.idle, 50.0)),
            Row::new("the same, p99", "ms", &during).beside("idle", &idle),
            Row::new("the same, slowest", "ms", &of(&self.during, 100.0)).beside("idle", &of(&self.idle, 100.0)),
        ]
    }
}

/// The secret under which cards are hashed, as the agent has it on its disk. It goes on running.
fn reader_key(world: &mut World, agent: &str) -> Result<ReaderKey> {
    let agent = world.agent_mut(agent)?;
    agent.stop()?;
    let identity = Identity::load(&agent.data)?;
    let (id, statements) = (&identity.agent, identity.statements.as_slice());
    let opened = open(&agent.data, &Beginning { agent: id, statements, incarnation: Incarnation([0; 16]) })?;
    let key =
        opened.stored.facts.iter().find_map(|fact| if let Fact::Reader(key) = fact { Some(key.clone()) } else { None });
    drop(opened);
    agent.start()?;
    key.context("the agent has no reader key")
}

fn join(world: &World, number: u64) -> Result<(Arc<Identity>, Vec<String>)> {
    let id = RECIPE.agent(number);
    let agent = Agent::at(world.path(), &world.authority, &id)?;
    agent.run(&["join", &world.authority.invite(&id)?])?.ok()?;
    let doors = (0..RECIPE.doors).filter(|door| door % RECIPE.agents == number).map(|door| RECIPE.door(door));
    let mut identity = Identity::load(&agent.data)?;
    identity.addresses = vec![world.authority.quic.to_string()];
    Ok((Arc::new(identity), doors.collect()))
}

/// Starts the authority with an empty access log, so that each run finds the same.
fn renew_log(world: &mut World, watcher: &str) -> Result<()> {
    world.agent_mut(watcher)?.stop()?;
    world.authority.stop()?;
    for entry in std::fs::read_dir(&world.authority.data)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("access.db")) {
            std::fs::remove_file(path)?;
        }
    }
    world.authority.start()?;
    world.agent_mut(watcher)?.start()?;
    world.wait_until_agent_exact(watcher)
}

/// Lets all of them come home at once: how long that takes.
fn storm(world: &mut World, homecomers: Vec<Homecomer>, revoked: &mut u64, found: &mut Found) -> Result<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (go, gone) = tokio::sync::watch::channel(false);
    let coming: Vec<_> =
        homecomers.into_iter().map(|homecomer| runtime.spawn(homecomer.come_home(gone.clone()))).collect();
    until_true("all agents are connected", PATIENCE, || {
        let agents = world.authority.api_json("/v1/status")?;
        Ok(at(&agents, "agents/connected").as_u64() == Some(AGENTS + 1))
    })?;
    let idle = (0..IDLE_REVOCATIONS).map(|_| revoke(&world.authority, revoked)).collect::<Result<Vec<_>>>()?;
    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    go.send(true)?;
    let (taken, during) = std::thread::scope(|scope| {
        let revoking = scope.spawn(|| {
            let mut taken = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                taken.push(revoke(&world.authority, revoked)?);
            }
            anyhow::Ok(taken)
        });
        let home = runtime.block_on(async {
            for coming in coming {
                tokio::time::timeout(PATIENCE, coming).await.context("a backlog does not come home")???;
            }
            anyhow::Ok(begun.elapsed())
        });
        is_over.store(true, Ordering::Relaxed);
        let during = revoking.join().ok().context("revoking gave up")??;
        anyhow::Ok((home?, during))
    })?;
    found.idle.push(idle);
    found.during.push(during);
    Ok(taken)
}

/// Suspends one more card, and waits until it is known to be in force and durable at the agent that everybody uses: how
/// many milliseconds that took.
fn revoke(authority: &Authority, revoked: &mut u64) -> Result<f64> {
    std::thread::sleep(PAUSE);
    loop {
        let card = RECIPE.card(*revoked);
        *revoked += 1;
        let begun = Instant::now();
        let bearer = [authority.bearer()?, "content-type: application/json".to_owned()];
        let path = format!("/v1/cards/{card}/suspend");
        let reply = http::ask(authority.api, "POST", &path, &bearer, r#"{"reason":"lost"}"#)?;
        // Some cards are not in use, and some people have left.
        if reply.status == 409 {
            continue;
        }
        ensure!(reply.status == 200, "{}", reply.body);
        let change: serde_json::Value = serde_json::from_str(&reply.body)?;
        let seq = at(&change, "seq").as_u64().context("no number")?;
        // Not everybody may go where everybody's agent is.
        if reply.body.contains(&RECIPE.agent(0)) && wait_until_durable(authority, seq)? {
            return Ok(ms(begun.elapsed()));
        }
    }
}

/// Whether the agent has confirmed a change; false when it does not concern that agent.
fn wait_until_durable(authority: &Authority, seq: u64) -> Result<bool> {
    let mut stream = TcpStream::connect(authority.api)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let (host, bearer, agent) = (authority.api, authority.bearer()?, RECIPE.agent(0));
    stream.write_all(
        format!("GET /v1/changes/{seq}/progress?wait_ms=60000 HTTP/1.0\r\nhost: {host}\r\n{bearer}\r\n\r\n").as_bytes(),
    )?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.contains(&format!("\"agent\":\"{agent}\"")) && line.contains("\"stage\":\"durable\"") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The floor: the very rows that came home, in their order, into the same table with the same indexes and settings.
fn bare_rate(stored: &Path, bare: &Path) -> Result<f64> {
    for ending in ["", "-wal", "-shm"] {
        let path = bare.with_file_name(format!("bare.db{ending}"));
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    let from = Connection::open(stored)?;
    let mut to = Connection::open(bare)?;
    to.pragma_update(None, "journal_mode", "WAL")?;
    to.pragma_update(None, "synchronous", "FULL")?;
    let mut schema = from.prepare("SELECT sql FROM sqlite_master WHERE tbl_name = 'records' AND sql IS NOT NULL")?;
    for sql in schema.query_map([], |row| row.get::<_, String>(0))? {
        to.execute_batch(&sql?)?;
    }
    let mut stored = from.prepare("SELECT * FROM records ORDER BY id")?;
    let columns = stored.column_count();
    let places = vec!["?"; columns].join(", ");
    let mut rows = stored.query([])?;
    let (mut taken, mut inserted) = (Duration::ZERO, 0);
    loop {
        let mut batch: Vec<Vec<Value>> = Vec::new();
        while batch.len() < ROWS_AT_ONCE
            && let Some(row) = rows.next()?
        {
            batch.push((0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?);
        }
        if batch.is_empty() {
            return Ok(length(inserted) / taken.as_secs_f64());
        }
        inserted += batch.len();
        let begun = Instant::now();
        let transaction = to.transaction()?;
        {
            let mut insert = transaction.prepare_cached(&format!("INSERT INTO records VALUES ({places})"))?;
            for row in batch {
                insert.execute(rusqlite::params_from_iter(row))?;
            }
        }
        transaction.commit()?;
        taken += begun.elapsed();
    }
}
