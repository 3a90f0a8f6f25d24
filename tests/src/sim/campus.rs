//! The campus of a run: small for each agent, and with every kind of rule, date and lease somewhere in it.
//!
//! It is written as a campus folder and read by the production parser, so that nothing in it is impossible.

use crate::sim::chance::Chance;
use anyhow::{Result, anyhow};
use core::fmt::Write;
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::Campus;
use doorward_protocol::time::{Day, UnixMs};
use std::collections::BTreeMap;

const ZONES: [&str; 6] =
    ["UTC", "Asia/Seoul", "Europe/Zagreb", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham"];

/// Days near which something happens to clocks or calendars.
const STARTS: [&str; 6] = [
    "2026-03-02T00:00:00Z",
    "2026-03-28T12:00:00Z",
    "2026-10-24T12:00:00Z",
    "2024-02-28T00:00:00Z",
    "2026-12-31T06:00:00Z",
    "2026-04-04T06:00:00Z",
];

/// Buildings that many may enter. In a larger campus the others are for those who belong there, as in a real one; with all
/// cards at each agent, a run would be about memory.
const OPEN_BUILDINGS_MAX: usize = 8;

/// Each `@` is narrowed to the open buildings of a large campus.
const POLICY: &str = r#"
function.entry = {}
function.lab = { lease = "2 hours" }
function.meals = { identity = false }
card_type.card = { name = "Card", medium = "card", functions = ["entry", "lab", "meals"] }
card_type.phone = { name = "Phone", medium = "qr", functions = ["entry", "meals"] }
category.student = { validity = "ends_on", without_end = "2 years", grace_days = 1 }
category.staff = { validity = "long-term" }
category.visitor = { validity = "2 days" }
schedule.day = { weekly = ["mon-fri 07:00-19:00", "sat 09:00-13:00"], holidays = ["10:00-12:00"] }
schedule.night = { weekly = ["mon-fri 22:00-03:30", "sat,sun 20:00-06:00"], holidays = [] }
[[rule]]
id = "own-unit"
who = { affiliated_to_owner = true }
where = { functions = ["entry"] }
[[rule]]
id = "colleges-by-day"
who = { categories = ["student", "visitor"] }
where = { functions = ["entry"]@ }
when = "day"
[[rule]]
id = "lab-staff"
who = { categories = ["staff"] }
where = { functions = ["lab"]@ }
[[rule]]
id = "lab-by-night"
who = { affiliated_to_owner = true }
where = { functions = ["lab"] }
when = "night"
factors = ["pin"]
[[rule]]
id = "meals"
who = { everyone = true }
where = { functions = ["meals"]@ }
[[rule]]
id = "barred"
effect = "deny"
who = { people = ["p-0"] }
where = { buildings = ["b-0"] }
"#;

/// Most people of a run; beyond it a campus is larger only in buildings.
const PEOPLE_MAX: usize = 20_000;

/// The instant at which a run begins.
pub fn start(chance: &mut Chance) -> UnixMs {
    let text = chance.pick(&STARTS).copied().unwrap_or("2026-03-02T00:00:00Z");
    UnixMs::parse(text).unwrap_or_default().plus_ms(chance.between(0, 3_600_000))
}

/// The folder of a run.
///
/// # Errors
/// When it is none that the parser takes, which is a fault of this file.
pub fn campus(chance: &mut Chance, start: UnixMs, agents: usize) -> Result<Campus> {
    let today = i32::try_from(start.0 / 86_400_000)?;
    let mut tables = Tables { chance, today, agents, files: BTreeMap::new() };
    tables.policy()?;
    tables.places()?;
    tables.people()?;
    let files = tables.files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes()));
    parse(&CampusFiles(files.collect())).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        anyhow!("the simulated campus is none: {first}")
    })
}

struct Tables<'a> {
    chance: &'a mut Chance,
    today: i32,
    agents: usize,
    files: BTreeMap<&'static str, String>,
}

