//! Every command of `doorward`, one file each; here only which there are.
//!
//! A command parses its own line, does one thing, and answers through the one output.

mod account;
mod agent;
mod alarms;
mod application;
mod ask;
mod batch;
mod card;
mod check;
mod decide;
mod desk;
mod evidence;
mod grant;
mod import;
mod init;
mod journal;
mod lockdown;
mod log;
mod looks;
mod me;
mod operator;
mod person;
mod photo;
mod request;
mod retention;
mod root;
mod roster;
mod serve;
mod status;
mod terms;
mod token;
mod verify;
mod whoami;

use crate::failure::Exit;
use crate::options::Options;
use crate::output::Output;
use clap::Subcommand;

/// A command of `doorward`.
#[derive(Debug, Subcommand)]
pub enum Command {
    Check(check::Check),
    Decide(decide::Decide),
    Verify(verify::Verify),
    Init(init::Init),
    Serve(serve::Serve),
    Status(status::Status),
    Import(import::Import),
    Agent(agent::Agent),
    Root(root::Root),
    Token(token::Token),
    Operator(operator::Operator),
    Whoami(whoami::Whoami),
    Account(account::Account),
    Me(me::Me),
    Card(card::Card),
    Person(person::Person),
    Application(application::Application),
    Photo(photo::Photo),
    Roster(roster::Roster),
    Batch(batch::Batch),
    Lockdown(lockdown::Lockdown),
    Release(lockdown::Release),
    Grant(grant::Grant),
    Request(request::Request),
    Who(ask::Who),
    Where(ask::Where),
    Why(ask::Why),
    Evidence(evidence::Evidence),
    Log(log::Log),
    Alarms(alarms::Alarms),
    Journal(journal::Journal),
    Looks(looks::Looks),
    Retention(retention::Retention),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// Whatever ends it early.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(command) => command.run(out),
            Self::Decide(command) => command.run(out),
            Self::Verify(command) => command.run(out),
            Self::Init(command) => command.run(options, out),
            Self::Serve(command) => command.run(options, out),
            Self::Status(command) => command.run(options, out),
            Self::Import(command) => command.run(options, out),
            Self::Agent(command) => command.run(options, out),
            Self::Root(command) => command.run(options, out),
            Self::Token(command) => command.run(options, out),
            Self::Operator(command) => command.run(options, out),
            Self::Whoami(command) => command.run(options, out),
            Self::Me(command) => command.run(options, out),
            Self::Account(command) => command.run(options, out),
            Self::Card(command) => command.run(options, out),
            Self::Person(command) => command.run(options, out),
            Self::Application(command) => command.run(options, out),
            Self::Photo(command) => command.run(options, out),
            Self::Roster(command) => command.run(options, out),
            Self::Batch(command) => command.run(options, out),
            Self::Lockdown(command) => command.run(options, out),
            Self::Release(command) => command.run(options, out),
            Self::Grant(command) => command.run(options, out),
            Self::Request(command) => command.run(options, out),
            Self::Who(command) => command.run(options, out),
            Self::Where(command) => command.run(options, out),
            Self::Why(command) => command.run(options, out),
            Self::Evidence(command) => command.run(options, out),
            Self::Log(command) => command.run(options, out),
            Self::Alarms(command) => command.run(options, out),
            Self::Journal(command) => command.run(options, out),
            Self::Retention(command) => command.run(options, out),
            Self::Looks(command) => command.run(options, out),
        }
    }
}
