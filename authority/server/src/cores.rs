//! Compiles everything on several cores: the pieces of a plan, worked off by threads that end with it.
//!
//! The bytes are those of one core: which thread makes a state, and when, changes nothing in it.

use doorward_policy::compile::{CompileError, Compiled, Plan};
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
    let plan = Plan::new(directory)?;
    let states = work_off(&plan, cores())?;
    Ok(plan.finish(states))
}

/// The states of a plan while the authority serves: one core is left to removals.
///
/// # Errors
/// See [`CompileError`].
pub fn while_serving(plan: &Plan<'_>) -> Result<Vec<State>, CompileError> {
    work_off(plan, cores().saturating_sub(1))
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn work_off(plan: &Plan<'_>, cores: usize) -> Result<Vec<State>, CompileError> {
    if cores < 2 {
        return plan.states_one_by_one();
    }
    let places = plan.largest_first();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            made.push((*place, plan.state(*place)));
        }
        made
    };
    let mut made = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.min(places.len())).map(|_| scope.spawn(work)).collect();
        let mut made = Vec::with_capacity(places.len());
        for thread in threads {
            match thread.join() {
                Ok(part) => made.extend(part),
                Err(panic) => panic::resume_unwind(panic),
            }
        }
        made
    });
    // Of several errors, the one that a single core would have met counts.
    made.sort_by_key(|(place, _)| *place);
    made.into_iter().map(|(_, state)| state).collect()
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
        let plan = Plan::new(&directory).unwrap();
        let digests = |cores| -> Vec<_> { work_off(&plan, cores).unwrap().iter().map(State::digest).collect() };
        let one = digests(1);
        assert!(one.len() > 3);
        assert_eq!([2, 3, 64].map(digests), [one.clone(), one.clone(), one]);
    }
}
