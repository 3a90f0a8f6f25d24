//! A tap over the agent's socket, its durable record included, beside one append and fdatasync on the same disk.
//!
//! The authority is down meanwhile: on a campus it has a machine and a disk of its own.

use crate::driver::{self, Driver, RECIPE};
use anyhow::{Context, Result};
use doorward_agent::store::disk::Disk;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::bench::measure::{RUNS, length, percentile, us};
use tests::bench::report::{Report, Row, Target};

/// Taps of one reader, one after another, in each run.
const TAPS: usize = 2_000;

/// About the size of an access record in the agent's store, key included.
const RECORD_BYTES: usize = 100;

/// Readers that tap at the same time, and how many taps each sends before it waits for its answers.
const READERS: usize = 32;
const AT_ONCE: usize = 8;

/// How many taps the readers make in each run as fast as they are answered. All runs together stay below what an agent keeps
/// for an authority that is away.
const TAPS_TOGETHER: usize = 100_000;

/// How long the readers go on when they are paced, and how many taps a second they make together.
const LASTING: Duration = Duration::from_secs(5);
const PACE: u32 = 12_000;

/// See the module.
pub fn run() -> Result<Report> {
    let mut world = driver::authority()?;
    let agent = RECIPE.agent(0);
    world.enrol(&agent)?.start()?;
    world.wait_until_agent_exact(&agent)?;
    world.authority.stop()?;
    let socket = world.agent(&agent)?.socket.clone();
    let lines = driver::lines(20_000);
    let mut found = Found::default();
    for _ in 0..RUNS {
        found.floor.add(&appends(&world.file("floor"))?);
        found.in_place.add(&in_place(&world.file("in-place"))?);
        found.store.add(&commits(&world.file("bare-store"))?);
        found.measure(&socket, &lines)?;
    }
    world.stop()?;
    Report::new("tap", &RECIPE.describe(), found.rows())
}

/// Microseconds by run.
#[derive(Default)]
struct Times {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Times {
    fn add(&mut self, taken: &[Duration]) {
        let taken: Vec<f64> = taken.iter().copied().map(us).collect();
        self.p50.push(percentile(&taken, 50.0));
        self.p99.push(percentile(&taken, 99.0));
    }
}

#[derive(Default)]
struct Found {
    floor: Times,
    in_place: Times,
    asked: Times,
    store: Times,
    alone: Times,
    together: Times,
    paced: Times,
    rates: Vec<f64>,
    paced_rates: Vec<f64>,
}

impl Found {
    fn measure(&mut self, socket: &Path, lines: &[String]) -> Result<()> {
        self.alone.add(&alone(socket, lines)?);
        self.asked.add(&asked(socket)?);
        let (rate, taken) = together(socket, lines, None)?;
        self.rates.push(rate);
        self.together.add(&taken);
        let (rate, taken) = together(socket, lines, Some(PACE))?;
        self.paced_rates.push(rate);
        self.paced.add(&taken);
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        let ratios: Vec<f64> = self.alone.p50.iter().zip(&self.floor.p50).map(|(ours, floor)| ours / floor).collect();
        let (append, bare) = ("append + fdatasync", "bare sled commit of one record");
        let (in_place, asked) = ("write in place + fdatasync", "answer of the socket without a record");
        vec![
            Row::new("tap over the socket, p50 in fdatasyncs of the same run", "x", &ratios)
                .target(Target::AtMost(1.5)),
            Row::new("tap over the socket, one reader, p50", "us", &self.alone.p50)
                .beside(append, &self.floor.p50)
                .beside(in_place, &self.in_place.p50)
                .beside(asked, &self.asked.p50)
                .beside(bare, &self.store.p50),
            Row::new("tap over the socket, one reader, p99", "us", &self.alone.p99)
                .beside(append, &self.floor.p99)
                .beside(in_place, &self.in_place.p99)
                .beside(asked, &self.asked.p99)
                .beside(bare, &self.store.p99),
            Row::new(
                format!("taps of {READERS} readers, each durable, kept up for {LASTING:?}"),
                "1/s",
                &self.paced_rates,
            )
            .target(Target::AtLeast(10_000.0))
            .note(format!("due at {PACE}/s")),
            Row::new("the same, p50 from the instant at which a tap was due", "us", &self.paced.p50),
            Row::new("the same, p99", "us", &self.paced.p99),
            Row::new(format!("{TAPS_TOGETHER} taps of {READERS} readers as fast as it goes"), "1/s", &self.rates)
                .note(format!("{AT_ONCE} taps of each reader are under way at once")),
            Row::new("the same, p50", "us", &self.together.p50),
            Row::new("the same, p99", "us", &self.together.p99),
        ]
    }
}

/// The floor: what the disk itself takes to keep as many bytes.
fn appends(path: &Path) -> Result<Vec<Duration>> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let record = [7; RECORD_BYTES];
    let append = |_| {
        let begun = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        Ok(begun.elapsed())
    };
    (0..TAPS).map(append).collect()
}

