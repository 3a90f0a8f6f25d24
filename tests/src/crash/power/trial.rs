//! One world on a disk that loses its power again and again: load, cut, restore, look, and on with what was left.
//!
//! Deliberately the same for agents and authority; what only one of them must keep is in `agents` and `authority`.

use super::disk::{Cache, PowerDisk};
use super::office::{Counter, Office};
use super::{Options, Who};
use super::{agents, authority};
use crate::agent::Agent;
use crate::binaries::binaries;
use crate::campus::edit;
use crate::crash::judge::{Seen, judge};
use crate::crash::load::{Scene, Tap, tap_on};
use crate::crash::report::Report;
use crate::crash::stage::{self, NORTH, NORTH_DOORS, SOUTH, SOUTH_DOORS};
use crate::json::{list, text};
use crate::process::{Process, tied};
use crate::random::Random;
use crate::wait::{SOON, until};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use doorward_policy::command::Entry;
use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{ScopedJoinHandle, scope, sleep};
use std::time::Duration;

/// Readers at each agent: some always wait for the disk.
const READERS: usize = 5;

/// How long the load goes on before the power is cut, at most, in ms.
const CALM_MS_MAX: u64 = 700;

/// Longest time after which a start is cut short, in ms: a little more than it takes.
const STARTING_MS_MAX: u64 = 120;

/// Agents of a world that may be invited; their buildings have no doors.
const SPARE: usize = 60;

/// See the module.
pub struct Trial {
    /// Everything that runs; ends before the disk is gone.
    pub world: World,
    /// The disk of those whose power is cut.
    pub disk: PowerDisk,
    /// All choices.
    pub random: Random,
    /// Every tap.
    pub taps: Vec<Tap>,
    /// Whoever gives orders; away while at work.
    pub office: Option<Office>,
    /// The journal when it was last looked at.
    pub journal: Vec<Entry>,
    who: Who,
    counted: Report,
    keep: Option<PathBuf>,
    kept: u64,
}

impl Trial {
    /// A new world; what goes wrong on the way to it, cuts included, is said in the report.
    pub fn begin(options: &Options, preload: Option<&Path>, mut random: Random, report: &mut Report) -> Result<Self> {
        let who = options.who;
        let disk = PowerDisk::create()?;
        let folder = tempfile::tempdir()?;
        let mut world = match who {
            Who::Agents => World::start(&campus(folder.path(), false)?, &[])?,
            Who::Authority => World::start(&campus(folder.path(), false)?, &[NORTH, SOUTH])?,
        };
        match who {
            Who::Agents => agents::settle_in(&mut world, &disk, &mut random, report)?,
            Who::Authority => authority::settle_in(&mut world, &disk, &mut random, report)?,
        }
        preload_into(&mut world, who, preload);
        if who == Who::Authority {
            world.authority.start()?;
        }
        world.agents.iter_mut().filter(|_| who == Who::Agents).try_for_each(|agent| agent.start())?;
        world.wait_until_exact()?;
        let folders = [campus(world.path(), false)?, campus(world.path(), true)?];
        let counter = Counter { api: world.authority.api, bearer: world.authority.bearer()? };
        let spare: VecDeque<String> = (0..SPARE).map(spare).collect();
        let joins = world.file("joined");
        std::fs::create_dir_all(&joins)?;
        let office = Office::new(counter, &folders, spare, &joins, Random::new(random.next()))?;
        let (taps, journal, counted, keep) = (Vec::new(), Vec::new(), Report::default(), options.keep.clone());
        Ok(Self { world, disk, random, taps, office: Some(office), journal, who, counted, keep, kept: 0 })
    }

