//! One authority as a real process, on ports that it keeps through its restarts, and the commands that talk to it.

use crate::binaries::binaries;
use crate::command::{Answer, run};
use crate::http;
use crate::json::{at, list, text};
use crate::ports::{free, loopback};
use crate::process::{Process, tied};
use crate::wait::{SOON, until_true};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// An authority with a data directory of its own.
#[derive(Debug)]
pub struct Authority {
    /// Its data directory.
    pub data: PathBuf,
    /// Where agents reach it.
    pub quic: SocketAddr,
    /// Where its HTTP API is.
    pub api: SocketAddr,
    /// Further arguments of `serve`.
    pub arguments: Vec<String>,
    /// Environment of `serve`.
    pub environment: Vec<(String, String)>,
    process: Option<Process>,
}

impl Authority {
    /// Makes the data directory from a campus folder; nothing runs yet.
    ///
    /// # Errors
    /// When `doorward init` refuses.
    pub fn init(data: &Path, campus: &Path) -> Result<Self> {
        let authority = Self::at(data)?;
        let arguments = ["init".into(), "--campus".into(), campus.display().to_string()];
        authority.run(&arguments)?.ok()?;
        Ok(authority)
    }

    /// An authority on a data directory that is there, or is to be made.
    ///
    /// # Errors
    /// When no ports are free.
    pub fn at(data: &Path) -> Result<Self> {
        Ok(Self {
            data: data.to_owned(),
            quic: loopback(free()?),
            api: loopback(free()?),
            arguments: vec!["--pulse".to_owned(), "500ms".to_owned()],
            environment: Vec::new(),
            process: None,
        })
    }

    /// The command line of `serve`, for this authority.
    #[must_use]
    pub fn serve_arguments(&self) -> Vec<String> {
        let data = self.data.display().to_string();
        let (quic, api) = (self.quic.to_string(), self.api.to_string());
        let mut line = ["serve", "--data", &data, "--listen", &quic, "--advertise", &quic, "--api", &api]
            .map(str::to_owned)
            .to_vec();
        line.extend(self.arguments.iter().cloned());
        line
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// When it ends, or does not answer in time; its log is in the message.
    pub fn start(&mut self) -> Result<()> {
        let mut command = tied(&binaries()?.authority);
        command.args(self.serve_arguments()).envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start(&mut command, &self.log_file())?;
        let id = u64::from(process.id());
        let run_file = self.data.join("run.json");
        let mut ended = None;
        let ready = until_true("the authority answers", SOON, || {
            ended = process.ended()?;
            if ended.is_some() {
                // What has ended will never answer.
                return Ok(true);
            }
            let written: Value = serde_json::from_slice(&std::fs::read(&run_file)?)?;
            Ok(*at(&written, "pid") == id && std::net::TcpStream::connect(self.api).is_ok())
        });
        if let Some(status) = ended {
            bail!("`doorward serve` ended with {status}; its log:\n{}", process.log());
        }
        ready.with_context(|| format!("the log of `doorward serve`:\n{}", process.log()))?;
        self.process = Some(process);
        Ok(())
    }

    /// Asks the server to stop, and holds it to a clean end.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), Process::stop)
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// The process of the server.
    ///
    /// # Errors
    /// When none runs.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("no authority runs")
    }

    /// Where the server's log is.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// What the server has said, in all its runs.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Runs `doorward` with these arguments on this authority's data directory.
    ///
    /// # Errors
    /// When it cannot be run, or hangs; any exit code is an answer.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Answer> {
        let mut line: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let data = self.data.display().to_string();
        line.extend(["--data", &data]);
        run(&binaries()?.authority, &line, &[], None)
    }

    /// Runs `doorward` with a command line of plain words.
    ///
    /// # Errors
    /// As [`Authority::run`].
    pub fn say(&self, line: &str) -> Result<Answer> {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command that must succeed, and reads its answer as JSON.
    ///
    /// # Errors
    /// When it fails, or answers no JSON.
    pub fn json(&self, line: &str) -> Result<Value> {
        self.say(&format!("{line} --json"))?.ok()?.json()
    }

    /// Runs a command that must succeed and answers one JSON document a line.
    ///
    /// # Errors
    /// As [`Authority::json`].
    pub fn json_lines(&self, line: &str) -> Result<Vec<Value>> {
        self.say(&format!("{line} --json"))?.ok()?.json_lines()
    }

    /// A join token for an agent.
    ///
    /// # Errors
    /// When the authority refuses.
    pub fn invite(&self, agent: &str) -> Result<String> {
        let answer = self.json(&format!("agent add {agent}"))?;
        at(&answer, "token").as_str().map(str::to_owned).context("no token in the answer")
    }

    /// What the authority says of one agent.
    ///
    /// # Errors
    /// When it knows none of that name.
    pub fn agent(&self, id: &str) -> Result<Value> {
        let answer = self.api_json("/v1/agents")?;
        list(&answer, "agents")
            .iter()
            .find(|agent| text(agent, "id") == id)
            .cloned()
            .with_context(|| format!("no agent {id}"))
    }

    /// The token of the HTTP API as a header.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn bearer(&self) -> Result<String> {
        let token = std::fs::read_to_string(self.data.join("api-token"))?;
        Ok(format!("authorization: Bearer {}", token.trim()))
    }

    /// Asks the HTTP API, with the token.
    ///
    /// # Errors
    /// When nobody answers, or the answer is an error.
    pub fn api_json(&self, path: &str) -> Result<Value> {
        let reply = http::ask(self.api, "GET", path, &[self.bearer()?], "")?;
        if reply.status != 200 {
            bail!("{path} is answered with {}: {}", reply.status, reply.body);
        }
        let last = reply.body.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        serde_json::from_str(&reply.body).or_else(|_| serde_json::from_str(last)).context("no JSON")
    }
}
