//! What became of a change: a line for each agent that confirms it, then where it holds.
//!
//! One form for everything that changes doors, so that whoever has closed one card can read a lockdown, too.

use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::files::{check_writable, write};
use crate::output::{Output, Progress, padded, plural};
use clap::Args;
use doorward_protocol::evidence::FILE_MAGIC;
use doorward_server::http::shapes::{AgentProgress, Change, ProgressLine, Summary, When};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for agents.
#[derive(Debug, Args)]
pub struct Waiting {
    /// How long to wait until agents confirm, such as 500ms or 5s
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = crate::args::wait)]
    pub wait: Duration,
}

/// Where to keep the evidence of a removal.
#[derive(Debug, Args)]
pub struct Keeping {
    /// Write evidence that anyone can check with `doorward verify`
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
}

impl Keeping {
    /// Whether the evidence could be written, asked before anything is changed.
    ///
    /// # Errors
    /// When something else is there.
    pub fn check(&self) -> Result<(), Failure> {
        self.evidence.as_deref().map_or(Ok(()), |file| check_writable(file, is_evidence))
    }
}

fn is_evidence(bytes: &[u8]) -> bool {
    bytes.starts_with(FILE_MAGIC)
}

/// What a change does to doors, which decides its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It takes something away.
    Closes,
    /// It adds something, or gives it back.
    Opens,
}

/// Tells what was changed, follows it to the agents, and says where it holds.
///
/// # Errors
/// When the authority stops answering: the change is stored all the same, and the error says so.
pub fn follow(
    client: &Client,
    change: &Answer<Change>,
    said: &str,
    kind: Kind,
    waiting: &Waiting,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let seq = change.value.seq;
    if !out.is_json() {
        out.live_line(&format!("{said}: entry {seq} of the journal"))?;
    }
    let wait_ms = waiting.wait.as_millis().to_string();
    let mut lines = client
        .lines(&format!("/v1/changes/{seq}/progress"), &[("wait_ms", Some(wait_ms))])
        .map_err(|failure| unknown(seq, &failure))?;
    let mut watch = Watch::of(&change.value, kind);
    while let Some(raw) = lines.next().map_err(|failure| unknown(seq, &failure))? {
        match Answer::of(raw)? {
            Answer { value: ProgressLine::Agent(agent), .. } => {
                if let Some(line) = watch.line(&agent).filter(|_| !out.is_json()) {
                    watch.progress.end();
                    out.live_line(&line)?;
                }
                watch.tell();
            }
            Answer { value: ProgressLine::Summary(summary), raw } => {
                watch.progress.end();
                if out.is_json() {
                    out.json(&with_summary(&change.raw, &raw))?;
                } else {
                    out.live_line(&watch.sentence(&summary))?;
                }
                return Ok(if summary.complete { Exit::Done } else { Exit::NotEverywhere });
            }
        }
    }
    Err(unknown(seq, &Failure::new("the authority's answer broke off")).into())
}

/// Tells of a change that no door has to follow.
///
/// # Errors
/// When the answer cannot be written.
pub fn stored(change: &Answer<Change>, said: &str, out: &mut Output) -> anyhow::Result<()> {
    if out.is_json() {
        out.json(&change.raw)?;
    } else {
        out.line(&format!("{said}: entry {} of the journal", change.value.seq))?;
    }
    Ok(())
}

/// The one document that programs get: the change, and where it holds.
fn with_summary(change: &Value, line: &Value) -> Value {
    let mut document = change.clone();
    if let (Some(fields), Some(line)) = (document.as_object_mut(), line.as_object()) {
        fields.extend(line.clone());
    }
    document
}

fn unknown(seq: u64, failure: &Failure) -> Failure {
    Failure::new(format!("entry {seq} is stored, but where it is in force is not known: {failure}"))
        .hint("`doorward agent list` shows which agents are behind")
}

/// Fetches the evidence of a change and writes it to a file.
///
/// # Errors
/// When there is none, or the file cannot be written.
pub fn keep(client: &Client, seq: u64, file: &Path) -> Result<(), Failure> {
    check_writable(file, is_evidence)?;
    write(file, &client.file(&format!("/v1/changes/{seq}/evidence"))?, is_evidence)
}

