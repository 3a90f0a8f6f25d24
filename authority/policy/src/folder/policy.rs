//! `campus.toml`: the policy of a campus.
//!
//! Names of people, units, buildings and doors in rules are only collected here; the tables that declare them come later.

use crate::application::{DOCUMENTS_MAX, Entitlement};
use crate::desk::Cause;
use crate::folder::CampusFiles;
use crate::folder::declared::Declared;
use crate::folder::document::{self, Document, Item, Section};
use crate::folder::rules::{self, Mentions};
use crate::folder::values;
use crate::model::{
    CalendarSpan, CardType, CardTypeId, Category, CategoryId, Fee, Function, Medium, NumberFormat, Policy, RuleId,
    ScheduleName,
};
use crate::office::Role;
use crate::office::acts::Act;
use crate::photo::{self, PhotoFormat};
use crate::production::{Campaign, CampaignId, Stage};
use crate::retention::{Kind, Retention};
use doorward_protocol::facts::{Interval, Schedule};
use doorward_protocol::id::{CampusId, FunctionId, IdError};
use doorward_protocol::problem::{Place, Problem, shown};
use doorward_protocol::table::decode;
use doorward_protocol::time::{Day, DayRange};
use std::collections::BTreeMap;
use std::str::FromStr;

const FILE: &str = CampusFiles::NAMES[0];
/// Largest policy in bytes: a hundred thousand rules, and still parsed in a moment.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most intervals in a list: each tap looks at those of two days, and agents are sent them all.
const INTERVALS_MAX: usize = 500;
/// Most holidays: centuries of them, and still one small fact for each agent.
const HOLIDAYS_MAX: usize = 10_000;
/// Largest count of digits and offset in a printed number.
const DIGITS_MAX: u32 = 100;

/// What `campus.toml` says and declares.
#[derive(Debug)]
pub struct PolicyFile {
    /// The policy, `None` when anything in it is wrong.
    pub policy: Option<Policy>,
    /// Types of card that could be read, for what they demand of numbers.
    pub card_types: BTreeMap<CardTypeId, CardType>,
    /// What is declared, right or wrong.
    pub names: Names,
    /// Whom and what the rules name that tables declare.
    pub mentions: Mentions,
}

/// The names that `campus.toml` declares.
#[derive(Debug)]
pub struct Names {
    /// `[function.*]`.
    pub functions: Declared<FunctionId>,
    /// `[card_type.*]`.
    pub card_types: Declared<CardTypeId>,
    /// `[category.*]`.
    pub categories: Declared<CategoryId>,
    /// `[schedule.*]`.
    pub schedules: Declared<ScheduleName>,
    /// `id` of `[[rule]]`.
    pub rules: Declared<RuleId>,
    /// `[campaign.*]`.
    campaigns: Declared<CampaignId>,
}

impl Names {
    const fn new() -> Self {
        Self {
            functions: Declared::new(FILE),
            card_types: Declared::new(FILE),
            categories: Declared::new(FILE),
            schedules: Declared::new(FILE),
            rules: Declared::new(FILE),
            campaigns: Declared::new(FILE),
        }
    }

    const fn note_gap(&mut self) {
        self.functions.note_gap();
        self.card_types.note_gap();
        self.categories.note_gap();
        self.schedules.note_gap();
        self.rules.note_gap();
        self.campaigns.note_gap();
    }

    /// Reads the name of a schedule; `None` is `always`.
    pub fn schedule(&self, text: &str) -> Result<Option<ScheduleName>, String> {
        if text == ALWAYS { Ok(None) } else { self.schedules.resolve(text).map(Some) }
    }
}

/// The schedule that needs no declaration.
const ALWAYS: &str = "always";

