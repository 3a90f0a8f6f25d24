//! What can happen to an agent's store while nobody looks: the newest pages are lost or torn, old ones come back, bits
//! turn, files vanish.
//!
//! Deliberately without knowledge of sled's format: the newest bytes are those that differ from a copy made earlier.

use crate::random::Random;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a disk loses at once.
const PAGE_BYTES: usize = 4096;

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// Folder of the store in an agent's data directory.
pub const STORE: &str = "store";

/// The file with sled's log.
const LOG: &str = "db";

/// The files of a folder and what is in them.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// One kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injury {
    /// The newest sectors are as they were before: they were never written.
    NewestLost,
    /// The newest sectors are zero.
    NewestTorn,
    /// Some of the newest sectors are as they were before, the others are there.
    NewestMixed,
    /// The file with the log ends earlier.
    Cut,
    /// A page is zero.
    PageZero,
    /// A page is as it was before.
    PageOld,
    /// Some bits are turned.
    BitsTurned,
    /// The snapshots of sled's page table are gone.
    SnapshotsGone,
    /// Such a snapshot is an old one, or has turned bits.
    SnapshotWrong,
    /// The files of large values are gone.
    BlobsGone,
    /// The configuration of sled is gone or wrong.
    ConfigurationWrong,
    /// The whole store is as it was before.
    StoreOld,
    /// The whole store is gone.
    StoreGone,
    /// Everything that the agent keeps is as it was before, as on a disk that was restored.
    DiskOld,
}

impl Injury {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NewestLost,
        Self::NewestTorn,
        Self::NewestMixed,
        Self::Cut,
        Self::PageZero,
        Self::PageOld,
        Self::BitsTurned,
        Self::SnapshotsGone,
        Self::SnapshotWrong,
        Self::BlobsGone,
        Self::ConfigurationWrong,
        Self::StoreOld,
        Self::StoreGone,
        Self::DiskOld,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewestLost => "newest sectors lost",
            Self::NewestTorn => "newest sectors zero",
            Self::NewestMixed => "some of the newest sectors lost",
            Self::Cut => "log cut",
            Self::PageZero => "a page zero",
            Self::PageOld => "a page of before",
            Self::BitsTurned => "bits turned",
            Self::SnapshotsGone => "snapshots gone",
            Self::SnapshotWrong => "snapshot wrong",
            Self::BlobsGone => "large values gone",
            Self::ConfigurationWrong => "configuration wrong",
            Self::StoreOld => "store of before",
            Self::StoreGone => "store gone",
            Self::DiskOld => "disk of before",
        }
    }

    /// Damages the data directory of an agent that does not run; `before` is what was in it earlier.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn inflict(self, data: &Path, before: &Files, random: &mut Random) -> Result<()> {
        let store = data.join(STORE);
        let log = store.join(LOG);
        match self {
            Self::NewestLost => newest(&log, before, random, |_, old, _| Some(old.to_vec())),
            Self::NewestTorn => newest(&log, before, random, |_, old, _| Some(vec![0; old.len()])),
            Self::NewestMixed => {
                newest(&log, before, random, |_, old, random| (random.below(2) == 0).then(|| old.to_vec()))
            }
            Self::Cut => change(&log, |bytes| bytes.truncate(below(random, bytes.len()))),
            Self::PageZero => change_page(&log, random, |page, _| page.fill(0)),
            Self::PageOld => {
                let old = before.get(&log).cloned().unwrap_or_default();
                change_page(&log, random, |page, from| {
                    if let Some(old) = old.get(from..from.saturating_add(page.len())) {
                        page.copy_from_slice(old);
                    }
                })
            }
            Self::BitsTurned => change(&log, |bytes| turn_bits(bytes, random)),
            Self::SnapshotsGone => snapshots(&store)?.iter().try_for_each(|path| Ok(fs::remove_file(path)?)),
            Self::SnapshotWrong => snapshots(&store)?.iter().try_for_each(|path| {
                let old = before.iter().find(|(path, _)| is_snapshot(path)).filter(|_| random.below(2) == 0);
                match old {
                    Some((_, old)) => Ok(fs::write(path, old)?),
                    None => change(path, |bytes| turn_bits(bytes, random)),
                }
            }),
            Self::BlobsGone => remove(&store.join("blobs")),
            Self::ConfigurationWrong if random.below(2) == 0 => remove(&store.join("conf")),
            Self::ConfigurationWrong => change(&store.join("conf"), |bytes| turn_bits(bytes, random)),
            Self::StoreOld => restore(&store, before),
            Self::StoreGone => remove(&store),
            Self::DiskOld => restore(data, before),
        }
    }
}

