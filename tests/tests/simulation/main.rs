//! The simulator in the suite: fixed seeds, a fresh one, and every fault that shows that a checker can fail.
//!
//! What a run is and what it checks is in the library; longer runs are those of the program `sim`.

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod seeds {
    use tests::random::Random;
    use tests::sim::mutation::Mutation;
    use tests::sim::options::Options;
    use tests::sim::run::{Outcome, run};

    /// Seeds that broke a promise once, each for another fault that was then mended.
    const MENDED: [u64; 4] = [1, 29, 31, 103];

    /// Seeds within which each planted fault has to be caught.
    const MUTATION_SEEDS: u64 = 12;

    fn simulate(seed: u64, hours: i64, mutation: Option<Mutation>) -> Outcome {
        println!("seed {seed}");
        run(Options { seed, agents: 6, hours, mutation }).unwrap()
    }

    fn assert_kept(seed: u64, outcome: &Outcome) {
        let broken: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "sim --seed {seed} --agents 6: {broken:#?}");
    }

    #[test]
    fn seeds_that_broke_a_promise_once_keep_them_all() {
        for seed in MENDED {
            let outcome = simulate(seed, 24, None);
            assert_kept(seed, &outcome);
            // A world in which nothing happens keeps every promise, too.
            let count = |name| outcome.counts.get(name).copied().unwrap_or_default();
            assert!(count("taps") > 100 && count("grants") > 20 && count("taps during updates") > 5, "{outcome:?}");
            assert!(count("agent crashes") > 5 && count("tampered frames") > 5, "{outcome:?}");
        }
    }

    #[test]
    fn a_fresh_seed_keeps_every_promise() {
        let seed = Random::new_seed();
        assert_kept(seed, &simulate(seed, 24, None));
    }

    #[test]
    fn every_planted_fault_is_caught_by_the_checker_of_its_promise() {
        for mutation in Mutation::ALL {
            let is_caught = (1..=MUTATION_SEEDS).any(|seed| {
                let outcome = simulate(seed, 24, Some(mutation));
                outcome.violations.iter().any(|violation| violation.promise == mutation.breaks())
            });
            assert!(is_caught, "{} breaks {} and nobody noticed", mutation.name(), mutation.breaks().name());
        }
    }

    #[test]
    fn two_runs_of_a_seed_give_the_same_trace_and_two_seeds_do_not() {
        let [one, same, other] = [7, 7, 8].map(|seed| simulate(seed, 6, None));
        assert_eq!((one.events, one.digest), (same.events, same.digest));
        assert_ne!(one.digest, other.digest);
    }
}
