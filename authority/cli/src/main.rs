//! `doorward`: the command line of the authority. Parses, runs one command, and tells how it ended.
//!
//! What a command does is in its own file under `commands`; nothing here knows any of them in particular.

mod args;
mod client;
mod commands;
mod failure;
mod files;
mod help;
mod loopback;
mod options;
mod output;
mod progress;
mod sheet;

use crate::commands::Command;
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::{Output, OutputError, note};
use clap::{FromArgMatches, Parser};
use std::process::ExitCode;

/// Who may open which door of a campus: decided here, proven to anyone, and known at every door.
#[derive(Debug, Parser)]
#[command(name = "doorward", version, disable_help_subcommand = true)]
struct Line {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let mut grammar = help::arranged(<Line as clap::CommandFactory>::command());
    let line = grammar.clone().try_get_matches().and_then(|matches| Line::from_arg_matches(&matches));
    let line = match line {
        Ok(line) => line,
        Err(error) => error.exit(),
    };
    let mut out = Output::new(line.options.json, line.options.table.clone());
    let ended = match line.command {
        Some(command) => command.run(&line.options, &mut out),
        None => out.text(&grammar.render_help().to_string()).map(|()| Exit::Done).map_err(Into::into),
    };
    let ended = ended.and_then(|exit| out.finish().map(|()| exit).map_err(Into::into));
    ExitCode::from(match ended {
        Ok(exit) => exit.code(),
        Err(error) => told(&error, line.options.json),
    })
}

/// Tells a person, or a program, why a command ended early; the exit code of that.
fn told(error: &anyhow::Error, json: bool) -> u8 {
    if matches!(error.downcast_ref(), Some(OutputError::ReaderGone)) {
        return Exit::READER_GONE;
    }
    let failure = match (error.downcast_ref::<Failure>(), error.downcast_ref()) {
        (Some(failure), _) | (None, Some(OutputError::Sheet(failure))) => failure.clone(),
        (None, _) => Failure::new(format!("{error:#}")),
    };
    match serde_json::to_string(&failure) {
        Ok(text) if json => note(&text),
        _ => {
            failure.details.iter().for_each(|detail| note(detail));
            note(&format!("error: {}", failure.error));
            failure.hint.iter().for_each(|hint| note(&format!("hint: {hint}")));
        }
    }
    failure.code()
}
