//! Decide: random taps at one agent, from what a reader read to the answer with its reason, beside policy engines and SQL.
//!
//! Each answer of each run is held against the naive reference. Deliberately without socket, record and strike.

use crate::engines::{self, Engine};
use crate::sqlite::Sqlite;
use anyhow::{Context, Result, bail, ensure};
use doorward_agent::decider::{Decider, Shown};
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::model::{Campus, CardId};
use doorward_policy::reference;
use doorward_protocol::cache::Cache;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, View};
use doorward_protocol::facts::Factors;
use doorward_protocol::id::DoorId;
use doorward_protocol::state::State;
use doorward_protocol::time::UnixMs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tests::bench::campus::Recipe;
use tests::bench::measure::{median, ns, percentile};
use tests::bench::report::{Report, Row, Target};

const RUNS: usize = 5;

/// Taps of one run.
const TAPS: usize = 100_000;

/// Taps that the policy engines answer: they take as long for these as we do for all.
const TAPS_OF_ENGINES: usize = 5_000;

const HOW: &str = "Each tap by itself between two readings of the clock, less the median of two readings with nothing \
                   between them. In: door, card id and factors as the reader's line has them, already in memory. Out: \
                   reason, instant, credential key and commit. One thread, taps in random order, 100,000 a run.";

/// A tap and its one right answer.
pub struct Tap {
    /// When.
    pub at: UnixMs,
    /// Where.
    pub door: DoorId,
    /// What the reader read.
    pub card: String,
    /// What else was presented.
    pub factors: Factors,
    /// What the naive reference says.
    pub exact: Reason,
}

/// What one agent holds, and taps at its doors.
pub struct World {
    recipe: Recipe,
    campus: Campus,
    /// What the agent holds.
    pub state: State,
    /// The same as taps are decided by it.
    pub cache: Arc<Cache>,
    /// The taps.
    pub taps: Vec<Tap>,
}

impl World {
    fn new(recipe: Recipe, taps: usize) -> Result<Self> {
        let campus = recipe.campus()?;
        let directory = Directory::of_campus(&campus)?;
        let compiled = Compiled::whole(&directory)?;
        let (_, state) = compiled.agents().next().context("there is no agent")?;
        let cache = Arc::new(Cache::new(state).context("the state is not finished")?);
        let taps = answered(&campus, recipe, taps)?;
        Ok(Self { recipe, state: state.clone(), cache, campus, taps })
    }

    /// The cards of the campus, each by what a reader reads.
    pub fn cards(&self) -> impl Iterator<Item = &CardId> {
        self.campus.tables.cards.keys()
    }

    fn decider(&self) -> Decider {
        let decider = Decider::default();
        let position = Some(Position { epoch: 0, seq: 1 });
        decider.show(Shown { view: View::of_any_instant(Arc::clone(&self.cache)), position });
        decider
    }

    /// Whether an answer is the right one: of a card that opens nothing here, an agent need not know more than that.
    fn check(&self, tap: &Tap, answer: Reason) -> Result<()> {
        let is_held = self.state.credential(self.cache.credential_key(&tap.card)).is_some();
        let is_right =
            answer == tap.exact || (answer == Reason::UnknownCredential && !tap.exact.is_grant() && !is_held);
        ensure!(is_right, "{answer} for card {} at door {}, but {} is right", tap.card, tap.door, tap.exact);
        Ok(())
    }
}

/// Taps with the answers of the naive reference.
fn answered(campus: &Campus, recipe: Recipe, count: usize) -> Result<Vec<Tap>> {
    let taps = recipe.taps(count).into_iter().map(|made| {
        let (door, card) = (DoorId::new(&made.door)?, CardId::new(&made.card)?);
        let (policy, tables) = (&campus.policy, &campus.tables);
        let exact = reference::decide(policy, tables, |_| false, made.at, &door, &card, made.factors);
        let exact = exact.with_context(|| format!("no answer for door {door}"))?;
        Ok(Tap { at: made.at, door, card: made.card, factors: made.factors, exact })
    });
    taps.collect()
}

/// One run: how long each tap took, in nanoseconds.
pub fn run(
    taps: &[Tap],
    mut answer: impl FnMut(&Tap) -> Result<Reason>,
    check: impl Fn(&Tap, Reason) -> Result<()>,
) -> Result<Vec<f64>> {
    let overhead = clock_ns();
    let mut took = Vec::with_capacity(taps.len());
    let mut answers = Vec::with_capacity(taps.len());
    for tap in taps {
        // The line has just been read: it is in memory near the processor.
        black_box(tap.card.bytes().chain(tap.door.as_str().bytes()).fold(0, u8::wrapping_add));
        let begun = Instant::now();
        let answer = black_box(answer(black_box(tap)));
        took.push((ns(begun.elapsed()) - overhead).max(0.0));
        answers.push(answer?);
    }
    taps.iter().zip(answers).try_for_each(|(tap, answer)| check(tap, answer))?;
    Ok(took)
}

