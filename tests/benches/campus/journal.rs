//! Start of an authority whose journal has a million commands: from the process to the answer of its API.
//!
//! The journal is written by the journal's own append, one entry at a time as in production, in memory and then copied to
//! the disk: a million waits for a disk would take minutes. Each entry has a commit; only the newest is the right one.

use anyhow::{Context, Result, bail};
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::model::{Campus, CardId, CardState, Grant, GrantId, Subject, Target as Place};
use doorward_protocol::commit::Position;
use doorward_protocol::id::Hash;
use doorward_protocol::time::DayRange;
use doorward_server::clock::wall;
use doorward_server::init::{InitOptions, init};
use doorward_server::journal::{self, Journal};
use doorward_server::paths::Layout;
use doorward_server::present::Leaves;
use doorward_server::signer::Signer;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;
use tests::authority::Authority;
use tests::bench::campus::Recipe;
use tests::bench::measure::{count, time};
use tests::bench::report::{Report, Row, Target};
use tests::bench::system::usage;
use tests::random::Random;
use tests::wait::until;

const RUNS: usize = 5;
const COMMANDS: u64 = 1_000_000;
const RECIPE: Recipe = Recipe { seed: 4, people: 10_000, doors: 500, agents: 50, cards_percent: 150 };

/// A file system in memory, where one is.
const MEMORY: &str = "/dev/shm";

pub fn bench() -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    make(&data)?;
    let mut floor = Vec::new();
    for _ in 0..RUNS {
        floor.push(read_all(&Layout::new(&data).journal())?);
    }
    let (mut folded, mut read, mut folded_mib, mut read_mib) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut authority = Authority::at(&data)?;
    let snapshots = Layout::new(&data).snapshots();
    let mut bytes = 0;
    for _ in 0..RUNS {
        if snapshots.exists() {
            fs::remove_dir_all(&snapshots)?;
        }
        let (seconds, mib) = start(&mut authority)?;
        folded.push(seconds);
        folded_mib.push(mib);
        bytes = snapshot_bytes(&snapshots)?;
        authority.stop()?;
        let (seconds, mib) = start(&mut authority)?;
        read.push(seconds);
        read_mib.push(mib);
        authority.stop()?;
    }
    let recipe = format!(
        "{}\n\n{COMMANDS} commands on it: of 100, 40 suspend, 40 resume, 10 activate or close, 5 add and 5 end a grant.",
        RECIPE.describe()
    );
    let rows = vec![
        Row::new("start with 1,000,000 commands and a snapshot, from the process to the API", "s", &read)
            .target(Target::AtMost(5.0))
            .beside("reading the rows with bare SQLite", &floor)
            .beside("the same start without a snapshot", &folded)
            .note(format!("the snapshot has {} KiB", bytes / 1024)),
        Row::new("most resident memory until then", "MiB", &read_mib).beside("without a snapshot", &folded_mib),
    ];
    Report::new("journal", &recipe, rows)
}

/// Starts a server; says how long that takes in seconds, and the most memory until then in MiB.
fn start(authority: &mut Authority) -> Result<(f64, f64)> {
    let (took, outcome) = time(|| authority.start());
    outcome?;
    let usage = usage(authority.process()?.id())?;
    Ok((took.as_secs_f64(), count(usage.resident_bytes_max) / f64::from(1 << 20)))
}

/// Waits for the snapshot that a start without one makes, and says how large it is.
fn snapshot_bytes(folder: &Path) -> Result<u64> {
    until("a snapshot is made", Duration::from_secs(60), || {
        let mut files = fs::read_dir(folder).ok()?.flatten().map(|file| file.path());
        let file = files.find(|file| file.extension().is_some_and(|extension| extension == "snapshot"))?;
        fs::metadata(file).ok().map(|file| file.len())
    })
}

