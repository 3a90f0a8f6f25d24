//! The files of the project as the other modules look at them: which there are, and which part of them is code.
//!
//! Deliberately no parser: comments and literals are blanked, and the rest is searched for words.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the project.
pub struct File {
    /// Its path below the root, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Where the project begins.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the project").to_path_buf()
}

/// Every text file that belongs to the project, in the order of their paths.
pub fn files() -> Vec<File> {
    let mut paths = tracked().unwrap_or_else(found);
    paths.sort();
    let read = |path: String| Some(File { text: std::fs::read_to_string(root().join(&path)).ok()?, path });
    let files: Vec<File> = paths.into_iter().filter_map(read).collect();
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "no files found below {}", root().display());
    files
}

/// Every Rust file.
pub fn rust_files() -> Vec<File> {
    files().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

/// One file by its path; fails when it is missing.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

/// One TOML file by its path; fails when it is missing or not TOML.
pub fn read_toml(path: &str) -> toml::Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path} is not TOML: {error}"))
}

/// What git tracks; `None` without git, or where the sources are no clone.
fn tracked() -> Option<Vec<String>> {
    let output = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output().ok()?;
    let paths: Vec<String> = String::from_utf8(output.stdout).ok()?.split_terminator('\0').map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// What lies in the folders, apart from what a build or a run leaves there.
fn found() -> Vec<String> {
    let mut paths = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be listed").flatten() {
            let path = entry.path();
            let below = path.strip_prefix(root()).expect("it is below the root").to_string_lossy().into_owned();
            match entry.file_type().expect("an entry has a type") {
                kind if kind.is_dir() && [".git", "target", ".doorward-demo"].contains(&below.as_str()) => {}
                kind if kind.is_dir() => folders.push(path),
                _ => paths.push(below),
            }
        }
    }
    paths
}

/// The text with comments and the insides of literals turned into spaces; lines stay where they are.
pub fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some(length) = blank_length(rest, after_name) {
            let (blank, after) = rest.split_at(length);
            code.extend(blank.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

/// Length in bytes of the comment or literal that begins here; `None` where code begins.
fn blank_length(rest: &str, after_name: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if let Some(quoted) = rest.strip_prefix('"') {
        return Some(1 + quoted_length(quoted));
    }
    if let Some(quoted) = rest.strip_prefix('\'') {
        let mut inside = quoted.chars();
        let first = inside.next()?;
        // A tick that no second tick closes belongs to a lifetime.
        return match (first, inside.next()) {
            ('\\', Some(escaped)) => {
                let begin = 2 + escaped.len_utf8();
                Some(begin + rest[begin..].find('\'')? + 1)
            }
            (c, Some('\'')) => Some(2 + c.len_utf8()),
            _ => None,
        };
    }
    let hashes_and_text = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !after_name)?;
    let hashes = hashes_and_text.len() - hashes_and_text.trim_start_matches('#').len();
    let begin = rest.len() - hashes_and_text.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    hashes_and_text[hashes..].starts_with('"').then_some(())?;
    Some(rest[begin..].find(&end).map_or(rest.len(), |found| begin + found + end.len()))
}

/// Length of a string literal behind its opening quote, the closing one included.
fn quoted_length(quoted: &str) -> usize {
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    quoted.len()
}

/// Length of a block comment, those inside it included.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Of code (see [`code`]) everything outside its test modules.
pub fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut lines = code.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests =
            line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            // Formatting puts the brace that ends a module of the file at the beginning of a line, and no other.
            let _ = lines.by_ref().find(|line| *line == "}");
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The numbers of the lines on which a word stands by itself.
pub fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let stands_in = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + word.len()..]);
            !before.ends_with(is_name) && !after.starts_with(is_name)
        })
    };
    (1..).zip(code.lines()).filter(|(_, line)| stands_in(line)).map(|(number, _)| number).collect()
}

/// The names of the functions that are tests in code (see [`code`]).
pub fn test_names(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in code.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
            names.extend(name.split(['(', '<']).next().map(str::to_owned));
            is_test = false;
        }
    }
    names
}

#[test]
fn comments_and_literals_are_no_code_and_all_else_is() {
    let text = "use a; // sled\n/* sled /* sled */ sled */ b('\"', '\\'', 'x', '\\u{41}', \"sled \\\" sled\");\n\
                fn c<'a>(r: &'a str) { br#\"sled \" sled\"#; r\"sled\\\"; bar(\"\"); d }\n";
    let code = code(text);
    assert_eq!(code.lines().count(), text.lines().count());
    let words: Vec<&str> = code.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    assert_eq!(words, ["use", "a", "b", "fn", "c", "a", "r", "a", "str", "bar", "d"]);
}

#[test]
fn only_test_modules_are_left_out() {
    let text =
        "use a;\n#[cfg(test)]\nmod far;\nfn b() {\n}\n#[cfg(test)]\nmod tests {\n    fn c() {\n    }\n}\nfn d() {}\n";
    assert_eq!(without_tests(text), "use a;\n#[cfg(test)]\nmod far;\nfn b() {\n}\nfn d() {}\n");
}

#[test]
fn words_are_found_whole() {
    assert_eq!(lines_with_word("use sled;\nunsledded\nmy_sled\n(sled)", "sled"), [1, 4]);
}

#[test]
fn tests_are_known_by_their_attribute() {
    let text = "#[test]\nfn one() {}\nfn helper() {}\n#[tokio::test(flavor = x)]\nasync fn two() {}\n";
    assert_eq!(test_names(text), ["one", "two"]);
}
