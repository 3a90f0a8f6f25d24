//! What the card desk does with one card: issue it, in place of another or not, and extend it. Actions of `doorward card`.

use crate::args::{day, reason};
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::{Kind, Waiting, follow};
use clap::Args;
use doorward_policy::desk::Cause;
use doorward_policy::model::{CardId, CardTypeId, PersonId};
use doorward_protocol::time::Day;
use doorward_server::http::shapes::Change;
use doorward_server::http::shapes::desk::{CardIssued, CardOrder, Extension};

#[derive(Debug, Args)]
pub struct Issue {
    /// The new card, as readers read it
    card: CardId,
    /// For whom
    #[arg(long, value_name = "PERSON")]
    person: PersonId,
    /// Its type, as campus.toml names it
    #[arg(long = "type", value_name = "TYPE")]
    card_type: CardTypeId,
    /// Why: first, lost, stolen, damaged, destroyed, department-change, role-change, not-working or temporary
    #[arg(long, value_name = "CAUSE", default_value = "first", value_parser = cause)]
    cause: Cause,
    /// The card in whose place it comes
    #[arg(long, value_name = "CARD")]
    replaces: Option<CardId>,
    /// The old card came back
    #[arg(long, requires = "replaces")]
    returned: bool,
    /// What is printed on it; made by the type's number format unless given
    #[arg(long)]
    number: Option<String>,
    /// First day, such as 2026-11-22; today unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// Last day; by the holder's category unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Day>,
    /// What was shown for it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    document: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub struct Extend {
    /// The card, as readers read it
    card: CardId,
    /// Its last day
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Day,
    /// What was shown for it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    document: String,
    #[command(flatten)]
    waiting: Waiting,
}

fn cause(text: &str) -> Result<Cause, String> {
    Cause::of_name(text).ok_or_else(|| format!("expected one of {}", Cause::ALL.map(Cause::name).join(", ")))
}

impl Issue {
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let order = CardOrder {
            card: self.card.to_string(),
            person: self.person.to_string(),
            card_type: self.card_type.to_string(),
            cause: self.cause.name().to_owned(),
            replaces: self.replaces.as_ref().map(ToString::to_string),
            returned: self.returned,
            number: self.number,
            issued_on: self.from.map(|day| day.to_string()),
            valid_until: self.until.map(|day| day.to_string()),
            document: self.document,
        };
        let client = Client::of(options)?;
        let change: Answer<Change> = client.change("/v1/cards", &order)?;
        let issued: Answer<CardIssued> = Answer::of(change.raw.clone())?;
        let CardIssued { card, number, fee, .. } = &issued.value;
        let number = number.as_ref().map(|number| format!(", number {number}")).unwrap_or_default();
        let said = format!("card {card} is issued to {}{number}", self.person);
        // The old card closes with it, where there is one.
        let kind = if self.replaces.is_some() { Kind::Closes } else { Kind::Opens };
        let exit = follow(&client, &change, &said, kind, &self.waiting, out)?;
        if !out.is_json() {
            let fee =
                fee.as_ref().map_or("campus.toml says nothing of a fee".to_owned(), |fee| format!("the fee is {fee}"));
            note(&format!("{fee}; it comes into use with `doorward card activate {card}`"));
        }
        Ok(exit)
    }
}

impl Extend {
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let Self { card, until, document, waiting } = self;
        let client = Client::of(options)?;
        let order = Extension { until: until.to_string(), document };
        let change: Answer<Change> = client.change(&format!("/v1/cards/{card}/extend"), &order)?;
        follow(&client, &change, &format!("card {card} is valid through {until}"), Kind::Opens, &waiting, out)
    }
}
