//! The campus folder: from the bytes of its files to a consistent [`Campus`], or everything that is wrong with them.
//!
//! Deliberately reads no file itself, and judges spelling and references only: what a campus means is elsewhere.

mod cards;
mod declared;
mod document;
mod policy;
mod rules;
mod tables;
mod units;
mod values;

use crate::model::Campus;
use doorward_protocol::problem::Problem;
use std::collections::BTreeMap;

/// The files of a campus folder, contents by name; files with other names are not looked at.
#[derive(Debug, Clone, Default)]
pub struct CampusFiles(pub BTreeMap<String, Vec<u8>>);

impl CampusFiles {
    /// The names of the files that make a campus.
    pub const NAMES: [&'static str; 8] = [
        "campus.toml",
        "units.csv",
        "buildings.csv",
        "doors.csv",
        "people.csv",
        "affiliations.csv",
        "cards.csv",
        "grants.csv",
    ];
}

/// Reads a campus folder.
///
/// # Errors
/// Every problem of all files, sorted by file and place.
pub fn parse(files: &CampusFiles) -> Result<Campus, Vec<Problem>> {
    let mut problems = Vec::new();
    let policy = policy::read(files, &mut problems);
    let tables = tables::read(files, &policy, &mut problems);
    problems.sort();
    problems.dedup();
    match policy.policy {
        Some(policy) if problems.is_empty() => Ok(Campus { policy, tables }),
        _ => Err(problems),
    }
}
