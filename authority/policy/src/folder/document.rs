//! A TOML document with the place of everything in it: syntax, types, and keys that are unknown or missing.
//!
//! Knows TOML only; what the keys of `campus.toml` mean is in `policy` and `rules`.

use crate::folder::values;
use doorward_protocol::problem::{Place, Problem, did_you_mean, shown};
use doorward_protocol::time::Day;
use std::collections::BTreeSet;
use std::fmt::Display;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A document that is being read, and its problems so far.
#[derive(Debug)]
pub struct Document<'t> {
    file: &'static str,
    text: &'t str,
    line_starts: Vec<usize>,
    /// Lines whose syntax is broken: what else seems wrong there follows from that.
    broken_lines: BTreeSet<u64>,
    problems: Vec<Problem>,
}

/// A value with its key; an element of a list has the key of the list.
#[derive(Debug, Clone, Copy)]
pub struct Item<'t> {
    key: &'t str,
    value: &'t Spanned<DeValue<'t>>,
}

/// A table of the document, its keys checked.
#[derive(Debug)]
pub struct Section<'t> {
    table: &'t DeTable<'t>,
}

/// Parses a document as far as its syntax allows; broken syntax is noted as problems.
pub fn syntax<'t>(file: &'static str, text: &'t str) -> (DeTable<'t>, Document<'t>) {
    let line_starts = [0].into_iter().chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
    let mut document = Document { file, text, line_starts, broken_lines: BTreeSet::new(), problems: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let at = span.start;
        let here = text.get(span).filter(|here| !here.trim().is_empty());
        let here = here.map(|here| format!(" at {}", shown(here))).unwrap_or_default();
        document.report(at, format!("not TOML: {}{here}", error.message().replace('\n', "; ")));
    }
    document.broken_lines = document.problems.iter().map(|problem| problem.line).collect();
    (table.into_inner(), document)
}

impl<'t> Document<'t> {
    /// Whether the syntax is broken somewhere, so that parts of the document may be missing from what was parsed.
    pub fn is_broken(&self) -> bool {
        !self.broken_lines.is_empty()
    }

