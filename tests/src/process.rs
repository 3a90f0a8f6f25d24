//! A process that a test started: its log in a file, signals by name, and its end with the test in any case.

use crate::wait::until;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How long a process that is asked to stop may take: connections are closed and stores flushed.
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// What is sent to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Asks it to stop.
    Terminate,
    /// Ends it at once.
    Kill,
    /// Halts it.
    Stop,
    /// Lets it go on.
    Continue,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// A running process; killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

/// A command whose process the kernel kills when the thread that started it ends, however that comes about.
#[must_use]
pub fn tied(program: &Path) -> Command {
    tied_through(&[], program)
}

/// The same, where a command line before the program, such as `nsenter --net=FILE --`, takes it to where it is to run.
#[must_use]
pub fn tied_through(way: &[String], program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    // A umask that asks for nothing: what is private is made so by the program itself.
    let careless = ["sh", "-c", "umask 000 && exec \"$@\"", "sh"];
    command.args(["--pdeathsig", "KILL", "--"]).args(way).args(careless).arg(program);
    command
}

impl Process {
    /// Starts a process whose output is appended to a log file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log);
        let file = file.with_context(|| format!("{} cannot be written", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far, and the processes before it that had the same log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal.name(), &id]).output()?;
        if !sent.status.success() {
            bail!("{signal:?} cannot be sent to {id}: {}", String::from_utf8_lossy(&sent.stderr));
        }
        Ok(())
    }

    /// How it ended; `None` while it runs.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs at the deadline.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let what = format!("the end of process {}", self.id());
        until(&what, deadline, || self.child.try_wait().ok().flatten())
    }

    /// Asks it to stop, and holds it to a clean end.
    ///
    /// # Errors
    /// When it does not end in time, or not with exit code 0.
    pub fn stop(mut self) -> Result<()> {
        self.signal(Signal::Terminate)?;
        let status = self.wait(STOP_WITHIN)?;
        if !status.success() {
            bail!("asked to stop, it ended with {status}; its log:\n{}", self.log());
        }
        Ok(())
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Both fail only when it has ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
