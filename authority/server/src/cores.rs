//! Compiles everything on several cores: the pieces of a plan, worked off by threads that end with it.
//!
//! The bytes are those of one core: which thread makes a state, and when, changes nothing in it.

use doorward_policy::compile::{CompileError, Compiled, Plan, Survey};
use doorward_policy::directory::Directory;
use doorward_protocol::state::State;
use std::num::NonZero;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Compiles a whole directory while nothing else is to be done: on all cores.
///
/// # Errors
/// See [`CompileError`].
pub fn compile(directory: &Directory) -> Result<Compiled, CompileError> {
    let plan = plan(directory, cores())?;
    let states = states(&plan, cores())?;
    Ok(plan.finish(states))
}

/// The states of a plan while the authority serves: one core is left to removals.
///
/// # Errors
/// See [`CompileError`].
pub fn while_serving(plan: &Plan<'_>) -> Result<Vec<State>, CompileError> {
    states(plan, cores().saturating_sub(1))
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// A plan whose parts are worked out on several cores, one on each.
fn plan(directory: &Directory, cores: usize) -> Result<Plan<'_>, CompileError> {
    let survey = Survey::new(directory)?;
    let begins = survey.divide(cores);
    let ends = begins.iter().skip(1).copied().map(Some).chain([None]);
    let ranges: Vec<_> = begins.iter().copied().zip(ends).collect();
    let work = |place: usize| ranges.get(place).map(|(first, end)| survey.part(first, *end));
    let parts: Result<_, _> =
        work_off(&(0..ranges.len()).collect::<Vec<_>>(), cores, work).into_iter().flatten().collect();
    Ok(survey.plan(parts?))
}

fn states(plan: &Plan<'_>, cores: usize) -> Result<Vec<State>, CompileError> {
    work_off(&plan.largest_first(), cores, |place| plan.state(place)).into_iter().collect()
}

/// Does something for each of the places, on several cores, beginning with the first ones; what came of it is in the order of the
/// places themselves, so that of several errors the one counts that a single core would have met.
fn work_off<T: Send>(places: &[usize], cores: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            made.push((*place, work(*place)));
        }
        made
    };
    let mut made = thread::scope(|scope| {
        // The caller is one of them: it finds room in memory that it has freed before, where a new thread asks for more.
        let others: Vec<_> = (1..cores.min(places.len())).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for thread in others {
            match thread.join() {
                Ok(part) => made.extend(part),
                Err(panic) => panic::resume_unwind(panic),
            }
        }
        made
    });
    made.sort_by_key(|(place, _)| *place);
    made.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_policy::folder::{CampusFiles, parse};
    use std::path::Path;

    #[test]
    fn any_number_of_cores_makes_the_states_that_one_makes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/campuses/jnu");
        let read = |name: &str| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?));
        let campus = parse(&CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect())).unwrap();
        let directory = Directory::of_campus(&campus).unwrap();
        let digests = |cores| -> Vec<_> {
            let plan = plan(&directory, cores).unwrap();
            states(&plan, cores).unwrap().iter().map(State::digest).collect()
        };
        let whole = Compiled::whole(&directory).unwrap();
        let one: Vec<_> = whole.agents().map(|(_, state)| state.digest()).collect();
        assert!(one.len() > 3);
        assert_eq!(digests(1), one);
        let on_three = plan(&directory, 3).unwrap();
        let made = states(&on_three, 1).unwrap();
        let on_three = on_three.finish(made);
        assert!(directory.tables().cards.keys().all(|card| on_three.holders(card).eq(whole.holders(card))));
        assert_eq!([2, 3, 64].map(digests), [one.clone(), one.clone(), one]);
    }
}
