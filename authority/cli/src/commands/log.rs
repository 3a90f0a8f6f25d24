//! `doorward log`: taps and how doors answered them, as agents recorded and sent them home.
//!
//! Shows what has arrived: what an agent still keeps is counted by `doorward agent list`.

use crate::args::instant;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::Output;
use clap::Args;
use doorward_policy::model::{CardId, PersonId};
use doorward_protocol::decide::Reason;
use doorward_protocol::id::DoorId;
use doorward_server::http::shapes::{LogLine, RecordView};

/// Show taps at doors and how they were answered
///
/// Changes nothing. Shows the newest records that match, oldest of them first. With --follow it goes on showing records,
/// and alarms such as the tap of a suspended card, as they arrive, until it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  doorward log --door sci-main --limit 20\n  \
    doorward log --card CARD3 --since 2026-11-22T00:00:00+09:00 --csv\n  doorward log --reason suspended --follow")]
pub struct Log {
    /// Only taps at this door
    #[arg(long)]
    door: Option<DoorId>,
    /// Only taps of this card
    #[arg(long)]
    card: Option<CardId>,
    /// Only taps of this person's cards
    #[arg(long)]
    person: Option<PersonId>,
    /// Only taps from this instant on, such as 2026-11-22T08:00:00+09:00
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Option<String>,
    /// Only taps that were answered for this reason, such as suspended
    #[arg(long, value_parser = reason)]
    reason: Option<Reason>,
    /// How many records to show
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    limit: u64,
    /// Go on showing what arrives
    #[arg(long)]
    follow: bool,
    /// Answer as CSV; alarms are left out
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

const CSV_HEADER: [&str; 13] = [
    "at",
    "door_id",
    "card_id",
    "person_id",
    "factors",
    "decision",
    "reason",
    "agent_id",
    "incarnation",
    "seq",
    "credential",
    "commit",
    "received_at",
];

impl Log {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        if self.follow && out.is_sheet() {
            return Err(Failure::usage("--follow does not end, so there is no list to write with --table").into());
        }
        let query = [
            ("door", self.door.map(String::from)),
            ("card", self.card.map(String::from)),
            ("person", self.person.map(String::from)),
            ("since", self.since),
            ("reason", self.reason.map(|reason| reason.as_str().to_owned())),
            ("limit", Some(self.limit.to_string())),
            ("follow", self.follow.then(|| "true".to_owned())),
        ];
        let mut lines = Client::of(options)?.lines("/v1/log", &query)?;
        if self.csv {
            out.text(&csv_line(&CSV_HEADER.map(str::to_owned))?)?;
        }
        let mut rows = Vec::new();
        while let Some(raw) = lines.next()? {
            let line: Answer<LogLine> = Answer::of(raw)?;
            match line.value {
                _ if out.is_json() => out.json(&line.raw)?,
                LogLine::Record(record) if out.is_sheet() => rows.push(csv_fields(&record).to_vec()),
                LogLine::Record(record) if self.csv => {
                    out.text(&csv_line(&csv_fields(&record))?)?;
                    out.finish()?;
                }
                LogLine::Record(record) => out.live_line(&sentence(&record))?,
                LogLine::Alarm(_) if self.csv => {}
                LogLine::Alarm(alarm) => out.live_line(&format!("{}  ALARM  {}", alarm.at.text, alarm.text))?,
            }
        }
        if out.is_sheet() {
            out.table(&CSV_HEADER, &rows)?;
        }
        if self.follow {
            return Err(Failure::new("the authority ended the answer").hint("was it stopped?").into());
        }
        Ok(Exit::Done)
    }
}

fn reason(text: &str) -> Result<Reason, String> {
    let known = Reason::ALL.into_iter().find(|reason| reason.as_str() == text);
    known.ok_or_else(|| format!("expected one of {}", Reason::ALL.map(Reason::as_str).join(", ")))
}

fn sentence(record: &RecordView) -> String {
    let card = record.card.as_ref().map_or_else(|| format!("credential {}", record.credential), ToString::to_string);
    let person = record.person.as_ref().map(|person| format!(" of {person}")).unwrap_or_default();
    let factors = match record.factors.to_string() {
        factors if factors.is_empty() => factors,
        factors => format!(" with {factors}"),
    };
    let RecordView { at, decision, reason, door, .. } = record;
    format!("{}  {decision:<5}  {reason:<20}  {door:<16}  {card}{person}{factors}", at.text)
}

fn csv_fields(record: &RecordView) -> [String; 13] {
    let given = |id: Option<&dyn ToString>| id.map(ToString::to_string).unwrap_or_default();
    [
        record.at.text.clone(),
        record.door.to_string(),
        given(record.card.as_ref().map(|id| -> &dyn ToString { id })),
        given(record.person.as_ref().map(|id| -> &dyn ToString { id })),
        record.factors.to_string(),
        record.decision.to_string(),
        record.reason.to_string(),
        record.agent.to_string(),
        record.incarnation.to_string(),
        record.seq.to_string(),
        record.credential.to_string(),
        record.position.seq.to_string(),
        record.received_at.text.clone(),
    ]
}

fn csv_line(fields: &[String]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    Ok(String::from_utf8(writer.into_inner()?)?)
}
