//! `doorward alarms`: what somebody should look at, and that somebody has.
//!
//! Alarms come from agents and from the authority itself; `doorward log --follow` shows them as they come.

use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use clap::Args;
use doorward_server::http::shapes::{Acknowledged, AlarmView, Alarms as Shape};
use serde_json::json;

/// Show what needs attention, such as a suspended card that was tapped
///
/// A gap in an agent's records and a clock that is wrong are alarms, too. Changes nothing; with --acknowledge, it records that somebody has seen to one alarm, which is then no longer open.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  doorward alarms\n  doorward alarms --acknowledge 3")]
pub struct Alarms {
    /// Show acknowledged alarms, too
    #[arg(long)]
    all: bool,
    /// How many alarms to show
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Acknowledge the alarm with this number
    #[arg(long, value_name = "ID", conflicts_with_all = ["all", "limit"])]
    acknowledge: Option<u64>,
}

impl Alarms {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority does not answer, or knows no such alarm.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        if let Some(id) = self.acknowledge {
            let answer: Answer<Acknowledged> = client.change(&format!("/v1/alarms/{id}/acknowledge"), &json!({}))?;
            if out.is_json() {
                out.json(&answer.raw)?;
            } else {
                out.line(&format!("alarm {id} is acknowledged"))?;
            }
            return Ok(Exit::Done);
        }
        let open = if self.all { None } else { Some("true".to_owned()) };
        let answer: Answer<Shape> =
            client.ask("/v1/alarms", &[("limit", Some(self.limit.to_string())), ("open", open)])?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        if out.is_sheet() {
            let alarms = answer.value.alarms.into_iter();
            let rows = alarms.map(|alarm| {
                let (agent, seen) = (alarm.agent.unwrap_or_default(), if alarm.acknowledged { "yes" } else { "no" });
                vec![alarm.id.to_string(), alarm.at.text, alarm.kind, agent, alarm.text, seen.to_owned()]
            });
            out.table(&["ALARM", "AT", "KIND", "AGENT", "WHAT", "ACKNOWLEDGED"], &rows.collect::<Vec<_>>())?;
            return Ok(Exit::Done);
        }
        for AlarmView { id, at, kind, agent, text, acknowledged } in &answer.value.alarms {
            let agent = agent.as_ref().map(|agent| format!(" at {agent}")).unwrap_or_default();
            let seen = if *acknowledged { " (acknowledged)" } else { "" };
            out.line(&format!("{id:>5}  {}  {kind}{agent}: {text}{seen}", at.text))?;
        }
        if answer.value.alarms.is_empty() {
            note(if self.all { "there was no alarm" } else { "no alarm is open" });
        }
        Ok(Exit::Done)
    }
}
