//! `doorward roster`: who of a department gets a card in a campaign.
//!
//! The department lists and confirms, the card office accepts; `doorward batch` goes on from there.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::files::read;
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::stored;
use clap::{Args, Subcommand};
use doorward_policy::model::{PersonId, UnitId};
use doorward_policy::production::CampaignId;
use doorward_server::http::shapes::production::{CampaignView, Campaigns, RosterPeople, RosterStep, RosterView};
use std::path::PathBuf;

/// Largest list of people that is read: more than a roster holds.
const LIST_BYTES_MAX: u64 = 256 << 10;

/// List who gets a card in a campaign; confirm and accept the lists
#[derive(Debug, Args)]
pub struct Roster {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the campaigns, their stages, and the rosters of your units
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward roster list")]
    List,
    /// Show who is on a roster, and how far each has come
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward roster show spring-2027 --unit korean --table roster.xlsx")]
    Show(Whose),
    /// Put people of a unit on its roster
    #[command(after_help = "Examples:\n  doorward roster enter spring-2027 --unit korean 230004 230005\n  \
        doorward roster enter spring-2027 --unit korean --file people.txt")]
    Enter(People),
    /// Take people off a roster
    #[command(after_help = "Example:\n  doorward roster strike spring-2027 --unit korean 230004")]
    Strike(People),
    /// Say that a roster is complete; everyone on it has an approved photo
    #[command(after_help = "Example:\n  doorward roster confirm spring-2027 --unit korean")]
    Confirm(Whose),
    /// Accept a confirmed roster: its cards can be ordered
    #[command(after_help = "Example:\n  doorward roster accept spring-2027 --unit korean")]
    Accept(Whose),
    /// Give a roster back to its unit, with a reason that it reads
    #[command(after_help = "Example:\n  doorward roster return spring-2027 --unit korean --reason \"two have left\"")]
    Return(Return),
}

#[derive(Debug, Args)]
struct Whose {
    /// The campaign, as campus.toml names it
    campaign: CampaignId,
    /// The unit whose roster it is
    #[arg(long)]
    unit: UnitId,
}

#[derive(Debug, Args)]
struct People {
    #[command(flatten)]
    whose: Whose,
    /// The people
    #[arg(required_unless_present = "file")]
    people: Vec<PersonId>,
    /// A file with one of them a line
    #[arg(long, conflicts_with = "people")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Return {
    #[command(flatten)]
    whose: Whose,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

impl Roster {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::List => list(&client, out)?,
            Action::Show(whose) => show(&client, &whose, out)?,
            Action::Enter(people) => change_people(&client, people, ("enter", "on"), out)?,
            Action::Strike(people) => change_people(&client, people, ("strike", "not on"), out)?,
            Action::Confirm(whose) => step(&client, &whose, ("confirm", "is confirmed"), None, out)?,
            Action::Accept(whose) => step(&client, &whose, ("accept", "is accepted"), None, out)?,
            Action::Return(Return { whose, reason }) => {
                step(&client, &whose, ("return", "is open again"), Some(reason), out)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn change_people(
    client: &Client,
    People { whose: Whose { campaign, unit }, people, file }: People,
    (action, said): (&str, &str),
    out: &mut Output,
) -> anyhow::Result<()> {
    let people = match file {
        None => people.iter().map(ToString::to_string).collect(),
        Some(file) => {
            let text = String::from_utf8(read(&file, LIST_BYTES_MAX)?);
            let text = text.map_err(|_| Failure::usage(format!("{} is not text in UTF-8", file.display())))?;
            let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
            lines.filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        }
    };
    let count = people.len();
    let order = RosterPeople { unit: unit.to_string(), people };
    let change = client.change(&format!("/v1/campaigns/{campaign}/{action}"), &order)?;
    let people = if count == 1 { "1 person is".to_owned() } else { format!("{count} people are") };
    stored(&change, &format!("{people} {said} the roster of {unit}"), out)
}

fn step(
    client: &Client,
    Whose { campaign, unit }: &Whose,
    (action, said): (&str, &str),
    reason: Option<String>,
    out: &mut Output,
) -> anyhow::Result<()> {
    let order = RosterStep { unit: unit.to_string(), reason };
    let change = client.change(&format!("/v1/campaigns/{campaign}/{action}"), &order)?;
    stored(&change, &format!("the roster of {unit} {said}"), out)
}

fn list(client: &Client, out: &mut Output) -> anyhow::Result<()> {
    let answer: Answer<Campaigns> = client.ask("/v1/campaigns", &[])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(());
    }
    if answer.value.campaigns.is_empty() {
        note("campus.toml has no campaign; deploy/README.md says how to write one");
        return Ok(());
    }
    if !out.is_sheet() {
        for campaign in &answer.value.campaigns {
            out.line(&format!("campaign {} ({}), cards of type {}", campaign.id, campaign.name, campaign.card_type))?;
            for stage in &campaign.stages {
                let days = match (&stage.from, &stage.until) {
                    (Some(from), Some(until)) => format!("{from} to {until}"),
                    _ => "any day".to_owned(),
                };
                let open = if stage.open { "open" } else { "closed" };
                out.line(&format!("  {}: {days}, {open} today", stage.stage))?;
            }
        }
    }
    let row = |campaign: &CampaignView, roster: &RosterView| {
        let approved = roster.people.iter().filter(|person| person.photo == "approved").count();
        let ordered = roster.people.iter().filter(|person| person.batch.is_some()).count();
        let counts = [roster.people.len(), approved, ordered].map(|count| count.to_string());
        let [people, approved, ordered] = counts;
        vec![
            campaign.id.clone(),
            roster.unit.clone(),
            roster.state.clone(),
            people,
            approved,
            ordered,
            roster.returned.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = answer
        .value
        .campaigns
        .iter()
        .flat_map(|campaign| campaign.rosters.iter().map(|roster| row(campaign, roster)))
        .collect();
    if rows.is_empty() {
        note("none of your units has a roster; begin one with `doorward roster enter`");
        return Ok(());
    }
    out.table(&["CAMPAIGN", "UNIT", "STATE", "PEOPLE", "PHOTOS APPROVED", "ORDERED", "GIVEN BACK"], &rows)?;
    Ok(())
}

fn show(client: &Client, Whose { campaign, unit }: &Whose, out: &mut Output) -> anyhow::Result<()> {
    let answer: Answer<Campaigns> = client.ask("/v1/campaigns", &[])?;
    let campaigns = answer.value.campaigns.into_iter().filter(|known| known.id == campaign.as_str());
    let roster = campaigns.flat_map(|known| known.rosters).find(|roster| roster.unit == unit.as_str());
    let roster = roster.ok_or_else(|| {
        Failure::new(format!("unit {unit} has no roster for campaign {campaign}"))
            .hint("see which there are with `doorward roster list`")
    })?;
    if out.is_json() {
        out.json(&serde_json::to_value(&roster)?)?;
        return Ok(());
    }
    if !out.is_sheet() {
        let by = roster.accepted_by.as_ref().or(roster.confirmed_by.as_ref());
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        out.line(&format!("the roster of {unit} is {}{by}", roster.state))?;
    }
    let row = |person: doorward_server::http::shapes::production::RosterPerson| {
        let (batch, card) = (person.batch.unwrap_or_default(), person.card.unwrap_or_default());
        vec![person.person, person.name, person.photo, batch, card]
    };
    let rows: Vec<Vec<String>> = roster.people.into_iter().map(row).collect();
    out.table(&["PERSON", "NAME", "PHOTO", "BATCH", "CARD"], &rows)?;
    Ok(())
}
