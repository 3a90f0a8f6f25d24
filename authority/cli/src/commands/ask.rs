//! `doorward who`, `where` and `why`: what the directory answers about doors and cards, now or at an instant.
//!
//! Deliberately not what one agent says: an agent that is cut off may still answer by what it last heard.

use crate::args::instant;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::{Output, note};
use clap::Args;
use doorward_policy::explain;
use doorward_policy::model::CardId;
use doorward_protocol::decide::Reason;
use doorward_protocol::id::DoorId;
use doorward_server::http::shapes::{WhereAnswer, WhoAnswer, WhyAnswer};

/// Show who can open a door
///
/// Changes nothing. With --at in the past it asks the directory as it was then; in the future, by all that is known now.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward who sci-main --at 2026-11-22T08:00:00+09:00")]
pub struct Who {
    /// The door
    door: DoorId,
    #[command(flatten)]
    when: When,
}

/// Show which doors a card opens
///
/// Changes nothing. With --at in the past it asks the directory as it was then; in the future, by all that is known now.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward where 048C55D46770BF")]
pub struct Where {
    /// The card, as readers read it
    card: CardId,
    #[command(flatten)]
    when: When,
}

/// Explain why a door answers a card as it does
///
/// Changes nothing. Tells the chain from door and card over person, affiliation, rule and schedule to the decision. With --at
/// in the past it asks the directory as it was then; in the future, by all that is known now.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward why 048C55D46770BF sci-main --at 2026-11-22T23:30:00+09:00")]
pub struct Why {
    /// The card, as readers read it
    card: CardId,
    /// The door
    door: DoorId,
    #[command(flatten)]
    when: When,
}

#[derive(Debug, Args)]
struct When {
    /// The instant to ask about, such as 2026-11-22T08:00:00+09:00; now unless given
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<String>,
}

impl Who {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority knows no such door or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let query = [("door", Some(self.door.to_string())), ("at", self.when.at)];
        let answer: Answer<WhoAnswer> = Client::of(options)?.ask("/v1/who", &query)?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        let WhoAnswer { at, answer: explain::Who { door, openings }, .. } = answer.value;
        match door {
            Some(Reason::Unlocked) => out.line(&format!("{} opens for anyone at {}", self.door, at.text))?,
            Some(reason) => out.line(&format!("{} opens for nobody at {}: {reason}", self.door, at.text))?,
            None if openings.is_empty() => out.line(&format!("{} opens for no card at {}", self.door, at.text))?,
            None => {
                let row = |opening: &explain::Opening| {
                    let explain::Opening { person, name, card, factors, .. } = opening;
                    vec![card.to_string(), person.to_string(), name.clone(), needing(factors)]
                };
                out.table(&["CARD", "PERSON", "NAME", "NEEDS"], &openings.iter().map(row).collect::<Vec<_>>())?;
                out.finish()?;
                note(&format!("{} cards open {} at {}", openings.len(), self.door, at.text));
            }
        }
        Ok(Exit::Done)
    }
}

impl Where {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority knows no such card or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let query = [("card", Some(self.card.to_string())), ("at", self.when.at)];
        let answer: Answer<WhereAnswer> = Client::of(options)?.ask("/v1/where", &query)?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        let WhereAnswer { at, answer: openings, .. } = answer.value;
        if openings.is_empty() {
            out.line(&format!("card {} opens no door at {}", self.card, at.text))?;
            return Ok(Exit::Done);
        }
        let row = |opening: &explain::Opening| {
            let explain::Opening { door, reason, factors, .. } = opening;
            vec![door.to_string(), reason.to_string(), needing(factors)]
        };
        out.table(&["DOOR", "REASON", "NEEDS"], &openings.iter().map(row).collect::<Vec<_>>())?;
        out.finish()?;
        note(&format!("card {} opens {} doors at {}", self.card, openings.len(), at.text));
        Ok(Exit::Done)
    }
}

impl Why {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority knows no such door or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let query =
            [("card", Some(self.card.to_string())), ("door", Some(self.door.to_string())), ("at", self.when.at)];
        let answer: Answer<WhyAnswer> = Client::of(options)?.ask("/v1/why", &query)?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        let explain::Explanation { card, door, at, decision, reason, sentences } = answer.value.answer;
        out.line(&format!("{decision}, {reason}: card {card} at door {door}, {at}"))?;
        for sentence in sentences {
            out.line(&format!("  {sentence}"))?;
        }
        Ok(Exit::Done)
    }
}

/// The factors that a door wants beside the card: one of these.
fn needing(factors: &[String]) -> String {
    factors.join(" or ")
}
