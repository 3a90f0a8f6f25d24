//! `doorward-agent status`: asks a running agent how it is.

use crate::socket::client::{ask, socket_in};
use crate::socket::line::{Status, status_line, to_line};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ask a running agent how it is: commit, connection, clock, leases, unsent records, last alarms.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The agent's data directory, when its socket is there.
    #[arg(long, value_name = "DIR", env = "DOORWARD_AGENT_DATA", required_unless_present = "socket")]
    data: Option<PathBuf>,
    /// The agent's socket.
    #[arg(long, value_name = "PATH", conflicts_with = "data")]
    socket: Option<PathBuf>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let socket = match (arguments.socket, arguments.data) {
        (Some(socket), _) => socket,
        (None, data) => socket_in(&data.context("give --data DIR or --socket PATH")?),
    };
    let status: Status = ask(&socket, status_line())?;
    super::print(&if arguments.json { to_line(&status) } else { in_words(&status)? })?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(status: &Status) -> Result<String> {
    let mut text = String::new();
    let none = "none; every tap is denied until a state comes";
    writeln!(text, "agent        {} of campus {}, version {}", status.agent, status.campus, status.software)?;
    writeln!(text, "commit       {}", status.position.as_deref().unwrap_or(none))?;
    writeln!(text, "connected    {}", status.connected_to.as_deref().unwrap_or("no"))?;
    let clock = if status.clock_trusted { "trusted" } else { "not trusted; every tap is denied" };
    writeln!(text, "clock        {}, {clock}", status.at)?;
    writeln!(text, "certificate  until {}", status.certificate_until.as_deref().unwrap_or("unknown"))?;
    writeln!(text, "records      {} not acknowledged yet", status.unsent_records)?;
    for door in &status.doors {
        let lease = match (&door.lease_ends, door.lease_left_ms) {
            (Some(ends), Some(left_ms)) if left_ms > 0 => format!("lease until {ends}, {} left", duration(left_ms)),
            (Some(ends), _) => format!("lease ended {ends}"),
            (None, _) => "lease without end".to_owned(),
        };
        let lockdown = if door.lockdown { ", locked down" } else { "" };
        writeln!(text, "door         {}: {lease}{lockdown}", door.door)?;
    }
    for alarm in &status.alarms {
        let times = if alarm.times > 1 { format!(" ({} times)", alarm.times) } else { String::new() };
        writeln!(text, "alarm        {} {}{times}", alarm.at, alarm.text)?;
    }
    Ok(text)
}

/// The two largest units of a duration.
fn duration(ms: i64) -> String {
    let (minutes, hours, days) = (ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", ms / 1_000),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_its_two_largest_units() {
        let texts = [999, 61_000, 3_660_000, 90_000_000].map(duration);
        assert_eq!(texts, ["0 s", "1 min", "1 h 1 min", "1 d 1 h"]);
    }
}
