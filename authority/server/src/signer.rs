//! What the online key signs: commits, pulses, removals and evidence, under the newest trust statement.

use crate::keys::{self, KeyError};
use crate::paths::Layout;
use doorward_protocol::armor::ArmorError;
use doorward_protocol::codec::CodecError;
use doorward_protocol::commit::{Commit, Position};
use doorward_protocol::id::{CampusId, Hash, hash};
use doorward_protocol::limits::STATEMENTS_MAX;
use doorward_protocol::sign::{SecretKey, Signable, Signed};
use doorward_protocol::time::UnixMs;
use doorward_protocol::trust::{Root, Statement, Trust, TrustError};
use std::path::Path;
use thiserror::Error;

/// Why nothing can be signed.
#[derive(Debug, Error)]
pub enum SignerError {
    /// A key cannot be read.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The file with the campus root is damaged.
    #[error("root.pub {0}; restore it from a backup")]
    Root(ArmorError),
    /// The file with the campus root cannot be read.
    #[error("root.pub: {0}")]
    RootFile(std::io::Error),
    /// The journal's trust statements do not prove themselves.
    #[error("the trust statements in the journal do not prove themselves under root.pub: {0}")]
    Trust(#[from] TrustError),
    /// The signing key is not the one that the root named.
    #[error("the newest trust statement does not name the signing key of this data directory; restore the right one")]
    NotNamed,
    /// More statements than an agent would take.
    #[error("{0} trust statements are more than the bound of {STATEMENTS_MAX}")]
    TooMany(usize),
}

/// See the module.
#[derive(Debug)]
pub struct Signer {
    key: SecretKey,
    trust: Trust,
    root: Root,
    statements: Vec<Signed<Statement>>,
}

impl Signer {
    /// Opens the signing key and believes the journal's statements under the campus root.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn open(layout: &Layout, statements: Vec<Signed<Statement>>) -> Result<Self, SignerError> {
        let root = read_root(layout)?;
        if statements.len() > STATEMENTS_MAX {
            return Err(SignerError::TooMany(statements.len()));
        }
        let trust = Trust::from_chain(root.hash(), &statements)?;
        let key = named_key(layout, &trust)?;
        Ok(Self { key, trust, root, statements })
    }

    /// The campus.
    #[must_use]
    pub const fn campus(&self) -> &CampusId {
        self.trust.campus()
    }

    /// The epoch of what is signed.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.trust.statement().epoch
    }

    /// The root that agents pin.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// All trust statements from 1.
    #[must_use]
    pub fn statements(&self) -> &[Signed<Statement>] {
        &self.statements
    }

    /// The newest believed statement.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// A secret that outlives the process, for one purpose.
    #[must_use]
    pub fn secret_for(&self, purpose: &str) -> Hash {
        hash("doorward 1 derived secret", &[&self.key.to_seed(), purpose.as_bytes()])
    }

    /// Signs the commit of an entry.
    ///
    /// # Errors
    /// Never for values within their bounds.
    pub fn commit(&self, seq: u64, at: UnixMs, previous: Hash, root: Hash) -> Result<Signed<Commit>, CodecError> {
        let position = Position { epoch: self.epoch(), seq };
        self.sign(&Commit { campus: self.campus().clone(), position, at, previous, root })
    }

    /// Signs a value.
    ///
    /// # Errors
    /// When the value is larger than a frame may be.
    pub fn sign<T: Signable>(&self, value: &T) -> Result<Signed<T>, CodecError> {
        self.key.sign_value(value)
    }
}

/// The signing key that the newest statement names; put in place, when the process that made it could not any more.
fn named_key(layout: &Layout, trust: &Trust) -> Result<SecretKey, SignerError> {
    let read = |file: &Path| Ok::<_, SignerError>(SecretKey::from_seed(&keys::read_secret(file)?));
    let is_named = |key: &SecretKey| trust.statement().signing_keys.contains(&key.public());
    let next = layout.next_signing_key();
    if next.exists() {
        let key = read(&next)?;
        if is_named(&key) {
            keys::put_in_place(&next, &layout.signing_key())?;
            return Ok(key);
        }
    }
    let key = read(&layout.signing_key())?;
    if is_named(&key) { Ok(key) } else { Err(SignerError::NotNamed) }
}

/// The campus root of a data directory.
///
/// # Errors
/// See [`SignerError`].
pub fn read_root(layout: &Layout) -> Result<Root, SignerError> {
    let text = std::fs::read_to_string(layout.root_public()).map_err(SignerError::RootFile)?;
    Root::parse(&text).map_err(SignerError::Root)
}