/// What two readings of the clock directly after one another show.
pub fn clock_ns() -> f64 {
    let readings: Vec<f64> = (0..10_000).map(|_| ns(black_box(Instant::now()).elapsed())).collect();
    median(&readings)
}

/// Percentiles of each run.
#[derive(Default)]
struct Percentiles {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Percentiles {
    fn add(&mut self, took: &[f64]) {
        self.p50.push(percentile(took, 50.0));
        self.p99.push(percentile(took, 99.0));
    }
}

fn ours(world: &World) -> Result<(Percentiles, Percentiles)> {
    let decider = world.decider();
    let (mut whole, mut hash) = (Percentiles::default(), Percentiles::default());
    for _ in 0..RUNS {
        let decide = |tap: &Tap| Ok(decider.decide(&tap.door, &tap.card, tap.factors, tap.at).reason);
        whole.add(&run(&world.taps, decide, |tap, answer| world.check(tap, answer))?);
        let key = |tap: &Tap| {
            black_box(world.cache.credential_key(&tap.card));
            Ok(Reason::NoState)
        };
        hash.add(&run(&world.taps, key, |_, _| Ok(()))?);
    }
    Ok((whole, hash))
}

/// The benchmark.
///
/// # Errors
/// When an answer is wrong.
pub fn bench() -> Result<Report> {
    let recipe = |people| Recipe { seed: 4, people, doors: 64, agents: 1, cards_percent: 103 };
    let small = World::new(recipe(100_000), TAPS)?;
    let (ours_small, hash) = ours(&small)?;
    let mut sql = Percentiles::default();
    let sqlite = Sqlite::new(&small)?;
    let mut statement = sqlite.statement()?;
    for _ in 0..RUNS {
        sql.add(&run(&small.taps, |tap| statement.answer(tap), |tap, answer| small.check(tap, answer))?);
    }
    drop(statement);
    let engines = engines::run(small.recipe, small.taps.get(..TAPS_OF_ENGINES).unwrap_or_default());
    let held = small.state.credentials().len();
    drop(sqlite);
    drop(small.campus);
    let large = World::new(recipe(1_000_000), TAPS)?;
    let (ours_large, _) = ours(&large)?;
    if large.state.credentials().len() < 9 * held {
        bail!("the large campus holds {} credentials only", large.state.credentials().len());
    }
    let rows = rows(&ours_small, &hash, &sql, &ours_large, &engines);
    let described = format!("{} And the same with {}.", recipe(100_000).describe(), recipe(1_000_000).describe());
    Report::new("decide", &described, rows)
}

fn rows(
    small: &Percentiles,
    hash: &Percentiles,
    sql: &Percentiles,
    large: &Percentiles,
    engines: &Result<Vec<Engine>, String>,
) -> Vec<Row> {
    let known = engines.as_deref().unwrap_or_default();
    let mut p50 = Row::new("decide at 100,000 credentials and 64 doors, median", "ns", &small.p50)
        .target(Target::AtMost(150.0))
        .beside("of it the keyed hash of the card id", &hash.p50)
        .beside("SQLite in memory, one prepared query", &sql.p50);
    let mut p99 = Row::new("the same, 99th percentile", "ns", &small.p99)
        .target(Target::AtMost(600.0))
        .beside("of it the keyed hash of the card id", &hash.p99)
        .beside("SQLite in memory, one prepared query", &sql.p99);
    for engine in known {
        p50 = p50.beside(&engine.engine, &[engine.p50_ns]);
        p99 = p99.beside(&engine.engine, &[engine.p99_ns]);
    }
    let agreeing = known.iter().filter(|engine| engine.agree == engine.taps).map(|engine| engine.p50_ns);
    let fastest = agreeing.chain([median(&sql.p50)]).fold(f64::INFINITY, f64::min);
    let times: Vec<f64> = small.p50.iter().map(|ours| fastest / ours).collect();
    let who = match engines {
        Ok(engines) => {
            let one = |engine: &Engine| format!("{} agreed on {} of {} taps", engine.engine, engine.agree, engine.taps);
            let all = engines.iter().map(one).collect::<Vec<_>>().join(", ");
            format!("The fastest of those that gave the same answers. {all}; SQLite on all.")
        }
        Err(why) => format!("Beside SQLite only: {why}."),
    };
    vec![
        p50.note(HOW),
        p99,
        Row::new("times as fast as the fastest peer, medians", "x", &times).target(Target::AtLeast(20.0)).note(who),
        Row::new("decide at 1,000,000 credentials and 64 doors, median", "ns", &large.p50),
        Row::new("the same, 99th percentile", "ns", &large.p99).target(Target::AtMost(1200.0)),
    ]
}
