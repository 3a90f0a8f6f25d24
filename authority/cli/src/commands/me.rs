//! `doorward me`: a card holder's own page, and what can be done there.
//!
//! For sessions of card holders (`doorward account sign-in holder/ID`); offices have `doorward person` and `doorward card`.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::files::read;
use crate::options::Options;
use crate::output::Output;
use crate::progress::stored;
use clap::{Args, Subcommand};
use doorward_policy::model::CardId;
use doorward_server::http::shapes::me::HolderPage;
use serde_json::json;
use std::path::PathBuf;

/// Largest file that is sent; the authority says what it takes.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// See your own cards, report one lost or found, bring your photo
#[derive(Debug, Args)]
pub struct Me {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show yourself, your cards and until when they are valid, your photo and your requests
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward me show --token-file ~/.doorward-session")]
    Show,
    /// Report one of your cards lost: no door opens for it any more
    #[command(
        after_help = "Example:\n  doorward me lost CARD1 --reason \"left in the bus\" --token-file ~/.doorward-session"
    )]
    Lost(Card),
    /// Let a card work again that you reported lost yourself
    #[command(
        after_help = "Example:\n  doorward me found CARD1 --reason \"was at home\" --token-file ~/.doorward-session"
    )]
    Found(Card),
    /// Bring your photo for a card; it then waits to be looked at
    #[command(after_help = "Example:\n  doorward me photo me.jpg --token-file ~/.doorward-session")]
    Photo(Photo),
}

#[derive(Debug, Args)]
struct Card {
    /// The card
    card: CardId,
    /// What happened
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

#[derive(Debug, Args)]
struct Photo {
    /// The file, a JPEG of the size that the campus asks for
    file: PathBuf,
}

impl Me {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Show => {
                let answer: Answer<HolderPage> = client.ask("/v1/me/page", &[])?;
                if out.is_json() { out.json(&answer.raw)? } else { show(&answer.value, out)? }
            }
            Action::Lost(Card { card, reason }) => {
                let change = client.change(&format!("/v1/me/cards/{card}/lost"), &json!({ "reason": reason }))?;
                stored(&change, &format!("no door opens for card {card} any more"), out)?;
            }
            Action::Found(Card { card, reason }) => {
                let change = client.change(&format!("/v1/me/cards/{card}/found"), &json!({ "reason": reason }))?;
                stored(&change, &format!("card {card} works again"), out)?;
            }
            Action::Photo(Photo { file }) => {
                let change = client.upload("/v1/me/photo", read(&file, FILE_BYTES_MAX)?)?;
                stored(&change, "your photo waits to be looked at", out)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn show(page: &HolderPage, out: &mut Output) -> anyhow::Result<()> {
    super::person::show(&page.person, out)?;
    for card in &page.reported_lost {
        out.line(&format!("  you reported {card} lost; `doorward me found {card}` lets it work again"))?;
    }
    match &page.photo {
        None => out.line("  there is no photo of you")?,
        Some(photo) => {
            let why = photo.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            out.line(&format!("  your photo is {}{why}", photo.state))?;
        }
    }
    for request in &page.requests {
        out.line(&format!("  request {} is {}", request.id, request.standing))?;
    }
    for tap in page.taps.iter().flatten() {
        out.line(&format!("  {}  {}  {} ({})", tap.at.text, tap.door, tap.decision, tap.reason))?;
    }
    Ok(())
}
