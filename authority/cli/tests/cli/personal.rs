//! What is known of people against a real server process: kept as long as the campus says, and no longer.

use crate::run::{doorward_with, edit};
use crate::served::{Server, assert_says, jnu, text};
use std::path::Path;
use std::time::{Duration, SystemTime};

const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/photo-24x30.jpg");

/// The campus, with small photos, and with somebody who left long ago.
fn with_a_leaver() -> tempfile::TempDir {
    let folder = jnu();
    edit(&folder, "campus.toml", "width = 295\nheight = 367", "width = 24\nheight = 30");
    edit(
        &folder,
        "people.csv",
        "230001,학생 1,undergraduate,2027-02-28,",
        "230001,학생 1,undergraduate,2027-02-28,2024-02-28",
    );
    folder
}

/// Lets a file look two hours old.
fn age(file: &Path) {
    let before = SystemTime::now() - Duration::from_secs(7_200);
    std::fs::File::options().write(true).open(file).unwrap().set_modified(before).unwrap();
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn photos_of_people_who_left_and_files_that_nobody_names_are_removed_by_a_server_that_starts() {
    let mut server = Server::start();
    assert_eq!(server.run(&["import", text(with_a_leaver().path())]).code, 0);
    for person in ["230001", "230002"] {
        assert_eq!(server.run(&["photo", "submit", person, PHOTO]).code, 0, "{person}");
    }
    let photos = server.data().join("photos");
    let refused = photos.join(format!("{}.jpg", "0".repeat(64)));
    std::fs::write(&refused, "its order was refused").unwrap();
    age(&refused);
    let young = photos.join(format!("{}.jpg", "1".repeat(64)));
    std::fs::write(&young, "its order may be on its way").unwrap();
    let due = server.say("retention --dry-run");
    assert_eq!(due.code, 0, "{}", due.err);
    assert_says(
        &due.out,
        &[
            "access_records: kept 12 months",
            "photos: kept 60 days",
            "1 would be removed now",
            "unnamed_photos: kept an hour",
        ],
    );
    assert_says(&server.say("photo list").out, &["230001", "230002"]);
    server.stop();
    server.start_again();
    let removed = server.until("retention", "1 removed by the last run");
    assert_says(&removed.err, &["the last run was", "the next is"]);
    let listed = server.say("photo list").out;
    assert!(listed.contains("230002") && !listed.contains("230001"), "{listed}");
    assert_says(&server.say("journal").out, &["removed the photo of person 230001: its person left longer ago"]);
    assert!(!refused.exists() && young.exists());
    assert_eq!(files(&photos).len(), 2, "the photo that both brought is still the other one's");
    assert_eq!(server.run(&["photo", "remove", "230002", "--reason", "asked for it"]).code, 0);
    assert_says(&server.say("photo list").err, &["there is no such photo"]);
    files(&photos).iter().for_each(|file| age(file));
    server.stop();
    server.start_again();
    server.until("retention", "2 removed by the last run");
    assert!(files(&photos).is_empty());
}

/// What nobody else has.
const NAME: &str = "Unikum Person";
const NUMBER: &str = "7777-UNIKUM";

/// Takes the lines that contain a text out of a file.
fn without(folder: &tempfile::TempDir, file: &str, part: &str) {
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let left: Vec<&str> = text.lines().filter(|line| !line.contains(part)).collect();
    std::fs::write(path, left.join("\n") + "\n").unwrap();
}

/// The campus with somebody to be erased, and without.
fn before_and_after() -> [tempfile::TempDir; 2] {
    let [before, after] = [jnu(), jnu()];
    for folder in [&before, &after] {
        edit(folder, "campus.toml", "width = 295\nheight = 367", "width = 24\nheight = 30");
    }
    edit(&before, "people.csv", "230001,학생 1,", &format!("230001,{NAME},"));
    edit(
        &before,
        "cards.csv",
        "CARD1,230001,check-card,active,2023-04-03,2099-12-31,",
        &format!("CARD1,230001,check-card,active,2023-04-03,2099-12-31,{NUMBER}"),
    );
    for file in ["people.csv", "affiliations.csv", "cards.csv", "grants.csv"] {
        without(&after, file, "230001");
    }
    [before, after]
}

/// The files below a folder that contain one of these words.
fn files_with(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder) {
        if path.is_dir() {
            found.extend(files_with(&path, words));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let has = |word: &&&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        found.extend(words.iter().filter(has).map(|word| format!("{} has {word}", path.display())));
    }
    found
}

/// Brings the person into the journal and the looks in many ways.
fn speak_of_them(server: &Server) {
    assert_eq!(server.run(&["photo", "submit", "230001", PHOTO]).code, 0);
    for (action, reason) in [("suspend", "Unikum lost it"), ("resume", "Unikum found it")] {
        let ran = server.run(&["card", action, "CARD1", "--reason", reason]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let asked =
        ["request", "ask", "--person", "230001", "--door", "eng-1-rear", "--reason", "Unikum Club", "--id", "club"];
    assert_eq!(server.run(&asked).code, 0);
    assert_eq!(server.say("request approve club").code, 0);
    let session = sign_in_holder(server, "230001");
    for action in ["lost", "found"] {
        let line = format!("me {action} CARD1 --reason Unikum --token-file {session}");
        assert_eq!(server.say(&line).code, 0, "{line}");
    }
    assert_eq!(server.say("person show 230001").code, 0);
    assert_eq!(server.say("person find unikum").code, 0);
}

#[test]
fn all_that_is_known_of_somebody_is_exported_and_then_erased_from_every_file_and_nothing_else_changes() {
    let mut server = Server::start();
    let [before, after] = before_and_after();
    assert_eq!(server.run(&["import", text(before.path())]).code, 0);
    speak_of_them(&server);
    let file = server.file("export.json");
    let exported = server.run(&["person", "export", "230001", "--to", &file]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let export: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(export["directory"]["name"], NAME);
    assert_eq!(export["grants"]["club"]["target"]["door"], "eng-1-rear");
    assert_eq!(export["requests"][0]["reason"], "Unikum Club");
    assert!(export["photo_jpeg"].as_str().unwrap().starts_with("/9j/"), "a JPEG in Base64");
    let looks: Vec<_> = export["looks"].as_array().unwrap().iter().map(|look| look["question"].clone()).collect();
    assert_eq!(looks, ["person"]);
    assert_says(&server.say("looks").out, &["export, person 230001"]);
    let commands: Vec<_> = export["journal"].as_array().unwrap().iter().map(|entry| entry["command"].clone()).collect();
    let expected = [
        "import",
        "import",
        "photo-submit",
        "card-suspend",
        "card-resume",
        "request-ask",
        "request-approve",
        "holder-invite",
        "card-suspend",
        "card-resume",
    ];
    assert_eq!(commands, expected);
    let rows = &export["journal"][1]["says"];
    assert_eq!(rows["people"]["put"].as_object().unwrap().len(), 1, "nobody else's row: {rows}");
    doorward_server::snapshots::make(&doorward_server::paths::Layout::new(server.data())).unwrap();
    let here = server.say("person erase 230001 --reason asked");
    assert_eq!(here.code, 1);
    assert_says(&here.err, &["person `230001` has an affiliation that has not ended"]);
    assert_eq!(server.run(&["import", text(after.path())]).code, 0);
    let words = [NAME, "Unikum", "unikum", NUMBER, "\"230001\"", "person 230001", "holder/230001"];
    assert!(files_with(&server.data(), &words).len() > 3, "it is looked for where it stands");
    let head = server.head();
    let erased = server.say("person erase 230001 --reason asked");
    assert_eq!(erased.code, 0, "{}", erased.err);
    assert_says(&erased.out, &[&format!("230001 is erased: entry {}; 12 entries", head + 1)]);
    files(&server.data().join("photos")).iter().for_each(|file| age(file));
    assert_says(&server.say("journal").out, &["erased person erased-", "suspended card CARD1: erased"]);
    let again = server.say("person erase 230001 --reason asked");
    assert_says(&again.err, &["person `230001` is not known"]);
    let none = server.run(&["person", "export", "230001", "--to", &server.file("none.json")]);
    assert_says(&none.err, &["nothing is known of a person `230001`"]);
    server.stop();
    server.start_again();
    server
        .until("retention", "unnamed_photos: kept an hour (files of photos that nobody names, for an hour); 1 removed");
    assert_eq!(server.head(), head + 1, "a start folds what is left to the same");
    let listed = server.say("looks").out;
    assert!(!listed.contains("find"), "{listed}");
    server.stop();
    assert_eq!(files_with(&server.data(), &words), Vec::<String>::new());
    server.start_again();
    assert_eq!(server.run(&["import", text(before.path())]).code, 0, "a folder brings the person back");
    assert_says(&server.say("person show 230001").out, &[NAME]);
}

#[test]
fn a_card_holder_signs_in_sees_the_own_page_reports_a_card_and_brings_a_photo() {
    let server = Server::start();
    let [before, _after] = before_and_after();
    edit(&before, "campus.toml", "[retention]", "[self_service]\ntaps = \"30 days\"\n\n[retention]");
    assert_eq!(server.run(&["import", text(before.path())]).code, 0);
    let session = sign_in_holder(&server, "230001");
    let me = |line: &str| server.say(&format!("me {line} --token-file {session}"));
    let shown = me("show");
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert_says(&shown.out, &[NAME, "CARD1", NUMBER, "active", "there is no photo of you"]);
    assert_eq!(me("lost CARD1 --reason bus").code, 0);
    assert_says(&me("show").out, &["suspended", "you reported CARD1 lost"]);
    assert_says(&server.say("journal").out, &["holder/230001: suspended card CARD1: bus"]);
    assert_eq!(me("found CARD1 --reason home").code, 0);
    let others = me("lost CARD2 --reason bus");
    assert_eq!(others.code, 1);
    assert_says(&others.err, &["a card holder may see the own page", "ask the card office"]);
    assert_eq!(me(&format!("photo {PHOTO}")).code, 0);
    assert_says(&me("show").out, &["your photo is waiting"]);
    for line in ["card show CARD1", "photo approve 230001 --image 00000000", "status", "who eng-1-rear"] {
        let ran = server.say(&format!("{line} --token-file {session}"));
        assert_eq!(ran.code, 1, "{line}: {}", ran.out);
        assert_says(&ran.err, &["a card holder may see the own page"]);
    }
    let ended = server.say(&format!("account sign-out --token-file {session}"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(me("show").code, 1);
}

/// Invites somebody, who chooses a password and signs in; says in which file the token of the session is.
fn sign_in_holder(server: &Server, person: &str) -> String {
    let invited = server.say(&format!("person invite {person}"));
    assert_eq!(invited.code, 0, "{}", invited.err);
    let (login, data) = (format!("holder/{person}"), server.data());
    let secret = invited.out.trim();
    let password = "correct horse battery";
    let lines = format!("{secret}\n{password}\n");
    let set_up = doorward_with(&["account", "set-up", &login, "--data", text(&data)], &lines);
    assert_eq!(set_up.code, 0, "{}", set_up.err);
    let session = server.file("session");
    let arguments = ["account", "sign-in", &login, "--token-file", &session, "--data", text(&data)];
    let signed_in = doorward_with(&arguments, &format!("{password}\n"));
    assert_eq!(signed_in.code, 0, "{}", signed_in.err);
    session
}
