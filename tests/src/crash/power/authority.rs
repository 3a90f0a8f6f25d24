//! What the authority must keep through a power cut, besides journal and records: what it has signed, whose tokens were
//! used, who was invited, and that a removal which it called closed everywhere can be proven.

use super::disk::{Cache, PowerDisk};
use super::office::join;
use super::trial::Trial;
use crate::authority::Authority;
use crate::crash::load::About;
use crate::crash::report::Report;
use crate::json::{at, text};
use crate::random::Random;
use crate::wait::{SOON, until_true};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use std::process::Command;

/// The newest commit that was shown.
#[derive(Debug, Clone, Default)]
pub struct Known {
    seq: u64,
    commit: String,
}

impl Known {
    /// What the authority shows now.
    pub fn of(world: &World) -> Result<Self> {
        let status = world.authority.api_json("/v1/status")?;
        let seq = at(&status, "position/seq").as_u64().context("no position")?;
        Ok(Self { seq, commit: text(&status, "commit").to_owned() })
    }
}

/// Moves the authority to the disk; stopped. Before that, one that is new loses its power right after `init`.
pub fn settle_in(world: &mut World, disk: &PowerDisk, random: &mut Random, report: &mut Report) -> Result<()> {
    let mut new = Authority::init(&disk.files().join("new"), &crate::campus::tiny())?;
    disk.cut(Cache::any(random), &[])?;
    disk.restore()?;
    let started = new.start().and_then(|()| new.stop());
    report.expect(started.is_ok(), || format!("an authority that lost its power after init: {started:?}"));
    report.count("inits with a power cut right after their answer", 1);

    world.authority.stop()?;
    let (from, to) = (world.authority.data.clone(), disk.files().join("authority"));
    let copied = Command::new("cp").arg("-a").args([&from, &to]).status()?;
    ensure!(copied.success(), "the authority cannot be moved to the disk");
    let synced = Command::new("sync").arg("--file-system").arg(&to).status()?;
    ensure!(synced.success(), "the authority's new place cannot be synced");
    std::fs::remove_dir_all(&from)?;
    std::os::unix::fs::symlink(&to, &from)?;
    Ok(())
}

/// Starts the authority and says what is wrong with it, before anything else happens.
pub fn comes_back(trial: &mut Trial, known: &Known, report: &mut Report) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    trial.world.authority.start().context("the authority does not come back")?;
    let now = Known::of(&trial.world)?;
    if now.seq < known.seq || now.seq == known.seq && now.commit != known.commit {
        wrong.push(format!("it had published {known:?} and comes back with {now:?}"));
    }
    let Some(office) = trial.office.as_mut() else { return Ok(wrong) };
    let joined = trial.world.file("joined");
    for invitation in office.invitations.drain(..) {
        let again = join(&invitation.token, &joined.join(&invitation.agent))?;
        let is_in = again.code == Some(0) || again.text().contains("already holds an enrolled agent");
        if !is_in {
            wrong.push(format!("{} cannot use the token that it was given: {}", invitation.agent, again.text()));
        }
        let stolen = join(&invitation.token, &joined.join(format!("{}-again", invitation.agent)))?;
        if stolen.code != Some(1) || !stolen.text().contains("refused") {
            wrong.push(format!("the used token of {} works again: {}", invitation.agent, stolen.text()));
        }
        let view = trial.world.authority.agent(&invitation.agent)?;
        if text(&view, "state") != "enrolled" {
            wrong.push(format!("{} has joined and is {}", invitation.agent, at(&view, "state")));
        }
        let which = if invitation.has_joined { "used before a cut" } else { "used after a cut" };
        report.count(&format!("join tokens {which}"), 1);
    }
    Ok(wrong)
}

/// Of the newest removal since `orders_before` that was called closed everywhere, evidence can be had and is genuine.
pub fn prove_newest_removal(trial: &Trial, orders_before: usize) -> Result<()> {
    let office = trial.office.as_ref().context("the office is away")?;
    let since = office.orders.iter().skip(orders_before);
    let is_shut = |about: &About| matches!(about, About::Shut(_));
    let newest = since.rev().find(|order| order.is_everywhere && is_shut(&order.about));
    let Some(seq) = newest.and_then(|order| order.seq) else { return Ok(()) };
    let authority = &trial.world.authority;
    let mut progress = serde_json::Value::Null;
    let closed = until_true(&format!("the removal of entry {seq} is closed everywhere again"), SOON, || {
        progress = authority.api_json(&format!("/v1/changes/{seq}/progress?wait_ms=100"))?;
        Ok(*at(&progress, "summary/complete") == true)
    });
    closed.with_context(|| format!("it is {progress}, and the agents: {:?}", authority.api_json("/v1/agents")))?;
    let file = trial.world.file(&format!("{seq}.evidence")).display().to_string();
    authority.say(&format!("evidence {seq} --out {file}"))?.ok()?;
    let root = authority.data.join("root.pub").display().to_string();
    let verified = authority.run(&["verify", &file, "--root", &root, "--json"])?.ok()?.json()?;
    let doors = crate::json::list(&verified, "doors");
    ensure!(!doors.is_empty(), "the evidence of entry {seq} is about no door");
    let open: Vec<_> = doors.iter().filter(|door| text(door, "state") != "closed").collect();
    ensure!(open.is_empty(), "the evidence of entry {seq} does not prove {open:?}");
    Ok(())
}