/// Reads every row and does nothing with it.
fn read_all(file: &Path) -> Result<f64> {
    let (took, rows) = time(|| -> Result<u64> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement = connection.prepare("SELECT seq, at, actor, command FROM entries ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            let (seq, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (actor, command): (String, String) = (row.get(2)?, row.get(3)?);
            found += u64::from(seq > 0 && at > 0 && !actor.is_empty() && !command.is_empty());
        }
        Ok(found)
    });
    if rows? < COMMANDS {
        bail!("the journal is shorter than it should be");
    }
    Ok(took.as_secs_f64())
}

/// A data directory whose journal has that many commands.
fn make(data: &Path) -> Result<()> {
    let memory = Path::new(MEMORY);
    let workshop = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let layout = Layout::new(workshop.path().join("data"));
    let campus = RECIPE.campus()?;
    init(&layout, &campus, InitOptions::default())?;
    let mut journal = journal::open(&layout.journal())?;
    let mut directory = Directory::default();
    let mut refusal = None;
    journal.read_from(1, &mut |entry| {
        refusal = directory.apply(&entry).err();
        if refusal.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    refusal.map_or(Ok(()), Err)?;
    fill(&mut *journal, &mut directory, &campus, &layout)?;
    drop(journal);
    copy(layout.directory(), data)
}

fn fill(journal: &mut dyn Journal, directory: &mut Directory, campus: &Campus, layout: &Layout) -> Result<()> {
    let signer = Signer::open(layout, journal.statements()?)?;
    let mut random = Random::new(RECIPE.seed);
    let cards: Vec<CardId> = campus.tables.cards.keys().cloned().collect();
    let any = signer.commit(1, directory.at(), Hash([0; 32]), Hash([0; 32]))?;
    while directory.head() < COMMANDS {
        let seq = directory.head() + 1;
        let Some(command) = next(directory, &cards, &mut random, seq)? else { continue };
        let entry = Entry { seq, at: wall().max(directory.at()), actor: Actor::new("operator")?, command };
        directory.apply(&entry)?;
        journal.append(seq - 1, &entry, &serde_json::to_string(&entry.command)?)?;
        if seq < COMMANDS {
            journal.store_commit(Position { epoch: signer.epoch(), seq }, &any)?;
        }
    }
    let leaves = Leaves::of(directory, &Compiled::whole(directory)?)?;
    let (seq, at) = (directory.head(), directory.at());
    let newest = signer.commit(seq, at, any.hash(), leaves.root())?;
    Ok(journal.store_commit(Position { epoch: signer.epoch(), seq }, &newest)?)
}

/// A command that the directory takes; `None` when the one that was thought of is refused.
fn next(directory: &Directory, cards: &[CardId], random: &mut Random, seq: u64) -> Result<Option<Command>> {
    let card = random.choose(cards).context("no cards")?.clone();
    let state = directory.tables().cards.get(&card).map(|card| card.state);
    let kind = random.below(100);
    let command = match (state, kind) {
        (_, 95..) => match directory.tables().grants.keys().find(|id| id.as_str().starts_with("made-")) {
            Some(id) => Command::GrantEnd { id: id.clone(), on: None },
            None => return Ok(None),
        },
        (_, 90..95) => {
            let id: GrantId = format!("made-{seq}").parse()?;
            let subject = Subject::Person(RECIPE.person(random.below(RECIPE.people)).parse()?);
            let target = Place::Door(RECIPE.door(random.below(RECIPE.doors)).parse()?);
            Command::GrantAdd {
                id,
                grant: Grant { subject, target, schedule: None, days: DayRange::ALWAYS, within: None },
            }
        }
        (Some(CardState::Produced), _) => Command::CardActivate { card },
        (Some(CardState::Active), _) => Command::CardSuspend { card, reason: "reported lost".into() },
        (Some(CardState::Suspended), _) => Command::CardResume { card, reason: "found again".into() },
        (Some(CardState::Closed) | None, _) => return Ok(None),
    };
    Ok(Some(command))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
