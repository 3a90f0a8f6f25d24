//! `doorward agent`: which agents may join, which have, and how they are.
//!
//! Joining itself is `doorward-agent join`, on the machine in the building.

use crate::args::duration_above_zero;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::{Output, note, plural};
use clap::{Args, Subcommand};
use doorward_protocol::id::AgentId;
use doorward_server::http::shapes::{AgentView, Agents, Change, Invitation, Status, When};
use serde_json::json;
use std::time::Duration;

/// Let an agent join, strike one off, or see how all of them are
#[derive(Debug, Args)]
pub struct Agent {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a one-time token with which an agent may join
    ///
    /// Changes the list of agents. The token is the only line on standard output; carry it to the machine in the building
    /// and give it to `doorward-agent join`. It works once, until it expires, and names the campus's root key, so that the
    /// agent knows whom it joins. An agent that is added again must join again.
    #[command(after_help = "Example:\n  doorward agent add agent-sci --valid 1h")]
    Add(Add),
    /// Strike an agent off at once, its connection included
    ///
    /// Changes the list of agents: its key is worth nothing from now on. Its doors go on by what it knows until their
    /// leases end, because it can no longer be told anything.
    #[command(after_help = "Example:\n  doorward agent remove agent-sci")]
    Remove(Remove),
    /// Show for each agent whether it is connected and up to date
    ///
    /// Changes nothing. BEHIND counts entries of the journal that the agent has not confirmed; LEASE LEFT is how long the
    /// first of its doors goes on deciding if no further word comes; UNSENT are access records that are still on their way.
    #[command(after_help = "Example:\n  doorward agent list")]
    List,
}

#[derive(Debug, Args)]
struct Add {
    /// Which agent, as buildings.csv names it
    id: AgentId,
    /// How long the token may be used
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration_above_zero)]
    valid: Duration,
}

#[derive(Debug, Args)]
struct Remove {
    /// Which agent
    id: AgentId,
}

impl Agent {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        match self.action {
            Action::Add(add) => add.run(options, out),
            Action::Remove(Remove { id }) => {
                let change: Answer<Change> = Client::of(options)?.remove(&format!("/v1/agents/{id}"))?;
                if out.is_json() {
                    out.json(&change.raw)?;
                } else {
                    out.line(&format!("agent {id} is struck off: entry {} of the journal", change.value.seq))?;
                }
                Ok(Exit::Done)
            }
            Action::List => list(options, out),
        }
    }
}

impl Add {
    fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let seconds = self.valid.as_secs();
        let is_whole = seconds.is_multiple_of(60) && self.valid.subsec_nanos() == 0;
        let Some(minutes) = u32::try_from(seconds / 60).ok().filter(|_| is_whole) else {
            return Err(Failure::usage("--valid is counted in whole minutes").hint("such as 30m, 24h or 7d").into());
        };
        let body = json!({ "id": self.id, "valid_minutes": minutes });
        let invited: Answer<Invitation> = Client::of(options)?.change("/v1/agents", &body)?;
        if out.is_json() {
            out.json(&invited.raw)?;
            return Ok(Exit::Done);
        }
        let Invitation { id, token, expires_at, .. } = invited.value;
        out.live_line(&token.to_string())?;
        note(&format!("agent {id} may join once with this token, before {}:", expires_at.text));
        note("doorward-agent join TOKEN --data DIR");
        Ok(Exit::Done)
    }
}

fn list(options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
    let client = Client::of(options)?;
    let answer: Answer<Agents> = client.ask("/v1/agents", &[])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(Exit::Done);
    }
    let agents = answer.value.agents;
    // What is left of a lease counts by the authority's clock, not by this machine's.
    let status: Answer<Status> = client.ask("/v1/status", &[])?;
    let header =
        ["AGENT", "STATE", "CONNECTED", "BEHIND", "LEASE LEFT", "UNSENT", "OLDEST UNSENT", "DOORS", "BUILDINGS"];
    let rows: Vec<Vec<String>> = agents.iter().map(|agent| row(agent, &status.value.now)).collect();
    out.table(&header, &rows)?;
    let connected = agents.iter().filter(|agent| agent.connected).count();
    out.finish()?;
    note(&format!("{connected} of {} connected", plural(agents.len(), "agent")));
    Ok(Exit::Done)
}

fn row(agent: &AgentView, now: &When) -> Vec<String> {
    let unknown = || "-".to_owned();
    let connected = match (agent.connected, &agent.heard_at) {
        (true, _) => "yes".to_owned(),
        (false, Some(heard)) => format!("no, heard {} ago", span(now.ms.saturating_sub(heard.ms))),
        (false, None) => "no".to_owned(),
    };
    let has_joined = agent.position.is_some();
    let lease = agent.lease_ends_at.as_ref().map(|ends| match ends.ms.saturating_sub(now.ms) {
        left if left > 0 => span(left),
        over => format!("ended {} ago", span(over.saturating_neg())),
    });
    vec![
        agent.id.to_string(),
        agent.state.to_string(),
        connected,
        agent.behind.map_or_else(unknown, |behind| behind.to_string()),
        lease.unwrap_or_else(|| if has_joined { "no end".to_owned() } else { unknown() }),
        agent.unsent.map_or_else(unknown, |unsent| unsent.to_string()),
        agent.oldest_unsent_at.as_ref().map_or_else(unknown, |at| at.text.to_string()),
        agent.doors.to_string(),
        agent.buildings.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    ]
}

/// A length of time in its two largest units.
fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_told_in_its_two_largest_units() {
        assert_eq!(
            [0, 59_999, 60_000, 3_599_000, 7_260_000, 2_592_000_000, -5].map(span),
            ["0s", "59s", "1m 0s", "59m 59s", "2h 1m", "30d 0h", "0s"]
        );
    }
}