/// The agents of one change.
struct Watch {
    kind: Kind,
    agent_width: usize,
    waiting: Vec<String>,
    confirmed: Vec<String>,
    progress: Progress,
}

impl Watch {
    fn of(change: &Change, kind: Kind) -> Self {
        let waiting: Vec<String> = change.agents.iter().map(|agent| agent.agent.to_string()).collect();
        let agent_width = waiting.iter().map(String::len).max().unwrap_or_default().max(12);
        Self { kind, agent_width, waiting, confirmed: Vec::new(), progress: Progress::begin() }
    }

    /// The line of an agent that has confirmed, once.
    fn line(&mut self, agent: &AgentProgress) -> Option<String> {
        let (id, durable_ms) = (agent.agent.to_string(), agent.durable_ms?);
        if self.confirmed.contains(&id) {
            return None;
        }
        self.waiting.retain(|waiting| *waiting != id);
        let doors = plural(agent.doors.len(), "door");
        let done = match self.kind {
            Kind::Closes => format!("closed {doors}"),
            Kind::Opens if agent.doors.is_empty() => "in force".to_owned(),
            Kind::Opens => format!("in force at {doors}"),
        };
        let width = match self.kind {
            Kind::Closes => 16,
            Kind::Opens => 21,
        };
        let line = format!("{}   {}{durable_ms:>5} ms", padded(&id, self.agent_width), padded(&done, width));
        self.confirmed.push(id);
        Some(line)
    }

    fn tell(&mut self) {
        if !self.waiting.is_empty() {
            self.progress.tell(&format!("waiting for {}", self.waiting.join(", ")));
        }
    }

    /// The last line: where the change holds.
    fn sentence(&self, summary: &Summary) -> String {
        let (closed, total, what) = match summary.doors_total {
            0 => (summary.agents_closed, summary.agents_total, "agent"),
            doors => (summary.doors_closed, doors, "door"),
        };
        if total == 0 {
            return match self.kind {
                Kind::Closes => "it concerns no door of an agent that has joined; nothing has to close".to_owned(),
                Kind::Opens => "it concerns no agent that has joined".to_owned(),
            };
        }
        let done = match self.kind {
            Kind::Closes => "closed",
            Kind::Opens => "in force",
        };
        let time = summary.ms.map(|ms| format!(" in {ms} ms")).unwrap_or_default();
        let mut sentence = format!("{done} at {closed} of {}{time}", plural(total, what));
        if !summary.unreachable.is_empty() {
            let names: Vec<String> = summary.unreachable.iter().map(|agent| self.unreachable(agent)).collect();
            sentence.push_str(&format!("; {} unreachable: {}", names.len(), names.join("; ")));
        }
        sentence
    }

    fn unreachable(&self, agent: &AgentProgress) -> String {
        match (self.kind, &agent.lease_ends_at) {
            (Kind::Opens, _) => agent.agent.to_string(),
            (Kind::Closes, Some(when)) => format!("{}, its lease ends {}", agent.agent, whole_minute(when)),
            (Kind::Closes, None) => format!("{}, it has no lease", agent.agent),
        }
    }
}

