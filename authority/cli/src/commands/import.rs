//! `doorward import`: a newer campus folder, as a difference that is shown before it is anything.
//!
//! The plan that a dry run prints is the one that the authority executes; it is made there, not here.

use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::files::CampusFolder;
use crate::options::Options;
use crate::output::{Output, Progress, plural};
use clap::Args;
use doorward_policy::folder::parse;
use doorward_protocol::problem::Problem;
use doorward_server::http::shapes::{ImportLine, ImportResult};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Bring a newer campus folder into force
///
/// Changes people, cards, doors, rules and grants to what the folder says. A folder that changes thousands of rows comes in
/// several entries of the journal, so that a suspension waits for one of them at most: first what changes for those who are here, together, then
/// those who are new. Should it break off, import the folder again. Cards that were suspended or closed here stay so. People whom the folder does not name any more have left, and stay on record. The plan says who gains and loses what, building by building. A folder that takes away more
/// than a tenth of the people or of the rights is refused, because it is more likely a bad export than a bad day.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward import deploy/campuses/jnu --dry-run\n  doorward import deploy/campuses/jnu"
)]
pub struct Import {
    /// Folder with campus.toml and its tables
    campus: PathBuf,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Accept a plan that takes away more than a tenth of the people or of the rights
    #[arg(long)]
    allow_removals: bool,
}

impl Import {
    /// Runs the command.
    ///
    /// # Errors
    /// When the folder is wrong, or the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let folder = CampusFolder::read(&self.campus)?;
        folder.note_others();
        // The authority would say the same; here it needs no journey.
        parse(&folder.files).map_err(|problems| wrong(&folder, &problems))?;
        let client = Client::of(options)?;
        let files: BTreeMap<&String, std::borrow::Cow<'_, str>> =
            folder.files.0.iter().map(|(name, bytes)| (name, String::from_utf8_lossy(bytes))).collect();
        let flag = |is_set: bool| Some(is_set.to_string());
        let query = [("dry_run", flag(self.dry_run)), ("allow_removals", flag(self.allow_removals))];
        let mut lines = client.change_in_steps("/v1/import", &query, &json!({ "files": files }))?;
        let mut progress = Progress::begin();
        while let Some(raw) = lines.next().inspect_err(|_| progress.end())? {
            let line: Answer<ImportLine> = Answer::of(raw)?;
            if out.is_json() {
                out.json(&line.raw)?;
            }
            match line.value {
                ImportLine::Progress(step) => {
                    progress.tell(&format!(
                        "step {} of {}: {} {}",
                        step.done.saturating_add(1),
                        step.total,
                        step.stage,
                        step.detail
                    ));
                }
                ImportLine::Plan(plan) => {
                    progress.end();
                    if !out.is_json() {
                        plan.to_string().lines().try_for_each(|line| out.live_line(line))?;
                    }
                }
                ImportLine::Fault(fault) => {
                    let failure = Failure::new(fault.error);
                    return Err(fault.hint.into_iter().fold(failure, Failure::hint).into());
                }
                ImportLine::Result(result) => {
                    progress.end();
                    if !out.is_json() {
                        out.line("")?;
                        out.line(&sentence(&result))?;
                    }
                    return Ok(Exit::Done);
                }
            }
        }
        progress.end();
        Err(Failure::new("the authority's answer broke off before the import was done")
            .hint("whether it was stored is not known: see `doorward journal`")
            .into())
    }
}

fn wrong(folder: &CampusFolder, problems: &[Problem]) -> Failure {
    let (count, place) = (plural(problems.len(), "problem"), folder.path.display());
    Failure::new(format!("{place} cannot be imported: {count}; nothing is changed")).details(folder.placed(problems))
}

fn sentence(result: &ImportResult) -> String {
    match (result.changed, result.dry_run, result.seq) {
        (false, ..) => "nothing is different; nothing is changed".to_owned(),
        (true, true, _) if result.needs_allow_removals => {
            "this is only the plan; it takes away so much that it needs --allow-removals".to_owned()
        }
        (true, true, _) => "this is only the plan; nothing is changed".to_owned(),
        (true, false, seq) => {
            let seq = seq.map(|seq| format!(": with entry {seq} of the journal")).unwrap_or_default();
            format!("imported{seq}; it changes what {} must know", plural(result.agents.len(), "joined agent"))
        }
    }
}
