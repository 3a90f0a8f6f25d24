//! Secrets on disk and from the operating system's randomness: made once, read by their owner alone.
//!
//! Deliberately knows no meaning of a key beyond its file; what is signed with it is elsewhere.

use doorward_protocol::sign::SecretKey;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a secret could not be made, kept or read.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file is there already; secrets are never overwritten.
    #[error("{0} is there already and is not overwritten; move it away, or choose another data directory")]
    Exists(PathBuf),
    /// The file cannot be written or read.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The file is not what it should be.
    #[error("{0} does not hold 64 hexadecimal digits; restore it from a backup")]
    Malformed(PathBuf),
    /// Other users could read it.
    #[error("{0} can be read by other users (mode {1:o}); run `chmod 600` on it")]
    Readable(PathBuf, u32),
    /// The operating system gave no randomness.
    #[error("the operating system gave no random bytes: {0}")]
    Randomness(getrandom::Error),
}

/// Random bytes of the operating system.
///
/// # Errors
/// [`KeyError::Randomness`].
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(KeyError::Randomness)?;
    Ok(bytes)
}

/// A new key.
///
/// # Errors
/// [`KeyError::Randomness`].
pub fn new_secret_key() -> Result<SecretKey, KeyError> {
    Ok(SecretKey::from_seed(&random()?))
}

/// Makes a directory that only its owner can look into; one that is there gets that mode.
///
/// # Errors
/// [`KeyError::File`].
pub fn private_directory(path: &Path) -> Result<(), KeyError> {
    let failed = |error| KeyError::File(path.to_owned(), error);
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)
}

/// Writes a new file that only its owner can read, and makes it durable.
///
/// # Errors
/// [`KeyError::Exists`] or [`KeyError::File`].
pub fn write_private(path: &Path, content: &str) -> Result<(), KeyError> {
    write_new(path, format!("{content}\n").as_bytes(), 0o600)
}

/// Writes a new file that anyone can read, and makes it durable.
///
/// # Errors
/// [`KeyError::Exists`] or [`KeyError::File`].
pub fn write_public(path: &Path, content: &str) -> Result<(), KeyError> {
    write_new(path, format!("{content}\n").as_bytes(), 0o644)
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), KeyError> {
    let failed = |error: io::Error| match error.kind() == io::ErrorKind::AlreadyExists {
        true => KeyError::Exists(path.to_owned()),
        false => KeyError::File(path.to_owned(), error),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    sync_directory_of(path).map_err(failed)
}

/// Puts a file that only its owner can read in the place of another: after a power cut, one of them is there whole.
///
/// # Errors
/// [`KeyError::File`]; the old file is then untouched.
pub fn replace_private(path: &Path, content: &str) -> Result<(), KeyError> {
    replace_private_bytes(path, format!("{content}\n").as_bytes())
}

/// The same for what is no text.
///
/// # Errors
/// [`KeyError::File`]; the old file is then untouched.
pub fn replace_private_bytes(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    let draft = path.with_extension("draft");
    let failed = |error| KeyError::File(path.to_owned(), error);
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    write_new(&draft, content, 0o600)?;
    put_in_place(&draft, path)
}

/// Moves a file over another, durably.
///
/// # Errors
/// [`KeyError::File`].
pub fn put_in_place(from: &Path, to: &Path) -> Result<(), KeyError> {
    std::fs::rename(from, to).and_then(|()| sync_directory_of(to)).map_err(|error| KeyError::File(to.to_owned(), error))
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

/// Reads a secret of 32 bytes from a file of 64 hexadecimal digits that only its owner can read.
///
/// # Errors
/// See [`KeyError`].
pub fn read_secret(path: &Path) -> Result<[u8; 32], KeyError> {
    let text = read_private(path)?;
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim(), &mut secret).map_err(|_| KeyError::Malformed(path.to_owned()))?;
    Ok(secret)
}

/// Reads a file that only its owner can read.
///
/// # Errors
/// See [`KeyError`].
pub fn read_private(path: &Path) -> Result<String, KeyError> {
    let failed = |error| KeyError::File(path.to_owned(), error);
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Readable(path.to_owned(), mode));
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
#[must_use]
pub fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0_u8, |differences, (a, b)| differences | (a ^ b));
    a.len() == b.len() && core::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_once_and_read_only_while_it_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write_private(&path, &"ab".repeat(32)).unwrap();
        assert_eq!(read_secret(&path).unwrap(), [0xab; 32]);
        assert!(matches!(write_private(&path, "x"), Err(KeyError::Exists(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_secret(&path), Err(KeyError::Readable(_, 0o640))));
    }

    #[test]
    fn what_replaces_a_private_file_is_private_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        for content in ["first", "second"] {
            // What a process that was killed in the middle left behind.
            std::fs::write(directory.path().join("key.draft"), "half").unwrap();
            replace_private(&path, content).unwrap();
            assert_eq!(read_private(&path).unwrap().trim(), content);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_secret_is_not_repeated_in_the_message() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write_private(&path, "c0ffee").unwrap();
        assert!(!read_secret(&path).unwrap_err().to_string().contains("c0ffee"));
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(equal_in_constant_time(b"abc", b"abc"));
        assert!(!equal_in_constant_time(b"abc", b"abd"));
        assert!(!equal_in_constant_time(b"abc", b"abcd"));
    }
}
