//! Where all answers go: one writer on standard output, and notes for people on standard error.
//!
//! Knows lines, tables and JSON; nothing of what they say. A reader that goes away ends the command quietly.

use crate::failure::Failure;
use crate::sheet;
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Space between the columns of a table.
const COLUMN_GAP: usize = 2;

/// How often progress is told where it cannot be shown in place.
const PROGRESS_EVERY: Duration = Duration::from_secs(3);

/// Standard output, as it is to be written to.
#[derive(Debug)]
pub struct Output {
    to: BufWriter<Stdout>,
    json: bool,
    table: Option<PathBuf>,
}

/// Why an answer could not be written.
#[derive(Debug, Error)]
pub enum OutputError {
    /// The reader of a pipe went away.
    #[error("nobody reads the answer any more")]
    ReaderGone,
    /// Anything else, such as a full disk.
    #[error("cannot write the answer: {0}")]
    Write(io::Error),
    /// The list could not be written to its file.
    #[error(transparent)]
    Sheet(#[from] Failure),
    /// A value that is no JSON.
    #[error("cannot write the answer as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::ReaderGone } else { Self::Write(error) }
    }
}

impl Output {
    /// The output of this process, for programs (`json`) or for people.
    #[must_use]
    pub fn new(json: bool, table: Option<PathBuf>) -> Self {
        Self { to: BufWriter::new(io::stdout()), json, table }
    }

    /// Whether the list is to go to a file for a spreadsheet; commands that show it otherwise then make a table of it.
    #[must_use]
    pub const fn is_sheet(&self) -> bool {
        self.table.is_some()
    }

    /// Whether a program reads.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// One line for people. What names and reasons contain cannot steer the terminal.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn line(&mut self, line: &str) -> Result<(), OutputError> {
        Ok(writeln!(self.to, "{}", plain(line))?)
    }

    /// One line that is to be seen at once.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn live_line(&mut self, line: &str) -> Result<(), OutputError> {
        self.line(line)?;
        Ok(self.to.flush()?)
    }

    /// Text that is a format of its own, such as CSV, as it is.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn text(&mut self, text: &str) -> Result<(), OutputError> {
        Ok(self.to.write_all(text.as_bytes())?)
    }

    /// One JSON document on a line of its own, to be seen at once.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), OutputError> {
        let text = serde_json::to_string(value)?;
        writeln!(self.to, "{text}")?;
        Ok(self.to.flush()?)
    }

    /// A table, or the file for a spreadsheet that was asked for; the last column is as wide as it likes.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) -> Result<(), OutputError> {
        if let Some(file) = self.table.take() {
            sheet::write(&file, header, rows)?;
            note(&format!("{} are in {}", plural(rows.len(), "row"), file.display()));
            return Ok(());
        }
        let header = header.iter().map(|cell| (*cell).to_owned()).collect();
        self.rows(&std::iter::once(header).chain(rows.iter().cloned()).collect::<Vec<_>>())
    }

    /// A table without a header.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn rows(&mut self, rows: &[Vec<String>]) -> Result<(), OutputError> {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            widths.resize(widths.len().max(row.len()), 0);
            widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(columns(cell)));
        }
        for row in rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| padded(cell, width + COLUMN_GAP));
            self.line(cells.collect::<String>().trim_end())?;
        }
        Ok(())
    }

    /// Brings everything out that is still held back.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub fn finish(&mut self) -> Result<(), OutputError> {
        if let Some(file) = &self.table {
            note(&format!("there was no list to write to {}", file.display()));
        }
        Ok(self.to.flush()?)
    }
}

/// Writes a sentence for people to standard error. Where even that fails, there is nobody left to tell.
pub fn note(sentence: &str) {
    let _ = writeln!(io::stderr(), "{}", plain(sentence));
}

/// Progress of something long, on standard error: in place on a terminal, else a line now and then.
#[derive(Debug)]
pub struct Progress {
    in_place: bool,
    told_at: Instant,
    shown: bool,
}

impl Progress {
    /// Begins; nothing is shown yet.
    #[must_use]
    pub fn begin() -> Self {
        Self { in_place: io::stderr().is_terminal(), told_at: Instant::now(), shown: false }
    }

    /// Tells how far it is.
    pub fn tell(&mut self, sentence: &str) {
        if self.in_place {
            let _ = write!(io::stderr(), "\r\u{1b}[K{}", plain(sentence));
            self.shown = true;
        } else if self.told_at.elapsed() >= PROGRESS_EVERY {
            note(sentence);
            self.told_at = Instant::now();
        }
    }

    /// Ends; what was shown in place vanishes.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// A text without characters that would steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A text that takes this many columns of a terminal, or more if it is longer.
#[must_use]
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// A number of things, as people write it.
#[must_use]
pub fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How many columns of a terminal a text takes: ideographs and Hangul take two each.
fn columns(text: &str) -> usize {
    let is_wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\u{9b}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
    }

    #[test]
    fn names_in_hangul_line_up_with_latin_ones() {
        assert_eq!(columns("중앙도서관"), 10);
        assert_eq!(padded("공대", 6), "공대  ");
        assert_eq!(padded("longer", 3), "longer");
    }

    #[test]
    fn a_reader_that_went_away_is_told_from_other_faults() {
        assert!(matches!(io::Error::from(io::ErrorKind::BrokenPipe).into(), OutputError::ReaderGone));
        assert!(matches!(io::Error::from(io::ErrorKind::StorageFull).into(), OutputError::Write(_)));
    }
}
