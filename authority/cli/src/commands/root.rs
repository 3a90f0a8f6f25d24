//! `doorward root`: what needs the campus's root keys, which are offline otherwise.
//!
//! Works on a data directory on which no server runs.

use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use clap::{Args, Subcommand};
use doorward_server::init::new_epoch;
use doorward_server::paths::Layout;
use serde_json::json;
use std::path::PathBuf;

/// Use the campus's root keys: begin a new epoch after a restore
#[derive(Debug, Args)]
pub struct Root {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Begin a new epoch, after the authority was restored from a backup
    ///
    /// Agents never go back to an older commit, so they refuse an authority that lost what they have seen. A new epoch, signed
    /// with the root keys, tells them that this history goes on where it says. What was changed after the backup is lost:
    /// suspend again what was suspended since. Needs a stopped server.
    #[command(after_help = "Example:\n  doorward root new-epoch --data authority --root-key usb/root-1.key")]
    NewEpoch(NewEpoch),
}

#[derive(Debug, Args)]
struct NewEpoch {
    /// A root key that `doorward init` made; repeat it until as many are given as must sign together
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    root_key: Vec<PathBuf>,
}

impl Root {
    /// Runs the command.
    ///
    /// # Errors
    /// When the keys do not suffice, or the directory cannot be used.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let Action::NewEpoch(NewEpoch { root_key }) = self.action;
        let epoch = new_epoch(&Layout::new(options.data_directory()?), &root_key)?;
        if out.is_json() {
            out.json(&json!({ "epoch": epoch }))?;
        } else {
            out.line(&format!("epoch {epoch} begins when the server starts; take the root keys offline again"))?;
        }
        Ok(Exit::Done)
    }
}
