//! Tables as CSV (RFC 4180), read row by row with the exact place of every field, and fields written back.
//!
//! Stricter than general readers, which repair stray quotes silently: what is not RFC 4180 is a problem with a place.
//! Two things are taken beyond it: lines that end in a bare line feed, and empty lines, which are skipped.

use crate::problem::{Place, Problem, did_you_mean, shown};
use std::borrow::Cow;

/// Largest file that is read: five times a campus of a million people, and small enough to be held in memory.
pub const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most problems of one row, or of the header, that are told apart: finding the place of each takes time in proportion to
/// the row, which in a file that is no table may be all of it.
const ROW_PROBLEMS_MAX: u8 = 16;

/// A column that a table may have.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    required: bool,
}

impl Column {
    /// A column that must be there.
    #[must_use]
    pub const fn required(name: &'static str) -> Self {
        Self { name, required: true }
    }

    /// A column that may be missing.
    #[must_use]
    pub const fn optional(name: &'static str) -> Self {
        Self { name, required: false }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// The text of a file without a leading byte-order mark; every place that is not UTF-8 is a problem.
///
/// `None` when the file is too large to look at. Bad bytes become U+FFFD, so that the rest can still be checked.
pub fn decode<'a>(file: &str, bytes: &'a [u8], problems: &mut Vec<Problem>) -> Option<Cow<'a, str>> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = format!("has {} bytes; a file has at most {FILE_BYTES_MAX}", bytes.len());
        problems.push(Problem::new(file, Place::START, message));
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, Cow::Owned(_)) {
        report_invalid_utf8(file, bytes, problems);
    }
    Some(text)
}

/// One problem a line: a file in another encoding has bad bytes all over.
fn report_invalid_utf8(file: &str, bytes: &[u8], problems: &mut Vec<Problem>) {
    let mut bad_line = None;
    let mut place = Place::START;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        let within = Place::in_text(valid, place.line, valid.len());
        let column = if within.line == place.line { place.column + within.column - 1 } else { within.column };
        place = Place { line: within.line, column };
        if let Some(byte) = chunk.invalid().first() {
            if bad_line.replace(place.line) != Some(place.line) {
                let message = format!("byte 0x{byte:02x} is not UTF-8; save the file as UTF-8");
                problems.push(Problem::new(file, place, message));
            }
            place.column += 1;
        }
    }
}

/// A table that is being read.
#[derive(Debug)]
pub struct Table<'a> {
    file: &'a str,
    text: &'a str,
    /// Where the next row begins, in bytes, and its line.
    at: usize,
    line: u64,
    columns: &'static [Column],
    /// For each of `columns`, which field of a row it is.
    fields: Vec<Option<usize>>,
    width: usize,
    rows_skipped: bool,
    /// How many more problems of the present row are told.
    row_problems_left: u8,
}

/// One row of a table.
#[derive(Debug)]
pub struct Row<'t, 'a> {
    table: &'t Table<'a>,
    record: Record<'a>,
}

#[derive(Debug)]
struct Record<'a> {
    at: usize,
    line: u64,
    cells: Vec<Cell<'a>>,
}

#[derive(Debug)]
struct Cell<'a> {
    at: usize,
    text: Cow<'a, str>,
}

impl<'a> Table<'a> {
    /// Reads the header. `None`, with the problem, when rows cannot be read without what it lacks.
    pub fn open(file: &'a str, text: &'a str, columns: &'static [Column], problems: &mut Vec<Problem>) -> Option<Self> {
        let mut table = Self {
            file,
            text,
            at: 0,
            line: 1,
            columns,
            fields: vec![None; columns.len()],
            width: 0,
            rows_skipped: false,
            row_problems_left: ROW_PROBLEMS_MAX,
        };
        let Some(header) = table.next_record(problems) else {
            let message = format!("has no header line; its columns are {}", column_names(columns));
            problems.push(Problem::new(file, Place::START, message));
            return None;
        };
        table.width = header.cells.len();
        for (field, cell) in header.cells.iter().enumerate() {
            if let Err(message) = table.place_column(field, &cell.text) {
                table.report(&header, cell.at, message, problems);
            }
        }
        let lacks = columns.iter().zip(&table.fields).filter(|(column, field)| column.required && field.is_none());
        let lacks: Vec<_> = lacks.map(|(column, _)| shown(column.name)).collect();
        if !lacks.is_empty() {
            let message = format!("header lacks {}; its columns are {}", lacks.join(", "), column_names(columns));
            problems.push(Problem::new(file, table.place(&header, header.at), message));
            return None;
        }
        Some(table)
    }

