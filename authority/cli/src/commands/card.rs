//! `doorward card`: what happens to one card, and where that holds.
//!
//! Most cards come with the campus folder; here is what a desk does by hand, and what cannot wait for the next import.

use super::desk::{Extend, Issue};
use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note, plural};
use crate::progress::{Keeping, Kind, Waiting, follow, keep};
use clap::{Args, Subcommand};
use doorward_policy::model::CardId;
use doorward_server::http::shapes::applications::{FoundCards, FoundView, ReissueView, Reissues};
use doorward_server::http::shapes::{CardView, Change};
use serde_json::{Value, json};

/// Suspend a lost card and see where it no longer opens; issue, extend, close one
#[derive(Debug, Args)]
pub struct Card {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Hold a card back at once, and say door by door where it no longer opens
    ///
    /// Changes the card's state to suspended; `doorward card resume` undoes it. The order overtakes everything else on
    /// its way to the doors. Returns when every agent that knows the card has confirmed, or the wait is over: exit code 0
    /// when it is closed everywhere, 3 when an agent has not confirmed yet. It closes there, too, as soon as the agent is
    /// reached, and at the latest when its lease ends.
    #[command(
        after_help = "Example:\n  doorward card suspend 048C55D46770BF --reason lost --evidence lost-card.evidence"
    )]
    Suspend(Removal),
    /// Issue a card to somebody, in place of a lost or damaged one or as the first
    ///
    /// Everyone has one card of medium `card`, and may have one that stands in for it. A lost, stolen or destroyed card is closed
    /// with this, any other one when it came back (--returned) or when the new one is activated. Says the printed number
    /// that the type's format makes, and the fee that campus.toml names.
    #[command(after_help = "Examples:\n  \
        doorward card issue 04A1B2C3 --person 230004 --type id-card --cause lost --replaces CARD4\n  \
        doorward card issue 04D4E5F6 --person 230004 --type temporary-card --cause temporary --until 2026-12-24")]
    Issue(Box<Issue>),
    /// Make a card valid for longer; one that expired works again
    #[command(
        after_help = "Example:\n  doorward card extend CARD4 --until 2027-02-28 --document \"letter of the faculty\""
    )]
    Extend(Extend),
    /// Let a suspended card work again
    ///
    /// Changes the card's state back to active. A card that is closed stays closed.
    #[command(after_help = "Example:\n  doorward card resume 048C55D46770BF --reason found")]
    Resume(Resume),
    /// Bring a produced card into use
    ///
    /// Changes the card's state from produced to active: it was handed to its holder. The card that it replaces is closed with
    /// it, and so is one that stood in.
    #[command(after_help = "Example:\n  doorward card activate 048C55D46770BF")]
    Activate(Activate),
    /// End a card for good, and say door by door where it no longer opens
    ///
    /// Changes the card's state to closed. Nothing undoes it: the holder needs a new card. Exit codes as of suspend.
    #[command(after_help = "Example:\n  doorward card close 048C55D46770BF --reason \"replaced by 04A1\"")]
    Close(Close),
    /// Take a found card in: it opens nothing until its holder has it back
    ///
    /// Suspends the card, as a report of loss does; `doorward card resume` gives it back. Exit codes as of suspend.
    #[command(after_help = "Example:\n  doorward card found 048C55D46770BF --place \"library; kept at the gate\"")]
    Found(Found),
    /// Show found cards that wait for their holders
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward card list-found --table found.xlsx")]
    ListFound,
    /// Show cards whose holders should have another one: they went to another department or category since
    ///
    /// Changes nothing; doors follow the new department at once, whatever is printed on the card.
    #[command(after_help = "Example:\n  doorward card proposals")]
    Proposals,
    /// Show a card, its holder, and which agents and doors know it
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward card show 048C55D46770BF")]
    Show(Show),
}

#[derive(Debug, Args)]
struct Removal {
    /// The card, as readers read it
    card: CardId,
    /// Why, as the journal and the evidence say it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    keeping: Keeping,
}

#[derive(Debug, Args)]
struct Close {
    #[command(flatten)]
    removal: Removal,
    /// What its holder showed, where it ends at their wish
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    document: Option<String>,
}

#[derive(Debug, Args)]
struct Found {
    /// The card, as readers read it
    card: CardId,
    /// Where it was found, and where it is kept
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    place: String,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    keeping: Keeping,
}

