//! What ends a command early, and the exit codes that all commands share.
//!
//! Deliberately one shape for all commands: these errors are read by people; programs get the exit code.

use serde::Serialize;
use std::fmt::Display;
use thiserror::Error;

/// How a command ended that said all it had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as it was asked for.
    Done,
    /// The answer is no: problems were found, answers differ.
    No,
    /// The change is stored, but not in force everywhere.
    NotEverywhere,
}

impl Exit {
    /// Exit code of errors and refusals.
    pub const ERROR: u8 = 1;
    /// Exit code of a command line that does not make sense; clap uses the same.
    pub const USAGE: u8 = 2;
    /// Exit code when the reader of the answer went away: the one that a closed pipe gives any program.
    pub const READER_GONE: u8 = 141;

    /// The exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => Self::ERROR,
            Self::NotEverywhere => 3,
        }
    }
}

/// An error with a hint at what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{error}")]
pub struct Failure {
    /// What is wrong.
    pub error: String,
    /// What would be right.
    pub hint: Option<String>,
    /// Everything that is wrong, place by place, where that is known.
    pub details: Vec<String>,
    #[serde(skip)]
    is_usage: bool,
}

impl Failure {
    /// An error.
    pub fn new(error: impl Display) -> Self {
        Self { error: error.to_string(), hint: None, details: Vec::new(), is_usage: false }
    }

    /// An error of the command line: nothing was tried.
    pub fn usage(error: impl Display) -> Self {
        Self { is_usage: true, ..Self::new(error) }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// The same with everything that is wrong, place by place.
    #[must_use]
    pub fn details(self, details: impl IntoIterator<Item = String>) -> Self {
        Self { details: details.into_iter().collect(), ..self }
    }

    /// The exit code that tells of it.
    #[must_use]
    pub const fn code(&self) -> u8 {
        if self.is_usage { Exit::USAGE } else { Exit::ERROR }
    }
}
