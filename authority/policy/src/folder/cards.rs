//! `cards.csv`: cards, and what their types demand of printed numbers.

use crate::folder::CampusFiles;
use crate::folder::declared::Declared;
use crate::folder::policy::PolicyFile;
use crate::folder::tables::table;
use crate::folder::values;
use crate::model::{Card, CardId, CardState, NumberFormat, PersonId};
use doorward_protocol::problem::{Problem, shown};
use doorward_protocol::table::{Column, Row};
use std::collections::BTreeMap;

const COLUMNS: &[Column] = &[
    Column::required("card_id"),
    Column::required("person_id"),
    Column::required("card_type"),
    Column::required("state"),
    Column::required("issued_on"),
    Column::optional("valid_until"),
    Column::optional("number"),
];

/// Reads `cards.csv`.
pub fn read(
    files: &CampusFiles,
    policy: &PolicyFile,
    people: &Declared<PersonId>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<CardId, Card> {
    let (_, cards) =
        table(files, "cards.csv", COLUMNS, "card_id", problems, |row, _, problems| card(row, policy, people, problems));
    cards
}

fn card(
    row: &Row<'_, '_>,
    policy: &PolicyFile,
    people: &Declared<PersonId>,
    problems: &mut Vec<Problem>,
) -> Option<Card> {
    let person = row.required("person_id", problems, |text| people.resolve(text));
    let card_type = row.required("card_type", problems, |text| policy.names.card_types.resolve(text));
    let state = row.required("state", problems, state);
    let issued_on = row.required("issued_on", problems, values::day);
    // A last day before the first is no slip: it is how a card that was expired from the start is written down.
    let valid_until = row.optional("valid_until", problems, values::day);
    let format = card_type.as_ref().and_then(|id| policy.card_types.get(id)?.number_format.as_ref());
    let number = row.optional("number", problems, |text| {
        format.map_or(Ok(()), |format| check_number(text, format, row.text("person_id")))?;
        values::text(text)
    });
    Some(Card {
        person: person?,
        card_type: card_type?,
        state: state?,
        issued_on: issued_on?,
        valid_until: valid_until?,
        number: number?,
    })
}

fn state(text: &str) -> Result<CardState, &'static str> {
    match text {
        "produced" => Ok(CardState::Produced),
        "active" => Ok(CardState::Active),
        "suspended" => Ok(CardState::Suspended),
        "closed" => Ok(CardState::Closed),
        _ => Err("is not known; expected produced | active | suspended | closed"),
    }
}

/// Holds a printed number to its format; names every part that it breaks.
fn check_number(number: &str, format: &NumberFormat, person_id: &str) -> Result<(), String> {
    let mut wrong = Vec::new();
    if let Some(prefix) = format.prefix.as_ref().filter(|prefix| !number.starts_with(prefix.as_str())) {
        wrong.push(format!("does not start with {prefix}"));
    }
    let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if (format.digits.is_some() || format.luhn) && !is_digits {
        wrong.push("is not made of digits".into());
    } else {
        let length = number.len();
        if let Some(digits) = format.digits.filter(|digits| *digits != length) {
            wrong.push(format!("has {length} digits, not {digits}"));
        }
        if let Some((found, right)) = luhn(number).filter(|(found, right)| format.luhn && found != right) {
            wrong.push(format!("ends in check digit {found}, not {right}"));
        }
    }
    if let Some(at) = format.person_id_at {
        let from_there: String = number.chars().skip(at).collect();
        if !from_there.starts_with(person_id) {
            wrong.push(format!("does not have the person_id {} at offset {at}", shown(person_id)));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join(" and ")) }
}

/// The check digit of a number of digits as it stands and as ISO/IEC 7812 computes it.
fn luhn(number: &str) -> Option<(u32, u32)> {
    let mut digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let found = digits.next()?;
    let weighed = digits.zip([2, 1].into_iter().cycle()).map(|(digit, weight)| {
        let product = digit * weight;
        product / 10 + product % 10
    });
    Some((found, (10 - weighed.sum::<u32>() % 10) % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_number_is_held_to_every_part_of_its_format() {
        let format =
            NumberFormat { prefix: Some("601983".into()), digits: Some(19), luhn: true, person_id_at: Some(8) };
        let check = |number| check_number(number, &format, "0119000001");
        assert_eq!(check("6019831101190000013"), Ok(()));
        assert_eq!(check("6019831101190000014"), Err("ends in check digit 4, not 3".into()));
        assert_eq!(
            check("701983110119000002"),
            Err("does not start with 601983 and has 18 digits, not 19 and ends in check digit 2, not 9 \
                 and does not have the person_id `0119000001` at offset 8"
                .into())
        );
        assert_eq!(check("601983110119000001x"), Err("is not made of digits".into()));
        let lenient = NumberFormat { prefix: None, digits: None, luhn: false, person_id_at: None };
        assert_eq!(check_number("any", &lenient, "p"), Ok(()));
    }

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        assert_eq!(luhn("79927398713"), Some((3, 3)));
        assert_eq!(luhn("0"), Some((0, 0)));
        assert_eq!(luhn(""), None);
    }
}
