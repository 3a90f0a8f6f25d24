//! Commands against a real server process: a campus that is founded, served, asked and changed.
//!
//! No agent joins here; what agents confirm is shown by the tests with both sides.

use crate::run::{Ran, campus, command, copy_of, doorward, doorward_with, edit};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to come up or to stop.
const SOON: Duration = Duration::from_secs(30);

/// A card of the campus `jnu` that opens doors of several buildings.
const CARD: &str = "CARD1";

/// A Monday morning within the validity that [`jnu`] gives the card; no test outlives it.
const MONDAY: &str = "2099-03-02T09:00:00+09:00";

/// The campus `jnu` with a card that does not expire meanwhile.
pub fn jnu() -> tempfile::TempDir {
    let folder = copy_of("jnu");
    edit(
        &folder,
        "cards.csv",
        "CARD1,230001,check-card,active,2023-04-03,,",
        "CARD1,230001,check-card,active,2023-04-03,2099-12-31,",
    );
    folder
}

/// A server with a data directory of its own; killed with the test, whatever becomes of it.
pub struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("authority");
        let made = doorward(&["init", "--data", text(&data), "--campus", text(jnu().path())]);
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{}", made.out);
        let child = serve(&data);
        let mut server = Self { folder, child };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&mut self) {
        let begun = Instant::now();
        while self.say("status").code != 0 {
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended");
            assert!(begun.elapsed() < SOON, "{}", self.say("status").err);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Another server on the same data directory, once the one before has stopped.
    pub fn start_again(&mut self) {
        self.child = serve(&self.data());
        self.wait_until_it_answers();
    }

    /// What a command says once it says this.
    pub fn until(&self, line: &str, part: &str) -> Ran {
        let begun = Instant::now();
        loop {
            let ran = self.say(line);
            if ran.out.contains(part) {
                return ran;
            }
            assert!(begun.elapsed() < SOON, "{line} does not say {part:?}: {}{}", ran.out, ran.err);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    pub fn file(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let data = self.data();
        doorward(&[arguments, &["--data", text(&data)]].concat())
    }

    pub fn say(&self, line: &str) -> Ran {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// The last line of an answer that must be good, as JSON.
    pub fn json(&self, line: &str) -> serde_json::Value {
        let ran = self.say(&format!("{line} --json"));
        assert_eq!(ran.err, "", "{line}");
        serde_json::from_str(ran.out.lines().last().unwrap()).unwrap()
    }

    pub fn head(&self) -> u64 {
        self.json("status")["journal_head"].as_u64().unwrap()
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(begun.elapsed() < SOON, "the server does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(data: &Path) -> Child {
    let mut command = command();
    command.args(["serve", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data", text(data)]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

#[track_caller]
pub fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn a_campus_is_founded_served_asked_and_stopped() {
    let mut server = Server::start();
    let status = server.say("status");
    assert_says(&status.out, &["전남대학교 (jnu), Asia/Seoul", "402 people", "8 known, 0 enrolled"]);
    assert_says(&server.say("agent list").out, &["AGENT", "agent-sci", "expected"]);
    assert_says(&server.say(&format!("card show {CARD}")).out, &["card CARD1 is active", "holder", "known at"]);
    assert_says(&server.say(&format!("where {CARD} --at {MONDAY}")).out, &["DOOR", "eng-1-rear"]);
    assert_says(&server.say(&format!("who eng-1-rear --at {MONDAY}")).out, &["PERSON", CARD]);
    let why = server.say(&format!("why {CARD} eng-1-rear --at {MONDAY}"));
    assert_says(&why.out, &["grant, granted: card CARD1 at door eng-1-rear", "own-college-building"]);
    let before = server.say(&format!("where {CARD} --at 2001-01-01T00:00:00Z"));
    assert_eq!((before.code, before.out.as_str()), (1, ""), "nothing was known then");
    assert_eq!(server.say("log --csv").out.lines().count(), 1);
    assert_says(&server.say("alarms").err, &["no alarm is open"]);
    for (line, named) in
        [("card show NOBODY", "NOBODY"), ("who eng-1-raer", "eng-1-rear"), ("agent add agent-nowhere", "agent-nowhere")]
    {
        let refused = server.say(line);
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{line}");
        assert_says(&refused.err, &["error: ", named]);
    }
    let second =
        doorward(&["serve", "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data", text(&server.data())]);
    assert_eq!(second.code, 1);
    assert_says(&second.err, &["another `doorward serve` runs on"]);
    server.stop();
    let gone = server.say("status");
    assert_eq!(gone.code, 1);
    assert_says(&gone.err, &["start it with `doorward serve --data"]);
}

#[test]
fn a_change_is_in_the_journal_with_who_made_it_and_what_it_is_known_to_hold() {
    let server = Server::start();
    let evidence = server.file("lost.evidence");
    let line = ["card", "suspend", CARD, "--reason", "lost in 본관", "--wait", "0s", "--evidence", &evidence];
    let suspended = server.run(&[&line, ["--as", "당직 7"].as_slice()].concat());
    assert_eq!((suspended.code, suspended.err.as_str()), (0, ""));
    assert_says(&suspended.out, &["card CARD1 is suspended: entry 3", "concerns no door of an agent that has joined"]);
    assert_says(&server.say(&format!("card show {CARD}")).out, &["card CARD1 is suspended"]);
    let root = text(&server.data().join("root.pub")).to_owned();
    let verified = doorward(&["verify", &evidence, "--root", &root]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert_says(&verified.out, &["genuine", "lost in 본관", CARD]);
    let seq = server.head().to_string();
    assert_eq!(server.run(&["evidence", &seq, "--out", &evidence]).code, 0, "evidence replaces older evidence");
    let precious = server.file("precious");
    std::fs::write(&precious, "precious").unwrap();
    assert_eq!(server.run(&["evidence", &seq, "--out", &precious]).code, 1);
    let head = server.head();
    let line = ["card", "close", CARD, "--reason", "gone", "--evidence", &precious];
    assert_eq!(server.run(&line).code, 1);
    assert_eq!((server.head(), std::fs::read(&precious).unwrap()), (head, b"precious".to_vec()));
    assert_says(&server.say("journal").out, &["owner/당직 7", "owner: ", CARD, "lost in 본관"]);
    let entry = server.json(&format!("journal --since {seq} --limit 1"));
    assert_eq!((&entry["command"], &entry["actor"]), (&"card-suspend".into(), &"owner/당직 7".into()));

    let resumed = server.json(&format!("card resume {CARD} --wait 0s"));
    assert_eq!((&resumed["command"], &resumed["summary"]["complete"]), (&"card-resume".into(), &true.into()));
    assert_eq!(server.json("journal --limit 1")["actor"], "owner/tester");
    let added = server.json("grant add --category staff --door eng-1-rear --until 2099-02-28 --wait 0s");
    let grant = added["grant"].as_str().unwrap();
    assert_eq!(server.say(&format!("grant end {grant}")).code, 0);
    let locked = server.say("lockdown building eng-1 --reason drill --wait 0s");
    assert_says(&locked.out, &["building eng-1 is locked down", "entry "]);
    assert_says(&server.say("status").out, &["LOCKED DOWN", "building eng-1"]);
    assert_eq!(server.say("release building eng-1").code, 0);
    assert!(!server.say("status").out.contains("LOCKED DOWN"));
    let closed = server.say("card close CARD1 --reason gone --wait 0s");
    assert_says(&closed.out, &["card CARD1 is closed"]);
    let again = server.say("card resume CARD1");
    assert_eq!((again.code, again.out.as_str()), (1, ""));
}

#[test]
fn a_card_that_no_door_knows_has_nowhere_to_close() {
    let server = Server::start();
    let folder = jnu();
    edit(&folder, "cards.csv", "\n", "\nNOWHERE,230001,fingerprint,closed,2023-03-02,,\n");
    let imported = server.run(&["import", text(folder.path())]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    assert_says(&server.say("card show NOWHERE").out, &["card NOWHERE is closed", "no door knows it"]);
}

#[test]
fn an_import_shows_its_plan_first_and_changes_nothing_by_looking() {
    let server = Server::start();
    let folder = jnu();
    edit(&folder, "cards.csv", "\n", "\nNEWCARD,230001,check-card,active,2023-03-02,,\n");
    let head = server.head();
    let dry = server.run(&["import", text(folder.path()), "--dry-run"]);
    assert_eq!((dry.code, dry.err.as_str()), (0, ""));
    assert_says(&dry.out, &["building", "people", "cards", "rights", "+1 -0", "nothing is changed"]);
    assert_eq!((server.head(), server.say("card show NEWCARD").code), (head, 1));
    let done = server.run(&["import", text(folder.path())]);
    assert_eq!(done.code, 0, "{}", done.err);
    let plan =
        |out: &str| out.lines().take_while(|line| !line.contains("entry")).map(str::to_owned).collect::<Vec<_>>();
    assert!(dry.out.starts_with(plan(&done.out).join("\n").trim_end()), "{}\n{}", dry.out, done.out);
    assert_eq!((server.head(), server.say("card show NEWCARD").code), (head + 1, 0));
    assert_says(&server.run(&["import", text(folder.path())]).out, &["nothing is different"]);
    assert_eq!(server.head(), head + 1);
    let other = server.run(&["import", text(&campus("kookje"))]);
    assert_eq!(other.code, 1, "{}", other.out);
    edit(&folder, "doors.csv", "eng-1-rear,eng-1", "eng-1-rear,eng-11");
    let wrong = server.run(&["import", text(folder.path())]);
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert_says(&wrong.err, &["doors.csv:", "eng-11", "nothing is changed"]);
}

#[test]
fn an_operator_may_what_its_role_says_and_a_refusal_says_who_may() {
    let server = Server::start();
    let roles = server.say("operator roles");
    assert_says(&roles.out, &["department", "suspend a card", "registrar-feed"]);
    assert_says(&server.say("operator list").err, &["there is no operator yet", "doorward operator add"]);
    let add = |rest: &str| {
        server.run(&[&["operator", "add", "lee", "--name", "이서준"], &*rest.split(' ').collect::<Vec<_>>()].concat())
    };
    let unsaid = add("--role department");
    assert_eq!((unsaid.code, unsaid.out.as_str()), (2, ""));
    assert_says(&unsaid.err, &["--campus", "--unit"]);
    assert_says(&add("--role departmen --campus").err, &["expected one of", "department"]);
    assert_says(&add("--role department --unit enginering").err, &["is not known"]);
    let added = add("--role control-room --campus");
    assert_eq!((added.code, added.err.as_str()), (0, ""));
    assert_says(&added.out, &["operator lee has the role control-room: entry 3"]);
    let given = server.say("operator token lee --name night --days 1");
    assert_eq!((given.code, given.out.trim().len()), (0, 64), "{}", given.err);
    assert_says(&given.err, &["token night of lee", "not shown again"]);
    assert_says(
        &server.say("operator list").out,
        &["lee", "control-room", "the whole campus", "이서준", "night", "until"],
    );
    let file = server.file("night.token");
    std::fs::write(&file, given.out.trim()).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let by = |line: &str| server.run(&[line.split(' ').collect::<Vec<_>>(), vec!["--token-file", &file]].concat());
    assert_says(
        &by("whoami").out,
        &["you are lee/token:night", "control-room for the whole campus", "may suspend a card"],
    );
    assert_says(&server.say("whoami").out, &["you are owner/tester", "everything"]);
    assert_eq!(by("card suspend CARD1 --reason lost --wait 0s").code, 0);
    let refused = by("card resume CARD1");
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert_says(&refused.err, &["control-room may not resume a card", "security-office"]);
    assert_says(
        &server.say("journal").out,
        &["lee/token:night: suspended card CARD1", "made operator lee control-room"],
    );
    assert_eq!(server.say("operator end-token night").code, 0);
    assert_says(&by("whoami").err, &["does not accept the token in"]);
    assert_eq!(server.say("operator remove lee").code, 0);
    assert_says(&server.say("operator remove lee").err, &["operator `lee` is not known"]);
}

#[test]
fn an_operator_chooses_a_password_signs_in_and_acts_under_its_own_name() {
    let server = Server::start();
    assert_eq!(server.run(&["operator", "add", "lee", "--name", "Lee", "--role", "card-office", "--campus"]).code, 0);
    let invited = server.say("operator invite lee");
    assert_says(&invited.err, &["doorward account set-up lee"]);
    let (data, file) = (server.data(), server.file("lee.session"));
    let ask = |line: &str, lines: &str| {
        let line = line.split(' ').collect::<Vec<_>>();
        doorward_with(&[line, vec!["--data", text(&data), "--token-file", &file]].concat(), lines)
    };
    let short = ask("account set-up lee", &format!("{}\nshort\n", invited.out.trim()));
    assert_eq!((short.code, short.out.as_str()), (1, ""));
    assert_says(&short.err, &["at least 12 characters"]);
    assert_eq!(ask("account set-up lee", "").code, 2);
    let chosen = ask("account set-up lee", &format!("{}\ncorrect horse battery\n", invited.out.trim()));
    assert_eq!(chosen.code, 0, "{}", chosen.err);
    assert_says(&ask("account sign-in lee", "wrong horse battery\n").err, &["the operator or the password is wrong"]);
    assert!(!std::path::Path::new(&file).exists());
    let signed_in = ask("account sign-in lee", "correct horse battery\n");
    assert_eq!((signed_in.code, signed_in.err.as_str()), (0, ""));
    assert_says(&signed_in.out, &["lee is signed in until", "lee.session"]);
    assert_says(&ask("whoami", "").out, &["you are lee", "card-office for the whole campus"]);
    assert_eq!(ask("card suspend CARD1 --reason lost --wait 0s", "").code, 0);
    assert_says(&ask("journal", "").err, &["card-office may not read the journal"]);
    assert_says(&server.say("journal").out, &["lee: suspended card CARD1: lost", "invited operator lee"]);
    let again = ask("account sign-in lee", "correct horse battery\n");
    assert_eq!(again.code, 0, "in the place of the session before");
    let token = text(&data.join("api-token")).to_owned();
    let line = ["account", "sign-in", "lee", "--data", text(&data), "--token-file", &token];
    let refused = doorward_with(&line, "correct horse battery\n");
    assert_eq!(refused.code, 1, "the owner's token is not overwritten");
    assert_says(&refused.err, &["holds something else"]);
    assert_eq!(ask("account sign-out", "").code, 0);
    assert_says(&ask("whoami", "").err, &["does not accept the token in"]);
}

#[test]
fn every_list_goes_to_a_spreadsheet_and_replaces_no_file() {
    let server = Server::start();
    assert_eq!(server.say("operator add lee --name Lee --role auditor --campus").code, 0);
    assert_eq!(server.say("card show CARD1").code, 0);
    let lists = [
        ("agent list", "AGENT"),
        ("operator list", "OPERATOR"),
        ("person find 23000", "PERSON"),
        ("grant list", "GRANT"),
        ("journal", "ENTRY"),
        ("looks", "LOOK"),
        ("retention", "KIND"),
        ("log", "at,door_id"),
    ];
    for (number, (list, header)) in lists.into_iter().enumerate() {
        let csv = server.file(&format!("{number}.csv"));
        let written = server.say(&format!("{list} --table {csv}"));
        assert_eq!(written.code, 0, "{list}: {}", written.err);
        let text = std::fs::read_to_string(&csv);
        let text = text.unwrap_or_else(|error| panic!("{list}: {error}: {}{}", written.out, written.err));
        assert!(text.starts_with(header), "{list}: {text}");
        let sheet = server.file(&format!("{number}.xlsx"));
        assert_eq!(server.say(&format!("{list} --table {sheet}")).code, 0, "{list}");
        assert!(std::fs::read(&sheet).unwrap().starts_with(b"PK"), "{list}");
    }
    let again = server.say(&format!("journal --table {}", server.file("0.csv")));
    assert_eq!(again.code, 1);
    assert_says(&again.err, &["0.csv", "name a new file"]);
    assert_says(&server.say("journal --table list.ods").err, &["ends in .csv or .xlsx"]);
    assert_eq!(server.say(&format!("log --follow --table {}", server.file("9.csv"))).code, 2);
}

#[test]
fn a_photo_is_brought_looked_at_rejected_brought_again_and_locked() {
    let server = Server::start();
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/photo-24x30.jpg");
    let submit = |person: &str, file: &str| server.run(&["photo", "submit", person, file]);
    assert_says(&server.say("photo list").err, &["there is no such photo"]);
    let other = server.file("other.jpg");
    std::fs::write(&other, "no photo").unwrap();
    assert_says(&submit("230001", &other).err, &["no JPEG that can be decoded"]);
    assert_says(&submit("230999", photo).err, &["person `230999` is not known"]);
    let wrong_size = submit("230001", photo);
    assert_says(&wrong_size.err, &["24 x 30 pixels; it has to be 295 x 367"]);
    let folder = jnu();
    edit(&folder, "campus.toml", "width = 295\nheight = 367", "width = 24\nheight = 30");
    assert_eq!(server.run(&["import", text(folder.path())]).code, 0);
    let brought = submit("230001", photo);
    assert_eq!((brought.code, brought.err.as_str()), (0, ""));
    assert_says(&server.say("photo list --state waiting").out, &["230001", "waiting"]);
    assert_says(&server.say("photo list --find 학생").out, &["230001"]);
    assert_says(&server.say("photo list --find 0002").err, &["there is no such photo"]);
    let image = server.json("photo list")["photos"][0]["image"].as_str().unwrap()[..12].to_owned();
    assert_says(&server.say("photo approve 230001 --image 000000000000").err, &["is not 000000000000"]);
    assert_eq!(server.say("photo approve 230001 --image 0000").code, 2);
    assert_eq!(server.run(&["photo", "reject", "230001", "--image", &image, "--reason", "기울었음"]).code, 0);
    assert_says(&server.say("photo list --state rejected").out, &["230001", "기울었음"]);
    assert_eq!(submit("230001", photo).code, 0);
    assert_eq!(server.say(&format!("photo approve 230001 --image {image}")).code, 0);
    assert_says(&submit("230001", photo).err, &["approved and locked"]);
    let saved = server.file("saved.jpg");
    assert_eq!(server.say(&format!("photo save 230001 {saved}")).code, 0);
    assert_eq!(std::fs::read(&saved).unwrap(), std::fs::read(photo).unwrap());
    assert_eq!(server.say("photo reopen 230001 --reason older").code, 0);
    assert_eq!(submit("230001", photo).code, 0);
    assert_says(&server.say("journal").out, &["rejected the photo of person 230001: 기울었음", "reopened the photo"]);
    assert_says(&server.say("looks").out, &["photo, person 230001"]);
}

#[test]
fn an_application_lacks_no_paper_and_is_decided_by_the_office_that_campus_toml_names() {
    let server = Server::start();
    let folder = jnu_with_campaign();
    let entitled = "[[entitlement]]\ncategory = \"undergraduate\"\ncard_type = \"id-card\"\napproved_by = \"department\"\n\
                    documents = [\"신분증\"]\n\n[photo]";
    edit(&folder, "campus.toml", "[photo]", entitled);
    assert_eq!(server.run(&["import", text(folder.path())]).code, 0);
    let make = |more: &[&str]| {
        let line = ["application", "make", "--person", "230003", "--type", "id-card", "--channel", "paper"];
        server.run(&[&line[..], &["--reason", "외국인", "--id", "kim"], more].concat())
    };
    assert_says(&make(&[]).err, &["the application lacks: 신분증"]);
    assert_eq!(make(&["--document", "신분증"]).code, 0);
    assert_says(&server.say("application list --state waiting").out, &["kim", "230003", "paper", "외국인", "신분증"]);
    let issue = "card issue NEW3 --person 230003 --type id-card --wait 0s";
    assert_says(&server.say(issue).err, &["needs an approved application", "the role department approves"]);
    let as_role = |name: &str, power: &str| {
        assert_eq!(server.say(&format!("operator add {name} --name {name} {power}")).code, 0);
        let key = server.file(&format!("{name}.token"));
        std::fs::write(&key, server.say(&format!("operator token {name}")).out.trim()).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        server.run(&["--token-file", &key, "application", "approve", "kim", "--reason", "seen"])
    };
    let office = as_role("desk", "--role card-office --campus");
    assert_says(&office.err, &["the role card-office may not decide about this application; department may"]);
    assert_says(&as_role("arts", "--role department --unit korean").err, &["does not lie in the remit"]);
    assert_eq!(as_role("physics", "--role department --unit physics").code, 0);
    assert_eq!(server.say(issue).code, 0);
    assert_says(&server.say("application list").out, &["kim", "used"]);
    assert_says(&server.say("card proposals").out, &["role-change"]);
    assert_says(&server.say("card list-found").err, &["no found card"]);
    assert_eq!(server.run(&["card", "found", "CARD1", "--place", "도서관", "--wait", "0s"]).code, 0);
    assert_says(&server.say("card list-found").out, &["CARD1", "230001", "도서관"]);
    assert_says(&server.say("card show CARD1").out, &["is suspended"]);
    assert_eq!(server.run(&["card", "resume", "CARD1", "--wait", "0s"]).code, 0);
    assert_says(&server.say("card list-found").err, &["no found card"]);
    let close = ["card", "close", "CARD1", "--reason", "wish", "--document", "passport", "--wait", "0s"];
    assert_eq!(server.run(&close).code, 0);
    assert_says(
        &server.say("journal").out,
        &[
            "closed card CARD1: wish; shown was: passport",
            "took in card CARD1 as found: 도서관",
            "approved application kim",
        ],
    );
}

/// The campus `jnu` with small photos, a campaign whose hand-over was long ago, and somebody who has no card yet.
fn jnu_with_campaign() -> tempfile::TempDir {
    let folder = jnu();
    edit(&folder, "cards.csv", "CARD3,230003,check-card,suspended,2023-04-03,,\n", "");
    edit(&folder, "campus.toml", "width = 295\nheight = 367", "width = 24\nheight = 30");
    let days = "photos = { from = 2027-01-18, until = 2027-02-12 }\nroster = { from = 2027-01-25, until = 2027-02-19 }\n\
                hand_over = { from = 2027-03-02, until = 2027-03-31 }";
    edit(&folder, "campus.toml", days, "hand_over = { from = 2020-03-02, until = 2020-03-31 }");
    folder
}

#[test]
fn a_roster_becomes_an_archive_for_the_company_and_what_it_made_comes_into_use() {
    let server = Server::start();
    assert_eq!(server.run(&["import", text(jnu_with_campaign().path())]).code, 0);
    let listed = server.say("roster list");
    assert_says(&listed.out, &["spring-2027", "photos: any day, open", "hand_over: 2020-03-02 to 2020-03-31, closed"]);
    assert_says(&listed.err, &["none of your units has a roster"]);
    let people = server.file("people.txt");
    std::fs::write(&people, "\u{feff}230003\r\n\r\n230003\n").unwrap();
    let entered = server.run(&["roster", "enter", "spring-2027", "--unit", "physics", "--file", &people]);
    assert_eq!((entered.code, entered.err.as_str()), (0, ""));
    let taken = server.say("roster enter spring-2027 --unit physics 230009");
    assert_says(&taken.err, &["person `230009` has card", "replace it, or close it"]);
    assert_says(&server.say("roster enter spring --unit physics 230003").err, &["campaign `spring` is not known"]);
    assert_says(&server.say("roster confirm spring-2027 --unit physics").err, &["`230003`: without an approved photo"]);
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/photo-24x30.jpg");
    assert_eq!(server.run(&["photo", "submit", "230003", photo]).code, 0);
    let image = server.json("photo list")["photos"][0]["image"].as_str().unwrap().to_owned();
    assert_eq!(server.say(&format!("photo approve 230003 --image {image}")).code, 0);
    for step in ["confirm", "return --reason hasty", "confirm", "accept"] {
        let (action, rest) = step.split_once(' ').unwrap_or((step, ""));
        let line = format!("roster {action} spring-2027 --unit physics {rest}");
        let said = server.say(line.trim());
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{line}");
    }
    assert_says(
        &server.say("roster show spring-2027 --unit physics").out,
        &["accepted by owner", "230003", "approved"],
    );
    assert_eq!(server.say("batch order spring-1 --campaign spring-2027").code, 0);
    assert_says(&server.say("batch order spring-2 --campaign spring-2027").err, &["nobody is on it"]);
    let saved = server.file("spring-1.zip");
    assert_eq!(server.say(&format!("batch save spring-1 {saved}")).code, 0);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&saved).unwrap()).unwrap();
    let mut unpack = |name: &str| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_name(name).unwrap(), &mut bytes).unwrap();
        bytes
    };
    assert_eq!(unpack("photos/230003.jpg"), std::fs::read(photo).unwrap());
    let table = "person_id,name,category,units,card_type,number,photo\n\
                 230003,학생 3,undergraduate,physics,id-card,,photos/230003.jpg\n";
    assert_eq!(String::from_utf8(unpack("batch.csv")).unwrap(), table);
    let produced = server.file("produced.csv");
    let deliver = |table: &str| {
        std::fs::write(&produced, table).unwrap();
        server.run(&["batch", "deliver", "spring-1", &produced])
    };
    assert_says(&deliver("person_id,card\n230003,N\n").err, &["produced.csv:1:", "no column card_id"]);
    assert_says(&deliver("person_id,card_id\n230003,\n").err, &["produced.csv:2:", "is empty"]);
    assert_says(&deliver("person_id,card_id\n230003,N1\n230003,N2\n").err, &["produced.csv:3:", "is there already"]);
    assert_says(&deliver("person_id,card_id\n230004,N1\n").err, &["`230004`: not in this batch"]);
    assert_says(&deliver("chip,person_id,card_id\n7,230003,CARD1\n").err, &["card `CARD1` is there already"]);
    assert_eq!(deliver("chip,person_id,card_id\n7,230003,NEW3\n").code, 0);
    assert_says(&server.say("batch list").out, &["spring-1", "spring-2027"]);
    assert_says(&server.say("batch show spring-1").out, &["230003", "NEW3"]);
    assert_says(&server.say("card show NEW3").out, &["produced"]);
    assert_eq!(server.say("operator add physics-office --name Physics --role department --unit physics").code, 0);
    let key = server.file("physics.token");
    std::fs::write(&key, server.say("operator token physics-office").out.trim()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let late = server.run(&["--token-file", &key, "card", "activate", "NEW3"]);
    assert_says(&late.err, &["stage `hand_over` of campaign spring-2027", "2020-03-31", "card-office"]);
    assert_eq!(server.say("card activate NEW3 --wait 0s").code, 0);
    assert_says(&server.say("journal").out, &["took in 1 card of batch spring-1", "gave the roster of unit physics"]);
}

#[test]
fn what_is_asked_for_is_seen_weighed_and_decided() {
    let server = Server::start();
    let preview = server.say("grant preview --category staff --building eng-1");
    assert_eq!((preview.code, preview.err.as_str()), (0, ""));
    assert_says(&preview.out, &["of them gain a door", "GAIN IT", "eng-1-rear"]);
    assert_says(&server.say("request list").err, &["there is no such request"]);
    let ask = |rest: &str| {
        server.run(&[&["request", "ask", "--reason", "실험 수업"], &*rest.split(' ').collect::<Vec<_>>()].concat())
    };
    let asked = ask("--category staff --within engineering --building eng-1 --until 2099-12-31 --id lab");
    assert_eq!((asked.code, asked.err.as_str()), (0, ""));
    assert_says(&asked.out, &["request lab waits for a decision: entry 3"]);
    assert_says(
        &ask("--category staff --within engineering --building eng-1 --id lab").err,
        &["request `lab` is there already"],
    );
    assert_eq!(ask("--unit engineering --within engineering --building eng-1").code, 2);
    assert_says(&ask("--unit enginering --building eng-1").err, &["unit `enginering` is not known"]);
    let listed = server.say("request list --to-decide");
    assert_says(
        &listed.out,
        &[
            "lab",
            "waiting",
            "category staff while in unit engineering",
            "building eng-1",
            "until 2099-12-31",
            "실험 수업",
        ],
    );
    let shown = server.say("request show lab");
    assert_says(
        &shown.out,
        &["request lab is waiting", "can be decided until", "GAIN IT", "doorward request approve lab"],
    );
    let approved = server.say("request approve lab --until 2099-06-30 --wait 0s");
    assert_eq!((approved.code, approved.err.as_str()), (0, ""), "{}", approved.out);
    assert_says(&server.say("request show lab").out, &["request lab is approved", "approved by owner/tester"]);
    assert_says(&server.say("request reject lab --reason no").err, &["request `lab` is approved", "ask anew"]);
    let grants = server.say("grant list");
    assert_says(&grants.out, &["lab", "category staff while in unit engineering", "until 2099-06-30", "command"]);
    assert_says(&server.say("grant list --older-than 1d").err, &["there is no such grant"]);
    let ending = server.say("grant end lab --dry-run");
    assert_eq!((ending.code, ending.err.as_str()), (0, ""));
    assert_says(&ending.out, &["of them lose a door", "LOSE IT", "eng-1-rear"]);
    assert_says(&server.say("grant list").out, &["lab"]);
    assert_says(&server.say("grant end labs --dry-run").err, &["grant `labs` is not known"]);
    assert_eq!(server.say("grant confirm lab --reason needed").code, 0);
    assert_says(
        &server.say("journal").out,
        &["made request lab: 실험 수업", "approved request lab as grant lab", "confirmed grant lab: needed"],
    );
    assert_eq!(ask("--person 230001 --door eng-1-rear --id two").code, 0);
    assert_eq!(server.say("request withdraw two --reason mistake").code, 0);
    assert_says(&server.say("request list --standing withdrawn").out, &["two"]);
    assert_eq!(server.json("request list --standing approved")["requests"][0]["id"], "lab");
}

#[test]
fn a_card_is_issued_in_place_of_a_lost_one_with_its_fee_and_comes_into_use() {
    let server = Server::start();
    let found = server.say("person find card1");
    assert_says(&found.out, &["230001", "CARD1 (active)"]);
    assert_says(&server.say("person find no-such-person").err, &["nobody is found"]);
    let second = server.say("card issue NEW1 --person 230001 --type check-card");
    assert_eq!((second.code, second.out.as_str()), (1, ""));
    assert_says(&second.err, &["person `230001` has card `CARD1`", "replace it"]);
    assert_says(
        &server.say("card issue NEW1 --person 230001 --type check-card --cause losst").err,
        &["expected one of"],
    );
    let issued =
        server.say("card issue NEW1 --person 230001 --type check-card --cause lost --replaces CARD1 --wait 0s");
    assert_eq!(issued.code, 0, "{}", issued.err);
    assert_says(&issued.out, &["card NEW1 is issued to 230001"]);
    assert_says(&issued.err, &["the fee is 2000 KRW", "doorward card activate NEW1"]);
    assert_says(&server.say("card show CARD1").out, &["card CARD1 is closed"]);
    assert_says(
        &server.say("card show NEW1").out,
        &["is produced", "issued  lost, in place of CARD1, fee 2000 KRW, by owner/tester"],
    );
    assert_eq!(server.say("card activate NEW1 --wait 0s").code, 0);
    let short = server.say("card extend NEW1 --until 2000-01-01 --document letter");
    assert_says(&short.err, &["no earlier than 2000-01-01"]);
    assert_eq!(server.say("card extend NEW1 --until 2098-12-31 --document letter --wait 0s").code, 0);
    assert_says(
        &server.say("person show 230001").out,
        &["card CARD1", "closed", "card NEW1", "active", "through 2098-12-31"],
    );
    assert_says(&server.say("where NEW1 --at 2098-03-03T09:00:00+09:00").out, &["eng-1-rear"]);
    assert_says(
        &server.say("journal").out,
        &["issued card NEW1 to person 230001 in place of CARD1: lost", "extended card NEW1 until 2098-12-31: letter"],
    );
    let folder = jnu();
    assert_says(&server.run(&["import", text(folder.path())]).out, &["nothing is different"]);
}

#[test]
fn a_token_is_shown_once_and_a_wrong_one_opens_nothing() {
    let server = Server::start();
    let invited = server.say("agent add agent-sci --valid 1h");
    assert_eq!((invited.code, invited.out.lines().count()), (0, 1), "{}", invited.err);
    assert!(invited.out.starts_with("doorward1_"), "{}", invited.out);
    assert!(!server.say("journal").out.contains(invited.out.trim()));
    assert_eq!(server.say("agent remove agent-sci").code, 0);
    let wrong = server.file("wrong");
    std::fs::write(&wrong, "0".repeat(64)).unwrap();
    std::fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let refused = server.run(&["status", "--token-file", &wrong]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert_says(&refused.err, &["does not accept the token in", &wrong, "api-token"]);
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(server.data().join("run.json")).unwrap()).unwrap();
    let token = text(&server.data().join("api-token")).to_owned();
    let by_address = doorward(&["status", "--api", run["api"].as_str().unwrap(), "--token-file", &token]);
    assert_eq!(by_address.code, 0, "{}", by_address.err);
}
