//! A server as a process: found, started, watched as the operating system counts, and ended with this program.
//!
//! Deliberately Linux only, like what it is compared with.

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

/// Files that server and clients have open beside connections.
const FILES_BESIDE: u64 = 500;

/// A running server; it is killed when this is dropped.
pub struct Server {
    process: Child,
    log: String,
}

impl Server {
    /// Starts a server whose words go to a file in the folder.
    pub fn start(program: &str, arguments: &[String], folder: &str) -> Result<Self> {
        let log = format!("{folder}/log");
        let file = File::create(&log)?;
        // It also ends when this program is killed: then nobody is left who could do it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", program]).args(arguments).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file);
        let process = command.spawn().context("setpriv of util-linux cannot be started")?;
        Ok(Self { process, log })
    }

    /// Resident memory.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the server has ended")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Processor time so far.
    pub fn cpu_us(&self) -> Result<f64> {
        cpu_us(&self.process.id().to_string())
    }

    /// The end of what it said.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Processor time of a process's threads so far. Finer than the ticks of `stat`; threads that have ended are left out, and
/// the processes that are measured keep theirs.
pub fn cpu_us(process: &str) -> Result<f64> {
    let mut total_us = 0.0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end in between.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let ns = text.split(' ').next().context("schedstat is empty")?;
        total_us += ns.parse::<f64>()? / 1e3;
    }
    Ok(total_us)
}

/// The first of the programs that is there, and its version.
pub fn find(programs: &[&'static str], ask_version: &str) -> Option<(String, String)> {
    programs.iter().find_map(|program| {
        let output = Command::new(program).arg(ask_version).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.lines().find_map(|line| line.split_whitespace().last())?;
        Some(((*program).to_owned(), version.to_owned()))
    })
}

/// A port of loopback that nobody listens on.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Lets this program, and the server that it starts, have a connection open for each subscriber.
pub fn raise_limit(subscribers: usize) -> Result<()> {
    let wanted = u64::try_from(subscribers)? + FILES_BESIDE;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let maximum = limit.maximum.map(|maximum| maximum.max(wanted));
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
            .with_context(|| format!("{wanted} open files are not allowed here"))?;
    }
    Ok(())
}
