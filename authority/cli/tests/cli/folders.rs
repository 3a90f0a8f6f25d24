//! `check` and `decide`: campus folders, right and wrong, and the taps that are asked of them.

use crate::run::{campus, command, copy_of, doorward, edit};
use std::path::Path;
use std::process::Stdio;

const CAMPUSES: [&str; 4] = ["jnu", "kookje", "sjtu", "srce"];

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

#[test]
fn every_sample_campus_is_counted() {
    for (name, people, doors) in [("jnu", 402, 22), ("kookje", 205, 7), ("sjtu", 371, 8), ("srce", 303, 8)] {
        let ran = doorward(&["check", text(&campus(name))]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}: {}", ran.out);
        for line in [format!("{people} people"), format!("{doors} doors"), "all answered as they expect".to_owned()] {
            assert!(ran.out.contains(&line), "{name} lacks {line}: {}", ran.out);
        }
        let json = doorward(&["check", "--json", text(&campus(name))]);
        let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!((&json["counts"]["people"], &json["campus"]["id"]), (&people.into(), &name.into()));
    }
}

#[test]
fn every_tap_of_every_sample_campus_is_answered_as_it_expects() {
    for name in CAMPUSES {
        for file in ["taps.csv", "random-taps.csv"] {
            let taps = campus(name).join(file);
            let ran = doorward(&["decide", text(&campus(name)), text(&taps)]);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}/{file}");
            let asked = std::fs::read_to_string(&taps).unwrap();
            // The samples spell expectations as the answers do, so the files must be the same but for their headers.
            let expected =
                asked.replacen("at,door_id,card_id,factors,expect,", "at,door_id,card_id,factors,decision,", 1);
            assert_eq!(ran.out, expected.replace("\r\n", "\n"), "{name}/{file}");
            let verified = doorward(&["decide", "--verify", text(&campus(name)), text(&taps)]);
            assert_eq!((verified.code, verified.out.as_str()), (0, ""), "{name}/{file}");
        }
    }
}

#[test]
fn an_answer_that_differs_from_what_is_expected_is_shown_and_ends_with_1() {
    let folder = copy_of("jnu");
    edit(&folder, "taps.csv", "CARD1,,grant,granted", "CARD1,,deny,closed");
    let taps = folder.path().join("taps.csv");
    let ran = doorward(&["decide", "--verify", text(folder.path()), text(&taps)]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 1), "{}", ran.out);
    assert!(ran.out.contains("taps.csv:2: expects deny closed, but card CARD1 at door eng-1-rear gets grant granted"));
    assert!(ran.err.contains("42 of 43 taps"), "{}", ran.err);
    let checked = doorward(&["check", text(folder.path())]);
    assert_eq!(checked.code, 1);
    assert!(checked.out.contains("taps.csv:2:1: expects deny closed"), "{}", checked.out);
}

#[test]
fn everything_that_is_wrong_with_a_campus_is_named_at_once() {
    let folder = copy_of("kookje");
    edit(&folder, "campus.toml", "affiliated_to_owner", "afiliated_to_owner");
    edit(&folder, "campus.toml", "Asia/Seoul", "Asia/Soul");
    edit(&folder, "doors.csv", "arts-main,", "arts main,");
    std::fs::write(folder.path().join("grant.csv"), "").unwrap();
    let ran = doorward(&["check", text(folder.path())]);
    assert_eq!(ran.code, 1);
    let place = |file: &str| format!("{}:", folder.path().join(file).display());
    for file in ["campus.toml", "doors.csv"] {
        let line = ran.out.lines().find(|line| line.starts_with(&place(file)));
        let rest = line.unwrap_or_else(|| panic!("nothing of {file}: {}", ran.out)).strip_prefix(&place(file)).unwrap();
        let numbers: Vec<_> = rest.split(':').take(2).map(str::parse::<u64>).collect();
        assert!(numbers.iter().all(Result::is_ok), "{rest}");
    }
    assert!(ran.err.contains(&format!("{} problems", ran.out.lines().count())), "{}", ran.err);
    assert!(ran.err.contains("grant.csv is not a file of a campus folder"), "{}", ran.err);
    let json = doorward(&["check", "--json", text(folder.path())]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["problems"].as_array().unwrap().len(), ran.out.lines().count());
}

#[test]
fn taps_at_doors_that_nobody_knows_are_named_by_their_place() {
    let folder = copy_of("jnu");
    let taps = folder.path().join("questions.csv");
    std::fs::write(&taps, "at,door_id,card_id\n2023-04-10T09:00:00+09:00,eng-1-raer,CARD1\nnow,eng-1-rear,CARD1\n")
        .unwrap();
    let ran = doorward(&["decide", text(folder.path()), text(&taps)]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("questions.csv:3:1: at `now`"), "{}", ran.err);
    std::fs::write(&taps, "at,door_id,card_id\n2023-04-10T09:00:00+09:00,eng-1-raer,CARD1\n").unwrap();
    let ran = doorward(&["decide", text(folder.path()), text(&taps)]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("questions.csv:2:27: door_id `eng-1-raer`"), "{}", ran.err);
    let ran = doorward(&["decide", "--verify", text(folder.path()), text(&campus("jnu").join("people.csv"))]);
    assert_eq!(ran.code, 1);
}

#[test]
fn what_is_no_campus_folder_is_said_to_be_none() {
    let empty = tempfile::tempdir().unwrap();
    let file = campus("jnu").join("people.csv");
    for (path, said) in [
        (Path::new("nowhere"), "there is no such folder"),
        (&file, "it is a file, and a campus is a folder"),
        (empty.path(), "none of the files of a campus"),
    ] {
        let ran = doorward(&["check", text(path)]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(ran.err.contains(said) && ran.err.contains("hint: "), "{}", ran.err);
    }
    std::fs::create_dir(empty.path().join("people.csv")).unwrap();
    let ran = doorward(&["check", text(empty.path())]);
    assert!(ran.code == 1 && ran.err.contains("it is a folder, and a file is wanted"), "{}", ran.err);
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let taps = campus("jnu").join("random-taps.csv");
    let mut child = command()
        .args(["decide", text(&campus("jnu")), text(&taps)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(141));
}
