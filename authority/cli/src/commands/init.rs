//! `doorward init`: a new authority for a campus, with keys of its own.
//!
//! Happens once in the life of a campus; newer folders come by `doorward import`.

use crate::args::root_keys;
use crate::failure::{Exit, Failure};
use crate::files::CampusFolder;
use crate::options::Options;
use crate::output::Output;
use clap::Args;
use doorward_policy::folder::parse;
use doorward_protocol::problem::Problem;
use doorward_server::init::{InitOptions, InitReport, init};
use doorward_server::paths::Layout;
use serde_json::json;
use std::path::PathBuf;

/// Make an authority for a campus: journal, keys, certificates and token
///
/// Changes nothing but the data directory, and refuses one that holds an authority already. Root keys are written apart:
/// take them offline, because they are needed only to name new signing keys, and who has them can forge the campus.
/// root.pub is public: agents join by it, and `doorward verify` checks evidence with it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward init --data authority --campus deploy/campuses/jnu")]
pub struct Init {
    /// Folder with campus.toml and its tables
    #[arg(long)]
    campus: PathBuf,
    /// How many root keys to make, each to be kept in another place
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = root_keys())]
    root_keys: u8,
    /// How many of the root keys must sign together
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = root_keys())]
    root_threshold: u8,
}

impl Init {
    /// Runs the command.
    ///
    /// # Errors
    /// When the campus is wrong, or the directory cannot be used.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let data = options.data_directory()?;
        if self.root_threshold > self.root_keys {
            return Err(Failure::usage("--root-threshold is greater than --root-keys: so many could never sign").into());
        }
        let folder = CampusFolder::read(&self.campus)?;
        folder.note_others();
        let campus = parse(&folder.files).map_err(|problems| refused(&folder, &problems))?;
        let options = InitOptions { root_keys: self.root_keys, threshold: self.root_threshold };
        let report = init(&Layout::new(&data), &campus, options)?;
        let InitReport { root, root_keys, root_public, head } = report;
        if out.is_json() {
            let (root, head) = (root.to_string(), head);
            out.json(&json!({ "data": data, "root": root, "root_keys": root_keys, "root_public": root_public, "head": head }))?;
            return Ok(Exit::Done);
        }
        let data = data.display();
        out.line(&format!("{data} is the authority of {} ({})", campus.policy.name, campus.policy.campus))?;
        out.line(&format!("  root         {root}"))?;
        out.line(&format!("  public root  {}: give it to whoever checks evidence", root_public.display()))?;
        for file in root_keys {
            out.line(&format!("  root key     {}: TAKE IT OFFLINE, and delete it here", file.display()))?;
        }
        out.line(&format!("start it with `doorward serve --data {data}`"))?;
        Ok(Exit::Done)
    }
}

fn refused(folder: &CampusFolder, problems: &[Problem]) -> Failure {
    let place = folder.path.display();
    Failure::new(format!("no authority can be made for {place}, and nothing was made: see the problems above"))
        .details(folder.placed(problems))
}
