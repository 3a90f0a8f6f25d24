//! What is wrong in a file that people wrote, and where: the one form in which the reading of files reports it.
//!
//! Deliberately not an error type of operations: a reader collects every problem of a file before it gives up.

/// How many characters of a bad value a message repeats.
const SHOWN_CHARACTERS_MAX: usize = 80;

/// A place in a text file; both numbers count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u64,
    /// Column in characters.
    pub column: u64,
}

impl Place {
    /// Where a file begins; also the place of what a file lacks.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place of byte `at` of a text that begins on `line`.
    #[must_use]
    pub fn in_text(text: &str, line: u64, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let last_line = before.rsplit('\n').next().unwrap_or(before);
        let newlines = before.bytes().filter(|byte| *byte == b'\n').count();
        Self { line: line.saturating_add(count(newlines)), column: count(last_line.chars().count()).saturating_add(1) }
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// One thing that is wrong. Sorted by file, then by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Name of the file as it was given.
    pub file: String,
    /// Line, counted from one.
    pub line: u64,
    /// Column in characters, counted from one.
    pub column: u64,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    pub fn new(file: &str, place: Place, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: place.line, column: place.column, message: message.into() }
    }
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// A value as messages repeat it: in backquotes, shortened, and without characters that would steer a terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut short = String::from("`");
    for c in text.chars().take(SHOWN_CHARACTERS_MAX) {
        if c.is_control() {
            short.extend(c.escape_default());
        } else {
            short.push(c);
        }
    }
    if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        short.push('…');
    }
    short.push('`');
    short
}

/// `; did you mean ...?` when a known name is one slip of the keyboard away, otherwise empty.
pub fn did_you_mean<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    near(text, known).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// The first known name that is one slip away, as it is shown.
pub fn near<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known.into_iter().find(|name| is_one_slip(text, name)).map(shown)
}

/// Whether one character more, less, other or swapped with its neighbour, or only case, parts the two.
fn is_one_slip(a: &str, b: &str) -> bool {
    if a.eq_ignore_ascii_case(b) {
        return true;
    }
    if a.len() < 3 || a.len().abs_diff(b.len()) > 4 {
        return false;
    }
    let same: usize = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (a.get(same..).unwrap_or(a), b.get(same..).unwrap_or(b));
    let ends = a.chars().rev().zip(b.chars().rev());
    let same: usize = ends.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (a.get(..a.len() - same).unwrap_or(a), b.get(..b.len() - same).unwrap_or(b));
    match (a.chars().count(), b.chars().count()) {
        (0 | 1, 1) | (1, 0) => true,
        (2, 2) => a.chars().rev().eq(b.chars()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        assert_eq!(Place::in_text("abc", 1, 0), Place::START);
        assert_eq!(Place::in_text("가나,b\nc", 3, 7), Place { line: 3, column: 4 });
        assert_eq!(Place::in_text("가나,b\r\nc", 3, 10), Place { line: 4, column: 1 });
    }

    #[test]
    fn a_message_repeats_no_control_characters_and_no_novels() {
        assert_eq!(shown("a\u{1b}[31m한"), "`a\\u{1b}[31m한`");
        assert_eq!(shown(&"x".repeat(100)), format!("`{}…`", "x".repeat(80)));
    }

    #[test]
    fn a_name_one_slip_away_is_suggested_and_no_other() {
        let known = ["physics", "library", "civil"];
        for slip in ["phisics", "physic", "physicss", "phsyics", "Physics"] {
            assert_eq!(did_you_mean(slip, known), "; did you mean `physics`?", "{slip}");
        }
        for other in ["phys", "chemistry", "p", "", "lirbary2"] {
            assert_eq!(did_you_mean(other, known), "", "{other}");
        }
    }
}
