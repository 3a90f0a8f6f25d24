//! What this crate's tests share: the sample campus, and an authority in a folder of its own.

use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::Campus;
use doorward_server::init::{InitOptions, init};
use doorward_server::paths::Layout;
use std::path::Path;
use tempfile::TempDir;

/// The sample campus that is part of the sources.
pub fn campus_files() -> CampusFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/campuses/jnu");
    let read = |name: &str| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?));
    CampusFiles(CampusFiles::NAMES.into_iter().filter_map(read).collect())
}

pub fn campus() -> Campus {
    parse(&campus_files()).unwrap()
}

/// An authority's data directory that `init` has made.
pub fn made() -> (TempDir, Layout) {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path().join("data"));
    init(&layout, &campus(), InitOptions::default()).unwrap();
    (directory, layout)
}

/// A card in a state.
pub fn a_card(state: doorward_policy::model::CardState) -> String {
    let cards = campus().tables.cards;
    cards.iter().find(|(_, card)| card.state == state).unwrap().0.to_string()
}

/// A card that is active.
pub fn active_card() -> String {
    a_card(doorward_policy::model::CardState::Active)
}
