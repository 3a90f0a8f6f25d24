//! The sample campuses: they parse, and the naive reference answers every one of their taps as they expect.

use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::{Campus, CardId};
use doorward_policy::reference::decide;
use doorward_protocol::taps::read_taps;
use std::path::PathBuf;

fn folder(campus: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/campuses")).join(campus)
}

fn campus(name: &str) -> Result<Campus, String> {
    let read = |file: &str| Some((file.to_owned(), std::fs::read(folder(name).join(file)).ok()?));
    let files = CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect());
    parse(&files).map_err(|problems| problems.iter().map(|problem| format!("{problem}\n")).collect())
}

#[test]
fn every_sample_campus_is_read_in_full() {
    let counts = |name: &str| {
        let campus = campus(name).unwrap();
        let tables = &campus.tables;
        let affiliations: usize = tables.people.values().map(|person| person.affiliations.len()).sum();
        [
            campus.policy.rules.len(),
            tables.units.len(),
            tables.buildings.len(),
            tables.doors.len(),
            tables.people.len(),
            affiliations,
            tables.cards.len(),
            tables.grants.len(),
        ]
    };
    assert_eq!(counts("jnu"), [8, 16, 8, 22, 402, 502, 853, 2]);
    assert_eq!(counts("kookje"), [4, 7, 4, 7, 205, 206, 207, 0]);
    assert_eq!(counts("sjtu"), [7, 7, 5, 8, 371, 372, 371, 4]);
    assert_eq!(counts("srce"), [6, 5, 6, 8, 303, 364, 305, 0]);
}

#[test]
fn the_naive_reference_answers_every_tap_as_the_campus_expects() {
    for (name, taps) in [("jnu", 343), ("kookje", 325), ("sjtu", 336), ("srce", 332)] {
        let Campus { policy, tables } = campus(name).unwrap();
        let mut asked = 0;
        for file in ["taps.csv", "random-taps.csv"] {
            let bytes = std::fs::read(folder(name).join(file)).unwrap();
            for tap in read_taps(file, &bytes).unwrap() {
                let card = CardId::new(&tap.card).unwrap();
                let reason = decide(&policy, &tables, |_| false, tap.at, &tap.door, &card, tap.factors).unwrap();
                assert!(tap.expect.is_some() && tap.reason.is_some(), "{name}/{file}:{} expects nothing", tap.line);
                assert!(tap.is_met_by(reason), "{name}/{file}:{}: {} of {tap:?}", tap.line, reason.as_str());
                asked += 1;
            }
        }
        assert_eq!(asked, taps, "{name}");
    }
}
