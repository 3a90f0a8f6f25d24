//! Wrong campus folders: each is one slip in a folder that is right, with the exact lines that it is answered with.

mod office;

use doorward_policy::folder::{CampusFiles, parse};
use proptest::prelude::*;

const CAMPUS: &str = r#"[campus]
id = "c"
name = "Campus"
time_zone = "Asia/Seoul"
lease = "30 days"

[[holiday]]
date = 2026-03-01
name = "Holiday"

[function.entry]
[function.payment]
identity = false
lease = "7 days"

[card_type.plastic]
name = "Plastic"
medium = "card"
functions = ["entry", "payment"]
number_format = { prefix = "60", digits = 8, check = "luhn", person_id_at = 2 }

[category.student]
validity = "ends_on"
without_end = "2 years"
grace_days = 60

[schedule.hours]
weekly = ["mon-fri 06:00-23:00", "sat,sun 08:00-24:00"]
holidays = ["10:00-18:00"]

[[rule]]
id = "own"
effect = "permit"
who = { categories = ["student"], affiliated_to_owner = true }
where = { functions = ["entry"] }
when = "hours"
from = 2026-03-02
until = "2027-02-28"
factors = ["pin"]

[[rule]]
id = "named"
who = { units = ["math"], people = ["p1"], card_types = ["plastic"] }
where = { buildings = ["b1"], doors = ["d1"] }
[[rule]]
id = "all"
effect = "deny"
who = { everyone = true }
where = { doors = ["d1"] }
"#;

const TABLES: [(&str, &str); 7] = [
    ("units.csv", "unit_id,name,kind,parent_id\nscience,Science,college,\nmath,Mathematics,department,science\n"),
    ("buildings.csv", "building_id,name,agent_id,owner_unit_id\nb1,Hall,agent-1,science\n"),
    (
        "doors.csv",
        "door_id,building_id,name,function,owner_unit_id,unlock_schedule\nd1,b1,Gate,entry,math,hours\nd2,b1,Shop,payment,,always\n",
    ),
    ("people.csv", "person_id,name,category,ends_on,left_on\np1,One,student,2027-02-28,\np2,Two,student,,2026-07-01\n"),
    ("affiliations.csv", "person_id,unit_id,from,until\np1,math,2026-03-02,2027-02-28\np2,science,,\n"),
    (
        "cards.csv",
        "card_id,person_id,card_type,state,issued_on,valid_until,number\n04:A1,p1,plastic,active,2026-03-02,,\n04:A2,p2,plastic,closed,2026-03-02,2026-12-31,\n",
    ),
    (
        "grants.csv",
        "grant_id,subject,target,schedule,from,until\ng1,person:p1,door:d1,hours,2026-04-01,\ng2,unit:math,building:b1,always,,\ng3,category:student,door:d2,,,\n",
    ),
];

fn right_folder() -> CampusFiles {
    let files = TABLES.into_iter().chain([("campus.toml", CAMPUS)]);
    CampusFiles(files.map(|(name, text)| (name.into(), text.into())).collect())
}

fn lines(files: &CampusFiles) -> Vec<String> {
    parse(files).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The folder with the first occurrence of a text in one file replaced.
fn with_slip(file: &str, right: &str, wrong: &str) -> CampusFiles {
    let mut files = right_folder();
    if let Some(bytes) = files.0.get_mut(file) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        assert!(text.contains(right), "{right} is not in {file}");
        *bytes = text.replacen(right, wrong, 1).into_bytes();
    }
    files
}

#[test]
fn the_folder_that_the_slips_are_made_in_is_right() {
    assert_eq!(lines(&right_folder()), [""; 0]);
}

#[test]
fn every_slip_is_named_with_its_place_and_what_would_be_right() {
    for slip in SLIPS.iter().chain(office::SLIPS) {
        let found = lines(&with_slip(slip.file, slip.right, slip.wrong));
        assert_eq!(found, slip.problems, "{} for {} in {}", slip.wrong, slip.right, slip.file);
    }
}

