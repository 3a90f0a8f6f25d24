//! One edge agent as a real process, reached through a network that can be cut, and the taps at its doors.

use crate::authority::Authority;
use crate::binaries::binaries;
use crate::command::{Answer, run};
use crate::json::at;
use crate::process::{Process, tied_through};
use crate::wait::{SOON, until_true};
use crate::wire::Wire;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a door may take to answer before a test calls it hung.
const TAP_WITHIN: Duration = Duration::from_secs(20);

/// An agent with a data directory of its own.
#[derive(Debug)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// Its data directory.
    pub data: PathBuf,
    /// Where its doors are tapped.
    pub socket: PathBuf,
    /// The network between it and the authority.
    pub network: Wire,
    /// Where it looks for the authority, in this order: at its end of that network unless something else is put here.
    pub authorities: Vec<String>,
    /// A command line before `run` that takes it to a machine of its own.
    pub way: Vec<String>,
    /// Further arguments of `run`.
    pub arguments: Vec<String>,
    /// Environment of `run`.
    pub environment: Vec<(String, String)>,
    process: Option<Process>,
}

impl Agent {
    /// Enrols an agent with a token of the authority; nothing runs yet.
    ///
    /// # Errors
    /// When either side refuses.
    pub fn enrol(folder: &Path, authority: &Authority, id: &str) -> Result<Self> {
        let agent = Self::at(folder, authority, id)?;
        let token = authority.invite(id)?;
        agent.run(&["join", &token])?.ok()?;
        Ok(agent)
    }

    /// An agent on a data directory that is there, or is to be made by a join.
    ///
    /// # Errors
    /// When there is no socket for its network.
    pub fn at(folder: &Path, authority: &Authority, id: &str) -> Result<Self> {
        let network = Wire::start(authority.quic)?;
        Ok(Self {
            id: id.to_owned(),
            data: folder.join(id),
            socket: folder.join(id).join("taps.sock"),
            authorities: vec![network.address().to_string()],
            network,
            way: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            process: None,
        })
    }

    /// The command line of `run`, for this agent.
    #[must_use]
    pub fn run_arguments(&self) -> Vec<String> {
        let (data, socket) = (self.data.display().to_string(), self.socket.display().to_string());
        let mut line = ["run", "--data", &data, "--socket", &socket].map(str::to_owned).to_vec();
        line.extend(self.authorities.iter().flat_map(|address| ["--authority".to_owned(), address.clone()]));
        line.extend(self.arguments.iter().cloned());
        line
    }

    /// Starts the agent and waits until its doors can be tapped; it may not be connected yet.
    ///
    /// # Errors
    /// When it ends, or does not answer in time; its log is in the message.
    pub fn start(&mut self) -> Result<()> {
        let mut command = tied_through(&self.way, &binaries()?.agent);
        command.args(self.run_arguments()).envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start(&mut command, &self.log_file())?;
        let mut ended = false;
        let ready = until_true("the agent takes taps", SOON, || {
            ended = process.ended()?.is_some();
            Ok(ended || UnixStream::connect(&self.socket).is_ok())
        });
        if ended || ready.is_err() {
            bail!("`doorward-agent run` of {} does not run; its log:\n{}", self.id, process.log());
        }
        self.process = Some(process);
        Ok(())
    }

    /// Asks the agent to stop, and holds it to a clean end.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), Process::stop)
    }

    /// Ends the agent at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// The process of the agent.
    ///
    /// # Errors
    /// When none runs.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().with_context(|| format!("agent {} does not run", self.id))
    }

    /// Where the agent's log is.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// What the agent has said, in all its runs.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Runs `doorward-agent` with these arguments on this agent's data directory.
    ///
    /// # Errors
    /// When it cannot be run, or hangs; any exit code is an answer.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Answer> {
        let mut line: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let data = self.data.display().to_string();
        line.extend(["--data", &data]);
        run(&binaries()?.agent, &line, &self.environment, None)
    }

    /// A connection to the agent's doors.
    ///
    /// # Errors
    /// When the agent does not run.
    pub fn reader(&self) -> Result<Reader> {
        Reader::connect(&self.socket)
    }

    /// Taps a card once: the answer's decision and reason, such as `grant granted`.
    ///
    /// # Errors
    /// When the door does not answer.
    pub fn tap(&self, door: &str, card: &str) -> Result<String> {
        self.reader()?.tap(door, card, &[])
    }

    /// What the agent says of itself.
    ///
    /// # Errors
    /// When it does not run.
    pub fn status(&self) -> Result<Value> {
        let socket = self.socket.display().to_string();
        run(&binaries()?.agent, &["status", "--json", "--socket", &socket], &[], None)?.ok()?.json()
    }

    /// Waits until a tap is answered like this.
    ///
    /// # Errors
    /// When it is still answered otherwise at the deadline.
    pub fn wait_for(&self, door: &str, card: &str, answer: &str) -> Result<()> {
        let mut last = String::new();
        let waited = until_true(&format!("{card} at {door}: {answer}"), SOON, || {
            last = self.tap(door, card)?;
            Ok(last == answer)
        });
        waited.with_context(|| format!("it was {last} at last; log of {}:\n{}", self.id, self.log()))
    }
}

/// A reader at the door: a small program that writes a line for each tap and reads the answer.
#[derive(Debug)]
pub struct Reader(BufReader<UnixStream>);

impl Reader {
    /// Connects to an agent's socket.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).with_context(|| format!("nobody listens at {}", socket.display()))?;
        stream.set_read_timeout(Some(TAP_WITHIN))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Writes one line and reads one.
    ///
    /// # Errors
    /// When the agent goes away.
    pub fn line(&mut self, line: &str) -> Result<Value> {
        let mut answer = String::new();
        self.0.get_mut().write_all(format!("{line}\n").as_bytes())?;
        if self.0.read_line(&mut answer)? == 0 {
            bail!("the agent went away");
        }
        serde_json::from_str(&answer).with_context(|| format!("the answer is no JSON: {answer}"))
    }

    /// Taps a card and returns the whole answer.
    ///
    /// # Errors
    /// When the agent goes away.
    pub fn ask(&mut self, door: &str, card: &str, factors: &[&str]) -> Result<Value> {
        self.line(&json!({ "door": door, "card": card, "factors": factors }).to_string())
    }

    /// Taps a card: the answer's decision and reason, such as `deny suspended`.
    ///
    /// # Errors
    /// When the agent goes away, or finds fault with the question.
    pub fn tap(&mut self, door: &str, card: &str, factors: &[&str]) -> Result<String> {
        let answer = self.ask(door, card, factors)?;
        match (at(&answer, "decision").as_str(), at(&answer, "reason").as_str()) {
            (Some(decision), Some(reason)) => Ok(format!("{decision} {reason}")),
            _ => bail!("{card} at {door} is answered with {answer}"),
        }
    }
}
