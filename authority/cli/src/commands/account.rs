//! `doorward account`: how an operator shows who it is: choose a password, sign in, sign out.
//!
//! Passwords are asked for on a terminal, or read from standard input a line each; never from the command line, where others
//! could see them.

use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::files::{check_writable, is_session, write_session};
use crate::loopback::Loopback;
use crate::options::Options;
use crate::output::{Output, note};
use clap::{Args, Subcommand};
use doorward_server::accounts::Login;
use doorward_server::http::shapes::office::{Done, NewPassword, SessionGiven, SetUpOrder, SignIn};
use doorward_server::http::shapes::oidc::{OidcBegun, OidcReturn};
use serde_json::json;
use std::io::{self, BufRead, IsTerminal};

/// Choose your password, sign in and out
#[derive(Debug, Args)]
pub struct Account {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Choose your password, with the secret that `doorward operator invite` printed
    ///
    /// Asks for the secret and for the password; without a terminal, reads them from standard input, a line each.
    #[command(after_help = "Example:\n  doorward account set-up kim --api https://doors.example.edu:4433")]
    SetUp(Who),
    /// Sign in: writes the token of a session to the file that --token-file names
    ///
    /// With --oidc, prints the address at which your identity provider asks who you are, and waits until a browser on this machine
    /// comes back from there.
    ///
    /// Commands that are given the same --token-file (or DOORWARD_TOKEN_FILE) are then yours, until the session ends: after half
    /// an hour without a command, and after twelve hours.
    #[command(after_help = "Examples:\n  doorward account sign-in kim --token-file ~/.doorward-session\n  \
        doorward account sign-in --oidc --token-file ~/.doorward-session")]
    SignIn(SignInAs),
    /// End the session whose token --token-file names
    #[command(after_help = "Example:\n  doorward account sign-out --token-file ~/.doorward-session")]
    SignOut,
    /// Choose another password; ends all your sessions
    #[command(after_help = "Example:\n  doorward account password --token-file ~/.doorward-session")]
    Password,
}

#[derive(Debug, Args)]
struct Who {
    /// Your operator name; of a card holder `holder/` and the person's id
    id: Login,
}

#[derive(Debug, Args)]
struct SignInAs {
    /// Your operator name; of a card holder `holder/` and the person's id
    #[arg(required_unless_present = "oidc", conflicts_with = "oidc")]
    id: Option<Login>,
    /// Show who you are to the identity provider that the authority believes, instead of by a password
    #[arg(long)]
    oidc: bool,
}

impl Account {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        match self.action {
            Action::SetUp(Who { id }) => {
                let client = Client::without_token(options)?;
                let (secret, password) = (asked("set-up secret: ")?, asked("new password: ")?);
                repeated(&password)?;
                let order = SetUpOrder { operator: id.to_string(), secret, password };
                let done: Answer<Done> = client.change("/v1/setup", &order)?;
                say(&done, &format!("the password of {id} is set; sign in with `doorward account sign-in {id}`"), out)?;
            }
            Action::SignIn(SignInAs { id, .. }) => sign_in(id.as_ref(), options, out)?,
            Action::SignOut => {
                let done: Answer<Done> = Client::of(options)?.remove("/v1/session")?;
                say(&done, "the session has ended", out)?;
            }
            Action::Password => {
                let client = Client::of(options)?;
                let (old, new) = (asked("password until now: ")?, asked("new password: ")?);
                repeated(&new)?;
                let done: Answer<Done> = client.change("/v1/password", &NewPassword { old, new })?;
                say(&done, "the password is changed; sign in again", out)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Begins a session with a password, or, of nobody named, by the identity provider.
fn sign_in(id: Option<&Login>, options: &Options, out: &mut Output) -> anyhow::Result<()> {
    let Some(file) = options.token_file() else {
        return Err(Failure::usage("nothing says where the token of the session is to be kept")
            .hint("name a file with --token-file FILE (or DOORWARD_TOKEN_FILE)")
            .into());
    };
    check_writable(&file, is_session)?;
    let client = Client::without_token(options)?;
    let session = match id {
        Some(id) => {
            let order = SignIn { operator: id.to_string(), password: asked("password: ")? };
            client.change::<SessionGiven>("/v1/session", &order)?.value
        }
        None => by_provider(&client)?,
    };
    write_session(&file, &session.token)?;
    let SessionGiven { operator, expires_at, .. } = session;
    if out.is_json() {
        out.json(&json!({ "operator": operator, "token_file": file, "expires_at": expires_at }))?;
    } else {
        out.line(&format!("{operator} is signed in until {}: {}", expires_at.text, file.display()))?;
    }
    Ok(())
}

/// Waits until a browser comes back from the identity provider with a code, and shows that one to the authority.
fn by_provider(client: &Client) -> Result<SessionGiven, Failure> {
    let loopback = Loopback::open()?;
    let query = [("redirect_uri", Some(loopback.redirect_uri()))];
    let OidcBegun { url, state, handle, .. } = client.ask::<OidcBegun>("/v1/session/oidc", &query)?.value;
    note("open this address in a browser on this machine, and sign in there:");
    note(&url);
    let visit = loopback.wait(&state)?;
    let finished = visit.code().and_then(|code| {
        let back = OidcReturn { handle, state, code: code.to_owned(), iss: visit.issuer().map(ToOwned::to_owned) };
        client.change::<SessionGiven>("/v1/session/oidc", &back)
    });
    visit.tell(finished.is_ok());
    Ok(finished?.value)
}

/// One line that nobody sees on a terminal, or the next one of standard input.
fn asked(prompt: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let line = line.trim_end_matches(['\n', '\r']).to_owned();
    if line.is_empty() {
        return Err(Failure::usage(format!(
            "standard input ended where {} was expected",
            prompt.trim_end_matches(": ")
        ))
        .into());
    }
    Ok(line)
}

/// Who cannot see what is typed types it twice.
fn repeated(password: &str) -> anyhow::Result<()> {
    if io::stdin().is_terminal() && rpassword::prompt_password("the same again: ")? != password {
        return Err(Failure::new("the two are not the same; nothing is changed").into());
    }
    Ok(())
}

fn say(done: &Answer<Done>, what: &str, out: &mut Output) -> anyhow::Result<()> {
    if out.is_json() {
        out.json(&done.raw)?;
    } else {
        note(what);
    }
    Ok(())
}