    fn place_column(&mut self, field: usize, name: &str) -> Result<(), String> {
        let Some(known) = self.columns.iter().position(|column| column.name == name) else {
            let near = did_you_mean(name, self.columns.iter().map(|column| column.name));
            return Err(format!(
                "column {} is not known{near}; columns are {}",
                shown(name),
                column_names(self.columns)
            ));
        };
        match self.fields.get_mut(known) {
            Some(slot @ None) => *slot = Some(field),
            _ => return Err(format!("column {} is there twice", shown(name))),
        }
        Ok(())
    }

    /// The next row that has as many fields as the header; the others are problems.
    pub fn next_row(&mut self, problems: &mut Vec<Problem>) -> Option<Row<'_, 'a>> {
        loop {
            let record = self.next_record(problems)?;
            let n = record.cells.len();
            if n == self.width {
                return Some(Row { table: self, record });
            }
            self.rows_skipped = true;
            let extra = record.cells.get(self.width).map_or(record.at, |cell| cell.at);
            let message = format!("row has {n} field{}; the header has {}", if n == 1 { "" } else { "s" }, self.width);
            problems.push(Problem::new(self.file, self.place(&record, extra), message));
        }
    }

    /// Whether a row could not be told from what is beside it, so that what the table declares is not known in full.
    #[must_use]
    pub const fn rows_skipped(&self) -> bool {
        self.rows_skipped
    }

    fn next_record(&mut self, problems: &mut Vec<Problem>) -> Option<Record<'a>> {
        while self.skip_line_end() {
            self.line += 1;
        }
        self.row_problems_left = ROW_PROBLEMS_MAX;
        let mut record = Record { at: self.at, line: self.line, cells: Vec::with_capacity(self.width) };
        if self.rest().is_empty() {
            return None;
        }
        loop {
            let at = self.at;
            let text = match self.rest().strip_prefix('"') {
                Some(inner) => self.quoted(inner, &record, problems),
                None => self.unquoted(&record, problems),
            };
            record.cells.push(Cell { at, text });
            if !self.rest().starts_with(',') {
                break;
            }
            self.at += 1;
        }
        self.skip_line_end();
        let read = self.text.get(record.at..self.at).unwrap_or_default();
        self.line = Place::in_text(read, self.line, read.len()).line;
        Some(record)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_line_end(&mut self) -> bool {
        let rest = self.rest();
        let after = ["\r\n", "\n"].into_iter().find_map(|end| rest.strip_prefix(end));
        self.at += rest.len() - after.unwrap_or(rest).len();
        after.is_some()
    }

