//! The campus on which things are killed: the tiny one, with a third building whose agent joins again and again, cards
//! that wait to be activated, and a year of students that changes with each import.
//!
//! Deliberately nothing of what happens there; that is `load` and `kills`.

use crate::authority::Authority;
use crate::campus::{copy, edit, tiny};
use crate::world::World;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The agent of the north building.
pub const NORTH: &str = "agent-north";
/// The agent of the south building.
pub const SOUTH: &str = "agent-south";
/// The agent that joins again and again.
pub const EAST: &str = "agent-east";

/// Doors of the north building.
pub const NORTH_DOORS: &[&str] = &["north-main", "north-lab"];
/// Doors of the south building.
pub const SOUTH_DOORS: &[&str] = &["south-main", "south-side", "south-canteen"];
/// The door of the east building.
pub const EAST_DOOR: &str = "east-main";

/// Cards that are suspended and resumed.
pub const LOSABLE: &[&str] = &["S01", "S02", "S03", "S04"];

/// How many cards wait to be activated.
pub const PRODUCED: u64 = 400;

/// Students whose year comes or goes with an import, of each year.
pub const YEAR: u64 = 90;

/// A card that waits to be activated.
#[must_use]
pub fn produced(number: u64) -> String {
    format!("P{number:03}")
}

/// Every card that is tapped, so that records can be told apart whose card the campus no longer knows.
#[must_use]
pub fn all_cards() -> Vec<String> {
    let students = (0..3 * YEAR).map(|number| format!("T{number:03}"));
    let named = ["ADA", "BOB", "CEM"].into_iter().chain(LOSABLE.iter().copied()).map(str::to_owned);
    named.chain(students).chain((0..PRODUCED).map(produced)).collect()
}

/// Makes the campus folder with the students of one of two years.
///
/// # Errors
/// When it cannot be written.
pub fn campus(folder: &Path, is_odd: bool) -> Result<PathBuf> {
    let path = folder.join(if is_odd { "campus-odd" } else { "campus-even" });
    copy(&tiny(), &path, 0)?;
    let years = if is_odd { YEAR..3 * YEAR } else { 0..2 * YEAR };
    let students: Vec<String> = years.map(|number| format!("t{number:03}")).collect();
    let append = |name: &str, lines: String| edit(&path, name, |text| text + &lines);
    append("buildings.csv", format!("east,East Wing,{EAST},history\n"))?;
    append("doors.csv", format!("{EAST_DOOR},east,Main entrance,entry,,\n"))?;
    append("people.csv", students.iter().map(|id| format!("{id},Student {id},student,,\n")).collect())?;
    append("affiliations.csv", students.iter().map(|id| format!("{id},history,2020-01-01,\n")).collect())?;
    let card = |id: &String| format!("{},{id},card,active,2020-01-01,,\n", id.to_uppercase());
    let produced = (0..PRODUCED).map(|number| format!("{},dana,card,produced,2020-01-01,,\n", produced(number)));
    append("cards.csv", students.iter().map(card).chain(produced).collect())?;
    Ok(path)
}

/// A world on that campus with the agents that stay.
///
/// # Errors
/// When it does not come to life.
pub fn world() -> Result<World> {
    let folder = tempfile::tempdir()?;
    World::start(&campus(folder.path(), false)?, &[NORTH, SOUTH])
}

/// What commands need to reach the same authority from another thread: its directory and ports, and no process.
///
/// # Errors
/// When no ports are free.
pub fn remote(world: &World) -> Result<Authority> {
    let mut remote = Authority::at(&world.authority.data).context("a second hand on the authority")?;
    (remote.quic, remote.api) = (world.authority.quic, world.authority.api);
    Ok(remote)
}
