//! Makes an authority: root, signing key, certificate authority, API token, and a journal that knows the campus.
//!
//! Nothing is ever overwritten, and what can be wrong with the campus is found before the first file is written.

use crate::certificates::{CertificateAuthority, CertificateError};
use crate::clock;
use crate::journal::{self, JournalError};
use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::signer::{SignerError, read_root};
use crate::start::{self, StartError};
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::{CompileError, Compiled};
use doorward_policy::difference::Difference;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::model::Campus;
use doorward_policy::zone::tzdb_version;
use doorward_protocol::codec::CodecError;
use doorward_protocol::enrol::certificate_hash;
use doorward_protocol::id::{Hash, ReaderKey};
use doorward_protocol::limits::SIGNATURES_MAX;
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement, Trust, TrustError};
use std::path::PathBuf;
use thiserror::Error;

/// How the root is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitOptions {
    /// How many root keys.
    pub root_keys: u8,
    /// How many of them must sign a trust statement.
    pub threshold: u8,
}

impl Default for InitOptions {
    fn default() -> Self {
        Self { root_keys: 1, threshold: 1 }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// Hash of the root, which join tokens pin.
    pub root: Hash,
    /// The root keys, to be taken offline.
    pub root_keys: Vec<PathBuf>,
    /// The public root, to be given to whoever checks evidence.
    pub root_public: PathBuf,
    /// Number of the last entry of the journal.
    pub head: u64,
}

/// Why nothing, or not everything, was made.
#[derive(Debug, Error)]
pub enum InitError {
    /// An authority is there already.
    #[error(
        "{0} is there already: this data directory has an authority, and nothing of it is overwritten; choose another directory"
    )]
    Exists(PathBuf),
    /// The numbers of root keys make no sense.
    #[error("{threshold} of {keys} root keys cannot be: 1 to {SIGNATURES_MAX} keys, and a threshold of 1 to as many")]
    Threshold {
        /// How many keys.
        keys: u8,
        /// How many must sign.
        threshold: u8,
    },
    /// The campus is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The campus cannot be compiled.
    #[error("the campus cannot be compiled: {0}")]
    Compile(#[from] CompileError),
    /// A secret cannot be made or kept.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate authority cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The journal cannot be made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something cannot be encoded.
    #[error("a value cannot be encoded: {0}")]
    Codec(#[from] CodecError),
    /// Something cannot be spelled out as JSON.
    #[error("a command cannot be written as JSON: {0}")]
    Spelling(String),
}

/// Makes an authority for a campus in a data directory.
///
/// # Errors
/// See [`InitError`].
pub fn init(layout: &Layout, campus: &Campus, options: InitOptions) -> Result<InitReport, InitError> {
    let present = [layout.journal(), layout.signing_key(), layout.root_keys(), layout.root_public()];
    if let Some(path) = present.into_iter().find(|path| path.exists()) {
        return Err(InitError::Exists(path));
    }
    let InitOptions { root_keys, threshold } = options;
    if threshold < 1 || threshold > root_keys || usize::from(root_keys) > SIGNATURES_MAX {
        return Err(InitError::Threshold { keys: root_keys, threshold });
    }
    let now = clock::wall();
    let entries = first_entries(campus, now)?;
    keys::private_directory(layout.directory())?;
    let (root, secrets, files) = make_root(layout, campus, options)?;
    let signing = keys::new_secret_key()?;
    keys::write_private(&layout.signing_key(), &hex::encode(signing.to_seed()))?;
    keys::write_private(&layout.api_token(), &hex::encode(keys::random::<32>()?))?;
    let authority = CertificateAuthority::create(layout, &campus.policy.campus, now)?;
    let statement = Statement {
        version: 1,
        epoch: 0,
        root: root.clone(),
        signing_keys: [signing.public()].into(),
        certificate_authority: certificate_hash(authority.certificate()),
        at: now,
    };
    let mut journal = journal::create(&layout.journal())?;
    journal.append_statement(1, &sign_by_all(&secrets, &statement)?)?;
    for (entry, text) in &entries {
        journal.append(entry.seq.saturating_sub(1), entry, text)?;
    }
    Ok(InitReport { root: root.hash(), root_keys: files, root_public: layout.root_public(), head: journal.head()? })
}

/// The entries that every journal begins with, each with its command as JSON; compiled once to see that they can be.
fn first_entries(campus: &Campus, now: UnixMs) -> Result<Vec<(Entry, String)>, InitError> {
    let reader_key = ReaderKey(keys::random()?);
    let software = format!("doorward {}", env!("CARGO_PKG_VERSION"));
    let mut directory = Directory::default();
    let mut entries = Vec::new();
    let mut take = |directory: &mut Directory, command: Command| -> Result<(), InitError> {
        let text = serde_json::to_string(&command).map_err(|error| InitError::Spelling(error.to_string()))?;
        let seq = directory.head().saturating_add(1);
        let entry = Entry { seq, at: now, actor: Actor::new("operator").unwrap_or_else(|_| Actor::system()), command };
        directory.apply(&entry)?;
        entries.push((entry, text));
        Ok(())
    };
    take(&mut directory, Command::Found { reader_key, software, tzdb: tzdb_version().to_owned() })?;
    let difference = Box::new(Difference::between(&directory, campus));
    take(&mut directory, Command::Import { difference })?;
    Compiled::whole(&directory)?;
    Ok(entries)
}

fn make_root(
    layout: &Layout,
    campus: &Campus,
    options: InitOptions,
) -> Result<(Root, Vec<SecretKey>, Vec<PathBuf>), InitError> {
    keys::private_directory(&layout.root_keys())?;
    let mut secrets = Vec::new();
    let mut files = Vec::new();
    for number in 1..=options.root_keys {
        let secret = keys::new_secret_key()?;
        let file = layout.root_keys().join(format!("root-{number}.key"));
        keys::write_private(&file, &hex::encode(secret.to_seed()))?;
        secrets.push(secret);
        files.push(file);
    }
    let public = secrets.iter().map(SecretKey::public).collect();
    let root = Root { campus: campus.policy.campus.clone(), keys: public, threshold: options.threshold };
    let text = root.to_text().ok_or(CodecError::Unencodable)?;
    keys::write_public(&layout.root_public(), &text)?;
    Ok((root, secrets, files))
}

fn sign_by_all(secrets: &[SecretKey], statement: &Statement) -> Result<Signed<Statement>, CodecError> {
    let Some((first, others)) = secrets.split_first() else { return Err(CodecError::Unencodable) };
    let mut signed = first.sign_value(statement)?;
    others.iter().for_each(|secret| signed.add_signature(secret));
    Ok(signed)
}

/// Why no new epoch was begun; nothing changed.
#[derive(Debug, Error)]
pub enum EpochError {
    /// The data directory is in use, or not one.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A root key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The public root cannot be read.
    #[error(transparent)]
    Root(#[from] SignerError),
    /// The keys do not suffice.
    #[error("these root keys do not suffice: {0}; {1} of the campus's root keys must sign")]
    Keys(TrustError, u8),
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

/// Begins a new epoch after the journal was restored from an older copy: signs the next trust statement with the root
/// keys in these files. Returns the epoch. No server may run on the data directory.
///
/// # Errors
/// See [`EpochError`].
pub fn new_epoch(layout: &Layout, root_key_files: &[PathBuf]) -> Result<u32, EpochError> {
    if root_key_files.is_empty() {
        return Err(EpochError::NoKey(layout.root_keys()));
    }
    let _lock = start::lock(layout)?;
    let mut journal = journal::open(&layout.journal())?;
    let root = read_root(layout)?;
    let trust = Trust::from_chain(root.hash(), &journal.statements()?).map_err(SignerError::Trust)?;
    let seeds = root_key_files.iter().map(|file| keys::read_secret(file));
    let secrets: Vec<SecretKey> =
        seeds.map(|seed| Ok(SecretKey::from_seed(&seed?))).collect::<Result<_, KeyError>>()?;
    let mut statement = trust.statement().clone();
    statement.version = statement.version.saturating_add(1);
    statement.epoch = statement.epoch.saturating_add(1);
    statement.at = clock::wall();
    let signed = sign_by_all(&secrets, &statement)?;
    trust.next(&signed).map_err(|error| EpochError::Keys(error, statement.root.threshold))?;
    journal.append_statement(statement.version, &signed)?;
    Ok(statement.epoch)
}
