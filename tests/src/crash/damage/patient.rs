//! One agent whose store is damaged again and again: what it knew and had answered before, what it does when it comes back
//! alone, and what has become of everything when it is connected again.

use super::injury::{Files, Injury, read_all};
use crate::agent::Reader;
use crate::crash::load::Tap;
use crate::crash::report::Report;
use crate::crash::stage::{LOSABLE, NORTH};
use crate::crash::victims::position;
use crate::json::{at, list, text};
use crate::random::Random;
use crate::wait::{SOON, until_true};
use crate::world::World;
use anyhow::{Context, Result};
use doorward_protocol::time::UnixMs;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the alarms are called that tell of a damaged store or of lost records.
const LOSS_ALARMS: [&str; 6] =
    ["store-damaged", "new-chain", "log-truncated", "record-fork", "record-gap", "agent-rolled-back"];

/// See the module.
#[derive(Debug)]
pub struct Patient {
    id: &'static str,
    /// Cards and doors that show what the agent knows.
    probes: Vec<(&'static str, &'static str)>,
    grants: Vec<String>,
    granted: u64,
    shut: bool,
}

/// What one turn has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Answers, and whether each was known to be home before the damage.
    taps: Vec<(Tap, bool)>,
    /// Doors that were tapped.
    doors: BTreeSet<String>,
}

impl Patient {
    /// An agent that runs and is exact.
    pub fn new(id: &'static str) -> Self {
        let probes = if id == NORTH {
            let losable = LOSABLE.iter().map(|card| (*card, "north-main"));
            [("ADA", "north-main"), ("ADA", "north-lab"), ("NOBODY", "north-main")].into_iter().chain(losable).collect()
        } else {
            vec![("BOB", "south-main"), ("CEM", "south-side"), ("CEM", "south-canteen"), ("NOBODY", "south-main")]
        };
        Self { id, probes, grants: Vec::new(), granted: 0, shut: false }
    }