#[test]
fn slips_in_all_files_are_named_in_one_run() {
    let mut files = right_folder();
    for (name, text) in TABLES {
        files.0.insert(name.into(), text.replacen(',', ";", 1).into());
    }
    files.0.insert("campus.toml".into(), CAMPUS.replace("30 days", "soon").into());
    let found = lines(&files);
    let of = |file: &str| found.iter().filter(|line| line.starts_with(file)).count();
    for (name, _) in TABLES {
        assert!(of(name) > 0, "{name} in {found:?}");
    }
    assert_eq!(of("campus.toml"), 1);
    assert!(found.is_sorted());
}

#[test]
fn a_file_that_is_missing_is_named_and_what_depends_on_it_is_not() {
    for (name, columns) in [
        ("units.csv", "unit_id,name,kind,parent_id"),
        ("people.csv", "person_id,name,category,ends_on,left_on"),
        ("cards.csv", "card_id,person_id,card_type,state,issued_on,valid_until,number"),
    ] {
        let mut files = right_folder();
        files.0.remove(name);
        assert_eq!(lines(&files), [format!("{name}:1:1: is missing; it is a table with the columns {columns}")]);
    }
    let mut files = right_folder();
    files.0.remove("campus.toml");
    assert_eq!(lines(&files), ["campus.toml:1:1: is missing; it holds the policy of the campus"]);
    assert_eq!(lines(&CampusFiles::default()).len(), 7);
    let mut files = right_folder();
    files.0.remove("grants.csv");
    assert_eq!(lines(&files), [""; 0]);
}

#[test]
fn byte_order_marks_line_ends_column_order_missing_optional_columns_and_other_files_change_nothing() {
    let mut files = right_folder();
    for bytes in files.0.values_mut() {
        let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        *bytes = format!("\u{feff}{text}").into_bytes();
    }
    files.0.insert("units.csv".into(), "parent_id,name,unit_id\n,Science,science\nscience,Mathematics,math\n".into());
    files.0.insert("taps.csv".into(), "no questions".into());
    files.0.insert("notes.txt".into(), vec![0xff]);
    let changed = parse(&files).unwrap();
    let mut expected = parse(&right_folder()).unwrap();
    for unit in expected.tables.units.values_mut() {
        unit.kind = None;
    }
    assert_eq!(changed, expected);
}

#[test]
fn bytes_that_are_not_utf_8_have_a_place_in_every_file() {
    let mut files = right_folder();
    for (name, right) in [("campus.toml", &b"Holiday"[..]), ("people.csv", b"Two")] {
        let bytes = files.0.get_mut(name).unwrap();
        let at = bytes.windows(right.len()).position(|window| window == right).unwrap();
        bytes[at] = 0xe9;
    }
    assert_eq!(
        lines(&files),
        [
            "campus.toml:9:9: byte 0xe9 is not UTF-8; save the file as UTF-8",
            "people.csv:3:4: byte 0xe9 is not UTF-8; save the file as UTF-8",
        ]
    );
}

#[test]
fn a_campus_beyond_a_bound_is_refused_before_anything_is_made_of_it() {
    let mut files = right_folder();
    files.0.insert("campus.toml".into(), vec![b'\n'; 16 * 1024 * 1024 + 1]);
    assert_eq!(lines(&files), ["campus.toml:1:1: has 16777217 bytes; a policy has at most 16777216"]);

    let doors: String = (0..65_535).map(|n| format!("x{n},b1,Door,entry\n")).collect();
    let text = "door_id,building_id,name,function\nd1,b1,Gate,entry\nd2,b1,Shop,payment\n".to_owned() + &doors;
    let mut files = right_folder();
    files.0.insert("doors.csv".into(), text.into());
    let message = "is one door too many of agent `agent-1`; an agent has at most 65536";
    assert_eq!(lines(&files), [format!("doors.csv:10003:1: door_id `x9999` {message}")]);

    let entries = "\"mon 01:00-02:00\", ".repeat(501);
    let files = with_slip("campus.toml", "\"mon-fri 06:00-23:00\", ", &entries);
    assert_eq!(lines(&files), ["campus.toml:28:10: weekly has 502 entries; a schedule has at most 500"]);
}

