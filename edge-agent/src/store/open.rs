//! Making a store at enrolment, and reading everything back when the agent starts.
//!
//! What cannot be read is said in sentences; what was read still has to prove itself in the protocol's machines.

use crate::store::chain::{Chain, read_chain};
use crate::store::disk::{Disk, DiskError};
use crate::store::layout::{
    Draft, EditError, FACT, FLOOR_KEY, FORMAT, FORMAT_KEY, HEAD_KEY, PAGE, REMOVAL, SEAL_KEY, STATEMENT, UNTOLD_KEY,
    range_of, read_one, record_key,
};
use crate::store::seal::{Seal, SealFile, Sealer};
use crate::store::tail::Tail;
use doorward_protocol::agent::stored::{Stored, StoredHead, Write};
use doorward_protocol::codec;
use doorward_protocol::facts::{Credential, Fact};
use doorward_protocol::id::{AgentId, Incarnation};
use doorward_protocol::record::{Batch, ChainHead, Record};
use doorward_protocol::sign::Signed;
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
    /// The newest of its records, which are not in the store yet.
    pub tail: Vec<Record>,
    /// What a person must know, in sentences.
    pub alarms: Vec<String>,
    /// Makes the seals of further commits.
    pub sealer: Sealer,
    /// What is damaged that was not known before, and what the authority has not been told of, in a sentence.
    pub untold: Option<String>,
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
    let mut edits = draft.into_edits()?;
    Sealer::default().seal(&mut edits, head).map_err(EditError::from)?;
    disk.commit(edits)?;
    Ok(())
}

/// Reads a store without changing what is in it.
///
/// # Errors
/// See [`OpenError`].
pub fn open(data: &Path, beginning: &Beginning<'_>) -> Result<Opened, OpenError> {
    let path = data.join(STORE_FOLDER);
    let beside = Beside { seal: SealFile::read(&path), tail: Tail::read(&path) };
    read_all_of(Disk::open(&path)?, path, beginning, beside)
}

/// What stands in files beside the store.
#[derive(Debug, Default)]
struct Beside {
    seal: Option<Seal>,
    tail: Vec<Batch>,
}

/// Reads what lies under the keys of an open store, which is at this path, and nothing beside it.
///
/// # Errors
/// See [`OpenError`].
pub fn read(disk: Disk, path: PathBuf, beginning: &Beginning<'_>) -> Result<Opened, OpenError> {
    read_all_of(disk, path, beginning, Beside::default())
}

