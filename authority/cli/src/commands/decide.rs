//! `doorward decide`: what doors would answer to taps, from a campus folder alone.
//!
//! The production path of compile and the edge's own decision; nothing of a server's journal is in the answers.

use crate::commands::check::difference;
use crate::failure::{Exit, Failure};
use crate::files::{CampusFolder, TAPS_BYTES_MAX, read};
use crate::output::{Output, note, plural};
use clap::Args;
use doorward_policy::folder::parse;
use doorward_policy::model::Campus;
use doorward_policy::taps::{TapsError, decide_taps};
use doorward_protocol::decide::Reason;
use doorward_protocol::problem::Problem;
use doorward_protocol::taps::{TapQuestion, answer_line, answers_header, read_taps};
use serde_json::json;
use std::path::PathBuf;

/// Answer taps from a campus folder, as its doors would
///
/// Changes nothing and needs no server. The taps are a table with the columns at, door_id, card_id and, if wanted,
/// factors, expect and reason. The answers are CSV with the columns at, door_id, card_id, factors, decision and reason,
/// in the order asked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    doorward decide deploy/campuses/jnu deploy/campuses/jnu/taps.csv\n  \
    doorward decide --verify deploy/campuses/jnu deploy/campuses/jnu/taps.csv")]
pub struct Decide {
    /// Folder with campus.toml and its tables
    campus: PathBuf,
    /// Table of taps
    taps: PathBuf,
    /// Print only the answers that differ from the columns expect and reason, and exit with 1 if there are any
    #[arg(long)]
    verify: bool,
}

impl Decide {
    /// Runs the command.
    ///
    /// # Errors
    /// When the folder or the taps are wrong.
    pub fn run(self, out: &mut Output) -> anyhow::Result<Exit> {
        let name = self.taps.display().to_string();
        let folder = CampusFolder::read(&self.campus)?;
        let bytes = read(&self.taps, TAPS_BYTES_MAX)?;
        let campus =
            parse(&folder.files).map_err(|problems| refused(folder.placed(&problems), "the campus folder is wrong"))?;
        let taps = read_taps(&name, &bytes).map_err(|problems| refused(texts(&problems), "the taps are wrong"))?;
        let answers = answers(&campus, &name, &taps)?;
        if self.verify { verified(&name, &taps, &answers, out) } else { told(&taps, &answers, out) }
    }
}

fn answers(campus: &Campus, name: &str, taps: &[TapQuestion]) -> Result<Vec<Reason>, Failure> {
    decide_taps(campus, name, taps).map_err(|error| match error {
        TapsError::UnknownDoors(problems) => refused(texts(&problems), "the taps are wrong"),
        TapsError::Refused(_) | TapsError::Compile(_) => Failure::new(error),
    })
}

fn texts(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// Standard output is for answers, and there are none: problems go where errors go.
fn refused(problems: Vec<String>, what: &str) -> Failure {
    Failure::new(format!("{what}: {}", plural(problems.len(), "problem"))).details(problems)
}

fn told(taps: &[TapQuestion], answers: &[Reason], out: &mut Output) -> anyhow::Result<Exit> {
    if !out.is_json() {
        out.text(answers_header())?;
    }
    for (tap, answer) in taps.iter().zip(answers) {
        if out.is_json() {
            out.json(&as_json(tap, *answer))?;
        } else {
            out.text(&answer_line(tap, *answer))?;
        }
    }
    Ok(Exit::Done)
}

fn verified(name: &str, taps: &[TapQuestion], answers: &[Reason], out: &mut Output) -> anyhow::Result<Exit> {
    let expecting = taps.iter().filter(|tap| tap.expect.is_some() || tap.reason.is_some()).count();
    if expecting == 0 {
        let failure = Failure::new(format!("no tap in {name} expects anything"));
        return Err(failure.hint("fill the columns expect (grant or deny) and reason").into());
    }
    let differing: Vec<_> = taps.iter().zip(answers).filter(|(tap, answer)| !tap.is_met_by(**answer)).collect();
    if out.is_json() {
        let differing: Vec<_> = differing
            .iter()
            .map(|(tap, answer)| {
                json!({ "line": tap.line, "expect": tap.expect, "expect_reason": tap.reason, "answer": as_json(tap, **answer) })
            })
            .collect();
        out.json(&json!({ "taps": taps.len(), "expecting": expecting, "differing": differing }))?;
    } else {
        for (tap, answer) in &differing {
            out.line(&format!("{name}:{}: {}, at {}", tap.line, difference(tap, **answer), tap.at_text))?;
        }
        out.finish()?;
        let met = expecting - differing.len();
        note(&format!("{met} of {expecting} taps are answered as they expect"));
    }
    Ok(if differing.is_empty() { Exit::Done } else { Exit::No })
}

fn as_json(tap: &TapQuestion, answer: Reason) -> serde_json::Value {
    json!({
        "at": tap.at_text,
        "door_id": tap.door,
        "card_id": tap.card,
        "factors": tap.factors_text,
        "decision": answer.decision(),
        "reason": answer.as_str(),
    })
}
