//! Explanations of a small campus, sentence by sentence.

use super::*;
use crate::command::{Command, Scope};
use crate::testing::{at, directory, id, take};

/// A Monday.
const MORNING: &str = "2026-04-06T09:00:00+09:00";
const NIGHT: &str = "2026-04-06T22:00:00+09:00";

fn explained(directory: &Directory, card: &str, door: &str, instant: &str) -> (String, Vec<String>) {
    let explanation = why(directory, &id(card), &id(door), at(instant), &Phrases::ENGLISH).unwrap();
    (explanation.reason.to_string(), explanation.sentences)
}

fn opened_by(who: &Who) -> Vec<(String, String)> {
    who.openings.iter().map(|opening| (opening.card.to_string(), opening.factors.join("|"))).collect()
}

fn pair(card: &str, factors: &str) -> (String, String) {
    (card.into(), factors.into())
}

#[test]
fn a_grant_is_explained_from_the_door_to_the_rule() {
    let (reason, sentences) = explained(&directory(), "A", "main", MORNING);
    assert_eq!(reason, "granted");
    assert_eq!(
        sentences,
        [
            "Door main (Main) in building hall (Hall) needs entry and belongs to science.",
            "Card A is a card of person ann; it is active and valid from 2026-03-01 through 2030-02-28.",
            "Person ann (Ann) is student, and is in physics from 2026-03-02 on.",
            "Rule own-college permits it: the holder is in the owner science or below it, \
             comes while schedule day (mon-fri 07:00-19:00; closed on holidays) holds.",
        ]
    );
}

#[test]
fn a_denial_says_which_link_is_missing() {
    let directory = directory();
    let last = |card: &str, door: &str, instant: &str| {
        let (reason, mut sentences) = explained(&directory, card, door, instant);
        (reason, sentences.pop().unwrap())
    };
    let at_night = "Rule own-college would permit it, for the holder is in the owner science or below it, but its \
                    schedule day (mon-fri 07:00-19:00; closed on holidays) does not hold now.";
    assert_eq!(last("A", "main", NIGHT), ("outside_schedule".into(), at_night.into()));
    let pin = "Rule by-night would permit it, for the holder is staff, is in the owner science or below it, but it \
               needs pin beside the card.";
    let (reason, sentences) = explained(&directory, "S", "main", NIGHT);
    assert_eq!(reason, "factor_required");
    assert!(sentences.contains(&pin.to_owned()), "{sentences:#?}");
    let (reason, sentences) = explained(&directory, "B", "main", MORNING);
    assert_eq!(reason, "no_permission");
    assert_eq!(
        sentences[3..],
        [
            "Rule own-college permits somebody else: the holder is not in the owner science today.",
            "Grant guest permits somebody else: the holder is asked on a day when it does not apply: \
             it does from 2026-05-01 through 2026-05-31.",
            "Rule by-night permits somebody else: the holder is not staff, and is not in the owner science today.",
        ]
    );
    let phone = "A phone has shop: not entry, which the door needs.";
    assert_eq!(last("A2", "main", MORNING), ("function_not_on_card".into(), phone.into()));
    let left = "The holder left on 2026-04-01, and entry ends on that day.";
    assert_eq!(last("O", "main", MORNING), ("ended".into(), left.into()));
    let left = "The holder left on 2026-04-01, and shop went on for 2 days after it.";
    assert_eq!(last("O", "kiosk", MORNING), ("ended".into(), left.into()));
    assert_eq!(explained(&directory, "E", "main", MORNING).1[3], "Rule expelled denies it: the holder is named.");
    let suspended = explained(&directory, "X", "main", MORNING);
    assert_eq!((suspended.0.as_str(), suspended.1.len()), ("suspended", 3));
    assert!(suspended.1[1].contains("it is suspended"), "{suspended:?}");
    assert_eq!(explained(&directory, "S", "open", MORNING).1[1], "It opens for anyone at all times.");
}

#[test]
fn a_name_that_is_not_known_is_said_with_what_it_may_have_meant() {
    let directory = directory();
    let error = why(&directory, &id("A"), &id("mian"), at(MORNING), &Phrases::ENGLISH).unwrap_err().to_string();
    assert!(error.starts_with("door `mian` is not known; did you mean `main`?"), "{error}");
    assert!(where_card(&directory, &id("Z"), at(MORNING)).is_err());
    assert!(where_person(&directory, &id("anne"), at(MORNING)).unwrap_err().to_string().contains("`ann`"));
    let (reason, sentences) = explained(&directory, "a", "main", MORNING);
    assert_eq!(
        (reason.as_str(), sentences[1].as_str()),
        ("unknown_credential", "Nobody knows card a (did you mean `A`?).")
    );
    assert_eq!(who(&directory, &id("main"), UnixMs(-1)), Err(ExplainError::NoLocalTime(UnixMs(-1))));
}

#[test]
fn who_can_open_a_door_is_listed_with_the_factors_that_are_needed() {
    let mut directory = directory();
    let cards = |directory: &Directory, instant: &str| opened_by(&who(directory, &id("main"), at(instant)).unwrap());
    assert_eq!(cards(&directory, MORNING), [pair("A", ""), pair("S", "")]);
    assert_eq!(cards(&directory, NIGHT), [pair("S", "pin")]);
    let open = who(&directory, &id("open"), at(NIGHT)).unwrap();
    assert_eq!(open, Who { door: Some(Reason::Unlocked), openings: Vec::new() });
    let command = Command::LockDown { scope: Scope::Building(id("hall")), reason: "drill".into() };
    take(&mut directory, command).unwrap();
    assert_eq!(who(&directory, &id("main"), at(MORNING)).unwrap().door, Some(Reason::Lockdown));
    let (reason, sentences) = explained(&directory, "A", "main", MORNING);
    assert_eq!(reason, "lockdown");
    assert_eq!(sentences[1], "A lockdown of building hall is in force, so it opens for nobody.");
}

#[test]
fn where_a_person_can_go_is_the_doors_of_all_cards() {
    let directory = directory();
    let openings = where_person(&directory, &id("ann"), at(MORNING)).unwrap();
    let found: Vec<_> =
        openings.iter().map(|opening| format!("{} {} {}", opening.card, opening.door, opening.reason)).collect();
    let expected = ["A kiosk granted", "A main granted", "A open unlocked", "A2 kiosk granted", "A2 open unlocked"];
    assert_eq!(found, expected);
}
