//! Lists as CSV for a spreadsheet or a program of others.
//!
//! A cell is text, whatever it looks like: a name that begins like a formula must not become one.

/// Characters with which spreadsheets begin a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A list with its header.
///
/// # Errors
/// None of its own; what the writer says.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| plain(cell)))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// A cell that no spreadsheet takes for a formula.
fn plain(cell: &str) -> String {
    if cell.trim_start_matches(' ').starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_becomes_a_formula() {
        let rows =
            vec![vec!["김민지, \"M\"".into(), "=HYPERLINK(\"http://x\")".into()], vec!["-1".into(), " @x".into()]];
        let text = String::from_utf8(table(&["NAME", "NOTE"], &rows).unwrap()).unwrap();
        let expected = "NAME,NOTE\n\"김민지, \"\"M\"\"\",\"'=HYPERLINK(\"\"http://x\"\")\"\n'-1,' @x\n";
        assert_eq!(text, expected);
    }
}