/// Reads a store and holds it to the newer of its two seals.
fn read_all_of(disk: Disk, path: PathBuf, beginning: &Beginning<'_>, beside: Beside) -> Result<Opened, OpenError> {
    let mut alarms = Vec::new();
    match disk.value(FORMAT_KEY)?.map(|bytes| codec::decode::<u32>(&bytes)) {
        Some(Ok(format)) if format > FORMAT => return Err(OpenError::Newer(format)),
        Some(Ok(_)) => {}
        Some(Err(_)) | None => alarms.push("the store lacks its beginning; what it held may be gone".to_owned()),
    }
    let mut damage = Vec::new();
    let within: Option<Seal> = read_one(&disk, SEAL_KEY, "the seal", &mut damage)?;
    let seal = [beside.seal, within].into_iter().flatten().max_by_key(|seal| seal.commits);
    let mut sealer = Sealer::of(&disk)?;
    let mut stored = read_state(&disk, beginning.statements)?;
    if let Some(seal) = &seal {
        if sealer.parts() != seal.parts {
            // What was taken away since is not known, so nothing is decided by what is left.
            stored.head = None;
            damage.push(format!("the store lost its newest changes; it stood at commit {}", seal.position));
        }
        raise(&mut stored.floor, seal.position);
        sealer.go_on(seal);
    }
    let (chain, tail) = match read_chain(&disk, beginning.agent, seal.map(|seal| seal.chain), beside.tail)? {
        Ok(found) => {
            damage.extend(found.lost);
            (found.chain, found.tail)
        }
        Err(why) => {
            let before = seal.filter(|seal| seal.chain.seq > 0).map_or_else(String::new, |seal| {
                format!("; access records up to {} are lost where they were not acknowledged", seal.chain.seq)
            });
            let text = format!("the chain of access records begins anew: {why}{before}");
            damage.push(text.clone());
            alarms.push(text);
            let head = ChainHead::begin(beginning.agent, beginning.incarnation);
            (Chain { durable: head, acknowledged: head, oldest_unsent_at: None }, Vec::new())
        }
    };
    let known: Option<String> = read_one(&disk, UNTOLD_KEY, "what was damaged", &mut damage)?;
    let untold = (!damage.is_empty()).then(|| damage.join("; "));
    let all = [untold.clone(), known, stored.damage.take()].into_iter().flatten().collect::<Vec<_>>();
    stored.damage = (!all.is_empty()).then(|| all.join("; "));
    Ok(Opened { path, disk, stored, chain, tail, alarms, sealer, untold })
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
            opened.untold = Some([opened.untold, Some(text)].into_iter().flatten().collect::<Vec<_>>().join("; "));
            opened.stored.damage = opened.untold.clone();
            opened
        }
        opened => opened?,
    };
    let is_damaged = !opened.alarms.is_empty() || opened.untold.is_some();
    if is_damaged || !opened.tail.is_empty() {
        write_down(&mut opened, is_damaged)?;
    }
    Ok(opened)
}

