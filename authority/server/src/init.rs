//! Makes an authority: root, signing key, certificate authority, API token, and a journal that knows the campus.
//!
//! Nothing is ever overwritten, and what can be wrong with the campus is found before the first file is written.

use crate::certificates::{CertificateAuthority, CertificateError};
use crate::clock;
use crate::journal::{self, JournalError};
use crate::keys::{self, KeyError};
use crate::paths::Layout;
use crate::token;
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::{CompileError, Compiled};
use doorward_policy::difference::Difference;
use doorward_policy::directory::{Directory, Refusal};
use doorward_policy::model::Campus;
use doorward_policy::zone::tzdb_version;
use doorward_protocol::codec::CodecError;
use doorward_protocol::enrol::certificate_hash;
use doorward_protocol::id::{CampusId, Hash, ReaderKey};
use doorward_protocol::limits::SIGNATURES_MAX;
use doorward_protocol::sign::{SecretKey, Signed};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement};
use std::path::{Path, PathBuf};
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

impl InitOptions {
    /// Whether so many keys can be, and so many of them sign.
    #[must_use]
    pub fn are_possible(self) -> bool {
        self.threshold >= 1 && self.threshold <= self.root_keys && usize::from(self.root_keys) <= SIGNATURES_MAX
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
    if !options.are_possible() {
        let InitOptions { root_keys: keys, threshold } = options;
        return Err(InitError::Threshold { keys, threshold });
    }
    let now = clock::wall();
    let entries = first_entries(campus, now)?;
    keys::private_directory(layout.directory())?;
    let (root, secrets, files) = make_root(&layout.root_keys(), campus.policy.campus.clone(), options)?;
    let text = root.to_text().ok_or(CodecError::Unencodable)?;
    keys::write_public(&layout.root_public(), &text)?;
    let signing = keys::new_secret_key()?;
    keys::write_private(&layout.signing_key(), &hex::encode(signing.to_seed()))?;
    token::make(layout)?;
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
        let entry = Entry { seq, at: now, actor: Actor::new("owner").unwrap_or_else(|_| Actor::system()), command };
        directory.take(&entry)?;
        entries.push((entry, text));
        Ok(())
    };
    take(&mut directory, Command::Found { reader_key, software, tzdb: tzdb_version().to_owned() })?;
    let difference = Box::new(Difference::between(&directory, campus));
    take(&mut directory, Command::Import { difference })?;
    Compiled::whole(&directory)?;
    Ok(entries)
}

/// Makes root keys, and writes them into a directory of their own.
pub(crate) fn make_root(
    directory: &Path,
    campus: CampusId,
    options: InitOptions,
) -> Result<(Root, Vec<SecretKey>, Vec<PathBuf>), KeyError> {
    keys::private_directory(directory)?;
    let mut secrets = Vec::new();
    let mut files = Vec::new();
    for number in 1..=options.root_keys {
        let secret = keys::new_secret_key()?;
        let file = directory.join(format!("root-{number}.key"));
        keys::write_private(&file, &hex::encode(secret.to_seed()))?;
        secrets.push(secret);
        files.push(file);
    }
    let keys = secrets.iter().map(SecretKey::public).collect();
    Ok((Root { campus, keys, threshold: options.threshold }, secrets, files))
}

/// Signs a statement with every one of these keys.
pub(crate) fn sign_by_all(secrets: &[SecretKey], statement: &Statement) -> Result<Signed<Statement>, CodecError> {
    let Some((first, others)) = secrets.split_first() else { return Err(CodecError::Unencodable) };
    let mut signed = first.sign_value(statement)?;
    others.iter().for_each(|secret| signed.add_signature(secret));
    Ok(signed)
}