/// The same in a file that has its length and its blocks already, as the agent's file of the newest records has.
fn in_place(path: &Path) -> Result<Vec<Duration>> {
    let file = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
    file.write_all_at(&vec![0; TAPS * RECORD_BYTES], 0)?;
    file.sync_all()?;
    let record = [7; RECORD_BYTES];
    let write = |number: usize| {
        let begun = Instant::now();
        file.write_all_at(&record, u64::try_from(number * RECORD_BYTES)?)?;
        file.sync_data()?;
        Ok(begun.elapsed())
    };
    (0..TAPS).map(write).collect()
}

/// What the way through the socket takes alone: a line that asks for nothing, and its answer.
fn asked(socket: &Path) -> Result<Vec<Duration>> {
    let mut driver = Driver::connect(socket)?;
    let line = ["{}\n".to_owned()];
    let taken = (0..TAPS).map(|_| driver.ask(&line, |answer| answer.contains("error")));
    Ok(taken.collect::<Result<Vec<_>>>()?.concat())
}

/// What the agent's store takes for one record and nothing else, without socket, machine and threads.
fn commits(path: &Path) -> Result<Vec<Duration>> {
    let mut disk = Disk::open(path)?;
    let commit = |number: usize| {
        let begun = Instant::now();
        let key = [b"a".as_slice(), &[7; 16], &number.to_be_bytes()].concat();
        disk.commit([(key, Some(vec![7; RECORD_BYTES]))].into())?;
        Ok(begun.elapsed())
    };
    (0..TAPS).map(commit).collect()
}

/// One reader, one tap after another.
fn alone(socket: &Path, lines: &[String]) -> Result<Vec<Duration>> {
    let mut driver = Driver::connect(socket)?;
    let taken: Vec<_> = lines.chunks(1).take(TAPS).map(|line| driver.taps(line)).collect::<Result<_>>()?;
    Ok(taken.concat())
}

/// Many readers at once, as fast as they are answered or at a pace: taps a second, and how long each took.
fn together(socket: &Path, lines: &[String], pace: Option<u32>) -> Result<(f64, Vec<Duration>)> {
    let begun = Instant::now();
    let all = std::thread::scope(|scope| {
        let readers = (0..READERS).map(|reader| scope.spawn(move || one_of_many(socket, lines, reader, pace, begun)));
        let readers: Vec<_> = readers.collect();
        let ended = readers.into_iter().map(|reader| reader.join().ok().context("a reader gave up")?);
        ended.collect::<Result<Vec<_>>>()
    })?;
    let taken = all.concat();
    Ok((length(taken.len()) / begun.elapsed().as_secs_f64(), taken))
}

fn one_of_many(
    socket: &Path,
    lines: &[String],
    reader: usize,
    pace: Option<u32>,
    begun: Instant,
) -> Result<Vec<Duration>> {
    let mut driver = Driver::connect(socket)?;
    let readers = u32::try_from(READERS)?;
    let every = pace.map(|pace| Duration::from_secs(1) * readers / pace);
    // Readers take their turns evenly.
    let first = every.map_or(Duration::ZERO, |every| every * u32::try_from(reader).unwrap_or(0) / readers);
    let mut due = begun + first;
    let mut taken = Vec::new();
    let mut next = lines.chunks(every.map_or(AT_ONCE, |_| 1)).cycle().skip(reader * 17);
    while every.map_or(taken.len() < TAPS_TOGETHER / READERS, |_| begun.elapsed() < LASTING) {
        let lines = next.next().context("there are taps")?;
        match every {
            None => taken.extend(driver.taps(lines)?),
            Some(every) => {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                driver.taps(lines)?;
                taken.push(due.elapsed());
                due += every;
            }
        }
    }
    Ok(taken)
}
