//! `doorward-agent tap`: presents a card to a running agent, as a reader driver does.

use crate::socket::client::{ask, socket_in};
use crate::socket::line::{TapAnswer, TapRequest, to_line};
use anyhow::{Context, Result};
use doorward_protocol::facts::Factors;
use doorward_protocol::id::{DoorId, check};
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit code of a denied tap.
const DENIED: u8 = 3;

/// Present a card at a door of a running agent, and print its answer.
///
/// Prints the decision and its reason, such as `grant granted` or `deny suspended`. Exit codes: 0 grant, 3 deny, 1 when
/// no agent answers.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The door.
    door: String,
    /// What the reader reads: the card id.
    card: String,
    /// A further factor that was presented: pin, fingerprint or face; may be given several times.
    #[arg(long, value_name = "FACTOR", value_parser = ["pin", "fingerprint", "face"])]
    factor: Vec<String>,
    /// The agent's socket.
    #[arg(long, value_name = "PATH", conflicts_with = "data")]
    socket: Option<PathBuf>,
    /// The agent's data directory, when its socket is there.
    #[arg(long, value_name = "DIR", env = "DOORWARD_AGENT_DATA", required_unless_present = "socket")]
    data: Option<PathBuf>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let door = DoorId::new(&arguments.door).with_context(|| format!("the door {:?} is no id", arguments.door))?;
    check(&arguments.card, true).context("the card is no id")?;
    let factors = arguments.factor.iter().filter_map(|name| Factors::named(name));
    let factors = factors.fold(Factors::NONE, Factors::union);
    let socket = match (arguments.socket, arguments.data) {
        (Some(socket), _) => socket,
        (None, data) => socket_in(&data.context("give --socket PATH or --data DIR")?),
    };
    let request = TapRequest { door, card: arguments.card, factors, id: None };
    let answer: TapAnswer = ask(&socket, &request.to_line())?;
    let text = if arguments.json { to_line(&answer) } else { format!("{} {}\n", answer.decision, answer.reason) };
    super::print(&text)?;
    Ok(if answer.decision == "grant" { ExitCode::SUCCESS } else { ExitCode::from(DENIED) })
}