/// Reads `campus.toml`.
pub fn read(files: &CampusFiles, problems: &mut Vec<Problem>) -> PolicyFile {
    let mut names = Names::new();
    names.note_gap();
    let nothing = PolicyFile { policy: None, card_types: BTreeMap::new(), names, mentions: Mentions::default() };
    let Some(bytes) = files.0.get(FILE) else {
        problems.push(Problem::new(FILE, Place::START, "is missing; it holds the policy of the campus"));
        return nothing;
    };
    if bytes.len() > BYTES_MAX {
        let message = format!("has {} bytes; a policy has at most {BYTES_MAX}", bytes.len());
        problems.push(Problem::new(FILE, Place::START, message));
        return nothing;
    }
    let Some(text) = decode(FILE, bytes, problems) else { return nothing };
    let (table, mut document) = document::syntax(FILE, &text);
    let file = policy_file(&mut document, &table);
    problems.extend(document.into_problems());
    file
}

fn policy_file<'t>(document: &mut Document<'t>, table: &'t toml::de::DeTable<'t>) -> PolicyFile {
    document.keys(
        FILE,
        table,
        0,
        &["campus"],
        &[
            "holiday",
            "function",
            "card_type",
            "category",
            "schedule",
            "rule",
            "fee",
            "photo",
            "campaign",
            "entitlement",
            "retention",
            "self_service",
        ],
    );
    let root = Section::root(table);
    let mut names = Names::new();
    if document.is_broken() {
        names.note_gap();
    }
    let campus = root.required("campus", |item| campus(document, item));
    let holidays = holidays(document, &root);
    let functions = named(document, &root, "function", &mut names.functions, function);
    let card_types =
        named(document, &root, "card_type", &mut names.card_types, |d, i| card_type(d, i, &names.functions));
    let categories = named(document, &root, "category", &mut names.categories, category);
    let schedules = named(document, &root, "schedule", &mut names.schedules, schedule);
    let mut mentions = Mentions::default();
    let rules = rules::rules(document, &root, &mut names, &mut mentions);
    let fees = fees(document, &root);
    let campaigns = named(document, &root, "campaign", &mut names.campaigns, |d, i| campaign(d, i, &names.card_types));
    let entitlements = entitlements(document, &root, &names);
    let photo = root.optional("photo", |item| photo_format(document, item));
    let retention = root.optional("retention", |item| retention(document, item));
    let own_taps = root.optional("self_service", |item| self_service(document, item)).flatten();
    let policy = campus.map(|campus| Policy {
        campus: campus.id,
        name: campus.name,
        time_zone: campus.time_zone,
        lease_ms: campus.lease_ms,
        holidays,
        functions,
        card_types: card_types.clone(),
        categories,
        schedules,
        rules,
        fees,
        photo: photo.flatten(),
        campaigns,
        entitlements,
        retention: retention.flatten().unwrap_or_default(),
        own_taps: own_taps.flatten(),
    });
    PolicyFile { policy, card_types, names, mentions }
}

struct CampusSection {
    id: CampusId,
    name: String,
    time_zone: String,
    lease_ms: Option<u64>,
}

fn campus<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<CampusSection> {
    let section = document.section("[campus]", item, &["id", "name", "time_zone"], &["lease"])?;
    let id = section.required("id", |item| document.parsed(item, CampusId::new));
    let name = section.required("name", |item| document.parsed(item, values::name));
    let time_zone = section.required("time_zone", |item| document.parsed(item, values::time_zone));
    let lease_ms = section.optional("lease", |item| document.parsed(item, values::lease_ms));
    Some(CampusSection { id: id?, name: name?, time_zone: time_zone?, lease_ms: lease_ms? })
}

/// Two holidays may fall on one day; it keeps both names.
fn holidays<'t>(document: &mut Document<'t>, root: &Section<'t>) -> BTreeMap<Day, String> {
    let mut holidays: BTreeMap<Day, String> = BTreeMap::new();
    let items = root.tables(document, "holiday");
    if items.len() > HOLIDAYS_MAX {
        document.report(0, format!("campus.toml has {} holidays; a campus has at most {HOLIDAYS_MAX}", items.len()));
    }
    for item in items {
        let Some(section) = document.section("[[holiday]]", item, &["date"], &["name"]) else { continue };
        let day = section.required("date", |item| document.day(item));
        let name = section.optional("name", |item| document.parsed(item, values::name)).flatten();
        let Some(day) = day else { continue };
        let names = holidays.entry(day).or_default();
        if let Some(name) = name {
            names.push_str(if names.is_empty() { "" } else { ", " });
            names.push_str(&name);
        }
    }
    holidays
}

