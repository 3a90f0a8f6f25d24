//! `doorward photo`: photos for cards, from the file to the approval.
//!
//! What a program can check is checked when a photo is brought; whether it shows the person, whoever approves it sees.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::files::{read, write};
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::stored;
use clap::{Args, Subcommand};
use doorward_policy::model::PersonId;
use doorward_policy::photo::PhotoState;
use doorward_server::http::shapes::desk::{PhotoDecision, PhotoList, PhotoView};
use serde_json::json;
use std::path::PathBuf;

/// Largest file that is sent; the authority says what it takes.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// Characters of the name of an image that are enough to tell it from others.
const NAME_CHARACTERS_MIN: usize = 8;

/// Bring photos for cards; approve and reject them
#[derive(Debug, Args)]
pub struct Photo {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Bring a photo of a person; it then waits to be looked at
    ///
    /// A JPEG of the size that campus.toml asks for. An approved photo is locked until it is reopened.
    #[command(after_help = "Example:\n  doorward photo submit 230004 kim.jpg")]
    Submit(Submit),
    /// Show the photos of your people and where they stand, those that wait longest first
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward photo list --state waiting")]
    List(List),
    /// Save a person's photo to a new file, to look at it
    #[command(after_help = "Example:\n  doorward photo save 230004 look.jpg")]
    Save(Submit),
    /// Approve the photo that you saw
    #[command(after_help = "Example:\n  doorward photo approve 230004 --image 5f0c2a9b")]
    Approve(Approve),
    /// Reject the photo that you saw, with a reason that its owner reads
    #[command(after_help = "Example:\n  doorward photo reject 230004 --image 5f0c2a9b --reason \"not upright\"")]
    Reject(Reject),
    /// Take an approval back, so that another photo can come
    #[command(after_help = "Example:\n  doorward photo reopen 230004 --reason \"ten years old\"")]
    Reopen(Reopen),
    /// Remove a photo, with its file
    #[command(after_help = "Example:\n  doorward photo remove 230004 --reason \"asked for it\"")]
    Remove(Reopen),
}

#[derive(Debug, Args)]
struct Submit {
    /// The person
    person: PersonId,
    /// The file
    file: PathBuf,
}

#[derive(Debug, Args)]
struct List {
    /// Only those that stand so: waiting, approved or rejected
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<PhotoState>,
    /// Only of people whose id or name contains this
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
}

#[derive(Debug, Args)]
struct Approve {
    /// The person
    person: PersonId,
    /// The image that you saw, as `doorward photo list` names it; its first characters are enough
    #[arg(long)]
    image: String,
}

#[derive(Debug, Args)]
struct Reject {
    #[command(flatten)]
    seen: Approve,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

#[derive(Debug, Args)]
struct Reopen {
    /// The person
    person: PersonId,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

fn state(text: &str) -> Result<PhotoState, String> {
    let known = PhotoState::ALL.into_iter().find(|state| state.name() == text);
    known.ok_or_else(|| format!("expected one of {}", PhotoState::ALL.map(PhotoState::name).join(", ")))
}

impl Photo {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let client = Client::of(options)?;
        match self.action {
            Action::Submit(Submit { person, file }) => {
                let bytes = read(&file, FILE_BYTES_MAX)?;
                let change = client.upload(&format!("/v1/people/{person}/photo"), bytes)?;
                stored(&change, &format!("the photo of {person} waits to be looked at"), out)?;
            }
            Action::List(List { state, find }) => list(&client, state, find, out)?,
            Action::Save(Submit { person, file }) => {
                write(&file, &client.file(&format!("/v1/people/{person}/photo"))?, |_| false)?;
                note(&format!("the photo of {person} is in {}", file.display()));
            }
            Action::Approve(Approve { person, image }) => {
                let order = PhotoDecision { image: whole(&client, &person, &image)?, reason: None };
                let change = client.change(&format!("/v1/people/{person}/photo/approve"), &order)?;
                stored(&change, &format!("the photo of {person} is approved"), out)?;
            }
            Action::Reject(Reject { seen: Approve { person, image }, reason }) => {
                let order = PhotoDecision { image: whole(&client, &person, &image)?, reason: Some(reason) };
                let change = client.change(&format!("/v1/people/{person}/photo/reject"), &order)?;
                stored(&change, &format!("the photo of {person} is rejected"), out)?;
            }
            Action::Remove(Reopen { person, reason }) => {
                let change =
                    client.change(&format!("/v1/people/{person}/photo/remove"), &json!({ "reason": reason }))?;
                stored(&change, &format!("there is no photo of {person} any more; its file goes within a day"), out)?;
            }
            Action::Reopen(Reopen { person, reason }) => {
                let path = format!("/v1/people/{person}/photo/reopen");
                let change = client.change(&path, &json!({ "reason": reason }))?;
                stored(&change, &format!("another photo of {person} can come"), out)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// The whole name of the image that somebody saw. When another one has come since, no name fits.
fn whole(client: &Client, person: &PersonId, image: &str) -> anyhow::Result<String> {
    if image.len() < NAME_CHARACTERS_MIN {
        return Err(Failure::usage(format!("an image is named by at least {NAME_CHARACTERS_MIN} characters")).into());
    }
    let photos: Answer<PhotoList> = client.ask("/v1/photos", &[])?;
    let mut of_person = photos.value.photos.into_iter().filter(|photo| photo.person == person.as_str());
    let seen = of_person.find(|photo| photo.image.starts_with(image));
    let seen = seen.ok_or_else(|| {
        Failure::new(format!("the photo of {person} is not {image}"))
            .hint("look at it with `doorward photo save`, and at its name with `doorward photo list`")
    });
    Ok(seen?.image)
}

fn list(client: &Client, state: Option<PhotoState>, find: Option<String>, out: &mut Output) -> anyhow::Result<()> {
    let state = state.map(|state| state.name().to_owned());
    let answer: Answer<PhotoList> = client.ask("/v1/photos", &[("state", state), ("find", find)])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = answer
        .value
        .photos
        .into_iter()
        .map(|photo| {
            let PhotoView { person, name, image, state, by, at, reason } = photo;
            let image = if out.is_sheet() { image } else { image.chars().take(NAME_CHARACTERS_MIN).collect() };
            vec![person, name, state, image, at.text, by, reason.unwrap_or_default()]
        })
        .collect();
    if rows.is_empty() {
        note("there is no such photo");
        return Ok(());
    }
    out.table(&["PERSON", "NAME", "STATE", "IMAGE", "SINCE", "BY", "REASON"], &rows)?;
    Ok(())
}