    /// Everything that is wrong.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The place of a byte.
    pub fn place(&self, at: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|i| self.line_starts.get(i)).copied().unwrap_or_default();
        let from_line = self.text.get(start..).unwrap_or_default();
        Place::in_text(from_line, u64::try_from(line).unwrap_or(u64::MAX), at - start)
    }

    /// Notes a problem at a byte.
    pub fn report(&mut self, at: usize, message: impl Into<String>) {
        let place = self.place(at);
        if !self.broken_lines.contains(&place.line) {
            self.problems.push(Problem::new(self.file, place, message));
        }
    }

    /// Notes that a value is refused; the error completes the sentence that begins with key and value.
    pub fn refuse(&mut self, item: Item<'t>, error: impl Display) {
        let text = item.value.get_ref().as_str().filter(|text| !text.is_empty());
        let value = text.map(|text| format!(" {}", shown(text))).unwrap_or_default();
        self.report(item.at(), format!("{}{value} {error}", item.key));
    }

    fn wrong_type(&mut self, item: Item<'t>, expected: &str) {
        let found = item.value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.report(item.at(), format!("{} is {article} {found}; expected {expected}", item.key));
    }

    /// Reads a table whose keys are all known and, where they must be there, there.
    pub fn section(&mut self, name: &str, item: Item<'t>, required: &[&str], optional: &[&str]) -> Option<Section<'t>> {
        let Some(table) = item.value.get_ref().as_table() else {
            self.wrong_type(item, "a table");
            return None;
        };
        self.keys(name, table, item.at(), required, optional);
        Some(Section { table })
    }

    /// Checks the keys of a table that begins at a byte.
    pub fn keys(&mut self, name: &str, table: &'t DeTable<'t>, at: usize, required: &[&str], optional: &[&str]) {
        let known = || required.iter().chain(optional).copied();
        for key in table.keys().filter(|key| !known().any(|known| known == key.get_ref().as_ref())) {
            let near = did_you_mean(key.get_ref(), known());
            let keys = known().collect::<Vec<_>>().join(", ");
            let message = format!("key {} is not known in {name}{near}; its keys are {keys}", shown(key.get_ref()));
            self.report(key.span().start, message);
        }
        // A key that seems to be missing may stand on a line whose syntax is broken.
        let is_broken = self.is_broken();
        for key in required.iter().filter(|key| !is_broken && !table.contains_key(**key)) {
            self.report(at, format!("{name} lacks {}", shown(key)));
        }
    }

    /// The named tables of a table, such as `function.payment` of `function`, each with its name and the place of it.
    pub fn named(&mut self, item: Item<'t>) -> Option<Vec<(usize, Item<'t>)>> {
        let Some(table) = item.value.get_ref().as_table() else {
            self.wrong_type(item, "a table of tables");
            return None;
        };
        let entries = table.iter();
        Some(entries.map(|(key, value)| (key.span().start, Item { key: key.get_ref(), value })).collect())
    }

    /// A string.
    pub fn string(&mut self, item: Item<'t>) -> Option<&'t str> {
        let text = item.value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(item, "a string");
        }
        text
    }

    /// A string that `read` accepts.
    pub fn parsed<T, E: Display>(&mut self, item: Item<'t>, read: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.string(item)?;
        read(text).map_err(|error| self.refuse(item, error)).ok()
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, item: Item<'t>) -> Option<bool> {
        let value = item.value.get_ref().as_bool();
        if value.is_none() {
            self.wrong_type(item, "true or false");
        }
        value
    }

    /// `true`, the only value of a key that is left out otherwise.
    pub fn only_true(&mut self, item: Item<'t>) -> Option<bool> {
        let value = self.boolean(item)?;
        if !value {
            self.refuse(item, "is false; it can only be true, leave it out otherwise");
        }
        value.then_some(true)
    }

    /// A whole number from `min` to `max`.
    pub fn count(&mut self, item: Item<'t>, min: u32, max: u32) -> Option<u32> {
        let Some(integer) = item.value.get_ref().as_integer() else {
            self.wrong_type(item, "a whole number");
            return None;
        };
        let count = u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| (min..=max).contains(n));
        if count.is_none() {
            self.refuse(item, format!("is {integer}; expected a whole number from {min} to {max}"));
        }
        count
    }

    /// The elements of a list.
    pub fn list(&mut self, item: Item<'t>, expected: &str) -> Option<Vec<Item<'t>>> {
        let Some(array) = item.value.get_ref().as_array() else {
            self.wrong_type(item, expected);
            return None;
        };
        Some(array.iter().map(|value| Item { key: item.key, value }).collect())
    }

    /// Strings that `read` accepts, with their places; `None` for each that is refused. One that is listed again says
    /// nothing new and is passed over.
    pub fn set<T, E: Display>(
        &mut self,
        item: Item<'t>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<Option<(T, usize)>>> {
        let mut seen = BTreeSet::new();
        let mut values = Vec::new();
        for element in self.list(item, "a list of strings")? {
            if element.value.get_ref().as_str().is_some_and(|text| !seen.insert(text)) {
                continue;
            }
            let value = self.parsed(element, &read);
            values.push(value.map(|value| (value, element.at())));
        }
        Some(values)
    }

    /// A local date, as TOML writes it or as a string of the same form.
    pub fn day(&mut self, item: Item<'t>) -> Option<Day> {
        let Some(datetime) = item.value.get_ref().as_datetime() else {
            if item.value.get_ref().is_str() {
                return self.parsed(item, values::day);
            }
            self.wrong_type(item, "a date such as 2026-03-02");
            return None;
        };
        let (Some(date), None, None) = (datetime.date, datetime.time, datetime.offset) else {
            self.wrong_type(item, "a date without time, such as 2026-03-02");
            return None;
        };
        let text = date.to_string();
        values::day(&text).map_err(|error| self.refuse(item, format!("{} {error}", shown(&text)))).ok()
    }
}

impl<'t> Item<'t> {
    /// The byte at which the value begins.
    pub fn at(self) -> usize {
        self.value.span().start
    }

    /// The key.
    pub const fn key(self) -> &'t str {
        self.key
    }
}

impl<'t> Section<'t> {
    /// The section that a parsed document is.
    pub const fn root(table: &'t DeTable<'t>) -> Self {
        Self { table }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// The tables of a list such as `[[rule]]`; none when it is missing or, which is noted, no list.
    pub fn tables(&self, document: &mut Document<'t>, key: &str) -> Vec<Item<'t>> {
        self.item(key).and_then(|item| document.list(item, "a list of tables")).unwrap_or_default()
    }

    /// The value of a key.
    pub fn item(&self, key: &str) -> Option<Item<'t>> {
        let (key, value) = self.table.get_key_value(key)?;
        Some(Item { key: key.get_ref(), value })
    }

    /// The value of a key that must be there, `None` when it is not or is refused; both are noted as problems.
    pub fn required<T>(&self, key: &str, read: impl FnOnce(Item<'t>) -> Option<T>) -> Option<T> {
        self.item(key).and_then(read)
    }

    /// The value of a key that may be missing: `Some(None)` when it is, `None` when it is refused.
    pub fn optional<T>(&self, key: &str, read: impl FnOnce(Item<'t>) -> Option<T>) -> Option<Option<T>> {
        match self.item(key) {
            Some(item) => read(item).map(Some),
            None => Some(None),
        }
    }
}
