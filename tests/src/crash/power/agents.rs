//! What agents must keep through a power cut: their enrolment, every position that they confirmed, and that they decide.
//!
//! Deliberately looked at before any network is back: a building whose doors wait for it after a power cut is closed.

use super::disk::{Cache, PowerDisk};
use super::trial::Trial;
use crate::agent::Agent;
use crate::binaries::binaries;
use crate::crash::load::Tap;
use crate::crash::report::Report;
use crate::crash::stage::{LOSABLE, NORTH, NORTH_DOORS, SOUTH, SOUTH_DOORS};
use crate::json::{at, list, text};
use crate::process::{Process, tied};
use crate::random::Random;
use crate::world::World;
use anyhow::{Context, Result};
use std::thread::sleep;
use std::time::Duration;

/// Longest time after which a join is cut short, in ms: a little more than it takes.
const JOIN_MS_MAX: u64 = 150;

/// Cards of the imported years that are tapped before the network is back.
const STUDENTS: u64 = 12;

/// Enrols both agents on the disk; each loses its power while it joins, or just after it was told that it has.
pub fn settle_in(world: &mut World, disk: &PowerDisk, random: &mut Random, report: &mut Report) -> Result<()> {
    for id in [NORTH, SOUTH] {
        // The data directory is on the disk, and the log beside it is not.
        let on_disk = disk.files().join(id);
        std::fs::create_dir(&on_disk)?;
        std::os::unix::fs::symlink(&on_disk, world.file(id))?;
        let mut agent = Agent::at(world.path(), &world.authority, id)?;
        agent.socket = world.file(&format!("{id}.sock"));
        let token = world.authority.invite(id)?;
        let data = agent.data.display().to_string();
        if random.below(2) == 0 {
            let mut command = tied(&binaries()?.agent);
            let process = Process::start(command.args(["join", &token, "--data", &data]), &agent.log_file())?;
            sleep(Duration::from_millis(random.below(JOIN_MS_MAX)));
            disk.cut(Cache::any(random), &[process.id()])?;
            process.kill();
            disk.restore()?;
            // Not even the directory need be there.
            std::fs::create_dir_all(&on_disk)?;
            let joined = agent.run(&["join", &token])?;
            let is_in = joined.code == Some(0) || joined.text().contains("already holds an enrolled agent");
            report.expect(is_in, || format!("a join that was cut short cannot be finished: {}", joined.text()));
            report.count("joins cut short by a power cut and finished with the same token", 1);
        } else {
            agent.run(&["join", &token])?.ok()?;
            disk.cut(Cache::any(random), &[])?;
            disk.restore()?;
            report.count("joins with a power cut right after their answer", 1);
        }
        world.agents.push(agent);
    }
    Ok(())
}

/// What the authority knows each agent to have confirmed as durable.
pub fn confirmed(world: &World) -> Result<Vec<(String, u64)>> {
    let of = |agent: &Agent| Ok((agent.id.clone(), at(&world.authority.agent(&agent.id)?, "position/seq").as_u64()));
    let all = world.agents.iter().map(of).collect::<Result<Vec<_>>>()?;
    Ok(all.into_iter().map(|(id, seq)| (id, seq.unwrap_or_default())).collect())
}

/// Starts the agents with no network, and says what is wrong with them; then the network is back.
pub fn come_back(trial: &mut Trial, confirmed: &[(String, u64)], report: &mut Report) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (id, confirmed) in confirmed {
        let agent = trial.world.agent_mut(id)?;
        agent.network.cut();
        agent.start().with_context(|| format!("{id} does not come back"))?;
        let status = agent.reader()?.line(r#"{"status":true}"#)?;
        let position: u64 = text(&status, "position").parse().unwrap_or_default();
        if position < *confirmed {
            wrong
                .push(format!("{id} had confirmed commit {confirmed} and comes back with {}", at(&status, "position")));
        }
        let alarms = list(&status, "alarms");
        if !alarms.is_empty() {
            wrong.push(format!("{id} comes back with alarms: {alarms:?}"));
        }
        let doors = if id == NORTH { NORTH_DOORS } else { SOUTH_DOORS };
        let (main, mut reader) = (doors.first().copied().unwrap_or_default(), agent.reader()?);
        let deciding = Tap::at(&mut reader, main, "ADA", &[]);
        let outcome = deciding.outcome();
        if outcome.as_deref() != Some("grant granted") {
            wrong.push(format!("{id} comes back without a network and says to ADA at {main}: {outcome:?}"));
        } else {
            report.count("agents that came back deciding without a network", 1);
        }
        trial.taps.push(deciding);
        // The judge holds these to the rules, and to what was confirmed to be in force.
        let students = (0..STUDENTS).map(|_| format!("T{:03}", trial.random.below(270)));
        let cards = LOSABLE.iter().map(|card| (*card).to_owned()).chain(students).chain(["CEM".to_owned()]);
        for card in cards.collect::<Vec<_>>() {
            let door = trial.random.choose(doors).copied().unwrap_or_default();
            trial.taps.push(Tap::at(&mut reader, door, &card, &[]));
        }
        trial.world.agent(id)?.network.mend();
    }
    Ok(wrong)
}
