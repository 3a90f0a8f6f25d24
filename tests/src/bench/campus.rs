//! A made campus of any size, in realistic proportions, from a seed: folder files, the parsed campus, and taps.
//!
//! Deliberately only a maker of the files that offices would write: what they mean is worked out by production code.
//! The proportions are those of [`Recipe::describe`], which is printed with every result.

use crate::random::Random;
use anyhow::{Result, anyhow};
use doorward_policy::folder::{CampusFiles, parse};
use doorward_policy::model::Campus;
use doorward_protocol::facts::Factors;
use doorward_protocol::time::{Day, UnixMs};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// First day on which taps happen; nobody of the campus began after it except those who are known to begin later.
const TERM_BEGINS: &str = "2026-09-01";

/// Days over which taps are spread.
const TERM_DAYS: u64 = 180;

/// What a campus is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// The seed.
    pub seed: u64,
    /// How many people there are.
    pub people: u64,
    /// How many doors.
    pub doors: u64,
    /// How many agents; each controls one building.
    pub agents: u64,
    /// How many cards a hundred people have.
    pub cards_percent: u64,
}

/// One tap, as a reader would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeTap {
    /// When.
    pub at: UnixMs,
    /// At which door.
    pub door: String,
    /// What the reader read.
    pub card: String,
    /// What else was presented.
    pub factors: Factors,
}

/// What a building is for.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Library,
    Canteen,
    Dormitory,
    Departments,
    Everything,
}

const POLICY: &str = r#"[campus]
id = "made"
name = "A made campus"
time_zone = "Asia/Seoul"
lease = "30 days"

[[holiday]]
date = 2026-10-09
name = "Hangul Day"
[[holiday]]
date = 2026-12-25
name = "Christmas Day"

[function.building-entry]
[function.library]
[function.dormitory]
[function.laboratory]
lease = "7 days"
[function.dining]
identity = false

[card_type.card]
name = "Card"
medium = "card"
functions = ["building-entry", "library", "dormitory", "laboratory", "dining"]
[card_type.mobile]
name = "Mobile card"
medium = "qr"
functions = ["building-entry", "library", "dining"]

[category.undergraduate]
validity = "ends_on"
grace_days = 60
[category.graduate]
validity = "ends_on"
grace_days = 60
[category.staff]
validity = "long-term"
grace_days = 30
[category.faculty]
validity = "ends_on"
without_end = "5 years"
[category.visitor]
validity = "6 months"

[schedule.day]
weekly = ["mon-fri 07:00-23:00", "sat 08:00-18:00"]
holidays = []
[schedule.library-hours]
weekly = ["mon-fri 06:00-24:00", "sat,sun 08:00-22:00"]
holidays = ["10:00-18:00"]
[schedule.meals]
weekly = ["mon-sun 07:00-20:00"]
[schedule.night]
weekly = ["mon-sun 22:00-05:00"]
[schedule.gate-day]
weekly = ["mon-fri 09:00-18:00"]
holidays = []

[[rule]]
id = "own-building"
who = { affiliated_to_owner = true }
where = { functions = ["building-entry"] }
when = "day"
[[rule]]
id = "own-building-employees"
who = { categories = ["staff", "faculty"], affiliated_to_owner = true }
where = { functions = ["building-entry"] }
[[rule]]
id = "own-laboratory"
who = { categories = ["graduate", "faculty"], affiliated_to_owner = true }
where = { functions = ["laboratory"] }
factors = ["pin"]
[[rule]]
id = "library"
who = { categories = ["undergraduate", "graduate", "staff", "faculty"] }
where = { functions = ["library"] }
when = "library-hours"
[[rule]]
id = "dining"
who = { everyone = true }
where = { functions = ["dining"] }
when = "meals"
[[rule]]
id = "dormitory"
who = { units = ["dormitory"] }
where = { functions = ["dormitory"] }
[[rule]]
id = "visitors-by-night"
effect = "deny"
who = { categories = ["visitor"] }
where = { functions = ["library", "dining", "building-entry"] }
when = "night"
"#;