#[derive(Debug, Args)]
struct Resume {
    /// The card, as readers read it
    card: CardId,
    /// Why, as the journal says it
    #[arg(long, value_name = "TEXT", default_value = "no reason given", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
struct Activate {
    /// The card, as readers read it
    card: CardId,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
struct Show {
    /// The card, as readers read it
    card: CardId,
}

impl Card {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        match self.action {
            Action::Issue(issue) => issue.run(options, out),
            Action::Extend(extend) => extend.run(options, out),
            Action::Suspend(Removal { card, reason, waiting, keeping }) => {
                let order = ("suspend", json!({ "reason": reason }), "suspended");
                remove(&card, order, &waiting, keeping, options, out)
            }
            Action::Close(Close { removal: Removal { card, reason, waiting, keeping }, document }) => {
                let order = ("close", json!({ "reason": reason, "document": document }), "closed");
                remove(&card, order, &waiting, keeping, options, out)
            }
            Action::Found(Found { card, place, waiting, keeping }) => {
                let order = ("found", json!({ "place": place }), "kept for its holder, and opens nothing");
                remove(&card, order, &waiting, keeping, options, out)
            }
            Action::ListFound => list_found(&Client::of(options)?.ask("/v1/found-cards", &[])?, out),
            Action::Proposals => proposals(&Client::of(options)?.ask("/v1/reissues", &[])?, out),
            Action::Resume(Resume { card, reason, waiting }) => {
                let client = Client::of(options)?;
                let change = client.change(&format!("/v1/cards/{card}/resume"), &json!({ "reason": reason }))?;
                follow(&client, &change, &format!("card {card} is active again"), Kind::Opens, &waiting, out)
            }
            Action::Activate(Activate { card, waiting }) => {
                let client = Client::of(options)?;
                let change = client.change(&format!("/v1/cards/{card}/activate"), &json!({}))?;
                follow(&client, &change, &format!("card {card} is active"), Kind::Opens, &waiting, out)
            }
            Action::Show(Show { card }) => show(&Client::of(options)?.ask(&format!("/v1/cards/{card}"), &[])?, out),
        }
    }
}

/// Gives an order that takes a card away, and says where it no longer opens.
fn remove(
    card: &CardId,
    (action, body, done): (&str, Value, &str),
    waiting: &Waiting,
    keeping: Keeping,
    options: &Options,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    keeping.check()?;
    let client = Client::of(options)?;
    let change: Answer<Change> = client.change(&format!("/v1/cards/{card}/{action}"), &body)?;
    let exit = follow(&client, &change, &format!("card {card} is {done}"), Kind::Closes, waiting, out)?;
    keeping.evidence.map_or(Ok(()), |file| keep(&client, change.value.seq, &file))?;
    Ok(exit)
}

fn list_found(answer: &Answer<FoundCards>, out: &mut Output) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(Exit::Done);
    }
    let row = |found: &FoundView| {
        let FoundView { card, person, name, place, by, at } = found.clone();
        vec![card, person, name, place, at.text, by]
    };
    let rows: Vec<Vec<String>> = answer.value.cards.iter().map(row).collect();
    if rows.is_empty() {
        note("no found card waits for its holder");
        return Ok(Exit::Done);
    }
    out.table(&["CARD", "PERSON", "NAME", "PLACE", "SINCE", "BY"], &rows)?;
    Ok(Exit::Done)
}

fn proposals(answer: &Answer<Reissues>, out: &mut Output) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(Exit::Done);
    }
    let row = |reissue: &ReissueView| {
        let ReissueView { card, card_type, person, name, cause } = reissue.clone();
        vec![card, card_type, person, name, cause]
    };
    let rows: Vec<Vec<String>> = answer.value.reissues.iter().map(row).collect();
    if rows.is_empty() {
        note("everyone has the card that fits");
        return Ok(Exit::Done);
    }
    out.table(&["CARD", "TYPE", "PERSON", "NAME", "CAUSE"], &rows)?;
    Ok(Exit::Done)
}

fn show(card: &Answer<CardView>, out: &mut Output) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(&card.raw)?;
        return Ok(Exit::Done);
    }
    let CardView { id, person, card_type, state, issued_on, valid_until, number, agents, issued } = &card.value;
    let until = valid_until.as_ref().map_or_else(|| "without end".to_owned(), |day| format!("through {day}"));
    out.line(&format!("card {id} is {state}"))?;
    out.line(&format!("  type    {card_type}"))?;
    number.as_ref().map_or(Ok(()), |number| out.line(&format!("  number  {number}")))?;
    out.line(&format!("  holder  {}, {} ({})", person.id, person.name, person.category))?;
    out.line(&format!("  valid   from {issued_on}, {until}"))?;
    if let Some(issued) = issued {
        let replaced = issued.replaces.as_ref().map(|old| format!(", in place of {old}")).unwrap_or_default();
        let fee = issued.fee.as_ref().map(|fee| format!(", fee {fee}")).unwrap_or_default();
        out.line(&format!("  issued  {}{replaced}{fee}, by {} at {}", issued.cause, issued.by, issued.at.text))?;
    }
    if agents.is_empty() {
        out.line("  no door knows it")?;
        return Ok(Exit::Done);
    }
    let doors = agents.iter().map(|agent| agent.doors.len()).sum();
    out.line(&format!("  known at {} of {}:", plural(doors, "door"), plural(agents.len(), "agent")))?;
    let rows: Vec<Vec<String>> = agents
        .iter()
        .map(|agent| {
            vec![
                format!("    {}", agent.agent),
                agent.doors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            ]
        })
        .collect();
    out.rows(&rows)?;
    Ok(Exit::Done)
}