    fn unquoted(&mut self, record: &Record<'a>, problems: &mut Vec<Problem>) -> Cow<'a, str> {
        let rest = self.rest();
        let field = rest.split([',', '\n']).next().unwrap_or(rest);
        let before_line_end = rest.get(field.len()..).is_some_and(|after| after.starts_with('\n'));
        let field = if before_line_end { field.strip_suffix('\r').unwrap_or(field) } else { field };
        if let Some(i) = field.find(['"', '\r']) {
            let message = "a quote or carriage return within a field; put the field in quotes and double its quotes";
            self.report(record, self.at + i, message, problems);
        }
        self.at += field.len();
        Cow::Borrowed(field)
    }

    fn quoted(&mut self, inner: &'a str, record: &Record<'a>, problems: &mut Vec<Problem>) -> Cow<'a, str> {
        let Some((field, after)) = closing_quote(inner).and_then(|at| Some((inner.get(..at)?, inner.get(at + 1..)?)))
        else {
            problems.push(Problem::new(self.file, self.place(record, self.at), "a quoted field that never ends"));
            self.rows_skipped = true;
            self.at = self.text.len();
            return Cow::Borrowed(inner);
        };
        self.at = self.text.len() - after.len();
        if !(after.is_empty() || [",", "\n", "\r\n"].into_iter().any(|end| after.starts_with(end))) {
            let message = "text after the end of a quoted field; double the quotes that belong to it";
            self.report(record, self.at, message, problems);
            self.at += after.find([',', '\n']).unwrap_or(after.len());
        }
        if field.contains('"') { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) }
    }

    /// A problem within a row, unless enough has been said of that row.
    fn report(&mut self, record: &Record<'_>, at: usize, message: impl Into<String>, problems: &mut Vec<Problem>) {
        if let Some(left) = self.row_problems_left.checked_sub(1) {
            self.row_problems_left = left;
            problems.push(Problem::new(self.file, self.place(record, at), message));
        }
    }

    fn place(&self, record: &Record<'_>, at: usize) -> Place {
        let text = self.text.get(record.at..).unwrap_or_default();
        Place::in_text(text, record.line, at - record.at)
    }
}

/// Where a quoted field ends: at the first quote that is not doubled.
fn closing_quote(inner: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += inner.get(at..)?.find('"')?;
        if !inner.get(at + 1..)?.starts_with('"') {
            return Some(at);
        }
        at += 2;
    }
}

fn column_names(columns: &[Column]) -> String {
    let names = columns.iter().map(|column| format!("{}{}", column.name, if column.required { "" } else { "?" }));
    names.collect::<Vec<_>>().join(",")
}

impl Row<'_, '_> {
    /// The line on which the row begins, counted from one.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.record.line
    }

    /// The field of a column; empty when the table has no such column.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.cell(column).map_or("", |cell| &cell.text)
    }

    /// Where the field of a column begins.
    #[must_use]
    pub fn place(&self, column: &str) -> Place {
        self.table.place(&self.record, self.cell(column).map_or(self.record.at, |cell| cell.at))
    }

    /// A problem with the field of a column.
    #[must_use]
    pub fn problem(&self, column: &str, message: impl core::fmt::Display) -> Problem {
        Problem::new(self.table.file, self.place(column), format!("{column} {message}"))
    }

    /// What a field says, `None` with a problem when it is empty or `read` refuses it, saying why.
    pub fn required<T, E: core::fmt::Display>(
        &self,
        column: &str,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.text(column).is_empty() {
            problems.push(self.problem(column, "is empty; it must be given"));
            return None;
        }
        self.optional(column, problems, read).flatten()
    }

    /// What a field says: `Some(None)` when it is empty, `None` with a problem when `read` refuses it, saying why.
    pub fn optional<T, E: core::fmt::Display>(
        &self,
        column: &str,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        let text = self.text(column);
        if text.is_empty() {
            return Some(None);
        }
        let value = read(text).map_err(|error| problems.push(self.problem(column, format!("{} {error}", shown(text)))));
        value.ok().map(Some)
    }

    fn cell(&self, column: &str) -> Option<&Cell<'_>> {
        let known = self.table.columns.iter().position(|known| known.name == column)?;
        let field = self.table.fields.get(known).copied().flatten()?;
        self.record.cells.get(field)
    }
}