    /// Cuts the power at a random instant under load, and says what was wrong afterwards.
    pub fn cut(&mut self, report: &mut Report) -> Result<Vec<String>> {
        let cache = Cache::any(&mut self.random);
        let before = self.orders();
        let known = match self.who {
            Who::Agents => authority::Known::default(),
            Who::Authority => authority::Known::of(&self.world)?,
        };
        self.load_and_cut(cache)?;
        // What has come home until now is what the doors have been promised to keep.
        let confirmed = match self.who {
            Who::Agents => agents::confirmed(&self.world)?,
            Who::Authority => Vec::new(),
        };
        self.forget_kept()?;
        self.restore(cache)?;
        report.count(&format!("cuts with the disk's cache {}", cache.name()), 1);
        while self.random.below(2) == 0 {
            self.cut_while_starting()?;
            report.count("further cuts while starting again", 1);
        }
        let wrong = match self.who {
            Who::Agents => agents::come_back(self, &confirmed, report),
            Who::Authority => authority::comes_back(self, &known, report),
        };
        let mut wrong = wrong.unwrap_or_else(|error| vec![format!("{error:#}")]);
        if wrong.is_empty() {
            wrong = self.settle(before).unwrap_or_else(|error| vec![self.why_unsettled(&error)]);
        }
        Ok(wrong)
    }

    /// Why not everything came home, without the whole logs.
    fn why_unsettled(&self, error: &anyhow::Error) -> String {
        let alarms = self.world.authority.api_json("/v1/alarms").unwrap_or_default();
        let kinds: BTreeSet<&str> = list(&alarms, "alarms").iter().map(|alarm| text(alarm, "kind")).collect();
        format!("{}; alarms: {kinds:?}", error.root_cause())
    }

    /// Adds what the last look counted.
    pub fn end(self, report: &mut Report) {
        self.counted.counts.iter().for_each(|(what, count)| report.count(what, *count));
    }

    fn orders(&self) -> usize {
        self.office.as_ref().map_or(0, |office| office.orders.len())
    }

    /// The power is back and goes again, while what was left is being opened.
    fn cut_while_starting(&mut self) -> Result<()> {
        let mut processes = Vec::new();
        match self.who {
            Who::Agents => {
                for agent in &self.world.agents {
                    agent.network.cut();
                    let mut command = tied(&binaries()?.agent);
                    command.args(agent.run_arguments()).envs(agent.environment.clone());
                    processes.push(Process::start(&mut command, &agent.log_file())?);
                }
            }
            Who::Authority => {
                let authority = &self.world.authority;
                let mut command = tied(&binaries()?.authority);
                command.args(authority.serve_arguments()).envs(authority.environment.clone());
                processes.push(Process::start(&mut command, &authority.log_file())?);
            }
        }
        sleep(Duration::from_millis(self.random.below(STARTING_MS_MAX)));
        let cache = Cache::any(&mut self.random);
        self.disk.cut(cache, &processes.iter().map(Process::id).collect::<Vec<_>>())?;
        processes.into_iter().for_each(Process::kill);
        self.restore(cache)
    }

