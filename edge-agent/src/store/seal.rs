//! How far a store must have come: a few words that stand in the store and, apart from it, in a file beside it.
//!
//! sled opens a log that lost its newest pages as an older whole, and says nothing; an older whole proves itself, and
//! would let in who was shut out since. The seal tells: it names what the state consists of and where the record chain
//! stands. Deliberately no second store: what a seal finds missing is not restored from it.

use crate::store::disk::{Disk, DiskError, Edits};
use crate::store::layout::{FLOOR_KEY, HEAD_KEY, REMOVAL, SEAL_KEY, STATEMENT, range_of};
use doorward_protocol::agent::stored::Floor;
use doorward_protocol::codec::{self, CodecError};
use doorward_protocol::commit::Position;
use doorward_protocol::id::{Hash, hash};
use doorward_protocol::record::ChainHead;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Domain of the hash over the parts of a state.
const PARTS: &str = "doorward 1 agent store parts";

/// Domain of the check over a slot of the file.
const CHECK: &str = "doorward 1 agent store seal";

/// The file has two slots that are written in turn, each on a page of its own: whatever tears one leaves the other.
const SLOT_BYTES: usize = 4096;

/// How far a store had come after one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// How many commits the store had taken.
    pub commits: u64,
    /// Hash over head, statements and removals. The facts prove themselves by the head.
    pub parts: Hash,
    /// The newest position that was in force.
    pub position: Position,
    /// The newest durable record.
    pub chain: ChainHead,
}

/// Makes the seal of each commit from that of the one before it.
#[derive(Debug, Clone, Default)]
pub struct Sealer {
    parts: BTreeMap<Vec<u8>, Hash>,
    /// Hash over all of them, once it was asked for; a tap changes none.
    whole: Option<Hash>,
    commits: u64,
    position: Position,
}

impl Sealer {
    /// The sealer of a store as it is; its next seal is newer than those that were found.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn of(disk: &Disk) -> Result<Self, DiskError> {
        let mut sealer = Self::default();
        for (first, last) in [(HEAD_KEY.to_vec(), HEAD_KEY.to_vec()), range_of(STATEMENT), range_of(REMOVAL)] {
            disk.visit(&first, &last, |(key, value)| {
                sealer.put(key, Some(&value));
                true
            })?;
        }
        Ok(sealer)
    }

    /// Goes on from a seal that was found.
    pub fn go_on(&mut self, found: &Seal) {
        self.commits = self.commits.max(found.commits);
        self.position = self.position.max(found.position);
    }

    /// Hash over the parts of the state.
    #[must_use]
    pub fn parts(&self) -> Hash {
        let parts: Vec<u8> = self.parts.iter().flat_map(|(key, value)| [key.as_slice(), &value.0].concat()).collect();
        hash(PARTS, &[&parts])
    }

    /// Adds the seal to the edits of a commit after which the chain stands at `chain`.
    ///
    /// # Errors
    /// When it does not encode.
    pub fn seal(&mut self, edits: &mut Edits, chain: ChainHead) -> Result<Seal, CodecError> {
        for (key, value) in edits.iter() {
            self.put(key.clone(), value.as_deref());
        }
        let floor = edits.get(FLOOR_KEY).and_then(Option::as_deref).map(codec::decode::<Floor>);
        if let Some(Ok(floor)) = floor {
            self.position = self.position.max(floor.position);
        }
        self.commits = self.commits.saturating_add(1);
        let parts = self.whole.unwrap_or_else(|| self.parts());
        self.whole = Some(parts);
        let seal = Seal { commits: self.commits, parts, position: self.position, chain };
        edits.insert(SEAL_KEY.to_vec(), Some(codec::encode(&seal)?));
        Ok(seal)
    }

    fn put(&mut self, key: Vec<u8>, value: Option<&[u8]>) {
        let is_part = key == HEAD_KEY || key.first().is_some_and(|kind| [STATEMENT, REMOVAL].contains(kind));
        if !is_part {
            return;
        }
        match value {
            Some(value) => self.parts.insert(key, hash(PARTS, &[value])),
            None => self.parts.remove(&key),
        };
        self.whole = None;
    }
}

