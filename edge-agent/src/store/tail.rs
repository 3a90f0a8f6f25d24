//! The newest access records, in a file beside the store until the store has them: a tap waits for one write to it and
//! one wait for the disk.
//!
//! The file has its whole length and all its blocks from the beginning, so the disk has nothing to do for it but to write
//! what was given. Groups of records stand in it one after another; where the store has caught up, the next group is
//! written at its beginning. Nothing marks the end: what does not continue the chain is what was left from before.

use crate::store::disk::DiskError;
use doorward_protocol::codec::{self, CodecError};
use doorward_protocol::id::hash;
use doorward_protocol::record::Batch;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Domain of the check over a group.
const CHECK: &str = "doorward 1 agent store tail";

/// Length of the file: some seconds of the busiest building, and read in a moment when the agent starts.
const TAIL_BYTES: usize = 1 << 20;

/// Before each group stand its length and a check over it.
const CHECK_BYTES: usize = 32;
const PREFIX_BYTES: usize = 4 + CHECK_BYTES;

/// See the module.
#[derive(Debug)]
pub struct Tail {
    file: File,
    used: usize,
}

impl Tail {
    /// Where the file of a store is.
    #[must_use]
    pub fn path(store: &Path) -> PathBuf {
        store.with_extension("tail")
    }

    /// The groups in the file of a store, oldest first, as far as they are sound and each continues the one before; none
    /// when the file is not there.
    #[must_use]
    pub fn read(store: &Path) -> Vec<Batch> {
        let mut bytes = Vec::new();
        let bound = u64::try_from(TAIL_BYTES).unwrap_or(u64::MAX);
        let read = File::open(Self::path(store)).and_then(|file| file.take(bound).read_to_end(&mut bytes));
        read.map(|_| groups(&bytes)).unwrap_or_default()
    }

    /// Opens the file of a store, all of which the store has by now; it is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be made as long as it has to be.
    pub fn open(store: &Path) -> io::Result<Self> {
        let path = Self::path(store);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let mut tail = Self { file, used: 0 };
        if tail.file.metadata()?.len() != u64::try_from(TAIL_BYTES).unwrap_or(u64::MAX) {
            tail.file.set_len(0)?;
            tail.file.write_all_at(&vec![0; TAIL_BYTES], 0)?;
            tail.file.sync_all()?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        }
        tail.reset();
        Ok(tail)
    }

    /// Makes a group durable; false when there is no room for it until the store has caught up.
    ///
    /// # Errors
    /// When it is not known whether it is durable.
    pub fn append(&mut self, group: &Batch) -> Result<bool, DiskError> {
        let body = codec::encode(group).map_err(|error: CodecError| DiskError::Damaged(error.to_string()))?;
        let Ok(length) = u32::try_from(body.len()) else { return Ok(false) };
        let bytes = [length.to_le_bytes().as_slice(), &hash(CHECK, &[&body]).0, &body].concat();
        if TAIL_BYTES.saturating_sub(self.used) < bytes.len() {
            return Ok(false);
        }
        self.file.write_all_at(&bytes, u64::try_from(self.used).unwrap_or(u64::MAX))?;
        self.file.sync_data()?;
        self.used = self.used.saturating_add(bytes.len());
        Ok(true)
    }

    /// The store has everything that stands here.
    pub const fn reset(&mut self) {
        self.used = 0;
    }

    /// Lets nothing that stands here count any more, also what the store never took.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn clear(&mut self) -> io::Result<()> {
        self.used = 0;
        self.file.write_all_at(&[0; PREFIX_BYTES], 0)?;
        self.file.sync_data()
    }
}

fn groups(mut bytes: &[u8]) -> Vec<Batch> {
    let mut groups: Vec<Batch> = Vec::new();
    while let Some((group, rest)) = next_group(bytes) {
        let Some(end) = groups.last().map_or(Some(group.after), Batch::end) else { break };
        if end != group.after {
            break;
        }
        groups.push(group);
        bytes = rest;
    }
    groups
}

fn next_group(bytes: &[u8]) -> Option<(Batch, &[u8])> {
    let (length, bytes) = bytes.split_first_chunk::<4>()?;
    let (check, bytes) = bytes.split_first_chunk::<CHECK_BYTES>()?;
    let (body, rest) = bytes.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    if hash(CHECK, &[body]).0 != *check {
        return None;
    }
    let group: Batch = codec::decode(body).ok()?;
    group.end().map(|_| (group, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Campus;
    use doorward_protocol::decide::Reason;
    use doorward_protocol::facts::Factors;
    use doorward_protocol::id::{AgentId, CredentialKey, Incarnation};
    use doorward_protocol::record::{ChainHead, Record};
    use doorward_protocol::time::UnixMs;

    /// Groups of these sizes, of one chain.
    fn chain(sizes: &[u64]) -> Vec<Batch> {
        let mut head = ChainHead::begin(&AgentId::new("agent-1").unwrap(), Incarnation([1; 16]));
        let group = |size: &u64| {
            let records = (head.seq + 1..=head.seq + size).map(|seq| Record {
                seq,
                at: UnixMs(1),
                door: Campus::door(),
                credential: CredentialKey([1; 16]),
                factors: Factors::NONE,
                reason: Reason::Granted,
                position: Campus::position(),
            });
            let group = Batch { after: head, records: records.collect() };
            head = group.end().unwrap();
            group
        };
        sizes.iter().map(group).collect()
    }

    #[test]
    fn what_was_appended_is_read_and_what_stood_there_before_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        assert!(Tail::read(&store).is_empty());
        let groups = chain(&[1, 3, 2, 1, 1]);
        let (before, after) = groups.split_at(3);
        let mut tail = Tail::open(&store).unwrap();
        assert!(Tail::read(&store).is_empty());
        before.iter().for_each(|group| assert!(tail.append(group).unwrap()));
        assert_eq!(Tail::read(&store), before);
        tail.reset();
        for count in 1..=after.len() {
            assert!(tail.append(&after[count - 1]).unwrap());
            assert_eq!(Tail::read(&store), after[..count]);
        }
        tail.clear().unwrap();
        assert!(Tail::read(&store).is_empty());
        assert_eq!(std::fs::metadata(Tail::path(&store)).unwrap().len(), 1 << 20);
    }

    #[test]
    fn a_full_file_takes_nothing_until_the_store_has_caught_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let mut tail = Tail::open(&store).unwrap();
        let groups = chain(&[2000; 30]);
        let taken = groups.iter().take_while(|group| tail.append(group).unwrap()).count();
        assert!((1..groups.len()).contains(&taken));
        assert_eq!(Tail::read(&store), groups[..taken]);
        tail.reset();
        assert!(tail.append(&groups[taken]).unwrap());
        assert_eq!(Tail::read(&store), [groups[taken].clone()]);
    }

    #[test]
    fn a_torn_group_leaves_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let groups = chain(&[2, 2]);
        let mut tail = Tail::open(&store).unwrap();
        assert!(tail.append(&groups[0]).unwrap());
        let kept = tail.used;
        assert!(tail.append(&groups[1]).unwrap());
        let whole = std::fs::read(Tail::path(&store)).unwrap();
        for at in kept..tail.used {
            let mut torn = whole.clone();
            torn[at] ^= 1;
            std::fs::write(Tail::path(&store), torn).unwrap();
            assert_eq!(Tail::read(&store), groups[..1], "byte {at}");
        }
    }
}
