//! `doorward token`: the token with which operators ask the API.
//!
//! Works on a data directory on which no server runs: whoever has the directory decides who may ask.

use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use clap::{Args, Subcommand};
use doorward_server::paths::Layout;
use doorward_server::token::renew;
use serde_json::json;

/// Replace the token that the API asks for
#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a new token for the API; the one before is worth nothing from now on
    ///
    /// The server knows the token by its hash only: take the file to where commands are given, and delete it here if none are.
    /// Needs a stopped server; doors go on deciding meanwhile.
    #[command(after_help = "Example:\n  doorward token new --data authority")]
    New,
}

impl Token {
    /// Runs the command.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let Action::New = self.action;
        let file = renew(&Layout::new(options.data_directory()?))?;
        if out.is_json() {
            out.json(&json!({ "token_file": file }))?;
        } else {
            out.line(&format!("the new token is in {}; it is the right one when the server starts", file.display()))?;
        }
        Ok(Exit::Done)
    }
}
