//! `doorward evidence`: the certificate of a removal, to be kept and checked anywhere.
//!
//! Checking it is `doorward verify`, which needs no server.

use crate::client::Client;
use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use crate::progress::keep;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Write the evidence of a suspension, closing or lockdown to a file
///
/// Changes nothing at the authority. Asked again later it proves more, because agents that were cut off have confirmed
/// since; an older evidence file of the same name is replaced, and no other file is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward evidence 14 --out lost-card.evidence")]
pub struct Evidence {
    /// Number of the journal's entry, as the removal and `doorward journal` say it
    seq: u64,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Evidence {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such evidence, or the file cannot be written.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        keep(&Client::of(options)?, self.seq, &self.out)?;
        let file = self.out.display().to_string();
        if out.is_json() {
            out.json(&json!({ "seq": self.seq, "file": file }))?;
        } else {
            out.line(&format!(
                "{file} proves entry {}: check it with `doorward verify {file} --root ROOT.pub`",
                self.seq
            ))?;
        }
        Ok(Exit::Done)
    }
}
