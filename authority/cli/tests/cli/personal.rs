//! What is known of people against a real server process: kept as long as the campus says, and no longer.

use crate::run::edit;
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
