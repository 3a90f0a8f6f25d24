//! The taps of a campus folder, decided by policy engines: each in its own idiom, each call timed alone.
//!
//! Deliberately without a decision of its own: only what every caller of such an engine has to bring is worked out here.

mod casbin;
mod cedar;
mod question;
mod regorus;
mod spans;

use anyhow::{Context, Result, anyhow, ensure};
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::Campus;
use doorward_policy::zone::zone;
use doorward_protocol::problem::Problem;
use doorward_protocol::taps::{TapQuestion, read_taps};
use question::Question;
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Taps that are decided before any is timed.
const WARM_UP_TAPS: usize = 200;

/// A policy engine that holds a campus.
trait Engine: Sized {
    /// What it is called in the results.
    const NAME: &'static str;
    /// The crate whose version is reported.
    const CRATE: &'static str;
    /// What the caller hands over with one tap.
    type Request;

    /// Translates the campus into what the engine works with.
    fn load(campus: &Campus) -> Result<Self>;

    /// What the caller has ready when it asks; not timed.
    fn request(&self, question: &Question<'_>) -> Result<Self::Request>;

    /// The call that is timed.
    fn is_granted(&mut self, request: &Self::Request) -> Result<bool>;
}

/// What was measured of one engine.
#[derive(Serialize)]
pub struct Measured {
    engine: &'static str,
    version: String,
    taps: usize,
    agree: usize,
    p50_ns: u64,
    p99_ns: u64,
    load_ms: f64,
}

/// Measures the engines, or the one that is named, and says each one's result when it is there.
pub fn run(
    folder: &Path,
    engine: Option<&str>,
    seconds_max: u64,
    mut say: impl FnMut(&Measured) -> Result<()>,
) -> Result<()> {
    let (campus, taps) = read(folder)?;
    let zone = zone(&campus.policy.time_zone).context("the time zone is not known")?;
    let questions = taps.iter().map(|tap| Question::new(&campus, &zone, tap));
    let questions: Vec<Question<'_>> = questions.collect::<Result<_>>()?;
    let time_max = Duration::from_secs(seconds_max);
    let is_asked = |name: &str| engine.is_none_or(|asked| asked == name);
    let mut is_any_known = false;
    if is_asked(cedar::Cedar::NAME) {
        is_any_known = true;
        say(&measure::<cedar::Cedar>(&campus, &questions, time_max)?)?;
    }
    if is_asked(regorus::Regorus::NAME) {
        is_any_known = true;
        say(&measure::<regorus::Regorus>(&campus, &questions, time_max)?)?;
    }
    if is_asked(casbin::Casbin::NAME) {
        is_any_known = true;
        say(&measure::<casbin::Casbin>(&campus, &questions, time_max)?)?;
    }
    ensure!(is_any_known, "engines are cedar, regorus and casbin");
    Ok(())
}

fn read(folder: &Path) -> Result<(Campus, Vec<TapQuestion>)> {
    let mut files = CampusFiles::default();
    for name in CampusFiles::NAMES {
        if let Ok(bytes) = fs::read(folder.join(name)) {
            files.0.insert(name.to_owned(), bytes);
        }
    }
    let path = folder.join("taps.csv");
    let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let campus = parse(&files).map_err(|problems| first(&problems))?;
    let taps = read_taps("taps.csv", &bytes).map_err(|problems| first(&problems))?;
    ensure!(!taps.is_empty(), "taps.csv has no taps");
    Ok((campus, taps))
}

fn first(problems: &[Problem]) -> anyhow::Error {
    anyhow!("{}", problems.first().map_or_else(String::new, ToString::to_string))
}

fn measure<E: Engine>(campus: &Campus, questions: &[Question<'_>], time_max: Duration) -> Result<Measured> {
    let begun = Instant::now();
    let mut engine = E::load(campus).with_context(|| format!("{} does not take the campus", E::NAME))?;
    let load_ms = begun.elapsed().as_secs_f64() * 1e3;
    for question in questions.iter().take(WARM_UP_TAPS) {
        let request = engine.request(question)?;
        engine.is_granted(&request)?;
    }
    let mut took_ns = Vec::with_capacity(questions.len());
    let mut agree = 0;
    let begun = Instant::now();
    for question in questions.iter().take_while(|_| begun.elapsed() < time_max) {
        let request = engine.request(question)?;
        let asked = Instant::now();
        let answer = engine.is_granted(&request);
        took_ns.push(u64::try_from(asked.elapsed().as_nanos())?);
        agree += usize::from(answer? == question.is_granted);
    }
    took_ns.sort_unstable();
    Ok(Measured {
        engine: E::NAME,
        version: version_of(E::CRATE)?,
        taps: took_ns.len(),
        agree,
        p50_ns: percentile(&took_ns, 50)?,
        p99_ns: percentile(&took_ns, 99)?,
        load_ms,
    })
}

/// By nearest rank, of values that ascend.
fn percentile(sorted: &[u64], percent: usize) -> Result<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().context("no tap was decided")
}

/// The version of a crate that this program was built with.
fn version_of(name: &str) -> Result<String> {
    let locked = include_str!("../../Cargo.lock");
    let (_, after) = locked.split_once(&format!("name = \"{name}\"\nversion = \"")).context("not in Cargo.lock")?;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}
