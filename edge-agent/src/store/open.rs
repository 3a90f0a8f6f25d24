//! Making a store at enrolment, and reading everything back when the agent starts.
//!
//! What cannot be read is said in sentences; what was read still has to prove itself in the protocol's machines.

use crate::store::disk::{Disk, DiskError};
use crate::store::layout::{
    ACKNOWLEDGED_KEY, DURABLE_KEY, Draft, EditError, FACT, FLOOR_KEY, FORMAT, FORMAT_KEY, HEAD_KEY, REMOVAL, STATEMENT,
    range_of, record_key,
};
use doorward_protocol::agent::stored::{Stored, StoredHead, Write};
use doorward_protocol::codec;
use doorward_protocol::facts::Fact;
use doorward_protocol::id::{AgentId, Incarnation};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::Statement;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Folder of the store in a data directory.
const STORE_FOLDER: &str = "store";

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It is of a newer layout.
    #[error("it was written by a newer doorward-agent (format {0}, this one knows {FORMAT}); install that version")]
    Newer(u32),
    /// It cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Its first values cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// What the data directory says about the agent, apart from the store: what the store must begin with.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// Whose store it is.
    pub agent: &'a AgentId,
    /// Trust statements that came with the enrolment, from 1.
    pub statements: &'a [Signed<Statement>],
    /// The life in which a new record chain begins.
    pub incarnation: Incarnation,
}

/// Where the record chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The newest durable record.
    pub durable: ChainHead,
    /// The newest acknowledged record.
    pub acknowledged: ChainHead,
    /// When the oldest record without acknowledgement was made.
    pub oldest_unsent_at: Option<UnixMs>,
}

/// A store that was read.
#[derive(Debug)]
pub struct Opened {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub disk: Disk,
    /// The state, unproven.
    pub stored: Stored,
    /// The record chain, proven.
    pub chain: Chain,
    /// What a person must know, in sentences.
    pub alarms: Vec<String>,
}

/// Makes the store of an agent that has just joined; what lay there from an unfinished join goes.
///
/// # Errors
/// See [`OpenError`].
pub fn create(data: &Path, beginning: &Beginning<'_>) -> Result<(), OpenError> {
    let path = data.join(STORE_FOLDER);
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(DiskError::from(error).into()),
        Ok(()) | Err(_) => {}
    }
    let mut disk = Disk::open(&path)?;
    let head = ChainHead::begin(beginning.agent, beginning.incarnation);
    let mut draft = Draft::new(&disk);
    for (version, statement) in (1..).zip(beginning.statements) {
        draft.write(&Write::Statement(version, statement.clone()))?;
    }
    draft.free(&head)?;
    draft.put_durable(&head)?;
    draft.put_format()?;
    let edits = draft.into_edits();
    disk.commit(edits)?;
    Ok(())
}

/// Reads a store without changing what is in it.
///
/// # Errors
/// See [`OpenError`].
pub fn open(data: &Path, beginning: &Beginning<'_>) -> Result<Opened, OpenError> {
    let path = data.join(STORE_FOLDER);
    let disk = Disk::open(&path)?;
    let mut alarms = Vec::new();
    match disk.value(FORMAT_KEY)?.map(|bytes| codec::decode::<u32>(&bytes)) {
        Some(Ok(format)) if format > FORMAT => return Err(OpenError::Newer(format)),
        Some(Ok(_)) => {}
        Some(Err(_)) | None => alarms.push("the store lacks its beginning; what it held may be gone".to_owned()),
    }
    let stored = read_state(&disk, beginning.statements)?;
    let chain = match read_chain(&disk, beginning.agent)? {
        Ok(chain) => chain,
        Err(why) => {
            alarms.push(format!("the chain of access records begins anew: {why}"));
            let head = ChainHead::begin(beginning.agent, beginning.incarnation);
            Chain { durable: head, acknowledged: head, oldest_unsent_at: None }
        }
    };
    Ok(Opened { path, disk, stored, chain, alarms })
}

/// Reads a store for running on it: where it is damaged beyond opening it is set aside, where its chain is broken the
/// new one is written down, so that the same fault is not found again at the next start.
///
/// # Errors
/// See [`OpenError`].
pub fn open_to_run(data: &Path, beginning: &Beginning<'_>) -> Result<Opened, OpenError> {
    let mut opened = match open(data, beginning) {
        Err(OpenError::Disk(DiskError::Damaged(why))) => {
            let aside = set_aside(data)?;
            create(data, beginning)?;
            let mut opened = open(data, beginning)?;
            let text = format!("the store could not be opened ({why}) and was set aside as {}", aside.display());
            opened.stored.damage = Some(text);
            opened
        }
        opened => opened?,
    };
    if !opened.alarms.is_empty() {
        let mut draft = Draft::new(&opened.disk);
        draft.free(&opened.chain.acknowledged)?;
        draft.put_durable(&opened.chain.durable)?;
        draft.put_format()?;
        let edits = draft.into_edits();
        opened.disk.commit(edits)?;
    }
    Ok(opened)
}

