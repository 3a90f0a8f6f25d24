//! The names that a folder declares, each with its line, against which references are held.

use doorward_protocol::id::IdError;
use doorward_protocol::problem::did_you_mean;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How many unknown names of one table are held against all known ones: each costs time in proportion to the table.
const SUGGESTIONS_MAX: u32 = 200;

/// The ids of one table.
#[derive(Debug)]
pub struct Declared<T> {
    /// The file or section that declares them, as messages name it.
    place: &'static str,
    lines: BTreeMap<T, u64>,
    is_whole: bool,
    suggestions_left: Cell<u32>,
}

impl<T: Ord + AsRef<str> + FromStr<Err = IdError>> Declared<T> {
    /// No id yet.
    pub const fn new(place: &'static str) -> Self {
        Self { place, lines: BTreeMap::new(), is_whole: true, suggestions_left: Cell::new(SUGGESTIONS_MAX) }
    }

    /// Notes that the table could not be read in full: from now on every reference might be declared in the rest.
    pub const fn note_gap(&mut self) {
        self.is_whole = false;
    }

    /// Declares an id.
    ///
    /// # Errors
    /// When it is declared already, naming the line.
    pub fn declare(&mut self, id: T, line: u64) -> Result<(), String> {
        match self.lines.get(&id) {
            Some(first) => Err(format!("is there already, on line {first}")),
            None => {
                self.lines.insert(id, line);
                Ok(())
            }
        }
    }

    /// Where an id is declared.
    pub fn line_of(&self, id: &T) -> Option<u64> {
        self.lines.get(id).copied()
    }

    /// Reads a reference.
    ///
    /// # Errors
    /// When it is not an id or not declared, with what might have been meant.
    pub fn resolve(&self, text: &str) -> Result<T, String> {
        let id = T::from_str(text).map_err(|error| error.to_string())?;
        self.check(&id).map(|()| id)
    }

    /// Whether an id is declared.
    ///
    /// # Errors
    /// When it is not, with what might have been meant.
    pub fn check(&self, id: &T) -> Result<(), String> {
        if !self.is_whole || self.lines.contains_key(id) {
            return Ok(());
        }
        let mut near = String::new();
        if let Some(left) = self.suggestions_left.get().checked_sub(1) {
            self.suggestions_left.set(left);
            near = did_you_mean(id.as_ref(), self.lines.keys().map(AsRef::as_ref));
        }
        Err(format!("is not declared in {}{near}", self.place))
    }
}
