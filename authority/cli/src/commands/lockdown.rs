//! `doorward lockdown` and `doorward release`: doors that deny everyone, and their return to the rules.
//!
//! A lockdown travels as a suspension does; a release as any other change.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::Output;
use crate::progress::{Keeping, Kind, Waiting, follow, keep};
use clap::{Args, ValueEnum};
use doorward_policy::command::Scope;
use doorward_policy::model::BuildingId;
use doorward_protocol::id::{DoorId, IdError};
use doorward_server::http::shapes::Change;
use serde_json::json;

/// Lock a door, a building or the campus: its doors deny everyone at once
///
/// Changes what doors answer until `doorward release` is told the same door, building or campus. Free exit is a matter of
/// hardware and does not change. Returns when every agent concerned has confirmed, or the wait is over: exit code 0 when
/// all doors are locked, 3 when an agent has not confirmed yet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    doorward lockdown building sci --reason fire\n  \
    doorward lockdown campus --reason drill --evidence drill.evidence")]
pub struct Lockdown {
    #[command(flatten)]
    place: Place,
    /// Why, as the journal and the evidence say it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    keeping: Keeping,
}

/// End a lockdown: the doors go back to their rules
///
/// Changes what doors answer. Name what the lockdown named: releasing one door does not take it out of a lockdown of its
/// building. Exit code 0 when it is in force everywhere, 3 when an agent has not confirmed yet.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward release building sci --reason \"all clear\"")]
pub struct Release {
    #[command(flatten)]
    place: Place,
    /// Why, as the journal says it
    #[arg(long, value_name = "TEXT", default_value = "no reason given", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// The doors of a lockdown, as two words or one.
#[derive(Debug, Args)]
struct Place {
    /// What to name
    what: What,
    /// Which door or building
    id: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Door,
    Building,
    Campus,
}

impl Place {
    fn scope(&self) -> Result<Scope, Failure> {
        let wrong = |error: IdError| Failure::usage(format!("{:?} {error}", self.id.as_deref().unwrap_or_default()));
        match (self.what, &self.id) {
            (What::Door, Some(id)) => DoorId::new(id).map(Scope::Door).map_err(wrong),
            (What::Building, Some(id)) => BuildingId::new(id).map(Scope::Building).map_err(wrong),
            (What::Campus, None) => Ok(Scope::Campus),
            (What::Door | What::Building, None) => {
                Err(Failure::usage("which one?").hint("give its id behind `door` or `building`"))
            }
            (What::Campus, Some(id)) => Err(Failure::usage(format!("{id:?} is one too many: `campus` is all doors"))),
        }
    }
}

impl Lockdown {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let scope = self.place.scope()?;
        self.keeping.check()?;
        let client = Client::of(options)?;
        let body = json!({ "scope": scope, "reason": self.reason });
        let change: Answer<Change> = client.change("/v1/lockdown", &body)?;
        let exit = follow(&client, &change, &format!("{scope} is locked down"), Kind::Closes, &self.waiting, out)?;
        self.keeping.evidence.map_or(Ok(()), |file| keep(&client, change.value.seq, &file))?;
        Ok(exit)
    }
}

impl Release {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let scope = self.place.scope()?;
        let client = Client::of(options)?;
        let change = client.change("/v1/release", &json!({ "scope": scope, "reason": self.reason }))?;
        follow(&client, &change, &format!("{scope} is released"), Kind::Opens, &self.waiting, out)
    }
}
