//! `doorward person`: who somebody is, which cards are theirs, and what is known of them: all of it for them, or none any more.
//!
//! People come and go with folder and feed; only whom neither names any more can be erased.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::files::write;
use crate::options::Options;
use crate::output::{Output, note};
use clap::{Args, Subcommand};
use doorward_policy::model::PersonId;
use doorward_server::http::shapes::desk::{People, PersonDetail};
use doorward_server::http::shapes::office::SetUpGiven;
use doorward_server::http::shapes::personal::Erasure;
use serde_json::json;
use std::path::PathBuf;

/// Find people by name, number or card; show one with affiliations and cards
#[derive(Debug, Args)]
pub struct Person {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Find people by a part of their name, id, card or printed number
    ///
    /// Changes nothing. Shows those in your remit.
    #[command(after_help = "Example:\n  doorward person find 김민")]
    Find(Find),
    /// Show a person with affiliations and cards
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward person show 230004")]
    Show(Show),
    /// Invite a card holder to the own page: prints a secret, with which that one chooses a password
    ///
    /// Hand it out where you see who takes it. It is good once and for a day; the password before and its sessions end.
    #[command(after_help = "Example:\n  doorward person invite 230004")]
    Invite(Show),
    /// Save all that is known of a person to a new file, as JSON
    ///
    /// Changes nothing. Directory, photo, grants, requests, taps, who asked, and what the journal says; that you ask is kept, too.
    #[command(after_help = "Example:\n  doorward person export 230004 --to kim.json")]
    Export(Export),
    /// Erase all that is known of a person whom neither folder nor feed names any more
    ///
    /// Not before a folder without the person was imported; cards that are open end with it. In the journal a pseudonym takes the person's place; taps stay without saying
    /// whose. Names in texts about other things, and copies elsewhere such as backups, stay: see SECURITY.md.
    #[command(after_help = "Example:\n  doorward person erase 230004 --reason \"asked for it on 12 May\"")]
    Erase(Erase),
}

#[derive(Debug, Args)]
struct Export {
    /// The person
    id: PersonId,
    /// The file, which must not be there
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
struct Erase {
    /// The person
    id: PersonId,
    /// Why; it stays in the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

#[derive(Debug, Args)]
struct Find {
    /// What to look for
    text: String,
    /// How many people to show
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
}

#[derive(Debug, Args)]
struct Show {
    /// The person
    id: PersonId,
}

impl Person {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Find(Find { text, limit }) => {
                let query = [("find", Some(text)), ("limit", Some(limit.to_string()))];
                let answer: Answer<People> = client.ask("/v1/people", &query)?;
                if out.is_json() { out.json(&answer.raw)? } else { list(&answer.value, out)? }
            }
            Action::Show(Show { id }) => {
                let answer: Answer<PersonDetail> = client.ask(&format!("/v1/people/{id}"), &[])?;
                if out.is_json() { out.json(&answer.raw)? } else { show(&answer.value, out)? }
            }
            Action::Invite(Show { id }) => {
                let answer: Answer<SetUpGiven> = client.change(&format!("/v1/people/{id}/invite"), &json!({}))?;
                if out.is_json() {
                    out.json(&answer.raw)?;
                } else {
                    let SetUpGiven { operator, secret, expires_at, .. } = &answer.value;
                    out.line(secret)?;
                    note(&format!(
                        "it is said this once, and good until {}: doorward account set-up {operator}",
                        expires_at.text
                    ));
                }
            }
            Action::Export(Export { id, to }) => {
                write(&to, &client.file(&format!("/v1/people/{id}/export"))?, |_| false)?;
                note(&format!("all that is known of {id} is in {}", to.display()));
            }
            Action::Erase(Erase { id, reason }) => {
                let path = format!("/v1/people/{id}/erase");
                let answer: Answer<Erasure> = client.change(&path, &json!({ "reason": reason }))?;
                if out.is_json() {
                    out.json(&answer.raw)?;
                } else {
                    let Erasure { seq, entries, records, .. } = answer.value;
                    out.line(&format!("{id} is erased: entry {seq}; {entries} entries and {records} taps say nothing of that person any more"))?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn list(found: &People, out: &mut Output) -> anyhow::Result<()> {
    if found.people.is_empty() {
        note("nobody is found");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found
        .people
        .iter()
        .map(|person| {
            let units = person.affiliations.iter().map(|of| of.unit.as_str()).collect::<Vec<_>>().join(" ");
            let cards = person.cards.iter().map(|card| format!("{} ({})", card.id, card.state));
            let cards = cards.collect::<Vec<_>>().join(" ");
            vec![person.id.clone(), person.name.clone(), person.category.clone(), units, cards]
        })
        .collect();
    out.table(&["PERSON", "NAME", "CATEGORY", "UNITS", "CARDS"], &rows)?;
    if found.more {
        note("there are more; say more of the name, or --limit");
    }
    Ok(())
}

pub fn show(person: &PersonDetail, out: &mut Output) -> anyhow::Result<()> {
    out.line(&format!("{}, {} ({})", person.id, person.name, person.category))?;
    person.ends_on.as_ref().map_or(Ok(()), |day| out.line(&format!("  ends on  {day}")))?;
    person.left_on.as_ref().map_or(Ok(()), |day| out.line(&format!("  left on  {day}")))?;
    for affiliation in &person.affiliations {
        let from = affiliation.from.as_ref().map(|day| format!(" from {day}")).unwrap_or_default();
        let until = affiliation.until.as_ref().map(|day| format!(" through {day}")).unwrap_or_default();
        out.line(&format!("  in unit  {}{from}{until}", affiliation.unit))?;
    }
    let rows: Vec<Vec<String>> = person
        .cards
        .iter()
        .map(|card| {
            let until =
                card.valid_until.as_ref().map_or_else(|| "without end".to_owned(), |day| format!("through {day}"));
            let valid = format!("from {} {until}", card.issued_on);
            let number = card.number.clone().unwrap_or_default();
            vec![format!("  card {}", card.id), card.card_type.clone(), card.state.clone(), valid, number]
        })
        .collect();
    out.rows(&rows)?;
    Ok(())
}
