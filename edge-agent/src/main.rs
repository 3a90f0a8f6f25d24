//! `doorward-agent`: reads the command line and runs the command; all else is in the library beside it.

use clap::{Parser, Subcommand};
use doorward_agent::commands;
use std::io::Write;
use std::process::ExitCode;

/// Controls the doors of a building: decides on taps from memory, keeps what it needs, and stays in touch with the
/// campus's authority.
///
/// Begin with `doorward agent add ID` at the authority, then `doorward-agent join TOKEN --data DIR` here, then
/// `doorward-agent run --data DIR`. Exit codes: 0 done, 1 an error that the message explains, 2 wrong usage; `tap` also
/// has 3 for a denied tap.
#[derive(Debug, Parser)]
#[command(name = "doorward-agent", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Join(commands::join::Arguments),
    Run(commands::run::Arguments),
    Tap(commands::tap::Arguments),
    Replay(commands::replay::Arguments),
    Status(commands::status::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Join(arguments) => commands::join::run(arguments),
        Command::Run(arguments) => commands::run::run(arguments),
        Command::Tap(arguments) => commands::tap::run(arguments),
        Command::Replay(arguments) => commands::replay::run(arguments),
        Command::Status(arguments) => commands::status::run(arguments),
    };
    done.unwrap_or_else(|error| {
        // When not even standard error takes it, the exit code has to do.
        let _unheard = writeln!(std::io::stderr(), "error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
