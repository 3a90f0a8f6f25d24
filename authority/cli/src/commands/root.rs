//! `doorward root`: what needs the campus's root keys, which are offline otherwise.
//!
//! Works on a data directory on which no server runs.

use crate::args::root_keys;
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::Output;
use clap::{Args, Subcommand};
use doorward_server::epoch::{EpochOptions, EpochReport, new_epoch};
use doorward_server::init::InitOptions;
use doorward_server::paths::Layout;
use serde_json::json;
use std::path::PathBuf;

/// Use the campus's root keys: begin a new epoch after a restore or a theft
#[derive(Debug, Args)]
pub struct Root {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Begin a new epoch, after the authority was restored from a backup or a key was stolen
    ///
    /// Agents never go back to an older commit, so they refuse an authority that lost what they have seen. A new epoch, signed
    /// with the root keys, tells them that this history goes on where it says. What was changed after the backup is lost:
    /// suspend again what was suspended since. Needs a stopped server.
    ///
    /// When the signing key was stolen, replace it with --new-signing-key: an agent believes the old one no more as soon as it
    /// has heard of the epoch. When root keys were stolen, but fewer than must sign together, replace all of them with
    /// --new-root-keys. root.pub stays as it is, and so does what was proven under it.
    #[command(after_help = "Examples:\n  \
        doorward root new-epoch --data authority --root-key usb/root-1.key\n  \
        doorward root new-epoch --data authority --root-key usb/root-1.key --new-signing-key")]
    NewEpoch(NewEpoch),
}

#[derive(Debug, Args)]
struct NewEpoch {
    /// A root key that `doorward init` made; repeat it until as many are given as must sign together
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    root_key: Vec<PathBuf>,
    /// Replace the key that signs commits
    #[arg(long)]
    new_signing_key: bool,
    /// Replace the root keys by so many new ones
    #[arg(long, value_name = "N", value_parser = root_keys())]
    new_root_keys: Option<u8>,
    /// How many of the new root keys must sign together
    #[arg(long, value_name = "K", requires = "new_root_keys", default_value_t = 1, value_parser = root_keys())]
    new_root_threshold: u8,
}

impl Root {
    /// Runs the command.
    ///
    /// # Errors
    /// When the keys do not suffice, or the directory cannot be used.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let Action::NewEpoch(line) = self.action;
        let NewEpoch { root_key, new_signing_key, new_root_keys, new_root_threshold: threshold } = line;
        if new_root_keys.is_some_and(|keys| threshold > keys) {
            let failure = "--new-root-threshold is greater than --new-root-keys: so many could never sign";
            return Err(Failure::usage(failure).into());
        }
        let replace_root = new_root_keys.map(|root_keys| InitOptions { root_keys, threshold });
        let replaced = EpochOptions { replace_signing_key: new_signing_key, replace_root };
        let EpochReport { epoch, root_keys } = new_epoch(&Layout::new(options.data_directory()?), &root_key, replaced)?;
        if out.is_json() {
            out.json(&json!({ "epoch": epoch, "root_keys": root_keys }))?;
            return Ok(Exit::Done);
        }
        for file in root_keys {
            out.line(&format!("  root key  {}: TAKE IT OFFLINE, and delete it here", file.display()))?;
        }
        out.line(&format!("epoch {epoch} begins when the server starts; take the root keys offline again"))?;
        Ok(Exit::Done)
    }
}