/// The tables of a section such as `function`, by their names.
fn named<'t, I, T>(
    document: &mut Document<'t>,
    root: &Section<'t>,
    section: &str,
    declared: &mut Declared<I>,
    mut read: impl FnMut(&mut Document<'t>, Item<'t>) -> Option<T>,
) -> BTreeMap<I, T>
where
    I: Ord + Clone + AsRef<str> + FromStr<Err = IdError>,
{
    let mut found = BTreeMap::new();
    let Some(item) = root.item(section) else { return found };
    let Some(entries) = document.named(item) else {
        declared.note_gap();
        return found;
    };
    for (at, entry) in entries {
        let value = read(document, entry);
        match I::from_str(entry.key()) {
            Ok(id) => {
                // TOML itself refuses a second table of one name.
                let _ = declared.declare(id.clone(), document.place(at).line);
                found.extend(value.map(|value| (id, value)));
            }
            Err(error) => document.report(at, format!("{section} {} {error}", shown(entry.key()))),
        }
    }
    found
}

fn function<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Function> {
    let section = document.section(&format!("[function.{}]", item.key()), item, &[], &["identity", "lease"])?;
    let identity = section.optional("identity", |item| document.boolean(item));
    let lease_ms = section.optional("lease", |item| document.parsed(item, values::lease_ms));
    Some(Function { identity: identity?.unwrap_or(true), lease_ms: lease_ms? })
}

fn card_type<'t>(document: &mut Document<'t>, item: Item<'t>, functions: &Declared<FunctionId>) -> Option<CardType> {
    let name = format!("[card_type.{}]", item.key());
    let section = document.section(&name, item, &["name", "medium", "functions"], &["number_format", "temporary"])?;
    let name = section.required("name", |item| document.parsed(item, values::name));
    let medium = section.required("medium", |item| document.parsed(item, medium));
    let functions = section.required("functions", |item| document.set(item, |text| functions.resolve(text)));
    let number_format = section.optional("number_format", |item| number_format(document, item));
    let temporary = section.optional("temporary", |item| document.boolean(item));
    let functions = functions?.into_iter().map(|function| Some(function?.0)).collect::<Option<_>>();
    Some(CardType {
        name: name?,
        medium: medium?,
        functions: functions?,
        number_format: number_format?,
        temporary: temporary?.unwrap_or(false),
    })
}

fn medium(text: &str) -> Result<Medium, &'static str> {
    match text {
        "card" => Ok(Medium::Card),
        "magstripe" => Ok(Medium::Magstripe),
        "qr" => Ok(Medium::Qr),
        "fingerprint" => Ok(Medium::Fingerprint),
        _ => Err("is not known; expected card | magstripe | qr | fingerprint"),
    }
}

fn number_format<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<NumberFormat> {
    let optional = ["prefix", "digits", "check", "person_id_at", "ordinal_at", "kind_at", "kind"];
    let section = document.section("number_format", item, &[], &optional)?;
    let prefix = section.optional("prefix", |item| document.parsed(item, digits));
    let digits = section.optional("digits", |item| document.count(item, 1, DIGITS_MAX));
    let check = section.optional("check", |item| {
        document.parsed(item, |text| (text == "luhn").then_some(()).ok_or("is not known; expected luhn"))
    });
    let person_id_at = section.optional("person_id_at", |item| document.count(item, 0, DIGITS_MAX));
    let ordinal_at = section.optional("ordinal_at", |item| document.count(item, 0, DIGITS_MAX));
    let kind_at = section.optional("kind_at", |item| Some((item, document.count(item, 0, DIGITS_MAX)?)));
    let kind = section.optional("kind", |item| document.parsed(item, digit));
    let (kind_at, kind) = (kind_at?, kind?);
    if let (Some((item, _)), None) = (kind_at, kind) {
        document.refuse(item, "says where a digit stands, and `kind` does not say which");
    }
    let size = |n: Option<u32>| n.and_then(|n| usize::try_from(n).ok());
    Some(NumberFormat {
        prefix: prefix?,
        digits: size(digits?),
        luhn: check?.is_some(),
        person_id_at: size(person_id_at?),
        ordinal_at: size(ordinal_at?),
        kind_at: size(kind_at.map(|(_, at)| at)),
        kind,
    })
}

