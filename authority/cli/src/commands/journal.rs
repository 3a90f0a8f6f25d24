//! `doorward journal`: who changed what and when, entry by entry.
//!
//! The journal is what the authority acts on, so nothing that changed is missing from it.

use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use clap::Args;
use doorward_server::http::shapes::JournalLine;

/// Show who changed what and when
///
/// Changes nothing. Shows the newest entries, oldest of them first; with --since, entries from that one on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  doorward journal\n  doorward journal --since 14 --limit 20 --json")]
pub struct Journal {
    /// Begin with this entry
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    since: Option<u64>,
    /// How many entries to show
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
}

impl Journal {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        let query = [("from", self.since.map(|seq| seq.to_string())), ("limit", Some(self.limit.to_string()))];
        let mut entries = client.lines("/v1/journal", &query)?;
        let mut rows = Vec::new();
        while let Some(raw) = entries.next()? {
            let entry: Answer<JournalLine> = Answer::of(raw)?;
            if out.is_json() {
                out.json(&entry.raw)?;
            } else if out.is_sheet() {
                let JournalLine { seq, at, actor, command, summary, .. } = entry.value;
                rows.push(vec![seq.to_string(), at.text, actor, command, summary]);
            } else {
                let JournalLine { seq, at, actor, summary, .. } = entry.value;
                out.line(&format!("{seq:>6}  {}  {actor}: {summary}", at.text))?;
            }
        }
        if out.is_sheet() {
            out.table(&["ENTRY", "AT", "WHO", "COMMAND", "WHAT"], &rows)?;
        }
        Ok(Exit::Done)
    }
}
