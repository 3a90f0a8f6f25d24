//! Revocation to all agents of a campus: how long until the last one decides by it, and what it costs, beside servers that
//! only pass a message on.

use anyhow::Result;
use doorward_protocol::commit::{Position, Pulse};
use doorward_protocol::id::{CampusId, Hash};
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::time::UnixMs;
use std::path::Path;
use std::time::Duration;
use tests::bench::campus::Recipe;
use tests::bench::measure::{count, median, ms, ns, time, us};
use tests::bench::peers::{FannedOut, fan_out};
use tests::bench::report::{Report, Row, Target};
use tests::bench::swarm::crowd::Crowd;
use tests::bench::swarm::tally::Step;
use tests::bench::swarm::world::{Revoked, SLOWLY, SwarmWorld};
use tests::bench::system::cores;

/// How many agents, and how often each is measured.
const SIZES: [(u64, usize); 3] = [(100, 11), (1_000, 11), (10_000, 5)];

/// What stands beside it.
const PEERS: [&str; 3] = ["etcd", "mosquitto", "quic"];

/// How many signatures are checked to see how long one takes.
const SIGNATURES: u32 = 2_000;

/// The campus for so many agents.
pub fn recipe(agents: u64) -> Recipe {
    Recipe { seed: 4, people: 400, doors: agents, agents, cards_percent: 130 }
}

/// What one size came to.
struct Found {
    revoked: Vec<Revoked>,
    /// Processor time in all, an agent, in microseconds.
    server_us: Vec<f64>,
    agents_us: Vec<f64>,
}

/// Runs the benchmark.
pub fn run() -> Result<Report> {
    let verify_ns = verify_ns()?;
    let mut rows = Vec::new();
    for (agents, runs) in SIZES {
        let found = measure(agents, runs)?;
        let peers: Vec<Result<FannedOut>> = PEERS.iter().map(|peer| fan_out(peer, agents)).collect();
        rows.extend(rows_of(agents, &found, &peers, verify_ns));
    }
    Report::new("fanout", &Crowd(recipe(1_000)).describe(), rows)
}

fn measure(agents: u64, runs: usize) -> Result<Found> {
    let mut world = SwarmWorld::start(Path::new(env!("CARGO_BIN_EXE_swarm")), recipe(agents))?;
    world.connect()?;
    let mut found = Found { revoked: Vec::new(), server_us: Vec::new(), agents_us: Vec::new() };
    for _ in 0..runs {
        world.settle()?;
        let revoked = world.revoke()?;
        world.swarm.wait_for(Step::Committed, revoked.seq, SLOWLY)?;
        world.settle()?;
        let (agents_after, server_after) = world.cpu()?;
        let each = |spent: Duration| us(spent) / count(agents);
        found.server_us.push(each(server_after.saturating_sub(revoked.server_before)));
        found.agents_us.push(each(agents_after.saturating_sub(revoked.agents_before)));
        found.revoked.push(revoked);
    }
    Ok(found)
}

fn rows_of(agents: u64, found: &Found, peers: &[Result<FannedOut>], verify_ns: f64) -> Vec<Row> {
    let each = |what: &dyn Fn(&Revoked) -> f64| found.revoked.iter().map(what).collect::<Vec<f64>>();
    let last_ms = each(&Revoked::last_ms);
    // Each agent checks one signature before it obeys; here all of them share the processors, in a building none does.
    let verifying_ms = count(agents) * verify_ns / 1e6 / cores();
    let without = each(&|revoked| revoked.last_ms() - verifying_ms);
    let floor_ms = each(&|revoked| revoked.cpu_ms() / cores());
    let ratio = each(&|revoked| revoked.last_ms() / (revoked.cpu_ms() / cores()));
    let server_ms = each(&Revoked::server_ms);
    let first = each(&|revoked| ms(Duration::from_micros(revoked.removed.first_us.saturating_sub(revoked.asked_us))));
    let deliveries = |us: &f64| us / 2.0;
    let each_delivery: Vec<f64> = found.server_us.iter().map(deliveries).collect();
    let mut rows = vec![
        Row::new(format!("revocation to {agents} agents: last has applied it"), "ms", &last_ms)
            .beside("CPU floor of the run", &floor_ms)
            .note(format!(
                "first agent {:.1} ms; the server's share of the floor {:.1} ms",
                median(&first),
                median(&server_ms) / cores()
            )),
        Row::new(format!("the same, {agents} agents, of its CPU floor"), "x", &ratio).target(Target::AtMost(1.3)),
        Row::new(format!("the same, {agents} agents, without the agents' verification"), "ms", &without)
            .note(format!("{agents} signatures of {:.1} us on {:.0} cores are {verifying_ms:.1} ms", verify_ns / 1e3, cores())),
        Row::new(format!("server CPU a delivery, receipt included ({agents} agents)"), "us", &each_delivery)
            .target(Target::AtMost(25.0))
            .note(format!(
                "a revocation is two deliveries to each agent, its removal and its commit, each answered by a signed receipt that \
                 is stored: {:.0} us in all, and {:.0} us at the agent",
                median(&found.server_us),
                median(&found.agents_us)
            )),
    ];
    for peer in peers {
        rows = beside(rows, peer);
    }
    rows
}

/// Puts a peer beside what it can be compared with, or says why there is none.
fn beside(mut rows: Vec<Row>, peer: &Result<FannedOut>) -> Vec<Row> {
    for (place, row) in rows.iter_mut().enumerate() {
        let taken = std::mem::replace(row, Row::new("", "", &[]));
        *row = match (peer, place) {
            (Ok(peer), 0 | 2) => taken.beside(&format!("{} with TLS", peer.peer), &peer.last_ms),
            (Ok(peer), 3) => taken.beside(&format!("{} with TLS", peer.peer), &[peer.server_cpu_us_per_delivery]),
            (Err(why), 0) => {
                let note = format!("{}; {why:#}", taken.note);
                taken.note(note)
            }
            (Ok(_) | Err(_), _) => taken,
        };
    }
    rows
}

/// How long checking one signature takes, by the function that agents use.
fn verify_ns() -> Result<f64> {
    let key = SecretKey::from_seed(&[7; 32]);
    let position = Position { epoch: 0, seq: 7 };
    let pulse = Pulse { campus: CampusId::new("made")?, position, commit: Hash([7; 32]), at: UnixMs(7) };
    let signed: Signed<Pulse> = key.sign_value(&pulse)?;
    let trusted = [key.public()].into();
    let (took, believed) = time(|| (0..SIGNATURES).all(|_| signed.verify(&trusted, 1).is_ok()));
    anyhow::ensure!(believed, "a signature is not believed");
    Ok(ns(took) / f64::from(SIGNATURES))
}
