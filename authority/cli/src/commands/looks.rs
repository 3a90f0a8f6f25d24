//! `doorward looks`: who asked about whom.
//!
//! What is asked about cards, people, doors and the log is kept before it is answered; so is what the owner asks.

use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use clap::Args;
use doorward_server::http::shapes::office::{LookView, Looks as Shape};

/// Show who looked at whose cards, rights and records
///
/// Changes nothing. Shows the newest looks, oldest of them first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  doorward looks --about \"person 230004\"\n  doorward looks --by kim --limit 20")]
pub struct Looks {
    /// Only at this, such as \"card CARD1\", \"person 230004\" or \"door sci-main\"
    #[arg(long, value_name = "WHAT")]
    about: Option<String>,
    /// Only by this operator
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// How many to show
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
}

impl Looks {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let query = [("about", self.about), ("by", self.by), ("limit", Some(self.limit.to_string()))];
        let answer: Answer<Shape> = Client::of(options)?.ask("/v1/looks", &query)?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        if out.is_sheet() {
            let looks = answer.value.looks.into_iter();
            let rows = looks.map(|look| vec![look.id.to_string(), look.at.text, look.actor, look.question, look.about]);
            out.table(&["LOOK", "AT", "WHO", "QUESTION", "ABOUT"], &rows.collect::<Vec<_>>())?;
            return Ok(Exit::Done);
        }
        for LookView { id, at, actor, question, about } in &answer.value.looks {
            out.line(&format!("{id:>6}  {}  {actor}: {question}, {about}", at.text))?;
        }
        if answer.value.looks.is_empty() {
            note("nobody looked at that");
        }
        Ok(Exit::Done)
    }
}