/// An instant in whole minutes: the first one that is not before it, so that no lease seems to end early.
fn whole_minute(when: &When) -> String {
    let shown = || {
        // The offset stands last, and its sign is the last one.
        let (local, offset) = when.text.split_at_checked(when.text.rfind(['+', '-', 'Z'])?)?;
        let to_go = SignedDuration::from_millis(when.ms.checked_neg()?.rem_euclid(60_000));
        let local: DateTime = local.parse().ok()?;
        Some(format!("{}{offset}", local.checked_add(to_go).ok()?.strftime("%Y-%m-%dT%H:%M")))
    };
    shown().unwrap_or_else(|| when.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn when(text: &str) -> When {
        let ms = doorward_protocol::time::UnixMs::parse(text).unwrap().0;
        When { text: text.to_owned(), ms }
    }

    fn agent(id: &str, doors: usize, durable_ms: Option<u64>, lease: Option<&str>) -> AgentProgress {
        serde_json::from_value(json!({
            "agent": id,
            "doors": (0..doors).map(|n| format!("door-{n}")).collect::<Vec<_>>(),
            "connected": durable_ms.is_some(),
            "stage": if durable_ms.is_some() { "durable" } else { "waiting" },
            "applied_ms": durable_ms,
            "durable_ms": durable_ms,
            "lease_ends_at": lease.map(|text| json!({ "text": text, "ms": when(text).ms })),
        }))
        .unwrap()
    }

    fn watch(kind: Kind) -> Watch {
        Watch {
            kind,
            agent_width: 12,
            waiting: vec!["agent-sci".into()],
            confirmed: vec![],
            progress: Progress::begin(),
        }
    }

    fn summary(
        doors: (usize, usize),
        agents: (usize, usize),
        ms: Option<i64>,
        unreachable: &[AgentProgress],
    ) -> Summary {
        Summary {
            seq: 14,
            command: "card-suspend".into(),
            doors_total: doors.1,
            doors_closed: doors.0,
            agents_total: agents.1,
            agents_closed: agents.0,
            ms,
            complete: unreachable.is_empty(),
            unreachable: unreachable.to_vec(),
        }
    }

    #[test]
    fn a_lease_is_shown_to_end_in_the_minute_after_which_it_is_over() {
        assert_eq!(whole_minute(&when("2026-11-29T08:00:00+09:00")), "2026-11-29T08:00+09:00");
        assert_eq!(whole_minute(&when("2026-11-29T08:00:00.001+09:00")), "2026-11-29T08:01+09:00");
        assert_eq!(whole_minute(&when("2026-12-31T23:59:59-03:30")), "2027-01-01T00:00-03:30");
        assert_eq!(whole_minute(&when("2026-11-29T08:00:30Z")), "2026-11-29T08:01Z");
        assert_eq!(whole_minute(&When { text: "never".into(), ms: 5 }), "never");
    }

    #[test]
    fn the_last_line_says_where_a_removal_holds_and_who_has_not_confirmed() {
        let sentence = |summary: &Summary| watch(Kind::Closes).sentence(summary);
        assert_eq!(sentence(&summary((8, 8), (3, 3), Some(9), &[])), "closed at 8 of 8 doors in 9 ms");
        assert_eq!(
            sentence(&summary(
                (7, 8),
                (2, 3),
                Some(9),
                &[agent("agent-eng-1", 1, None, Some("2026-11-29T08:00:00+09:00"))]
            )),
            "closed at 7 of 8 doors in 9 ms; 1 unreachable: agent-eng-1, its lease ends 2026-11-29T08:00+09:00"
        );
        assert_eq!(
            sentence(&summary((0, 1), (0, 2), None, &[agent("a", 1, None, None), agent("b", 1, None, None)])),
            "closed at 0 of 1 door; 2 unreachable: a, it has no lease; b, it has no lease"
        );
        assert_eq!(
            sentence(&summary((0, 0), (0, 0), None, &[])),
            "it concerns no door of an agent that has joined; nothing has to close"
        );
    }

    #[test]
    fn the_last_line_of_an_addition_counts_agents_where_no_door_is_named() {
        let sentence = |summary: &Summary| watch(Kind::Opens).sentence(summary);
        assert_eq!(
            sentence(&summary((1, 2), (1, 2), Some(4), &[agent("a", 1, None, None)])),
            "in force at 1 of 2 doors in 4 ms; 1 unreachable: a"
        );
        assert_eq!(sentence(&summary((0, 0), (3, 3), Some(4), &[])), "in force at 3 of 3 agents in 4 ms");
    }

    #[test]
    fn a_program_gets_the_change_and_its_summary_as_one_document() {
        let document = with_summary(&json!({ "seq": 14, "grant": "g-1" }), &json!({ "summary": { "complete": true } }));
        assert_eq!(document, json!({ "seq": 14, "grant": "g-1", "summary": { "complete": true } }));
    }

    #[test]
    fn each_agent_is_told_of_once_and_only_when_its_word_is_durable() {
        let mut watch = watch(Kind::Closes);
        assert_eq!(watch.line(&agent("agent-sci", 2, None, None)), None);
        assert_eq!(
            watch.line(&agent("agent-sci", 2, Some(4), None)).as_deref(),
            Some("agent-sci      closed 2 doors      4 ms")
        );
        assert_eq!(watch.line(&agent("agent-sci", 2, Some(4), None)), None);
    }
}
