//! What lies on an agent's disk, under keys and in values of anybody's making, read by the store that runs in a building.
//!
//! sled itself is not the target: it stands behind `disk`, and its files are damaged elsewhere.

use crate::fuzz::agent::{check_decisions, empty_view};
use crate::fuzz::chains::{begin, record};
use crate::fuzz::choices::Choices;
use crate::fuzz::history::{AGENT, HISTORY, START, agent, key};
use doorward_agent::store::disk::{Disk, Edits};
use doorward_agent::store::layout::{
    ACKNOWLEDGED_KEY, DURABLE_KEY, Draft, FACT, FLOOR_KEY, FORMAT, FORMAT_KEY, HEAD_KEY, PAGE, RECORD, REMOVAL,
    SEAL_KEY, STATEMENT, range_of, record_key, removal_key, statement_key,
};
use doorward_agent::store::open::{Beginning, Opened, read, read_records};
use doorward_agent::store::seal::{Seal, Sealer};
use doorward_protocol::agent::stored::{Floor, StoredHead, Write};
use doorward_protocol::agent::sync::{Effect, Identity, Sync};
use doorward_protocol::codec;
use doorward_protocol::id::Incarnation;
use doorward_protocol::record::Record;
use doorward_protocol::removal::Removal;
use doorward_protocol::sign::Signed;
use std::cell::RefCell;
use std::path::PathBuf;
use tempfile::TempDir;

/// How many inputs one store takes before a new one is made: its log grows.
const USES_MAX: u32 = 4096;

thread_local! {
    /// The store of this thread; making one for each input would be all that is done.
    static STORE: RefCell<Option<(TempDir, Disk, u32)>> = const { RefCell::new(None) };
}

/// Looks at one input: what is different on a sound disk.
pub fn run(input: &[u8]) {
    let kept = STORE.with_borrow_mut(Option::take);
    let Some((folder, mut disk, uses)) = kept.filter(|(_, _, uses)| *uses < USES_MAX).or_else(made) else { return };
    let mut choices = Choices::new(input);
    let Some(mut edits) = sound(&disk) else { return };
    let before = sealed(&edits);
    // Who writes a seal of their own is nobody that a seal keeps away.
    let is_resealed = choices.below(2) == 1;
    while !choices.is_over() && edit(&mut edits, &mut choices).is_some() {}
    let head = edits.get(DURABLE_KEY).and_then(|value| codec::decode(value.as_ref()?).ok());
    if let Some(head) = head.filter(|_| is_resealed)
        && Sealer::default().seal(&mut edits, head).is_err()
    {
        return;
    }
    let wanted = edits.clone();
    let is_unsealed = !is_resealed && edits.get(SEAL_KEY).is_some_and(Option::is_some) && before != sealed(&edits);
    let all = (vec![], vec![u8::MAX; 80]);
    let cleared = disk.visit(&all.0, &all.1, |(key, _)| {
        edits.entry(key).or_insert(None);
        true
    });
    if cleared.is_err() || disk.commit(edits).is_err() {
        return;
    }
    if let Some(disk) = look(disk, &wanted, is_unsealed) {
        STORE.with_borrow_mut(|store| *store = Some((folder, disk, uses + 1)));
    }
}

fn made() -> Option<(TempDir, Disk, u32)> {
    let folder = tempfile::tempdir().ok()?;
    let disk = Disk::open(folder.path()).ok()?;
    Some((folder, disk, 0))
}

/// What is on the disk of an agent that has the second commit, waits for the fourth, and has not sent two records.
fn sound(disk: &Disk) -> Option<Edits> {
    let mut draft = Draft::new(disk);
    let made = HISTORY.commits.get(1)?;
    let writes = [
        // Of what a former input left on a page, nothing stays.
        Write::ReplaceFacts(Box::new(made.state.clone())),
        Write::Statement(1, HISTORY.statements.first()?.clone()),
        Write::Statement(2, HISTORY.statements.get(1)?.clone()),
        Write::Head(StoredHead { statement: 1, head: made.head.clone() }),
        Write::Floor(Floor { position: made.commit.position, at: made.commit.at, fresh_at: made.commit.at }),
    ];
    for write in writes {
        draft.write(&write).ok()?;
    }
    for (signed, removal) in HISTORY.removals.get(1..3)? {
        draft.write(&Write::PutRemoval(removal.position, removal.part, signed.clone())).ok()?;
    }
    let first = begin(1)?;
    let records = [record(1, 10)?, record(2, 20)?, record(3, 30)?];
    let acknowledged = first.with(records.first()?)?;
    let durable = records.iter().try_fold(first, |head, record| head.with(record))?;
    draft.append(&records, &durable).ok()?;
    draft.free(&acknowledged).ok()?;
    draft.put_format().ok()?;
    let mut edits = draft.into_edits().ok()?;
    Sealer::default().seal(&mut edits, durable).ok()?;
    Some(edits)
}

