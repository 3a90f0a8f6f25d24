//! `doorward batch`: cards that a company makes, from the order to the cards in hand.
//!
//! The archive is what the company needs; what it made comes back as a table of people and cards.

use crate::args::day;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::files::{read, write};
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::stored;
use clap::{Args, Subcommand};
use doorward_policy::model::UnitId;
use doorward_policy::production::{BatchId, CampaignId};
use doorward_protocol::time::Day;
use doorward_server::http::shapes::production::{BatchCard, BatchDelivery, BatchOrder, BatchView, Batches};
use doorward_server::sheet;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest table of produced cards that is read.
const TABLE_BYTES_MAX: u64 = 1 << 20;

/// Order cards from a card company; take them in
#[derive(Debug, Args)]
pub struct Batch {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Order the cards of accepted rosters that are not ordered yet
    #[command(after_help = "Example:\n  doorward batch order spring-1 --campaign spring-2027")]
    Order(Order),
    /// Show the batches
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward batch list")]
    List,
    /// Show the cards of a batch
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward batch show spring-1 --table spring-1.xlsx")]
    Show(Named),
    /// Save the archive for the company: batch.csv and a photo of each holder
    #[command(after_help = "Example:\n  doorward batch save spring-1 spring-1.zip")]
    Save(Save),
    /// Take in the cards that came: a CSV table with the columns person_id and card_id
    ///
    /// They are issued, and come into use when they are activated. A table that names anybody wrongly changes nothing.
    #[command(after_help = "Example:\n  doorward batch deliver spring-1 produced.csv")]
    Deliver(Deliver),
}

#[derive(Debug, Args)]
struct Order {
    /// Name of the batch, which none has yet
    batch: BatchId,
    /// The campaign, as campus.toml names it
    #[arg(long)]
    campaign: CampaignId,
    /// Only rosters of this unit and those below it
    #[arg(long)]
    unit: Option<UnitId>,
}

#[derive(Debug, Args)]
struct Named {
    /// The batch
    batch: BatchId,
}

#[derive(Debug, Args)]
struct Save {
    /// The batch
    batch: BatchId,
    /// The new file
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Deliver {
    /// The batch
    batch: BatchId,
    /// The table
    file: PathBuf,
    /// First day of the cards, such as 2026-11-22; today unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
}

impl Batch {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Order(Order { batch, campaign, unit }) => {
                let unit = unit.map(|unit| unit.to_string());
                let order = BatchOrder { batch: batch.to_string(), campaign: campaign.to_string(), unit };
                let change = client.change("/v1/batches", &order)?;
                stored(&change, &format!("batch {batch} is ordered"), out)?;
                if !out.is_json() {
                    note(&format!("save what the company needs with `doorward batch save {batch} {batch}.zip`"));
                }
            }
            Action::List => list(&client, out)?,
            Action::Show(Named { batch }) => show(&client, &batch, out)?,
            Action::Save(Save { batch, file }) => {
                write(&file, &client.file(&format!("/v1/batches/{batch}/archive"))?, |_| false)?;
                note(&format!("batch {batch} is in {}", file.display()));
            }
            Action::Deliver(Deliver { batch, file, from }) => {
                let cards = produced(&file)?;
                let said = format!("{} of batch {batch} came", count(cards.len()));
                let order = BatchDelivery { issued_on: from.map(|day| day.to_string()), cards };
                let change = client.change(&format!("/v1/batches/{batch}/deliver"), &order)?;
                stored(&change, &said, out)?;
                if !out.is_json() {
                    note("each comes into use with `doorward card activate CARD`");
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn count(cards: usize) -> String {
    if cards == 1 { "1 card".to_owned() } else { format!("{cards} cards") }
}

/// The table of what was produced. Other columns are the company's own.
fn produced(file: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |(line, what)| Failure::new(format!("{}:{line}: {what}; nothing was changed", file.display()));
    sheet::produced(&read(file, TABLE_BYTES_MAX)?).map_err(wrong)
}

fn list(client: &Client, out: &mut Output) -> anyhow::Result<()> {
    let answer: Answer<Batches> = client.ask("/v1/batches", &[])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(());
    }
    let row = |batch: BatchView| {
        let came = batch.cards.iter().filter(|card| card.card.is_some()).count();
        let cards = batch.cards.len().to_string();
        vec![
            batch.batch,
            batch.campaign,
            batch.unit.unwrap_or_default(),
            cards,
            came.to_string(),
            batch.at.text,
            batch.by,
        ]
    };
    let rows: Vec<Vec<String>> = answer.value.batches.into_iter().map(row).collect();
    if rows.is_empty() {
        note("nothing was ordered yet");
        return Ok(());
    }
    out.table(&["BATCH", "CAMPAIGN", "UNIT", "CARDS", "CAME", "ORDERED", "BY"], &rows)?;
    Ok(())
}

fn show(client: &Client, batch: &BatchId, out: &mut Output) -> anyhow::Result<()> {
    let answer: Answer<BatchView> = client.ask(&format!("/v1/batches/{batch}"), &[])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(());
    }
    let row = |card: BatchCard| {
        let BatchCard { person, name, category, units, number, photo, card } = card;
        let (number, photo, card) = (number.unwrap_or_default(), photo.unwrap_or_default(), card.unwrap_or_default());
        vec![person, name, category, units, number, photo, card]
    };
    let rows: Vec<Vec<String>> = answer.value.cards.into_iter().map(row).collect();
    out.table(&["PERSON", "NAME", "CATEGORY", "UNITS", "NUMBER", "PHOTO", "CARD"], &rows)?;
    Ok(())
}
