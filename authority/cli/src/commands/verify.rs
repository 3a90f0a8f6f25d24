//! `doorward verify`: what an evidence file proves, of a revocation or of two histories, checked with the campus root and
//! nothing else.
//!
//! Deliberately without a server or data directory: whoever doubts a revocation can run this anywhere.

use crate::failure::{Exit, Failure};
use crate::files::{read, read_small_text};
use crate::output::Output;
use clap::Args;
use doorward_policy::zone::{canonical_name, format_local, zone};
use doorward_protocol::evidence::{DoorState, EvidenceError, FILE_MAGIC, Finding, verify};
use doorward_protocol::fork;
use doorward_protocol::limits::FRAME_BYTES_MAX;
use doorward_protocol::time::{UnixMs, Zone};
use doorward_protocol::trust::Root;
use serde_json::json;
use std::path::PathBuf;

/// Check evidence, and say what it proves and what it does not
///
/// Evidence of a revocation is written by the authority; evidence that the campus's keys have signed two histories, by the
/// agent that saw both.
///
/// Changes nothing and needs no server: the file and the campus's public root key suffice. A file in which any byte is
/// changed proves nothing and is refused. Exit code 0 means that the file is genuine; read what it proves, because a
/// genuine file can say of a door that it had not confirmed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward verify lost-card.evidence --root root.pub --time-zone Asia/Seoul")]
pub struct Verify {
    /// File that `doorward evidence`, `doorward card suspend --evidence` or an agent wrote
    file: PathBuf,
    /// The campus's public root key: root.pub of the authority's data directory
    #[arg(long, value_name = "ROOT.pub")]
    root: PathBuf,
    /// Show times in this time zone, by its IANA name; in UTC unless given
    #[arg(long, value_name = "NAME", value_parser = known_zone)]
    time_zone: Option<Zone>,
}

impl Verify {
    /// Runs the command.
    ///
    /// # Errors
    /// When a file cannot be read, is no root key, or proves nothing.
    pub fn run(self, out: &mut Output) -> anyhow::Result<Exit> {
        let root = Root::parse(&read_small_text(&self.root)?).map_err(|error| {
            Failure::new(format!("{} is not the public root key of a campus: it {error}", self.root.display()))
                .hint("it is the file root.pub that `doorward init` made")
        })?;
        let bytes_max = u64::try_from(FRAME_BYTES_MAX + FILE_MAGIC.len()).unwrap_or(u64::MAX);
        let file = read(&self.file, bytes_max)?;
        let nothing = |error: EvidenceError| Failure::new(format!("{} proves nothing: {error}", self.file.display()));
        let show = |at: UnixMs| self.time_zone.as_ref().map_or_else(|| at.to_utc_text(), |zone| format_local(at, zone));
        let (json, sentences) = if file.starts_with(fork::FILE_MAGIC) {
            let finding = fork::verify(&file, &root).map_err(nothing)?;
            (fork_as_json(&finding, &show), finding.sentences(show))
        } else {
            let finding = verify(&file, &root).map_err(nothing)?;
            (as_json(&finding, &show), finding.sentences(show))
        };
        if out.is_json() {
            out.json(&json)?;
        } else {
            out.line("This file is genuine: every signature in it leads back to the campus's root key.")?;
            for sentence in sentences {
                out.line(&sentence)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn known_zone(name: &str) -> Result<Zone, String> {
    zone(name).ok_or_else(|| match canonical_name(name) {
        Some(near) => format!("did you mean {near}?"),
        None => "expected an IANA name such as Asia/Seoul".to_owned(),
    })
}

fn as_json(finding: &Finding, show: &dyn Fn(UnixMs) -> String) -> serde_json::Value {
    let doors: Vec<_> = finding
        .doors
        .iter()
        .map(|door| {
            let (state, at) = match door.state {
                DoorState::Closed(at) => ("closed", Some(at)),
                DoorState::UntilLease(at) => ("open-until-lease-ends", Some(at)),
                DoorState::Open => ("open", None),
            };
            json!({ "agent": door.agent, "door": door.door, "state": state, "at": at.map(show) })
        })
        .collect();
    json!({
        "campus": finding.campus,
        "subject": finding.subject,
        "reason": finding.why,
        "ordered_at": show(finding.removal.at),
        "position": { "epoch": finding.removal.position.epoch, "seq": finding.removal.position.seq },
        "written_at": show(finding.at),
        "doors": doors,
        "sentences": finding.sentences(show),
    })
}

fn fork_as_json(finding: &fork::Finding, show: &dyn Fn(UnixMs) -> String) -> serde_json::Value {
    let commits = [&finding.first, &finding.second].map(|claim| {
        let keys: Vec<String> = claim.keys.iter().map(ToString::to_string).collect();
        json!({ "commit": claim.commit.to_string(), "keys": keys, "at": show(claim.at) })
    });
    json!({
        "campus": finding.campus,
        "position": { "epoch": finding.position.epoch, "seq": finding.position.seq },
        "commits": commits,
        "sentences": finding.sentences(show),
    })
}
