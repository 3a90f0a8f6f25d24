//! `doorward grant`: rights that staff give beside the campus's rules, and their end.
//!
//! What a grant means is the campus format's business: the permit rule with that subject, target, schedule and days.

use crate::args::day;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use crate::progress::{Kind, Waiting, follow};
use clap::{Args, Subcommand};
use doorward_policy::model::{BuildingId, CategoryId, GrantId, PersonId, ScheduleName, Subject, Target, UnitId};
use doorward_protocol::id::DoorId;
use doorward_protocol::time::Day;
use doorward_server::http::shapes::Change;
use serde_json::json;

/// Give a person, a unit or a category a right to a door or a building, or end one
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
        doorward grant add --person 230004 --door eng-1-rear --id robot-club-7")]
    Add(Box<Add>),
    /// End a right
    ///
    /// Changes who may open what: a grant ends now, or with its last day. What a grant of the campus folder says comes back
    /// with the next import, unless it is ended there, too.
    #[command(after_help = "Example:\n  doorward grant end robot-club-7 --on 2026-12-24")]
    End(End),
}

#[derive(Debug, Args)]
struct Add {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    place: Place,
    /// When on those days: a schedule of campus.toml; always unless given
    #[arg(long, value_name = "NAME")]
    schedule: Option<ScheduleName>,
    /// First day, such as 2026-11-22; from now on unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// Last day; without end unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Day>,
    /// Name of the grant, by which it is ended; made up unless given
    #[arg(long)]
    id: Option<GrantId>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// Everyone with an active affiliation to this unit or to one below it
    #[arg(long, value_name = "UNIT")]
    unit: Option<UnitId>,
    /// One person
    #[arg(long, value_name = "PERSON")]
    person: Option<PersonId>,
    /// Everyone of this category
    #[arg(long, value_name = "CATEGORY")]
    category: Option<CategoryId>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// All doors of this building
    #[arg(long, value_name = "BUILDING")]
    building: Option<BuildingId>,
    /// One door
    #[arg(long, value_name = "DOOR")]
    door: Option<DoorId>,
}

#[derive(Debug, Args)]
struct End {
    /// Name of the grant
    id: GrantId,
    /// Its last day, such as 2026-12-24; it ends now unless given
    #[arg(long, value_name = "DAY", value_parser = day)]
    on: Option<Day>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Grant {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        match self.action {
            Action::Add(add) => add.run(options, out),
            Action::End(End { id, on, waiting }) => {
                let client = Client::of(options)?;
                let body = json!({ "on": on.map(|day| day.to_string()) });
                let change = client.change(&format!("/v1/grants/{id}/end"), &body)?;
                let when = on.map_or_else(|| "has ended".to_owned(), |day| format!("ends with {day}"));
                follow(&client, &change, &format!("grant {id} {when}"), Kind::Opens, &waiting, out)
            }
        }
    }
}

impl Add {
    fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        let Who { unit, person, category } = self.who;
        // clap has seen to it that one of them is given.
        let subject = unit.map(Subject::Unit).or(person.map(Subject::Person)).or(category.map(Subject::Category));
        let target = self.place.building.map(Target::Building).or(self.place.door.map(Target::Door));
        let body = json!({
            "id": self.id,
            "subject": subject,
            "target": target,
            "schedule": self.schedule,
            "from": self.from.map(|day| day.to_string()),
            "until": self.until.map(|day| day.to_string()),
        });
        let change: Answer<Change> = client.change("/v1/grants", &body)?;
        let id = change.value.grant.as_ref().map(ToString::to_string).unwrap_or_default();
        follow(&client, &change, &format!("grant {id} is given"), Kind::Opens, &self.waiting, out)
    }
}