/// Renames the store to the first free name, and says which.
fn set_aside(data: &Path) -> Result<PathBuf, DiskError> {
    let free = (1_u32..).map(|n| data.join(format!("{STORE_FOLDER}.damaged-{n}"))).find(|path| !path.exists());
    let aside = free.unwrap_or_else(|| data.join(format!("{STORE_FOLDER}.damaged")));
    fs::rename(data.join(STORE_FOLDER), &aside)?;
    Ok(aside)
}

fn read_state(disk: &Disk, enrolled: &[Signed<Statement>]) -> Result<Stored, DiskError> {
    let mut damage = Vec::new();
    let kept = read_all(disk, STATEMENT, "a trust statement", &mut damage)?;
    // Statements are public and prove each other, so the longer list is the better one.
    let statements = if kept.len() >= enrolled.len() { kept } else { enrolled.to_vec() };
    let facts: Vec<Fact> = read_all(disk, FACT, "a fact", &mut damage)?;
    let mut head: Option<StoredHead> = read_one(disk, HEAD_KEY, "the head", &mut damage)?;
    let damaged_before = damage.len();
    let removals = read_all(disk, REMOVAL, "a removal", &mut damage)?;
    if damage.len() > damaged_before {
        // A removal that is lost would open a door to a card that was reported lost, so nothing is decided by what
        // the rest says.
        head = None;
    }
    let mut floor = read_one(disk, FLOOR_KEY, "the floor", &mut damage)?.unwrap_or_default();
    if let Some(commit) = head.as_ref().and_then(|head| head.head.commit.unverified().ok()) {
        raise(&mut floor, commit.position);
    }
    let damage = (!damage.is_empty()).then(|| damage.join("; "));
    Ok(Stored { statements, head, facts, removals, floor, damage })
}

fn raise(floor: &mut doorward_protocol::agent::stored::Floor, position: doorward_protocol::commit::Position) {
    floor.position = floor.position.max(position);
}

/// The chain from the acknowledged head to the durable one, or what is wrong with it.
fn read_chain(disk: &Disk, agent: &AgentId) -> Result<Result<Chain, String>, DiskError> {
    let mut damage = Vec::new();
    let durable: Option<ChainHead> = read_one(disk, DURABLE_KEY, "its newest head", &mut damage)?;
    let acknowledged: Option<ChainHead> = read_one(disk, ACKNOWLEDGED_KEY, "its acknowledged head", &mut damage)?;
    let (Some(durable), Some(acknowledged)) = (durable, acknowledged) else {
        return Ok(Err(damage.pop().unwrap_or_else(|| "where it stood is missing".into())));
    };
    if acknowledged.seq == 0 && acknowledged != ChainHead::begin(agent, acknowledged.incarnation) {
        return Ok(Err("it belongs to another agent".into()));
    }
    let mut head = acknowledged;
    let mut oldest_unsent_at = None;
    let first = record_key(acknowledged.incarnation, acknowledged.seq.saturating_add(1));
    disk.visit(&first, &record_key(durable.incarnation, durable.seq), |(_, bytes)| {
        let Ok(record) = codec::decode::<Record>(&bytes) else { return false };
        let Some(next) = head.with(&record) else { return false };
        oldest_unsent_at = oldest_unsent_at.or(Some(record.at));
        head = next;
        true
    })?;
    if head == durable {
        return Ok(Ok(Chain { durable, acknowledged, oldest_unsent_at }));
    }
    let (good, wanted) = (head.seq, durable.seq);
    Ok(Err(format!(
        "it can be read up to record {good} of {wanted}; what was not acknowledged stays on this disk only"
    )))
}

fn read_one<T: Serialize + DeserializeOwned>(
    disk: &Disk,
    key: &[u8],
    what: &str,
    damage: &mut Vec<String>,
) -> Result<Option<T>, DiskError> {
    let Some(bytes) = disk.value(key)? else { return Ok(None) };
    match codec::decode(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            damage.push(format!("{what} cannot be read: {error}"));
            Ok(None)
        }
    }
}

/// All values of a kind that can be read; of those that cannot, the first is told.
fn read_all<T: Serialize + DeserializeOwned>(
    disk: &Disk,
    kind: u8,
    what: &str,
    damage: &mut Vec<String>,
) -> Result<Vec<T>, DiskError> {
    let mut values = Vec::new();
    let mut unreadable = None;
    let (first, last) = range_of(kind);
    disk.visit(&first, &last, |(_, bytes)| {
        match codec::decode(&bytes) {
            Ok(value) => values.push(value),
            Err(error) => {
                unreadable.get_or_insert(error);
            }
        }
        true
    })?;
    damage.extend(unreadable.map(|error| format!("{what} cannot be read: {error}")));
    Ok(values)
}

/// Reads up to `count` consecutive records after `after`; fewer, or none, where one is missing or damaged.
///
/// # Errors
/// See [`DiskError`].
pub fn read_records(disk: &Disk, incarnation: Incarnation, after: u64, count: usize) -> Result<Vec<Record>, DiskError> {
    let mut records = Vec::new();
    let first = record_key(incarnation, after.saturating_add(1));
    disk.visit(&first, &record_key(incarnation, u64::MAX), |(_, bytes)| {
        let Ok(record) = codec::decode::<Record>(&bytes) else { return false };
        records.push(record);
        records.len() < count
    })?;
    Ok(records)
}
