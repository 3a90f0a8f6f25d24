//! `doorward-agent replay`: answers taps at their own instants from what the agent has stored, with no network.

use crate::files::lock;
use crate::identity::{Identity, new_incarnation};
use crate::store::open::{Beginning, open};
use anyhow::{Context, Result, bail};
use doorward_protocol::agent::stored::Stored;
use doorward_protocol::cache::Cache;
use doorward_protocol::decide::{Reason, View, decide};
use doorward_protocol::taps::{TapQuestion, answer_line, answers_header, read_taps};
use doorward_protocol::time::UnixMs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Answer a file of taps, each at its own instant, from this agent's stored state alone.
///
/// What a cut-off agent would do next month can be asked today: leases count from the last fresh word of the authority.
/// The answers are CSV on standard output, in the order asked: at,door_id,card_id,factors,decision,reason. Needs the
/// store, so stop `doorward-agent run` on the same directory first.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Directory of the enrolled agent.
    #[arg(long, value_name = "DIR", env = "DOORWARD_AGENT_DATA")]
    data: PathBuf,
    /// CSV with the columns at,door_id,card_id and optionally factors,expect,reason.
    #[arg(value_name = "TAPS.csv")]
    taps: PathBuf,
    /// Answer taps at doors of other agents, too: deny, no_state.
    #[arg(long)]
    all: bool,
}

/// Runs the command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let file_name = arguments.taps.display().to_string();
    let bytes = std::fs::read(&arguments.taps).with_context(|| format!("{file_name} cannot be read"))?;
    let questions = read_taps(&file_name, &bytes).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{} problems in {file_name}\n{}", lines.len(), lines.join("\n"))
    })?;
    let data = &arguments.data;
    let identity = Identity::load(data)?;
    let _lock = lock(data)?;
    let beginning =
        Beginning { agent: &identity.agent, statements: &identity.statements, incarnation: new_incarnation()? };
    let opened = open(data, &beginning).with_context(|| format!("the store in {} cannot be opened", data.display()))?;
    let view = view_of(opened.stored, &identity)?;
    let answers = answer_all(&view, &questions, arguments.all);
    super::print(&answers.csv)?;
    if answers.elsewhere > 0 {
        let note = format!("{} of {} taps are at doors of other agents", answers.elsewhere, questions.len());
        writeln!(std::io::stderr(), "{note}").context("standard error cannot be written")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the agent would decide by if it started now and heard nothing more.
fn view_of(stored: Stored, identity: &Identity) -> Result<View> {
    let fresh_at = stored.floor.fresh_at;
    let opened = stored
        .open(&identity.agent, identity.key.public(), identity.pinned_root)
        .context("the stored trust statements do not prove themselves")?;
    if !opened.damage.is_empty() {
        bail!("the stored state is not believed: {}; run the agent to get a new one", opened.damage.join("; "));
    }
    let cache = opened.state.as_ref().and_then(|(_, state)| Cache::new(state)).map(Arc::new);
    Ok(View { cache, overlay: Arc::new(opened.overlay), fresh_at, floor_at: UnixMs(i64::MIN), clock_trusted: true })
}

struct Answers {
    csv: String,
    elsewhere: usize,
}

fn answer_all(view: &View, questions: &[TapQuestion], all: bool) -> Answers {
    let mut answers = Answers { csv: answers_header().to_owned(), elsewhere: 0 };
    for question in questions {
        let reason = match view.cache.as_ref() {
            // An agent without a state knows none of its doors, so every tap may be at one of them.
            None => Some(Reason::NoState),
            Some(cache) if cache.door(&question.door).is_some() => {
                let key = cache.credential_key(&question.card);
                Some(decide(view, &question.door, key, question.factors, question.at))
            }
            Some(_) => {
                answers.elsewhere += 1;
                all.then_some(Reason::NoState)
            }
        };
        if let Some(reason) = reason {
            answers.csv.push_str(&answer_line(question, reason));
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CARD, CARD_WITH_PIN, Campus, LEASE_MS};
    use doorward_protocol::agent::stored::{Floor, StoredHead};

    const AT: UnixMs = UnixMs(1_700_000_000_000);

    fn stored(campus: &Campus) -> Stored {
        Stored {
            statements: campus.identity.statements.clone(),
            head: Some(StoredHead { statement: 1, head: campus.head(AT) }),
            facts: Campus::facts(),
            removals: vec![],
            floor: Floor { position: Campus::position(), at: AT, fresh_at: AT },
            damage: None,
        }
    }

    fn ask(view: &View, taps: &[(UnixMs, &str, &str, &str)], all: bool) -> Answers {
        let lines =
            taps.iter().map(|(at, door, card, factors)| format!("{},{door},{card},{factors}\n", at.to_utc_text()));
        let csv = format!("at,door_id,card_id,factors\n{}", lines.collect::<String>());
        answer_all(view, &read_taps("taps.csv", csv.as_bytes()).unwrap(), all)
    }

    fn answered(answers: &Answers) -> Vec<String> {
        let answer = |line: &str| line.rsplitn(3, ',').take(2).collect::<Vec<_>>().join(" ");
        answers.csv.lines().skip(1).map(answer).collect()
    }

    #[test]
    fn each_tap_is_answered_at_its_own_instant_until_the_lease_ends() {
        let campus = Campus::new(vec![]);
        let view = view_of(stored(&campus), &campus.identity).unwrap();
        let door = Campus::door();
        let end = AT.plus_ms(LEASE_MS);
        let answers = ask(
            &view,
            &[
                (end, door.as_str(), CARD, ""),
                (end.plus_ms(-1), door.as_str(), CARD, ""),
                (AT, door.as_str(), CARD_WITH_PIN, ""),
                (AT, door.as_str(), CARD_WITH_PIN, "pin"),
                (AT, door.as_str(), "0000", ""),
            ],
            false,
        );
        let expected =
            ["lease_ended deny", "granted grant", "factor_required deny", "granted grant", "unknown_credential deny"];
        assert_eq!(answered(&answers), expected);
        assert!(answers.csv.starts_with("at,door_id,card_id,factors,decision,reason\n"));
    }

    #[test]
    fn a_stored_removal_counts_and_doors_of_other_agents_are_left_out_unless_asked_for() {
        let campus = Campus::new(vec![]);
        let removals = vec![campus.suspension(AT)];
        let view = view_of(Stored { removals, ..stored(&campus) }, &campus.identity).unwrap();
        let door = Campus::door();
        let taps = [(AT, "elsewhere", CARD, ""), (AT, door.as_str(), CARD, "")];
        let answers = ask(&view, &taps, false);
        assert_eq!((answered(&answers), answers.elsewhere), (vec!["suspended deny".to_owned()], 1));
        assert_eq!(answered(&ask(&view, &taps, true)), ["no_state deny", "suspended deny"]);
    }

    #[test]
    fn a_state_that_is_not_believed_answers_nothing() {
        let campus = Campus::new(vec![]);
        let mut damaged = stored(&campus);
        damaged.facts.pop();
        let error = view_of(damaged, &campus.identity).unwrap_err().to_string();
        assert!(error.contains("the stored state is not believed"), "{error}");
        let fresh = Stored { head: None, facts: vec![], floor: Floor::default(), ..stored(&campus) };
        let view = view_of(fresh, &campus.identity).unwrap();
        assert_eq!(answered(&ask(&view, &[(AT, "anywhere", CARD, "")], false)), ["no_state deny"]);
    }
}