    /// Lets the agent live for a while, damages its store, and holds it to everything.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn turn(&mut self, world: &mut World, random: &mut Random, report: &mut Report) -> Result<()> {
        let mut seen = Seen::default();
        let older = read_all(&world.agent(self.id)?.data)?;
        self.live(world, random, &mut seen)?;
        let before = self.probe(world, &mut seen)?;
        let known = self.position(world)?;
        self.end(world, random)?;
        let injuries = self.injure(world, &older, random, report)?;
        let turn =
            format!("{}: {}", self.id, injuries.iter().map(|injury| injury.name()).collect::<Vec<_>>().join(" + "));
        let mut alone = Alone { patient: self, turn: &turn, before: &before, known: known.as_ref(), lost: false };
        alone.come_back(world, random, report, &injuries, &mut seen)?;
        let lost = alone.lost;
        self.recover(world, &before, &turn, lost, seen, report)
    }

    /// Rights change, cards are tapped, and at times the network goes before the last of them are home.
    fn live(&mut self, world: &World, random: &mut Random, seen: &mut Seen) -> Result<()> {
        for _ in 0..random.below(4) {
            self.change(world, random)?;
            self.tap(world, random.below(6), random, seen)?;
        }
        world.wait_until_agent_exact(self.id)?;
        if random.below(2) == 0 {
            self.wait_until_home(world)?;
            seen.taps.iter_mut().for_each(|(_, is_home)| *is_home = true);
            world.agent(self.id)?.network.cut();
            self.tap(world, random.below(20), random, seen)?;
        }
        Ok(())
    }

    fn change(&mut self, world: &World, random: &mut Random) -> Result<()> {
        let line = if self.id == NORTH {
            let card = LOSABLE.get(usize::try_from(random.below(2))?).copied().unwrap_or_default();
            self.shut = !self.shut;
            let verb = if self.shut { "suspend" } else { "resume" };
            format!("card {verb} {card} --reason lost --wait 5s")
        } else if self.grants.is_empty() || random.below(2) == 0 {
            self.granted += 1;
            let id = format!("d-{}", self.granted);
            self.grants.push(id.clone());
            format!("grant add --id {id} --person cem --door south-side --wait 5s")
        } else {
            format!("grant end {} --wait 5s", self.grants.remove(0))
        };
        // A card that is suspended already stays so; both answers are fine.
        world.authority.say(&line).map(|_| ())
    }

    fn tap(&self, world: &World, count: u64, random: &mut Random, seen: &mut Seen) -> Result<()> {
        let mut reader = world.agent(self.id)?.reader()?;
        for _ in 0..count {
            let (card, door) = random.choose(&self.probes).copied().unwrap_or_default();
            seen.tap(&mut reader, door, card);
        }
        Ok(())
    }

    /// What the agent answers to each probe.
    fn probe(&self, world: &World, seen: &mut Seen) -> Result<Vec<String>> {
        let mut reader = world.agent(self.id)?.reader()?;
        Ok(self.probes.iter().map(|(card, door)| seen.tap(&mut reader, door, card)).collect())
    }

    fn position(&self, world: &World) -> Result<Option<String>> {
        Ok(at(&world.agent(self.id)?.status()?, "position").as_str().map(str::to_owned))
    }

    fn end(&self, world: &mut World, random: &mut Random) -> Result<()> {
        let agent = world.agent_mut(self.id)?;
        if random.below(2) == 0 {
            agent.kill();
        } else {
            agent.stop()?;
        }
        agent.network.cut();
        Ok(())
    }

    fn injure(&self, world: &World, older: &Files, random: &mut Random, report: &mut Report) -> Result<Vec<Injury>> {
        let data = &world.agent(self.id)?.data;
        let count = if random.below(4) == 0 { 2 } else { 1 };
        let mut injuries = Vec::new();
        for _ in 0..count {
            let injury = random.choose(&Injury::ALL).copied().context("there are injuries")?;
            // What an earlier injury took away cannot be damaged any more.
            if injury.inflict(data, older, random).is_ok() {
                report.count(&format!("damages: {}", injury.name()), 1);
                injuries.push(injury);
            }
        }
        report.count("damages", 1);
        Ok(injuries)
    }

    fn wait_until_home(&self, world: &World) -> Result<()> {
        until_true(&format!("all records of {} are home", self.id), SOON, || {
            Ok(*at(&world.agent(self.id)?.status()?, "unsent_records") == 0)
        })
    }

    /// Waits until the agent itself decides by the newest commit: what the authority has on record of it may be older than
    /// the damage.
    fn wait_until_exact(&self, world: &World) -> Result<()> {
        until_true(&format!("{} decides by the newest commit", self.id), SOON, || {
            let newest = world.authority.api_json("/v1/status")?;
            let own = world.agent(self.id)?.reader()?.line("{\"status\":true}")?;
            let seq = at(&own, "position").as_str().and_then(position).map(|position| position.seq);
            Ok(seq.is_some() && seq == at(&newest, "position/seq").as_u64())
        })?;
        world.wait_until_agent_exact(self.id)
    }

    /// Connected again, the agent knows what it knew, its records are home or known to be lost, and somebody was told.
    fn recover(
        &self,
        world: &World,
        before: &[String],
        turn: &str,
        lost: bool,
        mut seen: Seen,
        report: &mut Report,
    ) -> Result<()> {
        world.agent(self.id)?.network.mend();
        if let Err(error) = self.wait_until_exact(world) {
            report.violation(format!("{turn}: it does not become exact again: {error:#}"));
        }
        let after = self.probe(world, &mut seen)?;
        report.expect(after == before, || format!("{turn}: once exact it answers {after:?}, before {before:?}"));
        self.wait_until_home(world).with_context(|| turn.to_owned())?;
        let (missing, doubled) = compare(world, &seen)?;
        let count = |is_home| u64::try_from(missing.iter().filter(|(_, home)| *home == is_home).count());
        let (at_home, on_disk) = (count(true)?, count(false)?);
        report.count("taps answered", u64::try_from(seen.taps.len())?);
        let shown: Vec<&Value> = missing.iter().filter_map(|(tap, _)| tap.answer.as_ref()).take(3).collect();
        report.expect(at_home == 0, || format!("{turn}: {at_home} records that were home are gone: {shown:?}"));
        report.expect(doubled == 0, || format!("{turn}: {doubled} records more than taps"));
        let is_of_loss = |alarm: &&Value| {
            let about_us = text(alarm, "agent") == self.id && *at(alarm, "acknowledged") == false;
            about_us && LOSS_ALARMS.contains(&text(alarm, "kind"))
        };
        let read = || world.authority.api_json("/v1/alarms?limit=10000");
        if lost {
            // An alarm is stored beside what brought it, and may be there a moment later; what never comes is judged below.
            let _judged_below = until_true("an alarm of the loss", SOON, || {
                Ok(list(&read()?, "alarms").iter().any(|alarm| is_of_loss(&alarm)))
            });
        }
        let alarms = read()?;
        let told: Vec<&Value> = list(&alarms, "alarms").iter().filter(is_of_loss).collect();
        let names_records = |alarm: &&Value| match text(alarm, "kind") {
            "store-damaged" => text(alarm, "text").contains("are lost"),
            kind => kind != "agent-rolled-back",
        };
        if on_disk > 0 && told.iter().any(names_records) {
            report.count("records lost with the disk and named as lost", on_disk);
        } else if on_disk > 0 && turn.contains(Injury::DiskOld.name()) {
            // Neither that disk nor anybody else has ever heard of them.
            report.count("records lost with a disk that was restored as a whole", on_disk);
        } else {
            report.expect(on_disk == 0, || {
                format!("{turn}: {on_disk} answered taps are gone, and nobody is told: {shown:?}, but {told:?}")
            });
        }
        report.expect(!(told.is_empty() && lost), || {
            format!("{turn}: the store was damaged, and nobody is told at the authority")
        });
        report.count("damages that raised an alarm at the authority", u64::from(!told.is_empty()));
        acknowledge(world, &alarms)
    }
}

