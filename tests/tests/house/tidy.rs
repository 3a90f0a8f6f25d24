//! Tidiness of every file: how it opens, how long it is, and what must not be left lying in it.
//!
//! Formatting and the length of functions are left to rustfmt and clippy, which the suite runs beside this.

use crate::source::{File, code, files, rust_files, without_tests};

/// Longest Rust file in lines, its test module left aside: beyond it, a file is about more than one thing.
const FILE_LINES_MAX: usize = 800;

/// Largest text file in bytes: what is larger is data, which is made by a program when it is needed.
const FILE_BYTES_MAX: usize = 128 * 1024;

/// What a finished file does not contain. Put together here, so that this file does not contain them either.
const LEFTOVERS: [&str; 8] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
    concat!("<<<", "<<<<"),
];

/// Folders that exist on somebody's machine only.
const MACHINE_FOLDERS: [&str; 4] = ["work", "farm", "root", "home"];

/// Fails with all faults that `fault_of` sees in the files.
fn assert_tidy(files: &[File], fault_of: impl Fn(&File) -> Vec<String>) {
    assert!(!files.is_empty());
    let faults: Vec<String> = files
        .iter()
        .flat_map(|file| fault_of(file).into_iter().map(|fault| format!("{}: {fault}", file.path)))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The lines with a fault, each with its number.
fn lines(file: &File, is_fault: impl Fn(&str) -> bool) -> Vec<String> {
    let numbered = (1..).zip(file.text.split('\n'));
    numbered.filter(|(_, line)| is_fault(line)).map(|(number, line): (usize, _)| format!("{number}: {line}")).collect()
}

/// What a person wrote: licences and lock files come from elsewhere, tables of a campus from its offices, inputs of the
/// fuzzer from the fuzzer, the description of the API from its routes.
fn written_files() -> Vec<File> {
    let is_made =
        |file: &File| file.path.starts_with("tests/fuzz/corpus/") || file.path == "authority/server/openapi.json";
    let is_written = |file: &File| !file.path.ends_with(".lock") && !file.path.starts_with("LICENSE") && !is_made(file);
    files().into_iter().filter(is_written).collect()
}

#[test]
fn each_source_file_opens_with_what_it_is() {
    assert_tidy(&rust_files(), |file| {
        let opening = file.text.lines().next().unwrap_or_default();
        let is_said = opening.strip_prefix("//! ").is_some_and(|said| said.len() >= 10);
        if is_said { vec![] } else { vec!["the first line does not say with `//!` what the file is".to_owned()] }
    });
}

#[test]
fn no_file_is_too_long_to_be_about_one_thing() {
    assert_tidy(&rust_files(), |file| {
        let count = without_tests(&code(&file.text)).lines().count();
        if count <= FILE_LINES_MAX { vec![] } else { vec![format!("{count} lines, at most {FILE_LINES_MAX}")] }
    });
    assert_tidy(&files(), |file| {
        let count = file.text.len();
        // These two are made, and have to be looked at when they change.
        let is_made = ["Cargo.lock", "authority/server/openapi.json"].contains(&file.path.as_str());
        let is_small = count <= FILE_BYTES_MAX || is_made;
        if is_small { vec![] } else { vec![format!("{count} bytes, at most {FILE_BYTES_MAX}")] }
    });
}

#[test]
fn nothing_unfinished_is_left_behind() {
    assert_tidy(&written_files(), |file| lines(file, |line| LEFTOVERS.iter().any(|leftover| line.contains(leftover))));
}

#[test]
fn lines_end_where_their_text_ends() {
    assert_tidy(&written_files(), |file| {
        let mut faults = lines(file, |line| line.ends_with([' ', '\t', '\r']) || line.contains('\t'));
        if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
            faults.push("does not end with exactly one line end".to_owned());
        }
        faults
    });
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let names_a_place = |line: &str| {
        MACHINE_FOLDERS.iter().any(|folder| {
            let folder = format!("/{folder}/");
            let mut after = line.match_indices(&folder).map(|(at, _)| &line[at + folder.len()..]);
            after.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.'))
        })
    };
    assert!(names_a_place(&format!("cd /{}/ann", MACHINE_FOLDERS[3])));
    assert!(!names_a_place("a homework/exercise"));
    assert_tidy(&files(), |file| lines(file, names_a_place));
}

#[test]
fn the_top_of_each_library_is_a_table_of_contents() {
    let tops: Vec<File> = rust_files().into_iter().filter(|file| file.path.ends_with("src/lib.rs")).collect();
    assert_tidy(&tops, |file| items_beside_contents(&code(&file.text)));
}

/// The items of code that neither declare a module nor name what another one offers.
fn items_beside_contents(code: &str) -> Vec<String> {
    let without_attributes = code.lines().filter(|line| !line.trim_start().starts_with("#"));
    let text = without_attributes.collect::<Vec<_>>().join("\n");
    let items = text.split(';').map(str::trim).filter(|item| !item.is_empty());
    let is_contents = |item: &&str| ["mod ", "pub mod ", "pub use "].iter().any(|start| item.starts_with(start));
    items
        .filter(|item| !is_contents(item) || item.starts_with("mod ") && item.contains('{'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_is_no_contents_is_seen_at_the_top_of_a_library() {
    assert!(
        items_beside_contents("#![cfg(x)]\npub mod a;\n#[cfg(test)]\nmod b;\npub use a::{\n    C,\n    D,\n};\n")
            .is_empty()
    );
    assert_eq!(items_beside_contents("pub mod a;\nfn b() {}\n"), ["fn b() {}"]);
    assert_eq!(items_beside_contents("mod a { const B: u8 = 1; }\n").len(), 2);
}
