//! What the authority's API answers, as far as commands use it.

use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;
#[derive(Debug, Clone, Deserialize)]
pub struct RunFile {
    pub api: String,
    pub certificate: Option<PathBuf>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    pub file: String,
    pub line: u64,
    pub column: u64,
    pub message: String,
}
#[derive(Debug, Clone, Deserialize)]
pub struct When {
    pub text: String,
    pub ms: i64,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    pub seq: u64,
    pub at: When,
    pub command: String,
    pub grant: Option<String>,
    pub agents: Vec<ChangedAgent>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct ChangedAgent {
    pub agent: String,
    pub doors: Vec<String>,
    pub connected: bool,
}
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProgressLine {
    Agent(AgentProgress),
    Summary(Summary),
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Waiting,
    Applied,
    Durable,
}
#[derive(Debug, Clone, Deserialize)]
pub struct AgentProgress {
    pub agent: String,
    pub doors: Vec<String>,
    pub connected: bool,
    pub stage: Stage,
    pub applied_ms: Option<u64>,
    pub durable_ms: Option<u64>,
    pub lease_ends_at: Option<When>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Summary {
    pub seq: u64,
    pub command: String,
    pub doors_total: usize,
    pub doors_closed: usize,
    pub agents_total: usize,
    pub agents_closed: usize,
    pub ms: Option<u64>,
    pub complete: bool,
    pub unreachable: Vec<AgentProgress>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Position {
    pub epoch: u32,
    pub seq: u64,
}
#[derive(Debug, Clone, Deserialize)]
pub struct CampusShape {
    pub id: String,
    pub name: String,
    pub time_zone: String,
}
#[derive(Debug, Clone, Deserialize)]
pub struct StatusCounts {
    pub people: usize,
    pub cards: usize,
    pub buildings: usize,
    pub doors: usize,
    pub grants: usize,
    pub records: u64,
}
#[derive(Debug, Clone, Deserialize)]
pub struct StatusAgents {
    pub known: usize,
    pub enrolled: usize,
    pub connected: usize,
    pub behind: usize,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    pub campus: CampusShape,
    pub software: String,
    pub now: When,
    pub position: Position,
    pub commit: String,
    pub committed_at: When,
    pub journal_head: u64,
    pub root: String,
    pub counts: StatusCounts,
    pub agents: StatusAgents,
    pub lockdowns: Vec<doorward_policy::command::Scope>,
    pub alarms_open: u64,
    pub warnings: Vec<String>,
    pub last_pulse_at: Option<When>,
    pub quic: String,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Agents {
    pub agents: Vec<AgentShape>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct AgentShape {
    pub id: String,
    pub buildings: Vec<String>,
    pub doors: usize,
    pub state: String,
    pub token_expires_at: Option<When>,
    pub connected: bool,
    pub since: Option<When>,
    pub address: Option<String>,
    pub software: Option<String>,
    pub position: Option<Position>,
    pub behind: Option<u64>,
    pub heard_at: Option<When>,
    pub lease_ends_at: Option<When>,
    pub unsent: Option<u64>,
    pub oldest_unsent_at: Option<When>,
    pub clock_off_ms: Option<i64>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Invited {
    pub seq: u64,
    pub at: When,
    pub id: String,
    pub token: String,
    pub expires_at: When,
}
#[derive(Debug, Clone, Deserialize)]
pub struct CardShape {
    pub id: String,
    pub person: CardPerson,
    pub card_type: String,
    pub state: String,
    pub issued_on: String,
    pub valid_until: Option<String>,
    pub number: Option<String>,
    pub agents: Vec<CardAgent>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct CardPerson {
    pub id: String,
    pub name: String,
    pub category: String,
}
#[derive(Debug, Clone, Deserialize)]
pub struct CardAgent {
    pub agent: String,
    pub doors: Vec<String>,
}
#[derive(Debug, Clone, Deserialize)]
pub struct JournalEntry {
    pub seq: u64,
    pub at: When,
    pub actor: String,
    pub command: String,
    pub summary: String,
    pub detail: Value,
}
#[derive(Debug, Clone, Deserialize)]
pub struct RecordShape {
    pub agent: String,
    pub incarnation: String,
    pub seq: u64,
    pub at: When,
    pub door: String,
    pub card: Option<String>,
    pub person: Option<String>,
    pub credential: String,
    pub factors: String,
    pub decision: String,
    pub reason: String,
    pub position: Position,
    pub received_at: When,
}
#[derive(Debug, Clone, Deserialize)]
pub struct AlarmShape {
    pub id: u64,
    pub at: When,
    pub kind: String,
    pub agent: Option<String>,
    pub text: String,
    pub acknowledged: bool,
}
#[derive(Debug, Clone, Deserialize)]
pub struct Alarms {
    pub alarms: Vec<AlarmShape>,
}
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLine {
    Record(RecordShape),
    Alarm(AlarmShape),
}
#[derive(Debug, Clone, Deserialize)]
pub struct Asked<T> {
    pub at: When,
    pub as_of_seq: u64,
    pub answer: T,
}
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportLine {
    Progress(ImportProgress),
    Plan(Box<doorward_policy::plan::Plan>),
    Result(ImportResult),
}
#[derive(Debug, Clone, Deserialize)]
pub struct ImportProgress {
    pub stage: String,
    pub done: u64,
    pub total: u64,
}
#[derive(Debug, Clone, Deserialize)]
pub struct ImportResult {
    pub seq: Option<u64>,
    pub at: Option<When>,
    pub changed: bool,
    pub dry_run: bool,
    pub agents: Vec<String>,
}
