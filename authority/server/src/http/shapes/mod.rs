//! What the HTTP API takes and answers, as types that both sides share.
//!
//! Deliberately apart from the types of the core: these may only grow.

pub mod applications;
pub mod desk;
pub mod map;
pub mod me;
pub mod office;
pub mod oidc;
pub mod personal;
pub mod production;
pub mod records;
pub mod requests;
pub mod retention;

use doorward_policy::explain::{Explanation, Opening, Who};
use doorward_policy::plan::Plan;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct When {
    /// RFC 3339 with the campus's offset.
    pub text: String,
    /// Milliseconds since 1970-01-01T00:00Z.
    pub ms: i64,
}

/// A place in the campus's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct At {
    /// Epoch.
    pub epoch: u32,
    /// Number of the journal entry.
    pub seq: u64,
}

/// Why something was not done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// What is wrong, and what would be right.
    pub error: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// Everything that is wrong in files that were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FileProblem>,
}

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileProblem {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// What is wrong and what would be right.
    pub message: String,
}

/// How the authority is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The campus.
    pub campus: CampusName,
    /// Name and version of the software.
    pub software: String,
    /// The clock.
    pub now: When,
    /// The newest commit.
    pub position: At,
    /// Its hash.
    pub commit: String,
    /// When its entry was accepted.
    pub committed_at: When,
    /// Number of the newest journal entry; above the commit's while one is being compiled.
    pub journal_head: u64,
    /// Hash of the campus root, as join tokens pin it.
    pub root: String,
    /// How many of everything.
    pub counts: Counts,
    /// How many agents.
    pub agents: AgentCounts,
    /// Lockdowns in force.
    #[schema(value_type = Vec<Object>)]
    pub lockdowns: Vec<Scope>,
    /// Alarms that nobody has looked at.
    pub alarms_open: u64,
    /// Conditions that last, in sentences.
    pub warnings: Vec<String>,
    /// The systems that are told of events.
    pub receivers: Vec<ReceiverView>,
    /// The newest pulse.
    pub last_pulse_at: Option<When>,
    /// Where agents connect.
    pub quic: String,
}

/// A system that is told of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiverView {
    /// Its name.
    pub name: String,
    /// How many events wait for it, those that it is not told of included.
    pub waiting: u64,
    /// Since when nothing reaches it.
    pub failing_since: Option<When>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// A campus by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampusName {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its time zone.
    pub time_zone: String,
}

/// How many of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// People.
    pub people: usize,
    /// Cards.
    pub cards: usize,
    /// Buildings.
    pub buildings: usize,
    /// Doors.
    pub doors: usize,
    /// Grants.
    pub grants: usize,
    /// Access records.
    pub records: u64,
}

/// How many agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentCounts {
    /// Named by a building or a command.
    pub known: usize,
    /// Joined and not struck off.
    pub enrolled: usize,
    /// Connected now.
    pub connected: usize,
    /// Connected, and not yet at the newest commit that changes their state.
    pub behind: usize,
}

/// Doors of a lockdown: `"campus"`, `{"building": "sci"}` or `{"door": "sci-main"}`.
pub type Scope = doorward_policy::command::Scope;

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentView {
    /// Its id.
    pub id: String,
    /// Buildings that it controls.
    pub buildings: Vec<String>,
    /// How many doors.
    pub doors: usize,
    /// `expected`, `invited`, `enrolled` or `removed`.
    pub state: String,
    /// When its join token expires.
    pub token_expires_at: Option<When>,
    /// Whether it is connected.
    pub connected: bool,
    /// Since when.
    pub since: Option<When>,
    /// From where.
    pub address: Option<String>,
    /// Version of its software.
    pub software: Option<String>,
    /// The newest commit that it confirmed.
    pub position: Option<At>,
    /// How many journal entries it is behind.
    pub behind: Option<u64>,
    /// When it was last heard.
    pub heard_at: Option<When>,
    /// When the first of its doors would stop deciding if no fresh word came any more; absent without a lease.
    pub lease_ends_at: Option<When>,
    /// Records that wait at the agent.
    pub unsent: Option<u64>,
    /// When the oldest of them was made.
    pub oldest_unsent_at: Option<When>,
    /// Its clock minus ours in milliseconds.
    pub clock_off_ms: Option<i64>,
}

