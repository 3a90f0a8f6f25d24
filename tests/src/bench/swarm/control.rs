//! The benchmark's side of a swarm: starts the process, tells it what to do, and waits for its word.

use crate::bench::swarm::play::Order;
use crate::bench::swarm::tally::{Event, Step};
use crate::process::tied;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a swarm may take to read ten thousand keys.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running swarm; it ends with this.
#[derive(Debug)]
pub struct Swarm {
    child: Child,
    orders: Option<ChildStdin>,
    events: Receiver<Event>,
    /// What came and was not asked for yet.
    early: Vec<Event>,
    log: PathBuf,
    order: Order,
}

impl Swarm {
    /// Starts the program with these members; none of them is connected yet.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, members: &Path, authority: SocketAddr) -> Result<Self> {
        let log = members.with_extension("log");
        let mut command = tied(program);
        command.args(["--members", &members.display().to_string(), "--authority", &authority.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().context("the swarm cannot be started")?;
        let out = child.stdout.take().context("no output")?;
        let orders = child.stdin.take();
        let (send, events) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            let read = lines.filter_map(|line| serde_json::from_str::<Event>(&line).ok());
            // Nobody listens any more once the benchmark is over.
            let _over = read.map(|event| send.send(event)).find(Result::is_err);
        });
        let order = Order { wave: 0, present: (0, 0), in_order: true, shake_only: false, server: 0 };
        Ok(Self { child, orders, events, early: Vec::new(), log, order })
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has read who its agents are.
    ///
    /// # Errors
    /// When it ends before.
    pub fn wait_until_ready(&mut self) -> Result<()> {
        let none = Order { present: (0, 0), ..self.order };
        let number = self.tell(none)?;
        self.wait_for(Step::Heard, number, READY_WITHIN).map(|_| ())
    }

    /// What it was told last.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.order
    }

    /// Tells it what to do; connections from now on are of a new wave, whose number is returned.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tell(&mut self, order: Order) -> Result<u64> {
        let wave = self.order.wave + 1;
        self.order = Order { wave, ..order };
        let orders = self.orders.as_mut().context("the swarm is gone")?;
        writeln!(orders, "{}", serde_json::to_string(&self.order)?)?;
        orders.flush()?;
        Ok(wave)
    }

    /// Waits until all agents have made a step.
    ///
    /// # Errors
    /// When they have not in time; the log is in the message.
    pub fn wait_for(&mut self, step: Step, number: u64, within: Duration) -> Result<Event> {
        let deadline = Instant::now() + within;
        let is_it = |event: &Event| event.step == step && event.number == number;
        if let Some(place) = self.early.iter().position(is_it) {
            return Ok(self.early.remove(place));
        }
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) if is_it(&event) => return Ok(event),
                Ok(event) => self.early.push(event),
                Err(_) => bail!("not all agents came to {step:?} {number} within {within:?}; {}", self.last_words()),
            }
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(5);
        format!("it told of {} events; {}", self.early.len(), lines.get(from..).unwrap_or_default().join("\n"))
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        // It ends with its input; should it hang, it is ended.
        drop(self.orders.take());
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
