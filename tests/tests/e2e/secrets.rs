//! Secrets stay where they belong: in files of their owner alone, and in no log, answer or other file, however much is
//! logged and however careless the umask is.
//!
//! Everything that a campus leaves on disk is searched, each secret in every form in which programs write bytes.

use crate::tools::{NORTH, SOUTH, mode, tiny_copy, tiny_world};
use doorward_policy::command::{Command, Entry};
use doorward_protocol::enrol::JoinToken;
use doorward_server::journal;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use tests::agent::Agent;
use tests::campus::{self, edit};
use tests::http;
use tests::wait::{SOON, until_true};
use tests::world::World;

/// Words that stand nowhere by chance: people, their ids and what they carry.
const ADA: [&str; 4] = ["Ottoline Quillfeather", "prs-quillfeather", "04D1E2F3A4B5C6", "8210007734501"];
const CEM: [&str; 4] = ["Barnaby Thistlewick", "prs-thistlewick", "04E2F3A4B5C6D7", "8210007734602"];
const ZOE: [&str; 4] = ["Zenobia Marlinspike", "prs-marlinspike", "04F3A4B5C6D7E8", "8210007734703"];
const PEOPLE: [[&str; 4]; 3] = [ADA, CEM, ZOE];

/// A campus that has lived: two agents joined, taps, a suspension, an import; everything logged that can be.
struct Scene {
    world: World,
    tokens: Vec<String>,
    /// What commands answered, on both outputs.
    said: String,
}

fn named_campus(folder: &Path, name: &str, with_zoe: bool) -> PathBuf {
    let copy = tiny_copy(folder, name);
    let person = |[name, id, ..]: [&str; 4], category: &str| format!("{id},{name},{category},,\n");
    let card = |[_, id, card, number]: [&str; 4]| format!("{card},{id},card,active,2020-01-01,,{number}\n");
    let member = |[_, id, ..]: [&str; 4]| format!("{id},chemistry,2020-01-01,\n");
    let new = |text: String, rows: [String; 3]| text + &rows[..if with_zoe { 3 } else { 2 }].concat();
    let people = [person(ADA, "staff"), person(CEM, "staff"), person(ZOE, "staff")];
    edit(&copy, "people.csv", |text| new(text, people)).unwrap();
    edit(&copy, "cards.csv", |text| new(text, [card(ADA), card(CEM), card(ZOE)])).unwrap();
    edit(&copy, "affiliations.csv", |text| new(text, [member(ADA), member(CEM), member(ZOE)])).unwrap();
    copy
}

impl Scene {
    fn play(level: &str) -> Self {
        let inputs = tempfile::tempdir().unwrap();
        let loud = vec![("RUST_LOG".to_owned(), level.to_owned())];
        let mut world = World::start(&named_campus(inputs.path(), "campus", false), &[]).unwrap();
        world.authority.stop().unwrap();
        world.authority.environment.clone_from(&loud);
        world.authority.start().unwrap();
        let mut scene = Self { world, tokens: Vec::new(), said: String::new() };
        for id in [NORTH, SOUTH] {
            let mut agent = Agent::at(scene.world.path(), &scene.world.authority, id).unwrap();
            agent.environment.clone_from(&loud);
            let token = scene.world.authority.invite(id).unwrap();
            scene.said += &agent.run(&["join", &token]).unwrap().ok().unwrap().text();
            scene.tokens.push(token);
            agent.start().unwrap();
            scene.world.agents.push(agent);
        }
        scene.world.wait_until_exact().unwrap();
        // A token that nobody uses, one that is wrong, and one for the API that is.
        let unused = scene.world.authority.invite(SOUTH).unwrap();
        let again = Agent::at(scene.world.path(), &scene.world.authority, "elsewhere").unwrap();
        scene.said += &again.run(&["join", &scene.tokens[0]]).unwrap().with_code(1).unwrap().text();
        scene.tokens.push(unused);
        let wrong = format!("authorization: Bearer {}", scene.tokens[0]);
        assert_eq!(http::ask(scene.world.authority.api, "GET", "/v1/status", &[wrong], "").unwrap().status, 401);

        scene.tap("grant granted", ADA[2]);
        scene.tap("grant granted", CEM[2]);
        let evidence = scene.world.file("evidence").display().to_string();
        scene.say(&["card", "suspend", CEM[2], "--reason", "lost", "--evidence", &evidence]);
        scene.tap("deny suspended", CEM[2]);
        scene.tap("deny unknown_credential", ZOE[2]);
        let newer = named_campus(inputs.path(), "newer", true).display().to_string();
        scene.say(&["import", &newer]);
        scene.world.wait_until_exact().unwrap();
        scene.tap("grant granted", ZOE[2]);
        scene.world.wait_until_recorded().unwrap();
        let root = scene.world.authority.data.join("root.pub").display().to_string();
        for line in [
            vec!["verify", &evidence, "--root", &root],
            vec!["log", "--json"],
            vec!["journal", "--json"],
            vec!["alarms", "--json"],
            vec!["agent", "list", "--json"],
            vec!["status", "--json"],
            vec!["why", ADA[2], "north-main"],
            vec!["card", "show", ADA[2]],
        ] {
            scene.say(&line);
        }
        for agent in &scene.world.agents {
            scene.said += &agent.status().unwrap().to_string();
        }
        scene
    }