/// All agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agents {
    /// By id.
    pub agents: Vec<AgentView>,
}

/// Asks for a join token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// For which agent.
    pub id: String,
    /// How long it is good for; 60 when absent.
    #[serde(default)]
    pub valid_minutes: Option<u32>,
}

/// A join token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Number of the journal entry.
    pub seq: u64,
    /// When.
    pub at: When,
    /// For which agent.
    pub id: String,
    /// What `doorward-agent join` takes.
    pub token: String,
    /// Until when.
    pub expires_at: When,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Number of the journal entry.
    pub seq: u64,
    /// When.
    pub at: When,
    /// Name of the command.
    pub command: String,
    /// The grant that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The request that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Agents that it concerns.
    pub agents: Vec<AffectedAgent>,
}

/// An agent that a change concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AffectedAgent {
    /// Which agent.
    pub agent: String,
    /// Which of its doors.
    pub doors: Vec<String>,
    /// Whether it is connected.
    pub connected: bool,
}

/// One card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardView {
    /// Its id.
    pub id: String,
    /// Its holder.
    pub person: PersonView,
    /// Its type.
    pub card_type: String,
    /// `produced`, `active`, `suspended` or `closed`.
    pub state: String,
    /// First day.
    pub issued_on: String,
    /// Last day, as it follows from the holder's category where the folder does not say; absent: never ends.
    pub valid_until: Option<String>,
    /// What is printed on it.
    pub number: Option<String>,
    /// Agents that hold it, with the doors that it can ever open there.
    pub agents: Vec<AffectedAgent>,
    /// How it was issued, where that was done here and not by a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<desk::IssuedView>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Category.
    pub category: String,
}

/// Why a card is suspended, resumed or closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// One line of plain text.
    #[serde(default)]
    pub reason: String,
}

/// Orders a lockdown, or its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockdownOrder {
    /// `"campus"`, `{"building": ID}` or `{"door": ID}`.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// One line of plain text.
    pub reason: String,
}

/// Grants a right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantOrder {
    /// Its name; one is made when it is absent.
    #[serde(default)]
    pub id: Option<String>,
    /// `{"unit": ID}`, `{"person": ID}` or `{"category": ID}`.
    #[schema(value_type = Object)]
    pub subject: doorward_policy::model::Subject,
    /// `{"building": ID}` or `{"door": ID}`.
    #[schema(value_type = Object)]
    pub target: doorward_policy::model::Target,
    /// A schedule of the campus; always when absent.
    #[serde(default)]
    pub schedule: Option<String>,
    /// First day, `YYYY-MM-DD`.
    #[serde(default)]
    pub from: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    #[serde(default)]
    pub until: Option<String>,
    /// A unit to which its people must be affiliated meanwhile; not with a unit as subject.
    #[serde(default)]
    pub within: Option<String>,
}

/// Ends a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantEnding {
    /// Its last day, `YYYY-MM-DD`; at once when absent.
    #[serde(default)]
    pub on: Option<String>,
}

/// A line of the progress of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgressLine {
    /// How far it has come at one agent.
    Agent(AgentProgress),
    /// How far it has come; the last line.
    Summary(Summary),
}

/// How far a change has come at one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentProgress {
    /// Which agent.
    pub agent: String,
    /// Which of its doors.
    pub doors: Vec<String>,
    /// Whether it is connected.
    pub connected: bool,
    /// `waiting`, `applied` or `durable`.
    pub stage: String,
    /// When its word came that the change is in force, in milliseconds since the command.
    pub applied_ms: Option<i64>,
    /// When its word came that the change is durable, in milliseconds since the command.
    pub durable_ms: Option<i64>,
    /// When the last of these doors stops deciding without a fresh word; absent when one of them has no lease.
    pub lease_ends_at: Option<When>,
}

