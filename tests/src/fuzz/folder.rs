//! The campus folder: files with anything in them, and commands on what they declare.
//!
//! An input is text: parts that are divided by zero bytes, each beginning with a letter that says what it is. Files that
//! no part names are those of a small honest campus, so that the others get behind the references between them.

use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::{Campus, CardId};
use doorward_policy::reference::decide;
use doorward_policy::taps::decide_taps;
use doorward_protocol::facts::Factors;
use doorward_protocol::problem::Place;
use doorward_protocol::taps::TapQuestion;
use doorward_protocol::time::{UnixMs, ZONE_END, ZONE_START};
use std::collections::BTreeMap;

/// The honest campus, in the order of [`CampusFiles::NAMES`].
const HONEST: [&str; 8] = [
    include_str!("../../campuses/tiny/campus.toml"),
    include_str!("../../campuses/tiny/units.csv"),
    include_str!("../../campuses/tiny/buildings.csv"),
    include_str!("../../campuses/tiny/doors.csv"),
    include_str!("../../campuses/tiny/people.csv"),
    include_str!("../../campuses/tiny/affiliations.csv"),
    include_str!("../../campuses/tiny/cards.csv"),
    "grant_id,subject,target,schedule,from,until\n",
];

/// Files larger than this are for the tests of the reader, not for comparing decisions.
const COMPARED_BYTES_MAX: usize = 16 << 10;

/// Looks at one input: `0` to `7` is a file, `a` to `h` what is added to an honest one, `!` a command in JSON, `@` an
/// instant.
pub fn run(input: &[u8]) {
    let names = CampusFiles::NAMES.into_iter().zip(HONEST);
    let mut files: BTreeMap<String, Vec<u8>> = names.map(|(name, text)| (name.into(), text.into())).collect();
    let mut commands = Vec::new();
    let mut instants = vec![UnixMs(1_767_225_600_000), UnixMs(1_711_846_800_000)];
    for part in input.split(|byte| *byte == 0) {
        let Some((kind, text)) = part.split_first() else { continue };
        match kind {
            b'!' => commands.extend(serde_json::from_slice::<Command>(text).ok()),
            b'@' => {
                let at = core::str::from_utf8(text).ok().and_then(|text| UnixMs::parse(text).ok());
                instants.extend(at.filter(|at| (ZONE_START..ZONE_END).contains(at)));
            }
            b'0'..=b'7' => {
                if let Some(file) = file(&mut files, kind - b'0') {
                    *file = text.to_vec();
                }
            }
            b'a'..=b'h' => {
                if let Some(file) = file(&mut files, kind - b'a') {
                    file.extend_from_slice(text);
                }
            }
            _ => {}
        }
    }
    match parse(&CampusFiles(files)) {
        Err(problems) => {
            assert!(!problems.is_empty(), "a folder that is refused says why");
            assert!(problems.is_sorted(), "problems stand in the order of their places");
            let known = |file: &str| CampusFiles::NAMES.contains(&file);
            assert!(problems.iter().all(|problem| known(&problem.file) && problem.line > 0 && problem.column > 0));
        }
        Ok(campus) => look(&campus, commands, &instants, input.len()),
    }
}

fn file(files: &mut BTreeMap<String, Vec<u8>>, number: u8) -> Option<&mut Vec<u8>> {
    files.get_mut(*CampusFiles::NAMES.get(usize::from(number))?)
}

fn look(campus: &Campus, commands: Vec<Command>, instants: &[UnixMs], length: usize) {
    let Ok(mut directory) = Directory::of_campus(campus) else { return };
    let Ok(mut compiled) = Compiled::whole(&directory) else { return };
    if length <= COMPARED_BYTES_MAX {
        compare(campus, instants);
    }
    for command in commands.into_iter().take(4) {
        obey(&mut directory, &mut compiled, command);
    }
}

/// What doors answer is what the rules say, one by one.
fn compare(campus: &Campus, instants: &[UnixMs]) {
    let mut taps = Vec::new();
    for at in instants.iter().rev().take(3) {
        for door in campus.tables.doors.keys().take(5) {
            for card in campus.tables.cards.keys().take(8) {
                taps.push(TapQuestion {
                    line: 1,
                    door_place: Place::START,
                    at_text: String::new(),
                    at: *at,
                    door: door.clone(),
                    card: card.as_str().to_owned(),
                    factors: Factors::PIN,
                    factors_text: String::new(),
                    expect: None,
                    reason: None,
                });
            }
        }
    }
    let Ok(answers) = decide_taps(campus, "taps.csv", &taps) else { return };
    assert_eq!(answers.len(), taps.len());
    for (tap, answer) in taps.iter().zip(answers) {
        let Ok(card) = CardId::new(&tap.card) else { continue };
        let said = decide(&campus.policy, &campus.tables, |_| false, tap.at, &tap.door, &card, tap.factors);
        let Some(said) = said else { continue };
        assert_eq!(answer, said, "door {} for card {card} at {}", tap.door, tap.at.to_utc_text());
    }
}

/// A command is taken whole or changes nothing, and what it touches is compiled as if everything had been.
fn obey(directory: &mut Directory, compiled: &mut Compiled, command: Command) {
    let at = UnixMs(1_767_225_600_000);
    let may = directory.check(&command, at);
    let before = directory.clone();
    let entry = Entry { seq: directory.head().saturating_add(1), at, actor: Actor::system(), command };
    match directory.apply(&entry) {
        Err(refusal) => {
            assert!(may.is_err(), "what was checked is taken: {refusal}");
            assert!(*directory == before, "a refused command changes nothing");
        }
        Ok(touched) => {
            assert!(may.is_ok(), "what is refused before it is stored is refused after it, too");
            let updated = compiled.update(directory, &touched);
            let whole = Compiled::whole(directory);
            assert_eq!(updated.is_ok(), whole.is_ok());
            if let Ok(whole) = whole {
                for (agent, state) in whole.agents() {
                    let digest = compiled.state(agent).map(doorward_protocol::state::State::digest);
                    assert_eq!(digest, Some(state.digest()), "agent {agent}");
                }
            } else {
                *directory = before;
            }
        }
    }
}