    fn say(&mut self, line: &[&str]) {
        let data = self.world.authority.data.display().to_string();
        let has_data = line[0] != "verify";
        let line: Vec<&str> =
            line.iter().copied().chain(if has_data { vec!["--data", &data] } else { vec![] }).collect();
        let program = &tests::binaries::binaries().unwrap().authority;
        let loud = [("RUST_LOG".to_owned(), "trace".to_owned())];
        self.said += &tests::command::run(program, &line, &loud, None).unwrap().ok().unwrap().text();
    }

    fn tap(&mut self, answer: &str, card: &str) {
        let north = self.world.agent(NORTH).unwrap();
        assert_eq!(north.tap("north-main", card).unwrap(), answer);
    }

    /// Every file below the world's folder, by its path in it.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let below = |path: &Path| path.strip_prefix(self.world.path()).unwrap().display().to_string();
        let paths = walk(self.world.path()).into_iter().filter(|path| path.is_file());
        paths.filter_map(|path| Some((below(&path), std::fs::read(&path).ok()?))).collect()
    }

    /// For each secret, the files in which it stands in any form; what commands said is the file `said`.
    fn where_are(&self, secrets: &[Vec<u8>]) -> Vec<BTreeSet<String>> {
        let search = Search::new(secrets);
        let mut found = vec![BTreeSet::new(); secrets.len()];
        for (path, bytes) in self.files().into_iter().chain([("said".to_owned(), self.said.clone().into_bytes())]) {
            search.look_through(&bytes).into_iter().for_each(|secret| {
                found[secret].insert(path.clone());
            });
        }
        found
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.world.file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn reader_key(&self) -> Vec<u8> {
        let mut found = None;
        let visit = &mut |entry: Entry| {
            if let Command::Found { reader_key, .. } = entry.command {
                found = Some(reader_key.0.to_vec());
            }
            ControlFlow::Break(())
        };
        journal::open(&self.world.authority.data.join("journal.db")).unwrap().read_from(1, visit).unwrap();
        found.unwrap()
    }
}

/// Everything below a folder, folders included.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let both = entries.flat_map(|entry| {
        let below = if entry.file_type().unwrap().is_dir() { walk(&entry.path()) } else { Vec::new() };
        std::iter::once(entry.path()).chain(below)
    });
    both.collect()
}