/// The parts of a state that its seal names.
fn sealed(edits: &Edits) -> Edits {
    let is_sealed = |key: &[u8]| key == HEAD_KEY || key.first().is_some_and(|kind| [STATEMENT, REMOVAL].contains(kind));
    let parts = edits.iter().filter(|(key, value)| value.is_some() && is_sealed(key));
    parts.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// One entry more, less, or with other bytes.
fn edit(edits: &mut Edits, choices: &mut Choices<'_>) -> Option<()> {
    let key = match choices.byte() % 13 {
        0 => HEAD_KEY.to_vec(),
        1 => FLOOR_KEY.to_vec(),
        2 => DURABLE_KEY.to_vec(),
        3 => ACKNOWLEDGED_KEY.to_vec(),
        4 => FORMAT_KEY.to_vec(),
        12 => SEAL_KEY.to_vec(),
        5 => statement_key(u32::from(choices.byte() % 5)),
        6 => {
            let removal = &choices.pick(&HISTORY.removals)?.1;
            removal_key(removal.position, removal.part)
        }
        7 => record_key(Incarnation([choices.byte() % 3; 16]), u64::from(choices.byte() % 6)),
        8 => {
            let kind = *choices.pick(&[STATEMENT, FACT, PAGE, REMOVAL, RECORD])?;
            [&[kind], choices.some()].concat()
        }
        _ => {
            let place = choices.below(edits.len());
            edits.keys().nth(place)?.clone()
        }
    };
    let present = edits.get(&key).cloned().flatten();
    let value = match choices.byte() % 6 {
        0 => None,
        1 => Some(choices.some().to_vec()),
        2 => {
            let made = choices.pick(&HISTORY.commits)?;
            codec::encode(&StoredHead { statement: u32::from(choices.byte() % 5), head: made.head.clone() }).ok()
        }
        3 => codec::encode(&choices.pick(&HISTORY.removals)?.0).ok(),
        _ => Some(choices.alter(present?)),
    };
    edits.insert(key, value);
    Some(())
}

/// Reads the store as at a start, and looks at what is believed of it.
fn look(disk: Disk, wanted: &Edits, is_unsealed: bool) -> Option<Disk> {
    let agent = agent()?;
    let statements = HISTORY.statements.get(..1)?;
    let incarnation = Incarnation([9; 16]);
    let opened = read(disk, PathBuf::new(), &Beginning { agent: &agent, statements, incarnation });
    let version = wanted.get(FORMAT_KEY).and_then(|value| codec::decode::<u32>(value.as_ref()?).ok());
    assert_eq!(opened.is_err(), version.is_some_and(|version| version > FORMAT), "only a newer store is not read");
    let Opened { disk, stored, chain, alarms, .. } = opened.ok()?;

    let first = chain.acknowledged;
    let count = usize::try_from(chain.durable.seq.checked_sub(first.seq)?).ok()?;
    let records: Vec<Record> = match count {
        0 => Vec::new(),
        count => read_records(&disk, first.incarnation, first.seq, count).unwrap_or_default(),
    };
    let end = records.iter().try_fold(first, |head, record| head.with(record));
    assert_eq!(end, Some(chain.durable), "a chain that is believed can be read");
    assert!(!alarms.is_empty() || chain.durable.incarnation != incarnation, "a chain that is lost is an alarm");

    let identity = Identity {
        agent: AGENT.parse().ok()?,
        key: key(9),
        pinned_root: HISTORY.root.as_ref()?.hash(),
        software: "fuzz".into(),
    };
    let (low, high) = range_of(REMOVAL);
    let unread = wanted.range(low..high).filter_map(|(_, value)| value.as_ref());
    let is_unread = unread.into_iter().any(|value| codec::decode::<Signed<Removal>>(value).is_err());
    let Ok(mut sync) = Sync::open(identity, stored) else { return Some(disk) };
    let mut view = empty_view();
    while let Some(effect) = sync.poll_effect() {
        if let Effect::View(shown) = effect {
            view = shown;
        }
    }
    let made = sync.position().and_then(|position| HISTORY.having(position, sync.digest()));
    assert_eq!(sync.position().is_some(), made.is_some(), "the state on a disk is one that was signed");
    assert!(!is_unread || made.is_none(), "without a removal that cannot be read, nothing is decided");
    let has_seal = wanted.get(SEAL_KEY).and_then(|value| codec::decode::<Seal>(value.as_ref()?).ok());
    let is_own = has_seal.is_some_and(|seal| seal.commits == 1);
    assert!(!is_unsealed || !is_own || made.is_none(), "by parts that are not the sealed ones, nothing is decided");
    check_decisions(&view, made, START.plus_ms(120_000), |_, _, _, _| {});
    Some(disk)
}
