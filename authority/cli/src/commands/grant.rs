//! `doorward grant`: rights that staff give beside the campus's rules, their review, and their end.
//!
//! What a grant means is the campus format's business: the permit rule with that subject, target, schedule and days.

use super::terms::{Terms, print_effect, print_ending, when_text, where_text, who_text};
use crate::args::{day, duration_above_zero, reason};
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::{Kind, Waiting, follow, stored};
use clap::{Args, Subcommand};
use doorward_policy::model::GrantId;
use doorward_protocol::time::Day;
use doorward_server::http::shapes::Change;
use doorward_server::http::shapes::requests::{EffectView, Grants};
use serde_json::json;
use std::time::Duration;

/// Give a right to a door or a building; look grants through, end one
#[derive(Debug, Args)]
pub struct Grant {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Grant a right
    ///
    /// Changes who may open what: the named people may open the named doors, with any card that has the door's function.
    /// Exit code 0 when it is in force everywhere, 3 when an agent has not confirmed yet.
    #[command(after_help = "Examples:\n  \
        doorward grant add --unit korean --building sci --schedule college-hours --until 2027-02-28\n  \
        doorward grant add --person 230004 --within robotics --door eng-1-rear --id robot-club-7")]
    Add(Box<Add>),
    /// Show what a grant would change, before it is given
    ///
    /// Changes nothing. Says for each door how many people would gain it, and how many have it already.
    #[command(
        after_help = "Example:\n  doorward grant preview --category undergraduate --within korean --building sci"
    )]
    Preview(Box<Preview>),
    /// Show grants; with --older-than, those to look through
    ///
    /// Changes nothing. A grant counts as looked at when it is given, and when somebody confirms it.
    #[command(after_help = "Example:\n  doorward grant list --older-than 365d")]
    List(List),
    /// Confirm that a grant is still needed
    ///
    /// Changes no right; the journal says who looked at it.
    #[command(after_help = "Example:\n  doorward grant confirm robot-club-7 --reason \"club goes on in 2027\"")]
    Confirm(Confirm),
    /// End a right
    ///
    /// Changes who may open what: a grant ends now, or with its last day. What a grant of the campus folder says comes back
    /// with the next import, unless it is ended there, too.
    #[command(
        after_help = "Examples:\n  doorward grant end robot-club-7 --dry-run\n  doorward grant end robot-club-7 --on 2026-12-24"
    )]
    End(End),
}

#[derive(Debug, Args)]
struct Add {
    #[command(flatten)]
    terms: Terms,
    /// Name of the grant, by which it is ended; made up unless given
    #[arg(long)]
    id: Option<GrantId>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
struct Preview {
    #[command(flatten)]
    terms: Terms,
}

#[derive(Debug, Args)]
struct List {
    /// Only those that nobody has given or confirmed for so long, such as 365d
    #[arg(long, value_name = "TIME", value_parser = duration_above_zero)]
    older_than: Option<Duration>,
}

#[derive(Debug, Args)]
struct Confirm {
    /// Name of the grant
    id: GrantId,
    /// Why it is still needed
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

#[derive(Debug, Args)]
struct End {
    /// Name of the grant
    id: GrantId,
    /// Its last day, such as 2026-12-24; it ends now unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    on: Option<Day>,
    /// Only say who would lose which door, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    waiting: Waiting,
}

impl Grant {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Add(add) => {
                let Add { terms, id, waiting } = *add;
                let order = terms.order(id.map(|id| id.to_string()));
                let change: Answer<Change> = client.change("/v1/grants", &order)?;
                let id = change.value.grant.as_ref().map(ToString::to_string).unwrap_or_default();
                follow(&client, &change, &format!("grant {id} is given"), Kind::Opens, &waiting, out)
            }
            Action::Preview(preview) => {
                let effect: Answer<EffectView> = client.change("/v1/grants/effect", &preview.terms.order(None))?;
                if out.is_json() {
                    out.json(&effect.raw)?;
                } else {
                    print_effect(&effect.value, out)?;
                }
                Ok(Exit::Done)
            }
            Action::List(list) => list.run(&client, out),
            Action::Confirm(Confirm { id, reason }) => {
                let change: Answer<Change> =
                    client.change(&format!("/v1/grants/{id}/confirm"), &json!({ "reason": reason }))?;
                stored(&change, &format!("grant {id} is confirmed"), out)?;
                Ok(Exit::Done)
            }
            Action::End(End { id, dry_run: true, .. }) => {
                let effect: Answer<EffectView> = client.ask(&format!("/v1/grants/{id}/effect"), &[])?;
                if out.is_json() {
                    out.json(&effect.raw)?
                } else {
                    print_ending(&effect.value, out)?
                }
                Ok(Exit::Done)
            }
            Action::End(End { id, on, waiting, dry_run: false }) => {
                let body = json!({ "on": on.map(|day| day.to_string()) });
                let change = client.change(&format!("/v1/grants/{id}/end"), &body)?;
                let when = on.map_or_else(|| "has ended".to_owned(), |day| format!("ends with {day}"));
                follow(&client, &change, &format!("grant {id} {when}"), Kind::Opens, &waiting, out)
            }
        }
    }
}

impl List {
    fn run(self, client: &Client, out: &mut Output) -> anyhow::Result<Exit> {
        let days = self.older_than.map(|time| (time.as_secs() / 86_400).to_string());
        let answer: Answer<Grants> = client.ask("/v1/grants", &[("older_than_days", days)])?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        let rows = answer.value.grants.iter().map(|grant| {
            let looked_at = grant.reviewed_at.as_ref().map_or("never", |at| at.text.as_str()).to_owned();
            let from = if grant.of_folder { "folder" } else { "command" }.to_owned();
            let terms = &grant.terms;
            vec![grant.id.clone(), who_text(terms), where_text(terms), when_text(terms), from, looked_at]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        if rows.is_empty() {
            note("there is no such grant");
            return Ok(Exit::Done);
        }
        out.table(&["GRANT", "WHO", "WHERE", "WHEN", "FROM", "GIVEN OR CONFIRMED"], &rows)?;
        Ok(Exit::Done)
    }
}
