//! `doorward whoami`: as whom the authority knows the token at hand, and what that one may do.

use super::operator::remit_text;
use crate::client::{Answer, Client};
use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use clap::Args;
use doorward_server::http::shapes::office::Me;

/// Show as whom the authority knows you, and what you may do
///
/// Changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward whoami --token-file my.token")]
pub struct Whoami {}

impl Whoami {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority does not answer, or knows nobody by this token.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        let answer: Answer<Me> = Client::of(options)?.ask("/v1/me", &[])?;
        if out.is_json() {
            out.json(&answer.raw)?;
            return Ok(Exit::Done);
        }
        let Me { actor, powers, acts, .. } = &answer.value;
        out.line(&format!("you are {actor}"))?;
        for power in powers {
            out.line(&format!("{} for {}", power.role, remit_text(power)))?;
        }
        if powers.is_empty() {
            out.line("the owner of the data directory, who may do everything")?;
        }
        acts.iter().try_for_each(|act| out.line(&format!("  may {act}")))?;
        Ok(Exit::Done)
    }
}