/// Makes the store what was found of it and beside it, so that the same fault is not found again, and is told all the same.
fn write_down(opened: &mut Opened, is_damaged: bool) -> Result<(), OpenError> {
    let mut draft = Draft::new(&opened.disk);
    draft.append(&std::mem::take(&mut opened.tail), &opened.chain.durable)?;
    if is_damaged {
        draft.free(&opened.chain.acknowledged)?;
        draft.write(&Write::Floor(opened.stored.floor))?;
        draft.put_format()?;
        draft.put_untold(opened.stored.damage.as_deref().unwrap_or_default())?;
    }
    let mut edits = draft.into_edits()?;
    if is_damaged && opened.stored.head.is_none() {
        edits.insert(HEAD_KEY.to_vec(), None);
    }
    let seal = opened.sealer.seal(&mut edits, opened.chain.durable).map_err(EditError::from)?;
    opened.disk.commit(edits)?;
    let mut file = SealFile::open(&opened.path).map_err(DiskError::from)?;
    Ok(file.write(&seal)?)
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
    let mut facts: Vec<Fact> = read_all(disk, FACT, "a fact", &mut damage)?;
    read_each(disk, PAGE, "a page of credentials", &mut damage, |page: Vec<Credential>| {
        facts.extend(page.into_iter().map(Fact::Credential));
    })?;
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

/// All values of a kind that can be read; of those that cannot, the first is told.
fn read_all<T: Serialize + DeserializeOwned>(
    disk: &Disk,
    kind: u8,
    what: &str,
    damage: &mut Vec<String>,
) -> Result<Vec<T>, DiskError> {
    let mut values = Vec::new();
    read_each(disk, kind, what, damage, |value| values.push(value))?;
    Ok(values)
}

/// The same one by one, so that they need not be held twice.
fn read_each<T: Serialize + DeserializeOwned>(
    disk: &Disk,
    kind: u8,
    what: &str,
    damage: &mut Vec<String>,
    mut take: impl FnMut(T),
) -> Result<(), DiskError> {
    let mut unreadable = None;
    let (first, last) = range_of(kind);
    disk.visit(&first, &last, |(_, bytes)| {
        match codec::decode(&bytes) {
            Ok(value) => take(value),
            Err(error) => {
                unreadable.get_or_insert(error);
            }
        }
        true
    })?;
    damage.extend(unreadable.map(|error| format!("{what} cannot be read: {error}")));
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::layout::DURABLE_KEY;
    use crate::testing::{CARD, Campus};
    use doorward_protocol::commit::Position;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::facts::Factors;
    use doorward_protocol::id::CredentialKey;
    use doorward_protocol::state::State;
    use doorward_protocol::time::UnixMs;

    const AT: UnixMs = UnixMs(1_700_000_000_000);

    /// A data directory with the store of the campus's agent, and how it is looked at.
    struct Data {
        directory: tempfile::TempDir,
        campus: Campus,
    }

    impl Data {
        fn new() -> Self {
            let data = Self { directory: tempfile::tempdir().unwrap(), campus: Campus::new(vec![]) };
            create(data.path(), &data.beginning(1)).unwrap();
            data
        }

        fn path(&self) -> &Path {
            self.directory.path()
        }

        fn beginning(&self, incarnation: u8) -> Beginning<'_> {
            let identity = &self.campus.identity;
            let incarnation = Incarnation([incarnation; 16]);
            Beginning { agent: &identity.agent, statements: &identity.statements, incarnation }
        }

        fn edit(&self, edit: impl FnOnce(&mut Draft<'_>)) {
            let mut opened = open(self.path(), &self.beginning(2)).unwrap();
            let mut draft = Draft::new(&opened.disk);
            edit(&mut draft);
            let mut edits = draft.into_edits().unwrap();
            let chain = edits.get(DURABLE_KEY).cloned().flatten().map(|bytes| codec::decode(&bytes).unwrap());
            let seal = opened.sealer.seal(&mut edits, chain.unwrap_or(opened.chain.durable)).unwrap();
            opened.disk.commit(edits).unwrap();
            SealFile::open(&opened.path).unwrap().write(&seal).unwrap();
        }

        fn with_state(self) -> Self {
            let writes = self.campus.writes(AT);
            self.edit(|draft| writes.iter().for_each(|write| draft.write(write).unwrap()));
            self
        }

        /// Appends records up to `count` in all.
        fn with_records(self, count: u64) -> Self {
            let mut head = open(self.path(), &self.beginning(2)).unwrap().chain.durable;
            let records: Vec<Record> = (head.seq + 1..=count).map(record).collect();
            for record in &records {
                head = head.with(record).unwrap();
            }
            self.edit(|draft| draft.append(&records, &head).unwrap());
            self
        }

        /// What is believed of the stored state: its position, or in sentences why nothing is.
        fn believed(&self, opened: Opened) -> Result<Position, String> {
            let identity = &self.campus.identity;
            let believed = opened.stored.open(&identity.agent, identity.key.public(), identity.pinned_root).unwrap();
            match believed.state {
                Some((head, _)) if believed.damage.is_empty() => Ok(head.commit.unverified().unwrap().position),
                Some(_) | None => Err(believed.damage.join("; ")),
            }
        }
    }

    fn record(seq: u64) -> Record {
        let (door, credential) = (Campus::door(), CredentialKey([7; 16]));
        let at = AT.plus_ms(i64::try_from(seq).unwrap());
        Record {
            seq,
            at,
            door,
            credential,
            factors: Factors::NONE,
            reason: Reason::Granted,
            position: Campus::position(),
        }
    }

    #[test]
    fn what_an_agent_kept_is_there_when_it_starts_again() {
        let data = Data::new().with_state().with_records(5);
        let opened = open_to_run(data.path(), &data.beginning(2)).unwrap();
        assert!(opened.alarms.is_empty(), "{:?}", opened.alarms);
        let Chain { durable, acknowledged, oldest_unsent_at } = opened.chain;
        assert_eq!((durable.seq, durable.incarnation), (5, Incarnation([1; 16])));
        assert_eq!((acknowledged.seq, oldest_unsent_at), (0, Some(AT.plus_ms(1))));
        assert_eq!(read_records(&opened.disk, durable.incarnation, 2, 2).unwrap(), [record(3), record(4)]);
        assert_eq!(opened.stored.floor.fresh_at, AT);
        assert_eq!(data.believed(opened), Ok(Campus::position()));
    }

    #[test]
    fn acknowledged_records_are_let_go_and_the_chain_goes_on_after_them() {
        let data = Data::new().with_records(5);
        let begin = ChainHead::begin(&data.campus.identity.agent, Incarnation([1; 16]));
        let third = (1..=3).fold(begin, |head, seq| head.with(&record(seq)).unwrap());
        data.edit(|draft| draft.free(&third).unwrap());
        let opened = open(data.path(), &data.beginning(2)).unwrap();
        assert!(opened.alarms.is_empty(), "{:?}", opened.alarms);
        assert_eq!((opened.chain.acknowledged, opened.chain.durable.seq), (third, 5));
        assert_eq!(read_records(&opened.disk, begin.incarnation, 0, 9).unwrap(), [record(4), record(5)]);
    }

    #[test]
    fn a_snapshot_replaces_every_fact_also_those_of_the_same_draft() {
        let data = Data::new().with_state();
        let mut facts = Campus::facts();
        let place = facts.iter().position(|fact| matches!(fact, Fact::Credential(_))).unwrap();
        let dropped = facts.remove(place);
        let state = State::from_facts(facts).unwrap();
        data.edit(|draft| {
            draft.write(&Write::PutFact(dropped.clone())).unwrap();
            draft.write(&Write::ReplaceFacts(Box::new(state.clone()))).unwrap();
        });
        let kept = open(data.path(), &data.beginning(2)).unwrap().stored.facts;
        assert_eq!(State::from_facts(kept).unwrap(), state);
        data.edit(|draft| {
            draft.write(&Write::ReplaceFacts(Box::new(state.clone()))).unwrap();
            draft.write(&Write::PutFact(dropped.clone())).unwrap();
        });
        let kept = open(data.path(), &data.beginning(2)).unwrap().stored.facts;
        assert_eq!(kept.len(), state.len() + 1, "what comes after the whole state is added to it");
    }

    #[test]
    fn removals_are_dropped_up_to_their_commit_and_no_further() {
        let data = Data::new().with_state();
        let removal = data.campus.suspension(AT);
        let at = |seq| Position { epoch: 0, seq };
        data.edit(|draft| {
            for (seq, part) in [(8, 0), (8, 1), (9, 0)] {
                draft.write(&Write::PutRemoval(at(seq), part, removal.clone())).unwrap();
            }
        });
        data.edit(|draft| draft.write(&Write::DropRemovals(at(8))).unwrap());
        assert_eq!(open(data.path(), &data.beginning(2)).unwrap().stored.removals.len(), 1);
    }

    #[test]
    fn a_newer_store_is_left_alone() {
        let data = Data::new();
        let mut disk = Disk::open(&data.path().join(STORE_FOLDER)).unwrap();
        disk.commit([(FORMAT_KEY.to_vec(), Some(vec![2]))].into()).unwrap();
        drop(disk);
        for opened in [open(data.path(), &data.beginning(2)), open_to_run(data.path(), &data.beginning(2))] {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains("written by a newer doorward-agent (format 2"), "{error}");
        }
    }

    /// Overwrites one value with bytes that do not decode.
    fn spoil(data: &Data, key: Vec<u8>) {
        let mut disk = Disk::open(&data.path().join(STORE_FOLDER)).unwrap();
        disk.commit([(key, Some(vec![0xff; 3]))].into()).unwrap();
    }

    #[test]
    fn a_value_that_cannot_be_read_is_never_guessed() {
        let data = Data::new().with_state();
        assert!(CARD.len() > 1);
        let disk = Disk::open(&data.path().join(STORE_FOLDER)).unwrap();
        let mut facts = Vec::new();
        for kind in [FACT, PAGE] {
            let mut found = None;
            let first_of_kind = |(key, _)| {
                found = Some(key);
                false
            };
            disk.visit(&[kind], &range_of(kind).1, first_of_kind).unwrap();
            facts.push(found.unwrap());
        }
        drop(disk);
        for (fact, said) in facts.into_iter().zip(["a fact cannot be read", "a page of credentials cannot be read"]) {
            spoil(&data, fact);
            let damage = data.believed(open(data.path(), &data.beginning(2)).unwrap()).unwrap_err();
            assert!(damage.contains(said), "{damage}");
        }
    }

    #[test]
    fn credentials_of_a_page_come_and_go_one_by_one() {
        let data = Data::new().with_state();
        let facts = |data: &Data| open(data.path(), &data.beginning(2)).unwrap().stored.facts;
        let before = facts(&data);
        let known = before.iter().find_map(|fact| if let Fact::Credential(known) = fact { Some(*known) } else { None });
        let known = known.unwrap();
        let CredentialKey(mut beside) = known.key;
        beside[15] ^= 1;
        let beside = Fact::Credential(Credential { key: CredentialKey(beside), ..known });
        data.edit(|draft| draft.write(&Write::PutFact(beside.clone())).unwrap());
        let after = facts(&data);
        assert!(after.len() == before.len() + 1 && before.iter().chain([&beside]).all(|fact| after.contains(fact)));
        data.edit(|draft| draft.write(&Write::RemoveFact(beside.key())).unwrap());
        assert_eq!(facts(&data), before);
        let replaced: Vec<Fact> = before
            .iter()
            .map(|fact| if *fact == Fact::Credential(known) { beside.clone() } else { fact.clone() })
            .collect();
        let state = State::from_facts(replaced.clone()).unwrap();
        data.edit(|draft| draft.write(&Write::ReplaceFacts(Box::new(state))).unwrap());
        assert_eq!(facts(&data), replaced);
    }

    #[test]
    fn a_removal_that_cannot_be_read_closes_the_doors() {
        let data = Data::new().with_state();
        spoil(&data, crate::store::layout::removal_key(Position { epoch: 0, seq: 8 }, 0));
        let damage = data.believed(open(data.path(), &data.beginning(2)).unwrap()).unwrap_err();
        assert!(damage.contains("a removal cannot be read"), "{damage}");
    }

    #[test]
    fn a_floor_that_cannot_be_read_is_not_below_the_head() {
        let data = Data::new().with_state();
        spoil(&data, FLOOR_KEY.to_vec());
        let opened = open(data.path(), &data.beginning(2)).unwrap();
        assert_eq!(opened.stored.floor.position, Campus::position());
        assert!(opened.stored.damage.is_some_and(|damage| damage.contains("the floor cannot be read")));
    }

    #[test]
    fn a_broken_chain_goes_on_after_its_last_whole_record_and_names_what_is_lost() {
        let incarnation = Incarnation([1; 16]);
        type Spoil<'a> = (u64, &'a str, &'a dyn Fn(&Data));
        let spoiled: [Spoil<'_>; 3] = [
            (2, "access records 3 to 5 are lost", &|data| spoil(data, record_key(incarnation, 3))),
            (3, "access records 4 to 5 are lost", &|data| {
                let mut disk = Disk::open(&data.path().join(STORE_FOLDER)).unwrap();
                disk.commit([(record_key(incarnation, 4), None)].into()).unwrap();
            }),
            // The seal knows where the chain stood, so nothing is lost with its head.
            (5, "", &|data| spoil(data, DURABLE_KEY.to_vec())),
        ];
        for (good, said, spoil) in spoiled {
            let data = Data::new().with_state().with_records(5);
            spoil(&data);
            let opened = open_to_run(data.path(), &data.beginning(2)).unwrap();
            assert_eq!((opened.chain.durable.seq, opened.chain.durable.incarnation), (good, incarnation));
            assert!(opened.untold.clone().unwrap_or_default().contains(said), "{:?}", opened.untold);
            assert_eq!(opened.stored.damage, opened.untold, "the state is as it was");
            let is_lost = opened.untold.is_some();
            drop(opened);
            let again = open_to_run(data.path(), &data.beginning(3)).unwrap();
            assert_eq!((again.chain.durable.seq, again.untold.clone()), (good, None), "found once");
            assert_eq!(again.stored.damage.is_some(), is_lost, "and told until the authority knows");
            assert!(again.stored.head.is_some());
        }
    }

    #[test]
    fn a_chain_of_which_no_head_can_be_read_begins_anew_once_and_says_so() {
        let data = Data::new().with_state().with_records(5);
        spoil(&data, crate::store::layout::ACKNOWLEDGED_KEY.to_vec());
        let opened = open_to_run(data.path(), &data.beginning(2)).unwrap();
        let begin = ChainHead::begin(&data.campus.identity.agent, Incarnation([2; 16]));
        assert_eq!((opened.chain.durable, opened.chain.acknowledged), (begin, begin));
        assert!(opened.alarms[0].contains("its acknowledged head cannot be read"), "{:?}", opened.alarms);
        drop(opened);
        let again = open_to_run(data.path(), &data.beginning(3)).unwrap();
        assert!(again.alarms.is_empty(), "{:?}", again.alarms);
        assert_eq!(again.chain.durable, begin);
    }

    /// Lets the store be as it was before `later`, while the seal beside it stays.
    fn roll_back(data: &Data, later: impl FnOnce(&Data)) {
        let store = data.path().join(STORE_FOLDER);
        let before = data.path().join("before");
        fs::create_dir(&before).unwrap();
        for name in ["conf", "db"] {
            fs::copy(store.join(name), before.join(name)).unwrap();
        }
        later(data);
        fs::remove_dir_all(&store).unwrap();
        fs::rename(before, store).unwrap();
    }

    #[test]
    fn a_store_without_its_newest_removal_decides_nothing_until_the_authority_has_spoken() {
        let data = Data::new().with_state();
        let at = Position { epoch: 0, seq: 8 };
        roll_back(&data, |data| {
            let removal = data.campus.suspension(AT);
            data.edit(|draft| draft.write(&Write::PutRemoval(at, 0, removal)).unwrap());
        });
        for incarnation in [2, 3] {
            let opened = open_to_run(data.path(), &data.beginning(incarnation)).unwrap();
            assert!(opened.alarms.is_empty(), "the records are whole: {:?}", opened.alarms);
            assert!(opened.stored.floor.position >= Campus::position());
            let damage = data.believed(opened).unwrap_err();
            assert!(damage.contains("the store lost its newest changes"), "{damage}");
        }
        let healed = data.with_state();
        let opened = open_to_run(healed.path(), &healed.beginning(4)).unwrap();
        assert!(opened.stored.head.is_some() && opened.untold.is_none());
    }

    #[test]
    fn a_store_without_its_newest_records_decides_and_names_them() {
        let data = Data::new().with_state().with_records(2);
        roll_back(&data, |data| {
            let mut head = open(data.path(), &data.beginning(2)).unwrap().chain.durable;
            let records: Vec<Record> = (3..=5).map(record).collect();
            for record in &records {
                head = head.with(record).unwrap();
            }
            data.edit(|draft| draft.append(&records, &head).unwrap());
        });
        let opened = open_to_run(data.path(), &data.beginning(2)).unwrap();
        assert_eq!(opened.chain.durable.seq, 2);
        assert_eq!(
            opened.stored.damage.as_deref(),
            Some("access records 3 to 5 are lost where they were not acknowledged")
        );
        assert!(opened.stored.head.is_some(), "no right is lost with a record");
    }

    #[test]
    fn a_store_that_vanished_keeps_the_floor_and_says_that_everything_is_gone() {
        let data = Data::new().with_state().with_records(5);
        fs::remove_dir_all(data.path().join(STORE_FOLDER)).unwrap();
        let opened = open_to_run(data.path(), &data.beginning(2)).unwrap();
        assert_eq!(opened.stored.floor.position, Campus::position());
        assert_eq!(opened.chain.durable.incarnation, Incarnation([2; 16]));
        let damage = data.believed(opened).unwrap_err();
        assert!(damage.contains("the store lost its newest changes"), "{damage}");
    }

    #[test]
    fn a_torn_log_is_opened_as_an_older_whole_or_set_aside_but_never_believed_in_part() {
        let data = Data::new().with_state().with_records(50);
        let log = data.path().join(STORE_FOLDER).join("db");
        let whole = fs::read(&log).unwrap();
        let mut outcomes = [0, 0];
        // Cut and zeroed ends, as a power cut leaves them; each on a copy.
        for cut in (0..whole.len()).step_by((whole.len() / 40).max(1)) {
            for is_zeroed in [false, true] {
                let copy = tempfile::tempdir().unwrap();
                let folder = copy.path().join(STORE_FOLDER);
                fs::create_dir(&folder).unwrap();
                fs::copy(data.path().join(STORE_FOLDER).join("conf"), folder.join("conf")).unwrap();
                let mut torn = whole[..cut].to_vec();
                if is_zeroed {
                    torn.resize(whole.len(), 0);
                }
                fs::write(folder.join("db"), torn).unwrap();
                let opened = open_to_run(copy.path(), &data.beginning(2)).unwrap();
                // What the chain says is there can be read back, all of it.
                let Chain { durable, .. } = opened.chain;
                let records = read_records(&opened.disk, durable.incarnation, 0, 99).unwrap();
                assert_eq!(records, (1..=durable.seq).map(record).collect::<Vec<_>>());
                match data.believed(opened) {
                    Ok(position) => assert_eq!(position, Campus::position()),
                    Err(_) => outcomes[0] += 1,
                }
                outcomes[1] += u32::from(durable.seq == 50);
            }
        }
        let [refused, whole] = outcomes;
        assert!(refused > 0 && whole > 0, "of all cuts {refused} lost the state and {whole} lost nothing");
    }

    #[test]
    fn a_store_that_cannot_be_opened_is_set_aside_and_says_where() {
        let data = Data::new().with_state();
        fs::write(data.path().join(STORE_FOLDER).join("conf"), [9; 64]).unwrap();
        assert!(open(data.path(), &data.beginning(2)).is_err(), "a look changes nothing");
        let opened = open_to_run(data.path(), &data.beginning(2)).unwrap();
        assert_eq!(opened.chain.durable.incarnation, Incarnation([2; 16]));
        let damage = data.believed(opened).unwrap_err();
        assert!(damage.contains("store.damaged-1"), "{damage}");
        assert!(data.path().join("store.damaged-1").join("db").exists());
    }

    /// The files of a data directory, by their names below it.
    fn files(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
        let mut files = std::collections::BTreeMap::new();
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = PathBuf::from(path.file_name().unwrap());
            if path.is_dir() {
                files.extend(super::tests::files(&path).into_iter().map(|(below, bytes)| (name.join(below), bytes)));
            } else {
                files.insert(name, fs::read(&path).unwrap());
            }
        }
        files
    }

    /// Numbers that a test repeats from run to run (SplitMix64).
    fn next(state: &mut u64) -> usize {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((z ^ (z >> 27)) >> 32).unwrap()
    }

    /// Damages sled's log: cut, zero, turned bits, a page or the newest sectors of before.
    fn damage(log: &mut Vec<u8>, older: &[u8], random: &mut u64) {
        let used = log.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
        let page = next(random) % used.div_ceil(4096) * 4096;
        let end = (page + 4096).min(log.len());
        let changed: Vec<usize> =
            (0..log.len() / 512).filter(|n| log[n * 512..][..512] != older[n * 512..][..512]).collect();
        let newest = &changed[next(random) % changed.len()..];
        match next(random) % 6 {
            0 => log.truncate(next(random) % used),
            1 => log[page..end].fill(0),
            2 => log[page..end].copy_from_slice(&older[page..end]),
            3 => newest.iter().for_each(|n| log[n * 512..][..512].fill(0)),
            4 => newest.iter().for_each(|n| log[n * 512..][..512].copy_from_slice(&older[n * 512..][..512])),
            _ => (0..4).for_each(|_| log[next(random) % used] ^= 1 << (next(random) % 8)),
        }
    }

    #[test]
    fn whatever_a_store_loses_it_never_forgets_a_removal_and_never_loses_a_record_in_silence() {
        let data = Data::new().with_state().with_records(30);
        let older = files(data.path());
        let data = data.with_records(40);
        let removal = data.campus.suspension(AT);
        data.edit(|draft| draft.write(&Write::PutRemoval(Position { epoch: 0, seq: 8 }, 0, removal)).unwrap());
        let whole = files(data.path());
        let log = Path::new(STORE_FOLDER).join("db");
        let [mut believed, mut refused, mut shortened] = [0; 3];
        for seed in 0..150_u64 {
            let mut random = seed;
            let mut damaged = whole.clone();
            // Every tenth lost nothing: sound stores must be among them, however sled lays out the others.
            let is_sound = seed.is_multiple_of(10);
            if next(&mut random).is_multiple_of(8) && !is_sound {
                damaged.retain(|name, _| !name.starts_with(STORE_FOLDER));
                damaged.extend(older.clone().into_iter().filter(|(name, _)| name.starts_with(STORE_FOLDER)));
            } else if !is_sound {
                damage(damaged.get_mut(&log).unwrap(), &older[&log], &mut random);
            }
            if !is_sound && next(&mut random).is_multiple_of(2) {
                damaged.retain(|name, _| !name.to_string_lossy().contains("snap."));
            }
            let copy = tempfile::tempdir().unwrap();
            for (name, bytes) in &damaged {
                fs::create_dir_all(copy.path().join(name).parent().unwrap()).unwrap();
                fs::write(copy.path().join(name), bytes).unwrap();
            }
            let opened = open_to_run(copy.path(), &data.beginning(2)).unwrap();
            let Chain { durable, acknowledged, .. } = opened.chain;
            let records = read_records(&opened.disk, durable.incarnation, 0, 99).unwrap();
            let kept = records.iter().take_while(|record| record.seq <= durable.seq);
            assert!(kept.cloned().eq((1..=durable.seq).map(record)), "seed {seed}");
            assert_eq!(acknowledged.seq, 0, "seed {seed}");
            let told = opened.stored.damage.clone().unwrap_or_default();
            assert!(
                durable.seq == 40 || told.contains("are lost where they were not acknowledged"),
                "seed {seed}: {told}"
            );
            shortened += u32::from(durable.seq < 40);
            let removals = opened.stored.removals.len();
            assert!(opened.stored.floor.position >= Campus::position(), "seed {seed}");
            match data.believed(opened) {
                Ok(_) => assert_eq!(removals, 1, "seed {seed}: a card that was shut out is let in"),
                Err(_) => refused += 1,
            }
            believed += u32::from(removals == 1);
            assert!(!is_sound || removals == 1, "seed {seed}: nothing was lost");
            let again = open_to_run(copy.path(), &data.beginning(3)).unwrap();
            assert_eq!(again.chain.durable, durable, "seed {seed}");
        }
        assert!(
            believed >= 15 && refused > 20 && shortened > 20,
            "{believed} believed, {refused} refused, {shortened} shortened"
        );
    }
}
