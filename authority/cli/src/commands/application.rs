//! `doorward application`: who asks for which card, with what papers; approved or rejected.
//!
//! Which category gets which card, who approves it and what is shown for it, campus.toml says.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::stored;
use clap::{Args, Subcommand};
use doorward_policy::application::{ApplicationId, Channel};
use doorward_policy::model::{CardTypeId, PersonId};
use doorward_server::http::shapes::applications::{ApplicationAsk, ApplicationView, Applications};
use serde_json::json;

/// Bring applications for cards; approve and reject them
#[derive(Debug, Args)]
pub struct Application {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Bring an application for a card
    ///
    /// Refused when the person's category gets no such card, or a paper is missing that campus.toml asks for.
    #[command(after_help = "Example:\n  doorward application make --person 230004 --type id-card --channel paper \
                            --document \"identity card\" --reason \"from abroad\"")]
    Make(Make),
    /// Show the applications of your people, oldest first
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward application list --state waiting")]
    List(List),
    /// Approve an application: the card can be issued
    #[command(after_help = "Example:\n  doorward application approve a-5f0c2a9b1d3e --reason \"papers seen\"")]
    Approve(Decide),
    /// Reject an application
    #[command(after_help = "Example:\n  doorward application reject a-5f0c2a9b1d3e --reason \"not enrolled\"")]
    Reject(Decide),
}

#[derive(Debug, Args)]
struct Make {
    /// For whom
    #[arg(long)]
    person: PersonId,
    /// The type of card, as campus.toml names it
    #[arg(long = "type", value_name = "TYPE")]
    card_type: CardTypeId,
    /// How it came: desk, paper, phone or web
    #[arg(long, default_value = "desk", value_parser = channel)]
    channel: Channel,
    /// What was shown, as campus.toml names it; once for each paper
    #[arg(long = "document", value_name = "TEXT", value_parser = reason)]
    documents: Vec<String>,
    /// Why it came so, or what there is to say to it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Name of the application; made up unless given
    #[arg(long)]
    id: Option<ApplicationId>,
}

#[derive(Debug, Args)]
struct List {
    /// Only those that stand so: waiting, approved, rejected or used
    #[arg(long)]
    state: Option<String>,
}

#[derive(Debug, Args)]
struct Decide {
    /// Name of the application
    id: ApplicationId,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

fn channel(text: &str) -> Result<Channel, String> {
    Channel::of_name(text).ok_or_else(|| format!("expected one of {}", Channel::ALL.map(Channel::name).join(", ")))
}

impl Application {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Make(Make { person, card_type, channel, documents, reason, id }) => {
                let ask = ApplicationAsk {
                    id: id.map(|id| id.to_string()),
                    person: person.to_string(),
                    card_type: card_type.to_string(),
                    channel: channel.name().to_owned(),
                    reason,
                    documents,
                };
                let change = client.change("/v1/applications", &ask)?;
                stored(&change, &format!("the application of {person} for a card of type {card_type} waits"), out)?;
            }
            Action::List(List { state }) => list(&client, state, out)?,
            Action::Approve(Decide { id, reason }) => {
                let change = client.change(&format!("/v1/applications/{id}/approve"), &json!({ "reason": reason }))?;
                stored(&change, &format!("application {id} is approved"), out)?;
            }
            Action::Reject(Decide { id, reason }) => {
                let change = client.change(&format!("/v1/applications/{id}/reject"), &json!({ "reason": reason }))?;
                stored(&change, &format!("application {id} is rejected"), out)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(client: &Client, state: Option<String>, out: &mut Output) -> anyhow::Result<()> {
    let answer: Answer<Applications> = client.ask("/v1/applications", &[("state", state)])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(());
    }
    let row = |applied: ApplicationView| {
        let documents = applied.documents.join(", ");
        let said = applied.decision.unwrap_or(applied.reason);
        let ApplicationView { id, person, name, card_type, channel, state, at, by, .. } = applied;
        vec![id, person, name, card_type, channel, state, documents, at.text, by, said]
    };
    let rows: Vec<Vec<String>> = answer.value.applications.into_iter().map(row).collect();
    if rows.is_empty() {
        note("there is no such application");
        return Ok(());
    }
    out.table(&["ID", "PERSON", "NAME", "TYPE", "CHANNEL", "STATE", "SHOWN", "SINCE", "BY", "WHY"], &rows)?;
    Ok(())
}
