//! The table of contents is whole: each attack has its folder, is wired in, and says who attacks, with what, and what stops it.

use std::collections::BTreeSet;
use std::path::Path;

/// What the opening of each attack says.
const SAID: [&str; 3] = ["//! Attacker: ", "//! Power: ", "//! Refused: "];

#[test]
fn each_attack_has_a_folder_is_wired_in_and_says_what_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks");
    let contents = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    let wired: BTreeSet<&str> =
        contents.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
    let folders: BTreeSet<String> =
        entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(wired, folders.iter().map(String::as_str).collect());
    for name in folders.iter().filter(|name| *name != "stage") {
        let text = std::fs::read_to_string(folder.join(name).join("mod.rs")).unwrap();
        let opening: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        for said in SAID {
            assert!(opening.iter().any(|line| line.starts_with(said)), "{name} does not say `{said}...`");
        }
        assert!(text.contains("#[test]"), "{name} attacks nothing");
    }
}