/// Bytes as they are, in hexadecimal, in both alphabets of base64 wherever they begin, and as a list of numbers.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let numbers = format!("{bytes:?}");
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        bytes.to_vec(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
        numbers.trim_matches(['[', ']']).as_bytes().to_vec(),
    ];
    for skipped in 0..3 {
        for last in [b"+/", b"-_"] {
            forms.push(base64(&bytes[skipped.min(bytes.len())..], *last));
        }
    }
    // Less than this stands somewhere by chance.
    forms.retain(|form| form.len() >= 6);
    forms
}

/// Base64 of all whole groups of three bytes.
fn base64(bytes: &[u8], last: [u8; 2]) -> Vec<u8> {
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(last).collect();
    let group = |three: &[u8]| {
        let number = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        [18, 12, 6, 0].map(|shift| alphabet[usize::try_from((number >> shift) & 63).unwrap()])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

/// Looks for all secrets in one pass: whatever is logged at the most is many megabytes.
struct Search {
    forms: Vec<(usize, Vec<u8>)>,
    /// By their first two bytes.
    beginnings: Vec<Vec<usize>>,
}

impl Search {
    fn new(secrets: &[Vec<u8>]) -> Self {
        let all = secrets.iter().enumerate();
        let forms: Vec<_> =
            all.flat_map(|(secret, bytes)| forms(bytes).into_iter().map(move |form| (secret, form))).collect();
        let mut beginnings = vec![Vec::new(); 1 << 16];
        for (number, (_, form)) in forms.iter().enumerate() {
            beginnings[beginning(form)].push(number);
        }
        Self { forms, beginnings }
    }

    /// The numbers of the secrets that stand in these bytes.
    fn look_through(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(1) {
            for &number in &self.beginnings[beginning(&bytes[at..])] {
                let (secret, form) = &self.forms[number];
                if bytes[at..].starts_with(form) {
                    found.insert(*secret);
                }
            }
        }
        found
    }
}

fn beginning(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn from_hexadecimal(text: &str) -> Vec<u8> {
    let text = text.trim();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_search_finds_bytes_in_every_form() {
    assert_eq!(base64(b"foobar", *b"+/"), b"Zm9vYmFy");
    assert_eq!(base64(&[0xfb, 0xff, 0xfe, 1], *b"-_"), b"-__-");
    let search = Search::new(&[b"another".to_vec(), vec![200, 100, 50, 25, 12, 6, 3]]);
    let found = |text: &str| search.look_through(text.as_bytes()).into_iter().collect::<Vec<_>>();
    for text in ["C86432190C0603!", "[1, 200, 100, 50, 25, 12, 6, 3]", "xyGQyGQwG", "xZDIZDAYDx", "c86432190c0603"] {
        assert_eq!(found(text), [1], "{text}");
    }
    assert!(found("c864321 90c0603 yGQyGQw 200 100").is_empty());
    assert_eq!(found("another c86432190c0603"), [0, 1]);
}

#[test]
fn no_key_and_no_token_stands_anywhere_but_in_its_own_file() {
    let scene = Scene::play("trace");
    assert!(scene.world.authority.log().contains("TRACE") && scene.world.agent(NORTH).unwrap().log().contains("TRACE"));
    let seed = |path: &str| from_hexadecimal(&scene.read(path));
    let pem = scene.read("authority/ca-key.pem");
    let root_key = "authority/root-key-TAKE-OFFLINE/root-1.key";
    let mut secrets = vec![
        ("the signing key", seed("authority/signing-key"), Some("authority/signing-key")),
        ("a root key", seed(root_key), Some(root_key)),
        (
            "the certificate authority's key",
            pem.lines().nth(1).unwrap().as_bytes().to_vec(),
            Some("authority/ca-key.pem"),
        ),
        ("the API's token", scene.read("authority/api-token").trim().as_bytes().to_vec(), Some("authority/api-token")),
        ("the bytes of that token", seed("authority/api-token"), Some("authority/api-token")),
        ("the key of an agent", seed("agent-north/agent.key"), Some("agent-north/agent.key")),
        ("the key of another agent", seed("agent-south/agent.key"), Some("agent-south/agent.key")),
    ];
    for text in &scene.tokens {
        secrets.push(("a join token", text.strip_prefix("doorward1_").unwrap().as_bytes()[..40].to_vec(), None));
        secrets.push(("its secret", JoinToken::parse(text).unwrap().secret.to_vec(), None));
    }
    let bytes: Vec<Vec<u8>> = secrets.iter().map(|(_, secret, _)| secret.clone()).collect();
    for ((name, _, expected), found) in secrets.iter().zip(scene.where_are(&bytes)) {
        assert_eq!(found, expected.iter().map(|path| (*path).to_owned()).collect(), "{name}");
    }
    // What hashes card ids is known to the journal and to each agent's store, and is told to nobody.
    let found = scene.where_are(&[scene.reader_key()]).remove(0);
    let is_known = |path: &String| path.starts_with("authority/journal.db") || path.contains("/store/");
    assert!(found.iter().any(|path| path.starts_with("authority/")), "{found:?}");
    assert!(found.iter().any(|path| path.starts_with("agent-north/store/")), "{found:?}");
    assert_eq!(found.iter().find(|path| !is_known(path)), None);
    // However much it logs, an agent names nobody.
    let words: Vec<Vec<u8>> = PEOPLE.iter().flatten().map(|word| word.as_bytes().to_vec()).collect();
    let found: BTreeSet<String> = scene.where_are(&words).into_iter().flatten().collect();
    assert_eq!(found.iter().find(|path| path.starts_with("agent-")), None);
    scene.world.stop().unwrap();
}

#[test]
fn no_agent_and_no_log_knows_a_name_or_the_number_of_a_card() {
    // Everything that is said, as far as it is not meant for whoever hunts a fault.
    let scene = Scene::play("info");
    let log = scene.world.authority.log();
    assert!(log.contains("a card that is not in use was tapped"), "{log}");
    let words = PEOPLE.iter().flatten().map(|word| (*word, word.as_bytes().to_vec()));
    let read_by_readers = PEOPLE.iter().map(|[_, _, card, _]| (*card, from_hexadecimal(card)));
    let words: Vec<(&str, Vec<u8>)> = words.chain(read_by_readers).collect();
    let bytes: Vec<Vec<u8>> = words.iter().map(|(_, bytes)| bytes.clone()).collect();
    for ((word, bytes), found) in words.iter().zip(scene.where_are(&bytes)) {
        assert!(found.iter().any(|path| path.starts_with("authority/journal.db")) || bytes.len() == 7, "{word}");
        let may_know = |path: &String| {
            // Commands answer whoever has the token, and evidence says which card it is about.
            path == "said"
                || path.starts_with("authority/journal.db")
                || path.starts_with("authority/access.db")
                || path.starts_with("authority/progress.db")
                || path.starts_with("authority/looks.db")
                || path.starts_with("authority/events.db")
                || (path == "evidence" && *word == CEM[2])
        };
        assert_eq!(found.iter().find(|path| !may_know(path)), None, "{word}");
    }
    scene.world.stop().unwrap();
}

#[test]
fn every_file_is_its_owners_alone_although_the_umask_asks_for_nothing() {
    let mut world = tiny_world();
    let check = |world: &World| {
        let mut looked_at = 0;
        for data in ["authority", NORTH, SOUTH].map(|name| world.file(name)) {
            for path in walk(&data).into_iter().chain([data]) {
                let is_public = ["root.pub", "ca.pem"].iter().any(|name| path.ends_with(name));
                let expected = match path.is_dir() {
                    true => 0o700,
                    false if is_public => 0o644,
                    false => 0o600,
                };
                assert_eq!(mode(&path), expected, "{}", path.display());
                looked_at += 1;
            }
        }
        looked_at
    };
    for name in
        ["journal.db-wal", "journal.db-shm", "access.db-wal", "access.db-shm", "progress.db-wal", "run.json", "lock"]
    {
        assert!(world.authority.data.join(name).exists(), "{name}");
    }
    assert!(check(&world) > 20);
    // And after an orderly end, in which databases are tidied up.
    world.agents.iter_mut().try_for_each(Agent::stop).unwrap();
    world.authority.stop().unwrap();
    assert!(check(&world) > 10);
}

#[test]
fn a_copy_that_came_back_without_its_permissions_is_closed_again() {
    let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    world.agent_mut(NORTH).unwrap().stop().unwrap();
    world.authority.stop().unwrap();
    let folders = [world.authority.data.clone(), world.file(NORTH)];
    for folder in &folders {
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    world.authority.start().unwrap();
    world.agent_mut(NORTH).unwrap().start().unwrap();
    assert!(folders.iter().all(|folder| mode(folder) == 0o700));
    // A key that others could have read is not used any more.
    world.authority.stop().unwrap();
    let key = world.authority.data.join("signing-key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(world.authority.start().unwrap_err().to_string().contains("can be read by other users"));
    world.agent_mut(NORTH).unwrap().stop().unwrap();
}

#[test]
fn a_stolen_owners_token_is_worth_nothing_once_there_is_a_new_one() {
    let mut world = World::start(&campus::tiny(), &[]).unwrap();
    let stolen = world.authority.bearer().unwrap();
    let ask = |world: &World, bearer: &String| {
        http::ask(world.authority.api, "GET", "/v1/status", std::slice::from_ref(bearer), "").unwrap().status
    };
    assert_eq!(ask(&world, &stolen), 200);
    let refused = world.authority.say("token new").unwrap().with_code(1).unwrap();
    assert!(refused.err.contains("stop it first"), "{}", refused.err);
    world.authority.stop().unwrap();
    world.authority.say("token new").unwrap().ok().unwrap();
    world.authority.start().unwrap();
    assert_eq!(ask(&world, &stolen), 401);
    assert_eq!(ask(&world, &world.authority.bearer().unwrap()), 200);
    // The server does not need the token, so it may lie elsewhere.
    world.authority.stop().unwrap();
    let moved = world.file("token");
    std::fs::rename(world.authority.data.join("api-token"), &moved).unwrap();
    world.authority.start().unwrap();
    world.authority.say(&format!("status --token-file {}", moved.display())).unwrap().ok().unwrap();
    world.stop().unwrap();
}

#[test]
fn after_the_theft_of_the_signing_key_the_agents_believe_another_one() {
    let mut world = World::start(&campus::tiny(), &[NORTH]).unwrap();
    world.authority.stop().unwrap();
    let stolen = std::fs::read_to_string(world.authority.data.join("signing-key")).unwrap();
    let root_key = world.authority.data.join("root-key-TAKE-OFFLINE/root-1.key");
    let line = format!(
        "root new-epoch --root-key {} --new-signing-key --new-root-keys 3 --new-root-threshold 2",
        root_key.display()
    );
    world.authority.say(&line).unwrap().ok().unwrap();
    // That root key was replaced as well.
    world.authority.say(&format!("root new-epoch --root-key {}", root_key.display())).unwrap().with_code(1).unwrap();
    world.authority.start().unwrap();
    world.wait_until_exact().unwrap();
    let north = world.agent(NORTH).unwrap();
    until_true("the new epoch is in force", SOON, || {
        Ok(north.status()?["position"].as_str().is_some_and(|position| position.starts_with("1.")))
    })
    .unwrap();
    let evidence = world.file("evidence");
    let suspend = format!("card suspend ADA --reason lost --evidence {}", evidence.display());
    world.authority.say(&suspend).unwrap().ok().unwrap();
    let verify = format!("verify {} --root {}", evidence.display(), world.authority.data.join("root.pub").display());
    let program = &tests::binaries::binaries().unwrap().authority;
    let words: Vec<&str> = verify.split_whitespace().collect();
    tests::command::run(program, &words, &[], None).unwrap().ok().unwrap();
    assert_ne!(std::fs::read_to_string(world.authority.data.join("signing-key")).unwrap(), stolen);
    world.stop().unwrap();
}
