//! One revocation at one building: from the request until the authority knows that it is durable at the agent. Both are
//! real processes with real disks.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use tests::agent::Agent;
use tests::authority::Authority;
use tests::bench::campus::Recipe;
use tests::bench::measure::{RUNS, length, ms, percentile, time};
use tests::bench::report::{Report, Row, Target};
use tests::bench::swarm::crowd::{Crowd, GUARDS};
use tests::http;
use tests::json::{at, text};

/// A campus of one building.
const RECIPE: Recipe = Recipe { seed: 4, people: 1_000, doors: 32, agents: 1, cards_percent: 130 };

/// What is written to see what the disk needs, in bytes: about an entry of the journal.
const ENTRY: [u8; 200] = [7; 200];

/// Runs the benchmark.
pub fn run() -> Result<Report> {
    let folder = tempfile::Builder::new().prefix("doorward-").tempdir()?;
    let crowd = Crowd(RECIPE);
    let campus = folder.path().join("campus");
    std::fs::create_dir_all(&campus)?;
    crowd.files().0.iter().try_for_each(|(name, bytes)| std::fs::write(campus.join(name), bytes))?;
    let mut authority = Authority::init(&folder.path().join("authority"), &campus)?;
    authority.arguments = Vec::new();
    authority.start()?;
    let mut agent = Agent::enrol(folder.path(), &authority, &RECIPE.agent(0))?;
    // Directly, without the network that tests put in between.
    agent.authorities = vec![authority.quic.to_string()];
    agent.start()?;
    agent.wait_for(&RECIPE.door(0), &crowd.guard(0), "grant granted")?;
    let (mut middle, mut worst, mut accepted, mut disk) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut noted = Vec::new();
    for _ in 0..RUNS {
        let (mut known, mut answered) = (Vec::new(), Vec::new());
        for number in 0..GUARDS {
            let (until_answer, until_known, by_its_clock) = revoke(&authority, &crowd.guard(number))?;
            noted.push(by_its_clock);
            known.push(until_known);
            answered.push(until_answer);
        }
        middle.push(percentile(&known, 50.0));
        worst.push(percentile(&known, 99.0));
        accepted.push(percentile(&answered, 50.0));
        disk.push(2.0 * sync_ms(folder.path())?);
        (0..GUARDS).try_for_each(|number| resume(&authority, &crowd.guard(number)))?;
    }
    agent.stop()?;
    authority.stop()?;
    let note = "asked and known over the HTTP API, with a connection for the order and one for its progress";
    let rows = vec![
        Row::new("revocation, one agent: until it is known to be durable there, p50", "ms", &middle)
            .target(Target::AtMost(2.0))
            .beside("two fdatasyncs of this disk", &disk)
            .beside("until the order is answered", &accepted)
            .note(note),
        Row::new("the same, as the authority noted it in whole milliseconds, mean", "ms", &[mean(&noted)]),
        Row::new("the same, p99", "ms", &worst)
            .target(Target::AtMost(5.0))
            .beside("two fdatasyncs of this disk", &disk),
    ];
    Report::new("revocation", &crowd.describe(), rows)
}

/// Suspends a card; how long the answer takes, and the news that its agent has it on its disk, in milliseconds; and how long
/// that took by the authority's own clock, which counts in whole ones.
fn revoke(authority: &Authority, card: &str) -> Result<(f64, f64, f64)> {
    let begun = Instant::now();
    let seq = order(authority, card, "suspend")?;
    let answered = ms(begun.elapsed());
    let headers = [authority.bearer()?];
    let reply = http::ask(authority.api, "GET", &format!("/v1/changes/{seq}/progress"), &headers, "")?;
    let known = ms(begun.elapsed());
    let summary: Value = serde_json::from_str(reply.body.lines().last().context("no summary")?)?;
    ensure!(
        *at(&summary, "summary/complete") == true && *at(&summary, "summary/agents_closed") == 1,
        "not closed: {}",
        reply.body
    );
    let noted = at(&summary, "summary/ms").as_f64().context("no time in the summary")?;
    Ok((answered, known, noted))
}

fn resume(authority: &Authority, card: &str) -> Result<()> {
    let seq = order(authority, card, "resume")?;
    let path = format!("/v1/changes/{seq}/progress");
    let reply = http::ask(authority.api, "GET", &path, &[authority.bearer()?], "")?;
    ensure!(reply.status == 200, "{}", reply.body);
    Ok(())
}

fn order(authority: &Authority, card: &str, what: &str) -> Result<u64> {
    let headers = [authority.bearer()?, "content-type: application/json".to_owned()];
    let path = format!("/v1/cards/{card}/{what}");
    let reply = http::ask(authority.api, "POST", &path, &headers, r#"{"reason":"lost"}"#)?;
    let answer: Value = serde_json::from_str(&reply.body)?;
    at(&answer, "seq").as_u64().with_context(|| format!("no entry in the answer {}", text(&answer, "error")))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / length(values.len()).max(1.0)
}

/// What this disk needs to make one appended entry durable.
fn sync_ms(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("synced"))?;
    let mut times = Vec::new();
    for _ in 0..GUARDS {
        file.write_all(&ENTRY)?;
        let (took, synced) = time(|| file.sync_data());
        synced?;
        times.push(ms(took));
    }
    Ok(percentile(&times, 50.0))
}
