//! Another time for a program: its wall clock shifted from the beginning, or an hour that passes for it in an instant.
//!
//! By libfaketime, where the machine has it. What is shifted is what a program is told when it asks; what it waits for in the
//! kernel takes as long as it takes.

use anyhow::Result;
use std::path::{Path, PathBuf};

/// Environment that makes a program see another time.
pub type Environment = Vec<(String, String)>;

fn environment(fields: &[(&str, &str)]) -> Option<Environment> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime"));
    let library = folders.map(|folder| folder.join("libfaketimeMT.so.1")).find(|library| library.exists());
    let Some(library) = library else {
        crate::skipped::say("libfaketime is not installed (apt-get install faketime)");
        return None;
    };
    let library = library.display().to_string();
    let all = [fields, &[("LD_PRELOAD", library.as_str())]].concat();
    Some(all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// A wall clock that is wrong by so much, such as `-365d`; without the library, the test is skipped.
#[must_use]
pub fn wall_shifted_by(shift: &str) -> Option<Environment> {
    environment(&[("FAKETIME", shift), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")])
}

/// A clock that several programs share, and that can be made to jump ahead while they run: the wall clock and the
/// monotonic one together, as after an hour and not as after somebody set a clock.
#[derive(Debug)]
pub struct Clock(PathBuf);

impl Clock {
    /// A clock that is right, in a file of its own.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn right(file: &Path) -> Result<Self> {
        std::fs::write(file, "+0\n")?;
        Ok(Self(file.to_owned()))
    }

    /// What makes a program go by it; without the library, the test is skipped.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        environment(&[("FAKETIME_TIMESTAMP_FILE", &self.0.display().to_string()), ("FAKETIME_NO_CACHE", "1")])
    }

    /// Lets so much time pass at once, such as `1h`, in all since the beginning.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn pass(&self, time: &str) -> Result<()> {
        // In one step, so that nobody reads half of it.
        let next = self.0.with_extension("next");
        std::fs::write(&next, format!("+{time}\n"))?;
        Ok(std::fs::rename(next, &self.0)?)
    }
}