/// What slips are made of: delimiters, references, numbers at the edge of their types, and what no text contains.
const SCRAPS: [&[u8]; 24] = [
    b"",
    b",",
    b"\"",
    b"\n",
    b"\r",
    b"\r\n",
    b"=",
    b"[",
    b"]",
    b"{",
    b"}",
    b".",
    b"\\",
    b"#",
    b"-",
    b":",
    b"0",
    b"a",
    b"\xff",
    b"\xef\xbb\xbf",
    b"4294967296",
    b"9999-12-31",
    b"'''",
    b"\0",
];

proptest! {
    #[test]
    fn whatever_is_in_the_files_the_answer_is_a_campus_or_problems_with_places_in_them(
        slips in prop::collection::vec((0..8_usize, any::<prop::sample::Index>(), 0..4_usize, 0..SCRAPS.len()), 1..6),
    ) {
        let mut files = right_folder();
        for (file, at, length, scrap) in slips {
            let bytes = files.0.get_mut(CampusFiles::NAMES[file]).unwrap();
            let start = at.index(bytes.len() + 1);
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, SCRAPS[scrap].iter().copied());
        }
        if let Err(problems) = parse(&files) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                let text = String::from_utf8_lossy(&files.0[&problem.file]).into_owned();
                let line = text.split('\n').nth(usize::try_from(problem.line).unwrap() - 1);
                let columns = line.map(|line| line.chars().count() + 1);
                let column = usize::try_from(problem.column).unwrap();
                prop_assert!(columns.is_some_and(|columns| (1..=columns).contains(&column)), "{problem} in {text:?}");
            }
        }
    }
}

struct Slip {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    problems: &'static [&'static str],
}

