//! Lists as CSV for a spreadsheet or a program of others, and the one that card companies send back.
//!
//! A cell is text, whatever it looks like: a name that begins like a formula must not become one.

use std::collections::BTreeMap;

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

/// The table of cards that a company made: what readers read on the card of each person. Other columns are the company's own.
///
/// # Errors
/// The line that is wrong, and what is.
pub fn produced(bytes: &[u8]) -> Result<BTreeMap<String, String>, (u64, String)> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| (1, error.to_string()))?.clone();
    let column = |name: &str| {
        let at = header.iter().position(|column| column.trim() == name);
        at.ok_or_else(|| (1, format!("the table has no column {name}; it needs person_id and card_id")))
    };
    let (person_at, card_at) = (column("person_id")?, column("card_id")?);
    let mut cards = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| (error.position().map_or(0, csv::Position::line), error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned);
        let (Some(person), Some(card)) = (cell(person_at), cell(card_at)) else {
            return Err((line, "person_id or card_id is empty".to_owned()));
        };
        if cards.insert(person.clone(), card).is_some() {
            return Err((line, format!("{person} is there already")));
        }
    }
    Ok(cards)
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