/// How far a change has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Number of the journal entry.
    pub seq: u64,
    /// Name of the command.
    pub command: String,
    /// Doors that it concerns.
    pub doors_total: usize,
    /// Doors whose agent has confirmed it as durable.
    pub doors_closed: usize,
    /// Agents that it concerns.
    pub agents_total: usize,
    /// Agents that have confirmed it.
    pub agents_closed: usize,
    /// When the last confirmation came, in milliseconds since the command.
    pub ms: Option<i64>,
    /// Whether all have confirmed it.
    pub complete: bool,
    /// Agents that have not.
    pub unreachable: Vec<AgentProgress>,
}

/// A campus folder to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportOrder {
    /// Contents by file name.
    pub files: BTreeMap<String, String>,
}

/// A line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportLine {
    /// What is being done.
    Progress(ImportProgress),
    /// What would change; the same for a dry run and for the import itself.
    #[schema(value_type = Object)]
    Plan(Box<Plan>),
    /// It is done; the last line.
    Result(ImportResult),
    /// It was not done; the last line.
    #[serde(untagged)]
    Fault(Fault),
}

/// What is being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProgress {
    /// `read`, `compare`, `plan`, `store` or `compile`.
    pub stage: String,
    /// Stages that are done.
    pub done: u32,
    /// Stages in all.
    pub total: u32,
    /// What the stage is about.
    pub detail: String,
}

/// How an import ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportResult {
    /// Number of the last of its journal entries; absent when nothing was written.
    pub seq: Option<u64>,
    /// When.
    pub at: Option<When>,
    /// Whether the folder brings anything new.
    pub changed: bool,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Whether the import is refused unless removals are allowed.
    pub needs_allow_removals: bool,
    /// Agents whose state changes.
    pub agents: Vec<String>,
}

/// Who can open a door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAnswer {
    /// The instant in question.
    pub at: When,
    /// The directory was that after this journal entry.
    pub as_of_seq: u64,
    /// The answer.
    #[schema(value_type = Object)]
    pub answer: Who,
}

/// Where a card opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhereAnswer {
    /// The instant in question.
    pub at: When,
    /// The directory was that after this journal entry.
    pub as_of_seq: u64,
    /// The answer.
    #[schema(value_type = Vec<Object>)]
    pub answer: Vec<Opening>,
}

/// Why a door answers a card as it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhyAnswer {
    /// The instant in question.
    pub at: When,
    /// The directory was that after this journal entry.
    pub as_of_seq: u64,
    /// The answer.
    #[schema(value_type = Object)]
    pub answer: Explanation,
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JournalLine {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: When,
    /// Who.
    pub actor: String,
    /// Name of the command.
    pub command: String,
    /// What was done, in a sentence.
    pub summary: String,
    /// The command; of an import how many rows, and no secrets.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// A line of the access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLine {
    /// An answered tap.
    Record(RecordView),
    /// An alarm; only in a log that is followed.
    Alarm(AlarmView),
}

/// An answered tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// At which agent.
    pub agent: String,
    /// Which life of the agent's chain.
    pub incarnation: String,
    /// Number in the chain.
    pub seq: u64,
    /// When the tap was decided.
    pub at: When,
    /// At which door.
    pub door: String,
    /// The card, where the authority knew it.
    pub card: Option<String>,
    /// Its holder.
    pub person: Option<String>,
    /// What was read, as the agent knows it.
    pub credential: String,
    /// Further factors.
    pub factors: String,
    /// `grant` or `deny`.
    pub decision: String,
    /// Why.
    pub reason: String,
    /// The commit by which it was decided.
    pub position: At,
    /// When it came home.
    pub received_at: When,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlarmView {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: When,
    /// What kind.
    pub kind: String,
    /// About which agent.
    pub agent: Option<String>,
    /// What happened.
    pub text: String,
    /// Whether someone has looked at it.
    pub acknowledged: bool,
}

/// Alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alarms {
    /// Oldest first.
    pub alarms: Vec<AlarmView>,
}

/// An alarm that someone has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledged {
    /// Its number.
    pub id: u64,
}
