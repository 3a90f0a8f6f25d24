//! The first page of help: commands in the order in which a person meets them, and no option where it means nothing.
//!
//! Arranges what clap derives from the commands; what they say of themselves is in their own files.

use clap::Command;

/// Every command by what it is for.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Look at a campus folder, without a server", &["check", "decide", "verify"]),
    ("Run an authority", &["init", "serve", "status", "import", "agent", "root", "token"]),
    (
        "Change who may open what",
        &["card", "application", "photo", "roster", "batch", "lockdown", "release", "grant", "request"],
    ),
    ("Say who may do what", &["operator", "account", "whoami", "me"]),
    ("Ask", &["person", "who", "where", "why", "evidence"]),
    ("Look back", &["log", "alarms", "journal", "looks", "retention"]),
];

/// Options of [`crate::options::Options`] that mean nothing to these commands.
const UNUSED: [(&[&str], &[&str]); 3] = [
    (&["check", "decide", "verify"], &["data", "api", "token_file", "ca", "as", "table"]),
    (&["init", "root", "token"], &["api", "token_file", "ca", "as", "table"]),
    (&["serve"], &["token_file", "ca", "as", "json", "table"]),
];

const EXIT_CODES: &str = "Exit codes: 0 done; 1 an error, a refusal, or the answer is no; 2 the command line makes no sense; \
     3 stored, but not yet in force everywhere.";

/// Groups the commands, and hides options from commands that they mean nothing to.
#[must_use]
pub fn arranged(grammar: Command) -> Command {
    let mut page = String::new();
    let width = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max().unwrap_or_default();
    for (group, names) in GROUPS {
        page.push_str(&format!("{group}:\n"));
        for name in names {
            let about = grammar.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            page.push_str(&format!("  {name:width$}  {}\n", about.unwrap_or_default()));
        }
        page.push('\n');
    }
    page.push_str("`doorward COMMAND --help` tells more of each, with an example.");
    let mut grammar = grammar
        .help_template("{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}{after-help}")
        .before_help(page)
        .after_help(EXIT_CODES)
        .override_usage("doorward COMMAND [OPTIONS]");
    grammar.build();
    grammar.mut_subcommands(|command| {
        let unused = UNUSED.iter().filter(|(commands, _)| commands.contains(&command.get_name()));
        unused.fold(command.clone(), |command, (_, options)| hidden(command, options))
    })
}

fn hidden(command: Command, options: &'static [&'static str]) -> Command {
    let is_hidden = |argument: &clap::Arg| options.contains(&argument.get_id().as_str());
    let command = command.mut_args(|argument| if is_hidden(&argument) { argument.hide(true) } else { argument });
    command.mut_subcommands(|inner| hidden(inner, options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn every_command_stands_in_one_group() {
        let grammar = crate::Line::command();
        let commands: BTreeSet<&str> = grammar.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        assert_eq!(grouped.len(), commands.len());
        assert_eq!(grouped.into_iter().collect::<BTreeSet<_>>(), commands);
    }

    #[test]
    fn every_command_teaches_by_an_example() {
        fn look(command: &Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} does not say what it is for");
            if command.has_subcommands() {
                command.get_subcommands().for_each(|inner| look(inner, &path));
            } else {
                let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(after.contains("Example") && after.contains(path.trim()), "{path} has no example: {after}");
            }
        }
        crate::Line::command().get_subcommands().for_each(|command| look(command, "doorward"));
    }

    #[test]
    fn the_grammar_is_sound_and_hides_what_means_nothing() {
        let mut grammar = arranged(crate::Line::command());
        grammar.clone().debug_assert();
        let mut help = |name: &str| grammar.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        assert!(!help("check").contains("--token-file") && help("status").contains("--token-file"));
        assert!(help("check").contains("--json"));
    }
}
