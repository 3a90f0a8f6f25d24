//! `doorward check`: whether a campus folder can be imported, with everything that is wrong with it at once.
//!
//! Reads only; asks the folder's own taps, too, because an office writes them to say what it means.

use crate::failure::{Exit, Failure};
use crate::files::{CampusFolder, TAPS_BYTES_MAX, TAPS_NAMES, read_if_there};
use crate::output::{Output, note, plural};
use clap::Args;
use doorward_policy::folder::parse;
use doorward_policy::model::{Campus, CardState};
use doorward_policy::taps::{TapsError, decide_taps};
use doorward_protocol::decide::Reason;
use doorward_protocol::problem::{Place, Problem};
use doorward_protocol::taps::{TapQuestion, read_taps};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Check a campus folder: what it holds, or everything that is wrong with it
///
/// Reads the folder and changes nothing. Every problem is named as FILE:LINE:COLUMN with what would be right, all of
/// them in one run. If the folder holds taps.csv or random-taps.csv, their taps are asked, too, and must be answered
/// as they expect.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward check deploy/campuses/jnu")]
pub struct Check {
    /// Folder with campus.toml and its tables
    campus: PathBuf,
}

/// What a campus folder holds.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Counts {
    units: usize,
    buildings: usize,
    doors: usize,
    agents: usize,
    people: usize,
    affiliations: usize,
    cards: usize,
    cards_produced: usize,
    cards_active: usize,
    cards_suspended: usize,
    cards_closed: usize,
    grants: usize,
    rules: usize,
    taps: usize,
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn run(self, out: &mut Output) -> anyhow::Result<Exit> {
        let folder = CampusFolder::read(&self.campus)?;
        folder.note_others();
        let mut problems = Vec::new();
        match parse(&folder.files) {
            Ok(campus) => {
                let taps = taps_of(&folder, Some(&campus), &mut problems)?;
                if problems.is_empty() {
                    tell_counts(&campus, taps, out)?;
                    return Ok(Exit::Done);
                }
            }
            Err(found) => {
                problems = found;
                taps_of(&folder, None, &mut problems)?;
            }
        }
        tell_problems(&folder, &problems, out)?;
        Ok(Exit::No)
    }
}

/// Reads the folder's taps, asks the campus if it stands, and returns how many there are.
fn taps_of(folder: &CampusFolder, campus: Option<&Campus>, problems: &mut Vec<Problem>) -> Result<usize, Failure> {
    let mut count = 0;
    for name in TAPS_NAMES {
        let Some(bytes) = read_if_there(&folder.path.join(name), TAPS_BYTES_MAX)? else { continue };
        match read_taps(name, &bytes) {
            Ok(taps) => {
                count += taps.len();
                campus.map_or(Ok(()), |campus| ask(campus, name, &taps, problems))?;
            }
            Err(found) => problems.extend(found),
        }
    }
    // Without any tap the campus must still compile.
    campus.map_or(Ok(()), |campus| if count == 0 { ask(campus, "", &[], problems) } else { Ok(()) })?;
    Ok(count)
}

fn ask(campus: &Campus, name: &str, taps: &[TapQuestion], problems: &mut Vec<Problem>) -> Result<(), Failure> {
    match decide_taps(campus, name, taps) {
        Ok(answers) => problems.extend(
            taps.iter()
                .zip(answers)
                .filter(|(tap, answer)| !tap.is_met_by(*answer))
                .map(|(tap, answer)| Problem::new(name, Place { line: tap.line, column: 1 }, difference(tap, answer))),
        ),
        Err(TapsError::UnknownDoors(found)) => problems.extend(found),
        Err(error @ (TapsError::Refused(_) | TapsError::Compile(_))) => return Err(Failure::new(error)),
    }
    Ok(())
}

/// How an answer differs from what a tap expects, as a sentence.
#[must_use]
pub fn difference(tap: &TapQuestion, answer: Reason) -> String {
    let expected: Vec<&str> = [&tap.expect, &tap.reason].into_iter().filter_map(Option::as_deref).collect();
    let (expected, card, door) = (expected.join(" "), &tap.card, &tap.door);
    format!("expects {expected}, but card {card} at door {door} gets {} {}", answer.decision(), answer.as_str())
}

fn tell_counts(campus: &Campus, taps: usize, out: &mut Output) -> anyhow::Result<()> {
    let counts = counts(campus, taps);
    let policy = &campus.policy;
    if out.is_json() {
        let campus = json!({ "id": policy.campus, "name": policy.name, "time_zone": policy.time_zone });
        out.json(&json!({ "campus": campus, "counts": counts, "problems": [] }))?;
        return Ok(());
    }
    out.line(&format!("{} ({}), {}", policy.name, policy.campus, policy.time_zone))?;
    let states = [
        (counts.cards_active, "active"),
        (counts.cards_produced, "produced"),
        (counts.cards_suspended, "suspended"),
        (counts.cards_closed, "closed"),
    ];
    let states: Vec<String> = states.iter().filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
    let cards = if states.is_empty() { "cards".to_owned() } else { format!("cards: {}", states.join(", ")) };
    let lines = [
        (counts.units, "units"),
        (counts.buildings, "buildings"),
        (counts.doors, "doors"),
        (counts.agents, "agents"),
        (counts.people, "people"),
        (counts.affiliations, "affiliations"),
        (counts.cards, cards.as_str()),
        (counts.grants, "grants"),
        (counts.rules, "rules"),
    ];
    for (count, what) in lines {
        out.line(&format!("{count:>8} {what}"))?;
    }
    if taps > 0 {
        out.line(&format!("{taps:>8} taps, all answered as they expect"))?;
    }
    Ok(())
}

fn counts(campus: &Campus, taps: usize) -> Counts {
    let tables = &campus.tables;
    let in_state = |state| tables.cards.values().filter(|card| card.state == state).count();
    Counts {
        units: tables.units.len(),
        buildings: tables.buildings.len(),
        doors: tables.doors.len(),
        agents: tables.buildings.values().map(|building| &building.agent).collect::<BTreeSet<_>>().len(),
        people: tables.people.len(),
        affiliations: tables.people.values().map(|person| person.affiliations.len()).sum(),
        cards: tables.cards.len(),
        cards_produced: in_state(CardState::Produced),
        cards_active: in_state(CardState::Active),
        cards_suspended: in_state(CardState::Suspended),
        cards_closed: in_state(CardState::Closed),
        grants: tables.grants.len(),
        rules: campus.policy.rules.len(),
        taps,
    }
}

fn tell_problems(folder: &CampusFolder, problems: &[Problem], out: &mut Output) -> anyhow::Result<()> {
    if out.is_json() {
        let problems: Vec<_> = problems
            .iter()
            .map(|Problem { file, line, column, message }| {
                json!({ "file": file, "line": line, "column": column, "message": message })
            })
            .collect();
        out.json(&json!({ "problems": problems }))?;
        return Ok(());
    }
    folder.placed(problems).iter().try_for_each(|problem| out.line(problem))?;
    out.finish()?;
    note(&plural(problems.len(), "problem"));
    Ok(())
}