    /// Mounts what was left, and keeps a copy of it if that is wanted.
    fn restore(&mut self, cache: Cache) -> Result<()> {
        self.disk.restore()?;
        let Some(keep) = &self.keep else { return Ok(()) };
        std::fs::create_dir_all(keep)?;
        let to = keep.join(format!("{}-{}", self.kept, cache.name()));
        self.kept += 1;
        let copied = Command::new("cp").arg("-a").args([self.disk.files(), to]).status()?;
        ensure!(copied.success(), "what was left cannot be copied to {}", keep.display());
        for log in self.world.agents.iter().map(Agent::log_file).chain([self.world.authority.log_file()]) {
            std::fs::copy(&log, keep.join(log.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Lets go of the copies that were made before; they led to nothing wrong.
    fn forget_kept(&mut self) -> Result<()> {
        self.kept = 0;
        match &self.keep {
            Some(keep) if keep.exists() => Ok(std::fs::remove_dir_all(keep)?),
            Some(_) | None => Ok(()),
        }
    }

    fn processes(&mut self) -> Result<Vec<u32>> {
        match self.who {
            Who::Agents => self.world.agents.iter_mut().map(|agent| Ok(agent.process()?.id())).collect(),
            Who::Authority => Ok(vec![self.world.authority.process()?.id()]),
        }
    }

    fn load_and_cut(&mut self, cache: Cache) -> Result<()> {
        let scene = Scene::default();
        let places = places(&self.world)?;
        let work = self.office.take().context("the office is away")?.work();
        if self.who == Who::Agents && self.random.below(3) == 0 {
            // A backlog is on the disk as well; nothing of it is home.
            self.world.agents.iter().for_each(|agent| agent.network.cut());
        }
        let calm = Duration::from_millis(self.random.below(CALM_MS_MAX));
        let (cut, taps) = scope(|threads| {
            let readers: Vec<ScopedJoinHandle<'_, Vec<Tap>>> = places
                .iter()
                .flat_map(|place| std::iter::repeat_n(place, READERS))
                .map(|(socket, doors)| {
                    let (scene, random) = (&scene, Random::new(self.random.next()));
                    threads.spawn(move || tap_on(scene, socket, doors, random))
                })
                .collect();
            sleep(calm);
            let cut = self.processes().and_then(|processes| self.disk.cut(cache, &processes));
            match self.who {
                Who::Agents => self.world.agents.iter_mut().for_each(|agent| agent.kill()),
                Who::Authority => self.world.authority.kill(),
            }
            scene.end();
            let taps: Vec<Tap> = readers.into_iter().flat_map(|reader| reader.join().unwrap_or_default()).collect();
            (cut, taps)
        });
        self.taps.extend(taps);
        self.office = Some(work.end()?);
        cut
    }

    /// Lets everything come home, and holds it to all that was ever answered in this world.
    fn settle(&mut self, orders_before: usize) -> Result<Vec<String>> {
        self.world.wait_until_exact()?;
        self.world.wait_until_recorded()?;
        let authority = &self.world.authority;
        let lines = authority.json_lines("log --limit 100000")?;
        let alarms = until("alarms", SOON, || authority.api_json("/v1/alarms").ok())?;
        let status = authority.api_json("/v1/status")?;
        let journal = journal(&authority.data)?;
        let office = self.office.as_ref().context("the office is away")?;
        let mut found = Report::default();
        let seen = Seen { taps: &self.taps, orders: &office.orders, lines: &lines, alarms: &alarms, journal: &journal };
        judge(&seen, &mut found);
        found.expect(journal.starts_with(&self.journal), || "the journal is not the one that was read before".into());
        let warnings = list(&status, "warnings");
        found.expect(warnings.is_empty(), || format!("the authority warns: {warnings:?}"));
        if let Err(error) = authority::prove_newest_removal(self, orders_before) {
            found.violation(format!("{error:#}"));
        }
        self.journal = journal;
        let wrong = std::mem::take(&mut found.violations);
        self.counted = found;
        Ok(wrong)
    }
}

/// The campus of the kills, with buildings whose agents can be invited.
fn campus(folder: &Path, is_odd: bool) -> Result<PathBuf> {
    let path = stage::campus(folder, is_odd)?;
    let lines: String = (0..SPARE).map(|number| format!("{0},Wing {number},{0},history\n", spare(number))).collect();
    edit(&path, "buildings.csv", |text| text + &lines)?;
    Ok(path)
}

fn spare(number: usize) -> String {
    format!("spare-{number:02}")
}

/// Has the programs whose power is cut run with a library before all others.
fn preload_into(world: &mut World, who: Who, library: Option<&Path>) {
    let Some(library) = library else { return };
    let environment = vec![("LD_PRELOAD".to_owned(), library.display().to_string())];
    match who {
        Who::Agents => world.agents.iter_mut().for_each(|agent| agent.environment.clone_from(&environment)),
        Who::Authority => world.authority.environment = environment,
    }
}

fn places(world: &World) -> Result<Vec<(PathBuf, &'static [&'static str])>> {
    let socket = |id| world.agent(id).map(|agent| agent.socket.clone());
    Ok(vec![(socket(NORTH)?, NORTH_DOORS), (socket(SOUTH)?, SOUTH_DOORS)])
}

fn journal(authority: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    doorward_server::journal::open(&authority.join("journal.db"))?.read_from(1, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}
