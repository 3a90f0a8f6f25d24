//! A small campus for this crate's tests, and what they all need.

use crate::command::{Actor, Command, Entry};
use crate::directory::{Directory, Refusal};
use crate::folder::{CampusFiles, parse};
use crate::model::Campus;
use crate::touched::Touched;
use doorward_protocol::time::UnixMs;

const POLICY: &str = r#"
    campus = { id = "c", name = "Campus", time_zone = "Asia/Seoul" }
    function = { entry = {}, shop = { identity = false } }
    card_type.card = { name = "Card", medium = "card", functions = ["entry", "shop"] }
    card_type.phone = { name = "Phone", medium = "qr", functions = ["shop"] }
    category.student = { validity = "ends_on", grace_days = 2 }
    category.staff = { validity = "long-term" }
    schedule.day = { weekly = ["mon-fri 07:00-19:00"], holidays = [] }
    [[rule]]
    id = "own-college"
    who = { affiliated_to_owner = true }
    where = { functions = ["entry"] }
    when = "day"
    [[rule]]
    id = "by-night"
    who = { categories = ["staff"], affiliated_to_owner = true }
    where = { functions = ["entry"] }
    factors = ["pin"]
    [[rule]]
    id = "expelled"
    effect = "deny"
    who = { people = ["eve"] }
    where = { buildings = ["hall"] }
    [[rule]]
    id = "shop"
    who = { everyone = true }
    where = { functions = ["shop"] }
"#;

const TABLES: [(&str, &str); 7] = [
    ("units.csv", "unit_id,name,parent_id\nscience,Science,\nphysics,Physics,science\narts,Arts,\n"),
    ("buildings.csv", "building_id,name,agent_id,owner_unit_id\nhall,Hall,agent-hall,science\nmall,Mall,agent-mall,\n"),
    (
        "doors.csv",
        "door_id,building_id,name,function,unlock_schedule\nmain,hall,Main,entry,\nkiosk,hall,Kiosk,shop,\n\
         open,mall,Open,shop,always\n",
    ),
    (
        "people.csv",
        "person_id,name,category,ends_on,left_on\nann,Ann,student,2030-02-28,\nbob,Bob,student,2030-02-28,\n\
         sue,Sue,staff,,\neve,Eve,staff,,\nold,Old,student,2030-02-28,2026-04-01\n",
    ),
    (
        "affiliations.csv",
        "person_id,unit_id,from,until\nann,physics,2026-03-02,\nbob,arts,,\nsue,science,,\neve,science,,\nold,physics,,\n",
    ),
    (
        "cards.csv",
        "card_id,person_id,card_type,state,issued_on\nA,ann,card,active,2026-03-01\nA2,ann,phone,active,2026-03-01\n\
         B,bob,card,active,2026-03-01\nS,sue,card,active,2026-03-01\nE,eve,card,active,2026-03-01\n\
         O,old,card,active,2026-03-01\nX,bob,card,suspended,2026-03-01\n",
    ),
    (
        "grants.csv",
        "grant_id,subject,target,schedule,from,until\nguest,unit:arts,door:main,day,2026-05-01,2026-05-31\n",
    ),
];

pub fn campus() -> Campus {
    let files = TABLES.into_iter().chain([("campus.toml", POLICY)]);
    parse(&CampusFiles(files.map(|(name, text)| (name.into(), text.into())).collect())).unwrap()
}

pub fn directory() -> Directory {
    directory_of(&campus())
}

pub fn directory_of(folder: &Campus) -> Directory {
    Directory::of_campus(folder).unwrap()
}

pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn at(text: &str) -> UnixMs {
    UnixMs::parse(text).unwrap()
}

/// Takes a command as the next entry, at the instant of the last.
pub fn take(directory: &mut Directory, command: Command) -> Result<Touched, Refusal> {
    let (seq, at) = (directory.head() + 1, directory.at());
    directory.apply(&Entry { seq, at, actor: Actor::system(), command })
}