fn digit(text: &str) -> Result<char, &'static str> {
    let mut characters = text.chars();
    let digit = characters.next().filter(char::is_ascii_digit);
    digit.filter(|_| characters.next().is_none()).ok_or("is not one digit")
}

fn photo_format<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<PhotoFormat> {
    let section = document.section("[photo]", item, &["width", "height"], &["bytes_max"])?;
    let width = section.required("width", |item| document.count(item, 1, photo::PIXELS_MAX));
    let height = section.required("height", |item| document.count(item, 1, photo::PIXELS_MAX));
    let bytes_max = section.optional("bytes_max", |item| document.count(item, 1, photo::BYTES_MAX));
    Some(PhotoFormat { width: width?, height: height?, bytes_max: bytes_max?.unwrap_or(photo::BYTES_MAX) })
}

fn campaign<'t>(document: &mut Document<'t>, item: Item<'t>, card_types: &Declared<CardTypeId>) -> Option<Campaign> {
    let name = format!("[campaign.{}]", item.key());
    let section = document.section(&name, item, &["name", "card_type"], &Stage::ALL.map(Stage::name))?;
    let name = section.required("name", |item| document.parsed(item, values::name));
    let card_type = section.required("card_type", |item| document.parsed(item, |text| card_types.resolve(text)));
    let stages = Stage::ALL.map(|stage| (stage, section.optional(stage.name(), |item| days(document, item))));
    let stages = stages.into_iter().map(|(stage, days)| Some((stage, days?))).collect::<Option<Vec<_>>>();
    let stages = stages?.into_iter().filter_map(|(stage, days)| Some((stage, days?))).collect();
    Some(Campaign { name: name?, card_type: card_type?, stages })
}

fn entitlements<'t>(document: &mut Document<'t>, root: &Section<'t>, names: &Names) -> Vec<Entitlement> {
    let items = root.tables(document, "entitlement");
    items.into_iter().filter_map(|item| entitlement(document, item, names)).collect()
}

fn entitlement<'t>(document: &mut Document<'t>, item: Item<'t>, names: &Names) -> Option<Entitlement> {
    let optional = ["approved_by", "documents"];
    let section = document.section("[[entitlement]]", item, &["category", "card_type"], &optional)?;
    let category = section.required("category", |item| document.parsed(item, |text| names.categories.resolve(text)));
    let card_type = section.required("card_type", |item| document.parsed(item, |text| names.card_types.resolve(text)));
    let approved_by = section.optional("approved_by", |item| document.parsed(item, approver));
    let documents = section.optional("documents", |item| {
        let documents = document.set(item, values::name)?;
        if documents.len() > DOCUMENTS_MAX {
            document.refuse(item, format!("names {} documents; at most {DOCUMENTS_MAX}", documents.len()));
            return None;
        }
        documents.into_iter().map(|text| Some(text?.0)).collect::<Option<_>>()
    });
    Some(Entitlement {
        category: category?,
        card_type: card_type?,
        approved_by: approved_by?.unwrap_or(Role::CardOffice),
        documents: documents?.unwrap_or_default(),
    })
}

fn approver(text: &str) -> Result<Role, String> {
    let roles = Act::DecideApplications.roles();
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    let known = Role::of_name(text).filter(|role| roles.contains(role));
    known.ok_or_else(|| format!("is no role that approves applications; expected {}", names.join(" | ")))
}

