//! The campus of the demonstration: the sample of Chonnam National University, moved to the semester that is now.

use anyhow::Result;
use std::path::Path;
use tests::campus::{copy, edit, sample, years_until_now};

/// The day on which most of the sample's cards were issued: from then on, its semester is under way.
const SEMESTER_BEGAN: &str = "2023-04-03";

/// Who holds the card that is lost, and that card.
pub const PORTER: &str = "230001";
/// See [`PORTER`].
pub const LOST_CARD: &str = "CARD1";

/// The buildings, each with its agent and what it is.
pub const BUILDINGS: [(&str, &str, &str); 8] = [
    ("eng-1", "agent-eng-1", "Engineering 1"),
    ("eng-cs", "agent-eng-cs", "Computer Science"),
    ("sci", "agent-sci", "Natural Sciences"),
    ("hum", "agent-hum", "Humanities"),
    ("biz", "agent-biz", "Business"),
    ("library", "agent-library", "the library"),
    ("dorm-9", "agent-dorm", "the dormitory"),
    ("student-hall", "agent-hall", "the student hall"),
];

/// Writes the campus into a folder; by how many years its dates were moved.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(folder: &Path) -> Result<i32> {
    let years = years_until_now(SEMESTER_BEGAN)?;
    copy(&sample("jnu"), folder, years)?;
    // The sample lets doors go on for ever; a lease is what bounds how long a lost card can be used at a door out of reach.
    edit(folder, "campus.toml", |text| {
        text.replacen("time_zone = \"Asia/Seoul\"\n", "time_zone = \"Asia/Seoul\"\nlease = \"7 days\"\n", 1)
    })?;
    Ok(years)
}

/// The name of the grant that lets the porter into a building.
#[must_use]
pub fn porter_grant(building: &str) -> String {
    format!("porter-{building}")
}

/// Writes the same campus with the porter's grants in its tables, to ask the rules what each tap should be answered.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_with_grants(folder: &Path, campus: &Path) -> Result<()> {
    copy(campus, folder, 0)?;
    edit(folder, "grants.csv", |mut text| {
        for (building, ..) in BUILDINGS {
            text.push_str(&format!("{},person:{PORTER},building:{building},,,\n", porter_grant(building)));
        }
        text
    })
}

/// All doors of the folder, each with its building.
///
/// # Errors
/// When the file cannot be read.
pub fn doors(folder: &Path) -> Result<Vec<(String, String)>> {
    let column = |row: &csv::StringRecord, at: usize| row.get(at).unwrap_or_default().to_owned();
    let rows = csv::Reader::from_path(folder.join("doors.csv"))?.into_records();
    rows.map(|row| row.map(|row| (column(&row, 0), column(&row, 1))).map_err(Into::into)).collect()
}

/// All cards of the folder.
///
/// # Errors
/// When the file cannot be read.
pub fn cards(folder: &Path) -> Result<Vec<String>> {
    let rows = csv::Reader::from_path(folder.join("cards.csv"))?.into_records();
    rows.map(|row| row.map(|row| row.get(0).unwrap_or_default().to_owned()).map_err(Into::into)).collect()
}
