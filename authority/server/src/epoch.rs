//! A new epoch: the next trust statement, signed by the campus's root keys, after a restore or after a theft.
//!
//! With it the signing key, or the root itself, can be replaced. Agents follow by themselves, because they know the root
//! that signs; `root.pub` stays as it is, because everything is proven from the first root on.

use crate::clock;
use crate::init::{InitOptions, make_root, sign_by_all};
use crate::journal::{self, JournalError};
use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::signer::{SignerError, read_root};
use crate::start::{self, StartError};
use doorward_protocol::codec::CodecError;
use doorward_protocol::limits::SIGNATURES_MAX;
use doorward_protocol::sign::SecretKey;
use doorward_protocol::trust::{Trust, TrustError};
use std::path::PathBuf;
use thiserror::Error;

/// What is replaced with the epoch; nothing by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EpochOptions {
    /// The key that signs commits: what the old one signs is believed by nobody who heard of the epoch.
    pub replace_signing_key: bool,
    /// The root keys, by so many others.
    pub replace_root: Option<InitOptions>,
}

/// What was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochReport {
    /// The number of the epoch.
    pub epoch: u32,
    /// New root keys, to be taken offline.
    pub root_keys: Vec<PathBuf>,
}

/// Why no new epoch was begun; whom to trust has not changed.
#[derive(Debug, Error)]
pub enum EpochError {
    /// The data directory is in use, or not one.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A key cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The public root cannot be read.
    #[error(transparent)]
    Root(#[from] SignerError),
    /// The keys do not suffice.
    #[error("these root keys do not suffice: {0}; {1} of the campus's root keys must sign")]
    Keys(TrustError, u8),
    /// So many keys cannot be.
    #[error(
        "{threshold} of {keys} new root keys cannot be: a threshold of 1 to as many keys, and no more than \
         {SIGNATURES_MAX} old and new ones together"
    )]
    Threshold {
        /// How many keys.
        keys: u8,
        /// How many must sign.
        threshold: u8,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something cannot be encoded.
    #[error("a value cannot be encoded: {0}")]
    Codec(#[from] CodecError),
    /// No key was given.
    #[error("no root key was given; name the files that `init` wrote into {0}")]
    NoKey(PathBuf),
}

/// Begins a new epoch: signs the next trust statement with the root keys in these files. No server may run on the data
/// directory.
///
/// # Errors
/// See [`EpochError`].
pub fn new_epoch(
    layout: &Layout,
    root_key_files: &[PathBuf],
    options: EpochOptions,
) -> Result<EpochReport, EpochError> {
    if root_key_files.is_empty() {
        return Err(EpochError::NoKey(layout.root_keys()));
    }
    let _lock = start::lock(layout)?;
    let mut journal = journal::open(&layout.journal())?;
    let root = read_root(layout)?;
    let trust = Trust::from_chain(root.hash(), &journal.statements()?).map_err(SignerError::Trust)?;
    let seeds = root_key_files.iter().map(|file| keys::read_secret(file));
    let mut secrets: Vec<SecretKey> =
        seeds.map(|seed| Ok(SecretKey::from_seed(&seed?))).collect::<Result<_, KeyError>>()?;
    let mut statement = trust.statement().clone();
    let too_few = |error| EpochError::Keys(error, trust.statement().root.threshold);
    statement.version = statement.version.saturating_add(1);
    statement.epoch = statement.epoch.saturating_add(1);
    statement.at = clock::wall();
    // The old root has to agree before anything is written; with the new one it is asked again.
    trust.next(&sign_by_all(&secrets, &statement)?).map_err(too_few)?;
    let mut root_keys = Vec::new();
    if let Some(options) = options.replace_root {
        let InitOptions { root_keys: keys, threshold } = options;
        if !options.are_possible() || usize::from(keys).saturating_add(secrets.len()) > SIGNATURES_MAX {
            return Err(EpochError::Threshold { keys, threshold });
        }
        let directory = layout.root_keys_from(statement.version);
        let (root, new, files) = make_root(&directory, statement.root.campus, options)?;
        statement.root = root;
        secrets.extend(new);
        root_keys = files;
    }
    if options.replace_signing_key {
        let key = keys::new_secret_key()?;
        // Kept before it is named: a power cut between the two leaves the old key in force, and one after them the new.
        keys::replace_private(&layout.next_signing_key(), &hex::encode(key.to_seed()))?;
        statement.signing_keys = [key.public()].into();
    }
    let signed = sign_by_all(&secrets, &statement)?;
    trust.next(&signed).map_err(too_few)?;
    journal.append_statement(statement.version, &signed)?;
    if options.replace_signing_key {
        keys::put_in_place(&layout.next_signing_key(), &layout.signing_key())?;
    }
    Ok(EpochReport { epoch: statement.epoch, root_keys })
}
