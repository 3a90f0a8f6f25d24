//! `doorward request`: ask for access, and decide about what others asked for.
//!
//! What may be asked for is what may be granted; whoever may grant it at once need not ask.

use super::terms::{Terms, print_effect, when_text, where_text, who_text};
use crate::args::{day, reason};
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::{Kind, Waiting, follow, stored};
use clap::{Args, Subcommand};
use doorward_policy::office::requests::{RequestId, Standing};
use doorward_protocol::time::Day;
use doorward_server::http::shapes::Change;
use doorward_server::http::shapes::requests::{RequestApproval, RequestAsk, RequestView, Requests};
use serde_json::json;

/// Ask for access to a door or a building; decide what others asked for
#[derive(Debug, Args)]
pub struct Request {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask for access
    ///
    /// Changes no right: whoever decides about the doors approves or rejects it. It waits for so many days, then it expires.
    #[command(after_help = "Examples:\n  \
        doorward request ask --unit korean --building sci --schedule college-hours --until 2027-02-28 --reason \"lab course\"\n  \
        doorward request ask --person 230004 --within robotics --door eng-1-rear --reason \"robot club\"")]
    Ask(Box<Ask>),
    /// Show requests that concern your people or doors
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward request list --to-decide")]
    List(List),
    /// Show one request; while it waits, with what approving it would change
    ///
    /// Changes nothing. Says for each door how many people would gain it, and how many have it already.
    #[command(after_help = "Example:\n  doorward request show r-5f0c2a9b1d3e")]
    Show(Named),
    /// Approve a request: it becomes a grant of the same name
    ///
    /// Exit code 0 when it is in force everywhere, 3 when an agent has not confirmed yet.
    #[command(
        after_help = "Example:\n  doorward request approve r-5f0c2a9b1d3e --until 2027-02-28 --reason \"as agreed\""
    )]
    Approve(Approve),
    /// Reject a request
    #[command(after_help = "Example:\n  doorward request reject r-5f0c2a9b1d3e --reason \"the lab is full\"")]
    Reject(Reasoned),
    /// Take a request back
    #[command(after_help = "Example:\n  doorward request withdraw r-5f0c2a9b1d3e --reason \"the course moved\"")]
    Withdraw(Reasoned),
}

#[derive(Debug, Args)]
struct Ask {
    #[command(flatten)]
    terms: Terms,
    /// Why it is needed
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// How many days it waits for a decision
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    waits: u32,
    /// Name of the request; made up unless given
    #[arg(long)]
    id: Option<RequestId>,
}

#[derive(Debug, Args)]
struct List {
    /// Only those that wait for your decision
    #[arg(long)]
    to_decide: bool,
    /// Only those that stand so: waiting, expired, approved, rejected or withdrawn
    #[arg(long, value_name = "STANDING", value_parser = standing)]
    standing: Option<Standing>,
}

#[derive(Debug, Args)]
struct Named {
    /// Name of the request
    id: RequestId,
}

#[derive(Debug, Args)]
struct Approve {
    /// Name of the request
    id: RequestId,
    /// What there is to say to it
    #[arg(long, value_name = "TEXT", default_value = "approved", value_parser = reason)]
    reason: String,
    /// An earlier last day than was asked for
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Day>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
struct Reasoned {
    /// Name of the request
    id: RequestId,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

fn standing(text: &str) -> Result<Standing, String> {
    let known = Standing::ALL.into_iter().find(|standing| standing.name() == text);
    known.ok_or_else(|| format!("expected one of {}", Standing::ALL.map(Standing::name).join(", ")))
}

impl Request {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Ask(ask) => ask.run(&client, out)?,
            Action::List(list) => list.run(&client, out)?,
            Action::Show(Named { id }) => {
                let answer: Answer<RequestView> = client.ask(&format!("/v1/requests/{id}"), &[])?;
                if out.is_json() { out.json(&answer.raw)? } else { show(&answer.value, out)? }
            }
            Action::Approve(Approve { id, reason, until, waiting }) => {
                let order = RequestApproval { reason, until: until.map(|day| day.to_string()), grant: None };
                let change = client.change(&format!("/v1/requests/{id}/approve"), &order)?;
                return follow(&client, &change, &format!("request {id} is approved"), Kind::Opens, &waiting, out);
            }
            Action::Reject(Reasoned { id, reason }) => {
                let change = client.change(&format!("/v1/requests/{id}/reject"), &json!({ "reason": reason }))?;
                stored(&change, &format!("request {id} is rejected"), out)?;
            }
            Action::Withdraw(Reasoned { id, reason }) => {
                let change = client.change(&format!("/v1/requests/{id}/withdraw"), &json!({ "reason": reason }))?;
                stored(&change, &format!("request {id} is withdrawn"), out)?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Ask {
    fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let Some(grant) = self.terms.order(None) else { return Ok(()) };
        let id = self.id.map(|id| id.to_string());
        let order = RequestAsk { id, grant, reason: self.reason, waits_days: Some(self.waits) };
        let change: Answer<Change> = client.change("/v1/requests", &order)?;
        let id = change.value.request.clone().unwrap_or_default();
        stored(&change, &format!("request {id} waits for a decision"), out)
    }
}

impl List {
    fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<()> {
        let to_decide = self.to_decide.then(|| "true".to_owned());
        let standing = self.standing.map(|standing| standing.name().to_owned());
        let answer: Answer<Requests> =
            client.ask("/v1/requests", &[("to_decide", to_decide), ("standing", standing)])?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(());
        }
        let rows: Vec<Vec<String>> = answer.value.requests.iter().map(row).collect();
        if rows.is_empty() {
            note(if self.to_decide { "nothing waits for your decision" } else { "there is no such request" });
            return Ok(());
        }
        out.table(&["REQUEST", "STANDING", "WHO", "WHERE", "WHEN", "ASKED BY", "REASON"], &rows)?;
        Ok(())
    }
}

fn row(request: &RequestView) -> Vec<String> {
    let RequestView { id, by, grant, reason, standing, .. } = request;
    let terms = [who_text(grant), where_text(grant), when_text(grant)];
    [vec![id.clone(), standing.clone()], terms.to_vec(), vec![by.clone(), reason.clone()]].concat()
}

fn show(request: &RequestView, out: &mut Output) -> anyhow::Result<()> {
    let RequestView { id, by, at, grant, reason, expires_at, standing, outcome, yours_to_decide, effect } = request;
    out.line(&format!("request {id} is {standing}"))?;
    out.line(&format!("  {} to {}, {}", who_text(grant), where_text(grant), when_text(grant)))?;
    out.line(&format!("  asked by {by} at {}: {reason}", at.text))?;
    match outcome {
        Some(outcome) => {
            out.line(&format!("  {standing} by {} at {}: {}", outcome.by, outcome.at.text, outcome.reason))?
        }
        None => out.line(&format!("  can be decided until {}", expires_at.text))?,
    }
    if let Some(effect) = effect {
        out.line("")?;
        print_effect(effect, out)?;
    }
    if *yours_to_decide {
        out.line("")?;
        out.line(&format!(
            "decide with `doorward request approve {id}` or `doorward request reject {id} --reason TEXT`"
        ))?;
    }
    Ok(())
}
