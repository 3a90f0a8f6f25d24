//! What the benchmarks of the agent share: a campus whose one agent knows 100,000 credentials at 64 doors.
//!
//! Deliberately real processes on real disks; nothing of the agent is linked into the reader that taps it.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::bench::campus::{MadeTap, Recipe};
use tests::world::World;

/// The campus: as many credentials and doors at its one agent as the targets name.
pub const RECIPE: Recipe = Recipe { seed: 4, people: 100_000, doors: 64, agents: 1, cards_percent: 100 };

/// How long the first snapshot of that campus may take: it is compiled, sent and made durable meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// An authority of that campus without an agent.
pub fn authority() -> Result<World> {
    let folder = tempfile::tempdir()?;
    RECIPE.write(folder.path())?;
    let mut world = World::start(folder.path(), &[])?;
    world.patience = PATIENCE;
    Ok(world)
}

/// The lines of random taps at that campus.
pub fn lines(count: usize) -> Vec<String> {
    RECIPE.taps(count).iter().map(line).collect()
}

fn line(tap: &MadeTap) -> String {
    let factors = if tap.factors == doorward_protocol::facts::Factors::NONE { "" } else { r#","factors":["pin"]"# };
    format!("{{\"door\":\"{}\",\"card\":\"{}\"{factors}}}\n", tap.door, tap.card)
}

/// A reader driver that does as little as one can: bytes out, bytes in.
pub struct Driver(BufReader<UnixStream>);

impl Driver {
    /// Connects to an agent's socket.
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).with_context(|| format!("nobody listens at {}", socket.display()))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Writes these lines at once and reads an answer to each; how long each answer took.
    pub fn taps(&mut self, lines: &[String]) -> Result<Vec<Duration>> {
        // Each of them was decided and recorded, whatever the decision was.
        self.ask(lines, |answer| answer.contains("\"decision\"") && !answer.contains("not_recorded"))
    }

    /// The same for any lines, whose answers must be as expected.
    pub fn ask(&mut self, lines: &[String], is_expected: impl Fn(&str) -> bool) -> Result<Vec<Duration>> {
        let begun = Instant::now();
        self.0.get_mut().write_all(lines.concat().as_bytes())?;
        let mut answer = String::new();
        let taken = lines.iter().map(|_| {
            answer.clear();
            self.0.read_line(&mut answer)?;
            ensure!(is_expected(&answer), "the answer is {answer:?}");
            Ok(begun.elapsed())
        });
        taken.collect()
    }
}
