//! Reading what people name on the command line: a campus folder and single files, each within a bound.
//!
//! Deliberately without judging contents; what a file must say is known to who asked for it.

use crate::failure::Failure;
use crate::output::note;
use doorward_policy::folder::CampusFiles;
use doorward_protocol::problem::Problem;
use doorward_server::accounts::SESSION_PREFIX;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Largest file of a campus folder in bytes: a million people with their cards take a fifth of it.
pub const CAMPUS_FILE_BYTES_MAX: u64 = 512 << 20;

/// Largest file of taps in bytes: some five million questions.
pub const TAPS_BYTES_MAX: u64 = 512 << 20;

/// Largest key, token, root or certificate file in bytes.
pub const SMALL_FILE_BYTES_MAX: u64 = 64 << 10;

/// Reads a whole file.
///
/// # Errors
/// When it cannot be read or is larger than the bound.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    read_if_there(path, bytes_max)?.ok_or_else(|| cannot_read(path, "there is no such file"))
}

/// Reads a whole file; `None` when there is none.
///
/// # Errors
/// When it cannot be read or is larger than the bound.
pub fn read_if_there(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot_read(path, error)),
    };
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Err(cannot_read(path, "it is a folder, and a file is wanted"));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| cannot_read(path, error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(cannot_read(path, format!("it has more than {bytes_max} bytes")));
    }
    Ok(Some(bytes))
}

/// Reads a file of text.
///
/// # Errors
/// When it cannot be read, is larger than a small file or is not UTF-8.
pub fn read_small_text(path: &Path) -> Result<String, Failure> {
    let bytes = read(path, SMALL_FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| cannot_read(path, "it is not text in UTF-8"))
}

/// Reads a file of text that nobody but its owner can read.
///
/// # Errors
/// When others could read it, and as [`read_small_text`].
pub fn read_private_text(path: &Path) -> Result<String, Failure> {
    let mode = std::fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let failure = Failure::new(format!("{} can be read by other users (mode {mode:o})", path.display()));
        return Err(failure.hint("run `chmod 600` on it; if others may have read it, make a new one"));
    }
    read_small_text(path)
}

fn cannot_read(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::new(format!("cannot read {}: {why}", path.display()))
}

/// A campus folder with its files in memory.
#[derive(Debug)]
pub struct CampusFolder {
    /// Where it is, as it was given.
    pub path: PathBuf,
    /// The files that make the campus.
    pub files: CampusFiles,
    /// Names of other tables, which nothing reads: perhaps misspelled.
    pub others: Vec<String>,
}

/// Files that ask questions to the campus and are no part of it.
pub const TAPS_NAMES: [&str; 2] = ["taps.csv", "random-taps.csv"];

impl CampusFolder {
    /// Reads the files of a campus folder.
    ///
    /// # Errors
    /// When there is no such folder, or a file in it cannot be read. A missing file is left to the parser.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let hint = "name a folder with campus.toml and its tables, such as deploy/campuses/jnu";
        let entries = std::fs::read_dir(path).map_err(|error| {
            let why = if error.kind() == ErrorKind::NotFound {
                "there is no such folder".to_owned()
            } else if error.kind() == ErrorKind::NotADirectory {
                "it is a file, and a campus is a folder".to_owned()
            } else {
                error.to_string()
            };
            cannot_read(path, why).hint(hint)
        })?;
        let known = |name: &str| CampusFiles::NAMES.contains(&name) || TAPS_NAMES.contains(&name);
        let mut others = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| cannot_read(path, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_table = Path::new(&name).extension().is_some_and(|end| end == "csv" || end == "toml");
            if is_table && !known(&name) {
                others.push(name);
            }
        }
        others.sort();
        let mut files = BTreeMap::new();
        for name in CampusFiles::NAMES {
            if let Some(bytes) = read_if_there(&path.join(name), CAMPUS_FILE_BYTES_MAX)? {
                files.insert(name.to_owned(), bytes);
            }
        }
        if files.is_empty() {
            return Err(Failure::new(format!("{} has none of the files of a campus", path.display())).hint(hint));
        }
        Ok(Self { path: path.to_owned(), files: CampusFiles(files), others })
    }

    /// Problems as a person finds them: with the path of the file as it was given.
    #[must_use]
    pub fn placed(&self, problems: &[Problem]) -> Vec<String> {
        let placed = |problem: &Problem| Problem { file: self.place(&problem.file), ..problem.clone() }.to_string();
        problems.iter().map(placed).collect()
    }

    /// Notes the tables in the folder that nothing reads.
    pub fn note_others(&self) {
        for name in &self.others {
            note(&format!("note: {} is not a file of a campus folder and was not read", self.place(name)));
        }
    }

    /// Where a file of the folder is, as a person would name it.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

/// Writes a new file; one that is there is only replaced when `may_replace` says so of its contents.
///
/// # Errors
/// When something else is there, or the file cannot be written.
pub fn write(path: &Path, bytes: &[u8], may_replace: impl Fn(&[u8]) -> bool) -> Result<(), Failure> {
    check_writable(path, may_replace)?;
    let cannot_write = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let mut file = File::create(path).map_err(cannot_write)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(cannot_write)
}

/// Writes the token of a session to a file that only its owner can read, in the place of an earlier one and of nothing else.
///
/// # Errors
/// As of [`write`].
pub fn write_session(path: &Path, token: &str) -> Result<(), Failure> {
    check_writable(path, is_session)?;
    let cannot_write = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(cannot_write)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(cannot_write)?;
    file.write_all(token.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot_write)
}

/// Whether a file holds the token of a session, or nothing.
#[must_use]
pub fn is_session(bytes: &[u8]) -> bool {
    bytes.is_empty() || bytes.starts_with(SESSION_PREFIX.as_bytes())
}

/// Whether [`write`] would dare to, asked before anything is changed.
///
/// # Errors
/// When something else is there, or its folder is not.
pub fn check_writable(path: &Path, may_replace: impl Fn(&[u8]) -> bool) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Failure::new(format!("cannot write {}: there is no folder {folder}", path.display())));
    }
    let mut start = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_read(path, error)),
        Ok(file) => file.take(64).read_to_end(&mut start).map_err(|error| cannot_read(path, error))?,
    };
    if may_replace(&start) {
        return Ok(());
    }
    Err(Failure::new(format!("{} is there already and holds something else", path.display())).hint("name a new file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_its_bound_is_refused_and_one_at_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(read(&path, 4).unwrap_err().error.ends_with("it has more than 4 bytes"));
        assert!(read(folder.path(), 4).unwrap_err().error.ends_with("it is a folder, and a file is wanted"));
        assert!(read(&folder.path().join("b"), 4).unwrap_err().error.ends_with("there is no such file"));
    }

    #[test]
    fn only_a_file_of_the_same_kind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let same_kind = |bytes: &[u8]| bytes.starts_with(b"kind");
        write(&path, b"kind 1", same_kind).unwrap();
        write(&path, b"precious", same_kind).unwrap();
        assert!(write(&path, b"kind 2", same_kind).unwrap_err().hint.is_some());
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        assert!(write(&folder.path().join("none/a"), b"kind", same_kind).is_err());
    }

    #[test]
    fn tables_that_nothing_reads_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["campus.toml", "taps.csv", "grant.csv", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let campus = CampusFolder::read(folder.path()).unwrap();
        assert_eq!(campus.others, ["grant.csv"]);
        assert_eq!(campus.files.0.keys().collect::<Vec<_>>(), ["campus.toml"]);
    }
}