fn days<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<DayRange> {
    let section = document.section(item.key(), item, &["from", "until"], &[])?;
    let from = section.required("from", |item| document.day(item));
    let until = section.required("until", |item| document.day(item));
    let (from, until) = (from?, until?);
    if until < from {
        document.refuse(item, format!("begins on {from} and ends on {until}; swap them"));
        return None;
    }
    Some(DayRange { from: Some(from), until: Some(until) })
}

fn self_service<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Option<CalendarSpan>> {
    let section = document.section("[self_service]", item, &[], &["taps"])?;
    section.optional("taps", |item| document.parsed(item, values::kept_for))
}

fn retention<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Retention> {
    let section = document.section("[retention]", item, &[], &Kind::ALL.map(Kind::name))?;
    let mut retention = Retention::default();
    for kind in Kind::ALL {
        if let Some(span) = section.optional(kind.name(), |item| document.parsed(item, values::kept_for)).flatten() {
            retention.keep(kind, span);
        }
    }
    Some(retention)
}

fn fees<'t>(document: &mut Document<'t>, root: &Section<'t>) -> Vec<Fee> {
    let items = root.tables(document, "fee");
    items.into_iter().filter_map(|item| fee(document, item)).collect()
}

fn fee<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Fee> {
    let section = document.section("[[fee]]", item, &["cause", "amount"], &["returned", "within"])?;
    let cause = section.required("cause", |item| {
        document.parsed(item, |text| {
            let names = Cause::ALL.map(Cause::name).join(" | ");
            Cause::of_name(text).ok_or_else(|| format!("is not known; expected {names}"))
        })
    });
    let amount = section.required("amount", |item| document.parsed(item, values::amount));
    let returned = section.optional("returned", |item| document.boolean(item));
    let within = section.optional("within", |item| document.parsed(item, values::span));
    Some(Fee { cause: cause?, returned: returned?, within: within?, amount: amount? })
}

fn digits(text: &str) -> Result<String, &'static str> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.to_owned()).ok_or("is not made of digits")
}

fn category<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Category> {
    let name = format!("[category.{}]", item.key());
    let section = document.section(&name, item, &["validity"], &["without_end", "grace_days"])?;
    let validity = section.required("validity", |item| document.parsed(item, values::validity));
    let without_end = section.optional("without_end", |item| document.parsed(item, values::span));
    let grace_days = section.optional("grace_days", |item| document.count(item, 0, values::DAYS_MAX));
    Some(Category { validity: validity?, without_end: without_end?, grace_days: grace_days?.unwrap_or(0) })
}

fn schedule<'t>(document: &mut Document<'t>, item: Item<'t>) -> Option<Schedule> {
    if item.key() == ALWAYS {
        document.report(item.at(), "schedule `always` exists without being declared; give this one another name");
    }
    let section = document.section(&format!("[schedule.{}]", item.key()), item, &["weekly"], &["holidays"])?;
    let weekly = section.required("weekly", |item| intervals(document, item, values::weekly_entry));
    let holiday = section.optional("holidays", |item| intervals(document, item, values::interval));
    let mut by_weekday = <[Vec<Interval>; 7]>::default();
    for (days, interval) in weekly? {
        for (day, meant) in by_weekday.iter_mut().zip(days) {
            day.extend(meant.then_some(interval));
        }
    }
    let ordered = |mut intervals: Vec<Interval>| {
        intervals.sort();
        intervals.dedup();
        intervals
    };
    Some(Schedule { weekly: by_weekday.map(ordered), holiday: holiday?.map(ordered) })
}

fn intervals<'t, T>(
    document: &mut Document<'t>,
    item: Item<'t>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let elements = document.list(item, "a list of strings")?;
    if elements.len() > INTERVALS_MAX {
        document.refuse(item, format!("has {} entries; a schedule has at most {INTERVALS_MAX}", elements.len()));
        return None;
    }
    let read: Vec<_> = elements.into_iter().map(|element| document.parsed(element, &read)).collect();
    read.into_iter().collect()
}
