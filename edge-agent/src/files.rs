//! Files that only their owner may read, written whole or not at all, and the lock on a data directory.
//!
//! Deliberately without any idea of what is in them.

use anyhow::{Context, Result, bail};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Name of the lock file in a data directory.
const LOCK_FILE: &str = "lock";

/// Makes a directory that only its owner can enter, with all that lead to it; one that exists stays as it is.
///
/// # Errors
/// When it cannot be made.
pub fn create_private_dir(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the directory {} cannot be made", path.display()))
}

/// Puts a file in place, readable by its owner only: after a power cut it is there whole, or the old one is.
///
/// # Errors
/// When it cannot be written; the old file is then untouched.
pub fn write_private(directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = directory.join(name);
    let draft = directory.join(format!("{name}.draft"));
    let written = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(directory)?.sync_all()
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}

/// Takes a data directory for this process alone, for as long as the returned file is kept, and closes it to other users.
///
/// # Errors
/// When another process has it, it is not this user's, or the lock file cannot be opened.
pub fn lock(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK_FILE);
    // Somebody may have made it beforehand, or put back a copy that came without its permissions.
    if fs::metadata(directory).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
        let closed = fs::set_permissions(directory, Permissions::from_mode(0o700));
        closed.with_context(|| format!("{} is open to other users and cannot be closed", directory.display()))?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another doorward-agent is using {}; stop it first (`doorward-agent status --data {}` shows it)",
            directory.display(),
            directory.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("{} cannot be locked", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_its_owners_alone_and_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("a/b");
        create_private_dir(&inside).unwrap();
        write_private(&inside, "key", b"first").unwrap();
        write_private(&inside, "key", b"second").unwrap();
        assert_eq!(fs::read(inside.join("key")).unwrap(), b"second");
        assert_eq!(fs::metadata(inside.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&inside).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_has_one_process_at_a_time_and_one_user() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let held = lock(directory.path()).unwrap();
        assert_eq!(fs::metadata(directory.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = lock(directory.path()).unwrap_err().to_string();
        assert!(refused.contains("another doorward-agent is using"), "{refused}");
        drop(held);
        assert!(lock(directory.path()).is_ok());
    }
}
