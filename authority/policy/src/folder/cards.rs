//! `cards.csv`: cards, and what their types demand of printed numbers.

use crate::folder::CampusFiles;
use crate::folder::declared::Declared;
use crate::folder::policy::PolicyFile;
use crate::folder::tables::table;
use crate::folder::values;
use crate::model::{Card, CardId, CardState, PersonId};
use crate::number;
use doorward_protocol::problem::Problem;
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
        format.map_or(Ok(()), |format| number::check(text, format, row.text("person_id")))?;
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
