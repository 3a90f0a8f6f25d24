//! Printed numbers of cards: held to the format of their type, and made by it.
//!
//! A number is digits at fixed places: a prefix, the ordinal of the card, a digit for its kind, the holder's id, a check digit
//! (ISO/IEC 7812). A format that leaves a digit open can check numbers and not make them.

use crate::model::NumberFormat;
use doorward_protocol::problem::shown;
use thiserror::Error;

/// Highest ordinal: it is one digit.
pub const ORDINAL_MAX: u32 = 9;

/// Why a format makes no number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumberError {
    /// It does not say what stands everywhere.
    #[error("the number_format of the card type does not say every digit, so the number must be given")]
    Open,
    /// The person's id has other characters, or does not fit.
    #[error("the id of the holder does not fit the number_format of the card type")]
    Person,
    /// There have been so many.
    #[error("the holder had {ORDINAL_MAX} cards of this kind, and the number has one digit for it")]
    Ordinal,
}

/// Holds a printed number to its format; names every part that it breaks.
///
/// # Errors
/// What is wrong with the number, in words that follow it.
pub fn check(number: &str, format: &NumberFormat, person_id: &str) -> Result<(), String> {
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
    let at = |place: usize| number.chars().nth(place);
    if let Some((place, kind)) = format.kind_at.zip(format.kind).filter(|(place, kind)| at(*place) != Some(*kind)) {
        wrong.push(format!("does not have the kind {kind} at offset {place}"));
    }
    if let Some(place) = format.ordinal_at.filter(|place| !at(*place).is_some_and(|c| matches!(c, '1'..='9'))) {
        wrong.push(format!("does not have an ordinal from 1 to {ORDINAL_MAX} at offset {place}"));
    }
    if let Some(at) = format.person_id_at {
        let from_there: String = number.chars().skip(at).collect();
        if !from_there.starts_with(person_id) {
            wrong.push(format!("does not have the person_id {} at offset {at}", shown(person_id)));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join(" and ")) }
}

/// The number of a holder's next card, where `numbers` are those of all that the holder ever had in this format.
///
/// # Errors
/// See [`NumberError`].
pub fn next<'a>(
    format: &NumberFormat,
    person_id: &str,
    numbers: impl Iterator<Item = &'a str>,
) -> Result<String, NumberError> {
    let length = format.digits.ok_or(NumberError::Open)?;
    let ordinals = numbers.filter_map(|number| number.chars().nth(format.ordinal_at?)?.to_digit(10));
    let ordinal = ordinals.max().unwrap_or(0).saturating_add(1);
    let ordinal = char::from_digit(ordinal, 10).ok_or(NumberError::Ordinal)?;
    let mut digits: Vec<Option<char>> = vec![None; length];
    let mut write = |at: usize, text: &str| {
        for (place, digit) in (at..).zip(text.chars()) {
            *digits.get_mut(place).ok_or(NumberError::Person)? = Some(digit);
        }
        Ok(())
    };
    write(0, format.prefix.as_deref().unwrap_or_default())?;
    if let Some(at) = format.ordinal_at {
        write(at, &ordinal.to_string())?;
    }
    if let Some((at, kind)) = format.kind_at.zip(format.kind) {
        write(at, &kind.to_string())?;
    }
    if let Some(at) = format.person_id_at {
        write(at, person_id)?;
    }
    if let Some(last) = digits.last_mut().filter(|_| format.luhn) {
        *last = Some('0');
    }
    let mut number: String = digits.into_iter().collect::<Option<_>>().ok_or(NumberError::Open)?;
    if format.luhn
        && let Some((_, right)) = luhn(&number)
        && let Some(digit) = char::from_digit(right, 10)
    {
        number.pop();
        number.push(digit);
    }
    // Parts that overlap, or an id that is no number, show here.
    check(&number, format, person_id).map_err(|_| NumberError::Person)?;
    Ok(number)
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

    fn format() -> NumberFormat {
        NumberFormat {
            prefix: Some("601983".into()),
            digits: Some(19),
            luhn: true,
            person_id_at: Some(8),
            ..NumberFormat::default()
        }
    }

    fn complete() -> NumberFormat {
        NumberFormat { ordinal_at: Some(6), kind_at: Some(7), kind: Some('1'), ..format() }
    }

    #[test]
    fn a_printed_number_is_held_to_every_part_of_its_format() {
        let check = |number| check(number, &format(), "0119000001");
        assert_eq!(check("6019831101190000013"), Ok(()));
        assert_eq!(check("6019831101190000014"), Err("ends in check digit 4, not 3".into()));
        assert_eq!(
            check("701983110119000002"),
            Err("does not start with 601983 and has 18 digits, not 19 and ends in check digit 2, not 9 \
                 and does not have the person_id `0119000001` at offset 8"
                .into())
        );
        assert_eq!(check("601983110119000001x"), Err("is not made of digits".into()));
        assert_eq!(super::check("any", &NumberFormat::default(), "p"), Ok(()));
        let wrong = super::check("6019830201190000017", &complete(), "0119000001").unwrap_err();
        assert!(wrong.contains("the kind 1 at offset 7") && wrong.contains("an ordinal from 1 to 9"), "{wrong}");
    }

    #[test]
    fn the_next_card_of_a_holder_has_the_next_ordinal_and_the_right_check_digit() {
        let next = |numbers: &[&str]| next(&complete(), "0036324986", numbers.iter().copied());
        // The number that the published rules show.
        assert_eq!(next(&[]), Ok("6019831100363249860".into()));
        let second = next(&["6019831100363249860"]).unwrap();
        assert!(second.starts_with("6019832100363"), "{second}");
        assert_eq!(check(&second, &complete(), "0036324986"), Ok(()));
        assert_eq!(next(&["6019839100363249860"]), Err(NumberError::Ordinal));
    }

    #[test]
    fn a_format_that_leaves_a_digit_open_makes_no_number() {
        assert_eq!(next(&format(), "0036324986", [].into_iter()), Err(NumberError::Open));
        assert_eq!(next(&NumberFormat::default(), "p", [].into_iter()), Err(NumberError::Open));
        let long = next(&complete(), "00363249861234567890", [].into_iter());
        assert_eq!(long, Err(NumberError::Person));
        assert_eq!(next(&complete(), "ann", [].into_iter()), Err(NumberError::Open));
        assert_eq!(next(&complete(), "annannanna", [].into_iter()), Err(NumberError::Person));
    }
}
