//! The fuzz targets on stable Rust: what they begin with, what the fuzzer kept, and how much memory an input may take.
//!
//! Searching for new inputs is `tests/fuzz/run`; here only what was found is held on to.

use allocation_counter::measure;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use tests::fuzz::{TARGETS, Target, seeds};

/// Most bytes in all corpora together.
const CORPUS_BYTES_MAX: usize = 2 << 20;

/// Most bytes in one input: a larger one is for a test that makes it.
const INPUT_BYTES_MAX: usize = 16 << 10;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// Looks at an input, and at the memory that this takes: so many bytes at the peak.
fn look(target: &Target, input: &[u8]) -> Result<u64, String> {
    let mut done = Ok(());
    let taken = measure(|| done = catch_unwind(AssertUnwindSafe(|| (target.run)(input)))).bytes_max;
    let max = target.bytes_max(input.len());
    match done {
        Err(_) => Err("a property is broken, see above".to_owned()),
        Ok(()) if taken > max => Err(format!("{taken} bytes of memory, at most {max} for {} bytes", input.len())),
        Ok(()) => Ok(taken),
    }
}

fn replay(name: &str) {
    let target = Target::named(name).unwrap();
    let inputs = corpus(name);
    assert!(inputs.len() >= 4, "{name} has a corpus");
    for (path, input) in inputs {
        let _taken = look(&target, &input).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }
    for (number, input) in seeds::of(name).into_iter().enumerate() {
        let _taken = look(&target, &input).unwrap_or_else(|why| panic!("seed {number} of {name}: {why}"));
    }
}

#[test]
fn the_kept_inputs_of_the_decoders_of_bytes_break_no_property() {
    replay("wire");
}

#[test]
fn the_kept_inputs_of_the_readers_of_text_break_no_property() {
    replay("text");
}

#[test]
fn the_kept_inputs_of_the_campus_folder_break_no_property() {
    replay("folder");
}

#[test]
fn the_kept_inputs_of_facts_and_decisions_break_no_property() {
    replay("facts");
}

#[test]
fn the_kept_inputs_of_the_agents_store_break_no_property() {
    replay("store");
}

#[test]
fn the_kept_stories_of_the_agents_machines_break_no_property() {
    replay("agent_machines");
}

#[test]
fn the_kept_stories_of_the_authoritys_machines_break_no_property() {
    replay("authority_machines");
}

#[test]
fn the_kept_files_of_evidence_break_no_property() {
    replay("evidence");
}

#[test]
fn the_corpora_are_those_of_the_targets_and_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut folders: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut names = TARGETS.map(|target| target.name).to_vec();
    names.sort_unstable();
    assert_eq!(folders, names);
    let lengths: Vec<usize> = names.iter().flat_map(|name| corpus(name)).map(|(_, input)| input.len()).collect();
    assert!(lengths.iter().all(|length| *length <= INPUT_BYTES_MAX));
    let all: usize = lengths.iter().sum();
    assert!(all <= CORPUS_BYTES_MAX, "{all} bytes");
}

/// Bodies that promise much: a length of any size in front of nothing, or of as much as there is.
fn promises() -> Vec<Vec<u8>> {
    let lengths: [&[u8]; 6] = [
        &[250],
        &[251, 255, 255],
        &[252, 0, 0, 16, 0],
        &[252, 255, 255, 255, 255],
        &[253, 0, 0, 0, 0, 1, 0, 0, 0],
        &[253, 255, 255, 255, 255, 255, 255, 255, 127],
    ];
    let mut promises = Vec::new();
    for length in lengths {
        for variant in 0..4_u8 {
            for filling in [0, 1, 251] {
                let nested = [&[variant], length].concat().repeat(5);
                promises.push([&[variant], length, &[filling; 64]].concat());
                promises.push([length, &[filling; 64]].concat());
                promises.push([nested.as_slice(), &vec![filling; 8 << 10]].concat());
            }
        }
    }
    for filling in [0, 1, 2] {
        for length in [[252, 0, 0, 1, 0], [252, 0, 128, 0, 0]] {
            promises.push([&length, vec![filling; 1 << 16].as_slice()].concat());
            promises.push([&[filling], length.as_slice(), &vec![0; 1 << 16]].concat());
        }
    }
    promises
}

#[test]
fn no_decoder_takes_memory_for_what_a_length_only_promises() {
    let target = Target::named("wire").unwrap();
    let promises = promises();
    let mut most = (0, 0, 0);
    // Twice as many as there are decoders.
    for which in 0..84 {
        for promise in &promises {
            let input = [&[which], promise.as_slice()].concat();
            let taken = look(&target, &input).unwrap_or_else(|why| panic!("decoder {which}: {why}"));
            most = most.max((taken, which, input.len()));
        }
    }
    let (taken, which, length) = most;
    println!("the most was {taken} bytes, by decoder {which} for an input of {length}");
}

#[test]
fn the_measure_sees_what_is_taken() {
    let taken = measure(|| drop(std::hint::black_box(vec![0_u8; 1 << 20]))).bytes_max;
    assert!((1 << 20..1 << 21).contains(&taken), "{taken}");
}
