//! The sample campuses, answered by what is compiled from them and the decision of the edge.

use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::Campus;
use doorward_policy::taps::{TapsError, decide_taps};
use doorward_protocol::taps::read_taps;
use std::path::PathBuf;

fn folder(campus: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/campuses")).join(campus)
}

fn campus(name: &str) -> Campus {
    let read = |file: &str| Some((file.to_owned(), std::fs::read(folder(name).join(file)).ok()?));
    parse(&CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect())).unwrap()
}

#[test]
fn every_tap_of_the_sample_campuses_is_answered_as_it_expects() {
    for (name, count) in [("jnu", 343), ("kookje", 325), ("sjtu", 336), ("srce", 332)] {
        let campus = campus(name);
        let mut asked = 0;
        for file in ["taps.csv", "random-taps.csv"] {
            let taps = read_taps(file, &std::fs::read(folder(name).join(file)).unwrap()).unwrap();
            let answers = decide_taps(&campus, file, &taps).unwrap();
            assert_eq!(answers.len(), taps.len());
            for (tap, answer) in taps.iter().zip(answers) {
                assert!(tap.is_met_by(answer), "{name}/{file}:{}: {answer} of {tap:?}", tap.line);
                asked += 1;
            }
        }
        assert_eq!(asked, count, "{name}");
    }
}

#[test]
fn a_tap_at_a_door_that_is_not_there_is_a_problem_with_its_place() {
    let file =
        "at,door_id,card_id\n2023-04-10T09:00:00+09:00,library-gate-1,X\n2023-04-10T09:00:00+09:00,libary-gate-1,X\n";
    let taps = read_taps("t.csv", file.as_bytes()).unwrap();
    let Err(TapsError::UnknownDoors(problems)) = decide_taps(&campus("jnu"), "t.csv", &taps) else { panic!() };
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let expected = "t.csv:3:27: door_id `libary-gate-1` is not a door of the campus; did you mean `library-gate-1`?";
    assert_eq!(lines, [expected]);
}

#[test]
fn an_agent_knows_no_more_than_its_doors_need() {
    let directory = Directory::of_campus(&campus("jnu")).unwrap();
    let compiled = Compiled::whole(&directory).unwrap();
    let of = |card: &str| {
        let card = card.parse().unwrap();
        let holders: Vec<_> = compiled.holders(&card).map(ToString::to_string).collect();
        let doors: Vec<_> = compiled.holders(&card).flat_map(|agent| compiled.doors_known(agent, &card)).collect();
        (holders, doors.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    // A mobile card has no function of a college's building, and this student does not live in the dormitory.
    let (holders, doors) = of("QR230001");
    assert_eq!(holders, ["agent-eng-1", "agent-library"]);
    assert_eq!(doors, ["eng-1-101", "library-gate-1", "library-gate-2", "library-loan", "library-seat"]);
}