impl Recipe {
    /// What the campus is made of, in a paragraph.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "Campus of seed {}: {} people (72 % undergraduates, 14 % graduates, 9 % staff, 4 % faculty, 1 % visitors; 8 % \
             with a second affiliation, 10 % in the dormitory, 3 % who begin later, 2 % who have left), {} cards (2 % \
             suspended, 2 % closed, 2 % produced), {} units, {} doors at {} agents with a building \
             each (one building in 200 is a library and one in 100 a canteen, both for everybody; one in 20 is a dormitory; \
             the others belong to a department and have entries, a tenth of them unlocked by day, and one laboratory with PIN \
             in five doors), 7 rules, {} grants.",
            self.seed,
            self.people,
            self.cards(),
            self.departments() + self.colleges() + 2,
            self.doors,
            self.agents,
            self.grants(),
        )
    }

    const fn cards(&self) -> u64 {
        self.people * self.cards_percent / 100
    }

    fn departments(&self) -> u64 {
        (self.people / 500).clamp(4, 1000)
    }

    fn colleges(&self) -> u64 {
        (self.departments() / 10).max(1)
    }

    const fn grants(&self) -> u64 {
        self.doors / 5
    }

    /// The id of a card by its number.
    #[must_use]
    pub fn card(&self, number: u64) -> String {
        // Of the length of a UID; spread over the number range as those are.
        let spread = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8;
        format!("{spread:014X}")
    }

    /// The id of a person by number.
    #[must_use]
    pub fn person(&self, number: u64) -> String {
        format!("p{number:07}")
    }

    /// The id of a door by number.
    #[must_use]
    pub fn door(&self, number: u64) -> String {
        format!("door-{number:05}")
    }

    /// The id of an agent by number.
    #[must_use]
    pub fn agent(&self, number: u64) -> String {
        format!("agent-{number:05}")
    }

    /// The files of the campus folder.
    #[must_use]
    pub fn files(&self) -> CampusFiles {
        let mut random = Random::new(self.seed);
        let files = [
            ("campus.toml", POLICY.to_owned()),
            ("units.csv", self.units()),
            ("buildings.csv", self.buildings()),
            ("doors.csv", self.door_rows(&mut random)),
            ("grants.csv", self.grant_rows(&mut random)),
        ];
        let mut files: CampusFiles =
            CampusFiles(files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect());
        let (people, affiliations, cards) = self.people_rows(&mut random);
        let rows = [("people.csv", people), ("affiliations.csv", affiliations), ("cards.csv", cards)];
        files.0.extend(rows.map(|(name, text)| (name.to_owned(), text.into_bytes())));
        files
    }

    /// Writes the campus folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        self.files().0.iter().try_for_each(|(name, bytes)| Ok(fs::write(folder.join(name), bytes)?))
    }

    /// The campus as the authority reads it.
    ///
    /// # Errors
    /// The first problem of the folder, which is a fault of this maker.
    pub fn campus(&self) -> Result<Campus> {
        parse(&self.files()).map_err(|problems| {
            anyhow!("{}", problems.first().map_or_else(String::new, std::string::ToString::to_string))
        })
    }

    /// Random taps: any card at any door at any time of the term; one card in fifty is nobody's.
    #[must_use]
    pub fn taps(&self, count: usize) -> Vec<MadeTap> {
        let mut random = Random::new(self.seed ^ 0x7461_7073);
        let begin = i64::from(Day::parse(TERM_BEGINS).map_or(0, |day| day.0)) * 86_400_000;
        let tap = |_| {
            let unknown = random.below(50) == 0;
            let card = random.below(self.cards()) + if unknown { self.cards() } else { 0 };
            let after_ms = i64::try_from(random.below(TERM_DAYS * 86_400_000)).unwrap_or_default();
            MadeTap {
                at: UnixMs(begin + after_ms),
                door: self.door(random.below(self.doors)),
                card: self.card(card),
                factors: if random.below(3) == 0 { Factors::PIN } else { Factors::NONE },
            }
        };
        (0..count).map(tap).collect()
    }

    fn units(&self) -> String {
        let mut text =
            "unit_id,name,kind,parent_id\nuniversity,University,university,\ndormitory,Dormitory,office,university\n"
                .to_owned();
        for college in 0..self.colleges() {
            row(&mut text, format_args!("college-{college},College {college},college,university"));
        }
        for department in 0..self.departments() {
            let college = department % self.colleges();
            row(&mut text, format_args!("unit-{department},Department {department},department,college-{college}"));
        }
        text
    }

    fn buildings(&self) -> String {
        let mut text = "building_id,name,agent_id,owner_unit_id\n".to_owned();
        for building in 0..self.agents {
            let owner = building % self.departments();
            row(&mut text, format_args!("b-{building:05},Building {building},{},unit-{owner}", self.agent(building)));
        }
        text
    }

    /// What the doors of a building are for: libraries and canteens stand in few buildings that everybody uses.
    fn kind(&self, building: u64) -> Kind {
        let libraries = (self.agents / 200).max(1);
        let canteens = (self.agents / 100).max(1);
        let dormitories = (self.agents / 20).max(1);
        match building {
            // With so few buildings, one of them has doors of every kind.
            0 if self.agents < 4 => Kind::Everything,
            at if at < libraries => Kind::Library,
            at if at < libraries + canteens => Kind::Canteen,
            at if at < libraries + canteens + dormitories => Kind::Dormitory,
            _ => Kind::Departments,
        }
    }

    fn door_rows(&self, random: &mut Random) -> String {
        let mut text = "door_id,building_id,name,function,owner_unit_id,unlock_schedule\n".to_owned();
        for door in 0..self.doors {
            let building = door % self.agents;
            let any = ["library", "dining", "dormitory", "building-entry", "building-entry", "laboratory"];
            let function = match self.kind(building) {
                Kind::Library => "library",
                Kind::Canteen => "dining",
                Kind::Dormitory => "dormitory",
                Kind::Departments if random.below(5) == 0 => "laboratory",
                Kind::Departments => "building-entry",
                Kind::Everything => random.choose(&any).copied().unwrap_or_default(),
            };
            let unlock = if function == "building-entry" && random.below(10) == 0 { "gate-day" } else { "" };
            row(&mut text, format_args!("{},b-{building:05},Door {door},{function},,{unlock}", self.door(door)));
        }
        text
    }

    fn grant_rows(&self, random: &mut Random) -> String {
        let mut text = "grant_id,subject,target,schedule,from,until\n".to_owned();
        for grant in 0..self.grants() {
            let door = self.door(random.below(self.doors));
            let until = if random.below(2) == 0 { "2027-02-28" } else { "" };
            if random.below(4) == 0 {
                let unit = random.below(self.departments());
                let building = random.below(self.agents);
                row(&mut text, format_args!("g-{grant},unit:unit-{unit},building:b-{building:05},day,,{until}"));
            } else {
                let person = self.person(random.below(self.people));
                row(&mut text, format_args!("g-{grant},person:{person},door:{door},,2026-09-01,{until}"));
            }
        }
        text
    }

    fn people_rows(&self, random: &mut Random) -> (String, String, String) {
        let mut people = "person_id,name,category,ends_on,left_on\n".to_owned();
        let mut affiliations = "person_id,unit_id,from,until\n".to_owned();
        let mut cards = "card_id,person_id,card_type,state,issued_on,valid_until\n".to_owned();
        let mut cards_made = 0;
        for number in 0..self.people {
            let person = self.person(number);
            let category = match random.below(100) {
                0..72 => "undergraduate",
                72..86 => "graduate",
                86..95 => "staff",
                95..99 => "faculty",
                _ => "visitor",
            };
            let begun = 2023 + random.below(4);
            let ends_on = match category {
                "undergraduate" => format!("{}-02-28", begun + 4),
                "graduate" => format!("{}-08-31", begun + 3),
                _ => String::new(),
            };
            let left_on = if random.below(50) == 0 { "2026-10-15" } else { "" };
            row(&mut people, format_args!("{person},Person {number},{category},{ends_on},{left_on}"));
            let from = if random.below(33) == 0 { "2026-11-02".to_owned() } else { format!("{begun}-03-02") };
            let unit = random.below(self.departments());
            row(&mut affiliations, format_args!("{person},unit-{unit},{from},"));
            if random.below(12) == 0 {
                let second = random.below(self.departments());
                row(&mut affiliations, format_args!("{person},unit-{second},2026-03-02,2026-12-31"));
            }
            if random.below(10) == 0 {
                row(&mut affiliations, format_args!("{person},dormitory,2026-03-02,2027-02-28"));
            }
            // The first card is a plastic one; whoever has more has them on the phone.
            let cards_until = self.cards() * (number + 1) / self.people;
            for nth in cards_made..cards_until {
                let card_type = if nth == cards_made { "card" } else { "mobile" };
                let state = match random.below(50) {
                    0 => "suspended",
                    1 => "closed",
                    2 => "produced",
                    _ => "active",
                };
                let issued = if begun == 2026 { "2026-03-02".to_owned() } else { format!("{begun}-03-02") };
                row(&mut cards, format_args!("{},{person},{card_type},{state},{issued},", self.card(nth)));
            }
            cards_made = cards_until;
        }
        (people, affiliations, cards)
    }
}

fn row(text: &mut String, columns: core::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _written = text.write_fmt(columns);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_campus_is_a_right_one_and_the_same_for_the_same_seed() {
        let recipe = Recipe { seed: 7, people: 500, doors: 40, agents: 8, cards_percent: 150 };
        let campus = recipe.campus().unwrap();
        let tables = &campus.tables;
        assert_eq!((tables.people.len(), tables.cards.len(), tables.doors.len()), (500, 750, 40));
        assert_eq!(campus, recipe.campus().unwrap());
        assert_eq!(recipe.taps(9), recipe.taps(9));
        assert_ne!(Recipe { seed: 8, ..recipe }.campus().unwrap(), campus);
    }
}