/// The file beside a store.
#[derive(Debug)]
pub struct SealFile {
    file: File,
    synced: Option<Hash>,
}

impl SealFile {
    /// Where the file of a store is.
    #[must_use]
    pub fn path(store: &Path) -> PathBuf {
        store.with_extension("seal")
    }

    /// The newest seal in the file of a store; `None` when there is none that can be read.
    #[must_use]
    pub fn read(store: &Path) -> Option<Seal> {
        let bytes = std::fs::read(Self::path(store)).ok()?;
        bytes.chunks(SLOT_BYTES).filter_map(in_slot).max_by_key(|seal| seal.commits)
    }

    /// Opens the file of a store for writing; it is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(store: &Path) -> io::Result<Self> {
        let path = Self::path(store);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        if file.metadata()?.len() == 0 {
            // All that it will ever need, so that a full disk cannot refuse it.
            file.write_all_at(&[0; 2 * SLOT_BYTES], 0)?;
            file.sync_all()?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        }
        Ok(Self { file, synced: None })
    }

    /// Writes the seal of a commit that is durable. It is made durable itself when the state changed. That of records
    /// alone is not waited for: a tap would wait twice, and what is older says less and nothing wrong.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, seal: &Seal) -> Result<(), DiskError> {
        let damaged = |error: CodecError| DiskError::Damaged(error.to_string());
        let bytes = codec::encode(seal).map_err(damaged)?;
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
        let slot = [length.as_slice(), &bytes, &hash(CHECK, &[&bytes]).0].concat();
        let offset = if seal.commits.is_multiple_of(2) { 0 } else { u64::try_from(SLOT_BYTES).unwrap_or(0) };
        self.file.write_all_at(&slot, offset)?;
        if self.synced != Some(seal.parts) {
            self.file.sync_data()?;
            self.synced = Some(seal.parts);
        }
        Ok(())
    }
}

fn in_slot(slot: &[u8]) -> Option<Seal> {
    let (length, rest) = slot.split_at_checked(2)?;
    let (bytes, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(length.try_into().ok()?)))?;
    let check = rest.get(..32)?;
    (hash(CHECK, &[bytes]).0 == check).then(|| codec::decode(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_protocol::id::{AgentId, Incarnation};

    fn seal(commits: u64) -> Seal {
        let chain = ChainHead::begin(&AgentId::new("agent-1").unwrap(), Incarnation([1; 16]));
        Seal { commits, parts: Hash([7; 32]), position: Position { epoch: 0, seq: commits }, chain }
    }

    #[test]
    fn the_newest_seal_is_read_and_a_torn_one_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        assert_eq!(SealFile::read(&store), None);
        let mut file = SealFile::open(&store).unwrap();
        assert_eq!(SealFile::read(&store), None);
        for commits in 1..=5 {
            file.write(&seal(commits)).unwrap();
            assert_eq!(SealFile::read(&store), Some(seal(commits)));
        }
        let path = SealFile::path(&store);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..160 {
            let mut torn = whole.clone();
            torn[SLOT_BYTES + at] ^= 1;
            std::fs::write(&path, torn).unwrap();
            let read = SealFile::read(&store).unwrap();
            assert!(read == seal(4) || read == seal(5), "byte {at}: {read:?}");
        }
    }

    #[test]
    fn a_seal_names_head_statements_and_removals_and_nothing_else() {
        let chain = seal(1).chain;
        let parts_after = |key: &[u8]| {
            let mut sealer = Sealer::default();
            sealer.seal(&mut [(key.to_vec(), Some(vec![1]))].into(), chain).unwrap().parts
        };
        let none = Sealer::default().parts();
        for (key, is_part) in [("h", true), ("s1", true), ("r1", true), ("f1", false), ("a1", false), ("d", false)] {
            assert_eq!(parts_after(key.as_bytes()) != none, is_part, "{key}");
        }
    }
}
