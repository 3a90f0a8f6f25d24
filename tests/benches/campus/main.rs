//! Every benchmark of Doorward: `cargo bench -p tests` runs all, `cargo bench -p tests -- NAME...` some, and
//! `cargo bench -p tests -- --summary [--json]` shows what was found last without measuring anything.
//!
//! Deliberately one program: what takes long to build is built once. Each benchmark is a module that runs production
//! code beside its peer or floor, and hands back its rows.

mod agent;
mod change;
mod churn;
mod compile;
mod console;
mod decide;
mod driver;
mod edge;
mod engines;
mod fanout;
mod flood;
mod journal;
mod office;
mod reconnect;
mod records;
mod revocation;
mod snapshot;
mod sqlite;
mod tap;
mod while_applying;

use anyhow::{Result, bail};
use std::io::Write;
use std::process::ExitCode;
use tests::bench::report::{Report, kept};

/// A benchmark: its name, and what it finds.
type Bench = (&'static str, fn() -> Result<Report>);

/// All of them, in the order in which they run.
const BENCHES: &[Bench] = &[
    ("decide", decide::bench),
    ("decide-while-applying", while_applying::bench),
    ("snapshot", snapshot::bench),
    ("compile", compile::bench),
    ("change", change::bench),
    ("journal", journal::bench),
    ("tap", tap::run),
    ("agent", agent::run),
    ("records", records::run),
    ("revocation", revocation::run),
    ("fanout", fanout::run),
    ("churn", churn::run),
    ("reconnect", reconnect::run),
    ("console", console::run),
];

fn main() -> ExitCode {
    // Cargo says by this that benchmarks are to be run; that is all that this program does.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When not even standard error takes it, the exit code has to do.
            let _unheard = writeln!(std::io::stderr(), "benchmark: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let is_asked = |word: &str| arguments.iter().any(|argument| argument == word);
    if is_asked("--help") {
        let names = BENCHES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return say(&format!("cargo bench -p tests -- [--summary [--json]] [NAME...]\nNames: {names}"));
    }
    if is_asked(snapshot::HOLD) {
        return snapshot::hold();
    }
    if is_asked("--summary") {
        let reports = kept()?;
        return if is_asked("--json") {
            say(&serde_json::to_string_pretty(&reports)?)
        } else {
            reports.iter().try_for_each(|report| say(&report.table()))
        };
    }
    if let Some(unknown) = arguments.iter().find(|argument| BENCHES.iter().all(|(name, _)| name != argument)) {
        bail!("no benchmark is called {unknown}; see --help");
    }
    for (name, bench) in BENCHES {
        if arguments.is_empty() || is_asked(name) {
            say(&format!("-- {name}"))?;
            let report = bench()?;
            report.keep()?;
            say(&report.table())?;
        }
    }
    Ok(())
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