/// A field as RFC 4180 writes it: in quotes when it has a comma, a quote or a line end.
#[must_use]
pub fn written(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::required("id"), Column::required("name"), Column::optional("kind")];

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
        let mut problems = Vec::new();
        let mut rows = Vec::new();
        let text = decode("t.csv", bytes, &mut problems).unwrap();
        if let Some(mut table) = Table::open("t.csv", &text, COLUMNS, &mut problems) {
            while let Some(row) = table.next_row(&mut problems) {
                let place = row.place("name");
                let fields = [row.text("id"), row.text("name"), row.text("kind")].join("|");
                rows.push(format!("{}:{}:{} {fields}", row.line(), place.line, place.column));
            }
        }
        (rows, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_table_is_read_with_the_place_of_every_field() {
        let (rows, problems) = read("\u{feff}name,id\r\n가나,a\r\n\r\n\"x\r\ny\",b\r\n\"q \"\"q\"\"\",c".as_bytes());
        assert_eq!(problems, [""; 0]);
        assert_eq!(rows, ["2:2:1 a|가나|", "4:4:1 b|x\r\ny|", "6:6:1 c|q \"q\"|"]);
        let (rows, problems) = read("id,name\n가나,\"\"\n\"1\n2\",z,\n".as_bytes());
        assert_eq!(rows, ["2:2:4 가나||"]);
        assert_eq!(problems, ["t.csv:4:6: row has 3 fields; the header has 2"]);
        assert_eq!(read(b"id,name\n\"1\n2\",z\n").0, ["2:3:4 1\n2|z|"]);
    }

    #[test]
    fn a_header_names_each_known_column_at_most_once() {
        let (_, problems) = read(b"id,nmae,id\n1,2,3\n");
        assert_eq!(
            problems,
            [
                "t.csv:1:4: column `nmae` is not known; did you mean `name`?; columns are id,name,kind?",
                "t.csv:1:9: column `id` is there twice",
                "t.csv:1:1: header lacks `name`; its columns are id,name,kind?",
            ]
        );
        assert_eq!(read(b"").1, ["t.csv:1:1: has no header line; its columns are id,name,kind?"]);
        assert_eq!(read(b"\n\n").1, ["t.csv:1:1: has no header line; its columns are id,name,kind?"]);
    }

    #[test]
    fn what_is_not_rfc_4180_is_a_problem_and_the_rows_behind_it_are_still_read() {
        let (rows, problems) = read(b"id,name\na,b\"c\nd,\"e\"f\nx\ng,h\ni,\"j\n");
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[2], "5:5:3 g|h|");
        assert_eq!(
            problems,
            [
                "t.csv:2:4: a quote or carriage return within a field; put the field in quotes and double its quotes",
                "t.csv:3:6: text after the end of a quoted field; double the quotes that belong to it",
                "t.csv:4:1: row has 1 field; the header has 2",
                "t.csv:6:3: a quoted field that never ends",
            ]
        );
    }

    #[test]
    fn of_a_row_with_strays_all_over_only_the_first_are_told() {
        let strays = ["a\""; 20_000].join(",");
        let (_, problems) = read(format!("id,name\n{strays}\nb\",c\n").as_bytes());
        let (_, of_header) = read(strays.as_bytes());
        let (strays, rest) = problems.split_at(usize::from(ROW_PROBLEMS_MAX));
        assert!(strays.iter().all(|problem| problem.starts_with("t.csv:2:")), "{strays:?}");
        assert!(rest[0].contains("row has 20000 fields"), "{}", rest[0]);
        assert!(rest[1].starts_with("t.csv:3:2: a quote"), "{}", rest[1]);
        assert_eq!((rest.len(), of_header.len()), (2, usize::from(ROW_PROBLEMS_MAX) + 1));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_named_once_a_line() {
        let (rows, problems) = read(b"id,name\na,\xe9\xe9\nb,\xea\xb0\x80\xff\n");
        assert_eq!(rows, ["2:2:3 a|\u{fffd}\u{fffd}|", "3:3:3 b|가\u{fffd}|"]);
        let expected = [
            "t.csv:2:3: byte 0xe9 is not UTF-8; save the file as UTF-8",
            "t.csv:3:4: byte 0xff is not UTF-8; save the file as UTF-8",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn a_written_field_is_read_back_as_it_was() {
        for field in ["", "plain", "a,b", "say \"so\"", "two\r\nlines", "가"] {
            let text = format!("id,name\n1,{}\n", written(field));
            assert_eq!(read(text.as_bytes()), (vec![format!("2:2:3 1|{field}|")], vec![]));
        }
    }
}
