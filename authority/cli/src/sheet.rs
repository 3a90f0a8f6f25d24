//! Lists as files for a spreadsheet: CSV or XLSX, by the name of the file.
//!
//! A cell is text, whatever it looks like; see [`doorward_server::sheet`].

use crate::failure::Failure;
use doorward_server::sheet::table;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file for a list; its ending says in which form.
///
/// # Errors
/// What would be right.
pub fn file(text: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(text);
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("csv" | "xlsx") => Ok(file),
        Some(_) | None => Err("expected a file that ends in .csv or .xlsx".to_owned()),
    }
}

/// Writes a list with its header. A file that is there is left as it is.
///
/// # Errors
/// When the file is there, or cannot be written.
pub fn write(file: &Path, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let failed = |error: &dyn core::fmt::Display| Failure::new(format!("cannot write {}: {error}", file.display()));
    let bytes = match file.extension().and_then(|ending| ending.to_str()) {
        Some("xlsx") => workbook(header, rows).map_err(|error| failed(&error))?,
        Some(_) | None => table(header, rows).map_err(|error| failed(&error))?,
    };
    let mut new = File::create_new(file).map_err(|error| failed(&error).hint("name a new file"))?;
    new.write_all(&bytes).and_then(|()| new.sync_all()).map_err(|error| failed(&error))
}

fn workbook(header: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let bold = Format::new().set_bold();
    for (column, cell) in (0..).zip(header) {
        sheet.write_string_with_format(0, column, *cell, &bold)?;
    }
    for (line, row) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(line, column, cell)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofit();
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        vec![vec!["김민지, \"M\"".into(), "=HYPERLINK(\"http://x\")".into()], vec!["-1".into(), " @x".into()]]
    }

    #[test]
    fn the_ending_says_the_form_and_a_file_that_is_there_stays() {
        assert!(file("list.csv").is_ok() && file("list.xlsx").is_ok());
        assert!(file("list").is_err() && file("list.ods").is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.xlsx");
        write(&path, &["NAME", "NOTE"], &rows()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"PK"), "a workbook is a ZIP archive");
        assert!(write(&path, &["NAME"], &[]).unwrap_err().error.contains("list.xlsx"));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
