//! `doorward status`: how the authority is, on one page.
//!
//! Each agent by itself is in `doorward agent list`.

use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, plural};
use clap::Args;
use doorward_server::http::shapes::Status as Shape;

/// Show how the authority is, and what needs attention
///
/// Changes nothing. Each agent by itself is in `doorward agent list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward status")]
pub struct Status {}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let status: Answer<Shape> = Client::of(options)?.ask("/v1/status", &[])?;
        if out.is_json() {
            out.json(&status.raw)?;
            return Ok(Exit::Done);
        }
        let Shape { campus, counts, agents, position, .. } = &status.value;
        let status = &status.value;
        let pulse = status.last_pulse_at.as_ref().map_or_else(|| "none yet".to_owned(), |at| at.text.to_string());
        let lines = [
            ("campus", format!("{} ({}), {}", campus.name, campus.id, campus.time_zone)),
            ("now", status.now.text.to_string()),
            ("commit", format!("entry {} of epoch {}, of {}", position.seq, position.epoch, status.committed_at.text)),
            ("pulse", pulse),
            (
                "agents",
                format!(
                    "{} known, {} enrolled, {} connected, {} behind",
                    agents.known, agents.enrolled, agents.connected, agents.behind
                ),
            ),
            (
                "holds",
                format!(
                    "{} people, {}, {}, {}, {}, {}",
                    counts.people,
                    plural(counts.cards, "card"),
                    plural(counts.buildings, "building"),
                    plural(counts.doors, "door"),
                    plural(counts.grants, "grant"),
                    counts.records.to_string() + if counts.records == 1 { " record" } else { " records" },
                ),
            ),
            ("for agents", format!("QUIC at {}", status.quic)),
            ("root", status.root.to_string()),
            ("software", status.software.to_string()),
        ];
        for (name, value) in lines {
            out.line(&format!("{name:<12}{value}"))?;
        }
        for scope in &status.lockdowns {
            out.line(&format!("{:<12}{scope}", "LOCKED DOWN"))?;
        }
        if status.alarms_open > 0 {
            out.line(&format!("{:<12}{} open: see `doorward alarms`", "ALARMS", status.alarms_open))?;
        }
        for receiver in &status.receivers {
            let waiting = plural(usize::try_from(receiver.waiting).unwrap_or(usize::MAX), "event");
            let state = match (&receiver.failing_since, &receiver.error) {
                (Some(since), Some(error)) => format!("takes nothing since {}: {error}; {waiting} wait", since.text),
                _ => format!("is told of events; {waiting} wait"),
            };
            out.line(&format!("{:<12}{} {state}", "receiver", receiver.name))?;
        }
        for warning in &status.warnings {
            out.line(&format!("{:<12}{warning}", "WARNING"))?;
        }
        Ok(Exit::Done)
    }
}