/// Answers of the turn whose records are not in the log, and how many records stand there that nobody tapped for.
fn compare(world: &World, seen: &Seen) -> Result<(Vec<(Tap, bool)>, u64)> {
    let Some(first) = seen.taps.iter().find_map(|(tap, _)| tap.answer.as_ref()) else { return Ok((Vec::new(), 0)) };
    let lines = world.authority.json_lines(&format!("log --limit 100000 --since {}", text(first, "at")))?;
    let key = |value: &Value, instant: String| {
        format!("{instant} {} {} {}", text(value, "door"), text(value, "decision"), text(value, "reason"))
    };
    let mut left: BTreeMap<String, u64> = BTreeMap::new();
    for record in lines.iter().map(|line| at(line, "record")).filter(|record| seen.doors.contains(text(record, "door")))
    {
        let instant = UnixMs(at(record, "at/ms").as_i64().unwrap_or_default());
        *left.entry(key(record, instant.to_utc_text())).or_default() += 1;
    }
    let mut missing = Vec::new();
    for (tap, is_home) in &seen.taps {
        let Some(answer) = &tap.answer else { continue };
        match left.get_mut(&key(answer, text(answer, "at").to_owned())).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => missing.push((tap.clone(), *is_home)),
        }
    }
    let unanswered = u64::try_from(seen.taps.iter().filter(|(tap, _)| tap.answer.is_none()).count())?;
    Ok((missing, left.values().sum::<u64>().saturating_sub(unanswered)))
}

/// Somebody has looked at the alarms, so that the next one of the same kind is a new one.
fn acknowledge(world: &World, alarms: &Value) -> Result<()> {
    for alarm in list(alarms, "alarms").iter().filter(|alarm| *at(alarm, "acknowledged") == false) {
        world.authority.say(&format!("alarms --acknowledge {}", at(alarm, "id")))?.ok()?;
    }
    Ok(())
}

impl Seen {
    /// Taps once and says what was answered.
    fn tap(&mut self, reader: &mut Reader, door: &str, card: &str) -> String {
        let tap = Tap::at(reader, door, card, &[]);
        let outcome = tap.outcome().unwrap_or_default();
        self.taps.push((tap, false));
        self.doors.insert(door.to_owned());
        outcome
    }
}

/// An agent that came back and reaches nobody.
struct Alone<'a> {
    patient: &'a Patient,
    turn: &'a str,
    before: &'a [String],
    known: Option<&'a String>,
    lost: bool,
}

impl Alone<'_> {
    fn come_back(
        &mut self,
        world: &mut World,
        random: &mut Random,
        report: &mut Report,
        injuries: &[Injury],
        seen: &mut Seen,
    ) -> Result<()> {
        for again in 0..=random.below(2) {
            if again > 0 {
                world.agent_mut(self.patient.id)?.kill();
            }
            let started = world.agent_mut(self.patient.id)?.start();
            started.with_context(|| format!("{}: it does not come back", self.turn))?;
            self.look(world, report, injuries, seen)?;
            self.patient.tap(world, random.below(8), random, seen)?;
        }
        Ok(())
    }

    fn look(&mut self, world: &World, report: &mut Report, injuries: &[Injury], seen: &mut Seen) -> Result<()> {
        let now = self.patient.probe(world, seen)?;
        let status = world.agent(self.patient.id)?.status()?;
        let found = at(&status, "position").as_str().and_then(position);
        let known = self.known.and_then(|known| position(known));
        // What was restored as a whole looks sound from inside; that it is old shows when it is connected.
        let is_restored = injuries.contains(&Injury::DiskOld);
        report.expect(found.is_none() || found == known || is_restored, || {
            format!("{}: it decides by commit {found:?} and not by {known:?}: {status}", self.turn)
        });
        let wrong = self
            .before
            .iter()
            .zip(&now)
            .zip(&self.patient.probes)
            .filter(|((before, now), _)| now.starts_with("grant") && !before.starts_with("grant") && !is_restored);
        for ((before, now), probe) in wrong {
            report.violation(format!("{}: {probe:?} was {before}, and with the damaged store is {now}", self.turn));
        }
        let is_same = now == self.before;
        report.count(if is_same { "came back deciding as before" } else { "came back denying" }, 1);
        report.expect(is_same || is_restored || !list(&status, "alarms").is_empty(), || {
            format!("{}: it answers {now:?}, before {:?}, and raises no alarm", self.turn, self.before)
        });
        self.lost |= !is_same;
        Ok(())
    }
}
