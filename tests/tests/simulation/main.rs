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

    /// Seeds that broke a promise once, before a fault was mended.
    const MENDED: [u64; 4] = [1, 2, 10, 20];

    /// Seeds within which each planted fault has to be caught.
    const MUTATION_SEEDS: u64 = 4;

    /// Faults that show in rarer stories than these seeds tell; `sim --mutations` plants them with more seeds.
    const RARE: [Mutation; 5] = [
        Mutation::CompareNothing,
        Mutation::ForgetPending,
        Mutation::ForgetRemoval,
        Mutation::FreeAll,
        Mutation::SkipFloor,
    ];

    fn simulate(seed: u64, hours: i64, mutation: Option<Mutation>) -> Outcome {
        println!("seed {seed}");
        run(Options { seed, agents: 6, hours, mutation }).unwrap()
    }

    fn assert_kept(seed: u64, outcome: &Outcome) {
        let broken: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "sim --seed {seed} --agents 6: {broken:#?}");
    }

    /// What must happen in these runs, so that a checker has something to check: faults, alarms, refusals, and of each
    /// promise the cases that it is about.
    const CASES: [(&str, &[&str]); 14] = [
        (
            "fault",
            &[
                "adversary on the line",
                "authority restored from an older copy",
                "clock a year ahead",
                "clock a year behind",
                "clock at 1970",
                "clock off by up to two hours",
                "clock off within the tolerance",
                "disk altered: a fact taken away",
                "disk altered: every card active",
                "disk full",
                "disk lost",
                "disk restored from an older copy",
                "line down for a while",
                "restart on a restored disk before the authority is met",
            ],
        ),
        (
            "command",
            &[
                "card lost: suspend",
                "card found: resume",
                "card activate",
                "card close",
                "lock down",
                "release",
                "grant",
                "grant end",
                "import: hire, leave, move, edit",
            ],
        ),
        ("alarm", &["agent-rolled-back", "authority-rolled-back", "clock", "new-chain", "record-gap", "store-damaged"]),
        ("refusal", &["backward", "clock-disagrees", "store-damaged", "unproven"]),
        ("exact", &["decisions compared with the reference, now and in the future"]),
        ("only_verified", &["states compared fact by fact with what was signed"]),
        ("never_backward", &["starts on a state that must not be lost", "starts on an old state that must catch up"]),
        (
            "removal_first",
            &[
                "revocations in force at an agent that was connected",
                "removals ahead of their commit for an agent that connected",
                "taps of what a removal took away ahead of its commit",
            ],
        ),
        (
            "provable",
            &[
                "durable receipts of commits",
                "durable receipts of removals",
                "evidence files verified, and again with a byte changed",
                "revocations whose agents were counted again",
            ],
        ),
        ("taps_wait_for_nobody", &["taps while an update is half there", "taps while the disk is busy"]),
        (
            "no_record_lost",
            &[
                "appends that a full disk refused",
                "batches of a restored disk, parted at once",
                "batches sent again after their acknowledgement was lost",
                "chains begun anew",
                "grants answered",
                "records stored although nobody was told",
            ],
        ),
        (
            "fail_closed",
            &[
                "grants at a time that a verified one held up",
                "grants within a lease",
                "steps of a clock noticed",
                "taps after a lease",
                "taps by an untrusted clock",
                "taps without a state",
            ],
        ),
        ("converges", &["commits that had to be in force in time", "deltas sent", "snapshots sent"]),
        ("deterministic", &["commits made a second time", "restarts on a journal that was folded again"]),
    ];

    #[test]
    fn seeds_that_broke_a_promise_once_keep_them_all_and_every_checker_sees_its_cases() {
        let outcomes = MENDED.map(|seed| (seed, simulate(seed, 24, None)));
        outcomes.iter().for_each(|(seed, outcome)| assert_kept(*seed, outcome));
        for (kind, names) in CASES {
            for name in names {
                let count: u64 = outcomes.iter().map(|(_, outcome)| outcome.count(kind, name)).sum();
                assert!(count > 0, "in none of these runs happened: {kind}: {name}");
            }
        }
    }

    /// A restored authority gave out a number once more, and somebody sent the first order of that number again.
    #[test]
    fn a_receipt_is_about_the_one_of_two_orders_of_a_number_that_it_names() {
        println!("seed 1530");
        let outcome = run(Options { seed: 1530, agents: 8, hours: 3, mutation: None }).unwrap();
        assert_kept(1530, &outcome);
    }

    #[test]
    fn a_fresh_seed_keeps_every_promise() {
        let seed = Random::new_seed();
        assert_kept(seed, &simulate(seed, 24, None));
    }

    #[test]
    fn planted_faults_are_caught_by_the_checker_of_their_promise() {
        for mutation in Mutation::ALL.into_iter().filter(|mutation| !RARE.contains(mutation)) {
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
