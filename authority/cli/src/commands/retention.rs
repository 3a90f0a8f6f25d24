//! `doorward retention`: how long what is known of people is kept, and what was removed.
//!
//! Removes nothing itself: a server does, at its start and daily, by what `campus.toml` says.

use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use clap::Args;
use doorward_server::http::shapes::retention::{Kept, RetentionView};

/// Show how long what is known of people is kept, and what was removed
///
/// Changes nothing. `[retention]` of campus.toml says how long; a server removes what is older when it starts, and daily.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  doorward retention\n  doorward retention --dry-run")]
pub struct Retention {
    /// Count what the next run would remove now
    #[arg(long)]
    dry_run: bool,
}

impl Retention {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let query = [("count", self.dry_run.then(|| "true".to_owned()))];
        let answer: Answer<RetentionView> = Client::of(options)?.ask("/v1/retention", &query)?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        let RetentionView { kinds, last_at, next_at, beginnings } = answer.value;
        if out.is_sheet() {
            let rows = kinds.into_iter().map(|Kept { kind, kept_for, removed, due, .. }| {
                let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
                vec![kind, kept_for.unwrap_or_default(), count(removed), count(due)]
            });
            out.table(&["KIND", "KEPT", "REMOVED", "DUE"], &rows.collect::<Vec<_>>())?;
            return Ok(Exit::Done);
        }
        for kept in kinds {
            out.line(&line(&kept))?;
        }
        for from in beginnings {
            let (agent, up_to, count) = (from.agent, from.up_to, from.count);
            out.line(&format!(
                "the log of {agent} is kept after its record {up_to} ({count} were removed, none is missing)"
            ))?;
        }
        match (last_at, next_at) {
            (Some(last), Some(next)) => note(&format!("the last run was {}; the next is {}", last.text, next.text)),
            (_, _) => note("the first run has not ended yet"),
        }
        Ok(Exit::Done)
    }
}

fn line(Kept { kind, words, kept_for, removed, failed, due }: &Kept) -> String {
    let kept = match (kept_for, kind.as_str()) {
        (Some(span), _) => format!("kept {span}"),
        (None, "unnamed_photos") => "kept an hour".to_owned(),
        (None, _) => "kept without end".to_owned(),
    };
    let removed = removed.map(|removed| format!("; {removed} removed by the last run")).unwrap_or_default();
    let failed = failed.as_ref().map(|why| format!(", which then FAILED: {why}")).unwrap_or_default();
    let due = due.map(|due| format!("; {due} would be removed now")).unwrap_or_default();
    format!("{kind}: {kept} ({words}){removed}{failed}{due}")
}
