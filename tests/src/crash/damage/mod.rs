//! A run of damages: an agent is stopped or killed, its store loses or changes bytes, and it comes back, at first without
//! network. It may have to deny, and must say so; what it may not do is grant what it had learned to deny.

mod injury;
mod patient;

use crate::crash::report::Report;
use crate::crash::stage::{self, NORTH, SOUTH};
use crate::random::Random;
use anyhow::{Context, Result};
use patient::Patient;

/// Damages in one world; a longer run has several, each from its own beginning.
const WORLD_DAMAGES_MAX: u64 = 100;

/// Damages so often, and says what came of it; `say` hears how far it is.
///
/// # Errors
/// When something did not come back at all.
pub fn run(seed: u64, count: u64, say: &dyn Fn(&str)) -> Result<Report> {
    let mut report = Report::new(seed);
    let mut random = Random::new(seed);
    let mut done = 0;
    while done < count {
        let until = count.min(done.saturating_add(WORLD_DAMAGES_MAX));
        let mut world = stage::world()?;
        let mut patients = [Patient::new(NORTH), Patient::new(SOUTH)];
        while done < until {
            let [north, south] = &mut patients;
            let patient = if done % 2 == 0 { north } else { south };
            let before = report.violations.len();
            let turn = patient.turn(&mut world, &mut random, &mut report);
            turn.with_context(|| format!("damage {done}\n{report}"))?;
            done += 1;
            report.violations.iter().skip(before).for_each(|violation| say(&format!("damage {done}: {violation}")));
        }
        let stopped = world.stop();
        report.expect(stopped.is_ok(), || format!("{stopped:?}"));
        say(&format!("{done} of {count} damages, {} violations", report.violations.len()));
    }
    Ok(report)
}