/// Reads every file below a folder.
///
/// # Errors
/// When one cannot be read.
pub fn read_all(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(read_all(&path)?);
        } else if path.is_file()
            // A running agent may just have replaced a snapshot.
            && let Ok(bytes) = fs::read(&path)
        {
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// Makes the files below a folder those of before.
fn restore(folder: &Path, before: &Files) -> Result<()> {
    for path in read_all(folder)?.into_keys().filter(|path| !before.contains_key(path)) {
        fs::remove_file(path)?;
    }
    for (path, bytes) in before.iter().filter(|(path, _)| path.starts_with(folder)) {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let mut bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    change(&mut bytes);
    Ok(fs::write(path, bytes)?)
}

/// Changes one page that is in use.
fn change_page(path: &Path, random: &mut Random, alter: impl FnOnce(&mut [u8], usize)) -> Result<()> {
    change(path, |bytes| {
        let used: Vec<usize> = (0..)
            .zip(bytes.chunks(PAGE_BYTES))
            .filter(|(_, page)| page.iter().any(|byte| *byte != 0))
            .map(|(number, _): (usize, _)| number)
            .collect();
        let number = random.choose(&used).copied().unwrap_or_default();
        if let Some(page) = bytes.chunks_mut(PAGE_BYTES).nth(number) {
            alter(page, number * PAGE_BYTES);
        }
    })
}

/// Changes the newest sectors: a random number of the last of those that differ from before. `alter` gets the present
/// bytes and the older ones, and says what stands there instead.
fn newest(
    log: &Path,
    before: &Files,
    random: &mut Random,
    alter: impl Fn(&[u8], &[u8], &mut Random) -> Option<Vec<u8>>,
) -> Result<()> {
    let mut old = before.get(log).cloned().unwrap_or_default();
    change(log, |bytes| {
        old.resize(bytes.len(), 0);
        let mut changed: Vec<(&mut [u8], &[u8])> =
            bytes.chunks_mut(SECTOR_BYTES).zip(old.chunks(SECTOR_BYTES)).filter(|(new, old)| *new != *old).collect();
        let lost = below(random, changed.len()).saturating_add(1);
        let kept = changed.len().saturating_sub(lost);
        for (new, old) in changed.iter_mut().skip(kept) {
            if let Some(bytes) = alter(new, old, random) {
                new.copy_from_slice(&bytes);
            }
        }
    })
}

fn turn_bits(bytes: &mut [u8], random: &mut Random) {
    let used: Vec<usize> =
        (0..).zip(bytes.iter()).filter(|(_, byte)| **byte != 0).map(|(at, _): (usize, _)| at).collect();
    for _ in 0..=random.below(8) {
        let at = random.choose(&used).copied().unwrap_or_default();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << random.below(8);
        }
    }
}

fn snapshots(store: &Path) -> Result<Vec<PathBuf>> {
    Ok(read_all(store)?.into_keys().filter(|path| is_snapshot(path)).collect())
}

fn is_snapshot(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."))
}

fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(u64::try_from(bound).unwrap_or(u64::MAX))).unwrap_or_default()
}