const SLIPS: &[Slip] = &[
    Slip {
        file: "campus.toml",
        right: "id = \"c\"",
        wrong: "id = \"c d\"",
        problems: &["campus.toml:2:6: id `c d` contains ' '; an id is made of A-Z a-z 0-9 . _ -"],
    },
    Slip { file: "campus.toml", right: "id = \"c\"\n", wrong: "", problems: &["campus.toml:1:1: [campus] lacks `id`"] },
    Slip {
        file: "campus.toml",
        right: "[campus]",
        wrong: "[kampus]",
        problems: &[
            "campus.toml:1:1: campus.toml lacks `campus`",
            "campus.toml:1:2: key `kampus` is not known in campus.toml; did you mean `campus`?; its keys are campus, holiday, function, card_type, category, schedule, rule, fee, photo, campaign, entitlement, retention, self_service",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "Asia/Seoul",
        wrong: "asia/seoul",
        problems: &[
            "campus.toml:4:13: time_zone `asia/seoul` is not a time zone of the IANA database 2026e, such as Asia/Seoul; did you mean `Asia/Seoul`?",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "Asia/Seoul",
        wrong: "Asia/Atlantis",
        problems: &[
            "campus.toml:4:13: time_zone `Asia/Atlantis` is not a time zone of the IANA database 2026e, such as Asia/Seoul",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "lease = \"30 days\"",
        wrong: "lease = 30",
        problems: &["campus.toml:5:9: lease is an integer; expected a string"],
    },
    Slip {
        file: "campus.toml",
        right: "30 days",
        wrong: "0 days",
        problems: &["campus.toml:5:9: lease `0 days` is not from 1 minute to 366000 days"],
    },
    Slip {
        file: "campus.toml",
        right: "30 days",
        wrong: "30 weeks",
        problems: &[
            "campus.toml:5:9: lease `30 weeks` is not a lease; expected \"<n> days\", \"<n> hours\" or \"<n> minutes\"",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "lease = \"30 days\"",
        wrong: "leese = \"30 days\"",
        problems: &[
            "campus.toml:5:1: key `leese` is not known in [campus]; did you mean `lease`?; its keys are id, name, time_zone, lease",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "name = \"Campus\"",
        wrong: "name = \"\"",
        problems: &["campus.toml:3:8: name is empty; it must be given"],
    },
    Slip {
        file: "campus.toml",
        right: "date = 2026-03-01",
        wrong: "date = 2026-02-30",
        problems: &["campus.toml:8:8: not TOML: invalid date, expected day between 01 and 28 at `2026-02-30`"],
    },
    Slip {
        file: "campus.toml",
        right: "date = 2026-03-01",
        wrong: "date = \"2026-02-30\"",
        problems: &["campus.toml:8:8: date `2026-02-30` is not a date; a date is YYYY-MM-DD, such as 2026-03-02"],
    },
    Slip {
        file: "campus.toml",
        right: "date = 2026-03-01",
        wrong: "date = 2026-03-01T00:00:00",
        problems: &["campus.toml:8:8: date is a datetime; expected a date without time, such as 2026-03-02"],
    },
    Slip {
        file: "campus.toml",
        right: "date = 2026-03-01",
        wrong: "date = 1026-03-01",
        problems: &["campus.toml:8:8: date `1026-03-01` is outside of 1900-01-01 to 2199-12-31"],
    },
    Slip {
        file: "campus.toml",
        right: "date = 2026-03-01",
        wrong: "date = true",
        problems: &["campus.toml:8:8: date is a boolean; expected a date such as 2026-03-02"],
    },
    Slip {
        file: "campus.toml",
        right: "[function.entry]",
        wrong: "[function.\"en try\"]\n[function.entry]",
        problems: &["campus.toml:11:11: function `en try` contains ' '; an id is made of A-Z a-z 0-9 . _ -"],
    },
    Slip {
        file: "campus.toml",
        right: "[function.entry]",
        wrong: "[function.entry]\n[function.entry]",
        problems: &["campus.toml:12:11: not TOML: duplicate key at `entry`"],
    },
    Slip {
        file: "campus.toml",
        right: "identity = false",
        wrong: "identity = \"no\"",
        problems: &["campus.toml:13:12: identity is a string; expected true or false"],
    },
    Slip {
        file: "campus.toml",
        right: "medium = \"card\"",
        wrong: "medium = \"paper\"",
        problems: &["campus.toml:18:10: medium `paper` is not known; expected card | magstripe | qr | fingerprint"],
    },
    Slip {
        file: "campus.toml",
        right: "functions = [\"entry\", \"payment\"]",
        wrong: "functions = [\"entry\", \"paiment\", \"entry\", 3]",
        problems: &[
            "campus.toml:19:23: functions `paiment` is not declared in campus.toml; did you mean `payment`?",
            "campus.toml:19:43: functions is an integer; expected a string",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "prefix = \"60\", digits = 8, check = \"luhn\", person_id_at = 2",
        wrong: "prefix = \"6x\", digits = 0, check = \"mod10\", person_id_at = -1, suffix = 1",
        problems: &[
            "campus.toml:20:28: prefix `6x` is not made of digits",
            "campus.toml:20:43: digits is 0; expected a whole number from 1 to 100",
            "campus.toml:20:54: check `mod10` is not known; expected luhn",
            "campus.toml:20:78: person_id_at is -1; expected a whole number from 0 to 100",
            "campus.toml:20:82: key `suffix` is not known in number_format; its keys are prefix, digits, check, person_id_at, ordinal_at, kind_at, kind",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "person_id_at = 2 }",
        wrong: "person_id_at = 2, ordinal_at = \"6\", kind_at = 7, kind = \"12\" }",
        problems: &[
            "campus.toml:20:93: ordinal_at is a string; expected a whole number",
            "campus.toml:20:118: kind `12` is not one digit",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "person_id_at = 2 }",
        wrong: "person_id_at = 2, kind_at = 7 }",
        problems: &["campus.toml:20:90: kind_at says where a digit stands, and `kind` does not say which"],
    },
    Slip {
        file: "campus.toml",
        right: "[[rule]]\nid = \"own\"",
        wrong: "[[fee]]\ncause = \"losst\"\namount = \"2000\"\nreturned = 1\nwithin = \"6 moons\"\n\n[[rule]]\nid = \"own\"",
        problems: &[
            "campus.toml:32:9: cause `losst` is not known; expected first | lost | stolen | damaged | destroyed | department-change | role-change | not-working | temporary",
            "campus.toml:33:10: amount `2000` is not an amount such as \"2000 KRW\" or \"2.65 EUR\"",
            "campus.toml:34:12: returned is an integer; expected true or false",
            "campus.toml:35:10: within `6 moons` is not \"<n> years\", \"<n> months\" or \"<n> days\"",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "[[rule]]\nid = \"own\"",
        wrong: "[photo]\nwidth = 0\nbytes_max = \"1 MB\"\n[self_service]\ntap = true\ntaps = 30\n[retention]\naccess_records = 365\nalarms = \"0 days\"\nphotos = \"a while\"\nlook = \"2 years\"\n\n[[rule]]\nid = \"own\"",
        problems: &[
            "campus.toml:31:1: [photo] lacks `height`",
            "campus.toml:32:9: width is 0; expected a whole number from 1 to 2000",
            "campus.toml:33:13: bytes_max is a string; expected a whole number",
            "campus.toml:35:1: key `tap` is not known in [self_service]; did you mean `taps`?; its keys are taps",
            "campus.toml:36:8: taps is an integer; expected a string",
            "campus.toml:38:18: access_records is an integer; expected a string",
            "campus.toml:39:10: alarms `0 days` keeps nothing at all; at least \"1 days\"",
            "campus.toml:40:10: photos `a while` is not \"<n> years\", \"<n> months\" or \"<n> days\"",
            "campus.toml:41:1: key `look` is not known in [retention]; did you mean `looks`?; its keys are access_records, alarms, looks, photos, closed_accounts",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "[[rule]]\nid = \"own\"",
        wrong: "[[fee]]\nwithin = \"6 months\"\n\n[[rule]]\nid = \"own\"",
        problems: &["campus.toml:31:1: [[fee]] lacks `amount`", "campus.toml:31:1: [[fee]] lacks `cause`"],
    },
    Slip {
        file: "campus.toml",
        right: "validity = \"ends_on\"",
        wrong: "validity = \"forever\"",
        problems: &[
            "campus.toml:23:12: validity `forever` is not known; expected ends_on | long-term | <n> years | <n> months | <n> days",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "validity = \"ends_on\"\n",
        wrong: "",
        problems: &["campus.toml:22:1: [category.student] lacks `validity`"],
    },
    Slip {
        file: "campus.toml",
        right: "2 years",
        wrong: "1001 years",
        problems: &["campus.toml:24:15: without_end `1001 years` is too long; at most 1000 years"],
    },
    Slip {
        file: "campus.toml",
        right: "grace_days = 60",
        wrong: "grace_days = 1000000",
        problems: &["campus.toml:25:14: grace_days is 1000000; expected a whole number from 0 to 366000"],
    },
    Slip {
        file: "campus.toml",
        right: "grace_days = 60",
        wrong: "grace_days = 60.5",
        problems: &["campus.toml:25:14: grace_days is a float; expected a whole number"],
    },
    Slip {
        file: "campus.toml",
        right: "mon-fri 06:00-23:00",
        wrong: "mon-fry 06:00-23:00",
        problems: &[
            "campus.toml:28:11: weekly `mon-fry 06:00-23:00` names the day `fry`; days are mon, tue, wed, thu, fri, sat, sun",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "mon-fri 06:00-23:00",
        wrong: "mon-fri 24:00-23:00",
        problems: &[
            "campus.toml:28:11: weekly `mon-fri 24:00-23:00` starts at 24:00, which can only be an end; expected 00:00",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "mon-fri 06:00-23:00",
        wrong: "mon-fri 6:00-23:00",
        problems: &[
            "campus.toml:28:11: weekly `mon-fri 6:00-23:00` has the time `6:00`; a time is 00:00 to 23:59, and 24:00 as an end",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "[\"10:00-18:00\"]",
        wrong: "[\"mon 10:00-18:00\"]",
        problems: &[
            "campus.toml:29:13: holidays `mon 10:00-18:00` has the time `mon 10:00`; a time is 00:00 to 23:59, and 24:00 as an end",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "[schedule.hours]",
        wrong: "[schedule.always]\nweekly = []\n[schedule.hours]",
        problems: &["campus.toml:27:1: schedule `always` exists without being declared; give this one another name"],
    },
    Slip {
        file: "campus.toml",
        right: "id = \"named\"",
        wrong: "id = \"own\"",
        problems: &["campus.toml:42:6: id `own` is there already, on line 32"],
    },
    Slip {
        file: "campus.toml",
        right: "effect = \"permit\"",
        wrong: "effect = \"allow\"",
        problems: &["campus.toml:33:10: effect `allow` is not known; expected permit | deny"],
    },
    Slip {
        file: "campus.toml",
        right: "when = \"hours\"",
        wrong: "when = \"houres\"",
        problems: &["campus.toml:36:8: when `houres` is not declared in campus.toml; did you mean `hours`?"],
    },
    Slip {
        file: "campus.toml",
        right: "until = \"2027-02-28\"",
        wrong: "until = 2026-03-01",
        problems: &["campus.toml:38:9: until `2026-03-01` is before from `2026-03-02`"],
    },
    Slip {
        file: "campus.toml",
        right: "factors = [\"pin\"]",
        wrong: "factors = [\"pin\", \"pin\", \"nose\"]",
        problems: &["campus.toml:39:26: factors `nose` is not known; expected pin | fingerprint | face"],
    },
    Slip {
        file: "campus.toml",
        right: "who = { categories = [\"student\"], affiliated_to_owner = true }",
        wrong: "who = {}",
        problems: &["campus.toml:34:7: who is empty; name someone, or write everyone = true"],
    },
    Slip {
        file: "campus.toml",
        right: "where = { functions = [\"entry\"] }",
        wrong: "where = {}",
        problems: &["campus.toml:35:9: where is empty; name functions, buildings or doors"],
    },
    Slip {
        file: "campus.toml",
        right: "where = { functions = [\"entry\"] }\n",
        wrong: "",
        problems: &["campus.toml:31:1: [[rule]] lacks `where`"],
    },
    Slip {
        file: "campus.toml",
        right: "categories = [\"student\"], affiliated_to_owner = true",
        wrong: "categories = [], affiliated_to_owner = false",
        problems: &[
            "campus.toml:34:22: categories is an empty list; name at least one or leave the key out",
            "campus.toml:34:48: affiliated_to_owner is false; it can only be true, leave it out otherwise",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "everyone = true",
        wrong: "everyone = true, people = [\"p1\"]",
        problems: &[
            "campus.toml:48:20: everyone is allowed only alone; leave it out or leave the other keys of who out",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "units = [\"math\"], people = [\"p1\"], card_types = [\"plastic\"]",
        wrong: "units = [\"maths\"], people = [\"p3\", \"p 1\"], card_types = [\"paper\"]",
        problems: &[
            "campus.toml:43:18: units `maths` is not declared in units.csv; did you mean `math`?",
            "campus.toml:43:38: people `p3` is not declared in people.csv",
            "campus.toml:43:44: people `p 1` contains ' '; an id is made of A-Z a-z 0-9 . _ -",
            "campus.toml:43:66: card_types `paper` is not declared in campus.toml",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "buildings = [\"b1\"], doors = [\"d1\"]",
        wrong: "buildings = [\"b2\"], doors = \"d1\", floors = [1]",
        problems: &[
            "campus.toml:44:24: buildings `b2` is not declared in buildings.csv",
            "campus.toml:44:39: doors is a string; expected a list of strings",
            "campus.toml:44:45: key `floors` is not known in where; its keys are functions, buildings, doors",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "[[rule]]",
        wrong: "[rule]",
        problems: &[
            "campus.toml:31:1: rule is a table; expected a list of tables",
            "campus.toml:41:3: not TOML: duplicate key at `rule`",
            "campus.toml:45:3: not TOML: duplicate key at `rule`",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "id = \"c\"",
        wrong: "id = c\nnmae = 1",
        problems: &[
            "campus.toml:2:6: not TOML: string values must be quoted, expected literal string at `c`",
            "campus.toml:3:1: key `nmae` is not known in [campus]; did you mean `name`?; its keys are id, name, time_zone, lease",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "name = \"Plastic\"",
        wrong: "name = \"Plastic\nx",
        problems: &[
            "campus.toml:17:16: not TOML: invalid basic string, expected `\"`",
            "campus.toml:18:2: not TOML: key with no value, expected `=`",
        ],
    },
    Slip {
        file: "units.csv",
        right: "math,Mathematics,department,science",
        wrong: "math,Mathematics,department,sciense",
        problems: &["units.csv:3:29: parent_id `sciense` is not declared in units.csv; did you mean `science`?"],
    },
    Slip {
        file: "units.csv",
        right: "college,\n",
        wrong: "college,math\n",
        problems: &["units.csv:3:29: parent_id `science` closes a cycle: `math` -> `science` -> `math`"],
    },
    Slip {
        file: "units.csv",
        right: "college,\n",
        wrong: "college,science\n",
        problems: &["units.csv:2:25: parent_id `science` closes a cycle: `science` -> `science`"],
    },
    Slip {
        file: "units.csv",
        right: "Mathematics",
        wrong: "",
        problems: &["units.csv:3:6: name is empty; it must be given"],
    },
    Slip {
        file: "units.csv",
        right: "Mathematics",
        wrong: "Mathe\u{7}matics",
        problems: &["units.csv:3:6: name `Mathe\\u{7}matics` contains the control character '\\u{7}'"],
    },
    Slip {
        file: "units.csv",
        right: "math,",
        wrong: "science,",
        problems: &[
            "affiliations.csv:2:4: unit_id `math` is not declared in units.csv",
            "campus.toml:43:18: units `math` is not declared in units.csv",
            "doors.csv:2:18: owner_unit_id `math` is not declared in units.csv",
            "grants.csv:3:4: subject `unit:math` is not declared in units.csv",
            "units.csv:3:1: unit_id `science` is there already, on line 2",
        ],
    },
    Slip {
        file: "units.csv",
        right: "unit_id,name,kind,parent_id",
        wrong: "unit_id,title,kind,parent_id,kind",
        problems: &[
            "units.csv:1:1: header lacks `name`; its columns are unit_id,name,kind?,parent_id?",
            "units.csv:1:9: column `title` is not known; columns are unit_id,name,kind?,parent_id?",
            "units.csv:1:30: column `kind` is there twice",
        ],
    },
    Slip {
        file: "units.csv",
        right: "math,Mathematics,department,science",
        wrong: "math,Mathematics,department",
        problems: &["units.csv:3:1: row has 3 fields; the header has 4"],
    },
    Slip {
        file: "buildings.csv",
        right: "b1,Hall,agent-1,science",
        wrong: "b1,Hall,,art",
        problems: &[
            "buildings.csv:2:9: agent_id is empty; it must be given",
            "buildings.csv:2:10: owner_unit_id `art` is not declared in units.csv",
        ],
    },
    Slip {
        file: "doors.csv",
        right: "d1,b1,Gate,entry,math,hours",
        wrong: "d1,b2,Gate,entri,maths,hour",
        problems: &[
            "doors.csv:2:4: building_id `b2` is not declared in buildings.csv",
            "doors.csv:2:12: function `entri` is not declared in campus.toml; did you mean `entry`?",
            "doors.csv:2:18: owner_unit_id `maths` is not declared in units.csv; did you mean `math`?",
            "doors.csv:2:24: unlock_schedule `hour` is not declared in campus.toml; did you mean `hours`?",
        ],
    },
    Slip {
        file: "people.csv",
        right: "p1,One,student,2027-02-28,",
        wrong: "p1,One,students,2027-2-28,2027-02-29",
        problems: &[
            "people.csv:2:8: category `students` is not declared in campus.toml; did you mean `student`?",
            "people.csv:2:17: ends_on `2027-2-28` is not a date; a date is YYYY-MM-DD, such as 2026-03-02",
            "people.csv:2:27: left_on `2027-02-29` is not a date; a date is YYYY-MM-DD, such as 2026-03-02",
        ],
    },
    Slip {
        file: "people.csv",
        right: "p2,Two",
        wrong: "p1,Two",
        problems: &[
            "affiliations.csv:3:1: person_id `p2` is not declared in people.csv",
            "cards.csv:3:7: person_id `p2` is not declared in people.csv",
            "people.csv:3:1: person_id `p1` is there already, on line 2",
        ],
    },
    Slip {
        file: "affiliations.csv",
        right: "p1,math,2026-03-02,2027-02-28",
        wrong: "p9,math,2026-03-02,2026-03-01",
        problems: &[
            "affiliations.csv:2:1: person_id `p9` is not declared in people.csv",
            "affiliations.csv:2:20: until `2026-03-01` is before from `2026-03-02`",
        ],
    },
    Slip {
        file: "cards.csv",
        right: "04:A1,p1,plastic,active,2026-03-02,,",
        wrong: "04:A1,p1,plastics,lost,,2026-03-01,",
        problems: &[
            "cards.csv:2:10: card_type `plastics` is not declared in campus.toml; did you mean `plastic`?",
            "cards.csv:2:19: state `lost` is not known; expected produced | active | suspended | closed",
            "cards.csv:2:24: issued_on is empty; it must be given",
        ],
    },
    Slip {
        file: "cards.csv",
        right: "04:A1,p1,plastic,active,2026-03-02,,",
        wrong: "04 A1,p1,plastic,active,2026-03-02,2026-03-01,60p10000",
        problems: &[
            "cards.csv:2:1: card_id `04 A1` contains ' '; an id is made of A-Z a-z 0-9 . _ - :",
            "cards.csv:2:47: number `60p10000` is not made of digits",
        ],
    },
    Slip {
        file: "cards.csv",
        right: "04:A2",
        wrong: "04:A1",
        problems: &["cards.csv:3:1: card_id `04:A1` is there already, on line 2"],
    },
    Slip {
        file: "grants.csv",
        right: "g1,person:p1,door:d1,hours,2026-04-01,",
        wrong: "own,persons:p1,door:d9,ours,2026-04-01,2026-03-01",
        problems: &[
            "grants.csv:2:1: grant_id `own` is the id of a rule already, on line 32 of campus.toml",
            "grants.csv:2:5: subject `persons:p1` is not known; expected person:ID | unit:ID | category:ID",
            "grants.csv:2:16: target `door:d9` is not declared in doors.csv",
            "grants.csv:2:24: schedule `ours` is not declared in campus.toml; did you mean `hours`?",
            "grants.csv:2:40: until `2026-03-01` is before from `2026-04-01`",
        ],
    },
    Slip {
        file: "grants.csv",
        right: "g2,unit:math,building:b1",
        wrong: "g1,unit,building:",
        problems: &[
            "grants.csv:3:1: grant_id `g1` is there already, on line 2",
            "grants.csv:3:4: subject `unit` is not known; expected person:ID | unit:ID | category:ID",
            "grants.csv:3:9: target `building:` is empty; an id has 1 to 64 characters",
        ],
    },
];