impl Tables<'_> {
    fn day(&mut self, low: i64, high: i64) -> String {
        let offset = i32::try_from(self.chance.between(low, high)).unwrap_or_default();
        Day(self.today + offset).to_string()
    }

    /// A day in one of `n` times, else nothing.
    fn day_in(&mut self, n: u64, low: i64, high: i64) -> String {
        if self.chance.one_in(n) { self.day(low, high) } else { String::new() }
    }

    fn policy(&mut self) -> Result<()> {
        let zone = self.chance.pick(&ZONES).copied().unwrap_or("UTC");
        let leases = [Some("6 hours"), Some("1 days"), Some("90 minutes"), None];
        let lease = self.chance.pick(&leases).copied().flatten();
        let lease = lease.map(|lease| format!(", lease = \"{lease}\"")).unwrap_or_default();
        let holiday = self.day(0, 3);
        let mut text = format!("campus = {{ id = \"sim\", name = \"Simulated\", time_zone = \"{zone}\"{lease} }}\n");
        let open: Vec<String> = (0..OPEN_BUILDINGS_MAX).map(|n| format!("\"b-{n}\"")).collect();
        let is_large = self.agents > OPEN_BUILDINGS_MAX;
        let narrowed = if is_large { format!(", buildings = [{}]", open.join(", ")) } else { String::new() };
        text.push_str(&POLICY.replace('@', &narrowed));
        write!(text, "[[holiday]]\ndate = {holiday}\nname = \"A day off\"\n")?;
        self.files.insert("campus.toml", text);
        Ok(())
    }

    fn places(&mut self) -> Result<()> {
        let mut units = "unit_id,name,parent_id\nu-0,All,\n".to_owned();
        let mut buildings = "building_id,name,agent_id,owner_unit_id\n".to_owned();
        let mut doors = "door_id,building_id,name,function,owner_unit_id,unlock_schedule\n".to_owned();
        for n in 0..self.agents {
            let parent = self.chance.index(n + 1);
            writeln!(units, "u-{},Unit,u-{parent}", n + 1)?;
            writeln!(buildings, "b-{n},Building,agent-{n},u-{}", n + 1)?;
            for (door, function) in ["entry", "lab", "meals"].into_iter().enumerate() {
                if door > 0 && self.chance.one_in(3) {
                    continue;
                }
                let unlock = if self.chance.one_in(5) { "day" } else { "" };
                writeln!(doors, "d-{n}-{door},b-{n},Door,{function},,{unlock}")?;
            }
        }
        self.files.extend([("units.csv", units), ("buildings.csv", buildings), ("doors.csv", doors)]);
        Ok(())
    }

    fn people(&mut self) -> Result<()> {
        let mut people = "person_id,name,category,ends_on,left_on\n".to_owned();
        let mut affiliations = "person_id,unit_id,from,until\n".to_owned();
        let mut cards = "card_id,person_id,card_type,state,issued_on,valid_until\n".to_owned();
        for n in 0..(self.agents * 5).clamp(12, PEOPLE_MAX) {
            let category = self.chance.pick(&["student", "student", "staff", "visitor"]).copied().unwrap_or("student");
            let (ends_on, left_on) = (self.day_in(4, 0, 4), self.day_in(9, -1, 3));
            writeln!(people, "p-{n},Person,{category},{ends_on},{left_on}")?;
            for unit in 0..self.chance.index(3) {
                let (from, until) = (self.day_in(3, -2, 3), self.day_in(3, 3, 6));
                let home = self.chance.index(self.agents + 1);
                let unit = if unit == 0 { n % self.agents + 1 } else { home };
                writeln!(affiliations, "p-{n},u-{unit},{from},{until}")?;
            }
            for kind in 0..1 + self.chance.index(2) {
                let card_type = if kind == 0 { "card" } else { "phone" };
                let states = ["active", "active", "active", "active", "active", "produced", "suspended", "closed"];
                let state = self.chance.pick(&states).copied().unwrap_or("active");
                let (issued_on, valid_until) = (self.day(-2, 2), self.day_in(6, 1, 4));
                writeln!(cards, "c-{n}-{kind},p-{n},{card_type},{state},{issued_on},{valid_until}")?;
            }
        }
        let grants = "grant_id,subject,target,schedule,from,until\ng-0,unit:u-1,building:b-0,night,,\n";
        self.files.extend([("people.csv", people), ("affiliations.csv", affiliations), ("cards.csv", cards)]);
        self.files.insert("grants.csv", grants.to_owned());
        Ok(())
    }
}
