//! What a benchmark found: rows with their targets and peers, kept as JSON and shown as a table.
//!
//! A row states the median of its runs, what it was meant to be, and what stood beside it in the same run.

use crate::bench::measure::median;
use crate::bench::system::machine;
use crate::binaries::root;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;

/// What one benchmark found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The benchmark's name.
    pub bench: String,
    /// The day on which it ran.
    pub date: String,
    /// The machine on which it ran.
    pub machine: String,
    /// What its inputs were made from.
    pub recipe: String,
    /// What it found.
    pub rows: Vec<Row>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What is measured.
    pub what: String,
    /// The median of the runs.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Each run.
    pub runs: Vec<f64>,
    /// The bound that it is held to, `None` for figures that only explain others.
    pub target: Option<Target>,
    /// What stood beside it in the same run, in the same unit.
    pub peers: Vec<Peer>,
    /// What a reader has to know, such as what dominates a missed target.
    pub note: String,
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
}

/// A peer or floor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// The median of its runs, in the unit of the row.
    pub value: f64,
}

impl Target {
    /// Whether a value keeps it.
    #[must_use]
    pub fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::AtMost(bound) => format!("<= {}", shown(bound)),
            Self::AtLeast(bound) => format!(">= {}", shown(bound)),
        }
    }
}

impl Row {
    /// A figure from its runs.
    #[must_use]
    pub fn new(what: impl Into<String>, unit: &str, runs: &[f64]) -> Self {
        let (what, unit, runs, value) = (what.into(), unit.to_owned(), runs.to_vec(), median(runs));
        Self { what, value, unit, runs, target: None, peers: Vec::new(), note: String::new() }
    }

    /// Held to a bound.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Beside a peer or floor of the same run.
    #[must_use]
    pub fn beside(mut self, name: &str, runs: &[f64]) -> Self {
        self.peers.push(Peer { name: name.to_owned(), value: median(runs) });
        self
    }

    /// With something to know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn line(&self) -> [String; 5] {
        let verdict = self.target.map_or("", |target| if target.is_met_by(self.value) { "met" } else { "MISSED" });
        let target = self.target.map_or_else(String::new, Target::shown);
        let peers = self.peers.iter().map(|peer| {
            // How many times of ours the peer's value is.
            format!("{} {} (x {})", peer.name, shown(peer.value), shown(peer.value / self.value))
        });
        let mut beside = peers.collect::<Vec<_>>().join("; ");
        if !self.note.is_empty() {
            beside = if beside.is_empty() { self.note.clone() } else { format!("{beside}. {}", self.note) };
        }
        [self.what.clone(), format!("{} {}", shown(self.value), self.unit), target, verdict.to_owned(), beside]
    }
}

impl Report {
    /// A report of today, on this machine.
    ///
    /// # Errors
    /// When the clock shows no date.
    pub fn new(bench: &str, recipe: &str, rows: Vec<Row>) -> Result<Self> {
        let (bench, recipe) = (bench.to_owned(), recipe.to_owned());
        Ok(Self { bench, date: crate::campus::today(0)?, machine: machine(), recipe, rows })
    }

    /// Keeps it for the summary.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self) -> Result<()> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.json", self.bench));
        fs::write(&path, serde_json::to_string_pretty(self)?).with_context(|| format!("{} is not kept", path.display()))
    }

    /// As a Markdown table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!("## {}\n\n{}; {}\n\n{}\n\n", self.bench, self.date, self.machine, self.recipe);
        text.push_str("| what | median | target | | beside it in the same run (x: how many times ours) |\n");
        text.push_str("| --- | --- | --- | --- | --- |\n");
        for row in &self.rows {
            text.push_str(&format!("| {} |\n", row.line().join(" | ")));
        }
        text
    }
}

/// The reports that are kept, by name.
///
/// # Errors
/// When one cannot be read.
pub fn kept() -> Result<Vec<Report>> {
    let mut reports: Vec<Report> = Vec::new();
    for entry in fs::read_dir(folder()).into_iter().flatten() {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        reports.push(serde_json::from_str(&text).with_context(|| format!("{} is no report", path.display()))?);
    }
    reports.sort_by(|one, other| one.bench.cmp(&other.bench));
    Ok(reports)
}

fn folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("benchmarks")
}

/// A number with three digits that count.
fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_its_median_its_target_and_how_many_times_as_much_a_peer_needs() {
        let row = Row::new("decide", "ns", &[90.0, 120.0, 100.0]).target(Target::AtMost(150.0));
        let line = row.beside("other", &[2000.0]).line();
        assert_eq!(line, ["decide", "100 ns", "<= 150", "met", "other 2000 (x 20.0)"]);
        let missed = Row::new("rows", "1/s", &[5.5]).target(Target::AtLeast(6.0)).note("the disk");
        assert_eq!(missed.line(), ["rows", "5.50 1/s", ">= 6.00", "MISSED", "the disk"]);
    }
}
